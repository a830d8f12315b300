/** Integers, logic and shuffles in XMM registers: the lines of the manual. */
import { instruction } from '../row.ts';
import {
  PACKSSDW, PACKSSWB, PACKUSWB, PADD, PADDS, PADDUS, PAND, PANDN, PAVG, PCMPEQ, PCMPGT, PEXTRW, PINSRW, PMADDWD, PMAXSW, PMAXUB, PMINSW, PMINUB,
  PMULHUW, PMULHW, PMULLW, PMULUDQ, POR, PSADBW, PSHIFT, PSHIFT_BYTES, PSHUF, PSUB, PSUBS, PSUBUS, PUNPCKH, PUNPCKL, PXOR, SHUF,
} from '../semantics/vector-integer.ts';

const SSE = { feature: 'sse', size: 'any' } as const;
const SSE2 = { feature: 'sse2', size: 'any' } as const;

export const vectorInteger = [
  instruction(PAND, SSE, [
    ['ANDPS xmm1, xmm2/m128', 'NP 0F 54 /r'],
  ]),
  instruction(PAND, SSE2, [
    ['ANDPD xmm1, xmm2/m128', '66 0F 54 /r'],
    ['PAND xmm1, xmm2/m128', '66 0F DB /r'],
  ]),
  instruction(PANDN, SSE, [
    ['ANDNPS xmm1, xmm2/m128', 'NP 0F 55 /r'],
  ]),
  instruction(PANDN, SSE2, [
    ['ANDNPD xmm1, xmm2/m128', '66 0F 55 /r'],
    ['PANDN xmm1, xmm2/m128', '66 0F DF /r'],
  ]),
  instruction(POR, SSE, [
    ['ORPS xmm1, xmm2/m128', 'NP 0F 56 /r'],
  ]),
  instruction(POR, SSE2, [
    ['ORPD xmm1, xmm2/m128', '66 0F 56 /r'],
    ['POR xmm1, xmm2/m128', '66 0F EB /r'],
  ]),
  instruction(PXOR, SSE, [
    ['XORPS xmm1, xmm2/m128', 'NP 0F 57 /r'],
  ]),
  instruction(PXOR, SSE2, [
    ['XORPD xmm1, xmm2/m128', '66 0F 57 /r'],
    ['PXOR xmm1, xmm2/m128', '66 0F EF /r'],
  ]),
  instruction(PADD('i8x16'), SSE2, [
    ['PADDB xmm1, xmm2/m128', '66 0F FC /r'],
  ]),
  instruction(PADD('i16x8'), SSE2, [
    ['PADDW xmm1, xmm2/m128', '66 0F FD /r'],
  ]),
  instruction(PADD('i32x4'), SSE2, [
    ['PADDD xmm1, xmm2/m128', '66 0F FE /r'],
  ]),
  instruction(PADD('i64x2'), SSE2, [
    ['PADDQ xmm1, xmm2/m128', '66 0F D4 /r'],
  ]),
  instruction(PSUB('i8x16'), SSE2, [
    ['PSUBB xmm1, xmm2/m128', '66 0F F8 /r'],
  ]),
  instruction(PSUB('i16x8'), SSE2, [
    ['PSUBW xmm1, xmm2/m128', '66 0F F9 /r'],
  ]),
  instruction(PSUB('i32x4'), SSE2, [
    ['PSUBD xmm1, xmm2/m128', '66 0F FA /r'],
  ]),
  instruction(PSUB('i64x2'), SSE2, [
    ['PSUBQ xmm1, xmm2/m128', '66 0F FB /r'],
  ]),
  instruction(PADDS('i8x16'), SSE2, [
    ['PADDSB xmm1, xmm2/m128', '66 0F EC /r'],
  ]),
  instruction(PADDS('i16x8'), SSE2, [
    ['PADDSW xmm1, xmm2/m128', '66 0F ED /r'],
  ]),
  instruction(PADDUS('i8x16'), SSE2, [
    ['PADDUSB xmm1, xmm2/m128', '66 0F DC /r'],
  ]),
  instruction(PADDUS('i16x8'), SSE2, [
    ['PADDUSW xmm1, xmm2/m128', '66 0F DD /r'],
  ]),
  instruction(PSUBS('i8x16'), SSE2, [
    ['PSUBSB xmm1, xmm2/m128', '66 0F E8 /r'],
  ]),
  instruction(PSUBS('i16x8'), SSE2, [
    ['PSUBSW xmm1, xmm2/m128', '66 0F E9 /r'],
  ]),
  instruction(PSUBUS('i8x16'), SSE2, [
    ['PSUBUSB xmm1, xmm2/m128', '66 0F D8 /r'],
  ]),
  instruction(PSUBUS('i16x8'), SSE2, [
    ['PSUBUSW xmm1, xmm2/m128', '66 0F D9 /r'],
  ]),
  instruction(PAVG('i8x16'), SSE2, [
    ['PAVGB xmm1, xmm2/m128', '66 0F E0 /r'],
  ]),
  instruction(PAVG('i16x8'), SSE2, [
    ['PAVGW xmm1, xmm2/m128', '66 0F E3 /r'],
  ]),
  instruction(PCMPEQ('i8x16'), SSE2, [
    ['PCMPEQB xmm1, xmm2/m128', '66 0F 74 /r'],
  ]),
  instruction(PCMPEQ('i16x8'), SSE2, [
    ['PCMPEQW xmm1, xmm2/m128', '66 0F 75 /r'],
  ]),
  instruction(PCMPEQ('i32x4'), SSE2, [
    ['PCMPEQD xmm1, xmm2/m128', '66 0F 76 /r'],
  ]),
  instruction(PCMPGT('i8x16'), SSE2, [
    ['PCMPGTB xmm1, xmm2/m128', '66 0F 64 /r'],
  ]),
  instruction(PCMPGT('i16x8'), SSE2, [
    ['PCMPGTW xmm1, xmm2/m128', '66 0F 65 /r'],
  ]),
  instruction(PCMPGT('i32x4'), SSE2, [
    ['PCMPGTD xmm1, xmm2/m128', '66 0F 66 /r'],
  ]),
  instruction(PMINUB, SSE2, [
    ['PMINUB xmm1, xmm2/m128', '66 0F DA /r'],
  ]),
  instruction(PMAXUB, SSE2, [
    ['PMAXUB xmm1, xmm2/m128', '66 0F DE /r'],
  ]),
  instruction(PMINSW, SSE2, [
    ['PMINSW xmm1, xmm2/m128', '66 0F EA /r'],
  ]),
  instruction(PMAXSW, SSE2, [
    ['PMAXSW xmm1, xmm2/m128', '66 0F EE /r'],
  ]),
  instruction(PMULLW, SSE2, [
    ['PMULLW xmm1, xmm2/m128', '66 0F D5 /r'],
  ]),
  instruction(PMULHW, SSE2, [
    ['PMULHW xmm1, xmm2/m128', '66 0F E5 /r'],
  ]),
  instruction(PMULHUW, SSE2, [
    ['PMULHUW xmm1, xmm2/m128', '66 0F E4 /r'],
  ]),
  instruction(PMULUDQ, SSE2, [
    ['PMULUDQ xmm1, xmm2/m128', '66 0F F4 /r'],
  ]),
  instruction(PMADDWD, SSE2, [
    ['PMADDWD xmm1, xmm2/m128', '66 0F F5 /r'],
  ]),
  instruction(PSADBW, SSE2, [
    ['PSADBW xmm1, xmm2/m128', '66 0F F6 /r'],
  ]),
  instruction(PACKSSWB, SSE2, [
    ['PACKSSWB xmm1, xmm2/m128', '66 0F 63 /r'],
  ]),
  instruction(PACKSSDW, SSE2, [
    ['PACKSSDW xmm1, xmm2/m128', '66 0F 6B /r'],
  ]),
  instruction(PACKUSWB, SSE2, [
    ['PACKUSWB xmm1, xmm2/m128', '66 0F 67 /r'],
  ]),
  instruction(PUNPCKL(1), SSE2, [
    ['PUNPCKLBW xmm1, xmm2/m128', '66 0F 60 /r'],
  ]),
  instruction(PUNPCKL(2), SSE2, [
    ['PUNPCKLWD xmm1, xmm2/m128', '66 0F 61 /r'],
  ]),
  instruction(PUNPCKL(4), SSE2, [
    ['PUNPCKLDQ xmm1, xmm2/m128', '66 0F 62 /r'],
  ]),
  instruction(PUNPCKL(8), SSE2, [
    ['PUNPCKLQDQ xmm1, xmm2/m128', '66 0F 6C /r'],
  ]),
  instruction(PUNPCKH(1), SSE2, [
    ['PUNPCKHBW xmm1, xmm2/m128', '66 0F 68 /r'],
  ]),
  instruction(PUNPCKH(2), SSE2, [
    ['PUNPCKHWD xmm1, xmm2/m128', '66 0F 69 /r'],
  ]),
  instruction(PUNPCKH(4), SSE2, [
    ['PUNPCKHDQ xmm1, xmm2/m128', '66 0F 6A /r'],
  ]),
  instruction(PUNPCKH(8), SSE2, [
    ['PUNPCKHQDQ xmm1, xmm2/m128', '66 0F 6D /r'],
  ]),
  instruction(PUNPCKL(4), SSE, [
    ['UNPCKLPS xmm1, xmm2/m128', 'NP 0F 14 /r'],
  ]),
  instruction(PUNPCKL(8), SSE2, [
    ['UNPCKLPD xmm1, xmm2/m128', '66 0F 14 /r'],
  ]),
  instruction(PUNPCKH(4), SSE, [
    ['UNPCKHPS xmm1, xmm2/m128', 'NP 0F 15 /r'],
  ]),
  instruction(PUNPCKH(8), SSE2, [
    ['UNPCKHPD xmm1, xmm2/m128', '66 0F 15 /r'],
  ]),
  instruction(PSHIFT('i16x8.shl'), SSE2, [
    ['PSLLW xmm1, xmm2/m128', '66 0F F1 /r'],
    ['PSLLW xmm1, imm8', '66 0F 71 /6 ib'],
  ]),
  instruction(PSHIFT('i32x4.shl'), SSE2, [
    ['PSLLD xmm1, xmm2/m128', '66 0F F2 /r'],
    ['PSLLD xmm1, imm8', '66 0F 72 /6 ib'],
  ]),
  instruction(PSHIFT('i64x2.shl'), SSE2, [
    ['PSLLQ xmm1, xmm2/m128', '66 0F F3 /r'],
    ['PSLLQ xmm1, imm8', '66 0F 73 /6 ib'],
  ]),
  instruction(PSHIFT('i16x8.shr_u'), SSE2, [
    ['PSRLW xmm1, xmm2/m128', '66 0F D1 /r'],
    ['PSRLW xmm1, imm8', '66 0F 71 /2 ib'],
  ]),
  instruction(PSHIFT('i32x4.shr_u'), SSE2, [
    ['PSRLD xmm1, xmm2/m128', '66 0F D2 /r'],
    ['PSRLD xmm1, imm8', '66 0F 72 /2 ib'],
  ]),
  instruction(PSHIFT('i64x2.shr_u'), SSE2, [
    ['PSRLQ xmm1, xmm2/m128', '66 0F D3 /r'],
    ['PSRLQ xmm1, imm8', '66 0F 73 /2 ib'],
  ]),
  instruction(PSHIFT('i16x8.shr_s'), SSE2, [
    ['PSRAW xmm1, xmm2/m128', '66 0F E1 /r'],
    ['PSRAW xmm1, imm8', '66 0F 71 /4 ib'],
  ]),
  instruction(PSHIFT('i32x4.shr_s'), SSE2, [
    ['PSRAD xmm1, xmm2/m128', '66 0F E2 /r'],
    ['PSRAD xmm1, imm8', '66 0F 72 /4 ib'],
  ]),
  instruction(PSHIFT_BYTES('PSLLDQ'), SSE2, [
    ['PSLLDQ xmm1, imm8', '66 0F 73 /7 ib'],
  ]),
  instruction(PSHIFT_BYTES('PSRLDQ'), SSE2, [
    ['PSRLDQ xmm1, imm8', '66 0F 73 /3 ib'],
  ]),
  instruction(PSHUF('PSHUFD'), SSE2, [
    ['PSHUFD xmm1, xmm2/m128, imm8', '66 0F 70 /r ib'],
  ]),
  instruction(PSHUF('PSHUFLW'), SSE2, [
    ['PSHUFLW xmm1, xmm2/m128, imm8', 'F2 0F 70 /r ib'],
  ]),
  instruction(PSHUF('PSHUFHW'), SSE2, [
    ['PSHUFHW xmm1, xmm2/m128, imm8', 'F3 0F 70 /r ib'],
  ]),
  instruction(SHUF('SHUFPS'), SSE, [
    ['SHUFPS xmm1, xmm2/m128, imm8', 'NP 0F C6 /r ib'],
  ]),
  instruction(SHUF('SHUFPD'), SSE2, [
    ['SHUFPD xmm1, xmm2/m128, imm8', '66 0F C6 /r ib'],
  ]),
  instruction(PINSRW, SSE2, [
    ['PINSRW xmm, r32/m16, imm8', '66 0F C4 /r ib'],
  ]),
  instruction(PEXTRW, SSE2, [
    ['PEXTRW r32, xmm, imm8', '66 0F C5 /r ib'],
  ]),
] as const;

/** Integers, logic and shuffles in XMM and MMX registers: the lines of the manual. */
import { instruction } from '../row.ts';
import {
  PACKSSDW, PACKSSWB, PACKUSWB, PADD, PADDS, PADDUS, PAND, PANDN, PAVG, PCMPEQ, PCMPGT, PEXTR, PINSR, PMADDWD, PMINMAX,
  PMULHUW, PMULHW, PMULLW, PMULUDQ, POR, PSADBW, PSHIFT, PSHIFT_BYTES, PSHUF, PSUB, PSUBS, PSUBUS, PUNPCKH, PUNPCKL, PXOR, SHUF,
} from '../semantics/vector-integer.ts';

const SSE = { feature: 'sse', size: 'any' } as const;
const SSE2 = { feature: 'sse2', size: 'any' } as const;
/** The same on MMX registers, where that is older: of MMX itself, or of SSE. */
const MMX = { feature: 'mmx' } as const;
const IN_SSE = { feature: 'sse' } as const;

export const vectorInteger = [
  instruction(PAND, SSE, [
    ['ANDPS xmm1, xmm2/m128', 'NP 0F 54 /r'],
  ]),
  instruction(PAND, SSE2, [
    ['ANDPD xmm1, xmm2/m128', '66 0F 54 /r'],
    ['PAND xmm1, xmm2/m128', '66 0F DB /r'],
    ['PAND mm, mm/m64', 'NP 0F DB /r', MMX],
  ]),
  instruction(PANDN, SSE, [
    ['ANDNPS xmm1, xmm2/m128', 'NP 0F 55 /r'],
  ]),
  instruction(PANDN, SSE2, [
    ['ANDNPD xmm1, xmm2/m128', '66 0F 55 /r'],
    ['PANDN xmm1, xmm2/m128', '66 0F DF /r'],
    ['PANDN mm, mm/m64', 'NP 0F DF /r', MMX],
  ]),
  instruction(POR, SSE, [
    ['ORPS xmm1, xmm2/m128', 'NP 0F 56 /r'],
  ]),
  instruction(POR, SSE2, [
    ['ORPD xmm1, xmm2/m128', '66 0F 56 /r'],
    ['POR xmm1, xmm2/m128', '66 0F EB /r'],
    ['POR mm, mm/m64', 'NP 0F EB /r', MMX],
  ]),
  instruction(PXOR, SSE, [
    ['XORPS xmm1, xmm2/m128', 'NP 0F 57 /r'],
  ]),
  instruction(PXOR, SSE2, [
    ['XORPD xmm1, xmm2/m128', '66 0F 57 /r'],
    ['PXOR xmm1, xmm2/m128', '66 0F EF /r'],
    ['PXOR mm, mm/m64', 'NP 0F EF /r', MMX],
  ]),
  instruction(PADD('i8x16'), SSE2, [
    ['PADDB xmm1, xmm2/m128', '66 0F FC /r'],
    ['PADDB mm, mm/m64', 'NP 0F FC /r', MMX],
  ]),
  instruction(PADD('i16x8'), SSE2, [
    ['PADDW xmm1, xmm2/m128', '66 0F FD /r'],
    ['PADDW mm, mm/m64', 'NP 0F FD /r', MMX],
  ]),
  instruction(PADD('i32x4'), SSE2, [
    ['PADDD xmm1, xmm2/m128', '66 0F FE /r'],
    ['PADDD mm, mm/m64', 'NP 0F FE /r', MMX],
  ]),
  instruction(PADD('i64x2'), SSE2, [
    ['PADDQ xmm1, xmm2/m128', '66 0F D4 /r'],
    ['PADDQ mm, mm/m64', 'NP 0F D4 /r'],
  ]),
  instruction(PSUB('i8x16'), SSE2, [
    ['PSUBB xmm1, xmm2/m128', '66 0F F8 /r'],
    ['PSUBB mm, mm/m64', 'NP 0F F8 /r', MMX],
  ]),
  instruction(PSUB('i16x8'), SSE2, [
    ['PSUBW xmm1, xmm2/m128', '66 0F F9 /r'],
    ['PSUBW mm, mm/m64', 'NP 0F F9 /r', MMX],
  ]),
  instruction(PSUB('i32x4'), SSE2, [
    ['PSUBD xmm1, xmm2/m128', '66 0F FA /r'],
    ['PSUBD mm, mm/m64', 'NP 0F FA /r', MMX],
  ]),
  instruction(PSUB('i64x2'), SSE2, [
    ['PSUBQ xmm1, xmm2/m128', '66 0F FB /r'],
    ['PSUBQ mm, mm/m64', 'NP 0F FB /r'],
  ]),
  instruction(PADDS('i8x16'), SSE2, [
    ['PADDSB xmm1, xmm2/m128', '66 0F EC /r'],
    ['PADDSB mm, mm/m64', 'NP 0F EC /r', MMX],
  ]),
  instruction(PADDS('i16x8'), SSE2, [
    ['PADDSW xmm1, xmm2/m128', '66 0F ED /r'],
    ['PADDSW mm, mm/m64', 'NP 0F ED /r', MMX],
  ]),
  instruction(PADDUS('i8x16'), SSE2, [
    ['PADDUSB xmm1, xmm2/m128', '66 0F DC /r'],
    ['PADDUSB mm, mm/m64', 'NP 0F DC /r', MMX],
  ]),
  instruction(PADDUS('i16x8'), SSE2, [
    ['PADDUSW xmm1, xmm2/m128', '66 0F DD /r'],
    ['PADDUSW mm, mm/m64', 'NP 0F DD /r', MMX],
  ]),
  instruction(PSUBS('i8x16'), SSE2, [
    ['PSUBSB xmm1, xmm2/m128', '66 0F E8 /r'],
    ['PSUBSB mm, mm/m64', 'NP 0F E8 /r', MMX],
  ]),
  instruction(PSUBS('i16x8'), SSE2, [
    ['PSUBSW xmm1, xmm2/m128', '66 0F E9 /r'],
    ['PSUBSW mm, mm/m64', 'NP 0F E9 /r', MMX],
  ]),
  instruction(PSUBUS('i8x16'), SSE2, [
    ['PSUBUSB xmm1, xmm2/m128', '66 0F D8 /r'],
    ['PSUBUSB mm, mm/m64', 'NP 0F D8 /r', MMX],
  ]),
  instruction(PSUBUS('i16x8'), SSE2, [
    ['PSUBUSW xmm1, xmm2/m128', '66 0F D9 /r'],
    ['PSUBUSW mm, mm/m64', 'NP 0F D9 /r', MMX],
  ]),
  instruction(PAVG('i8x16'), SSE2, [
    ['PAVGB xmm1, xmm2/m128', '66 0F E0 /r'],
    ['PAVGB mm, mm/m64', 'NP 0F E0 /r', IN_SSE],
  ]),
  instruction(PAVG('i16x8'), SSE2, [
    ['PAVGW xmm1, xmm2/m128', '66 0F E3 /r'],
    ['PAVGW mm, mm/m64', 'NP 0F E3 /r', IN_SSE],
  ]),
  instruction(PCMPEQ('i8x16'), SSE2, [
    ['PCMPEQB xmm1, xmm2/m128', '66 0F 74 /r'],
    ['PCMPEQB mm, mm/m64', 'NP 0F 74 /r', MMX],
  ]),
  instruction(PCMPEQ('i16x8'), SSE2, [
    ['PCMPEQW xmm1, xmm2/m128', '66 0F 75 /r'],
    ['PCMPEQW mm, mm/m64', 'NP 0F 75 /r', MMX],
  ]),
  instruction(PCMPEQ('i32x4'), SSE2, [
    ['PCMPEQD xmm1, xmm2/m128', '66 0F 76 /r'],
    ['PCMPEQD mm, mm/m64', 'NP 0F 76 /r', MMX],
  ]),
  instruction(PCMPGT('i8x16'), SSE2, [
    ['PCMPGTB xmm1, xmm2/m128', '66 0F 64 /r'],
    ['PCMPGTB mm, mm/m64', 'NP 0F 64 /r', MMX],
  ]),
  instruction(PCMPGT('i16x8'), SSE2, [
    ['PCMPGTW xmm1, xmm2/m128', '66 0F 65 /r'],
    ['PCMPGTW mm, mm/m64', 'NP 0F 65 /r', MMX],
  ]),
  instruction(PCMPGT('i32x4'), SSE2, [
    ['PCMPGTD xmm1, xmm2/m128', '66 0F 66 /r'],
    ['PCMPGTD mm, mm/m64', 'NP 0F 66 /r', MMX],
  ]),
  instruction(PMINMAX('i8x16.min_u'), SSE2, [
    ['PMINUB xmm1, xmm2/m128', '66 0F DA /r'],
    ['PMINUB mm, mm/m64', 'NP 0F DA /r', IN_SSE],
  ]),
  instruction(PMINMAX('i8x16.max_u'), SSE2, [
    ['PMAXUB xmm1, xmm2/m128', '66 0F DE /r'],
    ['PMAXUB mm, mm/m64', 'NP 0F DE /r', IN_SSE],
  ]),
  instruction(PMINMAX('i16x8.min_s'), SSE2, [
    ['PMINSW xmm1, xmm2/m128', '66 0F EA /r'],
    ['PMINSW mm, mm/m64', 'NP 0F EA /r', IN_SSE],
  ]),
  instruction(PMINMAX('i16x8.max_s'), SSE2, [
    ['PMAXSW xmm1, xmm2/m128', '66 0F EE /r'],
    ['PMAXSW mm, mm/m64', 'NP 0F EE /r', IN_SSE],
  ]),
  instruction(PMULLW, SSE2, [
    ['PMULLW xmm1, xmm2/m128', '66 0F D5 /r'],
    ['PMULLW mm, mm/m64', 'NP 0F D5 /r', MMX],
  ]),
  instruction(PMULHW, SSE2, [
    ['PMULHW xmm1, xmm2/m128', '66 0F E5 /r'],
    ['PMULHW mm, mm/m64', 'NP 0F E5 /r', MMX],
  ]),
  instruction(PMULHUW, SSE2, [
    ['PMULHUW xmm1, xmm2/m128', '66 0F E4 /r'],
    ['PMULHUW mm, mm/m64', 'NP 0F E4 /r', IN_SSE],
  ]),
  instruction(PMULUDQ, SSE2, [
    ['PMULUDQ xmm1, xmm2/m128', '66 0F F4 /r'],
    ['PMULUDQ mm, mm/m64', 'NP 0F F4 /r'],
  ]),
  instruction(PMADDWD, SSE2, [
    ['PMADDWD xmm1, xmm2/m128', '66 0F F5 /r'],
    ['PMADDWD mm, mm/m64', 'NP 0F F5 /r', MMX],
  ]),
  instruction(PSADBW, SSE2, [
    ['PSADBW xmm1, xmm2/m128', '66 0F F6 /r'],
    ['PSADBW mm, mm/m64', 'NP 0F F6 /r', IN_SSE],
  ]),
  instruction(PACKSSWB, SSE2, [
    ['PACKSSWB xmm1, xmm2/m128', '66 0F 63 /r'],
    ['PACKSSWB mm, mm/m64', 'NP 0F 63 /r', MMX],
  ]),
  instruction(PACKSSDW, SSE2, [
    ['PACKSSDW xmm1, xmm2/m128', '66 0F 6B /r'],
    ['PACKSSDW mm, mm/m64', 'NP 0F 6B /r', MMX],
  ]),
  instruction(PACKUSWB, SSE2, [
    ['PACKUSWB xmm1, xmm2/m128', '66 0F 67 /r'],
    ['PACKUSWB mm, mm/m64', 'NP 0F 67 /r', MMX],
  ]),
  instruction(PUNPCKL(1), SSE2, [
    ['PUNPCKLBW xmm1, xmm2/m128', '66 0F 60 /r'],
    ['PUNPCKLBW mm, mm/m32', 'NP 0F 60 /r', MMX],
  ]),
  instruction(PUNPCKL(2), SSE2, [
    ['PUNPCKLWD xmm1, xmm2/m128', '66 0F 61 /r'],
    ['PUNPCKLWD mm, mm/m32', 'NP 0F 61 /r', MMX],
  ]),
  instruction(PUNPCKL(4), SSE2, [
    ['PUNPCKLDQ xmm1, xmm2/m128', '66 0F 62 /r'],
    ['PUNPCKLDQ mm, mm/m32', 'NP 0F 62 /r', MMX],
  ]),
  instruction(PUNPCKL(8), SSE2, [
    ['PUNPCKLQDQ xmm1, xmm2/m128', '66 0F 6C /r'],
  ]),
  instruction(PUNPCKH(1), SSE2, [
    ['PUNPCKHBW xmm1, xmm2/m128', '66 0F 68 /r'],
    ['PUNPCKHBW mm, mm/m64', 'NP 0F 68 /r', MMX],
  ]),
  instruction(PUNPCKH(2), SSE2, [
    ['PUNPCKHWD xmm1, xmm2/m128', '66 0F 69 /r'],
    ['PUNPCKHWD mm, mm/m64', 'NP 0F 69 /r', MMX],
  ]),
  instruction(PUNPCKH(4), SSE2, [
    ['PUNPCKHDQ xmm1, xmm2/m128', '66 0F 6A /r'],
    ['PUNPCKHDQ mm, mm/m64', 'NP 0F 6A /r', MMX],
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
    ['PSLLW mm, mm/m64', 'NP 0F F1 /r', MMX],
    ['PSLLW xmm1, imm8', '66 0F 71 /6 ib'],
    ['PSLLW mm, imm8', 'NP 0F 71 /6 ib', MMX],
  ]),
  instruction(PSHIFT('i32x4.shl'), SSE2, [
    ['PSLLD xmm1, xmm2/m128', '66 0F F2 /r'],
    ['PSLLD mm, mm/m64', 'NP 0F F2 /r', MMX],
    ['PSLLD xmm1, imm8', '66 0F 72 /6 ib'],
    ['PSLLD mm, imm8', 'NP 0F 72 /6 ib', MMX],
  ]),
  instruction(PSHIFT('i64x2.shl'), SSE2, [
    ['PSLLQ xmm1, xmm2/m128', '66 0F F3 /r'],
    ['PSLLQ mm, mm/m64', 'NP 0F F3 /r', MMX],
    ['PSLLQ xmm1, imm8', '66 0F 73 /6 ib'],
    ['PSLLQ mm, imm8', 'NP 0F 73 /6 ib', MMX],
  ]),
  instruction(PSHIFT('i16x8.shr_u'), SSE2, [
    ['PSRLW xmm1, xmm2/m128', '66 0F D1 /r'],
    ['PSRLW mm, mm/m64', 'NP 0F D1 /r', MMX],
    ['PSRLW xmm1, imm8', '66 0F 71 /2 ib'],
    ['PSRLW mm, imm8', 'NP 0F 71 /2 ib', MMX],
  ]),
  instruction(PSHIFT('i32x4.shr_u'), SSE2, [
    ['PSRLD xmm1, xmm2/m128', '66 0F D2 /r'],
    ['PSRLD mm, mm/m64', 'NP 0F D2 /r', MMX],
    ['PSRLD xmm1, imm8', '66 0F 72 /2 ib'],
    ['PSRLD mm, imm8', 'NP 0F 72 /2 ib', MMX],
  ]),
  instruction(PSHIFT('i64x2.shr_u'), SSE2, [
    ['PSRLQ xmm1, xmm2/m128', '66 0F D3 /r'],
    ['PSRLQ mm, mm/m64', 'NP 0F D3 /r', MMX],
    ['PSRLQ xmm1, imm8', '66 0F 73 /2 ib'],
    ['PSRLQ mm, imm8', 'NP 0F 73 /2 ib', MMX],
  ]),
  instruction(PSHIFT('i16x8.shr_s'), SSE2, [
    ['PSRAW xmm1, xmm2/m128', '66 0F E1 /r'],
    ['PSRAW mm, mm/m64', 'NP 0F E1 /r', MMX],
    ['PSRAW xmm1, imm8', '66 0F 71 /4 ib'],
    ['PSRAW mm, imm8', 'NP 0F 71 /4 ib', MMX],
  ]),
  instruction(PSHIFT('i32x4.shr_s'), SSE2, [
    ['PSRAD xmm1, xmm2/m128', '66 0F E2 /r'],
    ['PSRAD mm, mm/m64', 'NP 0F E2 /r', MMX],
    ['PSRAD xmm1, imm8', '66 0F 72 /4 ib'],
    ['PSRAD mm, imm8', 'NP 0F 72 /4 ib', MMX],
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
  instruction(PSHUF('PSHUFLW'), SSE, [
    ['PSHUFW mm1, mm2/m64, imm8', 'NP 0F 70 /r ib'],
  ]),
  instruction(SHUF('SHUFPS'), SSE, [
    ['SHUFPS xmm1, xmm2/m128, imm8', 'NP 0F C6 /r ib'],
  ]),
  instruction(SHUF('SHUFPD'), SSE2, [
    ['SHUFPD xmm1, xmm2/m128, imm8', '66 0F C6 /r ib'],
  ]),
  instruction(PINSR('i16x8'), SSE2, [
    ['PINSRW xmm, r32/m16, imm8', '66 0F C4 /r ib'],
    ['PINSRW mm, r32/m16, imm8', 'NP 0F C4 /r ib', IN_SSE],
  ]),
  instruction(PEXTR('i16x8'), SSE2, [
    ['PEXTRW r32, xmm, imm8', '66 0F C5 /r ib'],
    ['PEXTRW r32, mm, imm8', 'NP 0F C5 /r ib', IN_SSE],
  ]),
] as const;

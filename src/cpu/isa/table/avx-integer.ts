/** Integers and logic with a VEX prefix: the lines of the manual. Their meanings are those of SSE; YMM registers are AVX2's. */
import { instruction } from '../row.ts';
import { HORIZONTAL, PMADDUBSW } from '../semantics/vector-horizontal.ts';
import {
  PACKSSDW, PACKSSWB, PACKUSWB, PADD, PADDS, PADDUS, PAND, PANDN, PAVG, PCMPEQ, PCMPGT, PEXTR, PINSR, PMINMAX, PMADDWD,
  PMULHUW, PMULHW, PMULLW, PMULUDQ, POR, PSADBW, PSHIFT, PSHIFT_BYTES, PSHUF, PSUB, PSUBS, PSUBUS, PUNPCKH, PUNPCKL, PXOR, SHUF,
} from '../semantics/vector-integer.ts';
import { PABS, PALIGNR, PMULHRSW, PSHUFB, PSIGN } from '../semantics/vector-lanes.ts';
import { combined, mapped } from '../semantics/vector-operands.ts';

const AVX = { feature: 'avx', size: 'any' } as const;
const AVX2 = { feature: 'avx2', size: 'any' } as const;

export const avxInteger = [
  instruction(PAND, AVX, [
    ['VANDPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 54 /r'],
    ['VANDPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 54 /r'],
    ['VANDPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 54 /r'],
    ['VANDPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 54 /r'],
    ['VPAND xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DB /r'],
    ['VPAND ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DB /r', AVX2],
  ]),
  instruction(PANDN, AVX, [
    ['VANDNPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 55 /r'],
    ['VANDNPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 55 /r'],
    ['VANDNPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 55 /r'],
    ['VANDNPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 55 /r'],
    ['VPANDN xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DF /r'],
    ['VPANDN ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DF /r', AVX2],
  ]),
  instruction(POR, AVX, [
    ['VORPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 56 /r'],
    ['VORPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 56 /r'],
    ['VORPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 56 /r'],
    ['VORPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 56 /r'],
    ['VPOR xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG EB /r'],
    ['VPOR ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG EB /r', AVX2],
  ]),
  instruction(PXOR, AVX, [
    ['VXORPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 57 /r'],
    ['VXORPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 57 /r'],
    ['VXORPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 57 /r'],
    ['VXORPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 57 /r'],
    ['VPXOR xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG EF /r'],
    ['VPXOR ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG EF /r', AVX2],
  ]),
  instruction(PADD('i8x16'), AVX, [
    ['VPADDB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG FC /r'],
    ['VPADDB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG FC /r', AVX2],
  ]),
  instruction(PADD('i16x8'), AVX, [
    ['VPADDW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG FD /r'],
    ['VPADDW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG FD /r', AVX2],
  ]),
  instruction(PADD('i32x4'), AVX, [
    ['VPADDD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG FE /r'],
    ['VPADDD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG FE /r', AVX2],
  ]),
  instruction(PADD('i64x2'), AVX, [
    ['VPADDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D4 /r'],
    ['VPADDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG D4 /r', AVX2],
  ]),
  instruction(PSUB('i8x16'), AVX, [
    ['VPSUBB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F8 /r'],
    ['VPSUBB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG F8 /r', AVX2],
  ]),
  instruction(PSUB('i16x8'), AVX, [
    ['VPSUBW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F9 /r'],
    ['VPSUBW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG F9 /r', AVX2],
  ]),
  instruction(PSUB('i32x4'), AVX, [
    ['VPSUBD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG FA /r'],
    ['VPSUBD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG FA /r', AVX2],
  ]),
  instruction(PSUB('i64x2'), AVX, [
    ['VPSUBQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG FB /r'],
    ['VPSUBQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG FB /r', AVX2],
  ]),
  instruction(PADDS('i8x16'), AVX, [
    ['VPADDSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG EC /r'],
    ['VPADDSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG EC /r', AVX2],
  ]),
  instruction(PADDS('i16x8'), AVX, [
    ['VPADDSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG ED /r'],
    ['VPADDSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG ED /r', AVX2],
  ]),
  instruction(PADDUS('i8x16'), AVX, [
    ['VPADDUSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DC /r'],
    ['VPADDUSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DC /r', AVX2],
  ]),
  instruction(PADDUS('i16x8'), AVX, [
    ['VPADDUSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DD /r'],
    ['VPADDUSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DD /r', AVX2],
  ]),
  instruction(PSUBS('i8x16'), AVX, [
    ['VPSUBSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E8 /r'],
    ['VPSUBSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E8 /r', AVX2],
  ]),
  instruction(PSUBS('i16x8'), AVX, [
    ['VPSUBSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E9 /r'],
    ['VPSUBSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E9 /r', AVX2],
  ]),
  instruction(PSUBUS('i8x16'), AVX, [
    ['VPSUBUSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D8 /r'],
    ['VPSUBUSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG D8 /r', AVX2],
  ]),
  instruction(PSUBUS('i16x8'), AVX, [
    ['VPSUBUSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D9 /r'],
    ['VPSUBUSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG D9 /r', AVX2],
  ]),
  instruction(PAVG('i8x16'), AVX, [
    ['VPAVGB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E0 /r'],
    ['VPAVGB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E0 /r', AVX2],
  ]),
  instruction(PAVG('i16x8'), AVX, [
    ['VPAVGW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E3 /r'],
    ['VPAVGW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E3 /r', AVX2],
  ]),
  instruction(PCMPEQ('i8x16'), AVX, [
    ['VPCMPEQB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 74 /r'],
    ['VPCMPEQB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 74 /r', AVX2],
  ]),
  instruction(PCMPEQ('i16x8'), AVX, [
    ['VPCMPEQW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 75 /r'],
    ['VPCMPEQW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 75 /r', AVX2],
  ]),
  instruction(PCMPEQ('i32x4'), AVX, [
    ['VPCMPEQD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 76 /r'],
    ['VPCMPEQD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 76 /r', AVX2],
  ]),
  instruction(PCMPGT('i8x16'), AVX, [
    ['VPCMPGTB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 64 /r'],
    ['VPCMPGTB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 64 /r', AVX2],
  ]),
  instruction(PCMPGT('i16x8'), AVX, [
    ['VPCMPGTW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 65 /r'],
    ['VPCMPGTW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 65 /r', AVX2],
  ]),
  instruction(PCMPGT('i32x4'), AVX, [
    ['VPCMPGTD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 66 /r'],
    ['VPCMPGTD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 66 /r', AVX2],
  ]),
  instruction(PMINMAX('i8x16.min_u'), AVX, [
    ['VPMINUB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DA /r'],
    ['VPMINUB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DA /r', AVX2],
  ]),
  instruction(PMINMAX('i8x16.max_u'), AVX, [
    ['VPMAXUB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG DE /r'],
    ['VPMAXUB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG DE /r', AVX2],
  ]),
  instruction(PMINMAX('i16x8.min_s'), AVX, [
    ['VPMINSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG EA /r'],
    ['VPMINSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG EA /r', AVX2],
  ]),
  instruction(PMINMAX('i16x8.max_s'), AVX, [
    ['VPMAXSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG EE /r'],
    ['VPMAXSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG EE /r', AVX2],
  ]),
  instruction(PMULLW, AVX, [
    ['VPMULLW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D5 /r'],
    ['VPMULLW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG D5 /r', AVX2],
  ]),
  instruction(PMULHW, AVX, [
    ['VPMULHW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E5 /r'],
    ['VPMULHW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E5 /r', AVX2],
  ]),
  instruction(PMULHUW, AVX, [
    ['VPMULHUW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E4 /r'],
    ['VPMULHUW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG E4 /r', AVX2],
  ]),
  instruction(PMULUDQ, AVX, [
    ['VPMULUDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F4 /r'],
    ['VPMULUDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG F4 /r', AVX2],
  ]),
  instruction(PMADDWD, AVX, [
    ['VPMADDWD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F5 /r'],
    ['VPMADDWD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG F5 /r', AVX2],
  ]),
  instruction(PSADBW, AVX, [
    ['VPSADBW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F6 /r'],
    ['VPSADBW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG F6 /r', AVX2],
  ]),
  instruction(PACKSSWB, AVX, [
    ['VPACKSSWB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 63 /r'],
    ['VPACKSSWB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 63 /r', AVX2],
  ]),
  instruction(PACKSSDW, AVX, [
    ['VPACKSSDW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 6B /r'],
    ['VPACKSSDW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 6B /r', AVX2],
  ]),
  instruction(PACKUSWB, AVX, [
    ['VPACKUSWB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 67 /r'],
    ['VPACKUSWB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 67 /r', AVX2],
  ]),
  instruction(PUNPCKL(1), AVX, [
    ['VPUNPCKLBW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 60 /r'],
    ['VPUNPCKLBW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 60 /r', AVX2],
  ]),
  instruction(PUNPCKL(2), AVX, [
    ['VPUNPCKLWD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 61 /r'],
    ['VPUNPCKLWD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 61 /r', AVX2],
  ]),
  instruction(PUNPCKL(4), AVX, [
    ['VPUNPCKLDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 62 /r'],
    ['VPUNPCKLDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 62 /r', AVX2],
  ]),
  instruction(PUNPCKL(8), AVX, [
    ['VPUNPCKLQDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 6C /r'],
    ['VPUNPCKLQDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 6C /r', AVX2],
  ]),
  instruction(PUNPCKH(1), AVX, [
    ['VPUNPCKHBW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 68 /r'],
    ['VPUNPCKHBW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 68 /r', AVX2],
  ]),
  instruction(PUNPCKH(2), AVX, [
    ['VPUNPCKHWD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 69 /r'],
    ['VPUNPCKHWD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 69 /r', AVX2],
  ]),
  instruction(PUNPCKH(4), AVX, [
    ['VPUNPCKHDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 6A /r'],
    ['VPUNPCKHDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 6A /r', AVX2],
  ]),
  instruction(PUNPCKH(8), AVX, [
    ['VPUNPCKHQDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 6D /r'],
    ['VPUNPCKHQDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 6D /r', AVX2],
  ]),
  instruction(PUNPCKL(4), AVX, [
    ['VUNPCKLPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 14 /r'],
    ['VUNPCKLPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 14 /r'],
  ]),
  instruction(PUNPCKL(8), AVX, [
    ['VUNPCKLPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 14 /r'],
    ['VUNPCKLPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 14 /r'],
  ]),
  instruction(PUNPCKH(4), AVX, [
    ['VUNPCKHPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 15 /r'],
    ['VUNPCKHPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 15 /r'],
  ]),
  instruction(PUNPCKH(8), AVX, [
    ['VUNPCKHPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 15 /r'],
    ['VUNPCKHPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 15 /r'],
  ]),
  instruction(PSHIFT('i16x8.shl'), AVX, [
    ['VPSLLW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F1 /r'],
    ['VPSLLW xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 71 /6 ib'],
    ['VPSLLW ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG F1 /r', AVX2],
    ['VPSLLW ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 71 /6 ib', AVX2],
  ]),
  instruction(PSHIFT('i32x4.shl'), AVX, [
    ['VPSLLD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F2 /r'],
    ['VPSLLD xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 72 /6 ib'],
    ['VPSLLD ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG F2 /r', AVX2],
    ['VPSLLD ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 72 /6 ib', AVX2],
  ]),
  instruction(PSHIFT('i64x2.shl'), AVX, [
    ['VPSLLQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG F3 /r'],
    ['VPSLLQ xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 73 /6 ib'],
    ['VPSLLQ ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG F3 /r', AVX2],
    ['VPSLLQ ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 73 /6 ib', AVX2],
  ]),
  instruction(PSHIFT('i16x8.shr_u'), AVX, [
    ['VPSRLW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D1 /r'],
    ['VPSRLW xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 71 /2 ib'],
    ['VPSRLW ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG D1 /r', AVX2],
    ['VPSRLW ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 71 /2 ib', AVX2],
  ]),
  instruction(PSHIFT('i32x4.shr_u'), AVX, [
    ['VPSRLD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D2 /r'],
    ['VPSRLD xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 72 /2 ib'],
    ['VPSRLD ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG D2 /r', AVX2],
    ['VPSRLD ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 72 /2 ib', AVX2],
  ]),
  instruction(PSHIFT('i64x2.shr_u'), AVX, [
    ['VPSRLQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D3 /r'],
    ['VPSRLQ xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 73 /2 ib'],
    ['VPSRLQ ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG D3 /r', AVX2],
    ['VPSRLQ ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 73 /2 ib', AVX2],
  ]),
  instruction(PSHIFT('i16x8.shr_s'), AVX, [
    ['VPSRAW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E1 /r'],
    ['VPSRAW xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 71 /4 ib'],
    ['VPSRAW ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG E1 /r', AVX2],
    ['VPSRAW ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 71 /4 ib', AVX2],
  ]),
  instruction(PSHIFT('i32x4.shr_s'), AVX, [
    ['VPSRAD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG E2 /r'],
    ['VPSRAD xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 72 /4 ib'],
    ['VPSRAD ymm1, ymm2, xmm3/m128', 'VEX.256.66.0F.WIG E2 /r', AVX2],
    ['VPSRAD ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 72 /4 ib', AVX2],
  ]),
  instruction(PSHIFT_BYTES('PSLLDQ'), AVX, [
    ['VPSLLDQ xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 73 /7 ib'],
    ['VPSLLDQ ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 73 /7 ib', AVX2],
  ]),
  instruction(PSHIFT_BYTES('PSRLDQ'), AVX, [
    ['VPSRLDQ xmm1, xmm2, imm8', 'VEX.128.66.0F.WIG 73 /3 ib'],
    ['VPSRLDQ ymm1, ymm2, imm8', 'VEX.256.66.0F.WIG 73 /3 ib', AVX2],
  ]),
  instruction(PSHUF('PSHUFD'), AVX, [
    ['VPSHUFD xmm1, xmm2/m128, imm8', 'VEX.128.66.0F.WIG 70 /r ib'],
    ['VPSHUFD ymm1, ymm2/m256, imm8', 'VEX.256.66.0F.WIG 70 /r ib', AVX2],
  ]),
  instruction(PSHUF('PSHUFLW'), AVX, [
    ['VPSHUFLW xmm1, xmm2/m128, imm8', 'VEX.128.F2.0F.WIG 70 /r ib'],
    ['VPSHUFLW ymm1, ymm2/m256, imm8', 'VEX.256.F2.0F.WIG 70 /r ib', AVX2],
  ]),
  instruction(PSHUF('PSHUFHW'), AVX, [
    ['VPSHUFHW xmm1, xmm2/m128, imm8', 'VEX.128.F3.0F.WIG 70 /r ib'],
    ['VPSHUFHW ymm1, ymm2/m256, imm8', 'VEX.256.F3.0F.WIG 70 /r ib', AVX2],
  ]),
  instruction(SHUF('SHUFPS'), AVX, [
    ['VSHUFPS xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.0F.WIG C6 /r ib'],
    ['VSHUFPS ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.0F.WIG C6 /r ib'],
  ]),
  instruction(SHUF('SHUFPD'), AVX, [
    ['VSHUFPD xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F.WIG C6 /r ib'],
    ['VSHUFPD ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F.WIG C6 /r ib'],
  ]),
  instruction(PINSR('i16x8'), AVX, [
    ['VPINSRW xmm1, xmm2, r32/m16, imm8', 'VEX.128.66.0F.WIG C4 /r ib'],
  ]),
  instruction(PEXTR('i16x8'), AVX, [
    ['VPEXTRW r32, xmm1, imm8', 'VEX.128.66.0F.WIG C5 /r ib'],
  ]),
  instruction(combined(PSHUFB), AVX, [
    ['VPSHUFB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 00 /r'],
    ['VPSHUFB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 00 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i16x8.add')), AVX, [
    ['VPHADDW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 01 /r'],
    ['VPHADDW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 01 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i32x4.add')), AVX, [
    ['VPHADDD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 02 /r'],
    ['VPHADDD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 02 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i16x8.add_sat_s')), AVX, [
    ['VPHADDSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 03 /r'],
    ['VPHADDSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 03 /r', AVX2],
  ]),
  instruction(combined(PMADDUBSW), AVX, [
    ['VPMADDUBSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 04 /r'],
    ['VPMADDUBSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 04 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i16x8.sub')), AVX, [
    ['VPHSUBW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 05 /r'],
    ['VPHSUBW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 05 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i32x4.sub')), AVX, [
    ['VPHSUBD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 06 /r'],
    ['VPHSUBD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 06 /r', AVX2],
  ]),
  instruction(combined(HORIZONTAL('i16x8.sub_sat_s')), AVX, [
    ['VPHSUBSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 07 /r'],
    ['VPHSUBSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 07 /r', AVX2],
  ]),
  instruction(combined(PSIGN('i8x16')), AVX, [
    ['VPSIGNB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 08 /r'],
    ['VPSIGNB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 08 /r', AVX2],
  ]),
  instruction(combined(PSIGN('i16x8')), AVX, [
    ['VPSIGNW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 09 /r'],
    ['VPSIGNW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 09 /r', AVX2],
  ]),
  instruction(combined(PSIGN('i32x4')), AVX, [
    ['VPSIGND xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 0A /r'],
    ['VPSIGND ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 0A /r', AVX2],
  ]),
  instruction(combined(PMULHRSW), AVX, [
    ['VPMULHRSW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 0B /r'],
    ['VPMULHRSW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 0B /r', AVX2],
  ]),
  instruction(mapped(PABS('i8x16')), AVX, [
    ['VPABSB xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG 1C /r'],
    ['VPABSB ymm1, ymm2/m256', 'VEX.256.66.0F38.WIG 1C /r', AVX2],
  ]),
  instruction(mapped(PABS('i16x8')), AVX, [
    ['VPABSW xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG 1D /r'],
    ['VPABSW ymm1, ymm2/m256', 'VEX.256.66.0F38.WIG 1D /r', AVX2],
  ]),
  instruction(mapped(PABS('i32x4')), AVX, [
    ['VPABSD xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG 1E /r'],
    ['VPABSD ymm1, ymm2/m256', 'VEX.256.66.0F38.WIG 1E /r', AVX2],
  ]),
  instruction(combined(PALIGNR), AVX, [
    ['VPALIGNR xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 0F /r ib'],
    ['VPALIGNR ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 0F /r ib', AVX2],
  ]),
] as const;

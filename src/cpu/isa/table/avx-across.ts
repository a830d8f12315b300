/** What AVX and AVX2 have and SSE has not: the lines of the manual. */
import { instruction } from '../row.ts';
import {
  BLENDD, BROADCAST, BROADCAST_128, EXTRACT_128, INSERT_128, PERMILPD, PERMIL_BY_VECTOR, PERMUTE_128, PERMUTE_BY_IMMEDIATE, PERMUTE_BY_VECTOR, SHIFT_BY_VECTOR,
} from '../semantics/vector-across.ts';
import { PSHUF } from '../semantics/vector-integer.ts';

const AVX = { feature: 'avx', size: 'any' } as const;
const AVX2 = { feature: 'avx2', size: 'any' } as const;

export const avxAcross = [
  instruction(BROADCAST(4), AVX, [
    ['VBROADCASTSS xmm1, m32', 'VEX.128.66.0F38.W0 18 /r'],
    ['VBROADCASTSS ymm1, m32', 'VEX.256.66.0F38.W0 18 /r'],
    ['VBROADCASTSS xmm1, xmm2', 'VEX.128.66.0F38.W0 18 /r', AVX2],
    ['VBROADCASTSS ymm1, xmm2', 'VEX.256.66.0F38.W0 18 /r', AVX2],
    ['VPBROADCASTD xmm1, xmm2/m32', 'VEX.128.66.0F38.W0 58 /r', AVX2],
    ['VPBROADCASTD ymm1, xmm2/m32', 'VEX.256.66.0F38.W0 58 /r', AVX2],
  ]),
  instruction(BROADCAST(8), AVX, [
    ['VBROADCASTSD ymm1, m64', 'VEX.256.66.0F38.W0 19 /r'],
    ['VBROADCASTSD ymm1, xmm2', 'VEX.256.66.0F38.W0 19 /r', AVX2],
    ['VPBROADCASTQ xmm1, xmm2/m64', 'VEX.128.66.0F38.W0 59 /r', AVX2],
    ['VPBROADCASTQ ymm1, xmm2/m64', 'VEX.256.66.0F38.W0 59 /r', AVX2],
  ]),
  instruction(BROADCAST(1), AVX, [
    ['VPBROADCASTB xmm1, xmm2/m8', 'VEX.128.66.0F38.W0 78 /r', AVX2],
    ['VPBROADCASTB ymm1, xmm2/m8', 'VEX.256.66.0F38.W0 78 /r', AVX2],
  ]),
  instruction(BROADCAST(2), AVX, [
    ['VPBROADCASTW xmm1, xmm2/m16', 'VEX.128.66.0F38.W0 79 /r', AVX2],
    ['VPBROADCASTW ymm1, xmm2/m16', 'VEX.256.66.0F38.W0 79 /r', AVX2],
  ]),
  instruction(BROADCAST_128, AVX, [
    ['VBROADCASTF128 ymm1, m128', 'VEX.256.66.0F38.W0 1A /r'],
    ['VBROADCASTI128 ymm1, m128', 'VEX.256.66.0F38.W0 5A /r', AVX2],
  ]),
  instruction(INSERT_128, AVX, [
    ['VINSERTF128 ymm1, ymm2, xmm3/m128, imm8', 'VEX.256.66.0F3A.W0 18 /r ib'],
    ['VINSERTI128 ymm1, ymm2, xmm3/m128, imm8', 'VEX.256.66.0F3A.W0 38 /r ib', AVX2],
  ]),
  instruction(EXTRACT_128, AVX, [
    ['VEXTRACTF128 xmm1/m128, ymm2, imm8', 'VEX.256.66.0F3A.W0 19 /r ib'],
    ['VEXTRACTI128 xmm1/m128, ymm2, imm8', 'VEX.256.66.0F3A.W0 39 /r ib', AVX2],
  ]),
  instruction(PERMUTE_128, AVX, [
    ['VPERM2F128 ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.W0 06 /r ib'],
    ['VPERM2I128 ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.W0 46 /r ib', AVX2],
  ]),
  instruction(PERMUTE_BY_IMMEDIATE, AVX, [
    ['VPERMQ ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.W1 00 /r ib', AVX2],
    ['VPERMPD ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.W1 01 /r ib', AVX2],
  ]),
  instruction(PERMUTE_BY_VECTOR, AVX, [
    ['VPERMD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 36 /r', AVX2],
    ['VPERMPS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 16 /r', AVX2],
  ]),
  instruction(PSHUF('PSHUFD'), AVX, [
    ['VPERMILPS xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W0 04 /r ib'],
    ['VPERMILPS ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.W0 04 /r ib'],
  ]),
  instruction(PERMILPD, AVX, [
    ['VPERMILPD xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W0 05 /r ib'],
    ['VPERMILPD ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.W0 05 /r ib'],
  ]),
  instruction(PERMIL_BY_VECTOR('i32x4'), AVX, [
    ['VPERMILPS xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 0C /r'],
    ['VPERMILPS ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 0C /r'],
  ]),
  instruction(PERMIL_BY_VECTOR('i64x2'), AVX, [
    ['VPERMILPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 0D /r'],
    ['VPERMILPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 0D /r'],
  ]),
  instruction(BLENDD, AVX, [
    ['VPBLENDD xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.W0 02 /r ib', AVX2],
    ['VPBLENDD ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.W0 02 /r ib', AVX2],
  ]),
  instruction(SHIFT_BY_VECTOR('i32x4', 'shl'), AVX, [
    ['VPSLLVD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 47 /r', AVX2],
    ['VPSLLVD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 47 /r', AVX2],
  ]),
  instruction(SHIFT_BY_VECTOR('i64x2', 'shl'), AVX, [
    ['VPSLLVQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 47 /r', AVX2],
    ['VPSLLVQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 47 /r', AVX2],
  ]),
  instruction(SHIFT_BY_VECTOR('i32x4', 'shrU'), AVX, [
    ['VPSRLVD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 45 /r', AVX2],
    ['VPSRLVD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 45 /r', AVX2],
  ]),
  instruction(SHIFT_BY_VECTOR('i64x2', 'shrU'), AVX, [
    ['VPSRLVQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W1 45 /r', AVX2],
    ['VPSRLVQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W1 45 /r', AVX2],
  ]),
  instruction(SHIFT_BY_VECTOR('i32x4', 'shrS'), AVX, [
    ['VPSRAVD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.W0 46 /r', AVX2],
    ['VPSRAVD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.W0 46 /r', AVX2],
  ]),
] as const;

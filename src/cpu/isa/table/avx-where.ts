/** Masked moves and gathers: the lines of the manual. */
import { instruction } from '../row.ts';
import { GATHER, LOAD_MASKED, STORE_MASKED } from '../semantics/vector-where.ts';

const AVX = { feature: 'avx', size: 'any' } as const;
const AVX2 = { feature: 'avx2', size: 'any' } as const;

export const avxWhere = [
  instruction(LOAD_MASKED(32), AVX, [
    ['VMASKMOVPS xmm1, xmm2, m128', 'VEX.128.66.0F38.W0 2C /r'],
    ['VMASKMOVPS ymm1, ymm2, m256', 'VEX.256.66.0F38.W0 2C /r'],
  ]),
  instruction(STORE_MASKED(32), AVX, [
    ['VMASKMOVPS m128, xmm1, xmm2', 'VEX.128.66.0F38.W0 2E /r'],
    ['VMASKMOVPS m256, ymm1, ymm2', 'VEX.256.66.0F38.W0 2E /r'],
  ]),
  instruction(LOAD_MASKED(64), AVX, [
    ['VMASKMOVPD xmm1, xmm2, m128', 'VEX.128.66.0F38.W0 2D /r'],
    ['VMASKMOVPD ymm1, ymm2, m256', 'VEX.256.66.0F38.W0 2D /r'],
  ]),
  instruction(STORE_MASKED(64), AVX, [
    ['VMASKMOVPD m128, xmm1, xmm2', 'VEX.128.66.0F38.W0 2F /r'],
    ['VMASKMOVPD m256, ymm1, ymm2', 'VEX.256.66.0F38.W0 2F /r'],
  ]),
  instruction(LOAD_MASKED(32), AVX2, [
    ['VPMASKMOVD xmm1, xmm2, m128', 'VEX.128.66.0F38.W0 8C /r'],
    ['VPMASKMOVD ymm1, ymm2, m256', 'VEX.256.66.0F38.W0 8C /r'],
  ]),
  instruction(STORE_MASKED(32), AVX2, [
    ['VPMASKMOVD m128, xmm1, xmm2', 'VEX.128.66.0F38.W0 8E /r'],
    ['VPMASKMOVD m256, ymm1, ymm2', 'VEX.256.66.0F38.W0 8E /r'],
  ]),
  instruction(LOAD_MASKED(64), AVX2, [
    ['VPMASKMOVQ xmm1, xmm2, m128', 'VEX.128.66.0F38.W1 8C /r'],
    ['VPMASKMOVQ ymm1, ymm2, m256', 'VEX.256.66.0F38.W1 8C /r'],
  ]),
  instruction(STORE_MASKED(64), AVX2, [
    ['VPMASKMOVQ m128, xmm1, xmm2', 'VEX.128.66.0F38.W1 8E /r'],
    ['VPMASKMOVQ m256, ymm1, ymm2', 'VEX.256.66.0F38.W1 8E /r'],
  ]),
  instruction(GATHER(32, 32), AVX2, [
    ['VPGATHERDD xmm1, vm32x, xmm2', 'VEX.128.66.0F38.W0 90 /r'],
    ['VPGATHERDD ymm1, vm32y, ymm2', 'VEX.256.66.0F38.W0 90 /r'],
  ]),
  instruction(GATHER(32, 64), AVX2, [
    ['VPGATHERDQ xmm1, vm32x, xmm2', 'VEX.128.66.0F38.W1 90 /r'],
    ['VPGATHERDQ ymm1, vm32x, ymm2', 'VEX.256.66.0F38.W1 90 /r'],
  ]),
  instruction(GATHER(64, 32), AVX2, [
    ['VPGATHERQD xmm1, vm64x, xmm2', 'VEX.128.66.0F38.W0 91 /r'],
    ['VPGATHERQD xmm1, vm64y, xmm2', 'VEX.256.66.0F38.W0 91 /r'],
  ]),
  instruction(GATHER(64, 64), AVX2, [
    ['VPGATHERQQ xmm1, vm64x, xmm2', 'VEX.128.66.0F38.W1 91 /r'],
    ['VPGATHERQQ ymm1, vm64y, ymm2', 'VEX.256.66.0F38.W1 91 /r'],
  ]),
  instruction(GATHER(32, 32), AVX2, [
    ['VGATHERDPS xmm1, vm32x, xmm2', 'VEX.128.66.0F38.W0 92 /r'],
    ['VGATHERDPS ymm1, vm32y, ymm2', 'VEX.256.66.0F38.W0 92 /r'],
  ]),
  instruction(GATHER(32, 64), AVX2, [
    ['VGATHERDPD xmm1, vm32x, xmm2', 'VEX.128.66.0F38.W1 92 /r'],
    ['VGATHERDPD ymm1, vm32x, ymm2', 'VEX.256.66.0F38.W1 92 /r'],
  ]),
  instruction(GATHER(64, 32), AVX2, [
    ['VGATHERQPS xmm1, vm64x, xmm2', 'VEX.128.66.0F38.W0 93 /r'],
    ['VGATHERQPS xmm1, vm64y, xmm2', 'VEX.256.66.0F38.W0 93 /r'],
  ]),
  instruction(GATHER(64, 64), AVX2, [
    ['VGATHERQPD xmm1, vm64x, xmm2', 'VEX.128.66.0F38.W1 93 /r'],
    ['VGATHERQPD ymm1, vm64y, ymm2', 'VEX.256.66.0F38.W1 93 /r'],
  ]),
] as const;

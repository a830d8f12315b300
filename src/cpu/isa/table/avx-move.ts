/** Moves with a VEX prefix: the lines of the manual. */
import { instruction } from '../row.ts';
import { LDMXCSR, LOAD_HALF, MASKMOVDQU, MERGE_LOW, MOVAPS, MOVE_LOW, MOVE_MASK, MOVHLPS, MOVLHPS, MOVQ, MOVUPS, STMXCSR, STORE_HIGH, STORE_LOW } from '../semantics/vector-move.ts';
import { ZERO_ALL, ZERO_UPPER } from '../semantics/vector-zero.ts';

const AVX = { feature: 'avx', size: 'any' } as const;
const AVX2 = { feature: 'avx2', size: 'any' } as const;

export const avxMove = [
  instruction(MOVAPS, AVX, [
    ['VMOVAPS xmm1, xmm2/m128', 'VEX.128.0F.WIG 28 /r'],
    ['VMOVAPS xmm2/m128, xmm1', 'VEX.128.0F.WIG 29 /r'],
    ['VMOVAPS ymm1, ymm2/m256', 'VEX.256.0F.WIG 28 /r'],
    ['VMOVAPS ymm2/m256, ymm1', 'VEX.256.0F.WIG 29 /r'],
    ['VMOVAPD xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 28 /r'],
    ['VMOVAPD xmm2/m128, xmm1', 'VEX.128.66.0F.WIG 29 /r'],
    ['VMOVAPD ymm1, ymm2/m256', 'VEX.256.66.0F.WIG 28 /r'],
    ['VMOVAPD ymm2/m256, ymm1', 'VEX.256.66.0F.WIG 29 /r'],
    ['VMOVDQA xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 6F /r'],
    ['VMOVDQA xmm2/m128, xmm1', 'VEX.128.66.0F.WIG 7F /r'],
    ['VMOVDQA ymm1, ymm2/m256', 'VEX.256.66.0F.WIG 6F /r'],
    ['VMOVDQA ymm2/m256, ymm1', 'VEX.256.66.0F.WIG 7F /r'],
  ]),
  instruction(MOVUPS, AVX, [
    ['VMOVUPS xmm1, xmm2/m128', 'VEX.128.0F.WIG 10 /r'],
    ['VMOVUPS xmm2/m128, xmm1', 'VEX.128.0F.WIG 11 /r'],
    ['VMOVUPS ymm1, ymm2/m256', 'VEX.256.0F.WIG 10 /r'],
    ['VMOVUPS ymm2/m256, ymm1', 'VEX.256.0F.WIG 11 /r'],
    ['VMOVUPD xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 10 /r'],
    ['VMOVUPD xmm2/m128, xmm1', 'VEX.128.66.0F.WIG 11 /r'],
    ['VMOVUPD ymm1, ymm2/m256', 'VEX.256.66.0F.WIG 10 /r'],
    ['VMOVUPD ymm2/m256, ymm1', 'VEX.256.66.0F.WIG 11 /r'],
    ['VMOVDQU xmm1, xmm2/m128', 'VEX.128.F3.0F.WIG 6F /r'],
    ['VMOVDQU xmm2/m128, xmm1', 'VEX.128.F3.0F.WIG 7F /r'],
    ['VMOVDQU ymm1, ymm2/m256', 'VEX.256.F3.0F.WIG 6F /r'],
    ['VMOVDQU ymm2/m256, ymm1', 'VEX.256.F3.0F.WIG 7F /r'],
    ['VLDDQU xmm1, m128', 'VEX.128.F2.0F.WIG F0 /r'],
    ['VLDDQU ymm1, m256', 'VEX.256.F2.0F.WIG F0 /r'],
  ]),
  // Non-temporal hints: memory is strongly ordered here.
  instruction(MOVAPS, AVX, [
    ['VMOVNTPS m128, xmm1', 'VEX.128.0F.WIG 2B /r'],
    ['VMOVNTPS m256, ymm1', 'VEX.256.0F.WIG 2B /r'],
    ['VMOVNTPD m128, xmm1', 'VEX.128.66.0F.WIG 2B /r'],
    ['VMOVNTPD m256, ymm1', 'VEX.256.66.0F.WIG 2B /r'],
    ['VMOVNTDQ m128, xmm1', 'VEX.128.66.0F.WIG E7 /r'],
    ['VMOVNTDQ m256, ymm1', 'VEX.256.66.0F.WIG E7 /r'],
    ['VMOVNTDQA xmm1, m128', 'VEX.128.66.0F38.WIG 2A /r'],
    ['VMOVNTDQA ymm1, m256', 'VEX.256.66.0F38.WIG 2A /r', AVX2],
  ]),
  instruction(MERGE_LOW('i32x4'), AVX, [
    ['VMOVSS xmm1, xmm2, xmm3', 'VEX.LIG.F3.0F.WIG 10 /r'],
    ['VMOVSS xmm1, xmm2, xmm3', 'VEX.LIG.F3.0F.WIG 11 /r', { lastInReg: true }],
  ]),
  instruction(MERGE_LOW('i64x2'), AVX, [
    ['VMOVSD xmm1, xmm2, xmm3', 'VEX.LIG.F2.0F.WIG 10 /r'],
    ['VMOVSD xmm1, xmm2, xmm3', 'VEX.LIG.F2.0F.WIG 11 /r', { lastInReg: true }],
  ]),
  instruction(MOVE_LOW, AVX, [
    ['VMOVSS xmm1, m32', 'VEX.LIG.F3.0F.WIG 10 /r'],
    ['VMOVSD xmm1, m64', 'VEX.LIG.F2.0F.WIG 10 /r'],
    ['VMOVD xmm1, r/m32', 'VEX.128.66.0F.W0 6E /r', { size: 32 }],
    ['VMOVQ xmm1, r/m64', 'VEX.128.66.0F.W1 6E /r', { size: 64 }],
  ]),
  instruction(STORE_LOW('i32x4'), AVX, [
    ['VMOVSS m32, xmm1', 'VEX.LIG.F3.0F.WIG 11 /r'],
    ['VMOVD r/m32, xmm1', 'VEX.128.66.0F.W0 7E /r', { size: 32 }],
  ]),
  instruction(STORE_LOW('i64x2'), AVX, [
    ['VMOVSD m64, xmm1', 'VEX.LIG.F2.0F.WIG 11 /r'],
    ['VMOVQ r/m64, xmm1', 'VEX.128.66.0F.W1 7E /r', { size: 64 }],
    ['VMOVLPS m64, xmm1', 'VEX.128.0F.WIG 13 /r'],
    ['VMOVLPD m64, xmm1', 'VEX.128.66.0F.WIG 13 /r'],
  ]),
  instruction(MOVQ, AVX, [
    ['VMOVQ xmm1, xmm2/m64', 'VEX.128.F3.0F.WIG 7E /r'],
    ['VMOVQ xmm1/m64, xmm2', 'VEX.128.66.0F.WIG D6 /r'],
  ]),
  instruction(LOAD_HALF(0), AVX, [
    ['VMOVLPS xmm2, xmm1, m64', 'VEX.128.0F.WIG 12 /r'],
    ['VMOVLPD xmm2, xmm1, m64', 'VEX.128.66.0F.WIG 12 /r'],
  ]),
  instruction(LOAD_HALF(1), AVX, [
    ['VMOVHPS xmm2, xmm1, m64', 'VEX.128.0F.WIG 16 /r'],
    ['VMOVHPD xmm2, xmm1, m64', 'VEX.128.66.0F.WIG 16 /r'],
  ]),
  instruction(STORE_HIGH, AVX, [
    ['VMOVHPS m64, xmm1', 'VEX.128.0F.WIG 17 /r'],
    ['VMOVHPD m64, xmm1', 'VEX.128.66.0F.WIG 17 /r'],
  ]),
  instruction(MOVHLPS, AVX, [
    ['VMOVHLPS xmm1, xmm2, xmm3', 'VEX.128.0F.WIG 12 /r'],
  ]),
  instruction(MOVLHPS, AVX, [
    ['VMOVLHPS xmm1, xmm2, xmm3', 'VEX.128.0F.WIG 16 /r'],
  ]),
  instruction(MASKMOVDQU, AVX, [
    ['VMASKMOVDQU xmm1, xmm2', 'VEX.128.66.0F.WIG F7 /r'],
  ]),
  instruction(MOVE_MASK('i32x4'), AVX, [
    ['VMOVMSKPS r32, xmm2', 'VEX.128.0F.WIG 50 /r'],
    ['VMOVMSKPS r32, ymm2', 'VEX.256.0F.WIG 50 /r'],
  ]),
  instruction(MOVE_MASK('i64x2'), AVX, [
    ['VMOVMSKPD r32, xmm2', 'VEX.128.66.0F.WIG 50 /r'],
    ['VMOVMSKPD r32, ymm2', 'VEX.256.66.0F.WIG 50 /r'],
  ]),
  instruction(MOVE_MASK('i8x16'), AVX, [
    ['VPMOVMSKB r32, xmm1', 'VEX.128.66.0F.WIG D7 /r'],
    ['VPMOVMSKB r32, ymm1', 'VEX.256.66.0F.WIG D7 /r', AVX2],
  ]),
  instruction(LDMXCSR, AVX, [
    ['VLDMXCSR m32', 'VEX.LZ.0F.WIG AE /2'],
  ]),
  instruction(STMXCSR, AVX, [
    ['VSTMXCSR m32', 'VEX.LZ.0F.WIG AE /3'],
  ]),
  instruction(ZERO_ALL, AVX, [
    ['VZEROALL', 'VEX.256.0F.WIG 77'],
  ]),
  instruction(ZERO_UPPER, AVX, [
    ['VZEROUPPER', 'VEX.128.0F.WIG 77'],
  ]),
] as const;

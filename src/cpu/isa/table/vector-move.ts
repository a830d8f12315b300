/** Moves of XMM and MMX registers: the lines of the manual. */
import { instruction } from '../row.ts';
import {
  LDMXCSR, LOAD_HALF, MASKMOVDQU, MASKMOVQ, MERGE_LOW, MOVAPS, MOVE_LOW, MOVE_MASK, MOVHLPS, MOVLHPS, MOVNTI, MOVQ, MOVUPS, STMXCSR, STORE_HIGH, STORE_LOW,
} from '../semantics/vector-move.ts';

const SSE = { feature: 'sse', size: 'any' } as const;
const SSE2 = { feature: 'sse2', size: 'any' } as const;
const MMX = { feature: 'mmx' } as const;

export const vectorMove = [
  instruction(MOVAPS, SSE, [
    ['MOVAPS xmm1, xmm2/m128', 'NP 0F 28 /r'],
    ['MOVAPS xmm2/m128, xmm1', 'NP 0F 29 /r'],
  ]),
  instruction(MOVAPS, SSE2, [
    ['MOVAPD xmm1, xmm2/m128', '66 0F 28 /r'],
    ['MOVAPD xmm2/m128, xmm1', '66 0F 29 /r'],
    ['MOVDQA xmm1, xmm2/m128', '66 0F 6F /r'],
    ['MOVDQA xmm2/m128, xmm1', '66 0F 7F /r'],
  ]),
  instruction(MOVUPS, SSE, [
    ['MOVUPS xmm1, xmm2/m128', 'NP 0F 10 /r'],
    ['MOVUPS xmm2/m128, xmm1', 'NP 0F 11 /r'],
  ]),
  instruction(MOVUPS, SSE2, [
    ['MOVUPD xmm1, xmm2/m128', '66 0F 10 /r'],
    ['MOVUPD xmm2/m128, xmm1', '66 0F 11 /r'],
    ['MOVDQU xmm1, xmm2/m128', 'F3 0F 6F /r'],
    ['MOVDQU xmm2/m128, xmm1', 'F3 0F 7F /r'],
  ]),
  instruction(MERGE_LOW('i32x4'), SSE, [
    ['MOVSS xmm1, xmm2', 'F3 0F 10 /r'],
    ['MOVSS xmm2/m32, xmm1', 'F3 0F 11 /r'],
  ]),
  instruction(MOVE_LOW, SSE, [
    ['MOVSS xmm1, m32', 'F3 0F 10 /r'],
  ]),
  instruction(MERGE_LOW('i64x2'), SSE2, [
    ['MOVSD xmm1, xmm2', 'F2 0F 10 /r'],
    ['MOVSD xmm1/m64, xmm2', 'F2 0F 11 /r'],
  ]),
  instruction(MOVE_LOW, SSE2, [
    ['MOVSD xmm1, m64', 'F2 0F 10 /r'],
    ['MOVD xmm, r/m32', '66 0F 6E /r'],
    ['MOVD mm, r/m32', 'NP 0F 6E /r', MMX],
    ['MOVQ xmm, r/m64', '66 REX.W 0F 6E /r'],
    ['MOVQ mm, r/m64', 'NP REX.W 0F 6E /r', MMX],
  ]),
  instruction(STORE_LOW('i32x4'), SSE2, [
    ['MOVD r/m32, xmm', '66 0F 7E /r'],
    ['MOVD r/m32, mm', 'NP 0F 7E /r', MMX],
  ]),
  instruction(STORE_LOW('i64x2'), SSE2, [
    ['MOVQ r/m64, xmm', '66 REX.W 0F 7E /r'],
    ['MOVQ r/m64, mm', 'NP REX.W 0F 7E /r', MMX],
    ['MOVLPD m64, xmm1', '66 0F 13 /r'],
  ]),
  instruction(MOVQ, SSE2, [
    ['MOVQ xmm1, xmm2/m64', 'F3 0F 7E /r'],
    ['MOVQ xmm2/m64, xmm1', '66 0F D6 /r'],
    ['MOVQ mm, mm/m64', 'NP 0F 6F /r', MMX],
    ['MOVQ mm/m64, mm', 'NP 0F 7F /r', MMX],
    ['MOVQ2DQ xmm, mm', 'F3 0F D6 /r'],
    ['MOVDQ2Q mm, xmm', 'F2 0F D6 /r'],
  ]),
  instruction(STORE_LOW('i64x2'), SSE, [
    ['MOVLPS m64, xmm1', 'NP 0F 13 /r'],
  ]),
  instruction(LOAD_HALF(0), SSE, [
    ['MOVLPS xmm1, m64', 'NP 0F 12 /r'],
  ]),
  instruction(LOAD_HALF(0), SSE2, [
    ['MOVLPD xmm1, m64', '66 0F 12 /r'],
  ]),
  instruction(LOAD_HALF(1), SSE, [
    ['MOVHPS xmm1, m64', 'NP 0F 16 /r'],
  ]),
  instruction(LOAD_HALF(1), SSE2, [
    ['MOVHPD xmm1, m64', '66 0F 16 /r'],
  ]),
  instruction(STORE_HIGH, SSE, [
    ['MOVHPS m64, xmm1', 'NP 0F 17 /r'],
  ]),
  instruction(STORE_HIGH, SSE2, [
    ['MOVHPD m64, xmm1', '66 0F 17 /r'],
  ]),
  instruction(MOVHLPS, SSE, [
    ['MOVHLPS xmm1, xmm2', 'NP 0F 12 /r'],
  ]),
  instruction(MOVLHPS, SSE, [
    ['MOVLHPS xmm1, xmm2', 'NP 0F 16 /r'],
  ]),
  // Non-temporal stores: memory is strongly ordered here, so they are stores.
  instruction(MOVAPS, SSE, [
    ['MOVNTPS m128, xmm1', 'NP 0F 2B /r'],
  ]),
  instruction(MOVAPS, SSE2, [
    ['MOVNTPD m128, xmm1', '66 0F 2B /r'],
    ['MOVNTDQ m128, xmm1', '66 0F E7 /r'],
  ]),
  instruction(MOVQ, SSE, [
    ['MOVNTQ m64, mm', 'NP 0F E7 /r'],
  ]),
  instruction(MOVNTI, { feature: 'sse2' }, [
    ['MOVNTI m32, r32', 'NP 0F C3 /r'],
    ['MOVNTI m64, r64', 'NP REX.W 0F C3 /r'],
  ]),
  instruction(MASKMOVDQU, SSE2, [
    ['MASKMOVDQU xmm1, xmm2', '66 0F F7 /r'],
  ]),
  instruction(MASKMOVQ, SSE, [
    ['MASKMOVQ mm1, mm2', 'NP 0F F7 /r'],
  ]),
  instruction(MOVE_MASK('i32x4'), SSE, [
    ['MOVMSKPS r32, xmm', 'NP 0F 50 /r'],
  ]),
  instruction(MOVE_MASK('i64x2'), SSE2, [
    ['MOVMSKPD r32, xmm', '66 0F 50 /r'],
  ]),
  instruction(MOVE_MASK('i8x16'), SSE2, [
    ['PMOVMSKB r32, xmm', '66 0F D7 /r'],
    ['PMOVMSKB r32, mm', 'NP 0F D7 /r', { feature: 'sse' }],
  ]),
  instruction(LDMXCSR, SSE, [
    ['LDMXCSR m32', 'NP 0F AE /2'],
  ]),
  instruction(STMXCSR, SSE, [
    ['STMXCSR m32', 'NP 0F AE /3'],
  ]),
] as const;

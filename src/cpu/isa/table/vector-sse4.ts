/** SSE4.1 and the vectors of SSE4.2: the lines of the manual. */
import { instruction } from '../row.ts';
import { BLEND, BLENDV, INSERTPS, PMOVSX, PMOVZX } from '../semantics/vector-blend.ts';
import { ROUND, ROUND_ALL } from '../semantics/vector-float.ts';
import { DPPD, DPPS, MPSADBW, PHMINPOSUW } from '../semantics/vector-horizontal.ts';
import { PACKUSDW, PCMPEQ, PCMPGT, PEXTR, PINSR, PMINMAX, PMULDQ, PMULLD, PTEST } from '../semantics/vector-integer.ts';
import { MOVAPS } from '../semantics/vector-move.ts';
import { combined, mapped } from '../semantics/vector-operands.ts';
import { PCMPSTRI, PCMPSTRM } from '../semantics/vector-string.ts';

const SSE41 = { feature: 'sse4.1', size: 'any' } as const;
/** Where REX.W is part of the opcode. */
const SIZED = { feature: 'sse4.1' } as const;
const SSE42 = { feature: 'sse4.2', size: 'any' } as const;
/** With REX.W the lengths are in RAX and RDX instead of EAX and EDX. */
const STRINGS = { ...SSE42, writes: 'CF PF AF ZF SF OF' } as const;

export const vectorSse4 = [
  instruction(combined(BLEND('BLENDPS')), SSE41, [
    ['BLENDPS xmm1, xmm2/m128, imm8', '66 0F 3A 0C /r ib'],
  ]),
  instruction(combined(BLEND('BLENDPD')), SSE41, [
    ['BLENDPD xmm1, xmm2/m128, imm8', '66 0F 3A 0D /r ib'],
  ]),
  instruction(combined(BLEND('PBLENDW')), SSE41, [
    ['PBLENDW xmm1, xmm2/m128, imm8', '66 0F 3A 0E /r ib'],
  ]),
  instruction(BLENDV('i8x16'), SSE41, [
    ['PBLENDVB xmm1, xmm2/m128, <XMM0>', '66 0F 38 10 /r'],
  ]),
  instruction(BLENDV('i32x4'), SSE41, [
    ['BLENDVPS xmm1, xmm2/m128, <XMM0>', '66 0F 38 14 /r'],
  ]),
  instruction(BLENDV('i64x2'), SSE41, [
    ['BLENDVPD xmm1, xmm2/m128, <XMM0>', '66 0F 38 15 /r'],
  ]),
  instruction(combined(INSERTPS), SSE41, [
    ['INSERTPS xmm1, xmm2/m32, imm8', '66 0F 3A 21 /r ib'],
  ]),
  instruction(mapped(PMOVSX(8, 16)), SSE41, [
    ['PMOVSXBW xmm1, xmm2/m64', '66 0F 38 20 /r'],
  ]),
  instruction(mapped(PMOVSX(8, 32)), SSE41, [
    ['PMOVSXBD xmm1, xmm2/m32', '66 0F 38 21 /r'],
  ]),
  instruction(mapped(PMOVSX(8, 64)), SSE41, [
    ['PMOVSXBQ xmm1, xmm2/m16', '66 0F 38 22 /r'],
  ]),
  instruction(mapped(PMOVSX(16, 32)), SSE41, [
    ['PMOVSXWD xmm1, xmm2/m64', '66 0F 38 23 /r'],
  ]),
  instruction(mapped(PMOVSX(16, 64)), SSE41, [
    ['PMOVSXWQ xmm1, xmm2/m32', '66 0F 38 24 /r'],
  ]),
  instruction(mapped(PMOVSX(32, 64)), SSE41, [
    ['PMOVSXDQ xmm1, xmm2/m64', '66 0F 38 25 /r'],
  ]),
  instruction(mapped(PMOVZX(8, 16)), SSE41, [
    ['PMOVZXBW xmm1, xmm2/m64', '66 0F 38 30 /r'],
  ]),
  instruction(mapped(PMOVZX(8, 32)), SSE41, [
    ['PMOVZXBD xmm1, xmm2/m32', '66 0F 38 31 /r'],
  ]),
  instruction(mapped(PMOVZX(8, 64)), SSE41, [
    ['PMOVZXBQ xmm1, xmm2/m16', '66 0F 38 32 /r'],
  ]),
  instruction(mapped(PMOVZX(16, 32)), SSE41, [
    ['PMOVZXWD xmm1, xmm2/m64', '66 0F 38 33 /r'],
  ]),
  instruction(mapped(PMOVZX(16, 64)), SSE41, [
    ['PMOVZXWQ xmm1, xmm2/m32', '66 0F 38 34 /r'],
  ]),
  instruction(mapped(PMOVZX(32, 64)), SSE41, [
    ['PMOVZXDQ xmm1, xmm2/m64', '66 0F 38 35 /r'],
  ]),
  instruction(PMINMAX('i8x16.min_s'), SSE41, [
    ['PMINSB xmm1, xmm2/m128', '66 0F 38 38 /r'],
  ]),
  instruction(PMINMAX('i32x4.min_s'), SSE41, [
    ['PMINSD xmm1, xmm2/m128', '66 0F 38 39 /r'],
  ]),
  instruction(PMINMAX('i16x8.min_u'), SSE41, [
    ['PMINUW xmm1, xmm2/m128', '66 0F 38 3A /r'],
  ]),
  instruction(PMINMAX('i32x4.min_u'), SSE41, [
    ['PMINUD xmm1, xmm2/m128', '66 0F 38 3B /r'],
  ]),
  instruction(PMINMAX('i8x16.max_s'), SSE41, [
    ['PMAXSB xmm1, xmm2/m128', '66 0F 38 3C /r'],
  ]),
  instruction(PMINMAX('i32x4.max_s'), SSE41, [
    ['PMAXSD xmm1, xmm2/m128', '66 0F 38 3D /r'],
  ]),
  instruction(PMINMAX('i16x8.max_u'), SSE41, [
    ['PMAXUW xmm1, xmm2/m128', '66 0F 38 3E /r'],
  ]),
  instruction(PMINMAX('i32x4.max_u'), SSE41, [
    ['PMAXUD xmm1, xmm2/m128', '66 0F 38 3F /r'],
  ]),
  instruction(PMULDQ, SSE41, [
    ['PMULDQ xmm1, xmm2/m128', '66 0F 38 28 /r'],
  ]),
  instruction(PMULLD, SSE41, [
    ['PMULLD xmm1, xmm2/m128', '66 0F 38 40 /r'],
  ]),
  instruction(PCMPEQ('i64x2'), SSE41, [
    ['PCMPEQQ xmm1, xmm2/m128', '66 0F 38 29 /r'],
  ]),
  instruction(PACKUSDW, SSE41, [
    ['PACKUSDW xmm1, xmm2/m128', '66 0F 38 2B /r'],
  ]),
  instruction(mapped(PHMINPOSUW), SSE41, [
    ['PHMINPOSUW xmm1, xmm2/m128', '66 0F 38 41 /r'],
  ]),
  instruction(combined(MPSADBW), SSE41, [
    ['MPSADBW xmm1, xmm2/m128, imm8', '66 0F 3A 42 /r ib'],
  ]),
  instruction(PTEST, { ...SSE41, writes: 'CF PF AF ZF SF OF' }, [
    ['PTEST xmm1, xmm2/m128', '66 0F 38 17 /r'],
  ]),
  instruction(MOVAPS, SSE41, [
    ['MOVNTDQA xmm1, m128', '66 0F 38 2A /r'],
  ]),
  instruction(PINSR('i8x16'), SSE41, [
    ['PINSRB xmm1, r32/m8, imm8', '66 0F 3A 20 /r ib'],
  ]),
  instruction(PINSR('i32x4'), SIZED, [
    ['PINSRD xmm1, r/m32, imm8', '66 0F 3A 22 /r ib'],
  ]),
  instruction(PINSR('i64x2'), SIZED, [
    ['PINSRQ xmm1, r/m64, imm8', '66 REX.W 0F 3A 22 /r ib'],
  ]),
  instruction(PEXTR('i8x16'), SSE41, [
    ['PEXTRB r32/m8, xmm2, imm8', '66 0F 3A 14 /r ib'],
  ]),
  instruction(PEXTR('i16x8'), SSE41, [
    ['PEXTRW r32/m16, xmm1, imm8', '66 0F 3A 15 /r ib'],
  ]),
  instruction(PEXTR('i32x4'), SIZED, [
    ['PEXTRD r/m32, xmm2, imm8', '66 0F 3A 16 /r ib'],
    ['EXTRACTPS r/m32, xmm1, imm8', '66 0F 3A 17 /r ib', { size: 'any' }],
  ]),
  instruction(PEXTR('i64x2'), SIZED, [
    ['PEXTRQ r/m64, xmm2, imm8', '66 REX.W 0F 3A 16 /r ib'],
  ]),
  instruction(mapped(ROUND_ALL('f32x4')), SSE41, [
    ['ROUNDPS xmm1, xmm2/m128, imm8', '66 0F 3A 08 /r ib'],
  ]),
  instruction(mapped(ROUND_ALL('f64x2')), SSE41, [
    ['ROUNDPD xmm1, xmm2/m128, imm8', '66 0F 3A 09 /r ib'],
  ]),
  instruction(combined(ROUND('f32')), SSE41, [
    ['ROUNDSS xmm1, xmm2/m32, imm8', '66 0F 3A 0A /r ib'],
  ]),
  instruction(combined(ROUND('f64')), SSE41, [
    ['ROUNDSD xmm1, xmm2/m64, imm8', '66 0F 3A 0B /r ib'],
  ]),
  instruction(DPPS, SSE41, [
    ['DPPS xmm1, xmm2/m128, imm8', '66 0F 3A 40 /r ib'],
  ]),
  instruction(combined(DPPD), SSE41, [
    ['DPPD xmm1, xmm2/m128, imm8', '66 0F 3A 41 /r ib'],
  ]),

  instruction(PCMPGT('i64x2'), SSE42, [
    ['PCMPGTQ xmm1, xmm2/m128', '66 0F 38 37 /r'],
  ]),
  instruction(PCMPSTRM('explicit'), STRINGS, [
    ['PCMPESTRM xmm1, xmm2/m128, imm8', '66 0F 3A 60 /r ib', { width: 32 }],
    ['PCMPESTRM xmm1, xmm2/m128, imm8', '66 REX.W 0F 3A 60 /r ib', { size: 64 }],
  ]),
  instruction(PCMPSTRI('explicit'), STRINGS, [
    ['PCMPESTRI xmm1, xmm2/m128, imm8', '66 0F 3A 61 /r ib', { width: 32 }],
    ['PCMPESTRI xmm1, xmm2/m128, imm8', '66 REX.W 0F 3A 61 /r ib', { size: 64 }],
  ]),
  instruction(PCMPSTRM('implicit'), STRINGS, [
    ['PCMPISTRM xmm1, xmm2/m128, imm8', '66 0F 3A 62 /r ib'],
  ]),
  instruction(PCMPSTRI('implicit'), STRINGS, [
    ['PCMPISTRI xmm1, xmm2/m128, imm8', '66 0F 3A 63 /r ib'],
  ]),
] as const;

/** SSE4 with a VEX prefix: the lines of the manual. Their meanings are those of SSE4; integers in YMM registers are AVX2's. */
import { instruction } from '../row.ts';
import { BLEND, BLENDV, INSERTPS, PMOVSX, PMOVZX } from '../semantics/vector-blend.ts';
import { ROUND, ROUND_ALL } from '../semantics/vector-float.ts';
import { DPPD, DPPS, MPSADBW, PHMINPOSUW } from '../semantics/vector-horizontal.ts';
import { PACKUSDW, PCMPEQ, PCMPGT, PEXTR, PINSR, PMINMAX, PMULDQ, PMULLD, PTEST, TEST_SIGNS } from '../semantics/vector-integer.ts';
import { combined, mapped } from '../semantics/vector-operands.ts';
import { PCMPSTRI, PCMPSTRM } from '../semantics/vector-string.ts';

const AVX = { feature: 'avx', size: 'any' } as const;
const AVX2 = { feature: 'avx2', size: 'any' } as const;
/** The comparisons of whole registers. */
const FLAGS = { ...AVX, writes: 'CF PF AF ZF SF OF' } as const;

export const avxSse4 = [
  instruction(PMINMAX('i8x16.min_s'), AVX, [
    ['VPMINSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 38 /r'],
    ['VPMINSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 38 /r', AVX2],
  ]),
  instruction(PMINMAX('i32x4.min_s'), AVX, [
    ['VPMINSD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 39 /r'],
    ['VPMINSD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 39 /r', AVX2],
  ]),
  instruction(PMINMAX('i16x8.min_u'), AVX, [
    ['VPMINUW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3A /r'],
    ['VPMINUW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3A /r', AVX2],
  ]),
  instruction(PMINMAX('i32x4.min_u'), AVX, [
    ['VPMINUD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3B /r'],
    ['VPMINUD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3B /r', AVX2],
  ]),
  instruction(PMINMAX('i8x16.max_s'), AVX, [
    ['VPMAXSB xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3C /r'],
    ['VPMAXSB ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3C /r', AVX2],
  ]),
  instruction(PMINMAX('i32x4.max_s'), AVX, [
    ['VPMAXSD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3D /r'],
    ['VPMAXSD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3D /r', AVX2],
  ]),
  instruction(PMINMAX('i16x8.max_u'), AVX, [
    ['VPMAXUW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3E /r'],
    ['VPMAXUW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3E /r', AVX2],
  ]),
  instruction(PMINMAX('i32x4.max_u'), AVX, [
    ['VPMAXUD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 3F /r'],
    ['VPMAXUD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 3F /r', AVX2],
  ]),
  instruction(PMULDQ, AVX, [
    ['VPMULDQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 28 /r'],
    ['VPMULDQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 28 /r', AVX2],
  ]),
  instruction(PMULLD, AVX, [
    ['VPMULLD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 40 /r'],
    ['VPMULLD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 40 /r', AVX2],
  ]),
  instruction(PCMPEQ('i64x2'), AVX, [
    ['VPCMPEQQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 29 /r'],
    ['VPCMPEQQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 29 /r', AVX2],
  ]),
  instruction(PCMPGT('i64x2'), AVX, [
    ['VPCMPGTQ xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 37 /r'],
    ['VPCMPGTQ ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 37 /r', AVX2],
  ]),
  instruction(PACKUSDW, AVX, [
    ['VPACKUSDW xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG 2B /r'],
    ['VPACKUSDW ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F38.WIG 2B /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(8, 16)), AVX, [
    ['VPMOVSXBW xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 20 /r'],
    ['VPMOVSXBW ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 20 /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(8, 32)), AVX, [
    ['VPMOVSXBD xmm1, xmm2/m32', 'VEX.128.66.0F38.WIG 21 /r'],
    ['VPMOVSXBD ymm1, xmm2/m64', 'VEX.256.66.0F38.WIG 21 /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(8, 64)), AVX, [
    ['VPMOVSXBQ xmm1, xmm2/m16', 'VEX.128.66.0F38.WIG 22 /r'],
    ['VPMOVSXBQ ymm1, xmm2/m32', 'VEX.256.66.0F38.WIG 22 /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(16, 32)), AVX, [
    ['VPMOVSXWD xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 23 /r'],
    ['VPMOVSXWD ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 23 /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(16, 64)), AVX, [
    ['VPMOVSXWQ xmm1, xmm2/m32', 'VEX.128.66.0F38.WIG 24 /r'],
    ['VPMOVSXWQ ymm1, xmm2/m64', 'VEX.256.66.0F38.WIG 24 /r', AVX2],
  ]),
  instruction(mapped(PMOVSX(32, 64)), AVX, [
    ['VPMOVSXDQ xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 25 /r'],
    ['VPMOVSXDQ ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 25 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(8, 16)), AVX, [
    ['VPMOVZXBW xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 30 /r'],
    ['VPMOVZXBW ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 30 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(8, 32)), AVX, [
    ['VPMOVZXBD xmm1, xmm2/m32', 'VEX.128.66.0F38.WIG 31 /r'],
    ['VPMOVZXBD ymm1, xmm2/m64', 'VEX.256.66.0F38.WIG 31 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(8, 64)), AVX, [
    ['VPMOVZXBQ xmm1, xmm2/m16', 'VEX.128.66.0F38.WIG 32 /r'],
    ['VPMOVZXBQ ymm1, xmm2/m32', 'VEX.256.66.0F38.WIG 32 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(16, 32)), AVX, [
    ['VPMOVZXWD xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 33 /r'],
    ['VPMOVZXWD ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 33 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(16, 64)), AVX, [
    ['VPMOVZXWQ xmm1, xmm2/m32', 'VEX.128.66.0F38.WIG 34 /r'],
    ['VPMOVZXWQ ymm1, xmm2/m64', 'VEX.256.66.0F38.WIG 34 /r', AVX2],
  ]),
  instruction(mapped(PMOVZX(32, 64)), AVX, [
    ['VPMOVZXDQ xmm1, xmm2/m64', 'VEX.128.66.0F38.WIG 35 /r'],
    ['VPMOVZXDQ ymm1, xmm2/m128', 'VEX.256.66.0F38.WIG 35 /r', AVX2],
  ]),
  instruction(combined(BLEND('BLENDPS')), AVX, [
    ['VBLENDPS xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 0C /r ib'],
    ['VBLENDPS ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 0C /r ib'],
  ]),
  instruction(combined(BLEND('BLENDPD')), AVX, [
    ['VBLENDPD xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 0D /r ib'],
    ['VBLENDPD ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 0D /r ib'],
  ]),
  instruction(combined(BLEND('PBLENDW')), AVX, [
    ['VPBLENDW xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 0E /r ib'],
    ['VPBLENDW ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 0E /r ib', AVX2],
  ]),
  instruction(BLENDV('i32x4'), AVX, [
    ['VBLENDVPS xmm1, xmm2, xmm3/m128, xmm4', 'VEX.128.66.0F3A.W0 4A /r /is4'],
    ['VBLENDVPS ymm1, ymm2, ymm3/m256, ymm4', 'VEX.256.66.0F3A.W0 4A /r /is4'],
  ]),
  instruction(BLENDV('i64x2'), AVX, [
    ['VBLENDVPD xmm1, xmm2, xmm3/m128, xmm4', 'VEX.128.66.0F3A.W0 4B /r /is4'],
    ['VBLENDVPD ymm1, ymm2, ymm3/m256, ymm4', 'VEX.256.66.0F3A.W0 4B /r /is4'],
  ]),
  instruction(BLENDV('i8x16'), AVX, [
    ['VPBLENDVB xmm1, xmm2, xmm3/m128, xmm4', 'VEX.128.66.0F3A.W0 4C /r /is4'],
    ['VPBLENDVB ymm1, ymm2, ymm3/m256, ymm4', 'VEX.256.66.0F3A.W0 4C /r /is4', AVX2],
  ]),
  instruction(combined(INSERTPS), AVX, [
    ['VINSERTPS xmm1, xmm2, xmm3/m32, imm8', 'VEX.128.66.0F3A.WIG 21 /r ib'],
  ]),
  instruction(PINSR('i8x16'), AVX, [
    ['VPINSRB xmm1, xmm2, r32/m8, imm8', 'VEX.128.66.0F3A.WIG 20 /r ib'],
  ]),
  instruction(PINSR('i32x4'), AVX, [
    ['VPINSRD xmm1, xmm2, r/m32, imm8', 'VEX.128.66.0F3A.W0 22 /r ib'],
  ]),
  instruction(PINSR('i64x2'), AVX, [
    ['VPINSRQ xmm1, xmm2, r/m64, imm8', 'VEX.128.66.0F3A.W1 22 /r ib'],
  ]),
  instruction(PEXTR('i8x16'), AVX, [
    ['VPEXTRB r32/m8, xmm2, imm8', 'VEX.128.66.0F3A.WIG 14 /r ib'],
  ]),
  instruction(PEXTR('i16x8'), AVX, [
    ['VPEXTRW r32/m16, xmm1, imm8', 'VEX.128.66.0F3A.WIG 15 /r ib'],
  ]),
  instruction(PEXTR('i32x4'), AVX, [
    ['VPEXTRD r/m32, xmm2, imm8', 'VEX.128.66.0F3A.W0 16 /r ib'],
    ['VEXTRACTPS r/m32, xmm1, imm8', 'VEX.128.66.0F3A.WIG 17 /r ib'],
  ]),
  instruction(PEXTR('i64x2'), AVX, [
    ['VPEXTRQ r/m64, xmm2, imm8', 'VEX.128.66.0F3A.W1 16 /r ib'],
  ]),
  instruction(PTEST, FLAGS, [
    ['VPTEST xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG 17 /r'],
    ['VPTEST ymm1, ymm2/m256', 'VEX.256.66.0F38.WIG 17 /r'],
  ]),
  instruction(TEST_SIGNS('i32x4'), FLAGS, [
    ['VTESTPS xmm1, xmm2/m128', 'VEX.128.66.0F38.W0 0E /r'],
    ['VTESTPS ymm1, ymm2/m256', 'VEX.256.66.0F38.W0 0E /r'],
  ]),
  instruction(TEST_SIGNS('i64x2'), FLAGS, [
    ['VTESTPD xmm1, xmm2/m128', 'VEX.128.66.0F38.W0 0F /r'],
    ['VTESTPD ymm1, ymm2/m256', 'VEX.256.66.0F38.W0 0F /r'],
  ]),
  instruction(mapped(PHMINPOSUW), AVX, [
    ['VPHMINPOSUW xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG 41 /r'],
  ]),
  instruction(combined(MPSADBW), AVX, [
    ['VMPSADBW xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 42 /r ib'],
    ['VMPSADBW ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 42 /r ib', AVX2],
  ]),
  instruction(DPPS, AVX, [
    ['VDPPS xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 40 /r ib'],
    ['VDPPS ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F3A.WIG 40 /r ib'],
  ]),
  instruction(combined(DPPD), AVX, [
    ['VDPPD xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 41 /r ib'],
  ]),
  instruction(mapped(ROUND_ALL('f32x4')), AVX, [
    ['VROUNDPS xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.WIG 08 /r ib'],
    ['VROUNDPS ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.WIG 08 /r ib'],
  ]),
  instruction(mapped(ROUND_ALL('f64x2')), AVX, [
    ['VROUNDPD xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.WIG 09 /r ib'],
    ['VROUNDPD ymm1, ymm2/m256, imm8', 'VEX.256.66.0F3A.WIG 09 /r ib'],
  ]),
  instruction(combined(ROUND('f32')), AVX, [
    ['VROUNDSS xmm1, xmm2, xmm3/m32, imm8', 'VEX.LIG.66.0F3A.WIG 0A /r ib'],
  ]),
  instruction(combined(ROUND('f64')), AVX, [
    ['VROUNDSD xmm1, xmm2, xmm3/m64, imm8', 'VEX.LIG.66.0F3A.WIG 0B /r ib'],
  ]),
  instruction(PCMPSTRM('explicit'), FLAGS, [
    ['VPCMPESTRM xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W0 60 /r ib', { width: 32 }],
    ['VPCMPESTRM xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W1 60 /r ib', { width: 64, modes: '64' }],
    ['VPCMPESTRM xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W1 60 /r ib', { width: 32, modes: 'legacy' }],
  ]),
  instruction(PCMPSTRI('explicit'), FLAGS, [
    ['VPCMPESTRI xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W0 61 /r ib', { width: 32 }],
    ['VPCMPESTRI xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W1 61 /r ib', { width: 64, modes: '64' }],
    ['VPCMPESTRI xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.W1 61 /r ib', { width: 32, modes: 'legacy' }],
  ]),
  instruction(PCMPSTRM('implicit'), FLAGS, [
    ['VPCMPISTRM xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.WIG 62 /r ib'],
  ]),
  instruction(PCMPSTRI('implicit'), FLAGS, [
    ['VPCMPISTRI xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.WIG 63 /r ib'],
  ]),
] as const;

/** Floating point with a VEX prefix: the lines of the manual. Their meanings are those of SSE. */
import { instruction } from '../row.ts';
import { FLOAT, FLOAT_COMPARE, FLOAT_FROM_HALVES, FLOAT_FROM_INTEGER, FLOAT_NARROWED, FLOAT_OF, FLOAT_ORDER, FLOAT_WIDENED, HALVES_FROM_FLOAT, INTEGER_FROM_FLOAT } from '../semantics/vector-float.ts';
import { ADDSUB, HORIZONTAL_FLOAT } from '../semantics/vector-horizontal.ts';
import { DUPLICATE } from '../semantics/vector-move.ts';
import { combined } from '../semantics/vector-operands.ts';

const F16C = { feature: 'f16c', size: 'any' } as const;
const AVX = { feature: 'avx', size: 'any' } as const;
/** VCOMISS and its kin compare into the status flags. */
const ORDER = { writes: 'CF PF AF ZF SF OF' } as const;

export const avxFloat = [
  instruction(FLOAT('f32x4.add'), AVX, [
    ['VADDPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 58 /r'],
    ['VADDPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 58 /r'],
  ]),
  instruction(FLOAT('f64x2.add'), AVX, [
    ['VADDPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 58 /r'],
    ['VADDPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 58 /r'],
  ]),
  instruction(FLOAT('f32.add'), AVX, [
    ['VADDSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 58 /r'],
  ]),
  instruction(FLOAT('f64.add'), AVX, [
    ['VADDSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 58 /r'],
  ]),
  instruction(FLOAT('f32x4.mul'), AVX, [
    ['VMULPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 59 /r'],
    ['VMULPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 59 /r'],
  ]),
  instruction(FLOAT('f64x2.mul'), AVX, [
    ['VMULPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 59 /r'],
    ['VMULPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 59 /r'],
  ]),
  instruction(FLOAT('f32.mul'), AVX, [
    ['VMULSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 59 /r'],
  ]),
  instruction(FLOAT('f64.mul'), AVX, [
    ['VMULSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 59 /r'],
  ]),
  instruction(FLOAT('f32x4.sub'), AVX, [
    ['VSUBPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 5C /r'],
    ['VSUBPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 5C /r'],
  ]),
  instruction(FLOAT('f64x2.sub'), AVX, [
    ['VSUBPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 5C /r'],
    ['VSUBPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 5C /r'],
  ]),
  instruction(FLOAT('f32.sub'), AVX, [
    ['VSUBSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 5C /r'],
  ]),
  instruction(FLOAT('f64.sub'), AVX, [
    ['VSUBSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 5C /r'],
  ]),
  instruction(FLOAT('f32x4.min'), AVX, [
    ['VMINPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 5D /r'],
    ['VMINPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 5D /r'],
  ]),
  instruction(FLOAT('f64x2.min'), AVX, [
    ['VMINPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 5D /r'],
    ['VMINPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 5D /r'],
  ]),
  instruction(FLOAT('f32.min'), AVX, [
    ['VMINSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 5D /r'],
  ]),
  instruction(FLOAT('f64.min'), AVX, [
    ['VMINSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 5D /r'],
  ]),
  instruction(FLOAT('f32x4.div'), AVX, [
    ['VDIVPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 5E /r'],
    ['VDIVPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 5E /r'],
  ]),
  instruction(FLOAT('f64x2.div'), AVX, [
    ['VDIVPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 5E /r'],
    ['VDIVPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 5E /r'],
  ]),
  instruction(FLOAT('f32.div'), AVX, [
    ['VDIVSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 5E /r'],
  ]),
  instruction(FLOAT('f64.div'), AVX, [
    ['VDIVSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 5E /r'],
  ]),
  instruction(FLOAT('f32x4.max'), AVX, [
    ['VMAXPS xmm1, xmm2, xmm3/m128', 'VEX.128.0F.WIG 5F /r'],
    ['VMAXPS ymm1, ymm2, ymm3/m256', 'VEX.256.0F.WIG 5F /r'],
  ]),
  instruction(FLOAT('f64x2.max'), AVX, [
    ['VMAXPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 5F /r'],
    ['VMAXPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 5F /r'],
  ]),
  instruction(FLOAT('f32.max'), AVX, [
    ['VMAXSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 5F /r'],
  ]),
  instruction(FLOAT('f64.max'), AVX, [
    ['VMAXSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 5F /r'],
  ]),
  instruction(FLOAT_OF('f32x4.sqrt'), AVX, [
    ['VSQRTPS xmm1, xmm2/m128', 'VEX.128.0F.WIG 51 /r'],
    ['VSQRTPS ymm1, ymm2/m256', 'VEX.256.0F.WIG 51 /r'],
  ]),
  instruction(FLOAT_OF('f64x2.sqrt'), AVX, [
    ['VSQRTPD xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 51 /r'],
    ['VSQRTPD ymm1, ymm2/m256', 'VEX.256.66.0F.WIG 51 /r'],
  ]),
  instruction(FLOAT('f32.sqrt'), AVX, [
    ['VSQRTSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 51 /r'],
  ]),
  instruction(FLOAT('f64.sqrt'), AVX, [
    ['VSQRTSD xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 51 /r'],
  ]),
  instruction(FLOAT_OF('f32x4.recip_sqrt'), AVX, [
    ['VRSQRTPS xmm1, xmm2/m128', 'VEX.128.0F.WIG 52 /r'],
    ['VRSQRTPS ymm1, ymm2/m256', 'VEX.256.0F.WIG 52 /r'],
  ]),
  instruction(FLOAT('f32.recip_sqrt'), AVX, [
    ['VRSQRTSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 52 /r'],
  ]),
  instruction(FLOAT_OF('f32x4.recip'), AVX, [
    ['VRCPPS xmm1, xmm2/m128', 'VEX.128.0F.WIG 53 /r'],
    ['VRCPPS ymm1, ymm2/m256', 'VEX.256.0F.WIG 53 /r'],
  ]),
  instruction(FLOAT('f32.recip'), AVX, [
    ['VRCPSS xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 53 /r'],
  ]),
  instruction(FLOAT_COMPARE('f32x4'), AVX, [
    ['VCMPPS xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.0F.WIG C2 /r ib'],
    ['VCMPPS ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.0F.WIG C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f64x2'), AVX, [
    ['VCMPPD xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F.WIG C2 /r ib'],
    ['VCMPPD ymm1, ymm2, ymm3/m256, imm8', 'VEX.256.66.0F.WIG C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f32'), AVX, [
    ['VCMPSS xmm1, xmm2, xmm3/m32, imm8', 'VEX.LIG.F3.0F.WIG C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f64'), AVX, [
    ['VCMPSD xmm1, xmm2, xmm3/m64, imm8', 'VEX.LIG.F2.0F.WIG C2 /r ib'],
  ]),
  instruction(FLOAT_ORDER('f32', 'quiet'), { ...AVX, ...ORDER }, [
    ['VUCOMISS xmm1, xmm2/m32', 'VEX.LIG.0F.WIG 2E /r'],
  ]),
  instruction(FLOAT_ORDER('f64', 'quiet'), { ...AVX, ...ORDER }, [
    ['VUCOMISD xmm1, xmm2/m64', 'VEX.LIG.66.0F.WIG 2E /r'],
  ]),
  instruction(FLOAT_ORDER('f32', 'signals'), { ...AVX, ...ORDER }, [
    ['VCOMISS xmm1, xmm2/m32', 'VEX.LIG.0F.WIG 2F /r'],
  ]),
  instruction(FLOAT_ORDER('f64', 'signals'), { ...AVX, ...ORDER }, [
    ['VCOMISD xmm1, xmm2/m64', 'VEX.LIG.66.0F.WIG 2F /r'],
  ]),
  instruction(FLOAT_OF('f64x2.promote_low_f32x4'), AVX, [
    ['VCVTPS2PD xmm1, xmm2/m64', 'VEX.128.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT_WIDENED('f64x2.promote_low_f32x4'), AVX, [
    ['VCVTPS2PD ymm1, xmm2/m128', 'VEX.256.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT_OF('f32x4.demote_f64x2_zero'), AVX, [
    ['VCVTPD2PS xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT_NARROWED('f32x4.demote_f64x2_zero'), AVX, [
    ['VCVTPD2PS xmm1, ymm2/m256', 'VEX.256.66.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT('f64.promote_f32'), AVX, [
    ['VCVTSS2SD xmm1, xmm2, xmm3/m32', 'VEX.LIG.F3.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT('f32.demote_f64'), AVX, [
    ['VCVTSD2SS xmm1, xmm2, xmm3/m64', 'VEX.LIG.F2.0F.WIG 5A /r'],
  ]),
  instruction(FLOAT_OF('f32x4.convert_i32x4_s'), AVX, [
    ['VCVTDQ2PS xmm1, xmm2/m128', 'VEX.128.0F.WIG 5B /r'],
    ['VCVTDQ2PS ymm1, ymm2/m256', 'VEX.256.0F.WIG 5B /r'],
  ]),
  instruction(FLOAT_OF('i32x4.round_f32x4_s'), AVX, [
    ['VCVTPS2DQ xmm1, xmm2/m128', 'VEX.128.66.0F.WIG 5B /r'],
    ['VCVTPS2DQ ymm1, ymm2/m256', 'VEX.256.66.0F.WIG 5B /r'],
  ]),
  instruction(FLOAT_OF('i32x4.trunc_f32x4_s'), AVX, [
    ['VCVTTPS2DQ xmm1, xmm2/m128', 'VEX.128.F3.0F.WIG 5B /r'],
    ['VCVTTPS2DQ ymm1, ymm2/m256', 'VEX.256.F3.0F.WIG 5B /r'],
  ]),
  instruction(FLOAT_OF('f64x2.convert_low_i32x4_s'), AVX, [
    ['VCVTDQ2PD xmm1, xmm2/m64', 'VEX.128.F3.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_WIDENED('f64x2.convert_low_i32x4_s'), AVX, [
    ['VCVTDQ2PD ymm1, xmm2/m128', 'VEX.256.F3.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_OF('i32x4.round_f64x2_s_zero'), AVX, [
    ['VCVTPD2DQ xmm1, xmm2/m128', 'VEX.128.F2.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_NARROWED('i32x4.round_f64x2_s_zero'), AVX, [
    ['VCVTPD2DQ xmm1, ymm2/m256', 'VEX.256.F2.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_OF('i32x4.trunc_f64x2_s_zero'), AVX, [
    ['VCVTTPD2DQ xmm1, xmm2/m128', 'VEX.128.66.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_NARROWED('i32x4.trunc_f64x2_s_zero'), AVX, [
    ['VCVTTPD2DQ xmm1, ymm2/m256', 'VEX.256.66.0F.WIG E6 /r'],
  ]),
  instruction(FLOAT_FROM_INTEGER('f32'), AVX, [
    ['VCVTSI2SS xmm1, xmm2, r/m32', 'VEX.LIG.F3.0F.W0 2A /r'],
    ['VCVTSI2SS xmm1, xmm2, r/m64', 'VEX.LIG.F3.0F.W1 2A /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f32', 'round'), AVX, [
    ['VCVTSS2SI r32, xmm1/m32', 'VEX.LIG.F3.0F.W0 2D /r'],
    ['VCVTSS2SI r64, xmm1/m32', 'VEX.LIG.F3.0F.W1 2D /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f32', 'trunc'), AVX, [
    ['VCVTTSS2SI r32, xmm1/m32', 'VEX.LIG.F3.0F.W0 2C /r'],
    ['VCVTTSS2SI r64, xmm1/m32', 'VEX.LIG.F3.0F.W1 2C /r'],
  ]),
  instruction(FLOAT_FROM_INTEGER('f64'), AVX, [
    ['VCVTSI2SD xmm1, xmm2, r/m32', 'VEX.LIG.F2.0F.W0 2A /r'],
    ['VCVTSI2SD xmm1, xmm2, r/m64', 'VEX.LIG.F2.0F.W1 2A /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f64', 'round'), AVX, [
    ['VCVTSD2SI r32, xmm1/m64', 'VEX.LIG.F2.0F.W0 2D /r'],
    ['VCVTSD2SI r64, xmm1/m64', 'VEX.LIG.F2.0F.W1 2D /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f64', 'trunc'), AVX, [
    ['VCVTTSD2SI r32, xmm1/m64', 'VEX.LIG.F2.0F.W0 2C /r'],
    ['VCVTTSD2SI r64, xmm1/m64', 'VEX.LIG.F2.0F.W1 2C /r'],
  ]),
  instruction(DUPLICATE([0, 0], 8), AVX, [
    ['VMOVDDUP xmm1, xmm2/m64', 'VEX.128.F2.0F.WIG 12 /r'],
    ['VMOVDDUP ymm1, ymm2/m256', 'VEX.256.F2.0F.WIG 12 /r'],
  ]),
  instruction(DUPLICATE([0, 0, 2, 2], 4), AVX, [
    ['VMOVSLDUP xmm1, xmm2/m128', 'VEX.128.F3.0F.WIG 12 /r'],
    ['VMOVSLDUP ymm1, ymm2/m256', 'VEX.256.F3.0F.WIG 12 /r'],
  ]),
  instruction(DUPLICATE([1, 1, 3, 3], 4), AVX, [
    ['VMOVSHDUP xmm1, xmm2/m128', 'VEX.128.F3.0F.WIG 16 /r'],
    ['VMOVSHDUP ymm1, ymm2/m256', 'VEX.256.F3.0F.WIG 16 /r'],
  ]),
  instruction(combined(ADDSUB('f32x4')), AVX, [
    ['VADDSUBPS xmm1, xmm2, xmm3/m128', 'VEX.128.F2.0F.WIG D0 /r'],
    ['VADDSUBPS ymm1, ymm2, ymm3/m256', 'VEX.256.F2.0F.WIG D0 /r'],
  ]),
  instruction(combined(ADDSUB('f64x2')), AVX, [
    ['VADDSUBPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG D0 /r'],
    ['VADDSUBPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG D0 /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f32x4.add')), AVX, [
    ['VHADDPS xmm1, xmm2, xmm3/m128', 'VEX.128.F2.0F.WIG 7C /r'],
    ['VHADDPS ymm1, ymm2, ymm3/m256', 'VEX.256.F2.0F.WIG 7C /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f64x2.add')), AVX, [
    ['VHADDPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 7C /r'],
    ['VHADDPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 7C /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f32x4.sub')), AVX, [
    ['VHSUBPS xmm1, xmm2, xmm3/m128', 'VEX.128.F2.0F.WIG 7D /r'],
    ['VHSUBPS ymm1, ymm2, ymm3/m256', 'VEX.256.F2.0F.WIG 7D /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f64x2.sub')), AVX, [
    ['VHSUBPD xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F.WIG 7D /r'],
    ['VHSUBPD ymm1, ymm2, ymm3/m256', 'VEX.256.66.0F.WIG 7D /r'],
  ]),
  instruction(FLOAT_FROM_HALVES, F16C, [
    ['VCVTPH2PS xmm1, xmm2/m64', 'VEX.128.66.0F38.W0 13 /r'],
    ['VCVTPH2PS ymm1, xmm2/m128', 'VEX.256.66.0F38.W0 13 /r'],
  ]),
  instruction(HALVES_FROM_FLOAT, F16C, [
    ['VCVTPS2PH xmm1/m64, xmm2, imm8', 'VEX.128.66.0F3A.W0 1D /r ib'],
    ['VCVTPS2PH xmm1/m128, ymm2, imm8', 'VEX.256.66.0F3A.W0 1D /r ib'],
  ]),
] as const;

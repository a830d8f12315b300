/** Floating point in XMM registers: the lines of the manual. */
import { instruction } from '../row.ts';
import { FLOAT, FLOAT_COMPARE, FLOAT_FROM_INTEGER, FLOAT_FROM_MMX, FLOAT_OF, FLOAT_ORDER, INTEGER_FROM_FLOAT, MMX_FROM_FLOAT } from '../semantics/vector-float.ts';

const SSE = { feature: 'sse', size: 'any' } as const;
const SSE2 = { feature: 'sse2', size: 'any' } as const;
/** COMISS and its kin compare into the status flags. */
const ORDER = { writes: 'CF PF AF ZF SF OF' } as const;

export const vectorFloat = [
  instruction(FLOAT('f32x4.add'), SSE, [
    ['ADDPS xmm1, xmm2/m128', 'NP 0F 58 /r'],
  ]),
  instruction(FLOAT('f64x2.add'), SSE2, [
    ['ADDPD xmm1, xmm2/m128', '66 0F 58 /r'],
  ]),
  instruction(FLOAT('f32.add'), SSE, [
    ['ADDSS xmm1, xmm2/m32', 'F3 0F 58 /r'],
  ]),
  instruction(FLOAT('f64.add'), SSE2, [
    ['ADDSD xmm1, xmm2/m64', 'F2 0F 58 /r'],
  ]),
  instruction(FLOAT('f32x4.mul'), SSE, [
    ['MULPS xmm1, xmm2/m128', 'NP 0F 59 /r'],
  ]),
  instruction(FLOAT('f64x2.mul'), SSE2, [
    ['MULPD xmm1, xmm2/m128', '66 0F 59 /r'],
  ]),
  instruction(FLOAT('f32.mul'), SSE, [
    ['MULSS xmm1, xmm2/m32', 'F3 0F 59 /r'],
  ]),
  instruction(FLOAT('f64.mul'), SSE2, [
    ['MULSD xmm1, xmm2/m64', 'F2 0F 59 /r'],
  ]),
  instruction(FLOAT('f32x4.sub'), SSE, [
    ['SUBPS xmm1, xmm2/m128', 'NP 0F 5C /r'],
  ]),
  instruction(FLOAT('f64x2.sub'), SSE2, [
    ['SUBPD xmm1, xmm2/m128', '66 0F 5C /r'],
  ]),
  instruction(FLOAT('f32.sub'), SSE, [
    ['SUBSS xmm1, xmm2/m32', 'F3 0F 5C /r'],
  ]),
  instruction(FLOAT('f64.sub'), SSE2, [
    ['SUBSD xmm1, xmm2/m64', 'F2 0F 5C /r'],
  ]),
  instruction(FLOAT('f32x4.min'), SSE, [
    ['MINPS xmm1, xmm2/m128', 'NP 0F 5D /r'],
  ]),
  instruction(FLOAT('f64x2.min'), SSE2, [
    ['MINPD xmm1, xmm2/m128', '66 0F 5D /r'],
  ]),
  instruction(FLOAT('f32.min'), SSE, [
    ['MINSS xmm1, xmm2/m32', 'F3 0F 5D /r'],
  ]),
  instruction(FLOAT('f64.min'), SSE2, [
    ['MINSD xmm1, xmm2/m64', 'F2 0F 5D /r'],
  ]),
  instruction(FLOAT('f32x4.div'), SSE, [
    ['DIVPS xmm1, xmm2/m128', 'NP 0F 5E /r'],
  ]),
  instruction(FLOAT('f64x2.div'), SSE2, [
    ['DIVPD xmm1, xmm2/m128', '66 0F 5E /r'],
  ]),
  instruction(FLOAT('f32.div'), SSE, [
    ['DIVSS xmm1, xmm2/m32', 'F3 0F 5E /r'],
  ]),
  instruction(FLOAT('f64.div'), SSE2, [
    ['DIVSD xmm1, xmm2/m64', 'F2 0F 5E /r'],
  ]),
  instruction(FLOAT('f32x4.max'), SSE, [
    ['MAXPS xmm1, xmm2/m128', 'NP 0F 5F /r'],
  ]),
  instruction(FLOAT('f64x2.max'), SSE2, [
    ['MAXPD xmm1, xmm2/m128', '66 0F 5F /r'],
  ]),
  instruction(FLOAT('f32.max'), SSE, [
    ['MAXSS xmm1, xmm2/m32', 'F3 0F 5F /r'],
  ]),
  instruction(FLOAT('f64.max'), SSE2, [
    ['MAXSD xmm1, xmm2/m64', 'F2 0F 5F /r'],
  ]),
  instruction(FLOAT_OF('f32x4.sqrt'), SSE, [
    ['SQRTPS xmm1, xmm2/m128', 'NP 0F 51 /r'],
  ]),
  instruction(FLOAT_OF('f64x2.sqrt'), SSE2, [
    ['SQRTPD xmm1, xmm2/m128', '66 0F 51 /r'],
  ]),
  instruction(FLOAT('f32.sqrt'), SSE, [
    ['SQRTSS xmm1, xmm2/m32', 'F3 0F 51 /r'],
  ]),
  instruction(FLOAT('f64.sqrt'), SSE2, [
    ['SQRTSD xmm1, xmm2/m64', 'F2 0F 51 /r'],
  ]),
  instruction(FLOAT_OF('f32x4.recip_sqrt'), SSE, [
    ['RSQRTPS xmm1, xmm2/m128', 'NP 0F 52 /r'],
  ]),
  instruction(FLOAT('f32.recip_sqrt'), SSE, [
    ['RSQRTSS xmm1, xmm2/m32', 'F3 0F 52 /r'],
  ]),
  instruction(FLOAT_OF('f32x4.recip'), SSE, [
    ['RCPPS xmm1, xmm2/m128', 'NP 0F 53 /r'],
  ]),
  instruction(FLOAT('f32.recip'), SSE, [
    ['RCPSS xmm1, xmm2/m32', 'F3 0F 53 /r'],
  ]),
  instruction(FLOAT_COMPARE('f32x4'), SSE, [
    ['CMPPS xmm1, xmm2/m128, imm8', 'NP 0F C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f64x2'), SSE2, [
    ['CMPPD xmm1, xmm2/m128, imm8', '66 0F C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f32'), SSE, [
    ['CMPSS xmm1, xmm2/m32, imm8', 'F3 0F C2 /r ib'],
  ]),
  instruction(FLOAT_COMPARE('f64'), SSE2, [
    ['CMPSD xmm1, xmm2/m64, imm8', 'F2 0F C2 /r ib'],
  ]),
  instruction(FLOAT_ORDER('f32', 'quiet'), { ...SSE, ...ORDER }, [
    ['UCOMISS xmm1, xmm2/m32', 'NP 0F 2E /r'],
  ]),
  instruction(FLOAT_ORDER('f64', 'quiet'), { ...SSE2, ...ORDER }, [
    ['UCOMISD xmm1, xmm2/m64', '66 0F 2E /r'],
  ]),
  instruction(FLOAT_ORDER('f32', 'signals'), { ...SSE, ...ORDER }, [
    ['COMISS xmm1, xmm2/m32', 'NP 0F 2F /r'],
  ]),
  instruction(FLOAT_ORDER('f64', 'signals'), { ...SSE2, ...ORDER }, [
    ['COMISD xmm1, xmm2/m64', '66 0F 2F /r'],
  ]),
  instruction(FLOAT_OF('f64x2.promote_low_f32x4'), SSE2, [
    ['CVTPS2PD xmm1, xmm2/m64', 'NP 0F 5A /r'],
  ]),
  instruction(FLOAT_OF('f32x4.demote_f64x2_zero'), SSE2, [
    ['CVTPD2PS xmm1, xmm2/m128', '66 0F 5A /r'],
  ]),
  instruction(FLOAT('f64.promote_f32'), SSE2, [
    ['CVTSS2SD xmm1, xmm2/m32', 'F3 0F 5A /r'],
  ]),
  instruction(FLOAT('f32.demote_f64'), SSE2, [
    ['CVTSD2SS xmm1, xmm2/m64', 'F2 0F 5A /r'],
  ]),
  instruction(FLOAT_OF('f32x4.convert_i32x4_s'), SSE2, [
    ['CVTDQ2PS xmm1, xmm2/m128', 'NP 0F 5B /r'],
  ]),
  instruction(FLOAT_OF('i32x4.round_f32x4_s'), SSE2, [
    ['CVTPS2DQ xmm1, xmm2/m128', '66 0F 5B /r'],
  ]),
  instruction(FLOAT_OF('i32x4.trunc_f32x4_s'), SSE2, [
    ['CVTTPS2DQ xmm1, xmm2/m128', 'F3 0F 5B /r'],
  ]),
  instruction(FLOAT_OF('f64x2.convert_low_i32x4_s'), SSE2, [
    ['CVTDQ2PD xmm1, xmm2/m64', 'F3 0F E6 /r'],
  ]),
  instruction(FLOAT_OF('i32x4.round_f64x2_s_zero'), SSE2, [
    ['CVTPD2DQ xmm1, xmm2/m128', 'F2 0F E6 /r'],
  ]),
  instruction(FLOAT_OF('i32x4.trunc_f64x2_s_zero'), SSE2, [
    ['CVTTPD2DQ xmm1, xmm2/m128', '66 0F E6 /r'],
  ]),
  instruction(FLOAT_FROM_MMX('f32x4.convert_i32x4_s'), SSE, [
    ['CVTPI2PS xmm, mm/m64', 'NP 0F 2A /r'],
  ]),
  instruction(FLOAT_FROM_MMX('f64x2.convert_low_i32x4_s'), SSE2, [
    ['CVTPI2PD xmm, mm/m64', '66 0F 2A /r'],
  ]),
  instruction(MMX_FROM_FLOAT('i32x4.round_f32x4_s'), SSE, [
    ['CVTPS2PI mm, xmm/m64', 'NP 0F 2D /r'],
  ]),
  instruction(MMX_FROM_FLOAT('i32x4.trunc_f32x4_s'), SSE, [
    ['CVTTPS2PI mm, xmm/m64', 'NP 0F 2C /r'],
  ]),
  instruction(MMX_FROM_FLOAT('i32x4.round_f64x2_s_zero'), SSE2, [
    ['CVTPD2PI mm, xmm/m128', '66 0F 2D /r'],
  ]),
  instruction(MMX_FROM_FLOAT('i32x4.trunc_f64x2_s_zero'), SSE2, [
    ['CVTTPD2PI mm, xmm/m128', '66 0F 2C /r'],
  ]),
  instruction(FLOAT_FROM_INTEGER('f32'), SSE, [
    ['CVTSI2SS xmm1, r/m32', 'F3 0F 2A /r'],
    ['CVTSI2SS xmm1, r/m64', 'F3 REX.W 0F 2A /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f32', 'round'), SSE, [
    ['CVTSS2SI r32, xmm1/m32', 'F3 0F 2D /r'],
    ['CVTSS2SI r64, xmm1/m32', 'F3 REX.W 0F 2D /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f32', 'trunc'), SSE, [
    ['CVTTSS2SI r32, xmm1/m32', 'F3 0F 2C /r'],
    ['CVTTSS2SI r64, xmm1/m32', 'F3 REX.W 0F 2C /r'],
  ]),
  instruction(FLOAT_FROM_INTEGER('f64'), SSE2, [
    ['CVTSI2SD xmm1, r/m32', 'F2 0F 2A /r'],
    ['CVTSI2SD xmm1, r/m64', 'F2 REX.W 0F 2A /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f64', 'round'), SSE2, [
    ['CVTSD2SI r32, xmm1/m64', 'F2 0F 2D /r'],
    ['CVTSD2SI r64, xmm1/m64', 'F2 REX.W 0F 2D /r'],
  ]),
  instruction(INTEGER_FROM_FLOAT('f64', 'trunc'), SSE2, [
    ['CVTTSD2SI r32, xmm1/m64', 'F2 0F 2C /r'],
    ['CVTTSD2SI r64, xmm1/m64', 'F2 REX.W 0F 2C /r'],
  ]),
] as const;

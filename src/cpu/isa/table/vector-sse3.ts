/** SSE3 and SSSE3: the lines of the manual. */
import { instruction } from '../row.ts';
import { ADDSUB, HORIZONTAL, HORIZONTAL_FLOAT, PMADDUBSW } from '../semantics/vector-horizontal.ts';
import { PABS, PALIGNR, PMULHRSW, PSHUFB, PSIGN } from '../semantics/vector-lanes.ts';
import { DUPLICATE, LDDQU } from '../semantics/vector-move.ts';
import { combined, mapped } from '../semantics/vector-operands.ts';

const SSE3 = { feature: 'sse3', size: 'any' } as const;
const SSSE3 = { feature: 'ssse3', size: 'any' } as const;

export const vectorSse3 = [
  instruction(DUPLICATE([0, 0], 8), SSE3, [
    ['MOVDDUP xmm1, xmm2/m64', 'F2 0F 12 /r'],
  ]),
  instruction(DUPLICATE([0, 0, 2, 2], 4), SSE3, [
    ['MOVSLDUP xmm1, xmm2/m128', 'F3 0F 12 /r'],
  ]),
  instruction(DUPLICATE([1, 1, 3, 3], 4), SSE3, [
    ['MOVSHDUP xmm1, xmm2/m128', 'F3 0F 16 /r'],
  ]),
  instruction(LDDQU, SSE3, [
    ['LDDQU xmm1, m128', 'F2 0F F0 /r'],
  ]),
  instruction(combined(ADDSUB('f32x4')), SSE3, [
    ['ADDSUBPS xmm1, xmm2/m128', 'F2 0F D0 /r'],
  ]),
  instruction(combined(ADDSUB('f64x2')), SSE3, [
    ['ADDSUBPD xmm1, xmm2/m128', '66 0F D0 /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f32x4.add')), SSE3, [
    ['HADDPS xmm1, xmm2/m128', 'F2 0F 7C /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f64x2.add')), SSE3, [
    ['HADDPD xmm1, xmm2/m128', '66 0F 7C /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f32x4.sub')), SSE3, [
    ['HSUBPS xmm1, xmm2/m128', 'F2 0F 7D /r'],
  ]),
  instruction(combined(HORIZONTAL_FLOAT('f64x2.sub')), SSE3, [
    ['HSUBPD xmm1, xmm2/m128', '66 0F 7D /r'],
  ]),

  instruction(combined(PSHUFB), SSSE3, [
    ['PSHUFB xmm1, xmm2/m128', '66 0F 38 00 /r'],
    ['PSHUFB mm1, mm2/m64', 'NP 0F 38 00 /r'],
  ]),
  instruction(combined(HORIZONTAL('i16x8.add')), SSSE3, [
    ['PHADDW xmm1, xmm2/m128', '66 0F 38 01 /r'],
    ['PHADDW mm1, mm2/m64', 'NP 0F 38 01 /r'],
  ]),
  instruction(combined(HORIZONTAL('i32x4.add')), SSSE3, [
    ['PHADDD xmm1, xmm2/m128', '66 0F 38 02 /r'],
    ['PHADDD mm1, mm2/m64', 'NP 0F 38 02 /r'],
  ]),
  instruction(combined(HORIZONTAL('i16x8.add_sat_s')), SSSE3, [
    ['PHADDSW xmm1, xmm2/m128', '66 0F 38 03 /r'],
    ['PHADDSW mm1, mm2/m64', 'NP 0F 38 03 /r'],
  ]),
  instruction(combined(PMADDUBSW), SSSE3, [
    ['PMADDUBSW xmm1, xmm2/m128', '66 0F 38 04 /r'],
    ['PMADDUBSW mm1, mm2/m64', 'NP 0F 38 04 /r'],
  ]),
  instruction(combined(HORIZONTAL('i16x8.sub')), SSSE3, [
    ['PHSUBW xmm1, xmm2/m128', '66 0F 38 05 /r'],
    ['PHSUBW mm1, mm2/m64', 'NP 0F 38 05 /r'],
  ]),
  instruction(combined(HORIZONTAL('i32x4.sub')), SSSE3, [
    ['PHSUBD xmm1, xmm2/m128', '66 0F 38 06 /r'],
    ['PHSUBD mm1, mm2/m64', 'NP 0F 38 06 /r'],
  ]),
  instruction(combined(HORIZONTAL('i16x8.sub_sat_s')), SSSE3, [
    ['PHSUBSW xmm1, xmm2/m128', '66 0F 38 07 /r'],
    ['PHSUBSW mm1, mm2/m64', 'NP 0F 38 07 /r'],
  ]),
  instruction(combined(PSIGN('i8x16')), SSSE3, [
    ['PSIGNB xmm1, xmm2/m128', '66 0F 38 08 /r'],
    ['PSIGNB mm1, mm2/m64', 'NP 0F 38 08 /r'],
  ]),
  instruction(combined(PSIGN('i16x8')), SSSE3, [
    ['PSIGNW xmm1, xmm2/m128', '66 0F 38 09 /r'],
    ['PSIGNW mm1, mm2/m64', 'NP 0F 38 09 /r'],
  ]),
  instruction(combined(PSIGN('i32x4')), SSSE3, [
    ['PSIGND xmm1, xmm2/m128', '66 0F 38 0A /r'],
    ['PSIGND mm1, mm2/m64', 'NP 0F 38 0A /r'],
  ]),
  instruction(combined(PMULHRSW), SSSE3, [
    ['PMULHRSW xmm1, xmm2/m128', '66 0F 38 0B /r'],
    ['PMULHRSW mm1, mm2/m64', 'NP 0F 38 0B /r'],
  ]),
  instruction(mapped(PABS('i8x16')), SSSE3, [
    ['PABSB xmm1, xmm2/m128', '66 0F 38 1C /r'],
    ['PABSB mm1, mm2/m64', 'NP 0F 38 1C /r'],
  ]),
  instruction(mapped(PABS('i16x8')), SSSE3, [
    ['PABSW xmm1, xmm2/m128', '66 0F 38 1D /r'],
    ['PABSW mm1, mm2/m64', 'NP 0F 38 1D /r'],
  ]),
  instruction(mapped(PABS('i32x4')), SSSE3, [
    ['PABSD xmm1, xmm2/m128', '66 0F 38 1E /r'],
    ['PABSD mm1, mm2/m64', 'NP 0F 38 1E /r'],
  ]),
  instruction(combined(PALIGNR), SSSE3, [
    ['PALIGNR xmm1, xmm2/m128, imm8', '66 0F 3A 0F /r ib'],
    ['PALIGNR mm1, mm2/m64, imm8', 'NP 0F 3A 0F /r ib'],
  ]),
] as const;

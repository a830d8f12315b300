/** BMI1 and BMI2: the lines of the manual. */
import { instruction } from '../row.ts';
import { ANDN, BEXTR, BLSI, BLSMSK, BLSR, BZHI, MULX, PDEP, PEXT, RORX, SARX, SHLX, SHRX } from '../semantics/bit-manipulation.ts';

export const bitManipulation = [
  instruction(ANDN, { feature: 'bmi1', writes: 'OF SF ZF CF', undefined: 'AF PF' }, [
    ['ANDN r32a, r32b, r/m32', 'VEX.LZ.0F38.W0 F2 /r'],
    ['ANDN r64a, r64b, r/m64', 'VEX.LZ.0F38.W1 F2 /r'],
  ]),
  instruction(BEXTR, { feature: 'bmi1', writes: 'OF ZF CF', undefined: 'SF AF PF' }, [
    ['BEXTR r32a, r/m32, r32b', 'VEX.LZ.0F38.W0 F7 /r'],
    ['BEXTR r64a, r/m64, r64b', 'VEX.LZ.0F38.W1 F7 /r'],
  ]),
  instruction(BLSI, { feature: 'bmi1', writes: 'OF SF ZF CF', undefined: 'AF PF' }, [
    ['BLSI r32, r/m32', 'VEX.LZ.0F38.W0 F3 /3'],
    ['BLSI r64, r/m64', 'VEX.LZ.0F38.W1 F3 /3'],
  ]),
  instruction(BLSMSK, { feature: 'bmi1', writes: 'OF SF ZF CF', undefined: 'AF PF' }, [
    ['BLSMSK r32, r/m32', 'VEX.LZ.0F38.W0 F3 /2'],
    ['BLSMSK r64, r/m64', 'VEX.LZ.0F38.W1 F3 /2'],
  ]),
  instruction(BLSR, { feature: 'bmi1', writes: 'OF SF ZF CF', undefined: 'AF PF' }, [
    ['BLSR r32, r/m32', 'VEX.LZ.0F38.W0 F3 /1'],
    ['BLSR r64, r/m64', 'VEX.LZ.0F38.W1 F3 /1'],
  ]),
  instruction(BZHI, { feature: 'bmi2', writes: 'OF SF ZF CF', undefined: 'AF PF' }, [
    ['BZHI r32a, r/m32, r32b', 'VEX.LZ.0F38.W0 F5 /r'],
    ['BZHI r64a, r/m64, r64b', 'VEX.LZ.0F38.W1 F5 /r'],
  ]),
  instruction(MULX, { feature: 'bmi2' }, [
    ['MULX r32a, r32b, r/m32', 'VEX.LZ.F2.0F38.W0 F6 /r'],
    ['MULX r64a, r64b, r/m64', 'VEX.LZ.F2.0F38.W1 F6 /r'],
  ]),
  instruction(PDEP, { feature: 'bmi2' }, [
    ['PDEP r32a, r32b, r/m32', 'VEX.LZ.F2.0F38.W0 F5 /r'],
    ['PDEP r64a, r64b, r/m64', 'VEX.LZ.F2.0F38.W1 F5 /r'],
  ]),
  instruction(PEXT, { feature: 'bmi2' }, [
    ['PEXT r32a, r32b, r/m32', 'VEX.LZ.F3.0F38.W0 F5 /r'],
    ['PEXT r64a, r64b, r/m64', 'VEX.LZ.F3.0F38.W1 F5 /r'],
  ]),
  instruction(RORX, { feature: 'bmi2' }, [
    ['RORX r32, r/m32, imm8', 'VEX.LZ.F2.0F3A.W0 F0 /r ib'],
    ['RORX r64, r/m64, imm8', 'VEX.LZ.F2.0F3A.W1 F0 /r ib'],
  ]),
  instruction(SARX, { feature: 'bmi2' }, [
    ['SARX r32a, r/m32, r32b', 'VEX.LZ.F3.0F38.W0 F7 /r'],
    ['SARX r64a, r/m64, r64b', 'VEX.LZ.F3.0F38.W1 F7 /r'],
  ]),
  instruction(SHLX, { feature: 'bmi2' }, [
    ['SHLX r32a, r/m32, r32b', 'VEX.LZ.66.0F38.W0 F7 /r'],
    ['SHLX r64a, r/m64, r64b', 'VEX.LZ.66.0F38.W1 F7 /r'],
  ]),
  instruction(SHRX, { feature: 'bmi2' }, [
    ['SHRX r32a, r/m32, r32b', 'VEX.LZ.F2.0F38.W0 F7 /r'],
    ['SHRX r64a, r/m64, r64b', 'VEX.LZ.F2.0F38.W1 F7 /r'],
  ]),
] as const;

/** The x87 FPU: the lines of the manual. */
import { system, x87Instruction, type RowOptions } from '../row.ts';
import { FPREM, FPREM1, FRNDINT, FSCALE, FXTRACT, INTEGER_ARITHMETIC } from '../system/x87-arithmetic.ts';
import { FCOM_REAL, FCOM_REGISTER, FCOMI, FICOM, FTST, FXAM } from '../system/x87-compare.ts';
import { EMMS, FDECSTP, FFREE, FFREEP, FINCSTP, FLDCW, FLDENV, FNCLEX, FNINIT, FNOP, FNSAVE, FNSTCW, FNSTENV, FNSTSW, FRSTOR, FXRSTOR, FXSAVE, OBSOLETE, WAIT } from '../system/x87-control.ts';
import { FBLD, FBSTP, FCMOV, FILD, FIST, FISTTP, FLD_CONSTANT, FST_REAL, FSTPNCE } from '../system/x87-transfer.ts';
import { F2XM1, FCOS, FPATAN, FPTAN, FSIN, FSINCOS, FYL2X, FYL2XP1 } from '../system/x87-transcendental.ts';
import { FABS, FCHS, FLD_EXTENDED, FLD_NUMBER, FLD_REAL, FLD_REGISTER, FSQRT, FST_REGISTER, FSTP_EXTENDED, FXCH, REAL_ARITHMETIC, REGISTER_ARITHMETIC } from '../semantics/x87.ts';

/** Operand size does not matter, but for images in memory, whose layout follows it. */
const X87: RowOptions = { size: 'any', width: 'effective', feature: 'fpu' };

/*
 * Lines that the manual does not have are marked "alias": processors take these bytes for the instruction that the manual has elsewhere, or nearly so, as
 * recordings of one (test/golden/silicon/x87.txt.br) show. Where the name is not the manual's it is what disassemblers call it.
 */
export const x87 = [
  x87Instruction(FLD_REAL, X87, [['FLD m32fp', 'D9 /0'], ['FLD m64fp', 'DD /0']]),
  x87Instruction(FLD_EXTENDED, X87, [['FLD m80fp', 'DB /5']]),
  x87Instruction(FLD_REGISTER, X87, [['FLD ST(i)', 'D9 C0+i']]),
  system(FST_REAL, X87, [['FST m32fp', 'D9 /2'], ['FST m64fp', 'DD /2'], ['FSTP m32fp', 'D9 /3'], ['FSTP m64fp', 'DD /3']]),
  x87Instruction(FSTP_EXTENDED, X87, [['FSTP m80fp', 'DB /7']]),
  x87Instruction(FST_REGISTER, X87, [['FST ST(i)', 'DD D0+i'], ['FSTP ST(i)', 'DD D8+i']]),
  x87Instruction(FST_REGISTER, X87, [['FSTP ST(i)', 'DF D0+i'], ['FSTP ST(i)', 'DF D8+i']]), // alias
  system(FSTPNCE, X87, [['FSTPNCE ST(i)', 'D9 D8+i']]), // alias
  system(FILD, X87, [['FILD m16int', 'DF /0'], ['FILD m32int', 'DB /0'], ['FILD m64int', 'DF /5']]),
  system(FIST, X87, [['FIST m16int', 'DF /2'], ['FIST m32int', 'DB /2'], ['FISTP m16int', 'DF /3'], ['FISTP m32int', 'DB /3'], ['FISTP m64int', 'DF /7']]),
  system(FISTTP, { ...X87, feature: 'sse3' }, [['FISTTP m16int', 'DF /1'], ['FISTTP m32int', 'DB /1'], ['FISTTP m64int', 'DD /1']]),
  system(FBLD, X87, [['FBLD m80bcd', 'DF /4']]),
  system(FBSTP, X87, [['FBSTP m80bcd', 'DF /6']]),
  x87Instruction(FXCH, X87, [['FXCH ST(i)', 'D9 C8+i']]),
  x87Instruction(FXCH, X87, [['FXCH ST(i)', 'DD C8+i'], ['FXCH ST(i)', 'DF C8+i']]), // alias
  system(FCMOV, { ...X87, feature: 'cmov', reads: 'CF ZF PF' }, [
    ['FCMOVB ST(0), ST(i)', 'DA C0+i', { reads: 'CF' }],
    ['FCMOVE ST(0), ST(i)', 'DA C8+i', { reads: 'ZF' }],
    ['FCMOVBE ST(0), ST(i)', 'DA D0+i', { reads: 'CF ZF' }],
    ['FCMOVU ST(0), ST(i)', 'DA D8+i', { reads: 'PF' }],
    ['FCMOVNB ST(0), ST(i)', 'DB C0+i', { reads: 'CF' }],
    ['FCMOVNE ST(0), ST(i)', 'DB C8+i', { reads: 'ZF' }],
    ['FCMOVNBE ST(0), ST(i)', 'DB D0+i', { reads: 'CF ZF' }],
    ['FCMOVNU ST(0), ST(i)', 'DB D8+i', { reads: 'PF' }],
  ]),
  system(FLD_CONSTANT, X87, [
    ['FLDL2T', 'D9 E9'], ['FLDL2E', 'D9 EA'], ['FLDPI', 'D9 EB'], ['FLDLG2', 'D9 EC'], ['FLDLN2', 'D9 ED'],
  ]),
  x87Instruction(FLD_NUMBER(1), X87, [['FLD1', 'D9 E8']]),
  x87Instruction(FLD_NUMBER(0), X87, [['FLDZ', 'D9 EE']]),

  x87Instruction(REAL_ARITHMETIC, X87, [
    ['FADD m32fp', 'D8 /0'], ['FMUL m32fp', 'D8 /1'], ['FSUB m32fp', 'D8 /4'], ['FSUBR m32fp', 'D8 /5'], ['FDIV m32fp', 'D8 /6'], ['FDIVR m32fp', 'D8 /7'],
    ['FADD m64fp', 'DC /0'], ['FMUL m64fp', 'DC /1'], ['FSUB m64fp', 'DC /4'], ['FSUBR m64fp', 'DC /5'], ['FDIV m64fp', 'DC /6'], ['FDIVR m64fp', 'DC /7'],
  ]),
  system(INTEGER_ARITHMETIC, X87, [
    ['FIADD m32int', 'DA /0'], ['FIMUL m32int', 'DA /1'], ['FISUB m32int', 'DA /4'], ['FISUBR m32int', 'DA /5'], ['FIDIV m32int', 'DA /6'], ['FIDIVR m32int', 'DA /7'],
    ['FIADD m16int', 'DE /0'], ['FIMUL m16int', 'DE /1'], ['FISUB m16int', 'DE /4'], ['FISUBR m16int', 'DE /5'], ['FIDIV m16int', 'DE /6'], ['FIDIVR m16int', 'DE /7'],
  ]),
  x87Instruction(REGISTER_ARITHMETIC, X87, [
    ['FADD ST(0), ST(i)', 'D8 C0+i'], ['FMUL ST(0), ST(i)', 'D8 C8+i'], ['FSUB ST(0), ST(i)', 'D8 E0+i'],
    ['FSUBR ST(0), ST(i)', 'D8 E8+i'], ['FDIV ST(0), ST(i)', 'D8 F0+i'], ['FDIVR ST(0), ST(i)', 'D8 F8+i'],
    ['FADD ST(i), ST(0)', 'DC C0+i'], ['FMUL ST(i), ST(0)', 'DC C8+i'], ['FSUBR ST(i), ST(0)', 'DC E0+i'],
    ['FSUB ST(i), ST(0)', 'DC E8+i'], ['FDIVR ST(i), ST(0)', 'DC F0+i'], ['FDIV ST(i), ST(0)', 'DC F8+i'],
    ['FADDP ST(i), ST(0)', 'DE C0+i'], ['FMULP ST(i), ST(0)', 'DE C8+i'], ['FSUBRP ST(i), ST(0)', 'DE E0+i'],
    ['FSUBP ST(i), ST(0)', 'DE E8+i'], ['FDIVRP ST(i), ST(0)', 'DE F0+i'], ['FDIVP ST(i), ST(0)', 'DE F8+i'],
  ]),
  x87Instruction(FCHS, X87, [['FCHS', 'D9 E0']]),
  x87Instruction(FABS, X87, [['FABS', 'D9 E1']]),
  x87Instruction(FSQRT, X87, [['FSQRT', 'D9 FA']]),
  system(FRNDINT, X87, [['FRNDINT', 'D9 FC']]),
  system(FSCALE, X87, [['FSCALE', 'D9 FD']]),
  system(FXTRACT, X87, [['FXTRACT', 'D9 F4']]),
  system(FPREM, X87, [['FPREM', 'D9 F8']]),
  system(FPREM1, X87, [['FPREM1', 'D9 F5']]),

  system(F2XM1, X87, [['F2XM1', 'D9 F0']]),
  system(FYL2X, X87, [['FYL2X', 'D9 F1']]),
  system(FYL2XP1, X87, [['FYL2XP1', 'D9 F9']]),
  system(FPATAN, X87, [['FPATAN', 'D9 F3']]),
  system(FPTAN, X87, [['FPTAN', 'D9 F2']]),
  system(FSIN, X87, [['FSIN', 'D9 FE']]),
  system(FCOS, X87, [['FCOS', 'D9 FF']]),
  system(FSINCOS, X87, [['FSINCOS', 'D9 FB']]),

  system(FCOM_REAL, X87, [['FCOM m32fp', 'D8 /2'], ['FCOM m64fp', 'DC /2'], ['FCOMP m32fp', 'D8 /3'], ['FCOMP m64fp', 'DC /3']]),
  system(FICOM, X87, [['FICOM m16int', 'DE /2'], ['FICOM m32int', 'DA /2'], ['FICOMP m16int', 'DE /3'], ['FICOMP m32int', 'DA /3']]),
  system(FCOM_REGISTER, X87, [
    ['FCOM ST(i)', 'D8 D0+i'], ['FCOMP ST(i)', 'D8 D8+i'], ['FCOMPP', 'DE D9'],
    ['FUCOM ST(i)', 'DD E0+i'], ['FUCOMP ST(i)', 'DD E8+i'], ['FUCOMPP', 'DA E9'],
  ]),
  system(FCOM_REGISTER, X87, [['FCOM ST(i)', 'DC D0+i'], ['FCOMP ST(i)', 'DC D8+i'], ['FCOMP ST(i)', 'DE D0+i']]), // alias
  system(FCOMI, { ...X87, feature: 'cmov', writes: 'OF SF ZF AF PF CF' }, [
    ['FCOMI ST(0), ST(i)', 'DB F0+i'], ['FCOMIP ST(0), ST(i)', 'DF F0+i'], ['FUCOMI ST(0), ST(i)', 'DB E8+i'], ['FUCOMIP ST(0), ST(i)', 'DF E8+i'],
  ]),
  system(FTST, X87, [['FTST', 'D9 E4']]),
  system(FXAM, X87, [['FXAM', 'D9 E5']]),

  system(FNINIT, X87, [['FNINIT', 'DB E3']]),
  system(FNCLEX, X87, [['FNCLEX', 'DB E2']]),
  system(WAIT, X87, [['WAIT', '9B']]),
  system(FLDCW, X87, [['FLDCW m2byte', 'D9 /5']]),
  system(FNSTCW, X87, [['FNSTCW m2byte', 'D9 /7']]),
  system(FNSTSW, X87, [['FNSTSW m2byte', 'DD /7'], ['FNSTSW AX', 'DF E0']]),
  system(FNSTENV, X87, [['FNSTENV m14/28byte', 'D9 /6']]),
  system(FLDENV, X87, [['FLDENV m14/28byte', 'D9 /4']]),
  system(FNSAVE, X87, [['FNSAVE m94/108byte', 'DD /6']]),
  system(FRSTOR, X87, [['FRSTOR m94/108byte', 'DD /4']]),
  system(FNOP, X87, [['FNOP', 'D9 D0']]),
  system(FDECSTP, X87, [['FDECSTP', 'D9 F6']]),
  system(FINCSTP, X87, [['FINCSTP', 'D9 F7']]),
  system(FFREE, X87, [['FFREE ST(i)', 'DD C0+i']]),
  system(FFREEP, X87, [['FFREEP ST(i)', 'DF C0+i']]), // alias
  system(OBSOLETE, X87, [['FNENI', 'DB E0'], ['FNDISI', 'DB E1'], ['FNSETPM', 'DB E4']]),
  system(EMMS, { size: 'any', feature: 'mmx' }, [['EMMS', 'NP 0F 77']]),
  system(FXSAVE, { feature: 'fxsr' }, [['FXSAVE m512byte', 'NP 0F AE /0', { size: 'any' }], ['FXSAVE64 m512byte', 'NP REX.W 0F AE /0']]),
  system(FXRSTOR, { feature: 'fxsr' }, [['FXRSTOR m512byte', 'NP 0F AE /1', { size: 'any' }], ['FXRSTOR64 m512byte', 'NP REX.W 0F AE /1']]),
] as const;

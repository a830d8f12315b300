/** Multiplication and division: the lines of the manual. */
import { instruction } from '../row.ts';
import { DIV, IDIV, IMUL, IMUL1, MUL } from '../semantics/multiply-divide.ts';

export const multiplyDivide = [
  instruction(MUL, { writes: 'OF CF', undefined: 'SF ZF AF PF' }, [
    ['MUL r/m8', 'F6 /4'],
    ['MUL r/m16', 'F7 /4'],
    ['MUL r/m32', 'F7 /4'],
    ['MUL r/m64', 'REX.W F7 /4'],
  ]),
  instruction(IMUL1, { writes: 'OF CF', undefined: 'SF ZF AF PF' }, [
    ['IMUL r/m8', 'F6 /5'],
    ['IMUL r/m16', 'F7 /5'],
    ['IMUL r/m32', 'F7 /5'],
    ['IMUL r/m64', 'REX.W F7 /5'],
  ]),
  instruction(IMUL, { writes: 'OF CF', undefined: 'SF ZF AF PF' }, [
    ['IMUL r16, r/m16', '0F AF /r'],
    ['IMUL r32, r/m32', '0F AF /r'],
    ['IMUL r64, r/m64', 'REX.W 0F AF /r'],
    ['IMUL r16, r/m16, imm8', '6B /r ib'],
    ['IMUL r32, r/m32, imm8', '6B /r ib'],
    ['IMUL r64, r/m64, imm8', 'REX.W 6B /r ib'],
    ['IMUL r16, r/m16, imm16', '69 /r iw'],
    ['IMUL r32, r/m32, imm32', '69 /r id'],
    ['IMUL r64, r/m64, imm32', 'REX.W 69 /r id'],
  ]),
  instruction(DIV, { undefined: 'OF SF ZF AF PF CF' }, [
    ['DIV r/m8', 'F6 /6'],
    ['DIV r/m16', 'F7 /6'],
    ['DIV r/m32', 'F7 /6'],
    ['DIV r/m64', 'REX.W F7 /6'],
  ]),
  instruction(IDIV, { undefined: 'OF SF ZF AF PF CF' }, [
    ['IDIV r/m8', 'F6 /7'],
    ['IDIV r/m16', 'F7 /7'],
    ['IDIV r/m32', 'F7 /7'],
    ['IDIV r/m64', 'REX.W F7 /7'],
  ]),
] as const;

/** Addition, subtraction, comparison: the lines of the manual. */
import { instruction } from '../row.ts';
import { ADC, ADD } from '../semantics/arithmetic.ts';

const STATUS = 'OF SF ZF AF PF CF';

export const arithmetic = [
  instruction(ADD, { writes: STATUS, lock: true }, [
    ['ADD r/m8, r8', '00 /r'],
    ['ADD r/m16, r16', '01 /r'],
    ['ADD r/m32, r32', '01 /r'],
    ['ADD r/m64, r64', 'REX.W 01 /r'],
    ['ADD r8, r/m8', '02 /r'],
    ['ADD r16, r/m16', '03 /r'],
    ['ADD r32, r/m32', '03 /r'],
    ['ADD r64, r/m64', 'REX.W 03 /r'],
    ['ADD AL, imm8', '04 ib'],
    ['ADD AX, imm16', '05 iw'],
    ['ADD EAX, imm32', '05 id'],
    ['ADD RAX, imm32', 'REX.W 05 id'],
    ['ADD r/m8, imm8', '80 /0 ib'],
    ['ADD r/m16, imm16', '81 /0 iw'],
    ['ADD r/m32, imm32', '81 /0 id'],
    ['ADD r/m64, imm32', 'REX.W 81 /0 id'],
    ['ADD r/m16, imm8', '83 /0 ib'],
    ['ADD r/m32, imm8', '83 /0 ib'],
    ['ADD r/m64, imm8', 'REX.W 83 /0 ib'],
  ]),
  instruction(ADC, { reads: 'CF', writes: STATUS, lock: true }, [
    ['ADC r/m64, r64', 'REX.W 11 /r'],
  ]),
] as const;

/** Stack instructions: the lines of the manual. Segment registers and RFLAGS are in system tables. */
import { instruction } from '../row.ts';
import { ENTER, LEAVE, POP, POPA, PUSH, PUSHA } from '../semantics/stack.ts';

export const stack = [
  instruction(PUSH, { size64: 'default' }, [
    ['PUSH r16', '50+rw'],
    ['PUSH r32', '50+rd', { modes: 'legacy' }],
    ['PUSH r64', '50+ro'],
    ['PUSH r/m16', 'FF /6'],
    ['PUSH r/m32', 'FF /6', { modes: 'legacy' }],
    ['PUSH r/m64', 'FF /6'],
    ['PUSH imm8', '6A ib', { width: 'effective' }],
    ['PUSH imm16', '68 iw', { size: 16 }],
    ['PUSH imm32', '68 id', { width: 'effective' }],
  ]),
  instruction(POP, { size64: 'default' }, [
    ['POP r16', '58+rw'],
    ['POP r32', '58+rd', { modes: 'legacy' }],
    ['POP r64', '58+ro'],
    ['POP r/m16', '8F /0'],
    ['POP r/m32', '8F /0', { modes: 'legacy' }],
    ['POP r/m64', '8F /0'],
  ]),
  instruction(PUSHA, { modes: 'legacy' }, [
    ['PUSHA', '60', { size: 16 }],
    ['PUSHAD', '60', { size: 32 }],
  ]),
  instruction(POPA, { modes: 'legacy' }, [
    ['POPA', '61', { size: 16 }],
    ['POPAD', '61', { size: 32 }],
  ]),
  instruction(ENTER, { size64: 'default' }, [
    ['ENTER imm16, imm8', 'C8 iw ib'],
  ]),
  instruction(LEAVE, { size64: 'default' }, [
    ['LEAVE', 'C9'],
  ]),
] as const;

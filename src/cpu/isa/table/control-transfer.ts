/** Near branches, loops, calls and returns: the lines of the manual. Far transfers are in system tables. */
import { instruction } from '../row.ts';
import { BOUND, CALL, JCXZ, JMP, Jcc, LOOP, LOOPE, LOOPNE, RET, UD } from '../semantics/control-transfer.ts';

export const controlTransfer = [
  instruction(JMP, { size64: 'forced' }, [
    ['JMP rel8', 'EB cb'],
    ['JMP rel16', 'E9 cw', { modes: 'legacy' }],
    ['JMP rel32', 'E9 cd'],
    ['JMP r/m16', 'FF /4', { modes: 'legacy' }],
    ['JMP r/m32', 'FF /4', { modes: 'legacy' }],
    ['JMP r/m64', 'FF /4'],
  ]),
  instruction(Jcc, { size64: 'forced', reads: 'OF SF ZF PF CF' }, [
    ['Jcc rel8', '70+tttn cb'],
    ['Jcc rel16', '0F 80+tttn cw', { modes: 'legacy' }],
    ['Jcc rel32', '0F 80+tttn cd'],
  ]),
  instruction(JCXZ, { size64: 'forced' }, [
    ['JCXZ rel8', 'E3 cb', { modes: 'legacy', addressSize: 16 }],
    ['JECXZ rel8', 'E3 cb', { addressSize: 32 }],
    ['JRCXZ rel8', 'E3 cb', { modes: '64', addressSize: 64 }],
  ]),
  instruction(LOOP, { size64: 'forced' }, [
    ['LOOP rel8', 'E2 cb'],
  ]),
  instruction(LOOPE, { size64: 'forced', reads: 'ZF' }, [
    ['LOOPE rel8', 'E1 cb'],
  ]),
  instruction(LOOPNE, { size64: 'forced', reads: 'ZF' }, [
    ['LOOPNE rel8', 'E0 cb'],
  ]),
  instruction(CALL, { size64: 'forced' }, [
    ['CALL rel16', 'E8 cw', { modes: 'legacy' }],
    ['CALL rel32', 'E8 cd'],
    ['CALL r/m16', 'FF /2', { modes: 'legacy' }],
    ['CALL r/m32', 'FF /2', { modes: 'legacy' }],
    ['CALL r/m64', 'FF /2'],
  ]),
  instruction(RET, { size64: 'forced' }, [
    ['RET', 'C3'],
    ['RET imm16', 'C2 iw'],
  ]),
  instruction(BOUND, { modes: 'legacy' }, [
    ['BOUND r16, m16&16', '62 /r'],
    ['BOUND r32, m32&32', '62 /r'],
  ]),
  instruction(UD, {}, [
    ['UD2', '0F 0B'],
    ['UD1 r16, r/m16', '0F B9 /r'],
    ['UD1 r32, r/m32', '0F B9 /r'],
    ['UD1 r64, r/m64', 'REX.W 0F B9 /r'],
    ['UD0 r16, r/m16', '0F FF /r'],
    ['UD0 r32, r/m32', '0F FF /r'],
    ['UD0 r64, r/m64', 'REX.W 0F FF /r'],
  ]),
] as const;

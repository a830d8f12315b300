/** String instructions: the lines of the manual. INS and OUTS are in system tables. */
import { instruction } from '../row.ts';
import { CMPS, LODS, MOVS, SCAS, STOS } from '../semantics/string.ts';

export const string = [
  instruction(MOVS, { reads: 'DF', repeat: 'rep' }, [
    ['MOVSB', 'A4', { width: 8 }],
    ['MOVSW', 'A5', { size: 16 }],
    ['MOVSD', 'A5', { size: 32 }],
    ['MOVSQ', 'REX.W A5'],
  ]),
  instruction(CMPS, { reads: 'DF', writes: 'OF SF ZF AF PF CF', repeat: 'repe' }, [
    ['CMPSB', 'A6', { width: 8 }],
    ['CMPSW', 'A7', { size: 16 }],
    ['CMPSD', 'A7', { size: 32 }],
    ['CMPSQ', 'REX.W A7'],
  ]),
  instruction(STOS, { reads: 'DF', repeat: 'rep' }, [
    ['STOSB', 'AA', { width: 8 }],
    ['STOSW', 'AB', { size: 16 }],
    ['STOSD', 'AB', { size: 32 }],
    ['STOSQ', 'REX.W AB'],
  ]),
  instruction(LODS, { reads: 'DF', repeat: 'rep' }, [
    ['LODSB', 'AC', { width: 8 }],
    ['LODSW', 'AD', { size: 16 }],
    ['LODSD', 'AD', { size: 32 }],
    ['LODSQ', 'REX.W AD'],
  ]),
  instruction(SCAS, { reads: 'DF', writes: 'OF SF ZF AF PF CF', repeat: 'repe' }, [
    ['SCASB', 'AE', { width: 8 }],
    ['SCASW', 'AF', { size: 16 }],
    ['SCASD', 'AF', { size: 32 }],
    ['SCASQ', 'REX.W AF'],
  ]),
] as const;

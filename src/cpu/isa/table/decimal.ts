/** Decimal arithmetic of legacy and compatibility mode: the lines of the manual. */
import { instruction } from '../row.ts';
import { AAA, AAD, AAM, AAS, DAA, DAS } from '../semantics/decimal.ts';

export const decimal = [
  instruction(DAA, { modes: 'legacy', width: 8, reads: 'CF AF', writes: 'SF ZF AF PF CF', undefined: 'OF' }, [
    ['DAA', '27'],
  ]),
  instruction(DAS, { modes: 'legacy', width: 8, reads: 'CF AF', writes: 'SF ZF AF PF CF', undefined: 'OF' }, [
    ['DAS', '2F'],
  ]),
  instruction(AAA, { modes: 'legacy', width: 16, reads: 'AF', writes: 'AF CF', undefined: 'OF SF ZF PF' }, [
    ['AAA', '37', { size: 'any' }],
  ]),
  instruction(AAS, { modes: 'legacy', width: 16, reads: 'AF', writes: 'AF CF', undefined: 'OF SF ZF PF' }, [
    ['AAS', '3F', { size: 'any' }],
  ]),
  instruction(AAM, { modes: 'legacy', width: 8, writes: 'SF ZF PF', undefined: 'OF AF CF' }, [
    ['AAM imm8', 'D4 ib'],
  ]),
  instruction(AAD, { modes: 'legacy', width: 8, writes: 'SF ZF PF', undefined: 'OF AF CF' }, [
    ['AAD imm8', 'D5 ib'],
  ]),
] as const;

/** Decimal arithmetic by example: legacy and compatibility mode only. */
import { DE, example, instruction, UD } from '../../support/example.ts';

const legacy = { bits: 32 } as const;

instruction('DAA', () => {
  example('carries a decimal digit', 'daa', { rax: 0x0an }, { rax: 0x10n, AF: 1 }, legacy);
  example('carries out of the upper digit', 'daa', { rax: 0x9an }, { rax: 0n, CF: 1, AF: 1, ZF: 1, PF: 1 }, legacy);
  example('does not exist in 64-bit mode', 'daa', {}, { fault: UD }, { bytes: [0x27] });
});
instruction('DAS', () => {
  example('borrows a decimal digit', 'das', { rax: 0x1fn, AF: 1 }, { rax: 0x19n, AF: 1 }, legacy);
  example('borrows out of the upper digit', 'das', { rax: 0xffn, CF: 1, AF: 1 }, { rax: 0x99n, CF: 1, AF: 1, PF: 1, SF: 1 }, legacy);
});
instruction('AAA', () => {
  example('moves a carry from AL into AH', 'aaa', { rax: 0x000fn }, { rax: 0x0105n, CF: 1, AF: 1 }, legacy);
  example('clears the upper digit of AL', 'aaa', { rax: 0x0035n }, { rax: 0x0005n }, legacy);
});
instruction('AAS', () => {
  example('moves a borrow from AL into AH', 'aas', { rax: 0x02ffn }, { rax: 0x0109n, CF: 1, AF: 1 }, legacy);
});
instruction('AAM', () => {
  example('splits AL into decimal digits', 'aam 10', { rax: 123n }, { rax: 0x0c03n, PF: 1 }, legacy);
  example('by zero is #DE', 'aam 0', { rax: 123n }, { fault: DE }, legacy);
});
instruction('AAD', () => {
  example('joins two decimal digits', 'aad 10', { rax: 0x0407n }, { rax: 47n }, legacy);
});

/** String instructions by example. */
import { example, instruction, MEMORY, PF, READ_ONLY, STACK, UNMAPPED } from '../../support/example.ts';

instruction('MOVSB', () => {
  example('moves a byte and both pointers', 'movsb', { rsi: MEMORY, rdi: MEMORY + 1n, bytes: [7, 0] }, { rsi: MEMORY + 1n, rdi: MEMORY + 2n, bytes: [7, 7] });
  example('moves them down where DF is set', 'movsb', { rsi: MEMORY, rdi: MEMORY + 1n, bytes: [7, 0], DF: 1 }, { rsi: MEMORY - 1n, rdi: MEMORY, bytes: [7, 7] });
  example('REP moves RCX of them, byte by byte where they overlap', 'rep movsb', { rsi: MEMORY, rdi: MEMORY + 1n, rcx: 4n, bytes: [7, 1, 2, 3, 4] }, { rsi: MEMORY + 4n, rdi: MEMORY + 5n, rcx: 0n, bytes: [7, 7, 7, 7, 7] });
  example('REP with RCX = 0 does nothing', 'rep movsb', { rsi: UNMAPPED, rdi: UNMAPPED, rcx: 0n }, {});
  example('REP with ECX = 0 and 32-bit addresses still clears the upper halves', 'rep movsb', { rcx: 0xffff_ffff_0000_0000n, rsi: MEMORY | 0xf_0000_0000n, rdi: MEMORY | 0xf_0000_0000n }, { rcx: 0n, rsi: MEMORY, rdi: MEMORY }, { bytes: [0xf3, 0x67, 0xa4] });
  example('a fault in the middle keeps what is done', 'rep stosb', { rax: 0xffn, rdi: READ_ONLY - 2n, rcx: 5n, rsp: READ_ONLY - 8n, stack: [0n] }, { rdi: READ_ONLY, rcx: 3n, stack: [0xffff_0000_0000_0000n], fault: PF(READ_ONLY, { write: true, present: true }) });
});
instruction('MOVSW', () => { example('moves two bytes', 'movsw', { rsi: MEMORY, rdi: MEMORY + 2n, bytes: [1, 2, 0, 0] }, { rsi: MEMORY + 2n, rdi: MEMORY + 4n, bytes: [1, 2, 1, 2] }); });
instruction('MOVSD', () => { example('moves four bytes', 'movsd', { rsi: MEMORY, rdi: MEMORY + 4n, bytes: [1, 2, 3, 4, 0, 0, 0, 0] }, { rsi: MEMORY + 4n, rdi: MEMORY + 8n, bytes: [1, 2, 3, 4, 1, 2, 3, 4] }); });
instruction('MOVSQ', () => {
  example('moves eight bytes', 'movsq', { rsi: MEMORY, rdi: STACK, qword: 0x1234n }, { rsi: MEMORY + 8n, rdi: STACK + 8n, stack: [0x1234n] });
  example('with a 32-bit address size uses ESI and EDI and clears their upper halves', 'movsq', { rsi: MEMORY | 0xf_0000_0000n, rdi: STACK | 0xf_0000_0000n, qword: 0x1234n }, { rsi: MEMORY + 8n, rdi: STACK + 8n, stack: [0x1234n] }, { bytes: [0x67, 0x48, 0xa5] });
});
instruction('CMPSB', () => {
  example('compares [RSI] with [RDI]', 'cmpsb', { rsi: MEMORY, rdi: MEMORY + 1n, bytes: [5, 6] }, { rsi: MEMORY + 1n, rdi: MEMORY + 2n, CF: 1, PF: 1, AF: 1, SF: 1 });
  example('REPE stops behind the first difference', 'repe cmpsb', { rsi: MEMORY, rdi: MEMORY + 4n, rcx: 4n, bytes: [1, 2, 9, 4, 1, 2, 3, 4] }, { rsi: MEMORY + 3n, rdi: MEMORY + 7n, rcx: 1n, PF: 1 });
  example('REPNE stops behind the first match', 'repne cmpsb', { rsi: MEMORY, rdi: MEMORY + 2n, rcx: 2n, bytes: [1, 2, 1, 9] }, { rsi: MEMORY + 1n, rdi: MEMORY + 3n, rcx: 1n, ZF: 1, PF: 1 });
  example('where both operands fault, ES:RDI is reported', 'cmpsb', { rsi: UNMAPPED + 1n, rdi: UNMAPPED + 2n }, { fault: PF(UNMAPPED + 2n) });
});
instruction('CMPSW', () => { example('compares two bytes', 'cmpsw', { rsi: MEMORY, rdi: MEMORY + 2n, bytes: [1, 2, 1, 2] }, { rsi: MEMORY + 2n, rdi: MEMORY + 4n, ZF: 1, PF: 1 }); });
instruction('CMPSD', () => { example('compares four bytes', 'cmpsd', { rsi: MEMORY, rdi: MEMORY, dword: 5n }, { rsi: MEMORY + 4n, rdi: MEMORY + 4n, ZF: 1, PF: 1 }); });
instruction('CMPSQ', () => { example('compares eight bytes', 'cmpsq', { rsi: MEMORY, rdi: MEMORY, qword: 5n }, { rsi: MEMORY + 8n, rdi: MEMORY + 8n, ZF: 1, PF: 1 }); });
instruction('STOSB', () => { example('stores AL', 'stosb', { rdi: MEMORY, rax: 0x1234n }, { rdi: MEMORY + 1n, byte: 0x34n }); });
instruction('STOSW', () => { example('stores AX', 'stosw', { rdi: MEMORY, rax: 0x1234n }, { rdi: MEMORY + 2n, word: 0x1234n }); });
instruction('STOSD', () => { example('REP fills memory', 'rep stosd', { rdi: MEMORY, rax: 7n, rcx: 2n }, { rdi: MEMORY + 8n, rcx: 0n, qword: 0x7_0000_0007n }); });
instruction('STOSQ', () => { example('faults before it moves RDI', 'stosq', { rdi: READ_ONLY }, { fault: PF(READ_ONLY, { write: true, present: true }) }); });
instruction('LODSB', () => { example('loads AL', 'lodsb', { rsi: MEMORY, byte: 0x5an, rax: 0xff00n }, { rsi: MEMORY + 1n, rax: 0xff5an }); });
instruction('LODSW', () => { example('loads AX', 'lodsw', { rsi: MEMORY, word: 0x5a5an, rax: 0xff_0000n }, { rsi: MEMORY + 2n, rax: 0xff_5a5an }); });
instruction('LODSD', () => { example('loads EAX and clears the upper half', 'lodsd', { rsi: MEMORY, dword: 5n, rax: 0xffff_ffff_ffff_ffffn }, { rsi: MEMORY + 4n, rax: 5n }); });
instruction('LODSQ', () => { example('REP leaves the last element', 'rep lodsq', { rsi: MEMORY - 8n, qword: 5n, rcx: 2n }, { rsi: MEMORY + 8n, rcx: 0n, rax: 5n }); });
instruction('SCASB', () => {
  example('REPNE finds AL', 'repne scasb', { rdi: MEMORY, rax: 3n, rcx: 9n, bytes: [1, 2, 3, 4] }, { rdi: MEMORY + 3n, rcx: 6n, ZF: 1, PF: 1 });
});
instruction('SCASW', () => { example('compares AX with [RDI]', 'scasw', { rdi: MEMORY, rax: 5n, word: 5n }, { rdi: MEMORY + 2n, ZF: 1, PF: 1 }); });
instruction('SCASD', () => { example('compares EAX with [RDI]', 'scasd', { rdi: MEMORY, rax: 0n, dword: 1n }, { rdi: MEMORY + 4n, CF: 1, PF: 1, AF: 1, SF: 1 }); });
instruction('SCASQ', () => { example('REPE skips what equals RAX', 'repe scasq', { rdi: MEMORY, rax: 5n, rcx: 1n, qword: 5n }, { rdi: MEMORY + 8n, rcx: 0n, ZF: 1, PF: 1 }); });

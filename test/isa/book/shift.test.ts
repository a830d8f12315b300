/** Shifts and rotates by example. */
import { example, instruction, MEMORY } from '../../support/example.ts';

instruction('SHL', () => {
  example('shifts the top bit into CF', 'shl rax, 1', { rax: 0x8000_0000_0000_0001n }, { rax: 2n, CF: 1, OF: 1 });
  example('takes a count modulo 32', 'shl eax, cl', { rax: 3n, rcx: 33n }, { rax: 6n, PF: 1 });
  example('takes a count modulo 64 for 64 bits', 'shl rax, cl', { rax: 3n, rcx: 65n }, { rax: 6n, PF: 1 });
  example('by zero changes no flag, but clears the upper half of a 32-bit register', 'shl eax, cl', { rax: 0xffff_ffff_0000_0001n, rcx: 0n, CF: 1, ZF: 1, OF: 1 }, { rax: 1n });
  example('by more than its 8 bits leaves zero', 'shl byte ptr [rdi], 9', { rdi: MEMORY, byte: 0xffn }, { byte: 0n, ZF: 1, PF: 1 });
});
instruction('SAL', () => {
  example('/6 is an alias of SHL', 'shl eax, 1', { rax: 1n }, { rax: 2n }, { bytes: [0xd1, 0xf0] });
});
instruction('SHR', () => {
  example('shifts zeros in from the top', 'shr rax, 4', { rax: 0x8000_0000_0000_0008n }, { rax: 0x0800_0000_0000_0000n, CF: 1, PF: 1 });
  example('by one sets OF to the old sign', 'shr al, 1', { rax: 0x80n }, { rax: 0x40n, OF: 1 });
});
instruction('SAR', () => {
  example('copies the sign in from the top', 'sar rax, 63', { rax: 0x8000_0000_0000_0000n }, { rax: 0xffff_ffff_ffff_ffffn, PF: 1, SF: 1 });
  example('by more than its 16 bits leaves the sign everywhere', 'sar ax, 31', { rax: 0x8000n }, { rax: 0xffffn, CF: 1, PF: 1, SF: 1 });
});
instruction('ROL', () => {
  example('brings the top bit round into bit 0 and CF', 'rol rax, 1', { rax: 0x8000_0000_0000_0000n }, { rax: 1n, CF: 1, OF: 1 });
  example('leaves SF ZF PF AF', 'rol al, cl', { rax: 0x12n, rcx: 4n, ZF: 1, SF: 1 }, { rax: 0x21n, CF: 1 });
  example('by its whole width keeps the value and sets CF', 'rol al, cl', { rax: 0x01n, rcx: 8n }, { CF: 1 });
});
instruction('ROR', () => {
  example('brings bit 0 round into the top bit and CF', 'ror eax, 1', { rax: 1n }, { rax: 0x8000_0000n, CF: 1, OF: 1 });
});
instruction('RCL', () => {
  example('rotates CF into bit 0', 'rcl rax, 1', { rax: 0n, CF: 1 }, { rax: 1n, CF: 0 });
  example('an 8-bit operand and CF come round after nine', 'rcl al, cl', { rax: 0xa5n, rcx: 9n, CF: 1 }, {});
  example('by its whole width plus carry keeps OF where the manual leaves it open', 'rcl ax, cl', { rax: 0x8001n, rcx: 17n, CF: 1 }, {});
});
instruction('RCR', () => {
  example('rotates CF into the top bit', 'rcr rax, 1', { rax: 1n, CF: 1 }, { rax: 0x8000_0000_0000_0000n, CF: 1, OF: 1 });
});
instruction('SHLD', () => {
  example('fills from the top of the source', 'shld rax, rbx, 8', { rax: 0x11n, rbx: 0xab00_0000_0000_0000n }, { rax: 0x11abn, CF: 0 });
  example('by zero changes nothing', 'shld rax, rbx, cl', { rax: 1n, rbx: 2n, rcx: 0n, ZF: 1 }, {});
});
instruction('SHRD', () => {
  example('fills from the bottom of the source', 'shrd eax, ebx, 8', { rax: 0x1122_3344n, rbx: 0xabn }, { rax: 0xab11_2233n, SF: 1, PF: 1 });
});

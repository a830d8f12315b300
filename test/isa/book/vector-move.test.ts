/** Moves of XMM registers by example. */
import { example, GP, instruction, MEMORY, PF, READ_ONLY, UNMAPPED } from '../../support/example.ts';

const A = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeffn;
const B = 0xf0e0_d0c0_b0a0_9080_7060_5040_3020_1000n;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const ALIGNED = ['movaps', 'movapd', 'movdqa'] as const;
const UNALIGNED = ['movups', 'movupd', 'movdqu'] as const;

function aligned(name: (typeof ALIGNED)[number]): void {
  example('copies a register', `${name} xmm1, xmm2`, { xmm1: A, xmm2: B }, { xmm1: B });
  example('loads 16 bytes', `${name} xmm9, xmmword ptr [rdi]`, { rdi: MEMORY, xmmword: A }, { xmm9: A });
  example('stores 16 bytes', `${name} xmmword ptr [rdi+16], xmm3`, { rdi: MEMORY - 16n, xmm3: A }, { xmmword: A });
  example('refuses an address that is not a multiple of 16', `${name} xmm1, xmmword ptr [rdi]`, { rdi: MEMORY + 8n }, { fault: GP });
}
function unaligned(name: (typeof UNALIGNED)[number]): void {
  example('loads from any address', `${name} xmm1, xmmword ptr [rdi+1]`, { rdi: MEMORY - 1n, xmmword: A }, { xmm1: A });
  example('stores to any address', `${name} xmmword ptr [rdi-3], xmm1`, { rdi: MEMORY + 3n, xmm1: A }, { xmmword: A });
  example('a store across two pages writes neither where the second faults', `${name} xmmword ptr [rdi], xmm1`, { rdi: READ_ONLY - 9n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
  example('a load across two pages reports the first byte that is not there', `${name} xmm1, xmmword ptr [rdi]`, { rdi: UNMAPPED - 1n }, { fault: PF(UNMAPPED) });
}
instruction('MOVAPS', () => { aligned('movaps'); });
instruction('MOVAPD', () => { aligned('movapd'); });
instruction('MOVDQA', () => { aligned('movdqa'); });
instruction('MOVUPS', () => { unaligned('movups'); });
instruction('MOVUPD', () => { unaligned('movupd'); });
instruction('MOVDQU', () => { unaligned('movdqu'); });

instruction('MOVSS', () => {
  example('from memory clears the bits above', 'movss xmm1, dword ptr [rdi]', { rdi: MEMORY, dword: 0x3f80_0000n, xmm1: A }, { xmm1: 0x3f80_0000n });
  example('from a register keeps them', 'movss xmm1, xmm2', { xmm1: A, xmm2: B }, { xmm1: 0x0011_2233_4455_6677_8899_aabb_3020_1000n });
  example('stores 32 bits', 'movss dword ptr [rdi], xmm1', { rdi: MEMORY, xmm1: A }, { dword: 0xccdd_eeffn });
});
instruction('MOVSD', () => {
  example('from memory clears the high half', 'movsd xmm1, qword ptr [rdi]', { rdi: MEMORY, qword: 0x3ff0_0000_0000_0000n, xmm1: A }, { xmm1: 0x3ff0_0000_0000_0000n });
  example('from a register keeps it', 'movsd xmm1, xmm2', { xmm1: A, xmm2: B }, { xmm1: 0x0011_2233_4455_6677_7060_5040_3020_1000n });
  example('stores 64 bits', 'movsd qword ptr [rdi], xmm12', { rdi: MEMORY, xmm12: A }, { qword: 0x8899_aabb_ccdd_eeffn });
});
instruction('MOVD', () => {
  example('from a general register clears the bits above', 'movd xmm1, eax', { rax: ALL_ONES, xmm1: A }, { xmm1: 0xffff_ffffn });
  example('to a general register clears its upper half', 'movd eax, xmm1', { rax: ALL_ONES, xmm1: A }, { rax: 0xccdd_eeffn });
  example('stores 32 bits', 'movd dword ptr [rdi], xmm1', { rdi: MEMORY, xmm1: A }, { dword: 0xccdd_eeffn });
});
instruction('MOVQ', () => {
  example('from a general register clears the high half', 'movq xmm1, rax', { rax: 5n, xmm1: A }, { xmm1: 5n });
  example('to a general register', 'movq r9, xmm1', { xmm1: A }, { r9: 0x8899_aabb_ccdd_eeffn });
  example('between registers clears the high half', 'movq xmm1, xmm2', { xmm1: A, xmm2: B }, { xmm1: 0x7060_5040_3020_1000n });
  example('stores 64 bits', 'movq qword ptr [rdi], xmm1', { rdi: MEMORY, xmm1: A }, { qword: 0x8899_aabb_ccdd_eeffn });
  example('the other encoding of the register move clears the high half too', 'movq xmm2, xmm1', { xmm1: A, xmm2: B }, { xmm2: 0x8899_aabb_ccdd_eeffn }, { bytes: [0x66, 0x0f, 0xd6, 0xca] });
});

function lowHalf(name: 'movlps' | 'movlpd'): void {
  example('loads the low half and keeps the high one', `${name} xmm1, qword ptr [rdi]`, { rdi: MEMORY, qword: 7n, xmm1: A }, { xmm1: 0x0011_2233_4455_6677_0000_0000_0000_0007n });
  example('stores the low half', `${name} qword ptr [rdi], xmm1`, { rdi: MEMORY, xmm1: A }, { qword: 0x8899_aabb_ccdd_eeffn });
}
function highHalf(name: 'movhps' | 'movhpd'): void {
  example('loads the high half and keeps the low one', `${name} xmm1, qword ptr [rdi]`, { rdi: MEMORY, qword: 7n, xmm1: A }, { xmm1: 0x0000_0000_0000_0007_8899_aabb_ccdd_eeffn });
  example('stores the high half', `${name} qword ptr [rdi], xmm1`, { rdi: MEMORY, xmm1: A }, { qword: 0x0011_2233_4455_6677n });
  example('needs no alignment', `${name} qword ptr [rdi+1], xmm1`, { rdi: MEMORY - 1n, xmm1: A }, { qword: 0x0011_2233_4455_6677n });
}
instruction('MOVLPS', () => { lowHalf('movlps'); });
instruction('MOVLPD', () => { lowHalf('movlpd'); });
instruction('MOVHPS', () => { highHalf('movhps'); });
instruction('MOVHPD', () => { highHalf('movhpd'); });
instruction('MOVHLPS', () => {
  example('copies a high half into a low one', 'movhlps xmm1, xmm2', { xmm1: A, xmm2: B }, { xmm1: 0x0011_2233_4455_6677_f0e0_d0c0_b0a0_9080n });
});
instruction('MOVLHPS', () => {
  example('copies a low half into a high one', 'movlhps xmm1, xmm2', { xmm1: A, xmm2: B }, { xmm1: 0x7060_5040_3020_1000_8899_aabb_ccdd_eeffn });
});

function nonTemporal(name: 'movntps' | 'movntpd' | 'movntdq'): void {
  example('stores 16 bytes', `${name} xmmword ptr [rdi], xmm1`, { rdi: MEMORY, xmm1: A }, { xmmword: A });
  example('refuses an address that is not a multiple of 16', `${name} xmmword ptr [rdi], xmm1`, { rdi: MEMORY + 4n }, { fault: GP });
}
instruction('MOVNTPS', () => { nonTemporal('movntps'); });
instruction('MOVNTPD', () => { nonTemporal('movntpd'); });
instruction('MOVNTDQ', () => { nonTemporal('movntdq'); });
instruction('MOVNTI', () => {
  example('stores a general register', 'movnti dword ptr [rdi], eax', { rdi: MEMORY, rax: ALL_ONES - 1n }, { dword: 0xffff_fffen });
  example('stores 64 bits', 'movnti qword ptr [rdi], rax', { rdi: MEMORY, rax: 9n }, { qword: 9n });
});
instruction('MASKMOVDQU', () => {
  example('stores the bytes whose mask has bit 7 set', 'maskmovdqu xmm1, xmm2', { rdi: MEMORY, qword: 0n, xmm1: A, xmm2: 0x80_7f00_0080_00ffn }, { qword: 0x99_0000_00dd_00ffn });
  example('faults like a store of all sixteen bytes', 'maskmovdqu xmm1, xmm2', { rdi: READ_ONLY, xmm2: 0n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
});

instruction('MOVMSKPS', () => { example('collects four signs', 'movmskps eax, xmm1', { rax: ALL_ONES, xmm1: 0x8000_0000_7fff_ffff_0000_0000_ffff_ffffn }, { rax: 0b1001n }); });
instruction('MOVMSKPD', () => { example('collects two signs', 'movmskpd eax, xmm1', { rax: ALL_ONES, xmm1: B }, { rax: 0b10n }); });
instruction('PMOVMSKB', () => { example('collects sixteen signs', 'pmovmskb r8d, xmm1', { r8: ALL_ONES, xmm1: B }, { r8: 0xff00n }); });

instruction('LDMXCSR', () => {
  example('loads MXCSR', 'ldmxcsr dword ptr [rdi]', { rdi: MEMORY, dword: 0x7fc5n }, { mxcsr: 0x7fc5 });
  example('refuses bits that are reserved', 'ldmxcsr dword ptr [rdi]', { rdi: MEMORY, dword: 0x1_0000n }, { fault: GP });
});
instruction('STMXCSR', () => {
  example('stores MXCSR', 'stmxcsr dword ptr [rdi]', { rdi: MEMORY, mxcsr: 0x9fa1 }, { dword: 0x9fa1n });
});

/** Instructions on YMM registers that are more than an SSE instruction twice, by example. */
import { example, GP, instruction, MEMORY, PF, READ_ONLY, UNMAPPED } from '../../support/example.ts';

const LOW = 0x1111_2222_3333_4444_5555_6666_7777_8888n, HIGH = 0x9999_aaaa_bbbb_cccc_dddd_eeee_ffff_0000n;
const BOTH = (HIGH << 128n) | LOW;
/** The four bytes of the lowest lanes of four floating-point numbers, and of two. */
const SINGLES = (...lanes: readonly number[]): bigint => lanes.reduceRight((v, lane) => (v << 32n) | BigInt(new Uint32Array(Float32Array.of(lane).buffer)[0]!), 0n);
const DOUBLES = (...lanes: readonly number[]): bigint => lanes.reduceRight((v, lane) => (v << 64n) | new BigUint64Array(Float64Array.of(lane).buffer)[0]!, 0n);
const INTEGERS = (...lanes: readonly number[]): bigint => lanes.reduceRight((v, lane) => (v << 32n) | BigInt(lane >>> 0), 0n);

/** A move of all bits, between registers and from and to memory. */
function moves(name: string, alignment: 'aligned' | 'any'): void {
  example('clears bits 255:128 where it moves 128', `${name} xmm0, xmm1`, { ymm1: BOTH }, { xmm0: LOW });
  example('moves all of a YMM register', `${name} ymm0, ymm1`, { ymm1: BOTH }, { ymm0: BOTH });
  example('loads', `${name} xmm9, xmmword ptr [rdi]`, { rdi: MEMORY, xmmword: LOW }, { xmm9: LOW });
  example('loads', `${name} ymm9, ymmword ptr [rdi]`, { rdi: MEMORY, ymmword: BOTH }, { ymm9: BOTH });
  example('stores', `${name} xmmword ptr [rdi], xmm1`, { rdi: MEMORY, ymm1: BOTH }, { xmmword: LOW });
  example('stores', `${name} ymmword ptr [rdi], ymm1`, { rdi: MEMORY, ymm1: BOTH }, { ymmword: BOTH });
  if (alignment === 'aligned') {
    example('needs addresses that are multiples of 32', `${name} ymm1, ymmword ptr [rdi+16]`, { rdi: MEMORY }, { fault: GP });
    example('does so when it stores, too', `${name} ymmword ptr [rdi+16], ymm1`, { rdi: MEMORY }, { fault: GP });
  } else {
    example('takes any address', `${name} ymm1, ymmword ptr [rdi-1]`, { rdi: MEMORY + 1n, ymmword: BOTH }, { ymm1: BOTH });
    example('stores nothing where its second half may not be', `${name} ymmword ptr [rdi], ymm1`, { rdi: READ_ONLY - 16n, ymm1: BOTH }, { fault: PF(READ_ONLY, { write: true, present: true }) });
    example('loads nothing where its second half is not there', `${name} ymm1, ymmword ptr [rdi]`, { rdi: UNMAPPED - 16n }, { fault: PF(UNMAPPED) });
  }
}
instruction('VMOVAPS', () => { moves('vmovaps', 'aligned'); });
instruction('VMOVAPD', () => { moves('vmovapd', 'aligned'); });
instruction('VMOVDQA', () => { moves('vmovdqa', 'aligned'); });
instruction('VMOVUPS', () => { moves('vmovups', 'any'); });
instruction('VMOVUPD', () => { moves('vmovupd', 'any'); });
instruction('VMOVDQU', () => { moves('vmovdqu', 'any'); });
instruction('VLDDQU', () => {
  example('loads from any address', 'vlddqu xmm1, xmmword ptr [rdi-3]', { rdi: MEMORY + 3n, xmmword: LOW }, { xmm1: LOW });
  example('loads from any address', 'vlddqu ymm1, ymmword ptr [rdi-3]', { rdi: MEMORY + 3n, ymmword: BOTH }, { ymm1: BOTH });
});
/** A store, or a load, that tells caches not to keep what it moves. */
function nonTemporal(name: string, what: 'store' | 'load'): void {
  for (const [register, size, value, bytes] of [['xmm1', 'xmmword', LOW, 16n], ['ymm1', 'ymmword', BOTH, 32n]] as const) {
    const memory = `${size} ptr [rdi]`, text = what === 'store' ? `${name} ${memory}, ${register}` : `${name} ${register}, ${memory}`;
    if (what === 'store') example('stores', text, { rdi: MEMORY, [register]: value }, { [size]: value });
    else example('loads', text, { rdi: MEMORY, [size]: value }, { [register]: value });
    example(`needs an address that is a multiple of ${bytes}`, text, { rdi: MEMORY + bytes / 2n }, { fault: GP });
  }
}
instruction('VMOVNTPS', () => { nonTemporal('vmovntps', 'store'); });
instruction('VMOVNTPD', () => { nonTemporal('vmovntpd', 'store'); });
instruction('VMOVNTDQ', () => { nonTemporal('vmovntdq', 'store'); });
instruction('VMOVNTDQA', () => { nonTemporal('vmovntdqa', 'load'); });
instruction('VMOVSS', () => {
  example('takes the bits above from the first source', 'vmovss xmm0, xmm1, xmm2', { xmm1: LOW, xmm2: HIGH }, { xmm0: (LOW & ~0xffff_ffffn) | 0xffff_0000n });
  example('does the same in its other encoding', 'vmovss xmm0, xmm1, xmm2', { xmm1: LOW, xmm2: HIGH }, { xmm0: (LOW & ~0xffff_ffffn) | 0xffff_0000n }, { bytes: [0xc5, 0xf2, 0x11, 0xd0] });
  example('has zeros above what it loads', 'vmovss xmm0, dword ptr [rdi]', { rdi: MEMORY, dword: 7n }, { xmm0: 7n });
  example('stores 32 bits', 'vmovss dword ptr [rdi], xmm1', { rdi: MEMORY, xmm1: LOW }, { dword: 0x7777_8888n });
});
instruction('VMOVSD', () => {
  example('takes the bits above from the first source', 'vmovsd xmm0, xmm1, xmm2', { xmm1: LOW, xmm2: HIGH }, { xmm0: (LOW & ~0xffff_ffff_ffff_ffffn) | 0xdddd_eeee_ffff_0000n });
  example('does the same in its other encoding', 'vmovsd xmm0, xmm1, xmm2', { xmm1: LOW, xmm2: HIGH }, { xmm0: (LOW & ~0xffff_ffff_ffff_ffffn) | 0xdddd_eeee_ffff_0000n }, { bytes: [0xc5, 0xf3, 0x11, 0xd0] });
  example('has zeros above what it loads', 'vmovsd xmm0, qword ptr [rdi]', { rdi: MEMORY, qword: 7n }, { xmm0: 7n });
  example('stores 64 bits', 'vmovsd qword ptr [rdi], xmm1', { rdi: MEMORY, xmm1: LOW }, { qword: 0x5555_6666_7777_8888n });
});
instruction('VMOVQ', () => {
  example('has zeros above 64 bits', 'vmovq xmm0, xmm1', { ymm1: BOTH }, { xmm0: 0x5555_6666_7777_8888n });
  example('has them in its other encoding, too', 'vmovq xmm0, xmm1', { ymm1: BOTH }, { xmm0: 0x5555_6666_7777_8888n }, { bytes: [0xc5, 0xf9, 0xd6, 0xc8] });
  example('takes them from a general register', 'vmovq xmm0, rax', { rax: 5n }, { xmm0: 5n });
  example('gives them to a general register', 'vmovq rax, xmm1', { xmm1: LOW }, { rax: 0x5555_6666_7777_8888n });
});
instruction('VSHUFPD', () => {
  example('takes two bits of the immediate', 'vshufpd xmm0, xmm1, xmm2, 2', { xmm1: DOUBLES(1, 2), xmm2: DOUBLES(3, 4) }, { xmm0: DOUBLES(1, 4) });
  example('takes two more for its upper half', 'vshufpd ymm0, ymm1, ymm2, 6', { ymm1: DOUBLES(1, 2, 5, 6), ymm2: DOUBLES(3, 4, 7, 8) }, { ymm0: DOUBLES(1, 4, 6, 7) });
});
instruction('VMASKMOVDQU', () => {
  example('stores the bytes whose mask is negative', 'vmaskmovdqu xmm1, xmm2', { rdi: MEMORY, xmm1: LOW, xmm2: 0x80n << 120n, xmmword: 0n }, { xmmword: 0x11n << 120n });
});
instruction('VMOVMSKPS', () => {
  example('gives four signs', 'vmovmskps eax, xmm1', { ymm1: BOTH }, { rax: 0n });
  example('gives eight signs', 'vmovmskps eax, ymm1', { ymm1: BOTH }, { rax: 0xf0n });
});
instruction('VMOVMSKPD', () => {
  example('gives two signs', 'vmovmskpd eax, xmm1', { ymm1: BOTH }, { rax: 0n });
  example('gives four signs', 'vmovmskpd eax, ymm1', { ymm1: BOTH }, { rax: 0xcn });
});
instruction('VPMOVMSKB', () => {
  example('gives sixteen signs', 'vpmovmskb eax, xmm1', { ymm1: BOTH }, { rax: 3n });
  example('gives 32 signs', 'vpmovmskb eax, ymm1', { ymm1: BOTH }, { rax: 0xfffc_0003n });
});
instruction('VCVTPS2PD', () => {
  example('makes two numbers of two', 'vcvtps2pd xmm0, xmm1', { xmm1: SINGLES(1, 2, 3, 4) }, { xmm0: DOUBLES(1, 2) });
  example('makes four numbers of four', 'vcvtps2pd ymm0, xmm1', { xmm1: SINGLES(1, 2, 3, 4) }, { ymm0: DOUBLES(1, 2, 3, 4) });
  example('reads 128 bits of memory', 'vcvtps2pd ymm0, xmmword ptr [rdi]', { rdi: MEMORY, xmmword: SINGLES(-1, 0.5, 3, 4) }, { ymm0: DOUBLES(-1, 0.5, 3, 4) });
});
instruction('VCVTDQ2PD', () => {
  example('makes two numbers of two integers', 'vcvtdq2pd xmm0, xmm1', { xmm1: INTEGERS(1, -2, 3, 4) }, { xmm0: DOUBLES(1, -2) });
  example('makes four numbers of four integers', 'vcvtdq2pd ymm0, xmm1', { xmm1: INTEGERS(1, -2, 3, 4) }, { ymm0: DOUBLES(1, -2, 3, 4) });
});
instruction('VCVTPD2PS', () => {
  example('makes two numbers of two', 'vcvtpd2ps xmm0, xmm1', { xmm1: DOUBLES(1, 2) }, { xmm0: SINGLES(1, 2) });
  example('makes four numbers of four, whose flags are set together', 'vcvtpd2ps xmm0, ymm1', { ymm1: DOUBLES(1, 2, 0.1, 1e300) }, { xmm0: SINGLES(1, 2, 0.1, Infinity), mxcsr: 0x1fa8 });
  example('sets no flag of computing where one that is not masked was found before, in either half', 'vcvtpd2ps xmm0, ymm1', { ymm1: DOUBLES(0.1, 1, 5e-324, 1), mxcsr: 0x1e80 }, { mxcsr: 0x1e82, fault: { vector: 19 } });
});
instruction('VCVTPD2DQ', () => {
  example('rounds two', 'vcvtpd2dq xmm0, xmm1', { xmm1: DOUBLES(1, -2) }, { xmm0: INTEGERS(1, -2) });
  example('rounds four', 'vcvtpd2dq xmm0, ymm1', { ymm1: DOUBLES(1, -2, 2.5, 3.5) }, { xmm0: INTEGERS(1, -2, 2, 4), mxcsr: 0x1fa0 });
});
instruction('VCVTTPD2DQ', () => {
  example('truncates two', 'vcvttpd2dq xmm0, xmm1', { xmm1: DOUBLES(1, -2) }, { xmm0: INTEGERS(1, -2) });
  example('truncates four', 'vcvttpd2dq xmm0, ymm1', { ymm1: DOUBLES(1.5, -2.5, 2, 3) }, { xmm0: INTEGERS(1, -2, 2, 3), mxcsr: 0x1fa0 });
});
instruction('VLDMXCSR', () => { example('loads MXCSR', 'vldmxcsr dword ptr [rdi]', { rdi: MEMORY, dword: 0x3f80n }, { mxcsr: 0x3f80 }); });
instruction('VSTMXCSR', () => { example('stores MXCSR', 'vstmxcsr dword ptr [rdi]', { rdi: MEMORY, mxcsr: 0x3f80, dword: 0n }, { dword: 0x3f80n }); });
const all = <V>(name: string, value: (n: number) => V, count: number): Record<string, V> => Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}${n}`, value(n)]));
instruction('VZEROUPPER', () => {
  example('clears bits 255:128 of all registers', 'vzeroupper', all('ymm', (n) => BOTH + BigInt(n), 16), all('xmm', (n) => LOW + BigInt(n), 16));
  example('clears those of eight outside 64-bit mode', 'vzeroupper', all('ymm', (n) => BOTH + BigInt(n), 16), all('xmm', (n) => LOW + BigInt(n), 8), { bits: 32 });
});
instruction('VZEROALL', () => {
  example('clears all registers', 'vzeroall', all('ymm', () => BOTH, 16), all('ymm', () => 0n, 16));
  example('clears eight outside 64-bit mode', 'vzeroall', all('ymm', () => BOTH, 16), all('ymm', () => 0n, 8), { bits: 32 });
});

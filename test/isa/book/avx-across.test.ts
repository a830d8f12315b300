/** What AVX and AVX2 have and SSE has not, by example. */
import { example, instruction, MEMORY } from '../../support/example.ts';

/** Lanes of 32 or 64 bits, lane 0 first. */
const D = (...lanes: readonly number[]): bigint => lanes.reduceRight((v, lane) => (v << 32n) | BigInt(lane >>> 0), 0n);
const Q = (...lanes: readonly number[]): bigint => lanes.reduceRight((v, lane) => (v << 64n) | BigInt.asUintN(64, BigInt(lane)), 0n);
const SIZES = { 8: 'byte', 16: 'word', 32: 'dword', 64: 'qword' } as const;

/** The lowest lane of a register or of memory in all lanes of XMM and YMM registers. */
function broadcasts(name: string, bits: 8 | 16 | 32 | 64, registers: readonly ('xmm' | 'ymm')[], from: readonly ('register' | 'memory')[]): void {
  const lane = 0x8877_6655_4433_2211n & ((1n << BigInt(bits)) - 1n);
  for (const register of registers) {
    const width = register === 'xmm' ? 128 : 256;
    let all = 0n;
    for (let at = 0; at < width; at += bits) all |= lane << BigInt(at);
    if (from.includes('register')) example('repeats the lowest lane', `${name} ${register}0, xmm1`, { xmm1: (0x9999n << 64n) | lane }, { [`${register}0`]: all });
    if (from.includes('memory')) example('repeats what it loads', `${name} ${register}0, ${SIZES[bits]} ptr [rdi]`, { rdi: MEMORY, [SIZES[bits]]: lane }, { [`${register}0`]: all });
  }
}
instruction('VBROADCASTSS', () => { broadcasts('vbroadcastss', 32, ['xmm', 'ymm'], ['register', 'memory']); });
instruction('VBROADCASTSD', () => { broadcasts('vbroadcastsd', 64, ['ymm'], ['register', 'memory']); });
instruction('VPBROADCASTB', () => { broadcasts('vpbroadcastb', 8, ['xmm', 'ymm'], ['register', 'memory']); });
instruction('VPBROADCASTW', () => { broadcasts('vpbroadcastw', 16, ['xmm', 'ymm'], ['register', 'memory']); });
instruction('VPBROADCASTD', () => { broadcasts('vpbroadcastd', 32, ['xmm', 'ymm'], ['register', 'memory']); });
instruction('VPBROADCASTQ', () => { broadcasts('vpbroadcastq', 64, ['xmm', 'ymm'], ['register', 'memory']); });
/** 128 bits of memory in both halves, which a program knows as m128. */
const both = (opcode: number): void => {
  example('loads 128 bits into both halves', 'vbroadcast ymm0, xmmword ptr [rdi]', { rdi: MEMORY, xmmword: Q(1, 2) }, { ymm0: Q(1, 2, 1, 2) }, { bytes: [0xc4, 0xe2, 0x7d, opcode, 0x07] });
};
instruction('VBROADCASTF128', () => { both(0x1a); });
instruction('VBROADCASTI128', () => { both(0x5a); });

const inserts = (name: string): void => {
  example('puts 128 bits into the upper half', `${name} ymm0, ymm1, xmm2, 1`, { ymm1: Q(1, 2, 3, 4), xmm2: Q(5, 6) }, { ymm0: Q(1, 2, 5, 6) });
  example('looks at bit 0 of the immediate alone', `${name} ymm0, ymm1, xmmword ptr [rdi], 254`, { rdi: MEMORY, ymm1: Q(1, 2, 3, 4), xmmword: Q(5, 6) }, { ymm0: Q(5, 6, 3, 4) });
};
instruction('VINSERTF128', () => { inserts('vinsertf128'); });
instruction('VINSERTI128', () => { inserts('vinserti128'); });
const extracts = (name: string): void => {
  example('takes the upper half', `${name} xmm0, ymm1, 1`, { ymm1: Q(1, 2, 3, 4) }, { xmm0: Q(3, 4) });
  example('stores the lower half at any address', `${name} xmmword ptr [rdi-8], ymm1, 0`, { rdi: MEMORY + 8n, ymm1: Q(1, 2, 3, 4) }, { xmmword: Q(1, 2) });
};
instruction('VEXTRACTF128', () => { extracts('vextractf128'); });
instruction('VEXTRACTI128', () => { extracts('vextracti128'); });
const permutes = (name: string): void => {
  example('takes any half of both sources for each of its own', `${name} ymm0, ymm1, ymm2, 33`, { ymm1: Q(1, 2, 3, 4), ymm2: Q(5, 6, 7, 8) }, { ymm0: Q(3, 4, 5, 6) });
  example('clears a half where the immediate says so', `${name} ymm0, ymm1, ymmword ptr [rdi], 131`, { rdi: MEMORY, ymm1: Q(1, 2, 3, 4), ymmword: Q(5, 6, 7, 8) }, { ymm0: Q(7, 8, 0, 0) });
};
instruction('VPERM2F128', () => { permutes('vperm2f128'); });
instruction('VPERM2I128', () => { permutes('vperm2i128'); });
instruction('VPERMQ', () => { example('reverses four quadwords', 'vpermq ymm0, ymm1, 27', { ymm1: Q(1, 2, 3, 4) }, { ymm0: Q(4, 3, 2, 1) }); });
instruction('VPERMPD', () => { example('takes one quadword for all', 'vpermpd ymm0, ymmword ptr [rdi], 170', { rdi: MEMORY, ymmword: Q(1, 2, 3, 4) }, { ymm0: Q(3, 3, 3, 3) }); });
const byNumbers = (name: string): void => {
  example('takes doublewords by their numbers, modulo 8', `${name} ymm0, ymm1, ymm2`, { ymm1: D(7, 6, 5, 4, 3, 2, 1, 8), ymm2: D(10, 11, 12, 13, 14, 15, 16, 17) }, { ymm0: D(17, 16, 15, 14, 13, 12, 11, 10) });
};
instruction('VPERMD', () => { byNumbers('vpermd'); });
instruction('VPERMPS', () => { byNumbers('vpermps'); });

instruction('VPERMILPS', () => {
  example('takes lanes by fields of the immediate', 'vpermilps xmm0, xmm1, 27', { xmm1: D(1, 2, 3, 4) }, { xmm0: D(4, 3, 2, 1) });
  example('in each half', 'vpermilps ymm0, ymm1, 27', { ymm1: D(1, 2, 3, 4, 5, 6, 7, 8) }, { ymm0: D(4, 3, 2, 1, 8, 7, 6, 5) });
  example('takes lanes by the numbers in a vector', 'vpermilps xmm0, xmm1, xmm2', { xmm1: D(1, 2, 3, 4), xmm2: D(3, 4, 1, 6) }, { xmm0: D(4, 1, 2, 3) });
  example('in each half', 'vpermilps ymm0, ymm1, ymm2', { ymm1: D(1, 2, 3, 4, 5, 6, 7, 8), ymm2: D(3, 4, 1, 6, 0, 0, 0, 3) }, { ymm0: D(4, 1, 2, 3, 5, 5, 5, 8) });
});
instruction('VPERMILPD', () => {
  example('has one bit for each quadword', 'vpermilpd xmm0, xmm1, 1', { xmm1: Q(1, 2) }, { xmm0: Q(2, 1) });
  example('has four for four', 'vpermilpd ymm0, ymm1, 9', { ymm1: Q(1, 2, 3, 4) }, { ymm0: Q(2, 1, 3, 4) });
  example('looks at bit 1 of the numbers in a vector', 'vpermilpd xmm0, xmm1, xmm2', { xmm1: Q(1, 2), xmm2: Q(1, 2) }, { xmm0: Q(1, 2) });
  example('in each half', 'vpermilpd ymm0, ymm1, ymm2', { ymm1: Q(1, 2, 3, 4), ymm2: Q(2, 1, 2, 0) }, { ymm0: Q(2, 1, 4, 3) });
});
instruction('VPBLENDD', () => {
  example('takes doublewords of the second source where the immediate has a bit', 'vpblendd xmm0, xmm1, xmm2, 10', { xmm1: D(1, 2, 3, 4), xmm2: D(5, 6, 7, 8) }, { xmm0: D(1, 6, 3, 8) });
  example('has eight bits for eight', 'vpblendd ymm0, ymm1, ymm2, 129', { ymm1: D(1, 2, 3, 4, 5, 6, 7, 8), ymm2: D(11, 12, 13, 14, 15, 16, 17, 18) }, { ymm0: D(11, 2, 3, 4, 5, 6, 7, 18) });
});
const doublewords = (name: string, lanes: readonly number[]): void => {
  example('shifts every doubleword by its own count', `${name} xmm0, xmm1, xmm2`, { xmm1: D(-16, -16, -16, -16), xmm2: D(0, 4, 31, 32) }, { xmm0: D(...lanes) });
  example('shifts every doubleword by its own count', `${name} ymm0, ymm1, ymm2`, { ymm1: D(-16, -16, -16, -16, -16, -16, -16, -16), ymm2: D(0, 4, 31, 32, 32, 31, 4, 0) }, { ymm0: D(...lanes, ...lanes.toReversed()) });
};
instruction('VPSLLVD', () => { doublewords('vpsllvd', [-16, -256, 0, 0]); });
instruction('VPSRLVD', () => { doublewords('vpsrlvd', [-16, 0x0fff_ffff, 1, 0]); });
instruction('VPSRAVD', () => { doublewords('vpsravd', [-16, -1, -1, -1]); });
const quadwords = (name: string, lanes: readonly number[]): void => {
  example('shifts every quadword by its own count', `${name} xmm0, xmm1, xmm2`, { xmm1: Q(48, 48), xmm2: Q(4, 64) }, { xmm0: Q(...lanes) });
  example('shifts every quadword by its own count', `${name} ymm0, ymm1, ymm2`, { ymm1: Q(48, 48, 48, 48), ymm2: Q(4, 64, 64, 4) }, { ymm0: Q(...lanes, ...lanes.toReversed()) });
};
instruction('VPSLLVQ', () => { quadwords('vpsllvq', [768, 0]); });
instruction('VPSRLVQ', () => { quadwords('vpsrlvq', [3, 0]); });

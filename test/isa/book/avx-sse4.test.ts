/** SSE4 with a VEX prefix where it differs from SSE4: widening moves to YMM registers, blends with four operands, comparisons of 256 bits. */
import { example, instruction, MEMORY } from '../../support/example.ts';
import { likeSse } from '../../support/like-sse.ts';

/** Lanes of so many bits, lane 0 first. */
const lanes = (bits: number, ...values: readonly number[]): bigint => values.reduceRight((v, lane) => (v << BigInt(bits)) | BigInt.asUintN(bits, BigInt(lane)), 0n);
const SIZES = { 16: 'word', 32: 'dword', 64: 'qword', 128: 'xmmword' } as const;

/** From lanes of `from` bits to lanes of `to`: as many as XMM and YMM registers hold, from a register and from just so much memory. */
function widens(name: string, from: 8 | 16 | 32, to: 16 | 32 | 64, kind: 'signed' | 'unsigned'): void {
  for (const [register, width] of [['xmm', 128], ['ymm', 256]] as const) {
    const count = width / to, values = Array.from({ length: count }, (_, n) => (n % 2 === 0 ? -(n + 1) : n + 1));
    const source = lanes(from, ...values);
    const result = lanes(to, ...values.map((value) => (kind === 'signed' || value > 0 ? value : value + 2 ** from)));
    const size = SIZES[(count * from) as keyof typeof SIZES];
    example(`widens ${count} elements`, `${name} ${register}0, xmm1`, { xmm1: source }, { [`${register}0`]: result });
    example(`reads ${count} elements, of any alignment`, `${name} ${register}0, ${size} ptr [rdi+1]`, { rdi: MEMORY - 1n, [size]: source }, { [`${register}0`]: result });
  }
}
instruction('VPMOVSXBW', () => { widens('vpmovsxbw', 8, 16, 'signed'); });
instruction('VPMOVSXBD', () => { widens('vpmovsxbd', 8, 32, 'signed'); });
instruction('VPMOVSXBQ', () => { widens('vpmovsxbq', 8, 64, 'signed'); });
instruction('VPMOVSXWD', () => { widens('vpmovsxwd', 16, 32, 'signed'); });
instruction('VPMOVSXWQ', () => { widens('vpmovsxwq', 16, 64, 'signed'); });
instruction('VPMOVSXDQ', () => { widens('vpmovsxdq', 32, 64, 'signed'); });
instruction('VPMOVZXBW', () => { widens('vpmovzxbw', 8, 16, 'unsigned'); });
instruction('VPMOVZXBD', () => { widens('vpmovzxbd', 8, 32, 'unsigned'); });
instruction('VPMOVZXBQ', () => { widens('vpmovzxbq', 8, 64, 'unsigned'); });
instruction('VPMOVZXWD', () => { widens('vpmovzxwd', 16, 32, 'unsigned'); });
instruction('VPMOVZXWQ', () => { widens('vpmovzxwq', 16, 64, 'unsigned'); });
instruction('VPMOVZXDQ', () => { widens('vpmovzxdq', 32, 64, 'unsigned'); });

const A = lanes(32, 1, 2, 3, 4, 5, 6, 7, 8), B = lanes(32, 11, 12, 13, 14, 15, 16, 17, 18);
const LOW = (1n << 128n) - 1n;
instruction('VBLENDPS', () => {
  example('takes lanes of the second source where the immediate has a bit', 'vblendps xmm0, xmm1, xmm2, 0xf5', { xmm1: A & LOW, xmm2: B & LOW }, { xmm0: lanes(32, 11, 2, 13, 4) });
  example('has eight bits for eight lanes', 'vblendps ymm0, ymm1, ymm2, 0x85', { ymm1: A, ymm2: B }, { ymm0: lanes(32, 11, 2, 13, 4, 5, 6, 7, 18) });
});
instruction('VBLENDPD', () => {
  example('takes lanes of the second source where the immediate has a bit', 'vblendpd xmm0, xmm1, xmm2, 0xfe', { xmm1: A & LOW, xmm2: B & LOW }, { xmm0: lanes(32, 1, 2, 13, 14) });
  example('has four bits for four lanes', 'vblendpd ymm0, ymm1, ymm2, 0xf9', { ymm1: A, ymm2: B }, { ymm0: lanes(32, 11, 12, 3, 4, 5, 6, 17, 18) });
});
instruction('VBLENDVPS', () => {
  example('looks at the topmost bits of the lanes of the fourth register', 'vblendvps xmm0, xmm1, xmm2, xmm3', { xmm1: A & LOW, xmm2: B & LOW, xmm3: lanes(32, -1, 1, 0, -2) }, { xmm0: lanes(32, 11, 2, 3, 14) });
  example('in both halves', 'vblendvps ymm0, ymm1, ymm2, ymm3', { ymm1: A, ymm2: B, ymm3: lanes(32, -1, 1, 0, -2, 1, -1, 1, -1) }, { ymm0: lanes(32, 11, 2, 3, 14, 5, 16, 7, 18) });
});
instruction('VBLENDVPD', () => {
  example('looks at the topmost bits of the lanes of the fourth register', 'vblendvpd xmm0, xmm1, xmm2, xmm3', { xmm1: A & LOW, xmm2: B & LOW, xmm3: lanes(64, 1, -1) }, { xmm0: lanes(32, 1, 2, 13, 14) });
  example('in both halves', 'vblendvpd ymm0, ymm1, ymm2, ymm3', { ymm1: A, ymm2: B, ymm3: lanes(64, 1, -1, -1, 1) }, { ymm0: lanes(32, 1, 2, 13, 14, 15, 16, 7, 8) });
});
instruction('VPBLENDVB', () => {
  example('looks at the topmost bits of the bytes of the fourth register', 'vpblendvb xmm0, xmm1, xmm2, xmm3', { xmm1: 0x0403_0201n, xmm2: 0x1413_1211n, xmm3: 0x80_7f_80_7fn }, { xmm0: 0x1403_1201n });
  example('in both halves', 'vpblendvb ymm0, ymm1, ymm2, ymm3', { ymm1: 1n << 128n, ymm2: 2n << 128n, ymm3: 0x80n << 128n }, { ymm0: 2n << 128n });
});

/** Comparisons of all bits of the registers, or of the signs of their lanes. */
function tests(name: string, sign: bigint): void {
  for (const [register, top] of [['xmm', 64n], ['ymm', 192n]] as const) {
    const test = (sentence: string, first: bigint, second: bigint, flags: { ZF?: 1; CF?: 1 }): void => {
      example(sentence, `${name} ${register}1, ${register}2`, { [`${register}1`]: first, [`${register}2`]: second, OF: 1, SF: 1, AF: 1, PF: 1 }, { OF: 0, SF: 0, AF: 0, PF: 0, ...flags });
    };
    test('sets ZF where they have none in common', sign << top, sign, { ZF: 1 });
    test('sets CF where the first has all of the second', (sign << top) | sign, sign << top, { CF: 1 });
    test('sets both where the second has none', sign, 0n, { ZF: 1, CF: 1 });
    test('sets none where some are there', sign << top, (sign << top) | sign, {});
  }
}
instruction('VPTEST', () => { tests('vptest', 1n); });
instruction('VTESTPS', () => {
  tests('vtestps', 0x8000_0000n);
  example('does not look at other bits', 'vtestps xmm1, xmm2', { xmm1: 0x7fff_ffffn, xmm2: 0x7fff_ffffn }, { ZF: 1, CF: 1 });
});
instruction('VTESTPD', () => {
  tests('vtestpd', 0x8000_0000_0000_0000n);
  example('does not look at other bits', 'vtestpd xmm1, xmm2', { xmm1: 0x8000_0000n, xmm2: 0x8000_0000n }, { ZF: 1, CF: 1 });
});

const BYTES = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n;
instruction('VMPSADBW', () => {
  example('sums differences from the doubleword that the immediate names', 'vmpsadbw xmm0, xmm1, xmm2, 1', { xmm1: BYTES, xmm2: 0x0302_0100_0000_0000n }, { xmm0: 0x001c_0018_0014_0010_000c_0008_0004_0000n });
  example('has bits 5:3 for the upper half', 'vmpsadbw ymm0, ymm1, ymm2, 0x21', { ymm1: (BYTES << 128n) | BYTES, ymm2: (0x0302_0100n << 128n) | 0x0302_0100_0000_0000n },
    { ymm0: (0x002c_0028_0024_0020_001c_0018_0014_0010n << 128n) | 0x001c_0018_0014_0010_000c_0008_0004_0000n });
});

const text = (s: string): bigint => lanes(8, ...Buffer.from(s, 'latin1'));
instruction('VPCMPISTRI', () => { likeSse('VPCMPISTRI', 'PCMPISTRI'); });
instruction('VPCMPISTRM', () => {
  example('clears the upper half of YMM0', 'vpcmpistrm xmm1, xmm2, 0', { xmm1: text('ab'), xmm2: text('abracadabra') }, { ymm0: 0b101_1010_1011n, CF: 1, SF: 1, ZF: 1, OF: 1 });
});
const ONES = (1n << 128n) - 1n;
instruction('VPCMPESTRI', () => {
  example('has its lengths in EAX and EDX', 'vpcmpestri xmm1, xmm2, 0', { rax: 0xffff_ffff_0000_0001n, rdx: 0xffff_fffdn, xmm1: text('za'), xmm2: text('aabz') }, { rcx: 16n, SF: 1, ZF: 1 });
  example('has them in RAX and RDX with VEX.W1', 'vpcmpestri xmm1, xmm2, 0', { rax: 0x1_0000_0000n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { rcx: 0n, CF: 1, ZF: 1, OF: 1 }, { bytes: [0xc4, 0xe3, 0xf9, 0x61, 0xca, 0x00] });
  example('ignores VEX.W outside 64-bit mode', 'vpcmpestri xmm1, xmm2, 0', { rax: 1n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { rcx: 0n, CF: 1, SF: 1, ZF: 1, OF: 1 }, { bits: 32, bytes: [0xc4, 0xe3, 0xf9, 0x61, 0xca, 0x00] });
});
instruction('VPCMPESTRM', () => {
  example('clears the upper half of YMM0', 'vpcmpestrm xmm1, xmm2, 0x30', { rax: 1n, rdx: 3n, xmm1: text('a'), xmm2: text('abab') }, { ymm0: 0b010n, CF: 1, SF: 1, ZF: 1 });
  example('has its lengths in RAX and RDX with VEX.W1', 'vpcmpestrm xmm1, xmm2, 0', { rax: 0x1_0000_0000n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { ymm0: 0xfn, CF: 1, ZF: 1, OF: 1 }, { bytes: [0xc4, 0xe3, 0xf9, 0x60, 0xca, 0x00] });
  example('ignores VEX.W outside 64-bit mode', 'vpcmpestrm xmm1, xmm2, 0', { rax: 1n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { ymm0: 0xfn, CF: 1, SF: 1, ZF: 1, OF: 1 }, { bits: 32, bytes: [0xc4, 0xe3, 0xf9, 0x60, 0xca, 0x00] });
});

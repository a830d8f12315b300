/** SSE4.1 and the vectors of SSE4.2 by example: lanes are separated by underscores, lane 0 last. */
import { example, GP, instruction, MEMORY, PF, READ_ONLY, UNMAPPED, XM, type Result, type State } from '../../support/example.ts';
import { CUT, d, DEFAULT, IE, pd, PE, ps, s, unmasked, UP } from '../../support/floats.ts';

const LOW = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n, HIGH = 0x1f1e_1d1c_1b1a_1918_1716_1514_1312_1110n;
const ONES = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffffn;
/** The instruction on XMM1 and XMM2, with an immediate or another operand behind. */
const binary = (sentence: string, name: string, xmm1: bigint, xmm2: bigint, result: bigint, behind = '', more: State = {}, after: Result = {}): void => {
  example(sentence, `${name} xmm1, xmm2${behind}`, { xmm1, xmm2, ...more }, { xmm1: result, ...after });
};

instruction('BLENDPS', () => { binary('takes lanes of SRC where the immediate has a bit', 'blendps', LOW, HIGH, 0x0f0e_0d0c_1b1a_1918_0706_0504_1312_1110n, ', 5'); });
instruction('BLENDPD', () => { binary('takes lanes of SRC where the immediate has a bit', 'blendpd', LOW, HIGH, 0x1f1e_1d1c_1b1a_1918_0706_0504_0302_0100n, ', 0xfe'); });
instruction('PBLENDW', () => {
  binary('takes words of SRC where the immediate has a bit', 'pblendw', LOW, HIGH, 0x1f1e_0d0c_0b0a_0908_0706_0504_0302_1110n, ', 0x81');
  example('needs its memory operand aligned', 'pblendw xmm1, xmmword ptr [rdi], 1', { rdi: MEMORY + 2n }, { fault: GP });
});
instruction('PBLENDVB', () => { binary('takes bytes of SRC where XMM0 has bit 7 of them', 'pblendvb', LOW, HIGH, 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_1100n, ', xmm0', { xmm0: 0x7f_80_7fn }); });
instruction('BLENDVPS', () => { binary('takes lanes of SRC where XMM0 has their topmost bit', 'blendvps', LOW, HIGH, 0x1f1e_1d1c_0b0a_0908_0706_0504_0302_0100n, ', xmm0', { xmm0: 0x8000_0000_7fff_ffff_0000_0000_0000_0001n }); });
instruction('BLENDVPD', () => { binary('takes lanes of SRC where XMM0 has their topmost bit', 'blendvpd', LOW, HIGH, 0x0f0e_0d0c_0b0a_0908_1716_1514_1312_1110n, ', xmm0', { xmm0: 0x8000_0000_0000_0000n }); });
instruction('INSERTPS', () => {
  binary('puts lane 7:6 of SRC into lane 5:4 and zeros where bits 3:0 are set', 'insertps', LOW, HIGH, 0x1f1e_1d1c_0706_0504_0000_0000n, ', 0xe9');
  example('takes the doubleword of memory whatever bits 7:6 say', 'insertps xmm1, dword ptr [rdi], 0xf0', { rdi: MEMORY, dword: 0x1234_5678n, xmm1: LOW }, { xmm1: 0x1234_5678_0b0a_0908_0706_0504_0302_0100n });
});

/** A widening move: from a register, and from as much memory as it needs, of any alignment. */
const widen = (name: string, size: 'word' | 'dword' | 'qword', source: bigint, result: bigint): void => {
  example('widens the low elements', `${name} xmm1, xmm2`, { xmm2: source | ((HIGH >> 64n) << 64n) }, { xmm1: result });
  example('reads what it needs of memory', `${name} xmm1, ${size} ptr [rdi+1]`, { rdi: MEMORY - 1n, [size]: source }, { xmm1: result });
};
instruction('PMOVSXBW', () => { widen('pmovsxbw', 'qword', 0x80_7f_ff_01_02_03_04_85n, 0xff80_007f_ffff_0001_0002_0003_0004_ff85n); });
instruction('PMOVSXBD', () => { widen('pmovsxbd', 'dword', 0x80_7f_ff_01n, 0xffff_ff80_0000_007f_ffff_ffff_0000_0001n); });
instruction('PMOVSXBQ', () => { widen('pmovsxbq', 'word', 0x80_7fn, 0xffff_ffff_ffff_ff80_0000_0000_0000_007fn); });
instruction('PMOVSXWD', () => { widen('pmovsxwd', 'qword', 0x8000_7fff_ffff_0001n, 0xffff_8000_0000_7fff_ffff_ffff_0000_0001n); });
instruction('PMOVSXWQ', () => { widen('pmovsxwq', 'dword', 0x8000_7fffn, 0xffff_ffff_ffff_8000_0000_0000_0000_7fffn); });
instruction('PMOVSXDQ', () => { widen('pmovsxdq', 'qword', 0x8000_0000_7fff_ffffn, 0xffff_ffff_8000_0000_0000_0000_7fff_ffffn); });
instruction('PMOVZXBW', () => { widen('pmovzxbw', 'qword', 0x80_7f_ff_01_02_03_04_85n, 0x0080_007f_00ff_0001_0002_0003_0004_0085n); });
instruction('PMOVZXBD', () => { widen('pmovzxbd', 'dword', 0x80_7f_ff_01n, 0x0000_0080_0000_007f_0000_00ff_0000_0001n); });
instruction('PMOVZXBQ', () => { widen('pmovzxbq', 'word', 0x80_7fn, 0x0000_0000_0000_0080_0000_0000_0000_007fn); });
instruction('PMOVZXWD', () => { widen('pmovzxwd', 'qword', 0x8000_7fff_ffff_0001n, 0x0000_8000_0000_7fff_0000_ffff_0000_0001n); });
instruction('PMOVZXWQ', () => { widen('pmovzxwq', 'dword', 0x8000_7fffn, 0x0000_0000_0000_8000_0000_0000_0000_7fffn); });
instruction('PMOVZXDQ', () => {
  widen('pmovzxdq', 'qword', 0x8000_0000_7fff_ffffn, 0x0000_0000_8000_0000_0000_0000_7fff_ffffn);
  example('changes nothing when its source faults', 'pmovzxdq xmm1, qword ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});

instruction('PMINSB', () => { binary('takes the smaller signed bytes', 'pminsb', 0xff_01n, 0x7f_02n, 0xff_01n); });
instruction('PMINSD', () => { binary('takes the smaller signed doublewords', 'pminsd', 0xffff_ffff_0000_0001n, 0x7fff_ffff_0000_0002n, 0xffff_ffff_0000_0001n); });
instruction('PMINUW', () => { binary('takes the smaller unsigned words', 'pminuw', 0xffff_0001n, 0x7fff_0002n, 0x7fff_0001n); });
instruction('PMINUD', () => { binary('takes the smaller unsigned doublewords', 'pminud', 0xffff_ffff_0000_0001n, 0x7fff_ffff_0000_0002n, 0x7fff_ffff_0000_0001n); });
instruction('PMAXSB', () => { binary('takes the larger signed bytes', 'pmaxsb', 0xff_01n, 0x7f_02n, 0x7f_02n); });
instruction('PMAXSD', () => { binary('takes the larger signed doublewords', 'pmaxsd', 0xffff_ffff_0000_0001n, 0x7fff_ffff_0000_0002n, 0x7fff_ffff_0000_0002n); });
instruction('PMAXUW', () => { binary('takes the larger unsigned words', 'pmaxuw', 0xffff_0001n, 0x7fff_0002n, 0xffff_0002n); });
instruction('PMAXUD', () => { binary('takes the larger unsigned doublewords', 'pmaxud', 0xffff_ffff_0000_0001n, 0x7fff_ffff_0000_0002n, 0xffff_ffff_0000_0002n); });
instruction('PMULDQ', () => { binary('multiplies the even doublewords as signed numbers', 'pmuldq', 0x5_ffff_ffffn, 0x7_0000_0002n, 0xffff_ffff_ffff_fffen); });
instruction('PMULLD', () => { binary('gives the low halves of products', 'pmulld', 0xffff_ffff_0001_0001n, 0x0000_0003_0001_0001n, 0xffff_fffd_0002_0001n); });
instruction('PCMPEQQ', () => { binary('sets equal quadwords to all ones', 'pcmpeqq', 0x1_0000_0000_0000_0005n, 6n, 0n); });
instruction('PCMPGTQ', () => { binary('compares signed quadwords', 'pcmpgtq', (5n << 64n) | 1n << 63n, (ONES >> 64n << 64n) | 1n, ONES >> 64n << 64n); });
instruction('PACKUSDW', () => { binary('saturates signed doublewords to unsigned words, DEST below SRC', 'packusdw', 0x0001_0000_ffff_ffff_0000_8000n, 7n, 0x0000_0000_0000_0007_0000_ffff_0000_8000n); });
instruction('PHMINPOSUW', () => { binary('gives the least word and the number of its first place', 'phminposuw', ONES, 0x9000_8000_0002_7000_0002_0003_0004_0005n, 0x0003_0002n); });
instruction('MPSADBW', () => {
  binary('sums differences from the doubleword that the immediate names', 'mpsadbw', LOW, 0x0302_0100_0000_0000n, 0x001c_0018_0014_0010_000c_0008_0004_0000n, ', 1');
  binary('begins at byte 4 of DEST with bit 2', 'mpsadbw', LOW, 0x0302_0100n, 0x002c_0028_0024_0020_001c_0018_0014_0010n, ', 4');
});
instruction('PTEST', () => {
  const test = (sentence: string, xmm1: bigint, xmm2: bigint, flags: Result): void => { example(sentence, 'ptest xmm1, xmm2', { xmm1, xmm2, OF: 1, SF: 1, AF: 1, PF: 1 }, { OF: 0, SF: 0, AF: 0, PF: 0, ...flags }); };
  test('sets ZF where they have no bit in common', 1n << 100n, 1n, { ZF: 1 });
  test('sets CF where DEST has all bits of SRC', ONES, 1n << 127n, { CF: 1 });
  test('sets both where SRC is zero', 5n, 0n, { ZF: 1, CF: 1 });
  test('sets none where some are there', 1n, 3n, {});
});
instruction('MOVNTDQA', () => {
  example('loads', 'movntdqa xmm1, xmmword ptr [rdi]', { rdi: MEMORY, xmmword: LOW }, { xmm1: LOW });
  example('needs its operand aligned', 'movntdqa xmm1, xmmword ptr [rdi]', { rdi: MEMORY + 1n }, { fault: GP });
});
instruction('PINSRB', () => {
  example('replaces one byte', 'pinsrb xmm1, eax, 0x1f', { rax: 0x1ffn, xmm1: 0n }, { xmm1: 0xffn << 120n });
  example('reads one byte of memory', 'pinsrb xmm1, byte ptr [rdi], 1', { rdi: MEMORY, byte: 0x12n, xmm1: 0n }, { xmm1: 0x1200n });
});
instruction('PINSRD', () => { example('replaces one doubleword', 'pinsrd xmm1, eax, 2', { rax: 0x1_8000_0001n, xmm1: 0n }, { xmm1: 0x8000_0001n << 64n }); });
instruction('PINSRQ', () => { example('replaces one quadword', 'pinsrq xmm1, rax, 1', { rax: 0x1_8000_0001n, xmm1: 5n }, { xmm1: (0x1_8000_0001n << 64n) | 5n }); });
instruction('PEXTRB', () => {
  example('gives one byte with zeros above', 'pextrb eax, xmm2, 0x1f', { rax: ~0n & 0xffff_ffff_ffff_ffffn, xmm2: LOW }, { rax: 0x0fn });
  example('stores one byte', 'pextrb byte ptr [rdi], xmm2, 3', { rdi: MEMORY, xmm2: LOW }, { byte: 3n });
  example('faults as a store does', 'pextrb byte ptr [rdi], xmm2, 3', { rdi: READ_ONLY }, { fault: PF(READ_ONLY, { write: true, present: true }) });
});
instruction('PEXTRW', () => {
  // 0F C5 is shorter where the destination is a register: the assembler chooses that.
  example('gives one word by its newer encoding', 'pextrw eax, xmm2, 7', { rax: 0n, xmm2: LOW }, { rax: 0x0f0en }, { bytes: [0x66, 0x0f, 0x3a, 0x15, 0xd0, 0x07] });
  example('stores one word', 'pextrw word ptr [rdi], xmm2, 1', { rdi: MEMORY, xmm2: LOW }, { word: 0x0302n });
});
instruction('PEXTRD', () => { example('gives one doubleword and clears bits 63:32', 'pextrd eax, xmm2, 3', { rax: 1n << 63n, xmm2: LOW }, { rax: 0x0f0e_0d0cn }); });
instruction('PEXTRQ', () => { example('gives one quadword', 'pextrq rax, xmm2, 1', { xmm2: LOW }, { rax: 0x0f0e_0d0c_0b0a_0908n }); });
instruction('EXTRACTPS', () => { example('stores one number', 'extractps dword ptr [rdi], xmm2, 2', { rdi: MEMORY, xmm2: ps(1, 2, 3, 4) }, { dword: s(2) }); });

const SNAN = 0x7ff0_0000_0000_0001n;
instruction('ROUNDPS', () => { binary('rounds to even', 'roundps', 0n, ps(1.5, 2.5, -0.5, 7), ps(2, 2, -0, 7), ', 0', {}, { mxcsr: DEFAULT | PE }); });
instruction('ROUNDPD', () => {
  binary('rounds down', 'roundpd', 0n, pd(1.75, -1.25), pd(1, -2), ', 1', {}, { mxcsr: DEFAULT | PE });
  binary('rounds up without telling', 'roundpd', 0n, pd(1.75, -1.25), pd(2, -1), ', 10');
  binary('cuts', 'roundpd', 0n, pd(1.75, -1.25), pd(1, -1), ', 11');
  binary('rounds as MXCSR says', 'roundpd', 0n, pd(1.25, -1.25), pd(2, -1), ', 12', { mxcsr: DEFAULT | UP });
});
instruction('ROUNDSS', () => { binary('keeps the lanes above', 'roundss', ps(1, 2, 3, 4), s(2.75), ps(1, 2, 3, 2), ', 4', { mxcsr: DEFAULT | CUT }, { mxcsr: DEFAULT | CUT | PE }); });
instruction('ROUNDSD', () => {
  binary('makes a signaling NaN quiet', 'roundsd', pd(1, 2), SNAN, (d(1) << 64n) | 0x7ff8_0000_0000_0001n, ', 8', {}, { mxcsr: DEFAULT | IE });
  binary('raises #XM for an inexact result that is not masked', 'roundsd', pd(1, 2), d(0.5), pd(1, 2), ', 0', { mxcsr: unmasked(PE) }, { mxcsr: unmasked(PE) | PE, fault: XM });
});
instruction('DPPS', () => {
  binary('sums products to the lanes of bits 3:0', 'dpps', ps(1, 2, 3, 4), ps(10, 20, 30, 40), ps(0, 300, 0, 300), ', 0xf5');
  binary('multiplies those of bits 7:4 only', 'dpps', ps(1, 2, 3, 4), ps(10, 20, 30, 40), ps(0, 0, 0, 170), ', 0x91');
});
instruction('DPPD', () => { binary('sums two products', 'dppd', pd(1, 2), pd(10, 20), pd(50, 0), ', 0x32'); });

/** Text as a register holds it, first character lowest; zeros behind. */
const elements = (bits: bigint) => (characters: string): bigint => Array.from(characters, (c) => BigInt(c.charCodeAt(0))).reduceRight((v, c) => (v << bits) | c, 0n);
const text = elements(8n), words = elements(16n);
const ALL: State = { CF: 1, PF: 1, AF: 1, ZF: 1, SF: 1, OF: 1 };
const none: Result = { CF: 0, PF: 0, AF: 0, ZF: 0, SF: 0, OF: 0 };
instruction('PCMPISTRI', () => {
  const find = (sentence: string, how: number, xmm1: bigint, xmm2: bigint, rcx: bigint, flags: Result): void => {
    example(sentence, `pcmpistri xmm1, xmm2, ${how}`, { xmm1, xmm2, ...ALL }, { rcx, ...none, ...flags });
  };
  find('finds the first character that is one of a set', 0, text('aeiou'), text('xyz, alphabet....'.slice(0, 16)), 5n, { CF: 1, SF: 1 });
  find('finds the first in a range', 4, text('09AZ'), text('say 7'), 4n, { CF: 1, SF: 1, ZF: 1 });
  find('finds where strings differ', 0x18, text('longmode'), text('longword'), 4n, { CF: 1, SF: 1, ZF: 1 });
  find('gives the number of elements where equal strings end alike', 0x18, text('equal'), text('equal'), 16n, { SF: 1, ZF: 1 });
  find('finds a string in another', 0xc, text('mode'), text('longmode'), 4n, { CF: 1, SF: 1, ZF: 1 });
  find('finds the last match with bit 6', 0x40, text('o'), text('longmode'), 5n, { CF: 1, SF: 1, ZF: 1 });
  find('compares words', 1, words('b'), words('abc'), 1n, { CF: 1, SF: 1, ZF: 1 });
  find('sets OF where the first element matches', 0, text('a'), text('abracadabra'), 0n, { CF: 1, SF: 1, ZF: 1, OF: 1 });
  example('takes memory of any alignment', 'pcmpistri xmm1, xmmword ptr [rdi+1], 0', { rdi: MEMORY - 1n, xmmword: text('xyz'), xmm1: text('z') }, { rcx: 2n, CF: 1, SF: 1, ZF: 1 });
});
instruction('PCMPISTRM', () => {
  example('gives a bit for each match', 'pcmpistrm xmm1, xmm2, 0', { xmm1: text('ab'), xmm2: text('abracadabra') }, { xmm0: 0b101_1010_1011n, CF: 1, SF: 1, ZF: 1, OF: 1 });
  example('gives whole elements with bit 6', 'pcmpistrm xmm1, xmm2, 0x40', { xmm1: text('b'), xmm2: text('ab') }, { xmm0: 0xff00n, CF: 1, SF: 1, ZF: 1 });
});
instruction('PCMPESTRI', () => {
  example('takes as many elements as EAX and EDX say, whatever their sign', 'pcmpestri xmm1, xmm2, 0', { rax: 0xffff_ffff_0000_0001n, rdx: 0xffff_fffdn, xmm1: text('za'), xmm2: text('aabz') }, { rcx: 16n, SF: 1, ZF: 1 });
  example('zeros are elements as others are', 'pcmpestri xmm1, xmm2, 0', { rax: 1n, rdx: 100n, xmm1: 0n, xmm2: text('ab') }, { rcx: 2n, CF: 1, SF: 1 });
  example('has its lengths in RAX and RDX with REX.W', 'pcmpestri xmm1, xmm2, 0', { rax: 0x1_0000_0000n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { rcx: 0n, CF: 1, ZF: 1, OF: 1 }, { bytes: [0x66, 0x48, 0x0f, 0x3a, 0x61, 0xca, 0x00] });
});
instruction('PCMPESTRM', () => {
  example('masks the elements behind the end of the second with bit 5 of the control', 'pcmpestrm xmm1, xmm2, 0x30', { rax: 1n, rdx: 3n, xmm1: text('a'), xmm2: text('abab') }, { xmm0: 0b010n, CF: 1, SF: 1, ZF: 1 });
  example('has its lengths in RAX and RDX with REX.W', 'pcmpestrm xmm1, xmm2, 0', { rax: 0x1_0000_0000n, rdx: 4n, xmm1: ONES, xmm2: ONES }, { xmm0: 0xfn, CF: 1, ZF: 1, OF: 1 }, { bytes: [0x66, 0x48, 0x0f, 0x3a, 0x60, 0xca, 0x00] });
});

/** MMX registers by example. Each runs with TOP at 5 and all x87 registers empty: TOP becomes 0, none is empty, and what is written has ones above it. */
import { example, instruction, MEMORY, PF, READ_ONLY, UNMAPPED, XM } from '../../support/example.ts';

const A = 0x0011_2233_8899_aabbn, B = 0xffff_0000_0f0f_f0f0n;
const LOW = 0x0706_0504_0302_0100n, HIGH = 0x1716_1514_1312_1110n;
const ONES = 0xffff_ffff_ffff_ffffn;
/** All exceptions masked, and PE flagged. */
const DEFAULT = 0x1f80, PE = 0x20, IE = 1;

/** The instruction on MM1 and MM2. */
const binary = (sentence: string, name: string, mm1: bigint, mm2: bigint, result: bigint): void => { example(sentence, `${name} mm1, mm2`, { mm1, mm2 }, { mm1: result }); };

instruction('PAND', () => {
  binary('combines bits', 'pand', A, B, 0x0011_0000_0809_a0b0n);
  example('takes eight bytes of memory, aligned or not', 'pand mm1, qword ptr [rdi+1]', { rdi: MEMORY - 1n, qword: B, mm1: A }, { mm1: 0x0011_0000_0809_a0b0n });
  example('changes nothing, TOP and tags neither, where its operand faults', 'pand mm1, qword ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});
instruction('PANDN', () => { binary('takes the bits of SRC that DEST has not', 'pandn', A, B, 0xffee_0000_0706_5040n); });
instruction('POR', () => { binary('combines bits', 'por', A, B, 0xffff_2233_8f9f_fafbn); });
instruction('PXOR', () => { binary('combines bits', 'pxor', A, B, 0xffee_2233_8796_5a4bn); });
instruction('PADDB', () => { binary('adds bytes that wrap each for itself', 'paddb', 0xff_01_7fn, 0x02_01_01n, 0x01_02_80n); });
instruction('PADDW', () => { binary('adds words', 'paddw', 0xffff_0001n, 0x0002_ffffn, 0x0001_0000n); });
instruction('PADDD', () => { binary('adds doublewords', 'paddd', 0xffff_ffff_0000_0001n, 0x0000_0002_ffff_ffffn, 0x0000_0001_0000_0000n); });
instruction('PADDQ', () => { binary('adds one quadword', 'paddq', ONES, 2n, 1n); });
instruction('PSUBB', () => { binary('subtracts bytes', 'psubb', 0x00_05_80n, 0x01_02_01n, 0xff_03_7fn); });
instruction('PSUBW', () => { binary('subtracts words', 'psubw', 0x0000_0005n, 0x0001_0002n, 0xffff_0003n); });
instruction('PSUBD', () => { binary('subtracts doublewords', 'psubd', 0x0000_0000_0000_0005n, 0x0000_0001_0000_0002n, 0xffff_ffff_0000_0003n); });
instruction('PSUBQ', () => { binary('subtracts one quadword', 'psubq', 0n, 1n, ONES); });
instruction('PADDSB', () => { binary('stops at 127 and -128', 'paddsb', 0x7f_80_05n, 0x01_ff_fen, 0x7f_80_03n); });
instruction('PADDSW', () => { binary('stops at 32767 and -32768', 'paddsw', 0x7fff_8000_0005n, 0x0001_ffff_fffen, 0x7fff_8000_0003n); });
instruction('PADDUSB', () => { binary('stops at 255', 'paddusb', 0xff_80_05n, 0x01_ff_fan, 0xff_ff_ffn); });
instruction('PADDUSW', () => { binary('stops at 65535', 'paddusw', 0xffff_8000_0005n, 0x0001_ffff_0001n, 0xffff_ffff_0006n); });
instruction('PSUBSB', () => { binary('stops at 127 and -128', 'psubsb', 0x7f_80_05n, 0xff_01_03n, 0x7f_80_02n); });
instruction('PSUBSW', () => { binary('stops at 32767 and -32768', 'psubsw', 0x7fff_8000_0005n, 0xffff_0001_0003n, 0x7fff_8000_0002n); });
instruction('PSUBUSB', () => { binary('stops at 0', 'psubusb', 0x00_80_05n, 0x01_7f_06n, 0x00_01_00n); });
instruction('PSUBUSW', () => { binary('stops at 0', 'psubusw', 0x0000_8000_0005n, 0x0001_7fff_0006n, 0x0000_0001_0000n); });
instruction('PAVGB', () => { binary('averages upwards', 'pavgb', 0xff_01_00n, 0xff_02_01n, 0xff_02_01n); });
instruction('PAVGW', () => { binary('averages upwards', 'pavgw', 0xffff_0001_0000n, 0xffff_0002_0001n, 0xffff_0002_0001n); });
instruction('PMINUB', () => { binary('takes the smaller unsigned bytes', 'pminub', 0xff_01n, 0x7f_02n, 0x7f_01n); });
instruction('PMAXUB', () => { binary('takes the larger unsigned bytes', 'pmaxub', 0xff_01n, 0x7f_02n, 0xff_02n); });
instruction('PMINSW', () => { binary('takes the smaller signed words', 'pminsw', 0xffff_0001n, 0x7fff_0002n, 0xffff_0001n); });
instruction('PMAXSW', () => { binary('takes the larger signed words', 'pmaxsw', 0xffff_0001n, 0x7fff_0002n, 0x7fff_0002n); });
instruction('PCMPEQB', () => { binary('sets equal bytes to all ones', 'pcmpeqb', 0x12_34n, 0x12_35n, ONES - 0xffn); });
instruction('PCMPEQW', () => { binary('sets equal words to all ones', 'pcmpeqw', 0x1234_5678n, 0x1234_5679n, ONES - 0xffffn); });
instruction('PCMPEQD', () => { binary('sets equal doublewords to all ones', 'pcmpeqd', 0x1_0000_0002n, 0x1_0000_0001n, 0xffff_ffff_0000_0000n); });
instruction('PCMPGTB', () => { binary('compares signed bytes', 'pcmpgtb', 0x01_80_05n, 0xff_01_05n, 0xff_00_00n); });
instruction('PCMPGTW', () => { binary('compares signed words', 'pcmpgtw', 0x0001_8000n, 0xffff_0001n, 0xffff_0000n); });
instruction('PCMPGTD', () => { binary('compares signed doublewords', 'pcmpgtd', 0x0000_0001_8000_0000n, 0xffff_ffff_0000_0001n, 0xffff_ffff_0000_0000n); });
instruction('PMULLW', () => { binary('gives the low halves of products', 'pmullw', 0xffff_0003n, 0x0002_8001n, 0xfffe_8003n); });
instruction('PMULHW', () => { binary('gives the high halves of signed products', 'pmulhw', 0xffff_4000n, 0x0002_0008n, 0xffff_0002n); });
instruction('PMULHUW', () => { binary('gives the high halves of unsigned products', 'pmulhuw', 0xffff_4000n, 0x0002_0008n, 0x0001_0002n); });
instruction('PMULUDQ', () => { binary('multiplies the low doublewords to a quadword', 'pmuludq', 0x5_ffff_ffffn, 0x7_ffff_ffffn, 0xffff_fffe_0000_0001n); });
instruction('PMADDWD', () => { binary('adds the products of neighbours', 'pmaddwd', 0x8000_8000_ffff_0002n, 0x8000_8000_0003_0004n, 0x8000_0000_0000_0005n); });
instruction('PSADBW', () => { binary('sums absolute differences', 'psadbw', 0x0a_0000_0005n, 0x01_0000_0007n, 0xbn); });
instruction('PACKSSWB', () => { binary('saturates signed words to bytes, DEST below SRC', 'packsswb', 0x8000_0080_ff7f_0005n, 0x0100_0000_0000_ffffn, 0x7f00_00ff_807f_8005n); });
instruction('PACKUSWB', () => { binary('saturates signed words to unsigned bytes', 'packuswb', 0x8000_0180_ffff_0005n, 0x0100_0000_0000_00ffn, 0xff00_00ff_00ff_0005n); });
instruction('PACKSSDW', () => { binary('saturates signed doublewords to words', 'packssdw', 0x0000_8000_ffff_0000n, 7n, 0x0000_0007_7fff_8000n); });
instruction('PUNPCKLBW', () => {
  binary('interleaves the low bytes', 'punpcklbw', LOW, HIGH, 0x1303_1202_1101_1000n);
  example('reads four bytes of memory', 'punpcklbw mm1, dword ptr [rdi]', { rdi: MEMORY, dword: 0x1312_1110n, mm1: LOW }, { mm1: 0x1303_1202_1101_1000n });
});
instruction('PUNPCKLWD', () => { binary('interleaves the low words', 'punpcklwd', LOW, HIGH, 0x1312_0302_1110_0100n); });
instruction('PUNPCKLDQ', () => { binary('joins the low doublewords', 'punpckldq', LOW, HIGH, 0x1312_1110_0302_0100n); });
instruction('PUNPCKHBW', () => { binary('interleaves the high bytes', 'punpckhbw', LOW, HIGH, 0x1707_1606_1505_1404n); });
instruction('PUNPCKHWD', () => { binary('interleaves the high words', 'punpckhwd', LOW, HIGH, 0x1716_0706_1514_0504n); });
instruction('PUNPCKHDQ', () => { binary('joins the high doublewords', 'punpckhdq', LOW, HIGH, 0x1716_1514_0706_0504n); });

/** A shift by an immediate and by a register. */
function shift(name: string, before: bigint, by: number, after: bigint, beyond: bigint, far: number): void {
  example('shifts each lane by an immediate', `${name} mm1, ${by}`, { mm1: before }, { mm1: after });
  example('shifts by a register', `${name} mm1, mm2`, { mm1: before, mm2: BigInt(by) }, { mm1: after });
  example('a count of the lane’s width or more shifts everything out', `${name} mm1, ${far}`, { mm1: before }, { mm1: beyond });
  example('all 64 bits of the count matter', `${name} mm1, qword ptr [rdi]`, { mm1: before, rdi: MEMORY, qword: 0x8000_0000_0000_0001n }, { mm1: beyond });
}
instruction('PSLLW', () => { shift('psllw', 0x8001_0fffn, 4, 0x0010_fff0n, 0n, 16); });
instruction('PSLLD', () => { shift('pslld', 0x8000_0001_0fff_ffffn, 4, 0x0000_0010_ffff_fff0n, 0n, 32); });
instruction('PSLLQ', () => { shift('psllq', 0x8000_0000_0000_0001n, 4, 0x10n, 0n, 64); });
instruction('PSRLW', () => { shift('psrlw', 0x8001_0fffn, 4, 0x0800_00ffn, 0n, 255); });
instruction('PSRLD', () => { shift('psrld', 0x8000_0001_0fff_ffffn, 4, 0x0800_0000_00ff_ffffn, 0n, 32); });
instruction('PSRLQ', () => { shift('psrlq', 0x8000_0000_0000_0001n, 4, 0x0800_0000_0000_0000n, 0n, 64); });
instruction('PSRAW', () => { shift('psraw', 0x8001_0fffn, 4, 0xf800_00ffn, 0xffff_0000n, 16); });
instruction('PSRAD', () => { shift('psrad', 0x8000_0001_0fff_ffffn, 4, 0xf800_0000_00ff_ffffn, 0xffff_ffff_0000_0000n, 200); });
instruction('PSHUFW', () => { example('picks four words', 'pshufw mm1, mm2, 0x1b', { mm2: LOW }, { mm1: 0x0100_0302_0504_0706n }); });
instruction('PINSRW', () => {
  example('puts a word into a lane', 'pinsrw mm1, eax, 3', { mm1: LOW, rax: 0x1_abcdn }, { mm1: 0xabcd_0504_0302_0100n });
  example('the lane is taken modulo 4', 'pinsrw mm1, word ptr [rdi], 5', { mm1: LOW, rdi: MEMORY, word: 0xabcdn }, { mm1: 0x0706_0504_abcd_0100n });
});
instruction('PEXTRW', () => { example('takes a word out of a lane, modulo 4, and clears the rest of the register', 'pextrw eax, mm1, 6', { rax: ONES, mm1: LOW }, { rax: 0x0504n }); });
instruction('PMOVMSKB', () => { example('collects the signs of eight bytes', 'pmovmskb eax, mm1', { rax: ONES, mm1: 0x80ff_007f_8000_0080n }, { rax: 0b1100_1001n }); });

instruction('MOVD', () => {
  example('loads a doubleword with zeros above it', 'movd mm1, eax', { rax: 0x1_8000_0001n }, { mm1: 0x8000_0001n });
  example('stores the low doubleword', 'movd dword ptr [rdi], mm1', { rdi: MEMORY, mm1: A }, { dword: 0x8899_aabbn });
  example('a store that faults leaves the x87 stack alone', 'movd dword ptr [rdi], mm1', { rdi: READ_ONLY, mm1: A }, { fault: PF(READ_ONLY, { write: true, present: true }) });
});
instruction('MOVQ', () => {
  example('moves a general register', 'movq mm1, rax', { rax: A }, { mm1: A });
  example('moves to a general register', 'movq rax, mm1', { mm1: A }, { rax: A });
  example('moves between registers', 'movq mm7, mm0', { mm0: A }, { mm7: A });
  example('stores', 'movq qword ptr [rdi], mm1', { rdi: MEMORY, mm1: A }, { qword: A });
  example('stores by the other opcode between registers', 'movq mm2, mm1', { mm1: A }, { mm2: A }, { bytes: [0x0f, 0x7f, 0xca] });
});
instruction('MOVQ2DQ', () => { example('clears the high half', 'movq2dq xmm1, mm2', { mm2: A, xmm1: ONES << 64n }, { xmm1: A }); });
instruction('MOVDQ2Q', () => { example('takes the low half', 'movdq2q mm1, xmm2', { xmm2: (5n << 64n) | A }, { mm1: A }); });
instruction('MOVNTQ', () => { example('is a store', 'movntq qword ptr [rdi], mm1', { rdi: MEMORY, mm1: A }, { qword: A }); });
instruction('MASKMOVQ', () => {
  example('stores the bytes whose masks have bit 7 set', 'maskmovq mm1, mm2', { rdi: MEMORY, qword: 0n, mm1: LOW, mm2: 0x80ff_007f_0000_0080n }, { qword: 0x0706_0000_0000_0000n });
  example('faults as a store of eight bytes', 'maskmovq mm1, mm2', { rdi: READ_ONLY - 7n, mm2: 0n }, { fault: PF(READ_ONLY, { write: true, present: true }) });
});

/** Two single-precision numbers, and one double-precision number. */
const f32 = (x: number): bigint => BigInt(new Uint32Array(new Float32Array([x]).buffer)[0]!);
const f64 = (x: number): bigint => new BigUint64Array(new Float64Array([x]).buffer)[0]!;
const ps = (high: number, low: number): bigint => (f32(high) << 32n) | f32(low);
const pd = (high: number, low: number): bigint => (f64(high) << 64n) | f64(low);
instruction('CVTPI2PS', () => {
  example('makes two numbers, rounded, and keeps the high half', 'cvtpi2ps xmm1, mm2', { mm2: 0xffff_fffe_7fff_ffffn, xmm1: 5n << 64n }, { xmm1: (5n << 64n) | ps(-2, 2 ** 31), mxcsr: DEFAULT | PE });
  example('of memory leaves the x87 stack alone', 'cvtpi2ps xmm1, qword ptr [rdi]', { rdi: MEMORY, qword: 3n, xmm1: 0n }, { xmm1: ps(0, 3) });
});
instruction('CVTPI2PD', () => { example('makes two numbers, exactly', 'cvtpi2pd xmm1, mm2', { mm2: 0xffff_fffe_7fff_ffffn }, { xmm1: pd(-2, 2 ** 31 - 1) }); });
instruction('CVTPS2PI', () => {
  example('rounds two numbers and does not look at the others', 'cvtps2pi mm1, xmm2', { xmm2: (ONES << 64n) | ps(-1, 2.5) }, { mm1: 0xffff_ffff_0000_0002n, mxcsr: DEFAULT | PE });
  example('what does not fit is the indefinite', 'cvtps2pi mm1, qword ptr [rdi]', { rdi: MEMORY, qword: ps(0, 3e9) }, { mm1: 0x8000_0000n, mxcsr: DEFAULT | IE });
});
instruction('CVTTPS2PI', () => { example('cuts two numbers', 'cvttps2pi mm1, xmm2', { xmm2: ps(-1.9, 2.9) }, { mm1: 0xffff_ffff_0000_0002n, mxcsr: DEFAULT | PE }); });
instruction('CVTPD2PI', () => {
  example('rounds two numbers', 'cvtpd2pi mm1, xmm2', { xmm2: pd(-1, 2.5) }, { mm1: 0xffff_ffff_0000_0002n, mxcsr: DEFAULT | PE });
  example('changes nothing but flags where an exception is not masked', 'cvtpd2pi mm1, xmm2', { xmm2: pd(0, 1e300), mxcsr: DEFAULT & ~0x80 }, { mxcsr: (DEFAULT & ~0x80) | IE, fault: XM });
});
instruction('CVTTPD2PI', () => { example('cuts two numbers', 'cvttpd2pi mm1, xmm2', { xmm2: pd(-1.9, 2.9) }, { mm1: 0xffff_ffff_0000_0002n, mxcsr: DEFAULT | PE }); });

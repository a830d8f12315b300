/** Integers in XMM registers by example: lanes are separated by underscores, lane 0 last. */
import { example, GP, instruction, MEMORY } from '../../support/example.ts';

const A = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeffn;
const B = 0xffff_0000_ffff_0000_0f0f_f0f0_3333_ccccn;
const AND = 0x0011_0000_4455_0000_0809_a0b0_0011_ccccn;
const OR = 0xffff_2233_ffff_6677_8f9f_fafb_ffff_eeffn;
const XOR = 0xffee_2233_bbaa_6677_8796_5a4b_ffee_2233n;
const ANDN = 0xffee_0000_bbaa_0000_0706_5040_3322_0000n;

function logic(name: string, result: bigint): void {
  example('combines bits', `${name} xmm1, xmm2`, { xmm1: A, xmm2: B }, { xmm1: result });
  example('takes 16 bytes of memory', `${name} xmm1, xmmword ptr [rdi]`, { rdi: MEMORY, xmmword: B, xmm1: A }, { xmm1: result });
  example('needs them aligned', `${name} xmm1, xmmword ptr [rdi]`, { rdi: MEMORY + 1n }, { fault: GP });
}
instruction('PAND', () => { logic('pand', AND); });
instruction('ANDPS', () => { logic('andps', AND); });
instruction('ANDPD', () => { logic('andpd', AND); });
instruction('POR', () => { logic('por', OR); });
instruction('ORPS', () => { logic('orps', OR); });
instruction('ORPD', () => { logic('orpd', OR); });
instruction('PXOR', () => { logic('pxor', XOR); });
instruction('XORPS', () => { logic('xorps', XOR); });
instruction('XORPD', () => { logic('xorpd', XOR); });
instruction('PANDN', () => { logic('pandn', ANDN); });
instruction('ANDNPS', () => { logic('andnps', ANDN); });
instruction('ANDNPD', () => { logic('andnpd', ANDN); });

/** The instruction on XMM1 and XMM2. */
const binary = (sentence: string, name: string, xmm1: bigint, xmm2: bigint, result: bigint): void => { example(sentence, `${name} xmm1, xmm2`, { xmm1, xmm2 }, { xmm1: result }); };

instruction('PADDB', () => { binary('adds bytes that wrap each for itself', 'paddb', 0xff_01_7fn, 0x02_01_01n, 0x01_02_80n); });
instruction('PADDW', () => { binary('adds words', 'paddw', 0xffff_0001n, 0x0002_ffffn, 0x0001_0000n); });
instruction('PADDD', () => { binary('adds doublewords', 'paddd', 0xffff_ffff_0000_0001n, 0x0000_0002_ffff_ffffn, 0x0000_0001_0000_0000n); });
instruction('PADDQ', () => { binary('adds quadwords without a carry between them', 'paddq', 0xffff_ffff_ffff_ffffn, 1n, 0n); });
instruction('PSUBB', () => { binary('subtracts bytes', 'psubb', 0x00_05_80n, 0x01_02_01n, 0xff_03_7fn); });
instruction('PSUBW', () => { binary('subtracts words', 'psubw', 0x0000_0005n, 0x0001_0002n, 0xffff_0003n); });
instruction('PSUBD', () => { binary('subtracts doublewords', 'psubd', 0x0000_0000_0000_0005n, 0x0000_0001_0000_0002n, 0xffff_ffff_0000_0003n); });
instruction('PSUBQ', () => { binary('subtracts quadwords without a borrow between them', 'psubq', 0x1_0000_0000_0000_0000n, 1n, 0x1_ffff_ffff_ffff_ffffn); });
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
const ONES = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_ffffn;
instruction('PCMPEQB', () => { binary('sets equal bytes to all ones', 'pcmpeqb', 0x12_34n, 0x12_35n, ONES - 0xffn); });
instruction('PCMPEQW', () => { binary('sets equal words to all ones', 'pcmpeqw', 0x1234_5678n, 0x1234_5679n, ONES - 0xffffn); });
instruction('PCMPEQD', () => { binary('sets equal doublewords to all ones', 'pcmpeqd', 0x1_0000_0000n, 1n, (ONES >> 64n) << 64n); });
instruction('PCMPGTB', () => { binary('compares signed bytes', 'pcmpgtb', 0x01_80_05n, 0xff_01_05n, 0xff_00_00n); });
instruction('PCMPGTW', () => { binary('compares signed words', 'pcmpgtw', 0x0001_8000n, 0xffff_0001n, 0xffff_0000n); });
instruction('PCMPGTD', () => { binary('compares signed doublewords', 'pcmpgtd', 0x0000_0001_8000_0000n, 0xffff_ffff_0000_0001n, 0xffff_ffff_0000_0000n); });
instruction('PMULLW', () => { binary('gives the low halves of products', 'pmullw', 0xffff_0003n, 0x0002_8001n, 0xfffe_8003n); });
instruction('PMULHW', () => { binary('gives the high halves of signed products', 'pmulhw', 0xffff_4000n, 0x0002_0008n, 0xffff_0002n); });
instruction('PMULHUW', () => { binary('gives the high halves of unsigned products', 'pmulhuw', 0xffff_4000n, 0x0002_0008n, 0x0001_0002n); });
instruction('PMULUDQ', () => { binary('multiplies the even doublewords to quadwords', 'pmuludq', 0x5_ffff_ffffn, 0x7_ffff_ffffn, 0xffff_fffe_0000_0001n); });
instruction('PMADDWD', () => {
  binary('adds the products of neighbours', 'pmaddwd', 0xffff_0002n, 0x0003_0004n, 5n);
  binary('four times the least word wraps', 'pmaddwd', 0x8000_8000n, 0x8000_8000n, 0x8000_0000n);
});
instruction('PSADBW', () => { binary('sums absolute differences in each half', 'psadbw', 0x0a_0000_0000_0000_0005n, 0x01_0000_0000_0000_0007n, 0x09_0000_0000_0000_0002n); });
instruction('PACKSSWB', () => { binary('saturates signed words to bytes, DEST below SRC', 'packsswb', 0x0080_ff7f_0005n, 0xffffn, 0xff_0000_0000_007f_8005n); });
instruction('PACKUSWB', () => { binary('saturates signed words to unsigned bytes', 'packuswb', 0x0180_ffff_0005n, 0x00ffn, 0xff_0000_0000_00ff_0005n); });
instruction('PACKSSDW', () => { binary('saturates signed doublewords to words', 'packssdw', 0x0000_8000_ffff_0000n, 7n, 0x7_0000_0000_7fff_8000n); });
const LOW = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n, HIGH = 0x1f1e_1d1c_1b1a_1918_1716_1514_1312_1110n;
instruction('PUNPCKLBW', () => { binary('interleaves the low bytes', 'punpcklbw', LOW, HIGH, 0x1707_1606_1505_1404_1303_1202_1101_1000n); });
instruction('PUNPCKLWD', () => { binary('interleaves the low words', 'punpcklwd', LOW, HIGH, 0x1716_0706_1514_0504_1312_0302_1110_0100n); });
instruction('PUNPCKLDQ', () => { binary('interleaves the low doublewords', 'punpckldq', LOW, HIGH, 0x1716_1514_0706_0504_1312_1110_0302_0100n); });
instruction('PUNPCKLQDQ', () => { binary('joins the low quadwords', 'punpcklqdq', LOW, HIGH, 0x1716_1514_1312_1110_0706_0504_0302_0100n); });
instruction('PUNPCKHBW', () => { binary('interleaves the high bytes', 'punpckhbw', LOW, HIGH, 0x1f0f_1e0e_1d0d_1c0c_1b0b_1a0a_1909_1808n); });
instruction('PUNPCKHWD', () => { binary('interleaves the high words', 'punpckhwd', LOW, HIGH, 0x1f1e_0f0e_1d1c_0d0c_1b1a_0b0a_1918_0908n); });
instruction('PUNPCKHDQ', () => { binary('interleaves the high doublewords', 'punpckhdq', LOW, HIGH, 0x1f1e_1d1c_0f0e_0d0c_1b1a_1918_0b0a_0908n); });
instruction('PUNPCKHQDQ', () => { binary('joins the high quadwords', 'punpckhqdq', LOW, HIGH, 0x1f1e_1d1c_1b1a_1918_0f0e_0d0c_0b0a_0908n); });
instruction('UNPCKLPS', () => { binary('interleaves the low single-precision lanes', 'unpcklps', LOW, HIGH, 0x1716_1514_0706_0504_1312_1110_0302_0100n); });
instruction('UNPCKHPS', () => { binary('interleaves the high single-precision lanes', 'unpckhps', LOW, HIGH, 0x1f1e_1d1c_0f0e_0d0c_1b1a_1918_0b0a_0908n); });
instruction('UNPCKLPD', () => { binary('joins the low double-precision lanes', 'unpcklpd', LOW, HIGH, 0x1716_1514_1312_1110_0706_0504_0302_0100n); });
instruction('UNPCKHPD', () => { binary('joins the high double-precision lanes', 'unpckhpd', LOW, HIGH, 0x1f1e_1d1c_1b1a_1918_0f0e_0d0c_0b0a_0908n); });

/** A shift by an immediate and by a register. */
function shift(name: string, before: bigint, by: number, after: bigint, beyond: bigint, far: number): void {
  example('shifts each lane by an immediate', `${name} xmm1, ${by}`, { xmm1: before }, { xmm1: after });
  example('shifts by the low quadword of a register', `${name} xmm1, xmm2`, { xmm1: before, xmm2: BigInt(by) | 5n << 64n }, { xmm1: after });
  example('a count of the lane’s width or more shifts everything out', `${name} xmm1, ${far}`, { xmm1: before }, { xmm1: beyond });
  example('all 64 bits of the count matter', `${name} xmm1, xmmword ptr [rdi]`, { xmm1: before, rdi: MEMORY, xmmword: 0x8000_0000_0000_0001n }, { xmm1: beyond });
}
instruction('PSLLW', () => { shift('psllw', 0x8001_0fffn, 4, 0x0010_fff0n, 0n, 16); });
instruction('PSLLD', () => { shift('pslld', 0x8000_0001_0fff_ffffn, 4, 0x0000_0010_ffff_fff0n, 0n, 32); });
instruction('PSLLQ', () => { shift('psllq', 0x1_8000_0000_0000_0001n, 4, 0x10_0000_0000_0000_0010n, 0n, 64); });
instruction('PSRLW', () => { shift('psrlw', 0x8001_0fffn, 4, 0x0800_00ffn, 0n, 255); });
instruction('PSRLD', () => { shift('psrld', 0x8000_0001_0fff_ffffn, 4, 0x0800_0000_00ff_ffffn, 0n, 32); });
instruction('PSRLQ', () => { shift('psrlq', 0x1_8000_0000_0000_0001n, 4, 0x0800_0000_0000_0000n, 0n, 64); });
instruction('PSRAW', () => { shift('psraw', 0x8001_0fffn, 4, 0xf800_00ffn, 0xffff_0000n, 16); });
instruction('PSRAD', () => { shift('psrad', 0x8000_0001_0fff_ffffn, 4, 0xf800_0000_00ff_ffffn, 0xffff_ffff_0000_0000n, 200); });
instruction('PSLLDQ', () => {
  example('shifts left by bytes', 'pslldq xmm1, 3', { xmm1: LOW }, { xmm1: 0x0c0b_0a09_0807_0605_0403_0201_0000_0000n });
  example('by 16 and more leaves nothing', 'pslldq xmm1, 16', { xmm1: LOW }, { xmm1: 0n });
});
instruction('PSRLDQ', () => {
  example('shifts right by bytes', 'psrldq xmm1, 3', { xmm1: LOW }, { xmm1: 0x0f0e_0d0c_0b0a_0908_0706_0504_03n });
  example('by 16 and more leaves nothing', 'psrldq xmm1, 255', { xmm1: LOW }, { xmm1: 0n });
});
instruction('PSHUFD', () => { example('picks four doublewords', 'pshufd xmm1, xmm2, 0x1b', { xmm2: LOW }, { xmm1: 0x0302_0100_0706_0504_0b0a_0908_0f0e_0d0cn }); });
instruction('PSHUFLW', () => { example('picks words of the low half and copies the high one', 'pshuflw xmm1, xmm2, 0x1b', { xmm2: LOW }, { xmm1: 0x0f0e_0d0c_0b0a_0908_0100_0302_0504_0706n }); });
instruction('PSHUFHW', () => { example('picks words of the high half and copies the low one', 'pshufhw xmm1, xmm2, 0x1b', { xmm2: LOW }, { xmm1: 0x0908_0b0a_0d0c_0f0e_0706_0504_0302_0100n }); });
instruction('SHUFPS', () => { example('picks two lanes of each operand', 'shufps xmm1, xmm2, 0xe4', { xmm1: LOW, xmm2: HIGH }, { xmm1: 0x1f1e_1d1c_1b1a_1918_0706_0504_0302_0100n }); });
instruction('SHUFPD', () => { example('picks one lane of each operand', 'shufpd xmm1, xmm2, 1', { xmm1: LOW, xmm2: HIGH }, { xmm1: 0x1716_1514_1312_1110_0f0e_0d0c_0b0a_0908n }); });
instruction('PINSRW', () => {
  example('puts a word into a lane', 'pinsrw xmm1, eax, 7', { xmm1: LOW, rax: 0x1_abcdn }, { xmm1: 0xabcd_0d0c_0b0a_0908_0706_0504_0302_0100n });
  example('reads two bytes of memory; the lane is taken modulo 8', 'pinsrw xmm1, word ptr [rdi], 8', { xmm1: LOW, rdi: MEMORY, word: 0xabcdn }, { xmm1: 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_abcdn });
});
instruction('PEXTRW', () => { example('takes a word out of a lane and clears the rest of the register', 'pextrw eax, xmm1, 6', { rax: 0xffff_ffff_ffff_ffffn, xmm1: LOW }, { rax: 0x0d0cn }); });

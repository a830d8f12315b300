/** SSE3 and SSSE3 by example, on XMM and on MMX registers: lanes are separated by underscores, lane 0 last. */
import { example, GP, instruction, MEMORY, PF, UNMAPPED, XM } from '../../support/example.ts';
import { d, DEFAULT, IE, pd, PE, ps, unmasked } from '../../support/floats.ts';

const SNAN = 0x7ff0_0000_0000_0001n;
const LOW = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100n, HIGH = 0x1f1e_1d1c_1b1a_1918_1716_1514_1312_1110n;

/** The instruction on XMM1 and XMM2. */
const binary = (sentence: string, name: string, xmm1: bigint, xmm2: bigint, result: bigint): void => { example(sentence, `${name} xmm1, xmm2`, { xmm1, xmm2 }, { xmm1: result }); };
/** The instruction on MM1 and MM2. */
const short = (sentence: string, name: string, mm1: bigint, mm2: bigint, result: bigint): void => { example(sentence, `${name} mm1, mm2`, { mm1, mm2 }, { mm1: result }); };

instruction('MOVDDUP', () => {
  example('copies the low number to both lanes', 'movddup xmm1, xmm2', { xmm2: pd(1, 2) }, { xmm1: pd(2, 2) });
  example('reads eight bytes of memory, of any alignment', 'movddup xmm1, qword ptr [rdi+1]', { rdi: MEMORY - 1n, qword: d(3) }, { xmm1: pd(3, 3) });
});
instruction('MOVSLDUP', () => {
  example('copies the even numbers', 'movsldup xmm1, xmm2', { xmm2: ps(1, 2, 3, 4) }, { xmm1: ps(2, 2, 4, 4) });
  example('needs its memory operand aligned', 'movsldup xmm1, xmmword ptr [rdi]', { rdi: MEMORY + 8n }, { fault: GP });
});
instruction('MOVSHDUP', () => { example('copies the odd numbers', 'movshdup xmm1, xmm2', { xmm2: ps(1, 2, 3, 4) }, { xmm1: ps(1, 1, 3, 3) }); });
instruction('LDDQU', () => {
  example('loads 16 bytes of any alignment', 'lddqu xmm1, xmmword ptr [rdi+1]', { rdi: MEMORY - 1n, xmmword: LOW }, { xmm1: LOW });
  example('changes nothing when it faults', 'lddqu xmm1, xmmword ptr [rdi]', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});
instruction('ADDSUBPS', () => { binary('subtracts in even lanes and adds in odd ones', 'addsubps', ps(1, 2, 3, 4), ps(10, 20, 30, 40), ps(11, -18, 33, -36)); });
instruction('ADDSUBPD', () => {
  binary('subtracts below and adds above', 'addsubpd', pd(1, 2), pd(10, 20), pd(11, -18));
  example('collects the exceptions of both lanes', 'addsubpd xmm1, xmm2', { xmm1: (SNAN << 64n) | d(1), xmm2: pd(0, 2 ** -60) }, { xmm1: (0x7ff8_0000_0000_0001n << 64n) | d(1), mxcsr: DEFAULT | IE | PE });
  example('raises #XM and changes no register where an exception is not masked', 'addsubpd xmm1, xmm2', { xmm1: pd(0, 1), xmm2: pd(0, 2 ** -60), mxcsr: unmasked(PE) }, { mxcsr: unmasked(PE) | PE, fault: XM });
});
instruction('HADDPS', () => { binary('adds neighbours, those of DEST below those of SRC', 'haddps', ps(1, 2, 3, 4), ps(10, 20, 30, 40), ps(30, 70, 3, 7)); });
instruction('HADDPD', () => {
  binary('adds neighbours', 'haddpd', pd(1, 2), pd(10, 20), pd(30, 3));
  example('needs its memory operand aligned', 'haddpd xmm1, xmmword ptr [rdi]', { rdi: MEMORY + 8n }, { fault: GP });
});
instruction('HSUBPS', () => { binary('subtracts odd lanes from even ones', 'hsubps', ps(1, 2, 3, 4), ps(10, 20, 30, 40), ps(10, 10, 1, 1)); });
instruction('HSUBPD', () => { binary('subtracts the high number from the low one', 'hsubpd', pd(1, 2), pd(10, 25), pd(15, 1)); });

instruction('PSHUFB', () => {
  binary('picks bytes of DEST by number', 'pshufb', LOW, 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0fn, 0x0001_0203_0405_0607_0809_0a0b_0c0d_0e0fn);
  binary('gives zero where bit 7 is set and ignores bits 6:4', 'pshufb', HIGH, 0x80_8f_75n, 0x1010_1010_1010_1010_1010_1010_1000_0015n);
  short('takes bits 2:0 on MMX registers', 'pshufb', 0x0706_0504_0302_0100n, 0x80_7f_0f_08_03_02_01_00n, 0x00_07_07_00_03_02_01_00n);
});
instruction('PHADDW', () => {
  binary('adds neighbours and wraps', 'phaddw', 0x0001_0002_0003_0004_7fff_0001_ffff_0001n, 0x000a_0014n, 0x0000_0000_0000_001e_0003_0007_8000_0000n);
  short('adds neighbours of four words', 'phaddw', 0x0001_0002_0003_0004n, 0x000a_0014_001e_0028n, 0x001e_0046_0003_0007n);
});
instruction('PHADDD', () => {
  binary('adds neighbours', 'phaddd', 0x0000_0001_0000_0002_ffff_ffff_0000_0001n, 0x0000_000a_0000_0014n, 0x0000_0000_0000_001e_0000_0003_0000_0000n);
  short('adds two of each', 'phaddd', 0x0000_0001_0000_0002n, 0x0000_000a_0000_0014n, 0x0000_001e_0000_0003n);
});
instruction('PHADDSW', () => {
  binary('stops at 32767 and -32768', 'phaddsw', 0x7fff_0001_8000_ffffn, 0n, 0x7fff_8000n);
  short('stops there too', 'phaddsw', 0x7fff_0001_8000_ffffn, 0x0001_0002_0003_0004n, 0x0003_0007_7fff_8000n);
});
instruction('PHSUBW', () => {
  binary('subtracts odd words from even ones', 'phsubw', 0x0001_0003_0005_0004n, 0n, 0x0002_ffffn);
  short('subtracts', 'phsubw', 0x0001_0003_0005_0004n, 0x0000_0001_0001_0000n, 0x0001_ffff_0002_ffffn);
});
instruction('PHSUBD', () => {
  binary('subtracts odd doublewords from even ones', 'phsubd', 0x0000_0001_0000_0003n, 0n, 2n);
  short('subtracts', 'phsubd', 0x0000_0001_0000_0003n, 0x0000_0003_0000_0001n, 0xffff_fffe_0000_0002n);
});
instruction('PHSUBSW', () => {
  binary('stops at 32767 and -32768', 'phsubsw', 0xffff_7fff_0001_8000n, 0n, 0x7fff_8000n);
  short('stops there too', 'phsubsw', 0xffff_7fff_0001_8000n, 0n, 0x7fff_8000n);
});
instruction('PMADDUBSW', () => {
  binary('multiplies unsigned bytes of DEST by signed ones of SRC', 'pmaddubsw', 0xff_02n, 0xff_03n, 0xff07n);
  binary('saturates the sums', 'pmaddubsw', 0xffff_ffffn, 0x8080_7f7fn, 0x8000_7fffn);
  short('does so on four pairs', 'pmaddubsw', 0xff02_ffff_ffff_0000n, 0xff03_8080_7f7f_0000n, 0xff07_8000_7fff_0000n);
});
instruction('PSIGNB', () => {
  binary('negates, keeps or clears by the sign of SRC', 'psignb', 0x80_05_05_05n, 0xff_01_00_80n, 0x80_05_00_fbn);
  short('so too', 'psignb', 0x80_05_05_05n, 0xff_01_00_80n, 0x80_05_00_fbn);
});
instruction('PSIGNW', () => {
  binary('does so with words', 'psignw', 0x0005_0005_0005n, 0xffff_0000_0001n, 0xfffb_0000_0005n);
  short('so too', 'psignw', 0x0005_0005_0005n, 0xffff_0000_0001n, 0xfffb_0000_0005n);
});
instruction('PSIGND', () => {
  binary('does so with doublewords', 'psignd', 0x0000_0005_0000_0005n, 0x8000_0000_0000_0000n, 0xffff_fffb_0000_0000n);
  short('so too', 'psignd', 0x0000_0005_0000_0005n, 0x8000_0000_0000_0000n, 0xffff_fffb_0000_0000n);
});
instruction('PMULHRSW', () => {
  binary('gives the high halves of doubled products, rounded', 'pmulhrsw', 0x8000_4000_4000n, 0x8000_0001_4000n, 0x8000_0001_2000n);
  short('so too', 'pmulhrsw', 0x8000_4000_4000n, 0x8000_0001_4000n, 0x8000_0001_2000n);
});
instruction('PABSB', () => {
  binary('gives absolute values; the least number stays', 'pabsb', 0n, 0x80_ff_7f_00n, 0x80_01_7f_00n);
  short('so too', 'pabsb', 0n, 0x80_ff_7f_00n, 0x80_01_7f_00n);
});
instruction('PABSW', () => {
  binary('of words', 'pabsw', 0n, 0x8000_ffff_7fffn, 0x8000_0001_7fffn);
  short('of words', 'pabsw', 0n, 0x8000_ffff_7fffn, 0x8000_0001_7fffn);
});
instruction('PABSD', () => {
  binary('of doublewords', 'pabsd', 0n, 0xffff_fffe_0000_0003n, 0x0000_0002_0000_0003n);
  example('of memory', 'pabsd mm1, qword ptr [rdi]', { rdi: MEMORY, qword: 0xffff_fffe_0000_0003n }, { mm1: 0x0000_0002_0000_0003n });
});
instruction('PALIGNR', () => {
  const align = (sentence: string, by: number, result: bigint): void => { example(sentence, `palignr xmm1, xmm2, ${by}`, { xmm1: HIGH, xmm2: LOW }, { xmm1: result }); };
  align('shifts DEST:SRC right by bytes', 3, 0x1211_100f_0e0d_0c0b_0a09_0807_0605_0403n);
  align('by 16 is DEST', 16, HIGH);
  align('by more brings in zeros', 20, 0x1f1e_1d1c_1b1a_1918_1716_1514n);
  align('by 32 and more leaves none', 32, 0n);
  example('works on eight bytes each', 'palignr mm1, mm2, 3', { mm1: 0x0f0e_0d0c_0b0a_0908n, mm2: 0x0706_0504_0302_0100n }, { mm1: 0x0a09_0807_0605_0403n });
  example('by more than eight brings in zeros', 'palignr mm1, mm2, 9', { mm1: 0x0f0e_0d0c_0b0a_0908n, mm2: 0x0706_0504_0302_0100n }, { mm1: 0x0f_0e0d_0c0b_0a09n });
});

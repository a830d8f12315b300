/** AES, PCLMULQDQ and SHA by example: the states of FIPS 197 and FIPS 180-4, as a register holds them. */
import { example, GP, instruction, MEMORY, PF, UNMAPPED } from '../../support/example.ts';

/** Bytes in the order in which the standards write them: the first is the lowest. */
const bytes = (hex: string): bigint => (hex.match(/../g) ?? []).reduceRight((v, byte) => (v << 8n) | BigInt(`0x${byte}`), 0n);
/** Words, the highest lane first. */
const words = (...lanes: readonly number[]): bigint => lanes.reduce((v, x) => (v << 32n) | BigInt(x), 0n);

// FIPS 197, "Cipher Example": the state at the start of round 1, its key, and the state at the start of round 2; those of the last round.
const START_1 = bytes('193de3bea0f4e22b9ac68d2ae9f84808'), KEY_1 = bytes('a0fafe1788542cb123a339392a6c7605'), START_2 = bytes('a49c7ff2689f352b6b5bea43026a5049');
const START_10 = bytes('eb40f21e592e38848ba113e71bc342d2'), KEY_10 = bytes('d014f9a8c9ee2589e13f0cc8b6630ca6'), OUTPUT = bytes('3925841d02dc09fbdc118597196a0b32');
/** Round 1 behind ShiftRows, and behind MixColumns. */
const SHIFTED_1 = bytes('d4bf5d30e0b452aeb84111f11e2798e5'), MIXED_1 = bytes('046681e5e0cb199a48f8d37a2806264c');

instruction('AESENC', () => {
  example('is a round of the cipher', 'aesenc xmm1, xmm2', { xmm1: START_1, xmm2: KEY_1 }, { xmm1: START_2 });
  example('needs its memory operand aligned', 'aesenc xmm1, xmmword ptr [rdi]', { rdi: MEMORY + 1n }, { fault: GP });
});
instruction('AESENCLAST', () => { example('is the last round, without MixColumns', 'aesenclast xmm1, xmm2', { xmm1: START_10, xmm2: KEY_10 }, { xmm1: OUTPUT }); });
instruction('AESDEC', () => {
  // FIPS 197, "AES-128 (Nk=4, Nr=10)", equivalent inverse cipher: round 1.
  example('is a round of the equivalent inverse cipher', 'aesdec xmm1, xmm2', { xmm1: bytes('7ad5fda789ef4e272bca100b3d9ff59f'), xmm2: bytes('13aa29be9c8faff6f770f58000f7bf03') }, { xmm1: bytes('54d990a16ba09ab596bbf40ea111702f') });
});
instruction('AESDECLAST', () => { example('undoes SubBytes and ShiftRows', 'aesdeclast xmm1, xmm2', { xmm1: SHIFTED_1, xmm2: 0n }, { xmm1: START_1 }); });
instruction('AESIMC', () => { example('undoes MixColumns', 'aesimc xmm1, xmm2', { xmm2: MIXED_1 }, { xmm1: SHIFTED_1 }); });
instruction('AESKEYGENASSIST', () => {
  // FIPS 197, "Expansion of a 128-bit Cipher Key": w[3] is 09cf4f3c, SubWord(RotWord(w[3])) is 8a84eb01.
  example('substitutes, turns and adds the round constant', 'aeskeygenassist xmm1, xmm2, 1', { xmm2: bytes('00000000000000000000000009cf4f3c') }, { xmm1: bytes('6363636362636363018a84eb8b84eb01') });
});

instruction('PCLMULQDQ', () => {
  example('multiplies without carries', 'pclmulqdq xmm1, xmm2, 0', { xmm1: 0b111n, xmm2: 0b111n }, { xmm1: 0b10101n });
  example('takes the halves that bits 0 and 4 name', 'pclmulqdq xmm1, xmm2, 0x11', { xmm1: (1n << 127n) | 5n, xmm2: (3n << 64n) | 7n }, { xmm1: (1n << 64n) | (1n << 63n) });
  example('changes nothing when its source faults', 'pclmulqdq xmm1, xmmword ptr [rdi], 0', { rdi: UNMAPPED }, { fault: PF(UNMAPPED) });
});

// The initial values of SHA-1, and "abc" padded. FIPS 180-4; its example file gives the state after each round.
const [A, B, C, D, E] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
instruction('SHA1RNDS4', () => {
  // E is added to the first word beforehand.
  example('is four rounds', 'sha1rnds4 xmm1, xmm2, 0', { xmm1: words(A, B, C, D), xmm2: words((0x6162_6380 + E) >>> 0, 0, 0, 0) }, { xmm1: words(0xcdd8_e11b, 0xa139_0f08, 0x6264_14db, 0xc045_bf0c) });
});
instruction('SHA1NEXTE', () => { example('turns the topmost word by 30 and adds it to that of SRC', 'sha1nexte xmm1, xmm2', { xmm1: words(4, 9, 9, 9), xmm2: words(5, 6, 7, 8) }, { xmm1: words(6, 6, 7, 8) }); });
instruction('SHA1MSG1', () => { example('combines words two places apart', 'sha1msg1 xmm1, xmm2', { xmm1: words(1, 2, 4, 8), xmm2: words(16, 32, 64, 128) }, { xmm1: words(1 ^ 4, 2 ^ 8, 4 ^ 16, 8 ^ 32) }); });
instruction('SHA1MSG2', () => { example('the last word depends on the first', 'sha1msg2 xmm1, xmm2', { xmm1: words(1, 2, 4, 8), xmm2: words(99, 16, 32, 64) }, { xmm1: words(34, 68, 136, 84) }); });

instruction('SHA256RNDS2', () => {
  // FIPS 180-4: the initial values; W + K of rounds 0 and 1 of "abc".
  const wk = words(0, 0, 0x7137_4491, (0x6162_6380 + 0x428a_2f98) >>> 0);
  example('is two rounds', 'sha256rnds2 xmm1, xmm2, xmm0', {
    xmm1: words(0x3c6e_f372, 0xa54f_f53a, 0x1f83_d9ab, 0x5be0_cd19), xmm2: words(0x6a09_e667, 0xbb67_ae85, 0x510e_527f, 0x9b05_688c), xmm0: wk,
  }, { xmm1: words(0x5a6a_d9ad, 0x5d6a_ebcd, 0x78ce_7989, 0xfa2a_4622) });
});
instruction('SHA256MSG1', () => { example('adds the small sigma 0 of the next word', 'sha256msg1 xmm1, xmm2', { xmm1: words(0, 0, 0, 5), xmm2: words(9, 9, 9, 0x8000_0000) }, { xmm1: words(0x1100_2000, 0, 0, 5) }); });
instruction('SHA256MSG2', () => { example('adds the small sigma 1 of the word two places before', 'sha256msg2 xmm1, xmm2', { xmm1: words(0, 0, 0, 0), xmm2: words(0, 0x0002_0000, 9, 9) }, { xmm1: words(0, 0x0040_8800, 0, 0x4000_0081) }); });

/** AES, PCLMULQDQ and SHA: the lines of the manual. */
import { instruction } from '../row.ts';
import {
  AESDEC, AESENC, AESIMC, AESKEYGENASSIST, PCLMULQDQ, SHA1MSG1, SHA1MSG2, SHA1NEXTE, SHA1RNDS4, SHA256MSG1, SHA256MSG2, SHA256RNDS2,
} from '../semantics/vector-cryptography.ts';
import { combined, mapped } from '../semantics/vector-operands.ts';

const AES = { feature: 'aes', size: 'any' } as const;
/** VEX prefixes are AVX's. */
const VEX = { alsoNeeds: 'avx' } as const;
const SHA = { feature: 'sha-ni', size: 'any' } as const;

export const vectorCryptography = [
  instruction(combined(AESENC('inner')), AES, [
    ['AESENC xmm1, xmm2/m128', '66 0F 38 DC /r'],
    ['VAESENC xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG DC /r', VEX],
  ]),
  instruction(combined(AESENC('last')), AES, [
    ['AESENCLAST xmm1, xmm2/m128', '66 0F 38 DD /r'],
    ['VAESENCLAST xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG DD /r', VEX],
  ]),
  instruction(combined(AESDEC('inner')), AES, [
    ['AESDEC xmm1, xmm2/m128', '66 0F 38 DE /r'],
    ['VAESDEC xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG DE /r', VEX],
  ]),
  instruction(combined(AESDEC('last')), AES, [
    ['AESDECLAST xmm1, xmm2/m128', '66 0F 38 DF /r'],
    ['VAESDECLAST xmm1, xmm2, xmm3/m128', 'VEX.128.66.0F38.WIG DF /r', VEX],
  ]),
  instruction(mapped(AESIMC), AES, [
    ['AESIMC xmm1, xmm2/m128', '66 0F 38 DB /r'],
    ['VAESIMC xmm1, xmm2/m128', 'VEX.128.66.0F38.WIG DB /r', VEX],
  ]),
  instruction(mapped(AESKEYGENASSIST), AES, [
    ['AESKEYGENASSIST xmm1, xmm2/m128, imm8', '66 0F 3A DF /r ib'],
    ['VAESKEYGENASSIST xmm1, xmm2/m128, imm8', 'VEX.128.66.0F3A.WIG DF /r ib', VEX],
  ]),
  instruction(combined(PCLMULQDQ), { feature: 'pclmulqdq', size: 'any' }, [
    ['PCLMULQDQ xmm1, xmm2/m128, imm8', '66 0F 3A 44 /r ib'],
    ['VPCLMULQDQ xmm1, xmm2, xmm3/m128, imm8', 'VEX.128.66.0F3A.WIG 44 /r ib', VEX],
  ]),
  instruction(combined(SHA1NEXTE), SHA, [
    ['SHA1NEXTE xmm1, xmm2/m128', 'NP 0F 38 C8 /r'],
  ]),
  instruction(combined(SHA1MSG1), SHA, [
    ['SHA1MSG1 xmm1, xmm2/m128', 'NP 0F 38 C9 /r'],
  ]),
  instruction(combined(SHA1MSG2), SHA, [
    ['SHA1MSG2 xmm1, xmm2/m128', 'NP 0F 38 CA /r'],
  ]),
  instruction(combined(SHA1RNDS4), SHA, [
    ['SHA1RNDS4 xmm1, xmm2/m128, imm8', 'NP 0F 3A CC /r ib'],
  ]),
  instruction(SHA256RNDS2, SHA, [
    ['SHA256RNDS2 xmm1, xmm2/m128, <XMM0>', 'NP 0F 38 CB /r'],
  ]),
  instruction(combined(SHA256MSG1), SHA, [
    ['SHA256MSG1 xmm1, xmm2/m128', 'NP 0F 38 CC /r'],
  ]),
  instruction(combined(SHA256MSG2), SHA, [
    ['SHA256MSG2 xmm1, xmm2/m128', 'NP 0F 38 CD /r'],
  ]),
] as const;

/**
 * Rows of ordinary instructions that no engine generates code for: the reference engine executes them, at its speed. The law
 * (generated-rows.test.ts) holds this list against what the engines do, so whoever generates code for a row takes it off here.
 */
export const LEFT_TO_REFERENCE: readonly { readonly why: string; readonly features?: readonly string[]; readonly but?: readonly string[]; readonly mnemonics?: readonly string[] }[] = [
  { why: 'several stores: leaving in front of the second would run the first again', mnemonics: ['PUSHA', 'PUSHAD', 'ENTER'] },
  { why: 'a 16-byte value in two registers', mnemonics: ['CMPXCHG16B'] },
  { why: 'no code for vectors of 64, 128 and 256 bits yet', features: ['mmx', 'sse', 'sse2', 'sse3', 'ssse3', 'sse4.1', 'sse4.2', 'aes', 'pclmulqdq', 'sha-ni', 'avx', 'avx2', 'fma'], but: ['CRC32', 'MOVNTI', 'LFENCE', 'MFENCE', 'SFENCE'] },
];

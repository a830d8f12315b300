/** Mnemonics with and without a VEX prefix. */
const withVex = (...mnemonics: readonly string[]): readonly string[] => mnemonics.flatMap((x) => [x, `V${x}`]);

/**
 * Rows of ordinary instructions that no engine generates code for: the reference engine executes them, at its speed. The law
 * (generated-rows.test.ts) holds this list against what the engines do, so whoever generates code for a row takes it off here.
 */
export const LEFT_TO_REFERENCE: readonly { readonly why: string; readonly features?: readonly string[]; readonly but?: readonly string[]; readonly mnemonics?: readonly string[] }[] = [
  { why: 'several stores: leaving in front of the second would run the first again', mnemonics: ['PUSHA', 'PUSHAD', 'ENTER'] },
  { why: 'approximations, whose bits are the processor’s own', mnemonics: withVex('RCPPS', 'RCPSS', 'RSQRTPS', 'RSQRTSS') },
  { why: 'stores of up to sixteen bytes here and there', mnemonics: [...withVex('MASKMOVDQU'), 'MASKMOVQ'] },
  { why: 'WebAssembly has nothing like it', mnemonics: withVex('MPSADBW', 'PCMPESTRM', 'PCMPESTRI', 'PCMPISTRM', 'PCMPISTRI', 'AESENC', 'AESENCLAST', 'AESDEC', 'AESDECLAST', 'AESKEYGENASSIST', 'PCLMULQDQ') },
  { why: 'elements that are looked at or not by a mask', mnemonics: ['VMASKMOVPS', 'VMASKMOVPD', 'VPMASKMOVD', 'VPMASKMOVQ', 'VPGATHERDD', 'VPGATHERDQ', 'VPGATHERQD', 'VPGATHERQQ', 'VGATHERDPS', 'VGATHERDPD', 'VGATHERQPS', 'VGATHERQPD'] },
  { why: 'WebAssembly has no numbers of half precision', features: ['f16c'] },
];

/** Which words of two states must be equal, and in which bits. */
import { FIELD, FIELD_COUNT, type TraceState } from './state.ts';

const SEGMENTS = 8, CS = 1, SS = 2;
const SELECTOR = 0, BASE = 1, LIMIT = 2, ATTRIBUTES = 3;
/** A null selector is one of GDT entries 0: 0-3. */
const isNull = (selector: number): boolean => (selector & ~3) === 0;
/**
 * Descriptor attributes without the accessed bit of code and data and the busy bit of a TSS: both are memory's, and
 * when a copy of the descriptor shows them is not architectural.
 */
const attributes = (value: number, segment: number): number => value & (segment === 7 ? 0xf0fd : 0xf0fe);

/** Compared in another way than bit by bit, or not at all: the shadow and HLT are judged by when interrupts are taken. */
const SPECIAL = new Set<number>([FIELD.shadow, FIELD.halted]);

/**
 * The words in which two states differ. In the narrow form (outside 64-bit mode) the upper halves of the general
 * registers and R8-R15 are not known and not compared.
 */
export function differingWords(ours: TraceState, recorded: TraceState): number[] {
  const a = ours.halves, b = recorded.halves;
  const differing: number[] = [];
  for (let word = 0; word < FIELD_COUNT; word++) {
    const low = a[word * 2] !== b[word * 2], high = a[word * 2 + 1] !== b[word * 2 + 1];
    if (!low && !high) continue;
    if (SPECIAL.has(word)) continue;
    if (word < 16 && !recorded.wide && (word >= 8 || !low)) continue;
    if (word >= FIELD.segments && word < FIELD.segments + SEGMENTS * 4 && !segmentWordDiffers(a, b, word)) continue;
    differing.push(word);
  }
  return differing;
}

function segmentWordDiffers(a: Uint32Array, b: Uint32Array, word: number): boolean {
  const segment = word - FIELD.segments >> 2, part = word - FIELD.segments & 3;
  const first = FIELD.segments + segment * 4;
  const selector = b[first * 2]!;
  if (part === SELECTOR) return true;
  if (part === BASE) return true;
  // What a null selector leaves in the hidden part is nothing a program can see, CS and SS apart.
  if (isNull(selector) && segment !== CS && segment !== SS) return false;
  if (part === ATTRIBUTES) return attributes(a[word * 2]!, segment) !== attributes(b[word * 2]!, segment);
  return part === LIMIT;
}

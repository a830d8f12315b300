/** The vector half of the vocabulary, as interpretations inherit it. */
import { expect, test } from 'vitest';
import { UnsupportedVerb } from '../../src/cpu/isa/ops.ts';
import { VectorOps } from '../../src/cpu/isa/vector-ops.ts';
import { immediatePattern, interleavePattern, lanePattern } from '../../src/cpu/isa/vector-shuffles.ts';

class NoVectors extends VectorOps<null, null> {}

test('an interpretation without vectors refuses every verb by name', () => {
  const ops = new NoVectors() as unknown as Record<string, (...operands: unknown[]) => unknown>;
  const verbs = Object.getOwnPropertyNames(VectorOps.prototype).filter((name) => name !== 'constructor' && name !== 'raisedTogether');
  const derived = new Map([['lowX', 'constX'], ['loadHalfX', 'loadX']]);
  expect(verbs.length).toBeGreaterThan(20);
  for (const verb of verbs) expect(() => ops[verb]?.()).toThrow(expect.objectContaining({ verb: derived.get(verb) ?? verb, constructor: UnsupportedVerb }));
});

test('patterns name bytes of the first operand below 16 and of the second from there', () => {
  expect(lanePattern(8, [3, 1])).toEqual([24, 25, 26, 27, 28, 29, 30, 31, 8, 9, 10, 11, 12, 13, 14, 15]);
  expect(interleavePattern(1, 'low').slice(0, 4)).toEqual([0, 16, 1, 17]);
  expect(interleavePattern(4, 'high')).toEqual([8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31]);
  expect(immediatePattern('PSLLDQ', 15).filter((n) => n < 16)).toEqual([0]);
});

test('every immediate gives a pattern of sixteen bytes', () => {
  for (const how of ['PSHUFD', 'PSHUFLW', 'PSHUFHW', 'SHUFPS', 'SHUFPD', 'PSLLDQ', 'PSRLDQ', 'PALIGNR', 'PBLENDW', 'BLENDPS', 'BLENDPD', 'INSERTPS', 'DPPS', 'DPPD', 'PCLMULQDQ'] as const) {
    for (let imm8 = 0; imm8 < 256; imm8++) {
      const pattern = immediatePattern(how, imm8);
      expect(pattern.length === 16 && pattern.every((n) => n >= 0 && n < 32), `${how} ${imm8}`).toBe(true);
    }
  }
});

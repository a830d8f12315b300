/** Expressions as a debugger's user types them. */
import { describe, expect, it } from 'vitest';
import { ExpressionError, compileExpression } from '../../src/debug/break/expression.ts';
import { Random, seedOf } from '../support/random.ts';
import { flatMachine } from '../machine/support/guests.ts';

const { machine } = flatMachine((a) => { a.nop(); });
machine.state.gpr[0] = 0x1122_3344_5566_8877n;
machine.state.gpr[3] = 0x30_0000n;
machine.memory.write64(0x30_0008 as never, 0xfedc_ba98_7654_3210n);
const symbols = (name: string): bigint | undefined => ({ counter: 0x30_0008n, value: undefined, al_pha: 7n }[name]);
const value = (text: string, values = {}): bigint | undefined => compileExpression(text, symbols)(machine, values);
/** What a text is refused with: message and column; undefined if it is read. */
function refusal(text: string): readonly [string, number] | undefined {
  try {
    value(text);
  } catch (error) {
    if (error instanceof ExpressionError) return [error.message, error.column];
    throw error;
  }
  return undefined;
}

describe('an expression', () => {
  it.each([
    ['1 + 2 * 3', 7n], ['(1 + 2) * 3', 9n], ['1 << 4 | 1', 17n], ['7 & 3 == 3', 1n], ['0x10 - 0b11', 13n], ['-1', 0xffff_ffff_ffff_ffffn], ['~0 >> 60', 15n],
    ['!0 + !5', 1n], ['1 << 64', 0n], ['10 % 4 / 2', 1n], ['3 < 4 && 4 <= 4 && 5 > 4 && !(4 >= 5)', 1n], ['0 || 2', 1n], ['1_000', 1000n], ['-1 > 1', 1n],
    ['rax', 0x1122_3344_5566_8877n], ['$eax', 0x5566_8877n], ['ax', 0x8877n], ['al', 0x77n], ['AH', 0x88n], ['cpl', 0n], ['retired', 0n], ['cs', BigInt(machine.state.selector[1]!)],
    ['[counter]', 0xfedc_ba98_7654_3210n], ['u8[counter + 1]', 0x32n], ['u16[rbx + 8]', 0x3210n], ['u32[u64[counter] & 0 | counter + 4]', 0xfedc_ba98n], ['phys.u32[0x300008]', 0x7654_3210n],
    ['al_pha', 7n], ['vector == 14', 1n],
  ])('%s', (text, expected) => { expect(value(text, { vector: 14n })).toBe(expected); });

  it('has no value where memory cannot be read or something is divided by 0', () => {
    expect(['u8[1 << 60]', 'phys.u8[1 << 50]', '1 / 0', '1 % (rax - rax)', '1 || 1 / 0', 'error'].map((text) => value(text))).toEqual([undefined, undefined, undefined, undefined, undefined, undefined]);
  });
  it.each([
    ['', 'expected a number, a name or "[", not the end', 0], ['1 +', 'expected a number, a name or "[", not the end', 3], ['(1', 'expected ")", not the end', 2], ['1 2', 'expected an operator, not "2"', 2],
    ['rxx', 'there is no register and no symbol "rxx"', 0], ['1 ? 2', '"?" means nothing here', 1], ['0x1_0000_0000_0000_0000', '0x1_0000_0000_0000_0000 has more than 64 bits', 0], ['u8 + 1', 'expected "[", not "+"', 3],
    ['('.repeat(40), 'more than 32 levels of brackets', 33], ['1+'.repeat(600), 'an expression has at most 1000 characters', 1000],
  ])('%s is refused', (text, message, column) => { expect(refusal(text)).toEqual([message, column]); });
  it('of any characters is read or refused, by no other exception', () => {
    const random = new Random(seedOf('expressions'));
    const pieces = ['(', ')', '[', ']', '+', '-', '*', '/', '&&', '||', '<<', '~', '!', 'rax', 'u8[', '0x', '12', 'é', '$', ' ', '"', '_'];
    let read = 0;
    for (let n = 0; n < 3000; n++) if (refusal(Array.from({ length: random.below(random.chance(50) ? 4 : 20) }, () => random.pick(pieces)).join('')) === undefined) read++;
    expect(read).toBeGreaterThan(5);
  });
});

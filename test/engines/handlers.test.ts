/** The handlers' table has room for every form that there is: none is left to the reference engine because others came before. */
import { expect, it } from 'vitest';
import { DecodeFailure, decode } from '../../src/cpu/decode/decode.ts';
import { formOf } from '../../src/cpu/engines/interpreter/form.ts';
import { HANDLER, Handlers } from '../../src/cpu/engines/interpreter/handlers.ts';
import { MODE_32, MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { encodeRow, type Choice } from '../support/encode-row.ts';

const MEMORY: readonly Choice['rm'][] = [{ base: 0, displacement: 0n, displacementBytes: 0 }, { base: 4, displacement: 0n, displacementBytes: 1 }, { base: 0, index: 1, displacement: 0n, displacementBytes: 4 }];
const PREFIXES = [[], [0x64], [0x65]];

/** An instruction of every form: rows, with registers and each kind of memory operand, segments with and without a base, both address sizes. */
function everyForm(): Instruction[] {
  const found = new Map<string, Instruction>();
  for (const row of ROWS) {
    if (row.meaning.kind !== 'translated') continue;
    for (const codeSize of [64, 32] as const) {
      for (const rm of [3, ...MEMORY]) {
        for (const prefixes of PREFIXES) {
          for (const shortAddress of [false, true]) {
            const conditions = row.encoding.conditionInOpcode ? [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] : [0];
            for (const condition of conditions) {
              const bytes = encodeRow(row, { codeSize, reg: 2, rm: rm!, condition, prefixes, shortAddress: shortAddress && codeSize === 64 });
              const i = decode(bytes, 0, codeSize === 64 ? MODE_64 : MODE_32);
              if (!(i instanceof DecodeFailure)) found.set(formOf(i), i);
            }
          }
        }
      }
    }
  }
  return [...found.values()];
}

it('grows: the last of all forms gets the handler that it would get alone', () => {
  const forms = everyForm();
  const handlers = new Handlers(new GuestState(1 << 20).memory);
  const step = handlers.table.length;
  for (const i of forms) handlers.of(i);
  expect(handlers.count).toBeGreaterThan(step);
  expect(handlers.table.length).toBeGreaterThan(handlers.count);
  handlers.compile();
  const alone = new Handlers(new GuestState(1 << 20).memory);
  const late = forms.slice(-500);
  expect(late.filter((i) => (handlers.of(i) === HANDLER.reference) !== (alone.of(i) === HANDLER.reference)).map(formOf)).toEqual([]);
  const generated = late.map((i) => handlers.of(i)).filter((index) => index !== HANDLER.reference);
  expect(generated.length).toBeGreaterThan(100);
  expect(generated.filter((index) => typeof handlers.table.get(index) !== 'function')).toEqual([]);
});

/** The handlers' table has room for every form that there is: none is left to the reference engine because others came before. */
import { expect, it } from 'vitest';
import type { EngineFunctions } from '../../src/cpu/engines/engine-functions.ts';
import { formInRow, formOf } from '../../src/cpu/engines/interpreter/form.ts';
import { HANDLER, Handlers } from '../../src/cpu/engines/interpreter/handlers.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { everyForm } from '../support/every-form.ts';

const NOT_RUN: EngineFunctions = { reference: () => 0, readPort: () => 0, writePort: () => { /* no handler runs here */ }, invalidatePage: () => 0, writeCr3: () => { /* the same */ } };

it('grows: the last of all forms gets the handler that it would get alone', () => {
  const forms = everyForm().map(({ i }) => i);
  const handlers = new Handlers(new GuestState(1 << 20).memory, NOT_RUN);
  const step = handlers.table.length;
  for (const i of forms) handlers.of(i);
  expect(handlers.count).toBeGreaterThan(step);
  expect(handlers.table.length).toBeGreaterThan(handlers.count);
  handlers.compile();
  const alone = new Handlers(new GuestState(1 << 20).memory, NOT_RUN);
  // The rows after these have no handlers at all.
  const generated = forms.filter((i) => handlers.of(i) !== HANDLER.reference).slice(-500);
  expect(generated.filter((i) => alone.of(i) === HANDLER.reference).map(formOf)).toEqual([]);
  expect(generated.filter((i) => typeof handlers.table.get(handlers.of(i)) !== 'function').map(formOf)).toEqual([]);
});

it('a row and the number for the rest tell forms apart as their keys do', () => {
  const keys = new Map<string, string>();
  const wrong: string[] = [];
  for (const { i } of everyForm()) {
    const form = formOf(i), number = `${i.row.text} ${ROWS.indexOf(i.row)} ${formInRow(i)}`;
    const known = keys.get(number);
    if (known !== undefined && known !== form) wrong.push(`${number}: ${known} and ${form}`);
    keys.set(number, form);
  }
  expect(keys.size).toBeGreaterThan(1000);
  expect(wrong).toEqual([]);
});

/**
 * Which rows the tests of a file execute on a SystemMachine. Test files run apart from each other, so each is held
 * against what the rows.ts of its folder (test/system, test/fpu) says of it; a law (test/isa/meta.test.ts) holds that
 * against the table.
 */
import { beforeAll, expect, test } from 'vitest';
import type { Row } from '../../src/cpu/isa/row.ts';
import { nameOfRow } from './row-name.ts';

const executed = new Set<Row>();
export const rowExecuted = (row: Row): void => { executed.add(row); };

/** Stands at the end of a test file: its tests have executed these system rows, and no others. Run by itself (-t), it knows nothing. */
export function executesRows(rows: readonly string[]): void {
  beforeAll(() => { executed.clear(); });
  test('these tests execute the system rows that rows.ts lists', () => {
    const names = [...executed].filter((row) => row.meaning.kind !== 'translated').map(nameOfRow);
    expect([...new Set(names)].sort()).toEqual([...rows].sort());
  });
}

/** Which rows of the table the examples of the book show: known from the bytes that each example runs. */
import type { Row } from '../../src/cpu/isa/row.ts';

let shown: Set<Row> | undefined;

/** Called by `example` with what its bytes decode to. True when the example is only being counted and must not become a test. */
export function countExample(row: Row | undefined): boolean {
  if (shown && row) shown.add(row);
  return shown !== undefined;
}
export const isCounting = (): boolean => shown !== undefined;

/** The rows of all examples that `load` brings in, without running any. */
export async function rowsShownBy(load: () => Promise<unknown>): Promise<ReadonlySet<Row>> {
  const rows = shown = new Set<Row>();
  try {
    await load();
  } finally {
    shown = undefined;
  }
  return rows;
}

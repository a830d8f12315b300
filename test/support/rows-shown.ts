/** The rows that examples have shown: what test/isa/rows.test.ts holds against the table. */
import type { Row } from '../../src/cpu/isa/row.ts';

const shown = new Set<Row>();
/** An example of this row has been registered or run. */
export const rowShown = (row: Row): void => { shown.add(row); };
export const isShown = (row: Row): boolean => shown.has(row);

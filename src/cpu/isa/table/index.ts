/** The whole instruction set: one list of rows, from which everything else is derived. */
import { parseRow, type Row } from '../row.ts';
import { arithmetic } from './arithmetic.ts';

/** All entries, family by family, with their literal types. */
export const ENTRIES = [...arithmetic] as const;

/** Every row of the table, parsed and checked. */
export const ROWS: readonly Row[] = ENTRIES.flatMap((entry) => entry.lines.map((line) => parseRow(entry, line)));

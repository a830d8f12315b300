/** Rows by the name that files and lists know them by. */
import type { Row } from '../../src/cpu/isa/row.ts';

export const nameOfRow = (row: Row): string => `${row.text} = ${row.encodingText}`;

/** The whole instruction set: one list of rows, from which everything else is derived. */
import { parseRow, type Entry, type Row } from '../row.ts';
import { arithmetic } from './arithmetic.ts';
import { avxAcross } from './avx-across.ts';
import { avxFloat } from './avx-float.ts';
import { avxInteger } from './avx-integer.ts';
import { avxMove } from './avx-move.ts';
import { avxSse4 } from './avx-sse4.ts';
import { avxWhere } from './avx-where.ts';
import { bit } from './bit.ts';
import { bitManipulation } from './bit-manipulation.ts';
import { controlTransfer } from './control-transfer.ts';
import { dataTransfer } from './data-transfer.ts';
import { decimal } from './decimal.ts';
import { exchange } from './exchange.ts';
import { fma } from './fma.ts';
import { flagControl } from './flag-control.ts';
import { logic } from './logic.ts';
import { miscellaneous } from './miscellaneous.ts';
import { multiplyDivide } from './multiply-divide.ts';
import { shift } from './shift.ts';
import { stack } from './stack.ts';
import { string } from './string.ts';
import { systemIo } from './system-io.ts';
import { systemRegisters } from './system-registers.ts';
import { systemSegments } from './system-segments.ts';
import { systemTransfers } from './system-transfers.ts';
import { vectorCryptography } from './vector-cryptography.ts';
import { vectorFloat } from './vector-float.ts';
import { vectorInteger } from './vector-integer.ts';
import { vectorMove } from './vector-move.ts';
import { vectorSse3 } from './vector-sse3.ts';
import { vectorSse4 } from './vector-sse4.ts';
import { x87 } from './x87.ts';
import { xsave } from './xsave.ts';

/** All entries, family by family, with their literal types. */
export const ENTRIES = [
  ...dataTransfer, ...exchange, ...stack, ...arithmetic, ...multiplyDivide, ...decimal, ...logic, ...shift, ...bit, ...bitManipulation,
  ...controlTransfer, ...string, ...flagControl, ...miscellaneous, ...vectorMove, ...vectorInteger, ...vectorFloat, ...vectorSse3, ...vectorSse4, ...vectorCryptography,
  ...systemSegments, ...systemTransfers, ...systemRegisters, ...systemIo, ...x87, ...xsave, ...avxMove, ...avxInteger, ...avxFloat, ...avxAcross, ...avxSse4, ...avxWhere, ...fma,
] as const;

/** The entries by what all of them are: to go through their literal types together, a compiler compares each with each, which takes it half a minute. */
const entries: readonly Entry[] = ENTRIES;

/** Every row of the table, parsed and checked. */
export const ROWS: readonly Row[] = entries.flatMap((entry) => entry.lines.map((line) => parseRow(entry, line)));

/** Bitwise logic. Manual: AF is undefined after AND, OR, XOR, TEST; hardware (Intel): cleared. */
import type { Semantics } from '../row.ts';
import { place, read } from './operands.ts';

const logic = (verb: 'and' | 'or' | 'xor'): Semantics => (o, i) => {
  const dest = place(o, i, 0);
  const result = o[verb](i.width, dest.value, read(o, i, 1));
  dest.write(result);
  o.logicFlags(i.width, result);
};

/** AND — Logical AND. SDM Vol. 2A, "AND—Logical AND". */
export const AND = logic('and');
/** OR — Logical Inclusive OR. SDM Vol. 2B, "OR—Logical Inclusive OR". */
export const OR = logic('or');
/** XOR — Logical Exclusive OR. SDM Vol. 2D, "XOR—Logical Exclusive OR". */
export const XOR = logic('xor');

/** NOT — One's Complement Negation; no flags. SDM Vol. 2B, "NOT—One's Complement Negation". */
export const NOT: Semantics = (o, i) => {
  const dest = place(o, i, 0);
  dest.write(o.inv(i.width, dest.value));
};

/** TEST — Logical Compare. SDM Vol. 2B, "TEST—Logical Compare". */
export const TEST: Semantics = (o, i) => {
  o.logicFlags(i.width, o.and(i.width, read(o, i, 0), read(o, i, 1)));
};

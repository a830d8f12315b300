/** A value in generated code before it is written: a node of a graph, evaluated where it is first used. */
import type { ValueType } from '../wasm/opcodes.ts';

/** The opcode of a node that has no code of its own: a statement, a parameter or a home puts its value into `local`. */
export const LEAF = -1;

export class Node {
  readonly type: ValueType;
  /** A numeric instruction, select, a constant, or LEAF. */
  readonly op: number;
  readonly a: Node | undefined;
  readonly b: Node | undefined;
  readonly c: Node | undefined;
  /** Of a constant, zero-extended. */
  readonly value: bigint | undefined;
  /** A node that agrees with this one in the lowest `looseWidth` bits and was masked to make it: what masks again may use that. */
  loose: Node | undefined;
  looseWidth = 0;
  /** Of the negation of a bit: that bit. */
  negated: Node | undefined;
  /** Bytes behind the opcode: lanes of a vector, a vector constant. */
  immediates: readonly number[] | undefined;
  /** Of a vector whose lowest lane was put in: that. */
  lowest: Node | undefined;
  /** How many places of what is being written use it; filled in by `GraphOps.flush`. */
  uses = 0;
  /** The local that holds it, once it has been evaluated; -1 before. */
  local: number;

  constructor(type: ValueType, op: number, a?: Node, b?: Node, c?: Node, value?: bigint, local = -1) {
    this.type = type;
    this.op = op;
    this.a = a;
    this.b = b;
    this.c = c;
    this.value = value;
    this.local = local;
  }
}

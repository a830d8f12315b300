/** Code that is written by hand, as expressions: each is a function that leaves its value on the stack, so that what is written reads like what it does. */
import type { Code, Label } from './code.ts';
import { LOAD, NUMERIC as N, OP, STORE, VOID } from './opcodes.ts';

export type Expression = () => void;
type Width = keyof typeof LOAD;

export class Expressions {
  readonly #code: Code;
  constructor(code: Code) { this.#code = code; }

  readonly local = (n: number): Expression => () => { this.#code.get(n); };
  readonly c = (value: number): Expression => () => { this.#code.i32(value); };
  readonly c64 = (value: bigint): Expression => () => { this.#code.i64(value); };
  /** An instruction of NUMERIC, by its name. */
  readonly op = (name: keyof typeof N, ...operands: readonly Expression[]): Expression => () => {
    for (const operand of operands) operand();
    this.#code.byte(N[name]);
  };
  /** What is at `offset` behind an i32, of 8 to 64 bits; without one at a fixed place. */
  readonly load = (width: Width, offset: number, base: Expression = this.c(0)): Expression => () => {
    base();
    this.#code.memory(LOAD[width], offset);
  };
  readonly select = (condition: Expression, a: Expression, b: Expression): Expression => () => {
    a();
    b();
    condition();
    this.#code.byte(OP.select);
  };
  readonly and = (a: Expression, ...others: readonly Expression[]): Expression => others.reduce((x, y) => this.op('i32_and', x, y), a);
  readonly or = (a: Expression, ...others: readonly Expression[]): Expression => others.reduce((x, y) => this.op('i32_or', x, y), a);
  readonly not = (a: Expression): Expression => this.op('i32_eqz', a);
  /** 1 where one of the bits is set. */
  readonly has = (a: Expression, bits: number): Expression => this.op('i32_ne', this.and(a, this.c(bits)), this.c(0));

  // Statements: they are written at once.
  set(n: number, value: Expression): void {
    value();
    this.#code.set(n);
  }
  store(width: Width, offset: number, base: Expression, value: Expression): void {
    base();
    value();
    this.#code.memory(STORE[width], offset);
  }
  if(condition: Expression, then: () => void, otherwise?: () => void): void {
    condition();
    this.#code.open(OP.if, VOID);
    then();
    if (otherwise !== undefined) {
      this.#code.else();
      otherwise();
    }
    this.#code.end();
  }
  /** Again and again until something branches out of it: `body` gets the label that begins anew. */
  loop(body: (again: Label) => void): void {
    body(this.#code.open(OP.loop, VOID));
    this.#code.end();
  }
  return(value: Expression): void {
    value();
    this.#code.byte(OP.return);
  }
}

import type { Assembler } from '../../../src/assembler/index.ts';

/** A helper of a program: what `body` emits between two instructions of its own. */
export function twice(a: Assembler, body: () => void): void {
  a.pushfq();
  body();
  a.popfq();
}

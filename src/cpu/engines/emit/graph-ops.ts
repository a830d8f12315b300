/**
 * The vocabulary as generated WebAssembly, first part: how code comes from verbs. Pure verbs make nodes of a graph; effects
 * are statements in program order. `flush` drops what nobody uses, gives a local to what is used twice, and writes the rest.
 * Values of 8, 16 and 32 bits are i32, zero-extended; 64 bits are i64; bits are i32, 0 or 1.
 * Next: values.ts (arithmetic), flags.ts, memory.ts; then interpreter/handler-ops.ts and translator/region-ops.ts.
 */
import { Ops } from '../../isa/ops.ts';
import type { Width } from '../../isa/operand.ts';
import type { Code } from '../wasm/code.ts';
import { F32, F64, I32, I64, OP, V128, VOID, type ValueType } from '../wasm/opcodes.ts';
import { LEAF, Node } from './node.ts';

/** The form cannot be generated: the reference engine executes such an instruction. */
export class LeftToReference extends Error {}

/** One effect. */
interface Statement {
  /** The value that it makes, put into a local where it stands. */
  readonly result?: Node;
  /** It may be dropped when nobody uses the result. */
  readonly removable?: boolean;
  /** The nodes that `write` evaluates, as often as it does. */
  readonly roots: readonly Node[];
  readonly write: () => void;
  /** Statements that run under a condition, and what they change. */
  readonly arm?: Arm;
}
interface Arm { readonly body: readonly Statement[]; readonly merges: readonly Merge[] }
/** A value that is `after` where an arm was taken and `before` where it was not. */
interface Merge { readonly result: Node; readonly before: Node; readonly after: Node }

export const typeOf = (w: Width): ValueType => (w === 64 ? I64 : I32);

export abstract class GraphOps extends Ops<Node, Node> {
  protected readonly code: Code;
  /** Types of the locals behind the parameters and the fixed ones. */
  readonly locals: ValueType[] = [];
  readonly #firstLocal: number;
  #statements: Statement[] = [];
  readonly #pool: Record<ValueType, number[]> = { [I32]: [], [I64]: [], [F32]: [], [F64]: [], [V128]: [] };
  readonly #used: Record<ValueType, number> = { [I32]: 0, [I64]: 0, [F32]: 0, [F64]: 0, [V128]: 0 };
  /** In a conditional arm: the nodes that got a local there, which they lose at its end. */
  #arm: Node[] | undefined;

  /** `firstLocal`: number of parameters and fixed locals of the function. */
  constructor(code: Code, firstLocal: number) {
    super();
    this.code = code;
    this.#firstLocal = firstLocal;
  }

  // --------------------------------------------------------------------------------------------------------- graph
  protected node(type: ValueType, op: number, a?: Node, b?: Node, c?: Node): Node { return new Node(type, op, a, b, c); }
  const(w: Width, n: bigint): Node {
    return new Node(typeOf(w), w === 64 ? OP.i64_const : OP.i32_const, undefined, undefined, undefined, BigInt.asUintN(w, n));
  }
  /** A value that is in a local already. */
  protected inLocal(type: ValueType, local: number): Node { return new Node(type, LEAF, undefined, undefined, undefined, undefined, local); }

  // ---------------------------------------------------------------------------------------------------- statements
  /** An effect without a result. `write` evaluates each of `roots` once (a node named twice: twice). */
  protected effect(roots: readonly Node[], write: () => void): void { this.#statements.push({ roots, write }); }
  /** An effect with a result: `write` leaves it on the stack. */
  protected value(type: ValueType, roots: readonly Node[], write: () => void, removable = false): Node {
    const result = new Node(type, LEAF);
    this.#statements.push({ result, removable, roots, write: () => { write(); this.bind(result); } });
    return result;
  }
  /** A load from a fixed place, or behind an i32 base. */
  protected loadState(type: ValueType, op: number, offset: number, base?: Node): Node {
    return this.value(type, base ? [base] : [], () => {
      if (base) this.emit(base); else this.code.i32(0);
      this.code.memory(op, offset);
    }, true);
  }
  protected storeState(op: number, offset: number, v: Node, base?: Node): void {
    this.effect(base ? [base, v] : [v], () => {
      if (base) this.emit(base); else this.code.i32(0);
      this.emit(v);
      this.code.memory(op, offset);
    });
  }
  /**
   * Statements that `body` makes, run where c is 1. `changed` is asked afterwards what they made different: pairs of
   * the value before and the value after; it gets the merged values to go on with.
   */
  protected conditional(c: Node, body: () => void, changed: () => readonly { before: Node; after: Node; take: (merged: Node) => void }[]): void {
    const outer = this.#statements;
    this.#statements = [];
    body();
    const inner = this.#statements;
    this.#statements = outer;
    const merges = changed().map(({ before, after, take }): Merge => {
      const result = new Node(before.type, LEAF);
      take(result);
      return { result, before, after };
    });
    const arm: Arm = { body: inner, merges };
    outer.push({ roots: [c], arm, write: () => { this.#writeArm(c, arm); } });
  }

  #writeArm(c: Node, { body, merges }: Arm): void {
    const { code } = this;
    const live = merges.filter(({ result }) => result.uses > 0);
    for (const { result, before } of live) {
      this.emit(before);
      result.local = this.temporary(result.type);
      code.set(result.local);
    }
    this.emit(c);
    code.open(OP.if, VOID);
    this.inArm(() => {
      for (const s of body) if (!isDead(s)) s.write();
      for (const { after } of live) this.emit(after);
      for (const { result } of [...live].reverse()) code.set(result.local);
    });
    code.end();
  }

  // ------------------------------------------------------------------------------------------------------- writing
  protected temporary(type: ValueType): number {
    const pool = this.#pool[type];
    const n = this.#used[type]++;
    if (n === pool.length) pool.push(this.addLocal(type));
    return pool[n]!;
  }
  /** Another local of the function, for one use. */
  protected addLocal(type: ValueType): number { return this.#firstLocal + this.locals.push(type) - 1; }

  /** Keeps the value on the stack as x, if anyone uses x. */
  protected bind(x: Node): void {
    if (x.uses === 0) {
      this.code.byte(OP.drop);
      return;
    }
    x.local = this.temporary(x.type);
    this.code.set(x.local);
    this.#arm?.push(x);
  }

  /** Evaluates x now, so that later uses find it in a local. */
  protected force(x: Node): void {
    if (x.local >= 0 || x.value !== undefined) return;
    this.emit(x);
    if (x.local >= 0) this.code.byte(OP.drop);
    else this.#keep(x, false);
  }

  #keep(x: Node, onStack: boolean): void {
    x.local = this.temporary(x.type);
    if (onStack) this.code.tee(x.local); else this.code.set(x.local);
    this.#arm?.push(x);
  }

  /** Leaves x on the stack. */
  protected emit(x: Node): void {
    const { code } = this;
    if (x.local >= 0) {
      code.get(x.local);
      return;
    }
    if (x.value !== undefined) {
      if (x.type === I64) code.i64(x.value); else code.i32(Number(x.value) | 0);
      return;
    }
    if (x.op === LEAF) throw new Error('a value is used before the statement that makes it');
    if (x.a) this.emit(x.a);
    if (x.b) this.emit(x.b);
    if (x.c) this.emit(x.c);
    code.op(x.op);
    if (x.immediates) for (const byte of x.immediates) code.byte(byte);
    if (x.uses > 1) this.#keep(x, true);
  }

  /** What is evaluated in a conditional arm does not exist behind it. */
  protected inArm(write: () => void): void {
    const outer = this.#arm;
    const kept: Node[] = [];
    this.#arm = kept;
    write();
    this.#arm = outer;
    for (const x of kept) x.local = -1;
  }

  /** Writes the statements gathered so far and forgets them. The temporaries are free again. */
  protected flush(): void {
    countStatements(this.#statements);
    for (const s of this.#statements) if (!isDead(s)) s.write();
    this.#statements = [];
    for (const type of [I32, I64, F32, F64, V128] as const) this.#used[type] = 0;
  }
}

const isDead = (s: Statement): boolean => s.removable === true && s.result!.uses === 0;

/** Backwards, so that it is known of each result whether it is used. */
function countStatements(statements: readonly Statement[]): void {
  for (let n = statements.length - 1; n >= 0; n--) {
    const s = statements[n]!;
    if (isDead(s)) continue;
    if (s.arm) {
      for (const { result, before, after } of s.arm.merges) {
        if (result.uses === 0) continue;
        count(before);
        count(after);
      }
      countStatements(s.arm.body);
    }
    for (const root of s.roots) count(root);
  }
}

function count(x: Node): void {
  if (x.uses++ > 0) return;
  if (x.a) count(x.a);
  if (x.b) count(x.b);
  if (x.c) count(x.c);
}

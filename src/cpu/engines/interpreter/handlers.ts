/**
 * The handlers' table: a WebAssembly table of functions, filled when instructions of new forms are decoded. Several are compiled
 * together, because a module costs much more than a function in it; until then the reference engine executes what has a new form.
 */
import { decode } from '../../decode/decode.ts';
import type { Instruction } from '../../isa/instruction.ts';
import type { Row } from '../../isa/row.ts';
import { UnsupportedVerb } from '../../isa/ops.ts';
import { LeftToReference } from '../emit/graph-ops.ts';
import { ENGINE_FUNCTION, importFunctions, importedFunctions, type EngineFunctions } from '../engine-functions.ts';
import { ENGINE, STATUS } from '../engine-memory.ts';
import { Code } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { FETCH_FIELD } from '../../../mmu/tlb.ts';
import type { Context } from '../fast/context.ts';
import { emitFetchProbe } from '../fast/probes.ts';
import { I32, I64, LOAD, NUMERIC as N, OP, STORE, VOID, type ValueType } from '../wasm/opcodes.ts';
import { formInRow, formOf } from './form.ts';
import { HANDLER_FIXED_LOCALS, HANDLER_PARAMETERS, HandlerOps, emitNextRecord } from './handler-ops.ts';
import { LegacyWay } from './legacy-ways.ts';
import { LongWay } from './long-ways.ts';
import { RECORD } from './record.ts';
import { shortWayOf } from './short-ways.ts';
import { stringFormOf, type StringForm } from './string-form.ts';
import { OFFSET } from '../../../state/layout.ts';

/**
 * Handlers that no form has. `reference`: the reference engine executes the instruction, as a rule without an end of the stay in generated code. `jump`: goes on at the record's target, no
 * instruction. `checkPage`: goes on with the next record if the page at the record's target is still the frame in its immediate; otherwise as `reference`.
 * `notYet`: leaves before the instruction; stands in the table for each that is not compiled yet.
 */
export const HANDLER = { reference: 1, jump: 2, checkPage: 3, notYet: 4 } as const;
const FIRST_FORM = 5;
/** Handlers that are compiled together, and how often the reference engine executes what waits for that before fewer are. */
const MOST_TOGETHER = 16, LONGEST_WAIT = 24;
/** The table grows with the forms that the guest uses; past the last there are no new handlers, and the reference engine executes what has none. */
const TABLE_STEP = 2048;
const MOST_HANDLERS = 16 * TABLE_STEP;

export class Handlers {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: TABLE_STEP });
  readonly #memory: WebAssembly.Memory;
  readonly #functions: EngineFunctions;
  /** By form, way, or the handlers of a sequence. */
  readonly #indices = new Map<string | number, number>();
  /** The same by row and what else its form depends on. */
  readonly #ofRow = new Map<Row, Map<number, number>>();
  readonly #stringForms = new Map<number, StringForm>();
  readonly #code = new Code();
  #next = FIRST_FORM;
  /** All before this one are compiled. */
  #compiled = 0;
  /** How often an instruction was left since for want of another. */
  #waited = 0;
  /** Handlers of forms that have an index and are not compiled yet. */
  #pending: { readonly index: number; readonly locals: readonly ValueType[]; readonly code: Uint8Array; readonly callsFunctions: boolean }[] = [];

  constructor(memory: WebAssembly.Memory, functions: EngineFunctions) {
    this.#memory = memory;
    this.#functions = functions;
    this.#pending.push(
      { index: HANDLER.reference, locals: [], code: referenceCode(), callsFunctions: true },
      { index: HANDLER.jump, locals: [], code: jumpCode(), callsFunctions: false },
      { index: HANDLER.checkPage, locals: [I32, I64], code: checkPageCode(), callsFunctions: false },
      { index: HANDLER.notYet, locals: [], code: leaveCode(), callsFunctions: false },
    );
    this.compile();
  }

  /** The handler of an instruction; HANDLER.reference where none can be generated. */
  of(i: Instruction): number {
    let ofRow = this.#ofRow.get(i.row);
    if (ofRow === undefined) this.#ofRow.set(i.row, ofRow = new Map());
    const inRow = formInRow(i);
    let index = ofRow.get(inRow);
    if (index === undefined) ofRow.set(inRow, index = this.#ofForm(i));
    return index;
  }

  #ofForm(i: Instruction): number {
    const form = formOf(i);
    let index = this.#indices.get(form);
    if (index === undefined) {
      index = this.#generate(i);
      this.#indices.set(form, index);
    }
    return index;
  }

  #generate(i: Instruction): number {
    return this.#add(() => {
      const stringForm = stringFormOf(i);
      if (stringForm !== undefined) this.#stringForms.set(this.#next, stringForm);
      return new HandlerOps(this.#code, i, HANDLER_SIGNATURE);
    });
  }
  /** One handler for instructions that follow each other, whose own are `handlers`; HANDLER.reference where there is none. */
  sequence(instructions: () => readonly Instruction[], handlers: readonly number[]): number {
    // Most are pairs, a comparison and its jump, of which a number tells as much.
    const key = handlers.length === 2 ? handlers[0]! * MOST_HANDLERS + handlers[1]! : handlers.join();
    let index = this.#indices.get(key);
    if (index !== undefined) return index;
    const [first, ...others] = instructions();
    this.#indices.set(key, index = this.#add(() => new HandlerOps(this.#code, first!, HANDLER_SIGNATURE, others)));
    return index;
  }

  /** Writes a handler, and puts it into the table with the others of the block. */
  #add(make: () => HandlerOps): number {
    if (this.#next === MOST_HANDLERS) return HANDLER.reference;
    if (this.#next === this.table.length) this.table.grow(TABLE_STEP);
    this.#code.clear();
    try {
      const ops = make();
      ops.write();
      this.table.set(this.#next, this.table.get(HANDLER.notYet));
      this.#pending.push({ index: this.#next, locals: [...HANDLER_FIXED_LOCALS, ...ops.locals], code: this.#code.bytes.slice(), callsFunctions: ops.callsExtended || ops.callsEngine });
    } catch (thrown) {
      if (!(thrown instanceof LeftToReference || thrown instanceof UnsupportedVerb)) throw thrown;
      this.#stringForms.delete(this.#next);
      return HANDLER.reference;
    }
    return this.#next++;
  }

  /** The handler of a system instruction's short way in a context; HANDLER.reference where it has none. */
  shortWay(i: Instruction, context: Context): number {
    const key = shortWayOf(i, context);
    if (key === undefined) return HANDLER.reference;
    let index = this.#indices.get(key);
    if (index === undefined) this.#indices.set(key, index = this.#add(() => new (wayIn(context))(this.#code, i, HANDLER_SIGNATURE, context)));
    return index;
  }

  /** The way of a page fault in a context. */
  pageFaultWay(context: Context): number {
    const index = this.#add(() => new (wayIn(context))(this.#code, decode(NOP, 0, context.mode) as Instruction, HANDLER_SIGNATURE, context, true));
    this.compile();
    return index;
  }

  /** What the instructions of a handler have in common that may come back with STATUS.string; undefined for others. */
  stringForm(handler: number): StringForm | undefined { return this.#stringForms.get(handler); }

  /** Compiles what waits, where that is enough. */
  compileSome(): void { if (this.#pending.length >= MOST_TOGETHER) this.compile(); }
  isCompiled(index: number): boolean { return index < this.#compiled; }
  /** Notes that an instruction was left for want of a compiled handler. */
  noteLeft(): void { if (++this.#waited >= LONGEST_WAIT) this.compile(); }

  /** Compiles what waits. */
  compile(): void {
    this.#waited = 0;
    this.#compiled = this.#next;
    if (this.#pending.length === 0) return;
    const module = new ModuleWriter();
    const signature = module.signature(HANDLER_PARAMETERS, [I32]);
    // Each import costs as much as a small handler.
    const callsFunctions = this.#pending.some((x) => x.callsFunctions);
    if (callsFunctions) importFunctions(module);
    module.importMemory('e', 'memory');
    module.importTable('e', 'handlers');
    for (const { index, locals, code } of this.#pending) module.add({ signature, locals, code, name: String(index) });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { e: { memory: this.#memory, handlers: this.table }, ...(callsFunctions ? importedFunctions(this.#functions) : {}) });
    for (const { index } of this.#pending) this.table.set(index, exports[String(index)]);
    this.#pending = [];
  }

  get count(): number { return this.#next - FIRST_FORM; }
}
const wayIn = ({ mode }: Context): typeof LongWay | typeof LegacyWay => (mode.codeSize === 64 ? LongWay : LegacyWay);
/** Any instruction. */
const NOP = Uint8Array.of(0x90);
/** Number of the handlers' type in each module: the only one. */
const HANDLER_SIGNATURE = 0;

const LOCAL = { record: 0, budget: 1, fetch: 2, page: 3 } as const;

function writeReturn(code: Code, status: number): void {
  code.i32(0);
  code.get(LOCAL.budget);
  code.memory(STORE[32], ENGINE.budget);
  code.i32(status);
  code.byte(OP.return);
}

function writeLeave(code: Code): void {
  code.i32(0);
  code.get(LOCAL.record);
  code.memory(STORE[32], ENGINE.leftAt);
  writeReturn(code, STATUS.reference);
}

function referenceCode(): Uint8Array {
  const code = new Code();
  code.i32(0);
  code.get(LOCAL.budget);
  code.memory(STORE[32], ENGINE.budget);
  code.get(LOCAL.record);
  code.call(ENGINE_FUNCTION.reference);
  return code.bytes.slice();
}

function leaveCode(): Uint8Array {
  const code = new Code();
  writeLeave(code);
  return code.bytes.slice();
}

function jumpCode(): Uint8Array {
  const code = new Code();
  code.i32(0);
  code.get(LOCAL.record);
  code.memory(LOAD[64], RECORD.target);
  code.memory(STORE[64], OFFSET.rip);
  writeReturn(code, STATUS.next);
  return code.bytes.slice();
}

function checkPageCode(): Uint8Array {
  const code = new Code();
  code.get(LOCAL.record);
  code.memory(LOAD[64], RECORD.target);
  code.set(LOCAL.page);
  emitFetchProbe(code, { ip: LOCAL.page, fetch: LOCAL.fetch });
  code.get(LOCAL.fetch);
  code.memory(LOAD[32], FETCH_FIELD.frame);
  code.get(LOCAL.record);
  code.memory(LOAD[32], RECORD.immediate);
  code.byte(N.i32_eq);
  code.byte(N.i32_and);
  code.open(OP.if, VOID);
  emitNextRecord(code, HANDLER_SIGNATURE);
  code.end();
  writeLeave(code);
  return code.bytes.slice();
}

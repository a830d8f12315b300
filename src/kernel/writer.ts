/**
 * The few sentences that the kernel's assembly is written in: functions, calls, conditions, loops, printing and TAP
 * checks. Each is a line or three of plain instructions; nothing is optimised and nothing is hidden.
 *
 * Calling convention: System V. Arguments in RDI, RSI, RDX, RCX, R8, R9; result in RAX (and RDX where it says so);
 * RBX, RBP, R12-R15 survive a call, all others may not. `print` and `expect` keep every register, and print the flags too.
 */
import { at, byte, label, r11, r8, r9, rax, rcx, rdi, rdx, rsi, rsp, type Assembler, type FunctionOptions, type GeneralRegister, type LabelReference, type Memory } from '../assembler/index.ts';
import { DIRECT_MAP } from './layout.ts';

export type Register64 = GeneralRegister<64>;
/** What a 64-bit register is loaded from or compared with. */
export type Value = Register64 | Memory<64> | number | bigint | LabelReference;
const isRegister = (x: object): x is Register64 => 'kind' in x && x.kind === 'register';
const isMemory = (x: object): x is Memory<64> => 'kind' in x && x.kind === 'memory';

/**
 * Conditions as CMP left, right reads: b ae be a are unsigned, l ge le g signed. c and nc, the same flag as b and ae, read
 * better behind BT, BTS and BTR: the bit was 1, the bit was 0. Each with its opposite.
 */
const OPPOSITE = {
  b: 'ae', ae: 'b', c: 'nc', nc: 'c', e: 'ne', ne: 'e', be: 'a', a: 'be', s: 'ns', ns: 's', l: 'ge', ge: 'l', le: 'g', g: 'le',
} as const;
export type Condition = keyof typeof OPPOSITE;

const ARGUMENTS: readonly Register64[] = [rdi, rsi, rdx, rcx, r8, r9];

/** The address of a label, as an argument of a call. */
export interface Address { readonly addressOf: string }
export const address = (name: string): Address => ({ addressOf: name });
const isAddress = (x: unknown): x is Address => typeof x === 'object' && x !== null && 'addressOf' in x;

export type Argument = Value | Address;
/** The labels of a loop: jump to `leave` behind it, to `again` at its start. */
export interface LoopLabels { readonly again: string; readonly leave: string }

export class KernelWriter {
  readonly a: Assembler;
  /** Every function, in the order of addresses: the panic screen's symbol table. */
  readonly functions: string[] = [];
  readonly #texts = new Map<string, string>();
  #unique = 0;

  constructor(a: Assembler) {
    this.a = a;
  }

  #local(what: string): string {
    this.#unique += 1;
    return `.${what}_${this.#unique}`;
  }

  /** A zero-terminated text in .rodata; equal texts share one label. */
  text(content: string): string {
    let name = this.#texts.get(content);
    if (name === undefined) {
      name = `text_${this.#texts.size}`;
      this.#texts.set(content, name);
    }
    return name;
  }

  /** A function that saves `saved`, runs `body`, restores and returns. `leave` jumps to its end. */
  func(name: string, saved: readonly Register64[], body: () => void): void {
    const { a } = this;
    this.functions.push(name);
    a.func(name, () => {
      for (const register of saved) a.push(register);
      body();
      a.label('.return');
      for (const register of saved.toReversed()) a.pop(register);
      a.ret();
    });
  }

  /** A piece of code that keeps no convention (entry points, stubs). */
  code(name: string, body: () => void, options?: FunctionOptions): void {
    this.functions.push(name);
    this.a.func(name, body, options);
  }

  /** Returns from the function: with `value` in RAX, or with RAX as it is. */
  leave(value?: Argument): void {
    if (value !== undefined) this.load(rax, value);
    this.a.jmp('.return');
  }

  /** Loads a value into a register. */
  load(register: Register64, value: Argument): void {
    const { a } = this;
    if (isAddress(value)) a.lea(register, at(value.addressOf));
    else if (typeof value === 'number' || typeof value === 'bigint') a.mov(register, value);
    else if (isRegister(value)) {
      if (value !== register) a.mov(register, value);
    } else if (isMemory(value)) a.mov(register, value);
    else a.mov(register, value);
  }

  /** Calls a function with arguments, which are loaded from left to right. Throws when an argument would be overwritten before it is read. */
  call(name: string, ...values: readonly Argument[]): void {
    values.forEach((value, i) => {
      const overwritten = ARGUMENTS.findIndex((register) => register === value);
      if (overwritten >= 0 && overwritten < i) throw new Error(`call ${name}: argument ${i + 1} is overwritten by argument ${overwritten + 1}`);
      this.load(ARGUMENTS[i] as Register64, value);
    });
    this.a.call(name);
  }

  /** Physical to linear, through the direct map. Uses R11. */
  direct(register: Register64): void {
    this.a.mov(r11, DIRECT_MAP);
    this.a.add(register, r11);
  }

  /** Jumps when the condition holds. */
  jump(condition: Condition, target: string): void {
    this.a[`j${condition}`](target);
  }

  /** Runs `then` when the flags say so, else `otherwise`. */
  when(condition: Condition, then: () => void, otherwise?: () => void): void {
    const end = this.#local('end');
    const no = otherwise ? this.#local('else') : end;
    this.jump(OPPOSITE[condition], no);
    then();
    if (otherwise) {
      this.a.jmp(end);
      this.a.label(no);
      otherwise();
    }
    this.a.label(end);
  }

  /** Repeats `body` until it jumps to `leave`. */
  loop(body: (labels: LoopLabels) => void): void {
    const labels = { again: this.#local('again'), leave: this.#local('leave') };
    this.a.label(labels.again);
    body(labels);
    this.a.jmp(labels.again);
    this.a.label(labels.leave);
  }

  /** CMP of a 64-bit register or memory operand. */
  compare(left: Register64 | Memory<64>, right: Register64 | Memory<64> | number): void {
    const { a } = this;
    if (typeof right === 'number') {
      if (isMemory(left)) a.cmp(left, right);
      else a.cmp(left, right);
    } else if (isRegister(left)) a.cmp(left, right);
    else if (isRegister(right)) a.cmp(left, right);
    else throw new Error('CMP takes one memory operand');
  }

  /** Counts `register` from 0 up to, but not including, `limit`. */
  count(register: Register64, limit: Register64 | number, body: (labels: LoopLabels) => void): void {
    const { a } = this;
    const labels = { again: this.#local('next'), leave: this.#local('leave') };
    const head = this.#local('count');
    a.xor(register, register);
    a.label(head);
    this.compare(register, limit);
    a.jae(labels.leave);
    body(labels);
    a.label(labels.again);
    a.inc(register);
    a.jmp(head);
    a.label(labels.leave);
  }

  #pushArguments(format: string, values: readonly Argument[]): void {
    const { a } = this;
    const wanted = format.replaceAll('%%', '').split('%').length - 1;
    if (wanted !== values.length) throw new Error(`"${format}" wants ${wanted} values, has ${values.length}`);
    for (const value of values.toReversed()) {
      if (isAddress(value)) a.push(label(value.addressOf));
      else if (typeof value === 'object' && isRegister(value)) a.push(value);
      else if (typeof value === 'object' && isMemory(value)) a.push(value);
      else a.push(value);
    }
    a.push(label(this.text(format)));
  }
  #dropArguments(values: readonly Argument[]): void {
    this.a.lea(rsp, at(rsp, 8 * (values.length + 1)));
  }

  /** Prints on COM1: %d decimal, %x hexadecimal, %b binary, %s text; a number between is the least width. Operands relative to RSP cannot be printed. */
  print(format: string, ...values: readonly Argument[]): void {
    this.#pushArguments(format, values);
    this.a.call('console_print');
    this.#dropArguments(values);
  }

  /** A TAP line: `ok N - text` when the flags say so, `not ok N - text` otherwise. */
  expect(condition: Condition, format: string, ...values: readonly Argument[]): void {
    this.a[`set${condition}`](byte('tap_condition'));
    this.#pushArguments(format, values);
    this.a.call('tap_report');
    this.#dropArguments(values);
  }

  /** A TAP line that compares. */
  expectEqual(left: Register64 | Memory<64>, right: Register64 | Memory<64> | number, format: string, ...values: readonly Argument[]): void {
    this.compare(left, right);
    this.expect('e', format, ...values);
  }

  /** The headline of a chapter of the output. */
  headline(text: string): void {
    this.print(`\n=== ${text} ${'='.repeat(Math.max(3, 90 - text.length))}\n`);
  }
  /** Lines of explanation: indented, which a TAP reader skips. */
  say(format: string, ...values: readonly Argument[]): void {
    this.print(`${format.split('\n').map((line) => `    ${line}`.trimEnd()).join('\n')}\n`, ...values);
  }

  /** A 64-bit variable in .data or, when zero, in .bss. Leaves the section at .text. */
  variable(name: string, initial = 0): void {
    const { a } = this;
    a.section(initial === 0 ? '.bss' : '.data');
    a.align(8);
    a.object(name, () => {
      if (initial === 0) a.reserve(8);
      else a.dq(initial);
    });
    a.section('.text');
  }

  /** The texts and the symbol table, after all code. */
  finish(): void {
    const { a } = this;
    const names = this.functions.map((name) => this.text(name));
    a.section('.rodata');
    for (const [content, name] of this.#texts) a.object(name, () => a.db(`${content}\0`));
    a.align(8);
    a.object('symbol_table', () => {
      this.functions.forEach((name, i) => a.dq(label(name), label(names[i] as string)));
      a.dq(0, 0);
    });
    a.section('.text');
  }
}

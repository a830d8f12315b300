/**
 * Expressions over a machine, as a debugger's user types them: `rax == 3 && u32[rsp + 8] & 1`, `counter > 10`, `cpl == 3`. Numbers have 64 bits,
 * unsigned; operators and their precedence are C's. `[a]` or `u64[a]` reads 8 bytes at a linear address, `u8[a]` `u16[a]` `u32[a]` fewer, `phys.u32[a]` at a
 * physical one. A name is a register (machine/registers.ts, or a part: eax, al), a flag (CF), `cpl`, `retired`, what the event in question has to say
 * (`vector`, `error`, `value`), or a symbol: its address.
 */
import { readRflags, RFLAGS } from '../../cpu/flags.ts';
import type { Machine } from '../../machine/machine.ts';
import { MACHINE_REGISTERS } from '../../machine/registers.ts';
import { littleEndian } from '../bytes.ts';

/** What is written wrong, and at which character. */
export class ExpressionError extends Error {
  override readonly name = 'ExpressionError';
  readonly column: number;
  constructor(message: string, column: number) {
    super(message);
    this.column = column;
  }
}
/** A name that an event gives a value to. */
export type EventValues = Readonly<Record<string, bigint>>;
/** Evaluates; undefined where memory cannot be read or something is divided by 0. */
export type Expression = (machine: Machine, values?: EventValues) => bigint | undefined;
/** The address of a symbol, if there is one of this name. */
export type Resolve = (name: string) => bigint | undefined;

const TOKEN = /\s*(?:(0x[0-9a-f][0-9a-f_]*|0b[01][01_]*|\d[\d_]*)|([\p{L}_.$@][\p{L}\p{N}_.$@]*)|(\|\||&&|==|!=|<=|>=|<<|>>|[-+*/%&|^!~<>()[\]]))/iuy;
interface Token { readonly kind: 'number' | 'name' | 'operator' | 'end'; readonly text: string; readonly at: number }

function tokens(text: string): Token[] {
  const list: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== '') {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) throw new ExpressionError(`"${text.slice(at).trim()[0]}" means nothing here`, at);
    const kind = match[1] !== undefined ? 'number' : match[2] !== undefined ? 'name' : 'operator';
    const word = (match[1] ?? match[2] ?? match[3])!;
    list.push({ kind, text: word, at: TOKEN.lastIndex - word.length });
    at = TOKEN.lastIndex;
  }
  list.push({ kind: 'end', text: 'the end', at: text.length });
  return list;
}

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (value: boolean): bigint => (value ? 1n : 0n);
type Binary = (a: bigint, b: bigint) => bigint | undefined;
/** By precedence, the loosest first. || and && are here for their precedence: both sides are evaluated, which has no effects. */
const LEVELS: readonly Readonly<Record<string, Binary>>[] = [
  { '||': (a, b) => truth(a !== 0n || b !== 0n) },
  { '&&': (a, b) => truth(a !== 0n && b !== 0n) },
  { '|': (a, b) => a | b },
  { '^': (a, b) => a ^ b },
  { '&': (a, b) => a & b },
  { '==': (a, b) => truth(a === b), '!=': (a, b) => truth(a !== b) },
  { '<': (a, b) => truth(a < b), '>': (a, b) => truth(a > b), '<=': (a, b) => truth(a <= b), '>=': (a, b) => truth(a >= b) },
  { '<<': (a, b) => (b > 63n ? 0n : wrap(a << b)), '>>': (a, b) => (b > 63n ? 0n : a >> b) },
  { '+': (a, b) => wrap(a + b), '-': (a, b) => wrap(a - b) },
  { '*': (a, b) => wrap(a * b), '/': (a, b) => (b === 0n ? undefined : a / b), '%': (a, b) => (b === 0n ? undefined : a % b) },
];
const UNARY: Readonly<Record<string, (a: bigint) => bigint>> = { '-': (a) => wrap(-a), '~': (a) => wrap(~a), '!': (a) => truth(a === 0n), '+': (a) => a };

/** Longest and deepest expression: what follows recurses. */
const MOST_CHARACTERS = 1000, MOST_DEPTH = 32;
const MEMORY = /^(phys\.)?u(8|16|32|64)$/;

class Parser {
  readonly #tokens: readonly Token[];
  readonly #resolve: Resolve;
  #at = 0;
  #depth = 0;

  constructor(text: string, resolve: Resolve) {
    this.#tokens = tokens(text);
    this.#resolve = resolve;
  }

  whole(): Expression {
    const expression = this.#binary(0);
    if (this.#token.kind !== 'end') throw this.#unexpected('an operator');
    return expression;
  }

  get #token(): Token { return this.#tokens[this.#at]!; }
  #unexpected(wanted: string): ExpressionError { return new ExpressionError(`expected ${wanted}, not ${this.#token.kind === 'end' ? '' : '"'}${this.#token.text}${this.#token.kind === 'end' ? '' : '"'}`, this.#token.at); }
  #accept(operator: string): boolean {
    if (this.#token.kind !== 'operator' || this.#token.text !== operator) return false;
    this.#at++;
    return true;
  }
  #need(operator: string): void { if (!this.#accept(operator)) throw this.#unexpected(`"${operator}"`); }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    for (;;) {
      const operation = this.#token.kind === 'operator' ? operators[this.#token.text] : undefined;
      if (operation === undefined) return left;
      this.#at++;
      const first = left, second = this.#binary(level + 1);
      left = (machine, values) => {
        const a = first(machine, values), b = second(machine, values);
        return a === undefined || b === undefined ? undefined : operation(a, b);
      };
    }
  }

  #unary(): Expression {
    const operation = this.#token.kind === 'operator' ? UNARY[this.#token.text] : undefined;
    if (operation === undefined) return this.#primary();
    this.#at++;
    const operand = this.#unary();
    return (machine, values) => {
      const a = operand(machine, values);
      return a === undefined ? undefined : operation(a);
    };
  }

  #primary(): Expression {
    const { kind, text } = this.#token;
    if (this.#accept('(')) return this.#inside(')');
    if (this.#accept('[')) return this.#memory(8, false);
    if (kind === 'number') {
      const value = BigInt(text.replaceAll('_', ''));
      if (wrap(value) !== value) throw new ExpressionError(`${text} has more than 64 bits`, this.#token.at);
      this.#at++;
      return () => value;
    }
    if (kind !== 'name') throw this.#unexpected('a number, a name or "["');
    const [, physical, bits] = MEMORY.exec(text.toLowerCase()) ?? [];
    if (bits !== undefined) {
      this.#at++;
      this.#need('[');
      return this.#memory(Number(bits) / 8, physical !== undefined);
    }
    const named = nameOf(text, this.#resolve);
    if (named === undefined) throw new ExpressionError(`there is no register and no symbol "${text}"`, this.#token.at);
    this.#at++;
    return named;
  }

  #inside(end: string): Expression {
    if (++this.#depth > MOST_DEPTH) throw new ExpressionError(`more than ${MOST_DEPTH} levels of brackets`, this.#token.at);
    const inner = this.#binary(0);
    this.#need(end);
    this.#depth--;
    return inner;
  }

  /** Behind its "[". */
  #memory(bytes: number, physical: boolean): Expression {
    const address = this.#inside(']');
    return (machine, values) => {
      const at = address(machine, values);
      if (at === undefined) return undefined;
      const read = physical ? physicalBytes(machine, at, bytes) : machine.readLinear(at, bytes);
      return read.length < bytes ? undefined : littleEndian(read);
    };
  }
}

function physicalBytes(machine: Machine, at: bigint, bytes: number): Uint8Array {
  return at + BigInt(bytes) > BigInt(machine.state.ramBytes) ? new Uint8Array() : machine.readPhysical(Number(at), bytes);
}

/** Names of the parts of general registers: `eax`, `ax`, `al`, `ah`, `r8d`, `r8w`, `r8b`, `spl`. */
const PARTS = new Map<string, { readonly whole: string; readonly shift: bigint; readonly bits: number }>();
for (const x of ['a', 'b', 'c', 'd']) {
  PARTS.set(`e${x}x`, { whole: `r${x}x`, shift: 0n, bits: 32 }).set(`${x}x`, { whole: `r${x}x`, shift: 0n, bits: 16 });
  PARTS.set(`${x}l`, { whole: `r${x}x`, shift: 0n, bits: 8 }).set(`${x}h`, { whole: `r${x}x`, shift: 8n, bits: 8 });
}
for (const x of ['si', 'di', 'bp', 'sp']) {
  PARTS.set(`e${x}`, { whole: `r${x}`, shift: 0n, bits: 32 }).set(x, { whole: `r${x}`, shift: 0n, bits: 16 }).set(`${x}l`, { whole: `r${x}`, shift: 0n, bits: 8 });
}
for (let n = 8; n < 16; n++) for (const [suffix, bits] of [['d', 32], ['w', 16], ['b', 8]] as const) PARTS.set(`r${n}${suffix}`, { whole: `r${n}`, shift: 0n, bits });
PARTS.set('eip', { whole: 'rip', shift: 0n, bits: 32 }).set('eflags', { whole: 'rflags', shift: 0n, bits: 32 });

/** What an event may have to say. `fault`: of a page fault only, the address that CR2 will have. */
const EVENT_VALUES = new Set(['vector', 'error', 'value', 'address', 'fault', 'port']);

function nameOf(text: string, resolve: Resolve): Expression | undefined {
  const name = text.toLowerCase().replace(/^[$%]/, '');
  if (name === 'retired') return ({ state }) => BigInt(state.retired);
  if (EVENT_VALUES.has(name) && resolve(text) === undefined) return (_machine, values) => values?.[name];
  const register = MACHINE_REGISTERS.get(name);
  if (register !== undefined) return (machine) => wrap(register.read(machine));
  const part = PARTS.get(name);
  if (part !== undefined) {
    const { read } = MACHINE_REGISTERS.get(part.whole)!;
    return (machine) => BigInt.asUintN(part.bits, read(machine) >> part.shift);
  }
  const flag = Object.entries(RFLAGS).find(([known]) => known.toLowerCase() === name && known !== 'IOPL');
  if (flag !== undefined) return ({ state }) => truth((readRflags(state) & flag[1]) !== 0);
  const address = resolve(text);
  return address === undefined ? undefined : () => address;
}

/** Reads an expression. Throws ExpressionError. */
export function compileExpression(text: string, resolve: Resolve = () => undefined): Expression {
  if (text.length > MOST_CHARACTERS) throw new ExpressionError(`an expression has at most ${MOST_CHARACTERS} characters`, MOST_CHARACTERS);
  return new Parser(text, resolve).whole();
}

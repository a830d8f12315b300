/** What to break on, as it is typed in a prompt. */
import { VECTOR } from '../../cpu/exceptions.ts';
import { MSR } from '../../cpu/msr.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Breakpoint, Breakpoints } from './breakpoints.ts';
import { compileExpression, ExpressionError } from './expression.ts';
import type { BreakKind } from './kinds.ts';

/** The forms, for help. An ADDRESS is an expression; where its value changes, that of now counts. */
export const BREAK_HELP = `ADDRESS[,BYTES]            before the instruction there
phys ADDRESS[,BYTES]       the same by physical address (looks at every instruction: slow)
read|write|access [phys] ADDRESS[,BYTES]   after an access; 1 byte if not said. Without phys only accesses by that
                           linear address are seen, not those through another mapping of its frame
#PF [CODE] | exception [VECTOR]            before the delivery of an exception
interrupt [VECTOR]         before the delivery of an interrupt, an NMI or INT n
cr [N] | msr [NUMBER]      after a write: cr3 or cr 3, msr efer or msr 0xc0000080
port FROM[,COUNT] [in|out]
mode | privilege | tlb     after a change of mode or CPL, after an invalidation
pte ADDRESS                after a change of an entry that its walk goes through
console TEXT | "TEXT"      after COM1 has printed TEXT; with a condition it is in quotation marks
count N                    at an instruction count
when EXPRESSION            where it becomes true (looks at every instruction: slow)
Each but the last may end in "if EXPRESSION".`;

/** Adds the breakpoint that a text describes. Throws ExpressionError, RangeError. */
export function addBreakpoint(breakpoints: Breakpoints, machine: Machine, text: string, temporary = false): Breakpoint {
  // A text without quotation marks reaches to the end: " if " may be in it.
  const [, printed, printedIf] = /^\s*console\s+("(?:[^"\\]|\\.)*"(?=\s*$|\s+if\s)|.+)(?:\s+if\s+(.+))?$/.exec(text) ?? [];
  if (printed !== undefined) return breakpoints.add({ on: 'console', text: unquoted(printed.trim()) }, { temporary, ...(printedIf === undefined ? {} : { condition: printedIf }) });
  const when = /^\s*when\s+(.+)$/.exec(text);
  if (when !== null) return breakpoints.add({ on: 'expression' }, { condition: when[1]!, temporary });
  const [, what = '', condition] = /^(.*?)(?:\s+if\s+(.*))?$/.exec(text.trim()) ?? [];
  return breakpoints.add(kindOf(breakpoints, machine, what.trim()), { temporary, ...(condition === undefined ? {} : { condition }) });
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const unquoted = (text: string): string => (/^".*"$/.test(text) ? text.slice(1, -1).replace(/\\(.)/g, (_all, c: string) => ESCAPES[c] ?? c) : text);

function kindOf(breakpoints: Breakpoints, machine: Machine, text: string): BreakKind {
  const value = (expression: string): bigint => {
    const found = compileExpression(expression, (name) => breakpoints.symbols.addressOf(name))(machine);
    if (found === undefined) throw new ExpressionError(`${expression} has no value here`, 0);
    return found;
  };
  const small = (expression: string, most: number, name: string): number => {
    const found = value(expression);
    if (found > BigInt(most)) throw new RangeError(`${name} is at most 0x${most.toString(16)}`);
    return Number(found);
  };
  const range = (expression: string): { from: bigint; bytes: number } => {
    const [from = '', bytes] = expression.split(',');
    return { from: value(from), bytes: bytes === undefined ? 1 : small(bytes, 2 ** 32 - 1, 'a range') };
  };
  const [, word = '', rest = ''] = /^(\S+)\s*(.*)$/s.exec(text) ?? [];
  const optional = <K extends string>(name: K, most: number): { readonly [N in K]?: number } => (rest === '' ? {} : { [name]: small(rest, most, name) } as { [N in K]: number });
  // A control register's value, or the CPL, is hardly meant as the address of an instruction.
  const controlRegister = /^cr(\d)$/i.exec(text)?.[1];
  if (controlRegister !== undefined) return kindOf(breakpoints, machine, `cr ${controlRegister}`);
  switch (word.toLowerCase()) {
    case '': throw new ExpressionError('break on what?', 0);
    case 'read': case 'write': case 'access': {
      const physical = /^phys\s+/.test(rest);
      return { on: word.toLowerCase() as 'read' | 'write' | 'access', ...range(rest.replace(/^phys\s+/, '')), ...(physical ? { physical } : {}) };
    }
    case 'phys': return { on: 'execute', ...range(rest), physical: true };
    case 'exception': return { on: 'exception', ...optional('vector', 31) };
    case 'interrupt': return { on: 'interrupt', ...optional('vector', 255) };
    case 'cr': {
      const { number } = optional('number', 8);
      if (number !== undefined && number !== 0 && number !== 2 && number !== 3 && number !== 4 && number !== 8) throw new RangeError(`there is no CR${number}`);
      return { on: 'control-register', ...(number === undefined ? {} : { number }) };
    }
    case 'msr': {
      const named = Object.entries(MSR).find(([name]) => name === rest.toUpperCase().replace(/^IA32_/, ''))?.[1];
      return { on: 'msr', ...(named === undefined ? optional('address', 0xffff_ffff) : { address: named }) };
    }
    case 'port': {
      const [, ports = rest, direction] = /^(.*?)\s+(in|out)$/.exec(rest) ?? [];
      const [from = '', count] = ports.split(',');
      return { on: 'port', from: small(from, 0xffff, 'a port'), ...(count === undefined ? {} : { count: small(count, 0x1_0000, 'a count') }), ...(direction === undefined ? {} : { direction: direction as 'in' | 'out' }) };
    }
    case 'mode': return { on: 'mode' };
    case 'privilege': case 'cpl': return { on: 'privilege' };
    case 'tlb': return { on: 'tlb-flush' };
    case 'pte': return { on: 'page-table', address: value(rest) };
    case 'count': return { on: 'count', instructions: small(rest, Number.MAX_SAFE_INTEGER, 'a count') };
    default: break;
  }
  const exception = /^#([a-z]{2})$/i.exec(word);
  if (exception !== null) {
    const vector = Object.entries(VECTOR).find(([name]) => name === exception[1]!.toUpperCase())?.[1];
    if (vector === undefined) throw new ExpressionError(`there is no exception ${word}`, 0);
    return { on: 'exception', vector, ...(rest === '' ? {} : { errorCode: { mask: 0xffff_ffff, value: small(rest, 0xffff_ffff, 'an error code') } }) };
  }
  return { on: 'execute', ...range(text.replace(/^\*/, '')) };
}

/** Generated code as text for golden files: WebAssembly's own text format, in which fixed places in the memory have names instead of numbers. */
import wabt from 'wabt';
import { COLUMN, COLUMN_FIELD, FETCH_COLUMN, FETCH_ENTRY_BYTES, FETCH_FIELD, INSTRUCTION_ENTRIES, columnBase, fetchColumnBase } from '../../src/mmu/tlb.ts';
import { ENGINE, ENTRIES_BASE, ENTRY, PAGES_BASE, PAGE_SLOT, PAGE_SLOTS, PAGE_SLOT_BYTES, TRAIL_BASE } from '../../src/cpu/engines/engine-memory.ts';
import { FIELDS, OFFSET } from '../../src/state/layout.ts';
import { LOCAL } from '../../src/cpu/engines/translator/region-ops.ts';

const GPR = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', ...Array.from({ length: 8 }, (_, n) => `r${n + 8}`), 'zero'];
const SIZE = { u64: 8, u32: 4, f64: 8 };

function placeNames(): ReadonlyMap<number, string> {
  const names = new Map<number, string>([[TRAIL_BASE, 'trail']]);
  for (const [field, { kind, count }] of Object.entries(FIELDS)) {
    for (let n = 0; n < count; n++) {
      const at = OFFSET[field as keyof typeof OFFSET] + n * SIZE[kind];
      if (at !== 0 || field !== 'gpr') names.set(at, field === 'gpr' ? GPR[n]! : count === 1 ? field : `${field}[${n}]`);
    }
  }
  for (const [name, at] of Object.entries(ENGINE)) names.set(at, `engine.${name}`);
  for (const [name, at] of Object.entries(ENTRY)) names.set(ENTRIES_BASE + at, `entry.${name}`);
  for (const [column, number] of Object.entries(COLUMN)) {
    for (const [field, at] of Object.entries(COLUMN_FIELD)) names.set(columnBase(number) + at, `tlb.${column}.${field}`);
  }
  for (const [column, number] of Object.entries(FETCH_COLUMN)) {
    for (let n = 0; n < INSTRUCTION_ENTRIES; n++) {
      for (const [field, at] of Object.entries(FETCH_FIELD)) names.set(fetchColumnBase(number) + n * FETCH_ENTRY_BYTES + at, `fetch.${column}[${n}].${field}`);
    }
  }
  for (let n = 0; n < PAGE_SLOTS; n++) {
    for (const [field, at] of Object.entries(PAGE_SLOT)) names.set(PAGES_BASE + n * PAGE_SLOT_BYTES + at, `slot[${n}].${field}`);
  }
  return names;
}
const PLACES = placeNames();
/** What fixed locals hold. */
const LOCALS = new Map<number, string>([
  ...Object.entries(LOCAL).filter(([name]) => name !== 'gpr' && name !== 'first' && name !== 'flags').map(([name, n]) => [n, name] as const),
  ...GPR.slice(0, 16).map((name, n) => [LOCAL.gpr + n, name] as const),
  ...[0, 1, 2].map((n) => [LOCAL.flags + n, `flags${n}`] as const),
]);
const tools = await wabt();

export interface WasmFunction {
  /** The whole body, an instruction a line. */
  readonly whole: string;
  /** What stands within its outermost block: the guest's blocks, without loading and storing the homes. */
  readonly inner: string;
  /** How many instructions the inner part has. */
  readonly instructions: number;
}

/** The function of a module that holds one. Throws on an offset that is no known place: a golden file must not change when the layout does. */
export function functionText(module: Uint8Array): WasmFunction {
  const parsed = tools.readWasm(module, { readDebugNames: true });
  const lines = parsed.toText({ foldExprs: false, inlineExport: false }).split('\n');
  parsed.destroy();
  const from = lines.findIndex((line) => line.startsWith('  (func ')), to = lines.findIndex((line, n) => n > from && line.startsWith('  (export'));
  const body = lines.slice(from + 1, to).map(readable).filter((line) => line !== '' && !line.startsWith('(local '));
  const inner = body.slice(body.indexOf('block') + 1, body.indexOf('end')).map((line) => line.slice(2));
  const text = (all: readonly string[]): string => `${all.join('\n')}\n`;
  return { whole: text(body), inner: text(inner), instructions: inner.filter((line) => !/^ *(end|else)$/.test(line)).length };
}

const readable = (line: string): string => line
  .replace(/ \(;@\d+;\)/g, '').replace(/ {2};; label = @\d+/, '').replace(/\)+$/, (close) => (line.includes('(result') ? ')' : close.slice(1))).replace(/^ {4}/, '')
  .replace(/ align=1/, '').replace(/offset=(\d+)/, (_, digits: string) => `[${nameOfPlace(Number(digits))}]`)
  .replace(/local\.(get|set|tee) (\d+)/, (_, verb: string, digits: string) => `local.${verb} ${LOCALS.get(Number(digits)) ?? `t${Number(digits) - LOCAL.first}`}`);

function nameOfPlace(offset: number): string {
  const name = PLACES.get(offset);
  if (name === undefined) throw new Error(`generated code names offset ${offset}, which is no known place`);
  return name;
}

/** A kernel's own memory, as its description says (docs/GUEST-DESCRIPTION.md). Description and guest are hostile: what cannot be read is said. */
import { entriesOf } from '../../debug/address-space.ts';
import { compileExpression } from '../../debug/break/expression.ts';
import { littleEndian } from '../../debug/bytes.ts';
import type { Debugger } from '../../debug/debugger.ts';
import type { FramesData, KernelData } from '../messages.ts';

const MOST_FRAMES = 2 ** 20, MOST_RECORDS = 2000, MOST_BLOCKS = 20_000, MOST_TABLES = 20_000, BUCKETS = 96;

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown, path: string): Json => {
  if (typeof value !== 'object' || value === null) throw new TypeError(`description: ${path} is missing or no object`);
  return value as Json;
};
const list = (value: unknown, path: string): readonly unknown[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new TypeError(`description: ${path} is no list`);
  return value;
};
const text = (value: unknown, path: string): string => {
  if (typeof value !== 'string') throw new TypeError(`description: ${path} is missing or no text`);
  return value;
};
const offset = (value: unknown, path: string): bigint => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new TypeError(`description: ${path} is missing or no offset`);
  return BigInt(value);
};

export function kernelView(debug: Debugger, description: unknown): KernelData {
  const faults = faultsOverTime(debug);
  if (description === undefined) return { frames: undefined, lists: [], blocks: [], faults, problem: 'No description of this kernel was given: docs/GUEST-DESCRIPTION.md says what one is.' };
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push((error as Error).message);
      return undefined;
    }
  };
  const given = attempt(() => {
    const it = object(description, 'the whole');
    if (it['version'] !== 1) throw new TypeError('description: version is not 1');
    return it;
  }) ?? {};
  const reader = new Reader(debug);
  const frames = given['frames'] === undefined ? undefined : attempt(() => framesView(debug, reader, object(given['frames'], 'frames')));
  const lists = attempt(() => list(given['lists'], 'lists').map((it, n) => listView(reader, object(it, `lists[${n}]`), `lists[${n}]`))) ?? [];
  const blocks = attempt(() => list(given['blocks'], 'blocks').map((it, n) => blocksView(reader, object(it, `blocks[${n}]`), `blocks[${n}]`))) ?? [];
  return { frames, lists, blocks, faults, problem: problems.length === 0 ? undefined : problems.join('; ') };
}

class Reader {
  readonly #debug: Debugger;
  constructor(debug: Debugger) { this.#debug = debug; }
  value(expression: unknown, path: string): bigint {
    const found = compileExpression(text(expression, path), (name) => this.#debug.symbols.addressOf(name))(this.#debug.machine);
    if (found === undefined) throw new RangeError(`${path} cannot be read now`);
    return found;
  }
  u64(address: bigint): bigint | undefined {
    const bytes = this.#debug.machine.readLinear(address, 8);
    return bytes.length < 8 ? undefined : littleEndian(bytes);
  }
}

function framesView(debug: Debugger, reader: Reader, given: Json): FramesData {
  const { machine } = debug;
  const count = Number(reader.value(given['count'], 'frames.count'));
  if (count > MOST_FRAMES) throw new RangeError(`frames.count: ${count} frames are more than ${MOST_FRAMES}`);
  const bitmap = machine.readLinear(reader.value(given['bitmap'], 'frames.bitmap'), Math.ceil(count / 8));
  if (bitmap.length < Math.ceil(count / 8)) throw new RangeError('frames.bitmap cannot be read now');
  const kinds = new Uint8Array(count);
  for (let frame = 0; frame < count; frame++) kinds[frame] = (bitmap[frame >> 3]! >> (frame & 7)) & 1;
  const mark = (physical: number, kind: number): void => { if (physical >= 0 && physical / 4096 < count) kinds[Math.floor(physical / 4096)] = kind; };
  for (const table of pageTables(debug)) mark(table, 2);
  if (given['zeroFrame'] !== undefined) mark(Number(reader.value(given['zeroFrame'], 'frames.zeroFrame')), 3);
  return { kinds, free: kinds.filter((kind) => kind === 0).length, tables: kinds.filter((kind) => kind === 2).length };
}

/** Physical addresses of the paging structures that CR3 leads to, each once: a recursive entry leads to them again. */
function pageTables({ machine }: Debugger): ReadonlySet<number> {
  const seen = new Set<number>();
  const visit = (base: bigint, depth: number, table: number): void => {
    if (seen.has(table) || seen.size >= MOST_TABLES) return;
    seen.add(table);
    for (const entry of entriesOf(machine, base, depth)) if (!entry.maps && !seen.has(entry.target)) visit(entry.from, depth + 1, entry.target);
  };
  visit(0n, 0, Number(machine.state.cr3 & 0xf_ffff_ffff_f000n));
  return seen;
}

function listView(reader: Reader, given: Json, path: string): KernelData['lists'][number] {
  const columns = list(given['columns'], `${path}.columns`).map((it, n) => {
    const column = object(it, `${path}.columns[${n}]`), where = `${path}.columns[${n}]`;
    return { name: text(column['name'], `${where}.name`), offset: offset(column['offset'], `${where}.offset`), as: column['as'], values: column['values'] as Json | undefined, bits: column['bits'] as Json | undefined };
  });
  const next = offset(given['next'], `${path}.next`), rows: { value: bigint; text: string; address: boolean }[][] = [];
  let at = reader.value(given['first'], `${path}.first`);
  for (; at !== 0n && rows.length < MOST_RECORDS; at = reader.u64(at + next) ?? 0n) {
    rows.push(columns.map(({ offset: from, as, values, bits }) => {
      const value = reader.u64(at + from) ?? 0n;
      const named = typeof values === 'object' ? values[String(value)] : undefined;
      const set = typeof bits === 'object' ? Object.entries(bits).filter(([mask]) => /^\d+$/.test(mask) && (value & BigInt(mask)) !== 0n).map(([, name]) => String(name)).join(' ') : undefined;
      return { value, text: typeof named === 'string' ? named : set ?? (as === 'number' ? value.toString() : as === 'bytes' ? `0x${value.toString(16)}` : value.toString(16)), address: as === 'address' };
    }));
  }
  return { name: text(given['name'], `${path}.name`), columns: columns.map(({ name }) => name), rows, truncated: at !== 0n };
}

function blocksView(reader: Reader, given: Json, path: string): KernelData['blocks'][number] {
  const header = offset(given['header'], `${path}.header`), size = offset(given['size'], `${path}.size`), state = offset(given['state'], `${path}.state`);
  const free = offset(given['free'], `${path}.free`), used = offset(given['used'], `${path}.used`);
  const end = reader.value(given['end'], `${path}.end`), blocks: { at: bigint; bytes: bigint; state: 'free' | 'used' | 'neither' }[] = [];
  let at = reader.value(given['first'], `${path}.first`), problem: string | undefined;
  while (at < end && blocks.length < MOST_BLOCKS) {
    const bytes = reader.u64(at + size), is = reader.u64(at + state);
    if (bytes === undefined || is === undefined) {
      problem = `the block at 0x${at.toString(16)} cannot be read`;
      break;
    }
    blocks.push({ at: at + header, bytes, state: is === free ? 'free' : is === used ? 'used' : 'neither' });
    if (header + bytes <= 0n || at + header + bytes > end) {
      problem = `the block at 0x${at.toString(16)} reaches beyond the end of the heap`;
      break;
    }
    at += header + bytes;
  }
  return { name: text(given['name'], `${path}.name`), blocks, problem };
}

function faultsOverTime({ history }: Debugger): readonly number[] {
  const start = history.start.retired, length = Math.max(1, history.end.retired + 1 - start), counts = Array.from({ length: BUCKETS }, () => 0);
  for (const event of history.records.events) if (event.kind === 'fault' && event.vector === 14) counts[Math.floor(((event.at.retired - start) / length) * BUCKETS)]!++;
  return counts;
}

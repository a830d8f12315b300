/** A kernel's own memory, as its description says (docs/GUEST-DESCRIPTION.md). Description and guest are hostile: what cannot be read is said. */
import { ImageError } from '../machine/boot/image-error.ts';
import { entriesOf } from './address-space.ts';
import { compileExpression } from './break/expression.ts';
import { littleEndian } from './bytes.ts';
import type { Debugger } from './debugger.ts';
import { sectionsOf } from './elf-sections.ts';

/** The section of an image, not loaded, that has the description. */
export const DESCRIPTION_SECTION = '.longmode.description';
const MOST_DESCRIPTION_BYTES = 2 ** 20;

/** A description that is not checked before it is used; or, in a line, why there is none. */
export type Description = { readonly given: unknown } | { readonly problem: string };

/** The description that an image has in it. */
export function descriptionOf(image: Uint8Array): Description {
  try {
    const bytes = sectionsOf(image, (name) => name === DESCRIPTION_SECTION).get(DESCRIPTION_SECTION);
    if (bytes === undefined) return { problem: `This image has no section ${DESCRIPTION_SECTION}, and no description was given: docs/GUEST-DESCRIPTION.md says what one is.` };
    if (bytes.length > MOST_DESCRIPTION_BYTES) return { problem: `section ${DESCRIPTION_SECTION}: ${bytes.length} bytes are more than the ${MOST_DESCRIPTION_BYTES} that a description may have` };
    return { given: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
  } catch (error) {
    if (error instanceof ImageError || error instanceof SyntaxError) return { problem: `section ${DESCRIPTION_SECTION}: ${error.message}` };
    throw error;
  }
}

/** Of each frame: 0 free, 1 used, 2 page table, 3 the page of zeroes. */
export interface FramesData { readonly kinds: Uint8Array; readonly free: number; readonly tables: number }
export interface KernelData {
  readonly frames: FramesData | undefined;
  readonly lists: readonly { readonly name: string; readonly columns: readonly string[]; readonly rows: readonly (readonly { readonly value: bigint; readonly text: string; readonly address: boolean }[])[]; readonly truncated: boolean }[];
  readonly blocks: readonly { readonly name: string; readonly blocks: readonly { readonly at: bigint; readonly bytes: bigint; readonly state: 'free' | 'used' | 'neither' }[]; readonly problem: string | undefined }[];
  /** Page faults in equal stretches of the time line. */
  readonly faults: readonly number[];
  readonly problem: string | undefined;
}

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

/** The kernel's memory now. */
export function kernelMemory(debug: Debugger, description: Description): KernelData {
  const faults = faultsOverTime(debug);
  if ('problem' in description) return { frames: undefined, lists: [], blocks: [], faults, problem: description.problem };
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
    const it = object(description.given, 'the whole');
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
  const exceptions = history.records.eventsOf('exception');
  for (let n = exceptions.firstWhere((retired) => retired >= start); n < exceptions.end; n++) {
    const event = exceptions.at(n);
    if (event.kind === 'fault' && event.vector === 14) counts[Math.floor(((event.at.retired - start) / length) * BUCKETS)]!++;
  }
  return counts;
}

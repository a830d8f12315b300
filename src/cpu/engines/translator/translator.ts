/**
 * The translated regions: their table of functions, what they were made from, and when they end. A region lives until one of
 * its frames is written or the cache is full, which ends them all.
 */
import { importFunctions, importedFunctions, type EngineFunctions } from '../engine-functions.ts';
import { codeKey, type CodeStore } from '../fast/code-store.ts';
import type { Context } from '../fast/context.ts';
import { MAX_REGION_INSTRUCTIONS, REGION_PARAMETERS } from '../fast/dispatcher.ts';
import type { EntryTable } from '../fast/entry-table.ts';
import type { RegionSource } from '../fast/trail.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import type { Handlers } from '../interpreter/handlers.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { I32, type ValueType } from '../wasm/opcodes.ts';
import { Credit } from './credit.ts';
import { emitRegion } from './emit-region.ts';
import { RegionFormer, type Block } from './region.ts';

/** Where a region can be entered. */
export interface RegionEntry { readonly region: number; readonly block: number }

const NO_REGION: RegionEntry = { region: 0, block: 0 };
const MAX_REGIONS = 2048;
/** Most instructions of all living regions: an instruction takes some 150 bytes of the host's memory. */
const MAX_LIVING_INSTRUCTIONS = 2 ** 19;
/** So many reports of ways out of one region make it worth being translated again, together with where they lead. */
const REPORTS_TO_GROW = 16;
/** How often a region may grow, and how many places it takes in. */
const MAX_GROWTHS = 4;
const MAX_TARGETS = 48;

/** So many writes beside code that left a region make it worth being translated again, with the test for them at each of its stores. */
const WRITES_BESIDE = 16;

/** A region that can be entered. */
interface Living {
  readonly start: bigint;
  readonly context: Context;
  /** Where execution went from regions that this one was grown from. */
  readonly targets: readonly bigint[];
  readonly growths: number;
  /** Where execution has been seen to go, and how often. */
  readonly crossings: Map<bigint, number>;
  reports: number;
  /** Its stores know pages with code; or how many have left it so far because they do not. */
  readonly beside: boolean;
  writesBeside: number;
  readonly end: () => void;
}

/** A region that has been written and is not compiled yet. */
interface Written {
  readonly id: number;
  readonly source: number;
  readonly blocks: readonly Block[];
  readonly frames: ReadonlySet<number>;
  readonly context: Context;
  readonly targets: readonly bigint[];
  readonly growths: number;
  readonly beside: boolean;
  readonly locals: readonly ValueType[];
  readonly code: Uint8Array;
  readonly callsFunctions: boolean;
  /** One of its frames was written in the meantime. */
  outdated: boolean;
  readonly drop: () => void;
}

/** Most regions of one module, which costs V8 tens of kilobytes and microseconds, however little is in it. */
const MOST_TOGETHER = 8;
/** Instructions that a region waits for others at most. */
const LONGEST_WAIT = 100_000;

export class Translator {
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: MAX_REGIONS });
  readonly statistics = { regions: 0, modules: 0, blocks: 0, instructions: 0, wasmBytes: 0, ended: 0, emitMilliseconds: 0, compileMilliseconds: 0 };
  readonly #state: GuestState;
  readonly #store: CodeStore;
  readonly #entries: EntryTable;
  readonly #functions: EngineFunctions;
  readonly #former: RegionFormer;
  /** What ends a region, by its number. */
  readonly #living = new Map<number, Living>();
  /** By frame, then by address and context: another frame behind the same address is other code. */
  readonly #entriesOf = new Map<number, Map<number, RegionEntry>>();
  readonly #free: number[] = [];
  readonly #credit = new Credit();
  /** Regions that wait for others, and since when, in instructions retired. */
  #written: Written[] = [];
  #waitingSince = 0;
  #livingInstructions = 0;
  /** Regions wait for others. */
  readonly #waits: boolean;

  /** `onlyExecuted`: regions are made of what has been executed before (see RegionFormer), and wait for others to be compiled with. */
  constructor(state: GuestState, store: CodeStore, handlers: Handlers, entries: EntryTable, functions: EngineFunctions, onlyExecuted: boolean) {
    this.#waits = onlyExecuted;
    this.#functions = functions;
    this.#state = state;
    this.#store = store;
    this.#entries = entries;
    this.#former = new RegionFormer(store, handlers, onlyExecuted);
    this.#refill();
  }

  #refill(): void {
    this.#free.length = 0;
    for (let id = MAX_REGIONS - 1; id > 0; id--) this.#free.push(id);
  }

  /** The region that can be entered at an address which translates to `frame`; region 0 where none can be made; undefined where it was not tried. */
  entryOf(low: number, high: number, context: number, frame: number): RegionEntry | undefined { return this.#entriesOf.get(frame)?.get(codeKey(low, high, context)); }

  #note(frame: number, key: number, entry: RegionEntry): void {
    const known = this.#entriesOf.get(frame);
    if (known === undefined) this.#entriesOf.set(frame, new Map([[key, entry]]));
    else known.set(key, entry);
  }
  /** Forgets an entry if it is still that region's. */
  #forget(frame: number, key: number, region: number): void {
    const known = this.#entriesOf.get(frame);
    if (known?.get(key)?.region !== region) return;
    known.delete(key);
    if (known.size === 0) this.#entriesOf.delete(frame);
  }

  /** Ends all regions. */
  #clear(): void {
    this.compile();
    for (const { end } of this.#living.values()) end();
  }

  /** Whether the instructions executed so far are worth another region. */
  mayTranslate(): boolean { return this.#credit.covers(MAX_REGION_INSTRUCTIONS, this.#state.retired); }

  /** Makes the region of an address for which the fetch column answers. False where there is nothing to translate. */
  translate(ip: bigint, context: Context, targets: readonly bigint[] = [], growths = 0, beside = false): boolean {
    const begun = performance.now();
    // What takes the place of a living region does not wait.
    const replaces = growths > 0 || beside;
    if (!replaces && this.#isWaiting(ip, context)) return true;
    const blocks = this.#former.form(ip, context, targets);
    if (blocks.length === 0) {
      this.#remember(ip, context);
      return false;
    }
    const count = countInstructions(blocks);
    if (this.#free.length === 0 || this.#livingInstructions + count > MAX_LIVING_INSTRUCTIONS) this.#clear();
    const id = this.#free.pop()!;
    const source = this.#store.trail.nextRegion();
    const { predecessors, ...emitted } = emitRegion(blocks, id, source, context, beside);
    this.#store.trail.addRegion(source, sourceOf(blocks, predecessors, context));
    const frames = new Set(blocks.flatMap(({ frame, crossing }) => (crossing ? [frame, crossing.frame] : [frame])));
    const written: Written = { id, source, blocks, frames, context, targets, growths, beside, ...emitted, outdated: false, drop: () => { written.outdated = true; } };
    for (const frame of frames) this.#store.whenDropped(frame, written.drop);
    if (this.#written.length === 0) this.#waitingSince = this.#state.retired;
    this.#written.push(written);
    this.#credit.spend(count);
    this.statistics.emitMilliseconds += performance.now() - begun;
    if (!this.#waits || replaces || this.#written.length === MOST_TOGETHER) this.compile();
    return true;
  }
  /** Whether a region that can be entered there waits for others. */
  #isWaiting(ip: bigint, context: Context): boolean { return this.#written.some((x) => !x.outdated && x.context === context && x.blocks.some((block) => block.entry && block.ip === ip)); }

  /** Regions have waited long enough: to be asked now and then. */
  get isDue(): boolean { return this.#written.length > 0 && Math.abs(this.#state.retired - this.#waitingSince) >= LONGEST_WAIT; }

  /** Compiles all regions that wait, in one module, and lets them be entered. */
  compile(): void {
    const waiting = this.#written, begun = performance.now(), s = this.statistics;
    if (waiting.length === 0) return;
    this.#written = [];
    const current = waiting.filter((x) => !x.outdated);
    for (const { id, source, frames, drop, outdated } of waiting) {
      for (const frame of frames) this.#store.forgetListener(frame, drop);
      if (!outdated) continue;
      this.#store.trail.endRegion(source);
      this.#free.push(id);
    }
    if (current.length === 0) return;
    const module = new ModuleWriter();
    const signature = module.signature(REGION_PARAMETERS, [I32]);
    const callsFunctions = current.some((x) => x.callsFunctions);
    module.importMemory('e', 'memory');
    if (callsFunctions) importFunctions(module);
    for (const { id, locals, code } of current) module.add({ signature, locals, code, name: regionName(id) });
    const bytes = module.bytes();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { e: { memory: this.#state.memory }, ...(callsFunctions ? importedFunctions(this.#functions) : {}) });
    for (const written of current) {
      this.table.set(written.id, exports[regionName(written.id)]);
      this.#live(written);
      s.blocks += written.blocks.length;
      s.instructions += countInstructions(written.blocks);
    }
    s.regions += current.length;
    s.modules++;
    s.wasmBytes += bytes.length;
    s.compileMilliseconds += performance.now() - begun;
  }

  /** Notes that execution went from a region to an address where another begins. Regions that are left for others all the time grow. */
  noteCrossing(id: number, ip: bigint, context: Context): void {
    const region = this.#living.get(id);
    if (region === undefined || region.context !== context || region.growths === MAX_GROWTHS) return;
    region.crossings.set(ip, (region.crossings.get(ip) ?? 0) + 1);
    if (++region.reports < REPORTS_TO_GROW || !this.mayTranslate()) return;
    const seen = [...region.crossings].sort(([, x], [, y]) => y - x).map(([target]) => target);
    const targets = [...new Set([...region.targets, ...seen])].slice(0, MAX_TARGETS);
    if (this.translate(region.start, context, targets, region.growths + 1, region.beside)) this.#living.get(id)?.end();
    else region.reports = 0;
  }
  /** Notes that a region was left by a write beside code. */
  noteWriteBeside(id: number, context: Context): void {
    const region = this.#living.get(id);
    if (region === undefined || region.context !== context || region.beside || ++region.writesBeside < WRITES_BESIDE || !this.mayTranslate()) return;
    if (this.translate(region.start, context, region.targets, region.growths, true)) this.#living.get(id)?.end();
  }

  /** Notes that there is nothing to translate at an address, until its frame is written. */
  #remember(ip: bigint, context: Context): void {
    const frame = this.#store.frameOf(ip);
    if (frame === undefined) return;
    const key = codeKey(Number(ip & 0xffff_ffffn), Number(ip >> 32n), context.number);
    this.#note(frame, key, NO_REGION);
    this.#store.whenDropped(frame, () => { this.#forget(frame, key, NO_REGION.region); });
  }

  #live({ id, source, blocks, frames, context, targets, growths, beside }: Written): void {
    const keys: { readonly frame: number; readonly key: number }[] = [];
    const indices: number[] = [];
    for (const { ip, frame, number, entry } of blocks) {
      if (!entry) continue;
      const low = Number(ip & 0xffff_ffffn), high = Number(ip >> 32n);
      const key = codeKey(low, high, context.number);
      this.#note(frame, key, { region: id, block: number });
      keys.push({ frame, key });
      const index = this.#entries.set(low, high, context.number, frame, this.#store.block(frame, low, high, context), id, number, 0);
      this.#store.noteEntry(frame, index);
      indices.push(index);
    }
    const count = countInstructions(blocks);
    this.#livingInstructions += count;
    const end = (): void => {
      // The number may be another region's by now.
      if (this.#living.get(id)?.end !== end) return;
      this.#living.delete(id);
      for (const frame of frames) this.#store.forgetListener(frame, end);
      this.statistics.ended++;
      this.#livingInstructions -= count;
      this.#store.trail.endRegion(source);
      for (const { frame, key } of keys) this.#forget(frame, key, id);
      for (const index of indices) this.#entries.dropRegion(index, id);
      this.table.set(id, null);
      this.#free.push(id);
    };
    this.#living.set(id, { start: blocks[0]!.ip, context, targets, growths, crossings: new Map(), reports: 0, beside, writesBeside: 0, end });
    for (const frame of frames) this.#store.whenDropped(frame, end);
  }
}

/** Name of a region's function in its module. */
const regionName = (id: number): string => `region${id}`;
const countInstructions = (blocks: readonly Block[]): number => blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);

/** Copies of the bytes that a region was made from, for the trail. */
function sourceOf(blocks: readonly Block[], predecessors: readonly number[], { mode }: Context): RegionSource {
  const all = new Uint8Array(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const starts = new Uint32Array(blocks.length);
  let at = 0;
  blocks.forEach(({ bytes }, n) => {
    starts[n] = at;
    all.set(bytes, at);
    at += bytes.length;
  });
  return { mode, ips: BigUint64Array.from(blocks, ({ ip }) => ip), starts, bytes: all, counts: Uint8Array.from(blocks, ({ instructions }) => instructions.length), predecessors: Int16Array.from(predecessors) };
}

/**
 * The fast engines: the generated interpreter, and the translator of hot regions on top of it. Generated code runs from
 * instruction boundary to instruction boundary; whatever is rare leaves it *before* an instruction, and TypeScript goes on from
 * there: with the same paging unit, the same deliveries and, for what it does not generate, the reference engine.
 */
import { PageFault } from '../../../mmu/page-fault.ts';
import { COLUMN } from '../../../mmu/tlb.ts';
import { type LinearAddress, isCanonicalHigh } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { joined } from '../../../state/halves.ts';
import { OFFSET } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { SHADOW, castShadow } from '../../events.ts';
import type { RecentInstruction } from '../../recent-instructions.ts';
import type { Engine, StepResult, Stop, Stops } from '../engine.ts';
import type { EngineFunctions } from '../engine-functions.ts';
import { ENGINE, INTERRUPTS_BASE, PAGE_FAULTS_BASE, MISS_WRITE, NO_PAGE_BYTE, PAGES_BASE, PAGES_BYTES, STATUS } from '../engine-memory.ts';
import { instructionsOf } from '../../decode/lookup.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { MAX_LENGTH } from '../../decode/reader.ts';
import { Handlers } from '../interpreter/handlers.ts';
import { RECORD } from '../interpreter/record.ts';
import { MANY, type StringForm } from '../interpreter/string-form.ts';
import { ReferenceEngine } from '../reference/engine.ts';
import { CodeStore } from './code-store.ts';
import { enterContext, FIRST_CONTEXT, LEGACY, type Context } from './context.ts';
import { Translator } from '../translator/translator.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import { EntryTable } from './entry-table.ts';
import type { Activity, EngineProfile } from './profile.ts';
import { createPagingCode } from './paging-code.ts';
import { Strings } from './strings.ts';
import { Trail } from './trail.ts';

export type FastEngineKind = 'interpreter' | 'translator' | 'auto';

/**
 * Dispatches of a block before its region is translated; by the interpreter, before handlers of several instructions are made for it. To translate an instruction
 * costs some 50 us, V8's part included, and to interpret it 10 ns.
 */
const NEVER_HOT = 0x7fff_ffff;
const HEAT = { interpreter: 300, translator: 1, auto: 12_000 } as const;
/** Where links would keep dispatches from being counted, none leads to an entry that is less hot than this: it is still to be counted. */
const LINKED_HEAT = 0x4000_0000;
/** The same where the reference engine executed what stands before, whatever the engine: perhaps each instruction there is left to it. */
const HEAT_BEHIND_REFERENCE = 16;
/** Dispatches until a hot block that could not be translated for want of credit is looked at again. */
const RETRY_HEAT = 2000;
/** Of so many ways between regions one is reported: a report costs as much as tens of ways. */
const REPORT_INTERVAL = 4096;
/** The longest stay while a profile is taken: its sample says where execution was at the end. */
const PROFILED_SLICE = 20_011;
/** Longest stay in generated code, in instructions: V8 puts optimised code in the place of a function only when it is called anew. */
const SLICE = 500_000;

const RIP_LOW = OFFSET.rip / 4, RIP_HIGH = RIP_LOW + 1;
const BUDGET = ENGINE.budget / 4, LEFT_AT = ENGINE.leftAt / 4, LINK = ENGINE.link / 4, MORE = ENGINE.more / 4, LEFT_REGION = ENGINE.leftRegion / 4, UNTIL_REPORT = ENGINE.untilReport / 4;
const PCID = ENGINE.pcid / 4, MISS_ACCESS = ENGINE.missAccess / 4, MISS_LOW = ENGINE.missAddress / 4;
const UNWATCHED = ENGINE.unwatched / 4, STALE_PAGES = ENGINE.stalePages / 4, CHANGES = ENGINE.changes / 4, DELIVERIES = ENGINE.deliveries / 4, ASKED = ENGINE.asked / 4, SERVED_AT = ENGINE.servedAt / 4, FAULTS = ENGINE.faults / 4, SHADOW_AT = ENGINE.shadowAt / 4, SLICE_AT = ENGINE.slice / 4;
const ALL_COLUMNS = 7;

/** Where the handler that delivers page faults of a context is. */
const pageFaultWayAt = ({ column, number }: Context): number => ENGINE.pageFaultWays / 4 + (column === COLUMN.user ? 1 : 0) + ((number & LEGACY) === 0 ? 0 : 2);

/** What the engine does for generated code that came back; a single step accounts for itself. */
const SERVICE: Readonly<Partial<Record<number, Activity>>> = {
  [STATUS.lookup]: 'decoding', [STATUS.fetch]: 'paging', [STATUS.miss]: 'paging', [STATUS.hot]: 'translating', [STATUS.crossing]: 'translating', [STATUS.string]: 'interpreted',
};

/** What a run did besides retiring instructions, for profiles. */
export interface EngineStatistics {
  /** Instructions that the reference engine executed, also those whose handlers were not compiled yet. */
  referenceInstructions: number;
  /** Times that generated code came back, by reason. */
  readonly exits: { budget: number; lookup: number; fetch: number; reference: number; notYet: number; miss: number; hot: number; crossing: number; string: number };
}

export class FastEngine implements Engine {
  readonly cpu: Cpu;
  readonly kind: FastEngineKind;
  readonly reference: ReferenceEngine;
  readonly code: CodeStore;
  readonly handlers: Handlers;
  readonly statistics: EngineStatistics = { referenceInstructions: 0, exits: { budget: 0, lookup: 0, fetch: 0, reference: 0, notYet: 0, miss: 0, hot: 0, crossing: 0, string: 0 } };
  readonly #state: GuestState;
  readonly #u32: Uint32Array;
  readonly #entries: EntryTable;
  readonly #trail: Trail;
  readonly #dispatcher: Dispatcher;
  readonly #strings: Strings;
  /** The frame of the instruction at RIP; -1 where it may reach into a second one. */
  readonly #ownFrame = (): number => {
    const low = this.#u32[RIP_LOW]!;
    return (low & 0xfff) > 4096 - MAX_LENGTH ? -1 : this.#frame(low, this.#u32[RIP_HIGH]!);
  };
  readonly translator: Translator;
  /** `changes` of the TLB and PCID for which remembered pages hold, of columns that are not stale. */
  #pagesAt = -1;
  #pagesPcid = -1;
  /** Dispatches of a block before something is made of it: for tests. */
  heat: number;
  /** Set while a profile is taken. */
  profile: EngineProfile | undefined;
  #stopRequested = false;
  #left = 0;
  /** Instructions executed in this stay in generated code before, the context that code is in by now, and why the stay ended. */
  #stayed = 0;
  #context: Context = FIRST_CONTEXT;
  #stop: Stop | undefined;
  /** How many instructions the reference engine had noted when the trail heard of it last. */
  #noted = 0;
  /** The record to go on with instead of looking RIP up; 0: none. */
  #resume = 0;
  /** `retired` at the last miss, and behind the last instruction of this run that the reference engine executed. */
  #missedAt = -1;
  #steppedAt = -1;

  constructor(cpu: Cpu, kind: FastEngineKind) {
    this.cpu = cpu;
    this.kind = kind;
    this.heat = HEAT[kind];
    this.#state = cpu.state;
    this.#u32 = cpu.state.u32;
    this.reference = new ReferenceEngine(cpu);
    this.#entries = new EntryTable(cpu.state);
    const paging = createPagingCode(cpu.state);
    const functions: EngineFunctions = {
      ...paging,
      reference: (record) => this.#executeInPlace(record),
      readPort: (port, bytes) => this.#readPort(port, bytes),
      writePort: (port, value, bytes) => { this.#writePort(port, value, bytes); },
    };
    this.handlers = new Handlers(cpu.state.memory, functions);
    this.#trail = new Trail(cpu.state, instructionsOf(cpu.model.features), () => this.reference.recentInstructions());
    this.code = new CodeStore(cpu.state, cpu.mmu.memory, instructionsOf(cpu.model.features), this.handlers, this.#entries, this.#trail);
    this.code.blocks.linksLoops = kind === 'interpreter';
    this.#u32[ENGINE.linkFrom / 4] = kind === 'interpreter' ? LINKED_HEAT : 0;
    this.translator = new Translator(cpu.state, this.code, this.handlers, this.#entries, functions, kind === 'auto');
    this.#u32[UNTIL_REPORT] = REPORT_INTERVAL;
    this.#dispatcher = createDispatcher(cpu.state.memory, this.handlers.table, this.translator.table, paging, () => this.#stringInPlace());
    this.#strings = new Strings(cpu);
    cpu.mmu.memory.onMapChanged(() => { this.code.clear(); });
  }

  recentInstructions(): readonly RecentInstruction[] { return this.#trail.list(); }
  requestStop(): void { this.#stopRequested = true; }
  step(): StepResult {
    const result = this.reference.step();
    this.#noteReference();
    return result;
  }
  /** Puts what the reference engine noted last into the trail, too. */
  #noteReference(): void {
    const { noted } = this.reference;
    if (noted !== this.#noted) this.#trail.noteReference();
    this.#noted = noted;
  }
  stopAt(stops: Stops): void { this.code.stopAt(stops); }
  forgetEverything(): void {
    this.reference.forgetEverything();
    this.code.clear();
    this.#entries.clear();
    this.#trail.clear();
    this.#resume = 0;
  }
  stateReplaced(): void {
    this.reference.stateReplaced();
    this.#pagesAt = -1;
    this.#trail.clear();
    this.#u32[LINK] = 0;
    this.#missedAt = -1;
  }

  run(budget: number): Stop {
    this.#stopRequested = false;
    this.#left = budget;
    this.#resume = 0;
    this.#steppedAt = -1;
    // RIP may be anywhere since the last run.
    this.#u32[LINK] = 0;
    this.translator.compile();
    for (let first = true; this.#left > 0; first = false) {
      if (this.translator.isDue) this.#compile();
      const stopHere = this.#isAtStop;
      if (stopHere && !first) return { kind: 'breakpoint' };
      const context = this.cpu.attention || stopHere ? undefined : this.#contextNow();
      const stop = context === undefined ? this.#step() : this.#enter(context);
      if (stop !== undefined) return stop;
      if (this.#stopRequested) return { kind: this.#isAtStop ? 'breakpoint' : 'requested' };
    }
    return { kind: this.#isAtStop ? 'breakpoint' : 'budget' };
  }
  /** Lets regions that were waiting be entered. */
  #compile(): void {
    const begun = this.profile?.clock();
    this.translator.compile();
    if (begun !== undefined) this.profile?.note('translating', begun, 0, this.#state.rip);
  }
  get #isAtStop(): boolean { return this.code.hasStops && this.code.isStop(this.#state.rip); }

  /** One boundary by the reference engine. `fetched`: the instruction at RIP, where nothing is due before it and it needs no fetch. */
  #step(fetched?: Instruction): Stop | undefined {
    const { profile } = this;
    if (profile === undefined) return this.#stepPlain(fetched);
    const begun = profile.clock();
    const stop = this.#stepPlain(fetched);
    profile.note('reference', begun, 1, this.#state.rip);
    return stop;
  }
  #stepPlain(fetched: Instruction | undefined): Stop | undefined {
    this.#left--;
    this.statistics.referenceInstructions++;
    this.#resume = 0;
    this.#u32[LINK] = 0;
    const result = fetched === undefined ? this.reference.step() : this.reference.executeFetched(fetched);
    this.#noteReference();
    this.#steppedAt = this.#state.retired;
    return result.kind === 'retired' || result.kind === 'exception' ? undefined : result;
  }

  /** The context as things are now, for generated code. Where execution may have to stop, short ways are not taken. */
  #contextNow(): Context | undefined {
    const context = enterContext(this.cpu);
    if (this.code.hasStops) this.#u32[UNWATCHED] = 0;
    return context;
  }

  /** What generated code may do before it must come back, from here on. */
  #allow(most: number, context: Context): void {
    const u32 = this.#u32;
    this.#slice = Math.min(this.#left, most);
    u32[BUDGET] = this.#slice;
    u32[MORE] = this.#left > this.#slice ? 1 : 0;
    u32[LEFT_AT] = 0;
    u32[LEFT_REGION] = 0;
    u32[SERVED_AT] = u32[SHADOW_AT] = 0xffff_ffff;
    this.#forgetPages(context);
  }

  /**
   * Called by generated code before an instruction that it does not know: executes that, and lets generated code go on where nothing stands against it.
   * What it takes for granted may have changed; it looks RIP up. A stop is kept for whoever entered it.
   */
  #executeInPlace(record: number): number {
    const { cpu } = this, u32 = this.#u32;
    const instruction = this.code.blocks.leftToReference(record);
    if (instruction === undefined || this.profile !== undefined || this.code.hasStops) {
      u32[LEFT_AT] = record;
      return STATUS.reference;
    }
    if (!this.#pauseAt(record)) return STATUS.served;
    this.#stayed++;
    this.statistics.exits.reference++;
    const { changes } = cpu;
    this.#stop = this.#stepPlain(instruction);
    return this.#goesOn(changes) ? STATUS.next : STATUS.served;
  }

  /** Called by the dispatcher, where many iterations of a repeated string instruction are left: goes on with it as `#executeInPlace` does with others. */
  #stringInPlace(): number {
    const leftAt = this.#u32[LEFT_AT]!;
    if (this.profile !== undefined || this.code.hasStops) return STATUS.string;
    if (!this.#pauseAt(leftAt)) return STATUS.served;
    const { changes } = this.cpu;
    this.#stop = this.#string(leftAt === 0 ? this.#recordOf(this.#context) : leftAt);
    return this.#goesOn(changes) && this.#resume === 0 ? STATUS.next : STATUS.served;
  }
  /** Accounts in the middle of a stay for what it has executed so far: before the instruction of a record, or at RIP where that is 0. False where nothing may follow in it. */
  #pauseAt(record: number): boolean {
    const u32 = this.#u32;
    let executed = this.#slice - u32[BUDGET]!;
    if (record !== 0) {
      executed -= this.#stepBack(record);
      this.#trail.noteLeft(this.code.blocks.firstRecord(record));
    }
    this.#account(executed);
    this.#stayed += executed;
    const inShadow = this.#isInShadow(this.#slice - executed);
    // The budget is that of what follows.
    this.#slice = u32[BUDGET] = u32[LEFT_AT] = 0;
    this.cpu.deliveriesInStep = 0;
    return this.#left > 0 && !inShadow;
  }
  /** Lets generated code go on behind what was done in the middle of a stay; false where something stands against that. `changes`: those of the processor before. */
  #goesOn(changes: number): boolean {
    const { cpu } = this;
    if (this.#stop !== undefined || this.#stopRequested || cpu.attention || this.#left === 0 || this.#stayed >= SLICE) return false;
    if (cpu.changes !== changes) {
      const context = this.#contextNow();
      if (context === undefined) return false;
      this.#context = context;
    }
    this.#allow(SLICE - this.#stayed, this.#context);
    return true;
  }

  /** Called by generated code: IN, where nothing but the device is to be asked. */
  #readPort(port: number, bytes: 1 | 2 | 4): number {
    const before = this.#beforePort();
    const value = this.cpu.bus.readPort(port, bytes);
    this.#afterPort(before);
    return bytes === 4 ? value : value & ((1 << 8 * bytes) - 1);
  }
  /** The same of OUT. */
  #writePort(port: number, value: number, bytes: 1 | 2 | 4): void {
    const before = this.#beforePort();
    this.cpu.bus.writePort(port, bytes, bytes === 4 ? value >>> 0 : value);
    this.#afterPort(before);
  }
  /** Lets devices see the time of the instruction that the budget says. Returns what tells whether generated code depends on something that they change. */
  #beforePort(): number {
    const budget = this.#u32[BUDGET]!;
    const executed = this.#slice - budget;
    this.#slice = budget;
    this.#stayed += executed;
    this.#account(executed);
    return this.#changes();
  }
  #afterPort(before: number): void {
    this.#u32[ASKED] = this.#stopRequested || this.cpu.attention || this.#changes() !== before ? 1 : 0;
  }
  /** Grows with all that generated code may depend on in the middle of a stay. */
  #changes(): number { return this.cpu.changes + this.cpu.mmu.tlb.changes + this.code.changes; }

  /** What the budget was when it was given, or when `retired` was brought up to date last. */
  get #slice(): number { return this.#u32[SLICE_AT]!; }
  set #slice(value: number) { this.#u32[SLICE_AT] = value; }

  #account(executed: number): void {
    this.#catchUp();
    this.#left -= executed;
    this.#state.retired += executed - this.#u32[FAULTS]!;
    this.#u32[FAULTS] = 0;
  }

  /** Runs generated code and serves what it came back for. */
  #enter(context: Context): Stop | undefined {
    const u32 = this.#u32;
    const { profile } = this;
    const begun = profile?.clock();
    this.#stayed = 0;
    this.#stop = undefined;
    this.#context = context;
    this.#allow(profile === undefined ? SLICE : PROFILED_SLICE, context);
    this.reference.forgetPage();
    this.cpu.deliveriesInStep = 0;
    const resume = this.#resume, before = this.#state.retired;
    this.#resume = 0;
    let status = resume === 0 ? STATUS.next : this.#dispatcher.resume(resume);
    if (status === STATUS.next) status = this.#dispatcher.run();
    let executed = this.#slice - u32[BUDGET]!;
    const leftAt = u32[LEFT_AT]!;
    if (leftAt !== 0) {
      executed -= this.#stepBack(leftAt);
      this.#trail.noteLeft(this.code.blocks.firstRecord(leftAt));
    }
    this.#account(executed);
    // The reference engine takes the instruction behind STI; what the code there lacks is made for the next time.
    if (this.#isInShadow(this.#slice - executed) && status !== STATUS.lookup && status !== STATUS.hot) status = STATUS.served;
    if (profile === undefined || begun === undefined) return this.#serve(status, leftAt, this.#context);
    const served = profile.note(u32[LEFT_REGION] === 0 ? 'interpreted' : 'translated', begun, this.#state.retired - before, this.#state.rip);
    const activity = SERVICE[status];
    const { retired } = this.#state;
    const stop = this.#serve(status, leftAt, context);
    if (activity !== undefined) profile.note(activity, served, this.#state.retired - retired, this.#state.rip);
    return stop;
  }

  /** Whether the instruction before the boundary at which so much of the budget is left was an STI that set IF: notes so. */
  #isInShadow(budget: number): boolean {
    if (budget !== this.#u32[SHADOW_AT]) return false;
    castShadow(this.cpu, SHADOW.sti);
    return true;
  }

  /** Empties what translated code remembers of pages in a context, unless all of it still holds. */
  #forgetPages({ column }: Context): void {
    const { changes } = this.cpu.mmu.tlb, u32 = this.#u32;
    const pcid = u32[PCID]!;
    if (changes !== this.#pagesAt || pcid !== this.#pagesPcid) {
      this.#pagesAt = changes;
      this.#pagesPcid = pcid;
      u32[STALE_PAGES] = ALL_COLUMNS;
    }
    if ((u32[STALE_PAGES]! & (1 << column)) === 0) return;
    u32[STALE_PAGES]! &= ~(1 << column);
    this.#state.u8.fill(NO_PAGE_BYTE, PAGES_BASE + column * PAGES_BYTES, PAGES_BASE + (column + 1) * PAGES_BYTES);
  }

  /** Lets the rest of the processor know what short ways of system instructions have changed. */
  #catchUp(): void {
    const { cpu } = this, u32 = this.#u32;
    if (u32[CHANGES] === 0) return;
    cpu.deliveries += u32[DELIVERIES]!;
    u32[CHANGES] = u32[DELIVERIES] = 0;
    cpu.refresh();
    this.#context = this.#contextNow()!;
  }
  /** Page faults that short ways delivered, by error code. */
  get pageFaults(): Uint32Array { return this.#u32.subarray(PAGE_FAULTS_BASE / 4, PAGE_FAULTS_BASE / 4 + 32); }
  /** How often the short way of INT n was taken, by vector. */
  get interrupts(): Uint32Array { return this.#u32.subarray(INTERRUPTS_BASE / 4, INTERRUPTS_BASE / 4 + 256); }

  /** Does what generated code came back for. */
  #serve(status: number, leftAt: number, context: Context): Stop | undefined {
    switch (status) {
      case STATUS.lookup: return this.#lookUp(context);
      // A walk changes memory and may fault: it waits for the instruction that it is for.
      case STATUS.fetch: return this.#left > 0 ? this.#translate() : undefined;
      case STATUS.miss: return this.#miss(leftAt, context);
      case STATUS.reference: return this.#left > 0 ? this.#reference(leftAt) : undefined;
      case STATUS.string: return this.#string(leftAt === 0 ? this.#recordOf(context) : leftAt);
      case STATUS.hot: return this.#hot(context);
      case STATUS.crossing: return this.#crossing(context);
      case STATUS.served: return this.#stop;
      default:
        this.statistics.exits.budget++;
        return this.#finish();
    }
  }

  /** Generated code was left before the instruction at RIP, or at a record: it is the reference engine's, or its handler is not compiled yet. */
  #reference(leftAt: number): Stop | undefined {
    const u32 = this.#u32, next = (leftAt + RECORD.nextIp) / 4;
    const waits = leftAt !== 0 && !this.handlers.isCompiled(u32[(leftAt + RECORD.handler) / 4]!);
    this.statistics.exits[waits ? 'notYet' : 'reference']++;
    if (!waits) return this.#step(leftAt === 0 ? undefined : this.code.blocks.leftToReference(leftAt));
    this.handlers.noteLeft();
    const changes = (): number => this.cpu.changes + this.code.changes, before = changes();
    const stop = this.#step();
    // In the middle of a block, which is not to be made anew from here on.
    if (stop === undefined && changes() === before && u32[RIP_LOW] === u32[next] && u32[RIP_HIGH] === u32[next + 1]) this.#resume = this.code.blocks.behind(leftAt);
    return stop;
  }

  /** Puts RIP at the instruction of a record whose handler left before it. Returns how many instructions of its block had been paid for in vain. */
  #stepBack(record: number): number {
    const u32 = this.#u32;
    const next = (record + RECORD.nextIp) / 4;
    const length = this.#state.u8[record + RECORD.length]!;
    const low = u32[next]! - length;
    u32[RIP_LOW] = low;
    u32[RIP_HIGH] = u32[next + 1]! - (low < 0 ? 1 : 0);
    return this.#state.u16[(record + RECORD.remaining) / 2]!;
  }

  /** The last few instructions, which no block fits into; or the end of a stay before the last. */
  #finish(): Stop | undefined {
    if (this.#u32[MORE] !== 0) return undefined;
    return this.#left > 0 ? this.#step() : undefined;
  }

  /** Makes the entry of RIP, which the fetch column answers for. */
  #lookUp(context: Context): Stop | undefined {
    this.statistics.exits.lookup++;
    // Nothing may lead to an address where execution must come back.
    if (this.#isAtStop) return undefined;
    const low = this.#u32[RIP_LOW]!, high = this.#u32[RIP_HIGH]!;
    // Code is made for addresses of 48 bits.
    if (!isCanonicalHigh(high, 48)) return this.#left > 0 ? this.#step() : undefined;
    const frame = this.#frame(low, high);
    const record = this.code.block(frame, low, high, context);
    // An instruction that reaches into a page which the fetch column does not know yet.
    if (record === 0) return this.#left > 0 ? this.#step() : undefined;
    const known = this.translator.entryOf(low, high, context.number, frame);
    this.#set(context, frame, record, known?.region ?? 0, known?.block ?? 0, known === undefined ? this.#heat(frame) : NEVER_HOT);
    return undefined;
  }
  #set({ number }: Context, frame: number, record: number, region: number, block: number, heat: number): void {
    const low = this.#u32[RIP_LOW]!, high = this.#u32[RIP_HIGH]!;
    this.code.noteEntry(frame, this.#entries.set(low, high, number, frame, record, region, block, heat));
  }
  /** Of a new entry at RIP. A frame that has been written again and again is interpreted for longer each time. */
  #heat(frame: number): number {
    const least = this.#steppedAt === this.#state.retired ? HEAT_BEHIND_REFERENCE : 1;
    return Math.min(Math.max(this.heat, least) * 2 ** this.code.timesDropped(frame), NEVER_HOT);
  }

  /** Translates RIP as a fetch does, so that the fetch column can answer. */
  #translate(): Stop | undefined {
    this.statistics.exits.fetch++;
    const low = this.#u32[RIP_LOW]!, high = this.#u32[RIP_HIGH]!;
    if (!isCanonicalHigh(high, this.cpu.linearWidth)) return this.#step();
    try {
      const address = this.cpu.mmu.translateHalves(low, high, 'fetch', this.cpu.privilege);
      // Code in a device is never kept.
      return this.cpu.mmu.memory.isRamFrame(Math.floor(address / 4096)) ? undefined : this.#step();
    } catch (thrown) {
      return this.#deliver(thrown, 'fetch');
    }
  }

  /** A data access missed: fills the column for it and goes on with the same instruction, or delivers the page fault. */
  #miss(leftAt: number, context: Context): Stop | undefined {
    this.statistics.exits.miss++;
    if (this.#left === 0) return undefined;
    const u32 = this.#u32;
    const access = u32[MISS_ACCESS]!;
    const low = u32[MISS_LOW]!, high = u32[MISS_LOW + 1]!;
    // A second miss of one instruction: its two pages may want the same place in the column.
    const again = this.#missedAt === this.#state.retired;
    this.#missedAt = this.#state.retired;
    if (again) return this.#manyOrOne(leftAt);
    if ((low & 0xfff) + (access & 0xff) > 4096 || !isCanonicalHigh(high, this.cpu.linearWidth)) return this.#step();
    const prepared = this.cpu.mmu.prepare(low, high, access & 0xff, (access & MISS_WRITE) !== 0, this.cpu.privilege);
    if (prepared === false) return this.#manyOrOne(leftAt);
    // From now on generated code delivers it.
    if (prepared === undefined && (this.cpu.in64BitMode || !this.cpu.longModeActive)) u32[pageFaultWayAt(context)] ||= this.handlers.pageFaultWay(context);
    if (prepared === undefined) return this.#deliver(new PageFault(joined(low, high) as LinearAddress, this.cpu.mmu.faultCode));
    this.#resume = leftAt;
    // A region's store to a page with code.
    if (leftAt === 0 && (access & MISS_WRITE) !== 0 && u32[LEFT_REGION] !== 0 && this.cpu.mmu.preparedBesideCode) this.translator.noteWriteBeside(u32[LEFT_REGION]!, context);
    return undefined;
  }

  /** The TLB's columns do not answer for an instruction: the reference engine executes it, if not many iterations can be done at once. */
  #manyOrOne(leftAt: number): Stop | undefined {
    const form = this.#stringForm(leftAt);
    if (form === undefined || this.#strings.iterationsLeft(form) < MANY) return this.#step();
    const before = this.#left;
    const stop = this.#string(leftAt);
    return this.#left < before ? stop : this.#step();
  }
  /** Translated code knows no records: that of the instruction at RIP, for which the fetch column answers; 0 where the instruction reaches into a page for which it does not. */
  #recordOf(context: Context): number {
    const low = this.#u32[RIP_LOW]!, high = this.#u32[RIP_HIGH]!;
    return this.code.block(this.#frame(low, high), low, high, context);
  }
  #stringForm(record: number): StringForm | undefined { return this.handlers.stringForm(this.#u32[(record + RECORD.handler) / 4]!); }

  /** A repeated string instruction: goes on with it by pages, as far as that is possible. */
  #string(leftAt: number): Stop | undefined {
    this.statistics.exits.string++;
    if (leftAt === 0) return this.#left > 0 ? this.#step() : undefined;
    const { cpu } = this, u32 = this.#u32;
    const form = this.#stringForm(leftAt)!;
    const nextLow = u32[(leftAt + RECORD.nextIp) / 4]!, nextHigh = u32[(leftAt + RECORD.nextIp) / 4 + 1]!;
    let total = 0;
    let thrown: unknown;
    try {
      for (let done = 1; done > 0 && this.#left > 0 && !cpu.attention; total += done) {
        done = this.#strings.run(form, this.#left, cpu.privilege, this.#ownFrame);
        this.#left -= done;
        this.#state.retired += done;
      }
    } catch (error) {
      thrown = error;
    }
    if (total === 0 && thrown === undefined) this.#resume = leftAt;
    this.#trail.noteRepeated(leftAt, total);
    if (thrown !== undefined) return this.#deliver(thrown);
    if (this.#strings.iterationsLeft(form) === 0) {
      u32[RIP_LOW] = nextLow;
      u32[RIP_HIGH] = nextHigh;
    }
    return undefined;
  }

  /** Delivers a page fault of the instruction at RIP, or of its fetch. */
  #deliver(thrown: unknown, access: 'data' | 'fetch' = 'data'): Stop | undefined {
    if (!(thrown instanceof PageFault)) throw thrown;
    this.#u32[LINK] = 0;
    if (this.#left === 0) return undefined;
    this.#left--;
    if (access === 'data') {
      this.reference.noteInstruction();
      this.#noteReference();
    }
    const result = this.reference.deliver(thrown);
    return result.kind === 'exception' ? undefined : result as Stop;
  }

  /** Something is to be made of the block at RIP. */
  #hot(context: Context): Stop | undefined {
    this.statistics.exits.hot++;
    const low = this.#u32[RIP_LOW]!, high = this.#u32[RIP_HIGH]!;
    const may = this.kind === 'interpreter' || this.translator.mayTranslate();
    if (may && this.kind !== 'interpreter' && this.translator.translate((BigInt(high) << 32n) | BigInt(low), context)) return undefined;
    const frame = this.#frame(low, high), record = this.code.block(frame, low, high, context);
    if (this.kind === 'interpreter') this.code.blocks.fuse(record, frame, low, high, context);
    this.#set(context, frame, record, 0, 0, may ? NEVER_HOT : RETRY_HEAT);
    return undefined;
  }
  /** A region was left for the one at RIP. */
  #crossing(context: Context): undefined {
    this.statistics.exits.crossing++;
    this.#u32[UNTIL_REPORT] = REPORT_INTERVAL;
    this.translator.noteCrossing(this.#u32[LEFT_REGION]!, this.#state.rip, context);
  }
  /** The frame of RIP, for which the fetch column answers as a rule. */
  #frame(low: number, high: number): number {
    const frame = this.code.frameAt(low, high);
    return frame >= 0 ? frame : Math.floor(this.cpu.mmu.translateHalves(low, high, 'fetch', this.cpu.privilege) / 4096);
  }
}

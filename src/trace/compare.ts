/**
 * Lockstep: takes a recorded run event by event, moves our machine along, and stops at the first difference. Pure: the
 * machine is behind Stepper, the recording behind TraceSink.
 *
 * A record shows the state before an instruction. An instruction is therefore executed here when the *next* event
 * tells what it led to: the next record (it completed), an exception (it faulted, or a trap or a failed fetch follows
 * it), or an interrupt taken after it.
 */
import { RFLAGS } from '../cpu/flags.ts';
import { ENVIRONMENT, QEMU_DIFFERENCES, QEMU_ERROR_CODES, RF_OF_FAULTS, UNDEFINED_RESULTS, type Disagreement, type Forgiven } from './exceptions-list.ts';
import { differingWords } from './agreement.ts';
import { CHECKPOINT_INSTRUCTIONS, changedPages, comparePages, hashMemory, locateDifferences, type PageDifference, type PageHashes } from './memory.ts';
import { FIELD, TraceState, type MemorySnapshot, type TraceInterrupt, type TraceSink } from './state.ts';
import { codePlace, type CodePlace, type Delivery, type Move, type Stepper } from './stepper.ts';

export interface CompareOptions {
  /** Pages of guest memory as the recording found them (frame number to 4096 bytes). */
  readonly initialPages?: ReadonlyMap<number, Uint8Array>;
  /** QEMU's version, "7.2.22": some differences are one version's. Default: the oldest that is supported. */
  readonly qemuVersion?: string;
  /** Compare only from this instruction on (0 is the first): before it our machine follows without being judged. */
  readonly from?: number;
  /** Stop after this many instructions. */
  readonly maxInstructions?: number;
  /**
   * At maxInstructions our machine goes on until the source has shown memory (a live one: a few hundred instructions
   * later), and that is compared. What else differs there is beyond the limit and ends the run without a word.
   */
  readonly memoryAtLimit?: boolean;
  /** Instructions from one checkpoint of memory to the next (default CHECKPOINT_INSTRUCTIONS). */
  readonly checkpointEvery?: number;
}

/** The first place where the two runs part. */
export interface Difference {
  /** Instructions that were equal before. */
  readonly instruction: number;
  /** In one line. */
  readonly what: string;
  readonly recorded: TraceState;
  readonly ours: TraceState;
  /** Words that differ; empty when it is the course of events or memory that does. */
  readonly words: readonly number[];
  /** Pages of memory that differ at a checkpoint. */
  readonly pages: readonly PageDifference[];
  /** The last instructions, oldest first. */
  readonly history: readonly CodePlace[];
}

const HISTORY = 16;
/** One is what a store into its own instruction needs. */
const MAX_RESTARTS = 16;
const CR0_PE = 1n;
const FLAG_BITS: Readonly<Record<string, number>> = RFLAGS;
const VECTORS_WITH_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21]);
const DEBUG = 1, NMI = 2, BREAKPOINT = 3, OVERFLOW = 4, DOUBLE_FAULT = 8, PAGE_FAULT = 14, MACHINE_CHECK = 18;
/** Of the exceptions, those that are faults: RIP is the instruction's. SDM Vol. 3A, "Exceptions and Interrupts" (summary table). */
const isFault = (vector: number): boolean => vector < 32 && ![DEBUG, NMI, BREAKPOINT, OVERFLOW, DOUBLE_FAULT, MACHINE_CHECK].includes(vector);

export class Lockstep implements TraceSink {
  #compared = 0;
  /** Interrupts that were injected where QEMU took them. */
  injected = 0;
  difference: Difference | undefined;
  /** How often memory was compared before the end of the run. */
  checkpoints = 0;
  /** Memory was compared where the limit ended the run. */
  comparedAtLimit = false;
  /** Our memory at the start. */
  startPages: PageHashes = new Map();
  /** How often each entry of the exceptions list, or "undefined flags", was made use of. */
  readonly forgiven = new Map<string, number>();
  readonly #stepper: Stepper;
  readonly #options: CompareOptions;
  readonly #limit: number;
  readonly #qemuPushesRf: boolean;
  readonly #interval: number;
  #nextCheckpoint: number;
  /** Memory as it must be at the next event. */
  #memory: MemorySnapshot | undefined;
  /** Instructions that were equal when memory last was. */
  #memoryEqualAt = 0;
  /** The limit has been passed; the machine moves only to where memory is shown. */
  #beyond = false;
  #abandoned = false;
  /** The last record: the state before the instruction that is to be executed next, if `#ready`. */
  readonly #before = new TraceState();
  readonly #ours = new TraceState();
  #started = false;
  #ready = false;
  #instructions = 0;
  #restarts = 0;
  /** What we delivered and the recording has not yet shown. */
  #delivered: Delivery[] = [];
  readonly #history: CodePlace[] = [];

  constructor(stepper: Stepper, options: CompareOptions = {}) {
    this.#stepper = stepper;
    this.#options = options;
    const [major = 0, minor = 0] = (options.qemuVersion ?? '7.2').split('.').map(Number);
    this.#qemuPushesRf = major > RF_OF_FAULTS.since[0] || (major === RF_OF_FAULTS.since[0] && minor >= RF_OF_FAULTS.since[1]);
    this.#limit = options.maxInstructions ?? Number.POSITIVE_INFINITY;
    this.#interval = options.checkpointEvery ?? CHECKPOINT_INSTRUCTIONS;
    this.#nextCheckpoint = this.#interval;
  }

  /** Instructions that both sides have executed with equal results. */
  get compared(): number {
    return Math.min(this.#compared, this.#limit);
  }

  get finished(): boolean {
    if (this.difference !== undefined || this.#abandoned || this.comparedAtLimit) return true;
    return this.#compared >= this.#limit && !this.#options.memoryAtLimit;
  }

  get wantsMemory(): boolean {
    return this.#memory === undefined && this.#compared >= Math.min(this.#nextCheckpoint, this.#limit);
  }

  checkpoint(memory: MemorySnapshot): void {
    this.#memory = memory;
    this.#nextCheckpoint = this.#compared + this.#interval;
  }

  instruction(state: TraceState): void {
    this.#beyond = this.#compared >= this.#limit;
    if (!this.#started) this.#start(state);
    else if (this.#isRestart(state)) {
      if (++this.#restarts > MAX_RESTARTS) this.#differ('QEMU starts this instruction again and again', state);
      else this.#compareMemory(state);
      return;
    }
    else if (this.#ready && !this.#execute(state)) return;
    // QEMU does not log exceptions of real-address mode: where execution goes on must do.
    if (this.#delivered.length > 0 && (state.words[FIELD.cr0]! & CR0_PE) === 0n) this.#delivered = [];
    if (this.#delivered.length > 0) {
      this.#differ(`we delivered ${describe(this.#delivered[0]!)}, QEMU went on`, state);
      return;
    }
    if (!this.#agree(state) || !this.#compareMemory(state)) return;
    this.#before.copyFrom(state);
    this.#ready = true;
    this.#restarts = 0;
    this.#instructions++;
    this.#history.push(codePlace(state));
    if (this.#history.length > HISTORY) this.#history.shift();
  }

  interrupt(event: TraceInterrupt, state: TraceState): void {
    this.#beyond = this.#compared >= this.#limit;
    if (!this.#started) this.#start(state);
    if (this.#delivered.length === 0 && this.#ready) {
      if (!this.#execute(event.hardware ? state : undefined)) return;
    }
    if (this.#delivered.length === 0) {
      if (!this.#compareMemory(state)) return;
    } else this.#memory = undefined;
    if (event.hardware) this.#inject(event, state);
    else this.#match(event, state);
  }

  /** The recording is at its end: our machine takes the last step too, if it must lead out of the run. */
  last(): Move | undefined {
    if (!this.#ready || this.finished) return undefined;
    this.#ready = false;
    const boundary = this.#stepper.boundary();
    if (boundary.deliveries.length > 0) return boundary;
    const move = this.#stepper.execute();
    this.#compared++;
    return move;
  }

  /** The pages that our run changed. */
  changedPages(): PageHashes {
    return changedPages(this.startPages, hashMemory(this.#stepper.ram));
  }

  /** Our memory against what was shown at the checkpoint, if this event is the one behind it. */
  #compareMemory(state: TraceState): boolean {
    const memory = this.#memory;
    this.#memory = undefined;
    if (!memory || this.#instructions < (this.#options.from ?? 0)) return true;
    let pages = comparePages(memory.changed, this.changedPages(), this.startPages);
    this.checkpoints++;
    if (pages.length === 0) {
      this.#memoryEqualAt = this.compared;
      this.comparedAtLimit = this.#compared >= this.#limit;
      return true;
    }
    if (memory.ram) pages = locateDifferences(pages, memory.ram, this.#stepper.ram);
    const last = this.#memoryEqualAt === 0 ? 'at the start' : `after ${this.#memoryEqualAt} instructions`;
    this.#beyond = false;
    return this.#differ(`memory differs; it was compared last ${last}`, state, [], pages);
  }

  #start(state: TraceState): void {
    this.#started = true;
    this.#stepper.start(state, this.#options.initialPages ?? new Map());
    this.startPages = hashMemory(this.#stepper.ram);
  }

  /**
   * A store into the very instruction that makes it, or one that hits a data breakpoint: QEMU throws the block away and
   * starts the instruction again, so the same record comes twice. Only a jump to itself also leaves everything as it was.
   */
  #isRestart(state: TraceState): boolean {
    const at = FIELD.rip * 2;
    if (!this.#ready || this.#before.halves[at] !== state.halves[at]) return false;
    if (!state.words.every((word, i) => word === this.#before.words[i])) return false;
    return !(this.#stepper.instructionAt(codePlace(state))?.mnemonic ?? 'J').startsWith('J');
  }

  /** Executes the instruction of the last record. `after` is what QEMU shows next, for the report. */
  #execute(after: TraceState | undefined): boolean {
    this.#ready = false;
    const boundary = this.#stepper.boundary();
    if (boundary.deliveries.length > 0) {
      return this.#differ(`we delivered ${describe(boundary.deliveries[0]!)} before the instruction, QEMU executed it`, after ?? this.#before);
    }
    const move = this.#stepper.execute();
    if (move.unimplemented !== undefined) return this.#differ(`not implemented: ${move.unimplemented}`, after ?? this.#before);
    this.#delivered.push(...move.deliveries);
    this.#compared++;
    return true;
  }

  /** QEMU raised an exception: ours must be the same one, from the same place. */
  #match(event: TraceInterrupt, state: TraceState): void {
    if (this.#delivered.length === 0) {
      this.#stepper.read(this.#ours);
      // A single-step trap within a REP also shows the instruction's own address.
      if (event.vector !== DEBUG && state.words[FIELD.rip] === this.#before.words[FIELD.rip] && this.#ours.words[FIELD.rip] !== state.words[FIELD.rip]) {
        this.#differ(`QEMU delivered ${describe(event)}, we executed the instruction`, state);
        return;
      }
      // Not the instruction's own: a trap that follows it, or the fetch of the next one.
      if (!this.#agree(state, event)) return;
      this.#delivered.push(...this.#stepper.boundary().deliveries);
      if (this.#delivered.length === 0) this.#delivered.push(...this.#stepper.execute().deliveries);
    }
    const ours = this.#delivered.shift();
    if (ours === undefined) {
      this.#differ(`QEMU delivered ${describe(event)}, we delivered nothing`, state);
      return;
    }
    const codesMatter = VECTORS_WITH_ERROR_CODE.has(event.vector) && !event.software;
    if (ours.vector !== event.vector || ours.software !== event.software) {
      this.#differ(`QEMU delivered ${describe(event)}, we delivered ${describe(ours)}`, state);
    } else if (codesMatter && ours.errorCode !== event.errorCode) {
      const instruction = this.#stepper.executedAt(codePlace(this.#before));
      const reason = QEMU_ERROR_CODES.find((entry) => entry.applies(event.vector, ours.errorCode ?? 0, event.errorCode, instruction));
      if (!reason) {
        this.#differ(`QEMU delivered ${describe(event)}, we delivered ${describe(ours)}`, state);
        return;
      }
      this.#forgive(reason.name);
      // A delivery that another one follows faulted before it had pushed its code.
      if (this.#delivered.length === 0) this.#stepper.adoptErrorCode(event.errorCode);
    }
    const rfDiffers = event.vector === DOUBLE_FAULT || (!this.#qemuPushesRf && isFault(event.vector));
    if (rfDiffers && !event.software && this.#delivered.length === 0) {
      this.#forgive(RF_OF_FAULTS.name);
      this.#stepper.clearPushedFlags(RFLAGS.RF, VECTORS_WITH_ERROR_CODE.has(event.vector));
    }
  }

  #inject(event: TraceInterrupt, state: TraceState): void {
    if (this.#delivered.length > 0) {
      this.#differ(`we delivered ${describe(this.#delivered[0]!)}, QEMU took interrupt ${event.vector}`, state);
      return;
    }
    if (!this.#agree(state)) return;
    const { deliveries } = this.#stepper.interrupt(event.vector);
    this.injected++;
    const [first, ...rest] = deliveries;
    if (first?.vector !== event.vector) {
      this.#differ(`QEMU took interrupt ${event.vector} here, we ${first ? `delivered ${describe(first)}` : 'do not accept one'}`, state);
      return;
    }
    this.#delivered.push(...rest);
  }

  /** Compares our state with a recorded one; forgives and corrects what the list allows. */
  #agree(recorded: TraceState, event?: TraceInterrupt): boolean {
    this.#stepper.read(this.#ours);
    let words = differingWords(this.#ours, recorded);
    // QEMU writes CR2 and DR6 before it logs the exception.
    if (event?.vector === PAGE_FAULT) words = words.filter((word) => word !== FIELD.cr2);
    if (event?.vector === DEBUG) words = words.filter((word) => word !== FIELD.dr6);
    if (words.length === 0) return true;
    if (this.#instructions < (this.#options.from ?? 0)) {
      for (const word of words) this.#stepper.adopt(word, recorded.words[word]!);
      return true;
    }
    const instruction = this.#stepper.executedAt(codePlace(this.#before));
    words = this.#settleFlags(words, recorded, instruction?.row.undefinedFlags ?? []);
    if (words.length === 0) return true;
    if (this.#isRepEnd(words, recorded, instruction?.repeat)) {
      this.#forgive('REP count tested again');
      this.#stepper.adopt(FIELD.rip, recorded.words[FIELD.rip]!);
      return true;
    }
    const disagreement: Disagreement = { instruction, deviceReads: this.#stepper.deviceReads(), before: this.#before, ours: this.#ours, recorded, words };
    const reason = [...ENVIRONMENT, ...UNDEFINED_RESULTS, ...QEMU_DIFFERENCES].find((entry: Forgiven) => entry.applies(disagreement));
    if (!reason) {
      this.#compared = Math.max(0, this.#compared - 1);
      return this.#differ('the states differ', recorded, words);
    }
    this.#forgive(reason.name);
    for (const word of words) this.#stepper.adopt(word, recorded.words[word]!);
    return true;
  }

  /** Flags that the instruction leaves undefined take QEMU's values, so that they make no difference later. */
  #settleFlags(words: number[], recorded: TraceState, undefinedFlags: readonly string[]): number[] {
    if (!words.includes(FIELD.rflags) || undefinedFlags.length === 0) return words;
    const mask = BigInt(undefinedFlags.reduce((bits, flag) => bits | (FLAG_BITS[flag] ?? 0), 0));
    const ours = this.#ours.words[FIELD.rflags]!, theirs = recorded.words[FIELD.rflags]!;
    const settled = (ours & ~mask) | (theirs & mask);
    if (settled === ours) return words;
    this.#forgive('undefined flags');
    this.#stepper.adopt(FIELD.rflags, settled);
    this.#ours.words[FIELD.rflags] = settled;
    return settled === theirs ? words.filter((word) => word !== FIELD.rflags) : words;
  }

  /**
   * With -icount QEMU gives the end of a repeated string instruction a block of its own: rCX is 0 and RIP still at the
   * instruction. Executing it once more with rCX = 0 does nothing, so we go along.
   */
  #isRepEnd(words: readonly number[], recorded: TraceState, repeat: string | undefined): boolean {
    return repeat !== undefined && repeat !== 'none' && words.length === 1 && words[0] === FIELD.rip
      && recorded.words[FIELD.rip] === this.#before.words[FIELD.rip];
  }

  #forgive(name: string): void {
    this.forgiven.set(name, (this.forgiven.get(name) ?? 0) + 1);
  }

  #differ(what: string, recorded: TraceState, words?: readonly number[], pages: readonly PageDifference[] = []): false {
    if (this.#beyond) {
      this.#abandoned = true;
      return false;
    }
    this.#stepper.read(this.#ours);
    const [a, b] = [new TraceState(), new TraceState()];
    a.copyFrom(recorded);
    b.copyFrom(this.#ours);
    this.difference = { instruction: this.compared, what, recorded: a, ours: b, words: words ?? differingWords(b, a), pages, history: [...this.#history] };
    return false;
  }
}

/** "#PF (vector 14), error code 0x2". */
function describe(event: Delivery | TraceInterrupt): string {
  const code = event.errorCode === undefined ? '' : `, error code 0x${event.errorCode.toString(16)}`;
  return event.software ? `software interrupt ${event.vector}` : `vector ${event.vector}${code}`;
}

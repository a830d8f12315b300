/**
 * States of one machine at several moments, in memory: registers and devices whole, RAM as the frames that changed from one to the next.
 * Beside the first they keep to a budget of bytes by thinning: the further back, the wider apart. Where few of them are too much for it, the first goes, and
 * the past begins later.
 */
import { captureState, replaceState, type MachineState } from '../../machine/machine-state.ts';
import type { Machine } from '../../machine/machine.ts';
import { compareMoments, momentOf, type Moment } from '../../machine/position.ts';
import { PAGE_SIZE } from '../../state/addresses.ts';
import { RAM_BASE } from '../../state/layout.ts';

/** The machine at a moment. */
export interface Checkpoint {
  readonly at: Moment;
  /** How many inputs of the log it has been given. */
  readonly inputs: number;
  /** What it took to come here from the start, in the units of whoever takes checkpoints. */
  readonly cost: number;
}

interface Kept extends Checkpoint {
  readonly state: MachineState;
  readonly stateBytes: number;
  /** Place in the list. */
  index: number;
  /** Frames that have a version of their own here: all that differ from the checkpoint before. */
  readonly frames: Set<number>;
  /** What those versions take. */
  frameBytes: number;
}
/** What a frame held at a checkpoint, and until the frame's next version; undefined: zeroes. */
interface Version { readonly kept: Kept; readonly words: Words | undefined }
type Words = Uint32Array<ArrayBuffer>;

const WORDS = PAGE_SIZE / 4;
const ZEROES = new Uint8Array(PAGE_SIZE);
/** What a version costs beside its contents, and a checkpoint beside its typed arrays and the JSON of its devices, in bytes: measured, rounded up. */
const VERSION_BYTES = 200;
const CHECKPOINT_BYTES = 8192;
/** Most checkpoints: looking through them is quick, and each makes the next thinning dearer. */
const MOST = 8192;
/** So many are worth more than the beginning. */
const FEW = 8;

export class Checkpoints {
  readonly budgetBytes: number;
  readonly #machine: Machine;
  readonly #kept: Kept[] = [];
  /** Versions of each frame in the order of their checkpoints. A frame without any holds zeroes at all of them. */
  readonly #versions = new Map<number, Version[]>();
  /** RAM is as at this checkpoint but for the frames that were written since. */
  #current: Kept;
  #bytes = 0;

  /** Takes the first checkpoint: of all of RAM. */
  constructor(machine: Machine, budgetBytes: number, inputs: number) {
    this.#machine = machine;
    this.budgetBytes = budgetBytes;
    this.#current = this.#keep(0, inputs, 0);
    const { ramBytes, u32 } = machine.state;
    for (let frame = 0; frame < ramBytes / PAGE_SIZE; frame++) {
      const at = (RAM_BASE + frame * PAGE_SIZE) / 4;
      if (!isZero(u32, at)) this.#put(frame, this.#current, u32.slice(at, at + WORDS));
    }
    machine.memory.forgetWritten();
  }

  get bytes(): number { return this.#bytes; }
  /** What of them the first one takes: a copy of all RAM that is not zero. */
  get firstBytes(): number { return this.#kept[0]!.frameBytes; }
  get count(): number { return this.#kept.length; }
  get first(): Checkpoint { return this.#kept[0]!; }
  get last(): Checkpoint { return this.#kept.at(-1)!; }

  /** The last checkpoint that is not behind the moment; undefined if all are. */
  before(moment: Moment): Checkpoint | undefined { return this.#kept[this.#indexBefore(moment)]; }
  #indexBefore(moment: Moment): number {
    let low = 0, high = this.#kept.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareMoments(this.#kept[middle]!.at, moment) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Takes a checkpoint of now. Nothing that the guest can notice changes. `isLive`: the machine is at the end of its history, and may lose the beginning for it. */
  take(inputs: number, cost: number, isLive: boolean): void {
    const machine = this.#machine, { u32 } = machine.state;
    const before = this.#indexBefore(momentOf(machine));
    const previous = this.#kept[before]!;
    if (compareMoments(previous.at, momentOf(machine)) === 0) return;
    const changed = this.#changedSince(previous);
    const taken = this.#keep(before + 1, inputs, cost);
    const next = this.#kept[before + 2];
    for (const frame of changed) {
      const at = (RAM_BASE + frame * PAGE_SIZE) / 4;
      const held = this.#wordsAt(frame, previous);
      if (isSame(u32, at, held)) continue;
      // The next one had what the previous one had: it goes on having it.
      if (next !== undefined && !next.frames.has(frame)) this.#put(frame, next, held);
      this.#put(frame, taken, isZero(u32, at) ? undefined : u32.slice(at, at + WORDS));
    }
    machine.memory.forgetWritten();
    this.#current = taken;
    this.#thin(isLive);
  }

  /** Puts the machine back. */
  restore(checkpoint: Checkpoint): void {
    const machine = this.#machine, to = checkpoint as Kept;
    for (const frame of this.#changedSince(to)) {
      const words = this.#wordsAt(frame, to);
      machine.memory.replaceFrame(frame, words === undefined ? ZEROES : new Uint8Array(words.buffer));
    }
    replaceState(machine, to.state);
    machine.memory.forgetWritten();
    this.#current = to;
  }

  /** Drops the checkpoints behind a moment, which the machine is not. */
  forgetBehind(moment: Moment): void {
    const last = this.#indexBefore(moment);
    if (this.#current.index > last) throw new RangeError('the machine is behind the moment');
    while (this.#kept.length - 1 > last) this.#drop(this.#kept.length - 1);
  }

  /** Frames in which RAM may differ from what it was at a checkpoint. */
  #changedSince(kept: Kept): Set<number> {
    const changed = new Set(this.#machine.memory.writtenFrames());
    const first = Math.min(kept.index, this.#current.index) + 1, last = Math.max(kept.index, this.#current.index);
    for (let n = first; n <= last; n++) for (const frame of this.#kept[n]!.frames) changed.add(frame);
    return changed;
  }

  #wordsAt(frame: number, { index }: Kept): Words | undefined {
    const versions = this.#versions.get(frame);
    if (versions === undefined) return undefined;
    for (let n = versions.length - 1; n >= 0; n--) if (versions[n]!.kept.index <= index) return versions[n]!.words;
    return undefined;
  }

  #keep(index: number, inputs: number, cost: number): Kept {
    const state = captureState(this.#machine);
    const stateBytes = CHECKPOINT_BYTES + state.fields.byteLength + state.tlb.byteLength + 2 * JSON.stringify(state.devices).length;
    const kept: Kept = { at: momentOf(this.#machine), inputs, cost, state, stateBytes, index, frames: new Set(), frameBytes: 0 };
    this.#kept.splice(index, 0, kept);
    this.#renumber(index);
    this.#bytes += stateBytes;
    return kept;
  }
  #renumber(from: number): void { for (let n = from; n < this.#kept.length; n++) this.#kept[n]!.index = n; }

  #put(frame: number, kept: Kept, words: Words | undefined): void {
    const version: Version = { kept, words };
    const versions = this.#versions.get(frame);
    if (versions === undefined) this.#versions.set(frame, [version]);
    else {
      let at = versions.length;
      while (at > 0 && versions[at - 1]!.kept.index > kept.index) at--;
      versions.splice(at, 0, version);
    }
    kept.frames.add(frame);
    kept.frameBytes += versionBytes(version);
    this.#bytes += versionBytes(version);
  }

  /** Takes a checkpoint out. What it has of frames becomes the next one's, which had the same, where that has none of its own. */
  #drop(index: number): void {
    const [gone] = this.#kept.splice(index, 1) as [Kept];
    const next = this.#kept[index];
    for (const frame of gone.frames) {
      const versions = this.#versions.get(frame)!;
      const at = versions.findIndex(({ kept }) => kept === gone);
      const version = versions[at]!;
      if (next !== undefined && !next.frames.has(frame)) {
        versions[at] = { kept: next, words: version.words };
        next.frames.add(frame);
        next.frameBytes += versionBytes(version);
        continue;
      }
      versions.splice(at, 1);
      if (versions.length === 0) this.#versions.delete(frame);
      this.#bytes -= versionBytes(version);
    }
    this.#bytes -= gone.stateBytes;
    this.#renumber(index);
  }

  /** Drops checkpoints until the rest keeps to the budget: each time the one whose absence leaves the shortest way to execute again, by how far back it is. */
  #thin(isLive: boolean): void {
    while (this.#bytes - this.firstBytes > this.budgetBytes || this.#kept.length > MOST) {
      const victim = isLive && this.#kept.length <= FEW ? 0 : this.#leastMissed();
      // Who looks around in the past loses none of it: one more than the budget holds may be there for a while.
      if (this.#kept.length === 1 || (victim === 0 && !isLive)) return;
      this.#drop(victim);
    }
  }

  #leastMissed(): number {
    const end = this.#kept.at(-1)!.cost;
    let victim = 0, least = Infinity;
    for (let n = 1; n < this.#kept.length; n++) {
      const kept = this.#kept[n]!;
      if (kept === this.#current) continue;
      const gap = (this.#kept[n + 1]?.cost ?? end) - this.#kept[n - 1]!.cost;
      const weight = gap / (end - kept.cost + 1);
      if (weight < least) {
        least = weight;
        victim = n;
      }
    }
    return victim;
  }
}

const versionBytes = ({ words }: Version): number => VERSION_BYTES + (words?.byteLength ?? 0);
function isZero(u32: Uint32Array, at: number): boolean {
  for (let n = 0; n < WORDS; n++) if (u32[at + n] !== 0) return false;
  return true;
}
function isSame(u32: Uint32Array, at: number, held: Words | undefined): boolean {
  if (held === undefined) return isZero(u32, at);
  for (let n = 0; n < WORDS; n++) if (u32[at + n] !== held[n]) return false;
  return true;
}

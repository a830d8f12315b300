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
import { FrameVersions, MOST_VERSION_BYTES, type Layer } from './frame-versions.ts';
import { isZero } from './page-store.ts';

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
  /** Frames that differ from the checkpoint before. Its number is the place in the list. */
  layer: Layer;
}

const ZEROES = new Uint8Array(PAGE_SIZE);
/** What a checkpoint costs beside its typed arrays and the JSON of its devices, in bytes: measured, rounded up. */
const CHECKPOINT_BYTES = 8192;
/** Most checkpoints: looking through them is quick, and each makes the next thinning dearer. */
const MOST = 8192;
/** So many are worth more than the beginning. */
const FEW = 8;
/** Frames that a checkpoint should copy at most: some ten milliseconds. */
const MOST_FRAMES = 8192;

export class Checkpoints {
  readonly budgetBytes: number;
  /** Once so many frames have been written a checkpoint is due: copying them takes no longer, and half the budget. */
  readonly mostFrames: number;
  readonly #machine: Machine;
  readonly #kept: Kept[] = [];
  readonly #versions = new FrameVersions();
  /** RAM is as at this checkpoint but for the frames that were written since. */
  #current: Kept;
  /** What the checkpoints take beside their frames. */
  #stateBytes = 0;

  /** Takes the first checkpoint: of all of RAM. */
  constructor(machine: Machine, budgetBytes: number, inputs: number) {
    this.#machine = machine;
    this.budgetBytes = budgetBytes;
    this.mostFrames = Math.max(1, Math.min(MOST_FRAMES, Math.floor(budgetBytes / 2 / MOST_VERSION_BYTES)));
    this.#current = this.#keep(this.#capture(inputs, 0), 0);
    const { ramBytes, u32 } = machine.state;
    for (let frame = 0; frame < ramBytes / PAGE_SIZE; frame++) if (!isZero(u32, wordOf(frame))) this.#versions.put(frame, this.#current.layer, u32, wordOf(frame));
    machine.memory.forgetWritten();
  }

  get bytes(): number { return this.#stateBytes + this.#versions.bytes; }
  /** What of them the first one takes: a copy of all RAM that is not zero. */
  get firstBytes(): number { return this.#kept[0]!.layer.bytes; }
  /** What is reserved of the host's memory for frames: the most that they have taken. */
  get reservedBytes(): number { return this.#versions.reservedBytes; }
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

  /**
   * Takes a checkpoint of now. Nothing that the guest can notice changes. `isLive`: the machine is at the end of its history, and may lose the beginning for it.
   * In the past none is taken that there is no room for.
   */
  take(inputs: number, cost: number, isLive: boolean): void {
    const { memory, state: { u32 } } = this.#machine, now = momentOf(this.#machine), versions = this.#versions;
    const previous = this.#kept[this.#indexBefore(now)]!;
    if (compareMoments(previous.at, now) === 0) return;
    const changed = [...this.#changedSince(previous)].filter((frame) => !versions.isUnchanged(frame, previous.layer, u32, wordOf(frame)));
    const captured = this.#capture(inputs, cost);
    const copies = previous.layer.index + 1 < this.#kept.length ? 2 : 1;
    const isRoom = this.#makeRoom(captured.stateBytes + copies * changed.length * MOST_VERSION_BYTES, previous, isLive);
    if (!isRoom && !isLive) return;
    const taken = this.#keep(captured, previous.layer.index + 1);
    const next = this.#kept[taken.layer.index + 1];
    for (const frame of changed) {
      // The next one had what the previous one had: it goes on having it.
      if (next !== undefined && !next.layer.frames.has(frame)) versions.copy(frame, previous.layer, next.layer);
      if (!isRoom && previous.layer.frames.has(frame)) versions.forget(frame, previous.layer);
      versions.put(frame, taken.layer, u32, wordOf(frame));
    }
    // More has changed than the budget holds: the past begins now.
    if (!isRoom) this.#drop(0);
    memory.forgetWritten();
    this.#current = taken;
  }

  /** Puts the machine back. */
  restore(checkpoint: Checkpoint): void {
    const machine = this.#machine, to = checkpoint as Kept;
    for (const frame of this.#changedSince(to)) {
      const words = this.#versions.at(frame, to.layer);
      machine.memory.replaceFrame(frame, words === undefined ? ZEROES : new Uint8Array(words.buffer, words.byteOffset, PAGE_SIZE));
    }
    replaceState(machine, to.state);
    machine.memory.forgetWritten();
    this.#current = to;
  }

  /** Drops the checkpoints behind a moment, which the machine is not. */
  forgetBehind(moment: Moment): void {
    const last = this.#indexBefore(moment);
    if (this.#current.layer.index > last) throw new RangeError('the machine is behind the moment');
    while (this.#kept.length - 1 > last) this.#drop(this.#kept.length - 1);
  }

  /** Frames in which RAM may differ from what it was at a checkpoint. */
  #changedSince(kept: Kept): Set<number> {
    const changed = new Set(this.#machine.memory.writtenFrames());
    const [first, last] = [kept.layer.index, this.#current.layer.index].sort((a, b) => a - b) as [number, number];
    for (let n = first + 1; n <= last; n++) for (const frame of this.#kept[n]!.layer.frames) changed.add(frame);
    return changed;
  }

  /** The machine now, without RAM. */
  #capture(inputs: number, cost: number): Omit<Kept, 'layer'> {
    const state = captureState(this.#machine);
    const stateBytes = CHECKPOINT_BYTES + state.fields.byteLength + state.tlb.byteLength + 2 * JSON.stringify(state.devices).length;
    return { at: momentOf(this.#machine), inputs, cost, state, stateBytes };
  }

  #keep(captured: Omit<Kept, 'layer'>, index: number): Kept {
    const kept: Kept = { ...captured, layer: { index, frames: new Set(), bytes: 0 } };
    this.#kept.splice(index, 0, kept);
    this.#renumber(index);
    this.#stateBytes += kept.stateBytes;
    return kept;
  }
  #renumber(from: number): void { for (let n = from; n < this.#kept.length; n++) this.#kept[n]!.layer.index = n; }

  /** Takes a checkpoint out. What it has of frames becomes the next one's, which had the same, where that has none of its own. */
  #drop(index: number): void {
    const [gone] = this.#kept.splice(index, 1) as [Kept];
    const next = this.#kept[index];
    if (next !== undefined) next.layer = this.#versions.merge(gone.layer, next.layer);
    else for (const frame of gone.layer.frames) this.#versions.forget(frame, gone.layer);
    this.#stateBytes -= gone.stateBytes;
    this.#renumber(index);
  }

  /** Drops checkpoints until there is room for more bytes, and for one more of them; false if there cannot be. `previous` is not dropped. */
  #makeRoom(bytes: number, previous: Kept, isLive: boolean): boolean {
    while (this.bytes - this.firstBytes + bytes > this.budgetBytes || this.#kept.length >= MOST) {
      const victim = isLive && this.#kept.length < FEW ? undefined : this.#leastMissed(previous);
      if (victim === undefined && !(isLive && previous.layer.index > 0)) return false;
      this.#drop(victim ?? 0);
    }
    return true;
  }

  /** The one whose absence leaves the shortest way to execute again, by how far back it is. The first, where RAM is now and `previous` are always missed. */
  #leastMissed(previous: Kept): number | undefined {
    const end = this.#kept.at(-1)!.cost;
    let victim: number | undefined, least = Infinity;
    for (let n = 1; n < this.#kept.length; n++) {
      const kept = this.#kept[n]!;
      if (kept === this.#current || kept === previous) continue;
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

const wordOf = (frame: number): number => (RAM_BASE + frame * PAGE_SIZE) / 4;

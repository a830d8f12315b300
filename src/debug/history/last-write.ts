/** "Who wrote this?": the last write to memory, to a register, or to the page tables of an address, before now. */
import type { Machine } from '../../machine/machine.ts';
import type { Observer } from '../../machine/observers.ts';
import { beginningOf, compareMoments, comparePositions, type Moment } from '../../machine/position.ts';
import { MACHINE_REGISTERS, type MachineRegister } from '../../machine/registers.ts';
import { linear, PAGE_SIZE } from '../../state/addresses.ts';
import { littleEndian } from '../bytes.ts';
import type { History, Watch } from './history.ts';
import { NotedWrites } from './noted-writes.ts';
import { lastRegisterWrite } from './register-writes.ts';
import { Course, lastBefore, passTo, Search, travel } from './search.ts';
import type { Seen } from './seen.ts';

export type WriteTarget =
  /** Bytes of RAM. A linear address stands for the physical ones that it has now. */
  | { readonly kind: 'memory'; readonly address: bigint; readonly bytes: number; readonly physical?: boolean }
  | { readonly kind: 'register'; readonly name: string }
  /** The entries that the walk of a linear address goes through now; A and D, which the processor sets, do not count. */
  | { readonly kind: 'page-table'; readonly address: bigint };

export interface LastWrite extends Omit<Seen, 'read'> {
  /** What the bytes there, as a number, or the register held before and after. */
  readonly before: bigint;
  readonly after: bigint;
}

/** Consecutive bytes of RAM. */
interface Range { readonly from: number; readonly bytes: number; readonly where: string }

/** A watch that stops nowhere and remembers what it saw last. */
interface Recorder extends Watch<never> { last(): Seen | undefined }

/** Most bytes that are asked about at once. */
const MOST_BYTES = 4096;

/**
 * The last write before now; undefined if there was none since the history began. The machine is where it was afterwards. Throws RangeError for what is no
 * RAM or no register. All are found at the speed of the engine.
 */
export function lastWrite(history: History, target: WriteTarget): Search<LastWrite | undefined> {
  const { machine } = history, here = history.now;
  const look = lookFor(history, target), course = new Course(history);
  const scan = function* (until: Moment): Generator<void, Seen | undefined, void> {
    const last = yield* look(until);
    // An edit of this very moment is behind us; an instruction that begins here is not.
    return last !== undefined && (last.by === 'edit' ? compareMoments(last.at, here) <= 0 : comparePositions(last.at, here) < 0) ? last : undefined;
  };
  const pieces = function* (): Generator<void, LastWrite | undefined, void> {
    const noted = yield* notedWrite(history, target, here, scan);
    const seen = noted === undefined ? yield* lastBefore(history, course, scan) : noted.seen;
    const found = seen && withValues(history, machine, seen);
    history.runTo(here);
    return found;
  };
  return new Search(pieces(), () => { history.runTo(here); }, () => course.progress);
}

/** Noted writes that are looked at: most of them are what is asked for. */
const MOST_TRIED = 16;

/**
 * The last write to a register whose writes are noted (noted-writes.ts), all but edits. Undefined: it has to be looked for, from here; an outcome without `seen`: there was none
 * since the history began.
 */
function* notedWrite(history: History, target: WriteTarget, here: Moment, scan: (until: Moment) => Generator<void, Seen | undefined, void>): Generator<void, { readonly seen: Seen | undefined } | undefined, void> {
  const names = target.kind === 'register' ? NotedWrites.namesFor(MACHINE_REGISTERS.get(target.name.toLowerCase())!) : undefined;
  if (names === undefined || history.log.events.some(({ input }) => input.kind === 'register' && names.includes(input.name))) return undefined;
  const before = history.records.writes.before(names, here);
  for (let tried = 0; tried < MOST_TRIED; tried++) {
    const next = before.next();
    if (next.done === true) return next.value.complete ? { seen: undefined } : yield* backTo(history, here);
    const at = beginningOf(next.value);
    if (compareMoments(at, beginningOf(history.start)) < 0) return { seen: undefined };
    yield* travel(history, at);
    const behind = beginningOf({ retired: at.retired + 1, deliveries: 0 });
    const seen = yield* scan(compareMoments(behind, here) < 0 ? behind : here);
    if (seen !== undefined) return { seen };
  }
  return yield* backTo(history, here);
}

function* backTo(history: History, here: Moment): Generator<void, undefined, void> { yield* travel(history, here); }

function withValues(history: History, machine: Machine, { at, rip, by, where, read }: Seen): LastWrite {
  if (by === 'edit') return { at, rip, by, where, ...valuesOfEdit(history, at, () => read(machine)) };
  history.runTo(at);
  const before = read(machine);
  const then = history.now;
  // A wait before a delivery is no boundary of its own.
  while (comparePositions(history.now, then) === 0 && history.pass({ maxInstructions: 1 }).kind === 'instruction-limit');
  return { at: then, rip, by, where, before, after: read(machine) };
}

/** What was there before the last input of a moment that changed it, and after it: an instruction may have written it at the boundary where the input came. */
function valuesOfEdit(history: History, at: Moment, read: () => bigint): { readonly before: bigint; readonly after: bigint } {
  history.runTo(at);
  const after = read();
  let held: bigint[] = [];
  history.beforeInput = () => { if (compareMoments(history.now, at) === 0) held.push(read()); };
  try {
    // At the beginning of the history there is no boundary before, and the inputs are given anew on the way there.
    if (history.stepBack()) {
      held = [];
      history.runTo(at);
    }
  } finally {
    history.beforeInput = undefined;
  }
  while (held.length > 1 && held.at(-1) === after) held.pop();
  return { before: held.at(-1) ?? after, after };
}

/** Looks for the last write on the way from where the machine is to a moment. */
type Look = (until: Moment) => Generator<void, Seen | undefined, void>;

function lookFor(history: History, target: WriteTarget): Look {
  const { machine } = history;
  const by = (recorder: Recorder): Look => function* (until) {
    yield* passTo(history, until, recorder);
    return recorder.last();
  };
  switch (target.kind) {
    case 'memory': return by(memoryRecorder(history, rangesOf(machine, target.address, target.bytes, target.physical === true), true));
    case 'page-table': {
      const levels = machine.mmu.explain(linear(target.address)).levels.filter(({ entryAddress }) => entryAddress !== undefined);
      if (levels.length === 0) throw new RangeError(`nothing translates 0x${target.address.toString(16)}: paging is off`);
      const bytes = machine.mmu.explain(linear(target.address)).mode === '32-bit' ? 4 : 8;
      return by(memoryRecorder(history, levels.map(({ structure, entryAddress }) => ({ from: entryAddress!, bytes, where: `${structure} at physical 0x${entryAddress!.toString(16)}` })), false));
    }
    case 'register': {
      const register = MACHINE_REGISTERS.get(target.name.toLowerCase());
      if (register === undefined) throw new RangeError(`there is no register ${target.name}`);
      if (register.name === 'tsc') throw new RangeError('the time-stamp counter changes with time');
      return register.observed === true ? by(observedRegisterRecorder(history, register)) : (until) => lastRegisterWrite(history, register, until);
    }
  }
}

function rangesOf(machine: Machine, address: bigint, bytes: number, physical: boolean): Range[] {
  if (!(bytes >= 1 && bytes <= MOST_BYTES)) throw new RangeError(`1 to ${MOST_BYTES} bytes can be asked about`);
  const ranges: Range[] = [];
  for (let done = 0; done < bytes;) {
    const here = address + BigInt(done);
    const at = physical ? Number(here) : machine.mmu.explain(linear(here)).physicalAddress;
    const count = Math.min(bytes - done, PAGE_SIZE - Number(here & 0xfffn));
    if (at === undefined || (!physical && machine.readLinear(here, 1).length === 0)) throw new RangeError(`0x${here.toString(16)} is not mapped to RAM`);
    if (at + count > machine.state.ramBytes) throw new RangeError(`physical 0x${at.toString(16)} is not RAM`);
    ranges.push({ from: at, bytes: count, where: `physical 0x${at.toString(16)}` });
    done += count;
  }
  return ranges;
}

const stepBegin = ({ state, cpu }: Machine): Moment => beginningOf({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep });

function memoryRecorder(history: History, ranges: readonly Range[], pageWalks: boolean): Recorder {
  let last: Seen | undefined;
  return {
    arm: ({ memory, mmu, state, cpu }) => {
      last = undefined;
      const frames = new Set(ranges.flatMap(({ from, bytes }) => [Math.floor(from / PAGE_SIZE), Math.floor((from + bytes - 1) / PAGE_SIZE)]));
      memory.watchWrites(frames, (address, bytes) => {
        if (mmu.isSettingFlags && !pageWalks) return;
        const range = ranges.find(({ from, bytes: length }) => address < from + length && from < address + bytes);
        if (range === undefined) return;
        const by = history.isGiving ? 'edit' : mmu.isSettingFlags ? 'page walk' : cpu.deliveriesInStep > 0 ? 'delivery' : 'instruction';
        const read = (machine: Machine): bigint => littleEndian(machine.readPhysical(range.from, range.bytes));
        last = { at: by === 'edit' ? history.now : stepBegin(history.machine), rip: state.rip, by, where: range.where, read };
      });
    },
    disarm: ({ memory }) => { memory.unwatchWrites(); },
    hit: () => undefined,
    last: () => last,
  };
}

/** A register whose changes are told. */
function observedRegisterRecorder(history: History, register: MachineRegister): Recorder {
  const { machine } = history;
  let last: Seen | undefined, value = 0n;
  const note = (written: boolean): void => {
    const now = register.read(machine);
    if (!written && now === value) return;
    value = now;
    const by = history.isGiving ? 'edit' : machine.cpu.deliveriesInStep > 0 ? 'delivery' : 'instruction';
    last = { at: by === 'edit' ? history.now : stepBegin(machine), rip: machine.state.rip, by, where: register.name, read: register.read };
  };
  const observer: Observer = { controlRegister: (number) => { note(register.name === `cr${number}`); }, msr: () => { note(false); }, refreshed: () => { note(false); }, exception: () => { note(false); } };
  return {
    arm: () => {
      last = undefined;
      value = register.read(machine);
      machine.observers.add(observer);
    },
    disarm: () => { machine.observers.remove(observer); },
    hit: () => undefined,
    last: () => last,
  };
}

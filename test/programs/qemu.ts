/** A batch of random programs beside a real QEMU, instruction by instruction; a failure as text. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cpu } from '../../src/cpu/cpu.ts';
import { MAX_LENGTH } from '../../src/cpu/decode/reader.ts';
import { EVERY_FEATURE } from '../../src/cpu/models.ts';
import { PAGE_SIZE, physical } from '../../src/state/addresses.ts';
import { RSP } from '../../src/cpu/isa/operand.ts';
import { ACTIVITY, SEGMENT } from '../../src/state/layout.ts';
import type { Difference } from '../../src/trace/compare.ts';
import { runLockstep } from '../../src/trace/lockstep.ts';
import { isComparedFrame, type PageDifference } from '../../src/trace/memory.ts';
import { differenceReport, pageReport } from '../../src/trace/report.ts';
import { BareBoard } from '../trace/support/bare-board.ts';
import { MEMORY_BYTES, programsImage, VARIABLE, VECTORS, VECTORS_EACH } from './image.ts';
import { ARENA, ARENA_BYTES, type ProgramMode } from './modes.ts';
import type { Program } from './program.ts';
import { acceptedByQemu, areOtherNans, endsJudgement, isKnownDifference, isOnlyRf, judgedByQemu, PAGE_FAULT } from './qemu-known.ts';
import { pasteable, shrink } from './shrink.ts';

/** So often QEMU is asked for each step of shrinking a failure, at most. */
const QUESTIONS = 150;
/** A batch must end, even one with a program that runs away. */
const LIMIT = 60_000;

export interface Beside {
  readonly failure: string | undefined;
  readonly compared: number;
  /** Number of the program that ran last, or of one that did what QEMU cannot judge where only memory differs. */
  readonly last: number;
  /** The difference is one that QEMU always has. */
  readonly known: boolean;
}

const programOf = (cpu: Cpu): number => cpu.mmu.memory.read(physical(VARIABLE.program), 4);
/** The bytes at RIP where they are a program's: the arena is mapped one to one. */
function bytesInArena(cpu: Cpu): Uint8Array | undefined {
  const at = Number((cpu.in64BitMode ? 0n : cpu.segment(SEGMENT.CS).base) + cpu.state.rip);
  return at >= ARENA && at < ARENA + ARENA_BYTES ? cpu.mmu.memory.copyOut(physical(at), MAX_LENGTH) : undefined;
}

/** Whether a segment of real-address mode leads to what PC firmware owns: what is read there need not be what was written. */
const reachesFirmware = (cpu: Cpu): boolean => cpu.realMode && Object.values(SEGMENT).some((segment) => {
  const base = Number(cpu.segment(segment).base);
  return [base, base + 0xffff].some((address) => !isComparedFrame(Math.floor(address / PAGE_SIZE)));
});

/** The image has its tables one behind the other, PML4 or page directory first. A and D are what the processor itself writes there, in the first byte of an entry. */
const TABLE_PAGES = { legacy: 2, long: 4 }, ACCESSED = 0x20, ACCESSED_DIRTY = 0x60, ENTRY_ALIGNMENT = 4;
const areAlikeBut = (bits: number, a: Uint8Array, b: Uint8Array): boolean => a.every((byte, n) => ((byte ^ b[n]!) & ~(n % ENTRY_ALIGNMENT === 0 ? bits : 0)) === 0);

/** Follows our machine through a batch, for what QEMU does otherwise. */
class Watch {
  /** Why the last exception was raised. */
  reason = '';
  /** Programs that executed what QEMU cannot judge: code that changes comes by anything. */
  readonly unjudged = new Set<number>();
  /** Those of them the rest of which it does not judge. */
  readonly over = new Set<number>();
  /** The page tables, as they were when the first program began. */
  #tables: { readonly at: number; readonly bytes: Uint8Array } | undefined;
  #changer: number | undefined;
  #program = 0;
  readonly #cpu: Cpu;

  constructor({ cpu, stepper, engine }: BareBoard, programs: readonly Program[]) {
    this.#cpu = cpu;
    const deliver = cpu.deliverException.bind(cpu);
    cpu.deliverException = (exception) => {
      this.reason = 'reason' in exception ? exception.reason : PAGE_FAULT;
      deliver(exception);
    };
    const execute = stepper.execute.bind(stepper);
    stepper.execute = () => {
      this.reason = '';
      const number = programOf(cpu), code = bytesInArena(cpu), { rip } = cpu.state, mode = programs[number]?.mode;
      if (code !== undefined) this.#tables ??= this.#tablesAt(Number(cpu.state.cr3));
      // What a program leaves changed is its own doing, not that of those behind it.
      if (number !== this.#program && this.changer === undefined) this.#program = number;
      if (reachesFirmware(cpu)) this.over.add(number);
      const move = execute();
      const recent = engine.recentInstructions().at(-1);
      if (code === undefined || mode === undefined || recent?.rip !== rip) return move;
      const { instruction } = recent, bytes = [...code.subarray(0, instruction.length)], over = endsJudgement(instruction, bytes, mode, this.reason !== '');
      if (over) this.over.add(number);
      if (over || !judgedByQemu(instruction.row, mode) || !acceptedByQemu(instruction, bytes)) this.unjudged.add(number);
      return move;
    };
  }

  /**
   * Whether ring 0 has written over the page tables. From then on two processors with other TLBs differ, as they may: SDM Vol. 3A, "Invalidation of TLBs and
   * Paging-Structure Caches".
   */
  get #tablesChanged(): boolean {
    return this.#tables !== undefined && !areAlikeBut(ACCESSED_DIRTY, this.#tables.bytes, this.#tablesAt(this.#tables.at).bytes);
  }
  /** The program, of all that have run, that has written over the page tables. */
  get changer(): number | undefined {
    if (this.#changer === undefined && this.#tablesChanged) this.#changer = this.#program;
    return this.#changer;
  }
  /** Whether all that differs in a page is A in entries of the tables: SDM Vol. 3A, "Accessed and Dirty Flags", and QEMU reads what VMASKMOV does not ask for. */
  differInAccessed(frame: number, recorded: Uint8Array, ours: Uint8Array): boolean {
    const at = this.#tables?.at ?? Infinity;
    return frame * PAGE_SIZE >= at && frame * PAGE_SIZE < at + this.#tables!.bytes.length && areAlikeBut(ACCESSED, recorded, ours);
  }
  #tablesAt(at: number): { readonly at: number; readonly bytes: Uint8Array } {
    return { at, bytes: this.#cpu.mmu.memory.copyOut(physical(at), PAGE_SIZE * (this.#cpu.longModeActive ? TABLE_PAGES.long : TABLE_PAGES.legacy)) };
  }
}

function isKnown(difference: Difference, { stepper }: BareBoard, mode: ProgramMode | undefined, reason: string): boolean {
  const place = difference.history.at(-1);
  if (place === undefined) return false;
  return isKnownDifference({ difference, text: stepper.disassemble(place), row: stepper.executedAt(place)?.row, mode, reason });
}

/** The program whose vector registers differ at its end. */
function programOfVectors(pages: readonly PageDifference[] | undefined): number | undefined {
  const page = pages?.find(({ frame }) => frame * PAGE_SIZE === VECTORS);
  return page?.first && Math.floor(page.first.offset / VECTORS_EACH);
}

const pageOf = (ram: Uint8Array, frame: number): Uint8Array => ram.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);

/** Runs the programs on both. */
export async function besideQemu(programs: readonly Program[]): Promise<Beside> {
  const folder = mkdtempSync(join(tmpdir(), 'longmode-programs-'));
  try {
    const image = programsImage(programs, { dirty: true }), file = join(folder, 'programs.elf');
    writeFileSync(file, image);
    const board = new BareBoard(image, MEMORY_BYTES), watch = new Watch(board, programs);
    const { lockstep, pages, recording } = await runLockstep({ image: file, entry: board.entry, memoryBytes: MEMORY_BYTES, cpu: EVERY_FEATURE, timeoutSeconds: 100 }, board.stepper, { maxInstructions: LIMIT });
    const { difference, compared } = lockstep, last = programOf(board.cpu), [unjudged] = watch.unjudged;
    if (difference !== undefined) {
      const failure = differenceReport(difference, (place) => board.stepper.disassemble(place));
      if (isKnown(difference, board, programs[last]?.mode, watch.reason)) return { failure, compared, last, known: true };
      if (watch.changer !== undefined) return { failure, compared, last: watch.changer, known: true };
      return difference.pages.length > 0 ? { failure, compared, last: unjudged ?? last, known: unjudged !== undefined } : { failure, compared, last, known: watch.over.has(last) };
    }
    const failure = pages && pages.length > 0 ? pageReport(pages) : undefined;
    const nans = pages?.every(({ frame }) => areOtherNans(pageOf(recording.ram!, frame), pageOf(board.stepper.ram, frame)));
    const { gpr, activity } = board.cpu.state, frame = Number((board.cpu.segment(SEGMENT.SS).base + ((gpr[RSP]! - 4n) & 0xffffn)) & 0xffff_ffffn);
    const rf = activity === ACTIVITY.shutdown && pages?.every((page) => isOnlyRf(pageOf(recording.ram!, page.frame), pageOf(board.stepper.ram, page.frame), frame - page.frame * PAGE_SIZE));
    const accessed = pages?.every(({ frame: n }) => watch.differInAccessed(n, pageOf(recording.ram!, n), pageOf(board.stepper.ram, n)));
    return { failure, compared, last: unjudged ?? programOfVectors(pages) ?? last, known: failure !== undefined && (unjudged !== undefined || nans === true || rf === true || accessed === true) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What went wrong, without where: a program shrinks only as long as that stays. */
const kindOf = (failure: string | undefined): string | undefined => failure?.split('\n', 1)[0]?.replace(/\b(0x[0-9a-f]+|\d+) (equal|page)/g, '$2');

/** QEMU 7.2 may not get along with code that changes, and says so as it ends: it cannot judge that program. */
const QEMU_ENDS = 'tcg fatal error';
function whereQemuEnds(error: unknown): Beside {
  if (error instanceof Error && error.message.includes(QEMU_ENDS)) return { failure: QEMU_ENDS, compared: 0, last: 0, known: true };
  throw error;
}

/** Throws an error with a test to paste if QEMU does not agree. Returns the number of instructions that were compared. */
export async function expectAgreementWithQemu(programs: readonly Program[], seed: number): Promise<number> {
  const { failure, compared, last, known } = await besideQemu(programs).catch(whereQemuEnds);
  if (failure === QEMU_ENDS) return programs.length === 1 ? 0 : (await Promise.all(programs.map((program) => expectAgreementWithQemu([program], seed)))).reduce((sum, n) => sum + n);
  if (failure === undefined) return compared;
  // Those before it and behind it are judged without it.
  if (known) return compared + (programs.length > 1 ? await expectAgreementWithQemu(programs.filter((_, n) => n !== last), seed) : 0);
  const small = await shrink(programs, async (fewer) => {
    if (fewer.length === 0) return false;
    const again = await besideQemu(fewer);
    return !again.known && kindOf(again.failure) === kindOf(failure);
  }, QUESTIONS);
  throw new Error(`${failure}\nSEED=${seed}; shrunk:\n${small.map(pasteable).join('\n')}\n${(await besideQemu(small)).failure}`);
}

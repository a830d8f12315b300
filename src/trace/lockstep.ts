/** A run on QEMU and on our machine at the same time, or a recorded run against our machine; memory is compared at checkpoints and at the end. */
import { PAGE_SIZE } from '../state/addresses.ts';
import { Lockstep, type CompareOptions } from './compare.ts';
import { comparePages, isComparedFrame, isZeroPage, locateDifferences, type PageDifference, type PageHashes } from './memory.ts';
import { qemuVersion, recordQemu, type RecordOptions, type Recording } from './qemu-recorder.ts';
import { replayTrace, type Trace } from './format.ts';
import type { Move, Stepper } from './stepper.ts';

export interface LockstepResult {
  readonly lockstep: Lockstep;
  /** Pages in which memory differs at the end, or at the limit; undefined when it was not compared there (a difference before it, a replay's limit, a time limit). */
  readonly pages: readonly PageDifference[] | undefined;
  /** What our machine did with the instruction that ended the recording. */
  readonly last: Move | undefined;
}
export interface LiveResult extends LockstepResult { readonly recording: Recording }

/** Video memory: not RAM in either machine. */
const VIDEO_FIRST = 0xa0, VIDEO_LAST = 0xbf;

/** The pages of `theirs` that are not what `ours` has. */
function differingPages(theirs: Uint8Array, ours: Uint8Array): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>();
  for (let frame = 0; frame < Math.min(theirs.length, ours.length) / PAGE_SIZE; frame++) {
    if (frame >= VIDEO_FIRST && frame <= VIDEO_LAST) continue;
    const page = theirs.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    const own = ours.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    if (isZeroPage(page) ? !isZeroPage(own) : Buffer.compare(page, own) !== 0) pages.set(frame, page.slice());
  }
  return pages;
}

/**
 * Runs an image on QEMU and compares as it runs. `stepper` must have the image loaded; it takes over the memory and
 * registers that QEMU's firmware has prepared. Throws what recordQemu throws.
 */
export async function runLockstep(options: RecordOptions, stepper: Stepper, compare: Omit<CompareOptions, 'initialPages'> = {}): Promise<LiveResult> {
  const initialPages = new Map<number, Uint8Array>();
  const lockstep = new Lockstep(stepper, { qemuVersion: await qemuVersion(options.qemu), memoryAtLimit: true, ...compare, initialPages });
  const recording = await recordQemu({
    ...options,
    atEntry: (ram) => {
      for (const [frame, page] of differingPages(ram, stepper.ram)) initialPages.set(frame, page);
      options.atEntry?.(ram);
    },
  }, lockstep);
  const result = finish(lockstep, recording.changedPages);
  return { recording, ...result, pages: result.pages && recording.ram ? locateDifferences(result.pages, recording.ram, stepper.ram) : result.pages };
}

/** Compares a recorded run with our machine. Throws TraceFormatError for a damaged trace. */
export function replayLockstep(trace: Trace, stepper: Stepper, compare: Omit<CompareOptions, 'initialPages'> = {}): LockstepResult {
  const lockstep = new Lockstep(stepper, { qemuVersion: trace.header.qemuVersion, ...compare, initialPages: trace.initialPages });
  replayTrace(trace, lockstep);
  return finish(lockstep, trace.changedPages);
}

function finish(lockstep: Lockstep, recorded: PageHashes | undefined): LockstepResult {
  if (lockstep.finished) return { lockstep, pages: lockstep.comparedAtLimit ? [] : undefined, last: undefined };
  const last = lockstep.last();
  const pages = recorded && comparePages(recorded, lockstep.changedPages(), lockstep.startPages);
  return { lockstep, last, pages };
}

/**
 * Pages of memory that a trace needs to start from besides the image: what the firmware and the boot loader left. With
 * `loaded`, RAM as our own loader fills it, all that differs from it; else what lies below the video memory.
 */
export function bootPages(ram: Uint8Array, loaded?: Uint8Array): Map<number, Uint8Array> {
  if (loaded) return differingPages(ram, loaded);
  const pages = new Map<number, Uint8Array>();
  for (let frame = 0; frame < VIDEO_FIRST; frame++) {
    const page = ram.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    if (isComparedFrame(frame) && !isZeroPage(page)) pages.set(frame, page.slice());
  }
  return pages;
}

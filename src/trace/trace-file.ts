/** Trace files on disk: recorded from QEMU, compressed (Brotli), read back. */
import { createHash } from 'node:crypto';
import { createWriteStream, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { finished } from 'node:stream/promises';
import { brotliDecompressSync, constants, createBrotliCompress } from 'node:zlib';
import { DEFAULT_MODEL } from '../cpu/models.ts';
import { readTrace, TraceFormatError, TraceWriter, TRACE_VERSION, type Trace, type TraceHeader } from './format.ts';
import { bootPages } from './lockstep.ts';
import { qemuCpu } from './qemu-cpu.ts';
import { DEFAULT_QEMU, qemuCommandLine, qemuVersion, recordQemu, type RecordOptions, type Recording } from './qemu-recorder.ts';

/** More than this a trace may not be when unpacked, in bytes. */
const MAX_TRACE_BYTES = 2 ** 31 - 1;
const MAX_FILE_BYTES = 2 ** 29;

export interface TraceOptions extends RecordOptions {
  /** Stop after this many instructions; the trace then has no memory to compare at its end, only at its checkpoints. */
  readonly maxInstructions?: number;
  /** Instructions from one checkpoint of memory to the next (default CHECKPOINT_INSTRUCTIONS). */
  readonly checkpointEvery?: number;
  /** Puts the image into the trace, so that it can be compared without it. */
  readonly includeImage?: boolean;
  /** RAM as our own loader fills it from the image: pages that QEMU's loader left the same need no place in the trace. */
  readonly loadedRam?: Uint8Array;
}

/** What was written. */
export interface RecordedTrace { readonly recording: Recording; readonly instructions: number; readonly interrupts: number; readonly fileBytes: number }

/**
 * Records a run of `options.image` into `path`. The file appears under its name when it is complete.
 * Throws what recordQemu throws, and Node's errors of the file system.
 */
export async function recordTrace(options: TraceOptions, path: string): Promise<RecordedTrace> {
  const image = readFileSync(options.image);
  const header: TraceHeader = {
    version: TRACE_VERSION,
    qemuVersion: await qemuVersion(options.qemu ?? DEFAULT_QEMU),
    commandLine: qemuCommandLine(options), cpu: qemuCpu(options.cpu ?? DEFAULT_MODEL),
    imageHash: createHash('sha256').update(image).digest('hex'),
    entry: options.entry, memoryBytes: options.memoryBytes, kernelCommandLine: options.cmdline ?? '',
  };
  const temporary = `${path}.${process.pid}.tmp`;
  const compressor = createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 22 } });
  const file = createWriteStream(temporary);
  const written = finished(compressor.pipe(file));
  // A failure shows up at `await written`; until then it must not be an unhandled one.
  written.catch(() => undefined);
  try {
    const writer = new TraceWriter(header, (bytes) => compressor.write(bytes), { maxInstructions: options.maxInstructions, checkpointEvery: options.checkpointEvery });
    const recording = await recordQemu({
      ...options,
      atEntry: (ram) => {
        if (options.includeImage) writer.image(image);
        for (const [frame, page] of bootPages(ram, options.loadedRam)) writer.initialPage(frame, page);
        options.atEntry?.(ram);
      },
    }, writer);
    if (recording.changedPages) writer.changedPages(recording.changedPages);
    writer.close({ end: recording.end, status: recording.status ?? null, tripleFault: recording.tripleFault });
    compressor.end();
    await written;
    renameSync(temporary, path);
    return { recording, instructions: writer.instructions, interrupts: writer.interrupts, fileBytes: statSync(path).size };
  } catch (cause) {
    compressor.destroy();
    file.destroy();
    rmSync(temporary, { force: true });
    throw cause;
  }
}

/** Reads a trace file. Throws TraceFormatError, which names the file and the field, for anything that is not a sound trace. */
export function readTraceFile(path: string): Trace {
  let packed: Uint8Array;
  try {
    const { size } = statSync(path);
    if (size > MAX_FILE_BYTES) throw new TraceFormatError(`${path}: ${size} bytes are more than a trace may have`);
    packed = readFileSync(path);
  } catch (cause) {
    if (cause instanceof TraceFormatError) throw cause;
    throw new TraceFormatError(`${path}: cannot be read: ${(cause as Error).message}`);
  }
  let bytes: Uint8Array;
  try {
    bytes = brotliDecompressSync(packed, { maxOutputLength: MAX_TRACE_BYTES });
  } catch {
    throw new TraceFormatError(`${path}: not a trace, or damaged: it cannot be unpacked`);
  }
  return readTrace(bytes, path);
}

/** Whether an image file is the one that was recorded. */
export const isRecordedImage = (trace: Trace, image: Uint8Array): boolean => createHash('sha256').update(image).digest('hex') === trace.header.imageHash;

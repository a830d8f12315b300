/**
 * The whole machine in a file: what machine-state.ts captures, and the frames of RAM that are not all zeroes. A machine that goes on from it
 * goes on exactly as the one that was saved, on any engine.
 * Content: u32 length of the JSON, the JSON, the fields, the TLB's words, the frame numbers (u32), the frames.
 */
import { CpuModelError, DEFAULT_MODEL_NAME, parseCpuModel } from '../cpu/models.ts';
import { copyState, range, record, SnapshotError, time, u32, type StateOf } from '../devices/snapshot.ts';
import { PAGE_SIZE } from '../state/addresses.ts';
import { FIELDS, FIELDS_END, MAX_RAM_BYTES, RAM_BASE } from '../state/layout.ts';
import { FileFormatError, pack, unpack, type FileKind } from './container.ts';
import { crc32 } from './crc32.ts';
import { captureState, replaceState, type MachineState } from './machine-state.ts';
import type { Machine, MachineOptions } from './machine.ts';

const KIND: FileKind = { magic: 'LMSNAPSH', version: 1, what: 'snapshot', maxBytes: MAX_RAM_BYTES + 2 ** 26 };
/** Names, kinds and order of the fields: a longmode with others cannot read them. */
const LAYOUT = crc32(new TextEncoder().encode(JSON.stringify(FIELDS)));
const MAX_JSON_BYTES = 2 ** 24;
const TLB_WORDS = 2 ** 16;

const HEADER = record({ layout: u32, memoryBytes: range(PAGE_SIZE, MAX_RAM_BYTES), debugExitPort: range(-1, 0xffff), instructions: time, tlbWords: range(0, TLB_WORDS), frames: u32 });

/** A snapshot that has been read and judged as a file, but not yet put into a machine. */
export interface Snapshot {
  /** What a machine must be made with to take it. */
  readonly options: Pick<MachineOptions, 'memoryBytes' | 'debugExitPort' | 'cpu'>;
  /** Instructions that had retired. */
  readonly instructions: number;
  /** Replaces the state of a machine that was made with `options`. Throws FileFormatError, with nothing changed, if it does not fit. */
  restore(machine: Machine): void;
}

/** The machine, which is not running, as a file. Throws FileFormatError for a machine with a firmware ROM. */
export async function saveSnapshot(machine: Machine): Promise<Uint8Array<ArrayBuffer>> {
  if (machine.hasFirmware) throw new FileFormatError('cannot be made of a machine with firmware: it would not hold the ROM');
  const { fields, tlb, devices, besides } = captureState(machine);
  const { u8, u64, ramBytes, retired } = machine.state;
  const frames: number[] = [];
  for (let frame = 0; frame < ramBytes / PAGE_SIZE; frame++) {
    const from = (RAM_BASE + frame * PAGE_SIZE) / 8;
    if (u64.subarray(from, from + PAGE_SIZE / 8).some((word) => word !== 0n)) frames.push(frame);
  }
  const header: StateOf<typeof HEADER> = {
    layout: LAYOUT, memoryBytes: ramBytes, debugExitPort: machine.options.debugExitPort ?? -1, instructions: retired, tlbWords: tlb.length, frames: frames.length,
  };
  const json = new TextEncoder().encode(JSON.stringify({ header, cpu: machine.options.cpu ?? DEFAULT_MODEL_NAME, features: [...machine.cpu.model.features], devices, besides }));
  const content = new Uint8Array(4 + json.length + FIELDS_END + 4 * tlb.length + frames.length * (4 + PAGE_SIZE));
  const view = new DataView(content.buffer);
  view.setUint32(0, json.length, true);
  content.set(json, 4);
  let at = 4 + json.length;
  content.set(fields, at);
  at += FIELDS_END;
  for (const word of [...tlb, ...frames]) {
    view.setUint32(at, word, true);
    at += 4;
  }
  for (const frame of frames) {
    content.set(u8.subarray(RAM_BASE + frame * PAGE_SIZE, RAM_BASE + (frame + 1) * PAGE_SIZE), at);
    at += PAGE_SIZE;
  }
  return pack(KIND, content);
}

/** Reads a snapshot. Throws FileFormatError. */
export async function openSnapshot(file: Uint8Array<ArrayBuffer>): Promise<Snapshot> {
  const content = await unpack(KIND, file);
  const view = new DataView(content.buffer, content.byteOffset, content.length);
  const jsonLength = content.length < 4 ? Infinity : view.getUint32(0, true);
  if (jsonLength > Math.min(MAX_JSON_BYTES, content.length - 4)) throw new FileFormatError('is damaged: its header does not fit');
  const { header, cpu, devices, besides } = parseHeader(content.subarray(4, 4 + jsonLength));
  if (header.layout !== LAYOUT) throw new FileFormatError('was saved by a longmode whose processor has other registers: use that one');
  const tlbAt = 4 + jsonLength + FIELDS_END, framesAt = tlbAt + 4 * header.tlbWords, pagesAt = framesAt + 4 * header.frames;
  if (header.memoryBytes % PAGE_SIZE !== 0 || content.length !== pagesAt + PAGE_SIZE * header.frames) throw new FileFormatError('is damaged: its parts do not add up');
  const words = (from: number, count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, n) => view.getUint32(from + 4 * n, true));
  const frames = words(framesAt, header.frames);
  if (frames.some((frame, n) => frame >= header.memoryBytes / PAGE_SIZE || (n > 0 && frame <= frames[n - 1]!))) throw new FileFormatError('is damaged: its frames are not in order');
  const state: MachineState = {
    fields: content.slice(4 + jsonLength, tlbAt), tlb: words(tlbAt, header.tlbWords), devices, besides: besides as MachineState['besides'], faultChain: [],
  };
  return {
    options: { memoryBytes: header.memoryBytes, cpu, ...(header.debugExitPort < 0 ? {} : { debugExitPort: header.debugExitPort }) },
    instructions: header.instructions,
    restore(machine) {
      if (machine.state.ramBytes !== header.memoryBytes) throw new FileFormatError(`is of a machine with ${header.memoryBytes} bytes of RAM; this one has ${machine.state.ramBytes}`);
      try {
        replaceState(machine, state);
      } catch (error) {
        if (error instanceof SnapshotError) throw new FileFormatError(`does not fit: ${error.message}`);
        throw error;
      }
      let at = pagesAt, next = 0;
      const zeroes = new Uint8Array(PAGE_SIZE);
      for (let frame = 0; frame < header.memoryBytes / PAGE_SIZE; frame++) {
        const saved = frames[next] === frame;
        machine.memory.replaceFrame(frame, saved ? content.subarray(at, at + PAGE_SIZE) : zeroes);
        if (!saved) continue;
        next++;
        at += PAGE_SIZE;
      }
    },
  };
}

interface Header { readonly header: StateOf<typeof HEADER>; readonly cpu: string; readonly devices: unknown; readonly besides: unknown }

/** The processor: its text must still say the features that it said when the snapshot was made. */
function sameProcessor(text: unknown, features: unknown): string {
  if (typeof text !== 'string' || !Array.isArray(features)) throw new FileFormatError('is damaged: it names no processor');
  try {
    const now = parseCpuModel(text).features;
    if (now.size === features.length && features.every((feature) => now.has(feature as never))) return text;
  } catch (error) {
    if (!(error instanceof CpuModelError)) throw error;
  }
  throw new FileFormatError('was saved by a longmode whose processors have other features: use that one');
}

function parseHeader(bytes: Uint8Array): Header {
  try {
    const given = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as { header?: unknown; cpu?: unknown; features?: unknown; devices?: unknown; besides?: unknown } | null;
    return { header: copyState(HEADER, given?.header, 'header'), cpu: sameProcessor(given?.cpu, given?.features), devices: given?.devices, besides: given?.besides };
  } catch (error) {
    if (error instanceof FileFormatError) throw error;
    throw new FileFormatError(`is damaged: ${error instanceof SnapshotError ? error.message : 'its header is no JSON'}`);
  }
}

/** Trace files: what is written is read back, and nothing else is accepted. */
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../src/machine/crc32.ts';
import { readTrace, replayTrace, TraceFormatError, TraceWriter, TRACE_VERSION, type Trace, type TraceHeader } from '../../src/trace/format.ts';
import { FIELD_COUNT, TraceState, type TraceInterrupt } from '../../src/trace/state.ts';
import { interesting } from '../support/boundary.ts';
import { Random, seedOf } from '../support/random.ts';

const HEADER: TraceHeader = {
  version: TRACE_VERSION, qemuVersion: '7.2.22', commandLine: ['qemu-system-x86_64', '-m', '16M'], cpu: 'max',
  imageHash: 'ab'.repeat(32), entry: 0x100000, memoryBytes: 1 << 24, kernelCommandLine: 'a=1',
};
type Event = { readonly words: readonly bigint[]; readonly wide: boolean; readonly interrupt?: TraceInterrupt };

function write(events: readonly Event[], header = HEADER): Uint8Array {
  const pieces: Uint8Array[] = [];
  const writer = new TraceWriter(header, (bytes) => pieces.push(bytes.slice()));
  const state = new TraceState();
  for (const { words, wide, interrupt } of events) {
    state.words.set(words);
    state.wide = wide;
    if (interrupt) writer.interrupt(interrupt, state);
    else writer.instruction(state);
  }
  writer.image(Uint8Array.of(1, 2, 3));
  writer.initialPage(5, new Uint8Array(4096).fill(7));
  writer.changedPages(new Map([[9, 0x0123_4567_89ab_cdefn]]));
  writer.close({ end: 'exited', status: 85, tripleFault: false });
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function replay(trace: Trace, limit = Infinity): Event[] {
  const events: Event[] = [];
  const take = (state: TraceState, interrupt?: TraceInterrupt): void => { events.push({ words: [...state.words], wide: state.wide, ...(interrupt ? { interrupt } : {}) }); };
  replayTrace(trace, {
    get finished() { return events.length >= limit; },
    instruction: (state) => take(state),
    interrupt: (event, state) => take(state, event),
  });
  return events;
}

/** Random states, each a few words away from the last. */
function randomEvents(r: Random, count: number): Event[] {
  const words = Array.from({ length: FIELD_COUNT }, () => 0n);
  return Array.from({ length: count }, () => {
    const changes = r.chance(3) ? FIELD_COUNT : r.below(4);
    for (let n = 0; n < changes; n++) words[r.below(FIELD_COUNT)] = interesting(r);
    const wide = r.chance(80);
    if (!r.chance(10)) return { words: [...words], wide };
    return { words: [...words], wide, interrupt: { vector: r.below(256), errorCode: r.below(0x10000), software: r.chance(50), hardware: r.chance(50) } };
  });
}

describe('a trace that was written', () => {
  test('is read back event by event', () => {
    const r = new Random(seedOf('trace events'));
    const events = randomEvents(r, 3000);
    const trace = readTrace(write(events), 'x.trace');
    expect(replay(trace)).toEqual(events);
    expect(trace.header).toEqual(HEADER);
    expect(trace.end).toMatchObject({ end: 'exited', status: 85 });
    expect([...trace.image]).toEqual([1, 2, 3]);
    expect(trace.initialPages.get(5)?.every((byte) => byte === 7)).toBe(true);
    expect(trace.changedPages).toEqual(new Map([[9, 0x0123_4567_89ab_cdefn]]));
  });

  test('is read back with what memory was at its checkpoints', () => {
    const pieces: Uint8Array[] = [];
    const writer = new TraceWriter(HEADER, (bytes) => pieces.push(bytes.slice()), { checkpointEvery: 2 });
    const state = new TraceState();
    const shown: ReadonlyMap<number, bigint>[] = [new Map([[1, 11n], [2, 22n]]), new Map([[1, 11n], [2, 23n], [3, 33n]])];
    let next = 0;
    for (let n = 0; n < 5; n++) {
      if (writer.wantsMemory) writer.checkpoint({ changed: shown[next++]! });
      writer.instruction(state);
    }
    writer.close({ end: 'limit', status: null, tripleFault: false });
    const seen: (readonly [instructions: number, pages: Map<number, bigint>])[] = [];
    let instructions = 0;
    replayTrace(readTrace(Uint8Array.from(pieces.flatMap((piece) => [...piece])), 'x'), {
      finished: false,
      instruction: () => { instructions++; },
      interrupt: () => undefined,
      checkpoint: ({ changed }) => { seen.push([instructions, new Map(changed)]); },
    });
    expect(seen).toEqual([[2, shown[0]], [4, shown[1]]]);
  });

  test('can be replayed in part', () => {
    expect(replay(readTrace(write(randomEvents(new Random(1), 100)), 'x'), 10)).toHaveLength(10);
  });

  test('takes few bytes for an instruction that changes one register', () => {
    const events = Array.from({ length: 1000 }, (_, n) => ({ words: Array.from({ length: FIELD_COUNT }, (_word, i) => (i === 16 || i === 0 ? BigInt(n * 4) : 0n)), wide: true }));
    expect(write(events).length).toBeLessThan(4 * 1000 + 5000);
  });
});

describe('a hostile trace', () => {
  const good = write(randomEvents(new Random(2), 50));
  const refused = (bytes: Uint8Array): string => {
    try {
      replay(readTrace(bytes, 'bad.trace'));
    } catch (error) {
      expect(error).toBeInstanceOf(TraceFormatError);
      return (error as Error).message;
    }
    return '';
  };

  test('that is something else is refused', () => {
    expect(refused(new Uint8Array(0))).toBe('bad.trace: not a longmode trace (magic)');
    expect(refused(new TextEncoder().encode('#!/bin/sh'))).toContain('magic');
  });

  test('that is cut short anywhere is refused', () => {
    for (let length = 0; length < good.length; length += 37) expect(refused(good.subarray(0, length)), `${length} bytes`).toMatch(/^bad\.trace: /);
  });

  test('with any byte changed is refused', () => {
    for (let at = 0; at < good.length; at += 11) {
      const bad = good.slice();
      bad[at]! ^= 0x10;
      expect(refused(bad), `byte ${at}`).toMatch(/^bad\.trace: /);
    }
  });

  test('with a wrong field in its header names the field', () => {
    const wrong: readonly [Partial<Record<keyof TraceHeader, unknown>>, string][] = [
      [{ version: '3' }, 'version'], [{ memoryBytes: 2 ** 40 }, 'memoryBytes'], [{ memoryBytes: -4096 }, 'memoryBytes'], [{ imageHash: 'zz' }, 'imageHash'], [{ entry: '0' }, 'entry'], [{ commandLine: [1] }, 'commandLine'],
    ];
    for (const [change, field] of wrong) expect(refused(write([], { ...HEADER, ...change } as TraceHeader))).toContain(`field "${field}"`);
  });

  test('of another version is refused in a line with both versions, whatever else its header has', () => {
    const old = { version: TRACE_VERSION - 1, qemuVersion: '7.2.22' } as TraceHeader;
    expect(refused(write([], old))).toBe(`bad.trace: trace version ${TRACE_VERSION - 1}; only version ${TRACE_VERSION} can be read: record the trace again`);
  });

  test('with sound checksums and senseless events is refused, or replayed within bounds', () => {
    const r = new Random(seedOf('senseless events'));
    const header = write([]);
    const end = header.length;
    for (let n = 0; n < 200; n++) {
      const payload = r.bytes(r.below(64));
      const chunk = new Uint8Array(payload.length + 9);
      const view = new DataView(chunk.buffer);
      chunk[0] = 'E'.charCodeAt(0);
      view.setUint32(1, payload.length, true);
      chunk.set(payload, 5);
      view.setUint32(payload.length + 5, crc32(chunk.subarray(0, payload.length + 5)), true);
      // In front of the closing chunk, which is the last one.
      const closing = lastChunk(header);
      const bad = new Uint8Array(end + chunk.length);
      bad.set(header.subarray(0, closing));
      bad.set(chunk, closing);
      bad.set(header.subarray(closing), closing + chunk.length);
      // Whatever it throws must be a TraceFormatError that names the file.
      expect(refused(bad)).toMatch(/^(bad\.trace: .*)?$/);
    }
  });
});

/** Where the last chunk of a file starts. */
function lastChunk(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset);
  let at = 'longmode trace\n'.length;
  for (;;) {
    const next = at + view.getUint32(at + 1, true) + 9;
    if (next >= file.length) return at;
    at = next;
  }
}

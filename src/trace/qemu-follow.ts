/**
 * Follows the log of a running QEMU to the end of its run, whichever way it ends, and stops QEMU on the way for a look
 * at its memory and its local APIC.
 *
 * The processor is ahead of what has been read of its log, and QMP's `stop` stops it somewhere. Where, the log tells:
 * once QEMU has stopped, MARKER is given to the monitor, which notes it in the same log. All that stands before it has
 * happened, nothing that follows has. So memory then is memory at the next event.
 */
import type { ReadStream } from 'node:fs';
import { QemuError, type Qmp } from './qemu-control.ts';
import { MARKER, type QemuLogParser } from './qemu-log.ts';
import type { TraceSink } from './state.ts';

/** How a run ended. `exited`: QEMU ended by itself. `halted`: HLT with RFLAGS.IF clear. `limit`: the sink had enough. `timeout`: time was up. */
export type RunEnd = 'exited' | 'halted' | 'limit' | 'timeout';

export interface Following {
  readonly log: ReadStream;
  readonly parser: QemuLogParser;
  readonly sink: TraceSink;
  readonly qmp: Qmp;
  readonly alive: () => boolean;
  readonly timeoutMs: number;
  /** Shows the memory of the stopped QEMU to the sink. */
  readonly showMemory: () => void;
}

/** Milliseconds without a line of log after which QEMU is asked whether it is halted for good. */
const IDLE_MS = 400;
/** QEMU stops between two instructions, but only when the log has room for what it is about to say. */
const STOP_TIMEOUT_MS = 60_000;
const GRACE_MS = 1000;

/** Resolves when the run is over. Rejects with QemuLogError, or with QemuError when a living QEMU does not answer. */
export function follow({ log, parser, sink, qmp, alive, timeoutMs, showMemory }: Following): Promise<RunEnd> {
  return new Promise((resolve, reject) => {
    let quietSince = Date.now();
    let over = false, asking = false;
    const done = (settle: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(limit);
      clearInterval(idle);
      parser.onMarker = undefined;
      log.removeAllListeners('data');
      log.removeAllListeners('close');
      settle();
    };
    /** One conversation with the monitor at a time. That it ends with QEMU is no error: the log says so too. */
    const ask = (question: () => Promise<void>): void => {
      if (asking || over || !alive()) return;
      asking = true;
      question().then(() => { asking = false; }, (cause) => {
        asking = false;
        // The monitor's end may be seen before QEMU's.
        setTimeout(() => { if (alive()) done(() => reject(cause)); }, GRACE_MS);
      });
    };
    const limit = setTimeout(() => done(() => resolve('timeout')), timeoutMs);
    const idle = setInterval(() => {
      if (Date.now() - quietSince < IDLE_MS) return;
      ask(async () => {
        const registers = await qmp.monitor('info registers', false);
        const flags = /FL=([0-9a-f]{8})/.exec(registers);
        const halted = registers.includes('HLT=1') && flags !== null && (parseInt(flags[1] as string, 16) & 0x200) === 0;
        if (halted && Date.now() - quietSince >= IDLE_MS) done(() => { parser.end(); resolve('halted'); });
      });
    }, IDLE_MS / 2);
    const lookAtMemory = async (): Promise<void> => {
      await qmp.execute('stop', {}, STOP_TIMEOUT_MS);
      const marked = new Promise<void>((seen) => { parser.onMarker = seen; });
      await qmp.monitor(MARKER, false);
      await marked;
      if (over) return;
      const expected = parser.nextCr8, cr8 = await qmp.cr8();
      if (expected !== undefined && cr8 !== expected) throw new QemuError(`CR8 is ${cr8} in QEMU, but ${expected} by its log`);
      showMemory();
      await qmp.execute('cont');
    };
    log.on('data', (chunk) => {
      quietSince = Date.now();
      try {
        parser.feed(chunk as Uint8Array);
      } catch (cause) {
        done(() => reject(cause));
        return;
      }
      if (sink.finished) done(() => resolve('limit'));
      else if (sink.wantsMemory) ask(lookAtMemory);
    });
    log.on('error', () => undefined);
    log.on('close', () => done(() => {
      try {
        parser.end();
        resolve(sink.finished ? 'limit' : 'exited');
      } catch (cause) {
        reject(cause);
      }
    }));
  });
}

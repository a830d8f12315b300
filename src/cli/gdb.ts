/** `run --gdb [HOST:]PORT`: the socket of the gdb server, one connection at a time. */
import { createServer, type Server, type Socket } from 'node:net';
import { GdbSession } from '../debug/gdb/server.ts';
import type { Debugger } from '../debug/debugger.ts';
import type { ImageNotes } from '../debug/image-notes.ts';
import type { Stop } from '../machine/machine.ts';
import { compareMoments } from '../machine/position.ts';
import { CommandError } from './exit-status.ts';

/** Answers that gdb does not read: past this the connection is dropped. */
const MOST_UNREAD_BYTES = 2 ** 24;
/** Longest wait before the clock is looked at again, in milliseconds. */
const NAP = 100;
/** A second connection waits so long for the end of the first, in milliseconds. */
const TURN_MS = 1000;

/** `PORT`, `HOST:PORT` or `[IPV6]:PORT`; loopback if no host is given. Throws CommandError. */
export function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port = ''] = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65535) throw new CommandError('usage', `--gdb: "${text}" is not [HOST:]PORT`);
  const host = bracketed ?? plain ?? '';
  return { host: host === '' ? '127.0.0.1' : host, port: Number(port) };
}

export class GdbServer {
  readonly #debug: Debugger;
  readonly #notes: ImageNotes;
  readonly #server: Server;
  #socket: Socket | undefined;
  /** The connection that waits for the end of that. */
  #next: Socket | undefined;
  #session: GdbSession | undefined;
  #free = false;
  #killed = false;
  #wake: (() => void) | undefined;

  constructor(debug: Debugger, notes: ImageNotes) {
    this.#debug = debug;
    this.#notes = notes;
    this.#server = createServer((socket) => { this.#connected(socket); });
  }

  /** Opens the port and says where. Throws CommandError. */
  async listen(host: string, port: number): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => { reject(new CommandError('usage', `--gdb ${host}:${port}: ${error.message}`)); });
      this.#server.listen(port, host, resolve);
    });
    this.#server.on('error', () => undefined);
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has an address');
    return address.family === 'IPv6' ? `[${address.address}]:${address.port}` : `${address.address}:${address.port}`;
  }

  /** `running`: call `slice`. `paused`: wait. */
  get state(): 'running' | 'paused' | 'killed' {
    return this.#killed ? 'killed' : this.#free || this.#session?.isRunning === true ? 'running' : 'paused';
  }

  get isGoingBack(): boolean { return this.#session?.isGoingBack === true; }

  /** Runs the machine for gdb, or on its own after gdb has let it go: then it gives the stop that ends it. */
  slice(maxInstructions: number, waits: boolean): 'running' | 'waiting' | Stop | { readonly kind: 'replayed' } {
    if (!this.#free) return this.#session?.slice(maxInstructions, waits) === 'waiting' ? 'waiting' : 'running';
    const { now, log: { end } } = this.#debug.history;
    if (end !== undefined && compareMoments(now, end) >= 0) return { kind: 'replayed' };
    const stop = this.#debug.continue(end === undefined ? maxInstructions : Math.max(1, Math.min(maxInstructions, end.retired - now.retired)));
    if (stop.kind === 'halted' && stop.wakeable && waits) return 'waiting';
    return stop.kind === 'instruction-limit' || stop.kind === 'hit' || stop.kind === 'start' || stop.kind === 'refused' || stop.kind === 'arrived' ? 'running' : stop;
  }

  /** Something has come from gdb, or a little time has passed. */
  async wakened(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, NAP);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  close(): void {
    this.#socket?.end();
    this.#next?.destroy();
    this.#server.close();
  }

  /** Of a connection that is there already the end may be on its way, as where gdb goes and comes back at once; otherwise the new one is closed. */
  #awaitTurn(present: Socket, next: Socket): void {
    if (this.#next !== undefined) {
      next.destroy();
      return;
    }
    this.#next = next;
    const timer = setTimeout(() => { next.destroy(); }, TURN_MS);
    const isOver = (): void => {
      clearTimeout(timer);
      present.off('close', isOver);
      this.#next = undefined;
      if (!next.destroyed) this.#connected(next);
    };
    present.once('close', isOver);
    next.once('close', () => { if (this.#next === next) isOver(); });
  }

  #connected(socket: Socket): void {
    socket.on('error', () => undefined);
    if (this.#socket !== undefined) {
      this.#awaitTurn(this.#socket, socket);
      return;
    }
    socket.setNoDelay(true);
    this.#socket = socket;
    this.#free = false;
    const session = new GdbSession(this.#debug, {
      send: (bytes) => {
        if (socket.writableLength > MOST_UNREAD_BYTES) socket.destroy();
        else socket.write(bytes);
      },
      resumed: () => { this.#wake?.(); },
      detached: () => {
        this.#free = true;
        socket.end();
        this.#wake?.();
      },
      killed: () => {
        this.#killed = true;
        this.#wake?.();
      },
    }, this.#notes);
    this.#session = session;
    socket.on('data', (bytes) => {
      session.receive(bytes);
      this.#wake?.();
    });
    socket.on('close', () => {
      // The machine stands still until gdb comes again, unless it was let go.
      session.end();
      if (this.#session === session) this.#session = undefined;
      this.#socket = undefined;
      this.#wake?.();
    });
  }
}

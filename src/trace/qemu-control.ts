/**
 * The two sockets through which a running QEMU is steered: its gdb stub (run to the image's entry) and QMP (switch
 * the log on, ask for state, quit). Only the few packets that the recorder needs.
 */
import { connect, type Socket } from 'node:net';

/** QEMU did not answer, or answered what it should not. */
export class QemuError extends Error {
  override readonly name = 'QemuError';
}

/** Connects to a unix socket, trying again until it exists. Throws QemuError after `timeoutMs`. */
export async function connectSocket(path: string, timeoutMs: number, alive: () => boolean): Promise<Socket> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect(path);
      attempt.once('connect', () => resolve(attempt));
      attempt.once('error', () => { attempt.destroy(); resolve(undefined); });
    });
    if (socket) {
      // Later errors arrive as 'close': QEMU's end is not this socket's business.
      socket.removeAllListeners('error');
      socket.on('error', () => undefined);
      return socket;
    }
    if (!alive()) throw new QemuError('QEMU ended before it could be reached');
    if (Date.now() > deadline) throw new QemuError(`QEMU did not open ${path} within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Takes one message off the front of what was received; undefined while it is incomplete. */
type Cut = (received: string) => { message: string; rest: string } | undefined;

/** Messages over a socket, one at a time, each awaited with a time limit. */
class Channel {
  readonly #socket: Socket;
  readonly #cut: Cut;
  readonly #name: string;
  #received = '';
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(socket: Socket, name: string, cut: Cut) {
    this.#socket = socket;
    this.#name = name;
    this.#cut = cut;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => { this.#received += text; this.#wake?.(); });
    socket.on('close', () => { this.#closed = true; this.#wake?.(); });
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  async receive(timeoutMs: number): Promise<string> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const cut = this.#cut(this.#received);
      if (cut) {
        this.#received = cut.rest;
        return cut.message;
      }
      if (this.#closed) throw new QemuError(`QEMU closed its ${this.#name}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new QemuError(`no answer from QEMU's ${this.#name} within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The gdb remote serial protocol: "$data#checksum", answered with "+". */
export class GdbStub {
  readonly #channel: Channel;
  constructor(socket: Socket) {
    this.#channel = new Channel(socket, 'gdb stub', (received) => {
      const match = /^[+-]*\$([^#]*)#[0-9a-f]{2}/.exec(received);
      return match ? { message: match[1] as string, rest: received.slice(match[0].length) } : undefined;
    });
  }

  /** Sends a packet and gives the answer. */
  async request(data: string, timeoutMs = 5000): Promise<string> {
    let sum = 0;
    for (let i = 0; i < data.length; i++) sum = sum + data.charCodeAt(i) & 0xff;
    this.#channel.send(`$${data}#${sum.toString(16).padStart(2, '0')}`);
    const answer = await this.#channel.receive(timeoutMs);
    this.#channel.send('+');
    return answer;
  }

  close(): void {
    this.#channel.close();
  }
}

/** The QEMU machine protocol: one JSON object per line. */
export class Qmp {
  readonly #channel: Channel;
  constructor(socket: Socket) {
    this.#channel = new Channel(socket, 'QMP monitor', (received) => {
      const end = received.indexOf('\n');
      return end < 0 ? undefined : { message: received.slice(0, end), rest: received.slice(end + 1) };
    });
  }

  /** Reads the greeting and leaves negotiation mode. Returns QEMU's version. */
  async greet(timeoutMs = 5000): Promise<string> {
    const greeting = JSON.parse(await this.#channel.receive(timeoutMs)) as { QMP?: { version?: { qemu?: { major: number; minor: number; micro: number } } } };
    const version = greeting.QMP?.version?.qemu;
    if (!version) throw new QemuError('the QMP greeting has no version');
    await this.execute('qmp_capabilities', {}, timeoutMs);
    return `${version.major}.${version.minor}.${version.micro}`;
  }

  /** Executes a command and gives its return value; events in between are dropped. */
  async execute(command: string, parameters: Record<string, unknown> = {}, timeoutMs = 5000): Promise<unknown> {
    this.#channel.send(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    for (;;) {
      const message = JSON.parse(await this.#channel.receive(timeoutMs)) as { return?: unknown; error?: { desc: string } };
      if (message.error) throw new QemuError(`QMP ${command}: ${message.error.desc}`);
      if ('return' in message) return message.return;
    }
  }

  /** A command of the human monitor. Throws QemuError when it prints something and should not. */
  async monitor(line: string, silent = true): Promise<string> {
    const answer = String(await this.execute('human-monitor-command', { 'command-line': line }));
    if (silent && answer.trim() !== '') throw new QemuError(`monitor command "${line}": ${answer.trim()}`);
    return answer;
  }

  /** CR8 of a stopped QEMU: bits 7:4 of its local APIC's task priority register. */
  async cr8(): Promise<number> {
    const shown = /\bTPR 0x([0-9a-f]{2})\b/.exec(await this.monitor('info lapic', false));
    if (!shown) throw new QemuError('"info lapic" shows no task priority register');
    return parseInt(shown[1] as string, 16) >> 4;
  }

  close(): void {
    this.#channel.close();
  }
}

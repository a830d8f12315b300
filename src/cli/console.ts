/**
 * The user's end of COM1: stdout (or a file) takes what the guest sends, stdin feeds it. A terminal is put into raw
 * mode with QEMU's -nographic escape: Ctrl-A x ends the machine, Ctrl-A Ctrl-A sends a Ctrl-A.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { CommandError } from './exit-status.ts';
import { outputReason } from './files.ts';
import { stdoutDrained, stdoutFailed } from './stdout.ts';

const CTRL_A = 0x01, CTRL_BRACKET = 0x1d;
const HELP = '\r\nlongmode: Ctrl-A x ends the machine, Ctrl-A Ctrl-A sends Ctrl-A, Ctrl-] opens a debugger, Ctrl-A h shows this\r\n';

export class Console {
  /** True after Ctrl-A x. */
  quit = false;
  /** True after Ctrl-]: the user wants to look into the machine. */
  attention = false;
  /** Someone else has the terminal. */
  isLent = false;
  /** True when no more input can come. */
  inputEnded = true;
  private readonly input: number[] = [];
  private escaped = false;
  private pending: number[] = [];
  private readonly file: number | undefined;
  private readonly path: string | undefined;
  private wake: (() => void) | undefined;
  private reading = false;

  /** @param path file that takes the output instead of stdout. Throws CommandError('output') if it cannot be made. */
  constructor(path: string | undefined) {
    this.path = path;
    try {
      this.file = path === undefined ? undefined : openSync(path, 'w');
    } catch (e) {
      throw new CommandError('output', `--serial ${path}: cannot be written: ${outputReason(path!, e)}`);
    }
  }

  private readonly onEnd = (): void => { this.inputEnded = true; this.wake?.(); };
  private readonly onData = (chunk: Buffer): void => {
    for (const byte of chunk) this.key(byte);
    // A peer that writes without end must not fill our memory: stop reading until the guest has taken what is here.
    if (this.input.length > 65536) process.stdin.pause();
    this.wake?.();
  };

  /** Starts reading stdin. */
  open(): void {
    this.reading = true;
    this.inputEnded = false;
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
    process.stdin.on('data', this.onData);
    process.stdin.on('end', this.onEnd);
    process.stdin.on('error', this.onEnd);
    process.stdin.resume();
  }

  /** Gives the terminal back and closes the file. */
  close(): void {
    this.flush();
    if (this.file !== undefined) closeSync(this.file);
    this.stopReading();
  }

  private stopReading(): void {
    if (!this.reading) return;
    this.reading = false;
    process.stdin.off('data', this.onData);
    process.stdin.off('end', this.onEnd);
    process.stdin.off('error', this.onEnd);
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  /** Lends the terminal to someone else for as long as the work takes. */
  async lend<T>(work: () => Promise<T>): Promise<T> {
    this.flush();
    const { reading } = this;
    this.stopReading();
    this.isLent = true;
    try {
      return await work();
    } finally {
      this.attention = this.isLent = false;
      if (reading) this.open();
    }
  }

  private key(byte: number): void {
    if (!process.stdin.isTTY) {
      this.input.push(byte);
    } else if (this.escaped) {
      this.escaped = false;
      if (byte === 0x78) this.quit = true;
      else if (byte === 0x68) process.stderr.write(HELP);
      else if (byte === CTRL_A) this.input.push(byte);
    } else if (byte === CTRL_A) this.escaped = true;
    else if (byte === CTRL_BRACKET) this.attention = true;
    else this.input.push(byte);
  }

  /** A byte from the guest. */
  put(byte: number): void {
    this.pending.push(byte);
    if (this.pending.length >= 65536) this.flush();
  }

  /** How many bytes have been typed that the guest has not been given. */
  get untaken(): number { return this.input.length; }

  /** Bytes for the guest, at most `count`. */
  take(count: number): number[] {
    const bytes = this.input.splice(0, count);
    if (this.input.length === 0 && !this.inputEnded && process.stdin.isPaused()) process.stdin.resume();
    return bytes;
  }

  /** Puts back bytes that the guest had no room for. */
  giveBack(bytes: readonly number[]): void { this.input.unshift(...bytes); }

  /** Writes what has gathered. Throws CommandError('output') when nobody can take it any more. */
  flush(): void {
    if (this.pending.length === 0) return;
    const bytes = Uint8Array.from(this.pending);
    this.pending = [];
    if (this.file === undefined) {
      if (!stdoutFailed()) process.stdout.write(bytes);
    } else {
      try {
        for (let done = 0; done < bytes.length;) done += writeSync(this.file, bytes, done);
      } catch (e) {
        throw new CommandError('output', `--serial ${this.path}: ${(e as Error).message}`);
      }
    }
  }

  /** True when the reader of stdout has gone away (a closed pipe). */
  get closed(): boolean { return this.file === undefined && stdoutFailed(); }

  /**
   * Lets the event loop run: until there is input, at most `milliseconds`; and until stdout has taken what was written. `refused`: input that is here already does not count, since the
   * guest has been offered it, had no room for it and did nothing.
   */
  async rest(milliseconds: number, refused = false): Promise<void> {
    const known = refused ? this.input.length : 0;
    if (this.file === undefined) await stdoutDrained();
    if (milliseconds === 0 || this.input.length > known) {
      await new Promise<void>((resolve) => { setImmediate(resolve); });
      return;
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => { clearTimeout(timer); resolve(); };
    });
    this.wake = undefined;
  }
}

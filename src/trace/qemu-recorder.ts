/**
 * Runs an image on a real QEMU (TCG) and passes every instruction and interrupt to a sink, as it happens.
 *
 * QEMU runs the firmware at full speed up to a hardware breakpoint at the image's entry; there one-instruction blocks
 * and the log are switched on, and the log streams through a FIFO. `-icount shift=0` makes one instruction one
 * nanosecond of virtual time, as here, so timers do not drown a run that logging slows down a thousandfold.
 * Guest RAM is a shared file: it can be read at the start, and still after QEMU has ended.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync, rmSync, type ReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_MODEL, type CpuModel } from '../cpu/models.ts';
import { qemuCpu } from './qemu-cpu.ts';
import { connectSocket, GdbStub, QemuError, Qmp } from './qemu-control.ts';
import { follow, type RunEnd } from './qemu-follow.ts';
import { MemoryHistory, type PageHashes } from './memory.ts';
import { LOG_ITEMS, QemuLogParser } from './qemu-log.ts';
import type { TraceSink } from './state.ts';

const run = promisify(execFile);

export interface RecordOptions {
  /** The kernel image, as for QEMU's -kernel. */
  readonly image: string;
  /** Physical address of the instruction at which the boot protocol enters the image: recording starts there. */
  readonly entry: number;
  /** Guest RAM in bytes, a multiple of 1 MiB. */
  readonly memoryBytes: number;
  readonly cmdline?: string;
  readonly initrds?: readonly string[];
  /** The emulator; looked up on the PATH when it has no slash. */
  readonly qemu?: string;
  /** The processor of both: QEMU gets one that has the same features, as far as it has them. Default: the default model. */
  readonly cpu?: CpuModel;
  /** Port of the isa-debug-exit device. */
  readonly debugExit?: number;
  /** Host seconds after which the run is ended. */
  readonly timeoutSeconds?: number;
  /** Called at the entry, before the first instruction, with guest RAM from physical address 0. */
  readonly atEntry?: (ram: Uint8Array) => void;
}

/** How a recorded run ended. */
export interface Recording {
  readonly end: RunEnd;
  /** QEMU's exit status when it ended by itself. */
  readonly status: number | undefined;
  readonly tripleFault: boolean;
  readonly qemuVersion: string;
  readonly commandLine: readonly string[];
  /** What the guest sent to COM1. */
  readonly serial: Uint8Array;
  /** Guest RAM when the run had ended; undefined when QEMU was stopped at no particular instruction (`limit`, `timeout`). */
  readonly ram: Uint8Array | undefined;
  /** The pages that the run changed, when there is `ram`. */
  readonly changedPages: PageHashes | undefined;
  /** Blocks announced in the log that did not run (see QemuLogParser). */
  readonly stoppedBlocks: number;
}

export const DEFAULT_QEMU = 'qemu-system-x86_64';

/**
 * The version of a QEMU, "7.2.22".
 * Throws QemuError when there is none or it is older than 7.2, the first whose log this module was checked against.
 */
export async function qemuVersion(qemu: string = DEFAULT_QEMU): Promise<string> {
  let text: string;
  try {
    text = (await run(qemu, ['--version'], { timeout: 20_000 })).stdout;
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    throw new QemuError(missing ? `${qemu} is not installed (Debian: apt-get install qemu-system-x86)` : `${qemu} --version failed: ${(cause as Error).message}`);
  }
  const match = /version (\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!match) throw new QemuError(`${qemu} does not say which version it is: "${text.split('\n')[0]}"`);
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major < 7 || (major === 7 && minor < 2)) throw new QemuError(`${qemu} is version ${major}.${minor}; 7.2 or later is needed`);
  return match.slice(1).join('.');
}

/** QEMU's arguments, without the ones that only steer the recording. */
function machineArguments(options: RecordOptions, directory: string): string[] {
  const megabytes = options.memoryBytes / 0x10_0000;
  if (!Number.isInteger(megabytes) || megabytes < 1) throw new QemuError(`guest memory must be a multiple of 1 MiB: ${options.memoryBytes} bytes`);
  return [
    '-nodefaults', '-display', 'none', '-no-reboot',
    '-object', `memory-backend-file,id=ram,size=${megabytes}M,mem-path=${join(directory, 'ram')},share=on`,
    '-machine', 'pc,memory-backend=ram', '-m', `${megabytes}M`,
    '-accel', 'tcg', '-icount', 'shift=0,sleep=off', '-cpu', qemuCpu(options.cpu ?? DEFAULT_MODEL),
    '-serial', `file:${join(directory, 'serial')}`,
    '-device', `isa-debug-exit,iobase=0x${(options.debugExit ?? 0xf4).toString(16)},iosize=0x4`,
    '-kernel', options.image,
    ...(options.cmdline === undefined ? [] : ['-append', options.cmdline]),
    // QEMU takes multiboot modules as one comma-separated argument; a comma in a name is doubled.
    ...(options.initrds?.length ? ['-initrd', options.initrds.map((name) => name.replaceAll(',', ',,')).join(',')] : []),
  ];
}

/** The command line of the machine that is recorded. All files are named without their folder: a trace is the same wherever it was made. */
export function qemuCommandLine(options: RecordOptions): readonly string[] {
  const named = { ...options, image: basename(options.image), ...(options.initrds ? { initrds: options.initrds.map((name) => basename(name)) } : {}) };
  return [options.qemu ?? DEFAULT_QEMU, ...machineArguments(named, '.')];
}

function readRam(path: string): Uint8Array {
  const file = openSync(path, 'r');
  try {
    const ram = new Uint8Array(fstatSync(file).size);
    for (let at = 0; at < ram.length;) {
      const got = readSync(file, ram, at, Math.min(ram.length - at, 1 << 26), at);
      if (got === 0) throw new QemuError('the file with guest RAM is shorter than it says');
      at += got;
    }
    return ram;
  } finally {
    closeSync(file);
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A QEMU process that is certain to be gone, with its directory, when dispose() returns. */
class QemuProcess {
  readonly directory: string;
  readonly #child: ChildProcess;
  readonly exited: Promise<number | undefined>;
  alive = true;
  stderr = '';

  constructor(qemu: string, args: readonly string[], directory: string) {
    this.directory = directory;
    this.#child = spawn(qemu, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => { if (this.stderr.length < 4096) this.stderr += text; });
    this.exited = new Promise((resolve) => {
      const ended = (status: number | undefined): void => { this.alive = false; resolve(status); };
      this.#child.once('exit', (code) => ended(code ?? undefined));
      this.#child.once('error', (error) => { this.stderr += error.message; ended(undefined); });
    });
    for (const signal of SIGNALS) process.once(signal, this.#interrupted);
  }

  /** Our own process is being ended: nothing of QEMU's may stay behind. */
  readonly #interrupted = (signal: NodeJS.Signals): void => {
    this.#child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
    this.#forgetSignals();
    process.kill(process.pid, signal);
  };

  #forgetSignals(): void {
    for (const signal of SIGNALS) process.off(signal, this.#interrupted);
  }

  async dispose(): Promise<void> {
    if (this.alive) this.#child.kill('SIGKILL');
    await this.exited;
    this.#forgetSignals();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Lets the firmware run until it enters the image, and leaves QEMU stopped there. */
async function runToEntry(stub: GdbStub, entry: number): Promise<void> {
  const breakpoint = `${entry.toString(16)},1`;
  await stub.request('?');
  if (await stub.request(`Z1,${breakpoint}`) !== 'OK') throw new QemuError("QEMU's gdb stub refused a breakpoint at the image's entry");
  let stopped: string;
  try {
    stopped = await stub.request('c', 30_000);
  } catch (cause) {
    throw new QemuError(`the image's entry 0x${entry.toString(16)} was not reached: ${(cause as Error).message}`);
  }
  if (!stopped.startsWith('T05') && !stopped.startsWith('S05')) throw new QemuError(`QEMU stopped with "${stopped}" before the image's entry`);
  await stub.request(`z1,${breakpoint}`);
}

/** The log's FIFO, opened so that neither side waits for the other and QEMU's end is its end of file. */
interface Fifo { readonly stream: ReadStream; release(): void }
function openFifo(path: string): Fifo {
  // For reading and writing a FIFO opens at once; held until QEMU has opened its own end.
  const holder = openSync(path, constants.O_RDWR);
  const reader = openSync(path, constants.O_RDONLY);
  let held = true;
  const release = (): void => {
    if (held) closeSync(holder);
    held = false;
  };
  return { stream: createReadStream(path, { fd: reader, highWaterMark: 1 << 20 }), release };
}

/**
 * Records a run. Resolves when QEMU has ended and its files are removed.
 * Throws QemuError (no QEMU, wrong image, no answer) and QemuLogError (a log this module does not understand).
 */
export async function recordQemu(options: RecordOptions, sink: TraceSink): Promise<Recording> {
  const qemu = options.qemu ?? DEFAULT_QEMU;
  const version = await qemuVersion(qemu);
  const directory = await mkdtemp(join(tmpdir(), 'longmode-qemu-'));
  let running: QemuProcess | undefined;
  let log: Fifo | undefined;
  try {
    const fifo = join(directory, 'log');
    await run('mkfifo', [fifo]);
    // QEMU opens its log when it starts, and waits there for a reader.
    log = openFifo(fifo);
    const machine = machineArguments(options, directory);
    running = new QemuProcess(qemu, [...machine, '-S', '-D', fifo, '-monitor', 'none',
      '-gdb', `unix:${join(directory, 'gdb')},server=on,wait=off`, '-qmp', `unix:${join(directory, 'qmp')},server=on,wait=off`], directory);
    return await record(options, sink, running, log, version);
  } catch (cause) {
    const said = running?.stderr.trim();
    if (cause instanceof QemuError && said) throw new QemuError(`${cause.message}: ${said.split('\n').slice(-3).join(' ')}`);
    throw cause;
  } finally {
    log?.stream.destroy();
    log?.release();
    await (running?.dispose() ?? rm(directory, { recursive: true, force: true }));
  }
}

async function record(options: RecordOptions, sink: TraceSink, running: QemuProcess, log: Fifo, version: string): Promise<Recording> {
  const { directory } = running;
  const alive = (): boolean => running.alive;
  const qmp = new Qmp(await connectSocket(join(directory, 'qmp'), 10_000, alive));
  const stub = new GdbStub(await connectSocket(join(directory, 'gdb'), 10_000, alive));
  const parser = new QemuLogParser(sink);
  try {
    await qmp.greet();
    await runToEntry(stub, options.entry);
    const ramFile = join(directory, 'ram');
    const atStart = readRam(ramFile);
    const history = new MemoryHistory(atStart);
    options.atEntry?.(atStart);
    parser.cr8 = await qmp.cr8();
    const [major, minor] = version.split('.').map(Number) as [number, number];
    await qmp.monitor(major > 8 || (major === 8 && minor >= 1) ? 'one-insn-per-tb on' : 'singlestep on');
    await qmp.monitor(`log ${LOG_ITEMS}`);
    log.release();
    const showMemory = (): void => {
      const ram = readRam(ramFile);
      sink.checkpoint?.({ changed: history.changedPages(ram), ram });
    };
    const finished = follow({ log: log.stream, parser, sink, qmp, alive, timeoutMs: (options.timeoutSeconds ?? 600) * 1000, showMemory });
    await stub.request('D');
    stub.close();
    const end = await finished;
    const status = end === 'exited' ? await running.exited : undefined;
    if (end === 'exited' && status === undefined) throw new QemuError('QEMU was killed');
    const ram = end === 'exited' || end === 'halted' ? readRam(ramFile) : undefined;
    return {
      qemuVersion: version, commandLine: qemuCommandLine(options), end, status,
      tripleFault: parser.tripleFault, stoppedBlocks: parser.stopped,
      serial: await readFile(join(directory, 'serial')),
      ram, changedPages: ram && history.changedPages(ram),
    };
  } finally {
    stub.close();
    qmp.close();
  }
}

/** `longmode run`: boots an image headlessly and ends as a CI job expects. */
import { basename } from 'node:path';
import { explainEnding, explainReboot } from './endings.ts';
import { ImageError, PROTOCOLS, type FlatOptions, type Module, type Protocol } from '../machine/boot/index.ts';
import { ENGINE_NAMES, Machine, type EngineName, type Stop } from '../machine/machine.ts';
import { MAX_RAM_BYTES } from '../state/layout.ts';
import { Console } from './console.ts';
import { CommandError, STATUS, debugExitStatus, statusTable } from './exit-status.ts';
import { readInput, writeOutput } from './files.ts';
import type { Arguments, Command, Options } from './options.ts';
import { Outside, readReplay, startMachine } from './outside.ts';
import { showProgress } from './progress.ts';
import { crc32 } from '../machine/crc32.ts';
import { saveSnapshot } from '../machine/snapshot.ts';

/** Options that say what machine to build and what to boot: shared by every command that runs an image. */
export const MACHINE_OPTIONS = {
  'memory': { value: 'SIZE', says: 'guest RAM, as 128M or 1G (default 128M, at most 3G)' },
  'cmdline': { value: 'STR', says: 'the kernel command line' },
  'initrd': { value: 'FILE', repeat: true, says: 'a module for the kernel; may be given several times' },
  'protocol': { value: 'NAME', says: 'how to enter IMAGE: multiboot, pvh or linux (default: what IMAGE offers first, in this order, as QEMU does)' },
  'load-address': { value: 'ADDR', says: 'take IMAGE as a flat binary and load it at this physical address' },
  'entry': { value: 'ADDR', says: 'where a flat binary starts (default: its load address)' },
  'bits': { value: '32|64', says: 'mode in which a flat binary starts: 32 (default) is flat protected mode, 64 long mode' },
  'debug-exit': { value: 'PORT', says: 'port of the debug-exit device (default 0xf4)' },
  'max-instructions': { value: 'N', says: 'stop after N instructions' },
  'engine': { value: 'NAME', says: `${ENGINE_NAMES.join(', ')} (default auto): how instructions are executed; the guest sees no difference` },
} as const satisfies Options;

export const RUN_OPTIONS = {
  ...MACHINE_OPTIONS,
  'timeout': { value: 'SECONDS', says: 'stop after this much time of the host' },
  'serial': { value: 'FILE', says: 'write what the guest prints on COM1 to FILE instead of stdout' },
  'report': { value: 'FILE.json', says: 'write what happened, counted, to FILE.json' },
  'no-reboot': { says: 'a guest that resets the machine, or ends in a triple fault, has ended well: status 0, as with QEMU\'s -no-reboot' },
  'rtc': { value: 'now|SECONDS', says: 'what the real-time clock shows at power-on: the host\'s time, or seconds since 1970 (default: 2026-01-01)' },
  'save': { value: 'FILE', says: 'write the whole machine to FILE when the run ends, however it ends' },
  'restore': { value: 'FILE', says: 'go on with the machine in FILE; IMAGE is not needed then, and only gives names to addresses' },
  'record': { value: 'FILE', says: 'write to FILE what came from outside, and at which instruction' },
  'replay': { value: 'FILE', says: 'give the guest the input in FILE, which --record wrote for the same IMAGE and options, on any engine; stdin is not read' },
  'quiet': { says: 'no explanations on stderr; the exit status still tells' },
} as const satisfies Options;

/** Instructions between two looks at the keyboard and the clock. */
const SLICE = 50_000;

export interface Booted {
  readonly machine: Machine;
  readonly image: string;
  /** CRC-32 of everything that was loaded and said to the guest: runs with the same input are the same run where it is the same. */
  readonly fingerprint: number;
}

/** Builds the machine and loads the image as the options say. Throws CommandError. */
export function bootFromArguments(args: Arguments, onOutput?: (port: 0 | 1 | 'debug', byte: number) => void, rtcEpochSeconds?: number): Booted {
  const [image, ...rest] = args.operands;
  if (image === undefined) throw new CommandError('usage', 'IMAGE is missing');
  if (rest.length > 0) throw new CommandError('usage', `one IMAGE only; what is ${rest[0]}?`);
  const memoryBytes = args.bytes('memory', 128 * 2 ** 20, MAX_RAM_BYTES);
  const flat = flatOptions(args), protocol = protocolOption(args, flat);
  const modules: Module[] = args.all('initrd').map((path) => ({ name: path, bytes: readInput(path, '--initrd') }));
  const file = readInput(image, 'image');
  const debugExitPort = args.integer('debug-exit', 0, 0xffff);
  const engine = engineOf(args);
  let machine: Machine;
  try {
    machine = new Machine({ memoryBytes, engine, ...(rtcEpochSeconds === undefined ? {} : { rtcEpochSeconds }), ...(debugExitPort === undefined ? {} : { debugExitPort }), ...(onOutput ? { onOutput } : {}) });
  } catch (e) {
    throw new CommandError('usage', `--memory, --debug-exit: ${(e as Error).message}`);
  }
  try {
    machine.load(file, { name: basename(image), cmdline: args.text('cmdline') ?? '', modules, ...(flat ? { flat } : {}), ...(protocol ? { protocol } : {}) });
  } catch (e) {
    if (e instanceof ImageError) throw new CommandError('image', `image ${image}: ${e.message}`);
    throw e;
  }
  const said = new TextEncoder().encode(JSON.stringify([args.text('cmdline'), flat, protocol, debugExitPort, modules.map(({ name }) => name)]));
  return { machine, image, fingerprint: crc32(new Uint8Array(Uint32Array.from([file, said, ...modules.map(({ bytes }) => bytes)], crc32).buffer)) };
}

function flatOptions(args: Arguments): FlatOptions | undefined {
  const loadAddress = args.integer('load-address', 0, MAX_RAM_BYTES - 1);
  const entry = args.integer('entry', 0, MAX_RAM_BYTES - 1);
  const bits = args.text('bits');
  if (bits !== undefined && bits !== '32' && bits !== '64') throw new CommandError('usage', `--bits: "${bits}" is neither 32 nor 64`);
  if (loadAddress === undefined) {
    if (entry !== undefined || bits !== undefined) throw new CommandError('usage', `--${entry === undefined ? 'bits' : 'entry'} is for flat binaries: give --load-address too`);
    return undefined;
  }
  return { loadAddress, entry: entry ?? loadAddress, bits: bits === '64' ? 64 : 32 };
}

function protocolOption(args: Arguments, flat: FlatOptions | undefined): Protocol | undefined {
  const text = args.text('protocol');
  if (text === undefined) return undefined;
  const protocol = PROTOCOLS.find((name) => name === text);
  if (!protocol) throw new CommandError('usage', `--protocol: "${text}" is not one of ${PROTOCOLS.join(', ')}`);
  if (flat) throw new CommandError('usage', '--protocol: a flat binary (--load-address) has none');
  return protocol;
}

export type Ended = Stop | { readonly kind: 'time-limit' | 'interrupted' | 'terminated' | 'output-failed' | 'replayed' };

/** Where a machine's output goes until its console is open: the machine is built, and the image judged, before anything of the user's is touched. */
export class Output {
  console: Console | undefined;
  readonly put = (port: 0 | 1 | 'debug', byte: number): void => { if (port === 0) this.console?.put(byte); };
}

async function run(args: Arguments): Promise<number> {
  const output = new Output();
  const replayed = await readReplay(args);
  const { machine, runOf } = await startMachine(args, output.put, replayed);
  const outside = new Outside(machine, args.has('record'), replayed?.log);
  const status = await runToEnd(machine, args, output, outside);
  const record = args.text('record'), save = args.text('save');
  if (record !== undefined) writeOutput(record, await outside.recorded(runOf));
  if (save !== undefined) writeOutput(save, await saveSnapshot(machine));
  return status;
}

/** Runs a loaded machine as the options of `run` say, explains its end on stderr and returns the exit status. Without `outside` nothing is the guest's input. */
export async function runToEnd(machine: Machine, args: Arguments, output: Output, outside?: Outside): Promise<number> {
  const timeout = args.seconds('timeout'), limit = args.integer('max-instructions', 1, Number.MAX_SAFE_INTEGER) ?? Infinity;
  const quiet = args.has('quiet');
  const terminal = new Console(args.text('serial'));
  output.console = terminal;
  const say = (text: string): void => { if (!quiet) process.stderr.write(`${text}\n`); };
  for (const warning of machine.boot?.warnings ?? []) say(`longmode: ${warning}`);

  const started = performance.now();
  let signalled: Ended | undefined;
  const onInterrupt = (): void => { signalled = { kind: 'interrupted' }; };
  const onTerminate = (): void => { signalled = { kind: 'terminated' }; };
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onTerminate);
  if (outside !== undefined && !outside.replays) {
    terminal.open();
    if (process.stdin.isTTY) say('longmode: Ctrl-A x ends the machine');
  }
  // What the guest prints and a progress line on one terminal would write over each other.
  const watched = !quiet && (args.has('serial') || !process.stdout.isTTY);
  const stopProgress = watched ? showProgress(() => machine.state.retired) : undefined;
  let ended: Ended;
  try {
    ended = await runSlices(machine, terminal, outside, limit, () => {
      if (signalled) return signalled;
      if (terminal.quit) return { kind: 'interrupted' };
      return timeout !== undefined && performance.now() - started >= timeout * 1000 ? { kind: 'time-limit' } : undefined;
    });
  } finally {
    stopProgress?.();
    terminal.close();
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onTerminate);
  }
  const seconds = (performance.now() - started) / 1000;
  const rebooted = args.has('no-reboot') && (ended.kind === 'reset' || ended.kind === 'triple-fault');
  const status = rebooted ? STATUS.ok.status : statusOf(ended);
  writeReport(machine, args, { reason: ended.kind, status }, seconds);
  const text = rebooted ? explainReboot(machine, ended) : explainEnding(machine, ended);
  if (text !== undefined) say(text);
  return status;
}

/** Throws a usage error for an engine that there is not. */
export function engineOf(args: Arguments): EngineName {
  const name = args.text('engine') ?? 'auto';
  const engine = ENGINE_NAMES.find((known) => known === name);
  if (engine === undefined) throw new CommandError('usage', `--engine: "${name}" is not one of ${ENGINE_NAMES.join(', ')}`);
  return engine;
}

/** Writes `--report FILE.json`, if it was asked for. */
export function writeReport(machine: Machine, args: Arguments, exit: { readonly reason: string; readonly status: number }, seconds: number): void {
  const file = args.text('report');
  if (file === undefined) return;
  const report = machine.statistics.report();
  writeOutput(file, `${JSON.stringify({ exit, hostSeconds: seconds, guestMips: report.instructions / seconds / 1e6, ...report }, null, 2)}\n`);
}

async function runSlices(machine: Machine, terminal: Console, outside: Outside | undefined, limit: number, hostEnds: () => Ended | undefined): Promise<Ended> {
  const { state } = machine;
  const { cpu } = machine, first = state.retired, firstDelivery = cpu.deliveries;
  // A guest that only faults retires nothing: deliveries count as well.
  const left = (): number => limit - Math.max(state.retired - first, cpu.deliveries - firstDelivery);
  for (;;) {
    const host = hostEnds();
    if (host) return host;
    if (terminal.closed) return { kind: 'output-failed' };
    const slice = Math.min(SLICE, left());
    const stop = outside?.replays === true ? outside.replay(slice) : runSlice(machine, terminal, outside, slice);
    terminal.flush();
    if (stop.kind === 'instruction-limit' && left() > 0) await terminal.rest(0);
    else if (stop.kind === 'halted' && stop.wakeable && !terminal.inputEnded) await terminal.rest(100);
    else return stop;
  }
}

function runSlice(machine: Machine, terminal: Console, outside: Outside | undefined, maxInstructions: number): Stop {
  const waiting = terminal.take(64);
  if (outside !== undefined && waiting.length > 0) terminal.giveBack(waiting.slice(outside.serial(waiting)));
  return machine.run({ maxInstructions });
}

function statusOf(ended: Ended): number {
  switch (ended.kind) {
    case 'debug-exit': return debugExitStatus(ended.value);
    case 'power-off': case 'replayed': return STATUS.ok.status;
    case 'reset': return STATUS.reset.status;
    case 'triple-fault': return STATUS.tripleFault.status;
    case 'halted': return STATUS.halted.status;
    case 'instruction-limit': case 'reached': return STATUS.instructionLimit.status;
    case 'unimplemented': return STATUS.unimplemented.status;
    case 'time-limit': return STATUS.timeLimit.status;
    case 'interrupted': return STATUS.interrupted.status;
    case 'terminated': return STATUS.terminated.status;
    case 'output-failed': return STATUS.output.status;
  }
}

export const runCommand: Command = {
  name: 'run',
  operands: 'IMAGE',
  says: 'Boots IMAGE (ELF64 with a PVH note, ELF32 or any file with a Multiboot header, a Linux bzImage or vmlinux, or a flat binary\nwith --load-address).\nCOM1 goes to stdout, stdin feeds it; on a terminal Ctrl-A x ends the machine.',
  options: RUN_OPTIONS,
  notes: `Exit status:\n${statusTable()}`,
  run,
};

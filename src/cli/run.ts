/** `longmode run`: boots an image headlessly and ends as a CI job expects. */
import { describeModels } from '../cpu/models.ts';
import type { Machine, Stop } from '../machine/machine.ts';
import { RealTime } from '../machine/real-time.ts';
import { saveSnapshot } from '../machine/snapshot.ts';
import { MACHINE_OPTIONS } from './boot.ts';
import { Console } from './console.ts';
import { explainEnding, explainReboot, type Ended } from './endings.ts';
import { CommandError, STATUS, debugExitStatus, statusTable } from './exit-status.ts';
import { writeOutput } from './files.ts';
import { keepYoungGeneration } from './host-memory.ts';
import type { Arguments, Command, Options } from './options.ts';
import { Debugging } from './debugging.ts';
import { feed, PlainOutside, readReplay, startMachine, type Outside } from './outside.ts';
import { Profile } from './profile.ts';
import { showProgress } from './progress.ts';

export const RUN_OPTIONS = {
  ...MACHINE_OPTIONS,
  'timeout': { value: 'SECONDS', says: 'stop after this much time of the host' },
  'serial': { value: 'FILE', says: 'write what the guest prints on COM1 to FILE instead of stdout' },
  'report': { value: 'FILE.json', says: 'write what happened, counted, to FILE.json' },
  'profile': { says: 'say on stderr at the end where the time went: guest symbols, engines, translations, invalidations, exits' },
  'no-reboot': { says: 'a guest that resets the machine, or ends in a triple fault, has ended well: status 0, as with QEMU\'s -no-reboot' },
  'rtc': { value: 'now|SECONDS', says: 'what the real-time clock shows at power-on: the host\'s time, or seconds since 1970 (default: 2026-01-01)' },
  'save': { value: 'FILE', says: 'write the whole machine to FILE when the run ends, however it ends' },
  'bios': { value: 'FILE', says: 'start FILE, a firmware ROM, at the reset vector, as QEMU\'s -bios; there is no IMAGE then. Its debug port 0x402 goes to stderr' },
  'restore': { value: 'FILE', says: 'go on with the machine in FILE; IMAGE is not needed then, and only gives names to addresses' },
  'record': { value: 'FILE', says: 'write to FILE what came from outside, and at which instruction' },
  'replay': { value: 'FILE', says: 'give the guest the input in FILE, which --record wrote for the same IMAGE and options, on any engine; stdin is not read' },
  'realtime': { value: 'on|off', says: 'a halted guest waits as long as the clock on the wall says, and the host sleeps; off: its time jumps ahead (default: on where stdin is a terminal, else off; --replay and --gdb: off)' },
  'gdb': { value: '[HOST:]PORT', says: 'wait for gdb (target remote :PORT) on this port of the loopback interface, or of HOST; the machine has a history then' },
  'on-fault': { value: 'debug', says: 'keep a history, and open a debugger\'s prompt where the guest ends in a fault' },
  'quiet': { says: 'no explanations on stderr; the exit status still tells' },
} as const satisfies Options;

/** Instructions between two looks at the keyboard and the clock: the fewest, the most, and what they are to take, in milliseconds. */
const SLICE = { fewest: 50_000, most: 2_000_000, lasts: 10 };
/** Longest sleep before the clock is looked at again, in milliseconds. */
const NAP = 100;

/** Where a machine's output goes until its console is open: the machine is built, and the image judged, before anything of the user's is touched. */
export class Output {
  console: Console | undefined;
  readonly #showsDebug: boolean;
  /** `showsDebug`: the debug console goes to stderr. */
  constructor(showsDebug = false) { this.#showsDebug = showsDebug; }
  readonly put = (port: 0 | 1 | 'debug', byte: number): void => {
    if (port === 0) this.console?.put(byte);
    else if (port === 'debug' && this.#showsDebug) process.stderr.write(String.fromCharCode(byte));
  };
}

const NO_PLACE_TO_BOOT = 'longmode: this board has no PCI bus, no VGA, no disk and no diskette drive: firmware finds nothing to boot from, and firmware that needs PCI fails';

async function run(args: Arguments): Promise<number> {
  const output = new Output(args.has('bios') && !args.has('quiet'));
  const replayed = await readReplay(args);
  const { machine, runOf } = await startMachine(args, output.put, replayed);
  const debugging = Debugging.of(machine, args, replayed?.log);
  const outside = debugging ?? new PlainOutside(machine, args.has('record'), replayed?.log);
  const status = await runToEnd(machine, args, output, outside, debugging);
  const record = args.text('record'), save = args.text('save');
  if (record !== undefined && runOf !== undefined) writeOutput(record, await outside.recorded(runOf));
  if (save !== undefined) writeOutput(save, await saveSnapshot(machine));
  return status;
}

/** Runs a loaded machine as the options of `run` say, explains its end on stderr and returns the exit status. Without `outside` nothing is the guest's input. */
export async function runToEnd(machine: Machine, args: Arguments, output: Output, outside?: Outside, debugging?: Debugging): Promise<number> {
  const timeout = args.seconds('timeout'), limit = args.integer('max-instructions', 1, Number.MAX_SAFE_INTEGER) ?? Infinity;
  const quiet = args.has('quiet');
  const realTime = keepsRealTime(args, outside) ? new RealTime(machine) : undefined;
  const terminal = new Console(args.text('serial'));
  output.console = terminal;
  const say = (text: string): void => { if (!quiet) process.stderr.write(`${text}\n`); };
  if (args.has('bios')) say(NO_PLACE_TO_BOOT);
  for (const warning of machine.boot?.warnings ?? []) say(`longmode: ${warning}`);

  keepYoungGeneration();
  const profile = args.has('profile') ? new Profile(machine) : undefined;
  const started = performance.now();
  let signalled: Ended | undefined;
  const onInterrupt = (): void => { signalled = { kind: 'interrupted' }; };
  const onTerminate = (): void => { signalled = { kind: 'terminated' }; };
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onTerminate);
  if (outside !== undefined && !outside.replays && debugging?.keepsStdin !== true) {
    terminal.open();
    if (process.stdin.isTTY) say('longmode: Ctrl-A x ends the machine, Ctrl-] opens a debugger');
  }
  // What the guest prints and a progress line on one terminal would write over each other.
  const watched = !quiet && (args.has('serial') || !process.stdout.isTTY);
  const stopProgress = watched ? showProgress(() => machine.state.retired, () => terminal.isLent) : undefined;
  let ended: Ended;
  try {
    const hostEnds = (): Ended | undefined => {
      if (signalled) return signalled;
      if (terminal.quit) return { kind: 'interrupted' };
      return timeout !== undefined && performance.now() - started >= timeout * 1000 ? { kind: 'time-limit' } : undefined;
    };
    ended = debugging?.waitsForGdb === true ? await debugging.runUnderGdb(terminal, hostEnds) : await runSlices(machine, args, terminal, outside, debugging, limit, hostEnds, profile, realTime);
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
  if (profile !== undefined) process.stderr.write(`${profile.text()}\n`);
  return status;
}

/** Writes `--report FILE.json`, if it was asked for. */
export function writeReport(machine: Machine, args: Arguments, exit: { readonly reason: string; readonly status: number }, seconds: number): void {
  const file = args.text('report');
  if (file === undefined) return;
  const report = machine.statistics.report();
  writeOutput(file, `${JSON.stringify({ exit, hostSeconds: seconds, guestMips: report.instructions / seconds / 1e6, ...report }, null, 2)}\n`);
}

async function runSlices(machine: Machine, args: Arguments, terminal: Console, outside: Outside | undefined, debugging: Debugging | undefined, limit: number, hostEnds: () => Ended | undefined, profile: Profile | undefined, realTime: RealTime | undefined): Promise<Ended> {
  const { state } = machine;
  const { cpu } = machine, first = state.retired, firstDelivery = cpu.deliveries;
  // A guest that only faults retires nothing: deliveries count as well.
  const done = (): number => Math.max(state.retired - first, cpu.deliveries - firstDelivery), left = (): number => limit - done();
  // The last few instructions of a slice run one by one. A guest may turn from fast to slow within a slice, so there is a most.
  let pace = SLICE.fewest;
  for (;;) {
    const host = hostEnds();
    if (host) return host;
    if (terminal.closed) return { kind: 'output-failed' };
    const slice = Math.min(pace, left()), begun = performance.now(), before = done(), { untaken } = terminal;
    const run = (): Stop | { readonly kind: 'replayed' } => runSlice(machine, terminal, outside, slice, realTime);
    const stop = profile === undefined ? run() : profile.measure(run);
    pace = performance.now() - begun < SLICE.lasts ? Math.min(2 * pace, SLICE.most) : Math.max(pace / 2 | 0, SLICE.fewest);
    const refused = done() === before && terminal.untaken === untaken;
    terminal.flush();
    const sleep = stop.kind === 'halted' && stop.wakeable ? realTime?.wait(stop) ?? Infinity : Infinity;
    if (sleep !== Infinity && !terminal.attention) {
      await terminal.rest(Math.min(sleep, NAP), refused);
      continue;
    }
    // Nobody asked for a history: it begins with the first look.
    if (terminal.attention && outside instanceof PlainOutside) outside = debugging = Debugging.from(machine, args, outside.log);
    const prompted = await debugging?.prompted(terminal, stop, hostEnds);
    if (prompted === 'continue') continue;
    if (prompted === 'quit') return debugging?.ending ?? { kind: 'interrupted' };
    if (stop.kind === 'instruction-limit' && left() > 0) await terminal.rest(0);
    else if (stop.kind === 'halted' && stop.wakeable && !terminal.inputEnded) await terminal.rest(NAP, refused);
    else return stop;
  }
}

/** A slice, with what was typed before it. */
function runSlice(machine: Machine, terminal: Console, outside: Outside | undefined, maxInstructions: number, realTime: RealTime | undefined): Stop | { readonly kind: 'replayed' } {
  const run = (most: number): Stop | { readonly kind: 'replayed' } => (outside === undefined ? machine.run({ maxInstructions: most }) : outside.run(most));
  if (realTime === undefined) {
    if (outside !== undefined) feed(terminal, outside);
    return run(maxInstructions);
  }
  return realTime.run(() => {
    // What was typed while the host slept comes when it was typed, and not when the sleep began.
    if (outside === undefined || terminal.untaken === 0) return run(maxInstructions);
    const before = machine.state.retired, stop = run(1), left = maxInstructions - (machine.state.retired - before);
    if (left < 1 || !(stop.kind === 'instruction-limit' || (stop.kind === 'halted' && stop.wakeable))) return stop;
    feed(terminal, outside);
    return run(left);
  });
}

/** A terminal has someone in front of it; a script wants its answer soon. */
function keepsRealTime(args: Arguments, outside: Outside | undefined): boolean {
  const text = args.text('realtime');
  if (text !== undefined && text !== 'on' && text !== 'off') throw new CommandError('usage', `--realtime: "${text}" is neither on nor off`);
  for (const other of ['replay', 'gdb']) if (text === 'on' && args.has(other)) throw new CommandError('usage', `--realtime on and --${other}: time is the instruction count there`);
  return text === undefined ? outside !== undefined && !outside.replays && process.stdin.isTTY : text === 'on';
}

function statusOf(ended: Ended): number {
  switch (ended.kind) {
    case 'debug-exit': return debugExitStatus(ended.value);
    case 'power-off': case 'replayed': return STATUS.ok.status;
    case 'reset': return STATUS.reset.status;
    case 'triple-fault': return STATUS.tripleFault.status;
    case 'halted': return STATUS.halted.status;
    case 'instruction-limit': case 'reached': case 'paused': return STATUS.instructionLimit.status;
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
  says: 'Boots IMAGE headlessly and ends as a CI job expects.\nIMAGE: ELF64 with a PVH note, ELF32 or any file with a Multiboot header, a Linux bzImage or vmlinux, or a flat binary with --load-address.\nCOM1 goes to stdout, stdin feeds it; on a terminal Ctrl-A x ends the machine.',
  options: RUN_OPTIONS,
  notes: `Processors (--cpu); features have the names that QEMU gives them:\n${describeModels()}\n\nExit status:\n${statusTable()}`,
  run,
};

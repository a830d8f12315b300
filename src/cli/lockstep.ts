/** `longmode lockstep`: the same image on a real QEMU and on longmode, compared instruction by instruction. */
import { runLockstep } from '../trace/lockstep.ts';
import { CpuStepper } from '../trace/cpu-stepper.ts';
import { QemuError } from '../trace/qemu-control.ts';
import { QemuLogError } from '../trace/qemu-log.ts';
import type { RecordOptions } from '../trace/qemu-recorder.ts';
import { differenceReport, forgivenReport, pageReport, successLine } from '../trace/report.ts';
import type { LockstepResult } from '../trace/lockstep.ts';
import type { Machine } from '../machine/machine.ts';
import { CommandError, STATUS } from './exit-status.ts';
import type { Arguments, Command, Options } from './options.ts';
import { showProgress } from './progress.ts';
import { print } from './stdout.ts';
import { Console } from './console.ts';
import { MACHINE_OPTIONS, bootFromArguments } from './boot.ts';
import { Output, RUN_OPTIONS as ALL_RUN_OPTIONS, writeReport } from './run.ts';

const { 'load-address': _1, 'entry': _2, 'bits': _3, ...IMAGE_OPTIONS } = MACHINE_OPTIONS;
const { engine, serial, report, quiet } = ALL_RUN_OPTIONS;
/** What of `run` goes with a comparison too. */
const RUN_OPTIONS = { engine, serial: { ...serial, says: 'write what the guest prints on COM1, on longmode, to FILE' }, report, quiet: { ...quiet, says: 'do not list what was taken from QEMU' } };

/** Options of the commands that run QEMU. */
export const QEMU_OPTIONS = {
  ...IMAGE_OPTIONS,
  'timeout': { value: 'SECONDS', says: 'end the run after this much time of the host (default 600)' },
  'qemu': { value: 'PATH', says: 'the emulator (default: qemu-system-x86_64 on the PATH)' },
} as const satisfies Options;

/** What QEMU is told, from the same options that build our machine. */
export function recordOptions(args: Arguments, machine: Machine, image: string): RecordOptions {
  if (machine.boot?.protocol === 'linux') {
    throw new CommandError('usage', 'QEMU does not enter Linux in long mode (a bzImage starts in its firmware): compare a vmlinux with a PVH note, without --protocol');
  }
  const cmdline = args.text('cmdline'), qemu = args.text('qemu');
  const timeoutSeconds = args.seconds('timeout'), debugExit = args.integer('debug-exit', 0, 0xffff);
  return {
    image, entry: machine.boot?.entry ?? 0, memoryBytes: machine.state.ramBytes, initrds: args.all('initrd'),
    ...(cmdline === undefined ? {} : { cmdline }), ...(qemu === undefined ? {} : { qemu }), cpu: machine.cpu.model,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }), ...(debugExit === undefined ? {} : { debugExit }),
  };
}

/** Our machine, in the hands of a comparison. */
export function stepperOf(machine: Machine): CpuStepper {
  return new CpuStepper({
    cpu: machine.cpu, engine: machine.reference, memory: machine.memory, mmio: machine.devices.mmio,
    afterInstruction: () => machine.devices.scheduler.advanceTo(machine.now()),
  });
}

/** Prints what a comparison found; the exit status of the command. */
export async function reportComparison(result: LockstepResult, stepper: CpuStepper, quiet = false): Promise<number> {
  const { lockstep, pages, last } = result;
  if (lockstep.difference) {
    await print(differenceReport(lockstep.difference, (place) => stepper.disassemble(place)));
    return STATUS.difference.status;
  }
  if (last?.unimplemented !== undefined) {
    await print(`the last instruction is not implemented: ${last.unimplemented}\n`);
    return STATUS.difference.status;
  }
  if (pages && pages.length > 0) {
    await print(pageReport(pages));
    return STATUS.difference.status;
  }
  await print(`${successLine(lockstep)}\n`);
  if (!quiet) process.stderr.write(forgivenReport(lockstep));
  return STATUS.ok.status;
}

/** Runs `action`, turning what can go wrong with QEMU into one line and its status. */
export async function withQemu<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (e) {
    if (e instanceof QemuError || e instanceof QemuLogError) throw new CommandError('environment', `QEMU: ${e.message}`);
    throw e;
  }
}

async function lockstep(args: Arguments): Promise<number> {
  const output = new Output(), serial = args.text('serial');
  const { machine, image } = bootFromArguments(args, output.put);
  const from = args.integer('from', 0, Number.MAX_SAFE_INTEGER), maxInstructions = args.integer('max-instructions', 1, Number.MAX_SAFE_INTEGER);
  const stepper = stepperOf(machine);
  if (serial !== undefined) output.console = new Console(serial);
  const started = performance.now();
  const stopProgress = showProgress(() => machine.state.retired);
  try {
    const result = await withQemu(() => runLockstep(recordOptions(args, machine, image), stepper, {
      ...(from === undefined ? {} : { from }), ...(maxInstructions === undefined ? {} : { maxInstructions }),
    }));
    stopProgress();
    if (result.recording.end === 'timeout') throw new CommandError('timeLimit', `lockstep: time was up after ${result.lockstep.compared} equal instructions`);
    const status = await reportComparison(result, stepper, args.has('quiet'));
    writeReport(machine, args, { reason: `lockstep: ${result.recording.end}`, status }, (performance.now() - started) / 1000);
    return status;
  } finally {
    stopProgress();
    output.console?.close();
  }
}

export const lockstepCommand: Command = {
  name: 'lockstep',
  operands: 'IMAGE',
  says: 'Runs IMAGE on a real QEMU (TCG) and on longmode at once and compares them, instruction by instruction.\n'
    + 'Every register is compared at every instruction, memory at checkpoints and at the end. CR8, which QEMU does not print, is followed through its log (MOV to CR8, writes to the local APIC)\n'
    + 'and held against its task priority register at each checkpoint.\n'
    + 'Prints `N instructions compared, 0 differences`, or the first difference with both states side by side (exit status 1).',
  options: { ...RUN_OPTIONS, ...QEMU_OPTIONS, 'from': { value: 'N', says: 'judge only from instruction N on; before it longmode follows QEMU' } },
  run: lockstep,
};

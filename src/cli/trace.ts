/** `longmode trace`: recordings of QEMU in files that are replayed without QEMU. */
import { ImageError } from '../machine/boot/index.ts';
import { Machine } from '../machine/machine.ts';
import { TraceFormatError, type Trace } from '../trace/format.ts';
import { replayLockstep } from '../trace/lockstep.ts';
import { isRecordedImage, readTraceFile, recordTrace } from '../trace/trace-file.ts';
import { CommandError } from './exit-status.ts';
import { outputReason, readInput, regularOutput } from './files.ts';
import { QEMU_OPTIONS, recordOptions, reportComparison, stepperOf, withQemu } from './lockstep.ts';
import { nearest, type Arguments, type Command } from './options.ts';
import { showProgress } from './progress.ts';
import { bootFromArguments, cpuOf } from './boot.ts';
import { print } from './stdout.ts';

const ACTIONS: Readonly<Record<string, (args: Arguments) => Promise<number>>> = { record, info, compare };

async function trace(args: Arguments): Promise<number> {
  const [action, ...operands] = args.operands;
  if (action === undefined) throw new CommandError('usage', `trace: say ${Object.keys(ACTIONS).join(', ')}`);
  const run = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!run) throw new CommandError('usage', `trace: unknown action "${action}"${nearest(action, Object.keys(ACTIONS), '')}`);
  try {
    return await run(args.withOperands(operands));
  } catch (e) {
    if (e instanceof TraceFormatError) throw new CommandError('image', e.message);
    throw e;
  }
}

async function record(args: Arguments): Promise<number> {
  const out = args.text('out');
  if (out === undefined) throw new CommandError('usage', 'trace record: --out FILE is missing');
  const { machine, image } = bootFromArguments(args);
  const maxInstructions = args.integer('max-instructions', 1, Number.MAX_SAFE_INTEGER);
  const options = { ...recordOptions(args, machine, image), includeImage: true, loadedRam: stepperOf(machine).ram, ...(maxInstructions === undefined ? {} : { maxInstructions }) };
  const written = await withQemu(() => recordTrace(options, regularOutput(out))).catch((e: unknown) => {
    throw (e as { code?: string }).code === undefined ? e : new CommandError('output', `${out}: cannot be written: ${outputReason(out, e)}`);
  });
  await print(`${written.instructions} instructions and ${written.interrupts} exceptions and interrupts of QEMU ${written.recording.qemuVersion} in ${written.fileBytes} bytes\n`);
  return 0;
}

/** The one FILE of `info` and `compare`, read. */
function traceOperand(args: Arguments): Trace {
  const [file] = args.operands;
  if (file === undefined) throw new CommandError('usage', 'trace: FILE is missing');
  return readTraceFile(file);
}

async function info(args: Arguments): Promise<number> {
  const { header, end, initialPages, image } = traceOperand(args);
  const rows: readonly (readonly [string, string | number])[] = [
    ['QEMU', header.qemuVersion], ['CPU model', header.cpu], ['command', header.commandLine.join(' ')], ['kernel command line', header.kernelCommandLine],
    ['image SHA-256', header.imageHash], ['image in the file', image.length === 0 ? 'no' : `${image.length} bytes`],
    ['memory', `${header.memoryBytes / 2 ** 20}M`], ['entry', `0x${header.entry.toString(16)}`], ['pages at the start', initialPages.size],
    ['instructions', end.instructions], ['exceptions and interrupts', end.interrupts],
    ['end', end.tripleFault ? 'triple fault' : end.status === null ? end.end : `${end.end}, status ${end.status}`],
  ];
  await print(rows.map(([name, value]) => `${name.padEnd(28)}${value}\n`).join(''));
  return 0;
}

async function compare(args: Arguments): Promise<number> {
  const recorded = traceOperand(args);
  const path = args.operands[1];
  const image = path === undefined ? recorded.image : readInput(path, 'image');
  if (image.length === 0) throw new CommandError('usage', 'trace compare: the trace does not hold its image; give it: trace compare FILE IMAGE');
  if (!isRecordedImage(recorded, image)) throw new CommandError('image', `image ${path ?? 'in the trace'}: not the one that was recorded (its SHA-256 differs)`);
  const machine = new Machine({ memoryBytes: recorded.header.memoryBytes, cpu: cpuOf(args) });
  try {
    machine.load(image, { cmdline: recorded.header.kernelCommandLine });
  } catch (e) {
    if (e instanceof ImageError) throw new CommandError('image', `image ${path ?? 'in the trace'}: ${e.message}`);
    throw e;
  }
  const from = args.integer('from', 0, Number.MAX_SAFE_INTEGER), maxInstructions = args.integer('max-instructions', 1, Number.MAX_SAFE_INTEGER);
  const stepper = stepperOf(machine);
  const stopProgress = showProgress(() => machine.state.retired);
  try {
    return await reportComparison(replayLockstep(recorded, stepper, { ...(from === undefined ? {} : { from }), ...(maxInstructions === undefined ? {} : { maxInstructions }) }), stepper);
  } finally {
    stopProgress();
  }
}

export const traceCommand: Command = {
  name: 'trace',
  operands: 'record IMAGE | info FILE | compare FILE [IMAGE]',
  says: 'Records a run of QEMU, with its image, into a compact file; shows what a file holds; compares longmode with it, without QEMU.',
  options: {
    ...QEMU_OPTIONS,
    'out': { value: 'FILE', says: 'record: the trace file to write' },
    'from': { value: 'N', says: 'compare: judge only from instruction N on' },
  },
  run: trace,
};

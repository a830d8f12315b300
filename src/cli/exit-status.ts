/** Every way a command can end, with its exit status. Odd statuses belong to the guest: `((V << 1) | 1) & 0xff` of its debug-exit value. */

export const STATUS = {
  ok: { status: 0, says: 'the guest powered the machine off, or the command did what was asked' },
  difference: { status: 1, says: 'lockstep or trace compare found a difference' },
  usage: { status: 2, says: 'the command line is wrong' },
  image: { status: 4, says: 'the image, initrd or another input file was rejected or cannot be read' },
  tripleFault: { status: 6, says: 'triple fault: the processor shut down' },
  halted: { status: 8, says: 'HLT with nothing left that could wake the processor' },
  instructionLimit: { status: 10, says: '--max-instructions were executed' },
  timeLimit: { status: 12, says: '--timeout seconds passed' },
  unimplemented: { status: 14, says: 'the guest used an instruction or device that longmode does not have' },
  reset: { status: 16, says: 'the guest reset the machine (keyboard controller, port 0x92 or 0xCF9)' },
  output: { status: 18, says: 'an output file, or stdout, cannot be written' },
  environment: { status: 20, says: 'a program that the command needs (QEMU) is missing or failed' },
  interrupted: { status: 130, says: 'ended by SIGINT, or by Ctrl-A x on a terminal' },
  terminated: { status: 143, says: 'ended by SIGTERM' },
} as const;

export type Ending = keyof typeof STATUS;

/** An ending that is the user's business: one line on stderr and a documented exit status. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly ending: Ending;
  constructor(ending: Ending, message: string) {
    super(message);
    this.ending = ending;
  }
}

/** Exit status of a guest write to the debug-exit port, as QEMU's isa-debug-exit computes it. */
export const debugExitStatus = (value: number): number => ((value << 1) | 1) & 0xff;

/** The table of exit statuses for `--help`. */
export const statusTable = (): string => [
  '    ((V << 1) | 1) & 0xff   the guest wrote V to the debug-exit port',
  ...Object.values(STATUS).map((s) => `    ${String(s.status).padEnd(4)}${s.says}`),
].join('\n');

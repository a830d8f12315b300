/** stdout as a command writes it: what cannot be written is noticed once, wherever it happens, and ends the command. */
import { CommandError, STATUS } from './exit-status.ts';

let failure: NodeJS.ErrnoException | undefined;

/** Installs the handlers; once, before anything is written. A reader that goes away (`| head`) is no news; anything else is one line. */
export function watchStdout(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (failure) return;
    failure = error;
    if (error.code !== 'EPIPE') process.stderr.write(`longmode: stdout cannot be written: ${error.message}\n`);
    process.exitCode = STATUS.output.status;
  });
  process.stderr.on('error', () => undefined);
}

/** True when nobody takes stdout any more. */
export const stdoutFailed = (): boolean => failure !== undefined;

/** Resolves when stdout has taken what was written, or never will. */
export async function stdoutDrained(): Promise<void> {
  if (failure || !process.stdout.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'error', 'close']) process.stdout.off(event, done);
      resolve();
    };
    for (const event of ['drain', 'error', 'close']) process.stdout.on(event, done);
  });
}

/** Writes text to stdout. Throws CommandError('output'), without words because they have been said, once stdout has failed. */
export async function print(text: string): Promise<void> {
  if (!failure) process.stdout.write(text);
  await stdoutDrained();
  if (stdoutFailed()) throw new CommandError('output', '');
}

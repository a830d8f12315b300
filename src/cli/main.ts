/** The command `longmode`: finds the command, turns what goes wrong into one line and an exit status. */
import { readFileSync } from 'node:fs';
import { CommandError, STATUS, statusTable } from './exit-status.ts';
import { help, nearest, parseArguments, type Command } from './options.ts';
import { demoCommand } from './demo.ts';
import { disassembleCommand } from './disassemble.ts';
import { kernelCommand } from './kernel.ts';
import { lockstepCommand } from './lockstep.ts';
import { runCommand } from './run.ts';
import { traceCommand } from './trace.ts';

const COMMANDS: readonly Command[] = [runCommand, demoCommand, kernelCommand, lockstepCommand, traceCommand, disassembleCommand];

function overview(): string {
  const width = Math.max(...COMMANDS.map((c) => c.name.length + c.operands.length)) + 5;
  return [
    'longmode: the x86-64 machine you can see into', '', 'Usage: longmode COMMAND ...', '',
    ...COMMANDS.map((c) => `  ${`${c.name} ${c.operands}`.padEnd(width)}${c.says.split('\n')[0] ?? ''}`), '',
    '  longmode COMMAND --help      options of one command',
    '  longmode --version', '', `Exit status:\n${statusTable()}`, '',
  ].join('\n');
}

/** Version of the package this file belongs to. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

/** Runs one command line (without `node longmode.js`) and returns its exit status. */
export async function main(words: readonly string[]): Promise<number> {
  try {
    return await dispatch(words);
  } catch (e) {
    if (!(e instanceof CommandError)) throw e;
    process.stderr.write(`longmode: ${e.message}\n`);
    return STATUS[e.ending].status;
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === '--version' || name === '-V') {
    process.stdout.write(`longmode ${version()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return 0;
  }
  if (name === undefined) throw new CommandError('usage', 'no command given; longmode --help lists them');
  const command = COMMANDS.find((c) => c.name === name);
  if (!command) {
    throw new CommandError('usage', name.startsWith('-')
      ? `unknown option ${name}${nearest(name.replace(/^-+/, ''), ['help', 'version'])}`
      : `unknown command "${name}"${nearest(name, COMMANDS.map((c) => c.name), '')}`);
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(help(command));
    return 0;
  }
  return command.run(parseArguments(command, rest));
}

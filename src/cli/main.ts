/** The command `longmode`: finds the command, turns what goes wrong into one line and an exit status. */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { CommandError, STATUS, statusTable } from './exit-status.ts';
import { print, stdoutFailed, watchStdout } from './stdout.ts';
import { help, nearest, parseArguments, type Command } from './options.ts';

/** Commands by name. Each is loaded when it is called: starting a guest does not wait for the code that talks to QEMU. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import('./run.ts')).runCommand,
  debug: async () => (await import('./debug.ts')).debugCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  kernel: async () => (await import('./kernel.ts')).kernelCommand,
  lockstep: async () => (await import('./lockstep.ts')).lockstepCommand,
  trace: async () => (await import('./trace.ts')).traceCommand,
  disassemble: async () => (await import('./disassemble.ts')).disassembleCommand,
};

async function overview(): Promise<string> {
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  const width = Math.max(...commands.map((c) => c.name.length + c.operands.length)) + 5;
  return [
    'longmode: the x86-64 machine you can see into', '', 'Usage: longmode COMMAND ...', '',
    ...commands.map((c) => `  ${`${c.name} ${c.operands}`.padEnd(width)}${c.says.split('\n')[0] ?? ''}`), '',
    '  longmode COMMAND --help      options of one command',
    '  longmode --version', '', `Exit status:\n${statusTable()}`, '',
  ].join('\n');
}

/** Version of the package this file belongs to. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

/**
 * Translated code that a guest no longer runs is garbage that V8 hardly sees: it lets its heap grow to several times of what lives in it before it looks, and
 * what hangs on that lies elsewhere. So the heap grows by a fifth at a time: a run that translates 100,000 regions keeps a third less memory.
 */
setFlagsFromString('--heap-growing-percent=20');
/**
 * When V8 hands a WebAssembly function to its optimizing compiler, in about the bytes executed of it; by itself it waits for 13 million. What is translated here has been hot for long,
 * and a handler serves all instructions of its form. Linux to its init takes 4 % less (Node 24; the same from 300,000 to 3 million).
 */
setFlagsFromString('--wasm-tiering-budget=1000000');

/** Runs one command line (without `node longmode.js`) and returns its exit status. */
export async function main(words: readonly string[]): Promise<number> {
  watchStdout();
  try {
    const status = await dispatch(words);
    return stdoutFailed() ? STATUS.output.status : status;
  } catch (e) {
    if (!(e instanceof CommandError)) throw e;
    if (e.message !== '') process.stderr.write(`longmode: ${e.message}\n`);
    return STATUS[e.ending].status;
  }
}

async function dispatch(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === '--version' || name === '-V') {
    await print(`longmode ${version()}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    await print(await overview());
    return 0;
  }
  if (name === undefined) throw new CommandError('usage', 'no command given; longmode --help lists them');
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    throw new CommandError('usage', name.startsWith('-')
      ? `unknown option ${name}${nearest(name.replace(/^-+/, ''), ['help', 'version'])}`
      : `unknown command "${name}"${nearest(name, Object.keys(COMMANDS), '')}`);
  }
  const command = await load();
  if (rest.includes('--help') || rest.includes('-h')) {
    await print(help(command));
    return 0;
  }
  return command.run(parseArguments(command, rest));
}

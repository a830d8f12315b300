/** `longmode demo`, which is `npm start`: the guest kernel on a machine of its own. */
import { SCENARIOS, buildKernel, kernelElf } from '../kernel/index.ts';
import { Machine } from '../machine/machine.ts';
import { CommandError } from './exit-status.ts';
import { nearest, type Arguments, type Command } from './options.ts';
import { scenarioList } from './scenario-list.ts';
import { Output, RUN_OPTIONS, runToEnd } from './run.ts';

const { engine, timeout, serial, report, quiet } = RUN_OPTIONS;

async function demo(args: Arguments): Promise<number> {
  const [scenario = 'all', ...rest] = args.operands;
  if (rest.length > 0) throw new CommandError('usage', `one SCENARIO only; what is ${rest[0]}?`);
  const names = ['all', ...SCENARIOS.map((s) => s.name)];
  if (!names.includes(scenario)) throw new CommandError('usage', `unknown scenario "${scenario}"${nearest(scenario, names, '')}; there are ${names.join(', ')}`);
  const output = new Output();
  const machine = new Machine({ onOutput: output.put });
  machine.load(kernelElf(buildKernel()), { name: 'kernel', cmdline: `scenario=${scenario}` });
  return runToEnd(machine, args, output);
}

export const demoCommand: Command = {
  name: 'demo',
  operands: '[SCENARIO]',
  says: 'Boots the guest kernel and shows what it does with memory (this is npm start).',
  options: { engine, timeout, serial, report, quiet },
  notes: `Scenarios (default: all, which runs those marked *):\n${scenarioList()}`,
  run: demo,
};

/** The prompt's `bt`: who called whom, and where in the source that is; also before paging is on, where code runs at its load address. */
import { expect, it } from 'vitest';
import { Debugger } from '../../src/debug/debugger.ts';
import { postMortem } from '../../src/debug/post-mortem.ts';
import { Prompt } from '../../src/debug/prompt/prompt.ts';
import { readSourceLines } from '../../src/debug/source-lines.ts';
import { kernelFile } from '../kernel/support/boot.ts';
import { kernelMachine } from '../machine/support/guests.ts';

it('shows the guest kernel\'s TypeScript, also behind the frame of an exception', () => {
  const prompt = new Prompt(new Debugger(kernelMachine('faults')), () => readSourceLines(kernelFile()));
  prompt.debug.toAddress(prompt.debug.symbols.addressOf('page_fault')!).advance();
  const outcome = prompt.execute('bt');
  const lines = outcome.kind === 'text' ? outcome.lines : [];
  expect(lines[0]).toMatch(/^#0 {2}0x\w+ <page_fault> at .*page-fault\.ts:\d+ {2}rsp 0x/);
  expect(lines[1]).toMatch(/^#1 {2}0x\w+ <interrupt_dispatch\+0x\w+> at .*idt\.ts:\d+ {2}rsp 0x/);
  expect(lines.find((line) => line.endsWith('(interrupted here)'))).toMatch(/ at .*heap\.ts:\d+ /);
});

it('names functions and lines of a kernel that is linked high before it has turned paging on, in a post-mortem, too', () => {
  const debug = new Debugger(kernelMachine('faults')), { machine } = debug;
  const prompt = new Prompt(debug, () => readSourceLines(kernelFile()));
  debug.step(12);
  expect(machine.state.cr0 >>> 31).toBe(0);
  const outcome = prompt.execute('bt');
  expect(outcome.kind === 'text' ? outcome.lines[0] : '').toMatch(/^#0 {2}0x10[0-9a-f]{4} <\w+\+0x[0-9a-f]+> at \S*src\/kernel\/boot\.ts:\d+ {2}rsp/);
  debug.writeMemory(machine.state.rip, Uint8Array.of(0x0f, 0x0b));
  expect(debug.continue().kind).toBe('triple-fault');
  expect(postMortem(machine, debug.symbols)).toMatch(/^Triple fault after \d+ instructions, at RIP 0x10[0-9a-f]{4} <\w+\+0x[0-9a-f]+>: #UD/);
});

it('names nothing of a program in ring 3 after the kernel, wherever it lies', () => {
  const debug = new Debugger(kernelMachine('ring3')), { machine, symbols } = debug;
  while (machine.state.cpl !== 3) debug.continue(1000);
  expect(symbols.name(machine.state.rip)).toBeUndefined();
  expect(symbols.name(0x10_0025n)).toBeUndefined();
});

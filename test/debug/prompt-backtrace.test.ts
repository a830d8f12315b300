/** The prompt's `bt`: who called whom, and where in the source that is. */
import { expect, it } from 'vitest';
import { Debugger } from '../../src/debug/debugger.ts';
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

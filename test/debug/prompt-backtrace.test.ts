/** The prompt's `bt`: who called whom, and where in the source that is; also before paging is on, where code runs at its load address. */
import { expect, it } from 'vitest';
import { assemble, at, eax, esp, label } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { postMortem } from '../../src/debug/post-mortem.ts';
import { Prompt } from '../../src/debug/prompt/prompt.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { stackView } from '../../src/debugger/worker/time-view.ts';
import { Machine } from '../../src/machine/machine.ts';
import { ImageNotes } from '../../src/debug/image-notes.ts';
import { kernelFile } from '../kernel/support/boot.ts';
import { kernelMachine } from '../machine/support/guests.ts';

it('shows the guest kernel\'s TypeScript, also behind the frame of an exception', () => {
  const prompt = new Prompt(new Debugger(kernelMachine('faults')), new ImageNotes(kernelFile));
  prompt.debug.toAddress(prompt.debug.symbols.addressOf('page_fault')!).advance();
  const outcome = prompt.execute('bt');
  const lines = outcome.kind === 'text' ? outcome.lines : [];
  expect(lines[0]).toMatch(/^#0 {2}0x\w+ <page_fault> at .*page-fault\.ts:\d+ {2}rsp 0x/);
  expect(lines[1]).toMatch(/^#1 {2}0x\w+ <interrupt_dispatch\+0x\w+> at .*idt\.ts:\d+ {2}rsp 0x/);
  expect(lines.find((line) => line.endsWith('(interrupted here)'))).toMatch(/ at .*heap\.ts:\d+ /);
});

it('names functions and lines of a kernel that is linked high before it has turned paging on, in a post-mortem, too', () => {
  const debug = new Debugger(kernelMachine('faults')), { machine } = debug;
  const prompt = new Prompt(debug, new ImageNotes(kernelFile));
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
  expect(symbols.name(0x10_1100n)).toBeUndefined();
});

it('finds its way behind the frame of an exception in 32-bit code, which has no stack pointer in it', () => {
  const { bytes, symbols } = assemble((a) => {
    a.mov(esp, 0x7_0000);
    a.lgdt(at('gdtr'));
    a.lidt(at('idtr'));
    a.call('faulting');
    a.hlt();
    a.label('faulting');
    a.push(0x1234);
    a.label('fault');
    a.ud2();
    a.label('handler');
    a.push(eax);
    a.label('here');
    a.hlt();
    a.align(8);
    a.label('gdt');
    // The loader's CS is 0x10.
    a.dq(0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9b00_0000_ffffn);
    a.label('gdtr');
    a.dw(3 * 8 - 1);
    a.dd(label('gdt'));
    a.label('idtr');
    a.dw(7 * 8 - 1);
    a.dd(label('idt'));
    a.align(8);
    a.label('idt');
    a.dq(0n, 0n, 0n, 0n, 0n, 0n);
    // An interrupt gate of selector 8 for #UD: its handler lies below 64 KiB.
    a.dw(label('handler'));
    a.dw(8, 0x8e00, 0);
  }, { bits: 32, origin: 0x8000 });
  const machine = new Machine({ memoryBytes: 16 << 20 });
  machine.load(bytes, { flat: { loadAddress: 0x8000, entry: 0x8000, bits: 32 } });
  const table = new SymbolTable([...symbols].map(([name, { linear }]) => ({ name, address: linear, size: 0 })));
  const debug = new Debugger(machine, { symbols: table });
  debug.toAddress(symbols.get('here')!.linear).advance();
  const { frames, slots } = stackView(debug, new ImageNotes(() => bytes).lines);
  expect(frames.map(({ name, by }) => `${name} ${by}`)).toEqual(['here current', 'fault event', 'undefined call']);
  expect(slots.slice(0, 6).map(({ note }) => note)).toEqual([undefined, 'exception frame: EIP fault', 'exception frame: CS', 'exception frame: EFLAGS', undefined, expect.stringContaining('return')]);
});

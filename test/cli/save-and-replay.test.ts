/** `run --save, --restore, --record, --replay` as a user has them. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { al, assemble, at, dx, rsi } from '../../src/assembler/index.ts';
import { ENGINE_NAMES } from '../../src/machine/machine.ts';
import { longmode, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
const file = (name: string): string => join(folder, name);
const FLAT = ['--load-address', '0x200000', '--bits', '64'];

/** Prints a text slowly, then says with the debug exit how it was. */
function slowPrinter(): string {
  const { bytes } = assemble((a) => {
    a.lea(rsi, at('text'));
    a.mov(dx, 0x3f8);
    a.label('next');
    for (let n = 0; n < 100; n++) a.nop();
    a.lodsb();
    a.test(al, al);
    a.je('done');
    a.out(dx, al);
    a.jmp('next');
    a.label('done');
    a.mov(dx, 0xf4);
    a.mov(al, 3);
    a.out(dx, al);
    a.label('text');
    a.db('one two three\n\0');
  }, { bits: 64, origin: 0x20_0000 });
  writeFileSync(file('slow.bin'), bytes);
  return file('slow.bin');
}

/** Answers each byte with the next one, until a newline. */
function answering(): string {
  const { bytes } = assemble((a) => {
    a.label('wait');
    a.mov(dx, 0x3fd);
    a.in(al, dx);
    a.test(al, 1);
    a.je('wait');
    a.mov(dx, 0x3f8);
    a.in(al, dx);
    a.cmp(al, 0x0a);
    a.je('done');
    a.inc(al);
    a.out(dx, al);
    a.jmp('wait');
    a.label('done');
    a.mov(dx, 0xf4);
    a.out(dx, al);
  }, { bits: 64, origin: 0x20_0000 });
  writeFileSync(file('answering.bin'), bytes);
  return file('answering.bin');
}

describe('--save and --restore', () => {
  it.each(ENGINE_NAMES)('a run in three pieces prints what one run prints › %s', (engine) => {
    const image = slowPrinter(), snapshot = file(`${engine}.snapshot`);
    const first = longmode(['run', image, ...FLAT, '--engine', engine, '--max-instructions', '300', '--save', snapshot, '--quiet']);
    expect(first.status).toBe(10);
    const second = longmode(['run', '--restore', snapshot, '--engine', engine, '--max-instructions', '500', '--save', snapshot, '--quiet']);
    expect(second.status).toBe(10);
    const third = longmode(['run', '--restore', snapshot, '--engine', engine]);
    expect(third.status).toBe(7);
    expect([first.stdout, second.stdout, third.stdout].map((text) => text.length).filter((n) => n > 0)).toHaveLength(3);
    expect(first.stdout + second.stdout + third.stdout).toBe('one two three\n');
  });
  it('a damaged, truncated or foreign file is refused in one line, status 4', () => {
    const snapshot = file('good.snapshot');
    longmode(['run', slowPrinter(), ...FLAT, '--max-instructions', '300', '--save', snapshot]);
    const bytes = readFileSync(snapshot);
    writeFileSync(file('short.snapshot'), bytes.subarray(0, bytes.length - 5));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file('flipped.snapshot'), bytes);
    expect(longmode(['run', '--restore', file('short.snapshot')])).toMatchObject({ status: 4, stdout: '', stderr: expect.stringMatching(/^longmode: --restore .*short\.snapshot: is damaged: .*\n$/) as string });
    expect(longmode(['run', '--restore', file('flipped.snapshot')])).toMatchObject({ status: 4, stderr: expect.stringMatching(/^longmode: .*: is damaged: its checksum is wrong\n$/) as string });
    expect(longmode(['run', '--restore', slowPrinter()])).toMatchObject({ status: 4, stderr: expect.stringMatching(/^longmode: .*: is no snapshot\n$/) as string });
    expect(longmode(['run', '--restore', file('nothing')])).toMatchObject({ status: 4, stderr: expect.stringMatching(/no such file\n$/) as string });
    expect(longmode(['run', '--restore', snapshot, '--memory', '64M'])).toMatchObject({ status: 2, stderr: 'longmode: --restore and --memory: the snapshot has it already\n' });
  });
  it('what cannot be written is said, and nothing is left behind', () => {
    const outcome = longmode(['run', slowPrinter(), ...FLAT, '--save', join(folder, 'missing', 'x'), '--quiet']);
    expect(outcome).toMatchObject({ status: 18, stderr: expect.stringMatching(/cannot be written: there is no folder .*\/missing\n$/) as string });
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('--record and --replay', () => {
  it('a replay needs no input and prints the same on every engine', () => {
    const image = answering(), log = file('answers.log');
    const recorded = longmode(['run', image, ...FLAT, '--record', log], { input: 'HAL and the rest of it\n' });
    expect(recorded).toEqual({ status: 21, stdout: 'IBM!boe!uif!sftu!pg!ju', stderr: '' });
    for (const engine of ENGINE_NAMES) expect(longmode(['run', image, ...FLAT, '--replay', log, '--engine', engine]), engine).toEqual(recorded);
  });
  it('ends where the recording ended', () => {
    const image = answering(), log = file('cut.log');
    const recorded = longmode(['run', image, ...FLAT, '--record', log, '--max-instructions', '3000000', '--quiet'], { input: 'HAL' });
    expect(recorded).toMatchObject({ status: 10, stdout: 'IBM' });
    expect(longmode(['run', image, ...FLAT, '--replay', log])).toEqual({ status: 0, stdout: 'IBM', stderr: expect.stringMatching(/^longmode: the recording ends here, at RIP 0x2000\w\w after 3000000 instructions\.\n$/) as string });
  });
  it('of another image, or a file that is none, is refused in one line', () => {
    const log = file('other.log');
    longmode(['run', answering(), ...FLAT, '--record', log], { input: '\n' });
    expect(longmode(['run', slowPrinter(), ...FLAT, '--replay', log])).toMatchObject({ status: 4, stderr: expect.stringMatching(/was recorded with another image, snapshot, command line, initrd or memory size\n$/) as string });
    expect(longmode(['run', answering(), ...FLAT, '--replay', slowPrinter()])).toMatchObject({ status: 4, stderr: expect.stringMatching(/^longmode: --replay .*: is no input log\n$/) as string });
    expect(longmode(['run', answering(), ...FLAT, '--replay', log, '--record', log])).toMatchObject({ status: 2 });
  });
  it('a replay ends as the recorded guest ended, also by HLT with interrupts off', () => {
    const image = file('halts.bin'), log = file('halts.log');
    writeFileSync(image, Uint8Array.of(0xfa, 0xf4));
    const recorded = longmode(['run', image, ...FLAT, '--record', log]);
    expect(recorded.status).toBe(8);
    for (const engine of ENGINE_NAMES) expect(longmode(['run', image, ...FLAT, '--replay', log, '--engine', engine]), engine).toEqual(recorded);
    expect(longmode(['run', image, ...FLAT, '--replay', log, '--on-fault', 'debug'], { input: 'back\nquit\n' })).toMatchObject({ status: 8, stderr: expect.stringMatching(/^=> 0x200001 .*hlt/m) as string });
  });
  it('the real-time clock of a recording is that of its replay', () => {
    const { bytes } = assemble((a) => {
      for (const register of [4, 2, 0]) {
        a.mov(al, register);
        a.out(0x70, al);
        a.in(al, 0x71);
        a.mov(dx, 0x3f8);
        a.out(dx, al);
      }
      a.mov(dx, 0xf4);
      a.out(dx, al);
    }, { bits: 64, origin: 0x20_0000 });
    writeFileSync(file('clock.bin'), bytes);
    const shown = longmode(['run', file('clock.bin'), ...FLAT, '--rtc', '1000000000', '--record', file('clock.log')]);
    expect(shown.stdout).toBe('\x01\x46\x40');
    expect(longmode(['run', file('clock.bin'), ...FLAT, '--replay', file('clock.log')])).toEqual(shown);
  });
});

/** The ELF file: what readelf and gdb, which must not be absent in CI, and QEMU make of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { al, Assembler, cr0, dx, eax, edi, label, listing, qword, rax, rdi, writeElf } from '../../src/assembler/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'longmode-elf-'));
afterAll(() => rmSync(folder, { recursive: true }));
const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const run = (tool: string, ...args: string[]): string => execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** A kernel that says "ok" on the debug console and leaves through debug-exit; its upper half is only for the debugger to look at. */
function kernel(): Assembler {
  const a = new Assembler({ origin: 0x100000n, virtualBase: 0xffffffff80000000n, sourceRoot: new URL('../..', import.meta.url).href });
  a.bits(32);
  a.section('.boot');
  a.func('pvh_entry', () => {
    a.mov(eax, cr0);
    a.mov(dx, 0xe9);
    for (const c of 'ok\n') {
      a.mov(al, c.charCodeAt(0));
      a.out(dx, al);
    }
    a.mov(edi, label('zeroes').physical());
    a.mov(al, 7);
    a.out(0xf4, al);
    a.label('.hang');
    a.hlt();
    a.jmp('.hang');
  });
  a.bits(64);
  a.section('.text');
  a.func('pmm_alloc', () => {
    a.mov(rax, qword('free_list'));
    a.ret();
  });
  a.func('pmm_free', () => {
    a.mov(qword('free_list'), rdi);
    a.ret();
  });
  a.section('.data');
  a.object('free_list', () => a.dq(0x1234n));
  a.section('.bss');
  a.object('zeroes', () => a.reserve(0x3000));
  a.entry('pvh_entry');
  return a;
}
const image = kernel().link();
const file = join(folder, 'kernel.elf');
writeFileSync(file, writeElf(image, { pvhEntry: 'pvh_entry', compilationDirectory: '/src/longmode' }));
const sourceLine = (symbol: string): number => image.lines.find((x) => x.linear === image.symbols.get(symbol)?.linear)?.source.line as number;

describe('readelf', () => {
  test.skipIf(!has('readelf'))('reads every table without a complaint', () => {
    const result = spawnSync('readelf', ['-a', '-W', file], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    const text = result.stdout;
    expect(text).toMatch(/Entry point address: +0x100000/);
    expect(text).toMatch(/LOAD +0x001000 0x0000000000100000 0x0000000000100000 \S+ \S+ R E 0x1000/);
    expect(text).toMatch(/LOAD +0x002000 0xffffffff80101000 0x0000000000101000 \S+ \S+ R E 0x1000/);
    expect(text).toMatch(/LOAD +0x\w+ 0xffffffff80102000 0x0000000000102000 0x000008 0x000008 RW +0x1000/);
    expect(text).toMatch(/LOAD +0x\w+ 0xffffffff80103000 0x0000000000103000 0x000000 0x003000 RW +0x1000/);
    expect(text).toMatch(/ffffffff80101000 +\d+ FUNC +GLOBAL DEFAULT +\d+ pmm_alloc/);
    expect(text).toMatch(/ffffffff80103000 +12288 OBJECT +GLOBAL DEFAULT +\d+ zeroes/);
    expect(text).toMatch(/Xen +0x00000008/);
  });
  test.skipIf(!has('readelf'))('reads the debugging information without a complaint', () => {
    const result = spawnSync('readelf', ['--debug-dump=info,decodedline,ranges,abbrev,str', '-W', file], { encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.stdout).toContain('DW_TAG_subprogram');
    expect(result.stdout).toMatch(new RegExp(`elf\\.test\\.ts +${sourceLine('pmm_free')} +0x`));
  });
});

const gdb = (...commands: string[]): string => run('gdb', '-nx', '-batch', ...commands.flatMap((x) => ['-ex', x]), file);

describe('gdb', () => {
  test.skipIf(!has('gdb'))('maps a function to its TypeScript line', () => {
    expect(gdb('info line pmm_alloc')).toContain(`Line ${sourceLine('pmm_alloc')} of "test/assembler/elf.test.ts" starts at address 0xffffffff80101000 <pmm_alloc>`);
  });
  test.skipIf(!has('gdb'))('maps an address in the boot section to its function and line', () => {
    expect(gdb('info symbol 0x100005', 'info line *0x100000')).toMatch(/pvh_entry \+ 5 in section \.boot[^]*Line \d+ of "test\/assembler\/elf\.test\.ts"/);
  });
  test.skipIf(!has('gdb'))('sets a breakpoint by source line and disassembles with symbols', () => {
    expect(gdb(`break elf.test.ts:${sourceLine('pmm_free')}`)).toContain('Breakpoint 1 at 0xffffffff80101008');
    expect(gdb('disassemble pmm_alloc')).toMatch(/mov +0x\w+\(%rip\),%rax +# 0xffffffff80102000 <free_list>/);
  });
});

describe('variables', () => {
  const a = new Assembler({ origin: 0x200000n });
  a.section('.data');
  a.object('one', () => a.dq(1));
  a.object('words', () => a.dw(1, 2, 3));
  a.object('said', () => a.db('hello'));
  a.object('mixed', () => { a.dw(7); a.dq(8); });
  a.section('.bss');
  a.object('counter', () => a.reserve(4));
  a.object('stack', () => a.reserve(4096));
  a.section('.text');
  a.label('start');
  a.hlt();
  a.entry('start');
  const path = join(folder, 'variables.elf');
  writeFileSync(path, writeElf(a.link()));
  test.skipIf(!has('gdb'))('have the types that their data, or their size, says', () => {
    const shown = run('gdb', '-nx', '-batch', ...['one', 'words', 'said', 'mixed', 'counter', 'stack'].flatMap((name) => ['-ex', `whatis ${name}`]), '-ex', 'print one', '-ex', 'print words', '-ex', 'print said', path);
    expect(shown).toBe(['type = u64', 'type = u16 [3]', 'type = u8 [5]', 'type = u8 [10]', 'type = u32', 'type = u64 [512]', '$1 = 1', '$2 = {1, 2, 3}', '$3 = "hello"', ''].join('\n'));
  });
});

test.skipIf(!has('qemu-system-x86_64'))('QEMU starts the PVH entry and hears from the kernel', () => {
  const result = spawnSync('qemu-system-x86_64', ['-kernel', file, '-display', 'none', '-nodefaults', '-no-reboot', '-m', '32M', '-debugcon', 'stdio', '-device', 'isa-debug-exit,iobase=0xf4,iosize=1'], { encoding: 'utf8', timeout: 20_000 });
  expect(result.stdout).toBe('ok\n');
  expect(result.status).toBe((7 << 1) | 1);
});

test('the listing has address, bytes, text and source line of every instruction', () => {
  const text = listing(image);
  expect(text).toMatch(/^ffffffff80101000 {2}pmm_alloc:\nffffffff80101000 {2}48 8b 05 f9 0f 00 00 +mov rax, qword ptr \[free_list\] +; test\/assembler\/elf\.test\.ts:\d+$/m);
  expect(text).toMatch(/^ffffffff80102000 {2}34 12 00 00 00 00 00 00 +data +; test\/assembler\/elf\.test\.ts:\d+$/m);
});

test('an entry that does not exist is refused', () => {
  expect(() => writeElf(image, { pvhEntry: 'nowhere' })).toThrow('entry nowhere is not a label of the image');
  expect(() => writeElf(image, { entry: 'nowhere' })).toThrow('entry nowhere is not a label of the image');
});

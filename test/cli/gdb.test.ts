/** `run --gdb` with Debian's gdb: what a kernel's author does with it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Assembler, cr0, cr3, cr4, dword, eax, imm, label, writeElf } from '../../src/assembler/index.ts';
import { sourceMapResolver } from '../../src/cli/source-maps.ts';
import { buildKernel, kernelElf } from '../../src/kernel/index.ts';
import { PROGRAM, temporaryFolder, longmode } from '../support/cli.ts';

const hasGdb = spawnSync('gdb', ['--version']).status === 0;
// CI installs gdb: there its absence is a mistake.
if (!hasGdb && process.env['CI'] !== undefined) throw new Error('gdb is missing');
const kernel = join(temporaryFolder(), 'kernel.elf');
writeFileSync(kernel, kernelElf(buildKernel({ resolveLocation: sourceMapResolver() })));

const children: ChildProcess[] = [];
afterEach(() => { for (const child of children.splice(0)) child.kill('SIGKILL'); });

interface Waiting { readonly port: number; readonly child: ChildProcess; readonly ended: Promise<{ status: number | null; stdout: string }> }

/** Starts a machine that waits for gdb on a port of the system's choice. */
function waiting(scenario: string, ...more: string[]): Promise<Waiting> { return waitingWith(kernel, '--cmdline', `scenario=${scenario}`, ...more); }
async function waitingWith(image: string, ...more: string[]): Promise<Waiting> {
  const child = spawn(process.execPath, [PROGRAM, 'run', image, '--gdb', '0', ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let stdout = '', stderr = '';
  child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString('latin1'); });
  const port = await new Promise<number>((resolve, reject) => {
    child.stderr.on('data', (bytes: Buffer) => {
      stderr += bytes.toString('latin1');
      const found = /gdb can connect to 127\.0\.0\.1:(\d+)/.exec(stderr);
      if (found !== null) resolve(Number(found[1]));
    });
    child.on('exit', () => { reject(new Error(stderr)); });
  });
  const ended = new Promise<{ status: number | null; stdout: string }>((resolve) => { child.on('close', (status) => { resolve({ status, stdout }); }); });
  return { port, child, ended };
}

/** A session of gdb with these commands; what it printed. */
const gdb = (port: number, ...commands: string[]): Promise<string> => gdbWith(kernel, port, ...commands);
async function gdbWith(image: string, port: number, ...commands: string[]): Promise<string> {
  const words = ['set pagination off', 'set confirm off', 'set width 0', `target remote :${port}`, ...commands].flatMap((command) => ['-ex', command]);
  const child = spawn('gdb', ['-nx', '-batch', ...words, image], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => { text += bytes.toString('latin1'); });
  await new Promise((resolve) => { child.on('close', resolve); });
  return text;
}

describe.skipIf(!hasGdb)('gdb', () => {
  it('breaks on a symbol that is not mapped yet, and shows the stack in TypeScript lines', async () => {
    const { port } = await waiting('alloc');
    const text = await gdb(port, 'break page_fault', 'continue', 'bt', 'detach');
    expect(text).toMatch(/Breakpoint 1, page_fault \(\) at .*src\/kernel\/page-fault\.ts:\d+/);
    expect(text).toMatch(/#1 .* interrupt_dispatch \(\) at .*src\/kernel\/idt\.ts:\d+\n#2 +<signal handler called>\n#3 .*block_make \(\) at .*src\/kernel\/heap\.ts:\d+\n#4 .*heap_initialise \(\) at [^]*\n#\d+ +0x[0-9a-f]+ in long_mode \(\) at .*boot\.ts:\d+\n/);
  });
  it('breaks where a kernel that is linked high has been loaded, and where it has mapped itself afterwards', async () => {
    const a = new Assembler({ bits: 32, origin: 0x20_0000, virtualBase: 0xc000_0000n }), DIRECTORY = 0x30_0000, FIRST = dword(DIRECTORY), HIGH = dword(DIRECTORY + 4 * 0x300);
    a.func('start', () => {
      // Pages of 4 MiB: the first where it is, and at 3 GiB.
      a.mov(FIRST, 0x83);
      a.mov(HIGH, 0x83);
    });
    a.func('turn_on', () => {
      a.mov(eax, DIRECTORY);
      a.mov(cr3, eax);
      a.mov(eax, 0x10);
      a.mov(cr4, eax);
      a.mov(eax, imm(0x8000_0011, 32));
      a.mov(cr0, eax);
      a.mov(eax, imm(label('main'), 32));
      a.jmp(eax);
    });
    a.func('main', () => {
      a.cli();
      a.hlt();
    });
    const file = join(temporaryFolder(), 'high.elf');
    writeFileSync(file, writeElf(a.link(), { entry: 'start', pvhEntry: 'start' }));
    const { port } = await waitingWith(file);
    const text = await gdbWith(file, port, 'break *turn_on', 'break *main', 'continue', 'continue', 'stepi', 'reverse-continue', 'reverse-continue', 'reverse-continue', 'kill');
    const at = /longmode: execution comes to 0x2000\w\w <turn_on>, where it has been loaded/;
    expect(text).toMatch(new RegExp(`${at.source}[^]*SIGTRAP[^]*Breakpoint 2, main \\(\\) at [^]*Breakpoint 2, main \\(\\) at [^]*${at.source}[^]*No more reverse-execution history[^]*0x0*200000 in`));
  });
  it('steps across the switch to long mode in one session', async () => {
    const { port } = await waiting('pmm');
    const text = await gdb(port, 'tbreak enter_long_mode', 'continue', 'bt', 'print $efer', 'print $cr0', 'stepi 60', 'print $efer', 'print $cr0', 'info symbol $rip', 'detach');
    // The boot code is known where it is loaded.
    expect(text).toMatch(/enter_long_mode \(\) at .*src\/kernel\/boot\.ts:\d+\n[^]*#0 +enter_long_mode \(\) at [^\n]*\n\$1/);
    expect(text).not.toMatch(/too long|Remote .*error|Connection/i);
    expect(text).toMatch(/\$1 = \[ \]\n\$2 = \[ PE ET \]/);
    expect(text).toMatch(/\$3 = \[ (?:SCE )?LME LMA (?:NXE )?\]\n\$4 = \[ PE ET (?:WP )?PG \]/);
  });
  it('watches a variable, forwards and backwards', async () => {
    const { port } = await waiting('alloc');
    const text = await gdb(port, 'break kernel_main', 'continue', 'watch fault_count', 'continue', 'continue', 'print fault_count', 'reverse-continue', 'print fault_count', 'whatis fault_count', 'whatis idt', 'detach');
    expect(text).toMatch(/Hardware watchpoint 2[^]*Old value = 0\nNew value = 1\n[^]*Old value = 1\nNew value = 2\n[^]*\$1 = 2\n[^]*Old value = 2\nNew value = 1\n[^]*\$2 = 1\ntype = u64\ntype = u64 \[512\]\n/);
  });
  it('steps back out of a page fault, and forwards into it again', async () => {
    const { port } = await waiting('alloc');
    const text = await gdb(port, 'break vector_14', 'continue', 'print $cr2', 'reverse-stepi', 'x/i $rip', 'info symbol $rip', 'stepi', 'info symbol $rip', 'detach');
    expect(text).toMatch(/Breakpoint 1, .*vector_14[^]*\$1 = /);
    expect(text).toMatch(/=> 0x[0-9a-f]+ <\w+(\+\d+)?>:\s+mov/);
    expect(text.trim().split('\n').filter((line) => / in section /.test(line)).map((line) => line.split(' ')[0])).toEqual([expect.not.stringMatching(/^vector_14$/), 'vector_14']);
  });
  it('finishes a function, goes back over it line by line, and back out of it', async () => {
    const { port } = await waiting('heap');
    const text = await gdb(port, 'tbreak heap_alloc', 'continue', 'stepi 3', 'reverse-finish', 'x/i $rip', 'next', 'info symbol $rip', 'reverse-next', 'info symbol $rip', 'tbreak heap_alloc', 'continue', 'finish', 'info symbol $rip', 'detach');
    expect(text).toMatch(/=> 0x[0-9a-f]+ <scenario_heap\+\d+>:\s+call +0x[0-9a-f]+ <heap_alloc>/);
    const [behind, again, finished] = [...text.matchAll(/^scenario_heap \+ (\d+) in section/gm)].map(([, offset]) => Number(offset));
    expect(again).toBeLessThan(behind!);
    expect(finished).toBe(behind);
  });
  it('asks the monitor who called whom, with the lines of the TypeScript, and learns why a register cannot be what it is set to', async () => {
    const { port } = await waiting('alloc');
    const text = await gdb(port, 'break page_fault', 'continue', 'monitor bt', 'set $cs = 0x10', 'detach');
    expect(text).toMatch(/#0 {2}0xf+80[0-9a-f]+ <page_fault> at \S*page-fault\.ts:\d+ {2}rsp/);
    expect(text).toMatch(/#\d+ +0xf+80[0-9a-f]+ <\w+\+0x[0-9a-f]+> at \S+\.ts:\d+ {2}rsp 0x[0-9a-f]+ {2}\(interrupted here\)/);
    expect(text).toContain('cs cannot be 0x10: not a code segment');
  });
  it('asks the monitor, writes memory and registers', async () => {
    const { port } = await waiting('pmm');
    const text = await gdb(port, 'break kernel_main', 'continue', 'monitor walk $rip', 'monitor info', 'set var *(long *) &fault_count = 0x1122334455667788', 'print/x *(long *) &fault_count', 'set $rbx = 77', 'print $rbx', 'monitor snapshot', 'detach');
    expect(text).toMatch(/page walk of 0xffffffff80[0-9a-f]+ \(4-level paging\)/);
    expect(text).toMatch(/64-bit mode, 4-level paging, CPL 0/);
    // gdb prints the monitor's answers and its own on two streams.
    expect(text).toMatch(/\$1 = 0x1122334455667788\n\$2 = 77\n/);
    expect(text).toMatch(/^#1 is instruction \d+$/m);
  });
  it('sets a control register by a plain number, and shows its bits', async () => {
    const { port } = await waiting('pmm');
    const text = await gdb(port, 'break kernel_main', 'continue', 'set $cr0 = 0x80010013', 'print $cr0', 'set $cr4 |= 0x200', 'print $cr4', 'set $cr3 = $cr3 | 8', 'print $cr3', 'print/x $efer', 'detach');
    expect(text).toMatch(/\$1 = \[ PE MP ET WP PG \]\n\$2 = \[ PAE OSFXSR \]\n\$3 = \[ PCID=8 PDBR=\d+ \]\n\$4 = 0xd01\n/);
    expect(text).not.toContain('Invalid cast');
  });
  it('lets the machine run on when it detaches, which then ends as it would have', async () => {
    const { port, ended } = await waiting('pmm');
    await gdb(port, 'break kernel_main', 'continue', 'stepi 5', 'reverse-stepi 3', 'detach');
    const plain = longmode(['run', kernel, '--cmdline', 'scenario=pmm']);
    expect(await ended).toEqual({ status: plain.status, stdout: plain.stdout });
  });
  it('goes no further than the end of the guest, and back from there', async () => {
    const { port } = await waiting('heap');
    const text = await gdb(port, 'continue', 'next', 'next', 'info symbol $rip', 'reverse-stepi', 'print 1 + 1', 'detach');
    expect(text.match(/longmode: the guest turned the power off/g)).toHaveLength(3);
    expect(text).toMatch(/power_off \+ \d+ in section/);
    expect(text).toContain('$1 = 2');
  });
  it('can go and come back at once, again and again', async () => {
    const { port } = await waiting('timer');
    for (let n = 0; n < 20; n++) {
      const socket = connect(port, '127.0.0.1');
      const answer = await new Promise<string>((resolve, reject) => {
        socket.once('error', reject);
        socket.once('data', (bytes) => { resolve(String(bytes)); });
        socket.write('$?#3f');
      });
      expect(answer, `connection ${n}`).toMatch(/^\+/);
      socket.end();
    }
  });
  it('that goes away without a word leaves the machine paused, and another can connect', async () => {
    const { port, child } = await waiting('timer');
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => { socket.write('+$Z0,ffffffff80106f5b,1#00$c#63'); socket.once('data', resolve); });
    socket.destroy();
    await new Promise((resolve) => { setTimeout(resolve, 200); });
    expect(child.exitCode).toBeNull();
    expect(await gdb(port, 'break kernel_main', 'reverse-continue', 'continue', 'info breakpoints', 'kill')).toMatch(/kernel_main/);
  });
});

describe('--gdb', () => {
  it.each([['nonsense', '"nonsense" is not [HOST:]PORT'], ['1.2.3.4:99999', 'is not [HOST:]PORT'], ['192.0.2.1:1', 'EADDRNOTAVAIL']])('%s is refused', (address, message) => {
    const { status, stderr } = longmode(['run', kernel, '--gdb', address]);
    expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining(message)]);
    expect(status).not.toBe(0);
  });
});

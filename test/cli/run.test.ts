/** `longmode run` as a CI job uses it: what it prints where, and how it ends. */
import { spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync, lstatSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { al, assemble, at, byte, cr0, dword, dx, eax, rax, rsi, st0, st1, word, type Assembler } from '../../src/assembler/index.ts';
import { elfBytes } from '../support/elf-bytes.ts';
import { PROGRAM, longmode, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
const ORIGIN = 0x10_0000;

/** Writes a 32-bit PVH kernel and returns its path. */
function kernel(name: string, program: (a: Assembler) => void): string {
  const { bytes } = assemble(program, { bits: 32, origin: ORIGIN });
  const path = join(folder, name);
  writeFileSync(path, elfBytes({ pvhEntry: ORIGIN, segments: [{ address: ORIGIN, bytes }] }));
  return path;
}
const flat = ['--load-address', '0x200000', '--bits', '64'];
function flat64(name: string, program: (a: Assembler) => void): string {
  const path = join(folder, name);
  writeFileSync(path, assemble(program, { bits: 64, origin: 0x20_0000 }).bytes);
  return path;
}
/** OUT to a 16-bit port. */
function out(a: Assembler, port: number, value: number): void {
  a.mov(dx, port);
  a.mov(al, value);
  a.out(dx, al);
}

describe('the guest chooses the exit status', () => {
  it.each([[0, 1], [1, 3], [0x10, 0x21], [0x80, 1]])('a write of %i to the debug-exit port ends with %i', (value, status) => {
    const image = kernel(`exit-${value}`, (a) => { out(a, 0xf4, value); a.hlt(); });
    expect(longmode(['run', image])).toEqual({ status, stdout: '', stderr: '' });
  });
  it('the debug-exit port can be moved', () => {
    const image = kernel('exit-moved', (a) => { out(a, 0x501, 3); a.hlt(); });
    expect(longmode(['run', image, '--debug-exit', '0x501']).status).toBe(7);
  });
  it('power-off through 0x604 ends with 0', () => {
    const image = kernel('off', (a) => { a.mov(dx, 0x604); a.mov(eax, 0x2000); a.out(dx, eax); a.hlt(); });
    expect(longmode(['run', image])).toEqual({ status: 0, stdout: '', stderr: '' });
  });
  it('power-off by writing "Shutdown" to 0x8900 ends with 0', () => {
    const image = kernel('shutdown', (a) => { for (const c of 'Shutdown') out(a, 0x8900, c.charCodeAt(0)); a.hlt(); });
    expect(longmode(['run', image]).status).toBe(0);
  });
});

describe('every other ending has its own status and a paragraph on stderr', () => {
  it('HLT with interrupts off', () => {
    const outcome = longmode(['run', kernel('hlt', (a) => { a.cli(); a.hlt(); })]);
    expect(outcome.status).toBe(8);
    expect(outcome.stderr).toMatch(/^longmode: the processor halted \(HLT\) with interrupts off, at RIP 0x100002 after 2 instructions/);
  });
  it('an x87 exception that is to be IRQ 13 and never is', () => {
    const divide = (a: Assembler): void => { a.mov(eax, 1); a.mov(cr0, eax); a.mov(dword(0x8000), 0x37b); a.fninit(); a.fldcw(word(0x8000)); a.fld1(); a.fldz(); a.fdivp(st1, st0); a.wait(); };
    const outcome = longmode(['run', kernel('ferr', (a) => { a.cli(); divide(a); })]);
    expect(outcome.status).toBe(8);
    expect(outcome.stderr).toMatch(/^longmode: an x87 exception waits to be reported as IRQ 13 \(CR0\.NE is 0\), at RIP 0x1000\w\w after 9 instructions, but no interrupt comes: interrupts are off\.\n$/);
  });
  it('the instruction limit', () => {
    const outcome = longmode(['run', kernel('loop', (a) => { a.label('here'); a.jmp('here'); }), '--max-instructions', '1000']);
    expect(outcome).toEqual({ status: 10, stdout: '', stderr: 'longmode: the limit of --max-instructions was reached, at RIP 0x100000 after 1000 instructions.\n' });
  });
  it('the time limit', () => {
    const outcome = longmode(['run', kernel('loop2', (a) => { a.label('here'); a.jmp('here'); }), '--timeout', '0.3']);
    expect(outcome.status).toBe(12);
  });
  it('an instruction that the chosen processor does not have is #UD there', () => {
    const image = kernel('cmov', (a) => { a.cmove(eax, eax); out(a, 0xf4, 1); a.hlt(); });
    expect(longmode(['run', image]).status).toBe(3);
    const outcome = longmode(['run', image, '--cpu', '486']);
    expect(outcome.status).toBe(6);
    expect(outcome.stderr).toContain('CMOVcc: CPUID does not announce cmov');
    expect(longmode(['run', image, '--cpu', '486,+cmov']).status).toBe(3);
  });
  it.each([
    ['x86-64-v1', 'longmode: --cpu: "x86-64-v1" is no processor model; did you mean x86-64-v3?\n'],
    ['max,+popcount', 'longmode: --cpu: "popcount" is no feature of a processor; did you mean popcnt?\n'],
    ['max,popcnt', 'longmode: --cpu: "popcnt" is neither +FEATURE nor -FEATURE\n'],
    ['486,+fma', 'longmode: --cpu: 486,+fma has fma, which needs avx, xsave, sse, fxsr, mmx, sse2\n'],
  ])('--cpu %s', (text, stderr) => {
    expect(longmode(['run', kernel('cpu', (a) => a.hlt()), '--cpu', text])).toEqual({ status: 2, stdout: '', stderr });
  });
  it('an instruction that we do not have', () => {
    const outcome = longmode(['run', kernel('test-register', (a) => { a.db(0x0f, 0x24, 0xf8); a.hlt(); }), '--cpu', '486']);
    expect(outcome.status).toBe(14);
    expect(outcome.stderr).toMatch(/^longmode: unimplemented: .*\n {2}bytes 0f 24 f8/);
  });
  it('a triple fault, with a post-mortem that tells the whole chain', () => {
    const outcome = longmode(['run', flat64('triple', (a) => { a.mov(rax, 0x7000_0000_1234n); a.mov(byte(rax), 1); }), ...flat]);
    expect(outcome.status).toBe(6);
    for (const part of ['#PF', '#DF', 'CR2', 'PML4E', 'mov byte ptr [rax], 1', 'RIP']) expect(outcome.stderr).toContain(part);
  });
  it('with --no-reboot a reset and a triple fault are good ends', () => {
    const reset = kernel('reset', (a) => { out(a, 0x64, 0xfe); a.hlt(); });
    expect(longmode(['run', reset]).status).toBe(16);
    expect(longmode(['run', reset, '--no-reboot'])).toEqual({ status: 0, stdout: '', stderr: '' });
    const triple = longmode(['run', flat64('triple-reboot', (a) => a.int3()), ...flat, '--no-reboot']);
    expect(triple).toEqual({ status: 0, stdout: '', stderr: 'longmode: the guest ended in a triple fault, which resets a real machine, at RIP 0x200000 after 0 instructions.\n' });
  });
  it('--quiet leaves only the status', () => {
    expect(longmode(['run', kernel('hlt-quiet', (a) => { a.cli(); a.hlt(); }), '--quiet'])).toEqual({ status: 8, stdout: '', stderr: '' });
  });
});

describe('the console', () => {
  it('COM1 is stdout, byte for byte', () => {
    const image = flat64('hello', (a) => {
      a.lea(rsi, at('text'));
      a.mov(dx, 0x3f8);
      a.label('next');
      a.lodsb();
      a.test(al, al);
      a.je('done');
      a.out(dx, al);
      a.jmp('next');
      a.label('done');
      out(a, 0xf4, 0);
      a.label('text');
      a.db('Hello, \u00e9\r\n\0');
    });
    expect(longmode(['run', image, ...flat])).toEqual({ status: 1, stdout: 'Hello, \u00c3\u00a9\r\n', stderr: '' });
    const file = join(folder, 'serial.txt');
    expect(longmode(['run', image, ...flat, '--serial', file])).toEqual({ status: 1, stdout: '', stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe('Hello, \u00e9\r\n');
  });
  it('stdin feeds COM1', () => {
    const echo = flat64('echo', (a) => {
      a.label('wait');
      a.mov(dx, 0x3fd);
      a.in(al, dx);
      a.test(al, 1);
      a.je('wait');
      a.mov(dx, 0x3f8);
      a.in(al, dx);
      a.out(dx, al);
      a.cmp(al, 0x0a);
      a.jne('wait');
      out(a, 0xf4, 0);
    });
    expect(longmode(['run', echo, ...flat, '--max-instructions', '20000000'], { input: 'typed by hand\n' })).toEqual({ status: 1, stdout: 'typed by hand\n', stderr: '' });
  });
});

describe('--report', () => {
  it('counts what happened', () => {
    const image = kernel('report', (a) => { a.mov(eax, cr0); out(a, 0xf4, 0); a.hlt(); });
    const file = join(folder, 'report.json');
    expect(longmode(['run', image, '--report', file]).status).toBe(1);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ exit: { reason: 'debug-exit', status: 1 }, instructions: 4, exceptions: {}, engine: 'auto', tlb: { flushes: expect.any(Number) } });
  });
  it('to a place that cannot be written says so and leaves nothing behind', () => {
    const image = kernel('report2', (a) => { out(a, 0xf4, 0); a.hlt(); });
    const outcome = longmode(['run', image, '--report', join(folder, 'missing', 'r.json')]);
    expect(outcome.status).toBe(18);
    expect(outcome.stderr).toMatch(/r\.json: cannot be written: there is no folder /);
    expect(readdirSync(folder).filter((f) => f.endsWith('.tmp'))).toEqual([]);
  });
});

describe('--profile', () => {
  const loop = kernel('profile', (a) => {
    a.mov(eax, 3_000_000);
    a.label('again');
    a.sub(eax, 1);
    a.jnz('again');
    out(a, 0xf4, 0);
    a.hlt();
  });
  const row = (stderr: string, activity: string): number => Number(new RegExp(`^ {4}${activity} .*% +([\\d,]+)`, 'm').exec(stderr)?.[1]?.replaceAll(',', '') ?? 0);

  it('says on stderr which part of the engine executed how much, and where: a long loop is translated', () => {
    const { status, stdout, stderr } = longmode(['run', loop, '--profile']);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(row(stderr, 'translated')).toBeGreaterThan(4_000_000);
    expect(row(stderr, 'translated') + row(stderr, 'interpreted') + row(stderr, 'reference')).toBe(6_000_004);
    expect(stderr).toMatch(/ {2}hottest guest symbols, by time:\n +[\d.]+ % {3}0x100000 \(page without symbols\)/);
    // The loop is written four times in a row.
    expect(stderr).toMatch(/translations: 1 regions of 8 instructions in 4 blocks/);
    expect(stderr).toMatch(/left generated code: .*hot 1/);
  });
  it('of the reference engine has one row', () => {
    const { stderr } = longmode(['run', loop, '--profile', '--engine', 'reference', '--max-instructions', '100000']);
    expect({ translated: row(stderr, 'translated'), reference: row(stderr, 'reference') }).toEqual({ translated: 0, reference: 100_000 });
  });
});

describe('outputs are where the user said', () => {
  const image = (): string => kernel('outputs', (a) => { out(a, 0xf4, 0); a.hlt(); });
  it('a device is written to, not replaced', () => {
    expect(longmode(['run', image(), '--report', '/dev/null']).status).toBe(1);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(longmode(['run', image(), '--report', '/dev/full'])).toMatchObject({ status: 18, stderr: 'longmode: /dev/full: cannot be written: no space left on the device\n' });
  });
  it('a link is followed', () => {
    const real = join(folder, 'real.json'), link = join(folder, 'link.json');
    writeFileSync(real, '');
    symlinkSync(real, link);
    expect(longmode(['run', image(), '--report', link]).status).toBe(1);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(real, 'utf8'))).toHaveProperty('exit');
  });
  it('a reader that goes away ends the command quietly', () => {
    const { stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${PROGRAM}" disassemble --bits 64 --load-address 0 "${PROGRAM}" | head -1`], { encoding: 'utf8' });
    expect(stderr).toBe('');
  });
  it('a full disk behind stdout is one line and status 18', () => {
    const { status, stderr } = spawnSync('sh', ['-c', `"${process.execPath}" "${PROGRAM}" --help >/dev/full`], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 18, stderr: expect.stringMatching(/^longmode: stdout cannot be written: .*\n$/) });
  });
  it('SIGTERM ends a running guest with 143, and its report is written', () => {
    const file = join(folder, 'term.json'), loop = kernel('term', (a) => { a.label('here'); a.jmp('here'); });
    const { stdout } = spawnSync('sh', ['-c', `"${process.execPath}" "${PROGRAM}" run "${loop}" --report "${file}" </dev/null & sleep 3; kill -TERM $!; wait $!; echo $?`], { encoding: 'utf8' });
    expect(stdout).toBe('143\n');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ exit: { reason: 'terminated', status: 143 } });
  });
});

describe('a wrong command line is one line that names the word', () => {
  const image = (): string => kernel('any', (a) => a.hlt());
  it.each([
    [['run', 'IMAGE', '--memroy', '1G'], 'longmode: run: unknown option --memroy; did you mean --memory?\n'],
    [['rum', 'IMAGE'], 'longmode: unknown command "rum"; did you mean run?\n'],
    [['run', 'IMAGE', '--memory'], 'longmode: --memory: its value SIZE is missing\n'],
    [['run', 'IMAGE', '--memory', '5T'], 'longmode: --memory: "5T" is not a size like 128M or 1G\n'],
    [['run', 'IMAGE', '--memory', '999G'], 'longmode: --memory: 999G is more than the 3072M that the machine can have\n'],
    [['run', 'IMAGE', '--memory', '0'], 'longmode: --memory: "0" is not a size like 128M or 1G\n'],
    [['run', 'IMAGE', '--max-instructions', '-1'], 'longmode: --max-instructions: "-1" is not a whole number from 1 to 9007199254740991 (decimal or 0x)\n'],
    [['run', 'IMAGE', '--engine', 'fast'], 'longmode: --engine: "fast" is not one of auto, interpreter, translator, reference\n'],
    [['run', 'IMAGE', '--quiet=yes'], 'longmode: --quiet: takes no value\n'],
    [['run', 'IMAGE', 'second'], 'longmode: one IMAGE only; what is second?\n'],
    [['run', 'IMAGE', '--entry', '0'], 'longmode: --entry is for flat binaries: give --load-address too\n'],
    [['run'], 'longmode: IMAGE is missing\n'],
    [[], 'longmode: no command given; longmode --help lists them\n'],
  ])('%j', (words, stderr) => {
    expect(longmode(words.map((w) => (w === 'IMAGE' ? image() : w)))).toEqual({ status: 2, stdout: '', stderr });
  });
});

describe('an input file that cannot be used is one line and status 4, and no output file is made', () => {
  const serial = (): string => join(folder, 'never.txt');
  it('a missing image', () => {
    const outcome = longmode(['run', join(folder, 'nothing-here'), '--serial', serial()]);
    expect(outcome).toMatchObject({ status: 4, stdout: '' });
    expect(outcome.stderr).toMatch(/^longmode: image .*nothing-here: no such file\n$/);
    expect(existsSync(serial())).toBe(false);
  });
  it('a damaged image', () => {
    const path = join(folder, 'cut.elf');
    writeFileSync(path, elfBytes({ pvhEntry: ORIGIN }).subarray(0, 40));
    const outcome = longmode(['run', path, '--serial', serial()]);
    expect(outcome.status).toBe(4);
    expect(outcome.stderr).toMatch(/^longmode: image .*cut\.elf: ELF header .*the file ends at byte 40.*\n$/);
    expect(existsSync(serial())).toBe(false);
  });
  it('a folder as image, and a missing initrd', () => {
    expect(longmode(['run', folder])).toMatchObject({ status: 4, stderr: `longmode: image ${folder}: is a directory\n` });
    expect(longmode(['run', '/dev/zero'])).toMatchObject({ status: 4, stderr: 'longmode: image /dev/zero: is neither a file nor a pipe\n' });
    const outcome = longmode(['run', kernel('with-initrd', (a) => a.hlt()), '--initrd', join(folder, 'no-initrd')]);
    expect(outcome).toMatchObject({ status: 4, stdout: '' });
    expect(outcome.stderr).toMatch(/^longmode: --initrd .*no-initrd: no such file\n$/);
  });
});

describe('help', () => {
  it('--version names the package\'s version', () => expect(longmode(['--version'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^longmode \d+\.\d+\.\d+\n$/) }));
  it.each([['run'], ['kernel'], ['lockstep'], ['trace'], ['disassemble'], ['demo']])('%s --help lists its options', (command) => {
    const { status, stdout } = longmode([command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Usage: longmode ${command} `));
  });
});

describe('--realtime', () => {
  const waiting = join(temporaryFolder(), 'waiting.elf');
  it('waits where the guest waits, and changes nothing of what it does', () => {
    longmode(['kernel', '--out', waiting]);
    const report = (realtime: string): { status: number | null; stdout: string; instructions: number; hostSeconds: number } => {
      const file = join(temporaryFolder(), 'report.json'), { status, stdout } = longmode(['run', waiting, '--cmdline', 'scenario=timer', '--realtime', realtime, '--report', file]);
      return { status, stdout, ...JSON.parse(readFileSync(file, 'utf8')) as { instructions: number; hostSeconds: number } };
    };
    const real = report('on'), jumping = report('off');
    expect([real.status, real.stdout, real.instructions]).toEqual([jumping.status, jumping.stdout, jumping.instructions]);
    // Eight ticks of a millisecond.
    expect(real.hostSeconds).toBeGreaterThan(0.007);
  });
  it.each([[['--realtime', 'maybe'], '--realtime: "maybe" is neither on nor off'], [['--realtime', 'on', '--gdb', '0'], '--realtime on and --gdb: time is the instruction count there']])('%j is refused', (words, message) => {
    expect(longmode(['run', waiting, ...words])).toMatchObject({ status: 2, stderr: `longmode: ${message}\n` });
  });
});

describe('a guest that has halted and lets what is typed lie', () => {
  /** Processor time that a process has taken, in milliseconds. proc(5), "/proc/pid/stat": utime and stime, in ticks of 10 ms. */
  const processorTime = (pid: number): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };
  it.each(['on', 'off'])('costs its host nothing meanwhile, and ends when it is told to (--realtime %s)', async (realtime) => {
    const image = kernel('deaf', (a) => {
      // Counter 0 ticks, and nobody hears it.
      for (const [port, value] of [[0x21, 0xff], [0xa1, 0xff], [0x43, 0x34], [0x40, 0], [0x40, 0]] as const) out(a, port, value);
      a.sti();
      a.label('wait');
      a.hlt();
      a.jmp('wait');
    });
    const child = spawn(process.execPath, [PROGRAM, 'run', image, '--realtime', realtime], { stdio: ['pipe', 'ignore', 'ignore'] });
    // What it has not taken by its end is lost.
    const lost: string[] = [];
    child.stdin.on('error', (e) => { lost.push(String((e as { code?: string }).code)); });
    try {
      // More than its UART takes, and what waits before that.
      child.stdin.write('x'.repeat(400_000));
      await sleep(1500);
      const before = processorTime(child.pid!);
      await sleep(1000);
      expect(processorTime(child.pid!) - before).toBeLessThan(300);
    } finally {
      child.kill('SIGTERM');
    }
    const status = await new Promise((resolve) => { child.once('exit', resolve); });
    expect(status).toBe(143);
    expect(lost.filter((code) => code !== 'EPIPE')).toEqual([]);
  });
});

/** The commands around the guest kernel and QEMU: kernel, demo, disassemble, lockstep, trace. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { longmode, temporaryFolder, type Outcome } from '../support/cli.ts';

const folder = temporaryFolder();
const elf = join(folder, 'kernel.elf'), listing = join(folder, 'kernel.lst');
const hasQemu = spawnSync('qemu-system-x86_64', ['--version']).status === 0;

let written: Outcome | undefined;
beforeAll(() => { written = longmode(['kernel', '--out', elf, '--listing', listing]); });

describe('longmode kernel', () => {
  it('writes an ELF file and a listing with address, bytes, assembly and source line', () => {
    expect(written).toEqual({ status: 0, stdout: '', stderr: '' });
    expect([...readFileSync(elf).subarray(0, 5)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2]);
    const lines = readFileSync(listing, 'utf8').split('\n');
    const cr0 = lines.find((l) => l.includes('mov cr0, eax'));
    expect(cr0).toMatch(/^[0-9a-f]{16} +0f 22 c0 +mov cr0, eax +.*src\/kernel\/boot\.ts:\d+$/);
    const line = Number(/:(\d+)$/.exec(cr0 ?? '')?.[1]);
    expect(readFileSync(join(import.meta.dirname, '../../src/kernel/boot.ts'), 'utf8').split('\n')[line - 1]).toContain('a.mov(cr0, eax)');
  });
  it('needs to be told what to write', () => expect(longmode(['kernel'])).toEqual({ status: 2, stdout: '', stderr: 'longmode: kernel: give --out FILE, --listing FILE or both\n' }));
  it('names the folder that is missing, not the file that is not there yet', () => {
    expect(longmode(['kernel', '--out', join(folder, 'none/k.elf')])).toMatchObject({ status: expect.any(Number) as number, stderr: `longmode: ${join(folder, 'none/k.elf')}: cannot be written: there is no folder ${join(folder, 'none')}\n` });
    expect(longmode(['run', elf, '--serial', join(folder, 'none/out')]).stderr).toBe(`longmode: --serial ${join(folder, 'none/out')}: cannot be written: there is no folder ${join(folder, 'none')}\n`);
  });
  it('says how its command line chooses what it shows', () => {
    expect(longmode(['kernel', '--help']).stdout).toMatch(/--cmdline scenario=NAME[^]*\* heap /);
  });
  it('writes a file that runs', () => {
    const outcome = longmode(['run', elf, '--cmdline', 'scenario=alloc']);
    expect(outcome).toMatchObject({ status: 0, stderr: '' });
    expect(outcome.stdout).toContain('ok 5 - CR2 was the address of a, 0xffffc0000000000b');
    expect(outcome.stdout).not.toContain('not ok');
  });
});

describe('longmode demo', () => {
  it('runs one scenario', () => expect(longmode(['demo', 'pmm'])).toMatchObject({ status: 0, stdout: expect.stringContaining('bitmap[0] = 00000111'), stderr: '' }));
  it('names the scenario that is nearest to a wrong one', () => {
    expect(longmode(['demo', 'haep'])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^longmode: unknown scenario "haep"; did you mean heap\?; there are all, pmm, .*\n$/) });
  });
  it('a fault that no region explains ends with a failure status and says all', () => {
    const outcome = longmode(['demo', 'unexplained-fault']);
    expect(outcome.status).toBe(35);
    for (const part of ['CR2', 'RIP', 'not present']) expect(outcome.stdout).toContain(part);
  });
  it('a triple fault ends in the post-mortem, with the kernel\'s symbols', () => {
    const outcome = longmode(['demo', 'triple-fault']);
    expect(outcome.status).toBe(6);
    expect(outcome.stderr).toMatch(/^Triple fault after [\d,]+ instructions, at RIP 0xffffffff[0-9a-f]+ <\w+(\+0x[0-9a-f]+)?>/);
  });
});

describe('longmode disassemble', () => {
  it('shows symbols and instructions', () => {
    const { status, stdout } = longmode(['disassemble', elf]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/\npmm_alloc:\n[0-9a-f]{16} {2}/);
  });
  it('takes a flat binary', () => {
    const path = join(folder, 'flat.bin');
    writeFileSync(path, Uint8Array.of(0x48, 0x11, 0x47, 0x08, 0xf4, 0x06));
    expect(longmode(['disassemble', path, '--load-address', '0x1000'])).toEqual({
      status: 0, stderr: '', stdout: [
        '0000000000001000  48 11 47 08                    adc qword ptr [rdi+8], rax',
        '0000000000001004  f4                             hlt',
        '0000000000001005  06                             db 0x06', '',
      ].join('\n'),
    });
  });
  it('refuses what is no ELF file', () => {
    const path = join(folder, 'text');
    writeFileSync(path, 'hello');
    expect(longmode(['disassemble', path])).toMatchObject({ status: 4, stderr: expect.stringMatching(/not an ELF file; a flat binary needs --load-address\n$/) });
  });
});

describe.skipIf(!hasQemu)('with QEMU', () => {
  it('lockstep compares the kernel\'s start, every instruction equal', () => {
    const outcome = longmode(['lockstep', elf, '--cmdline', 'scenario=alloc', '--max-instructions', '40000']);
    expect(outcome).toMatchObject({ status: 0, stdout: '40000 instructions compared, 0 differences\n' });
  });
  it('lockstep takes the options of run', () => {
    const serial = join(folder, 'lockstep.txt'), report = join(folder, 'lockstep.json');
    const outcome = longmode(['lockstep', elf, '--cmdline', 'scenario=alloc', '--max-instructions', '40000', '--engine', 'reference', '--serial', serial, '--report', report, '--quiet', '--memory', '64M']);
    expect(outcome).toEqual({ status: 0, stdout: '40000 instructions compared, 0 differences\n', stderr: '' });
    expect(readFileSync(serial, 'utf8')).toMatch(/^TAP version 13/);
    expect(JSON.parse(readFileSync(report, 'utf8'))).toMatchObject({ exit: { reason: 'lockstep: limit', status: 0 }, engine: 'reference' });
  });
  it('trace record, info, compare', () => {
    const file = join(folder, 'run.trace');
    expect(longmode(['trace', 'record', elf, '--out', file, '--cmdline', 'scenario=alloc', '--max-instructions', '20000'])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^20000 instructions and \d+ exceptions/) });
    expect(longmode(['trace', 'info', file])).toMatchObject({ status: 0, stdout: expect.stringMatching(/^kernel command line +scenario=alloc$/m) });
    expect(longmode(['trace', 'compare', file])).toMatchObject({ status: 0, stdout: '20000 instructions compared, 0 differences\n' });
    const other = join(folder, 'other.elf');
    writeFileSync(other, new Uint8Array([...readFileSync(elf), 0]));
    expect(longmode(['trace', 'compare', file, other])).toMatchObject({ status: 4, stdout: '', stderr: expect.stringContaining('not the one that was recorded') });
    const damaged = join(folder, 'damaged.trace');
    writeFileSync(damaged, readFileSync(file).subarray(0, 1000));
    expect(longmode(['trace', 'info', damaged])).toMatchObject({ status: 4, stdout: '', stderr: expect.stringMatching(/^longmode: .*damaged\.trace: not a trace, or damaged.*\n$/) });
  });
  it('a recording that cannot be written leaves nothing behind', () => {
    const file = join(folder, 'missing', 'run.trace');
    expect(longmode(['trace', 'record', elf, '--out', file, '--max-instructions', '100'])).toMatchObject({ status: 18, stdout: '' });
    expect(existsSync(file)).toBe(false);
  });
});

describe('without QEMU', () => {
  it('lockstep says what is missing', () => {
    expect(longmode(['lockstep', elf, '--qemu', join(folder, 'no-qemu')])).toMatchObject({ status: 20, stdout: '', stderr: expect.stringMatching(/^longmode: QEMU: .*no-qemu is not installed/) });
  });
});

/** Boots the guest kernel headlessly and gives back what it printed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sourceMapResolver } from '../../../src/cli/source-maps.ts';
import { buildKernel, kernelElf, type KernelOptions } from '../../../src/kernel/index.ts';
import { Machine, type MachineOptions, type Stop } from '../../../src/machine/machine.ts';

export interface Run {
  readonly text: string;
  readonly stop: Stop;
  readonly machine: Machine;
}

const images = new Map<string, Uint8Array<ArrayBuffer>>();
/** The kernel as an ELF file, assembled once for each set of protocols. */
export function kernelFile(protocols?: NonNullable<KernelOptions['protocols']>): Uint8Array<ArrayBuffer> {
  const key = protocols?.join() ?? '';
  let file = images.get(key);
  if (!file) {
    file = kernelElf(buildKernel({ resolveLocation: sourceMapResolver(), ...(protocols ? { protocols } : {}) }));
    images.set(key, file);
  }
  return file;
}

const MAX_INSTRUCTIONS = 20_000_000;

/** Runs the kernel with this command line to its end. */
export function boot(cmdline: string, options: MachineOptions & { readonly protocols?: NonNullable<KernelOptions['protocols']> } = {}): Run {
  const bytes: number[] = [];
  const { protocols, ...rest } = options;
  const machine = new Machine({ ...rest, onOutput: (port, byte) => { if (port === 0) bytes.push(byte); } });
  machine.load(kernelFile(protocols), { name: 'kernel', cmdline });
  const stop = machine.run({ maxInstructions: MAX_INSTRUCTIONS });
  return { text: Buffer.from(bytes).toString('utf8'), stop, machine };
}

/** What QEMU's isa-debug-exit or power-off gives, and what the kernel printed there; undefined where QEMU is not installed. */
export function bootOnQemu(cmdline: string): { readonly text: string; readonly status: number | null; readonly version: string } | undefined {
  const version = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' });
  if (version.error) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'longmode-'));
  try {
    const image = join(folder, 'kernel');
    writeFileSync(image, kernelFile());
    const run = spawnSync('qemu-system-x86_64', ['-kernel', image, '-m', '128M', '-serial', 'stdio', '-monitor', 'none', '-display', 'none', '-no-reboot',
      '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-append', cmdline], { encoding: 'utf8', timeout: 50_000, stdio: ['ignore', 'pipe', 'pipe'] });
    return { text: run.stdout, status: run.status, version: version.stdout.split('\n')[0] ?? '' };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The TAP lines of an output: numbers, verdicts and texts. */
export function tap(text: string): { readonly number: number; readonly ok: boolean; readonly says: string }[] {
  return [...text.matchAll(/^(not )?ok (\d+) - (.*)$/gm)].map((m) => ({ ok: m[1] === undefined, number: Number(m[2]), says: m[3] ?? '' }));
}

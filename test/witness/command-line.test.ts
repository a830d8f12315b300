/** The kernel's command line as boot loaders really pass it: QEMU with the image's file name in front, GRUB 2 without. */
import { describe, expect, test } from 'vitest';
import { Machine } from '../../src/machine/machine.ts';
import { kernelFile } from '../kernel/support/boot.ts';

/** What the kernel prints when a Multiboot loader passes this line. */
function headlines(line: string): string[] {
  const [name = '', ...rest] = line.split(' ');
  let text = '';
  const machine = new Machine({ onOutput: (port, byte) => { if (port === 0) text += String.fromCharCode(byte); } });
  machine.load(kernelFile(['multiboot']), { name, cmdline: rest.join(' ') });
  machine.run({ maxInstructions: 5_000_000 });
  return text.match(/^=== [^:]*/gm) ?? [];
}

describe('a Multiboot command line', () => {
  for (const line of ['/boot/kernel.elf scenario=pmm', 'scenario=pmm', 'quiet scenario=pmm', `/boot/${'long/'.repeat(100)}kernel.elf scenario=pmm`]) {
    test(`"${line.length > 60 ? `${line.slice(0, 20)}... (${line.length} characters)` : line}" runs the scenario pmm`, () => {
      expect(headlines(line)).toEqual(['=== PMM']);
    });
  }

  test('a file name that contains "scenario=" chooses nothing', () => {
    expect(headlines('/boot/scenario=vmm scenario=pmm')).toEqual(['=== PMM']);
  });
});

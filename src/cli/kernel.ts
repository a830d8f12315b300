/** `longmode kernel`: writes the guest kernel as a file that QEMU, GRUB and longmode boot and that gdb understands. */
import { listing } from '../assembler/index.ts';
import { buildKernel, kernelElf } from '../kernel/index.ts';
import { CommandError } from './exit-status.ts';
import { writeOutput } from './files.ts';
import type { Arguments, Command } from './options.ts';
import { scenarioList } from './scenario-list.ts';
import { PACKAGE_ROOT, sourceMapResolver } from './source-maps.ts';

async function kernel(args: Arguments): Promise<number> {
  const out = args.text('out'), list = args.text('listing');
  if (args.operands.length > 0) throw new CommandError('usage', `kernel takes no operands; what is ${args.operands[0]}?`);
  if (out === undefined && list === undefined) throw new CommandError('usage', 'kernel: give --out FILE, --listing FILE or both');
  const image = buildKernel({ resolveLocation: sourceMapResolver() });
  if (out !== undefined) writeOutput(out, kernelElf(image, { compilationDirectory: PACKAGE_ROOT }));
  if (list !== undefined) writeOutput(list, listing(image));
  return 0;
}

export const kernelCommand: Command = {
  name: 'kernel',
  operands: '',
  says: 'Writes the guest kernel as an ELF64 file with symbols, DWARF line numbers and a description of its memory (boots with QEMU\'s -kernel, by PVH and Multiboot).',
  options: {
    'out': { value: 'FILE', says: 'the ELF file' },
    'listing': { value: 'FILE', says: 'address, bytes, assembly and TypeScript source line of every statement' },
  },
  notes: `Its command line says what it shows: longmode run FILE --cmdline scenario=NAME, and on QEMU -append scenario=NAME. Names (default: all, which runs those marked *):\n${scenarioList()}`,
  run: kernel,
};

/** `longmode disassemble`: the code of an image as text, with its symbols. */
import { DecodeFailure, decode } from '../cpu/decode/decode.ts';
import { format } from '../cpu/describe/format.ts';
import { MODE_32, MODE_64, type Mode } from '../cpu/isa/instruction.ts';
import { ImageError } from '../machine/boot/index.ts';
import { isElf, parseElf } from '../machine/boot/elf.ts';
import { SymbolTable } from '../debug/symbols.ts';
import { CommandError } from './exit-status.ts';
import { readInput } from './files.ts';
import type { Arguments, Command } from './options.ts';
import { print } from './stdout.ts';

interface Code { readonly address: bigint; readonly bytes: Uint8Array }

async function disassemble(args: Arguments): Promise<number> {
  const [image, ...rest] = args.operands;
  if (image === undefined || rest.length > 0) throw new CommandError('usage', 'disassemble takes one IMAGE');
  const file = readInput(image, 'image');
  const loadAddress = args.integer('load-address', 0, Number.MAX_SAFE_INTEGER);
  let code: Code[], symbols = new SymbolTable([]), mode: Mode = MODE_64;
  try {
    if (loadAddress === undefined) {
      if (!isElf(file)) throw new ImageError('not an ELF file; a flat binary needs --load-address');
      const elf = parseElf(file);
      symbols = new SymbolTable(elf.symbols);
      mode = elf.bits === 64 ? MODE_64 : MODE_32;
      code = elf.segments.filter((s) => s.executable).map((s) => ({ address: s.linearAddress, bytes: s.bytes }));
    } else code = [{ address: BigInt(loadAddress), bytes: file }];
  } catch (e) {
    if (e instanceof ImageError) throw new CommandError('image', `image ${image}: ${e.message}`);
    throw e;
  }
  const bits = args.text('bits');
  if (bits !== undefined && bits !== '32' && bits !== '64') throw new CommandError('usage', `--bits: "${bits}" is neither 32 nor 64`);
  if (bits !== undefined) mode = bits === '64' ? MODE_64 : MODE_32;
  for (const part of code) {
    for (const text of lines(part, mode, symbols)) {
      await print(`${text}\n`);
    }
  }
  return 0;
}

/** A linear sweep: one line per instruction, `db` for a byte that begins none, a label where a symbol is. */
function* lines(code: Code, mode: Mode, symbols: SymbolTable): Generator<string> {
  for (let at = 0; at < code.bytes.length;) {
    const address = code.address + BigInt(at);
    const here = symbols.lookup(address);
    if (here?.offset === 0n) yield `\n${here.name}:`;
    const i = decode(code.bytes, at, mode);
    const length = i instanceof DecodeFailure ? 1 : i.length;
    const text = i instanceof DecodeFailure ? `db 0x${(code.bytes[at] ?? 0).toString(16).padStart(2, '0')}` : format(i, address, (a) => symbols.name(a));
    const bytes = [...code.bytes.subarray(at, at + length)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    yield `${address.toString(16).padStart(16, '0')}  ${bytes.padEnd(30)} ${text}`;
    at += length;
  }
}

export const disassembleCommand: Command = {
  name: 'disassemble',
  operands: 'IMAGE',
  says: 'Prints the executable segments of an ELF file, or a flat binary, as assembly.',
  options: {
    'bits': { value: '32|64', says: 'decode as 32- or 64-bit code (default: as the ELF header says; 64 for flat binaries)' },
    'load-address': { value: 'ADDR', says: 'take IMAGE as a flat binary that lies at this address' },
  },
  run: disassemble,
};

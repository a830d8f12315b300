/** A ROM that, from reset, enters 32-bit protected mode with flat segments and goes to an address: all that a machine needs whose memory is filled already. */
import { al, assemble, at, ax, cr0, cs, ds, dword, eax, ebx, es, far, imm, label, ss } from '../../../src/assembler/index.ts';

/** Its place below 1 MiB, where the reset vector's segment ends. */
const ROM = 0xf_0000, ROM_BYTES = 0x1_0000, RESET = 0xfff0;
const CODE = 8, DATA = 16;
/**
 * Bochs finds memory for a block of 128 KiB when it is used first, and a file that it loads at the start runs on into what later blocks get: so the blocks of
 * the file are used once, in their order, before all others.
 */
const BLOCK = 0x2_0000;

/** `file`: where a file was loaded behind the block in which it begins. */
export function romTo(entry: number, file: { readonly from: number; readonly to: number }): Uint8Array {
  const { bytes } = assemble((a) => {
    a.cli();
    // A20 on, where it is a matter of this port.
    a.in(al, 0x92);
    a.or(al, 2);
    a.and(al, 0xfe);
    a.out(0x92, al);
    a.lgdt(at(label('gdt_pointer')).in(cs));
    a.mov(eax, cr0);
    a.or(al, 1);
    a.mov(cr0, eax);
    a.o32.jmp(far(CODE, label('protected').plus(ROM)));
    a.bits(32);
    a.label('protected');
    a.mov(eax, DATA);
    for (const segment of [ds, es, ss]) a.mov(segment, ax);
    a.mov(eax, file.from);
    a.label('use');
    a.mov(ebx, dword(eax));
    a.add(eax, BLOCK);
    a.cmp(eax, file.to);
    a.jb('use');
    a.mov(eax, imm(entry, 32));
    a.jmp(eax);
    a.align(8);
    a.label('gdt');
    a.dq(0, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn);
    a.label('gdt_pointer');
    a.dw(23);
    a.dd(label('gdt').plus(ROM));
  }, { bits: 16 });
  const rom = new Uint8Array(ROM_BYTES);
  rom.set(bytes);
  rom.set(assemble((a) => { a.jmp(far(ROM >> 4, 0)); }, { bits: 16 }).bytes, RESET);
  return rom;
}

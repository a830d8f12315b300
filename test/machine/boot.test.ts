/** What a kernel image may be, what it finds when it starts, and how a damaged one is refused. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImageError, planBoot } from '../../src/machine/boot/index.ts';
import { Machine } from '../../src/machine/machine.ts';
import { BOOT_INFO } from '../../src/machine/boot/plan.ts';
import { elfBytes } from '../support/elf-bytes.ts';

const MIB = 2 ** 20, RAM = 16 * MIB, HLT = Uint8Array.of(0xf4);

/** A Multiboot header, at offset 0 of what it is part of. */
function multiboot(flags: number, addresses: readonly number[] = []): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + addresses.length * 4), view = new DataView(bytes.buffer);
  view.setUint32(0, 0x1bad_b002, true);
  view.setUint32(4, flags, true);
  view.setUint32(8, -(0x1bad_b002 + flags) >>> 0, true);
  addresses.forEach((a, n) => view.setUint32(12 + n * 4, a, true));
  return bytes;
}
const info = (plan: ReturnType<typeof planBoot>): DataView => {
  const segment = plan.segments.find((s) => s.physicalAddress === BOOT_INFO);
  if (!segment) throw new Error('the plan has no boot information');
  return new DataView(segment.bytes.buffer, segment.bytes.byteOffset, segment.bytes.length);
};
const cString = (view: DataView, address: number): string => {
  let text = '';
  for (let at = address - BOOT_INFO; view.getUint8(at) !== 0; at++) text += String.fromCharCode(view.getUint8(at));
  return text;
};

describe('an ELF64 file with a PVH note', () => {
  it('is entered at the note\'s address, in 32-bit mode, with EBX at hvm_start_info', () => {
    const plan = planBoot(elfBytes({ pvhEntry: 0x10_0000, entry: 0xdead }), RAM, { cmdline: 'scenario=all' });
    expect(plan).toMatchObject({ protocol: 'pvh', bits: 32, entry: 0x10_0000, ebx: BOOT_INFO });
    const view = info(plan);
    expect(view.getUint32(0, true)).toBe(0x336e_c578);
    expect(cString(view, Number(view.getBigUint64(24, true)))).toBe('scenario=all');
    expect(view.getUint32(48, true)).toBe(6);
  });
  it('finds its modules at the top of memory, below the firmware\'s tables', () => {
    const plan = planBoot(elfBytes({ pvhEntry: 0x10_0000 }), RAM, { modules: [{ name: 'initrd', bytes: new Uint8Array(5000) }] });
    const view = info(plan), list = Number(view.getBigUint64(16, true)) - BOOT_INFO;
    expect(view.getUint32(12, true)).toBe(1);
    expect(view.getBigUint64(list, true)).toBe(BigInt(RAM - 0x2_0000 - 8192));
    expect(view.getBigUint64(list + 8, true)).toBe(5000n);
  });
});

describe('a segment of zeroes', () => {
  it('takes no bytes of the file, wherever its offset points', () => {
    const plan = planBoot(elfBytes({ pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes: HLT }, { address: 0x20_0000, bytes: new Uint8Array(0), memoryBytes: 4096, offset: 2 ** 40 }] }), RAM);
    expect(plan.segments[1]).toMatchObject({ physicalAddress: 0x20_0000, memoryBytes: 4096, bytes: new Uint8Array(0) });
  });
});

describe('a Multiboot image', () => {
  it('as ELF32 is entered at e_entry with EAX = 2BADB002h and its name before the command line', () => {
    const bytes = new Uint8Array([...multiboot(3), 0xf4]);
    const plan = planBoot(elfBytes({ bits: 32, segments: [{ address: 0x10_0000, bytes }], entry: 0x10_000c }), RAM, { name: 'toy', cmdline: 'quiet' });
    expect(plan).toMatchObject({ protocol: 'multiboot', entry: 0x10_000c, eax: 0x2bad_b002, ebx: BOOT_INFO });
    expect(cString(info(plan), info(plan).getUint32(16, true))).toBe('toy quiet');
  });
  it('with address fields is loaded where they say, whatever its container, even before a PVH note', () => {
    const bytes = new Uint8Array([...multiboot(0x1_0003, [0x10_0000, 0x10_0000, 0, 0x10_2000, 0x10_0020]), 0xf4]);
    const plan = planBoot(elfBytes({ pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes }] }), RAM);
    expect(plan).toMatchObject({ protocol: 'multiboot', entry: 0x10_0020 });
    expect(plan.segments[0]).toMatchObject({ physicalAddress: 0x10_0000, memoryBytes: 0x2000 });
    expect([...(plan.segments[0]?.bytes.subarray(0, 4) ?? [])]).toEqual([0x02, 0xb0, 0xad, 0x1b]);
  });
  it('gets modules page-aligned behind the image', () => {
    const bytes = new Uint8Array([...multiboot(3), 0xf4]);
    const plan = planBoot(elfBytes({ bits: 32, segments: [{ address: 0x10_0000, bytes }], entry: 0x10_000c }), RAM, { modules: [{ name: 'a', bytes: HLT }, { name: 'b', bytes: HLT }] });
    const view = info(plan), list = view.getUint32(24, true) - BOOT_INFO;
    expect([view.getUint32(list, true), view.getUint32(list + 4, true), view.getUint32(list + 16, true)]).toEqual([0x10_1000, 0x10_1001, 0x10_2000]);
  });
});

describe('a Linux kernel', () => {
  const PARAMS = BOOT_INFO + 0x2000;
  /** A bzImage of protocol 2.15 with one setup sector and some bytes of protected-mode code. */
  function bzImage(patch: (v: DataView) => void = () => undefined): Uint8Array {
    const file = new Uint8Array(1024 + 0x400), view = new DataView(file.buffer);
    view.setUint8(0x1f1, 1);
    view.setUint32(0x1f4, 0x400 / 16, true);
    view.setUint16(0x1fe, 0xaa55, true);
    view.setUint16(0x200, 0x6aeb, true);
    view.setUint32(0x202, 0x5372_6448, true);
    view.setUint16(0x206, 0x020f, true);
    view.setUint8(0x211, 0x01);
    view.setUint32(0x22c, 0x7fff_ffff, true);
    view.setUint16(0x236, 0x0f, true);
    view.setUint32(0x238, 2047, true);
    view.setBigUint64(0x258, 0x40_0000n, true);
    view.setUint32(0x260, 0x1_0000, true);
    file.fill(0xf4, 1024);
    patch(view);
    return file;
  }
  const at = (plan: ReturnType<typeof planBoot>, offset: number, bytes: 1 | 4 | 8 = 4): number => {
    const view = info(plan), where = PARAMS - BOOT_INFO + offset;
    return bytes === 1 ? view.getUint8(where) : bytes === 4 ? view.getUint32(where, true) : Number(view.getBigUint64(where, true));
  };

  it('as a bzImage goes to its preferred address and is entered 0x200 bytes further on, in long mode, with RSI at boot_params', () => {
    const plan = planBoot(bzImage(), RAM, { cmdline: 'console=ttyS0' });
    expect(plan).toMatchObject({ protocol: 'linux', bits: 64, entry: 0x40_0200, esi: PARAMS, cr3: BOOT_INFO });
    expect(plan.segments[0]).toMatchObject({ physicalAddress: 0x40_0000, memoryBytes: 0x400 });
    expect([at(plan, 0x202), at(plan, 0x210, 1), at(plan, 0x211, 1)]).toEqual([0x5372_6448, 0xff, 0x01]);
    expect(cString(info(plan), at(plan, 0x228))).toBe('console=ttyS0');
  });
  it('finds the memory map in boot_params, and flat segments in a GDT', () => {
    const plan = planBoot(bzImage(), RAM);
    expect([at(plan, 0x1e8, 1), at(plan, 0x2d0, 8), at(plan, 0x2d8, 8), at(plan, 0x2e0)]).toEqual([6, 0, 0x9_fc00, 1]);
    const gdt = plan.gdt as { base: number; limit: number };
    expect([gdt.limit, info(plan).getBigUint64(gdt.base - BOOT_INFO + 0x10, true), info(plan).getBigUint64(gdt.base - BOOT_INFO + 0x18, true)]).toEqual([31, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]);
  });
  it('has its modules at the top of memory as one RAM disk', () => {
    const plan = planBoot(bzImage(), RAM, { modules: [{ name: 'a', bytes: new Uint8Array(5000) }, { name: 'b', bytes: new Uint8Array(10) }] });
    expect([at(plan, 0x218), at(plan, 0x21c)]).toEqual([RAM - 0x2_0000 - 3 * 4096, 2 * 4096 + 10]);
  });
  it('keeps its RAM disk below initrd_addr_max', () => {
    const plan = planBoot(bzImage((v) => v.setUint32(0x22c, 0x7f_ffff, true)), RAM, { modules: [{ name: 'a', bytes: HLT }] });
    expect(at(plan, 0x218)).toBe(0x7f_f000);
  });
  it('as a vmlinux with a PVH note is entered by that, and in long mode at its ELF entry if told so', () => {
    const file = elfBytes({ pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes: new Uint8Array(32) }], entry: 0x10_0010 });
    expect(planBoot(file, RAM)).toMatchObject({ protocol: 'pvh', bits: 32, entry: 0x10_0000 });
    const plan = planBoot(file, RAM, { protocol: 'linux' });
    expect(plan).toMatchObject({ protocol: 'linux', bits: 64, entry: 0x10_0010, esi: PARAMS });
    expect([at(plan, 0x202), at(plan, 0x210, 1)]).toEqual([0x5372_6448, 0xff]);
  });
  it('as a vmlinux without a PVH note is known by its other notes', () => {
    expect(planBoot(elfBytes({ linuxNote: true }), RAM)).toMatchObject({ protocol: 'linux', bits: 64 });
  });
  it('starts with the registers of the boot protocol', () => {
    const machine = new Machine({ memoryBytes: RAM });
    machine.load(bzImage());
    const { state } = machine;
    expect([state.rip, state.gpr[6], state.selector[1], state.selector[2], state.selector[3], state.gdtrLimit, machine.cpu.in64BitMode]).toEqual([0x40_0200n, BigInt(PARAMS), 0x10, 0x18, 0x18, 31, true]);
    expect(machine.run()).toMatchObject({ kind: 'halted' });
  });

  const refusal = (file: Uint8Array, options: Parameters<typeof planBoot>[2] = {}, ram = RAM): string => {
    try {
      planBoot(file, ram, options);
    } catch (e) {
      if (e instanceof ImageError) return e.message;
      throw e;
    }
    return 'accepted';
  };
  it('that is damaged is refused with one line that names the field', () => {
    expect(refusal(bzImage((v) => v.setUint16(0x206, 0x020a, true)))).toBe('bzImage setup header version: 2.10 is too old; 2.12 has the 64-bit entry');
    expect(refusal(bzImage((v) => v.setUint16(0x236, 0, true)))).toMatch(/^bzImage setup header xloadflags: no 64-bit entry/);
    expect(refusal(bzImage((v) => v.setUint8(0x211, 0)))).toMatch(/^bzImage setup header loadflags: /);
    expect(refusal(bzImage((v) => v.setUint8(0x201, 0x10)))).toMatch(/^bzImage setup header jump: the header ends at 0x212/);
    expect(refusal(bzImage((v) => v.setUint32(0x1f4, 0xffff_ffff, true)))).toMatch(/^bzImage setup header syssize: the file ends at byte 2048/);
    expect(refusal(bzImage((v) => v.setUint32(0x1f4, 1, true)))).toMatch(/^bzImage setup header syssize: 16 bytes hold no 64-bit entry/);
    expect(refusal(bzImage((v) => v.setBigUint64(0x258, 1n << 60n, true)))).toMatch(/^bzImage setup header pref_address: .* out of range/);
  });
  it('that needs more than there is, is refused with what to do', () => {
    expect(refusal(bzImage((v) => v.setUint32(0x260, 0x4000_0000, true)))).toMatch(/^the kernel needs memory up to 0x40400000, .* --memory$/);
    expect(refusal(bzImage(), { modules: [{ name: 'a', bytes: new Uint8Array(13 * MIB) }] })).toMatch(/^--initrd: 13631488 bytes do not fit between the kernel's end at 0x410000/);
    expect(refusal(bzImage((v) => v.setUint32(0x238, 5, true)), { cmdline: 'panic=' })).toBe('command line: 6 bytes, the kernel takes 5 at most');
  });
  it('of another kind than told is refused', () => {
    expect(refusal(bzImage(), { protocol: 'pvh' })).toMatch(/^not an ELF file/);
    expect(refusal(bzImage(), { protocol: 'multiboot' })).toMatch(/^no Multiboot header/);
    expect(refusal(elfBytes({ bits: 32 }), { protocol: 'linux' })).toMatch(/EI_CLASS: a 32-bit file/);
    expect(refusal(HLT, { protocol: 'linux' })).toMatch(/"HdrS" is missing/);
  });
  it('with any header fields at all is accepted or refused by an ImageError', () => {
    const seed = Date.now() & 0x7fff_ffff;
    console.log(`hostile bzImage seed ${seed}`);
    const change = fc.array(fc.tuple(fc.integer({ min: 0x1f1, max: 0x26f }), fc.nat(255)), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(change, fc.nat(2048), fc.boolean(), (changes, cut, whole) => {
      const file = bzImage().slice(0, whole ? 2048 : cut);
      for (const [n, value] of changes) if (n < file.length) file[n] = value;
      expect(refusal(file, { protocol: 'linux', modules: [{ name: 'a', bytes: HLT }] })).toBeTypeOf('string');
    }), { seed, numRuns: 2000 });
  });
});

describe('a flat binary', () => {
  it('starts in long mode with the first 4 GiB mapped one to one', () => {
    const plan = planBoot(HLT, RAM, { flat: { loadAddress: 0x20_0000, entry: 0x20_0000, bits: 64 } });
    const tables = info(plan);
    expect(plan).toMatchObject({ bits: 64, cr3: BOOT_INFO });
    expect(tables.getBigUint64(4096 + 8, true)).toBe(0x4000_0083n);
  });
});

describe('a damaged or hostile image is refused with one line that names the field', () => {
  const refused = (file: Uint8Array, options: Parameters<typeof planBoot>[2] = {}, ram = RAM): string => {
    try {
      planBoot(file, ram, options);
    } catch (e) {
      if (e instanceof ImageError) return e.message;
      throw e;
    }
    return 'accepted';
  };
  const good = elfBytes({ pvhEntry: 0x10_0000 });

  it('an empty file', () => expect(refused(new Uint8Array(0))).toBe('the file is empty'));
  it('a file that is nothing we know', () => expect(refused(new Uint8Array(100))).toMatch(/^neither ELF nor Multiboot/));
  it('an ELF file cut anywhere', () => {
    for (let n = 4; n < good.length; n++) expect(refused(good.subarray(0, n)), `cut at ${n}`).not.toBe('accepted');
  });
  it('a program header outside the file', () => expect(refused(elfBytes({ pvhEntry: 1, patch: (v) => v.setBigUint64(32, 1n << 40n, true) }))).toMatch(/^program header 0 p_type: the file ends/));
  it('an offset of 2^64 - 1', () => expect(refused(elfBytes({ patch: (v) => v.setBigUint64(32, 2n ** 64n - 1n, true) }))).toMatch(/^ELF header e_phoff: 0xffffffffffffffff is out of range/));
  it('a segment larger in the file than in memory', () => expect(refused(elfBytes({ segments: [{ address: 0x10_0000, bytes: new Uint8Array(8), memoryBytes: 4 }] }))).toMatch(/^program header 0 p_filesz/));
  it('a segment beyond the machine\'s memory', () => expect(refused(elfBytes({ pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes: HLT, memoryBytes: 1 << 30 }] }))).toMatch(/does not fit into the machine's memory.*--memory$/));
  it('a segment at an absurd address', () => expect(refused(elfBytes({ pvhEntry: 0, segments: [{ address: 2 ** 52, bytes: HLT }] }))).toMatch(/does not fit/));
  it('two segments in one place', () => expect(refused(elfBytes({ pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes: new Uint8Array(64) }, { address: 0x10_0020, bytes: HLT }] }))).toMatch(/overlap$/));
  it('a segment over the boot information', () => expect(refused(elfBytes({ pvhEntry: BOOT_INFO, segments: [{ address: BOOT_INFO, bytes: HLT }] }))).toMatch(/overlaps another one or the boot information/));
  it('an entry point outside the image', () => expect(refused(elfBytes({ pvhEntry: 0x50_0000 }))).toBe('entry point 0x500000 is outside everything that is loaded'));
  it('65535 program headers', () => expect(refused(elfBytes({ patch: (v) => v.setUint16(56, 65535, true) }))).toMatch(/e_phnum: 65535/));
  it('an ELF file with no way in', () => expect(refused(elfBytes({}))).toMatch(/neither a PVH note .* nor a Multiboot header/));
  it('an image for another processor', () => expect(refused(elfBytes({ machine: 183 }))).toMatch(/^ELF header e_machine: 183 is not x86/));
  it('a Multiboot header with demands that no loader knows', () => expect(refused(new Uint8Array([...multiboot(0x1_0103, [0x10_0000, 0x10_0000, 0, 0, 0x10_0000]), 0xf4]))).toMatch(/flags: demands 0x100/));
  it('Multiboot address fields that point before the file', () => expect(refused(new Uint8Array([...multiboot(0x1_0003, [0x20_0000, 0x10_0000, 0, 0, 0x10_0000]), 0xf4]))).toMatch(/load_addr/));
  it('a machine with too little memory', () => expect(refused(good, {}, 1 << 20)).toMatch(/too few to boot/));
  it('modules larger than memory', () => expect(refused(good, { modules: [{ name: 'big', bytes: new Uint8Array(RAM) }] })).toMatch(/^--initrd/));
  it('a command line longer than its room', () => expect(refused(good, { cmdline: 'x'.repeat(70_000) })).toMatch(/^command line: .* do not fit/));

  it('500 symbol tables that are one, and names without an end: the first table is read, names are cut', () => {
    const symbols = 4000, strings = new Uint8Array(1 << 20).fill(0x61), base = elfBytes({ pvhEntry: 0x10_0000 });
    const table = base.length, names = table + symbols * 24, headers = names + strings.length, count = 500;
    const file = new Uint8Array(headers + count * 64), view = new DataView(file.buffer);
    file.set(base);
    file.set(strings, names);
    for (let n = 1; n < symbols; n++) {
      view.setUint32(table + n * 24, n, true);
      view.setUint8(table + n * 24 + 4, 2);
      view.setUint16(table + n * 24 + 6, 1, true);
    }
    for (let n = 0; n < count; n++) {
      const at = headers + n * 64, isTable = n > 0;
      view.setUint32(at + 4, isTable ? 2 : 3, true);
      view.setBigUint64(at + 24, BigInt(isTable ? table : names), true);
      view.setBigUint64(at + 32, BigInt(isTable ? symbols * 24 : strings.length), true);
    }
    view.setBigUint64(40, BigInt(headers), true);
    view.setUint16(58, 64, true);
    view.setUint16(60, count, true);
    const plan = planBoot(file, RAM);
    expect(plan.symbols).toHaveLength(symbols - 1);
    expect(Math.max(...plan.symbols.map((s) => s.name.length))).toBe(1024);
  });

  it('any change of any bytes is either accepted or refused by an ImageError, never by another exception', () => {
    const seed = Date.now() & 0x7fff_ffff;
    console.log(`hostile ELF seed ${seed}`);
    const bytes = new Uint8Array([...multiboot(3), ...new Uint8Array(200)]);
    const base = elfBytes({ bits: 64, pvhEntry: 0x10_0000, segments: [{ address: 0x10_0000, bytes }] });
    const change = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(change, fc.nat(base.length), (changes, cut) => {
      const file = base.slice(0, changes.length > 4 ? cut : base.length);
      for (const [at, value] of changes) if (at < file.length) file[at] = value;
      expect(refused(file)).toBeTypeOf('string');
    }), { seed, numRuns: 3000 });
  });
});

/**
 * What the boot loader says: which physical memory is RAM, which is spoken for, where the modules are, and the
 * command line. PVH and Multiboot tell the same story in two formats; behind this file there is only one.
 * Everything below 1 MiB is left alone: the loaders keep their own records there.
 */
import { at, byte, cl, dword, eax, ecx, edi, qword, r12, r13, r14, rax, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { MULTIBOOT_MAGIC, PVH_MAGIC } from './boot.ts';
import { MAX_RANGES, PAGE_1G, RANGE } from './layout.ts';
import type { KernelWriter } from './writer.ts';

/** struct hvm_start_info, version 1, and its records. Xen, "x86/HVM direct boot ABI". */
const START_INFO = { magic: 0, version: 4, moduleCount: 12, modules: 16, commandLine: 24, memoryMap: 40, memoryMapEntries: 48 } as const;
const PVH_RANGE = { base: 0, length: 8, type: 16, bytes: 24 } as const;
const PVH_MODULE = { base: 0, length: 8, bytes: 32 } as const;
/** struct multiboot_info and its records. "Multiboot Specification version 0.6.96", "Boot information format". */
const MULTIBOOT = { flags: 0, commandLine: 16, moduleCount: 20, modules: 24, memoryMapLength: 44, memoryMap: 48 } as const;
const MULTIBOOT_HAS = { commandLine: 1 << 2, modules: 1 << 3, memoryMap: 1 << 6 } as const;
const MULTIBOOT_RANGE = { size: 0, base: 4, length: 12, type: 20 } as const;
const MULTIBOOT_MODULE = { base: 0, end: 4, bytes: 16 } as const;

const TYPE_RAM = 1;
/** Room for a long file name too: QEMU puts the image's in front of the options, as GRUB 1 did; GRUB 2 does not. */
export const COMMAND_LINE_BYTES = 1024;

export function memoryMap(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  for (const list of ['usable', 'reserved']) {
    a.object(`${list}_ranges`, () => a.reserve(MAX_RANGES * RANGE.bytes));
    a.object(`${list}_count`, () => a.reserve(8));
  }
  a.object('command_line', () => a.reserve(COMMAND_LINE_BYTES));
  a.object('top_of_ram', () => a.reserve(8));
  a.section('.text');

  // RDI: base, RSI: end of a range.
  for (const list of ['usable', 'reserved']) {
    k.func(`add_${list}_range`, [], () => {
      a.cmp(rdi, rsi);
      a.jae('.return');
      a.mov(rcx, qword(`${list}_count`));
      a.cmp(rcx, MAX_RANGES);
      k.when('ae', () => k.call('panic', { addressOf: k.text('the memory map has too many ranges') }));
      a.inc(qword(`${list}_count`));
      a.shl(rcx, 4);
      a.lea(rax, at(`${list}_ranges`));
      a.mov(qword(rax, rcx, 1, RANGE.base), rdi);
      a.mov(qword(rax, rcx, 1, RANGE.end), rsi);
    });
  }

  // RDI: base, RSI: length, EDX: type of a range of the loader's map.
  k.func('add_loader_range', [], () => {
    a.add(rsi, rdi);
    a.jb('.return');                      // wraps around: no memory
    a.cmp(rdx, TYPE_RAM);
    k.when('ne', () => {
      a.call('add_reserved_range');
      k.leave();
    });
    a.cmp(qword('top_of_ram'), rsi);
    k.when('b', () => a.mov(qword('top_of_ram'), rsi));
    a.call('add_usable_range');
  });

  // RDI: physical address of the loader's command line.
  k.func('copy_command_line', [], () => {
    a.cmp(rdi, PAGE_1G - COMMAND_LINE_BYTES);
    a.ja('.return');
    k.direct(rdi);
    a.lea(rsi, at('command_line'));
    k.count(rdx, COMMAND_LINE_BYTES - 1, ({ leave }) => {
      a.mov(cl, byte(rdi, rdx, 1));
      a.mov(byte(rsi, rdx, 1), cl);
      a.test(cl, cl);
      a.je(leave);
    });
  });

  // RAX = the boot record, RAX in the direct map; a record above the first GiB cannot be read yet.
  const information = (): void => {
    a.mov(rbx, qword('boot_information'));
    a.cmp(rbx, PAGE_1G);
    k.when('ae', () => k.call('panic', { addressOf: k.text('the boot information is above 1 GiB') }));
    k.direct(rbx);
  };

  k.func('read_pvh', [rbx, r12, r13], () => {
    information();
    a.cmp(dword(rbx, START_INFO.magic), PVH_MAGIC);
    k.when('ne', () => k.call('panic', { addressOf: k.text('hvm_start_info has a wrong magic number') }));
    a.cmp(dword(rbx, START_INFO.version), 0);
    k.when('e', () => k.call('panic', { addressOf: k.text('hvm_start_info is version 0: it has no memory map') }));
    a.mov(r12, qword(rbx, START_INFO.memoryMap));
    k.direct(r12);
    a.mov(eax, dword(rbx, START_INFO.memoryMapEntries));
    a.mov(r13, rax);
    k.loop(({ leave }) => {
      a.dec(r13);
      a.js(leave);
      a.mov(ecx, dword(r12, PVH_RANGE.type));
      k.call('add_loader_range', qword(r12, PVH_RANGE.base), qword(r12, PVH_RANGE.length), rcx);
      a.add(r12, PVH_RANGE.bytes);
    });
    a.mov(r12, qword(rbx, START_INFO.modules));
    k.direct(r12);
    a.mov(eax, dword(rbx, START_INFO.moduleCount));
    a.mov(r13, rax);
    k.loop(({ leave }) => {
      a.dec(r13);
      a.js(leave);
      a.mov(rdi, qword(r12, PVH_MODULE.base));
      a.mov(rsi, qword(r12, PVH_MODULE.length));
      a.add(rsi, rdi);
      a.call('add_reserved_range');
      a.add(r12, PVH_MODULE.bytes);
    });
    a.mov(rdi, qword(rbx, START_INFO.commandLine));
    a.test(rdi, rdi);
    k.when('ne', () => a.call('copy_command_line'));
  });

  k.func('read_multiboot', [rbx, r12, r13, r14], () => {
    information();
    a.mov(eax, dword(rbx, MULTIBOOT.flags));
    a.mov(r14, rax);
    a.test(r14, MULTIBOOT_HAS.memoryMap);
    k.when('e', () => k.call('panic', { addressOf: k.text('the boot loader gives no memory map') }));
    a.mov(eax, dword(rbx, MULTIBOOT.memoryMap));
    a.mov(r12, rax);
    k.direct(r12);
    a.mov(eax, dword(rbx, MULTIBOOT.memoryMapLength));
    a.lea(r13, at(r12, rax, 1));
    k.loop(({ leave }) => {
      a.cmp(r12, r13);
      a.jae(leave);
      a.mov(ecx, dword(r12, MULTIBOOT_RANGE.type));
      k.call('add_loader_range', qword(r12, MULTIBOOT_RANGE.base), qword(r12, MULTIBOOT_RANGE.length), rcx);
      a.mov(eax, dword(r12, MULTIBOOT_RANGE.size));
      a.lea(r12, at(r12, rax, 1, 4));     // `size` does not count itself
    });
    a.test(r14, MULTIBOOT_HAS.modules);
    k.when('ne', () => {
      a.mov(eax, dword(rbx, MULTIBOOT.modules));
      a.mov(r12, rax);
      k.direct(r12);
      a.mov(eax, dword(rbx, MULTIBOOT.moduleCount));
      a.mov(r13, rax);
      k.loop(({ leave }) => {
        a.dec(r13);
        a.js(leave);
        a.mov(eax, dword(r12, MULTIBOOT_MODULE.base));
        a.mov(ecx, dword(r12, MULTIBOOT_MODULE.end));
        k.call('add_reserved_range', rax, rcx);
        a.add(r12, MULTIBOOT_MODULE.bytes);
      });
    });
    a.test(r14, MULTIBOOT_HAS.commandLine);
    k.when('ne', () => {
      a.mov(edi, dword(rbx, MULTIBOOT.commandLine));
      a.call('copy_command_line');
    });
  });

  k.func('memory_map_read', [], () => {
    a.cmp(qword('boot_protocol'), MULTIBOOT_MAGIC);
    k.when('e', () => a.call('read_multiboot'), () => a.call('read_pvh'));
  });
}

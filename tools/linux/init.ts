/**
 * The first process of a Linux guest, written with longmode's own assembler: prints from ring 3, gets memory from mmap and
 * brk, touches every page of it (a page fault each) and reads it back, then reboots. A static ELF file without a library.
 */
import { Assembler, cs, dword, eax, edi, edx, esi, qword, r8, r9, r10d, r12, r13, r14, rax, rcx, rdi, rsi, writeElf } from '../../src/assembler/index.ts';

/** System calls by number. Linux, arch/x86/entry/syscalls/syscall_64.tbl. */
const SYS = { write: 1, mmap: 9, munmap: 11, brk: 12, exit: 60, reboot: 169 } as const;
const STDOUT = 1;
const PROT_READ_WRITE = 3, MAP_PRIVATE_ANONYMOUS = 0x22;
/** LINUX_REBOOT_MAGIC1, MAGIC2, CMD_RESTART. */
const REBOOT = { magic1: 0xfee1_dead, magic2: 672_274_793, restart: 0x0123_4567 } as const;

const PAGE = 4096, MAPPED_PAGES = 1024, HEAP_PAGES = 64;

/** What it prints when everything is as it should be: a boot test waits for these lines. */
export const INIT_LINES = [
  'init: hello from ring 3',
  `init: mmap gave ${MAPPED_PAGES} pages, all of them zero, and kept what was written`,
  `init: brk gave ${HEAP_PAGES} pages, all of them zero, and kept what was written`,
  'init: rebooting',
] as const;

/** The ELF file of /init. */
export function initElf(): Uint8Array {
  const a = new Assembler({ origin: 0x40_0000 });
  const systemCall = (number: number): void => { a.mov(eax, number); a.syscall(); };
  const texts: [name: string, text: string][] = [];
  const print = (text: string): void => {
    const name = `text_${texts.length}`;
    texts.push([name, `${text}\n`]);
    a.mov(edi, STDOUT);
    a.lea(rsi, qword(name));
    a.mov(edx, text.length + 1);
    systemCall(SYS.write);
  };

  a.section('.text');
  a.label('_start');
  print(INIT_LINES[0]);
  // CS tells the privilege level: the last two bits of its selector.
  a.mov(eax, cs);
  a.and(eax, 3);
  a.cmp(eax, 3);
  a.jne('failed');

  a.mov(edi, 0);
  a.mov(esi, MAPPED_PAGES * PAGE);
  a.mov(edx, PROT_READ_WRITE);
  a.mov(r10d, MAP_PRIVATE_ANONYMOUS);
  a.mov(r8, -1);
  a.mov(r9, 0);
  systemCall(SYS.mmap);
  a.test(rax, rax);
  a.js('failed');
  a.mov(r12, rax);
  a.mov(r13, MAPPED_PAGES);
  a.call('touch');
  print(INIT_LINES[1]);
  a.mov(rdi, r12);
  a.mov(esi, MAPPED_PAGES * PAGE);
  systemCall(SYS.munmap);
  a.test(rax, rax);
  a.jne('failed');

  a.mov(edi, 0);
  systemCall(SYS.brk);
  // The end of the heap may be anywhere in a page: the next whole one is ours.
  a.lea(r12, qword(rax, PAGE - 1));
  a.and(r12, -PAGE);
  a.lea(rdi, qword(r12, HEAP_PAGES * PAGE));
  a.mov(r14, rdi);
  systemCall(SYS.brk);
  a.cmp(rax, r14);
  a.jne('failed');
  a.mov(r13, HEAP_PAGES);
  a.call('touch');
  print(INIT_LINES[2]);

  print(INIT_LINES[3]);
  a.mov(edi, REBOOT.magic1);
  a.mov(esi, REBOOT.magic2);
  a.mov(edx, REBOOT.restart);
  systemCall(SYS.reboot);
  a.label('failed');
  print('init: FAILED');
  a.mov(edi, 1);
  systemCall(SYS.exit);

  // r13 pages at r12: each must read zero first; then each gets its own number, and all are read back.
  a.func('touch', () => {
    a.mov(rdi, r12);
    a.mov(rcx, r13);
    a.label('.write');
    a.cmp(qword(rdi), 0);
    a.jne('failed');
    a.mov(qword(rdi), rcx);
    a.mov(dword(rdi, PAGE - 4), 0x5a5a_5a5a);
    a.add(rdi, PAGE);
    a.dec(rcx);
    a.jnz('.write');
    a.mov(rdi, r12);
    a.mov(rcx, r13);
    a.label('.read');
    a.cmp(qword(rdi), rcx);
    a.jne('failed');
    a.cmp(dword(rdi, PAGE - 4), 0x5a5a_5a5a);
    a.jne('failed');
    a.add(rdi, PAGE);
    a.dec(rcx);
    a.jnz('.read');
    a.ret();
  });

  a.section('.rodata');
  for (const [name, text] of texts) a.object(name, () => a.db(text));
  return writeElf(a.link(), { entry: '_start', name: 'init' });
}

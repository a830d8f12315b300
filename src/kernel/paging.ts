/**
 * Page tables: PML4, PDPT, PD, PT; 512 entries of 8 bytes each. Tables are reached through the direct map of all RAM.
 * Every function takes the physical address of a PML4, so that it can work on an address space that is not in CR3.
 *
 * INVLPG is needed when a translation that the CPU may hold is taken away or narrowed, in the address space that CR3
 * names or in the shared upper half. A new translation needs none: the TLB does not keep "not present".
 * SDM Vol. 3A, "4-Level Paging and 5-Level Paging", "Invalidation of TLBs and Paging-Structure Caches".
 */
import { at, cl, cr3, eax, ebp, ecx, edx, qword, r11, r12, r13, r14, r14d, r15, r8, r8d, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { KERNEL_BASE, PAGE_2M, PAGE_SIZE, PML4_DIRECT, PML4_KERNEL, PML4_RECURSIVE, PMM, PTE } from './layout.ts';
import { address, type KernelWriter, type Register64 } from './writer.ts';

/** Shifts of a linear address that bring an index to bits 8:0; also the size of what an entry of that level maps. */
export const SHIFT = { PTE: 12, PDE: 21, PDPTE: 30, PML4E: 39 } as const;
export const PAGING_ERROR = { none: 0, outOfMemory: 1, alreadyMapped: 2, notMapped: 3 } as const;

export function paging(k: KernelWriter): void {
  const { a } = k;
  k.variable('kernel_pml4');

  /** Leaves the frame of the entry in `register`. Uses R11. */
  const frameOf = (register: Register64): void => {
    a.mov(r11, PTE.FRAME);
    a.and(register, r11);
  };

  // RAX: an empty table's physical address, or 0.
  k.func('table_alloc', [rbx], () => {
    k.call('pmm_alloc', address('system_pmm'));
    a.mov(rbx, rax);
    a.test(rbx, rbx);
    k.when('ne', () => {
      k.call('frame_clear', rbx);
      a.inc(qword('system_pmm', PMM.tables));
    });
    k.leave(rbx);
  });

  // RDI: a table's physical address.
  k.func('table_free', [], () => {
    a.mov(rsi, rdi);
    k.call('pmm_free', address('system_pmm'), rsi);
    a.dec(qword('system_pmm', PMM.tables));
  });

  /**
   * RDI: PML4, RSI: linear address, RDX: shift of the wanted level, RCX: whether missing tables are made.
   * RAX: where the entry is (in the direct map); 0 when it cannot be reached: RDX then says why (PAGING_ERROR).
   */
  k.func('paging_entry', [rbx, rbp, r12, r13, r14, r15], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.mov(r13, rcx);
    a.mov(r14, SHIFT.PML4E);
    k.loop(({ again }) => {
      a.mov(ecx, r14d);
      a.mov(r15, rbp);
      a.shr(r15, cl);
      a.and(r15, 511);
      k.direct(rbx);
      a.lea(r15, at(rbx, r15, 8));        // the entry of this level
      a.cmp(r14, r12);
      k.when('e', () => k.leave(r15));
      a.mov(rax, qword(r15));
      a.test(rax, PTE.P);
      k.when('e', () => {
        a.mov(rdx, PAGING_ERROR.notMapped);
        a.test(r13, r13);
        k.when('e', () => k.leave(0));
        a.call('table_alloc');
        a.mov(rdx, PAGING_ERROR.outOfMemory);
        a.test(rax, rax);
        a.je('.return');
        // The leaf decides what is allowed: W and U are the AND over the levels. The upper half is never user's.
        a.or(rax, PTE.P | PTE.RW);
        a.test(rbp, rbp);
        k.when('ns', () => a.or(rax, PTE.US));
        a.mov(qword(r15), rax);
      }, () => {
        a.test(rax, PTE.PS);
        k.when('ne', () => {
          a.mov(rdx, PAGING_ERROR.alreadyMapped);
          k.leave(0);
        });
      });
      a.mov(rbx, rax);
      frameOf(rbx);
      a.sub(r14, 9);
      a.jmp(again);
    });
  });

  /** RDI: PML4, RSI: linear address. RAX: the entry that maps it, or the deepest one that could; RDX: its shift. RAX is 0 never. */
  k.func('paging_leaf', [], () => {
    a.mov(r8, SHIFT.PML4E);
    k.loop(({ again }) => {
      a.mov(ecx, r8d);
      a.mov(rax, rsi);
      a.shr(rax, cl);
      a.and(rax, 511);
      k.direct(rdi);
      a.lea(rax, at(rdi, rax, 8));
      a.mov(rdx, r8);
      a.mov(rdi, qword(rax));
      a.test(rdi, PTE.P);
      a.je('.return');
      a.cmp(r8, SHIFT.PTE);
      a.je('.return');
      a.test(rdi, PTE.PS);
      a.jne('.return');
      frameOf(rdi);
      a.sub(r8, 9);
      a.jmp(again);
    });
  });

  /** RDI: PML4, RSI: linear address, RDX: physical address, RCX: flags of the entry, R8: page size (4 KiB, 2 MiB or 1 GiB). RAX: PAGING_ERROR. */
  k.func('paging_map', [rbx, rbp], () => {
    a.lea(rbx, at(rdx, rcx, 1));
    a.or(rbx, PTE.P);
    a.mov(rdx, SHIFT.PTE);
    a.cmp(r8, PAGE_SIZE);
    k.when('ne', () => {
      a.or(rbx, PTE.PS);
      a.bsf(rdx, r8);                     // 2 MiB is 1 << 21, 1 GiB is 1 << 30: the size names the level
    });
    k.load(rcx, 1);
    a.call('paging_entry');
    a.test(rax, rax);
    k.when('e', () => k.leave(rdx));
    a.test(qword(rax), PTE.P);
    k.when('ne', () => k.leave(PAGING_ERROR.alreadyMapped));
    a.mov(qword(rax), rbx);
    k.leave(PAGING_ERROR.none);
  });

  // RDI: PML4, RSI: linear address. INVLPG where the CPU may hold the old translation.
  k.func('paging_invalidate', [], () => {
    a.test(rsi, rsi);
    k.when('ns', () => {
      a.mov(rax, cr3);
      a.cmp(rax, rdi);
      a.jne('.return');
    });
    a.invlpg(at(rsi));
  });

  /** RDI: PML4, RSI: linear address. Unmaps a page of any size and frees tables that became empty. RAX: the old entry, 0 if there was none; RDX: its shift. */
  k.func('paging_unmap', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.call('paging_leaf');
    a.mov(r12, qword(rax));
    a.mov(r13, rdx);
    a.test(r12, PTE.P);
    k.when('e', () => k.leave(0));
    a.mov(qword(rax), 0);
    k.call('paging_invalidate', rbx, rbp);
    a.lea(r14, at(r13, 9));
    k.loop(({ leave }) => {
      a.cmp(r14, SHIFT.PML4E);
      a.ja(leave);
      k.when('e', () => {                 // the PDPTs of the upper half are in every address space
        a.test(rbp, rbp);
        a.js(leave);
      });
      k.call('paging_entry', rbx, rbp, r14, 0);
      a.mov(rdx, rax);
      a.mov(r8, qword(rdx));
      frameOf(r8);
      a.mov(rdi, r8);
      k.direct(rdi);
      a.xor(eax, eax);
      a.mov(ecx, 512);
      a.repe.scasq();                     // the first entry in use ends the search
      a.jne(leave);
      a.mov(qword(rdx), 0);
      k.call('table_free', r8);
      a.add(r14, 9);
    });
    a.mov(rdx, r13);
    k.leave(r12);
  });

  /** RDI: PML4, RSI: linear address, RDX: new flags. Keeps the frame. RAX: PAGING_ERROR. */
  k.func('paging_protect', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.call('paging_leaf');
    a.test(qword(rax), PTE.P);
    k.when('e', () => k.leave(PAGING_ERROR.notMapped));
    a.mov(rcx, qword(rax));
    a.mov(r11, PTE.FRAME | BigInt(PTE.PS | PTE.ZERO));
    a.and(rcx, r11);
    a.or(rcx, r12);
    a.or(rcx, PTE.P);
    a.mov(qword(rax), rcx);
    k.call('paging_invalidate', rbx, rbp);
    k.leave(PAGING_ERROR.none);
  });

  /** RDI: PML4, RSI: linear address. RAX: the physical address behind it, 0 if it is not mapped. */
  k.func('paging_translate', [rbx], () => {
    a.mov(rbx, rsi);
    a.call('paging_leaf');
    a.mov(rax, qword(rax));
    a.test(rax, PTE.P);
    k.when('e', () => k.leave(0));
    frameOf(rax);
    a.mov(ecx, edx);
    a.mov(r8, 1);
    a.shl(r8, cl);
    a.dec(r8);                            // the offset within a page of this size
    a.mov(r9, r8);
    a.not(r9);
    a.and(rax, r9);                       // a large page's PAT bit is below its frame
    a.and(rbx, r8);
    a.or(rax, rbx);
  });

  const orPanic = (): void => {
    a.test(rax, rax);
    k.when('ne', () => k.call('panic', address(k.text('no memory for the kernel\'s page tables'))));
  };

  /** The kernel's own tables replace those of boot.ts: the direct map of all RAM, and the image with each section's protection. */
  k.func('paging_start', [rbx, rbp, r12], () => {
    a.call('table_alloc');
    a.mov(rbx, rax);
    a.test(rbx, rbx);
    k.when('e', () => k.call('panic', address(k.text('no memory for a PML4'))));
    a.mov(qword('kernel_pml4'), rbx);

    a.mov(r12, PTE.NX);
    a.or(r12, PTE.RW);
    a.xor(ebp, ebp);
    k.loop(({ leave }) => {
      a.cmp(rbp, qword('top_of_ram'));
      a.jae(leave);
      a.mov(rsi, rbp);
      k.direct(rsi);
      k.call('paging_map', rbx, rsi, rbp, r12, PAGE_2M);
      orPanic();
      a.add(rbp, PAGE_2M);
    });

    for (const [section, flags] of [['__text', 0n], ['__rodata', PTE.NX], ['__user', PTE.NX], ['__data', PTE.NX | BigInt(PTE.RW)], ['__bss', PTE.NX | BigInt(PTE.RW)]] as const) {
      a.lea(rbp, at(`${section}_start`));
      a.lea(r12, at(`${section}_end`));
      k.loop(({ leave }) => {
        a.cmp(rbp, r12);
        a.jae(leave);
        a.mov(rax, KERNEL_BASE);
        a.mov(rdx, rbp);
        a.sub(rdx, rax);
        k.call('paging_map', rbx, rbp, rdx, flags, PAGE_SIZE);
        orPanic();
        a.add(rbp, PAGE_SIZE);
      });
    }
    a.lea(rsi, at('kernel_stack_guard'));
    k.call('paging_unmap', rbx, rsi);

    // The kernel's regions share one PDPT, made now so that every later PML4 can point to it.
    a.call('table_alloc');
    a.test(rax, rax);
    k.when('e', () => k.call('panic', address(k.text('no memory for a PDPT'))));
    a.or(rax, PTE.P | PTE.RW);
    a.mov(rcx, rbx);
    k.direct(rcx);
    a.mov(qword(rcx, PML4_KERNEL * 8), rax);
    k.call('set_recursive_entry', rbx);
    a.mov(cr3, rbx);                      // the identity map of boot.ts is gone
  });

  // RDI: PML4. Entry 510 points to the PML4 itself: the tables become memory at 0xffffff0000000000.
  k.func('set_recursive_entry', [], () => {
    a.mov(rax, PTE.NX);
    a.or(rax, rdi);
    a.or(rax, PTE.P | PTE.RW);
    k.direct(rdi);
    a.mov(qword(rdi, PML4_RECURSIVE * 8), rax);
  });

  // RAX: a new PML4 with an empty lower half and the kernel's upper half, or 0.
  k.func('paging_new_space', [rbx], () => {
    a.call('table_alloc');
    a.test(rax, rax);
    a.je('.return');
    a.mov(rbx, rax);
    a.mov(rdi, rax);
    k.direct(rdi);
    a.mov(rsi, qword('kernel_pml4'));
    k.direct(rsi);
    a.add(rdi, PML4_DIRECT * 8);
    a.add(rsi, PML4_DIRECT * 8);
    a.mov(ecx, 512 - PML4_DIRECT);
    a.rep.movsq();
    k.call('set_recursive_entry', rbx);
    k.leave(rbx);
  });
}

/**
 * The virtual memory manager: address spaces made of regions. A region is a stretch of linear addresses with one
 * protection and one policy that says who provides frames and when:
 *
 *   immediate   frames at map time: a fault is an error
 *   demand      a frame on first access
 *   zero page   reads see one shared read-only page of zeroes, the first write gets a frame of its own
 *   guard       never a frame: a fault here is an overflow
 *
 * Regions are kept in order of their bases. A new one gets the lowest gap it fits into; it is freed by its exact base.
 */
import { at, cr3, eax, qword, r12, r13, r14, r15, r8, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { KERNEL_SPACE, KERNEL_SPACE_END, PAGE_SIZE, PMM, POLICY, PROTECTION, PTE, REGION, SPACE, USER_SPACE, USER_SPACE_END } from './layout.ts';
import { address, type KernelWriter } from './writer.ts';

export function vmm(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['region_pool', 'zero_frame', 'current_space']) k.variable(name);
  a.section('.bss');
  a.align(8);
  a.object('kernel_space', () => a.reserve(SPACE.bytes));
  a.section('.text');

  // RAX: an empty REGION, or 0. Regions are carved from frames, in the direct map.
  k.func('region_alloc', [], () => {
    a.cmp(qword('region_pool'), 0);
    k.when('e', () => {
      k.call('pmm_alloc', address('system_pmm'));
      a.test(rax, rax);
      a.je('.return');
      k.direct(rax);
      k.count(rcx, PAGE_SIZE / REGION.bytes, () => {
        a.mov(rdx, qword('region_pool'));
        a.mov(qword(rax, REGION.next), rdx);
        a.mov(qword('region_pool'), rax);
        a.add(rax, REGION.bytes);
      });
    });
    a.mov(rax, qword('region_pool'));
    a.mov(rdx, qword(rax, REGION.next));
    a.mov(qword('region_pool'), rdx);
  });

  // RDI: REGION.
  k.func('region_free', [], () => {
    a.mov(rax, qword('region_pool'));
    a.mov(qword(rdi, REGION.next), rax);
    a.mov(qword('region_pool'), rdi);
  });

  // RDI: REGION. RAX: the flags of its pages' entries.
  k.func('region_flags', [], () => {
    a.mov(rdx, qword(rdi, REGION.protection));
    a.xor(eax, eax);
    for (const [protection, flag] of [[PROTECTION.WRITE, PTE.RW], [PROTECTION.USER, PTE.US]] as const) {
      a.test(rdx, protection);
      k.when('ne', () => a.or(rax, flag));
    }
    a.test(rdx, PROTECTION.EXECUTE);
    k.when('e', () => a.bts(rax, 63));    // NX
  });

  /** RDI: SPACE, RSI: REGION, RDX: linear address of a page. Puts a frame of zeroes of its own behind it. RAX: 0, or not when there is none. */
  k.func('region_back', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.mov(r14, qword(rbp, REGION.pageSize));
    a.shr(r14, 12);                       // frames
    k.call('pmm_alloc_page', r14);
    a.mov(r13, rax);
    a.test(r13, r13);
    k.when('e', () => k.leave(1));
    a.mov(rdi, r13);
    k.direct(rdi);
    a.mov(rcx, qword(rbp, REGION.pageSize));
    a.shr(rcx, 3);
    a.xor(eax, eax);
    a.rep.stosq();
    k.call('region_flags', rbp);
    k.call('paging_map', qword(rbx, SPACE.pml4), r12, r13, rax, qword(rbp, REGION.pageSize));
    a.test(rax, rax);
    k.when('ne', () => {
      k.call('pmm_free_run', address('system_pmm'), r13, r14);
      k.leave(1);
    });
    a.add(qword(rbx, SPACE.frames), r14);
    k.leave(0);
  });

  // RDI: frames of a page: 1, 512 or 262,144. RAX: their physical address, aligned to the page, or 0.
  k.func('pmm_alloc_page', [], () => {
    a.cmp(rdi, 1);
    k.when('e', () => {
      k.call('pmm_alloc', address('system_pmm'));
      k.leave();
    });
    a.mov(rsi, rdi);
    a.mov(rdx, rdi);
    k.call('pmm_alloc_run', address('system_pmm'));
  });

  // RDI: SPACE, RSI: linear address. RAX: the REGION that contains it, or 0.
  k.func('vmm_find', [], () => {
    a.mov(rax, qword(rdi, SPACE.regions));
    k.loop(({ leave }) => {
      a.test(rax, rax);
      a.je('.return');
      a.mov(rdx, rsi);
      a.sub(rdx, qword(rax, REGION.base));
      a.jb(leave);                        // in the gap before this region
      a.cmp(rdx, qword(rax, REGION.length));
      a.jb('.return');
      a.mov(rax, qword(rax, REGION.next));
    });
    k.leave(0);
  });

  // RDI: SPACE, RSI: length, RDX: alignment. RAX: the lowest base with that much room, or 0.
  k.func('vmm_find_gap', [], () => {
    a.mov(r8, qword(rdi, SPACE.regions));
    a.mov(rax, qword(rdi, SPACE.lowest));
    a.lea(r9, at(rdx, -1));
    a.not(r9);
    k.loop(({ leave }) => {
      a.lea(rax, at(rax, rdx, 1, -1));
      a.and(rax, r9);
      a.lea(rcx, at(rax, rsi, 1));
      a.test(r8, r8);
      a.je(leave);
      a.cmp(rcx, qword(r8, REGION.base));
      a.jbe('.return');
      a.mov(rax, qword(r8, REGION.base));
      a.add(rax, qword(r8, REGION.length));
      a.mov(r8, qword(r8, REGION.next));
    });
    a.cmp(rcx, qword(rdi, SPACE.highest));
    k.when('a', () => k.leave(0));
  });

  /** RDI: SPACE, RSI: base, RDX: length, RCX: protection, R8: policy, R9: page size. RAX: base, or 0 when it does not fit there or no memory is left. */
  k.func('vmm_place', [rbx, rbp, r12, r13, r14, r15], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rsi);
    a.mov(r13, rdx);
    a.mov(r14, rcx);
    a.mov(r15, r8);
    a.mov(rbp, r9);
    a.cmp(r15, POLICY.ZERO);
    k.when('e', () => {                   // the page of zeroes is a 4 KiB frame
      a.cmp(rbp, PAGE_SIZE);
      k.when('ne', () => k.leave(0));
    });
    a.lea(rax, at(rbp, -1));
    a.test(r12, rax);
    k.when('ne', () => k.leave(0));
    a.add(r13, rax);                      // the length, rounded up to pages
    a.not(rax);
    a.and(r13, rax);
    k.when('e', () => k.leave(0));
    a.cmp(r12, qword(rbx, SPACE.lowest));
    k.when('b', () => k.leave(0));
    a.lea(rcx, at(r12, r13, 1));
    a.cmp(rcx, qword(rbx, SPACE.highest));
    k.when('a', () => k.leave(0));

    a.call('region_alloc');
    a.test(rax, rax);
    a.je('.return');
    a.mov(qword(rax, REGION.base), r12);
    a.mov(qword(rax, REGION.length), r13);
    a.mov(qword(rax, REGION.protection), r14);
    a.mov(qword(rax, REGION.policy), r15);
    a.mov(qword(rax, REGION.pageSize), rbp);
    a.mov(qword(rax, REGION.faults), 0);
    // RDX: the link to put it into: the space's first, or some region's next.
    a.lea(rdx, at(rbx, SPACE.regions));
    k.loop(({ leave }) => {
      a.mov(r8, qword(rdx));
      a.test(r8, r8);
      a.je(leave);
      a.lea(rcx, at(r12, r13, 1));
      a.cmp(rcx, qword(r8, REGION.base));
      a.jbe(leave);                       // it ends before this one starts
      a.mov(rcx, qword(r8, REGION.base));
      a.add(rcx, qword(r8, REGION.length));
      a.cmp(r12, rcx);
      k.when('b', () => {                 // they overlap
        k.call('region_free', rax);
        k.leave(0);
      });
      a.lea(rdx, at(r8, REGION.next));
    });
    a.mov(qword(rax, REGION.next), r8);
    a.mov(qword(rdx), rax);

    a.cmp(r15, POLICY.IMMEDIATE);
    k.when('ne', () => k.leave(r12));
    a.mov(r14, rax);
    k.call('region_back_all', rbx, r14, r12);
    a.test(rax, rax);
    k.when('e', () => k.leave(r12));
    k.call('vmm_free', rbx, r12);         // out of memory on the way: what is mapped goes back
    k.leave(0);
  });

  // RDI: SPACE, RSI: REGION, RDX: where to start. Frames for every page from there to its end. RAX: 0, or not.
  k.func('region_back_all', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.mov(r13, qword(rbp, REGION.base));
    a.add(r13, qword(rbp, REGION.length));
    k.loop(({ leave }) => {
      a.cmp(r12, r13);
      a.jae(leave);
      k.call('region_back', rbx, rbp, r12);
      a.test(rax, rax);
      a.jne('.return');
      a.add(r12, qword(rbp, REGION.pageSize));
    });
    k.leave(0);
  });

  /** RDI: SPACE, RSI: length, RDX: protection, RCX: policy, R8: page size. RAX: base of a region in the lowest gap, or 0. */
  k.func('vmm_allocate', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.mov(r13, rcx);
    a.mov(r14, r8);
    a.lea(rsi, at(rsi, r8, 1, -1));
    a.mov(rax, r8);
    a.neg(rax);
    a.and(rsi, rax);
    a.mov(rdx, r8);
    a.call('vmm_find_gap');
    a.test(rax, rax);
    a.je('.return');
    a.mov(rsi, rax);
    a.mov(r9, r14);
    a.mov(r8, r13);
    a.mov(rcx, r12);
    a.mov(rdx, rbp);
    a.mov(rdi, rbx);
    a.call('vmm_place');
  });

  /** RDI: SPACE, RSI: physical address, RDX: length. RAX: base of a region that shows a device's registers, or 0. It never owns frames. */
  k.func('vmm_map_mmio', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rsi);
    // Reserved as a guard first: nothing is allocated and nothing can fault in.
    k.call('vmm_allocate', rbx, rdx, PROTECTION.WRITE | PROTECTION.MMIO, POLICY.GUARD, PAGE_SIZE);
    a.mov(rbp, rax);
    a.test(rbp, rbp);
    a.je('.return');
    k.call('vmm_find', rbx, rbp);
    a.mov(qword(rax, REGION.policy), POLICY.IMMEDIATE);
    a.mov(qword(rax, REGION.physical), r12);
    a.mov(r13, qword(rax, REGION.length));
    k.loop(({ leave }) => {
      a.sub(r13, PAGE_SIZE);
      a.jb(leave);
      a.mov(rcx, PTE.NX);
      a.or(rcx, PTE.RW | PTE.PCD);
      a.lea(rsi, at(rbp, r13, 1));
      a.lea(rdx, at(r12, r13, 1));
      k.load(r8, PAGE_SIZE);
      k.call('paging_map', qword(rbx, SPACE.pml4));
      a.test(rax, rax);
      k.when('ne', () => {
        k.call('vmm_free', rbx, rbp);
        k.leave(0);
      });
    });
    k.leave(rbp);
  });

  // RDI: SPACE, RSI: linear address of a page, RDX: page size, RCX: REGION. Unmaps it and gives its frames back. RAX: page size.
  k.func('vmm_release_page', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rdx);
    a.mov(r14, rcx);                      // REGION
    k.call('paging_unmap', qword(rbx, SPACE.pml4), rsi);
    a.test(rax, rax);
    k.when('e', () => k.leave(rbp));
    a.mov(r12, rax);
    a.test(r12, PTE.ZERO);
    k.when('ne', () => {
      a.dec(qword('system_pmm', PMM.zeroPages));
      k.leave(rbp);
    });
    a.test(qword(r14, REGION.protection), PROTECTION.MMIO);
    k.when('ne', () => k.leave(rbp));
    a.mov(rax, PTE.FRAME);
    a.and(rax, r12);
    a.mov(r13, rbp);
    a.shr(r13, 12);
    k.call('pmm_free_run', address('system_pmm'), rax, r13);
    a.sub(qword(rbx, SPACE.frames), r13);
    k.leave(rbp);
  });

  // RDI: SPACE, RSI: the exact base of a region. RAX: 0, or 1: no region starts there.
  k.func('vmm_free', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.lea(rdx, at(rdi, SPACE.regions));
    k.loop(({ leave }) => {
      a.mov(rbp, qword(rdx));
      a.test(rbp, rbp);
      k.when('e', () => k.leave(1));
      a.cmp(rsi, qword(rbp, REGION.base));
      a.je(leave);
      a.lea(rdx, at(rbp, REGION.next));
    });
    a.mov(rax, qword(rbp, REGION.next));
    a.mov(qword(rdx), rax);
    a.mov(r12, qword(rbp, REGION.base));
    a.lea(r13, at(r12));
    a.add(r13, qword(rbp, REGION.length));
    k.loop(({ leave }) => {
      a.cmp(r12, r13);
      a.jae(leave);
      k.call('vmm_release_page', rbx, r12, qword(rbp, REGION.pageSize), rbp);
      a.add(r12, rax);
    });
    k.call('region_free', rbp);
    k.leave(0);
  });

  // RDI: SPACE, RSI: exact base, RDX: new protection. RAX: 0, or 1: no region starts there.
  k.func('vmm_protect', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rsi);
    a.mov(r14, rdx);
    a.call('vmm_find');
    a.mov(rbp, rax);
    a.test(rbp, rbp);
    k.when('e', () => k.leave(1));
    a.cmp(r12, qword(rbp, REGION.base));
    k.when('ne', () => k.leave(1));
    a.mov(qword(rbp, REGION.protection), r14);
    a.mov(r13, qword(rbp, REGION.length));
    a.add(r13, r12);
    k.loop(({ leave }) => {
      a.cmp(r12, r13);
      a.jae(leave);
      k.call('region_flags', rbp);
      a.mov(r14, rax);
      k.call('paging_leaf', qword(rbx, SPACE.pml4), r12);
      a.test(qword(rax), PTE.ZERO);
      k.when('ne', () => a.and(r14, ~PTE.RW));       // the shared page stays read-only
      k.call('paging_protect', qword(rbx, SPACE.pml4), r12, r14);
      a.add(r12, qword(rbp, REGION.pageSize));
    });
    k.leave(0);
  });

  /** RDI: SPACE, RSI: exact base, RDX: bytes. Makes the region longer where it is. RAX: 0, or 1: something is in the way, or no memory. */
  k.func('vmm_extend', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rdx);
    a.call('vmm_find');
    a.mov(rbp, rax);
    a.test(rbp, rbp);
    k.when('e', () => k.leave(1));
    a.mov(rcx, qword(rbp, REGION.pageSize));
    a.lea(r12, at(r12, rcx, 1, -1));
    a.neg(rcx);
    a.and(r12, rcx);
    a.mov(rdx, qword(rbp, REGION.base));
    a.add(rdx, qword(rbp, REGION.length));
    a.lea(rcx, at(rdx, r12, 1));
    a.cmp(rcx, qword(rbx, SPACE.highest));
    k.when('a', () => k.leave(1));
    a.mov(rax, qword(rbp, REGION.next));
    a.test(rax, rax);
    k.when('ne', () => {
      a.cmp(rcx, qword(rax, REGION.base));
      k.when('a', () => k.leave(1));
    });
    a.add(qword(rbp, REGION.length), r12);
    a.cmp(qword(rbp, REGION.policy), POLICY.IMMEDIATE);
    k.when('ne', () => k.leave(0));
    k.call('region_back_all', rbx, rbp, rdx);
    a.test(rax, rax);
    k.when('e', () => k.leave(0));
    // Out of memory on the way: what was mapped of the new part goes back.
    a.sub(qword(rbp, REGION.length), r12);
    a.mov(r13, qword(rbp, REGION.base));
    a.add(r13, qword(rbp, REGION.length));
    k.loop(({ leave }) => {
      a.sub(r12, qword(rbp, REGION.pageSize));
      a.jb(leave);
      a.lea(rsi, at(r13, r12, 1));
      k.call('vmm_release_page', rbx, rsi, qword(rbp, REGION.pageSize), rbp);
    });
    k.leave(1);
  });

  // RDI: memory for a SPACE. An address space with an empty lower half. RAX: 0, or 1: no memory.
  k.func('vmm_create_space', [rbx], () => {
    a.mov(rbx, rdi);
    a.call('paging_new_space');
    a.test(rax, rax);
    k.when('e', () => k.leave(1));
    a.mov(qword(rbx, SPACE.pml4), rax);
    for (const zero of [SPACE.regions, SPACE.faults, SPACE.frames]) a.mov(qword(rbx, zero), 0);
    a.mov(qword(rbx, SPACE.lowest), USER_SPACE);
    a.mov(rax, USER_SPACE_END);
    a.mov(qword(rbx, SPACE.highest), rax);
    k.leave(0);
  });

  // RDI: SPACE, which must not be the one in CR3. Frees its regions, its tables and its PML4.
  k.func('vmm_destroy_space', [rbx], () => {
    a.mov(rbx, rdi);
    k.loop(({ leave }) => {
      a.mov(rax, qword(rbx, SPACE.regions));
      a.test(rax, rax);
      a.je(leave);
      k.call('vmm_free', rbx, qword(rax, REGION.base));
    });
    k.call('table_free', qword(rbx, SPACE.pml4));
  });

  // RDI: SPACE. Makes it the one that the lower half belongs to.
  k.func('vmm_switch', [], () => {
    a.mov(qword('current_space'), rdi);
    a.mov(rax, qword(rdi, SPACE.pml4));
    a.mov(cr3, rax);
  });

  k.func('vmm_start', [], () => {
    a.lea(rdi, at('kernel_space'));
    a.mov(rax, qword('kernel_pml4'));
    a.mov(qword(rdi, SPACE.pml4), rax);
    for (const [field, value] of [[SPACE.lowest, KERNEL_SPACE], [SPACE.highest, KERNEL_SPACE_END]] as const) {
      a.mov(rax, value);
      a.mov(qword(rdi, field), rax);
    }
    a.mov(qword('current_space'), rdi);
    k.call('pmm_alloc', address('system_pmm'));
    a.mov(qword('zero_frame'), rax);
    a.test(rax, rax);
    k.when('e', () => k.call('panic', address(k.text('no frame for the page of zeroes'))));
    k.call('frame_clear', rax);
  });
}

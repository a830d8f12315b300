/**
 * The demand-fault handler. CR2 says which address, the error code says what kind of access; neither says why. The
 * region that contains the address does: its policy decides whether the fault is how memory is meant to arrive
 * (demand, zero page) or a mistake (immediate, guard, no region at all).
 * SDM Vol. 3A, "Interrupt 14—Page-Fault Exception (#PF)".
 */
import { at, cr2, qword, r12, r13, r14, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { FAULT, FRAME, PAGE_SIZE, PMM, POLICY, PROTECTION, PTE, REGION, SPACE } from './layout.ts';
import { address, type KernelWriter } from './writer.ts';

/** Why a fault was not resolved: what the panic screen and the ring-3 report say. */
export const CAUSE = {
  noRegion: 'no region contains the address',
  supervisor: 'the page is the supervisor\'s: U/S is 0 on the way to it',
  guard: 'a guard page: something ran over its end',
  immediate: 'an immediate region has all its frames: a fault here is an error',
  notAllowed: 'the region does not allow this access',
  reserved: 'a reserved bit is set in a paging-structure entry',
  outOfMemory: 'out of memory: no frame for the page',
} as const;

/** The bits of the error code, lowest first, with what 0 and 1 mean. */
const ERROR_BITS = [
  ['P', 'the page is not present', 'the page is present: a protection violation'],
  ['W/R', 'a read', 'a write'],
  ['U/S', 'by the supervisor', 'by ring 3'],
  ['RSVD', 'no reserved bit involved', 'a reserved bit is set in an entry'],
  ['I/D', 'of data', 'an instruction fetch'],
] as const;

export function pageFault(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['fault_count', 'fault_address', 'fault_error', 'fault_frame', 'fault_cause', 'faults_shown']) k.variable(name);

  const give = (cause: string): void => k.leave(address(k.text(cause)));

  // RDI: FRAME.
  k.func('page_fault', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(r12, cr2);                      // first: the next fault would overwrite it
    a.mov(r13, qword(rbx, FRAME.errorCode));
    a.inc(qword('fault_count'));
    a.mov(qword('fault_address'), r12);
    a.mov(qword('fault_error'), r13);
    a.mov(qword('fault_frame'), 0);
    k.call('fault_resolve', r12, r13);
    a.mov(qword('fault_cause'), rax);
    a.cmp(qword('faults_shown'), 0);
    k.when('ne', () => k.call('fault_show', r12, r13));
    a.cmp(qword('fault_cause'), 0);
    a.je('.return');
    k.call('exception', rbx);
  });

  /** RDI: linear address, RSI: error code. RAX: 0 when the access may now be repeated, else the cause as text. */
  k.func('fault_resolve', [rbx, rbp, r12, r13, r14], () => {
    a.mov(r12, rdi);
    a.mov(r13, rsi);
    // The lower half belongs to the current address space, the upper half to all.
    a.lea(rbx, at('kernel_space'));
    a.test(r12, r12);
    k.when('ns', () => a.mov(rbx, qword('current_space')));
    k.call('vmm_find', rbx, r12);
    a.mov(rbp, rax);
    a.test(rbp, rbp);
    k.when('e', () => {
      a.and(r13, FAULT.P | FAULT.USER);
      a.cmp(r13, FAULT.P | FAULT.USER);
      k.when('e', () => give(CAUSE.supervisor));
      give(CAUSE.noRegion);
    });
    a.inc(qword(rbp, REGION.faults));
    a.inc(qword(rbx, SPACE.faults));
    a.mov(rax, qword(rbp, REGION.pageSize));
    a.neg(rax);
    a.and(r12, rax);                      // the page that contains the address: the offset takes no part
    a.test(r13, FAULT.RSVD);
    k.when('ne', () => give(CAUSE.reserved));
    a.cmp(qword(rbp, REGION.policy), POLICY.GUARD);
    k.when('e', () => give(CAUSE.guard));
    for (const [access, protection] of [[FAULT.WRITE, PROTECTION.WRITE], [FAULT.USER, PROTECTION.USER], [FAULT.FETCH, PROTECTION.EXECUTE]] as const) {
      a.test(r13, access);
      k.when('ne', () => {
        a.test(qword(rbp, REGION.protection), protection);
        k.when('e', () => give(CAUSE.notAllowed));
      });
    }
    a.cmp(qword(rbp, REGION.policy), POLICY.IMMEDIATE);
    k.when('e', () => give(CAUSE.immediate));

    a.test(r13, FAULT.P);
    k.when('ne', () => {
      // Present, allowed by the region, and yet a violation: a write to the shared page of zeroes, or nothing we know.
      k.call('paging_leaf', qword(rbx, SPACE.pml4), r12);
      a.mov(r14, rax);
      a.test(qword(r14), PTE.ZERO);
      k.when('e', () => give(CAUSE.notAllowed));
      // The entry changes from the shared frame to a new one, in one store; then the old translation goes.
      k.call('pmm_alloc', address('system_pmm'));
      a.mov(r13, rax);
      a.test(r13, r13);
      k.when('e', () => give(CAUSE.outOfMemory));
      a.mov(qword('fault_frame'), r13);
      k.call('frame_clear', r13);
      k.call('region_flags', rbp);
      a.or(rax, PTE.P);
      a.or(rax, r13);
      a.mov(qword(r14), rax);
      k.call('paging_invalidate', qword(rbx, SPACE.pml4), r12);
      a.inc(qword(rbx, SPACE.frames));
      a.dec(qword('system_pmm', PMM.zeroPages));
      k.leave(0);
    }, () => {
      a.cmp(qword(rbp, REGION.policy), POLICY.ZERO);
      k.when('e', () => {
        a.test(r13, FAULT.WRITE);
        k.when('e', () => {               // the first access is a read: no frame yet
          k.call('region_flags', rbp);
          a.and(rax, ~PTE.RW);
          a.or(rax, PTE.ZERO);
          a.mov(rdx, qword('zero_frame'));
          a.mov(qword('fault_frame'), rdx);
          k.call('paging_map', qword(rbx, SPACE.pml4), r12, rdx, rax, PAGE_SIZE);
          a.test(rax, rax);
          k.when('ne', () => give(CAUSE.outOfMemory));
          a.inc(qword('system_pmm', PMM.zeroPages));
          k.leave(0);
        });
      });
    });
    k.call('region_back', rbx, rbp, r12);
    a.test(rax, rax);
    k.when('ne', () => give(CAUSE.outOfMemory));
    k.call('paging_translate', qword(rbx, SPACE.pml4), r12);
    a.mov(qword('fault_frame'), rax);
    k.leave(0);
  });

  // RDI: linear address, RSI: error code. One line for a fault, when the scenario wants to see them.
  k.func('fault_show', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    k.print('      #PF  CR2=0x%x  error=%d (', rbx, rbp);
    k.call('print_access', rbp);
    k.print(')');
    a.mov(rcx, qword('fault_cause'));
    a.test(rcx, rcx);
    k.when('ne', () => {
      k.print('  refused: %s\n', rcx);
      k.leave();
    });
    a.and(rbx, -PAGE_SIZE);
    a.mov(rcx, qword('fault_frame'));
    a.cmp(rcx, qword('zero_frame'));
    k.when('e',
      () => k.print('  -> page 0x%x sees the shared page of zeroes\n', rbx),
      () => k.print('  -> page 0x%x gets frame 0x%x\n', rbx, rcx));
  });

  // RDI: error code. The access in a few words: "write, not present".
  k.func('print_access', [rbx], () => {
    a.mov(rbx, rdi);
    a.test(rbx, FAULT.USER);
    k.when('ne', () => k.print('user '));
    a.test(rbx, FAULT.FETCH);
    k.when('ne', () => k.print('fetch'), () => {
      a.test(rbx, FAULT.WRITE);
      k.when('ne', () => k.print('write'), () => k.print('read'));
    });
    a.test(rbx, FAULT.RSVD);
    k.when('ne', () => {
      k.print(', reserved bit');
      k.leave();
    });
    a.test(rbx, FAULT.P);
    k.when('ne', () => k.print(', present'), () => k.print(', not present'));
  });

  // RDI: error code. Every bit of it, in words.
  k.func('print_error_code', [rbx], () => {
    a.mov(rbx, rdi);
    ERROR_BITS.forEach(([name, clear, set], bit) => {
      a.test(rbx, 1 << bit);
      k.when('ne', () => k.say(`  ${name.padEnd(4)} = 1  ${set}`), () => k.say(`  ${name.padEnd(4)} = 0  ${clear}`));
    });
  });
}

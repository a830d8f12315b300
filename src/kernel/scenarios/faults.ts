/** Page faults of every cause, provoked on purpose: protection, NX, reserved bits, guard pages, a stale TLB, and who decides. */
import { at, byte, cl, cr0, eax, qword, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx } from '../../assembler/index.ts';
import { attempt } from '../exceptions.ts';
import { VECTOR } from '../idt.ts';
import { CR0, FAULT, KERNEL_HEAP, PAGE_SIZE, PML4_RECURSIVE, PMM, POLICY, PROTECTION, PTE } from '../layout.ts';
import { CAUSE } from '../page-fault.ts';
import { address, type KernelWriter } from '../writer.ts';

const RET = 0xc3;
/** Bit 51 of an entry: reserved on every CPU with less than 52 physical address bits. */
const RESERVED_BIT = 51;
/** An upper-half PML4E that nothing uses. */
const SPARE_PML4E = 400;
const SPARE_LINEAR = 0xffff_c800_0000_0000n;
const NON_CANONICAL = 0x0000_8000_0000_0000n;
/** The textbook's example of an address through the recursive entry. */
const RECURSIVE_EXAMPLE = 0xffff_ff7f_8000_5000n;

export function faults(k: KernelWriter): void {
  const { a } = k;

  const region = (policy: number, protection: number = PROTECTION.WRITE, pages = 1): void => {
    k.call('vmm_allocate', address('kernel_space'), pages * PAGE_SIZE, protection, policy, PAGE_SIZE);
    a.mov(rbx, rax);
  };
  const free = (): void => k.call('vmm_free', address('kernel_space'), rbx);
  /** RBP: where the entry is that maps RBX. */
  const leaf = (): void => {
    k.call('paging_leaf', qword('kernel_pml4'), rbx);
    a.mov(rbp, rax);
  };
  const expectError = (error: number, text: string): void => {
    k.expectEqual(qword('probe_vector'), VECTOR.PF, `${text}: #PF`);
    k.expectEqual(qword('probe_error'), error, `with error code ${error}`);
  };
  const expectReserved = (text: string): void => {
    k.expectEqual(qword('probe_vector'), VECTOR.PF, `${text}: #PF`);
    a.test(qword('probe_error'), FAULT.RSVD);
    k.expect('ne', 'with RSVD = 1 in its error code');
  };
  const expectCause = (cause: string): void => {
    k.load(rax, address(k.text(cause)));
    k.expectEqual(rax, qword('fault_cause'), `the region says why: ${cause}`);
  };

  k.func('scenario_faults', [rbx, rbp, r12, r13, r14, r15], () => {
    k.headline('page faults of every cause');
    a.mov(r15, qword('system_pmm', PMM.free));

    k.say('A read-only page and CR0.WP: does it bind the supervisor?');
    region(POLICY.IMMEDIATE, 0);
    attempt(k, () => a.mov(byte(rbx), 1));
    expectError(FAULT.P | FAULT.WRITE, 'CR0.WP = 1, a write by the kernel');
    a.mov(rax, cr0);
    a.btr(rax, Math.log2(CR0.WP));
    a.mov(cr0, rax);
    attempt(k, () => a.mov(byte(rbx), 1));
    a.mov(rax, cr0);
    a.bts(rax, Math.log2(CR0.WP));
    a.mov(cr0, rax);
    k.expectEqual(qword('probe_vector'), -1, 'CR0.WP = 0: the same write succeeds');
    a.cmp(byte(rbx), 1);
    k.expect('e', 'the byte is there');
    free();

    k.say('\nNX: data is not code.');
    region(POLICY.IMMEDIATE);
    a.mov(byte(rbx), RET);
    attempt(k, () => a.call(rbx));
    expectError(FAULT.P | FAULT.FETCH, 'a fetch from a page with NX');
    k.expectEqual(qword('fault_address'), rbx, 'CR2 = RIP = 0x%x', rbx);
    k.call('vmm_protect', address('kernel_space'), rbx, PROTECTION.EXECUTE);
    attempt(k, () => a.call(rbx));
    k.expectEqual(qword('probe_vector'), -1, 'without NX the RET in it runs');
    free();

    k.say('\nA guard page below the heap.');
    a.mov(rbx, KERNEL_HEAP + BigInt(PAGE_SIZE));
    k.say('The heap starts at 0x%x; eight bytes below it lies nobody\'s memory.', rbx);
    attempt(k, () => a.mov(qword(rbx, -8), 1));
    expectError(FAULT.WRITE, 'a write below the heap');
    expectCause(CAUSE.guard);

    k.say('\nAn address in no region, and one that is no address.');
    a.mov(rbx, SPARE_LINEAR);
    attempt(k, () => a.mov(cl, byte(rbx)));
    expectError(0, 'a read where nothing is mapped');
    expectCause(CAUSE.noRegion);
    a.mov(rbx, NON_CANONICAL);
    attempt(k, () => a.mov(cl, byte(rbx)));
    k.expectEqual(qword('probe_vector'), VECTOR.GP, '0x%x is not canonical: #GP, not #PF', rbx);
    k.expectEqual(qword('probe_error'), 0, 'with error code 0');

    k.say('\nW is the AND over the levels: the PTE says yes, the PDE says no.');
    region(POLICY.IMMEDIATE);
    a.mov(byte(rbx), 1);
    k.call('paging_entry', qword('kernel_pml4'), rbx, 21, 0);
    a.mov(rbp, rax);
    a.and(qword(rbp), ~PTE.RW);
    a.invlpg(at(rbx));
    attempt(k, () => a.mov(byte(rbx), 2));
    expectError(FAULT.P | FAULT.WRITE, 'PTE.R/W = 1, PDE.R/W = 0, a write');
    a.or(qword(rbp), PTE.RW);
    a.invlpg(at(rbx));
    attempt(k, () => a.mov(byte(rbx), 2));
    k.expectEqual(qword('probe_vector'), -1, 'with PDE.R/W = 1 it succeeds');
    leaf();
    a.test(qword(rbp), PTE.A);
    k.expect('ne', 'the walk has set A in the PTE');
    a.test(qword(rbp), PTE.D);
    k.expect('ne', 'and the write D');
    free();

    k.say('\nTwo ways to the page tables: the direct map, and PML4[510], which points to its own PML4.');
    region(POLICY.IMMEDIATE);
    leaf();
    // The PTE of RBX in the recursive window: its linear address shifted by one level, under index 510.
    a.mov(rdx, rbx);
    a.shr(rdx, 12 - 3);
    a.mov(rcx, 0x7f_ffff_fff8n);
    a.and(rdx, rcx);
    a.mov(rcx, 0xffff_0000_0000_0000n | BigInt(PML4_RECURSIVE) << 39n);
    a.or(rdx, rcx);
    k.say('the PTE of 0x%x: 0x%x (direct map), 0x%x (recursive)', rbx, rbp, rdx);
    a.mov(rax, qword(rdx));
    k.expectEqual(rax, qword(rbp), 'both show the same entry, 0x%x', rax);
    free();
    a.mov(rbx, RECURSIVE_EXAMPLE);
    [39, 30, 21, 12].forEach((shift, i) => {
      const register = [r12, r13, r14, rbp][i] ?? r12;
      a.mov(register, rbx);
      a.shr(register, shift);
      a.and(register, 511);
    });
    k.say('0x%x decodes as %d/%d/%d/%d', rbx, r12, r13, r14, rbp);
    a.shl(r12, 16);
    a.add(r12, r13);
    a.shl(r14, 8);
    a.add(r14, rbp);
    a.shl(r12, 16);
    a.add(r12, r14);
    a.mov(rax, (510n << 32n) + (510n << 16n) + 5n);
    k.expectEqual(r12, rax, 'that is 510/510/0/5: the PD behind PDPT entry 5 of PML4 entry 0');
    k.expectEqual(r15, qword('system_pmm', PMM.free), 'every frame came back');
  });

  // In a scenario of its own: P must be 1 in the error code where RSVD is (SDM Vol. 3A, "Page-Fault Exceptions"), and QEMU leaves it 0.
  k.func('scenario_reserved_bits', [rbx, rbp], () => {
    k.headline('reserved bits: an entry that is not one');
    region(POLICY.IMMEDIATE);
    leaf();
    a.bts(qword(rbp), RESERVED_BIT);
    a.invlpg(at(rbx));
    attempt(k, () => a.mov(cl, byte(rbx)));
    expectReserved(`bit ${RESERVED_BIT} set in a PTE, a read`);
    a.btr(qword(rbp), RESERVED_BIT);
    a.invlpg(at(rbx));
    free();
    a.mov(rbp, qword('kernel_pml4'));
    k.direct(rbp);
    a.mov(qword(rbp, SPARE_PML4E * 8), PTE.P | PTE.RW | PTE.PS);
    a.mov(rbx, SPARE_LINEAR);
    attempt(k, () => a.mov(cl, byte(rbx)));
    expectReserved('PS in a PML4E, where no page size exists');
    a.mov(qword(rbp, SPARE_PML4E * 8), 0);
    a.invlpg(at(rbx));
  });

  k.func('scenario_stale_tlb', [rbx, rbp, r12, r13, r14], () => {
    k.headline('a missing INVLPG');
    k.say('The PTE is changed behind the TLB\'s back: from a frame of 0x11s to a frame of 0x22s.');
    region(POLICY.IMMEDIATE);
    for (const [frame, value] of [[r12, 0x11], [r13, 0x22]] as const) {
      k.call('pmm_alloc', address('system_pmm'));
      a.mov(frame, rax);
      a.mov(rdi, rax);
      k.direct(rdi);
      a.mov(rcx, PAGE_SIZE);
      a.mov(eax, value);
      a.rep.stosb();
    }
    leaf();
    a.mov(r14, qword(rbp));               // the region's own frame, for later
    const point = (frame: typeof r12 | typeof r13): void => {
      a.lea(rax, at(frame, PTE.P | PTE.RW));
      a.bts(rax, 63);
      a.mov(qword(rbp), rax);
    };
    point(r12);
    a.invlpg(at(rbx));
    a.movzx(eax, byte(rbx));              // now the TLB knows the translation
    a.mov(rdx, rax);
    point(r13);                           // and here INVLPG is missing
    a.movzx(eax, byte(rbx));
    a.mov(rcx, rax);
    a.invlpg(at(rbx));
    a.movzx(eax, byte(rbx));
    k.say('before the change   0x%x\nafter, no INVLPG    0x%x   <- the TLB still has the old frame\nafter INVLPG        0x%x', rdx, rcx, rax);
    k.expectEqual(rdx, 0x11, 'the first frame was read');
    k.expectEqual(rcx, 0x11, 'without INVLPG the old translation is still used');
    k.expectEqual(rax, 0x22, 'with INVLPG the new one is');
    a.mov(qword(rbp), r14);
    a.invlpg(at(rbx));
    for (const frame of [r12, r13]) k.call('pmm_free', address('system_pmm'), frame);
    free();
  });
}

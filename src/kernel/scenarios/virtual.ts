/** The VMM: gaps, bases, protections, page tables that come and go, MMIO; large pages; the methods' pros and cons, measured. */
import { at, byte, cr3, eax, ebx, ecx, edx, qword, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp, type Memory } from '../../assembler/index.ts';
import { attempt } from '../exceptions.ts';
import { FAULT, KERNEL_SPACE, PAGE_1G, PAGE_2M, PAGE_SIZE, PML4_DIRECT, PMM, POLICY, PROTECTION, PTE, REGION, RFLAGS, SPACE } from '../layout.ts';
import { address, type KernelWriter, type Register64 } from '../writer.ts';

const PAGES = 32;
const SPARSE_STEP = 8;
const VGA_TEXT = 0xb_8000;
const CPUID_FEATURES = 0x8000_0001, CPUID_PAGE1GB = 1 << 26;

export function virtualMemory(k: KernelWriter): void {
  const { a } = k;

  // The regions of the kernel's space below its heap, in order.
  k.func('regions_show', [rbx], () => {
    a.mov(rbx, qword('kernel_space', SPACE.regions));
    a.test(rbx, rbx);
    k.when('e', () => k.print('    (no region)\n'));
    k.loop(({ leave }) => {
      a.test(rbx, rbx);
      a.je(leave);
      a.mov(rax, qword(rbx, REGION.base));
      a.add(rax, qword(rbx, REGION.length));
      k.print('    0x%x - 0x%x', qword(rbx, REGION.base), rax);
      for (const [policy, name] of [[POLICY.IMMEDIATE, 'immediate'], [POLICY.DEMAND, 'demand'], [POLICY.ZERO, 'zero page'], [POLICY.GUARD, 'guard']] as const) {
        a.cmp(qword(rbx, REGION.policy), policy);
        k.when('e', () => k.print(`  ${name}\n`));
      }
      a.mov(rbx, qword(rbx, REGION.next));
    });
  });

  const allocate = (pages: number, policy: number, protection: number = PROTECTION.WRITE): void =>
    k.call('vmm_allocate', address('kernel_space'), pages * PAGE_SIZE, protection, policy, PAGE_SIZE);
  const place = (page: number, pages: number): void => {
    a.mov(rsi, KERNEL_SPACE + BigInt(page * PAGE_SIZE));
    k.call('vmm_place', address('kernel_space'), rsi, pages * PAGE_SIZE, PROTECTION.WRITE, POLICY.DEMAND, PAGE_SIZE);
  };
  const free = (base: Register64): void => k.call('vmm_free', address('kernel_space'), base);
  const expectBase = (page: number, text: string): void => {
    a.mov(rcx, KERNEL_SPACE + BigInt(page * PAGE_SIZE));
    k.expectEqual(rax, rcx, text);
  };

  k.func('scenario_vmm', [rbx, rbp, r12, r13, r14, r15], () => {
    k.headline('VMM: regions in order, the lowest gap, the exact base');
    k.call('regions_show');
    k.say('That is the heap behind its guard page. Page numbers below count from 0x%x.', qword('kernel_space', SPACE.lowest));
    a.mov(r14, qword('system_pmm', PMM.free));
    allocate(2, POLICY.DEMAND);
    expectBase(0, 'in front of all regions: the lowest gap starts at page 0');
    a.mov(r12, rax);
    place(8, 1);
    expectBase(8, 'at a place of its own: page 8');
    a.mov(r13, rax);
    place(8, 1);
    k.expectEqual(rax, 0, 'not twice at the same place');
    place(7, 2);
    k.expectEqual(rax, 0, 'nor over the start of another region');
    allocate(6, POLICY.DEMAND);
    expectBase(2, 'six pages fit exactly between pages 2 and 8');
    a.mov(rbx, rax);
    allocate(1, POLICY.DEMAND);
    expectBase(9, 'one more goes behind page 8');
    a.mov(rbp, rax);
    k.call('vmm_allocate', address('kernel_space'), 5000, PROTECTION.WRITE, POLICY.DEMAND, PAGE_SIZE);
    expectBase(10, '5,000 bytes go behind that');
    a.mov(r15, rax);
    k.call('vmm_find', address('kernel_space'), r15);
    k.expectEqual(qword(rax, REGION.length), 2 * PAGE_SIZE, 'and are rounded up to two pages');
    k.call('regions_show');
    a.lea(rsi, at(rbx, PAGE_SIZE));
    k.call('vmm_free', address('kernel_space'), rsi);
    k.expectEqual(rax, 1, 'an address inside a region does not free it: the base must be exact');
    for (const base of [rbx, r12, r15, r13, rbp]) free(base);
    a.mov(rdx, qword('kernel_space', SPACE.regions));
    a.mov(rcx, qword('kernel_space', SPACE.lowest));
    a.cmp(rcx, qword(rdx, REGION.base));
    k.expect('b', 'freed in another order, all are gone');

    k.say('\nProtection. Four pages, written, then made read-only.');
    allocate(4, POLICY.IMMEDIATE);
    a.mov(r12, rax);
    a.mov(byte(r12), 1);
    k.call('vmm_protect', address('kernel_space'), r12, 0);
    attempt(k, () => a.mov(byte(r12), 2));
    k.expectEqual(qword('probe_error'), FAULT.P | FAULT.WRITE, 'a write now raises #PF with error code 3: P and W/R');
    k.expectEqual(qword('fault_address'), r12, 'and CR2 = 0x%x', r12);
    a.cmp(byte(r12), 1);
    k.expect('e', 'nothing was written');
    free(r12);

    k.say('\nPage tables come with the first page that needs them and go with the last.');
    a.mov(r13, qword('system_pmm', PMM.tables));
    allocate(1, POLICY.DEMAND);
    a.mov(r12, rax);
    a.mov(byte(r12), 1);
    a.mov(rax, qword('system_pmm', PMM.tables));
    a.sub(rax, r13);
    k.expectEqual(rax, 2, 'one page needed two tables: a PD and a PT');
    free(r12);
    k.expectEqual(r13, qword('system_pmm', PMM.tables), 'they are freed with it');

    k.say('\nMMIO: a region that shows a device (the VGA text buffer) owns no frames.');
    k.call('vmm_map_mmio', address('kernel_space'), VGA_TEXT, PAGE_SIZE);
    a.mov(r12, rax);
    k.call('paging_translate', qword('kernel_pml4'), r12);
    k.expectEqual(rax, VGA_TEXT, 'linear 0x%x is physical 0x%x', r12, rax);
    free(r12);
    k.expectEqual(r14, qword('system_pmm', PMM.free), 'freeing it gives the PMM nothing that was never its own');
  });

  k.func('scenario_large_pages', [rbx, rbp, r12, r13, r14], () => {
    k.headline('2 MiB pages');
    k.say('One PDE maps 512 frames in a row, aligned to 2 MiB; the offset is 21 bits, and there is no PT.');
    a.mov(r13, qword('system_pmm', PMM.free));
    a.mov(r14, qword('system_pmm', PMM.tables));
    k.call('vmm_allocate', address('kernel_space'), 2 * PAGE_2M, PROTECTION.WRITE, POLICY.DEMAND, PAGE_2M);
    a.mov(rbx, rax);
    a.test(rbx, PAGE_2M - 1);
    k.expect('e', 'the region starts on a multiple of 2 MiB: 0x%x', rbx);
    a.mov(r12, qword('fault_count'));
    a.mov(qword('faults_shown'), 1);
    a.mov(byte(rbx, 5), 1);
    a.mov(byte(rbx, PAGE_2M / 2), 2);
    a.mov(byte(rbx, PAGE_2M - 1), 3);
    a.mov(qword('faults_shown'), 0);
    a.mov(rax, qword('fault_count'));
    a.sub(rax, r12);
    k.expectEqual(rax, 1, 'three accesses, 2 MiB apart at most: one #PF');
    k.call('paging_leaf', qword('kernel_pml4'), rbx);
    a.mov(rbp, qword(rax));
    k.expectEqual(rdx, 21, 'the walk ends at the PDE');
    a.test(rbp, PTE.PS);
    k.expect('ne', 'its PS bit is set');
    a.lea(rsi, at(rbx, 0x12345));
    k.call('paging_translate', qword('kernel_pml4'), rsi);
    a.and(rax, PAGE_2M - 1);
    k.expectEqual(rax, 0x12345, 'offset 0x12345 of the page is offset 0x12345 of the run');
    a.mov(rax, qword('system_pmm', PMM.tables));
    a.sub(rax, r14);
    k.expectEqual(rax, 1, 'one table was made, a PD; 4 KiB pages would have needed a PT too');
    k.say('4 KiB pages for the same 2 MiB: 512 faults by demand, 512 entries in a PT.');
    k.call('vmm_free', address('kernel_space'), rbx);
    k.expectEqual(r13, qword('system_pmm', PMM.free), 'all frames came back, and the table');
  });

  k.func('scenario_gigabyte_pages', [rbx, r12, r13], () => {
    k.headline('1 GiB pages');
    a.mov(eax, CPUID_FEATURES);
    a.cpuid();
    a.test(edx, CPUID_PAGE1GB);
    k.when('e', () => {
      a.cmp(rax, rax);
      k.expect('e', 'this CPU has no 1 GiB pages # SKIP CPUID.80000001H:EDX.Page1GB is 0');
      k.leave();
    });
    a.mov(r13, qword('system_pmm', PMM.free));
    a.mov(rbx, KERNEL_SPACE + BigInt(PAGE_1G));
    a.mov(rcx, PTE.NX);
    k.call('paging_map', qword('kernel_pml4'), rbx, 0, rcx, PAGE_1G);
    k.expectEqual(rax, 0, 'one PDPTE maps the first GiB of physical memory at 0x%x', rbx);
    k.expectEqual(r13, qword('system_pmm', PMM.free), 'it took neither frame nor table');
    k.call('paging_leaf', qword('kernel_pml4'), rbx);
    k.expectEqual(rdx, 30, 'the walk ends at the PDPTE');
    a.mov(rax, cr3);
    a.mov(rdx, qword(rbx, rax, 1, PML4_DIRECT * 8));
    k.direct(rax);
    k.expectEqual(rdx, qword(rax, PML4_DIRECT * 8), 'the PML4 reads the same through it and through the direct map');
    k.call('paging_unmap', qword('kernel_pml4'), rbx);
    attempt(k, () => a.mov(rax, qword(rbx)));
    k.expectEqual(qword('probe_error'), 0, 'unmapped, it is not present');
  });

  /** RDI: policy, RSI: step in pages between accesses. Maps the region, writes to every `step`-th page of it; counts frames, faults, instructions. */
  k.func('measure', [rbx, rbp, r12, r13, r14, r15], () => {
    a.mov(rbp, rsi);
    a.mov(r12, qword('system_pmm', PMM.used));
    a.sub(r12, qword('system_pmm', PMM.tables));
    a.mov(r13, qword('fault_count'));
    a.mov(rcx, rdi);
    a.mov(qword('instruction_count'), 0);
    a.mov(qword('counting'), 1);
    setTF(k);
    k.call('vmm_allocate', address('kernel_space'), PAGES * PAGE_SIZE, PROTECTION.WRITE, rcx, PAGE_SIZE);
    a.mov(rbx, rax);
    a.xor(ecx, ecx);
    k.loop(({ leave }) => {
      a.cmp(rcx, PAGES);
      a.jae(leave);
      a.mov(rdx, rcx);
      a.shl(rdx, 12);
      a.mov(byte(rbx, rdx, 1), 1);
      a.add(rcx, rbp);
    });
    clearTF(k);
    a.mov(qword('counting'), 0);
    a.mov(rax, qword('system_pmm', PMM.used));
    a.sub(rax, qword('system_pmm', PMM.tables));
    a.sub(rax, r12);
    a.mov(qword('measured_frames'), rax);
    a.mov(rax, qword('fault_count'));
    a.sub(rax, r13);
    a.mov(qword('measured_faults'), rax);
    k.call('vmm_free', address('kernel_space'), rbx);
  });
  k.variable('measured_frames');
  k.variable('measured_faults');

  k.func('scenario_methods', [rbx, r12], () => {
    k.headline('the methods\' pros and cons, measured');
    k.say(`A region of ${PAGES} pages is mapped and written to: sparsely, every ${SPARSE_STEP}th page, and densely, every page.
Instructions are counted by the CPU itself: with RFLAGS.TF set it raises #DB after each one (a REP iteration
is one), in the fault handler too. No clock is read, so the table is the same on every machine.

 method      access    frames   faults   instructions`);
    for (const [policy, name] of [[POLICY.IMMEDIATE, 'immediate'], [POLICY.DEMAND, 'demand'], [POLICY.ZERO, 'zero page']] as const) {
      for (const [step, access] of [[SPARSE_STEP, 'sparse'], [1, 'dense']] as const) {
        k.call('measure', policy, step);
        k.say(` ${name.padEnd(11)} ${access.padEnd(7)} %8d %8d %14d`, qword('measured_frames'), qword('measured_faults'), qword('instruction_count'));
        const touched = PAGES / step;
        a.mov(rax, qword('measured_frames'));
        a.mov(qword(`frames_${policy}_${step}`), rax);
        a.mov(rax, qword('instruction_count'));
        a.mov(qword(`instructions_${policy}_${step}`), rax);
        a.mov(rax, qword('measured_faults'));
        a.cmp(rax, policy === POLICY.IMMEDIATE ? 0 : touched);
        a.sete(byte(`faults_right_${policy}_${step}`));
      }
    }
    k.expectEqual(frames(POLICY.IMMEDIATE, SPARSE_STEP), PAGES, `immediate wastes frames on a sparse access: ${PAGES} for ${PAGES / SPARSE_STEP} that are used`);
    k.expectEqual(frames(POLICY.DEMAND, SPARSE_STEP), PAGES / SPARSE_STEP, 'demand takes only what is used');
    k.expectEqual(frames(POLICY.DEMAND, 1), PAGES, 'on a dense access it takes as many as immediate');
    a.mov(rax, qword(`instructions_${POLICY.DEMAND}_1`));
    k.compare(rax, qword(`instructions_${POLICY.IMMEDIATE}_1`));
    k.expect('a', 'and pays for the handler with more instructions');
    a.mov(rax, qword(`instructions_${POLICY.DEMAND}_${SPARSE_STEP}`));
    k.compare(rax, qword(`instructions_${POLICY.IMMEDIATE}_${SPARSE_STEP}`));
    k.expect('b', 'on a sparse access it needs fewer');
    a.xor(ebx, ebx);
    for (const policy of [POLICY.IMMEDIATE, POLICY.DEMAND, POLICY.ZERO]) for (const step of [SPARSE_STEP, 1]) a.add(rbx, qword(`faults_right_${policy}_${step}`));
    k.expectEqual(rbx, 6, 'faults: none by immediate, one for each page touched by the others');
    k.say(`
 immediate   + no page fault handler needed        - frames that are never used
 demand      + only frames that are used           - a page fault handler, and its instructions
 zero page   + as demand, and reads take no frame  - one more fault for a page that is read first`);
  });
  for (const policy of [POLICY.IMMEDIATE, POLICY.DEMAND, POLICY.ZERO]) {
    for (const step of [SPARSE_STEP, 1]) for (const what of ['frames', 'instructions', 'faults_right']) k.variable(`${what}_${policy}_${step}`);
  }
}

const frames = (policy: number, step: number): Memory<64> => qword(`frames_${policy}_${step}`);

function setTF(k: KernelWriter): void {
  k.a.pushfq();
  k.a.or(qword(rsp), RFLAGS.TF);
  k.a.popfq();
}
function clearTF(k: KernelWriter): void {
  k.a.pushfq();
  k.a.and(qword(rsp), ~RFLAGS.TF);
  k.a.popfq();
}

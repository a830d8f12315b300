/**
 * The reference text's own example: a = alloc(5), b = alloc(10), c = alloc(100), by an allocator without overhead, in
 * memory that arrives by each of the three methods; accessed in order, with b first, and across a page boundary.
 */
import { at, byte, qword, r12, r13, r14, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../../assembler/index.ts';
import { DIRECT_MAP, FAULT, PAGE_SIZE, PMM, POLICY, PROTECTION, STAGE } from '../layout.ts';
import { address, type KernelWriter } from '../writer.ts';

const SIZES = { a: 5, b: 10, c: 100 } as const;
const OFFSETS = { a: 0, b: 5, c: 15 } as const;
type Name = keyof typeof SIZES;
/** In the text, b is 0x10 bytes into its page: a starts 0xb below. */
const FIRST_OFFSET = 0xb;
/** a, b and the first 25 bytes of c fit before the page ends. */
const CROSSING_OFFSET = PAGE_SIZE - 40;

export function alloc(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  a.object('toy_heap', () => a.reserve(STAGE.bytes));
  a.section('.text');

  // RDI: policy, RSI: offset of a in its page. Two pages by this policy; RAX: a. b and c lie behind it.
  k.func('alloc_a_b_c', [rbx, rbp], () => {
    a.mov(rcx, rdi);
    a.mov(rbp, rsi);
    k.call('vmm_allocate', address('kernel_space'), 2 * PAGE_SIZE, PROTECTION.WRITE, rcx, PAGE_SIZE);
    a.mov(rbx, rax);
    a.mov(qword('toy_region'), rax);
    a.mov(rdx, 2 * PAGE_SIZE);
    a.sub(rdx, rbp);
    a.lea(rsi, at(rbx, rbp, 1));
    k.call('stage_initialise', address('toy_heap'), rsi, rdx, 0);
    for (const bytes of Object.values(SIZES)) {
      k.call('bump_alloc', address('toy_heap'), bytes);
    }
    a.lea(rax, at(rbx, rbp, 1));
  });
  k.variable('toy_region');

  /** A region by `policy` with a in RBX, the counters before in R12 (faults) and R13 (frames in use). */
  const given = (policy: number, offset: number): void => {
    a.mov(r12, qword('fault_count'));
    a.mov(r13, qword('system_pmm', PMM.used));
    a.sub(r13, qword('system_pmm', PMM.tables));
    k.call('alloc_a_b_c', policy, offset);
    a.mov(rbx, rax);
    a.mov(qword('faults_shown'), 1);
  };
  const done = (): void => {
    a.mov(qword('faults_shown'), 0);
    k.call('vmm_free', address('kernel_space'), qword('toy_region'));
  };
  const write = (name: Name, text = `write ${name}[0]`): void => {
    k.print(`    ${text}\n`);
    a.mov(byte(rbx, OFFSETS[name]), name.charCodeAt(0));
  };
  const read = (name: Name): void => {
    k.print(`    read ${name}[0]\n`);
    a.movzx(r14d, byte(rbx, OFFSETS[name]));
  };
  const expectFaults = (count: number, text: string): void => {
    a.mov(rax, qword('fault_count'));
    a.sub(rax, r12);
    k.expectEqual(rax, count, text);
  };
  const expectFrames = (count: number, text: string): void => {
    a.mov(rax, qword('system_pmm', PMM.used));
    a.sub(rax, qword('system_pmm', PMM.tables));
    a.sub(rax, r13);
    k.expectEqual(rax, count, text);
  };
  const expectCR2 = (name: Name): void => {
    a.lea(rax, at(rbx, OFFSETS[name]));
    k.expectEqual(rax, qword('fault_address'), `CR2 was the address of ${name}, 0x%x`, rax);
  };

  k.func('scenario_alloc', [rbx, rbp, r12, r13, r14, r15], () => {
    k.headline('alloc(5), alloc(10), alloc(100)');
    k.say(`The allocator deals in bytes, paging in pages of 4 KiB: one page holds all three.

  char *a = alloc(5), *b = alloc(10), *c = alloc(100);

  page +0     +0xb   +0x10       +0x1a                                      +0x7e
       |      |  a   |  b        |  c                                       |  free ...`);

    k.say('\n[immediate] The VMM takes the frames when the region is mapped.');
    given(POLICY.IMMEDIATE, FIRST_OFFSET);
    expectFrames(2, 'immediate: both frames are there before the first access');
    for (const name of ['a', 'b', 'c'] as const) write(name);
    expectFaults(0, 'immediate: no page fault, whatever is accessed');
    done();

    k.say('\n[demand] Linear addresses only; a frame arrives with the first access to its page.');
    given(POLICY.DEMAND, FIRST_OFFSET);
    expectFrames(0, 'demand: nothing is behind a, b and c yet');
    for (const name of ['a', 'b', 'c'] as const) write(name);
    expectFaults(1, 'demand: one #PF, for a; b and c are in the page that it mapped');
    expectCR2('a');
    expectFrames(1, 'demand: one frame, not two: the second page was never touched');
    done();

    k.say('\n[demand, b first] Who comes first does not matter: the page is what gets mapped.');
    given(POLICY.DEMAND, FIRST_OFFSET);
    write('b');
    expectCR2('b');
    a.lea(rax, at(rbx, OFFSETS.b));
    a.mov(rcx, -PAGE_SIZE);
    a.mov(rdx, rax);
    a.and(rdx, rcx);
    k.say('ADDRESS         : 0b%64b AND', rax);
    k.say('MEANINGFUL_MASK : 0b%64b =', rcx);
    k.say('PAGE_BASE_ADDR  : 0b%64b = 0x%x', rdx, rdx);
    write('a', 'write a[0], which lies below b in the same page');
    write('c');
    expectFaults(1, 'b first: its #PF maps the page that also holds a and c');
    done();

    k.say('\n[zero page] Reads share one read-only page of zeroes; the first write gets a frame.');
    given(POLICY.ZERO, FIRST_OFFSET);
    read('b');
    k.expectEqual(r14, 0, 'zero page: memory that was never written reads as 0');
    expectFaults(1, 'zero page: the read faulted once');
    expectFrames(0, 'zero page: and took no frame');
    k.expectEqual(qword('system_pmm', PMM.zeroPages), 1, 'zero page: one page is mapped to the shared frame');
    write('b');
    k.expectEqual(qword('fault_error'), FAULT.P | FAULT.WRITE, 'zero page: the write found a present, read-only page (error code 3)');
    expectFrames(1, 'zero page: the first write got a frame of its own');
    write('a');
    write('c');
    expectFaults(2, 'zero page: two faults in all, one for the read and one for the write');
    k.expectEqual(qword('system_pmm', PMM.zeroPages), 0, 'zero page: nothing is mapped to the shared frame any more');
    done();

    k.say(`
[across a page boundary] The same three, placed so that c does not fit before the page ends.

       page 0                                    page 1
  -----+------+-----------+----------------------+---------------------------+-----
       |  a   |  b        |  c: 25 bytes         |  and 75 more              |
  -----+------+-----------+----------------------+---------------------------+-----`);
    for (const [policy, name, faults] of [[POLICY.IMMEDIATE, 'immediate', 0], [POLICY.DEMAND, 'demand', 2], [POLICY.ZERO, 'zero page', 2]] as const) {
      k.say(`[${name}]`);
      given(policy, CROSSING_OFFSET);
      for (const part of ['a', 'b', 'c'] as const) write(part);
      k.print('    write c[99]\n');
      a.mov(byte(rbx, OFFSETS.c + SIZES.c - 1), 0x63);
      expectFaults(faults, `${name}: ${faults === 0 ? 'no fault' : 'c brings a second fault, for its second page'}`);
      expectFrames(2, `${name}: two frames`);
      if (faults > 0) {
        a.lea(rax, at(rbx, OFFSETS.c + SIZES.c - 1));
        k.expectEqual(rax, qword('fault_address'), `${name}: CR2 was the byte of c that was accessed, 0x%x`, rax);
      }
      done();
    }

    k.say('\n[one MOV, two faults] Eight bytes across the boundary: the instruction runs three times, the last time to its end.');
    given(POLICY.DEMAND, CROSSING_OFFSET);
    a.mov(rbp, qword('toy_region'));
    a.mov(rax, 0x1122_3344_5566_7788n);
    a.mov(qword(rbp, PAGE_SIZE - 4), rax);
    expectFaults(2, 'one MOV across two absent pages: two faults');
    a.add(rbp, PAGE_SIZE);
    k.expectEqual(rbp, qword('fault_address'), 'the second CR2 is the first byte of the second page, 0x%x', rbp);
    k.call('paging_translate', qword('kernel_pml4'), rbp);
    a.mov(r15, rax);
    a.lea(r14, at(rbp, -PAGE_SIZE));
    k.call('paging_translate', qword('kernel_pml4'), r14);
    k.say('page 0x%x is frame 0x%x, page 0x%x is frame 0x%x:\nneighbours in linear addresses; in physical ones they need not be.', r14, rax, rbp, r15);
    a.mov(rcx, DIRECT_MAP);
    a.mov(rdx, qword(rax, rcx, 1, PAGE_SIZE - 8));
    a.shr(rdx, 32);
    a.mov(rcx, 0x5566_7788);
    k.expectEqual(rdx, rcx, 'four bytes are in the first frame');
    done();
  });
}

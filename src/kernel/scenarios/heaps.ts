/** The heap: its stages with the text's worked examples, the real one, and a checked random sequence. */
import { at, byte, eax, ecx, qword, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../../assembler/index.ts';
import { HEAP_ERROR } from '../heap.ts';
import { BLOCK, BLOCK_HEADER, HEAP, NODE, PAGE_SIZE, PMM, POLICY, PROTECTION, STAGE, STAGE_FEATURE } from '../layout.ts';
import { address, type KernelWriter } from '../writer.ts';

const SHORT_STRESS = 2_000;
const LONG_STRESS = 100_000;
const SLOTS = 64;
const SEED = 0x1bad_5eed_cafe_f00dn;
/** A slot of the stress test: address, bytes, and the quadword that fills them. */
const SLOT = { address: 0, quadwords: 8, pattern: 16 } as const;
const SLOT_SHIFT = 5;
/** The 25-byte heap in nodes: three headers, three payloads of 6, one byte over. */
const NODES_OF_SIX = 3 * (NODE.bytes + 6) + 1;

export function heaps(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  a.object('stage', () => a.reserve(STAGE.bytes));
  a.object('test_heap', () => a.reserve(HEAP.bytes));
  a.object('stress_slots', () => a.reserve(SLOTS << SLOT_SHIFT));
  a.section('.text');
  k.variable('stage_region');

  const stage = (bytes: number, features: number): void => {
    k.call('stage_initialise', address('stage'), qword('stage_region'), bytes, features);
  };
  const freshStage = (): void => {
    k.call('vmm_allocate', address('kernel_space'), PAGE_SIZE, PROTECTION.WRITE, POLICY.DEMAND, PAGE_SIZE);
    a.mov(qword('stage_region'), rax);
  };
  const dropStage = (): void => k.call('vmm_free', address('kernel_space'), qword('stage_region'));
  const picture = (kind: 'first_fit' | 'node'): void => k.call(`${kind}_picture`, address('stage'));

  k.func('scenario_heap_stages', [rbx, rbp, r12, r13, r14], () => {
    k.headline('a heap grows up: bump, headers, first fit, coalescing, splitting, expansion');

    k.say('Stage 1, bump: a cursor that only moves up.');
    freshStage();
    stage(100, 0);
    const places: readonly (readonly [bytes: number, offset: number])[] = [[10, 0], [3, 10], [5, 13]];
    for (const [bytes, offset] of places) {
      k.call('bump_alloc', address('stage'), bytes);
      a.sub(rax, qword('stage_region'));
      k.expectEqual(rax, offset, `alloc(${bytes}) is at offset %d`, rax);
    }
    k.say('  |0        10 13   18\n  |aaaaaaaaaa|bbb|ccccc| ...    no overhead, and no way back\n');
    k.call('bump_alloc', address('stage'), 83);
    k.expectEqual(rax, 0, 'alloc(83) does not fit into the 82 bytes that are left');

    k.say('\nStage 2, a size header: one byte in front says how much a block holds.');
    stage(100, 0);
    k.call('sized_alloc', address('stage'), 10);
    a.mov(rbx, rax);
    a.sub(rax, qword('stage_region'));
    k.expectEqual(rax, 1, 'alloc(10) is at offset %d, behind its header', rax);
    a.cmp(byte(rbx, -1), 10);
    k.expect('e', 'which says 10');

    k.say('\nStage 3, a status byte: free blocks are used again, first fit. A heap of 25 bytes.');
    stage(25, 0);
    for (const register of [rbx, r12, r13]) {
      k.call('first_fit_alloc', address('stage'), 6);
      a.mov(register, rax);
    }
    picture('first_fit');
    for (const register of [r13, r12, rbx]) k.call('first_fit_free', register);
    k.say('c, b and a are freed:');
    picture('first_fit');
    k.call('first_fit_alloc', address('stage'), 7);
    k.expectEqual(rax, 0, 'alloc(7) fails, though 18 bytes are free: no single block has 7');
    k.call('first_fit_alloc', address('stage'), 6);
    k.expectEqual(rax, rbx, 'alloc(6) gets a\'s block again');

    k.say('\nStage 4, nodes: each knows its neighbours. The same three blocks, freed c, b, a.');
    for (const [features, merged] of [[0, false], [STAGE_FEATURE.MERGE, true]] as const) {
      stage(NODES_OF_SIX, features);
      for (const register of [rbx, r12, r13]) {
        k.call('node_alloc', address('stage'), 6);
        a.mov(register, rax);
      }
      for (const register of [r13, r12, rbx]) k.call('node_free', address('stage'), register);
      picture('node');
      k.call('node_alloc', address('stage'), 7);
      if (merged) k.expectEqual(rax, rbx, 'with coalescing the three are one block, and alloc(7) succeeds');
      else k.expectEqual(rax, 0, 'without coalescing alloc(7) still fails');
    }

    k.say('\nStage 5, splitting: a block that is too large is cut.');
    for (const [features, split] of [[STAGE_FEATURE.MERGE, false], [STAGE_FEATURE.MERGE | STAGE_FEATURE.SPLIT, true]] as const) {
      stage(PAGE_SIZE, features);
      for (const [register, bytes] of [[rbx, 150], [r12, 50], [r13, 1024]] as const) {
        k.call('node_alloc', address('stage'), bytes);
        a.mov(register, rax);
      }
      for (const register of [rbx, r13]) k.call('node_free', address('stage'), register);
      if (!split) picture('node');
      k.call('node_alloc', address('stage'), 10);
      picture('node');
      a.mov(rcx, qword(rbx, NODE.size - NODE.bytes));
      if (split) {
        k.expectEqual(rcx, 10, `with splitting alloc(10) takes 10, and ${150 - 10 - NODE.bytes} stay free behind a new header of ${NODE.bytes}`);
        k.call('node_alloc', address('stage'), 150 - 10 - NODE.bytes - NODE.bytes);
        a.mov(rcx, qword(rax, NODE.size - NODE.bytes));
        k.expectEqual(rcx, 150 - 10 - NODE.bytes, 'a rest that would be smaller than its header is not cut off');
        picture('node');
      } else {
        k.expectEqual(rcx, 150, 'without splitting alloc(10) takes all 150 and wastes 140');
      }
    }

    k.say('\nWhere a heap starts: behind the kernel and an unmapped guard page.');
    a.mov(rbx, 0x4321);
    a.lea(rcx, at(rbx, PAGE_SIZE - 1));
    a.and(rcx, -PAGE_SIZE);
    a.lea(rdx, at(rcx, PAGE_SIZE));
    k.say('kernel end 0x%x  ->  guard page 0x%x  ->  heap 0x%x', rbx, rcx, rdx);
    k.expectEqual(rdx, 0x6000, 'a kernel that ends at 0x4321 has its heap at 0x6000');

    k.say('\nStage 6, expansion: at the end of its page the heap asks the VMM for more.');
    stage(PAGE_SIZE, STAGE_FEATURE.MERGE | STAGE_FEATURE.SPLIT | STAGE_FEATURE.EXPAND);
    k.call('node_alloc', address('stage'), 4000);
    k.call('node_alloc', address('stage'), 5000);
    a.mov(rcx, qword('stage', STAGE.end));
    a.sub(rcx, qword('stage_region'));
    k.expectEqual(rcx, 3 * PAGE_SIZE, 'alloc(5000) behind alloc(4000): the region grew from 1 page to 3, where it is');
    a.mov(byte(rax, 4999), 1);
    picture('node');
    dropStage();
  });

  k.func('scenario_heap', [rbx, rbp, r12, r13, r14], () => {
    k.headline('the kernel\'s heap');
    a.lea(rbx, at('kernel_heap'));
    const alloc = (bytes: number): void => k.call('heap_alloc', rbx, bytes);
    const check = (text: string): void => {
      k.call('heap_check', rbx);
      k.expectEqual(rax, 0, text);
    };
    const show = (): void => k.call('heap_picture', rbx);

    show();
    for (const [register, bytes] of [[r12, 5], [r13, 100], [r14, 1000]] as const) {
      alloc(bytes);
      a.mov(register, rax);
      a.test(register, 15);
      k.expect('e', `alloc(${bytes}) = 0x%x, a multiple of 16`, register);
    }
    show();
    k.call('heap_free', rbx, r13);
    k.expectEqual(rax, HEAP_ERROR.none, 'free(b): a hole between used neighbours');
    show();
    k.call('heap_free', rbx, r13);
    k.expectEqual(rax, HEAP_ERROR.doubleFree, 'free(b) again: double free caught');
    a.lea(rsi, at(r14, 16));
    k.call('heap_free', rbx, rsi);
    k.expectEqual(rax, HEAP_ERROR.corrupt, 'free(c + 16): no block header is there');
    a.lea(rsi, at(r14, 3));
    k.call('heap_free', rbx, rsi);
    k.expectEqual(rax, HEAP_ERROR.notABlock, 'free(c + 3): nothing that alloc ever gave');

    k.say('\nrealloc: in place while there is room, elsewhere with its contents when there is none.');
    a.mov(byte(r12), 0x61);
    k.call('heap_realloc', rbx, r12, 60);
    k.expectEqual(rax, r12, 'a grows from 5 to 60 bytes, into the hole behind it');
    show();
    k.call('heap_realloc', rbx, r12, 3000);
    a.mov(rbp, rax);
    a.cmp(rbp, r12);
    k.expect('ne', 'to 3,000 it has to move');
    a.cmp(byte(rbp), 0x61);
    k.expect('e', 'its contents moved with it');
    show();
    k.call('heap_realloc', rbx, rbp, 16);
    k.expectEqual(rax, rbp, 'and shrinks to 16 where it is');
    show();

    k.say('\nAligned: a whole page, on a page boundary.');
    k.call('heap_alloc_aligned', rbx, PAGE_SIZE, PAGE_SIZE);
    a.mov(r12, rax);
    a.test(r12, PAGE_SIZE - 1);
    k.expect('e', 'alloc_aligned(4096, 4096) = 0x%x', r12);
    show();
    check('every header, link and neighbour is right');

    k.say('\nGrowth: more than there is.');
    alloc(100_000);
    a.mov(r13, rax);
    k.expectEqual(qword(rbx, HEAP.growths), 1, 'alloc(100000): the VMM made the region longer');
    show();
    for (const register of [r12, rbp, r13, r14]) k.call('heap_free', rbx, register);
    show();
    check('all freed, it is one block again, and sound');
    k.expectEqual(qword(rbx, HEAP.used), 0, 'no byte is in use');
    k.say('allocations %d, frees %d, splits %d, merges %d', qword(rbx, HEAP.allocations), qword(rbx, HEAP.frees), qword(rbx, HEAP.splits), qword(rbx, HEAP.merges));

    k.say('\nCorruption: one byte too many is written behind a block.');
    alloc(32);
    a.mov(r12, rax);
    alloc(32);
    a.mov(r13, rax);
    a.xor(byte(r12, 32), 0xff);
    k.call('heap_free', rbx, r12);
    k.expectEqual(rax, HEAP_ERROR.corrupt, 'free notices before it merges anything');
    k.call('heap_check', rbx);
    a.lea(rcx, at(r13, -BLOCK_HEADER));
    k.expectEqual(rax, rcx, 'heap_check names the damaged block, 0x%x', rax);
    a.xor(byte(r12, 32), 0xff);
    for (const register of [r12, r13]) k.call('heap_free', rbx, register);
    check('the byte put back, all is well');
    alloc(2 ** 31);
    k.expectEqual(rax, 0, 'a request that nobody can mean is refused');
  });

  // RAX: the next of a sequence of pseudo-random numbers (xorshift64).
  k.func('random', [], () => {
    a.mov(rax, qword('random_state'));
    for (const [shift, left] of [[13, true], [7, false], [17, true]] as const) {
      a.mov(rcx, rax);
      if (left) a.shl(rcx, shift);
      else a.shr(rcx, shift);
      a.xor(rax, rcx);
    }
    a.mov(qword('random_state'), rax);
  });
  k.variable('random_state');
  k.variable('stress_failures');

  // RDI: slot. Counts a failure unless all its quadwords still are what was written.
  k.func('slot_verify', [], () => {
    a.mov(rdx, rdi);
    a.mov(rcx, qword(rdx, SLOT.quadwords));
    a.mov(rax, qword(rdx, SLOT.pattern));
    a.mov(rdi, qword(rdx, SLOT.address));
    a.repe.scasq();
    a.je('.return');
    a.inc(qword('stress_failures'));
  });
  // RDI: slot. Fills its memory from a new random number.
  k.func('slot_fill', [rbx], () => {
    a.mov(rbx, rdi);
    a.call('random');
    a.mov(qword(rbx, SLOT.pattern), rax);
    a.mov(rcx, qword(rbx, SLOT.quadwords));
    a.mov(rdi, qword(rbx, SLOT.address));
    a.rep.stosq();
  });
  // RAX: a size in bytes, a multiple of 8: mostly small, sometimes a page and more.
  k.func('random_size', [], () => {
    a.call('random');
    a.mov(rcx, rax);
    a.shr(rcx, 20);
    a.and(eax, 0x1f8);
    a.test(rcx, 15);
    k.when('e', () => {
      a.shl(rcx, 3);
      a.and(ecx, 0x1ff8);
      a.add(rax, rcx);
    });
    a.add(rax, 8);
  });

  /** RDI: operations. alloc, aligned alloc, realloc and free in random order on 64 slots; every byte checked when it goes. */
  k.func('heap_stress', [rbx, rbp, r12, r13, r14, r15], () => {
    a.mov(r15, rdi);
    a.mov(rax, SEED);
    a.mov(qword('random_state'), rax);
    a.mov(qword('stress_failures'), 0);
    k.say('%d operations on %d slots, seed 0x%x', r15, SLOTS, rax);
    a.mov(r14, qword('system_pmm', PMM.free));
    a.mov(rsi, 0xffff_c020_0000_0000n);
    k.call('heap_initialise', address('test_heap'), rsi, PAGE_SIZE, POLICY.DEMAND);
    a.lea(rbx, at('test_heap'));
    a.lea(rdi, at('stress_slots'));
    a.mov(ecx, (SLOTS << SLOT_SHIFT) / 8);
    a.xor(eax, eax);
    a.rep.stosq();
    k.count(r12, r15, ({ again }) => {
      a.call('random');
      a.mov(r13, rax);
      a.shr(r13, 40);                     // decides what to do
      a.and(eax, SLOTS - 1);
      a.shl(rax, SLOT_SHIFT);
      a.lea(rbp, at('stress_slots'));
      a.add(rbp, rax);
      a.cmp(qword(rbp, SLOT.address), 0);
      k.when('e', () => {
        a.call('random_size');
        a.mov(rsi, rax);
        a.shr(rax, 3);
        a.mov(qword(rbp, SLOT.quadwords), rax);
        a.test(r13, 7);
        k.when('e', () => {
          k.call('heap_alloc_aligned', rbx, rsi, 256);
          a.test(rax, 255);
          k.when('ne', () => a.inc(qword('stress_failures')));
        }, () => k.call('heap_alloc', rbx, rsi));
        a.test(rax, 15);
        k.when('ne', () => a.inc(qword('stress_failures')));
        a.mov(qword(rbp, SLOT.address), rax);
        a.test(rax, rax);
        k.when('ne', () => k.call('slot_fill', rbp), () => a.inc(qword('stress_failures')));
        a.jmp(again);
      });
      k.call('slot_verify', rbp);
      a.test(r13, 3);
      k.when('e', () => {                 // realloc: the common part must survive
        a.call('random_size');
        a.mov(r13, rax);
        k.call('heap_realloc', rbx, qword(rbp, SLOT.address), r13);
        a.mov(qword(rbp, SLOT.address), rax);
        a.shr(r13, 3);
        a.mov(rcx, qword(rbp, SLOT.quadwords));
        a.cmp(r13, rcx);
        k.when('b', () => a.mov(qword(rbp, SLOT.quadwords), r13));
        k.call('slot_verify', rbp);
        a.mov(qword(rbp, SLOT.quadwords), r13);
        k.call('slot_fill', rbp);
        a.jmp(again);
      });
      k.call('heap_free', rbx, qword(rbp, SLOT.address));
      a.test(rax, rax);
      k.when('ne', () => a.inc(qword('stress_failures')));
      a.mov(qword(rbp, SLOT.address), 0);
      a.test(r12, 0xff);
      k.when('e', () => {
        k.call('heap_check', rbx);
        a.test(rax, rax);
        k.when('ne', () => a.inc(qword('stress_failures')));
      });
    });
    k.call('heap_check', rbx);
    k.expectEqual(rax, 0, 'the heap is sound');
    k.expectEqual(qword('stress_failures'), 0, 'every byte was what was written, every address aligned, every free accepted');
    k.say('allocations %d, frees %d, splits %d, merges %d, growths %d, bytes in use %d', qword(rbx, HEAP.allocations), qword(rbx, HEAP.frees),
      qword(rbx, HEAP.splits), qword(rbx, HEAP.merges), qword(rbx, HEAP.growths), qword(rbx, HEAP.used));
    a.lea(rbp, at('stress_slots'));
    k.count(r12, SLOTS, ({ again }) => {
      a.mov(rsi, qword(rbp, SLOT.address));
      a.add(rbp, 1 << SLOT_SHIFT);
      a.test(rsi, rsi);
      a.je(again);
      k.call('heap_free', rbx, rsi);
    });
    k.expectEqual(qword(rbx, HEAP.used), 0, 'all freed: no byte is in use');
    a.mov(rcx, qword(rbx, HEAP.base));
    a.mov(rax, qword(rbx, HEAP.end));
    a.sub(rax, rcx);
    a.sub(rax, BLOCK_HEADER);
    k.expectEqual(rax, qword(rcx, BLOCK.size), 'and the heap is one block again, of %d bytes', rax);
    k.call('heap_destroy', rbx);
    k.expectEqual(r14, qword('system_pmm', PMM.free), 'every frame came back');
  });

  for (const [name, operations] of [['scenario_heap_random', SHORT_STRESS], ['scenario_heap_stress', LONG_STRESS]] as const) {
    k.func(name, [], () => {
      k.headline('the heap under a random sequence');
      k.call('heap_stress', operations);
    });
  }
}

/**
 * The kernel's heap: what the stages of heap-stages.ts grow into. Blocks lie side by side, each with a 32-byte header:
 *
 *   | size  previous  state  checksum | payload, a multiple of 16 bytes ... | size  previous ...
 *
 * Free blocks are in lists by size class (powers of two). alloc takes the first block that fits and splits it; free
 * merges with the next block first, then with the previous one. When nothing fits, the heap grows through the VMM. A
 * guard page lies below. The checksum mixes the header's fields with its address: an overflow or a stray write shows.
 */
import { at, eax, ecx, qword, r12, r13, r14, r8, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { BLOCK, BLOCK_HEADER, BLOCK_STATE, HEAP, HEAP_CLASSES, KERNEL_HEAP, PAGE_SIZE, POLICY, PROTECTION } from './layout.ts';
import { address, type KernelWriter, type Register64 } from './writer.ts';

export const HEAP_ERROR = { none: 0, doubleFree: 1, corrupt: 2, notABlock: 3 } as const;
const ALIGNMENT = 16;
/** A split must leave a block with a payload: never a node smaller than its header. */
const SMALLEST_BLOCK = BLOCK_HEADER + ALIGNMENT;
const LARGEST_REQUEST = 2 ** 30;
const GROWTH = 4 * PAGE_SIZE;

export function heap(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  a.object('kernel_heap', () => a.reserve(HEAP.bytes));
  a.section('.text');

  // RDI: block. RAX: what its checksum should be.
  k.func('block_checksum', [], () => {
    a.mov(rax, qword(rdi, BLOCK.size));
    a.xor(rax, qword(rdi, BLOCK.previous));
    a.xor(rax, qword(rdi, BLOCK.state));
    a.xor(rax, rdi);
  });
  k.func('block_seal', [], () => {
    a.call('block_checksum');
    a.mov(qword(rdi, BLOCK.checksum), rax);
  });

  // RDI: bytes of a payload. RAX: its size class: 16-31 is 0, 32-63 is 1, ... the last has all the rest.
  k.func('size_class', [], () => {
    a.bsr(rax, rdi);
    a.sub(rax, 4);
    a.cmp(rax, HEAP_CLASSES - 1);
    k.when('a', () => a.mov(rax, HEAP_CLASSES - 1));
  });

  // RDI: HEAP, RSI: block. Into the list of its class, in front.
  k.func('free_list_insert', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    k.call('size_class', qword(rbp, BLOCK.size));
    a.mov(rdx, qword(rbx, rax, 8, HEAP.lists));
    a.mov(qword(rbp, BLOCK.nextFree), rdx);
    a.mov(qword(rbp, BLOCK.previousFree), 0);
    a.test(rdx, rdx);
    k.when('ne', () => a.mov(qword(rdx, BLOCK.previousFree), rbp));
    a.mov(qword(rbx, rax, 8, HEAP.lists), rbp);
  });

  // RDI: HEAP, RSI: block. Out of its list.
  k.func('free_list_remove', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(rcx, qword(rbp, BLOCK.nextFree));
    a.mov(rdx, qword(rbp, BLOCK.previousFree));
    a.test(rcx, rcx);
    k.when('ne', () => a.mov(qword(rcx, BLOCK.previousFree), rdx));
    a.test(rdx, rdx);
    k.when('ne', () => a.mov(qword(rdx, BLOCK.nextFree), rcx), () => {
      k.call('size_class', qword(rbp, BLOCK.size));
      a.mov(rcx, qword(rbp, BLOCK.nextFree));
      a.mov(qword(rbx, rax, 8, HEAP.lists), rcx);
    });
  });

  /** The block behind `block`, in `register`; it is the heap's end when there is none. */
  const behind = (register: Register64, block: Register64): void => {
    a.mov(register, qword(block, BLOCK.size));
    a.lea(register, at(register, block, 1, BLOCK_HEADER));
  };

  // RDI: HEAP, RSI: where a block starts, RDX: its payload, RCX: the block before it or 0, R8: state. Writes its header, and the link of the one behind.
  k.func('block_make', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(qword(rbp, BLOCK.size), rdx);
    a.mov(qword(rbp, BLOCK.previous), rcx);
    a.mov(qword(rbp, BLOCK.state), r8);
    k.call('block_seal', rbp);
    behind(rdi, rbp);
    a.cmp(rdi, qword(rbx, HEAP.end));
    k.when('ae', () => {
      a.mov(qword(rbx, HEAP.last), rbp);
      k.leave();
    });
    a.mov(qword(rdi, BLOCK.previous), rbp);
    a.call('block_seal');
  });

  /** RDI: HEAP, RSI: base, RDX: bytes, RCX: policy. A guard page at base, the heap behind it. RAX: 0, or 1: no room. */
  k.func('heap_initialise', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(r12, rdx);
    a.mov(r13, rcx);
    a.mov(ecx, HEAP.bytes / 8);
    a.xor(eax, eax);
    a.rep.stosq();
    k.call('vmm_place', address('kernel_space'), rbp, PAGE_SIZE, PROTECTION.WRITE, POLICY.GUARD, PAGE_SIZE);
    a.test(rax, rax);
    k.when('e', () => k.leave(1));
    a.add(rbp, PAGE_SIZE);
    k.call('vmm_place', address('kernel_space'), rbp, r12, PROTECTION.WRITE, r13, PAGE_SIZE);
    a.test(rax, rax);
    k.when('e', () => k.leave(1));
    a.mov(qword(rbx, HEAP.base), rbp);
    a.lea(rax, at(rbp, r12, 1));
    a.mov(qword(rbx, HEAP.end), rax);
    a.lea(rdx, at(r12, -BLOCK_HEADER));
    k.call('block_make', rbx, rbp, rdx, 0, BLOCK_STATE.free);
    k.call('free_list_insert', rbx, rbp);
    k.leave(0);
  });

  // RDI: HEAP. Gives its regions back.
  k.func('heap_destroy', [rbx], () => {
    a.mov(rbx, rdi);
    a.lea(rdi, at('kernel_space'));
    a.mov(rsi, qword(rbx, HEAP.base));
    a.call('vmm_free');
    a.mov(rsi, qword(rbx, HEAP.base));
    a.sub(rsi, PAGE_SIZE);
    k.call('vmm_free', address('kernel_space'), rsi);
  });

  // RDI: HEAP, RSI: bytes that are wanted. RAX: 0, or 1: the VMM has no more.
  k.func('heap_grow', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.lea(r12, at(rsi, GROWTH + PAGE_SIZE - 1));
    a.and(r12, -PAGE_SIZE);
    k.call('vmm_extend', address('kernel_space'), qword(rbx, HEAP.base), r12);
    a.test(rax, rax);
    a.jne('.return');
    a.inc(qword(rbx, HEAP.growths));
    a.mov(rbp, qword(rbx, HEAP.end));
    a.add(qword(rbx, HEAP.end), r12);
    a.lea(rdx, at(r12, -BLOCK_HEADER));
    k.call('block_make', rbx, rbp, rdx, qword(rbx, HEAP.last), BLOCK_STATE.free);
    k.call('block_release', rbx, rbp);
    k.leave(0);
  });

  // RDI: HEAP, RSI: a used block, RDX: payload to keep. The rest becomes a free block, when it is large enough to be one.
  k.func('block_trim', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(rcx, qword(rbp, BLOCK.size));
    a.sub(rcx, rdx);
    a.cmp(rcx, SMALLEST_BLOCK);
    a.jb('.return');
    a.mov(qword(rbp, BLOCK.size), rdx);
    k.call('block_seal', rbp);
    a.inc(qword(rbx, HEAP.splits));
    a.lea(r12, at(rbp, rdx, 1, BLOCK_HEADER));
    a.lea(rdx, at(rcx, -BLOCK_HEADER));
    k.call('block_make', rbx, r12, rdx, rbp, BLOCK_STATE.free);
    k.call('block_release', rbx, r12);
  });

  // RDI: HEAP, RSI: a block that is in no list. Marks it free, merges it with the next block, then with the previous one.
  k.func('block_release', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.mov(qword(rbp, BLOCK.state), BLOCK_STATE.free);
    k.call('block_seal', rbp);
    behind(r12, rbp);
    a.cmp(r12, qword(rbx, HEAP.end));
    k.when('b', () => {
      a.cmp(qword(r12, BLOCK.state), BLOCK_STATE.free);
      k.when('e', () => {
        a.inc(qword(rbx, HEAP.merges));
        k.call('free_list_remove', rbx, r12);
        a.mov(rdx, qword(rbp, BLOCK.size));
        a.add(rdx, qword(r12, BLOCK.size));
        a.add(rdx, BLOCK_HEADER);
        a.mov(qword(r12, BLOCK.state), 0);
        k.call('block_make', rbx, rbp, rdx, qword(rbp, BLOCK.previous), BLOCK_STATE.free);
      });
    });
    a.mov(r12, qword(rbp, BLOCK.previous));
    a.test(r12, r12);
    k.when('ne', () => {
      a.cmp(qword(r12, BLOCK.state), BLOCK_STATE.free);
      k.when('e', () => {
        a.inc(qword(rbx, HEAP.merges));
        k.call('free_list_remove', rbx, r12);
        a.mov(rdx, qword(rbp, BLOCK.size));
        a.add(rdx, qword(r12, BLOCK.size));
        a.add(rdx, BLOCK_HEADER);
        a.mov(qword(rbp, BLOCK.state), 0);
        a.mov(rbp, r12);
        k.call('block_make', rbx, rbp, rdx, qword(rbp, BLOCK.previous), BLOCK_STATE.free);
      });
    });
    k.call('free_list_insert', rbx, rbp);
  });

  // RDI: bytes. RAX: the payload that holds them, a multiple of 16 and at least 16; 0 when nobody can mean it.
  k.func('payload_size', [], () => {
    a.cmp(rdi, LARGEST_REQUEST);
    k.when('a', () => k.leave(0));
    a.lea(rax, at(rdi, ALIGNMENT - 1));
    a.and(rax, -ALIGNMENT);
    k.when('e', () => a.mov(rax, ALIGNMENT));
  });

  // RDI: HEAP, RSI: bytes. RAX: their address, 16-byte aligned, or 0.
  k.func('heap_alloc', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    k.call('payload_size', rsi);
    a.mov(r12, rax);
    a.test(r12, r12);
    a.je('.refuse');
    a.xor(r13, r13);                      // whether it has grown already
    a.label('.search');
    k.call('size_class', r12);
    k.loop((lists) => {                   // first fit in its own class; any block of a higher one
      a.mov(rbp, qword(rbx, rax, 8, HEAP.lists));
      k.loop((list) => {
        a.test(rbp, rbp);
        a.je(list.leave);
        a.cmp(qword(rbp, BLOCK.size), r12);
        a.jae('.found');
        a.mov(rbp, qword(rbp, BLOCK.nextFree));
      });
      a.inc(rax);
      a.cmp(rax, HEAP_CLASSES);
      a.jae(lists.leave);
    });
    a.test(r13, r13);
    a.jne('.refuse');
    k.call('heap_grow', rbx, r12);
    a.inc(r13);
    a.test(rax, rax);
    a.je('.search');
    a.label('.refuse');
    a.inc(qword(rbx, HEAP.refused));
    k.leave(0);

    a.label('.found');
    k.call('free_list_remove', rbx, rbp);
    a.mov(qword(rbp, BLOCK.state), BLOCK_STATE.used);
    k.call('block_seal', rbp);
    k.call('block_trim', rbx, rbp, r12);
    a.inc(qword(rbx, HEAP.allocations));
    a.mov(rax, qword(rbp, BLOCK.size));
    a.add(qword(rbx, HEAP.used), rax);
    a.lea(rax, at(rbp, BLOCK_HEADER));
  });

  /** RDI: HEAP, RSI: an address that alloc gave. RAX: its block, or 0: RDX then says what is wrong (HEAP_ERROR). */
  k.func('block_of', [], () => {
    a.mov(rdx, HEAP_ERROR.notABlock);
    a.xor(eax, eax);
    a.test(rsi, ALIGNMENT - 1);
    a.jne('.return');
    a.lea(rcx, at(rsi, -BLOCK_HEADER));
    a.cmp(rcx, qword(rdi, HEAP.base));
    a.jb('.return');
    a.cmp(rsi, qword(rdi, HEAP.end));
    a.jae('.return');
    a.mov(rdx, HEAP_ERROR.corrupt);
    k.call('block_checksum', rcx);
    a.cmp(rax, qword(rcx, BLOCK.checksum));
    k.when('ne', () => k.leave(0));
    a.mov(rdx, HEAP_ERROR.doubleFree);
    a.cmp(qword(rcx, BLOCK.state), BLOCK_STATE.used);
    k.when('ne', () => k.leave(0));
    k.leave(rcx);
  });

  // RDI: HEAP, RSI: address. RAX: HEAP_ERROR; nothing is done unless it is 0.
  k.func('heap_free', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.call('block_of');
    a.test(rax, rax);
    k.when('e', () => k.leave(rdx));
    a.mov(rbp, rax);
    // The neighbours' headers are about to be trusted: an overflow of this block would have hit the next one's.
    behind(rdi, rbp);
    a.cmp(rdi, qword(rbx, HEAP.end));
    k.when('b', () => {
      a.call('block_checksum');
      a.cmp(rax, qword(rdi, BLOCK.checksum));
      k.when('ne', () => k.leave(HEAP_ERROR.corrupt));
    });
    a.mov(rax, qword(rbp, BLOCK.size));
    a.sub(qword(rbx, HEAP.used), rax);
    a.inc(qword(rbx, HEAP.frees));
    k.call('block_release', rbx, rbp);
    k.leave(HEAP_ERROR.none);
  });

  /** RDI: HEAP, RSI: address or 0, RDX: bytes. RAX: where the contents are now, or 0: they are where they were. */
  k.func('heap_realloc', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rsi);
    a.mov(r13, rdx);
    a.test(r12, r12);
    k.when('e', () => {
      k.call('heap_alloc', rbx, r13);
      k.leave();
    });
    a.call('block_of');
    a.mov(rbp, rax);
    a.test(rbp, rbp);
    a.je('.return');
    k.call('payload_size', r13);
    a.mov(r14, rax);
    a.test(r14, r14);
    a.je('.return');
    a.mov(rax, qword(rbp, BLOCK.size));
    a.sub(qword(rbx, HEAP.used), rax);
    a.cmp(rax, r14);
    k.when('b', () => {                   // it grows: into the next block, when that is free and large enough
      behind(rsi, rbp);
      a.cmp(rsi, qword(rbx, HEAP.end));
      a.jae('.move');
      a.cmp(qword(rsi, BLOCK.state), BLOCK_STATE.free);
      a.jne('.move');
      a.mov(rdx, qword(rsi, BLOCK.size));
      a.lea(rdx, at(rdx, rax, 1, BLOCK_HEADER));
      a.cmp(rdx, r14);
      a.jb('.move');
      a.inc(qword(rbx, HEAP.merges));
      a.mov(r13, rdx);
      k.call('free_list_remove', rbx, rsi);
      k.call('block_make', rbx, rbp, r13, qword(rbp, BLOCK.previous), BLOCK_STATE.used);
    });
    k.call('block_trim', rbx, rbp, r14);
    a.mov(rax, qword(rbp, BLOCK.size));
    a.add(qword(rbx, HEAP.used), rax);
    k.leave(r12);

    a.label('.move');
    a.add(qword(rbx, HEAP.used), rax);    // still there, until its contents have moved
    k.call('heap_alloc', rbx, r14);
    a.mov(r13, rax);
    a.test(r13, r13);
    a.je('.return');
    a.mov(rdi, r13);
    a.mov(rsi, r12);
    a.mov(rcx, qword(rbp, BLOCK.size));
    a.shr(rcx, 3);
    a.rep.movsq();
    k.call('heap_free', rbx, r12);
    k.leave(r13);
  });

  /** RDI: HEAP, RSI: bytes, RDX: alignment, a power of two of at least 16. RAX: an address that is a multiple of it, or 0. */
  k.func('heap_alloc_aligned', [rbx, rbp, r12, r13, r14], () => {
    a.mov(rbx, rdi);
    a.mov(r13, rdx);
    k.call('payload_size', rsi);
    a.mov(r12, rax);
    a.lea(rsi, at(r12, r13, 1, SMALLEST_BLOCK));
    k.call('heap_alloc', rbx, rsi);
    a.test(rax, rax);
    a.je('.return');
    a.lea(rbp, at(rax, -BLOCK_HEADER));
    a.mov(rcx, qword(rbp, BLOCK.size));
    a.sub(qword(rbx, HEAP.used), rcx);
    a.lea(rdx, at(r13, -1));
    a.mov(r14, r13);
    a.neg(r14);
    a.test(rax, rdx);
    k.when('ne', () => {
      // Cut off a free block in front, large enough to be one; the aligned block starts behind it.
      a.lea(rax, at(rax, r13, 1, SMALLEST_BLOCK - 1));
      a.and(rax, r14);
      a.lea(r14, at(rax, -BLOCK_HEADER));
      behind(rdx, rbp);
      a.sub(rdx, rax);                    // payload of the aligned block
      k.call('block_make', rbx, r14, rdx, rbp, BLOCK_STATE.used);
      a.mov(rdx, r14);
      a.sub(rdx, rbp);
      a.sub(rdx, BLOCK_HEADER);
      a.mov(qword(rbp, BLOCK.size), rdx);
      a.inc(qword(rbx, HEAP.splits));
      k.call('block_release', rbx, rbp);
      a.mov(rbp, r14);
    });
    k.call('block_trim', rbx, rbp, r12);
    a.mov(rax, qword(rbp, BLOCK.size));
    a.add(qword(rbx, HEAP.used), rax);
    a.lea(rax, at(rbp, BLOCK_HEADER));
  });

  /** RDI: HEAP. Walks over every block. RAX: 0, or the first block whose header, neighbour or place is wrong. */
  k.func('heap_check', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, qword(rbx, HEAP.base));
    a.xor(r12, r12);                      // the block before
    k.loop(({ leave }) => {
      a.cmp(rbp, qword(rbx, HEAP.end));
      a.jae(leave);
      k.call('block_checksum', rbp);
      a.cmp(rax, qword(rbp, BLOCK.checksum));
      k.when('ne', () => k.leave(rbp));
      a.cmp(qword(rbp, BLOCK.previous), r12);
      k.when('ne', () => k.leave(rbp));
      a.cmp(qword(rbp, BLOCK.state), BLOCK_STATE.free);
      k.when('e', () => {                 // two free neighbours would have been merged
        a.test(r12, r12);
        k.when('ne', () => {
          a.cmp(qword(r12, BLOCK.state), BLOCK_STATE.free);
          k.when('e', () => k.leave(rbp));
        });
      }, () => {
        a.cmp(qword(rbp, BLOCK.state), BLOCK_STATE.used);
        k.when('ne', () => k.leave(rbp));
      });
      a.mov(r12, rbp);
      behind(r13, rbp);
      a.mov(rbp, r13);
    });
    a.cmp(rbp, qword(rbx, HEAP.end));
    k.when('ne', () => k.leave(r12));
    a.cmp(r12, qword(rbx, HEAP.last));
    k.when('ne', () => k.leave(r12));
    k.leave(0);
  });

  // RDI: HEAP. Its blocks from the lowest address up: [used 16][free 4000].
  k.func('heap_picture', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, qword(rbx, HEAP.base));
    k.print('    |');
    k.loop(({ leave }) => {
      a.cmp(rbp, qword(rbx, HEAP.end));
      a.jae(leave);
      a.cmp(qword(rbp, BLOCK.state), BLOCK_STATE.free);
      k.when('e', () => k.print(' free'), () => k.print(' used'));
      k.print(' %d |', qword(rbp, BLOCK.size));
      behind(rax, rbp);
      a.mov(rbp, rax);
    });
    k.print('\n');
  });

  k.func('heap_start', [], () => {
    a.mov(rsi, KERNEL_HEAP);
    k.call('heap_initialise', address('kernel_heap'), rsi, PAGE_SIZE * 4, POLICY.DEMAND);
    a.test(rax, rax);
    k.when('ne', () => k.call('panic', address(k.text('no room for the heap'))));
  });
}

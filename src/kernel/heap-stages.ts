/**
 * The stages that a heap goes through on its way to heap.ts, each as small as the idea allows:
 *
 *   1  bump         a cursor, no overhead; nothing can be freed
 *   2  size header  alloc writes the size in front, so that free would know it
 *   3  status byte  free marks the block; alloc takes the first free one that is large enough (first fit)
 *   4  nodes        size, status, previous, next: neighbours can be found, so free can merge (coalescing)
 *   5  splitting    a block that is too large is cut, unless the rest would be smaller than its header
 *   6  expansion    at the end of its memory the heap asks the VMM for more
 *
 * Stages 4 to 6 are one allocator with features switched on. A STAGE says where a small heap lies.
 */
import { al, at, bl, byte, eax, qword, r12, r8, rax, rbp, rbx, rcx, rdi, rdx, rsi, sil } from '../assembler/index.ts';
import { BYTE_HEADER, NODE, PAGE_SIZE, REGION, STAGE, STAGE_FEATURE, STATUS } from './layout.ts';
import { address, type KernelWriter } from './writer.ts';

/** A node's payload is at least this, so that a split never leaves something that can hold nothing. */
const SMALLEST_PAYLOAD = 8;

export function heapStages(k: KernelWriter): void {
  const { a } = k;

  // RDI: STAGE, RSI: base, RDX: bytes, RCX: features.
  k.func('stage_initialise', [], () => {
    a.mov(qword(rdi, STAGE.base), rsi);
    a.mov(qword(rdi, STAGE.cursor), rsi);
    a.add(rsi, rdx);
    a.mov(qword(rdi, STAGE.end), rsi);
    a.mov(qword(rdi, STAGE.features), rcx);
  });

  // Stage 1. RDI: STAGE, RSI: bytes. RAX: address, or 0.
  k.func('bump_alloc', [], () => {
    a.mov(rax, qword(rdi, STAGE.cursor));
    a.lea(rdx, at(rax, rsi, 1));
    a.cmp(rdx, qword(rdi, STAGE.end));
    k.when('a', () => k.leave(0));
    a.mov(qword(rdi, STAGE.cursor), rdx);
  });

  // Stage 2. RDI: STAGE, RSI: bytes, less than 256. The size lies in the byte before the address.
  k.func('sized_alloc', [rbx], () => {
    a.mov(rbx, rsi);
    a.inc(rsi);
    a.call('bump_alloc');
    a.test(rax, rax);
    a.je('.return');
    a.mov(byte(rax), bl);
    a.inc(rax);
  });

  // Stage 3. RDI: STAGE, RSI: bytes, less than 256. First fit among the freed blocks, then at the cursor. RAX: address, or 0.
  k.func('first_fit_alloc', [], () => {
    a.mov(r8, qword(rdi, STAGE.base));
    k.loop(({ leave }) => {
      a.cmp(r8, qword(rdi, STAGE.cursor));
      a.jae(leave);
      a.movzx(eax, byte(r8, BYTE_HEADER.size));
      a.cmp(byte(r8, BYTE_HEADER.status), STATUS.free);
      k.when('e', () => {
        a.cmp(rax, rsi);
        a.jae('.take');
      });
      a.lea(r8, at(r8, rax, 1, BYTE_HEADER.bytes));
    });
    a.lea(rdx, at(r8, rsi, 1, BYTE_HEADER.bytes));
    a.cmp(rdx, qword(rdi, STAGE.end));
    k.when('a', () => k.leave(0));
    a.mov(qword(rdi, STAGE.cursor), rdx);
    a.mov(byte(r8, BYTE_HEADER.size), sil);
    a.label('.take');
    a.mov(byte(r8, BYTE_HEADER.status), STATUS.used);
    a.lea(rax, at(r8, BYTE_HEADER.bytes));
  });

  // Stage 3. RDI: address.
  k.func('first_fit_free', [], () => {
    a.mov(byte(rdi, BYTE_HEADER.status - BYTE_HEADER.bytes), STATUS.free);
  });

  // Stages 4 to 6. RDI: STAGE, RSI: bytes. RAX: address, or 0.
  k.func('node_alloc', [rbx, rbp, r12], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    a.xor(r8, r8);                        // the last node seen
    a.mov(rax, qword(rbx, STAGE.base));
    k.loop(({ again, leave }) => {
      a.cmp(rax, qword(rbx, STAGE.cursor));
      a.jae(leave);
      a.mov(r8, rax);
      a.cmp(qword(rax, NODE.status), STATUS.free);
      k.when('e', () => {
        a.cmp(qword(rax, NODE.size), rbp);
        a.jae('.take');
      });
      a.mov(rdx, qword(rax, NODE.size));
      a.lea(rax, at(rax, rdx, 1, NODE.bytes));
      a.jmp(again);
    });
    // Nothing to reuse: a new node at the cursor, behind the last one.
    a.lea(r12, at(rax, rbp, 1, NODE.bytes));
    a.cmp(r12, qword(rbx, STAGE.end));
    k.when('a', () => {
      a.test(qword(rbx, STAGE.features), STAGE_FEATURE.EXPAND);
      k.when('e', () => k.leave(0));
      k.call('stage_expand', rbx, r12);
      a.test(rax, rax);
      k.when('ne', () => k.leave(0));
      k.call('node_alloc', rbx, rbp);
      k.leave();
    });
    a.mov(qword(rbx, STAGE.cursor), r12);
    a.mov(qword(rax, NODE.size), rbp);
    a.mov(qword(rax, NODE.previous), r8);
    a.mov(qword(rax, NODE.next), 0);
    a.test(r8, r8);
    k.when('ne', () => a.mov(qword(r8, NODE.next), rax));
    a.jmp('.use');

    a.label('.take');
    a.test(qword(rbx, STAGE.features), STAGE_FEATURE.SPLIT);
    k.when('ne', () => {
      a.mov(rdx, qword(rax, NODE.size));
      a.sub(rdx, rbp);
      a.sub(rdx, NODE.bytes);             // payload of the rest
      a.cmp(rdx, SMALLEST_PAYLOAD);
      k.when('ge', () => {
        a.mov(qword(rax, NODE.size), rbp);
        a.lea(r8, at(rax, rbp, 1, NODE.bytes));
        a.mov(qword(r8, NODE.size), rdx);
        a.mov(qword(r8, NODE.status), STATUS.free);
        a.mov(qword(r8, NODE.previous), rax);
        a.mov(rcx, qword(rax, NODE.next));
        a.mov(qword(r8, NODE.next), rcx);
        a.mov(qword(rax, NODE.next), r8);
        a.test(rcx, rcx);
        k.when('ne', () => a.mov(qword(rcx, NODE.previous), r8));
      });
    });
    a.label('.use');
    a.mov(qword(rax, NODE.status), STATUS.used);
    a.add(rax, NODE.bytes);
  });

  // RDI: a free node. Swallows the next one.
  k.func('node_merge_next', [], () => {
    a.mov(rax, qword(rdi, NODE.next));
    a.mov(rcx, qword(rax, NODE.size));
    a.add(rcx, NODE.bytes);
    a.add(qword(rdi, NODE.size), rcx);
    a.mov(rcx, qword(rax, NODE.next));
    a.mov(qword(rdi, NODE.next), rcx);
    a.test(rcx, rcx);
    k.when('ne', () => a.mov(qword(rcx, NODE.previous), rdi));
  });

  // Stages 4 to 6. RDI: STAGE, RSI: address. Next first, then previous: the other way round the next would be lost sight of.
  k.func('node_free', [rbx], () => {
    a.lea(rbx, at(rsi, -NODE.bytes));
    a.mov(qword(rbx, NODE.status), STATUS.free);
    a.test(qword(rdi, STAGE.features), STAGE_FEATURE.MERGE);
    a.je('.return');
    a.mov(rax, qword(rbx, NODE.next));
    a.test(rax, rax);
    k.when('ne', () => {
      a.cmp(qword(rax, NODE.status), STATUS.free);
      k.when('e', () => k.call('node_merge_next', rbx));
    });
    a.mov(rdi, qword(rbx, NODE.previous));
    a.test(rdi, rdi);
    a.je('.return');
    a.cmp(qword(rdi, NODE.status), STATUS.free);
    a.jne('.return');
    a.call('node_merge_next');
  });

  // Stage 6. RDI: STAGE, RSI: how far it must reach. More pages behind its end, by the VMM. RAX: 0, or 1.
  k.func('stage_expand', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.lea(rbp, at(rsi, PAGE_SIZE - 1));
    a.sub(rbp, qword(rbx, STAGE.end));
    a.and(rbp, -PAGE_SIZE);
    k.call('vmm_find', address('kernel_space'), qword(rbx, STAGE.base));
    k.call('vmm_extend', address('kernel_space'), qword(rax, REGION.base), rbp);
    a.test(rax, rax);
    a.jne('.return');
    a.add(qword(rbx, STAGE.end), rbp);
  });

  // RDI: STAGE with two-byte headers. Its blocks as a picture.
  k.func('first_fit_picture', [rbx, rbp], () => {
    a.mov(rbx, qword(rdi, STAGE.base));
    a.mov(rbp, rdi);
    k.print('      |');
    k.loop(({ leave }) => {
      a.cmp(rbx, qword(rbp, STAGE.cursor));
      a.jae(leave);
      a.movzx(eax, byte(rbx, BYTE_HEADER.status));
      a.test(al, al);
      a.movzx(eax, byte(rbx, BYTE_HEADER.size));
      k.when('e', () => k.print('%d free|', rax), () => k.print('%d used|', rax));
      a.lea(rbx, at(rbx, rax, 1, BYTE_HEADER.bytes));
    });
    a.mov(rax, qword(rbp, STAGE.end));
    a.sub(rax, rbx);
    k.print(' %d never used\n', rax);
  });

  // RDI: STAGE with nodes. Its nodes as a picture.
  k.func('node_picture', [rbx, rbp], () => {
    a.mov(rbx, qword(rdi, STAGE.base));
    a.mov(rbp, rdi);
    k.print('      |');
    k.loop(({ leave }) => {
      a.cmp(rbx, qword(rbp, STAGE.cursor));
      a.jae(leave);
      a.mov(rax, qword(rbx, NODE.size));
      a.cmp(qword(rbx, NODE.status), STATUS.free);
      k.when('e', () => k.print(' free %d |', rax), () => k.print(' used %d |', rax));
      a.lea(rbx, at(rbx, rax, 1, NODE.bytes));
    });
    k.print('\n');
  });
}

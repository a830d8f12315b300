/**
 * The physical memory manager: hands out and takes back 4 KiB frames, and nothing else. One bit per frame, 1 = taken:
 *
 *   bit = row * BITS_PER_ROW + column        address = bit * PAGE_SIZE
 *
 * Every function takes the PMM as its first argument: the system has one, the scenarios make toy ones. Frame 0 is never
 * free, so 0 is the answer "out of memory".
 */
import { at, eax, edx, label, qword, r10, r12, r13, r8, r9, rax, rbx, rcx, rdi, rdx, rsi } from '../assembler/index.ts';
import { PAGE_1G, PAGE_SIZE, PMM, RANGE } from './layout.ts';
import { address, type KernelWriter } from './writer.ts';

/** A row is a quadword: BSF finds a free column in one instruction. */
const BITS_PER_ROW = 64;
export const PMM_ERROR = { none: 0, doubleFree: 1, notAFrame: 2 } as const;
const MIB = 0x10_0000;

export function pmm(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  a.object('system_pmm', () => a.reserve(PMM.bytes));
  a.section('.text');

  // RDI: PMM, RSI: memory for the bitmap, RDX: frames. Every frame starts as taken; bits behind the last one stay so.
  k.func('pmm_initialise', [], () => {
    a.mov(qword(rdi, PMM.bitmap), rsi);
    a.mov(qword(rdi, PMM.frames), rdx);
    a.mov(qword(rdi, PMM.used), rdx);
    for (const zero of [PMM.free, PMM.hint, PMM.tables, PMM.zeroPages]) a.mov(qword(rdi, zero), 0);
    a.lea(rcx, at(rdx, BITS_PER_ROW - 1));
    a.shr(rcx, 6);
    a.mov(qword(rdi, PMM.rows), rcx);
    a.mov(rdi, rsi);
    a.mov(rax, -1);
    a.rep.stosq();
  });

  // RDI: PMM, RSI: base, RDX: end, in bytes. Frames that lie wholly inside become free; frame 0 does not.
  k.func('pmm_release_range', [], () => {
    a.mov(r8, qword(rdi, PMM.bitmap));
    a.add(rsi, PAGE_SIZE - 1);
    a.shr(rsi, 12);
    k.when('e', () => a.inc(rsi));
    a.shr(rdx, 12);
    a.cmp(rdx, qword(rdi, PMM.frames));
    k.when('a', () => a.mov(rdx, qword(rdi, PMM.frames)));
    k.loop(({ again, leave }) => {
      a.cmp(rsi, rdx);
      a.jae(leave);
      a.btr(qword(r8), rsi);
      a.lea(rsi, at(rsi, 1));             // LEA keeps CF, the bit that was there
      a.jnc(again);
      a.inc(qword(rdi, PMM.free));
      a.dec(qword(rdi, PMM.used));
    });
    a.mov(qword(rdi, PMM.hint), 0);
  });

  // RDI: PMM, RSI: base, RDX: end, in bytes. Every frame that the range touches becomes taken.
  k.func('pmm_reserve_range', [], () => {
    a.mov(r8, qword(rdi, PMM.bitmap));
    a.shr(rsi, 12);
    a.add(rdx, PAGE_SIZE - 1);
    a.shr(rdx, 12);
    a.cmp(rdx, qword(rdi, PMM.frames));
    k.when('a', () => a.mov(rdx, qword(rdi, PMM.frames)));
    k.loop(({ again, leave }) => {
      a.cmp(rsi, rdx);
      a.jae(leave);
      a.bts(qword(r8), rsi);
      a.lea(rsi, at(rsi, 1));
      a.jc(again);
      a.dec(qword(rdi, PMM.free));
      a.inc(qword(rdi, PMM.used));
    });
  });

  // RDI: PMM. The lowest free frame's physical address, or 0: out of memory.
  k.func('pmm_alloc', [], () => {
    a.mov(r8, qword(rdi, PMM.bitmap));
    a.mov(rcx, qword(rdi, PMM.hint));
    k.loop(({ leave }) => {
      a.cmp(rcx, qword(rdi, PMM.rows));
      k.when('ae', () => {
        a.mov(qword(rdi, PMM.hint), rcx);
        k.leave(0);
      });
      a.mov(rax, qword(r8, rcx, 8));
      a.not(rax);
      a.test(rax, rax);
      a.jne(leave);
      a.inc(rcx);
    });
    a.mov(qword(rdi, PMM.hint), rcx);
    a.bsf(rdx, rax);                      // the lowest free column of the row
    a.bts(qword(r8, rcx, 8), rdx);
    a.shl(rcx, 6);
    a.lea(rax, at(rcx, rdx, 1));          // bit = row * BITS_PER_ROW + column
    a.shl(rax, 12);                       // address = bit * PAGE_SIZE
    a.dec(qword(rdi, PMM.free));
    a.inc(qword(rdi, PMM.used));
  });

  // RDI: PMM, RSI: physical address. 0, or why it is not taken back.
  k.func('pmm_free', [], () => {
    a.test(rsi, PAGE_SIZE - 1);
    k.when('ne', () => k.leave(PMM_ERROR.notAFrame));
    a.shr(rsi, 12);
    k.when('e', () => k.leave(PMM_ERROR.notAFrame));
    a.cmp(rsi, qword(rdi, PMM.frames));
    k.when('ae', () => k.leave(PMM_ERROR.notAFrame));
    a.mov(r8, qword(rdi, PMM.bitmap));
    a.btr(qword(r8), rsi);
    k.when('nc', () => k.leave(PMM_ERROR.doubleFree));
    a.inc(qword(rdi, PMM.free));
    a.dec(qword(rdi, PMM.used));
    a.shr(rsi, 6);
    a.cmp(rsi, qword(rdi, PMM.hint));
    k.when('b', () => a.mov(qword(rdi, PMM.hint), rsi));
    k.leave(PMM_ERROR.none);
  });

  // RDI: PMM, RSI: frames, RDX: alignment in frames. The first run that fits (first fit), or 0.
  k.func('pmm_alloc_run', [rbx], () => {
    a.test(rsi, rsi);
    k.when('e', () => k.leave(0));
    a.mov(r8, qword(rdi, PMM.bitmap));
    a.mov(rcx, rdx);                      // frame 0 is taken: start at the first multiple above it
    k.loop((candidate) => {
      a.lea(r9, at(rcx, rsi, 1));
      a.cmp(r9, qword(rdi, PMM.frames));
      k.when('a', () => k.leave(0));
      a.mov(r10, rcx);
      k.loop((bit) => {
        a.cmp(r10, r9);
        a.jae(candidate.leave);           // every frame of it is free
        a.bt(qword(r8), r10);
        a.jc(bit.leave);
        a.inc(r10);
      });
      // Frame R10 is taken: the next candidate starts behind it.
      a.lea(rax, at(r10, rdx, 1));
      a.mov(rbx, rdx);
      a.xor(edx, edx);
      a.div(rbx);
      a.imul(rax, rbx);
      a.mov(rdx, rbx);
      a.mov(rcx, rax);
    });
    a.mov(rax, rcx);
    a.shl(rax, 12);
    a.sub(qword(rdi, PMM.free), rsi);
    a.add(qword(rdi, PMM.used), rsi);
    k.loop(({ leave }) => {
      a.bts(qword(r8), rcx);
      a.inc(rcx);
      a.dec(rsi);
      a.je(leave);
    });
  });

  // RDI: PMM, RSI: physical address of a run, RDX: its frames. 0, or the first error.
  k.func('pmm_free_run', [rbx, r12, r13], () => {
    a.mov(rbx, rdi);
    a.mov(r12, rsi);
    a.mov(r13, rdx);
    k.loop(({ leave }) => {
      a.dec(r13);
      a.js(leave);
      k.call('pmm_free', rbx, r12);
      a.test(eax, eax);
      a.jne('.return');
      a.add(r12, PAGE_SIZE);
    });
    k.leave(PMM_ERROR.none);
  });

  // RDI: address. RAX: the first address from there on, on a page boundary, where `RSI` bytes touch no reserved range.
  k.func('find_unreserved', [], () => {
    a.lea(r8, at('reserved_ranges'));
    a.mov(r9, qword('reserved_count'));
    a.label('.restart');
    a.add(rdi, PAGE_SIZE - 1);
    a.and(rdi, -PAGE_SIZE);
    k.count(rcx, r9, ({ again }) => {
      a.mov(rax, rcx);
      a.shl(rax, 4);
      a.lea(rdx, at(rdi, rsi, 1));
      a.cmp(rdx, qword(r8, rax, 1, RANGE.base));
      a.jbe(again);
      a.cmp(rdi, qword(r8, rax, 1, RANGE.end));
      a.jae(again);
      a.mov(rdi, qword(r8, rax, 1, RANGE.end));
      a.jmp('.restart');
    });
    k.leave(rdi);
  });

  /**
   * The system's PMM, from the memory map: all frames taken; RAM above 1 MiB released; then what is in use taken again:
   * the image, modules, whatever the map calls reserved, and the bitmap itself, which lies behind the image.
   */
  k.func('pmm_start', [rbx, r12, r13], () => {
    k.call('add_reserved_range', 0, label('__image_end').physical());
    a.mov(r12, qword('top_of_ram'));
    a.shr(r12, 12);                       // frames
    a.lea(r13, at(r12, BITS_PER_ROW - 1));
    a.shr(r13, 6);
    a.shl(r13, 3);                        // bytes of bitmap
    k.call('find_unreserved', MIB, r13);
    a.mov(rbx, rax);
    a.add(rax, r13);
    a.cmp(rax, PAGE_1G);
    k.when('a', () => k.call('panic', address(k.text('no room for the frame bitmap in the first GiB'))));
    a.lea(rcx, at('usable_ranges'));
    a.mov(rdx, qword('usable_count'));
    k.loop(({ again, leave }) => {        // one range of RAM must contain all of it
      a.dec(rdx);
      k.when('s', () => k.call('panic', address(k.text('no room for the frame bitmap'))));
      a.mov(r8, qword(rcx, RANGE.base));
      a.mov(r9, qword(rcx, RANGE.end));
      a.add(rcx, RANGE.bytes);
      a.cmp(rbx, r8);
      a.jb(again);
      a.cmp(rax, r9);
      a.jbe(leave);
    });
    a.mov(rsi, rbx);
    k.direct(rsi);
    k.call('pmm_initialise', address('system_pmm'), rsi, r12);
    a.lea(rsi, at(rbx, r13, 1));
    k.call('add_reserved_range', rbx, rsi);
    for (const [list, action] of [['usable', 'release'], ['reserved', 'reserve']] as const) {
      a.lea(rbx, at(`${list}_ranges`));
      a.mov(r12, qword(`${list}_count`));
      k.loop(({ leave }) => {
        a.dec(r12);
        a.js(leave);
        k.call(`pmm_${action}_range`, address('system_pmm'), qword(rbx, RANGE.base), qword(rbx, RANGE.end));
        a.add(rbx, RANGE.bytes);
      });
    }
  });

  // RDI: frame. Fills it with zeroes, through the direct map.
  k.func('frame_clear', [], () => {
    k.direct(rdi);
    a.mov(rcx, PAGE_SIZE / 8);
    a.xor(eax, eax);
    a.rep.stosq();
  });
}

/** Physical memory: what the loader reported, the bitmap's worked example, runs, double frees, and running out. */
import { at, byte, eax, qword, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi } from '../../assembler/index.ts';
import { PAGE_2M, PAGE_SIZE, PMM, POLICY, PROTECTION } from '../layout.ts';
import { CAUSE } from '../page-fault.ts';
import { PMM_ERROR } from '../pmm.ts';
import { attempt } from '../exceptions.ts';
import { address, type KernelWriter } from '../writer.ts';

const TOY_KIB = 256;
const TOY_FRAMES = TOY_KIB / 4;
const ODD_FRAMES = 61;

export function physicalMemory(k: KernelWriter): void {
  const { a } = k;
  a.section('.bss');
  a.align(8);
  a.object('toy_pmm', () => a.reserve(PMM.bytes));
  a.object('toy_bitmap', () => a.reserve(TOY_FRAMES / 8));
  a.section('.text');

  // RDI: rows of eight. The toy's bitmap, one byte a row.
  k.func('toy_bitmap_show', [rbx, rbp], () => {
    a.mov(rbp, rdi);
    k.count(rbx, rbp, () => {
      a.lea(rcx, at('toy_bitmap'));
      a.movzx(eax, byte(rcx, rbx, 1));
      k.print('    bitmap[%d] = %8b\n', rbx, rax);
    });
  });

  k.func('scenario_pmm', [rbx, r12, r13, r14], () => {
    k.headline('PMM: one bit for each frame, 1 = taken');
    k.say('The boot loader\'s map: %d MiB of RAM above 1 MiB; the image, the loader\'s records and the bitmap are taken out.', mebibytes(k));
    k.say('frames %d = used %d + free %d', qword('system_pmm', PMM.frames), qword('system_pmm', PMM.used), qword('system_pmm', PMM.free));
    k.say('of those in use, %d hold page tables, and one is the shared page of zeroes', qword('system_pmm', PMM.tables));
    a.mov(rax, qword('system_pmm', PMM.used));
    a.add(rax, qword('system_pmm', PMM.free));
    k.expectEqual(rax, qword('system_pmm', PMM.frames), 'used + free = frames');

    k.say(`\nThe textbook's machine: ${TOY_KIB} KiB of RAM, the kernel in the first three frames.\nbit = row * 8 + column, address = bit * 4096`);
    k.call('pmm_initialise', address('toy_pmm'), address('toy_bitmap'), TOY_FRAMES);
    k.call('pmm_release_range', address('toy_pmm'), 3 * PAGE_SIZE, TOY_KIB * 1024);
    k.call('toy_bitmap_show', 2);
    k.expectEqual(qword('toy_bitmap'), 0b111, 'bitmap[0] = 0b00000111: the kernel\'s three frames');
    k.call('pmm_alloc', address('toy_pmm'));
    k.expectEqual(rax, 3 * PAGE_SIZE, 'the first free one is (row 0, column 3) = 0x%x', rax);
    // Take all frames below (row 1, column 4).
    k.count(rbx, 8, () => k.call('pmm_alloc', address('toy_pmm')));
    k.call('pmm_alloc', address('toy_pmm'));
    a.mov(r12, rax);
    k.expectEqual(r12, 12 * PAGE_SIZE, 'later (row 1, column 4), bit 12 = 0x%x', r12);
    k.call('toy_bitmap_show', 2);

    k.say('\nTaking back.');
    k.call('pmm_free', address('toy_pmm'), r12);
    k.expectEqual(rax, PMM_ERROR.none, 'frame 0x%x is taken back', r12);
    k.call('pmm_free', address('toy_pmm'), r12);
    k.expectEqual(rax, PMM_ERROR.doubleFree, 'and not a second time: double free caught');
    a.lea(rsi, at(r12, 8));
    k.call('pmm_free', address('toy_pmm'), rsi);
    k.expectEqual(rax, PMM_ERROR.notAFrame, 'an address inside a frame is no frame');
    k.call('pmm_free', address('toy_pmm'), TOY_KIB * 1024);
    k.expectEqual(rax, PMM_ERROR.notAFrame, 'nor is one behind the last');

    k.say('\nRuns: frames side by side.');
    k.call('pmm_alloc_run', address('toy_pmm'), 16, 16);
    a.mov(r13, rax);
    k.expectEqual(r13, 16 * PAGE_SIZE, '16 frames on a multiple of 16: 0x%x', r13);
    k.call('pmm_alloc_run', address('toy_pmm'), 33, 1);
    k.expectEqual(rax, 0, '33 in a row are nowhere: a returned error, not a hang');
    k.call('pmm_free_run', address('toy_pmm'), r13, 16);
    k.expectEqual(rax, PMM_ERROR.none, 'the run is taken back');
    k.call('pmm_alloc_run', address('toy_pmm'), 33, 1);
    k.expectEqual(rax, 12 * PAGE_SIZE, 'now 33 fit, from 0x%x', rax);

    k.say(`\nA size that is no multiple of 8 frames (nor of a row): ${ODD_FRAMES} frames.`);
    k.call('pmm_initialise', address('toy_pmm'), address('toy_bitmap'), ODD_FRAMES);
    k.call('pmm_release_range', address('toy_pmm'), 3 * PAGE_SIZE, TOY_KIB * 1024);
    a.xor(r13, r13);
    a.xor(r14, r14);
    k.loop(({ leave }) => {
      k.call('pmm_alloc', address('toy_pmm'));
      a.test(rax, rax);
      a.je(leave);
      a.mov(r14, rax);
      a.inc(r13);
    });
    k.expectEqual(r13, ODD_FRAMES - 3, '%d frames are handed out, then 0: out of memory', r13);
    k.expectEqual(r14, (ODD_FRAMES - 1) * PAGE_SIZE, 'the last one was 0x%x, inside RAM', r14);
    k.expectEqual(qword('toy_pmm', PMM.free), 0, 'none is free');
  });

  k.func('scenario_pmm_exhaustion', [rbx, rbp, r12, r13, r14, r15], () => {
    k.headline('out of memory is an answer');
    k.say('Every free frame of the system is taken, each linked to the one before; then more is asked for.');
    // A region that will ask for a frame when there is none.
    k.call('vmm_allocate', address('kernel_space'), PAGE_SIZE, PROTECTION.WRITE, POLICY.DEMAND, PAGE_SIZE);
    a.mov(rbp, rax);
    a.mov(r12, qword('system_pmm', PMM.free));
    a.xor(r13, r13);
    a.xor(r14, r14);
    k.loop(({ leave }) => {
      k.call('pmm_alloc', address('system_pmm'));
      a.test(rax, rax);
      a.je(leave);
      a.mov(rdx, rax);
      k.direct(rdx);
      a.mov(qword(rdx), r14);
      a.mov(r14, rax);
      a.inc(r13);
    });
    k.expectEqual(r13, r12, 'as many frames were handed out as were counted free');
    k.expectEqual(qword('system_pmm', PMM.free), 0, 'the next answer is 0: out of memory');
    k.call('vmm_allocate', address('kernel_space'), 4 * PAGE_SIZE, PROTECTION.WRITE, POLICY.IMMEDIATE, PAGE_SIZE);
    k.expectEqual(rax, 0, 'an immediate region is refused when it is mapped');
    attempt(k, () => a.mov(byte(rbp), 1));
    k.load(rax, address(k.text(CAUSE.outOfMemory)));
    k.expectEqual(rax, qword('fault_cause'), 'a demand region learns it at its first access: %s', rax);
    a.mov(rsi, PAGE_2M);
    k.call('vmm_allocate', address('kernel_space'), rsi, PROTECTION.WRITE, POLICY.IMMEDIATE, PAGE_2M);
    k.expectEqual(rax, 0, 'there is no 2 MiB run either');
    a.xor(r15, r15);
    k.loop(({ leave }) => {
      a.test(r14, r14);
      a.je(leave);
      a.mov(rbx, r14);
      k.direct(rbx);
      a.mov(rbx, qword(rbx));
      k.call('pmm_free', address('system_pmm'), r14);
      a.or(r15, rax);
      a.mov(r14, rbx);
    });
    k.expectEqual(r15, 0, 'every frame was taken back without an error');
    k.expectEqual(r12, qword('system_pmm', PMM.free), 'as many are free as before');
    a.mov(byte(rbp), 1);
    k.expectEqual(qword('fault_cause'), 0, 'the same access succeeds now');
    k.call('vmm_free', address('kernel_space'), rbp);
  });
}

/** RAX: whole MiB of RAM above the first. */
function mebibytes(k: KernelWriter): typeof rax {
  const { a } = k;
  a.mov(rax, qword('top_of_ram'));
  a.shr(rax, 20);
  a.dec(rax);
  return rax;
}

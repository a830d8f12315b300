/** Random programs beside a real QEMU: a few in `npm test`, QEMU_PROGRAMS of them with `npm run fuzz:programs:qemu`. In CI QEMU must be installed. */
import { describe, expect, it } from 'vitest';
import { qemuVersion } from '../../src/trace/qemu-recorder.ts';
import { Random, seedOf } from '../support/random.ts';
import { MODES } from './modes.ts';
import { randomProgram, type Program } from './program.ts';
import { besideQemu, expectAgreementWithQemu } from './qemu.ts';
import { acceptedByQemu, judgedByQemu } from './qemu-known.ts';
import { program } from './shrink.ts';

const installed = await qemuVersion().then(() => true, () => false);
const required = process.env['CI'] !== undefined;
const BATCH = 4;
const batches = Math.max(1, Math.round(Number(process.env['QEMU_PROGRAMS'] ?? 0) / MODES.length / BATCH));

describe.runIf(installed || required)('random programs run the same on QEMU', () => {
  // Another QEMU than the one whose differences are listed may have its own: only long runs are new each time.
  const seed = process.env['QEMU_PROGRAMS'] === undefined ? 2026 : seedOf('random programs beside QEMU');
  it.each(MODES)('in $name', { timeout: 3_600_000 }, async (mode) => {
    let compared = 0;
    for (let n = 0; n < batches; n++) {
      const own = (seed + n * 0x9e37) >>> 0;
      const r = new Random(own);
      compared += await expectAgreementWithQemu(Array.from({ length: BATCH }, () => randomProgram(r, mode, { most: 200, allows: judgedByQemu, accepts: acceptedByQemu })), own);
    }
    expect(compared).toBeGreaterThan(1000);
  });
});

describe.runIf(installed || required)('found beside QEMU', { timeout: 60_000 }, () => {
  it('a page fault whose delivery faults has no error code in memory that could differ', async () => {
    // The write at 0x73, which QEMU reads first, has a stack without a page.
    const found = program('32-bit protected mode, ring 0', 0x7, [0x2833dn, 0x7n, 0x0n, 0x0n, 0x2e000n, 0xa9bda794n, 0x200ebn, 0x280een], [
      { id: 0, nops: [6] },
      { id: 1, bytes: 'c4 e2 75 2e aa 56 00 00 00' }, // vmaskmovps ymmword ptr [edx+0x56], ymm1, ymm5
      { id: 2, nops: [7] },
      { id: 4, nops: [3, 3, 3, 3, 2, 3, 6, 2, 1, 6, 5, 5, 5] },
      { id: 17, bytes: '66 0f 8d 2c 0c', to: [2, 22] }, // jge 0xc31
      { id: 18, nops: [5, 2, 3, 3, 4] },
    ]);
    expect((await besideQemu([found])).failure).toBeUndefined();
  });
  // The version that is known to do otherwise; another may do as the manual says.
  const qemuDoesOtherwise = (sentence: string, found: Program): void => it(`${sentence} › QEMU does otherwise`, async () => {
    const { failure, known } = await besideQemu([found]);
    expect(failure === undefined || known, failure).toBe(true);
  });
  qemuDoesOtherwise('a frame that a shutdown leaves unfinished has RF, which QEMU 7.2 does not push',
    program('16-bit protected mode, ring 0', 0x40052, [0x5n, 0x19n, 0x82d4n, 0x809bn, 0xe000n, 0x28n, 0xen, 0x8000n], [
      { id: 0, nops: [7] },
      { id: 2, nops: [3, 4, 5, 4, 3, 7, 2, 7, 5, 6, 7, 3, 7, 3, 2, 6, 2, 4, 4, 6, 3, 4, 6] },
      { id: 25, bytes: '66 0f 3a 14 62 19 61' }, // pextrb byte ptr [bp+si+0x19], xmm4, 0x61
      { id: 27, bytes: '66 61' }, // popad
      { id: 28, bytes: 'fe 0e f3 83 75 00', to: [1, 20] }, // dec byte ptr [0x83f3]; jne 2
      { id: 30, bytes: 'fe 0e e6 83 75 00', to: [1, 21] }, // dec byte ptr [0x83e6]; jne 2
      { id: 31, nops: [3, 3] },
      { id: 33, bytes: '3e 66 31 ad c9 ff' }, // xor dword ptr [di-0x37], ebp
      { id: 34, nops: [3] },
      { id: 35, bytes: 'bb fb 9f' }, // mov bx, 0x9ffb
      { id: 36, nops: [2, 3, 4, 4] },
      { id: 40, bytes: '66 0f c1 bc 0b 00' }, // xadd dword ptr [si+0xb], edi
    ]));
  qemuDoesOtherwise('the selector of a far pointer whose offset ends at FFFF is at 0',
    program('16-bit protected mode, ring 3', 0xc6, [0xd3e9n, 0x1bn, 0x19dn, 0x1cn, 0xe000n, 0x81a6n, 0x28n, 0x138n], [
      { id: 0, bytes: '81 33 1e 2a' }, // xor word ptr [bp+di], 0x2a1e
      { id: 11, bytes: '2e 66 0f b2 b8 b8 ff' }, // lss edi, fword ptr cs:[bx+si-0x48]
    ]));
  qemuDoesOtherwise('8F /5 is no POP, behind F2 either',
    program('real-address mode', 0x842, [0x8070n, 0x25n, 0x27n, 0x835an, 0xe000n, 0xen, 0x81e4n, 0x1n], [
      { id: 0, bytes: '66 81 40 f6 c6 39 f2 8f' }, // add dword ptr [bx+si-0xa], 0x8ff239c6
      { id: 4, bytes: 'aa' }, // stosb byte ptr [di]
      { id: 8, bytes: 'fe 0e f5 83 75 00', to: [1, 0] }, // dec byte ptr [0x83f5]; jne 2
    ]));
  qemuDoesOtherwise('a stack in what PC firmware owns does not keep what is pushed',
    program('real-address mode', 0x4c6, [0x8084n, 0x1bn, 0x100n, 0x80a1n, 0xe000n, 0xf626n, 0x9dn, 0xb01fn], [
      { id: 0, bytes: 'bd 17 00' }, // mov bp, 0x17
      { id: 1, nops: [2, 3, 5] },
      { id: 5, nops: [5, 3, 5, 1, 6, 4, 4] },
      { id: 13, nops: [5, 4, 5, 5, 6] },
      { id: 21, nops: [3] },
      { id: 22, bytes: '0f c3 32' }, // movnti dword ptr [bp+si], esi
      { id: 23, nops: [6, 3, 2, 6] },
      { id: 27, bytes: '66 b8 fe 9e 74 f9' }, // mov eax, 0xf9749efe
      { id: 28, nops: [3, 4, 5, 3, 6, 5] },
      { id: 35, nops: [3, 4] },
      { id: 38, nops: [3] },
      { id: 39, bytes: '66 35 2d 50 52 a2' }, // xor eax, 0xa252502d
      { id: 40, bytes: '66 ff 30' }, // push dword ptr [bx+si]
      { id: 41, nops: [3, 5] },
      { id: 43, bytes: 'f3 0f 38 f6 68 57' }, // adox ebp, dword ptr [bx+si+0x57]
      { id: 44, bytes: '66 c1 35 54' }, // shl dword ptr [di], 0x54
      { id: 45, nops: [3] },
      { id: 46, bytes: '66 0f 38 31 17' }, // pmovzxbd xmm2, dword ptr [bx]
      { id: 47, bytes: 'fe 0e dd 83 75 00', to: [1, 37] }, // dec byte ptr [0x83dd]; jne 2
      { id: 48, nops: [3] },
      { id: 49, bytes: '66 2d bf 50 e0 98' }, // sub eax, 0x98e050bf
      { id: 55, nops: [3] },
      { id: 56, bytes: '2e 66 68 ec cf 38 c2' }, // push 0xc238cfec
      { id: 57, nops: [3] },
      { id: 58, bytes: 'fe 0e ec 83 75 00', to: [1, 46] }, // dec byte ptr [0x83ec]; jne 2
      { id: 59, nops: [4, 5, 2, 3] },
      { id: 106, nops: [9, 3, 5, 3, 3, 4, 3, 2, 3, 2, 5, 5, 3, 2, 3, 4, 4, 3, 7, 3, 7, 3, 3, 4, 5, 4, 4] },
    ]));
  // MOVNTSS of SSE4a is among the bytes that a rotated piece leaves.
  it('what AMD alone has is #UD on both', async () => {
    const found = program('16-bit protected mode, ring 0', 0x8d7, [0xa007n, 0x13n, 0x80c5n, 0xb02bn, 0xe000n, 0x29n, 0x3an, 0x2c9n], [
      { id: 0, nops: [3, 3] },
      { id: 3, nops: [6, 3, 6, 3, 6] },
      { id: 9, nops: [3, 3, 4, 4] },
      { id: 13, bytes: '0f ac 34 04' }, // shrd word ptr [si], si, 4
      { id: 14, nops: [5] },
      { id: 15, bytes: '66 f3 0f b8 c2' }, // popcnt eax, edx
    ]);
    expect((await besideQemu([found])).failure).toBeUndefined();
  });
  qemuDoesOtherwise('bits that CR0 does not have are not kept',
    program('16-bit protected mode, ring 0', 0x8d7, [0x8171n, 0xcn, 0x812fn, 0x8371n, 0xe000n, 0x707cn, 0x205n, 0x3n], [
      { id: 0, bytes: '0f 21 c7' }, // mov edi, dr0
      { id: 4, bytes: '66 ff 07' }, // inc dword ptr [bx]
      { id: 5, bytes: 'fe 0e ff 83 75 00', to: [1, 4] }, // dec byte ptr [0x83ff]; jne 2
      { id: 17, bytes: '66 0f cb' }, // bswap ebx
      { id: 18, bytes: 'bf 2e 01' }, // mov di, 0x12e
      { id: 32, bytes: 'ff 93 0d 00' }, // call word ptr [bp+di+0xd]
    ]));
  qemuDoesOtherwise('after ring 0 has written over its page tables what is in a TLB counts',
    program('64-bit mode, ring 0', 0x87, [0x2837en, 0x1an, 0x4be352e7164be538n, 0x28278n, 0x2e000n, 0xe0n, 0x3n, 0x28169n, 0x280c9n, 0x2831dn, 0x280fdn, 0x200d4n, 0x2bd635b9414d0229n, 0x80000000n, 0x281can, 0x2b059n], [
      { id: 62, bytes: '67 41 0f 20 d8' }, // mov r8, cr3
      { id: 106, bytes: '2e 67 c8 c2 9d a7' }, // enter 0x9dc2, 0xa7
      { id: 109, bytes: '67 4f d1 28' }, // shr qword ptr [r8d], 1
      { id: 134, bytes: '47 5d' }, // pop r13
    ]));
  qemuDoesOtherwise('no IRETD of ring 3 leads into virtual-8086 mode',
    program('16-bit protected mode, ring 3', 0x406, [0x8000n, 0xfn, 0x2b21n, 0x8302n, 0xe000n, 0x98cdn, 0x1an, 0x12n], [
      { id: 0, bytes: '67 e2 b6', to: [1, 2] }, // loop 0xffb9
      { id: 1, bytes: '64 eb fc', to: [1, 6] }, // jmp 0xffff
      { id: 2, nops: [4] },
      { id: 3, bytes: 'fe 0e da 83 75 00', to: [1, 1] }, // dec byte ptr [0x83da]; jne 2
      { id: 4, nops: [4, 6] },
      { id: 30, bytes: 'c1 f4 14' }, // shl sp, 0x14
      { id: 34, bytes: '66 cf' }, // iretd
    ]));
  qemuDoesOtherwise('REX is ignored before another REX and a prefix',
    program('64-bit mode, ring 3', 0x7, [0xd7n, 0xbn, 0x3n, 0xan, 0x2e000n, 0x8a4028aa65f0cf00n, 0x2806an, 0x28071n, 0xc87c3835a02d4e88n, 0x2831cn, 0x2n, 0x202ean, 0x201f0n, 0x7n, 0x28369n, 0x1dn], [
      { id: 40, bytes: '66 c1 0d 16 00 00 00 c9' }, // ror word ptr [0x1e], 0xc9
      { id: 42, nops: [4, 9, 6] },
      { id: 45, bytes: '67 66 81 c5 b2 9f' }, // add bp, 0x9fb2
    ]));
  qemuDoesOtherwise('what VMASKMOV masks is not accessed',
    program('64-bit mode, ring 0', 0x87, [0x14n, 0x1dn, 0x2dff5n, 0x281ean, 0x2e000n, 0x2815bn, 0x202d1n, 0xan, 0x2an, 0x2b033n, 0x280a1n, 0x81bdeaf6a085a467n, 0x84n, 0x27n, 0x100000000n, 0x28351n], [
      { id: 19, bytes: 'c4 22 59 2d 91 35 00 00 00' }, // vmaskmovpd xmm10, xmm4, xmmword ptr [rcx+0x35]
    ]));
  qemuDoesOtherwise('breakpoints that DR7 does not enable are not noted with a single step',
    program('16-bit protected mode, ring 3', 0x892, [0x833fn, 0x1fn, 0x118n, 0x0n, 0xe000n, 0x8293n, 0x8167n, 0x80fcn], [
      { id: 0, bytes: '66 0f 6e 99 d0 ff' }, // movd xmm3, dword ptr [bx+di-0x30]
      { id: 1, nops: [7, 4] },
      { id: 6, nops: [3, 3, 5] },
      { id: 45, nops: [7, 9, 4, 3, 3, 7, 4, 7] },
      { id: 54, nops: [5, 2, 3, 5] },
      { id: 58, bytes: '66 0f a4 17 da' }, // shld dword ptr [bx], edx, 0xda
      { id: 60, nops: [3, 1, 3, 3] },
      { id: 64, bytes: '9c' }, // pushf
      { id: 65, nops: [6, 6] },
      { id: 68, nops: [6, 6, 5, 4, 6, 3, 4, 3, 2, 4, 7, 5, 3, 4, 6, 4, 4, 4, 5] },
      { id: 88, nops: [1, 5, 4, 6, 4] },
      { id: 93, bytes: '64 66 e8 d3 a7 c8 53', to: [4, 104] }, // call 0x53c8a7da
      { id: 94, nops: [4, 2] },
      { id: 109, bytes: '9d' }, // popf
      { id: 110, bytes: '36 cf' }, // iret
    ]));
});

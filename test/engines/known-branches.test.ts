/** A relative branch whose like has been met with another displacement elsewhere leads where the reference engine leads: the interpreter keeps branches without their displacements. */
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/machine/machine.ts';
import { physical } from '../../src/state/addresses.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';

/** Each without its displacement of so many bytes. JNZ and JRCXZ are taken, JZ is not; an operand-size prefix is ignored, or makes a branch of 16 bits. */
const BRANCHES: readonly (readonly [name: string, opcode: readonly number[], bytes: 1 | 4 | 2])[] = [
  ['JMP rel8', [0xeb], 1], ['JNZ rel8', [0x75], 1], ['JZ rel8', [0x74], 1], ['JRCXZ rel8', [0xe3], 1], ['LOOP rel8', [0xe2], 1], ['JMP rel32', [0xe9], 4], ['CALL rel32', [0xe8], 4], ['JNZ rel32', [0x0f, 0x85], 4], ['JZ rel32', [0x0f, 0x84], 4],
  ['REX.W JMP rel32', [0x48, 0xe9], 4], ['DS JNZ rel8', [0x3e, 0x75], 1], ['BND CALL rel32', [0xf2, 0xe8], 4], ['operand-size JMP rel16', [0x66, 0xe9], 2],
];
/** In a page, at its end, at the end of 4 GiB, and at the last canonical address below the hole. */
const PAGES: readonly (readonly [name: string, page: bigint])[] = [['a low page', BigInt(AT.pages + 0x1000)], ['the last page below 4 GiB', 0xffff_f000n], ['the first page behind 4 GiB', 0x1_0000_0000n], ['the last page below the hole', 0x7fff_ffff_f000n], ['the first page above the hole', 0xffff_8000_0000_0000n]];
const DISPLACEMENTS = { 1: [0, 2, -2, 127, -128], 2: [0, 0x7fff, -0x8000], 4: [0, 3, -6, 0x1000, -0x1000, 0x7fff_ffff, -0x8000_0000] } as const;

const code = (opcode: readonly number[], bytes: number, displacement: number): number[] => [...opcode, ...Array.from({ length: bytes }, (_, n) => (displacement >> (8 * n)) & 0xff)];

/** Maps all of PAGES to one frame. */
function machine(engine: EngineName): SystemMachine {
  const m = new SystemMachine(64, engine).gates();
  const tables = { pdpt: 0x12_0000, pd: 0x12_1000, pt: 0x12_2000 };
  // Every entry of these leads to the next, and every page to the frame behind the first of the page area.
  for (let n = 0; n < 512; n++) {
    m.write64(tables.pdpt + 8 * n, BigInt(tables.pd) | 7n);
    m.write64(tables.pd + 8 * n, BigInt(tables.pt) | 7n);
    m.write64(tables.pt + 8 * n, BigInt(AT.pages + 0x1000) | 7n);
  }
  for (const entry of [255, 256]) m.write64(AT.pml4 + 8 * entry, BigInt(tables.pdpt) | 7n);
  for (const entry of [3, 4]) m.write64(AT.pdpt + 8 * entry, BigInt(tables.pd) | 7n);
  m.mmu.flushAll();
  return m;
}
function runAt(m: SystemMachine, rip: bigint): unknown {
  m.state.rip = rip;
  m.state.gpr[1] = 0n;
  m.state.gpr[4] = BigInt(AT.kernelStack);
  m.rflags = 2;
  m.delivered.length = 0;
  m.engine.run(1);
  return { rip: m.state.rip, rsp: m.state.gpr[4], rcx: m.state.gpr[1], pushed: m.memory.copyOut(physical(AT.kernelStack - 64), 64), delivered: [...m.delivered] };
}

describe('a branch that is met again', () => {
  it.each(BRANCHES)('%s', (_name, opcode, bytes) => {
    const reference = machine('reference'), interpreter = machine('interpreter');
    for (const m of [reference, interpreter]) {
      m.memory.copyIn(physical(AT.pages), Uint8Array.from(code(opcode, bytes, 0x10)));
      // The first few are the reference engine's, until their handler is compiled.
      for (let n = 0; n < 40; n++) runAt(m, BigInt(AT.pages));
    }
    for (const [name, page] of PAGES) {
      for (const displacement of DISPLACEMENTS[bytes]) {
        const all = code(opcode, bytes, displacement);
        for (const offset of [0, 0x800, 4096 - all.length]) {
          for (const m of [reference, interpreter]) m.memory.copyIn(physical(AT.pages + 0x1000 + offset), Uint8Array.from(all));
          const rip = page + BigInt(offset), expected = runAt(reference, rip);
          expect(runAt(interpreter, rip), `${name}, offset ${offset}, displacement ${displacement}`).toEqual(expected);
          // And by its record.
          expect(runAt(interpreter, rip), `${name}, offset ${offset}, displacement ${displacement}, again`).toEqual(expected);
        }
      }
    }
  });
});

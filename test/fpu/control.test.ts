/** When x87 instructions may run, and their state in memory: #NM, #MF, environments, FXSAVE. */
import { describe, expect, it } from 'vitest';
import { at, ax, dword, qword, rdi, st0, st1, tbyte, word } from '../../src/assembler/index.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { ACTIVITY } from '../../src/state/layout.ts';
import { physical } from '../../src/state/addresses.ts';
import type { Assembler } from '../../src/assembler/index.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { FPU_ROWS } from './rows.ts';

/** A machine whose FPU has been initialised, at a program. RDI is at the data. */
function machine(program: (a: Assembler) => void, mode: 64 | 32 = 64): SystemMachine {
  const m = new SystemMachine(mode).gates();
  m.state.cr4 |= CR4.OSFXSR;
  m.state.gpr[7] = BigInt(AT.data);
  m.program((a) => { a.fninit(); program(a); });
  m.step();
  return m;
}
const view = (m: SystemMachine, count = 512): DataView => new DataView(m.memory.copyOut(physical(AT.data), count).buffer);

describe('#NM', () => {
  const raised = (bits: number, program: (a: Assembler) => void): string => {
    const m = machine(program);
    m.state.cr0 = (m.state.cr0 | bits) >>> 0;
    m.step();
    return m.lastException;
  };
  it('comes with CR0.TS or CR0.EM, of instructions that wait and of those that do not', () => {
    for (const bit of [CR0.TS, CR0.EM]) {
      for (const program of [(a: Assembler) => a.fld1(), (a: Assembler) => a.fnclex(), (a: Assembler) => a.fnstsw(ax), (a: Assembler) => a.fxsave(at(rdi))]) {
        expect(raised(bit, program)).toBe('#NM');
      }
    }
  });
  it('of WAIT needs MP and TS both, and not EM', () => {
    expect([raised(CR0.TS, (a) => a.wait()), raised(CR0.EM, (a) => a.wait()), raised(CR0.TS | CR0.MP, (a) => a.wait())]).toEqual(['none', 'none', '#NM']);
  });
  it('of EMMS is for TS; EM makes it #UD', () => {
    expect([raised(CR0.TS, (a) => a.emms()), raised(CR0.EM, (a) => a.emms())]).toEqual(['#NM', '#UD']);
  });
});

describe('an unmasked exception', () => {
  /** 1 / 0 with division by zero unmasked. */
  const divided = (then: (a: Assembler) => void): SystemMachine => {
    const m = machine((a) => { a.fldcw(word(rdi)); a.fld1(); a.fldz(); a.fdivp(st1, st0); then(a); });
    m.memory.copyIn(physical(AT.data), Uint8Array.of(0x7b, 0x03));
    m.step(4);
    return m;
  };
  it('leaves the operands, does not pop, and sets ES and B', () => {
    const m = divided((a) => a.nop());
    expect(m.state.fpuStatus).toBe(0x8000 | (6 << 11) | 0x84);
  });
  it('is raised as #MF by the next instruction that waits, and by WAIT', () => {
    for (const next of [(a: Assembler) => a.fld1(), (a: Assembler) => a.wait(), (a: Assembler) => a.fldcw(word(rdi)), (a: Assembler) => a.emms()]) {
      const m = divided(next);
      m.step();
      expect(m.lastException).toBe('#MF');
    }
  });
  it('does not stop FNCLEX, FNSTSW, FNSTENV, FXSAVE; FNCLEX ends it', () => {
    const m = divided((a) => { a.fnstsw(ax); a.fxsave(at(rdi, 512)); a.fnclex(); a.fld1(); });
    m.step(4);
    expect([m.lastException, m.state.fpuStatus & 0x80ff]).toEqual(['none', 0]);
  });
  it('with CR0.NE = 0 freezes the processor before that instruction where nothing is connected to FERR#', () => {
    const m = divided((a) => { a.label('next'); a.fld1(); });
    m.state.cr0 &= ~CR0.NE;
    expect([m.engine.step(), m.engine.step()]).toEqual([{ kind: 'exception' }, { kind: 'halted' }]);
    expect([m.state.rip, m.state.activity, m.lastException]).toEqual([m.symbol('next'), ACTIVITY.frozen, 'none']);
  });
  it('that is unmasked after it was flagged is pending at once', () => {
    const m = machine((a) => { a.fld1(); a.fldz(); a.fdivp(st1, st0); a.fldcw(word(rdi)); a.wait(); });
    m.memory.copyIn(physical(AT.data), Uint8Array.of(0x7b, 0x03));
    m.step(5);
    expect(m.lastException).toBe('#MF');
  });
});

it('a store to memory that faults changes neither the stack nor the status word', () => {
  const m = machine((a) => { a.fldpi(); a.fstp(tbyte(rdi)); });
  m.write64(AT.pt, 0n);
  m.step();
  const before = [m.state.fpuStatus, m.state.fpuTag];
  // Eight bytes are in a page that is there, two are not.
  m.state.gpr[7] = BigInt(AT.pages - 8);
  m.step();
  expect([m.lastException, m.state.fpuStatus, m.state.fpuTag, m.read64(AT.pages - 8)]).toEqual(['#PF(0x2)', ...before, 0n]);
});

describe('FNSTENV and FLDENV', () => {
  it('store control, status and tags of all registers, and mask all exceptions', () => {
    const m = machine((a) => { a.fldz(); a.fld1(); a.fldcw(word(rdi, 64)); a.fnstenv(at(rdi)); });
    m.memory.copyIn(physical(AT.data + 64), Uint8Array.of(0x60, 0x03));
    m.step(4);
    const image = view(m);
    expect([image.getUint32(0, true), image.getUint32(4, true), image.getUint32(8, true)]).toEqual([0xffff_0360, 0xffff_3000, 0xffff_4fff]);
    expect(m.state.fpuControl).toBe(0x37f);
  });
  it('note where the last instruction was and what its operand', () => {
    const m = machine((a) => { a.label('load'); a.fld(qword(rdi, 16)); a.fnstenv(at(rdi)); });
    m.step(2);
    const image = view(m);
    expect([BigInt(image.getUint32(12, true)), image.getUint32(20, true)]).toEqual([m.symbol('load'), AT.data + 16]);
  });
  it('have 14 bytes with a 16-bit operand size', () => {
    const m = machine((a) => { a.fld1(); a.db(0x66); a.fnstenv(at(rdi)); a.fninit(); a.db(0x66); a.fldenv(at(rdi)); });
    m.step(4);
    expect([view(m).getUint16(2, true), m.state.fpuStatus, m.state.fpuTag]).toEqual([0x3800, 0x3800, 0x3fff]);
  });
});

it('EMMS empties all registers and puts TOP at 0; what the registers hold and the status flags stay', () => {
  const m = machine((a) => { a.fldpi(); a.fld1(); a.fldz(); a.fdivp(st1, st0); a.emms(); a.fnstenv(at(rdi)); });
  m.step(6);
  const image = view(m);
  expect([m.lastException, image.getUint16(4, true), image.getUint16(8, true)]).toEqual(['none', 0x0004, 0xffff]);
  expect([m.state.fpuRegisters[14], m.state.fpuRegisters[15]]).toEqual([0xc90f_daa2_2168_c235n, 0x4000n]);
});

it('FNSAVE stores all and initialises, FRSTOR brings all back', () => {
  const m = machine((a) => { a.fldpi(); a.fld1(); a.fnsave(at(rdi)); a.frstor(at(rdi)); });
  m.step(3);
  expect([m.state.fpuTag, m.state.fpuStatus]).toEqual([0xffff, 0]);
  expect([view(m).getBigUint64(28, true), view(m).getUint16(36, true)]).toEqual([1n << 63n, 0x3fff]);
  m.step();
  expect([m.state.fpuTag, m.state.fpuStatus, m.state.fpuRegisters[14]]).toEqual([0x0fff, 0x3000, 0xc90f_daa2_2168_c235n]);
});

describe('FXSAVE and FXRSTOR', () => {
  it('keep x87, MXCSR and XMM registers in their places, and leave the rest of the image alone', () => {
    const m = machine((a) => { a.fldpi(); a.fxsave64(at(rdi)); });
    m.state.xmm[31] = 0x1234n;
    m.memory.copyIn(physical(AT.data), new Uint8Array(512).fill(0xcc));
    m.step(2);
    const image = view(m);
    expect([image.getUint16(0, true), image.getUint16(2, true), image.getUint16(4, true), image.getUint32(24, true), image.getUint32(28, true)]).toEqual([0x37f, 0x3800, 0x80, 0x1f80, 0xffff]);
    expect([image.getBigUint64(32, true), image.getBigUint64(40, true), image.getBigUint64(408, true), image.getUint8(416)]).toEqual([0xc90f_daa2_2168_c235n, 0x4000n, 0x1234n, 0xcc]);
  });
  it('bring everything back', () => {
    const m = machine((a) => { a.fldpi(); a.fxsave(at(rdi)); a.fninit(); a.fxrstor(at(rdi)); a.fstp(qword(rdi)); });
    m.state.xmm[0] = 7n;
    m.step(3);
    m.state.xmm[0] = 8n;
    m.step(2);
    expect([m.lastException, m.state.xmm[0], view(m).getFloat64(0, true)]).toEqual(['none', 7n, Math.PI]);
  });
  it('without CR4.OSFXSR leave XMM and MXCSR out; outside 64-bit mode have eight of them', () => {
    const stored = (mode: 32 | 64, osfxsr: boolean): bigint[] => {
      const m = machine((a) => a.db(0x0f, 0xae, 0x07), mode);
      if (!osfxsr) m.state.cr4 &= ~CR4.OSFXSR;
      m.state.xmm.fill(5n);
      m.step();
      return [view(m).getBigUint64(160, true), view(m).getBigUint64(160 + 128, true)];
    };
    expect([stored(64, true), stored(64, false), stored(32, true)]).toEqual([[5n, 5n], [0n, 0n], [5n, 0n]]);
  });
  it('with REX.W have pointers of 64 bits, without it an offset and a selector', () => {
    const m = machine((a) => { a.fxrstor64(at(rdi)); a.fxsave64(at(rdi, 512)); a.fxsave(at(rdi, 1024)); });
    const before = new DataView(new ArrayBuffer(512));
    before.setUint16(0, 0x37f, true);
    before.setBigUint64(8, 0xffff_8000_1234_5678n, true);
    before.setBigUint64(16, 0xffff_9000_9abc_def0n, true);
    before.setUint32(24, 0x1f80, true);
    m.memory.copyIn(physical(AT.data), new Uint8Array(before.buffer));
    m.step(3);
    const image = view(m, 1536);
    expect([image.getBigUint64(520, true), image.getBigUint64(528, true)]).toEqual([0xffff_8000_1234_5678n, 0xffff_9000_9abc_def0n]);
    expect([image.getUint32(1032, true), image.getUint32(1040, true)]).toEqual([0x1234_5678, 0x9abc_def0]);
  });
  it('fault as a write and as a read', () => {
    for (const [program, fault] of [[(a: Assembler) => a.fxsave(at(rdi)), '#PF(0x2)'], [(a: Assembler) => a.fxrstor(at(rdi)), '#PF(0)']] as const) {
      const m = machine(program);
      m.write64(AT.pt, 0n);
      m.state.gpr[7] = BigInt(AT.pages);
      m.step();
      expect(m.lastException).toBe(fault);
    }
  });
  it('are #GP(0) off a multiple of 16, and for reserved bits of MXCSR', () => {
    const m = machine((a) => a.fxsave(at(rdi, 8)));
    m.step();
    expect(m.lastException).toBe('#GP(0)');
    const other = machine((a) => a.fxrstor(at(rdi)));
    other.memory.copyIn(physical(AT.data + 24), Uint8Array.of(0, 0, 1, 0));
    other.step();
    expect(other.lastException).toBe('#GP(0)');
  });
});

it('a value too large to be an integer is the integer indefinite, at no cost', () => {
  const m = machine((a) => { a.fld(tbyte(rdi)); a.fistp(dword(rdi)); });
  m.memory.copyIn(physical(AT.data), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80, 0xfe, 0x7f));
  m.step(2);
  expect([view(m).getUint32(0, true), m.state.fpuStatus & 1]).toEqual([0x8000_0000, 1]);
});

executesRows(FPU_ROWS.control);

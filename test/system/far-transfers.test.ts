/** Far JMP, CALL, RET and IRET between segments, privilege levels and modes. */
import { describe, expect, it } from 'vitest';
import { ax, eax, ebx, far, far16, far32, far64, imm, rax } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { CR0 } from '../../src/mmu/control-bits.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { ACCESS, AT, FLAGS, SEL, SystemMachine, dpl, gate, segment } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (mode: 64 | 32 = 64): SystemMachine => new SystemMachine(mode).gates();
const FREE = SEL.free;

/** Writes a far pointer with a 64-bit offset to the data page. */
function pointer(m: SystemMachine, selector: number, offset: bigint | number): void {
  m.write64(AT.data, BigInt(offset));
  m.write64(AT.data + 8, BigInt(selector));
}
const jumping = (selector: number, offset: bigint | number, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine => {
  const m = machine();
  prepare(m);
  pointer(m, selector, offset);
  m.program((a) => a.jmp(far64(AT.data))).step();
  return m;
};

describe('a far JMP', () => {
  it('to 64-bit code goes to any canonical offset', () => {
    const m = jumping(SEL.code64, 0xffff_8000_0000_1234n);
    expect([m.lastException, m.state.rip, m.selector(SEGMENT.CS)]).toEqual(['none', 0xffff_8000_0000_1234n, SEL.code64]);
  });
  it('to 32-bit code enters compatibility mode', () => {
    const m = jumping(SEL.code32, AT.userCode);
    expect(m.cpu.mode().codeSize).toBe(32);
    m.program((a) => { a.mov(eax, imm(0x1234_5678, 32)); a.inc(ebx); a.hlt(); });
    expect(m.run().kind).toBe('halted');
    expect([m.state.gpr[0], m.state.gpr[3]]).toEqual([0x1234_5678n, 1n]);
  });
  it('to a non-canonical offset is #GP(0)', () => expect(jumping(SEL.code64, 0x8000_0000_0000n).lastException).toBe('#GP(0)'));
  it('beyond the limit of 32-bit code is #GP(0)', () => {
    expect(jumping(FREE, 0x2000, (m) => m.descriptor(FREE, segment(ACCESS.code, FLAGS.byte, 0x1fff))).lastException).toBe('#GP(0)');
  });
  it('through a null selector is #GP(0)', () => expect(jumping(3, 0).lastException).toBe('#GP(0)'));
  it('to data is #GP(selector)', () => expect(jumping(SEL.data, 0).lastException).toBe('#GP(0x10)'));
  it('to code of another privilege level is #GP(selector)', () => expect(jumping(SEL.userCode64, 0).lastException).toBe('#GP(0x30)'));
  it('to code that is not present is #NP(selector)', () => {
    expect(jumping(FREE, 0, (m) => m.descriptor(FREE, segment(ACCESS.code & ~0x80, FLAGS.long))).lastException).toBe('#NP(0x48)');
  });
  it('to code with both L and D is #GP(selector)', () => {
    expect(jumping(FREE, 0, (m) => m.descriptor(FREE, segment(ACCESS.code, 0xe))).lastException).toBe('#GP(0x48)');
  });
  it('to 16-bit code enters compatibility mode with 16-bit operands', () => {
    const m = jumping(FREE, 0x10, (x) => x.descriptor(FREE, segment(ACCESS.code, 0, 0xffff, AT.userCode)));
    expect(m.cpu.mode()).toEqual({ codeSize: 16, stackSize: 32 });
    m.program((a) => { a.mov(ax, 0xffff); a.inc(ax); a.hlt(); });
    expect(m.run().kind).toBe('halted');
    expect(m.state.gpr[0]).toBe(0n);
  });
  it('to a TSS is #GP(selector) in IA-32e mode', () => expect(jumping(SEL.tss, 0).lastException).toBe('#GP(0x38)'));
  it('through a 64-bit call gate takes the gate\'s target', () => {
    const m = jumping(FREE, 0, (x) => x.descriptor(FREE, gate(ACCESS.callGate, SEL.code64, 0xffff_8000_0000_1234n), 0xffff_8000n));
    expect([m.lastException, m.state.rip]).toEqual(['none', 0xffff_8000_0000_1234n]);
  });
});

describe('a far CALL', () => {
  it('pushes CS and the return address with the operand size, and RETFQ takes them', () => {
    const m = machine();
    pointer(m, SEL.code64, AT.userCode);
    m.program((a) => a.call(far64(AT.data)));
    m.program((a) => a.retfq(), { origin: AT.userCode });
    m.step();
    expect([m.stacked(0), m.stacked(1), m.rsp]).toEqual([BigInt(AT.code + 8), BigInt(SEL.code64), BigInt(AT.kernelStack - 16)]);
    m.step();
    expect([m.state.rip, m.rsp]).toEqual([BigInt(AT.code + 8), BigInt(AT.kernelStack)]);
  });
  it('through a call gate to an inner level switches to RSP0 and pushes SS:RSP first', () => {
    const m = machine();
    m.descriptor(FREE, gate(ACCESS.callGate | dpl(3), SEL.code64, AT.userCode + 0x100), 0n);
    pointer(m, FREE | 3, 0);
    m.enterUser().program((a) => a.call(far64(AT.data)));
    m.program((a) => a.retfq(16), { origin: AT.userCode + 0x100 });
    m.step();
    expect([m.state.cpl, m.selector(SEGMENT.SS), m.rsp]).toEqual([0, 0, BigInt(AT.rsp0 - 32)]);
    expect([0, 1, 2, 3].map((n) => m.stacked(n))).toEqual([BigInt(AT.userCode + 8), BigInt(SEL.userCode64), BigInt(AT.userStack), BigInt(SEL.userData)]);
    // The return with a count releases it on both stacks: here there is nothing to skip on the inner one.
    m.write64(Number(m.rsp) + 32, m.stacked(2));
    m.write64(Number(m.rsp) + 40, m.stacked(3));
    m.step();
    expect([m.lastException, m.state.cpl, m.rsp, m.selector(SEGMENT.SS)]).toEqual(['none', 3, BigInt(AT.userStack + 16), SEL.userData]);
  });
  it('through a call gate of too little DPL is #GP(gate)', () => {
    const m = machine();
    m.descriptor(FREE, gate(ACCESS.callGate, SEL.code64, 0), 0n);
    pointer(m, FREE, 0);
    m.enterUser().program((a) => a.call(far64(AT.data))).step();
    expect(m.lastException).toBe('#GP(0x48)');
  });
  it('through a call gate to 32-bit code is #GP(code selector) in IA-32e mode', () => {
    const m = machine();
    m.descriptor(FREE, gate(ACCESS.callGate, SEL.code32, 0), 0n);
    pointer(m, FREE, 0);
    m.program((a) => a.call(far64(AT.data))).step();
    expect(m.lastException).toBe('#GP(0x18)');
  });
  it('whose push faults changes nothing', () => {
    const m = machine();
    m.mapPage(0x3000, 0n);
    m.gate(14, { ist: 1 });
    m.state.gpr[4] = BigInt(AT.pages + 0x4000);
    pointer(m, SEL.code64, AT.userCode);
    m.program((a) => a.call(far64(AT.data))).step();
    expect(m.lastException).toBe('#PF(0x2)');
    expect([m.stacked(1), m.stacked(4)]).toEqual([BigInt(AT.code), BigInt(AT.pages + 0x4000)]);
  });
});

/** Runs IRETQ with this frame on the stack. */
function returning(frame: { rip?: bigint; cs?: number; rflags?: number; rsp?: bigint; ss?: number }, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = machine();
  const { rip = BigInt(AT.userCode), cs = SEL.userCode64, rflags = 2, rsp: stack = BigInt(AT.userStack), ss = SEL.userData } = frame;
  prepare(m);
  const at = AT.kernelStack - 40;
  [rip, BigInt(cs), BigInt(rflags), stack, BigInt(ss)].forEach((value, n) => m.write64(at + 8 * n, value));
  m.state.gpr[4] = BigInt(at);
  m.program((a) => a.iretq()).step();
  return m;
}

describe('IRETQ', () => {
  it('goes out to CPL 3 and makes data segments of the kernel null', () => {
    const m = returning({});
    expect([m.lastException, m.state.cpl, m.state.rip, m.rsp, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS), m.selector(SEGMENT.DS)])
      .toEqual(['none', 3, BigInt(AT.userCode), BigInt(AT.userStack), SEL.userCode64, SEL.userData, 0]);
  });
  it('at the same level also takes SS:RSP', () => {
    const m = returning({ cs: SEL.code64, ss: 0, rsp: 0x1234n });
    expect([m.lastException, m.rsp, m.selector(SEGMENT.SS)]).toEqual(['none', 0x1234n, 0]);
  });
  it('enters compatibility mode', () => expect(returning({ cs: SEL.userCode32 }).cpu.mode().codeSize).toBe(32));
  it('restores the flags, RF among them', () => {
    const flags = RFLAGS.CF | RFLAGS.IF | RFLAGS.DF | RFLAGS.IOPL | RFLAGS.RF | RFLAGS.AC | RFLAGS.ID | 2;
    expect(returning({ rflags: flags }).rflags).toBe(flags);
  });
  it('out to CPL 3 makes null selectors of DS and ES zero', () => {
    const m = returning({}, (x) => x.cpu.setSegment(SEGMENT.ES, { selector: 3, attributes: 0x1_0000, limit: 0, base: 0n }));
    expect(m.selector(SEGMENT.ES)).toBe(0);
  });
  it('with a null SS to CPL 3 is #GP(0)', () => expect(returning({ ss: 0 }).lastException).toBe('#GP(0)'));
  it('with an SS of another privilege level is #GP(selector)', () => expect(returning({ ss: SEL.data }).lastException).toBe('#GP(0x10)'));
  it('with an SS that is not present is #SS(selector)', () => {
    expect(returning({ ss: FREE | 3 }, (m) => m.descriptor(FREE, segment((ACCESS.data | dpl(3)) & ~0x80, FLAGS.big))).lastException).toBe('#SS(0x48)');
  });
  it('to a null CS is #GP(0), to data #GP(selector)', () => {
    expect(returning({ cs: 0 }).lastException).toBe('#GP(0)');
    expect(returning({ cs: SEL.userData }).lastException).toBe('#GP(0x28)');
  });
  it('to an RPL that is not the DPL of the code is #GP(selector)', () => expect(returning({ cs: SEL.code64 | 3 }).lastException).toBe('#GP(0x8)'));
  it('to a non-canonical RIP is #GP(0), raised in the kernel', () => {
    const m = returning({ rip: 0x8000_0000_0000n });
    expect([m.lastException, m.stacked(2)]).toEqual(['#GP(0)', BigInt(SEL.code64)]);
  });
  it('with NT set is #GP(0)', () => expect(returning({}, (m) => { m.rflags = RFLAGS.NT | 2; }).lastException).toBe('#GP(0)'));
  it('at CPL 3 cannot change IOPL or IF', () => {
    const m = machine().enterUser();
    const at = AT.userStack - 40;
    [AT.userCode, SEL.userCode64, RFLAGS.IOPL | RFLAGS.IF | RFLAGS.CF, AT.userStack, SEL.userData].forEach((value, n) => m.write64(at + 8 * n, BigInt(value)));
    m.state.gpr[4] = BigInt(at);
    m.program((a) => a.iretq()).step();
    expect([m.lastException, m.rflags]).toEqual(['none', RFLAGS.CF | 2]);
  });
  it('to an inner level is #GP(selector)', () => {
    const m = machine().enterUser();
    const at = AT.userStack - 40;
    [AT.userCode, SEL.code64, 2, AT.userStack, SEL.data].forEach((value, n) => m.write64(at + 8 * n, BigInt(value)));
    m.state.gpr[4] = BigInt(at);
    m.program((a) => a.iretq()).step();
    expect(m.lastException).toBe('#GP(0x8)');
  });
});

describe('the climb into long mode', () => {
  it('goes by CR4.PAE, CR3, EFER.LME, CR0.PG and a far jump, and back down', () => {
    const m = machine(32);
    m.program((a) => {
      a.mov(eax, imm(0x20, 32));
      a.db(0x0f, 0x22, 0xe0);
      a.mov(eax, imm(AT.pml4, 32));
      a.db(0x0f, 0x22, 0xd8);
      a.db(0xb9, 0x80, 0, 0, 0xc0);
      a.mov(eax, imm(0x100, 32));
      a.xor(ebx, ebx);
      a.db(0x31, 0xd2);
      a.wrmsr();
      a.mov(eax, imm(0x8000_0011, 32));
      a.db(0x0f, 0x22, 0xc0);
      a.jmp(far(SEL.code64, 'long'));
      a.bits(64);
      a.label('long');
      a.mov(rax, imm(0x1122_3344_5566_7788n, 64));
      a.hlt();
    });
    expect(m.run().kind).toBe('halted');
    expect([m.state.gpr[0], m.state.efer, m.cpu.mode().codeSize]).toEqual([0x1122_3344_5566_7788n, 0x500, 64]);
    expect(m.delivered).toEqual([]);
  });
  it('CR0.PG without PAE is #GP(0) with LME set', () => {
    const m = machine(32);
    m.state.efer = 0x100;
    m.state.gpr[0] = BigInt((CR0.PG | CR0.PE) >>> 0);
    m.program((a) => a.db(0x0f, 0x22, 0xc0)).step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('32-bit protected mode', () => {
  const legacy = (): SystemMachine => {
    const m = machine(32);
    // A 32-bit TSS: ESP0 and SS0.
    m.write64(AT.tss, 0n);
    m.write64(AT.tss + 4, BigInt(AT.rsp0) | (BigInt(SEL.data) << 32n));
    return m;
  };
  it('an exception at the same level pushes EFLAGS, CS, EIP and the error code as doublewords', () => {
    const m = legacy();
    m.program((a) => a.jmp(far(0x2000, 0))).step();
    expect(m.lastException).toBe('#GP(0x2000)');
    expect([0, 1, 2, 3].map((n) => m.stacked(n, 4))).toEqual([0x2000n, BigInt(AT.code), BigInt(SEL.code32), BigInt(RFLAGS.RF | 2)]);
    expect(m.rsp).toBe(BigInt(AT.kernelStack - 16));
  });
  it('an exception at CPL 3 goes to SS0:ESP0, and IRETD returns', () => {
    const m = legacy();
    m.enterUser(32).program((a) => a.ud2()).step();
    expect([m.state.cpl, m.selector(SEGMENT.SS), m.rsp]).toEqual([0, SEL.data, BigInt(AT.rsp0 - 20)]);
    expect([0, 1, 2, 3, 4].map((n) => m.stacked(n, 4))).toEqual([BigInt(AT.userCode), BigInt(SEL.userCode32), BigInt(RFLAGS.RF | 2), BigInt(AT.userStack), BigInt(SEL.userData)]);
    m.program((a) => a.iretd());
    m.step();
    expect([m.state.cpl, m.state.rip, m.rsp, m.selector(SEGMENT.SS)]).toEqual([3, BigInt(AT.userCode), BigInt(AT.userStack), SEL.userData]);
  });
  it('a bad SS0 is #TS(selector)', () => {
    const m = legacy();
    m.write64(AT.tss + 4, BigInt(AT.rsp0) | (BigInt(SEL.userData) << 32n));
    m.gate(10, { offset: AT.handlers + 160 });
    m.enterUser(32).program((a) => a.ud2()).step();
    expect(m.delivered.map((d) => [d.vector, d.errorCode])).toContainEqual([10, SEL.userData & ~3 | 1]);
  });
  it('a call gate copies parameters to the inner stack', () => {
    const m = legacy();
    m.descriptor(FREE, gate(ACCESS.callGate | dpl(3), SEL.code32, AT.handlers + 0x800, 2));
    m.enterUser(32).program((a) => { a.push(imm(0x11, 32)); a.push(imm(0x22, 32)); a.call(far(FREE | 3, 0)); });
    m.program((a) => a.retf(8), { origin: AT.handlers + 0x800 });
    m.step(3);
    expect([2, 3, 4, 5].map((n) => m.stacked(n, 4))).toEqual([0x22n, 0x11n, BigInt(AT.userStack - 8), BigInt(SEL.userData)]);
    m.step();
    expect([m.lastException, m.state.cpl, m.rsp]).toEqual(['none', 3, BigInt(AT.userStack)]);
  });
  it('a JMP through a gate to absent code of another privilege level is #GP: privilege is judged before presence', () => {
    const m = legacy();
    m.descriptor(FREE, gate(ACCESS.callGate | dpl(3), SEL.free + 8, 0));
    m.descriptor(SEL.free + 8, segment(ACCESS.code & ~0x80, FLAGS.big));
    m.enterUser(32).program((a) => a.jmp(far(FREE | 3, 0))).step();
    expect(m.lastException).toBe(`#GP(0x${(SEL.free + 8).toString(16)})`);
  });
  describe('forms with a 16-bit offset', () => {
    const LOW = 0x8000;
    const returnOffset = (length: number): bigint => BigInt((AT.code + length) & 0xffff);
    it('CALL ptr16:16 pushes words; RETFW pops them, and RETFW imm16 drops more', () => {
      const m = legacy();
      m.program((a) => a.o16.call(far(SEL.code32, LOW))).step();
      expect([m.lastException, m.state.rip, m.rsp]).toEqual(['none', BigInt(LOW), BigInt(AT.kernelStack - 4)]);
      expect([m.stacked(0, 2), m.stacked(1, 2)]).toEqual([returnOffset(6), BigInt(SEL.code32)]);
      m.program((a) => a.retfw(8), { origin: LOW }).step();
      expect([m.lastException, m.state.rip, m.rsp]).toEqual(['none', returnOffset(6), BigInt(AT.kernelStack + 8)]);
    });
    it('JMP and CALL m16:16 read a word and a selector', () => {
      const m = legacy();
      m.write64(AT.data, BigInt(LOW | (SEL.code32 << 16)));
      m.program((a) => a.call(far16(AT.data))).step();
      expect([m.state.rip, m.rsp]).toEqual([BigInt(LOW), BigInt(AT.kernelStack - 4)]);
      m.program((a) => a.retfw(), { origin: LOW }).step();
      expect([m.state.rip, m.rsp]).toEqual([returnOffset(7), BigInt(AT.kernelStack)]);
      m.program((a) => a.jmp(far16(AT.data))).step();
      expect([m.lastException, m.state.rip]).toEqual(['none', BigInt(LOW)]);
    });
    it('JMP ptr16:16 and IRET', () => {
      const m = legacy();
      m.program((a) => a.o16.jmp(far(SEL.code32, LOW))).step();
      expect(m.state.rip).toBe(BigInt(LOW));
      m.program((a) => { a.push(imm(2, 16)); a.push(imm(SEL.code32, 16)); a.push(imm(0x9000, 16)); a.iret(); }, { origin: LOW }).step(4);
      expect([m.lastException, m.state.rip, m.rsp]).toEqual(['none', 0x9000n, BigInt(AT.kernelStack)]);
    });
  });
  it('CALL m16:32 goes where memory says', () => {
    const m = legacy();
    m.write64(AT.data, BigInt(AT.handlers) | (BigInt(SEL.code32) << 32n));
    m.program((a) => a.call(far32(AT.data))).step();
    expect([m.lastException, m.state.rip, m.rsp]).toEqual(['none', BigInt(AT.handlers), BigInt(AT.kernelStack - 8)]);
  });
});

executesRows(SYSTEM_ROWS['far-transfers']);

/** Exceptions and interrupts on their way through the IDT, in 64-bit mode. */
import { describe, expect, it } from 'vitest';
import { imm, qword, rax, rsp } from '../../src/assembler/index.ts';
import { PF_ERROR } from '../../src/mmu/page-fault.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { ACTIVITY, SEGMENT } from '../../src/state/layout.ts';
import { ACCESS, AT, FLAGS, SEL, SystemMachine, dpl, nameOf, segment } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (): SystemMachine => new SystemMachine().gates();
const exceptions = (m: SystemMachine): string[] => m.delivered.map(nameOf);

describe('the frame of a fault at the same privilege level', () => {
  const m = machine();
  m.state.gpr[4] = BigInt(AT.kernelStack - 4);
  m.rflags = RFLAGS.CF | RFLAGS.IF | RFLAGS.AC | RFLAGS.NT | 2;
  m.program((a) => a.ud2());
  m.step();
  it('is on a stack aligned to 16 bytes', () => expect(m.rsp).toBe(BigInt(AT.kernelStack - 16 - 40)));
  it('holds RIP, CS, RFLAGS with RF, the old RSP and SS', () => {
    expect([0, 1, 2, 3, 4].map((n) => m.stacked(n))).toEqual([
      BigInt(AT.code), BigInt(SEL.code64), BigInt(RFLAGS.CF | RFLAGS.IF | RFLAGS.AC | RFLAGS.NT | RFLAGS.RF | 2), BigInt(AT.kernelStack - 4), BigInt(SEL.data),
    ]);
  });
  it('is entered with IF, TF, NT and RF clear and the other flags as they were', () => expect(m.rflags).toBe(RFLAGS.CF | RFLAGS.AC | 2));
  it('leaves RIP at the handler', () => expect(m.state.rip).toBe(BigInt(AT.handlers + 6 * 16)));
  it('does not count as a retired instruction', () => expect(m.state.retired).toBe(0));
});

it('a trap gate leaves IF set', () => {
  const m = machine();
  m.gate(6, { access: ACCESS.trapGate });
  m.rflags = RFLAGS.IF | 2;
  m.program((a) => a.ud2());
  m.step();
  expect(m.rflags & RFLAGS.IF).toBe(RFLAGS.IF);
});

describe('a page fault', () => {
  const m = machine();
  m.mapPage(0x3000, 0n);
  m.enterUser().program((a) => { a.mov(rax, AT.pages + 0x3abc); a.mov(qword(rax), rax); });
  m.step(2);
  it('stores the address in CR2', () => expect(m.state.cr2).toBe(BigInt(AT.pages + 0x3abc)));
  it('pushes an error code that says: not present, write, user', () => expect(m.stacked(0)).toBe(BigInt(PF_ERROR.W | PF_ERROR.U)));
  it('from CPL 3 goes to RSP0 of the TSS, with SS null', () => {
    expect(m.rsp).toBe(BigInt(AT.rsp0 - 48));
    expect(m.selector(SEGMENT.SS)).toBe(0);
    expect(m.state.cpl).toBe(0);
    expect(m.stacked(4)).toBe(BigInt(AT.userStack));
    expect(m.stacked(5)).toBe(BigInt(SEL.userData));
  });
});

it('an IST gate switches stacks without a change of privilege, and SS stays', () => {
  const m = machine();
  m.gate(6, { ist: 2 });
  m.program((a) => a.ud2());
  m.step();
  expect(m.rsp).toBe(BigInt(AT.ist2 - 40));
  expect(m.selector(SEGMENT.SS)).toBe(SEL.data);
});

describe('INT n', () => {
  it('returns to the instruction after it and has no RF in its flags', () => {
    const m = machine();
    m.gate(0x80);
    m.rflags = RFLAGS.RF | 2;
    m.program((a) => a.int(0x80));
    m.step();
    expect(m.stacked(0)).toBe(BigInt(AT.code + 2));
    expect(m.stacked(2)).toBe(2n);
    expect(m.state.retired).toBe(1);
  });
  it('at CPL 3 through a gate of DPL 0 raises #GP with the gate\'s index and IDT', () => {
    const m = machine();
    m.gate(0x80);
    m.enterUser().program((a) => a.int(0x80));
    m.step();
    expect(m.lastException).toBe('#GP(0x402)');
    expect(m.stacked(1)).toBe(BigInt(AT.userCode));
  });
  it('at CPL 3 passes a gate of DPL 3', () => {
    const m = machine();
    m.gate(0x80, { access: ACCESS.interruptGate | dpl(3) });
    m.enterUser().program((a) => a.int(0x80));
    m.step();
    expect(m.state.rip).toBe(BigInt(AT.handlers + 0x800));
    expect(m.state.cpl).toBe(0);
  });
  it('beyond the limit of the IDT raises #GP without EXT', () => {
    const m = machine();
    m.state.idtrLimit = 0x1ff;
    m.program((a) => a.int(0x20));
    m.step();
    expect(m.lastException).toBe('#GP(0x102)');
  });
  it('14 pushes no error code', () => {
    const m = machine();
    m.program((a) => a.int(14));
    m.step();
    expect(m.rsp).toBe(BigInt(AT.kernelStack - 40));
  });
});

it('INT3 returns behind itself and needs a gate of sufficient DPL', () => {
  const m = machine();
  m.gate(3, { access: ACCESS.interruptGate | dpl(3) });
  m.enterUser().program((a) => a.int3());
  m.step();
  expect(m.lastException).toBe('#BP');
  expect(m.stacked(0)).toBe(BigInt(AT.userCode + 1));
});
it('INT1 passes a gate of DPL 0 from CPL 3', () => {
  const m = machine().enterUser().program((a) => a.int1());
  m.step();
  expect(m.lastException).toBe('#DB');
  expect(m.state.cpl).toBe(0);
});

describe('a bad gate', () => {
  const faultOf = (prepare: (m: SystemMachine) => void): string => {
    const m = machine();
    prepare(m);
    m.program((a) => a.ud2());
    m.step();
    return exceptions(m).join(' ');
  };
  it('not present: #NP', () => expect(faultOf((m) => m.gate(6, { access: 0x0e }))).toBe('#UD #NP(0x33)'));
  it('of a type that IA-32e mode has not: #GP', () => expect(faultOf((m) => m.gate(6, { access: ACCESS.taskGate }))).toBe('#UD #GP(0x33)'));
  it('with a null selector: #GP(EXT)', () => expect(faultOf((m) => m.gate(6, { selector: 0 }))).toBe('#UD #GP(0x1)'));
  it('with a selector of 32-bit code: #GP(selector)', () => expect(faultOf((m) => m.gate(6, { selector: SEL.code32 }))).toBe('#UD #GP(0x19)'));
  it('with a selector of data: #GP(selector)', () => expect(faultOf((m) => m.gate(6, { selector: SEL.data }))).toBe('#UD #GP(0x11)'));
  it('with a selector beyond the GDT: #GP(selector)', () => expect(faultOf((m) => m.gate(6, { selector: 0x2000 }))).toBe('#UD #GP(0x2001)'));
  it('with a code segment that is not present: #NP(selector)', () => expect(faultOf((m) => {
    m.descriptor(SEL.free, segment(ACCESS.code & ~0x80, FLAGS.long));
    m.gate(6, { selector: SEL.free });
  })).toBe('#UD #NP(0x49)'));
  it('with a handler that is not canonical: #GP(EXT)', () => expect(faultOf((m) => m.gate(6, { offset: 0x8000_0000_0000n }))).toBe('#UD #GP(0x1)'));
  it('with an IST beyond the TSS limit: #TS(TR)', () => expect(faultOf((m) => {
    m.state.limit[SEGMENT.TR] = 0x23;
    m.gate(6, { ist: 1 });
  })).toBe('#UD #TS(0x39)'));
  it('with an IST pointer that is not canonical: #SS(EXT)', () => expect(faultOf((m) => {
    m.write64(AT.tss + 36, 0x8000_0000_0000n);
    m.gate(6, { ist: 1 });
  })).toBe('#UD #SS(0x1)'));
});

describe('double and triple faults', () => {
  it('#GP while delivering #GP is a double fault with error code 0 and the RIP of the instruction', () => {
    const m = machine();
    m.gate(13, { selector: 0 });
    m.program((a) => a.mov(rax, qword(rsp)));
    m.state.gpr[4] = 0x8000_0000_0000n;
    m.gate(8, { ist: 1 });
    m.gate(12, { selector: 0 });
    m.step();
    expect(exceptions(m)).toEqual(['#SS(0)', '#DF(0)']);
    expect(m.stacked(0)).toBe(0n);
    expect(m.stacked(1)).toBe(BigInt(AT.code));
  });
  it('a page fault while delivering a page fault is a double fault; CR2 is that of the second', () => {
    const m = machine();
    m.mapPage(0x3000, 0n);
    m.mapPage(0x4000, 0n);
    m.state.gpr[4] = BigInt(AT.pages + 0x4008);
    m.gate(8, { ist: 1 });
    m.program((a) => a.mov(rax, qword(AT.pages + 0x5000 - 0x2000)));
    m.step();
    expect(exceptions(m)).toEqual(['#PF(0)', '#DF(0)']);
    expect(m.state.cr2).toBe(BigInt(AT.pages + 0x3ff8));
  });
  it('a page fault while delivering #GP is delivered as a page fault', () => {
    const m = machine();
    m.mapPage(0x3000, 0n);
    m.gate(13, { ist: 1 });
    m.write64(AT.tss + 36, BigInt(AT.pages + 0x4000));
    m.gate(14, { ist: 2 });
    m.state.gpr[0] = 0x8000_0000_0000n;
    m.program((a) => a.mov(rax, qword(rax)));
    m.step();
    expect(exceptions(m)).toEqual(['#GP(0)', '#PF(0x2)']);
    expect(m.stacked(1)).toBe(BigInt(AT.code));
  });
  it('#GP while delivering a page fault is a double fault', () => {
    const m = machine();
    m.gate(14, { selector: 0 });
    m.program((a) => a.mov(qword(0x4000_0000), rax));
    m.step();
    expect(exceptions(m)).toEqual(['#PF(0x2)', '#DF(0)']);
  });
  it('an exception that is no contributor lets a second one through', () => {
    const m = machine();
    m.gate(6, { selector: 0 });
    m.program((a) => a.ud2());
    m.step();
    expect(exceptions(m)).toEqual(['#UD', '#GP(0x1)']);
  });
  it('a fault in the delivery of a double fault shuts the processor down, and the chain tells why', () => {
    const m = machine();
    m.state.idtrLimit = 0;
    m.program((a) => a.mov(qword(0x4000_0000), imm(1, 32)));
    m.step();
    expect(m.state.activity).toBe(ACTIVITY.shutdown);
    expect(m.cpu.faultChain.map((f) => [f.vector, f.errorCode, f.raised.vector, f.raised.errorCode, f.progress.doing])).toEqual([
      [14, 2, 13, 14 * 8 + 3, 'reading IDT gate 14'],
      [8, 0, 13, 8 * 8 + 3, 'reading IDT gate 8'],
    ]);
    expect(m.cpu.faultChain[0]!.cr2).toBe(0x4000_0000n);
    expect(m.step().kind).toBe('shutdown');
  });
  it('an exception whose delivery succeeds empties the chain', () => {
    const m = machine();
    m.gate(6, { selector: 0 });
    m.program((a) => a.ud2());
    m.step();
    expect(m.cpu.faultChain).toEqual([]);
  });
  it('the chain names gate, handler and descriptor of a gate that leads to data', () => {
    const m = machine();
    m.gate(6, { selector: SEL.data });
    m.gate(13, { selector: SEL.data });
    m.gate(8, { selector: SEL.data });
    m.program((a) => a.ud2());
    m.step();
    const [first] = m.cpu.faultChain;
    expect(first!.progress).toMatchObject({ gateAddress: BigInt(AT.idt + 96), handler: BigInt(AT.handlers + 96), selector: SEL.data, descriptor: m.read64(AT.gdt + SEL.data) });
    expect(m.cpu.faultChain.map((f) => f.vector)).toEqual([6, 13, 8]);
  });
});

it('IRETQ from the handler goes on where the fault was, with SS and RSP as they were', () => {
  const m = machine();
  m.program((a) => { a.int3(); a.hlt(); });
  m.program((a) => a.iretq(), { origin: AT.handlers + 3 * 16 });
  m.step(2);
  expect(m.state.rip).toBe(BigInt(AT.code + 1));
  expect(m.rsp).toBe(BigInt(AT.kernelStack));
  expect(m.selector(SEGMENT.SS)).toBe(SEL.data);
});

executesRows(SYSTEM_ROWS.delivery);

/** What happens between instructions: interrupts, shadows, HLT, NMI, single steps, hardware breakpoints. */
import { describe, expect, it } from 'vitest';
import { al, ax, dr0, dr4, dr6, dr7, dword, eax, imm, rax, rbx, rcx, ss } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { AT, SEL, SystemMachine, nameOf } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (): SystemMachine => {
  const m = new SystemMachine().gates();
  m.gate(0x20);
  return m.program((a) => a.hlt(), { origin: AT.handlers + 0x200 });
};
const exceptions = (m: SystemMachine): string[] => m.delivered.map(nameOf);
const interrupt = (m: SystemMachine, vector = 0x20): void => {
  m.interrupts.push(vector);
  m.cpu.interruptLineChanged();
};

describe('an interrupt', () => {
  it('waits while IF is clear', () => {
    const m = machine().program((a) => { a.nop(); a.nop(); });
    interrupt(m);
    m.step(2);
    expect(m.delivered).toEqual([]);
  });
  it('is taken before the next instruction when IF is set, and returns to it', () => {
    const m = machine().program((a) => { a.nop(); a.nop(); });
    m.rflags = RFLAGS.IF | 2;
    m.step();
    interrupt(m);
    m.step();
    expect(m.delivered).toEqual([{ vector: 0x20, errorCode: undefined, kind: 'interrupt', rip: BigInt(AT.code + 1) }]);
    expect(m.state.rip).toBe(BigInt(AT.handlers + 0x200));
    m.step();
    expect(m.state.rip).toBe(BigInt(AT.handlers + 0x201));
  });
  it('after STI waits for one more instruction', () => {
    const m = machine().program((a) => { a.sti(); a.nop(); a.nop(); });
    interrupt(m);
    m.step(2);
    expect(m.delivered).toEqual([]);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 2));
  });
  it('after STI; STI waits for the second only', () => {
    const m = machine().program((a) => { a.sti(); a.sti(); a.nop(); });
    interrupt(m);
    m.step(3);
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 2));
  });
  it('after STI with IF already set waits for nothing', () => {
    const m = machine().program((a) => { a.sti(); a.nop(); });
    m.rflags = RFLAGS.IF | 2;
    m.step();
    interrupt(m);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 1));
  });
  it('is never taken in STI; CLI', () => {
    const m = machine().program((a) => { a.sti(); a.cli(); a.nop(); });
    interrupt(m);
    m.step(3);
    expect(m.delivered).toEqual([]);
  });
  it('wakes STI; HLT up and returns behind HLT', () => {
    const m = machine().program((a) => { a.sti(); a.hlt(); a.nop(); });
    expect(m.run().kind).toBe('halted');
    interrupt(m);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 2));
  });
  it('that is there before STI; HLT is not lost', () => {
    const m = machine().program((a) => { a.sti(); a.hlt(); a.nop(); });
    interrupt(m);
    m.step(3);
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 2));
  });
  it('after MOV SS waits for one more instruction', () => {
    const m = machine().program((a) => { a.mov(ss, ax); a.nop(); a.nop(); });
    m.state.gpr[0] = BigInt(SEL.data);
    m.rflags = RFLAGS.IF | 2;
    m.step();
    interrupt(m);
    m.step();
    expect(m.delivered).toEqual([]);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 3));
  });
  it('comes between two iterations of a REP instruction, whose RIP it returns to', () => {
    const m = machine().program((a) => a.rep.outsb());
    m.state.gpr[1] = 3n;
    m.state.gpr[6] = BigInt(AT.data);
    m.rflags = RFLAGS.IF | 2;
    m.step(2);
    interrupt(m);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code));
    expect(m.state.gpr[1]).toBe(1n);
  });
});

describe('an NMI', () => {
  it('needs no IF, and blocks the next one until IRET', () => {
    const m = machine().program((a) => { a.nop(); a.hlt(); });
    m.program((a) => { a.nop(); a.iretq(); }, { origin: AT.handlers + 32 });
    m.cpu.requestNmi();
    m.step();
    expect(m.delivered).toHaveLength(1);
    m.cpu.requestNmi();
    m.step(2);
    expect(m.delivered).toHaveLength(1);
    m.step();
    expect(m.delivered).toHaveLength(2);
    expect(m.delivered.every((d) => d.vector === 2 && d.rip === BigInt(AT.code))).toBe(true);
  });
  it('wakes HLT up even with IF clear', () => {
    const m = machine().program((a) => { a.hlt(); a.nop(); });
    expect(m.run().kind).toBe('halted');
    m.cpu.requestNmi();
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 1));
  });
});

describe('single-stepping', () => {
  it('traps after the instruction that began with TF set, with DR6.BS', () => {
    const m = machine().program((a) => { a.nop(); a.nop(); });
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(m.delivered).toEqual([{ vector: 1, errorCode: undefined, kind: 'trap', rip: BigInt(AT.code + 1) }]);
    expect(m.state.dr6).toBe(0xffff_4ff0);
    expect(m.stacked(2)).toBe(BigInt(RFLAGS.TF | 2));
    expect(m.rflags & RFLAGS.TF).toBe(0);
  });
  it('starts with the instruction behind the POPF that sets TF', () => {
    const m = machine().program((a) => { a.push(0x102); a.popfq(); a.nop(); a.nop(); });
    m.step(4);
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 7));
  });
  it('still traps after the POPF that clears TF', () => {
    const m = machine().program((a) => { a.push(2); a.popfq(); a.nop(); });
    m.step();
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 3));
  });
  it('does not step into the handler of INT n', () => {
    const m = machine().program((a) => a.int(0x20));
    m.rflags = RFLAGS.TF | 2;
    m.step(3);
    expect(exceptions(m)).toEqual(['vector 32']);
  });
  it('traps after HLT', () => {
    const m = machine().program((a) => { a.hlt(); a.nop(); });
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code + 1) });
  });
  it('skips the instruction after MOV SS', () => {
    const m = machine().program((a) => { a.mov(ss, ax); a.nop(); a.nop(); });
    m.state.gpr[0] = BigInt(SEL.data);
    m.rflags = RFLAGS.TF | 2;
    m.step(3);
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 3));
  });
  it('does not skip the instruction after STI', () => {
    const m = machine().program((a) => { a.sti(); a.nop(); a.nop(); });
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code + 1) });
  });
  it('behind STI comes before the interrupt that STI lets in', () => {
    const m = machine().program((a) => { a.sti(); a.nop(); a.nop(); });
    m.rflags = RFLAGS.TF | 2;
    interrupt(m);
    m.step(2);
    expect(exceptions(m)).toEqual(['#DB']);
  });
  it('does not mind being asked twice what is due', () => {
    const m = machine().program((a) => { a.nop(); a.nop(); });
    m.rflags = RFLAGS.TF | 2;
    m.cpu.serviceAttention();
    m.step();
    expect([m.delivered.length, m.state.rip]).toEqual([0, BigInt(AT.code + 1)]);
    m.step();
    expect(m.delivered[0]!.rip).toBe(BigInt(AT.code + 1));
  });
  it('is dropped by an instruction that faults', () => {
    const m = machine().program((a) => a.ud2());
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(exceptions(m)).toEqual(['#UD']);
  });
  it('stops after each iteration of a REP instruction', () => {
    const m = machine().program((a) => a.rep.outsb());
    m.state.gpr[1] = 2n;
    m.state.gpr[6] = BigInt(AT.data);
    m.rflags = RFLAGS.TF | 2;
    m.step(2);
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code) });
  });
});

describe('hardware breakpoints', () => {
  it('on an instruction fault before it, with RF as it was', () => {
    const m = machine().program((a) => { a.nop(); a.nop(); });
    m.state.dr[1] = BigInt(AT.code + 1);
    m.state.dr7 = 0x404;
    m.cpu.refresh();
    m.step(2);
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code + 1) });
    expect(m.state.dr6).toBe(0xffff_0ff2);
    expect(m.stacked(2)).toBe(2n);
  });
  it('on an instruction are passed once with RF, which the instruction clears', () => {
    const m = machine().program((a) => { a.nop(); });
    m.state.dr[0] = BigInt(AT.code);
    m.state.dr7 = 0x401;
    m.rflags = RFLAGS.RF | 2;
    m.step();
    expect(m.delivered).toEqual([]);
    expect(m.rflags).toBe(2);
  });
  it('on data trap after a write that touches any of their bytes', () => {
    const m = machine().program((a) => { a.mov(dword(AT.data + 2), imm(1, 32)); a.nop(); });
    m.state.dr[0] = BigInt(AT.data + 4);
    m.state.dr7 = 0x400 | 1 | (1 << 16) | (3 << 18);
    m.cpu.refresh();
    m.step();
    expect(m.delivered).toEqual([]);
    m.step();
    expect(m.delivered[0]).toMatchObject({ vector: 1, kind: 'trap', rip: BigInt(AT.code + 11) });
    expect(m.state.dr6).toBe(0xffff_0ff1);
  });
  it('on writes ignore reads, on reads and writes do not', () => {
    const trapsOnRead = (field: number): number => {
      const m = machine().program((a) => { a.mov(eax, dword(AT.data)); a.nop(); });
      m.state.dr[0] = BigInt(AT.data);
      m.state.dr7 = (0x401 | (field << 16) | (3 << 18)) >>> 0;
      m.cpu.refresh();
      m.step(2);
      return m.delivered.length;
    };
    expect([trapsOnRead(1), trapsOnRead(3)]).toEqual([0, 1]);
  });
  it('on a port trap after IN, with CR4.DE', () => {
    const m = machine().program((a) => { a.in(al, 0x60); a.nop(); });
    m.state.dr[2] = 0x60n;
    m.state.dr7 = 0x400 | (1 << 4) | (2 << 24);
    m.cpu.refresh();
    m.step(2);
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code + 2) });
    expect(m.state.dr6).toBe(0xffff_0ff4);
  });
});

describe('debug registers', () => {
  it('DR6 and DR7 keep their fixed bits', () => {
    const m = machine().program((a) => { a.mov(dr6, rax); a.mov(dr7, rax); a.mov(rbx, dr6); a.mov(rcx, dr7); a.mov(rax, dr0); });
    m.step(4);
    expect([m.state.gpr[3], m.state.gpr[1]]).toEqual([0xffff_0ff0n, 0x400n]);
  });
  it('DR4 is #UD with CR4.DE and another name for DR6 without', () => {
    const m = machine().program((a) => a.mov(rax, dr4));
    m.step();
    expect(m.lastException).toBe('#UD');
    const other = machine().program((a) => a.mov(rax, dr4));
    other.state.cr4 &= ~8;
    other.step();
    expect(other.state.gpr[0]).toBe(0xffff_0ff0n);
  });
  it('DR7.GD makes MOV DR a #DB fault, and is cleared for the handler', () => {
    const m = machine().program((a) => a.mov(rax, dr0));
    m.state.dr7 |= 1 << 13;
    m.step();
    expect(m.delivered[0]).toMatchObject({ vector: 1, rip: BigInt(AT.code) });
    expect(m.state.dr6).toBe(0xffff_2ff0);
    expect(m.state.dr7).toBe(0x400);
    expect(m.stacked(2) & BigInt(RFLAGS.RF)).toBe(BigInt(RFLAGS.RF));
  });
  it('bits 63:32 of DR7 are reserved', () => {
    const m = machine().program((a) => a.mov(dr7, rax));
    m.state.gpr[0] = 1n << 32n;
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

executesRows(SYSTEM_ROWS.events);

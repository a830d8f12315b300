/** MONITOR and MWAIT: what is watched, what ends the wait, what is refused. SDM Vol. 3A, "MONITOR/MWAIT Instruction". */
import { describe, expect, it } from 'vitest';
import { al, byte, eax, ebx, ecx, edi, qword, r8, r9, rax, rbx, rcx, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { EVERY_FEATURE, parseCpuModel } from '../../src/cpu/models.ts';
import { MISC_ENABLE, MSR } from '../../src/cpu/msr.ts';
import { ENGINE_NAMES, type EngineName, Machine } from '../../src/machine/machine.ts';
import { captureState, replaceState } from '../../src/machine/machine-state.ts';
import { physical } from '../../src/state/addresses.ts';
import { ACTIVITY } from '../../src/state/layout.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const IRQ = 0x40, WATCHED = AT.data + 0x100;

/** Registers for MONITOR of WATCHED, then MWAIT with ECX. */
function machine(engine: EngineName = 'reference'): SystemMachine {
  const m = new SystemMachine(64, engine).gates();
  m.gate(IRQ, { offset: AT.handlers + 0x800 });
  m.program((a) => { a.inc(r8); a.iretq(); }, { origin: AT.handlers + 0x800 });
  m.state.gpr.fill(0n, 0, 4);
  m.state.gpr[0] = BigInt(WATCHED);
  return m;
}
function interrupt(m: SystemMachine): void {
  m.interrupts.push(IRQ);
  m.cpu.interruptLineChanged();
}
const interruptsOn = (m: SystemMachine): void => { m.rflags = m.rflags | RFLAGS.IF; };

describe.each(ENGINE_NAMES)('on the %s engine', (engine) => {
  /** Whether MWAIT waits after MONITOR and what `between` does. */
  const waits = (between: (a: Assembler) => void, before: (a: Assembler) => void = () => undefined): boolean => {
    const m = machine(engine);
    m.program((a) => { before(a); a.mov(eax, WATCHED); a.xor(ecx, ecx); a.monitor(); between(a); a.mwait(); a.mov(r9, 1); a.hlt(); });
    expect(m.runFast(20_000)).toEqual({ kind: 'halted' });
    expect(m.delivered).toEqual([]);
    return m.state.gpr[9] === 0n;
  };
  it('MWAIT waits where nothing was stored into the line since MONITOR', () => {
    expect(waits(() => undefined)).toBe(true);
    expect(waits((a) => { a.mov(rbx, qword(WATCHED)); a.mov(byte(WATCHED + 64), al); a.mov(qword(WATCHED - 8), rax); })).toBe(true);
  });
  it('MWAIT goes on where something was, by whatever instruction, be it the same value', () => {
    for (const store of [
      (a: Assembler) => a.mov(byte(WATCHED + 63), al), (a: Assembler) => a.mov(qword(WATCHED - 4), rax), (a: Assembler) => a.lock.or(qword(WATCHED), rbx),
      (a: Assembler) => { a.mov(rcx, 32); a.mov(edi, WATCHED - 16); a.rep.stosb(); a.xor(ecx, ecx); },
    ]) expect(waits(store)).toBe(false);
  });
  it('a store that was hot before MONITOR is seen behind it', () => {
    const hot = (a: Assembler): void => { a.mov(ebx, 2000); a.label('hot'); a.add(qword(WATCHED), 1); a.dec(ebx); a.jnz('hot'); };
    expect(waits(() => undefined, hot)).toBe(true);
    const again = (a: Assembler): void => { a.mov(ebx, 1); a.jmp('hot'); };
    const m = machine(engine);
    m.program((a) => { hot(a); a.cmp(r8, 0); a.jnz('behind'); a.mov(r8, 1); a.mov(eax, WATCHED); a.xor(ecx, ecx); a.monitor(); again(a); a.label('behind'); a.mwait(); a.mov(r9, 1); a.hlt(); });
    m.runFast(30_000);
    expect(m.state.gpr[9]).toBe(1n);
  });
  it('MWAIT without MONITOR, or a second one, goes on', () => {
    const m = machine(engine);
    m.program((a) => { a.mwait(); a.mov(r9, 1); a.hlt(); });
    m.runFast(10);
    expect(m.state.gpr[9]).toBe(1n);
  });
  it('an interrupt ends the wait and returns behind MWAIT', () => {
    const m = machine(engine);
    interruptsOn(m);
    m.program((a) => { a.monitor(); a.mwait(); a.mov(r9, 1); a.mwait(); a.mov(r9, 2); a.hlt(); });
    expect([m.runFast(10), m.state.gpr[9]]).toEqual([{ kind: 'halted' }, 0n]);
    interrupt(m);
    m.runFast(20);
    // The second MWAIT has nothing to wait for: the wait is over.
    expect([m.state.gpr[8], m.state.gpr[9], m.state.activity]).toEqual([1n, 2n, ACTIVITY.halted]);
  });
  it('an interrupt between MONITOR and MWAIT ends the watch', () => {
    const m = machine(engine);
    m.program((a) => { a.monitor(); a.sti(); a.nop(); a.nop(); a.mwait(); a.mov(r9, 1); a.cli(); a.hlt(); });
    interrupt(m);
    m.runFast(20);
    expect([m.state.gpr[8], m.state.gpr[9]]).toEqual([1n, 1n]);
  });
  it('while IF is 0, an interrupt ends the wait where ECX bit 0 asks for it, and is not delivered', () => {
    for (const [extension, goesOn] of [[0, 0n], [1, 1n]] as const) {
      const m = machine(engine);
      m.program((a) => { a.monitor(); a.mov(ecx, extension); a.mwait(); a.mov(r9, 1); a.hlt(); });
      expect([m.runFast(10), m.state.gpr[9]]).toEqual([{ kind: 'halted' }, 0n]);
      interrupt(m);
      m.runFast(10);
      expect([m.state.gpr[8], m.state.gpr[9], m.delivered.length]).toEqual([0n, goesOn, 0]);
    }
  });
});

describe('what is refused', () => {
  const raised = (code: 'monitor' | 'mwait', prepare: (m: SystemMachine) => void, model = EVERY_FEATURE): string => {
    const m = new SystemMachine(64, 'reference', model).gates();
    m.state.gpr.fill(0n, 0, 4);
    m.state.gpr[0] = BigInt(WATCHED);
    prepare(m);
    m.program((a) => { a.db(0x0f, 0x01, code === 'monitor' ? 0xc8 : 0xc9); }).step();
    return m.lastException;
  };
  it.each(['monitor', 'mwait'] as const)('%s is #UD outside CPL 0, where IA32_MISC_ENABLE bit 18 is 0, and on a processor without', (code) => {
    expect(raised(code, () => undefined)).toBe('none');
    expect(raised(code, (m) => m.enterUser())).toBe('#UD');
    expect(raised(code, (m) => { m.state.miscEnable &= ~MISC_ENABLE.MONITOR; m.state.gpr[1] = 2n; })).toBe('#UD');
    expect(raised(code, () => undefined, parseCpuModel('max,-monitor'))).toBe('#UD');
  });
  it('extensions that there are not are #GP(0): of MONITOR all, of MWAIT all but bit 0', () => {
    const withRcx = (value: bigint) => (m: SystemMachine): void => { m.state.gpr[1] = value; };
    expect([1n, 2n, 1n << 32n].map((value) => raised('monitor', withRcx(value)))).toEqual(['#GP(0)', '#GP(0)', '#GP(0)']);
    expect([1n, 2n, 1n << 32n].map((value) => raised('mwait', withRcx(value)))).toEqual(['none', '#GP(0)', '#GP(0)']);
  });
  it('MONITOR of what may not be read faults as a load of a byte does', () => {
    expect(raised('monitor', (m) => { m.state.gpr[0] = 1n << 60n; })).toBe('#GP(0)');
    expect(raised('monitor', (m) => { m.state.gpr[0] = BigInt(AT.pages); m.mapPage(0, 0n); })).toBe('#PF(0)');
    const m = machine();
    m.state.gpr[0] = 1n << 60n;
    m.program((a) => { a.db(0x36, 0x0f, 0x01, 0xc8); }).step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('MONITOR takes its segment from a prefix and its address size from another', () => {
    const m = machine();
    m.state.base[4] = 0x1000n;
    m.state.gpr[0] = 0xffff_ffff_0000_0000n | BigInt(WATCHED);
    m.program((a) => { a.db(0x64, 0x67, 0x0f, 0x01, 0xc8); }).step();
    expect([m.lastException, m.state.monitoredLine]).toEqual(['none', (WATCHED + 0x1000) / 64 + 1]);
  });
});

describe('IA32_MISC_ENABLE bit 18', () => {
  it('is set after reset and takes MONITOR from CPUID where it is cleared', () => {
    const m = machine();
    const announced = (): bigint => {
      m.state.rip = BigInt(AT.code);
      m.state.gpr[0] = 1n;
      m.program((a) => a.cpuid()).step();
      return (m.state.gpr[1]! >> 3n) & 1n;
    };
    expect([m.state.miscEnable, announced()]).toEqual([0x4_0001n, 1n]);
    m.state.gpr[1] = BigInt(MSR.MISC_ENABLE);
    m.state.gpr[0] = 1n;
    m.state.gpr[2] = 0n;
    m.program((a) => a.wrmsr()).step();
    expect([m.lastException, announced()]).toEqual(['none', 0n]);
  });
});

it('a board whose processor waits goes on with the next interrupt, in an MWAIT that asks for it with IF 0 too', () => {
  const end = (activity: number): unknown => {
    const m = new Machine({ memoryBytes: 1 << 20 });
    m.state.activity = activity;
    m.cpu.refresh();
    const stop = m.run({ maxInstructions: 10, maxIdleTime: 1e9 });
    return stop.kind === 'halted' ? stop : [stop.kind, m.state.idleTime > 0];
  };
  // The firmware's timer is the interrupt.
  expect([end(ACTIVITY.waitingForAny), end(ACTIVITY.waiting)]).toEqual([['instruction-limit', true], { kind: 'halted', wakeable: false }]);
});

it('what is watched is in a snapshot', () => {
  const m = new Machine({ memoryBytes: 1 << 20 });
  m.memory.armMonitor(0x1234);
  const saved = captureState(m);
  m.memory.write(physical(0x1240), 1, 0);
  m.memory.write(physical(0x1238), 1, 0);
  expect(m.state.monitoredLine).toBe(0);
  replaceState(m, saved);
  expect([m.state.monitoredLine, m.memory.mayPassUnseen(1)]).toEqual([0x1200 / 64 + 1, false]);
  m.memory.write(physical(0x1238), 1, 0);
  expect([m.state.monitoredLine, m.memory.mayPassUnseen(1)]).toEqual([0, true]);
});

executesRows(SYSTEM_ROWS.monitor);

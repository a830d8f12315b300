/** The local APIC as the processor reaches it: x2APIC mode, the TSC-deadline timer, its base. SDM Vol. 3A, "Extended XAPIC (x2APIC)", "TSC-Deadline Mode". */
import { describe, expect, it } from 'vitest';
import { assemble, eax, ebx, ecx, edi, edx, esi } from '../../src/assembler/index.ts';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { GuestException } from '../../src/cpu/exceptions.ts';
import { DEFAULT_MODEL, parseCpuModel } from '../../src/cpu/models.ts';
import { MSR, readMsr, writeMsr } from '../../src/cpu/msr.ts';
import { ENGINE_NAMES, Machine, type EngineName } from '../../src/machine/machine.ts';
import { captureState, replaceState } from '../../src/machine/machine-state.ts';
import { physical } from '../../src/state/addresses.ts';

const BSP = 0x100n, EXTD = 0x400n, EN = 0x800n, BASE = 0xfee0_0000n;
const X2 = { ID: 0x802, VERSION: 0x803, TPR: 0x808, PPR: 0x80a, EOI: 0x80b, LDR: 0x80d, SVR: 0x80f, ISR: 0x810, IRR: 0x820, ESR: 0x828, ICR: 0x830, LVT_TIMER: 0x832, LINT0: 0x835, INITIAL: 0x838, CURRENT: 0x839, DIVIDE: 0x83e, SELF: 0x83f } as const;
const DEADLINE_MODE = 0x4_0000n;

const machine = (cpu = 'max', engine: EngineName = 'reference'): Machine => new Machine({ memoryBytes: 4 << 20, cpu, engine });
/** A machine in x2APIC mode. */
function x2(cpu?: string): Machine {
  const m = machine(cpu);
  writeMsr(m.cpu, MSR.APIC_BASE, BASE | BSP | EN | EXTD);
  return m;
}
function refused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (thrown) {
    if (!(thrown instanceof GuestException) || thrown.vector !== 13) throw thrown;
    return true;
  }
}
const write = (m: Machine, msr: number, value: bigint): boolean => !refused(() => writeMsr(m.cpu, msr, value));
const readable = (m: Machine, msr: number): boolean => !refused(() => readMsr(m.cpu, msr));

describe('IA32_APIC_BASE', () => {
  const OFF = BASE | BSP, XAPIC = OFF | EN, X2APIC = XAPIC | EXTD;
  it('goes from xAPIC to x2APIC mode, from either to off, from off to xAPIC; every other way is #GP', () => {
    const way = (...values: bigint[]): boolean[] => {
      const m = machine();
      return values.map((value) => write(m, MSR.APIC_BASE, value));
    };
    expect(way(X2APIC, X2APIC, OFF, XAPIC, X2APIC)).toEqual([true, true, true, true, true]);
    expect(way(X2APIC, XAPIC)).toEqual([true, false]);
    expect(way(OFF, X2APIC, XAPIC, OFF)).toEqual([true, false, true, true]);
    expect(way(OFF | EXTD)).toEqual([false]);
    expect(way(XAPIC | 0x200n, XAPIC | 1n, XAPIC | (1n << 40n))).toEqual([false, false, false]);
  });
  it('has no x2APIC mode on a processor without it', () => expect([write(machine('max,-x2apic'), MSR.APIC_BASE, X2APIC), readable(machine('max,-x2apic'), X2.ID)]).toEqual([false, false]));
  it('moves the registers in memory, off and in x2APIC mode there are none', () => {
    const m = machine();
    const VERSION = 0x30, elsewhere = 0x10_0000;
    const seen = (base: number): number => m.memory.read(physical(base + VERSION), 4);
    m.memory.write(physical(elsewhere + VERSION), 4, 0x1234);
    expect([seen(Number(BASE)), seen(elsewhere)]).toEqual([0x5_0014, 0x1234]);
    writeMsr(m.cpu, MSR.APIC_BASE, BigInt(elsewhere) | BSP | EN);
    expect([seen(Number(BASE)), seen(elsewhere)]).toEqual([0xffff_ffff, 0x5_0014]);
    const saved = captureState(m);
    writeMsr(m.cpu, MSR.APIC_BASE, BigInt(elsewhere) | BSP | EN | EXTD);
    expect([seen(Number(BASE)), seen(elsewhere)]).toEqual([0xffff_ffff, 0x1234]);
    replaceState(m, saved);
    expect(seen(elsewhere)).toBe(0x5_0014);
  });
  it('over another device is reported as not built', () => {
    const m = machine();
    writeMsr(m.cpu, MSR.APIC_BASE, 0xfec0_0000n | BSP | EN);
    expect(m.run({ maxInstructions: 1 })).toMatchObject({ kind: 'unimplemented', what: expect.stringContaining('over those of another device') as unknown });
  });
});

describe('x2APIC mode', () => {
  it('reads ID, version, logical ID and the vector bitmaps', () => {
    const m = x2();
    expect([X2.ID, X2.VERSION, X2.LDR, X2.SVR, X2.LINT0].map((msr) => readMsr(m.cpu, msr))).toEqual([0n, 0x5_0014n, 1n, 0x1ffn, 0x700n]);
    writeMsr(m.cpu, X2.SELF, 0x45n);
    expect(readMsr(m.cpu, X2.IRR + 2)).toBe(1n << 5n);
  });
  it('refuses what is not there, reads of what is only written, and the other way round', () => {
    const m = x2();
    const none = [0x800, 0x801, 0x804, 0x809, 0x80c, 0x80e, 0x82f, 0x831, 0x83a, 0x83d];
    expect([...none, X2.EOI, X2.SELF].filter((msr) => readable(m, msr))).toEqual([]);
    expect([...none, X2.ID, X2.VERSION, X2.PPR, X2.LDR, X2.ISR, X2.IRR + 7, X2.CURRENT].filter((msr) => write(m, msr, 0n))).toEqual([]);
  });
  it('refuses reserved bits', () => {
    const m = x2();
    const wrong: readonly (readonly [number, bigint])[] = [[X2.TPR, 0x100n], [X2.EOI, 1n], [X2.SVR, 0x200n], [X2.ESR, 1n], [X2.LVT_TIMER, 0x100n], [X2.DIVIDE, 4n], [X2.SELF, 0x100n], [X2.ICR, 0x10_0040n], [X2.TPR, 1n << 32n], [X2.INITIAL, 1n << 32n]];
    expect(wrong.filter(([msr, value]) => write(m, msr, value))).toEqual([]);
    expect([[X2.TPR, 0x20n], [X2.EOI, 0n], [X2.ESR, 0n], [X2.INITIAL, 0xffff_ffffn]].filter(([msr, value]) => !write(m, Number(msr), BigInt(value!)))).toEqual([]);
  });
  it('has no registers in xAPIC mode', () => expect([readable(machine(), X2.ID), write(machine(), X2.TPR, 0n)]).toEqual([false, false]));
  it('TPR and CR8 are one', () => {
    const m = x2();
    writeMsr(m.cpu, X2.TPR, 0x50n);
    expect(m.state.cr8).toBe(5);
  });
  it('sends interrupts to 32-bit destinations: an ID, a logical ID, everybody', () => {
    const arrives = (destination: bigint, bits: bigint): boolean => {
      const m = x2();
      writeMsr(m.cpu, X2.ICR, (destination << 32n) | bits | 0x61n);
      expect(readMsr(m.cpu, X2.ICR)).toBe((destination << 32n) | bits | 0x61n);
      return readMsr(m.cpu, X2.IRR + 3) === 2n;
    };
    expect([arrives(0n, 0n), arrives(1n, 0n), arrives(0xffn, 0n), arrives(0xffff_ffffn, 0n)]).toEqual([true, false, false, true]);
    expect([arrives(1n, 0x800n), arrives(2n, 0x800n), arrives(0x1_0001n, 0x800n), arrives(7n, 0x4_0000n)]).toEqual([true, false, false, true]);
  });
  it('keeps a request through the change of mode, and EOI ends it', () => {
    const m = machine();
    m.memory.write(physical(Number(BASE) + 0x300), 4, 0x4_0041);
    writeMsr(m.cpu, MSR.APIC_BASE, BASE | BSP | EN | EXTD);
    expect(m.devices.interrupts.requested()).toBe(true);
    expect(m.devices.interrupts.acknowledge()).toBe(0x41);
    expect(readMsr(m.cpu, X2.ISR + 2)).toBe(2n);
    writeMsr(m.cpu, X2.EOI, 0n);
    expect(readMsr(m.cpu, X2.ISR + 2)).toBe(0n);
  });
});

describe('the TSC-deadline timer', () => {
  const armed = (m: Machine, tsc: bigint): void => { writeMsr(m.cpu, X2.LVT_TIMER, DEADLINE_MODE | 0x41n); writeMsr(m.cpu, MSR.TSC_DEADLINE, tsc); };
  const passTo = (m: Machine, now: number): void => { m.state.idleTime = now - m.state.retired; m.devices.scheduler.advanceTo(now); };
  const fired = (m: Machine): boolean => readMsr(m.cpu, X2.IRR + 2) === 2n;
  it('fires when the time-stamp counter comes to it, once, and reads 0 then', () => {
    const m = x2();
    armed(m, 5000n);
    passTo(m, 4999);
    expect([readMsr(m.cpu, MSR.TSC_DEADLINE), fired(m)]).toEqual([5000n, false]);
    passTo(m, 5000);
    expect([readMsr(m.cpu, MSR.TSC_DEADLINE), fired(m)]).toEqual([0n, true]);
  });
  it('fires at once for a time that has passed, and never after 0', () => {
    const m = x2();
    passTo(m, 10_000);
    armed(m, 0n);
    passTo(m, 20_000);
    expect(fired(m)).toBe(false);
    armed(m, 5n);
    passTo(m, 20_001);
    expect(fired(m)).toBe(true);
  });
  it('follows the counter where WRMSR moves it', () => {
    const m = x2();
    armed(m, 5000n);
    writeMsr(m.cpu, MSR.TIME_STAMP_COUNTER, 4000n);
    passTo(m, 999);
    expect(fired(m)).toBe(false);
    passTo(m, 1000);
    expect(fired(m)).toBe(true);
  });
  it('ignores a deadline in other modes, and forgets one when the mode changes', () => {
    const m = x2();
    writeMsr(m.cpu, X2.LVT_TIMER, 0x41n);
    writeMsr(m.cpu, MSR.TSC_DEADLINE, 5000n);
    expect(readMsr(m.cpu, MSR.TSC_DEADLINE)).toBe(0n);
    armed(m, 5000n);
    writeMsr(m.cpu, X2.LVT_TIMER, 0x41n);
    writeMsr(m.cpu, X2.LVT_TIMER, DEADLINE_MODE | 0x41n);
    passTo(m, 6000);
    expect([readMsr(m.cpu, MSR.TSC_DEADLINE), fired(m)]).toEqual([0n, false]);
  });
  it('takes no initial count, and masked fires nothing', () => {
    const m = x2();
    armed(m, 5000n);
    writeMsr(m.cpu, X2.INITIAL, 100n);
    expect([readMsr(m.cpu, X2.INITIAL), readMsr(m.cpu, X2.CURRENT)]).toEqual([0n, 0n]);
    writeMsr(m.cpu, X2.LVT_TIMER, DEADLINE_MODE | 0x1_0041n);
    passTo(m, 6000);
    writeMsr(m.cpu, X2.LVT_TIMER, DEADLINE_MODE | 0x41n);
    passTo(m, 7000);
    expect(fired(m)).toBe(false);
  });
  it('goes on from a snapshot', () => {
    const m = x2();
    armed(m, 5000n);
    const saved = captureState(m);
    passTo(m, 6000);
    replaceState(m, saved);
    expect([readMsr(m.cpu, MSR.TSC_DEADLINE), fired(m)]).toEqual([5000n, false]);
    passTo(m, 5000);
    expect(fired(m)).toBe(true);
  });
  it('without the feature has neither the mode nor the MSR', () => {
    const m = x2('max,-tsc-deadline');
    expect([write(m, X2.LVT_TIMER, DEADLINE_MODE | 0x41n), readable(m, MSR.TSC_DEADLINE)]).toEqual([false, false]);
  });

  it.each(ENGINE_NAMES)('fires at the same instruction on every engine › %s', (engine) => {
    const ORIGIN = 0x10_0000, TURNS = 20, DELAY = 700;
    const run = (name: EngineName): readonly number[] => {
      const m = machine('max', name);
      const { bytes } = assemble((a) => {
        a.mov(ecx, MSR.APIC_BASE);
        a.rdmsr();
        a.or(eax, Number(EXTD));
        a.wrmsr();
        a.mov(ecx, X2.LVT_TIMER);
        a.mov(eax, Number(DEADLINE_MODE) | 0x41);
        a.xor(edx, edx);
        a.wrmsr();
        a.mov(ebx, TURNS);
        a.label('turn');
        a.rdtsc();
        a.add(eax, DELAY);
        a.mov(ecx, MSR.TSC_DEADLINE);
        a.wrmsr();
        // Until the timer has the vector requested: counted in EDI.
        a.mov(ecx, X2.IRR + 2);
        a.label('wait');
        a.inc(edi);
        a.rdmsr();
        a.test(eax, 2);
        a.jz('wait');
        a.mov(ecx, MSR.TSC_DEADLINE);
        a.rdmsr();
        a.add(esi, eax);
        a.dec(ebx);
        a.jnz('turn');
        a.hlt();
      }, { bits: 32, origin: ORIGIN });
      m.load(bytes, { flat: { loadAddress: ORIGIN, entry: ORIGIN, bits: 32 } });
      m.run({ maxInstructions: 100_000 });
      return [Number(m.state.gpr[7]), Number(m.state.gpr[6]), m.state.retired];
    };
    const found = run(engine);
    expect(found).toEqual(run('reference'));
    // The first turn waits some DELAY / 4 times; then the request stays.
    expect(found[0]).toBeGreaterThan(DELAY / 5);
    expect(found[0]).toBeLessThan(DELAY / 3 + TURNS);
  });
});

describe('CPUID', () => {
  const context = { in64BitMode: true, apicEnabled: true, monitorEnabled: true, osxsave: false, ospke: false, xcr0: 1 };
  it('announces x2APIC and the TSC-deadline timer, and tells the x2APIC ID in leaf 0B', () => {
    const bits = (1 << 21) | (1 << 24);
    expect([DEFAULT_MODEL, parseCpuModel('max,-x2apic,-tsc-deadline')].map((model) => cpuid(model, 1, 0, context).ecx & bits)).toEqual([bits, 0]);
    expect([0, 1, 2].map((n) => cpuid(DEFAULT_MODEL, 0xb, n, context))).toEqual([{ eax: 0, ebx: 1, ecx: 0x100, edx: 0 }, { eax: 0, ebx: 1, ecx: 0x201, edx: 0 }, { eax: 0, ebx: 0, ecx: 2, edx: 0 }]);
    expect(cpuid(parseCpuModel('max,-x2apic'), 0xb, 0, context)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
});

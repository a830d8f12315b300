/** Control registers, MSRs, FS/GS bases, INVLPG and INVPCID, CPUID, time. */
import { describe, expect, it } from 'vitest';
import { at, ax, cr0, cr2, cr3, cr4, cr8, ebx, qword, rax, rbx, rcx } from '../../src/assembler/index.ts';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { DEFAULT_MODEL } from '../../src/cpu/models.ts';
import { MSR, readMsr } from '../../src/cpu/msr.ts';
import { CR0, CR4 } from '../../src/mmu/control-bits.ts';
import { MAXPHYADDR } from '../../src/mmu/paging-entries.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { SYSTEM_ROWS } from './rows.ts';

const machine = (): SystemMachine => new SystemMachine().gates();
type Registers = typeof cr0 | typeof cr2 | typeof cr3 | typeof cr4 | typeof cr8;

/** Writes a control register and gives the machine afterwards. */
function writing(register: Registers, value: bigint | number, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = machine();
  prepare(m);
  m.state.gpr[0] = BigInt(value);
  m.program((a) => a.mov(register, rax)).step();
  return m;
}
const fault = (register: Registers, value: bigint | number, prepare?: (m: SystemMachine) => void): string => writing(register, value, prepare).lastException;
const ON = (CR0.PE | CR0.PG) >>> 0;

describe('MOV to CR0', () => {
  it('keeps ET set and ignores reserved bits of the low half', () => expect(writing(cr0, ON + 0x0fc0).state.cr0).toBe((ON | CR0.ET) >>> 0));
  it('refuses bits 63:32', () => expect(fault(cr0, BigInt(ON) | (1n << 32n))).toBe('#GP(0)'));
  it('refuses PG without PE', () => expect(fault(cr0, CR0.PG >>> 0)).toBe('#GP(0)'));
  it('refuses NW without CD', () => expect(fault(cr0, (ON | CR0.NW) >>> 0)).toBe('#GP(0)'));
  it('refuses to end paging in 64-bit mode', () => expect(fault(cr0, CR0.PE)).toBe('#GP(0)'));
  it('at CPL 3 is #GP(0)', () => {
    const m = machine().enterUser().program((a) => a.mov(cr0, rax));
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('MOV to CR3', () => {
  it('refuses address bits beyond MAXPHYADDR', () => expect(fault(cr3, 1n << BigInt(MAXPHYADDR))).toBe('#GP(0)'));
  it('refuses bit 63 without CR4.PCIDE', () => expect(fault(cr3, BigInt(AT.pml4) | (1n << 63n))).toBe('#GP(0)'));
  it('with CR4.PCIDE takes bit 63 as "do not invalidate" and does not keep it', () => {
    const m = writing(cr3, BigInt(AT.pml4) | 5n | (1n << 63n), (x) => { x.state.cr4 |= CR4.PCIDE; });
    expect([m.lastException, m.state.cr3]).toEqual(['none', BigInt(AT.pml4) | 5n]);
  });
});

describe('MOV to CR4', () => {
  it('refuses bits that no announced feature has', () => {
    expect(fault(cr4, CR4.PAE | CR4.VMXE)).toBe('#GP(0)');
    expect(fault(cr4, CR4.PAE | CR4.CET)).toBe('#GP(0)');
    expect(fault(cr4, BigInt(CR4.PAE) | (1n << 40n))).toBe('#GP(0)');
  });
  it('refuses to clear PAE in IA-32e mode', () => expect(fault(cr4, CR4.PGE)).toBe('#GP(0)'));
  it('takes PCIDE only while the PCID in CR3 is 0', () => {
    expect(fault(cr4, CR4.PAE | CR4.PCIDE)).toBe('none');
    expect(fault(cr4, CR4.PAE | CR4.PCIDE, (m) => { m.state.cr3 |= 8n; })).toBe('#GP(0)');
  });
  it('lets paging end only without PCIDE', () => expect(fault(cr0, CR0.PE, (m) => { m.state.cr4 |= CR4.PCIDE; })).toBe('#GP(0)'));
});

it('CR8 has four bits', () => {
  expect(writing(cr8, 9).state.cr8).toBe(9);
  expect(fault(cr8, 16)).toBe('#GP(0)');
});
it('CR2 holds any value', () => expect(writing(cr2, 0x8000_1234_5678_9abcn).state.cr2).toBe(0x8000_1234_5678_9abcn));
it('CR1 is #UD, at every privilege level', () => {
  const m = machine().enterUser().program((a) => a.db(0x0f, 0x22, 0xc8));
  m.step();
  expect(m.lastException).toBe('#UD');
});
it('LMSW sets but never clears PE; CLTS clears TS; SMSW reads CR0', () => {
  const m = machine();
  m.state.gpr[0] = 0xen;
  m.program((a) => { a.lmsw(ax); a.clts(); a.smsw(ebx); });
  m.step();
  expect(m.state.cr0 & 0xf).toBe(0xf);
  m.step(2);
  expect(Number(m.state.gpr[3])).toBe(m.state.cr0);
  expect(m.state.cr0 & 0xf).toBe(7);
});

/** WRMSR of a value; the exception, or `none`. */
function wrmsr(address: number, value: bigint, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = machine();
  prepare(m);
  m.state.gpr[1] = BigInt(address);
  m.state.gpr[0] = value & 0xffff_ffffn;
  m.state.gpr[2] = value >> 32n;
  m.program((a) => { a.wrmsr(); a.rdmsr(); }).step();
  return m;
}

describe('MSRs', () => {
  it('are read back as they were written', () => {
    const m = wrmsr(MSR.LSTAR, 0xffff_8000_1234_5678n);
    m.state.gpr.fill(0xffff_ffff_ffff_ffffn, 2, 3);
    m.step();
    expect([m.state.gpr[0], m.state.gpr[2]]).toEqual([0x1234_5678n, 0xffff_8000n]);
  });
  it('of addresses must be canonical', () => {
    for (const msr of [MSR.LSTAR, MSR.CSTAR, MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE, MSR.SYSENTER_EIP, MSR.SYSENTER_ESP]) {
      expect(wrmsr(msr, 1n << 56n).lastException).toBe('#GP(0)');
    }
  });
  it('of machine checks: four banks to be enabled, whose other registers take 0 only', () => {
    const m = machine();
    expect([readMsr(m.cpu, MSR.MCG_CAP), readMsr(m.cpu, MSR.PLATFORM_INFO), readMsr(m.cpu, MSR.SMI_COUNT)]).toEqual([0x104n, 0xa00n, 0n]);
    for (let bank = 0; bank < 4; bank++) {
      const [ctl, ...others] = [0, 1, 2, 3].map((n) => MSR.MC0_CTL + 4 * bank + n) as [number, ...number[]];
      const written = wrmsr(ctl, 0xffff_ffff_ffff_ffffn);
      expect([written.lastException, readMsr(written.cpu, ctl)]).toEqual(['none', 0xffff_ffff_ffff_ffffn]);
      for (const other of others) expect([wrmsr(other, 0n).lastException, wrmsr(other, 1n).lastException]).toEqual(['none', '#GP(0)']);
    }
    expect([wrmsr(MSR.MCG_STATUS, 7n), wrmsr(MSR.MCG_STATUS, 8n), wrmsr(MSR.MC0_CTL + 16, 0n), wrmsr(MSR.MCG_CTL, 1n)].map((x) => x.lastException)).toEqual(['none', '#GP(0)', '#GP(0)', 'none']);
  });
  it('that do not exist are #GP(0)', () => {
    expect(wrmsr(0xc000_0200, 0n).lastException).toBe('#GP(0)');
    expect(wrmsr(MSR.MTRRCAP, 0n).lastException).toBe('#GP(0)');
  });
  it('at CPL 3 are #GP(0)', () => {
    const m = machine().enterUser().program((a) => a.rdmsr());
    m.state.gpr[1] = BigInt(MSR.EFER);
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('EFER.LMA ignores writes, EFER.LME cannot change while paging is on', () => {
    expect(wrmsr(MSR.EFER, 0x901n).state.efer).toBe(0xd01);
    expect(wrmsr(MSR.EFER, 0x800n).lastException).toBe('#GP(0)');
    expect(wrmsr(MSR.EFER, 0x1_0d01n).lastException).toBe('#GP(0)');
  });
  it('PAT takes only memory types', () => {
    expect(wrmsr(MSR.PAT, 0x0007_0106_0007_0406n).lastException).toBe('none');
    expect(wrmsr(MSR.PAT, 2n).lastException).toBe('#GP(0)');
  });
  it('MTRRs take only memory types and implemented address bits', () => {
    expect(wrmsr(0x200, 0x1234_5006n).state.mtrrVariable[0]).toBe(0x1234_5006n);
    expect(wrmsr(0x200, 2n).lastException).toBe('#GP(0)');
    expect(wrmsr(0x201, (1n << BigInt(MAXPHYADDR)) | 0x800n).lastException).toBe('#GP(0)');
    expect(wrmsr(0x26f, 0x0606_0505_0404_0101n).state.mtrrFixed[10]).toBe(0x0606_0505_0404_0101n);
    expect(wrmsr(MSR.MTRR_DEF_TYPE, 0xc06n).state.mtrrDefType).toBe(0xc06n);
  });
  it('GS_BASE is the base of GS', () => expect(wrmsr(MSR.GS_BASE, 0x1234n).state.base[SEGMENT.GS]).toBe(0x1234n));
  it('the TSC counts on from what is written', () => {
    const m = wrmsr(MSR.TIME_STAMP_COUNTER, 1_000_000n);
    m.program((a) => { a.nop(); a.nop(); a.rdtsc(); });
    m.step(3);
    expect(m.state.gpr[0]).toBe(1_000_003n);
  });
  it('all of them can be read', () => {
    const m = machine();
    for (const address of Object.values(MSR)) expect(typeof readMsr(m.cpu, address)).toBe('bigint');
  });
});

describe('RDTSC', () => {
  it('at CPL 3 is #GP(0) with CR4.TSD', () => {
    const run = (tsd: boolean): string => {
      const m = machine().enterUser().program((a) => a.rdtsc());
      if (tsd) m.state.cr4 |= CR4.TSD;
      m.step();
      return m.lastException;
    };
    expect([run(false), run(true)]).toEqual(['none', '#GP(0)']);
  });
  it('RDTSCP adds TSC_AUX', () => {
    const m = machine().program((a) => a.rdtscp());
    m.state.tscAux = 7n;
    m.step();
    expect(m.state.gpr[1]).toBe(7n);
  });
  it('RDPMC is #GP(0): there are no counters', () => {
    const m = machine().program((a) => a.rdpmc());
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('FS and GS bases', () => {
  it('WRFSBASE is #UD without CR4.FSGSBASE, and works at CPL 3 with it', () => {
    const m = machine().enterUser().program((a) => { a.wrfsbase(rax); a.rdfsbase(rbx); });
    m.state.gpr[0] = 0x1_2345_6789n;
    m.state.cr4 |= CR4.FSGSBASE;
    m.step(2);
    expect([m.lastException, m.state.gpr[3]]).toEqual(['none', 0x1_2345_6789n]);
    const other = machine().program((a) => a.wrfsbase(rax));
    other.step();
    expect(other.lastException).toBe('#UD');
  });
  it('SWAPGS exchanges GS base and KERNEL_GS_BASE, at CPL 0 only', () => {
    const m = machine().program((a) => a.swapgs());
    m.state.base[SEGMENT.GS] = 1n;
    m.state.kernelGsBase = 2n;
    m.step();
    expect([m.state.base[SEGMENT.GS], m.state.kernelGsBase]).toEqual([2n, 1n]);
    const user = machine().enterUser().program((a) => a.swapgs());
    user.step();
    expect(user.lastException).toBe('#GP(0)');
  });
});

describe('TLB invalidation', () => {
  it('a changed page table entry is seen after INVLPG', () => {
    const m = machine();
    m.write64(AT.pages + 0x1000, 1n);
    m.write64(AT.pages + 0x2000, 2n);
    m.program((a) => { a.mov(rax, qword(AT.pages + 0x1000)); a.mov(rbx, qword(AT.pages + 0x1000)); a.invlpg(at(AT.pages + 0x1000)); a.mov(rcx, qword(AT.pages + 0x1000)); });
    m.step();
    m.write64(AT.pt + 8, BigInt(AT.pages + 0x2000) | 7n);
    m.step(3);
    expect([m.state.gpr[0], m.state.gpr[3], m.state.gpr[1]]).toEqual([1n, 1n, 2n]);
  });
  it('INVPCID refuses unknown types, reserved bits, and a PCID without CR4.PCIDE', () => {
    const run = (type: bigint, descriptor: bigint, address = 0n): string => {
      const m = machine().program((a) => a.db(0x66, 0x0f, 0x38, 0x82, 0x04, 0x25, 0, 0, 4, 0));
      m.state.gpr[0] = type;
      m.write64(AT.data, descriptor);
      m.write64(AT.data + 8, address);
      m.step();
      return m.lastException;
    };
    expect([run(0n, 0n), run(4n, 0n), run(1n, 0x1000n), run(1n, 1n), run(0n, 0n, 1n << 56n), run(3n, 0xfffn)])
      .toEqual(['none', '#GP(0)', '#GP(0)', '#GP(0)', '#GP(0)', 'none']);
  });
  it('INVLPG and WBINVD are for CPL 0', () => {
    const m = machine().enterUser().program((a) => a.wbinvd());
    m.step();
    expect(m.lastException).toBe('#GP(0)');
  });
});

describe('CPUID', () => {
  const context = { in64BitMode: true, apicEnabled: true, monitorEnabled: true, osxsave: false, ospke: false, xcr0: 1 };
  const text = (...words: number[]): string => Buffer.from(new Uint32Array(words).buffer).toString('latin1');
  it('names vendor and model', () => {
    const vendor = cpuid(DEFAULT_MODEL, 0, 0, context);
    expect(text(vendor.ebx, vendor.edx, vendor.ecx)).toBe(DEFAULT_MODEL.vendor);
    const brand = [2, 3, 4].map((n) => cpuid(DEFAULT_MODEL, 0x8000_0000 + n, 0, context)).map((r) => text(r.eax, r.ebx, r.ecx, r.edx)).join('');
    expect(brand.replace(/\0*$/, '')).toBe(DEFAULT_MODEL.brand);
    expect(brand).toHaveLength(48);
  });
  it('announces long mode, x87, MMX, SSE and SSE2', () => {
    const extended = cpuid(DEFAULT_MODEL, 0x8000_0001, 0, context);
    expect((extended.edx >>> 29) & 1).toBe(1);
    expect(cpuid(DEFAULT_MODEL, 1, 0, context).edx & (1 | (15 << 23))).toBe(1 | (15 << 23));
  });
  it('announces SYSCALL in 64-bit mode only', () => {
    const bit = (in64BitMode: boolean): number => (cpuid(DEFAULT_MODEL, 0x8000_0001, 0, { ...context, in64BitMode }).edx >>> 11) & 1;
    expect([bit(true), bit(false)]).toEqual([1, 0]);
  });
  it('gives the highest basic leaf for unknown ones', () => expect(cpuid(DEFAULT_MODEL, 0x4000_0000, 0, context)).toEqual(cpuid(DEFAULT_MODEL, 0x16, 0, context)));
  it('clears the upper halves of the four registers', () => {
    const m = machine();
    m.state.gpr.fill(0xffff_ffff_0000_0000n, 0, 4);
    m.program((a) => a.cpuid()).step();
    expect(m.state.gpr.slice(0, 4).every((value) => value >> 32n === 0n)).toBe(true);
  });
});

executesRows(SYSTEM_ROWS.registers);

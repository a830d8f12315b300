/** 5-level paging: CR4.LA57, addresses of 57 bits and what is canonical then. SDM Vol. 3A, "4-Level Paging and 5-Level Paging"; Vol. 1, "Canonical Addressing". */
import { describe, expect, it } from 'vitest';
import { at, cr4, edi, fs, qword, r8, rax, rbp, rbx, rcx, rdi, rsi, type Assembler } from '../../src/assembler/index.ts';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { EVERY_FEATURE, parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { MSR } from '../../src/cpu/msr.ts';
import { ENGINE_NAMES, type EngineName } from '../../src/machine/machine.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { linear } from '../../src/state/addresses.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const PML5 = 0x12_0000, OPEN = 7n;
/** What is at 0 is here too, through an entry of the PML5 of its own: canonical with 57 bits only. */
const WIDE = 1n << 48n, HIGH = 0xff00_0000_0000_0000n;
const WIDE_CANONICAL = 0x00ff_ffff_ffff_f000n, NEVER_CANONICAL = 1n << 56n;

/** Five levels: the root leads to the four-level tables of SystemMachine by its entries 0, 1, 256 and 511. */
function fiveLevels(m: SystemMachine): void {
  for (const n of [0, 1, 256, 511]) m.write64(PML5 + 8 * n, BigInt(AT.pml4) | OPEN);
  m.state.cr3 = BigInt(PML5);
  m.state.cr4 |= CR4.LA57;
  m.mmu.flushAll();
  m.cpu.refresh();
}
function machine(engine: EngineName = 'reference', levels: 4 | 5 = 5, model: CpuModel = EVERY_FEATURE): SystemMachine {
  const m = new SystemMachine(64, engine, model).gates();
  if (levels === 5) fiveLevels(m);
  return m;
}
/** The exception of one instruction. */
function raised(body: (a: Assembler) => void, prepare: (m: SystemMachine) => void = () => undefined, levels: 4 | 5 = 5, model?: CpuModel): string {
  const m = machine('reference', levels, model);
  prepare(m);
  m.program(body).step();
  return m.lastException;
}

describe('a program at addresses of 57 bits', () => {
  const TURNS = 3000;
  sameOnEveryEngine('reads and writes them, in a loop that becomes hot', (m) => {
    fiveLevels(m);
    m.program((a) => {
      a.mov(rbx, WIDE + BigInt(AT.data));
      a.mov(rsi, HIGH + BigInt(AT.data));
      a.mov(edi, TURNS);
      a.label('turn');
      a.add(qword(rbx), 3);
      a.mov(rax, qword(rsi));
      a.mov(rcx, qword(AT.data));
      a.add(r8, rax);
      a.add(r8, rcx);
      a.dec(edi);
      a.jnz('turn');
      a.hlt();
    });
  }, { finds: (m) => [m.read64(AT.data), BigInt(3 * TURNS)] });

  sameOnEveryEngine('is called there from code below, again and again, and returns', (m) => {
    fiveLevels(m);
    m.program((a) => { a.label('routine'); a.add(r8, 1); a.ret(); }, { origin: 0x1_8000 });
    m.program((a) => {
      a.mov(rbx, WIDE + 0x1_8000n);
      a.mov(edi, TURNS);
      a.label('turn');
      a.call(rbx);
      a.mov(rcx, 0x1_8000);
      a.call(rcx);
      a.dec(edi);
      a.jnz('turn');
      a.hlt();
    });
  }, { finds: (m) => [m.state.gpr[8], BigInt(2 * TURNS)] });

  sameOnEveryEngine('goes on there in a loop of its own, and string instructions reach them', (m) => {
    fiveLevels(m);
    m.program((a) => {
      a.mov(rcx, 4000);
      a.mov(rdi, WIDE + BigInt(AT.data) - 8n);
      a.mov(rax, 0x55);
      a.rep.stosb();
      a.mov(rcx, TURNS);
      a.label('turn');
      a.add(r8, rcx);
      a.dec(rcx);
      a.jnz('turn');
      a.hlt();
    });
    m.state.rip += WIDE;
  }, { finds: (m) => [[m.state.gpr[8], m.read64(AT.data + 3984)], [BigInt(TURNS * (TURNS + 1) / 2), 0x5555_5555_5555_5555n]] });
});

describe.each(ENGINE_NAMES)('what is not canonical, on the %s engine', (engine) => {
  const outcome = (levels: 4 | 5, body: (a: Assembler) => void): string => {
    const m = machine(engine, levels);
    m.program((a) => { body(a); a.hlt(); });
    m.runFast(20);
    return m.lastException === 'none' ? 'none' : `${m.lastException} at ${m.delivered[0]!.rip - BigInt(AT.code)}`;
  };
  const both = (body: (address: bigint) => (a: Assembler) => void): string[] => [outcome(4, body(WIDE)), outcome(5, body(WIDE)), outcome(5, body(NEVER_CANONICAL))];
  it('is refused to data accesses, through the stack with #SS(0)', () => {
    expect(both((address) => (a) => { a.mov(rbx, address + BigInt(AT.data)); a.mov(rax, qword(rbx)); })).toEqual(['#GP(0) at 10', 'none', '#GP(0) at 10']);
    expect(both((address) => (a) => { a.mov(rbp, address + BigInt(AT.data)); a.mov(rax, qword(rbp)); })).toEqual(['#SS(0) at 10', 'none', '#SS(0) at 10']);
  });
  it('is refused to near branches and returns', () => {
    const there = (address: bigint) => (a: Assembler): void => { a.mov(rbx, address + BigInt(AT.code) + 100n); a.jmp(rbx); };
    expect(both((address) => (a) => { there(address)(a); a.fill(100 - 12); a.hlt(); })).toEqual(['#GP(0) at 10', 'none', '#GP(0) at 10']);
    expect(both((address) => (a) => { a.mov(rbx, address + BigInt(AT.code) + 100n); a.push(rbx); a.ret(); a.fill(100 - 12); a.hlt(); })).toEqual(['#GP(0) at 11', 'none', '#GP(0) at 11']);
  });
  it('is what lies between 0x00ffffffffffffff and 0xff00000000000000', () => {
    const m = machine(engine);
    m.program((a) => { a.mov(rbx, WIDE_CANONICAL + 0xff9n); a.mov(rax, qword(rbx)); });
    m.runFast(2);
    expect(m.lastException).toBe('#GP(0)');
    const below = machine(engine);
    below.program((a) => { a.mov(rbx, WIDE_CANONICAL + 0xff8n); a.mov(rax, qword(rbx)); });
    below.runFast(2);
    expect([below.lastException, below.state.cr2]).toEqual(['#PF(0)', WIDE_CANONICAL + 0xff8n]);
  });
});

describe('what registers keep', () => {
  const narrow = parseCpuModel('max,-la57');
  /** With five levels, with four on the same processor, on one that has only four. */
  const everywhere = (body: (a: Assembler) => void, prepare: (m: SystemMachine) => void, address = WIDE): string[] => {
    const prepared = (m: SystemMachine): void => { m.state.cr4 |= CR4.FSGSBASE; m.state.gpr[0] = address & 0xffff_ffffn; m.state.gpr[2] = address >> 32n; m.state.gpr[3] = address; prepare(m); };
    return [raised(body, prepared), raised(body, prepared, 4), raised(body, prepared, 4, narrow)];
  };
  it('may have 57 bits wherever the processor has them, whatever CR4.LA57 is: MSRs', () => {
    for (const msr of [MSR.LSTAR, MSR.KERNEL_GS_BASE, MSR.FS_BASE, MSR.SYSENTER_EIP]) {
      expect(everywhere((a) => a.wrmsr(), (m) => { m.state.gpr[1] = BigInt(msr); })).toEqual(['none', 'none', '#GP(0)']);
      expect(everywhere((a) => a.wrmsr(), (m) => { m.state.gpr[1] = BigInt(msr); }, NEVER_CANONICAL)).toEqual(['#GP(0)', '#GP(0)', '#GP(0)']);
    }
  });
  it('and segment and table bases', () => {
    expect(everywhere((a) => a.wrgsbase(rbx), () => undefined)).toEqual(['none', 'none', '#GP(0)']);
    expect(everywhere((a) => a.lgdt(at(AT.data)), (m) => { m.write64(AT.data, (WIDE << 16n) & ~0xffffn | 0xffn); m.write64(AT.data + 8, WIDE >> 48n); })).toEqual(['none', 'none', '#GP(0)']);
  });
  it('INVPCID takes them, too', () => {
    expect(everywhere((a) => a.invpcid(rcx, at(AT.data)), (m) => { m.state.gpr[1] = 0n; m.write64(AT.data, 0n); m.write64(AT.data + 8, WIDE); })).toEqual(['none', 'none', '#GP(0)']);
  });
  it('SYSRET goes to the addresses of the paging mode', () => {
    const toWide = (m: SystemMachine): void => { m.state.gpr[1] = WIDE; m.state.gpr[11] = 2n; };
    expect([raised((a) => a.sysretq(), toWide), raised((a) => a.sysretq(), toWide, 4)]).toEqual(['none', '#GP(0)']);
  });
  it('an access through FS or GS checks the sum', () => {
    const based = (m: SystemMachine): void => { m.state.base[4] = WIDE; };
    const body = (a: Assembler): void => { a.mov(rax, qword(AT.data).in(fs)); };
    expect([raised(body, based), raised(body, based, 4)]).toEqual(['none', '#GP(0)']);
  });
});

describe('CR4.LA57', () => {
  const write = (bits: 32 | 64, la57: boolean, model = EVERY_FEATURE): string => {
    const m = new SystemMachine(bits, 'reference', model).gates();
    m.state.gpr[0] = BigInt((m.state.cr4 & ~CR4.LA57) | (la57 ? CR4.LA57 : 0));
    m.program((a) => { a.db(0x0f, 0x22, 0xe0); }).step();
    return m.lastException;
  };
  it('changes outside IA-32e mode only, and exists where CPUID announces it', () => {
    expect([write(32, true), write(64, true), write(64, false), write(32, true, parseCpuModel('max,-la57'))]).toEqual(['none', '#GP(0)', 'none', '#GP(0)']);
    const m = machine();
    m.state.gpr[0] = BigInt(m.state.cr4 & ~CR4.LA57);
    m.program((a) => a.mov(cr4, rax)).step();
    expect(m.lastException).toBe('#GP(0)');
  });
  it('is announced in leaf 7, with linear addresses of 57 bits in leaf 80000008', () => {
    const context = { in64BitMode: true, apicEnabled: true, monitorEnabled: true, osxsave: false, ospke: false, xcr0: 1 };
    const [wide, narrow] = ['max', 'max,-la57'].map(parseCpuModel).map((model) => [(cpuid(model, 7, 0, context).ecx >>> 16) & 1, (cpuid(model, 0x8000_0008, 0, context).eax >>> 8) & 0xff]);
    expect([wide, narrow]).toEqual([[1, 57], [0, 48]]);
  });
});

it('the walk of an address goes through five levels', () => {
  const walk = machine().mmu.explain(linear(WIDE + BigInt(AT.pages) + 8n));
  expect(walk.mode).toBe('5-level');
  expect(walk.levels.map(({ structure, index }) => `${structure} ${index}`)).toEqual(['PML5E 1', 'PML4E 0', 'PDPTE 0', 'PDE 1', 'PTE 0']);
  expect(walk.physicalAddress).toBe(AT.pages + 8);
});

executesRows(SYSTEM_ROWS['five-level-paging']);

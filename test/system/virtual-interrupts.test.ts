/** CR4.VME and CR4.PVI: VIF instead of IF, and INT n to the 8086 program's own handlers. SDM Vol. 3B, "Interrupt and Exception Handling in Virtual-8086 Mode", "Protected-Mode Virtual Interrupts". */
import { describe, expect, it } from 'vitest';
import { cr4, eax, imm, label, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { EVERY_FEATURE, parseCpuModel } from '../../src/cpu/models.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { ENGINE_NAMES } from '../../src/machine/machine.ts';
import { executesRows } from '../support/rows-executed.ts';
import { AT, REAL, SEL, SystemMachine } from '../support/system-machine.ts';
import { guest } from '../support/virtual-8086.ts';
import { SYSTEM_ROWS } from './rows.ts';

const { IF, TF, VIF, VIP, IOPL, VM } = RFLAGS;
const OWN = 0x2000, IO_MAP = 0x200;
const exception = (m: SystemMachine): string => m.lastException;

/** A program in virtual-8086 mode with CR4.VME, and IOPL 0 unless the flags say more. All bits of the redirection bitmap are 0. */
function vme(body: (a: Assembler) => void, flags = 0, prepare: (m: SystemMachine) => void = () => undefined): SystemMachine {
  return guest(body, flags, (m) => {
    m.state.cr4 |= CR4.VME;
    m.memory.write(physical(AT.tss + 102), 2, IO_MAP);
    for (let n = 0; n < 32; n++) m.memory.write(physical(AT.tss + IO_MAP - 32 + n), 1, 0);
    prepare(m);
  });
}
/** The word that is n words up on the program's stack. */
const stacked = (m: SystemMachine, n: number): number => m.memory.read(physical(Number(m.state.base[SEGMENT.SS]!) + Number(m.rsp) + 2 * n), 2);
const virtualFlags = (m: SystemMachine): number => m.rflags & (IF | VIF | VIP | IOPL | TF);

describe('with CR4.VME and IOPL below 3', () => {
  it('CLI and STI change VIF and leave IF', () => {
    const m = vme((a) => { a.sti(); a.cli(); }, IF);
    m.step();
    expect(virtualFlags(m)).toBe(IF | VIF);
    m.step();
    expect([virtualFlags(m), exception(m)]).toEqual([IF, 'none']);
  });
  it('STI is #GP(0) while VIP is 1; CLI is not', () => {
    const sti = vme((a) => a.sti(), VIP), cli = vme((a) => a.cli(), VIP | VIF);
    sti.step();
    cli.step();
    expect([exception(sti), exception(cli), virtualFlags(cli)]).toEqual(['#GP(0)', 'none', VIP]);
  });
  it('PUSHF pushes VIF as IF, and IOPL 3', () => {
    for (const [flags, pushed] of [[VIF, IOPL | IF | 2], [IF, IOPL | 2]] as const) {
      const m = vme((a) => a.pushf(), flags);
      m.step();
      expect(stacked(m, 0)).toBe(pushed);
    }
  });
  it('POPF takes IF as VIF and leaves IF and IOPL', () => {
    const m = vme((a) => { a.push(imm(IF | 1, 16)); a.popf(); }, 0);
    m.step(2);
    expect([virtualFlags(m), m.rflags & 1]).toEqual([VIF, 1]);
    const off = vme((a) => { a.push(imm(IOPL, 16)); a.popf(); }, VIF | IF);
    off.step(2);
    expect(virtualFlags(off)).toBe(IF);
  });
  it('POPF is #GP(0) where it sets TF, or IF while VIP is 1', () => {
    const popping = (value: number, flags: number): string => {
      const m = vme((a) => { a.push(imm(value, 16)); a.popf(); }, flags);
      m.step(2);
      return exception(m);
    };
    expect([popping(TF, 0), popping(IF, VIP), popping(0, VIP), popping(IF, 0)]).toEqual(['#GP(0)', '#GP(0)', 'none', 'none']);
  });
  it('IRET does the same', () => {
    const returning = (value: number, flags: number): SystemMachine => {
      const m = vme((a) => { a.push(imm(value, 16)); a.push(imm(REAL.code, 16)); a.push(label('on')); a.iret(); a.label('on'); a.nop(); }, flags);
      m.step(4);
      return m;
    };
    expect(virtualFlags(returning(IF, 0))).toBe(VIF);
    expect(virtualFlags(returning(0, VIF | IF))).toBe(IF);
    expect([exception(returning(TF, 0)), exception(returning(IF, VIP))]).toEqual(['#GP(0)', '#GP(0)']);
  });
  it('PUSHFD, POPFD and IRETD are #GP(0)', () => {
    for (const body of [(a: Assembler) => a.pushfd(), (a: Assembler) => a.popfd(), (a: Assembler) => a.iretd()]) {
      const m = vme(body);
      m.step();
      expect(exception(m)).toBe('#GP(0)');
    }
  });
  it('an interrupt pushes VIF and IF as they are', () => {
    const m = vme((a) => { a.sti(); a.ud2(); }, IF);
    m.step(2);
    expect([exception(m), m.memory.read(physical(Number(m.rsp) + 8), 4) & (VIF | IF | VM)]).toEqual(['#UD', VIF | IF | VM]);
  });
});

describe('INT n with CR4.VME', () => {
  const own = (m: SystemMachine): void => { m.memory.write(physical(4 * 0x21), 4, (OWN << 16) | 0x30); };
  it('whose bit is 0 calls the program\'s own handler, with VIF as IF and IOPL 3 on its stack, and clears VIF', () => {
    const m = vme((a) => a.int(0x21), VIF | IF, own);
    m.step();
    expect([exception(m), m.selector(SEGMENT.CS), m.state.rip, m.rsp]).toEqual(['none', OWN, 0x30n, 0x7ffan]);
    expect([stacked(m, 0), stacked(m, 1), stacked(m, 2)]).toEqual([2, REAL.code, IOPL | IF | 2]);
    expect([virtualFlags(m), m.state.cpl]).toEqual([IF, 3]);
  });
  it('with IOPL 3 pushes FLAGS as they are and clears IF', () => {
    const m = vme((a) => a.int(0x21), IOPL | IF | VIF, own);
    m.step();
    expect([stacked(m, 2), virtualFlags(m)]).toEqual([IOPL | IF | 2, IOPL | VIF]);
  });
  it('whose bit is 1 is the monitor\'s: #GP(0) with IOPL below 3, through the IDT with IOPL 3', () => {
    const bit = (m: SystemMachine): void => { own(m); m.memory.write(physical(AT.tss + IO_MAP - 32 + 4), 1, 2); m.gate(0x21, { access: 0xee }); };
    const below = vme((a) => a.int(0x21), 0, bit), at3 = vme((a) => a.int(0x21), IOPL, bit);
    below.step();
    at3.step();
    expect([exception(below), exception(at3)]).toEqual(['#GP(0)', 'vector 33']);
  });
  it('is #GP(0) where the TSS has no bitmap', () => {
    const m = vme((a) => a.int(0x21), 0, (x) => { own(x); x.memory.write(physical(AT.tss + 102), 2, 0xffff); });
    m.step();
    expect(exception(m)).toBe('#GP(0)');
  });
  it('faults on an unmapped vector table as a load does, and on its stack, with nothing changed', () => {
    const m = vme((a) => a.int(0x21), VIF, own);
    m.state.gpr[4] = 1n;
    m.step();
    expect([exception(m), m.memory.read(physical(Number(m.rsp) + 12), 4) & VIF]).toEqual(['#SS(0)', VIF]);
  });
  it('INT3 is the monitor\'s, whatever its bit', () => {
    const m = vme((a) => a.int3(), 0, (x) => x.gate(3, { access: 0xee }));
    m.step();
    expect(exception(m)).toBe('#BP');
  });
});

describe.each(ENGINE_NAMES)('CR4.PVI on the %s engine', (engine) => {
  const user = (body: (a: Assembler) => void, flags: number, pvi = true): SystemMachine => {
    const m = new SystemMachine(32, engine).gates().enterUser(32);
    m.memory.write(physical(AT.tss + 4), 4, AT.rsp0);
    m.memory.write(physical(AT.tss + 8), 4, SEL.data);
    if (pvi) m.state.cr4 |= CR4.PVI;
    m.rflags = flags | 2;
    m.program(body).step();
    return m;
  };
  it('gives CLI and STI at CPL 3 VIF, where IOPL forbids them IF', () => {
    expect([virtualFlags(user((a) => a.sti(), IF)), virtualFlags(user((a) => a.cli(), IF | VIF))]).toEqual([IF | VIF, IF]);
    expect([exception(user((a) => a.sti(), VIP)), exception(user((a) => a.sti(), 0, false)), exception(user((a) => a.cli(), 0, false))]).toEqual(['#GP(0)', '#GP(0)', '#GP(0)']);
  });
  it('with IOPL 3 they change IF', () => expect(virtualFlags(user((a) => a.sti(), IOPL))).toBe(IOPL | IF));
  it('POPF leaves VIF and IF', () => expect(virtualFlags(user((a) => { a.push(imm(0, 32)); a.popfd(); }, IF | VIF))).toBe(IF | VIF));
});

it('CR4.VME and CR4.PVI exist where CPUID announces VME', () => {
  const writes = (bit: number, model = EVERY_FEATURE): string => {
    const m = new SystemMachine(32, 'reference', model).gates();
    m.state.gpr[0] = BigInt(CR4.DE | bit);
    m.program((a) => a.mov(cr4, eax)).step();
    return m.lastException;
  };
  expect([writes(CR4.VME), writes(CR4.PVI), writes(CR4.VME, parseCpuModel('max,-vme')), writes(CR4.PVI, parseCpuModel('max,-vme'))]).toEqual(['none', 'none', '#GP(0)', '#GP(0)']);
});

executesRows(SYSTEM_ROWS['virtual-interrupts']);

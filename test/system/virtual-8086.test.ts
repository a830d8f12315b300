/** Virtual-8086 mode: how it is entered and left, what its monitor is asked, what faults. SDM Vol. 3B, "8086 Emulation". */
import { describe, expect, it } from 'vitest';
import { al, ax, bx, byte, cr0, ds, dx, eax, es, far, imm, label, word, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { guest, monitor } from '../support/virtual-8086.ts';
import { executesRows } from '../support/rows-executed.ts';
import { ACCESS, AT, FLAGS, REAL, SEL, SystemMachine, dpl, nameOf, segment } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

const IOPL3 = RFLAGS.IOPL;
const DATA_SEGMENTS = [SEGMENT.ES, SEGMENT.SS, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;
const read32 = (m: SystemMachine, at: number): number => m.memory.read(physical(at), 4);

const exceptions = (m: SystemMachine): string[] => m.delivered.map(nameOf);

describe('IRETD with VM set', () => {
  const m = guest((a) => a.nop(), IOPL3 | RFLAGS.IF);
  it('loads every segment with 16 times its selector and 64 KiB, and CPL 3', () => {
    expect([m.selector(SEGMENT.CS), m.state.base[SEGMENT.CS], m.state.limit[SEGMENT.CS], m.state.cpl]).toEqual([REAL.code, 0x1_0000n, 0xffff, 3]);
    expect(DATA_SEGMENTS.map((s) => m.state.base[s])).toEqual([0x4_0000n, 0x5_8000n, 0x4_0000n, 0x1_1110n, 0x2_2220n]);
    expect([...m.state.attributes].slice(0, 6)).toEqual([0xf3, 0xf3, 0xf3, 0xf3, 0xf3, 0xf3]);
  });
  it('loads ESP and all of EFLAGS', () => expect([m.rsp, m.rflags]).toEqual([0x8000n, RFLAGS.VM | IOPL3 | RFLAGS.IF | 2]));
  it('runs 16-bit code, which has no VEX prefixes', () => expect(m.cpu.mode()).toEqual({ codeSize: 16, stackSize: 16, withoutVex: true }));
  it('to an offset beyond FFFF is #GP(0)', () => {
    const other = guest((a) => a.nop(), 0, (x) => x.memory.write(physical(AT.kernelStack - 36), 4, 0x1_0000));
    expect([exceptions(other), other.state.cpl]).toEqual([['#GP(0)'], 0]);
  });
  it('leaves VM alone at another CPL', () => {
    const other = new SystemMachine(32).gates().enterUser(32);
    other.state.gpr[4] = BigInt(AT.userStack - 12);
    [AT.userCode + 0x100, SEL.userCode32, RFLAGS.VM | 2].forEach((value, n) => other.memory.write(physical(AT.userStack - 12 + 4 * n), 4, value));
    other.program((a) => a.iretd()).step();
    expect([other.state.rip, other.rflags & RFLAGS.VM]).toEqual([BigInt(AT.userCode + 0x100), 0]);
  });
});

describe('an exception in virtual-8086 mode', () => {
  const m = guest((a) => a.ud2(), RFLAGS.IF);
  m.step();
  it('goes to ring 0 with the stack of the TSS: GS FS DS ES SS ESP EFLAGS CS EIP', () => {
    expect(m.rsp).toBe(BigInt(AT.rsp0 - 36));
    expect(Array.from({ length: 9 }, (_, n) => read32(m, AT.rsp0 - 36 + 4 * n))).toEqual([
      0, REAL.code, RFLAGS.VM | RFLAGS.RF | RFLAGS.IF | 2, 0x8000, REAL.stack, REAL.data, REAL.data, 0x1111, 0x2222,
    ]);
  });
  it('makes the data segments null and clears VM', () => {
    expect([SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS].map((s) => [m.selector(s), m.state.attributes[s]! >> 16])).toEqual([[0, 1], [0, 1], [0, 1], [0, 1]]);
    expect([m.rflags, m.state.cpl, m.selector(SEGMENT.CS), m.selector(SEGMENT.SS)]).toEqual([2, 0, SEL.code32, SEL.data]);
  });
  it('whose handler is not at ring 0 is #GP(selector)', () => {
    const other = guest((a) => a.ud2(), 0, (x) => x.gate(6, { selector: SEL.userCode32 }));
    other.step();
    expect(exceptions(other)).toEqual(['#UD', '#GP(0x21)']);
    const conforming = guest((a) => a.ud2(), 0, (x) => {
      x.descriptor(SEL.free, segment(ACCESS.conforming, FLAGS.big));
      x.gate(6, { selector: SEL.free });
    });
    conforming.step();
    expect(exceptions(conforming)).toEqual(['#UD', '#GP(0x49)']);
  });
  it('through a 16-bit gate pushes words', () => {
    const other = guest((a) => a.ud2(), 0, (x) => x.gate(6, { access: 0x86 }));
    other.step();
    expect([other.rsp, other.memory.read(physical(AT.rsp0 - 18), 2), other.memory.read(physical(AT.rsp0 - 2), 2)]).toEqual([BigInt(AT.rsp0 - 18), 0, 0x2222]);
  });
});

describe('the IOPL-sensitive instructions', () => {
  const sensitive: [string, (a: Assembler) => void][] = [
    ['CLI', (a) => a.cli()], ['STI', (a) => a.sti()], ['PUSHF', (a) => a.pushf()], ['PUSHFD', (a) => a.pushfd()], ['POPF', (a) => a.popf()], ['IRET', (a) => a.iret()], ['INT n', (a) => a.int(0x20)],
  ];
  it.each(sensitive)('%s is #GP(0) with IOPL below 3', (_name, body) => {
    const m = guest(body, 2 << 12);
    m.step();
    expect([exceptions(m), m.state.cpl]).toEqual([['#GP(0)'], 0]);
  });
  it('run with IOPL 3, which POPF and IRET cannot change, nor VM', () => {
    const m = guest((a) => {
      a.cli(); a.pushf(); a.pop(ax);
      a.push(imm(0x0202, 16)); a.popf();
      a.pushf(); a.push(imm(REAL.code, 16)); a.push(label('on')); a.iret();
      a.label('on'); a.nop(); a.nop();
    }, IOPL3);
    m.step(9);
    expect([exceptions(m), m.state.gpr[0], m.rflags]).toEqual([[], BigInt(IOPL3 | 2), RFLAGS.VM | IOPL3 | RFLAGS.IF | 2]);
  });
  it('INT n goes to the monitor through a gate with DPL 3, and is #GP(gate) without', () => {
    const open = guest((a) => a.int(0x20), IOPL3, (m) => m.gate(0x20, { access: ACCESS.interruptGate | dpl(3), offset: AT.handlers }));
    open.step();
    expect([exceptions(open), open.state.rip, open.state.cpl]).toEqual([['vector 32'], BigInt(AT.handlers), 0]);
    const closed = guest((a) => a.int(0x20), IOPL3, (m) => m.gate(0x20, { offset: AT.handlers }));
    closed.step();
    expect(exceptions(closed)).toEqual(['vector 32', '#GP(0x102)']);
  });
  it('INT3 does not ask for IOPL', () => {
    const m = guest((a) => a.int3(), 0, (x) => x.gate(3, { access: ACCESS.interruptGate | dpl(3) }));
    m.step();
    expect(exceptions(m)).toEqual(['#BP']);
  });
  it('IN and OUT ask the I/O permission bitmap, whatever IOPL is', () => {
    const refused = guest((a) => a.in(al, 0x60), IOPL3);
    refused.step();
    expect(exceptions(refused)).toEqual(['#GP(0)']);
    const allowed = guest((a) => { a.mov(dx, 0x60); a.in(al, dx); }, 0, (m) => {
      m.memory.write(physical(AT.tss + 102), 2, 104);
      m.ports.set(0x60, 0x5a);
    });
    allowed.step(2);
    expect([exceptions(allowed), allowed.state.gpr[0]! & 0xffn]).toEqual([[], 0x5an]);
  });
});

describe('in virtual-8086 mode', () => {
  const faults: [string, (a: Assembler) => void, string][] = [
    ['HLT', (a) => a.hlt(), '#GP(0)'], ['MOV CR0', (a) => a.mov(cr0, eax), '#GP(0)'], ['MOV from CR0', (a) => a.mov(eax, cr0), '#GP(0)'], ['LMSW', (a) => a.lmsw(ax), '#GP(0)'],
    ['CLTS', (a) => a.clts(), '#GP(0)'], ['LLDT', (a) => a.lldt(ax), '#UD'], ['LAR', (a) => a.lar(ax, bx), '#UD'], ['ARPL', (a) => a.arpl(ax, bx), '#UD'], ['STR', (a) => a.str(ax), '#UD'],
  ];
  it.each(faults)('%s is %3$s', (_name, body, expected) => {
    const m = guest(body, IOPL3);
    m.step();
    expect(exceptions(m)).toEqual([expected]);
  });
  it('segment loads and far jumps are those of an 8086', () => {
    const m = guest((a) => { a.mov(ax, 0x1234); a.mov(ds, ax); a.mov(es, ax); a.jmp(far(0x2000, 0x10)); });
    m.step(4);
    expect([exceptions(m), m.state.base[SEGMENT.DS], m.state.base[SEGMENT.CS], m.state.rip, m.state.attributes[SEGMENT.CS]]).toEqual([[], 0x1_2340n, 0x2_0000n, 0x10n, 0xf3]);
  });
  it('code may be written through CS', () => {
    const m = guest((a) => { a.mov(ax, word(0x100).in({ kind: 'segment', name: 'cs', number: 1 })); a.mov(byte(0x100).in({ kind: 'segment', name: 'cs', number: 1 }), al); });
    m.step(2);
    expect(exceptions(m)).toEqual([]);
  });
  it('an access across offset FFFF is #GP(0)', () => {
    const m = guest((a) => { a.mov(bx, 0xffff); a.mov(ax, word(bx)); });
    m.step(2);
    expect(exceptions(m)).toEqual(['#GP(0)']);
  });
  it('an interrupt from outside goes to the monitor, whose IRETD comes back', () => {
    const m = guest((a) => { a.nop(); a.nop(); }, RFLAGS.IF, (x) => {
      x.gate(0x30, { offset: AT.handlers });
      x.program((a) => a.iretd(), { bits: 32, origin: AT.handlers });
    });
    m.interrupts.push(0x30);
    m.cpu.interruptLineChanged();
    m.step(3);
    expect([m.delivered.map((d) => d.vector), m.state.cpl, m.rflags, m.selector(SEGMENT.GS), m.state.rip]).toEqual([[0x30], 3, RFLAGS.VM | RFLAGS.IF | 2, 0x2222, 1n]);
  });
});

describe('every engine', () => {
  sameOnEveryEngine('runs a monitor and its guest', (m) => {
    monitor(m, IOPL3, (a) => {
      a.mov(bx, 0);
      a.label('again'); a.add(word(bx), 1); a.int(0x20); a.cmp(word(bx), 200); a.jb('again');
      a.int(0x21);
    });
    m.gate(0x20, { access: ACCESS.interruptGate | dpl(3), offset: AT.handlers + 0x1000 });
    m.gate(0x21, { access: ACCESS.interruptGate | dpl(3), offset: AT.handlers + 0x2000 });
    m.program((a) => { a.inc(eax); a.iretd(); }, { bits: 32, origin: AT.handlers + 0x1000 });
    m.program((a) => a.hlt(), { bits: 32, origin: AT.handlers + 0x2000 });
  }, { mode: 32, finds: (m) => [m.state.gpr[0], 200n] });
});

executesRows(SYSTEM_ROWS['virtual-8086']);

/** The hardware task switch: by JMP, CALL, IRET and task gates, with TSSs of 32 and 16 bits. SDM Vol. 3A, "Task Management". */
import { describe, expect, it } from 'vitest';
import { eax, ebx, ecx, edx, far, imm, type Assembler } from '../../src/assembler/index.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { CR0 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { executesRows } from '../support/rows-executed.ts';
import { ACCESS, AT, FLAGS, REAL, SEL, SystemMachine, dpl, gate, nameOf, segment } from '../support/system-machine.ts';
import { SYSTEM_ROWS } from './rows.ts';

/** GDT entries of the other task's TSS, a task gate, an LDT, and one to spare. */
const OTHER = SEL.free, GATE = SEL.free + 8, LDT = SEL.free + 16, SPARE = SEL.free + 24;
const TSS_A = AT.tss, TSS_B = AT.tss + 0x200, TASK_CODE = AT.userCode, TASK_STACK = AT.userStack;
const BUSY = 2;

const write32 = (m: SystemMachine, at: number, value: number): void => m.memory.write(physical(at), 4, value >>> 0);
const read32 = (m: SystemMachine, at: number): number => m.memory.read(physical(at), 4);
const read16 = (m: SystemMachine, at: number): number => m.memory.read(physical(at), 2);
const typeOf = (m: SystemMachine, selector: number): number => m.memory.read(physical(AT.gdt + selector + 5), 1) & 0xf;
const exceptions = (m: SystemMachine): string[] => m.delivered.map(nameOf);

type Fields = Partial<Record<'cr3' | 'eip' | 'eflags' | 'eax' | 'ecx' | 'esp' | 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldt' | 'trap', number>>;
const OFFSET_32 = { cr3: 28, eip: 32, eflags: 36, eax: 40, ecx: 44, esp: 56, es: 72, cs: 76, ss: 80, ds: 84, fs: 88, gs: 92, ldt: 96, trap: 100 } as const;
function fillTss(m: SystemMachine, at: number, fields: Fields): void {
  const all: Fields = { eip: TASK_CODE, eflags: 2, esp: TASK_STACK, cs: SEL.code32, ss: SEL.data, ds: SEL.data, es: SEL.data, fs: 0, gs: 0, ldt: 0, ...fields };
  for (const [name, value] of Object.entries(all)) write32(m, at + OFFSET_32[name as keyof Fields], value);
}

/** Two tasks: the current one, whose TSS is TSS_A, and another that is ready. */
function prepare(m: SystemMachine, fields: Fields = {}): SystemMachine {
  m.descriptor(SEL.tss, segment(ACCESS.tss | BUSY, 0, 0x1ff, TSS_A));
  m.cpu.setSegment(SEGMENT.TR, { selector: SEL.tss, attributes: 0x8b, limit: 0x1ff, base: BigInt(TSS_A) });
  m.descriptor(OTHER, segment(ACCESS.tss, 0, 0x67, TSS_B));
  m.descriptor(GATE, gate(ACCESS.taskGate, OTHER, 0));
  fillTss(m, TSS_B, fields);
  write32(m, TSS_A + 4, AT.rsp0);
  write32(m, TSS_A + 8, SEL.data);
  return m;
}
const machine = (fields: Fields = {}): SystemMachine => prepare(new SystemMachine(32).gates(), fields);
/** A program that switches, and the step that does it. */
function switched(by: (a: Assembler) => void, fields: Fields = {}, more: (m: SystemMachine) => void = () => undefined): SystemMachine {
  const m = machine(fields);
  more(m);
  m.program(by).step();
  return m;
}
const jump = (selector: number) => (a: Assembler): void => a.jmp(far(selector, 0));
const call = (selector: number) => (a: Assembler): void => a.call(far(selector, 0));

describe('JMP to a TSS', () => {
  const m = machine({ eax: 0x1234_5678, eflags: RFLAGS.CF | RFLAGS.IF | 2 });
  m.state.gpr[1] = 0xcafen;
  m.rflags = RFLAGS.ZF | RFLAGS.NT | 2;
  m.state.dr7 = 0x4ff;
  m.program(jump(OTHER)).step();
  it('goes on where the new TSS says, with its registers', () => {
    expect([m.state.rip, m.state.gpr[0], m.rsp, m.rflags, m.selector(SEGMENT.CS), m.selector(SEGMENT.DS)]).toEqual([
      BigInt(TASK_CODE), 0x1234_5678n, BigInt(TASK_STACK), RFLAGS.CF | RFLAGS.IF | 2, SEL.code32, SEL.data,
    ]);
  });
  it('saves the old task behind its JMP', () => {
    expect([read32(m, TSS_A + 32), read32(m, TSS_A + 36), read32(m, TSS_A + 44), read32(m, TSS_A + 56)]).toEqual([AT.code + 7, RFLAGS.ZF | RFLAGS.NT | 2, 0xcafe, AT.kernelStack]);
    expect([read16(m, TSS_A + 76), read16(m, TSS_A + 80), read16(m, TSS_A + 84)]).toEqual([SEL.code32, SEL.data, SEL.data]);
  });
  it('makes the new TSS busy and the old one available, and loads TR', () => {
    expect([typeOf(m, OTHER), typeOf(m, SEL.tss), m.selector(SEGMENT.TR), m.state.base[SEGMENT.TR], m.state.limit[SEGMENT.TR]]).toEqual([11, 9, OTHER, BigInt(TSS_B), 0x67]);
  });
  it('sets CR0.TS and clears the local breakpoints', () => expect([m.state.cr0 & CR0.TS, m.state.dr7]).toEqual([CR0.TS, 0x4aa]));
  it('tells of CR0 what it tells of CR3', () => {
    const told: (readonly [number, bigint])[] = [], other = machine();
    other.cpu.observer = { controlRegister: (number, value) => { told.push([number, value]); }, msr: () => undefined, refreshed: () => undefined };
    other.program(jump(OTHER)).step();
    expect(told).toEqual([[0, BigInt(m.state.cr0 >>> 0)]]);
  });
  it('leaves the link of the new TSS alone', () => expect(read16(m, TSS_B)).toBe(0));
});

describe('CALL and IRET', () => {
  it('nest: NT and the link lead back, and both TSSs are busy meanwhile', () => {
    const m = machine();
    m.program((a) => { a.call(far(OTHER, 0)); a.hlt(); });
    m.program((a) => { a.mov(ebx, imm(7, 32)); a.iretd(); a.hlt(); }, { origin: TASK_CODE });
    m.step();
    expect([m.rflags & RFLAGS.NT, read16(m, TSS_B), typeOf(m, OTHER), typeOf(m, SEL.tss)]).toEqual([RFLAGS.NT, SEL.tss, 11, 11]);
    m.step(2);
    expect([m.state.rip, m.rsp, m.rflags & RFLAGS.NT, m.selector(SEGMENT.TR)]).toEqual([BigInt(AT.code + 7), BigInt(AT.kernelStack), 0, SEL.tss]);
    expect([typeOf(m, OTHER), typeOf(m, SEL.tss), m.state.gpr[3]]).toEqual([9, 11, 0n]);
    // The task goes on behind its IRET when it is called again, and NT is clear in what was saved of it.
    expect([read32(m, TSS_B + 32), read32(m, TSS_B + 36) & RFLAGS.NT, read32(m, TSS_B + 52)]).toEqual([TASK_CODE + 6, 0, 7]);
  });
  it('go through a task gate, whose DPL counts and not that of the TSS', () => {
    const m = machine();
    m.descriptor(GATE, gate(ACCESS.taskGate | dpl(3), OTHER, 0));
    m.enterUser(32).program(call(GATE | 3)).step();
    expect([exceptions(m), m.state.rip, m.state.cpl]).toEqual([[], BigInt(TASK_CODE), 0]);
  });
  it('IRET with a link to what is not a busy TSS is #TS(selector)', () => {
    const link = (selector: number, more: (m: SystemMachine) => void = () => undefined): string[] => {
      const m = machine();
      m.memory.write(physical(TSS_A), 2, selector);
      more(m);
      m.rflags = RFLAGS.NT | 2;
      m.program((a) => a.iretd()).step();
      return exceptions(m);
    };
    expect(link(OTHER)).toEqual(['#TS(0x48)']);
    expect(link(SEL.data)).toEqual(['#TS(0x10)']);
    expect(link(4)).toEqual(['#TS(0x4)']);
    expect(link(OTHER, (m) => m.descriptor(OTHER, segment(0x0b, 0, 0x67, TSS_B)))).toEqual(['#NP(0x48)']);
  });
});

describe('a TSS that cannot be switched to', () => {
  it('that is busy is #GP(selector)', () => expect(exceptions(switched(jump(SEL.tss)))).toEqual(['#GP(0x38)']));
  it('that is not present is #NP(selector)', () => expect(exceptions(switched(jump(OTHER), {}, (m) => m.descriptor(OTHER, segment(0x09, 0, 0x67, TSS_B))))).toEqual(['#NP(0x48)']));
  it('that is too short is #TS(selector)', () => expect(exceptions(switched(jump(OTHER), {}, (m) => m.descriptor(OTHER, segment(ACCESS.tss, 0, 0x66, TSS_B))))).toEqual(['#TS(0x48)']));
  it('of an inner privilege level is #GP(selector)', () => {
    const m = machine();
    m.enterUser(32).program(jump(OTHER | 3)).step();
    expect(exceptions(m)).toEqual(['#GP(0x48)']);
  });
  it('behind a gate that names something else is #GP(that selector), and behind one that is not present #NP(gate)', () => {
    expect(exceptions(switched(jump(GATE), {}, (m) => m.descriptor(GATE, gate(ACCESS.taskGate, SEL.data, 0))))).toEqual(['#GP(0x10)']);
    expect(exceptions(switched(jump(GATE), {}, (m) => m.descriptor(GATE, gate(ACCESS.taskGate, OTHER | 4, 0))))).toEqual(['#GP(0x4c)']);
    expect(exceptions(switched(jump(GATE), {}, (m) => m.descriptor(GATE, gate(0x05, OTHER, 0))))).toEqual(['#NP(0x50)']);
  });
  it('leaves everything as it was', () => {
    const m = switched(jump(OTHER), {}, (x) => x.descriptor(OTHER, segment(ACCESS.tss, 0, 0x66, TSS_B)));
    expect([m.selector(SEGMENT.TR), typeOf(m, SEL.tss), typeOf(m, OTHER), m.state.cr0 & CR0.TS, read32(m, TSS_A + 32)]).toEqual([SEL.tss, 11, 9, 0, 0]);
  });
});

describe('a new task whose state is wrong faults as the current task', () => {
  const wrong = (fields: Fields, more: (m: SystemMachine) => void = () => undefined): SystemMachine => switched(jump(OTHER), fields, (m) => {
    // Its handlers are reached by a stack switch from CPL 3, or stay at CPL 0 with SS loaded by then.
    for (const vector of [10, 11, 12, 13]) m.gate(vector, { access: ACCESS.taskGate, selector: SPARE });
    m.descriptor(SPARE, segment(ACCESS.tss, 0, 0x67, TSS_B + 0x100));
    fillTss(m, TSS_B + 0x100, { eip: AT.handlers, esp: AT.ist1 });
    more(m);
  });
  const NOT_PRESENT = ~0x80;
  const cases: [string, Fields, string, ((m: SystemMachine) => void)?][] = [
    ['a null CS', { cs: 0 }, '#TS(0)'],
    ['CS that is data', { cs: SEL.data }, '#TS(0x10)'],
    ['CS whose DPL is not its RPL', { cs: SEL.code32 | 3 }, '#TS(0x18)'],
    ['CS that is not present', { cs: LDT }, '#NP(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.code & NOT_PRESENT, FLAGS.big))],
    ['CS outside the GDT', { cs: 0x1000 }, '#TS(0x1000)'],
    ['a null SS', { ss: 0 }, '#TS(0)'],
    ['SS of another privilege level', { ss: SEL.userData }, '#TS(0x28)'],
    ['SS that is read-only', { ss: LDT }, '#TS(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.readOnly, FLAGS.big))],
    ['SS that is not present', { ss: LDT }, '#SS(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.data & NOT_PRESENT, FLAGS.big))],
    ['DS that is execute-only', { ds: LDT }, '#TS(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.executeOnly, FLAGS.big))],
    ['ES that is not present', { es: LDT }, '#NP(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.data & NOT_PRESENT, FLAGS.big))],
    ['FS that is a system segment', { fs: SEL.tss }, '#TS(0x38)'],
    ['an LDT that is none', { ldt: SEL.data }, '#TS(0x10)'],
    ['an LDT that is not present', { ldt: LDT }, '#TS(0x58)', (m) => m.descriptor(LDT, segment(ACCESS.ldt & NOT_PRESENT, 0, 0xfff, AT.ldt))],
    ['EIP beyond the limit of CS', { cs: LDT, eip: 0x2000 }, '#GP(0)', (m) => m.descriptor(LDT, segment(ACCESS.code, FLAGS.byte, 0x1fff))],
  ];
  it.each(cases)('%s', (_name, fields, expected, more) => {
    const m = wrong(fields, more);
    expect(exceptions(m)).toEqual([expected]);
    // The TSS of the new task holds where it was; the old one is available.
    expect([m.selector(SEGMENT.TR), read16(m, TSS_B + 0x100), read32(m, TSS_B + 32), typeOf(m, SEL.tss)]).toEqual([SPARE, OTHER, fields.eip ?? TASK_CODE, 9]);
  });
});

describe('a task gate in the IDT', () => {
  it('makes a task of the handler, with the error code on its stack and RF in the EFLAGS of the task that faulted', () => {
    const m = machine();
    m.gate(13, { access: ACCESS.taskGate, selector: OTHER });
    m.program((a) => a.mov(ebx, imm(1, 32)), { origin: TASK_CODE });
    m.state.gpr[3] = 0x33n;
    m.memory.copyIn(physical(AT.code), Uint8Array.of(0xea, 0, 0, 0, 0, 0x23, 0x01));
    m.step();
    expect([exceptions(m), m.state.rip, m.rsp, read32(m, TASK_STACK - 4)]).toEqual([['#GP(0x120)'], BigInt(TASK_CODE), BigInt(TASK_STACK - 4), 0x120]);
    expect([read32(m, TSS_A + 32), read32(m, TSS_A + 36), read32(m, TSS_A + 52), m.rflags & RFLAGS.NT]).toEqual([AT.code, RFLAGS.RF | 2, 0x33, RFLAGS.NT]);
  });
  it('serves interrupts, and IRET resumes what was interrupted', () => {
    const m = machine();
    m.gate(0x30, { access: ACCESS.taskGate, selector: OTHER });
    m.program((a) => { a.nop(); a.mov(ecx, imm(5, 32)); a.hlt(); });
    m.program((a) => { a.mov(ecx, imm(9, 32)); a.iretd(); }, { origin: TASK_CODE });
    m.rflags = RFLAGS.IF | 2;
    m.interrupts.push(0x30);
    m.cpu.interruptLineChanged();
    expect(m.run().kind).toBe('halted');
    expect([m.delivered.map((d) => d.vector), m.state.gpr[1], m.rflags]).toEqual([[0x30], 5n, RFLAGS.IF | 2]);
  });
  it('that leads to a busy TSS is #GP(selector with EXT)', () => {
    const m = machine();
    m.gate(6, { access: ACCESS.taskGate, selector: SEL.tss });
    m.program((a) => a.ud2()).step();
    expect(exceptions(m)).toEqual(['#UD', '#GP(0x39)']);
  });
  it('INT n returns behind the INT', () => {
    const m = machine();
    m.gate(0x40, { access: ACCESS.taskGate, selector: OTHER });
    m.program((a) => a.int(0x40)).step();
    expect([m.state.rip, read32(m, TSS_A + 32), read32(m, TSS_A + 36)]).toEqual([BigInt(TASK_CODE), AT.code + 2, 2]);
  });
});

describe('what comes with the new task', () => {
  it('T in its TSS is #DB with DR6.BT before its first instruction', () => {
    const m = switched(jump(OTHER), { trap: 1 });
    expect(exceptions(m)).toEqual([]);
    m.step();
    expect([m.delivered.map((d) => [nameOf(d), d.rip]), m.state.dr6 & 0x8000]).toEqual([[['#DB', BigInt(TASK_CODE)]], 0x8000]);
  });
  it('CR3, if paging is on', () => {
    const m = machine({ cr3: AT.pages + 0x1000 });
    m.program(jump(OTHER)).step();
    expect(m.state.cr3).toBe(BigInt(AT.pml4));
    const paged = machine({ cr3: AT.pages + 0x1000 });
    for (const directory of [AT.pages, AT.pages + 0x1000]) write32(paged, directory, 0x83);
    paged.state.cr3 = BigInt(AT.pages);
    paged.cpu.setMode(paged.state.cr0 | (CR0.PG >>> 0), paged.state.cr4 | 0x10, 0);
    paged.program(jump(OTHER)).step();
    expect([exceptions(paged), paged.state.cr3]).toEqual([[], BigInt(AT.pages + 0x1000)]);
  });
  it('its LDT, before its segments', () => {
    const m = switched(jump(OTHER), { ldt: LDT, ds: 0x0c }, (x) => {
      x.descriptor(LDT, segment(ACCESS.ldt, 0, 0xfff, AT.ldt));
      x.write64(AT.ldt + 8, segment(ACCESS.data, FLAGS.big, 0xf_ffff, 0x1000));
    });
    expect([exceptions(m), m.state.base[SEGMENT.DS], m.state.base[SEGMENT.LDTR]]).toEqual([[], 0x1000n, BigInt(AT.ldt)]);
  });
  it('virtual-8086 mode, with VM in its EFLAGS', () => {
    const m = switched(jump(OTHER), { eflags: RFLAGS.VM | 2, cs: REAL.code, eip: 0x100, ss: REAL.stack, ds: 0x1234, es: 1, fs: 2, gs: 3 });
    expect([exceptions(m), m.state.cpl, m.state.base[SEGMENT.DS], m.cpu.mode().codeSize, m.state.rip, m.state.base[SEGMENT.CS]]).toEqual([[], 3, 0x1_2340n, 16, 0x100n, 0x1_0000n]);
  });
  it('CPL 3, from the RPL of its CS', () => {
    const m = switched(jump(OTHER), { cs: SEL.userCode32, ss: SEL.userData, ds: SEL.userData, es: SEL.userData });
    expect([exceptions(m), m.state.cpl]).toEqual([[], 3]);
  });
});

describe('a 16-bit TSS', () => {
  const OFFSETS = { ip: 14, flags: 16, ax: 18, sp: 26, es: 34, cs: 36, ss: 38, ds: 40, ldt: 42 } as const;
  const m = machine();
  m.descriptor(OTHER, segment(0x81, 0, 0x2b, TSS_B));
  m.descriptor(LDT, segment(ACCESS.code, 0, 0xffff, AT.userCode));
  const values = { ip: 0x123, flags: 0x3002, ax: 0xabcd, sp: 0x8000, es: SEL.data, cs: LDT, ss: SEL.data, ds: SEL.data, ldt: 0 };
  for (const [name, at] of Object.entries(OFFSETS)) m.memory.write(physical(TSS_B + at), 2, values[name as keyof typeof values]);
  m.program(call(OTHER)).step();
  it('gives 16 bits of everything, and null FS and GS', () => {
    expect([exceptions(m), m.state.rip, m.state.gpr[0], m.rsp, m.rflags, m.cpu.mode().codeSize, m.selector(SEGMENT.FS)]).toEqual([
      [], 0x123n, 0xffff_abcdn, 0xffff_8000n, 0x3002 | RFLAGS.NT, 16, 0,
    ]);
  });
  it('takes the link, and the old 32-bit TSS its 32 bits', () => expect([read16(m, TSS_B), read32(m, TSS_A + 32), typeOf(m, OTHER)]).toEqual([SEL.tss, AT.code + 7, 3]));
  it('saves 16 bits when it is left', () => {
    m.memory.copyIn(physical(AT.userCode + 0x123), Uint8Array.of(0xcf));
    m.state.gpr[2] = 0x5555_6666n;
    m.step();
    expect([exceptions(m), m.state.rip, read16(m, TSS_B + 14), read16(m, TSS_B + 22), read16(m, TSS_B + 24), typeOf(m, OTHER)]).toEqual([[], BigInt(AT.code + 7), 0x124, 0x6666, 0, 1]);
  });
  it('that is shorter than 44 bytes is #TS(selector)', () => {
    expect(exceptions(switched(jump(OTHER), {}, (x) => x.descriptor(OTHER, segment(0x81, 0, 0x2a, TSS_B))))).toEqual(['#TS(0x48)']);
  });
});

describe('every engine', () => {
  sameOnEveryEngine('switches to and fro between a loop and a task', (m) => {
    prepare(m);
    m.program((a) => {
      a.mov(ecx, imm(300, 32));
      a.label('again'); a.call(far(OTHER, 0)); a.add(edx, eax); a.loop('again');
      a.hlt();
    });
    m.program((a) => { a.label('task'); a.inc(eax); a.iretd(); a.jmp('task'); }, { origin: TASK_CODE });
  }, { mode: 32, finds: (m) => [[m.state.gpr[1], read32(m, TSS_B + 40)], [0n, 300]] });
});

executesRows(SYSTEM_ROWS['task-switch']);

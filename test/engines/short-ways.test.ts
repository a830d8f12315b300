/** The short ways of system instructions in generated code leave what the reference engine leaves, whatever their tables, frames and registers hold. */
import { describe, expect, it } from 'vitest';
import { FastEngine } from '../../src/cpu/engines/fast/engine.ts';
import { RFLAGS, readRflags } from '../../src/cpu/flags.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { FIELDS_END, OFFSET, RAM_BASE, SEGMENT } from '../../src/state/layout.ts';
import { Random } from '../support/random.ts';
import { ACCESS, AT, FLAGS, SEL, SystemMachine, dpl, segment } from '../support/system-machine.ts';

const VECTOR = 0x40;
const INSTRUCTIONS = {
  INT: [0xcd, VECTOR], IRETQ: [0x48, 0xcf], SYSCALL: [0x0f, 0x05], SYSRETQ: [0x48, 0x0f, 0x07], PUSHFQ: [0x9c], POPFQ: [0x9d], CLI: [0xfa], STI: [0xfb], SWAPGS: [0x0f, 0x01, 0xf8], RDTSC: [0x0f, 0x31], RDTSCP: [0x0f, 0x01, 0xf9],
  CLAC: [0x0f, 0x01, 0xca], STAC: [0x0f, 0x01, 0xcb], 'RDFSBASE RDX': [0xf3, 0x48, 0x0f, 0xae, 0xc2], 'RDGSBASE EDX': [0xf3, 0x0f, 0xae, 0xca], 'WRFSBASE RCX': [0xf3, 0x48, 0x0f, 0xae, 0xd1], 'WRGSBASE EBX': [0xf3, 0x0f, 0xae, 0xdb],
  'MOV ECX, SS': [0x8c, 0xd1], 'MOV RCX, CS': [0x48, 0x8c, 0xc9], 'MOV CX, DS': [0x66, 0x8c, 0xd9],
} as const;
/** The same of 32-bit code outside IA-32e mode. */
const LEGACY_INSTRUCTIONS = { INT: [0xcd, VECTOR], IRETD: [0xcf], PUSHFD: [0x9c], POPFD: [0x9d], CLI: [0xfa], STI: [0xfb], RDTSC: [0x0f, 0x31], RDTSCP: [0x0f, 0x01, 0xf9], CLAC: [0x0f, 0x01, 0xca], STAC: [0x0f, 0x01, 0xcb], 'MOV ECX, SS': [0x8c, 0xd1], 'MOV CX, DS': [0x66, 0x8c, 0xd9] } as const;
/** What may stand behind the instruction: NOP, STI, CLI, HLT, MOV SS, EDX, INT n, MOV AL, [RBX], PUSHFQ. */
const BEHIND = [[0x90], [0x90], [0xfb], [0xfa], [0xf4], [0x8e, 0xd2], [0xcd, VECTOR], [0x8a, 0x03], [0x9c]] as const;
const AT_ANY_CPL: readonly Name[] = ['INT', 'SYSCALL', 'PUSHFQ', 'RDTSC', 'RDTSCP', 'RDFSBASE RDX', 'RDGSBASE EDX', 'WRFSBASE RCX', 'WRGSBASE EBX', 'MOV ECX, SS', 'MOV RCX, CS', 'MOV CX, DS'];
const LEGACY_AT_ANY_CPL: readonly LegacyName[] = ['INT', 'PUSHFD', 'RDTSC', 'RDTSCP', 'MOV ECX, SS', 'MOV CX, DS'];
type Name = keyof typeof INSTRUCTIONS;
type LegacyName = keyof typeof LEGACY_INSTRUCTIONS;
const CASES = 1500;

/** Mostly the first value, now and then another. */
const pick = <T>(random: Random, usual: T, ...others: readonly T[]): T => (others.length === 0 || random.below(12) > 0 ? usual : others[random.below(others.length)]!);
const flags = (random: Random): number => (random.u32() & 0xcd5 | 2 | pick(random, RFLAGS.IF, 0, RFLAGS.IF | RFLAGS.TF, RFLAGS.IF | RFLAGS.AC, RFLAGS.NT, RFLAGS.RF, RFLAGS.VM, RFLAGS.ID | RFLAGS.IOPL, RFLAGS.VIF | RFLAGS.VIP)) >>> 0;
const address = (random: Random, usual: number): bigint => pick(random, BigInt(usual), 0xffff_8000_0000_1000n, 0x8000_0000_0000n, BigInt(usual + 3), 0xff_ffff_ffff_f000n);

/** Tables, frame and registers by a seed: the same in every machine, as often as it is called. */
function prepare(m: SystemMachine, name: Name, seed: number): void {
  const random = new Random(Math.imul(seed, 0x9e37_79b1));
  const { cpu, state } = m;
  const user = AT_ANY_CPL.includes(name) ? random.below(2) === 1 : random.below(20) === 0;
  const code = [...INSTRUCTIONS[name], ...BEHIND[random.below(BEHIND.length)]!, 0x90, 0xeb, 0xfe];
  for (const at of [AT.code, AT.userCode]) code.forEach((byte, n) => m.memory.write(physical(at + n), 1, byte));

  // Where IRETQ leads.
  [0x90, 0xeb, 0xfe].forEach((byte, n) => m.memory.write(physical(AT.userCode + 0x200 + n), 1, byte));

  m.descriptor(SEL.code64, segment(pick(random, ACCESS.code, ACCESS.executeOnly, ACCESS.code & ~1, ACCESS.conforming, ACCESS.code & 0x7f, ACCESS.data, ACCESS.code | dpl(1)), pick(random, FLAGS.long, FLAGS.big, 0xe), 0xf_ffff - random.below(2), random.below(3) * 0x1234_5678));
  m.descriptor(SEL.data, segment(pick(random, ACCESS.data, ACCESS.data & ~1, ACCESS.readOnly, ACCESS.expandDown, ACCESS.data & 0x7f, ACCESS.code, ACCESS.data | dpl(3)), FLAGS.big, 0xf_ffff - random.below(2)));
  m.descriptor(SEL.userCode64, segment(pick(random, ACCESS.code, ACCESS.code & ~1, ACCESS.conforming) | dpl(pick(random, 3, 0)), pick(random, FLAGS.long, FLAGS.big)));
  m.descriptor(SEL.userData, segment(pick(random, ACCESS.data, ACCESS.data & ~1) | dpl(pick(random, 3, 0)), FLAGS.big));
  m.gate(VECTOR, {
    access: pick(random, ACCESS.interruptGate | dpl(3), ACCESS.trapGate | dpl(3), ACCESS.interruptGate, 0x0e | dpl(3), ACCESS.callGate), selector: pick(random, SEL.code64, 0, SEL.userCode64, SEL.data, 0x7f8, SEL.code64 | 3, SEL.code64 | 4),
    offset: address(random, AT.handlers), ist: pick(random, 0, 1),
  });
  m.gate(13);
  m.gate(14);
  m.write64(AT.tss + 4, address(random, AT.rsp0 - random.below(32)));

  for (const at of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(at, { selector: SEL.data, attributes: ACCESS.data | 0xc000, limit: 0xffff_ffff, base: 0n });
  cpu.setSegment(SEGMENT.CS, { selector: SEL.code64, attributes: ACCESS.code | 0xa000, limit: 0xffff_ffff, base: 0n });
  cpu.setSegment(SEGMENT.TR, { selector: SEL.tss, attributes: 0x8b, limit: pick(random, 0x2fff, 10, 11), base: BigInt(AT.tss) });
  state.cpl = 0;
  state.rip = BigInt(AT.code);
  const dropped = random.below(2) === 1;
  if (dropped) for (const at of [SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(at, { selector: random.below(4), attributes: 0x1_0000, limit: 0, base: 0n });
  state.gdtrLimit = pick(random, 0xfff, 0x0f, 0x0e);
  state.idtrLimit = pick(random, 0xfff, 16 * VECTOR + 15, 16 * VECTOR + 14);
  state.cr0 = (CR0.PE | CR0.PG | CR0.WP | CR0.ET | CR0.NE | pick(random, 0, CR0.AM)) >>> 0;
  state.cr4 = CR4.PAE | CR4.PGE | CR4.DE | pick(random, 0, CR4.SMAP, CR4.TSD) | pick(random, CR4.FSGSBASE, 0);
  state.tscOffset = random.u64();
  state.tscAux = BigInt(random.u32());
  state.idleTime = random.below(1000) / 4;
  state.efer = EFER.LME | EFER.LMA | EFER.NXE | pick(random, EFER.SCE, 0);
  state.nmiBlocked = pick(random, 0, 1);
  state.star = (BigInt(pick(random, 0x23, 0x13, 0x1c)) << 48n) | (BigInt(pick(random, 0x08, 0x0b, 0xfff8)) << 32n);
  state.lstar = address(random, AT.handlers);
  state.sfmask = BigInt(pick(random, 0x700, 0x4_7fd5, 0));
  state.activity = 0;
  state.debugTraps = 0;
  state.interruptShadow = 0;
  state.gpr[0] = 5n;
  state.gpr[1] = address(random, AT.userCode + 0x100);
  state.gpr[2] = BigInt(SEL.data);
  // Mostly nothing is there.
  state.gpr[3] = BigInt(pick(random, 0x7000_0000, AT.userStack - 8));
  state.gpr[11] = BigInt(flags(random));
  state.kernelGsBase = random.u64();
  if (name.startsWith('RD')) for (const at of [SEGMENT.FS, SEGMENT.GS]) state.base[at] = random.u64();
  m.interrupts.length = 0;
  if (pick(random, 0, 1) === 1) m.interrupts.push(VECTOR + 1);

  const frame = pick(random, AT.kernelStack - 0x100 + random.below(16), AT.kernelStack - 0x1010);
  const outer = random.below(2) === 1;
  const words = [
    name === 'POPFQ' ? BigInt(flags(random)) : address(random, AT.userCode + 0x200), BigInt(pick(random, outer ? SEL.userCode64 : SEL.code64, SEL.userCode32, SEL.data, 0, 0x7f8, SEL.code64 | 4, SEL.code64 | 1)), BigInt((flags(random) | (random.below(4) === 0 ? RFLAGS.RF : 0)) >>> 0),
    address(random, AT.userStack + 8), BigInt(pick(random, outer ? SEL.userData : SEL.data * random.below(2), 0, 3, SEL.code64, SEL.userData, 0x7f8)),
  ];
  words.forEach((word, n) => { for (let byte = 0; byte < 8; byte++) m.memory.write(physical(frame + 8 * n + byte), 1, Number((word >> BigInt(8 * byte)) & 0xffn)); });
  if (user) m.enterUser();
  state.gpr[4] = BigInt(user ? AT.userStack - random.below(16) : frame);
  // Nothing may be due before the instruction itself.
  m.rflags = (flags(random) & ~(RFLAGS.TF | RFLAGS.RF | RFLAGS.VM | RFLAGS.AC | (m.interrupts.length > 0 ? RFLAGS.IF : 0)) | (name === 'CLAC' ? RFLAGS.AC * random.below(2) : 0)) >>> 0;
  cpu.stateReplaced();
}

/** The same of 32-bit code in protected mode, with 32-bit paging or none. */
function prepareLegacy(m: SystemMachine, name: LegacyName, seed: number): void {
  const random = new Random(Math.imul(seed, 0x9e37_79b1));
  const { cpu, state } = m;
  const user = LEGACY_AT_ANY_CPL.includes(name) ? random.below(2) === 1 : random.below(20) === 0;
  const code = [...LEGACY_INSTRUCTIONS[name], ...BEHIND[random.below(BEHIND.length)]!, 0x90, 0xeb, 0xfe];
  for (const at of [AT.code, AT.userCode]) code.forEach((byte, n) => m.memory.write(physical(at + n), 1, byte));
  // Where IRETD leads, and handlers.
  for (const at of [AT.userCode + 0x200, AT.handlers]) [0x90, 0xeb, 0xfe].forEach((byte, n) => m.memory.write(physical(at + n), 1, byte));

  state.efer = 0;
  m.descriptor(SEL.code32, segment(pick(random, ACCESS.code, ACCESS.executeOnly, ACCESS.code & ~1, ACCESS.conforming, ACCESS.code & 0x7f, ACCESS.data, ACCESS.code | dpl(1)), pick(random, FLAGS.big, 0xd, FLAGS.big16, FLAGS.byte), 0xf_ffff - pick(random, 0, 1), pick(random, 0, 0x1000)));
  m.descriptor(SEL.data, segment(pick(random, ACCESS.data, ACCESS.data & ~1, ACCESS.readOnly, ACCESS.expandDown, ACCESS.data & 0x7f, ACCESS.code, ACCESS.data | dpl(3)), pick(random, FLAGS.big, 0xd, FLAGS.big16), 0xf_ffff - pick(random, 0, 1), pick(random, 0, 0x10)));
  m.descriptor(SEL.userCode32, segment(pick(random, ACCESS.code, ACCESS.code & ~1, ACCESS.conforming) | dpl(pick(random, 3, 0)), pick(random, FLAGS.big, FLAGS.big16)));
  m.descriptor(SEL.userData, segment(pick(random, ACCESS.data, ACCESS.data & ~1, ACCESS.readOnly) | dpl(pick(random, 3, 0)), FLAGS.big));
  m.gate(VECTOR, {
    access: pick(random, ACCESS.interruptGate | dpl(3), ACCESS.trapGate | dpl(3), ACCESS.interruptGate, 0x0e | dpl(3), ACCESS.callGate, 0x86 | dpl(3)), selector: pick(random, SEL.code32, 0, SEL.userCode32, SEL.data, 0x7f8, SEL.code32 | 3, SEL.code32 | 4), offset: AT.handlers, ist: pick(random, 0, 1),
  });
  m.gate(13);
  m.gate(14);
  m.write64(AT.tss + 4, BigInt(AT.rsp0 - random.below(32) - pick(random, 0, AT.rsp0 - 8)) | BigInt(pick(random, SEL.data, SEL.data | 3, 0, SEL.code32, SEL.userData)) << 32n);

  const usable = (selector: number, access: number): void => {
    for (const at of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(at, { selector, attributes: access | 0xc000, limit: 0xffff_ffff, base: 0n });
  };
  usable(SEL.data, ACCESS.data);
  // As a kernel has them that works with the segments of the user, or has none.
  const outerData = random.below(2) === 1;
  if (outerData) for (const at of [SEGMENT.DS, SEGMENT.ES, SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(at, { selector: SEL.userData, attributes: ACCESS.data | dpl(3) | 0xc000, limit: 0xffff_ffff, base: 0n });
  if (random.below(4) === 0) for (const at of [SEGMENT.FS, SEGMENT.GS]) cpu.setSegment(at, { selector: random.below(4), attributes: 0x1_0000, limit: 0, base: 0n });
  cpu.setSegment(SEGMENT.CS, { selector: SEL.code32, attributes: ACCESS.code | 0xc000, limit: 0xffff_ffff, base: 0n });
  cpu.setSegment(SEGMENT.TR, { selector: SEL.tss, attributes: pick(random, 0x8b, 0x83), limit: pick(random, 0x2fff, 10, 9, 8), base: BigInt(AT.tss) });
  state.cpl = 0;
  state.rip = BigInt(AT.code);
  state.gdtrLimit = pick(random, 0xfff, 0x1f, 0x1e);
  state.idtrLimit = pick(random, 0xfff, 8 * VECTOR + 7, 8 * VECTOR + 6);
  state.cr0 = (CR0.PE | CR0.WP | CR0.ET | CR0.NE | pick(random, 0, CR0.AM)) >>> 0;
  state.cr4 = CR4.DE | pick(random, 0, CR4.TSD);
  state.tscOffset = random.u64();
  state.idleTime = random.below(1000) / 4;
  state.nmiBlocked = pick(random, 0, 1);
  state.activity = 0;
  state.debugTraps = 0;
  state.interruptShadow = 0;
  state.gpr[0] = 5n;
  state.gpr[1] = 7n;
  state.gpr[2] = BigInt(SEL.data);
  state.gpr[3] = BigInt(AT.userStack - 8);
  m.interrupts.length = 0;
  if (pick(random, 0, 1) === 1) m.interrupts.push(VECTOR + 1);

  const frame = pick(random, AT.kernelStack - 0x100 + random.below(16), AT.kernelStack - 0x1010, AT.kernelStack - 0x100c);
  const outer = random.below(2) === 1;
  const words = [
    name === 'POPFD' ? flags(random) : AT.userCode + 0x200, pick(random, outer ? SEL.userCode32 : SEL.code32, SEL.data, 0, 0x7f8, SEL.code32 | 4, SEL.code32 | 1), (flags(random) | (random.below(4) === 0 ? RFLAGS.RF : 0)) >>> 0,
    pick(random, AT.userStack + 8, 0xffff_fffc), pick(random, SEL.userData, 0, 3, SEL.code32, SEL.data, 0x7f8),
  ];
  words.forEach((word, n) => { m.memory.write(physical(frame + 4 * n), 4, word); });
  if (user) m.enterUser(32);
  state.gpr[4] = BigInt(user ? AT.userStack - random.below(16) : frame) | (pick(random, 0n, 0x1_0000_0000n));
  m.rflags = (flags(random) & ~(RFLAGS.TF | RFLAGS.RF | RFLAGS.VM | RFLAGS.AC | (m.interrupts.length > 0 ? RFLAGS.IF : 0))) >>> 0;
  cpu.stateReplaced();
}

/** Where something may be written: tables, stacks. */
const WRITTEN = [AT.gdt, AT.idt, AT.tss, AT.kernelStack - 0x2000, AT.kernelStack - 0x1000, AT.userStack - 0x1000, AT.userStack, AT.rsp0 - 0x1000, AT.ist1 - 0x1000];
/** All fields but the words of the flags, which may have several forms, and memory, as text. */
function visible({ cpu, state, mmu }: SystemMachine): unknown {
  const fields = state.u8.slice(0, FIELDS_END).fill(0, OFFSET.zeroWord, OFFSET.systemFlags);
  const pages = WRITTEN.map((at) => Buffer.from(state.u8.subarray(RAM_BASE + at, RAM_BASE + at + 4096)).toString('base64'));
  const derived = [cpu.privilege, cpu.attention, cpu.alignmentChecked, cpu.deliveries, cpu.mode()];
  return { rip: state.rip, flags: readRflags(state), fields: Buffer.from(fields).toString('base64'), pages, derived, tlb: mmu.tlb.save().join() };
}

/** Holds generated code to the reference engine in each case; returns how many of them went the short way. */
function compare(bits: 64 | 32, arrange: (m: SystemMachine, seed: number) => void): number {
  const reference = new SystemMachine(bits), fast = new SystemMachine(bits, 'interpreter');
  reference.cpu.onException = fast.cpu.onException = undefined;
  const { statistics } = fast.engine as FastEngine;
  let taken = 0;
  for (let seed = 1; seed <= CASES; seed++) {
    // The first time the TLB's columns may not have the pages.
    for (const time of ['first', 'second']) {
      for (const m of [reference, fast]) arrange(m, seed);
      const before = statistics.referenceInstructions;
      // With other instructions behind it, which RF and the shadow of STI are for; at last a loop of one.
      for (const { engine } of [reference, fast]) engine.run(1 + seed % 7);
      if (statistics.referenceInstructions === before) taken++;
      expect(visible(fast), `seed ${seed}, ${time} time`).toEqual(visible(reference));
    }
  }
  return taken;
}

/** Not an empty law: many of the cases go the short way. */
describe('a short way leaves what the reference engine leaves', () => {
  it.each(Object.keys(INSTRUCTIONS) as Name[])('%s', (name) => { expect(compare(64, (m, seed) => { prepare(m, name, seed); })).toBeGreaterThan(CASES / 10); });
  it.each(Object.keys(LEGACY_INSTRUCTIONS) as LegacyName[])('%s of 32-bit code', (name) => { expect(compare(32, (m, seed) => { prepareLegacy(m, name, seed); })).toBeGreaterThan(CASES / 10); });
});

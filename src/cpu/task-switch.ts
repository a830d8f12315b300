/**
 * The hardware task switch: from the task of TR to that of another TSS, of 32 or 16 bits. SDM Vol. 3A, "Task Switching",
 * "Task-State Segment (TSS)", "16-Bit Task-State Segment (TSS)", and its table of exceptions checked during a task switch.
 */
import { linear, type LinearAddress } from '../state/addresses.ts';
import { SEGMENT, type Segment } from '../state/layout.ts';
import { CR0 } from '../mmu/control-bits.ts';
import type { Cpu } from './cpu.ts';
import { DR6, DR7 } from './debug-registers.ts';
import { SYSTEM_TYPE, isConforming, isNull, isReadable, readDescriptor, rpl, selectorError, setAccessed, setType, tableAddress, typeAddress, type Descriptor } from './descriptors.ts';
import { GP, NP, TS } from './exceptions.ts';
import { RFLAGS, readRflags, writeRflags } from './flags.ts';
import { virtual8086Segment } from './real-mode.ts';
import { codeSegment, nullSegment, stackSegmentFor, type CachedSegment } from './segmentation.ts';

/** Why tasks are switched. `gate`: an interrupt or exception through a task gate. */
export type TaskSwitchBy = 'JMP' | 'CALL' | 'IRET' | 'gate';

/** Where a TSS keeps what. `data`: selectors after CS and SS, in the order in which they are loaded. */
interface TssLayout {
  readonly bytes: 2 | 4;
  readonly limit: number;
  readonly ip: number;
  readonly flags: number;
  readonly registers: number;
  readonly selectors: readonly (readonly [Segment, number])[];
  readonly ldt: number;
}
const LINK = 0;
const TSS_32: TssLayout = {
  bytes: 4, limit: 103, ip: 32, flags: 36, registers: 40, ldt: 96,
  selectors: [[SEGMENT.CS, 76], [SEGMENT.SS, 80], [SEGMENT.ES, 72], [SEGMENT.DS, 84], [SEGMENT.FS, 88], [SEGMENT.GS, 92]],
};
const TSS_16: TssLayout = {
  bytes: 2, limit: 43, ip: 14, flags: 16, registers: 18, ldt: 42,
  selectors: [[SEGMENT.CS, 36], [SEGMENT.SS, 38], [SEGMENT.ES, 34], [SEGMENT.DS, 40]],
};
/** Of the 32-bit TSS only. */
const CR3_AT = 28, T_FLAG_AT = 100;

const isTss = (d: Descriptor, busy: boolean): boolean =>
  d.system && (busy ? d.type === SYSTEM_TYPE.tssBusy || d.type === SYSTEM_TYPE.tss16Busy : d.type === SYSTEM_TYPE.tssAvailable || d.type === SYSTEM_TYPE.tss16Available);
const layoutOf = (type: number): TssLayout => ((type & 8) !== 0 ? TSS_32 : TSS_16);

/** The TSS that a task gate or the link of a nested task names: in the GDT, available or (for IRET) busy, present. */
export function taskDescriptor(cpu: Cpu, selector: number, by: TaskSwitchBy, ext = 0): Descriptor {
  const code = selectorError(selector) | ext;
  const fault = by === 'IRET' ? TS : GP;
  const d = (selector & 4) !== 0 ? undefined : readDescriptor(cpu, selector);
  if (!d) throw fault(code, 'TSS selector not within the GDT');
  if (!isTss(d, by === 'IRET')) throw fault(code, by === 'IRET' ? 'link to something that is not a busy TSS' : 'not an available TSS');
  if (!d.present) throw NP(code, 'TSS not present');
  return d;
}

/** What a TSS holds, read before anything changes. */
interface Task {
  readonly ip: number;
  readonly flags: number;
  readonly registers: readonly bigint[];
  readonly selectors: readonly (readonly [Segment, number])[];
  readonly ldt: number;
  /** 32-bit TSS only. */
  readonly cr3: bigint | undefined;
  readonly trap: boolean;
}

/** The fields of one TSS in linear memory, by offset. */
class Tss {
  readonly layout: TssLayout;
  readonly #cpu: Cpu;
  readonly #base: bigint;
  constructor(cpu: Cpu, base: bigint, layout: TssLayout) {
    this.#cpu = cpu;
    this.#base = base;
    this.layout = layout;
  }
  #at(offset: number): LinearAddress { return tableAddress(this.#cpu, this.#base, offset); }
  read(offset: number, bytes: 2 | 4): bigint { return this.#cpu.mmu.load(this.#at(offset), bytes, 'implicit-supervisor', false); }
  write(offset: number, bytes: 2 | 4, value: bigint): void { this.#cpu.mmu.store(this.#at(offset), bytes, 'implicit-supervisor', BigInt.asUintN(8 * bytes, value)); }
  /** Throws what a write to any byte of `first`-`last` would throw. */
  probeWrite(first: number, last: number): void {
    this.#cpu.mmu.translate(this.#at(first), 'write', 'implicit-supervisor');
    if ((this.#at(first) ^ this.#at(last)) >> 12n !== 0n) this.#cpu.mmu.translate(linear(this.#at(last) & ~0xfffn), 'write', 'implicit-supervisor');
  }

  load(): Task {
    const { bytes, ip, flags, registers, selectors, ldt } = this.layout;
    const wide = bytes === 4;
    // Manual: silent on the upper halves that a 16-bit TSS does not have; QEMU and Bochs: all ones.
    const upper = wide ? 0n : 0xffff_0000n;
    return {
      ip: Number(this.read(ip, bytes)), flags: Number(this.read(flags, bytes)), ldt: Number(this.read(ldt, 2)),
      registers: Array.from({ length: 8 }, (_, n) => this.read(registers + n * bytes, bytes) | upper),
      selectors: selectors.map(([segment, at]) => [segment, Number(this.read(at, 2))] as const),
      cr3: wide ? this.read(CR3_AT, 4) : undefined,
      trap: wide && (this.read(T_FLAG_AT, 2) & 1n) !== 0n,
    };
  }

  /** Saves the registers of the task that is left. */
  save(ip: bigint, flags: number): void {
    const { state } = this.#cpu;
    const { bytes, registers, selectors } = this.layout;
    this.write(this.layout.ip, bytes, ip);
    this.write(this.layout.flags, bytes, BigInt(flags));
    for (let n = 0; n < 8; n++) this.write(registers + n * bytes, bytes, state.gpr[n]!);
    for (const [segment, at] of selectors) this.write(at, 2, BigInt(state.selector[segment]!));
  }
}

/**
 * Switches to the task of the TSS descriptor `d`, which the caller has found good. `returnIp`: where the old task goes on.
 * What is wrong with the TSSs is thrown before anything changes. What is wrong in the new task is thrown when it is the current one:
 * RIP is its EIP then. Afterwards `cpu.nextIp` is its EIP.
 */
export function switchTask(cpu: Cpu, selector: number, d: Descriptor, by: TaskSwitchBy, returnIp: bigint, options: { readonly ext?: number; readonly resume?: boolean } = {}): void {
  const { state, mmu } = cpu;
  const { ext = 0, resume = false } = options;
  const nests = by === 'CALL' || by === 'gate';
  const target = new Tss(cpu, d.base, layoutOf(d.type));
  if (d.limit < target.layout.limit) throw TS(selectorError(selector) | ext, 'TSS is too short');
  const tr = cpu.segment(SEGMENT.TR);
  const current = new Tss(cpu, tr.base, layoutOf(tr.attributes));
  if (tr.limit < current.layout.limit) throw TS(selectorError(tr.selector) | ext, 'TSS of the current task is too short');
  const left = by === 'CALL' || by === 'gate' ? undefined : readDescriptor(cpu, tr.selector);

  const task = target.load();
  current.probeWrite(0, current.layout.limit);
  if (nests) target.probeWrite(LINK, LINK + 1);
  for (const descriptor of [left, d]) if (descriptor) mmu.translate(typeAddress(descriptor), 'write', 'implicit-supervisor');

  const flags = readRflags(state) | (resume ? RFLAGS.RF : 0);
  current.save(returnIp, by === 'IRET' ? flags & ~RFLAGS.NT : flags);
  if (left) setType(cpu, left, left.type & ~2);
  if (nests) target.write(LINK, 2, BigInt(tr.selector));
  if (by !== 'IRET') setType(cpu, d, d.type | 2);

  cpu.setSegment(SEGMENT.TR, { selector, attributes: d.attributes | 2, limit: d.limit, base: d.base });
  state.cr0 |= CR0.TS;
  cpu.observer?.controlRegister(0, BigInt(state.cr0 >>> 0));
  state.dr7 &= ~DR7.LOCAL;
  enterTask(cpu, task, nests, ext);
}

/** The registers of the new task, then its segments: from here on it is the new task that faults. */
function enterTask(cpu: Cpu, task: Task, nests: boolean, ext: number): void {
  const { state, mmu } = cpu;
  state.rip = cpu.nextIp = BigInt(task.ip);
  task.registers.forEach((value, n) => { state.gpr[n] = value; });
  writeRflags(state, task.flags | (nests ? RFLAGS.NT : 0));
  const virtual8086 = cpu.virtual8086Mode;
  const selectors = new Map(task.selectors);
  for (const segment of [SEGMENT.ES, SEGMENT.CS, SEGMENT.SS, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const) {
    const selector = selectors.get(segment) ?? 0;
    cpu.setSegment(segment, virtual8086 ? virtual8086Segment(selector) : nullSegment(selector));
  }
  state.cpl = virtual8086 ? 3 : rpl(selectors.get(SEGMENT.CS)!);
  cpu.setSegment(SEGMENT.LDTR, nullSegment(task.ldt));
  cpu.refresh();
  if (task.cr3 !== undefined && (state.cr0 & CR0.PG) !== 0 && task.cr3 !== state.cr3) {
    if (!mmu.setCr3(task.cr3)) throw GP(0, 'reserved bit in a PDPTE');
    cpu.observer?.controlRegister(3, task.cr3);
  }
  cpu.setSegment(SEGMENT.LDTR, taskLdt(cpu, task.ldt, ext));
  if (!virtual8086) {
    for (const [segment, selector] of task.selectors) cpu.setSegment(segment, taskSegment(cpu, segment, selector, ext));
    cpu.refresh();
  }
  cpu.checkBranchTarget(cpu.nextIp);
  if (task.trap) cpu.raiseDebugTraps(DR6.BT);
}

function taskLdt(cpu: Cpu, selector: number, ext: number): CachedSegment {
  if (isNull(selector)) return nullSegment(selector);
  const code = selectorError(selector) | ext;
  const d = (selector & 4) !== 0 ? undefined : readDescriptor(cpu, selector);
  if (!d || !d.system || d.type !== SYSTEM_TYPE.ldt || !d.present) throw TS(code, 'LDT of the new task is none');
  return { selector, attributes: d.attributes, limit: d.limit, base: d.base };
}

function taskSegment(cpu: Cpu, segment: Segment, selector: number, ext: number): CachedSegment {
  const code = selectorError(selector) | ext;
  const { cpl } = cpu.state;
  if (segment === SEGMENT.SS) {
    if (isNull(selector)) throw TS(code, 'SS of the new task is null');
    return stackSegmentFor(cpu, selector, cpl, TS, ext);
  }
  if (isNull(selector) && segment !== SEGMENT.CS) return nullSegment(selector);
  const d = isNull(selector) ? undefined : readDescriptor(cpu, selector);
  if (!d) throw TS(code, 'selector of the new task outside its descriptor table');
  if (segment === SEGMENT.CS) {
    if (!d.code || (d.conforming ? d.dpl > cpl : d.dpl !== cpl)) throw TS(code, 'CS of the new task is no code segment of its privilege level');
    if (!d.present) throw NP(code, 'code segment of the new task not present');
    return codeSegment(cpu, selector, d, cpl);
  }
  if (!isReadable(d.attributes)) throw TS(code, 'segment of the new task is not readable');
  if (!isConforming(d.attributes) && (rpl(selector) > d.dpl || cpl > d.dpl)) throw TS(code, 'RPL or CPL exceeds the DPL of a segment of the new task');
  if (!d.present) throw NP(code, 'segment of the new task not present');
  setAccessed(cpu, d);
  return { selector, attributes: d.attributes | 1, limit: d.limit, base: d.base };
}

/** IRET with NT: back to the task that the link of the current TSS names. */
export function returnToTask(cpu: Cpu): void {
  const selector = Number(cpu.mmu.load(tableAddress(cpu, cpu.state.base[SEGMENT.TR]!, LINK), 2, 'implicit-supervisor', false));
  switchTask(cpu, selector, taskDescriptor(cpu, selector, 'IRET'), 'IRET', cpu.nextIp);
}

/** Width in bits of what a switched-to task pushes: that of its TSS. */
export const taskWidth = (cpu: Cpu): 16 | 32 => ((cpu.state.attributes[SEGMENT.TR]! & 8) !== 0 ? 32 : 16);

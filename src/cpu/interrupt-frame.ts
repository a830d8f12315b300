/**
 * Entering a handler: the gate, the code segment, the stack switch, the frame. Everything that can fault comes before
 * anything that changes (memory below the new stack pointer excepted).
 * SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure"; Vol. 3A, "Interrupt and Exception Handling in 64-bit Mode".
 */
import { highOf, joined, lowOf } from '../state/halves.ts';
import { OFFSET, SEGMENT } from '../state/layout.ts';
import type { Privilege } from '../mmu/access.ts';
import type { Cpu } from './cpu.ts';
import type { Interruption } from './delivery.ts';
import type { DeliveryProgress } from './delivery-progress.ts';
import { ATTRIBUTE, SYSTEM_TYPE, highInTable, isNull, readDescriptor, readDescriptorAt, readUpperHalf, selectorError, setAccessed, type Descriptor } from './descriptors.ts';
import { GP, NP } from './exceptions.ts';
import { RFLAGS, readRflags, writeRflags } from './flags.ts';
import { enterRealHandler } from './interrupt-vector-table.ts';
import { RSP } from './isa/operand.ts';
import { isCanonicalHigh } from '../state/addresses.ts';
import { codeSelector, loadChecked, nullSegment, withinLimit, type CachedSegment } from './segmentation.ts';
import { Stack } from './stack.ts';
import { switchTask, taskDescriptor, taskWidth } from './task-switch.ts';
import { innerOffset, istOffset, legacyInnerStack, longInnerStack } from './tasks.ts';

const RSP_LOW = OFFSET.gpr / 4 + 2 * RSP, IDTR_LOW = OFFSET.idtrBase / 4, RIP_LOW = OFFSET.rip / 4;

/** Error code of a fault in IDT entry `vector`: index, IDT = 1. SDM Vol. 3A, "Error Code". */
const idtError = (vector: number): number => (vector << 3) | 2;

/** EXT: the event is external to the program, so not one of the INT instructions. INT1 counts as external. */
const externalBit = (what: Interruption): number => (what.kind === 'software' ? 0 : 1);

/** The size of what a gate leads to: bits of a handler's frame, or that of a task gate. */
const TASK = 0;
type GateSize = 16 | 32 | 64 | typeof TASK;

/** What a gate says. One serves all deliveries, one after the other: an object for each would cost as much as the rest of a delivery. */
class Gate {
  size: GateSize = TASK;
  trap = false;
  /** Of a task gate, that of its TSS. */
  selector = 0;
  /** Halves of the handler's address, signed. */
  offsetLow = 0;
  offsetHigh = 0;
  ist = 0;

  /** Reads and checks the gate of the vector. */
  read(cpu: Cpu, what: Interruption, progress: DeliveryProgress): this {
    const { state } = cpu;
    const { vector } = what;
    const long = cpu.longModeActive;
    const bytes = long ? 16 : 8;
    const code = idtError(vector) | externalBit(what);
    progress.at('reading IDT gate #', vector);
    if (vector * bytes + bytes - 1 > state.idtrLimit) throw GP(code, 'vector beyond the limit of the IDT');
    const low = state.u32[IDTR_LOW]! + vector * bytes, high = highInTable(cpu, low, state.u32[IDTR_LOW + 1]!);
    progress.gateAt(low, high);
    const gate = readDescriptorAt(cpu, low >>> 0, high);
    progress.gateIs(gate);
    const upper = long ? readUpperHalf(cpu, gate).low : 0;
    progress.at('checking IDT gate #', vector);
    const size = gateSize(gate, long);
    if (size === undefined) throw GP(code, 'IDT entry is not an interrupt or trap gate');
    if (what.kind === 'software' && gate.dpl < state.cpl) throw GP(code, 'DPL of the gate is less than CPL');
    if (!gate.present) throw NP(code, 'gate not present');
    this.size = size;
    this.selector = gate.gateSelector;
    if (size === TASK) return this;
    this.trap = (gate.type & 1) !== 0;
    this.offsetLow = (size === 16 ? gate.gateOffset & 0xffff : gate.gateOffset) | 0;
    this.offsetHigh = upper;
    this.ist = long ? gate.parameterCount & 7 : 0;
    progress.handlerIs(this.offsetLow, this.offsetHigh);
    return this;
  }
}
const theGate = new Gate();

function gateSize({ system, type }: Descriptor, long: boolean): GateSize | undefined {
  if (!system) return undefined;
  if (type === SYSTEM_TYPE.interruptGate || type === SYSTEM_TYPE.trapGate) return long ? 64 : 32;
  if (long) return undefined;
  return type === SYSTEM_TYPE.interruptGate16 || type === SYSTEM_TYPE.trapGate16 ? 16 : type === SYSTEM_TYPE.taskGate ? TASK : undefined;
}

/** The handler's code segment, checked. */
function readHandlerSegment(cpu: Cpu, gate: Gate, ext: number, progress: DeliveryProgress): Descriptor {
  progress.at('reading the code segment of the gate');
  progress.selectorIs(gate.selector);
  if (isNull(gate.selector)) throw GP(ext, 'code selector of the gate is null');
  const code = selectorError(gate.selector) | ext;
  const d = readDescriptor(cpu, gate.selector);
  if (!d) throw GP(code, 'code selector of the gate is outside its descriptor table');
  progress.descriptorIs(d);
  progress.at('checking the code segment of the gate');
  if (!d.code || d.dpl > cpu.state.cpl) throw GP(code, 'not a code segment of this or an inner privilege level');
  if (cpu.longModeActive && (!d.long || d.big)) throw GP(code, 'not a 64-bit code segment');
  if (!d.present) throw NP(code, 'code segment not present');
  if (cpu.virtual8086Mode && (d.conforming || d.dpl !== 0)) throw GP(code, 'handler of virtual-8086 mode is not at privilege level 0');
  return d;
}

/** Where the frame of a 64-bit handler goes. */
function longStack(cpu: Cpu, { ist }: Gate, cpl: number, ext: number, progress: DeliveryProgress): Stack {
  const { u32, cpl: from } = cpu.state;
  const inner = cpl < from;
  progress.ist = ist;
  let low = u32[RSP_LOW]!, high = u32[RSP_LOW + 1]!;
  if (ist !== 0 || inner) {
    if (ist !== 0) progress.at('reading IST# from the TSS', ist); else progress.at('reading RSP# from the TSS', cpl);
    longInnerStack(cpu, ist !== 0 ? istOffset(ist) : innerOffset(cpl), ext);
    low = cpu.mmu.loadedLow;
    high = cpu.mmu.loadedHigh;
  } else progress.at('choosing the stack');
  // Manual: SS becomes null only with a change of privilege; QEMU also nulls it for an IST stack at the same level.
  progress.stackIs(inner ? cpl : cpu.state.selector[SEGMENT.SS]!, low & ~0xf, high);
  return Stack.flat(cpu, low & ~0xf, high, privilegeAt(cpl, inner), ext);
}

/** Pushes on a stack of an inner level are not exempted from SMAP by an AC that the outer level has set. */
const privilegeAt = (cpl: number, inner: boolean): Privilege => (cpl === 3 ? 'user' : inner ? 'implicit-supervisor' : 'supervisor');

/** Where the frame goes outside IA-32e mode; `segment`: SS of an inner privilege level. */
function legacyStack(cpu: Cpu, cpl: number, ext: number, progress: DeliveryProgress): { stack: Stack; segment: CachedSegment | undefined } {
  const { state } = cpu;
  if (cpl < state.cpl) {
    progress.at('reading SS#:ESP# from the TSS', cpl);
    const { pointer, segment } = legacyInnerStack(cpu, cpl, ext);
    progress.stackIs(segment.selector, lowOf(pointer), highOf(pointer));
    const width = (segment.attributes & ATTRIBUTE.DB) !== 0 ? 32 : 16;
    return { stack: new Stack(cpu, { segment, width, pointer, privilege: privilegeAt(cpl, true), errorCode: selectorError(segment.selector) | ext }), segment };
  }
  progress.stackIs(state.selector[SEGMENT.SS]!, state.u32[RSP_LOW]!, state.u32[RSP_LOW + 1]!);
  return { stack: Stack.current(cpu, ext), segment: undefined };
}

/** A task gate: the handler is a task. Its error code, if there is one, goes to its own stack. */
function enterTask(cpu: Cpu, what: Interruption, selector: number, returnIp: bigint, progress: DeliveryProgress): void {
  const ext = externalBit(what);
  progress.at('switching to the task of the gate');
  progress.selectorIs(selector);
  switchTask(cpu, selector, taskDescriptor(cpu, selector, 'gate', ext), 'gate', returnIp, { ext, resume: what.kind === 'fault' });
  if (what.errorCode === undefined) return;
  progress.at('pushing the error code on the stack of the task');
  const stack = Stack.current(cpu, ext);
  stack.pushHalves(taskWidth(cpu), what.errorCode);
  stack.commit();
}

/** Throws #GP unless the handler is where execution may go on. */
function checkHandler(cpu: Cpu, gate: Gate, d: Descriptor, ext: number, progress: DeliveryProgress): void {
  progress.at('checking the handler address');
  if (gate.size === 64) {
    if (!isCanonicalHigh(gate.offsetHigh, cpu.linearWidth)) throw GP(ext, 'handler address is not canonical');
  } else if (!withinLimit(d.attributes, d.limit, gate.offsetLow >>> 0, 1)) throw GP(ext, 'handler is beyond the limit of its code segment');
}

/**
 * Pushes the frame and enters the handler: RIP, `cpu.nextIp`, CS, SS, rSP, RFLAGS and CPL change together at the end. Throws what goes wrong.
 * `returnLow`, `returnHigh`: halves of the return address.
 */
export function enterHandler(cpu: Cpu, what: Interruption, returnLow: number, returnHigh: number, progress: DeliveryProgress): void {
  const { state } = cpu;
  if (cpu.realMode) return enterRealHandler(cpu, what, returnLow, progress);
  const ext = externalBit(what);
  const gate = theGate.read(cpu, what, progress);
  const { size } = gate;
  if (size === TASK) return enterTask(cpu, what, gate.selector, joined(returnLow, returnHigh), progress);
  const descriptor = readHandlerSegment(cpu, gate, ext, progress);
  const cpl = descriptor.conforming ? state.cpl : descriptor.dpl;
  const inner = cpl < state.cpl;
  const legacy = size === 64 ? undefined : legacyStack(cpu, cpl, ext, progress);
  const stack = legacy === undefined ? longStack(cpu, gate, cpl, ext, progress) : legacy.stack;

  const flags = readRflags(state);
  progress.at('pushing the frame');
  const from8086 = cpu.virtual8086Mode;
  if (from8086) for (const number of DATA_SEGMENTS) stack.pushHalves(size, state.selector[number]!);
  if (inner || size === 64) {
    stack.pushHalves(size, state.selector[SEGMENT.SS]!);
    stack.pushHalves(size, state.u32[RSP_LOW]!, state.u32[RSP_LOW + 1]);
  }
  // Deviates: an interrupt between two iterations of a REP instruction pushes RF as it is, not as 1, as QEMU does.
  stack.pushHalves(size, what.kind === 'fault' ? flags | RFLAGS.RF : flags);
  stack.pushHalves(size, state.selector[SEGMENT.CS]!);
  stack.pushHalves(size, returnLow, returnHigh);
  if (what.errorCode !== undefined) stack.pushHalves(size, what.errorCode);
  checkHandler(cpu, gate, descriptor, ext, progress);
  setAccessed(cpu, descriptor);

  loadChecked(cpu, SEGMENT.CS, codeSelector(gate.selector, cpl), descriptor);
  if (inner) cpu.setSegment(SEGMENT.SS, legacy === undefined ? NULL_STACKS[cpl]! : legacy.segment!);
  if (from8086) for (const number of DATA_SEGMENTS) cpu.setSegment(number, nullSegment(0));
  state.cpl = cpl;
  // The width of the committed pointer is that of the new stack.
  stack.commit();
  writeRflags(state, flags & ~(RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | (gate.trap ? 0 : RFLAGS.IF)));
  state.u32[RIP_LOW] = gate.offsetLow;
  state.u32[RIP_LOW + 1] = gate.offsetHigh;
  cpu.setNextIp(gate.offsetLow, gate.offsetHigh);
}
/** In the order in which a frame of virtual-8086 mode has them. */
const DATA_SEGMENTS = [SEGMENT.GS, SEGMENT.FS, SEGMENT.DS, SEGMENT.ES] as const;
/** SS of a 64-bit handler at an inner level. */
const NULL_STACKS = [nullSegment(0, 0), nullSegment(1, 1), nullSegment(2, 2)] as const;

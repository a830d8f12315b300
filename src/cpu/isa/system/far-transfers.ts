/**
 * Far JMP, CALL, RET and IRET: between segments, privilege levels and modes.
 * SDM Vol. 2A, "CALL—Call Procedure", "JMP—Jump", "IRET/IRETD/IRETQ—Interrupt Return"; Vol. 2B, "RET—Return From Procedure".
 */
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { ATTRIBUTE, SYSTEM_TYPE, isNull, readDescriptor, readUpperHalf, rpl, selectorError, type Descriptor } from '../../descriptors.ts';
import { GP, NP, SS, Unimplemented } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { enterRealCode, virtual8086Segment } from '../../real-mode.ts';
import { codeSegment, dropInnerDataSegments, isCanonical, nullSegment, stackSegmentFor, withinLimit, type CachedSegment } from '../../segmentation.ts';
import { Stack } from '../../stack.ts';
import { legacyInnerStack, longInnerStack } from '../../tasks.ts';
import type { Instruction } from '../instruction.ts';
import { RSP } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { effectiveAddress, offsetBy, readOperand } from './operands.ts';
import { requireIoplInVirtual8086Mode, writableFlags } from './flags.ts';

type TransferWidth = 16 | 32 | 64;
const MASK = { 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn } as const;
const widthOf = (i: Instruction): TransferWidth => i.width as TransferWidth;

function farPointer(cpu: Cpu, i: Instruction): { selector: number; offset: bigint } {
  const x = i.operands[0];
  if (x?.kind === 'far-pointer') return { selector: x.selector, offset: BigInt(x.offset) };
  if (x?.kind !== 'memory') throw new Error(`${i.row.text}: operand 0 is no far pointer`);
  const at = effectiveAddress(cpu, x);
  const offset = cpu.load(i.width, x.segment, at, 'read');
  return { selector: Number(cpu.load(16, x.segment, offsetBy(x, at, i.width / 8), 'read')), offset };
}

/** The descriptor of a far transfer's selector. Throws #GP. */
function targetDescriptor(cpu: Cpu, selector: number): Descriptor {
  if (isNull(selector)) throw GP(0, 'far transfer through a null selector');
  const d = readDescriptor(cpu, selector);
  if (!d) throw GP(selectorError(selector), 'selector outside its descriptor table');
  return d;
}

/** L and D of a code segment that is about to be entered. */
function checkCodeSize(cpu: Cpu, selector: number, d: Descriptor): void {
  if (cpu.longModeActive && d.long && d.big) throw GP(selectorError(selector), 'code segment with both L and D set');
}

/** Throws #GP(0) unless execution may go on at `offset` in the code segment. */
function checkOffset(cpu: Cpu, d: Descriptor, offset: bigint): void {
  const long = cpu.longModeActive && d.long;
  if (long ? !isCanonical(offset) : !withinLimit(d.attributes, d.limit, Number(offset), 1)) {
    throw GP(0, long ? 'target is not canonical' : 'target is beyond the limit of its code segment');
  }
}

/** A code segment that JMP or CALL names directly: same privilege level. */
function checkDirect(cpu: Cpu, selector: number, d: Descriptor): void {
  const code = selectorError(selector);
  const { cpl } = cpu.state;
  if (d.conforming ? d.dpl > cpl : rpl(selector) > cpl || d.dpl !== cpl) throw GP(code, 'privilege of the code segment');
  if (!d.present) throw NP(code, 'code segment not present');
  checkCodeSize(cpu, selector, d);
}

function commitCode(cpu: Cpu, segment: CachedSegment, offset: bigint): void {
  cpu.setSegment(SEGMENT.CS, segment);
  cpu.nextIp = offset;
}

/** A call gate that may be used from here, with the code segment that it leads to: JMP must stay at its privilege level, CALL may go inwards. */
function readCallGate(cpu: Cpu, selector: number, gate: Descriptor, by: 'JMP' | 'CALL'): { target: number; offset: bigint; d: Descriptor; width: TransferWidth } {
  const code = selectorError(selector);
  const long = cpu.longModeActive;
  if (gate.dpl < cpu.state.cpl || rpl(selector) > gate.dpl) throw GP(code, 'privilege of the call gate');
  if (!gate.present) throw NP(code, 'call gate not present');
  let offset = gate.gateOffset;
  if (long) {
    if (!readDescriptor(cpu, selector, 16)) throw GP(code, 'second half of the call gate outside its descriptor table');
    const { upper, typeBits } = readUpperHalf(cpu, gate);
    if (typeBits !== 0) throw GP(code, 'upper half of the call gate has a type');
    offset |= upper;
  } else if (gate.type === SYSTEM_TYPE.callGate16) offset &= 0xffffn;
  const target = gate.gateSelector;
  if (isNull(target)) throw GP(0, 'code selector of the call gate is null');
  const targetCode = selectorError(target);
  const d = readDescriptor(cpu, target);
  if (!d) throw GP(targetCode, 'code selector of the call gate is outside its descriptor table');
  if (!d.code || d.dpl > cpu.state.cpl) throw GP(targetCode, 'call gate does not lead to a code segment of this or an inner privilege level');
  if (by === 'JMP' && !d.conforming && d.dpl !== cpu.state.cpl) throw GP(targetCode, 'JMP through a gate to another privilege level');
  if (long && (!d.long || d.big)) throw GP(targetCode, 'call gate does not lead to a 64-bit code segment');
  if (!d.present) throw NP(targetCode, 'code segment not present');
  checkCodeSize(cpu, target, d);
  return { target, offset, d, width: long ? 64 : gate.type === SYSTEM_TYPE.callGate16 ? 16 : 32 };
}

/** What a selector that is no code segment leads to; only call gates are built outside the error cases. */
function requireCallGate(cpu: Cpu, selector: number, d: Descriptor): void {
  const code = selectorError(selector);
  const long = cpu.longModeActive;
  if (d.system && (d.type === SYSTEM_TYPE.callGate || (!long && d.type === SYSTEM_TYPE.callGate16))) return;
  const task = d.type === SYSTEM_TYPE.taskGate || d.type === SYSTEM_TYPE.tssAvailable || d.type === SYSTEM_TYPE.tss16Available;
  if (d.system && !long && task) {
    if (d.dpl < cpu.state.cpl || rpl(selector) > d.dpl) throw GP(code, 'privilege of the task');
    if (!d.present) throw NP(code, 'task not present');
    throw new Unimplemented('hardware task switch by a far transfer');
  }
  throw GP(code, 'not a code segment or call gate');
}

/** JMP — Jump, far. */
export const JMP_FAR: SystemSemantics = (cpu, i) => {
  const { selector, offset } = farPointer(cpu, i);
  if (!cpu.protectedMode) {
    enterRealCode(cpu, selector, offset);
    return;
  }
  const d = targetDescriptor(cpu, selector);
  const { cpl } = cpu.state;
  if (d.code) {
    checkDirect(cpu, selector, d);
    checkOffset(cpu, d, offset);
    commitCode(cpu, codeSegment(cpu, selector, d, cpl), offset);
  } else {
    requireCallGate(cpu, selector, d);
    const gate = readCallGate(cpu, selector, d, 'JMP');
    checkOffset(cpu, gate.d, gate.offset);
    commitCode(cpu, codeSegment(cpu, gate.target, gate.d, cpl), gate.offset);
  }
  cpu.refresh();
};

/** Pushes CS and the return address, and enters the code segment at the same privilege level. */
function callSameLevel(cpu: Cpu, selector: number, d: Descriptor, offset: bigint, width: TransferWidth): void {
  const { state } = cpu;
  const stack = Stack.current(cpu);
  stack.push(width, BigInt(state.selector[SEGMENT.CS]!));
  stack.push(width, cpu.nextIp);
  checkOffset(cpu, d, offset);
  const segment = codeSegment(cpu, selector, d, state.cpl);
  stack.commit();
  commitCode(cpu, segment, offset);
}

/** A stack switch: old SS:rSP, parameters (not in IA-32e mode), CS and return address go to the inner stack. */
function callInnerLevel(cpu: Cpu, gate: ReturnType<typeof readCallGate>, parameters: number): void {
  const { state } = cpu;
  const { width, d } = gate;
  const cpl = d.dpl;
  const long = width === 64;
  const inner = long ? { pointer: longInnerStack(cpu, { cpl }, 0), segment: nullSegment(cpl, cpl) } : legacyInnerStack(cpu, cpl, 0);
  const stack = new Stack(cpu, {
    ...inner,
    width: long ? 64 : (inner.segment.attributes & ATTRIBUTE.DB) !== 0 ? 32 : 16,
    privilege: 'implicit-supervisor',
    fault: (reason) => SS(selectorError(inner.segment.selector), reason),
  });
  const copied: bigint[] = [];
  const outer = Stack.current(cpu);
  for (let n = 0; n < parameters; n++) copied.push(outer.pop(width));
  stack.push(width, BigInt(state.selector[SEGMENT.SS]!));
  stack.push(width, state.gpr[RSP]!);
  for (const parameter of copied.reverse()) stack.push(width, parameter);
  stack.push(width, BigInt(state.selector[SEGMENT.CS]!));
  stack.push(width, cpu.nextIp);
  checkOffset(cpu, d, gate.offset);
  const segment = codeSegment(cpu, gate.target, d, cpl);
  cpu.setSegment(SEGMENT.SS, inner.segment);
  state.cpl = cpl;
  stack.commit();
  commitCode(cpu, segment, gate.offset);
}

/** CALL outside protected mode: CS and the return address on the stack. */
function callReal(cpu: Cpu, selector: number, offset: bigint, width: TransferWidth): void {
  const stack = Stack.current(cpu);
  stack.push(width, BigInt(cpu.state.selector[SEGMENT.CS]!));
  stack.push(width, cpu.nextIp);
  enterRealCode(cpu, selector, offset);
  stack.commit();
}

/** CALL — Call Procedure, far. */
export const CALL_FAR: SystemSemantics = (cpu, i) => {
  const { selector, offset } = farPointer(cpu, i);
  if (!cpu.protectedMode) {
    callReal(cpu, selector, offset, widthOf(i));
    return;
  }
  const d = targetDescriptor(cpu, selector);
  if (d.code) {
    checkDirect(cpu, selector, d);
    callSameLevel(cpu, selector, d, offset, widthOf(i));
  } else {
    requireCallGate(cpu, selector, d);
    const gate = readCallGate(cpu, selector, d, 'CALL');
    if (!gate.d.conforming && gate.d.dpl < cpu.state.cpl) callInnerLevel(cpu, gate, gate.width === 64 ? 0 : d.parameterCount);
    else callSameLevel(cpu, gate.target, gate.d, gate.offset, gate.width);
  }
  cpu.refresh();
};

/** The code segment that a return names, checked against its RPL. */
function returnCodeSegment(cpu: Cpu, selector: number): Descriptor {
  const d = targetDescriptor(cpu, selector);
  const code = selectorError(selector);
  if (!d.code) throw GP(code, 'return to something that is not a code segment');
  if (rpl(selector) < cpu.state.cpl) throw GP(code, 'return to an inner privilege level');
  if (d.conforming ? d.dpl > rpl(selector) : d.dpl !== rpl(selector)) throw GP(code, 'DPL of the code segment is not the RPL of the return selector');
  if (!d.present) throw NP(code, 'code segment not present');
  checkCodeSize(cpu, selector, d);
  return d;
}

/** SS as a return pops it. A null SS, whatever its RPL, is right for 64-bit code at CPL 0-2. */
function returnStackSegment(cpu: Cpu, selector: number, cpl: number, code: Descriptor): CachedSegment {
  if (!isNull(selector)) return stackSegmentFor(cpu, selector, cpl, GP);
  if (!(cpu.longModeActive && code.long) || cpl === 3) throw GP(0, 'return to a null SS');
  return nullSegment(selector, cpl);
}

/** Writes rSP for the stack that a return enters: its width is that of the new mode. */
function commitReturnedPointer(cpu: Cpu, segment: CachedSegment, code: Descriptor, pointer: bigint): void {
  const { gpr } = cpu.state;
  const width = cpu.longModeActive && code.long ? 64 : (segment.attributes & ATTRIBUTE.DB) !== 0 ? 32 : 16;
  gpr[RSP] = width === 16 ? (gpr[RSP]! & ~0xffffn) | (pointer & 0xffffn) : pointer & MASK[width];
}

interface Return {
  readonly stack: Stack;
  readonly width: TransferWidth;
  readonly ip: bigint;
  readonly selector: number;
  /** Bytes of parameters to release, on both stacks. */
  readonly release: number;
  /** IRET in 64-bit mode pops SS:rSP also without a change of privilege. */
  readonly alwaysPopsStack: boolean;
}

/** The common end of RET and IRET: everything is checked before CS, SS, rSP and CPL change. */
function finishReturn(cpu: Cpu, r: Return): void {
  const { state } = cpu;
  const { stack, width, selector } = r;
  const d = returnCodeSegment(cpu, selector);
  const cpl = rpl(selector);
  const outer = cpl > state.cpl;
  stack.skip(r.release);
  if (!outer && !r.alwaysPopsStack) {
    checkOffset(cpu, d, r.ip);
    const cs = codeSegment(cpu, selector, d, cpl);
    stack.commit();
    commitCode(cpu, cs, r.ip);
    return;
  }
  const pointer = stack.pop(width) + BigInt(r.release);
  const ssSelector = Number(stack.pop(width) & 0xffffn);
  const ss = returnStackSegment(cpu, ssSelector, cpl, d);
  checkOffset(cpu, d, r.ip);
  const cs = codeSegment(cpu, selector, d, cpl);
  cpu.setSegment(SEGMENT.SS, ss);
  commitReturnedPointer(cpu, ss, d, pointer);
  commitCode(cpu, cs, r.ip);
  state.cpl = cpl;
  if (outer) dropInnerDataSegments(cpu);
}

/** RET — Return From Procedure, far. */
export const RET_FAR: SystemSemantics = (cpu, i) => {
  const width = widthOf(i);
  const stack = Stack.current(cpu);
  const ip = stack.pop(width);
  const selector = Number(stack.pop(width) & 0xffffn);
  const release = i.operands.length === 0 ? 0 : Number(readOperand(cpu, i, 0) & 0xffffn);
  if (cpu.protectedMode) finishReturn(cpu, { stack, width, ip, selector, release, alwaysPopsStack: false });
  else {
    enterRealCode(cpu, selector, ip);
    stack.skip(release);
    stack.commit();
  }
  cpu.refresh();
};

/** IRET outside protected mode: in virtual-8086 mode it cannot leave it, and IOPL must be 3 and stays so. */
function returnReal(cpu: Cpu, i: Instruction): void {
  requireIoplInVirtual8086Mode(cpu, i);
  const { state } = cpu;
  const width = widthOf(i);
  const stack = Stack.current(cpu);
  const ip = stack.pop(width);
  const selector = Number(stack.pop(width) & 0xffffn);
  const popped = Number(stack.pop(width) & 0xffff_ffffn);
  const mask = writableFlags(cpu, width) | (width === 16 ? 0 : RFLAGS.RF);
  enterRealCode(cpu, selector, ip);
  stack.commit();
  state.nmiBlocked = 0;
  cpu.setRflags((readRflags(state) & ~mask) | (popped & mask));
}

/**
 * IRET at CPL 0 to virtual-8086 mode: ESP, SS and the data segments are popped too, each as a doubleword.
 * SDM Vol. 3B, "Entering Virtual-8086 Mode".
 */
function returnToVirtual8086Mode(cpu: Cpu, stack: Stack, ip: bigint, selector: number, flags: number): void {
  const { state } = cpu;
  const pointer = stack.pop(32);
  const selectors = RETURNED_SEGMENTS.map(() => Number(stack.pop(32) & 0xffffn));
  if (ip > 0xffffn) throw GP(0, 'EIP is beyond the 64 KiB of virtual-8086 mode');
  state.nmiBlocked = 0;
  state.gpr[RSP] = pointer;
  cpu.setSegment(SEGMENT.CS, virtual8086Segment(selector));
  RETURNED_SEGMENTS.forEach((segment, n) => cpu.setSegment(segment, virtual8086Segment(selectors[n]!)));
  state.cpl = 3;
  cpu.nextIp = ip;
  cpu.setRflags(flags);
}
const RETURNED_SEGMENTS = [SEGMENT.SS, SEGMENT.ES, SEGMENT.DS, SEGMENT.FS, SEGMENT.GS] as const;

/** IRET / IRETD / IRETQ — Interrupt Return. */
export const IRET: SystemSemantics = (cpu, i) => {
  if (!cpu.protectedMode) {
    returnReal(cpu, i);
    return;
  }
  const { state } = cpu;
  const width = widthOf(i);
  const flags = readRflags(state);
  if ((flags & RFLAGS.NT) !== 0) {
    if (cpu.longModeActive) throw GP(0, 'IRET with NT set in IA-32e mode');
    throw new Unimplemented('return from a nested task');
  }
  const stack = Stack.current(cpu);
  const ip = stack.pop(width);
  const selector = Number(stack.pop(width) & 0xffffn);
  const popped = Number(stack.pop(width) & 0xffff_ffffn);
  if ((popped & RFLAGS.VM) !== 0 && width === 32 && state.cpl === 0 && !cpu.longModeActive) {
    returnToVirtual8086Mode(cpu, stack, ip, selector, popped);
    return;
  }
  // What may change is decided by the privilege level that IRET is executed at.
  const mask = writableFlags(cpu, width) | (width === 16 ? 0 : RFLAGS.RF | (state.cpl === 0 ? RFLAGS.VIF | RFLAGS.VIP : 0));
  finishReturn(cpu, { stack, width, ip, selector, release: 0, alwaysPopsStack: cpu.in64BitMode });
  state.nmiBlocked = 0;
  cpu.setRflags((flags & ~mask) | (popped & mask));
};

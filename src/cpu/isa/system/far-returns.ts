/**
 * Far RET and IRET: between segments, privilege levels, modes and tasks.
 * SDM Vol. 2A, "IRET/IRETD/IRETQ—Interrupt Return"; Vol. 2B, "RET—Return From Procedure".
 */
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { ATTRIBUTE, isNull, rpl, selectorError, type Descriptor } from '../../descriptors.ts';
import { GP, NP } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { enterRealCode, virtual8086Segment } from '../../real-mode.ts';
import { codeSegment, dropInnerDataSegments, nullSegment, stackSegmentFor, type CachedSegment } from '../../segmentation.ts';
import { Stack } from '../../stack.ts';
import { returnToTask } from '../../task-switch.ts';
import type { Instruction } from '../instruction.ts';
import { RSP } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { checkCodeSize, checkOffset, commitCode, targetDescriptor, widthOf, type TransferWidth } from './far-targets.ts';
import { writableFlags } from './flags.ts';
import { readOperand } from './operands.ts';
import { hasVirtualFlag, loadWithVirtualFlag } from './virtual-interrupts.ts';

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
  gpr[RSP] = width === 16 ? (gpr[RSP]! & ~0xffffn) | (pointer & 0xffffn) : BigInt.asUintN(width, pointer);
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
  const ssSelector = stack.popLow(width) & 0xffff;
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
  const selector = stack.popLow(width) & 0xffff;
  const release = i.operands.length === 0 ? 0 : Number(readOperand(cpu, i, 0) & 0xffffn);
  if (cpu.protectedMode) finishReturn(cpu, { stack, width, ip, selector, release, alwaysPopsStack: false });
  else {
    enterRealCode(cpu, selector, ip);
    stack.skip(release);
    stack.commit();
  }
  cpu.refresh();
};

/** IRET outside protected mode: in virtual-8086 mode it cannot leave it, and IOPL stays as it is. */
function returnReal(cpu: Cpu, i: Instruction): void {
  const virtual = hasVirtualFlag(cpu, i);
  const { state } = cpu;
  const width = widthOf(i);
  const stack = Stack.current(cpu);
  const ip = stack.pop(width);
  const selector = stack.popLow(width) & 0xffff;
  const popped = stack.popLow(width);
  const mask = writableFlags(cpu, width) | (width === 16 ? 0 : RFLAGS.RF);
  const flags = virtual ? loadWithVirtualFlag(cpu, popped, mask) : (readRflags(state) & ~mask) | (popped & mask);
  enterRealCode(cpu, selector, ip);
  stack.commit();
  state.nmiBlocked = 0;
  cpu.setRflags(flags);
}

/**
 * IRET at CPL 0 to virtual-8086 mode: ESP, SS and the data segments are popped too, each as a doubleword.
 * SDM Vol. 3B, "Entering Virtual-8086 Mode".
 */
function returnToVirtual8086Mode(cpu: Cpu, stack: Stack, ip: bigint, selector: number, flags: number): void {
  const { state } = cpu;
  const pointer = stack.pop(32);
  const selectors = RETURNED_SEGMENTS.map(() => stack.popLow(32) & 0xffff);
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
    returnToTask(cpu);
    state.nmiBlocked = 0;
    return;
  }
  const stack = Stack.current(cpu);
  const ip = stack.pop(width);
  const selector = stack.popLow(width) & 0xffff;
  const popped = stack.popLow(width);
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

/**
 * Far RET and IRET: between segments, privilege levels, modes and tasks.
 * SDM Vol. 2A, "IRET/IRETD/IRETQ—Interrupt Return"; Vol. 2B, "RET—Return From Procedure".
 */
import { joined } from '../../../state/halves.ts';
import { OFFSET, SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { isNull, rpl, selectorError, setAccessed, type Descriptor } from '../../descriptors.ts';
import { GP, NP } from '../../exceptions.ts';
import { RFLAGS, readRflags } from '../../flags.ts';
import { enterRealCode, virtual8086Segment } from '../../real-mode.ts';
import { codeSelector, dropInnerDataSegments, loadChecked, nullSegment, stackDescriptorFor } from '../../segmentation.ts';
import { Stack } from '../../stack.ts';
import { returnToTask } from '../../task-switch.ts';
import type { Instruction } from '../instruction.ts';
import { RSP } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { checkCodeSize, checkHalves, targetDescriptor, widthOf, type TransferWidth } from './far-targets.ts';
import { writableFlags } from './flags.ts';
import { lowOperand } from './operands.ts';
import { hasVirtualFlag, loadWithVirtualFlag } from './virtual-interrupts.ts';

const RSP_LOW = OFFSET.gpr / 4 + 2 * RSP;

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

/** SS as a return pops it, checked; undefined where it is null, which is right for 64-bit code at CPL 0-2 whatever its RPL. */
function returnStackSegment(cpu: Cpu, selector: number, cpl: number, code: Descriptor): Descriptor | undefined {
  if (!isNull(selector)) return stackDescriptorFor(cpu, selector, cpl, GP);
  if (!(cpu.longModeActive && code.long) || cpl === 3) throw GP(0, 'return to a null SS');
  return undefined;
}

/** Writes rSP for the stack that a return enters: its width is that of the new mode. */
function commitReturnedPointer(cpu: Cpu, ss: Descriptor | undefined, code: Descriptor, low: number, high: number): void {
  const { u32 } = cpu.state;
  if (cpu.longModeActive && code.long) {
    u32[RSP_LOW] = low;
    u32[RSP_LOW + 1] = high;
  } else if (ss?.big === true) {
    u32[RSP_LOW] = low;
    u32[RSP_LOW + 1] = 0;
  } else u32[RSP_LOW] = (u32[RSP_LOW]! & ~0xffff) | (low & 0xffff);
}

/**
 * The common end of RET and IRET, which have popped a return address (in halves) and CS: everything is checked before CS, SS, rSP and CPL change.
 * `release`: bytes of parameters to release, on both stacks. `alwaysPopsStack`: IRET in 64-bit mode pops SS:rSP also without a change of privilege.
 */
function finishReturn(cpu: Cpu, stack: Stack, width: TransferWidth, low: number, high: number, selector: number, release: number, alwaysPopsStack: boolean): void {
  const { state } = cpu;
  const d = returnCodeSegment(cpu, selector);
  const cpl = rpl(selector);
  const outer = cpl > state.cpl;
  stack.skip(release);
  if (!outer && !alwaysPopsStack) {
    checkHalves(cpu, d, low, high);
    setAccessed(cpu, d);
    stack.commit();
  } else {
    const pointer = stack.popLow(width) + release, pointerHigh = cpu.mmu.loadedHigh + (pointer < 2 ** 32 ? 0 : 1);
    const ssSelector = stack.popLow(width) & 0xffff;
    const ss = returnStackSegment(cpu, ssSelector, cpl, d);
    checkHalves(cpu, d, low, high);
    setAccessed(cpu, d);
    if (ss === undefined) cpu.setSegment(SEGMENT.SS, nullSegment(ssSelector, cpl)); else loadChecked(cpu, SEGMENT.SS, ssSelector, ss);
    commitReturnedPointer(cpu, ss, d, pointer, pointerHigh);
  }
  loadChecked(cpu, SEGMENT.CS, codeSelector(selector, cpl), d);
  cpu.setNextIp(low, high);
  if (!outer) return;
  state.cpl = cpl;
  dropInnerDataSegments(cpu);
}

/** RET — Return From Procedure, far. */
export const RET_FAR: SystemSemantics = (cpu, i) => {
  const width = widthOf(i);
  const stack = Stack.current(cpu);
  const low = stack.popLow(width), high = cpu.mmu.loadedHigh;
  const selector = stack.popLow(width) & 0xffff;
  const release = i.operands.length === 0 ? 0 : lowOperand(cpu, i, 0) & 0xffff;
  if (cpu.protectedMode) finishReturn(cpu, stack, width, low, high, selector, release, false);
  else {
    enterRealCode(cpu, selector, joined(low, high));
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
  const low = stack.popLow(width), high = cpu.mmu.loadedHigh;
  const selector = stack.popLow(width) & 0xffff;
  const popped = stack.popLow(width);
  if ((popped & RFLAGS.VM) !== 0 && width === 32 && state.cpl === 0 && !cpu.longModeActive) {
    returnToVirtual8086Mode(cpu, stack, joined(low, high), selector, popped);
    return;
  }
  // What may change is decided by the privilege level that IRET is executed at.
  const mask = writableFlags(cpu, width) | (width === 16 ? 0 : RFLAGS.RF | (state.cpl === 0 ? RFLAGS.VIF | RFLAGS.VIP : 0));
  finishReturn(cpu, stack, width, low, high, selector, 0, cpu.in64BitMode);
  state.nmiBlocked = 0;
  cpu.setRflags((flags & ~mask) | (popped & mask));
};

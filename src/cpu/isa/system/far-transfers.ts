/**
 * Far JMP and CALL: between segments, privilege levels, modes and tasks. The returns are in far-returns.ts.
 * SDM Vol. 2A, "CALL—Call Procedure", "JMP—Jump".
 */
import { joined } from '../../../state/halves.ts';
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { ATTRIBUTE, SYSTEM_TYPE, isNull, readDescriptor, readUpperHalf, rpl, selectorError, typeBitsOf, type Descriptor } from '../../descriptors.ts';
import { GP, NP } from '../../exceptions.ts';
import { enterRealCode } from '../../real-mode.ts';
import { codeSegment, nullSegment } from '../../segmentation.ts';
import { Stack } from '../../stack.ts';
import { switchTask, taskDescriptor } from '../../task-switch.ts';
import { innerOffset, legacyInnerStack, longInnerStack } from '../../tasks.ts';
import type { Instruction } from '../instruction.ts';
import { RSP } from '../operand.ts';
import type { SystemSemantics } from '../row.ts';
import { checkCodeSize, checkOffset, commitCode, targetDescriptor, widthOf, type TransferWidth } from './far-targets.ts';
import { effectiveAddress, offsetBy } from './operands.ts';

function farPointer(cpu: Cpu, i: Instruction): { selector: number; offset: bigint } {
  const x = i.operands[0];
  if (x?.kind === 'far-pointer') return { selector: x.selector, offset: BigInt(x.offset) };
  if (x?.kind !== 'memory') throw new Error(`${i.row.text}: operand 0 is no far pointer`);
  const at = effectiveAddress(cpu, x);
  const offset = cpu.load(i.width, x.segment, at, 'read');
  return { selector: Number(cpu.load(16, x.segment, offsetBy(x, at, i.width / 8), 'read')), offset };
}

/** A code segment that JMP or CALL names directly: same privilege level. */
function checkDirect(cpu: Cpu, selector: number, d: Descriptor): void {
  const code = selectorError(selector);
  const { cpl } = cpu.state;
  if (d.conforming ? d.dpl > cpl : rpl(selector) > cpl || d.dpl !== cpl) throw GP(code, 'privilege of the code segment');
  if (!d.present) throw NP(code, 'code segment not present');
  checkCodeSize(cpu, selector, d);
}

/** A call gate that may be used from here, with the code segment that it leads to: JMP must stay at its privilege level, CALL may go inwards. */
function readCallGate(cpu: Cpu, selector: number, gate: Descriptor, by: 'JMP' | 'CALL'): { target: number; offset: bigint; d: Descriptor; width: TransferWidth } {
  const code = selectorError(selector);
  const long = cpu.longModeActive;
  if (gate.dpl < cpu.state.cpl || rpl(selector) > gate.dpl) throw GP(code, 'privilege of the call gate');
  if (!gate.present) throw NP(code, 'call gate not present');
  let offset = joined(gate.gateOffset, 0);
  if (long) {
    if (!readDescriptor(cpu, selector, 16)) throw GP(code, 'second half of the call gate outside its descriptor table');
    const upper = readUpperHalf(cpu, gate);
    if (typeBitsOf(upper) !== 0) throw GP(code, 'upper half of the call gate has a type');
    offset = joined(gate.gateOffset, upper.low);
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

/** The task that a selector leads to, by its TSS or through a task gate; undefined where it is a call gate. Throws #GP for anything else. */
function taskOf(cpu: Cpu, selector: number, d: Descriptor): { selector: number; tss: Descriptor } | undefined {
  const code = selectorError(selector);
  const long = cpu.longModeActive;
  if (d.system && (d.type === SYSTEM_TYPE.callGate || (!long && d.type === SYSTEM_TYPE.callGate16))) return undefined;
  if (!d.system || long || !TASK_TYPES.has(d.type)) throw GP(code, 'not a code segment, gate or task');
  if (d.dpl < cpu.state.cpl || rpl(selector) > d.dpl) throw GP(code, 'privilege of the task');
  if (d.type !== SYSTEM_TYPE.taskGate) return { selector, tss: taskDescriptor(cpu, selector, 'JMP') };
  if (!d.present) throw NP(code, 'task gate not present');
  return { selector: d.gateSelector, tss: taskDescriptor(cpu, d.gateSelector, 'JMP') };
}
const TASK_TYPES: ReadonlySet<number> = new Set([SYSTEM_TYPE.taskGate, SYSTEM_TYPE.tssAvailable, SYSTEM_TYPE.tssBusy, SYSTEM_TYPE.tss16Available, SYSTEM_TYPE.tss16Busy]);

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
    const task = taskOf(cpu, selector, d);
    if (task) switchTask(cpu, task.selector, task.tss, 'JMP', cpu.nextIp);
    else {
      const gate = readCallGate(cpu, selector, d, 'JMP');
      checkOffset(cpu, gate.d, gate.offset);
      commitCode(cpu, codeSegment(cpu, gate.target, gate.d, cpl), gate.offset);
    }
  }
  cpu.refresh();
};

/** Pushes CS and the return address, and enters the code segment at the same privilege level. */
function callSameLevel(cpu: Cpu, selector: number, d: Descriptor, offset: bigint, width: TransferWidth): void {
  const { state } = cpu;
  const stack = Stack.current(cpu);
  stack.pushHalves(width, state.selector[SEGMENT.CS]!);
  stack.push(width, cpu.nextIp);
  checkOffset(cpu, d, offset);
  const segment = codeSegment(cpu, selector, d, state.cpl);
  stack.commit();
  commitCode(cpu, segment, offset);
}

function readLongStack(cpu: Cpu, cpl: number): bigint {
  longInnerStack(cpu, innerOffset(cpl), 0);
  return joined(cpu.mmu.loadedLow, cpu.mmu.loadedHigh);
}

/** A stack switch: old SS:rSP, parameters (not in IA-32e mode), CS and return address go to the inner stack. */
function callInnerLevel(cpu: Cpu, gate: ReturnType<typeof readCallGate>, parameters: number): void {
  const { state } = cpu;
  const { width, d } = gate;
  const cpl = d.dpl;
  const long = width === 64;
  const inner = long ? { pointer: readLongStack(cpu, cpl), segment: nullSegment(cpl, cpl) } : legacyInnerStack(cpu, cpl, 0);
  const stack = new Stack(cpu, {
    ...inner,
    width: long ? 64 : (inner.segment.attributes & ATTRIBUTE.DB) !== 0 ? 32 : 16,
    privilege: 'implicit-supervisor',
    errorCode: selectorError(inner.segment.selector),
  });
  const copied: bigint[] = [];
  const outer = Stack.current(cpu);
  for (let n = 0; n < parameters; n++) copied.push(outer.pop(width));
  stack.pushHalves(width, state.selector[SEGMENT.SS]!);
  stack.push(width, state.gpr[RSP]!);
  for (const parameter of copied.reverse()) stack.push(width, parameter);
  stack.pushHalves(width, state.selector[SEGMENT.CS]!);
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
  stack.pushHalves(width, cpu.state.selector[SEGMENT.CS]!);
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
    const task = taskOf(cpu, selector, d);
    if (task) switchTask(cpu, task.selector, task.tss, 'CALL', cpu.nextIp);
    else {
      const gate = readCallGate(cpu, selector, d, 'CALL');
      if (!gate.d.conforming && gate.d.dpl < cpu.state.cpl) callInnerLevel(cpu, gate, gate.width === 64 ? 0 : d.parameterCount);
      else callSameLevel(cpu, gate.target, gate.d, gate.offset, gate.width);
    }
  }
  cpu.refresh();
};

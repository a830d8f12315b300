/**
 * Entering a handler: the gate, the code segment, the stack switch, the frame. Everything that can fault comes before
 * anything that changes (memory below the new stack pointer excepted).
 * SDM Vol. 2A, "INT n/INTO/INT3/INT1—Call to Interrupt Procedure"; Vol. 3A, "Interrupt and Exception Handling in 64-bit Mode".
 */
import { linear } from '../state/addresses.ts';
import { joined } from '../state/halves.ts';
import { OFFSET, SEGMENT } from '../state/layout.ts';
import type { Cpu } from './cpu.ts';
import type { DeliveryProgress, Interruption } from './delivery.ts';
import { ATTRIBUTE, Descriptor, SYSTEM_TYPE, isNull, readDescriptor, readDescriptorAt, readUpperHalf, selectorError, tableAddress } from './descriptors.ts';
import { GP, NP, SS } from './exceptions.ts';
import { RFLAGS, readRflags, writeRflags } from './flags.ts';
import { enterRealHandler } from './interrupt-vector-table.ts';
import { RSP } from './isa/operand.ts';
import { codeSegment, isCanonical, nullSegment, withinLimit, type CachedSegment } from './segmentation.ts';
import { Stack, type StackDescription } from './stack.ts';
import { switchTask, taskDescriptor, taskWidth } from './task-switch.ts';
import { legacyInnerStack, longInnerStack } from './tasks.ts';

const RSP_LOW = OFFSET.gpr / 4 + 2 * RSP;

/** Error code of a fault in IDT entry `vector`: index, IDT = 1. SDM Vol. 3A, "Error Code". */
const idtError = (vector: number): number => (vector << 3) | 2;

/** EXT: the event is external to the program, so not one of the INT instructions. INT1 counts as external. */
const externalBit = (what: Interruption): number => (what.kind === 'software' ? 0 : 1);

interface Gate { readonly size: 16 | 32 | 64; readonly trap: boolean; readonly selector: number; readonly offset: bigint; readonly ist: number }

/** The gate of the vector; of a task gate, its TSS selector. */
function readGate(cpu: Cpu, what: Interruption, progress: DeliveryProgress): Gate | { readonly size: 'task'; readonly selector: number } {
  const { state } = cpu;
  const { vector } = what;
  const long = cpu.longModeActive;
  const bytes = long ? 16 : 8;
  const code = idtError(vector) | externalBit(what);
  progress.doing = `reading IDT gate ${vector}`;
  if (vector * bytes + bytes - 1 > state.idtrLimit) throw GP(code, 'vector beyond the limit of the IDT');
  progress.gateAddress = tableAddress(cpu, state.idtrBase, vector * bytes);
  const gate = readDescriptorAt(cpu, linear(progress.gateAddress));
  progress.gate = gate.raw;
  const upper = long ? readUpperHalf(cpu, gate).upper : 0;
  progress.doing = `checking IDT gate ${vector}`;
  const size = !gate.system ? undefined
    : gate.type === SYSTEM_TYPE.interruptGate || gate.type === SYSTEM_TYPE.trapGate ? (long ? 64 : 32)
      : !long && (gate.type === SYSTEM_TYPE.interruptGate16 || gate.type === SYSTEM_TYPE.trapGate16) ? 16
        : !long && gate.type === SYSTEM_TYPE.taskGate ? 'task' : undefined;
  if (size === undefined) throw GP(code, 'IDT entry is not an interrupt or trap gate');
  if (what.kind === 'software' && gate.dpl < state.cpl) throw GP(code, 'DPL of the gate is less than CPL');
  if (!gate.present) throw NP(code, 'gate not present');
  if (size === 'task') return { size, selector: gate.gateSelector };
  const offset = joined(size === 16 ? gate.gateOffset & 0xffff : gate.gateOffset, upper);
  progress.handler = offset;
  return { size, trap: (gate.type & 1) !== 0, selector: gate.gateSelector, offset, ist: long ? gate.parameterCount & 7 : 0 };
}

/** The handler's code segment, and the privilege level that it runs at. */
function readHandlerSegment(cpu: Cpu, gate: Gate, ext: number, progress: DeliveryProgress): { descriptor: Descriptor; cpl: number } {
  progress.doing = 'reading the code segment of the gate';
  progress.selector = gate.selector;
  if (isNull(gate.selector)) throw GP(ext, 'code selector of the gate is null');
  const code = selectorError(gate.selector) | ext;
  const d = readDescriptor(cpu, gate.selector);
  if (!d) throw GP(code, 'code selector of the gate is outside its descriptor table');
  progress.descriptor = d.raw;
  progress.doing = 'checking the code segment of the gate';
  if (!d.code || d.dpl > cpu.state.cpl) throw GP(code, 'not a code segment of this or an inner privilege level');
  if (cpu.longModeActive && (!d.long || d.big)) throw GP(code, 'not a 64-bit code segment');
  if (!d.present) throw NP(code, 'code segment not present');
  if (cpu.virtual8086Mode && (d.conforming || d.dpl !== 0)) throw GP(code, 'handler of virtual-8086 mode is not at privilege level 0');
  return { descriptor: d, cpl: d.conforming ? cpu.state.cpl : d.dpl };
}

/** Where the frame goes. `switched`: SS:rSP are those of an inner privilege level. */
function chooseStack(cpu: Cpu, gate: Gate, cpl: number, ext: number, progress: DeliveryProgress): { stack: Stack; segment: CachedSegment | undefined } {
  const { state } = cpu;
  const inner = cpl < state.cpl;
  // Pushes on a stack of an inner level are not exempted from SMAP by an AC that the outer level has set.
  const privilege = cpl === 3 ? 'user' : inner ? 'implicit-supervisor' : 'supervisor';
  const current = cpu.segment(SEGMENT.SS);
  const fault = (reason: string): ReturnType<typeof SS> => SS(ext, reason);
  progress.ist = gate.ist;
  let description: StackDescription;
  let segment: CachedSegment | undefined;
  if (gate.size === 64) {
    progress.doing = gate.ist !== 0 ? `reading IST${gate.ist} from the TSS` : inner ? `reading RSP${cpl} from the TSS` : 'choosing the stack';
    const pointer = gate.ist !== 0 || inner ? longInnerStack(cpu, gate.ist !== 0 ? { ist: gate.ist } : { cpl }, ext) : state.gpr[RSP]!;
    // Manual: SS becomes null only with a change of privilege; QEMU also nulls it for an IST stack at the same level.
    segment = inner ? nullSegment(cpl, cpl) : undefined;
    description = { segment: segment ?? current, width: 64, pointer: pointer & ~0xfn, privilege, fault };
  } else if (inner) {
    progress.doing = `reading SS${cpl}:ESP${cpl} from the TSS`;
    const { pointer, segment: ss } = legacyInnerStack(cpu, cpl, ext);
    segment = ss;
    description = { segment: ss, width: (ss.attributes & ATTRIBUTE.DB) !== 0 ? 32 : 16, pointer, privilege, fault: (reason) => SS(selectorError(ss.selector) | ext, reason) };
  } else {
    description = { segment: current, width: cpu.mode().stackSize, pointer: state.gpr[RSP]!, privilege, fault };
  }
  progress.stackSelector = description.segment.selector;
  progress.stackPointer = description.pointer;
  return { stack: new Stack(cpu, description), segment };
}

/** A task gate: the handler is a task. Its error code, if there is one, goes to its own stack. */
function enterTask(cpu: Cpu, what: Interruption, selector: number, returnIp: bigint, progress: DeliveryProgress): void {
  const ext = externalBit(what);
  progress.doing = 'switching to the task of the gate';
  progress.selector = selector;
  switchTask(cpu, selector, taskDescriptor(cpu, selector, 'gate', ext), 'gate', returnIp, { ext, resume: what.kind === 'fault' });
  if (what.errorCode === undefined) return;
  progress.doing = 'pushing the error code on the stack of the task';
  const stack = Stack.current(cpu, (reason) => SS(ext, reason));
  stack.pushHalves(taskWidth(cpu), what.errorCode);
  stack.commit();
}

/** Pushes the frame and enters the handler: RIP, `cpu.nextIp`, CS, SS, rSP, RFLAGS and CPL change together at the end. Throws what goes wrong. */
export function enterHandler(cpu: Cpu, what: Interruption, returnIp: bigint, progress: DeliveryProgress): void {
  const { state } = cpu;
  if (cpu.realMode) {
    enterRealHandler(cpu, what, returnIp, progress);
    return;
  }
  const ext = externalBit(what);
  const gate = readGate(cpu, what, progress);
  if (gate.size === 'task') {
    enterTask(cpu, what, gate.selector, returnIp, progress);
    return;
  }
  const { descriptor, cpl } = readHandlerSegment(cpu, gate, ext, progress);
  const { stack, segment } = chooseStack(cpu, gate, cpl, ext, progress);

  const { size } = gate;
  const flags = readRflags(state);
  progress.doing = 'pushing the frame';
  const from8086 = cpu.virtual8086Mode;
  if (from8086) for (const number of [SEGMENT.GS, SEGMENT.FS, SEGMENT.DS, SEGMENT.ES]) stack.pushHalves(size, state.selector[number]!);
  if (segment !== undefined || size === 64) {
    stack.pushHalves(size, state.selector[SEGMENT.SS]!);
    stack.pushHalves(size, state.u32[RSP_LOW]!, state.u32[RSP_LOW + 1]);
  }
  // Deviates: an interrupt between two iterations of a REP instruction pushes RF as it is, not as 1, as QEMU does.
  stack.pushHalves(size, what.kind === 'fault' ? flags | RFLAGS.RF : flags);
  stack.pushHalves(size, state.selector[SEGMENT.CS]!);
  stack.push(size, returnIp);
  if (what.errorCode !== undefined) stack.pushHalves(size, what.errorCode);

  progress.doing = 'checking the handler address';
  if (size === 64 ? !isCanonical(gate.offset, cpu.linearWidth) : !withinLimit(descriptor.attributes, descriptor.limit, Number(gate.offset), 1)) {
    throw GP(ext, size === 64 ? 'handler address is not canonical' : 'handler is beyond the limit of its code segment');
  }
  const cs = codeSegment(cpu, gate.selector, descriptor, cpl);

  cpu.setSegment(SEGMENT.CS, cs);
  if (segment !== undefined) cpu.setSegment(SEGMENT.SS, segment);
  if (from8086) for (const number of [SEGMENT.GS, SEGMENT.FS, SEGMENT.DS, SEGMENT.ES]) cpu.setSegment(number, nullSegment(0));
  state.cpl = cpl;
  // The width of the committed pointer is that of the new stack.
  stack.commit();
  writeRflags(state, flags & ~(RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | (gate.trap ? 0 : RFLAGS.IF)));
  state.rip = cpu.nextIp = gate.offset;
}

/** What x87 instructions share: when they may run, how they reach registers and memory, where they note themselves. */
import { SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { requireFpu, requireNoPendingException, roundingMode, selectedPrecision, signal, type Report } from '../../fpu/control.ts';
import type { Control } from '../../fpu/pack.ts';
import type { Instruction } from '../instruction.ts';
import type { MemoryOperand } from '../operand.ts';
import type { Intent } from '../ops.ts';
import type { SystemSemantics } from '../row.ts';
import type { Located } from '../x87-ops.ts';
import { effectiveAddress, memoryOperand, offsetBy } from './operands.ts';

/**
 * Notes the instruction's address and its operand's for a handler of exceptions.
 * Deviates: the last opcode, which newer processors note for unmasked exceptions only, stays what FRSTOR or FXRSTOR loaded.
 * SDM Vol. 1, "x87 FPU Instruction and Data (Operand) Pointers", "Last Instruction Opcode".
 */
export function notePointers({ state }: Cpu, memory: Located<bigint> | undefined): void {
  state.fpuInstructionPointer = state.rip;
  state.fpuInstructionSelector = state.selector[SEGMENT.CS]!;
  if (memory === undefined) return;
  state.fpuDataPointer = memory.offset;
  state.fpuDataSelector = state.selector[memory.operand.segment]!;
}

/** An instruction that waits for exceptions of earlier ones and notes itself. */
export const x87 = (execute: SystemSemantics): SystemSemantics => (cpu, i) => {
  requireFpu(cpu);
  requireNoPendingException(cpu);
  const n = i.operands.findIndex((x) => x.kind === 'memory');
  const memory = n < 0 ? undefined : located(cpu, i, n);
  execute(cpu, i);
  notePointers(cpu, memory);
};
/** A control instruction that waits. */
export const x87Control = (execute: SystemSemantics): SystemSemantics => (cpu, i) => {
  requireFpu(cpu);
  requireNoPendingException(cpu);
  execute(cpu, i);
};
/** A control instruction that does not wait. */
export const x87NoWait = (execute: SystemSemantics): SystemSemantics => (cpu, i) => {
  requireFpu(cpu);
  execute(cpu, i);
};

/** i of ST(i), operand n. */
export function stackRegister(i: Instruction, n: number): number {
  const x = i.operands[n];
  if (x?.kind !== 'fpu') throw new Error(`${i.row.text}: operand ${n} is no register of the x87 stack`);
  return x.number;
}

/** How results are rounded now. */
export const rounding = (cpu: Cpu): Control => ({ precision: selectedPrecision(cpu.state), mode: roundingMode(cpu.state), masked: cpu.state.fpuControl });

/** Flags the exceptions of an operation and, unless one of them is unmasked and forbids it, does what the operation does. */
export function conclude(cpu: Cpu, report: Report, commit: () => void): void {
  if (signal(cpu.state, report)) commit();
}

/** Where operand n lies. */
export function located(cpu: Cpu, i: Instruction, n: number): Located<bigint> {
  const operand = memoryOperand(i, n);
  return { operand, offset: effectiveAddress(cpu, operand) };
}

/** Reads ten bytes as one number. */
export function loadTen(cpu: Cpu, { operand, offset }: Located<bigint>): bigint {
  const low = cpu.load(64, operand.segment, offset, 'read');
  return low | (cpu.load(16, operand.segment, offsetBy(operand, offset, 8), 'read') << 64n);
}

/** Writes ten bytes; nothing is written where any of them faults. */
export function storeTen(cpu: Cpu, { operand, offset }: Located<bigint>, value: bigint): void {
  const above = offsetBy(operand, offset, 8);
  cpu.probeStore(operand.segment, above, 2);
  cpu.store(64, operand.segment, offset, BigInt.asUintN(64, value));
  cpu.store(16, operand.segment, above, value >> 64n);
}

/** Pieces of up to eight bytes that cover `bytes` bytes. */
function pieces(bytes: number): { at: number; bytes: 1 | 2 | 4 | 8 }[] {
  const list: { at: number; bytes: 1 | 2 | 4 | 8 }[] = [];
  for (let at = 0; at < bytes;) {
    const size = bytes - at >= 8 ? 8 : bytes - at >= 4 ? 4 : bytes - at >= 2 ? 2 : 1;
    list.push({ at, bytes: size });
    at += size;
  }
  return list;
}

const widthOf = (bytes: 1 | 2 | 4 | 8): 8 | 16 | 32 | 64 => (bytes * 8) as 8 | 16 | 32 | 64;

/** Reads a block of memory, `from` bytes behind the operand's address; to `modify` it needs write permission. */
export function loadBlock(cpu: Cpu, x: MemoryOperand, bytes: number, intent: Intent = 'read', from = 0): Uint8Array {
  const offset = offsetBy(x, effectiveAddress(cpu, x), from);
  const block = new Uint8Array(bytes + 8), view = new DataView(block.buffer);
  for (const piece of pieces(bytes)) view.setBigUint64(piece.at, cpu.load(widthOf(piece.bytes), x.segment, offsetBy(x, offset, piece.at), intent), true);
  return block.subarray(0, bytes);
}

/** Writes a block of memory, `from` bytes behind the operand's address; nothing is written where any of it faults. */
export function storeBlock(cpu: Cpu, x: MemoryOperand, block: Uint8Array, from = 0): void {
  const offset = offsetBy(x, effectiveAddress(cpu, x), from);
  const parts = pieces(block.length);
  for (const piece of parts) cpu.probeStore(x.segment, offsetBy(x, offset, piece.at), piece.bytes);
  const padded = new Uint8Array(block.length + 8), view = new DataView(padded.buffer);
  padded.set(block);
  for (const piece of parts) cpu.store(widthOf(piece.bytes), x.segment, offsetBy(x, offset, piece.at), BigInt.asUintN(8 * piece.bytes, view.getBigUint64(piece.at, true)));
}

/** Whether a memory operand's linear address is a multiple of `bytes`. */
export function isAligned(cpu: Cpu, x: MemoryOperand, bytes: 16 | 64): boolean {
  const base = cpu.in64BitMode && x.segment < SEGMENT.FS ? 0n : cpu.state.base[x.segment]!;
  return ((base + effectiveAddress(cpu, x)) & BigInt(bytes - 1)) === 0n;
}

/** How system instructions read and write their operands on the concrete state. */
import { CR4 } from '../../../mmu/control-bits.ts';
import { highOf, lowOf } from '../../../state/halves.ts';
import { OFFSET, type Segment } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { GP } from '../../exceptions.ts';
import type { Instruction } from '../instruction.ts';
import { NO_REGISTER, type MemoryOperand, type RegisterOperand, type Width } from '../operand.ts';

const GPR = OFFSET.gpr / 4;

/** Offset in its segment of a memory operand, cut to its address width. */
export function effectiveAddress(cpu: Cpu, x: MemoryOperand): bigint {
  const { gpr } = cpu.state;
  const base = x.ripRelative ? cpu.nextIp : gpr[x.base]!;
  const sum = BigInt.asUintN(64, base + gpr[x.index]! * BigInt(x.scale) + x.displacement);
  return x.addressWidth === 64 ? sum : BigInt.asUintN(x.addressWidth, sum);
}

/** Bits 31:0 of the same offset; bits 63:32 are in `offsetHigh`. No bigint is made where the displacement is a small number. */
export function effectiveAddressLow(cpu: Cpu, x: MemoryOperand): number {
  if (x.ripRelative || x.index !== NO_REGISTER) {
    const offset = effectiveAddress(cpu, x);
    offsetHigh = highOf(offset);
    return lowOf(offset);
  }
  const sum = low32(cpu, x.base) + lowOf(x.displacement);
  offsetHigh = x.addressWidth === 64 ? (high32(cpu, x.base) + highOf(x.displacement) + (sum < 2 ** 32 ? 0 : 1)) >>> 0 : 0;
  return x.addressWidth === 16 ? sum & 0xffff : sum >>> 0;
}
/** Bits 63:32 of what `effectiveAddressLow` found last. */
export let offsetHigh = 0;

/** An offset further on in the same operand. */
export const offsetBy = (x: MemoryOperand, offset: bigint, bytes: number): bigint => BigInt.asUintN(x.addressWidth, offset + BigInt(bytes));

export function readRegister(cpu: Cpu, x: RegisterOperand): bigint {
  const value = cpu.state.gpr[x.number]!;
  return BigInt.asUintN(x.width, x.high ? value >> 8n : value);
}

/** Writes a register: 32-bit results clear bits 63:32, 16-bit and 8-bit results leave the other bits. */
export function writeRegister(cpu: Cpu, number: number, width: Width, value: bigint): void {
  const { gpr } = cpu.state;
  const cut = BigInt.asUintN(width, value);
  gpr[number] = width >= 32 ? cut : (gpr[number]! >> BigInt(width) << BigInt(width)) | cut;
}

/** Value of operand n: register, immediate, or memory of the operand's own width. */
export function readOperand(cpu: Cpu, i: Instruction, n: number): bigint {
  const x = i.operands[n];
  switch (x?.kind) {
    case 'register': return readRegister(cpu, x);
    case 'immediate': return x.value;
    case 'memory': return cpu.load(x.width as Width, x.segment, effectiveAddress(cpu, x), 'read');
    default: throw new Error(`${i.row.text}: operand ${n} is no value`);
  }
}

/** Bits 31:0 of `readOperand` of an immediate or register, as a number. */
export function lowOperand(cpu: Cpu, i: Instruction, n: number): number {
  const x = i.operands[n];
  if (x?.kind === 'immediate') return lowOf(x.value);
  if (x?.kind !== 'register' || x.width < 32) return lowOf(readOperand(cpu, i, n));
  return low32(cpu, x.number);
}

/** Writes operand n; a register at its own width, memory at the width of the access. */
export function writeOperand(cpu: Cpu, i: Instruction, n: number, value: bigint): void {
  const x = i.operands[n];
  if (x?.kind === 'register') writeRegister(cpu, x.number, x.width, value);
  else if (x?.kind === 'memory') cpu.store(x.width as Width, x.segment, effectiveAddress(cpu, x), BigInt.asUintN(x.width, value));
  else throw new Error(`${i.row.text}: operand ${n} is no destination`);
}

export function memoryOperand(i: Instruction, n: number): MemoryOperand {
  const x = i.operands[n];
  if (x?.kind !== 'memory') throw new Error(`${i.row.text}: operand ${n} is not memory`);
  return x;
}

/** Number of the segment, control or debug register that operand n names. */
export function specialRegister(i: Instruction, n: number): number {
  const x = i.operands[n];
  if (x?.kind !== 'segment' && x?.kind !== 'control' && x?.kind !== 'debug') throw new Error(`${i.row.text}: operand ${n} is no special register`);
  return x.number;
}
export const segmentRegister = (i: Instruction, n: number): Segment => specialRegister(i, n) as Segment;

/** #GP(0) unless CPL is 0. */
export function requireCpl0(cpu: Cpu, i: Instruction): void {
  if (cpu.state.cpl !== 0) throw GP(0, `${i.mnemonic} at CPL ${cpu.state.cpl}`);
}

/**
 * #GP(0) with CR4.UMIP at CPL 1 to 3: SGDT, SIDT, SLDT, SMSW and STR would tell a program where the system's tables are.
 * SDM Vol. 3A, "Control Registers", User-Mode Instruction Prevention.
 */
export function requireUserMayAsk(cpu: Cpu, i: Instruction): void {
  if ((cpu.state.cr4 & CR4.UMIP) !== 0 && cpu.state.cpl !== 0) throw GP(0, `${i.mnemonic} with CR4.UMIP at CPL ${cpu.state.cpl}`);
}

/** The low 32 bits of a register as a number. */
export const low32 = (cpu: Cpu, number: number): number => cpu.state.u32[GPR + 2 * number]!;
/** The high 32 bits. */
export const high32 = (cpu: Cpu, number: number): number => cpu.state.u32[GPR + 2 * number + 1]!;
/** Writes a register with a number of 32 bits. */
export function writeLow32(cpu: Cpu, number: number, value: number): void {
  writeHalves(cpu, number, value, 0);
}
/** Writes a register with a value in halves. */
export function writeHalves({ state: { u32 } }: Cpu, number: number, low: number, high: number): void {
  u32[GPR + 2 * number] = low;
  u32[GPR + 2 * number + 1] = high;
}
/** Writes w bits of a register as `writeRegister` does, from a number. */
export function writeSmall(cpu: Cpu, number: number, width: 8 | 16 | 32, value: number): void {
  if (width === 32) return writeLow32(cpu, number, value);
  const mask = width === 8 ? 0xff : 0xffff;
  cpu.state.u32[GPR + 2 * number] = (low32(cpu, number) & ~mask) | (value & mask);
}

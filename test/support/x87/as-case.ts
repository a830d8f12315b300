/** An x87 case as one of the silicon cases, for machines that run those: its operand lies in their data. */
import { DATA, type Case, type Fpu, type Outcome } from '../silicon/world.ts';
import { defaultRegister } from '../silicon/vectors.ts';
import { littleEndian } from '../encode-row.ts';
import { STATUS_FLAGS, type X87Case, type X87State } from './cases.ts';

const RAX = 0, RSI = 6;
/** Where the operand is, and the bytes of it that an instruction can name. */
const OFFSET = 0x200, OPERAND_BYTES = 16;
const OPERAND_BITS = 8 * OPERAND_BYTES;

/** ST(i) is register (TOP + i) mod 8. */
const rotated = (values: readonly bigint[], by: number): bigint[] => values.map((_, n) => values[(n + by) & 7]!);
const topOf = (status: number): number => (status >> 11) & 7;

export function asCase({ code, before }: X87Case): Case {
  const gpr = Array.from({ length: 16 }, (_, n) => defaultRegister(n, 64)).with(RAX, BigInt(before.ax)).with(RSI, DATA + BigInt(OFFSET));
  const fpu: Fpu = { registers: rotated(before.stack, 8 - topOf(before.status)), control: before.control, status: before.status, valid: before.used };
  return { codeSize: 64, code, gpr, flags: before.flags, poke: { offset: OFFSET, bytes: Uint8Array.from(littleEndian(BigInt.asUintN(OPERAND_BITS, before.memory), OPERAND_BYTES)) }, fpu };
}

/** The state that an outcome of `asCase` is; a string where it is none. */
export function stateOf({ before }: X87Case, { fault, fpu, changed, flags, gpr }: Outcome): X87State | string {
  if (fault !== undefined || fpu === undefined) return `fault: vector ${fault?.vector}`;
  const operand = Uint8Array.from(littleEndian(BigInt.asUintN(OPERAND_BITS, before.memory), OPERAND_BYTES));
  if (changed.bytes.length > 0) {
    const at = changed.offset - OFFSET;
    if (at < 0 || at + changed.bytes.length > OPERAND_BYTES) return `memory: ${changed.bytes.length} bytes at ${changed.offset}`;
    operand.set(changed.bytes, at);
  }
  const low = operand.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return {
    control: fpu.control, status: fpu.status, used: fpu.valid, stack: rotated(fpu.registers, topOf(fpu.status)),
    memory: ((before.memory >> BigInt(OPERAND_BITS)) << BigInt(OPERAND_BITS)) | low, flags: flags & STATUS_FLAGS, ax: Number(gpr[RAX]! & 0xffffn),
  };
}

/**
 * The record of a decoded instruction in the engines' memory: what its handler does not know already. Register fields are byte
 * offsets into the state, so AH is RAX + 1 and needs no handler of its own; an absent base is the register that reads zero.
 */
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET } from '../../../state/layout.ts';
import type { Instruction } from '../../isa/instruction.ts';
import { mmxOffset, xmmOffset } from '../emit/vector-ops.ts';
import { NO_REGISTER, RSP, type MemoryOperand, type RegisterOperand } from '../../isa/operand.ts';

export const RECORD_BYTES = 64;
/** Byte offsets of the fields. */
export const RECORD = {
  /** u32: the handler's index in the table. */
  handler: 0,
  /** u16 each: the registers of operands 0 to 3. */
  registers: [4, 6, 8, 58],
  /** u16: base and index register; u8: log2 of the scale. */
  base: 10,
  index: 12,
  scale: 14,
  /** u8: length of the instruction in bytes. */
  length: 15,
  /** u64: immediate, sign-extended. */
  immediate: 16,
  /** u64: displacement; of a RIP-relative operand the whole offset. */
  displacement: 24,
  /** u64: offset in CS of the next instruction, and of the branch target. */
  nextIp: 32,
  target: 40,
  /** u32: the record of the branch target and of the next instruction behind a block's end: a record, UNLINKED or NEVER_LINKED. */
  taken: 48,
  next: 52,
  /** u16: how many instructions from here to the block's end retire, this one included. */
  remaining: 56,
} as const;
/** A link that may be made once the record it leads to is known, and one that always goes by way of the dispatcher. */
export const UNLINKED = 0, NEVER_LINKED = 1;

const offsetOf = (number: number, high = false): number => OFFSET.gpr + 8 * number + (high ? 1 : 0);

/** Writes the fields of one instruction that lies at `ip`, but for the links and `remaining`. */
export function writeRecord(state: GuestState, at: number, handler: number, i: Instruction, ip: bigint): void {
  const { u8, u16, u32, u64 } = state;
  clearRecord(u32, at);
  u32[(at + RECORD.handler) / 4] = handler;
  u8[at + RECORD.length] = i.length;
  const next = cutToCode(i, ip + BigInt(i.length));
  u64[(at + RECORD.nextIp) / 8] = next;
  i.operands.forEach((x, n) => {
    switch (x.kind) {
      case 'register': writeRegister(u16, at, n, x); return;
      case 'xmm': u16[(at + RECORD.registers[n]!) / 2] = xmmOffset(x); return;
      case 'mmx': u16[(at + RECORD.registers[n]!) / 2] = mmxOffset(x); return;
      case 'immediate': u64[(at + RECORD.immediate) / 8] = x.value; return;
      case 'memory': writeMemoryOperand(state, at, x, next); return;
      case 'relative': u64[(at + RECORD.target) / 8] = branchTarget(i, ip, x.displacement); return;
      // Part of the form, or of the key of a short way.
      case 'fpu': case 'control': case 'segment': return;
      // No handler is generated for what has other operands.
      default: throw new Error(`${i.row.text}: an operand that no record holds`);
    }
  });
}

// For so few words the typed arrays' own `fill` and `copyWithin` take several times as long.
export function clearRecord(u32: Uint32Array, at: number): void { for (let n = at / 4; n < (at + RECORD_BYTES) / 4; n++) u32[n] = 0; }
export function copyRecord(u32: Uint32Array, from: number, to: number): void { for (let n = 0; n < RECORD_BYTES / 4; n++) u32[to / 4 + n] = u32[from / 4 + n]!; }

function writeRegister(u16: Uint16Array, at: number, n: number, x: RegisterOperand): void {
  if (!x.implicit) u16[(at + RECORD.registers[n]!) / 2] = offsetOf(x.number, x.high);
}

function writeMemoryOperand({ u8, u16, u64 }: GuestState, at: number, x: MemoryOperand, next: bigint): void {
  u16[(at + RECORD.base) / 2] = offsetOf(x.ripRelative ? NO_REGISTER : x.base);
  u16[(at + RECORD.index) / 2] = offsetOf(x.index);
  u8[at + RECORD.scale] = Math.log2(x.scale);
  u64[(at + RECORD.displacement) / 8] = BigInt.asUintN(64, x.displacement + (x.ripRelative ? next : 0n));
}

/** An instruction pointer of the code's size. */
const cutToCode = (i: Instruction, ip: bigint): bigint => BigInt.asUintN(i.mode.codeSize, ip);
/** Where a relative branch at `ip` leads. */
export const branchTarget = (i: Instruction, ip: bigint, displacement: bigint): bigint =>
  BigInt.asUintN(i.width, cutToCode(i, ip + BigInt(i.length)) + displacement);

/** Whether a memory operand's address depends on a popped RSP. */
export const isBasedOnRsp = (x: MemoryOperand): boolean => x.base === RSP;

/** Runs x87 cases on the host processor: the records of x87.c. */
import { MEMORY_BYTES, STATUS_FLAGS, type X87State } from '../../test/support/x87/cases.ts';
import type { X87Draw } from './generate-x87.ts';
import { runHarness } from './host.ts';

/** Offsets of the fields of `struct record`: an FXSAVE image, and what is behind it. */
const FIELD = { control: 0, status: 2, used: 4, mxcsr: 24, stack: 32, memory: 512, flags: 512 + MEMORY_BYTES, ax: 520 + MEMORY_BYTES, length: 528 + MEMORY_BYTES, code: 532 + MEMORY_BYTES } as const;
const RECORD_BYTES = 512 + MEMORY_BYTES + 16 + 16;
const MXCSR_AFTER_RESET = 0x1f80, FLAGS_ALWAYS = 0x202;

function writeRecord(out: Buffer, at: number, code: Uint8Array, before: X87State): void {
  out.writeUInt16LE(before.control, at + FIELD.control);
  out.writeUInt16LE(before.status, at + FIELD.status);
  out.writeUInt8(before.used, at + FIELD.used);
  out.writeUInt32LE(MXCSR_AFTER_RESET, at + FIELD.mxcsr);
  before.stack.forEach((x, n) => {
    out.writeBigUInt64LE(BigInt.asUintN(64, x), at + FIELD.stack + 16 * n);
    out.writeUInt16LE(Number(x >> 64n), at + FIELD.stack + 8 + 16 * n);
  });
  for (let n = 0; n < MEMORY_BYTES; n++) out[at + FIELD.memory + n] = Number((before.memory >> BigInt(8 * n)) & 0xffn);
  out.writeBigUInt64LE(BigInt(before.flags | FLAGS_ALWAYS), at + FIELD.flags);
  out.writeBigUInt64LE(BigInt(before.ax), at + FIELD.ax);
  out.writeUInt32LE(code.length, at + FIELD.length);
  out.set(code, at + FIELD.code);
}

function readRecord(file: Buffer, at: number): X87State {
  return {
    control: file.readUInt16LE(at + FIELD.control), status: file.readUInt16LE(at + FIELD.status), used: file.readUInt8(at + FIELD.used),
    stack: Array.from({ length: 8 }, (_, n) => file.readBigUInt64LE(at + FIELD.stack + 16 * n) | (BigInt(file.readUInt16LE(at + FIELD.stack + 8 + 16 * n)) << 64n)),
    memory: file.subarray(at + FIELD.memory, at + FIELD.memory + MEMORY_BYTES).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    flags: Number(file.readBigUInt64LE(at + FIELD.flags)) & STATUS_FLAGS, ax: Number(file.readBigUInt64LE(at + FIELD.ax) & 0xffffn),
  };
}

/** The states after the cases, in order. */
export function runX87OnHost(cases: readonly X87Draw[]): X87State[] {
  const input = Buffer.alloc(cases.length * RECORD_BYTES);
  cases.forEach(({ code, before }, k) => { writeRecord(input, k * RECORD_BYTES, code, before); });
  const out = runHarness('x87.c', input);
  return cases.map((_, k) => readRecord(out, k * RECORD_BYTES));
}

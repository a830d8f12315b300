/**
 * The files of grouped cases, test/golden/silicon/*.bin.br: many inputs for one encoding, so that an emulator makes code once and runs it often. Brotli over
 * a line of JSON (`{ format, processor, inputs, groups }`), then the inputs, then the groups; all numbers are little-endian.
 *
 * An input is what registers hold before anything else is said, so that no case repeats it:
 *   16 u64 RAX RCX RDX RBX RSP RBP RSI RDI R8-R15; u16 status flags
 *   16 times 32 bytes YMM0-YMM15; u32 MXCSR
 *   8 times 10 bytes R0-R7 of the x87 stack by their physical numbers; u16 control word; u16 status word; u8 set of those not empty
 *   32 bytes for a memory operand
 * A group is one instruction:
 *   u8 bit 0: 32-bit code, where registers are the lower halves of the first eight; bit 1: XMM registers and MXCSR take part, bit 2: YMM registers
 *      do; bit 3: the x87 state does. What takes no part may be anything before, and is not compared.
 *   u8 length of the code, its bytes; u8 number of cases
 * and then each case:
 *   u8 bit 0: bytes are put into memory; bit 1: they are not those of the input; bit 2: it faulted; bit 3: memory changed; bit 4: other flags than the input's
 *   u8 number of its input; u16 set of registers that are not the input's; u64 for each; [u16 flags]
 *   [XMM]     u16 set of vector registers that are not the input's; 16 or 32 bytes for each; u32 MXCSR
 *   [memory]  u16 offset in the data pages, u8 length, [bytes]
 *   outcome   as in vectors.ts: what is different from before
 * The world around it is that of world.ts: pages, their first bytes, segments, and INT3 behind the instruction.
 */
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { NOTHING, Reader, readOutcome, Writer, writeOutcome } from './bytes.ts';
import { RECORDINGS, type Recorded, type RecordingName } from './vectors.ts';
import { registersSeen, simdSeen, type Case, type Fpu, type Input } from './world.ts';

/** Each file's name in test/golden, and the set that its rows are of: the rows that the processor of a set's file does not have are recorded on another. */
export const GROUPED: readonly { readonly set: RecordingName; readonly file: string }[] = [
  ...(Object.keys(RECORDINGS) as RecordingName[]).map((set) => ({ set, file: groupFile(set) })),
  { set: 'general', file: groupFile('general', true) },
];
export function groupFile(set: RecordingName, others = false): string { return `silicon/${set}${others ? '-others' : ''}.bin.br`; }

const FORMAT = 3;
const COMPATIBILITY = 1, SIMD = 2, WIDE = 4, FPU = 8;
const POKE = 1, OTHER_BYTES = 2, FAULT = 4, MEMORY = 8, OTHER_FLAGS = 16;
const OPERAND_BYTES = 32, INPUTS = 256;

/** A case and the number of the input that it was made from. */
export interface FromInput extends Recorded { readonly input: number }
/** Cases of one encoding. */
export type Group = readonly FromInput[];
export interface GroupedRecording { readonly processor: string; readonly inputs: readonly Input[]; readonly groups: readonly Group[] }

const ZEROS: readonly bigint[] = Array.from({ length: 16 }, () => 0n);
/** Nothing is 0 with a sign: so every register is written out. */
const NONE: readonly bigint[] = ZEROS.map(() => -1n);
const NO_FPU: Fpu = { registers: NONE.slice(8), control: 0, status: 0, valid: 0 };

function writeInput(w: Writer, { gpr, flags, simd, fpu, operand }: Input): void {
  gpr.forEach((v) => { w.u64(v); });
  w.int(flags, 2);
  w.simd(simd, { ...simd, xmm: NONE });
  w.fpu(fpu, NO_FPU);
  w.bytes(operand);
}
function readInput(r: Reader): Input {
  const gpr = ZEROS.map(() => r.u64());
  const flags = r.int(2);
  return { gpr, flags, simd: r.simd({ xmm: NONE, mxcsr: 0, wide: true }), fpu: r.fpu(NO_FPU), operand: r.bytes(OPERAND_BYTES) };
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((x, n) => x === b[n]);

function writeCase(w: Writer, { c, outcome, input: number }: FromInput, input: Input): void {
  const ownBytes = !equalBytes(c.poke.bytes, input.operand.subarray(0, c.poke.bytes.length));
  const poked = c.poke.bytes.length > 0, otherFlags = c.flags !== input.flags;
  w.int((poked ? POKE : 0) | (ownBytes ? OTHER_BYTES : 0) | (outcome.fault ? FAULT : 0) | (outcome.changed.bytes.length > 0 ? MEMORY : 0) | (otherFlags ? OTHER_FLAGS : 0), 1);
  w.int(number, 1);
  w.registers(c.gpr, registersSeen(input, c.codeSize));
  if (otherFlags) w.int(c.flags, 2);
  if (c.simd) w.simd(c.simd, simdSeen(input, c.simd.wide));
  if (poked) {
    w.int(c.poke.offset, 2);
    w.int(c.poke.bytes.length, 1);
    if (ownBytes) w.bytes(c.poke.bytes);
  }
  writeOutcome(w, c, outcome);
}

function readCase(r: Reader, kind: number, code: Uint8Array, inputs: readonly Input[]): FromInput {
  const codeSize = (kind & COMPATIBILITY) !== 0 ? 32 : 64;
  const has = r.int(1), number = r.int(1), input = inputs[number]!;
  const gpr = r.registers(registersSeen(input, codeSize));
  const flags = (has & OTHER_FLAGS) !== 0 ? r.int(2) : input.flags;
  const simd = (kind & SIMD) !== 0 ? r.simd(simdSeen(input, (kind & WIDE) !== 0)) : undefined;
  const poke = (): Case['poke'] => {
    const offset = r.int(2), length = r.int(1);
    return { offset, bytes: (has & OTHER_BYTES) !== 0 ? r.bytes(length) : input.operand.slice(0, length) };
  };
  const c: Case = { codeSize, code, gpr, flags, poke: (has & POKE) !== 0 ? poke() : NOTHING, simd, fpu: (kind & FPU) !== 0 ? input.fpu : undefined };
  return { c, input: number, outcome: readOutcome(r, c, (has & FAULT) !== 0, (has & MEMORY) !== 0) };
}

export function writeGroups({ processor, inputs, groups }: GroupedRecording): Uint8Array {
  if (inputs.length > INPUTS) throw new Error(`${inputs.length} inputs have no numbers of a byte`);
  const w = new Writer();
  w.bytes(new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, processor, inputs: inputs.length, groups: groups.length })}\n`));
  for (const input of inputs) writeInput(w, input);
  for (const group of groups) {
    const { codeSize, code, simd, fpu } = group[0]!.c;
    w.int((codeSize === 32 ? COMPATIBILITY : 0) | (simd ? SIMD : 0) | (simd?.wide === true ? WIDE : 0) | (fpu ? FPU : 0), 1);
    w.int(code.length, 1);
    w.bytes(code);
    w.int(group.length, 1);
    for (const x of group) writeCase(w, x, inputs[x.input]!);
  }
  const bytes = w.done();
  return brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
}

export function readGroups(file: Uint8Array): GroupedRecording {
  const all = brotliDecompressSync(file);
  const end = all.indexOf(10);
  const header = JSON.parse(new TextDecoder().decode(all.subarray(0, end))) as { format: number; processor: string; inputs: number; groups: number };
  if (header.format !== FORMAT) throw new Error(`grouped cases of format ${header.format}, expected ${FORMAT}`);
  const r = new Reader(all.subarray(end + 1));
  const inputs = Array.from({ length: header.inputs }, () => readInput(r));
  const groups = Array.from({ length: header.groups }, (): Group => {
    const kind = r.int(1), code = r.bytes(r.int(1)), count = r.int(1);
    return Array.from({ length: count }, () => readCase(r, kind, code, inputs));
  });
  return { processor: header.processor, inputs, groups };
}

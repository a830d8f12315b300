/**
 * Random programs: up to 200 instructions of the table with branches, faults and stores into code, as pieces that can be left out
 * one by one, so that a failure shrinks.
 */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { RFLAGS } from '../../src/cpu/flags.ts';
import { modeOf, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { NO_REGISTER, RSP, type MemoryOperand } from '../../src/cpu/isa/operand.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { interesting } from '../support/boundary.ts';
import { littleEndian } from '../support/encode-row.ts';
import { encodingOf, validIn } from '../support/random-encoding.ts';
import type { Random } from '../support/random.ts';
import { baseOf, CODE_BYTES, DATA_OFFSET, MISSING_OFFSET, READ_ONLY_OFFSET, SEL, sharesStack, SLOT, STACK_OFFSET, type ProgramMode } from './modes.ts';

/** One instruction, or a few that stay together. `branch`: its displacement, of `size` bytes at the end, leads to the piece `target` or the next one behind it that is left. */
export interface Piece {
  readonly id: number;
  readonly bytes: readonly number[];
  readonly branch?: { readonly size: 1 | 2 | 4; readonly target: number };
}
export interface Program {
  readonly mode: ProgramMode;
  readonly registers: readonly bigint[];
  readonly flags: number;
  readonly pieces: readonly Piece[];
}

/** What programs consist of: rows that some witness cannot judge stay out. */
export type RowFilter = (row: Row, mode: ProgramMode) => boolean;
export interface ProgramOptions {
  readonly most: number;
  readonly allows?: RowFilter;
  /** Instructions that programs may have: by their operands. */
  readonly accepts?: (i: Instruction, bytes: readonly number[]) => boolean;
  /** Prefix 67h in 16-bit code: its addresses lie beyond the limit most of the time. */
  readonly wideAddresses?: boolean;
}

/** System instructions that a supervisor survives when it lets ring 0 execute them. */
const HARMLESS = /^(MOV r\S+, (Sreg|CRn|DRn)$|PUSH [C-GS]S$|S[GI]DT|SLDT|STR |SMSW|LAR|LSL|VERR|VERW|ARPL|PUSHF|POPF|INTO|INT |BOUND|INVD|WBINVD|CLI$|CLTS|FX|LDMXCSR|STMXCSR|EMMS|F[A-Z])/;
const STACK_CHANGERS = new Set(['LEAVE', 'ENTER', 'RET']);
const RELATIVE = (row: Row): boolean => row.operands.some((x) => x.kind === 'relative');

/** Whether programs in that mode may have the row. */
export function allowed(row: Row, mode: ProgramMode): boolean {
  if (!validIn(row, mode.bits) || (mode.bits === 64 && row.addressSize === 16)) return false;
  if (mode.ring === 3) return true;
  if (row.meaning.kind !== 'translated' && !HARMLESS.test(row.text)) return false;
  return !(sharesStack(mode) && (STACK_CHANGERS.has(row.mnemonic) || row.text.includes('SS')));
}

const cache = new Map<ProgramMode, { readonly plain: readonly Row[]; readonly floating: readonly Row[]; readonly branches: readonly Row[] }>();
function rowsOf(mode: ProgramMode, allows: RowFilter): { readonly plain: readonly Row[]; readonly floating: readonly Row[]; readonly branches: readonly Row[] } {
  let rows = cache.get(mode);
  if (rows === undefined) {
    const valid = ROWS.filter((row) => allowed(row, mode));
    const isFloating = (row: Row): boolean => row.operands.some((x) => /xmm|mmx|fpu/.test(x.kind)) || row.feature !== undefined;
    rows = { plain: valid.filter((row) => !isFloating(row) && !RELATIVE(row)), floating: valid.filter(isFloating), branches: valid.filter(RELATIVE) };
    cache.set(mode, rows);
  }
  return { plain: rows.plain.filter((row) => allows(row, mode)), floating: rows.floating.filter((row) => allows(row, mode)), branches: rows.branches.filter((row) => allows(row, mode)) };
}

/** An address that a program means: mostly its data, else the edge of a page, the missing or the read-only page, or its own code. */
function pointer(r: Random, mode: ProgramMode): number {
  const chance = r.below(100);
  const offset = chance < 62 ? DATA_OFFSET + r.below(0x380)
    : chance < 70 ? MISSING_OFFSET - 16 + r.below(32)
      : chance < 78 ? READ_ONLY_OFFSET + r.below(0x80)
        : chance < 82 ? STACK_OFFSET - r.below(0x40) : r.below(0x300);
  return baseOf(mode) + offset;
}

function value(r: Random, mode: ProgramMode): bigint {
  const chance = r.below(10);
  if (chance < 6) return BigInt(pointer(r, mode));
  if (chance < 8) return BigInt(r.below(48));
  return BigInt.asUintN(mode.bits, interesting(r));
}

/** MOV r, imm. */
function refresh(r: Random, mode: ProgramMode): number[] {
  let register = r.below(mode.bits === 64 ? 16 : 8);
  if (register === RSP && (sharesStack(mode) || r.chance(60))) register = 3;
  const given = register === RSP ? BigInt(baseOf(mode) + STACK_OFFSET - 8 * r.below(64)) : value(r, mode);
  const bytes = mode.bits / 8;
  if (mode.bits === 64) return [0x48 | (register >> 3), 0xb8 | (register & 7), ...littleEndian(given, 8)];
  return [0xb8 | register, ...littleEndian(given, bytes)];
}

const SELECTORS = [0, 3, SEL.data, SEL.userData, SEL.userData16, SEL.data16, SEL.userCode32, SEL.readOnly, SEL.expandDown, SEL.absent, SEL.conforming, SEL.executeOnly, SEL.small, 0x7f8, 0xc];
/** MOV AX, imm16; MOV Sreg, AX. */
function loadSegment(r: Random, mode: ProgramMode): number[] {
  const choices = sharesStack(mode) ? [0, 3, 4, 5] : [0, 2, 3, 4, 5];
  const register = r.pick(choices);
  const selector = mode.is8086 ? (mode.code + r.below(3) * (mode.ring === 0 ? 1 : 0x400)) & 0xffff : r.chance(70) ? mode.data : r.pick(SELECTORS);
  return [...(mode.bits === 16 ? [] : [0x66]), 0xb8, ...littleEndian(BigInt(selector), 2), 0x8e, 0xc0 | (register << 3)];
}

/** Bytes of the immediates behind a displacement. */
const immediateBytes = (i: Instruction): number => i.row.encoding.trailing.reduce<number>((sum, size) => sum + (size === 'a' ? 0 : size), 0);

/** Whether memory operands of the row must be aligned to 16 bytes. SDM Vol. 2A, "Exceptions Type 1", "Type 2" and "Type 4". */
export const needsAlignment = (row: Row): boolean => row.encoding.vex === undefined && !/^(MOVU|MOVDQU|LDDQU)/.test(row.mnemonic)
  && row.operands.some((x) => (x.kind === 'xmm-or-memory' && x.memoryBits === 128) || (x.kind === 'memory' && x.text === 'm128'));
/** Whether nothing but its displacement says where a memory operand is. */
export const isAbsolute = (x: MemoryOperand): boolean => x.base === NO_REGISTER && x.index === NO_REGISTER && !x.ripRelative;

/** Puts a displacement that would lead nowhere where something is, and aligned where that is asked for. */
function aim(bytes: number[], i: Instruction, r: Random, mode: ProgramMode): void {
  for (const x of i.operands) {
    if (x.kind !== 'memory') continue;
    const far = BigInt.asIntN(64, x.displacement) > 127n || BigInt.asIntN(64, x.displacement) < -128n;
    if (!far || r.chance(8)) continue;
    const isOffset = i.row.encoding.trailing.includes('a');
    const size = x.addressWidth === 16 ? 2 : isOffset && x.addressWidth === 64 ? 8 : 4;
    const to = isAbsolute(x) ? BigInt(pointer(r, mode) & (needsAlignment(i.row) ? ~15 : ~0)) : BigInt(r.between(-0x60, 0x60));
    bytes.splice(i.length - immediateBytes(i) - size, size, ...littleEndian(BigInt.asUintN(64, to), size));
  }
}

/** One instruction of the row, or undefined if chance made none that this mode may have. */
function instruction(row: Row, r: Random, mode: ProgramMode, options: ProgramOptions): number[] | undefined {
  const bytes = encodingOf(row, mode.bits, r);
  const i = decode(bytes, 0, modeOf(mode.bits));
  if (i instanceof DecodeFailure || i.row !== row) return undefined;
  if (sharesStack(mode) && i.operands.some((x) => x.kind === 'register' && x.number === RSP && !x.high)) return undefined;
  const list = [...bytes.subarray(0, i.length)];
  if (options.accepts?.(i, list) === false) return undefined;
  if (options.wideAddresses !== true && mode.bits === 16 && list.slice(0, 4).includes(0x67)) return undefined;
  aim(list, i, r, mode);
  return list;
}

/** A branch to some piece; those backwards count down a byte of the data, so that they end. */
function branch(row: Row, id: number, count: number, r: Random, mode: ProgramMode, backwards: boolean): Piece | undefined {
  const bytes = encodingOf(row, mode.bits, r);
  const i = decode(bytes, 0, modeOf(mode.bits));
  const relative = i instanceof DecodeFailure ? undefined : i.operands.find((x) => x.kind === 'relative');
  if (i instanceof DecodeFailure || i.row !== row || relative === undefined) return undefined;
  const size = (relative.width / 8) as 1 | 2 | 4;
  if (!backwards) return { id, bytes: [...bytes.subarray(0, i.length)], branch: { size, target: r.between(id + 1, Math.min(count, id + 1 + r.below(24))) } };
  const counter = baseOf(mode) + DATA_OFFSET + 0x3c0 + r.below(0x40);
  // DEC byte [counter]; JNZ.
  const absolute = mode.bits === 64 ? [0xfe, 0x0c, 0x25, ...littleEndian(BigInt(counter), 4)] : mode.bits === 32 ? [0xfe, 0x0d, ...littleEndian(BigInt(counter), 4)] : [0xfe, 0x0e, ...littleEndian(BigInt(counter), 2)];
  return { id, bytes: [...absolute, 0x75, 0], branch: { size: 1, target: r.between(Math.max(0, id - 12), id) } };
}

const BACKWARDS = 3;
const FLAGS = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;

export function randomProgram(r: Random, mode: ProgramMode, options: ProgramOptions): Program {
  const rows = rowsOf(mode, options.allows ?? (() => true));
  const count = r.chance(30) ? r.between(1, Math.min(12, options.most)) : r.between(1, options.most);
  const pieces: Piece[] = [];
  let backwards = 0;
  for (let id = 0; id < count;) {
    const chance = r.below(100);
    let piece: Piece | undefined;
    if (chance < 14) piece = { id, bytes: refresh(r, mode) };
    else if (chance < 17) piece = { id, bytes: loadSegment(r, mode) };
    else if (chance < 29) {
      const back = backwards < BACKWARDS && r.chance(25);
      piece = branch(r.pick(rows.branches), id, count, r, mode, back);
      if (piece !== undefined && back) backwards++;
    } else {
      const bytes = instruction(rows.floating.length > 0 && chance < 45 ? r.pick(rows.floating) : r.pick(rows.plain), r, mode, options);
      piece = bytes && { id, bytes };
    }
    if (piece === undefined) continue;
    pieces.push(piece);
    id++;
  }
  const registers = Array.from({ length: mode.bits === 64 ? 16 : 8 }, (_, n) => (n === RSP ? BigInt(baseOf(mode) + STACK_OFFSET) : n === 1 ? BigInt(r.below(40)) : value(r, mode)));
  const flags = (r.u32() & FLAGS) | (r.chance(15) ? RFLAGS.DF : 0) | (r.chance(10) ? RFLAGS.AC : 0) | (mode.is8086 && mode.ring === 3 && r.chance(60) ? RFLAGS.IOPL : 0) | 2;
  return { mode, registers, flags, pieces };
}

export interface Layout {
  /** The code from offset 0 of the arena; its last slot is UD2. */
  readonly code: Uint8Array;
  /** Where each piece is. */
  readonly offsets: readonly number[];
}

/** Puts the pieces into slots and branches to their targets. */
export function layOut({ pieces }: Program): Layout {
  const offsets: number[] = [];
  let at = 0;
  for (const { bytes } of pieces) {
    if ((at % SLOT) + bytes.length > SLOT) at = Math.ceil(at / SLOT) * SLOT;
    offsets.push(at);
    at += bytes.length;
  }
  const end = Math.ceil(at / SLOT) * SLOT;
  if (end + SLOT > CODE_BYTES) throw new RangeError('the program does not fit into the arena');
  const code = new Uint8Array(end + SLOT).fill(0x90);
  code.set([0x0f, 0x0b], end);
  const offsetOf = (id: number): number => {
    const found = pieces.findIndex((piece) => piece.id >= id);
    return found < 0 ? end : offsets[found]!;
  };
  pieces.forEach(({ bytes, branch: to }, n) => {
    code.set(bytes, offsets[n]);
    if (to === undefined) return;
    const next = offsets[n]! + bytes.length;
    const wanted = offsetOf(to.target) - next;
    // A short branch that does not reach goes to the next instruction.
    const displacement = to.size === 1 && (wanted > 127 || wanted < -128) ? 0 : wanted;
    code.set(littleEndian(BigInt.asUintN(32, BigInt(displacement)), to.size), next - to.size);
  });
  return { code, offsets };
}

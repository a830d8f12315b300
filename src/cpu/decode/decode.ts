/**
 * Bytes -> Instruction, driven by the rows of the table: this file knows prefixes, ModRM and operand fields, and not
 * one mnemonic. SDM Vol. 2A, "Instruction Format"; Vol. 2D, "Instruction Formats and Encodings".
 */
import { SEGMENT, type Segment } from '../../state/layout.ts';
import type { Instruction, Mode } from '../isa/instruction.ts';
import type { AddressWidth, Operand, RegisterOperand, Width, XmmOperand } from '../isa/operand.ts';
import type { OperandSpec, Row } from '../isa/row.ts';
import { ALL_INSTRUCTIONS, type Candidate, type InstructionSet, type Selectors, VEX_MAPS } from './lookup.ts';
import { readMemoryOffset, readMemoryOperand, type AddressContext } from './memory-operand.ts';
import { ByteReader } from './reader.ts';
import { unimplementedAt } from './unimplemented.ts';
import { readVex, type Vex } from './vex.ts';

/** Why bytes are no Instruction. */
export class DecodeFailure {
  /**
   * `invalid`: #UD. `truncated`: more bytes are needed to say. `too-long`: longer than 15 bytes, #GP(0).
   * `unimplemented`: the manual defines it and we have no row for it.
   */
  readonly kind: 'invalid' | 'truncated' | 'too-long' | 'unimplemented';
  /** In words, for reports. */
  readonly what: string;
  constructor(kind: DecodeFailure['kind'], what: string) {
    this.kind = kind;
    this.what = what;
  }
}

const TRUNCATED = new DecodeFailure('truncated', 'the instruction is longer than the bytes at hand');
const TOO_LONG = new DecodeFailure('too-long', 'the instruction is longer than 15 bytes');
const NOT_DEFINED = new DecodeFailure('invalid', 'undefined opcode');
const LOCK_REFUSED = new DecodeFailure('invalid', 'LOCK prefix where it is not allowed');
const PREFIX_BEFORE_VEX = new DecodeFailure('invalid', '66, F2, F3, LOCK or REX before a VEX prefix');
const VVVV_REFUSED = new DecodeFailure('invalid', 'VEX.vvvv names a register that the instruction does not have');
const SAME_REGISTERS = new DecodeFailure('invalid', 'a gather whose destination, indices and mask are not three registers');
const NO_SUCH_REGISTER = new DecodeFailure('invalid', 'MOV to or from a segment, control or debug register that does not exist');

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Prefixes as far as they have been read. */
interface Prefixes {
  operandSizePrefix: boolean;
  addressSizePrefix: boolean;
  /** 0 none, 1 F3, 2 F2. */
  repeat: 0 | 1 | 2;
  lock: boolean;
  segment: Segment | undefined;
  /** The REX byte directly before the opcode; 0 where there is none. */
  rex: number;
  /** First byte behind the prefixes. */
  opcode: number;
}

/*
 * A kernel that boots has a new instruction decoded for every few that it executes, so that these are made once: nothing of one instruction outlives its
 * decoding, and decoding calls nobody who decodes.
 */
const reader = new ByteReader();
const prefixes: Prefixes = { operandSizePrefix: false, addressSizePrefix: false, repeat: 0, lock: false, segment: undefined, rex: 0, opcode: 0 };
const ordinary: Writable<Selectors> = { operandSizePrefix: false, repeat: 0, rexW: false, vexLength: 0 };
const context: Writable<OperandContext> = { longMode: false, addressWidth: 64, rexX: 0, rexB: 0, segmentOverride: undefined, rex: 0, vvvv: 0, opcode: 0, modrm: 0, rmIsRegister: false };

/** Reads prefixes and the first opcode byte. Bounded by the length limit. */
function readPrefixes(r: ByteReader, longMode: boolean): Prefixes {
  const p = prefixes;
  p.operandSizePrefix = p.addressSizePrefix = p.lock = false;
  p.repeat = p.rex = p.opcode = 0;
  p.segment = undefined;
  for (;;) {
    const byte = r.byte();
    if (r.trouble !== undefined) return p;
    switch (byte) {
      case 0x66: p.operandSizePrefix = true; break;
      case 0x67: p.addressSizePrefix = true; break;
      case 0xf0: p.lock = true; break;
      case 0xf3: p.repeat = 1; break;
      case 0xf2: p.repeat = 2; break;
      // Ignored in 64-bit mode. SDM Vol. 1, "Segment Registers in 64-Bit Mode".
      case 0x26: if (!longMode) p.segment = SEGMENT.ES; break;
      case 0x2e: if (!longMode) p.segment = SEGMENT.CS; break;
      case 0x36: if (!longMode) p.segment = SEGMENT.SS; break;
      case 0x3e: if (!longMode) p.segment = SEGMENT.DS; break;
      case 0x64: p.segment = SEGMENT.FS; break;
      case 0x65: p.segment = SEGMENT.GS; break;
      default:
        if (longMode && (byte & 0xf0) === 0x40) { p.rex = byte; continue; }
        p.opcode = byte;
        return p;
    }
    p.rex = 0;
  }
}

/** The first candidate that ModRM and the address size allow. */
function choose(list: readonly Candidate[], modrm: number, rexB: number, addressWidth: AddressWidth): Candidate | undefined {
  for (const candidate of list) {
    const { row, rm } = candidate;
    if (row.addressSize !== undefined && row.addressSize !== addressWidth) continue;
    if (candidate.withoutRexB && rexB !== 0) continue;
    const m = row.encoding.modrm;
    if (m !== 'none') {
      if (m !== '/r') {
        if ('fixed' in m ? m.fixed !== modrm : m.extension !== ((modrm >> 3) & 7)) continue;
      }
      if (candidate.needsSib && ((modrm & 7) !== 4 || addressWidth === 16)) continue;
      if (rm === 'memory' ? modrm >= 0xc0 : rm === 'register' && modrm < 0xc0) continue;
    }
    return candidate;
  }
  return undefined;
}

/** Destination, indices and mask of a gather are three registers. SDM Vol. 2C, "VGATHERDPS". */
function gatherRegistersDiffer(operands: readonly Operand[]): boolean {
  const vectors = operands.map((x) => (x.kind === 'memory' ? x.vectorIndex : x) as XmmOperand);
  return new Set(vectors.map(({ number }) => number)).size === vectors.length;
}

/** Register `number` of width `w`: numbers 4-7 of 8 bits are AH CH DH BH without REX, SPL BPL SIL DIL with it. */
function registerOperand(number: number, width: Width, rex: number, fixed: boolean): RegisterOperand {
  const high = width === 8 && rex === 0 && number >= 4 && number < 8 && !fixed;
  return { kind: 'register', width, number: high ? number - 4 : number, high, implicit: fixed };
}

interface OperandContext extends AddressContext { readonly rex: number; readonly vvvv: number; readonly opcode: number; readonly modrm: number; readonly rmIsRegister: boolean }

function readOperand(r: ByteReader, x: OperandSpec, c: OperandContext): Operand {
  const reg = ((c.modrm >> 3) & 7) | ((c.rex & 4) << 1), rm = (c.modrm & 7) + c.rexB;
  switch (x.kind) {
    case 'register':
      if (x.at === 'fixed') return registerOperand(x.number, x.width, c.rex, true);
      return registerOperand(x.at === 'reg' ? reg : x.at === 'vvvv' ? c.vvvv : (c.opcode & 7) + c.rexB, x.width, c.rex, false);
    case 'rm-register': return registerOperand(rm, x.width, c.rex, false);
    case 'register-or-memory': return c.rmIsRegister ? registerOperand(rm, x.width, c.rex, false) : readMemoryOperand(r, c.modrm, x.memoryBits, c);
    case 'xmm': return { kind: 'xmm', width: x.width, number: x.at === 'fixed' ? 0 : x.at === 'reg' ? reg : x.at === 'rm' ? rm : x.at === 'vvvv' ? c.vvvv : (r.byte() >> 4) & (c.longMode ? 15 : 7) };
    // REX does not reach MMX registers. SDM Vol. 2A, "REX Prefixes".
    case 'mmx': return { kind: 'mmx', number: (x.at === 'reg' ? reg : c.modrm) & 7 };
    case 'mmx-or-memory': return c.rmIsRegister ? { kind: 'mmx', number: c.modrm & 7 } : readMemoryOperand(r, c.modrm, x.memoryBits, c);
    case 'xmm-or-memory': return c.rmIsRegister ? { kind: 'xmm', width: x.width, number: rm } : readMemoryOperand(r, c.modrm, x.memoryBits, c);
    case 'fpu': return { kind: 'fpu', number: x.at === 'rm' ? c.modrm & 7 : 0, implicit: x.at === 'fixed' };
    case 'memory': return readMemoryOperand(r, c.modrm, x.bits, c, x.vectorIndex);
    case 'memory-offset': return readMemoryOffset(r, x.width, c);
    case 'immediate': return { kind: 'immediate', width: x.width, value: r.extended((x.width >> 3) as 1 | 2 | 4 | 8) };
    case 'constant': return { kind: 'immediate', width: 8, value: BigInt(x.value) };
    case 'relative': return { kind: 'relative', width: x.width, displacement: r.extended((x.width >> 3) as 1 | 2 | 4) };
    case 'far-pointer': {
      const offset = r.unsigned((x.offsetBits >> 3) as 2 | 4);
      return { kind: 'far-pointer', selector: r.unsigned(2), offset };
    }
    case 'segment': return { kind: 'segment', number: x.at === 'reg' ? reg & 7 : x.number };
    default: return { kind: x.kind, number: x.at === 'reg' ? reg : x.number };
  }
}

/** Operands in the order of the list; the fields behind ModRM are read in the order of the encoding: memory operand first. */
function readOperands(r: ByteReader, { row, memoryAt }: Candidate, c: OperandContext): Operand[] {
  const specs = row.operands, operands: Operand[] = [];
  const memory = memoryAt < 0 ? undefined : readOperand(r, specs[memoryAt]!, c);
  for (let n = 0; n < specs.length; n++) operands.push(n === memoryAt ? memory! : readOperand(r, specs[n]!, c));
  return operands;
}

/**
 * Whether the special register that ModRM.reg names exists: six segment registers, and CS never as a destination; CR0 CR2
 * CR3 CR4 CR8; DR0-DR7. SDM Vol. 2B, "MOV—Move", "MOV—Move to/from Control Registers", "MOV—Move to/from Debug Registers".
 */
function specialRegistersExist(row: Row, operands: readonly Operand[]): boolean {
  for (const [n, spec] of row.operands.entries()) {
    const x = operands[n];
    if (!('at' in spec) || spec.at !== 'reg' || x === undefined) continue;
    if (x.kind === 'segment' && (x.number > SEGMENT.GS || (n === 0 && x.number === SEGMENT.CS))) return false;
    if (x.kind === 'control' && !(x.number <= 4 && x.number !== 1) && x.number !== 8) return false;
    if (x.kind === 'debug' && x.number > 7) return false;
  }
  return true;
}

/**
 * Whether the bytes behind the prefixes are a VEX prefix: outside 64-bit mode C4 and C5 are LES and LDS where what follows names
 * memory, and in real-address and virtual-8086 mode always.
 */
function beginsVex(r: ByteReader, opcode: number, mode: Mode): boolean {
  if (opcode !== 0xc4 && opcode !== 0xc5) return false;
  return mode.codeSize === 64 || (mode.withoutVex !== true && r.peek() >= 0xc0);
}

const MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3;
const REPEATS = ['none', 'rep', 'repne'] as const;

/**
 * Decodes the instruction at bytes[start]; `bytes` may end anywhere (then `truncated`). Reads at most 15 bytes. What `set` does not
 * have is another instruction, or `invalid`.
 */
export function decode(bytes: Uint8Array, start: number, mode: Mode, set: InstructionSet = ALL_INSTRUCTIONS): Instruction | DecodeFailure {
  const r = reader.begin(bytes, start);
  const longMode = mode.codeSize === 64;
  const p = readPrefixes(r, longMode);
  let map = 0;
  let opcode = p.opcode;
  let vex: Vex | undefined;
  if (beginsVex(r, opcode, mode)) {
    if (p.operandSizePrefix || p.repeat !== 0 || p.lock || p.rex !== 0) return PREFIX_BEFORE_VEX;
    vex = readVex(r, opcode === 0xc5, longMode);
    opcode = r.byte();
    if (r.trouble === undefined && (vex.map < MAP_0F || vex.map > MAP_0F3A)) return NOT_DEFINED;
    map = VEX_MAPS + vex.map;
  } else if (opcode === 0x0f) {
    map = MAP_0F;
    opcode = r.byte();
    if (opcode === 0x38 || opcode === 0x3a) {
      map = opcode === 0x38 ? MAP_0F38 : MAP_0F3A;
      opcode = r.byte();
    }
  }
  if (r.trouble !== undefined) return r.trouble === 'truncated' ? TRUNCATED : TOO_LONG;

  const rex = vex?.rex ?? p.rex;
  ordinary.operandSizePrefix = p.operandSizePrefix;
  ordinary.repeat = p.repeat;
  ordinary.rexW = (rex & 8) !== 0;
  const choice = set.choice(mode.codeSize, map, opcode, vex?.selectors ?? ordinary);
  const addressWidth: AddressWidth = longMode ? (p.addressSizePrefix ? 32 : 64) : (mode.codeSize === 16) === p.addressSizePrefix ? 32 : 16;
  const rexB = (rex & 1) << 3;

  let modrm = 0;
  if (choice.readsModrm) {
    modrm = r.byte();
    if (r.trouble !== undefined) return r.trouble === 'truncated' ? TRUNCATED : TOO_LONG;
  }
  const chosen = choose(choice.candidates, modrm, rexB, addressWidth);
  const unbuilt = choice.unbuilt.length === 0 ? undefined : unimplementedAt(set, choice.unbuilt, modrm, chosen !== undefined);
  if (unbuilt?.here) return new DecodeFailure('unimplemented', unbuilt.name);
  if (chosen === undefined) return unbuilt ? new DecodeFailure('invalid', `${unbuilt.name}: CPUID does not announce it`) : NOT_DEFINED;

  const { row } = chosen;
  if (!chosen.executes) return new DecodeFailure('invalid', `${row.mnemonic}: CPUID does not announce ${row.feature}`);
  const c = context;
  c.longMode = longMode;
  c.addressWidth = addressWidth;
  c.rexX = (rex & 2) << 2;
  c.rexB = rexB;
  c.segmentOverride = p.segment;
  c.rex = rex;
  c.vvvv = vex?.vvvv ?? 0;
  c.opcode = opcode;
  c.modrm = modrm;
  c.rmIsRegister = modrm >= 0xc0;
  const operands = readOperands(r, chosen, c);
  if (r.trouble !== undefined) return r.trouble === 'truncated' ? TRUNCATED : TOO_LONG;
  if (p.lock && !(row.lock && operands[0]?.kind === 'memory')) return LOCK_REFUSED;
  if (vex !== undefined && !vex.vvvvIsOnes && !chosen.usesVvvv) return VVVV_REFUSED;
  if (chosen.special && !specialRegistersExist(row, operands)) return NO_SUCH_REGISTER;
  if (chosen.needsSib && !gatherRegistersDiffer(operands)) return SAME_REGISTERS;

  return {
    row,
    mnemonic: row.mnemonic,
    mode,
    width: row.width === 'effective' ? chosen.operandSize : row.width,
    addressWidth,
    operands,
    condition: row.encoding.conditionInOpcode ? opcode & 15 : 0,
    lock: p.lock,
    repeat: row.repeat === undefined ? 'none' : REPEATS[p.repeat],
    segmentOverride: p.segment,
    length: r.length,
  };
}

/**
 * A row and what fills its fields, to bytes: the tests' own encoder, independent of the assembler, which reaches every
 * row and also encodings that an assembler would not choose. SDM Vol. 2A, "Instruction Format".
 */
import type { Row } from '../../src/cpu/isa/row.ts';

/** Memory as ModRM and SIB say it; registers by number. Without base and index: absolute (64-bit mode: through SIB), or RIP-relative. */
export interface MemoryChoice {
  readonly base?: number;
  readonly index?: number;
  /** log2 of the scale. */
  readonly scale?: 0 | 1 | 2 | 3;
  readonly displacement: bigint;
  readonly displacementBytes: 0 | 1 | 4;
  readonly ripRelative?: boolean;
}
export interface Choice {
  readonly codeSize: 32 | 64;
  /** ModRM.reg, or the register in the opcode. */
  readonly reg?: number;
  /** ModRM.rm: a register number, or memory. */
  readonly rm?: number | MemoryChoice;
  /** VEX.vvvv, where the row has an operand there. */
  readonly vvvv?: number;
  /** The register in an immediate byte (`/is4`), where the row has one; 4 otherwise. */
  readonly is4?: number;
  readonly condition?: number;
  /** Values of the immediate fields in order. */
  readonly immediates?: readonly bigint[];
  /** Forces a REX prefix (SPL instead of AH). */
  readonly rex?: boolean;
  /** Bytes before everything else: LOCK, REP, segment overrides. */
  readonly prefixes?: readonly number[];
  /** The address-size prefix. */
  readonly shortAddress?: boolean;
}

export const littleEndian = (value: bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));

function memoryBytes(m: MemoryChoice, reg: number, codeSize: 32 | 64): number[] {
  const modrm = (mod: number, rm: number): number => (mod << 6) | ((reg & 7) << 3) | rm;
  const { base, index } = m;
  const far = littleEndian(m.displacement, 4);
  if (base === undefined) {
    if (m.ripRelative === true) return [modrm(0, 5), ...far];
    if (index === undefined && codeSize === 32) return [modrm(0, 5), ...far];
    return [modrm(0, 4), ((m.scale ?? 0) << 6) | (((index ?? 4) & 7) << 3) | 5, ...far];
  }
  // Base RBP and R13 have no form without a displacement.
  const bytes = m.displacementBytes === 0 && (base & 7) === 5 ? 1 : m.displacementBytes;
  const mod = bytes === 0 ? 0 : bytes === 1 ? 1 : 2;
  const displacement = littleEndian(m.displacement, bytes);
  if (index === undefined && (base & 7) !== 4) return [modrm(mod, base & 7), ...displacement];
  return [modrm(mod, 4), ((m.scale ?? 0) << 6) | (((index ?? 4) & 7) << 3) | (base & 7), ...displacement];
}

/** Encodes the row. The choice must fit it: this is for tests, which decode the result again. */
export function encodeRow(row: Row, c: Choice): Uint8Array {
  const e = row.encoding;
  const bytes: number[] = [...(c.prefixes ?? [])];
  const reg = c.reg ?? 0;
  const rm = c.rm ?? 0;
  const memory = typeof rm === 'object' ? rm : undefined;
  const shortAddress = c.shortAddress === true || (row.addressSize !== undefined && row.addressSize !== c.codeSize);
  if (shortAddress) bytes.push(0x67);
  if (e.vex) return Uint8Array.from([...bytes, ...vexBytes(row, c), ...behindOpcode(row, c, shortAddress)]);
  if (row.size === 16 && e.mandatoryPrefix !== '66') bytes.push(0x66);
  if (/^(66|F[23])$/.test(e.mandatoryPrefix ?? '')) bytes.push(parseInt(e.mandatoryPrefix as string, 16));
  const rexR = e.modrm === '/r' && reg >= 8 ? 4 : 0;
  const rexX = (memory?.index ?? 0) >= 8 ? 2 : 0;
  const rexB = (e.registerInOpcode ? reg : memory ? (memory.base ?? 0) : (rm as number)) >= 8 ? 1 : 0;
  const rex = (e.rexW ? 8 : 0) | rexR | rexX | rexB;
  if (rex !== 0 || c.rex === true) bytes.push(0x40 | rex);
  if (e.map !== '') bytes.push(0x0f);
  if (e.map === '0F38') bytes.push(0x38);
  if (e.map === '0F3A') bytes.push(0x3a);
  bytes.push(e.opcode | (e.registerInOpcode ? reg & 7 : 0) | (e.conditionInOpcode ? (c.condition ?? 0) : 0));
  return Uint8Array.from([...bytes, ...behindOpcode(row, c, shortAddress)]);
}

/** A VEX prefix of three bytes, and the opcode. */
function vexBytes({ encoding: e, operands }: Row, c: Choice): number[] {
  const memory = typeof c.rm === 'object' ? c.rm : undefined;
  const inverted = (n: number | undefined, bit: number): number => ((n ?? 0) >= 8 ? 0 : bit);
  const rxb = inverted(e.modrm === '/r' ? c.reg : 0, 0x80) | inverted(memory?.index, 0x40) | inverted(memory ? memory.base : c.rm as number | undefined, 0x20);
  const vvvv = operands.some((x) => 'at' in x && x.at === 'vvvv') ? c.vvvv ?? 0 : 0;
  const pp = ['NP', '66', 'F3', 'F2'].indexOf(e.mandatoryPrefix as string);
  return [0xc4, rxb | ['', '0F', '0F38', '0F3A'].indexOf(e.map), (e.vex?.w === 1 ? 0x80 : 0) | ((15 - vvvv) << 3) | (e.vex?.length === 1 ? 4 : 0) | pp, e.opcode];
}

/** ModRM, SIB, displacement and immediates. */
function behindOpcode({ encoding: e }: Row, c: Choice, shortAddress: boolean): number[] {
  const bytes: number[] = [];
  const reg = c.reg ?? 0;
  const rm = c.rm ?? 0;
  const memory = typeof rm === 'object' ? rm : undefined;
  if (e.modrm !== 'none') {
    if (typeof e.modrm === 'object' && 'fixed' in e.modrm) bytes.push(e.modrm.fixed);
    else {
      const field = e.modrm === '/r' ? reg : e.modrm.extension;
      if (memory) bytes.push(...memoryBytes(memory, field, c.codeSize));
      else bytes.push(0xc0 | ((field & 7) << 3) | ((rm as number) & 7));
    }
  }
  const addressBytes = shortAddress ? c.codeSize / 16 : c.codeSize / 8;
  e.trailing.forEach((size, n) => {
    bytes.push(...littleEndian(c.immediates?.[n] ?? 0n, size === 'a' ? addressBytes : size));
  });
  if (e.registerInImmediate) bytes.push((c.is4 ?? 4) << 4);
  return bytes;
}

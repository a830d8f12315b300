/**
 * Which rows of the table an opcode can mean, given the mode and the prefixes that select between rows.
 * SDM Vol. 2A, "Instruction Prefixes" and "Operand-Size and Address-Size Attributes" (Vol. 1).
 */
import type { CpuFeature, CpuFeatures } from '../isa/features.ts';
import { isVectorOrMemory, type Row } from '../isa/row.ts';
import { ROWS } from '../isa/table/index.ts';
import { unbuiltAt, type Unbuilt } from './unimplemented.ts';

type CodeSize = 16 | 32 | 64;
type OperandSize = 16 | 32 | 64;

/** Opcode maps in the order of their numbers here: one-byte, 0F, 0F 38, 0F 3A; from VEX_MAPS on, the same behind a VEX prefix. */
const MAPS = ['', '0F', '0F38', '0F3A'] as const;
export const VEX_MAPS = MAPS.length;
const ALL_MAPS = 2 * MAPS.length;
const mapOf = ({ map, vex }: Row['encoding']): number => MAPS.indexOf(map) + (vex ? VEX_MAPS : 0);

/** What ModRM.mod must say for a row: 3, not 3, anything; or it is ignored and rm is a register (MOV CR, MOV DR). */
type RmKind = 'register' | 'memory' | 'either' | 'ignored';

/** A row that the opcode can mean under the prefixes at hand. */
export interface Candidate {
  readonly row: Row;
  /** The operand size in effect if this row is the one. */
  readonly operandSize: OperandSize;
  readonly rm: RmKind;
  /** 90 is NOP only without REX.B: otherwise the row with a register in the opcode byte is meant. */
  readonly withoutRexB: boolean;
  /** A vector of indices stands in a SIB byte; without one, and with 16-bit addresses, the bytes are #UD. */
  readonly needsSib: boolean;
  /** The processor has the row's features; otherwise the bytes are #UD. */
  readonly executes: boolean;
  /** Number of the operand that may be memory, whose fields come first; -1: none. */
  readonly memoryAt: number;
  /** VEX.vvvv names one of the operands. */
  readonly usesVvvv: boolean;
  /** ModRM.reg names a segment, control or debug register, which may not exist. */
  readonly special: boolean;
}

/** What an opcode can mean under the prefixes at hand. */
export interface Choice {
  /** The rows, best first; the first that ModRM and the address size do not refuse is the one. */
  readonly candidates: readonly Candidate[];
  /** What is not built there. */
  readonly unbuilt: readonly Unbuilt[];
  /** A ModRM byte follows, or the byte behind decides whether it is an instruction that is not built. */
  readonly readsModrm: boolean;
}

/**
 * The prefixes that take part in choosing a row, or the fields of a VEX prefix that stand for them. `repeat`: 0 none, 1 F3, 2 F2 (the last
 * one wins). `vexLength`: VEX.L.
 */
export interface Selectors { readonly operandSizePrefix: boolean; readonly repeat: 0 | 1 | 2; readonly rexW: boolean; readonly vexLength: 0 | 1 }

/** The operand size in effect for a row. */
function operandSizeFor(row: Row, codeSize: CodeSize, s: Selectors): OperandSize {
  if (row.encoding.vex) return codeSize === 64 && s.rexW ? 64 : 32;
  const prefix = s.operandSizePrefix && row.encoding.mandatoryPrefix !== '66';
  if (codeSize !== 64) return (codeSize === 16) === prefix ? 32 : 16;
  if (s.rexW || row.size64 === 'forced') return 64;
  if (prefix) return 16;
  return row.size64 === 'default' ? 64 : 32;
}

function mandatoryPrefixHolds(row: Row, s: Selectors): boolean {
  switch (row.encoding.mandatoryPrefix) {
    // In the three-byte maps F2 and F3 are part of every opcode. SDM Vol. 2D, "Opcode Map".
    case undefined: return s.repeat === 0 || (row.encoding.map !== '0F38' && row.encoding.map !== '0F3A');
    case 'NFx': return s.repeat === 0;
    case 'NP': return !s.operandSizePrefix && s.repeat === 0;
    case '66': return s.operandSizePrefix && s.repeat === 0;
    case 'F3': return s.repeat === 1;
    default: return s.repeat === 2;
  }
}

/** Whether VEX.L and VEX.W are the row's. Outside 64-bit mode W is ignored where it would be the size of a general register. SDM Vol. 2A, "VEX.W". */
function vexHolds(row: Row, codeSize: CodeSize, s: Selectors): boolean {
  const { vex } = row.encoding;
  if (vex === undefined) return true;
  if (vex.length !== 'ignored' && vex.length !== s.vexLength) return false;
  if (vex.w === 'ignored' || vex.w === (s.rexW ? 1 : 0)) return true;
  return vex.w === 0 && codeSize !== 64 && row.operands.some((x) => x.kind === 'register' || x.kind === 'rm-register' || x.kind === 'register-or-memory');
}

/** How well a row fits an operand size; lower is better. A size that no row has is ignored (REX.W IN, 66 MOV CR). */
function misfit(row: Row, size: OperandSize): number {
  if (row.size === size) return 0;
  if (row.size === 'any') return 1;
  if (row.size === 32) return 2;
  return row.size === 64 ? 3 : 4;
}

function rmKind(row: Row): RmKind {
  const memory = row.operands.some((x) => x.kind === 'memory');
  const register = row.operands.some((x) => x.kind === 'rm-register' || (x.kind === 'fpu' && x.at === 'rm') || ((x.kind === 'xmm' || x.kind === 'mmx') && x.at === 'rm'));
  if (register && row.operands.some((x) => x.kind === 'control' || x.kind === 'debug')) return 'ignored';
  return memory ? 'memory' : register ? 'register' : 'either';
}

/** The rows that these share, best first, under the prefixes at hand. */
function rank(all: readonly Row[], codeSize: CodeSize, s: Selectors, executes: (row: Row) => boolean): readonly Candidate[] {
  const rows = all.filter((row) => row.modes !== (codeSize === 64 ? 'legacy' : '64') && mandatoryPrefixHolds(row, s) && vexHolds(row, codeSize, s) && (!row.encoding.rexW || s.rexW));
  const registerInOpcode = rows.some((row) => row.encoding.registerInOpcode);
  const ranked = rows.map((row, order) => {
    const operandSize = operandSizeFor(row, codeSize, s);
    const m = row.encoding.modrm;
    const rank = [
      typeof m === 'object' && 'fixed' in m ? 0 : 1,
      row.encoding.mandatoryPrefix === undefined ? 1 : 0,
      row.encoding.registerInOpcode ? 1 : 0,
      misfit(row, operandSize),
      row.encoding.rexW ? 0 : 1,
      order,
    ];
    const candidate: Candidate = {
      row, operandSize, rm: rmKind(row), executes: executes(row),
      withoutRexB: registerInOpcode && !row.encoding.registerInOpcode && row.encoding.mandatoryPrefix === undefined,
      needsSib: row.operands.some((x) => x.kind === 'memory' && x.vectorIndex !== undefined),
      memoryAt: row.operands.findIndex((x) => x.kind === 'memory' || x.kind === 'register-or-memory' || isVectorOrMemory(x)),
      usesVvvv: row.operands.some((x) => 'at' in x && x.at === 'vvvv'),
      special: row.operands.some((x) => (x.kind === 'segment' || x.kind === 'control' || x.kind === 'debug') && x.at === 'reg'),
    };
    return { rank, candidate };
  });
  ranked.sort((a, b) => {
    const k = a.rank.findIndex((value, n) => value !== b.rank[n]);
    return k < 0 ? 0 : (a.rank[k] as number) - (b.rank[k] as number);
  });
  return ranked.map((x) => x.candidate);
}

/** What a processor executes: the rows of the table whose features it has. The others keep their places, and are #UD. */
export class InstructionSet {
  /** Undefined: every row, whatever its feature. */
  readonly #features: CpuFeatures | undefined;
  readonly #byOpcode: readonly Row[][] = Array.from({ length: ALL_MAPS * 256 }, () => []);
  readonly #memo: (Choice | undefined)[] = [];

  constructor(features?: CpuFeatures) {
    this.#features = features;
    for (const row of ROWS) {
      const e = row.encoding;
      if (row.prefixIgnored && !this.executes(row)) continue;
      const count = e.registerInOpcode ? 8 : e.conditionInOpcode ? 16 : 1;
      for (let k = 0; k < count; k++) (this.#byOpcode[mapOf(e) * 256 + e.opcode + k] as Row[]).push(row);
    }
  }

  /** Every row and extension, whatever its feature. */
  get hasAll(): boolean { return this.#features === undefined; }
  executes({ feature, alsoNeeds }: Row): boolean { return (feature === undefined || this.has(feature)) && (alsoNeeds === undefined || this.has(alsoNeeds)); }
  has(feature: CpuFeature): boolean { return this.#features === undefined || this.#features.has(feature); }

  /** What the opcode can mean. */
  choice(codeSize: CodeSize, map: number, opcode: number, s: Selectors): Choice {
    const size = codeSize === 64 ? 2 : codeSize === 32 ? 1 : 0;
    const key = (((((size * ALL_MAPS + map) * 256 + opcode) * 2 + (s.operandSizePrefix ? 1 : 0)) * 3 + s.repeat) * 2 + (s.rexW ? 1 : 0)) * 2 + s.vexLength;
    return (this.#memo[key] ??= this.#choice(codeSize, map, opcode, s));
  }
  #choice(codeSize: CodeSize, map: number, opcode: number, s: Selectors): Choice {
    const candidates = rank(this.#byOpcode[map * 256 + opcode] as Row[], codeSize, s, (row) => this.executes(row));
    const unbuilt = unbuiltAt(codeSize === 64, map, opcode, s);
    return { candidates, unbuilt, readsModrm: candidates.some(({ row }) => row.encoding.modrm !== 'none') || unbuilt.some((x) => x.when !== undefined) };
  }
}

/** Every row of the table. */
export const ALL_INSTRUCTIONS = new InstructionSet();

const sets = new WeakMap<CpuFeatures, InstructionSet>();
/** The instructions of a processor with these features: the same set for the same features. */
export function instructionsOf(features: CpuFeatures): InstructionSet {
  let set = sets.get(features);
  if (set === undefined) sets.set(features, set = new InstructionSet(features));
  return set;
}

/**
 * The lines of a mnemonic with a VEX prefix beside those of the SSE instruction that it is made of: in each 128 bits they do the same, the
 * destination is named apart, and bits above the result are cleared.
 */
import { expect, test } from 'vitest';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { MODE_64 } from '../../src/cpu/isa/instruction.ts';
import { isVectorOrMemory, type OperandSpec, type Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { encodeRow, littleEndian, type Choice } from './encode-row.ts';
import { MEMORY } from './example.ts';
import { countExample } from './rows-shown.ts';
import { SiliconWorld } from './silicon/run.ts';
import { defaultRegister } from './silicon/vectors.ts';
import { DATA, defaultSimd, type Case, type Outcome } from './silicon/world.ts';

const ENGINES = (['reference', 'interpreter', 'translator'] as const).map((name) => ({ name: `${name} engine`, world: new SiliconWorld(name) }));
/** DEST, SRC1 and SRC2 of the VEX line; DEST and SRC of the other are SRC1 and SRC2. */
const DEST = 3, FIRST = 1, SECOND = 2;
const RDI = { base: 7, displacement: 0n, displacementBytes: 0 } as const;
const IMMEDIATE = 0x1bn;
const LOW = (1n << 128n) - 1n;

const isMemory = (x: OperandSpec): boolean => x.kind === 'memory' || x.kind === 'register-or-memory' || isVectorOrMemory(x);
const namesThird = (row: Row): boolean => row.operands.some((x) => 'at' in x && x.at === 'vvvv');
/** Kinds of operands, whatever their width. */
const shape = (operands: readonly OperandSpec[]): string => operands.map((x) => `${x.kind}${'width' in x && x.kind !== 'xmm' && x.kind !== 'xmm-or-memory' ? x.width : ''}${isMemory(x) && x.kind !== 'xmm-or-memory' ? x.text : ''}`).join(' ');

/** The SSE line of the same operands, with one fewer where the destination is named apart. */
export function sseLineOf(row: Row, mnemonic: string): Row {
  const wanted = shape(namesThird(row) ? row.operands.slice(1) : row.operands);
  const found = ROWS.find((x) => x.mnemonic === mnemonic && x.encoding.vex === undefined && shape(x.operands) === wanted);
  if (!found) throw new Error(`${mnemonic} has no line like ${row.text}`);
  return found;
}

/** `floats`: lanes are numbers. */
export interface LikeSseOptions { readonly floats?: boolean }

const integers = (n: number): bigint => BigInt.asUintN(256, 0x8000_7fff_01ff_80fe_1234_5678_9abc_def0_0000_ffff_7f80_0102_c3a5_5a3c_f00f_0ff0n * BigInt(2 * n + 1) * 0x1_0000_0000_0000_0000_0000_0000_0000_0003n);
/** 1.5, -2.25, 1e10, -0.1 and so on, which are single- and double-precision numbers at once (their upper halves are). */
const FLOATS = [0x3ff8_0000_0000_0000n, 0xc002_0000_3f80_0000n, 0x4202_a05f_2000_0000n, 0xbfb9_9999_4000_0000n, 0x3f80_0000_c110_0000n, 0x4059_0000_4120_0000n, 0xbff0_0000_3e80_0000n, 0x4010_0000_4080_0000n];
const floats = (n: number): bigint => [0, 1, 2, 3].reduce((v, k) => v | (FLOATS[(3 * n + 2 * k) % 8]! << BigInt(64 * k)), 0n);

/** Each line of `mnemonic` does in each of its halves what `sse` does: registers and memory, on every engine. */
export function likeSse(mnemonic: string, sse: string, options: LikeSseOptions = {}): void {
  const value = options.floats === true ? floats : integers;
  for (const row of ROWS.filter((x) => x.mnemonic === mnemonic)) {
    const plain = sseLineOf(row, sse);
    for (const memory of row.operands.some(isVectorOrMemory) || row.operands.some((x) => x.kind === 'register-or-memory') ? [false, true] : [row.operands.some(isMemory)]) one(row, plain, memory, value);
  }
}

function one(row: Row, plain: Row, memory: boolean, value: (n: number) => bigint): void {
  const third = namesThird(row);
  const toVector = row.operands[0]?.kind === 'xmm' && row.writes.length === 0;
  const choice = (reg: number): Choice => ({ codeSize: 64, reg, vvvv: FIRST, rm: memory ? RDI : SECOND, immediates: row.encoding.trailing.map(() => IMMEDIATE) });
  // Where ModRM has an opcode extension, the destination is in vvvv and the source in ModRM.rm.
  const extended = row.encoding.modrm !== '/r';
  const code = encodeRow(row, { ...choice(DEST), ...(extended ? { vvvv: DEST, rm: FIRST } : {}) });
  const i = decode(code, 0, MODE_64);
  if (i instanceof DecodeFailure || i.row !== row) throw new Error(`${row.text}: its bytes are another row`);
  if (countExample(row)) return;
  const wide = row.operands.some((x) => 'width' in x && x.width === 256);
  const registers = defaultSimd(true).xmm.map((v, n) => (n === FIRST || n === SECOND ? value(n) : v));
  const gpr = Array.from({ length: 16 }, (_, n) => (n === 7 ? MEMORY : defaultRegister(n, 64)));
  const caseOf = (bytes: Uint8Array, xmm: readonly bigint[], source: bigint, isWide: boolean): Case => ({
    codeSize: 64, code: bytes, gpr, flags: 1, poke: { offset: Number(MEMORY - DATA), bytes: Uint8Array.from(littleEndian(source, 32)) }, simd: { ...defaultSimd(), xmm, wide: isWide },
  });
  const source = value(SECOND);
  /** The half of an operand: one of 128 bits is the same for both. */
  const halfOf = (v: bigint, half: number, spec: OperandSpec | undefined): bigint => ((spec !== undefined && 'width' in spec && spec.width === 256 ? v >> BigInt(128 * half) : v) & LOW);
  const at = third ? 1 : 0;
  const plainBytes = encodeRow(plain, { ...choice(third ? FIRST : DEST), ...(extended ? { rm: FIRST } : {}) });
  for (const { name, world } of ENGINES) {
    test(`does in each 128 bits what ${plain.text} does: ${row.text}${memory ? ', from or to memory' : ''} › ${name}`, () => {
      const halves: Outcome[] = (wide ? [0, 1] : [0]).map((half) => world.run(caseOf(plainBytes, registers.map((v, n) => halfOf(v, half, n === FIRST ? row.operands[at] : n === SECOND ? row.operands.findLast((x) => x.kind.startsWith('xmm')) : undefined)), halfOf(source, half, row.operands.findLast((x) => x.kind.startsWith('xmm'))), false)));
      const got = world.run(caseOf(code, registers, source, true));
      const resultOf = (o: Outcome): bigint => o.simd!.xmm[third || extended ? FIRST : DEST] as bigint;
      const expected = registers.map((v, n) => (toVector && n === DEST ? halves.map(resultOf).reduceRight((high, low) => (high << 128n) | low) : v));
      expect({ fault: got.fault, registers: got.simd?.xmm, mxcsr: got.simd?.mxcsr, flags: got.flags, gpr: got.gpr, rip: got.rip, changed: got.changed }).toEqual({
        fault: undefined, registers: expected, mxcsr: halves.reduce((flags, o) => flags | o.simd!.mxcsr, 0), flags: halves[0]!.flags, gpr: halves[0]!.gpr,
        rip: got.rip, changed: halves[0]!.changed,
      });
      expect(halves[0]!.fault).toBeUndefined();
    });
  }
}

/** Cases for a row: random and boundary values in registers, flags and memory; addresses that hit every kind of page. */
import { isVectorOrMemory, type OperandSpec, type Row } from '../../src/cpu/isa/row.ts';
import { encodeRow, littleEndian, type Choice, type MemoryChoice } from '../../test/support/encode-row.ts';
import { interesting } from '../../test/support/boundary.ts';
import { Random } from '../../test/support/random.ts';
import { hexBytes } from '../../test/support/silicon/compare.ts';
import { recordingOf, usesMmxRegisters } from '../../test/support/silicon/vectors.ts';
import { DATA, defaultFpu, defaultSimd, GS_BASE, PAGE, simdSeen, START, type Case, type Input } from '../../test/support/silicon/world.ts';
import { fpuFor, interestingVector, simdFor, textVector } from '../../test/support/silicon/interesting-simd.ts';

const RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
const DF = 1 << 10;
const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;

/** A case while it is being made. */
interface Draft { gpr: bigint[]; flags: number; poke: { offset: number; bytes: Uint8Array } }

/** An address for an access of `bytes`: mostly inside the writable pages, sometimes across an edge or outside. */
function dataAddress(r: Random, bytes: number, faults: boolean): bigint {
  const kind = r.below(100);
  const across = (page: number): bigint => DATA + BigInt(page * PAGE - r.between(1, Math.max(1, bytes - 1)));
  if (kind < 75 || !faults) return DATA + BigInt(r.between(0x200, 2 * PAGE - 0x300));
  if (kind < 83) return across(1);
  if (kind < 88) return across(2);
  if (kind < 92) return DATA + BigInt(2 * PAGE + r.below(PAGE - 64));
  if (kind < 96) return across(3);
  return DATA + BigInt(3 * PAGE + r.below(PAGE));
}

/** A memory operand whose address is `target`: sets its registers in the draft. */
function memoryFor(r: Random, shape: Random, d: Draft, target: bigint, codeSize: 32 | 64, shortAddress: boolean, taken: readonly number[]): MemoryChoice {
  const count = codeSize === 64 ? 16 : 8;
  const width = codeSize === 64 && !shortAddress ? 64 : 32;
  const free = (also: number): number => {
    for (;;) {
      const n = shape.below(count);
      if (!taken.includes(n) && n !== RSP && n !== also) return n;
    }
  };
  const displacementBytes = shape.pick([0, 1, 4] as const);
  const displacement = displacementBytes === 0 ? 0n : displacementBytes === 1 ? BigInt(shape.between(-128, 127)) : BigInt(shape.between(-0x10000, 0x10000));
  const high = (): bigint => (width === 32 && codeSize === 64 ? r.u64() & ~mask(32) : 0n);
  const put = (n: number, value: bigint): void => { d.gpr[n] = (value & mask(width)) | high(); };
  const kind = shape.below(10);
  if (kind === 0) return { displacement: target, displacementBytes: 4 };
  if (kind === 1 && codeSize === 64) {
    const index = free(-1);
    const scale = shape.pick([0, 1, 2, 3] as const);
    const value = BigInt(shape.below(0x1000));
    put(index, value);
    return { index, scale, displacement: target - (value << BigInt(scale)), displacementBytes: 4 };
  }
  const base = free(-1);
  if (kind < 6) {
    put(base, target - displacement);
    return { base, displacement, displacementBytes };
  }
  const index = free(base);
  const scale = shape.pick([0, 1, 2, 3] as const);
  const value = r.chance(50) ? BigInt(r.below(0x1000)) : BigInt.asUintN(width, -BigInt(r.below(0x1000)));
  put(index, value);
  const shifted = BigInt.asIntN(width, value) << BigInt(scale);
  put(base, target - displacement - shifted);
  return { base, index, scale, displacement, displacementBytes };
}

/** A branch distance that does not land on the instruction itself, which would run for ever. */
const awayFromStart = (distance: number): number => (distance < 0 && distance > -32 ? distance - 32 : distance >= 0 && distance < 32 ? distance + 32 : distance);

const memoryBits = (x: OperandSpec): number | undefined => {
  if (x.kind === 'register-or-memory' || isVectorOrMemory(x)) return x.memoryBits;
  if (x.kind === 'memory') return x.text === 'm16&16' ? 32 : x.text === 'm32&32' ? 64 : x.bits;
  return undefined;
};

/** MOVSD and CMPSD are SSE2 instructions too. */
const isString = (row: Row): boolean => row.operands.length === 0 && /^(MOVS|CMPS|SCAS|STOS|LODS)[BWDQ]$/.test(row.mnemonic);
const isSimd = (row: Row): boolean => !['general', 'bmi'].includes(recordingOf(row));
/** PCMPESTRI and its kin. */
const isString128 = (row: Row): boolean => /^PCMP[EI]STR/.test(row.mnemonic);
/** Instructions on floating-point lanes, by their names. */
const hasFloats = (row: Row): boolean => !/^V?P/.test(row.mnemonic) && /[PS][SD]$|^V?CVT|^VFN?M/.test(row.mnemonic);

/** What the lanes of a row's vectors are. */
export type Lanes = 'none' | 'integers' | 'floats' | 'text';
export const lanesOf = (row: Row): Lanes => (isString128(row) ? 'text' : !isSimd(row) ? 'none' : hasFloats(row) ? 'floats' : 'integers');

/** What rows without lanes do not look at. */
const DEFAULT_SIMD = defaultSimd(true), DEFAULT_FPU = defaultFpu();

/** What an instruction may find, before anything is put where it will look for it. */
export function drawInput(r: Random, lanes: Lanes): Input {
  const vector = (): bigint => (lanes === 'text' ? textVector(r) : lanes === 'none' ? interesting(r) : interestingVector(r, lanes === 'floats'));
  const operand = Uint8Array.from([...littleEndian(vector(), 16), ...littleEndian(vector(), 16)]);
  const registers = lanes === 'none' ? { simd: DEFAULT_SIMD, fpu: DEFAULT_FPU } : { simd: simdFor(r, lanes, true), fpu: fpuFor(r) };
  return { gpr: Array.from({ length: 16 }, () => interesting(r)), flags: r.u32() & 0x8d5, ...registers, operand };
}

/** What a row needs in particular registers, so that more than its faults is seen. */
function particulars(r: Random, { operand }: Input, row: Row, d: Draft, target: bigint | undefined, codeSize: 32 | 64): void {
  const m = row.mnemonic;
  const width = typeof row.width === 'number' ? row.width : codeSize;
  const poke = (at: bigint, bytes: readonly number[]): void => {
    const offset = Number(at - DATA);
    if (offset >= 0 && offset + bytes.length <= 2 * PAGE) d.poke = { offset, bytes: Uint8Array.from(bytes) };
  };
  const codeTarget = (): bigint => (r.chance(85) ? START + BigInt(awayFromStart(r.between(-0x700, 0x700))) : codeSize === 64 && r.chance(50) ? 0x8000_0000_0000n + r.u64() % 0x1000_0000_0000n : 0x4000_0000n + BigInt(r.below(0x10000)));
  const pointer = (n: number): void => { d.gpr[n] = dataAddress(r, width / 8, true); };
  if (target !== undefined && r.chance(70)) {
    const bits = memoryBits(row.operands.find((x) => memoryBits(x) !== undefined) as OperandSpec) ?? 0;
    if (bits !== 0) poke(target, [...operand.subarray(0, bits / 8)]);
  }
  if (/^(PUSH|POP|CALL|RET|ENTER)/.test(m) || m === 'LEAVE') pointer(RSP);
  if (m === 'ENTER' || m === 'LEAVE') pointer(RBP);
  if (isString(row)) {
    for (const n of [RSI, RDI]) d.gpr[n] = r.chance(85) ? DATA + BigInt(r.between(0x400, 2 * PAGE - 0x400)) : dataAddress(r, width / 8, true);
    d.gpr[RCX] = BigInt(r.below(r.chance(30) ? 2 : 30));
    if (r.chance(40)) d.flags |= DF;
    if (/^(CMPS|SCAS)/.test(m) && r.chance(60)) {
      // Equal runs, so that REPE goes on.
      d.poke = { offset: Number(BigInt.asIntN(64, d.gpr[RDI] as bigint) - DATA) & 0xfff, bytes: new Uint8Array(64) };
      d.gpr[RAX] = 0n;
      d.gpr[RSI] = (d.gpr[RDI] as bigint) + BigInt((r.below(4) * width) / 8);
    }
  }
  if (/^V?MASKMOVD/.test(m) || m === 'MASKMOVQ') d.gpr[RDI] = dataAddress(r, 16, true);
  // Bits that MXCSR does not have are #GP; but bit 17 is AMD's misaligned mode, which we do not have.
  if (/^V?LDMXCSR$/.test(m) && target !== undefined) poke(target, littleEndian(r.chance(80) ? BigInt(r.below(0x1_0000)) : r.u64() & 0xfffd_ffffn, 4));
  if (/^V?PCMPESTR/.test(m) && r.chance(85)) for (const n of [RAX, RDX]) d.gpr[n] = BigInt(r.between(-20, 20)) & mask(codeSize);
  if (m === 'XLATB') d.gpr[RBX] = dataAddress(r, 1, false);
  if (/^(LOOP|J.?CXZ)/.test(m) && r.chance(70)) d.gpr[RCX] = BigInt(r.below(3)) | (r.chance(30) ? 0x1_0000_0000n : 0n);
  if (m === 'RET') poke(d.gpr[RSP] as bigint, littleEndian(codeTarget(), codeSize / 8));
  if ((m === 'JMP' || m === 'CALL') && row.operands[0]?.kind === 'register-or-memory') {
    if (target !== undefined) poke(target, littleEndian(codeTarget(), codeSize / 8));
    else for (let n = 0; n < 16; n++) if (n !== RSP) d.gpr[n] = codeTarget();
  }
  if ((m === 'DIV' || m === 'IDIV') && r.chance(80)) {
    d.gpr[RDX] = r.chance(40) ? 0n : r.chance(50) ? BigInt(r.below(16)) : BigInt.asUintN(64, -BigInt(r.below(16)));
    if (width === 8) d.gpr[RAX] = BigInt(r.below(0x200)) - (r.chance(30) ? 0x100n : 0n) & mask(64);
  }
  if (m === 'CMPXCHG') {
    if (target === undefined) { if (r.chance(50)) d.gpr[r.below(8)] = d.gpr[RAX] as bigint; }
    else if (r.chance(50)) poke(target, littleEndian(d.gpr[RAX] as bigint, width / 8));
  }
  if (m.startsWith('CMPXCHG') && target !== undefined && m !== 'CMPXCHG' && r.chance(60)) {
    poke(target, [...littleEndian(d.gpr[RAX] as bigint, width / 8), ...littleEndian(d.gpr[RDX] as bigint, width / 8)]);
  }
}

/** A gather: three registers, a base that may be used, indices most of which stay near it. */
function gatherFor(r: Random, shape: Random, input: Input, row: Row, codeSize: 32 | 64): Case {
  const gpr = input.gpr.map((x) => x & mask(codeSize));
  const { bits: elementBits, text } = row.operands[1] as Extract<OperandSpec, { kind: 'memory' }>;
  const indexBits = text.startsWith('vm32') ? 32 : 64, size = elementBits / 8;
  const count = codeSize === 64 ? 16 : 8;
  const first = shape.below(count), reg = first, vvvv = (first + 1 + shape.below(2)) % count, index = (first + 3 + shape.below(count - 4)) % count;
  const scale = shape.pick([0, 1, 2, 3] as const);
  const base = dataAddress(r, size, true), displacement = BigInt(shape.between(-128, 127));
  gpr[RSI] = (base - displacement) & mask(64);
    const indices = Array.from({ length: 256 / indexBits }, () => r.chance(95) ? (BigInt(r.between(-0x180, 0x180)) >> BigInt(scale)) & mask(indexBits) : interesting(r) & mask(indexBits - 1 - scale));
  const simd = { ...input.simd, xmm: input.simd.xmm.with(index, indices.reduce((v, x, n) => v | (x << BigInt(n * indexBits)), 0n)) };
  const code = encodeRow(row, { codeSize, reg, vvvv, rm: { base: RSI, index, scale, displacement, displacementBytes: 1 } });
  return { codeSize, code, gpr: gpr.map((x, n) => (codeSize === 32 && n > 7 ? 0n : x)), flags: input.flags, poke: { offset: 0, bytes: new Uint8Array(0) }, simd, fpu: undefined };
}

/**
 * A case for the row, or undefined where the draw is not one worth running. `shape` decides its bytes and where its memory operand lies, `r` and `input`
 * what it finds there: with equal shapes come cases of the same code.
 */
export function caseFor(r: Random, row: Row, codeSize: 32 | 64, shape = r, input = drawInput(r, lanesOf(row))): Case | undefined {
  if (row.operands.some((x) => x.kind === 'memory' && x.vectorIndex !== undefined)) return gatherFor(r, shape, input, row, codeSize);
  const count = codeSize === 64 ? 16 : 8;
  const d: Draft = { gpr: [...input.gpr], flags: input.flags, poke: { offset: 0, bytes: new Uint8Array(0) } };
  // Legacy instructions see 32 bits, and 64-bit mode's other registers do not exist there.
  if (codeSize === 32) d.gpr = d.gpr.map((x, n) => (n < 8 ? x & mask(32) : 0n));
  if (r.chance(10)) d.flags |= DF;
  const string = isString(row);
  const prefixes: number[] = [];
  const memoryOperand = row.operands.find((x) => memoryBits(x) !== undefined);
  const memoryOnly = memoryOperand?.kind === 'memory';
  const memory = memoryOperand !== undefined && (memoryOnly || shape.chance(50));
  // An address-size prefix in compatibility mode means 16-bit addresses, which reach none of the pages.
  const shortAddress = codeSize === 64 && (memory || string || /^V?MASKMOV[DQ]/.test(row.mnemonic) || row.mnemonic === 'XLATB' || row.mnemonic.startsWith('LOOP')) && shape.chance(15);
  const isLea = row.mnemonic === 'LEA';
  const bits = memoryOperand === undefined ? 0 : memoryBits(memoryOperand) as number;
  // #GP or #PF decides CMPXCHG16B's misaligned faults by order; most addresses are aligned.
  let target = memory ? dataAddress(shape, Math.max(1, bits / 8), !isLea) : undefined;
  if ((row.mnemonic === 'CMPXCHG16B' || bits === 128) && target !== undefined && shape.chance(85)) target &= ~15n;
  if (bits === 256 && target !== undefined && shape.chance(70)) target &= ~31n;

  const reg = shape.below(count);
  const rmRegister = shape.below(count);
  const bitOffset = /^BT[SRC]?$/.test(row.mnemonic) && row.operands[1]?.kind === 'register' && memory;
  if (bitOffset) {
    const w = row.width as number;
    if (reg === RSP) return undefined;
    d.gpr[reg] = ((BigInt(r.between(-0x800, 0x7ff)) & mask(w)) | (r.u64() & ~mask(w))) & mask(codeSize);
  }
  // Registers that the instruction gives a meaning to are no address registers.
  const taken = [RAX, RCX, RDX, RBX, ...(bitOffset ? [reg] : [])];
  let gs = codeSize === 64 && memory && !shortAddress && shape.chance(8);
  if (gs && (target as bigint) < GS_BASE) gs = false;
  if (gs) prefixes.push(0x65);
  else if (codeSize === 64 && shape.chance(4)) prefixes.push(shape.pick([0x26, 0x2e, 0x36, 0x3e]));
  // POP forms its address with the new RSP: a stack-relative one is drawn below.
  particulars(r, input, row, d, target, codeSize);
  let rm: number | MemoryChoice = rmRegister;
  if (target !== undefined) {
    const wanted = gs ? target - GS_BASE : target;
    if (row.mnemonic === 'POP' && shape.chance(30)) {
      rm = { base: RSP, displacement: BigInt(shape.between(-128, 127)), displacementBytes: 1 };
      if (gs) prefixes.length = 0;
    } else {
      const stack = /^(PUSH|POP|CALL)/.test(row.mnemonic) ? [RSP] : [];
      rm = memoryFor(r, shape, d, wanted, codeSize, shortAddress, [...taken, ...stack]);
    }
    if (r.chance(5) && codeSize === 64 && typeof rm === 'object' && rm.base !== undefined && rm.base !== RSP && !shortAddress && !gs) d.gpr[rm.base] = 0x8000_0000_0000n + (r.u64() >> 18n);
  }
  if (row.lock && memory && shape.chance(15)) prefixes.push(0xf0);
  if (row.repeat !== undefined && shape.chance(70)) prefixes.push(shape.chance(60) ? 0xf3 : 0xf2);

  const immediates = row.encoding.trailing.map((size, n) => {
    const spec = row.operands.filter((x) => ['immediate', 'relative', 'far-pointer', 'memory-offset'].includes(x.kind))[n] as OperandSpec;
    if (spec.kind === 'relative') return size === 1 || shape.chance(85) ? BigInt(awayFromStart(shape.between(size === 1 ? -128 : -0x700, size === 1 ? 127 : 0x700))) : interesting(shape) & 0xffffn;
    if (spec.kind === 'memory-offset') return dataAddress(shape, spec.width / 8, true);
    if (row.mnemonic === 'ENTER') return BigInt(n === 0 ? shape.below(0x100) : shape.below(shape.chance(70) ? 4 : 256));
    if (row.mnemonic === 'RET') return BigInt(shape.below(0x10000));
    return interesting(shape) & mask(8 * (size as number));
  });
  const byteOperand = row.operands.some((x) => (x.kind === 'register' || x.kind === 'register-or-memory') && x.width === 8);
  const choice: Choice = {
    codeSize, reg, rm, vvvv: shape.below(count), condition: shape.below(16), immediates, rex: codeSize === 64 && byteOperand && shape.chance(40), prefixes, shortAddress,
  };
  const code = encodeRow(row, choice);
  if (code.length > 15) return undefined;
  return { codeSize, code, gpr: d.gpr.map((x) => x & mask(64)), flags: d.flags, poke: d.poke, simd: isSimd(row) ? simdSeen(input, row.encoding.vex !== undefined) : undefined, fpu: usesMmxRegisters(row) ? input.fpu : undefined };
}

/** The modes in which a row is drawn: their code sizes. */
export const codeSizesOf = (row: Row): readonly (32 | 64)[] => (row.modes === '64' ? [64] : row.modes === 'legacy' ? [32] : [64, 32]);

/** Cases of one encoding, which `seed` decides; empty where the draw is not one worth running. `inputOf`: what case n finds. */
export function casesOfOneEncoding(row: Row, codeSize: 32 | 64, seed: number, count: number, inputOf: (r: Random, n: number) => Input): Case[] {
  const values = new Random(seed ^ 0x5bd1_e995);
  const cases: Case[] = [];
  for (let n = 0; n < count; n++) {
    const c = caseFor(values, row, codeSize, new Random(seed), inputOf(values, n));
    if (c === undefined) return [];
    if (n > 0 && Buffer.compare(c.code, cases[0]!.code) !== 0) throw new Error(`${row.text}: its values decide its code: ${hexBytes(c.code)}`);
    cases.push(c);
  }
  return cases;
}

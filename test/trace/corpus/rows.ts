/**
 * From the table to a program: for every row that leaves the world as it is a few instructions with registers, addressing forms, immediates,
 * flags and memory by chance. A row that is added to the table is in the next recording.
 */
import type { Row } from '../../../src/cpu/isa/row.ts';
import { ROWS } from '../../../src/cpu/isa/table/index.ts';
import { interesting } from '../../support/boundary.ts';
import { encodeRow, littleEndian, type Choice, type MemoryChoice } from '../../support/encode-row.ts';
import { Random } from '../../support/random.ts';
import { BODY, DATA, DATA_BYTES, RESUME, SELECTOR, STACK_TOP, type Bits } from './world.ts';

/** System instructions that leave the world as it is when their operands are chosen well. */
const HARMLESS = /^(MOV r\S+, (Sreg|CRn|DRn)$|PUSH [C-GS]S$|POP [D-GS]S$|L[DEFGS]S |S[GI]DT|SLDT|STR |SMSW|LAR|LSL|VERR|VERW|ARPL|PUSHF|POPF|IN |OUT |INS|OUTS|INTO|INVD|WBINVD|CLI$|CLTS)/;
/** A port at which neither machine has anything. */
const EMPTY_PORT = 0xe0n;

const VECTOR_OPERANDS = new Set(['xmm', 'xmm-or-memory', 'mmx', 'mmx-or-memory']);
/** XMM and MMX registers and MXCSR are not in a trace. */
export const isVectorRow = (row: Row): boolean =>
  row.operands.some((x) => VECTOR_OPERANDS.has(x.kind)) || ((row.feature === 'sse' || row.feature === 'sse2' || row.feature === 'avx') && !row.mnemonic.endsWith('FENCE'));

/** Rows that a generated program cannot run, and why. */
export const EXCLUDED: readonly { readonly applies: (row: Row, bits: Bits) => boolean; readonly why: string }[] = [
  { applies: (row) => row.meaning.kind !== 'translated' && !HARMLESS.test(row.text), why: 'instructions that change the mode, the tables or the privilege level have programs of their own' },
  { applies: isVectorRow, why: 'XMM and MMX registers and MXCSR are not in a trace: the silicon cases judge these rows' },
  { applies: (row) => row.mnemonic === 'SERIALIZE', why: 'TCG does not have it: #UD in QEMU' },
  { applies: (row, bits) => bits === 64 && /^AD[CO]X r32/.test(row.text), why: 'QEMU before version 8 writes the upper half of the destination into RFLAGS (its fix: "target/i386: Fix 32-bit AD[CO]X insns in 64-bit mode")' },
  { applies: (row) => row.mnemonic === 'BLSI', why: 'QEMU before version 8 sets CF for a source of 0 instead of the others (SDM Vol. 2A, "BLSI"; silicon agrees with it)' },
  { applies: (row) => row.addressSize === 16, why: 'in 32-bit code CX counts with the 67h prefix, as the 16-bit rows of the loops do; 64-bit code has no 16-bit addresses' },
  {
    applies: (row) => /^(J|CALL|RET|LOOP)/.test(row.mnemonic) && (row.size === 16 || row.width === 16),
    why: 'a near branch with 16-bit operand size goes to the lowest 64 KiB, where there is no program',
  },
  { applies: (row) => /^F[67] \/1/.test(row.encodingText.replace('REX.W ', '')), why: 'the second encoding of TEST (APM Vol. 3, "TEST") is #UD in QEMU before version 9' },
  { applies: (row) => row.text === 'RESERVEDNOP r32' || (row.mnemonic === 'RESERVEDNOP' && row.encodingText.startsWith('0F 0D')), why: 'the register forms of 0F 0D and 0F 18 /0-3 (SDM Vol. 2D, "Two-byte Opcode Map": reserved NOPs) are #UD in QEMU' },
  { applies: (row) => /^L[FGS]S r64/.test(row.text), why: 'far pointers with 64-bit offsets are Intel’s (SDM Vol. 2A, "LDS/LES/LFS/LGS/LSS"); QEMU reads a 32-bit offset, as AMD does' },
];
export const isExcluded = (row: Row, bits: Bits): boolean => EXCLUDED.some((x) => x.applies(row, bits));

/** QEMU 7.2 forgets the immediate byte when it computes the RIP-relative address of these: it is one too low. */
const QEMU_MISPLACES = /^SH[LR]D .*imm8/;

/** The rows that a program for this mode exercises. */
export const rowsFor = (bits: Bits): readonly Row[] => ROWS.filter((row) => row.modes !== (bits === 64 ? 'legacy' : '64') && !isExcluded(row, bits));

const RCX = 1, RDX = 2, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
const STATUS_FLAGS = 0x8d5, DF = 0x400;

class BodyWriter {
  readonly #bytes: number[] = [];
  readonly #bits: Bits;
  constructor(bits: Bits) { this.#bits = bits; }

  get address(): number { return BODY + this.#bytes.length; }
  raw(...bytes: readonly number[]): void { this.#bytes.push(...bytes); }
  take(): Uint8Array { return Uint8Array.from(this.#bytes); }

  /** MOV r, imm. */
  load(register: number, value: bigint): void {
    if (this.#bits === 64) this.raw(0x48 | (register >= 8 ? 1 : 0));
    this.raw(0xb8 | (register & 7), ...littleEndian(value, this.#bits / 8));
  }
  /** MOV [address], imm32 (sign-extended to 64 bits in 64-bit code). */
  poke(address: number, value: number): void {
    if (this.#bits === 64) this.raw(0x48, 0xc7, 0x04, 0x25);
    else this.raw(0xc7, 0x05);
    this.raw(...littleEndian(BigInt(address), 4), ...littleEndian(BigInt(value), 4));
  }
  flags(value: number): void {
    this.raw(0x68, ...littleEndian(BigInt(value), 4), 0x9d);
  }
}

/** A body with `instances` instructions of each row. */
export function rowsBody(bits: Bits, seed: number, instances: number): Uint8Array {
  const w = new BodyWriter(bits);
  const r = new Random(seed);
  for (const row of rowsFor(bits)) for (let n = 0; n < instances; n++) emit(w, row, bits, r);
  return w.take();
}

/** What has to be in registers and memory before an instruction, and the instruction. */
interface Plan {
  readonly choice: Choice;
  readonly registers: Map<number, bigint>;
  /** Absolute address of the memory operand, if there is one. */
  readonly target: number | undefined;
}

/** Distance over which a taken branch jumps: UD2, so that a branch not taken is seen too. */
const SKIPPED = [0x0f, 0x0b];

function emit(w: BodyWriter, row: Row, bits: Bits, r: Random): void {
  const plan = choose(row, bits, r);
  const branch = /^(J|CALL|RET|LOOP)/.test(row.mnemonic);
  // The prologue's length does not depend on the value poked, so the address behind the instruction can be found by a trial.
  const before = new BodyWriter(bits);
  prologue(before, row, bits, plan, 0, 0);
  const instruction = place(row, plan, w.address + before.take().length);
  const next = w.address + before.take().length + instruction.length + (branch ? SKIPPED.length : 0);
  prologue(w, row, bits, plan, next, r.below(0x1000) & STATUS_FLAGS | (r.chance(20) ? DF : 0));
  w.raw(...instruction);
  if (branch) w.raw(...SKIPPED);
}

function prologue(w: BodyWriter, row: Row, bits: Bits, plan: Plan, next: number, flags: number): void {
  w.poke(RESUME, next);
  w.load(RSP, BigInt(STACK_TOP));
  w.flags(flags | 2);
  const { target } = plan;
  if (/^(JMP|CALL)/.test(row.mnemonic)) {
    if (target !== undefined) w.poke(target, next);
    else if (typeof plan.choice.rm === 'number') plan.registers.set(plan.choice.rm, BigInt(next));
  }
  if (row.mnemonic === 'RET') w.poke(STACK_TOP, next);
  if (row.mnemonic === 'POPF' || row.mnemonic === 'POPFD' || row.mnemonic === 'POPFQ') w.poke(STACK_TOP, flags | 2);
  if (/^POP [D-GS]S/.test(row.text)) w.poke(STACK_TOP, SELECTOR.data);
  // A far pointer: the selector is behind the offset.
  const pointer = /^L[DEFGS]S .*m16:(\d\d)$/.exec(row.text);
  if (pointer && target !== undefined) w.poke(target + Number(pointer[1]) / 8, SELECTOR.data);
  for (const [register, value] of plan.registers) w.load(register, BigInt.asUintN(bits, value));
}

/** Encodes; a RIP-relative displacement becomes the distance from here to the target. */
function place(row: Row, plan: Plan, address: number): Uint8Array {
  const { rm } = plan.choice;
  if (typeof rm !== 'object' || rm.ripRelative !== true) return encodeRow(row, plan.choice);
  const { length } = encodeRow(row, plan.choice);
  return encodeRow(row, { ...plan.choice, rm: { ...rm, displacement: BigInt(plan.target! - address - length) } });
}

/** Outside 64-bit mode a fault is delivered on the stack in use: what may fault must not have ESP for anything else. */
const faultsOnStack = (row: Row, bits: Bits): boolean => bits === 32 && /^(DIV|IDIV|BOUND|UD)/.test(row.mnemonic);

function choose(row: Row, bits: Bits, r: Random): Plan {
  const count = bits === 64 ? 16 : 8;
  const registers = new Map<number, bigint>();
  const mayFault = faultsOnStack(row, bits);
  const random = (): number => {
    let register = r.below(count);
    if (mayFault && register === RSP) register = RBP;
    registers.set(register, interesting(r));
    return register;
  };
  let reg: number | undefined, vvvv: number | undefined, rm: number | MemoryChoice | undefined, target: number | undefined;
  const immediates: bigint[] = [];
  let high = false;
  for (const x of row.operands) {
    switch (x.kind) {
      case 'register':
        if (x.at === 'fixed') registers.set(x.number, x.text === 'CL' ? BigInt(r.below(r.chance(50) ? 9 : 256)) : interesting(r));
        else if (x.at === 'vvvv') vvvv = random();
        else reg = random();
        break;
      case 'rm-register': rm = random(); break;
      case 'register-or-memory': case 'memory':
        if (x.kind === 'memory' || r.chance(50)) {
          target = DATA + 0x800 + r.below(DATA_BYTES - 0x1000);
          if (row.text.includes('m128') || row.mnemonic === 'CMPXCHG16B') target &= ~15;
        } else rm = random();
        break;
      case 'immediate': immediates.push(/^(IN|OUT)$/.test(row.mnemonic) ? EMPTY_PORT : r.chance(50) ? BigInt(r.below(256)) : interesting(r)); break;
      case 'relative': immediates.push(BigInt(SKIPPED.length)); break;
      case 'memory-offset':
        target = DATA + 0x800 + r.below(DATA_BYTES - 0x1000);
        immediates.push(BigInt(target));
        break;
      case 'segment': if (x.at === 'reg') reg = r.below(6); break;
      case 'control': reg = r.pick([0, 2, 3, 4]); break;
      case 'debug': reg = r.below(8); break;
      default: break;
    }
  }
  const prefixes: number[] = [];
  // With a memory operand the bit offset is part of the address.
  if (row.mnemonic.startsWith('BT') && target !== undefined && reg !== undefined) registers.set(reg, BigInt(r.below(0x1000)));
  if (target !== undefined && row.operands.every((x) => x.kind !== 'memory-offset')) {
    rm = memoryChoice(row, bits, r, target, registers);
    if (row.lock && row.operands[0]?.kind !== 'register' && r.chance(30)) prefixes.push(0xf0);
  }
  implicit(row, r, registers);
  if (row.repeat !== undefined && r.chance(70)) prefixes.push(row.repeat === 'rep' || r.chance(50) ? 0xf3 : 0xf2);
  // AH CH DH BH and SPL BPL SIL DIL have the same numbers; a REX prefix tells them apart.
  if (bits === 64 && r.chance(30)) high = true;
  const choice: Choice = {
    codeSize: bits, condition: r.below(16), immediates, prefixes, rex: high,
    ...(reg === undefined ? {} : { reg }), ...(vvvv === undefined ? {} : { vvvv }), ...(rm === undefined ? {} : { rm }),
  };
  return { choice, registers, target };
}

/** Registers that an instruction uses without naming them. */
function implicit(row: Row, r: Random, registers: Map<number, bigint>): void {
  const { mnemonic } = row;
  if (/^(MOVS|STOS|LODS|CMPS|SCAS)[BWDQ]$/.test(mnemonic)) {
    registers.set(RSI, BigInt(DATA + 0x800 + r.below(0x800)));
    registers.set(RDI, BigInt(DATA + 0x800 + r.below(0x800)));
    registers.set(RCX, BigInt(r.below(6)));
  }
  if (/^(LOOP|J.?CXZ)/.test(mnemonic)) registers.set(RCX, BigInt(r.below(3)));
  if (/^(LEAVE|ENTER)/.test(mnemonic)) registers.set(RBP, BigInt(STACK_TOP - r.below(64) * 8));
  if (mnemonic.startsWith('XLAT')) registers.set(3, BigInt(DATA + 0x800));
  if (/^(MUL|IMUL|DIV|IDIV|CMPXCHG|CBW|CWD|AAM|AAD|AAA|DAA|AAS|DAS|SAHF|LAHF|CDQ|CQO|CWDE|CDQE)/.test(mnemonic)) {
    registers.set(0, interesting(r));
    // A small high half, so that some divisions do not overflow.
    registers.set(2, r.chance(50) ? BigInt(r.below(4)) : interesting(r));
  }
  if (mnemonic === 'MULX') registers.set(RDX, interesting(r));
  if (/^(IN|OUT|INS|OUTS)[BWD]?$/.test(mnemonic)) registers.set(RDX, EMPTY_PORT);
  if (/^(INS|OUTS)[BWD]$/.test(mnemonic)) {
    registers.set(RSI, BigInt(DATA + 0x800 + r.below(0x800)));
    registers.set(RDI, BigInt(DATA + 0x800 + r.below(0x800)));
    registers.set(RCX, BigInt(r.below(6)));
  }
  if (/^(LAR|LSL|VERR|VERW)$/.test(mnemonic)) {
    for (const register of registers.keys()) if (r.chance(70)) registers.set(register, BigInt(r.below(0x18) * 8 + r.below(4)) );
  }
  if (mnemonic === 'PUSHA' || mnemonic === 'POPA') registers.delete(RSP);
  // Explicit stack pointers stay where there is a stack: an instruction that uses it would fault every time.
  if (/^(PUSH|POP|CALL|RET|ENTER)/.test(mnemonic) && registers.has(RSP)) registers.set(RSP, BigInt(STACK_TOP));
}

/** An addressing form whose address is `target`; fills in the registers it uses. */
function memoryChoice(row: Row, bits: Bits, r: Random, target: number, registers: Map<number, bigint>): MemoryChoice {
  const kind = r.below(10);
  // With the stack pointer moving, RSP is a base only where the instruction does not use the stack.
  if (bits === 64 && kind === 0 && !QEMU_MISPLACES.test(row.text)) return { ripRelative: true, displacement: 0n, displacementBytes: 4 };
  if (kind === 1) return { displacement: BigInt(target), displacementBytes: 4 };
  const count = bits === 64 ? 16 : 8;
  const usesStack = faultsOnStack(row, bits) || /^(PUSH|POP|CALL|RET|ENTER|LEAVE)/.test(row.mnemonic);
  const taken = new Set(row.operands.flatMap((x) => (x.kind === 'register' && x.at === 'fixed' ? [x.number] : [])));
  if (/^(CMPXCHG|XLAT|MUL|IMUL|DIV|IDIV)/.test(row.mnemonic)) for (const register of [0, 1, 2, 3]) taken.add(register);
  // The value of a bit string's offset register is part of the address.
  if (row.mnemonic.startsWith('BT')) for (const register of registers.keys()) taken.add(register);
  const free = Array.from({ length: count }, (_, n) => n).filter((n) => !taken.has(n) && !(usesStack && n === RSP));
  const base = r.pick(free);
  const displacementBytes = r.pick([0, 1, 4] as const);
  const displacement = displacementBytes === 0 ? 0n : displacementBytes === 1 ? BigInt(r.between(-128, 127)) : BigInt(r.between(-0x10000, 0x10000));
  const indices = free.filter((n) => n !== RSP && n !== base);
  if (kind < 6 || indices.length === 0) {
    registers.set(base, BigInt(target) - displacement);
    return { base, displacement, displacementBytes };
  }
  const index = r.pick(indices);
  const scale = r.pick([0, 1, 2, 3] as const);
  const step = BigInt(r.between(-40, 40));
  registers.set(index, step);
  registers.set(base, BigInt(target) - displacement - (step << BigInt(scale)));
  return { base, index, scale, displacement, displacementBytes };
}

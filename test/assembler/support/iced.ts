/** What iced-x86, which knows nothing of our table, reads in some bytes. */
import { Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register } from 'iced-x86';
import { Memory, type OperandValue } from '../../../src/assembler/index.ts';

export interface Decoded { readonly mnemonic: string; readonly length: number; readonly operands: readonly string[]; readonly lock: boolean; readonly repeat: string; readonly code: string }

const REGISTER_NAMES = new Map(Object.entries(Register).filter(([, n]) => typeof n === 'number').map(([name, n]) => [n as number, name.toLowerCase()]));
const CODE_NAMES = new Map(Object.entries(Code).filter(([, n]) => typeof n === 'number').map(([name, n]) => [n as number, name]));
const MNEMONIC_NAMES = new Map(Object.entries(Mnemonic).filter(([, n]) => typeof n === 'number').map(([name, n]) => [n as number, name.toLowerCase()]));
/** r8b r8w r8d are iced's r8l r8w r8d. */
const registerName = (n: number): string => (REGISTER_NAMES.get(n) as string).replace(/^(r\d+)l$/, '$1b');

export function decode(bytes: Uint8Array, bits: 16 | 32 | 64, ip = 0n): Decoded {
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  decoder.ip = ip;
  const x = decoder.decode();
  const operands: string[] = [];
  for (let n = 0; n < x.opCount; n++) operands.push(operandText(x, n, bits));
  const result = { mnemonic: MNEMONIC_NAMES.get(x.mnemonic) as string, length: x.length, operands, lock: x.hasLockPrefix, repeat: x.hasRepnePrefix ? 'repne' : x.hasRepPrefix ? 'rep' : '', code: CODE_NAMES.get(x.code) as string };
  x.free();
  decoder.free();
  return result;
}

function operandText(x: Instruction, n: number, bits: 16 | 32 | 64): string {
  const kind = x.opKind(n);
  switch (kind) {
    case OpKind.Register: return registerName(x.opRegister(n));
    case OpKind.NearBranch16: case OpKind.NearBranch32: case OpKind.NearBranch64: return `-> ${x.nearBranchTarget}`;
    case OpKind.FarBranch16: return `${x.farBranchSelector}:${x.farBranch16}`;
    case OpKind.FarBranch32: return `${x.farBranchSelector}:${x.farBranch32}`;
    case OpKind.Memory: {
      const override = x.segmentPrefix === Register.None ? '' : `${registerName(x.segmentPrefix)}: `;
      const name = (register: Register): string => register === Register.None ? '' : registerName(register);
      return memoryText(override, name(x.memoryBase), name(x.memoryIndex), x.memoryIndexScale, x.memoryDisplacement, bits);
    }
    case OpKind.Immediate8: case OpKind.Immediate8_2nd: case OpKind.Immediate16: case OpKind.Immediate32: case OpKind.Immediate64:
    case OpKind.Immediate8to16: case OpKind.Immediate8to32: case OpKind.Immediate8to64: case OpKind.Immediate32to64: return `${BigInt.asUintN(64, x.immediate(n))}`;
    default: return `implicit ${OpKind[kind]}`;
  }
}
/** A displacement beside a register has 32 bits, or 16 beside a 16-bit one; alone in 64-bit code it may be the 64 bits of a moffs. */
const memoryText = (override: string, base: string, index: string, scale: number, displacement: bigint, bits: 16 | 32 | 64): string =>
  `[${override}${base} + ${index === '' ? '' : `${index}*${scale}`} + ${BigInt.asUintN(base + index === '' ? Math.max(bits, 32) : /^(b[xp]|[sd]i)/.test(base + index) ? 16 : 32, displacement)}]`;

/** The text that `decode` gives for an operand that was encoded well. `width`: of the immediate's operation. */
export function expectedText(x: OperandValue, bits: 16 | 32 | 64, immediateWidth: number): string {
  if (x instanceof Memory) {
    return memoryText(x.segment ? `${x.segment.name}: ` : '', x.base?.name ?? '', (x.index ?? x.vectorIndex)?.name ?? '', x.index ?? x.vectorIndex ? x.scale : 1, x.displacement, bits);
  }
  if (typeof x === 'number' || typeof x === 'bigint') return `${BigInt.asUintN(immediateWidth, BigInt(x))}`;
  if (typeof x === 'object' && x.kind === 'far-pointer') return `${x.selector}:${String(x.offset)}`;
  if (typeof x === 'object' && 'name' in x && x.kind !== 'label') return x.name;
  throw new Error('no expectation for this operand');
}

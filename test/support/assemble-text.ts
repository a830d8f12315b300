/** One instruction in Intel syntax to bytes, through the project's assembler: `lock add qword ptr [rdi+rcx*8-16], rax`. */
import { assemble, at, byte, dword, label, qword, scaled, word, xmmword, ymmword, type Memory } from '../../src/assembler/index.ts';
import type { GeneralRegister, SegmentRegister } from '../../src/assembler/operands.ts';
import * as registers from '../../src/assembler/registers.ts';

const REGISTERS = new Map(Object.entries(registers)) as ReadonlyMap<string, GeneralRegister>;
const SEGMENTS = new Map(Object.entries(registers)) as unknown as ReadonlyMap<string, SegmentRegister>;
const PREFIXES: Readonly<Record<string, number>> = { lock: 0xf0, rep: 0xf3, repe: 0xf3, repne: 0xf2 };
const SIZES: Readonly<Record<string, typeof at>> = { byte, word, dword, qword, xmmword, ymmword } as unknown as Record<string, typeof at>;
/** Where the label `target` stands, behind the instruction. */
const TARGET_DISTANCE = 0x40;

const integer = (text: string): bigint => (text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text));
function register(name: string): GeneralRegister<64> {
  const found = REGISTERS.get(name);
  if (!found) throw new Error(`there is no register ${name}`);
  return found as GeneralRegister<64>;
}

function parseMemory(size: string | undefined, segment: string | undefined, inside: string): Memory {
  const terms = inside.replaceAll('-', '+-').split('+').map((term) => {
    const [name = '', scale] = term.split('*');
    if (scale !== undefined) return scaled(register(name), Number(scale) as 1 | 2 | 4 | 8);
    return /^-?\d/.test(name) ? integer(name) : register(name);
  });
  const operand = (size === undefined ? at : SIZES[size] ?? at)(...terms as [GeneralRegister<64>, bigint]);
  return segment === undefined ? operand : operand.in(SEGMENTS.get(segment) as SegmentRegister);
}

function parseOperand(text: string): unknown {
  const memory = /^(?:(\w+) ptr )?\[(?:(\w\w):)?([^\]]+)\]$/.exec(text);
  if (memory) return parseMemory(memory[1], memory[2], memory[3] as string);
  return REGISTERS.get(text) ?? (/^-?\d/.test(text) ? integer(text) : label(text));
}

/** The bytes of the instruction when it stands at `origin`. A branch to `target` goes 64 bytes behind its end. Throws AssembleError. */
export function assembleText(text: string, bits: 32 | 64, origin: bigint): Uint8Array {
  const words = text.split(' ');
  const prefixes: number[] = [];
  for (let prefix = PREFIXES[words[0] as string]; prefix !== undefined; prefix = PREFIXES[words[0] as string]) {
    prefixes.push(prefix);
    words.shift();
  }
  const mnemonic = words.shift() as string;
  const operands = words.length === 0 ? [] : words.join(' ').split(', ').map(parseOperand);
  const { bytes, symbols } = assemble((a) => {
    a.section('.text', { flags: 'rx', align: 1 });
    const emit = (a as unknown as Record<string, ((...x: unknown[]) => void) | undefined>)[mnemonic];
    if (emit === undefined) throw new Error(`the assembler has no ${mnemonic}`);
    emit.apply(a, operands);
    a.label('end');
    a.fill(TARGET_DISTANCE, 0xcc);
    a.label('target');
  }, { origin, bits });
  const length = Number((symbols.get('end') as { linear: bigint }).linear - origin);
  return Uint8Array.from([...prefixes, ...bytes.subarray(0, length)]);
}

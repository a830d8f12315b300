/** The independent second opinion: iced-x86, with the text options that describe/format.ts follows. */
import { Decoder, DecoderOptions, Formatter, FormatterSyntax, MemorySizeOptions } from 'iced-x86';

const formatter = new Formatter(FormatterSyntax.Intel);
formatter.hexPrefix = '0x';
formatter.hexSuffix = '';
formatter.uppercaseHex = false;
formatter.spaceAfterOperandSeparator = true;
formatter.memorySizeOptions = MemorySizeOptions.Always;
formatter.showBranchSize = false;
formatter.branchLeadingZeros = false;
formatter.addLeadingZeroToHexNumbers = false;
formatter.usePseudoOps = false;

/** Spellings that mean the same: iced shows prefixes that change nothing, far pointers the other way round, shortens IMUL and FADDP, leaves out a mask in XMM0, and writes out the top of the x87 stack. */
export const canonical = (text: string): string => text
  .replace(/^((data16|data32|data64|addr16|addr32|bnd|notrack|hint-taken|hint-not-taken|xacquire|xrelease|es|cs|ss|ds|fs|gs) )+/, '')
  .replace(/^(?:rep|repe|repne) (ret\b)/, '$1')
  .replace(/^(lock )(xacquire |xrelease )/, '$1')
  .replace(/ far (\w+), (\w+)$/, ' far $2:$1')
  .replace(/^xchg (\w+), (\w+)$/, (_all, a: string, b: string) => `xchg ${[a, b].sort().join(', ')}`)
  .replace(/^xchg (ax, ax|eax, eax|rax, rax)$/, 'nop')
  .replace(/^imul (\w+), \1, /, 'imul $1, ')
  .replace(/^(fld|fxch|fu?comp?) st, (st\(\d\))$/, '$1 $2')
  .replace(/^(fst|fstp|fstpnce) (st\(\d\)), st$/, '$1 $2')
  .replace(/^((?:p?blendv\w+|sha256rnds2) [^,]+, [^,]+), xmm0$/, '$1')
  .replace(/ fpu(?:env|state)\d+ ptr /, ' ')
  .replace(/^(f\w+) st, (.* ptr .*)$/, '$1 $2')
  .replace(/^(f\w+) (.* ptr .*), st$/, '$1 $2')
  .replace(/^(f(?:add|mul|subr?|divr?)p)$/, '$1 st(1), st')
  .replace(/^(fxch|fu?comp?)$/, '$1 st(1)');

export class IcedInstruction {
  readonly length: number;
  readonly #written: string;
  constructor(length: number, written: string) {
    this.length = length;
    this.#written = written;
  }
  /** As iced writes it, in our spelling. */
  get text(): string { return canonical(this.#written); }
  /** Whether a text of ours means the same. Most are the same, and need not be spelled anew. */
  isWritten(text: string): boolean { return text === this.#written || canonical(text) === this.text; }
}

/** What iced makes of the bytes, or undefined if it says that they are no instruction of an Intel processor. */
export function icedDecode(bytes: Uint8Array, bitness: 16 | 32 | 64, ip: bigint): IcedInstruction | undefined {
  const decoder = new Decoder(bitness, bytes, DecoderOptions.None);
  decoder.ip = ip;
  const i = decoder.decode();
  const result = i.isInvalid ? undefined : new IcedInstruction(i.length, formatter.format(i));
  i.free();
  decoder.free();
  return result;
}

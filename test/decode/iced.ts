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

export interface IcedInstruction { readonly length: number; readonly text: string }

/** What iced makes of the bytes, or undefined if it says that they are no instruction of an Intel processor. */
export function icedDecode(bytes: Uint8Array, bitness: 32 | 64, ip: bigint): IcedInstruction | undefined {
  const decoder = new Decoder(bitness, bytes, DecoderOptions.None);
  decoder.ip = ip;
  const i = decoder.decode();
  const result = i.isInvalid ? undefined : { length: i.length, text: formatter.format(i) };
  i.free();
  decoder.free();
  return result;
}

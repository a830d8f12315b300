/** The assembler's public face. */
export { assemble, flatten, type Assembled } from './assemble.ts';
export { Assembler, type AssemblerOptions, type DataItem } from './assembler.ts';
export { AssembleError, type SourceLocation } from './error.ts';
export type { Image, ImageLine, ImageSection, ImageSymbol, SectionFlags } from './image.ts';
export type { Instructions } from './instruction-types.ts';
export {
  at, byte, dword, far, far16, far32, far64, imm, label, LabelReference, Memory, operandText, qword, rel, scaled, tbyte, word, xmmword, ymmword,
  type FarPointer, type FpuRegister, type GeneralRegister, type Immediate, type MmxRegister, type OperandValue, type SegmentRegister, type SpecialRegister, type Target, type XmmRegister,
} from './operands.ts';
export * from './registers.ts';
export type { FunctionOptions, SectionOptions } from './section.ts';
export type { ResolveLocation } from './source-location.ts';
export { writeElf, type ElfOptions } from './elf.ts';
export { listing } from './listing.ts';

import type { Segment } from '../../state/layout.ts';
import type { AddressWidth, Operand, Width } from './operand.ts';
import type { Row } from './row.ts';

/** How wide code is by default, in bits. */
export type CodeSize = 16 | 32 | 64;

/** What the decoder needs to know of the machine's mode: CS.L / CS.D and SS.B. SDM Vol. 1, "Operand-Size and Address-Size Attributes". */
export interface Mode {
  /** Default code size: 64 in 64-bit mode; 32 or 16 by CS.D elsewhere. */
  readonly codeSize: CodeSize;
  /** Width of the stack pointer: 64 in 64-bit mode; 32 or 16 by SS.B elsewhere. */
  readonly stackSize: 16 | 32 | 64;
  /** Real-address and virtual-8086 mode: C4 and C5 are LES and LDS, whatever follows. SDM Vol. 2A, "VEX Prefix". */
  readonly withoutVex?: true;
}
export const MODE_64: Mode = { codeSize: 64, stackSize: 64 };
export const MODE_32: Mode = { codeSize: 32, stackSize: 32 };
/** Real-address mode, virtual-8086 mode, and 16-bit protected mode on a 16-bit stack. */
export const MODE_16: Mode = { codeSize: 16, stackSize: 16 };

const USUAL_MODES = { 16: MODE_16, 32: MODE_32, 64: MODE_64 } as const;
/** The mode of code of this size on a stack of the same size. */
export const modeOf = (codeSize: CodeSize): Mode => USUAL_MODES[codeSize];

/**
 * One decoded instruction. It does not know its address: branch targets are relative, RIP-relative operands keep
 * their displacement, so one decoded page serves every address space that maps it.
 */
export interface Instruction {
  readonly row: Row;
  readonly mnemonic: string;
  readonly mode: Mode;
  /** Operation width in bits. */
  readonly width: Width;
  readonly addressWidth: AddressWidth;
  readonly operands: readonly Operand[];
  /** Condition code, the manual's tttn field (Jcc SETcc CMOVcc); 0 elsewhere. */
  readonly condition: number;
  readonly lock: boolean;
  readonly repeat: 'none' | 'rep' | 'repne';
  /** Segment-override prefix in effect, for implicit memory operands (string instructions, XLAT). */
  readonly segmentOverride: Segment | undefined;
  /** Length in bytes, 1-15. */
  readonly length: number;
}

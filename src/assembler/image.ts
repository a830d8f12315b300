/** A linked program: what is where in memory, what it is called, and which source line wrote it. */
import type { LinearAddress, PhysicalAddress } from '../state/addresses.ts';
import type { CodeSize } from '../cpu/isa/instruction.ts';
import type { SourceLocation } from './error.ts';

export interface SectionFlags { readonly read: boolean; readonly write: boolean; readonly execute: boolean }

export interface ImageSection {
  readonly name: string;
  readonly flags: SectionFlags;
  /** Where it is loaded. */
  readonly physical: PhysicalAddress;
  /** Where its code expects to run. */
  readonly linear: LinearAddress;
  /** Size in memory, in bytes. */
  readonly size: number;
  /** Its contents; empty for a section of zeroes such as .bss. */
  readonly bytes: Uint8Array;
}

export interface ImageSymbol {
  readonly name: string;
  readonly kind: 'label' | 'function' | 'object';
  /** A name such as `pmm_alloc.loop`: local to the label before the dot. */
  readonly local: boolean;
  readonly section: string;
  readonly linear: LinearAddress;
  readonly physical: PhysicalAddress;
  /** In bytes; 0 for a plain label. */
  readonly size: number;
  /** Of a function that an interrupt leads to: as in FunctionOptions. */
  readonly interruptFrameAt?: number;
}

/** One statement of the program: an instruction, or data. */
export interface ImageLine {
  readonly kind: 'instruction' | 'data';
  readonly section: string;
  readonly linear: LinearAddress;
  /** In bytes. */
  readonly size: number;
  /** Of data: bytes of an item; undefined: of what was given as raw bytes. */
  readonly unit?: 1 | 2 | 4 | 8;
  /** The code size in force: how the bytes decode. */
  readonly bits: CodeSize;
  readonly source: SourceLocation;
}

export interface Image {
  readonly sections: readonly ImageSection[];
  readonly symbols: ReadonlyMap<string, ImageSymbol>;
  /** In the order of the program's sections and addresses. */
  readonly lines: readonly ImageLine[];
  readonly entry: ImageSymbol | undefined;
}

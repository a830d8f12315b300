/** What a program consists of before it is linked: sections of fragments. */
import type { CodeSize } from '../cpu/isa/instruction.ts';
import type { Encoded } from './encode.ts';
import type { SectionFlags } from './image.ts';
import type { CallSite } from './source-location.ts';

export type Fragment =
  /** Encodings of one instruction or of data, shortest first; the linker takes the first whose fields can hold the addresses. */
  | { readonly kind: 'code'; readonly content: 'instruction' | 'data'; readonly bits: CodeSize; readonly choices: readonly Encoded[]; readonly site: CallSite; readonly text: string; readonly unit?: 1 | 2 | 4 | 8 }
  | { readonly kind: 'align'; readonly boundary: number; readonly filler: number; readonly site: CallSite }
  | { readonly kind: 'space'; readonly bytes: number }
  | { readonly kind: 'label'; readonly symbol: SymbolDefinition }
  | { readonly kind: 'end'; readonly symbol: SymbolDefinition };

export interface SymbolDefinition {
  readonly name: string;
  readonly kind: 'label' | 'function' | 'object';
  readonly local: boolean;
  readonly site: CallSite;
  readonly interruptFrameAt?: number;
}

export interface FunctionOptions {
  /**
   * An interrupt or exception leads here: where the frame that the processor pushes begins (its RIP), in bytes above RSP at entry, behind an error code and
   * what was pushed before the jump here. For backtraces.
   */
  readonly interruptFrameAt?: number;
}

export interface SectionOptions {
  /** Letters of `rwx`. Known names (.text .rodata .data .bss .boot) have their own. */
  readonly flags?: string;
  /** Linear address minus physical address. Default: the program's virtualBase; 0 for .boot, which runs before paging. */
  readonly virtualOffset?: bigint;
  /** Alignment of the section's start, in bytes. Default 4096, so that pages can have each section's own protection. */
  readonly align?: number;
  /** Zeroes that take no room in the file. Default: .bss only. */
  readonly zero?: boolean;
}

export interface Section {
  readonly name: string;
  readonly flags: SectionFlags;
  readonly zero: boolean;
  readonly virtualOffset: bigint;
  readonly align: number;
  readonly fragments: Fragment[];
}

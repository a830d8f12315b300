/** What a block of guest code is: instructions of one page that follow each other, up to one that leads elsewhere or that the reference engine executes. */
import type { Instruction, Mode } from '../../isa/instruction.ts';
import { accessesPort } from '../emit/port-ops.ts';
import type { KnownInstructions } from './known-instructions.ts';

/** The instructions of a block, in order, and why it ends. */
export interface DecodedBlock {
  readonly instructions: readonly Instruction[];
  /** Their bytes, as they are at the moment. */
  readonly bytes: Uint8Array;
  /** It ends with an instruction that ends blocks; otherwise it goes on at the next address (which may not be decodable, or lie in the next page). */
  readonly branches: boolean;
  /** The block is one instruction that reaches into the next page: that page, and the frame where its other bytes were found. */
  readonly crossing: Crossing | undefined;
  /** The instruction behind them, where that is a system instruction: it lies in the page, too. */
  readonly system: Instruction | undefined;
  /** The first instruction reaches into a page whose frame is not known without a walk. */
  readonly unknownPage: boolean;
}
/** How a walk through a block ended: before the instruction at `at` in the page. The rest as in DecodedBlock. */
export interface BlockEnding extends Pick<DecodedBlock, 'branches' | 'system'> { readonly at: number }
export interface Crossing { readonly page: bigint; readonly frame: number }

/** Whoever knows the code of frames. */
export interface BlockSource {
  /** Decodes at most `most` instructions from an address in a frame, up to the first that ends a block or is not wholly in the page. */
  decode(frame: number, ip: bigint, mode: Mode, most: number): DecodedBlock;
  /**
   * Goes through the instructions of such a block: `take` gets each with its place in the page, and says whether it is to go on behind it. Where `copy` is given, it takes each that has a record in `known`,
   * gets its slot there, and says the same.
   */
  walk(frame: number, ip: bigint, mode: Mode, most: number, take: (i: Instruction, at: number) => boolean, copy?: (slot: number, at: number) => boolean): BlockEnding;
  readonly known: KnownInstructions;
  /** The instruction at an address near the end of a page, with its bytes from the next; undefined where there is none that may be generated. */
  decodeAcross(frame: number, ip: bigint, mode: Mode): DecodedBlock | undefined;
}

const BRANCHES = new Set(['JMP', 'CALL', 'RET', 'Jcc', 'JCXZ', 'JECXZ', 'JRCXZ', 'LOOP', 'LOOPE', 'LOOPNE']);
/** Branches, repeated instructions, and those that a device may answer. */
export const endsBlock = (i: Instruction): boolean => i.repeat !== 'none' || BRANCHES.has(i.mnemonic) || accessesPort(i);

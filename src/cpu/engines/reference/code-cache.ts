/**
 * Decoded instructions, kept by physical frame, offset in the frame and mode. A store into its code drops exactly that
 * frame. Instructions that cross into another page are never kept, so no entry depends on a second frame.
 */
import type { PhysicalMemory } from '../../../mmu/physical-memory.ts';
import type { Instruction, Mode } from '../../isa/instruction.ts';

/** What is decoded of one frame in one mode, by offset. */
export interface DecodedPage {
  readonly frame: number;
  readonly mode: Mode;
  readonly instructions: Map<number, Instruction>;
}

/** The guest decides how much of its memory it runs: past these everything is dropped and begun again. An instruction takes about 400 bytes. */
const MAX_PAGES = 2048;
const MAX_INSTRUCTIONS = 50_000;

export class CodeCache {
  readonly #memory: PhysicalMemory;
  readonly #onDrop: () => void;
  #frames = new Map<number, DecodedPage[]>();
  #pages = 0;
  #instructions = 0;

  /** `onDrop` is called whenever a page that was handed out is no longer valid. */
  constructor(memory: PhysicalMemory, onDrop: () => void) {
    this.#memory = memory;
    this.#onDrop = onDrop;
    memory.onCodeWritten((frame) => {
      const pages = this.#frames.get(frame);
      if (pages === undefined) return;
      this.#frames.delete(frame);
      this.#pages -= pages.length;
      for (const page of pages) this.#instructions -= page.instructions.size;
      this.#onDrop();
    });
  }

  /** The page of a frame, made if need be; undefined if the frame is not RAM, whose code must not be kept. */
  page(frame: number, mode: Mode): DecodedPage | undefined {
    const known = this.#frames.get(frame);
    const found = known?.find((page) => page.mode === mode);
    if (found !== undefined) return found;
    if (this.#pages >= MAX_PAGES) this.clear();
    if (!this.#memory.isRamFrame(frame)) return undefined;
    const page: DecodedPage = { frame, mode, instructions: new Map() };
    const pages = this.#frames.get(frame);
    if (pages === undefined) this.#frames.set(frame, [page]);
    else pages.push(page);
    this.#pages++;
    return page;
  }

  /** Keeps an instruction that lies wholly in the page. */
  keep(page: DecodedPage, offset: number, i: Instruction): void {
    if (this.#instructions >= MAX_INSTRUCTIONS) { this.clear(); return; }
    if (!page.instructions.has(offset)) this.#instructions++;
    page.instructions.set(offset, i);
    this.#memory.markCode(page.frame, offset, offset + i.length - 1);
  }

  /** Drops everything: after memory changed behind PhysicalMemory's back, or its map did. */
  clear(): void {
    this.#frames = new Map();
    this.#pages = 0;
    this.#instructions = 0;
    this.#onDrop();
  }
}

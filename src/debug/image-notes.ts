/** What an image says of itself to debuggers: read when it is asked for first, for most runs never need it, and the line table of a Linux is long. */
import { descriptionOf, type Description } from './kernel-memory.ts';
import { readSourceLines, SourceLines } from './source-lines.ts';

export class ImageNotes {
  readonly #read: () => Uint8Array;
  #lines: SourceLines | undefined;
  #description: Description | undefined;

  /** `read`: the file; an Error that it throws is what is said instead. */
  constructor(read: () => Uint8Array = () => new Uint8Array(0)) { this.#read = read; }

  /** The line table. */
  get lines(): SourceLines { return this.#lines ??= this.#of(readSourceLines, (problem) => new SourceLines([], problem)); }
  /** What the kernel's own memory looks like. */
  get description(): Description { return this.#description ??= this.#of(descriptionOf, (problem) => ({ problem })); }

  #of<T>(from: (image: Uint8Array) => T, without: (problem: string) => T): T {
    let image: Uint8Array;
    try {
      image = this.#read();
    } catch (error) {
      return without((error as Error).message);
    }
    return from(image);
  }
}

/** The shortest way from instructions to bytes. */
import { Assembler, type AssemblerOptions } from './assembler.ts';
import type { Image, ImageSymbol } from './image.ts';

/** Bytes of a flat program, loaded at the origin, and its labels. */
export interface Assembled { readonly bytes: Uint8Array; readonly symbols: ReadonlyMap<string, ImageSymbol> }

/**
 * Assembles what `program` emits: `assemble((a) => { a.mov(rax, 1); a.hlt(); }, { bits: 64, origin: 0x1000 })`.
 * Throws AssembleError, whose one line names the source location.
 */
export function assemble(program: (a: Assembler) => void, options: AssemblerOptions = {}): Assembled {
  const a = new Assembler(options);
  program(a);
  const image = a.link();
  return { bytes: flatten(image), symbols: image.symbols };
}

/** An image as the bytes that are loaded at its lowest physical address; zero sections at the end are left out. */
export function flatten(image: Image): Uint8Array {
  const loaded = image.sections.filter((x) => x.bytes.length > 0);
  const start = Math.min(...loaded.map((x) => x.physical));
  const bytes = new Uint8Array(Math.max(0, ...loaded.map((x) => x.physical - start + x.bytes.length)));
  for (const x of loaded) bytes.set(x.bytes, x.physical - start);
  return bytes;
}

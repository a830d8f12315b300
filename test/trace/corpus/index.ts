/** The programs of the corpus. Their traces are in test/golden/qemu; tools/record-traces.ts writes them. */
import { paging57Body, pagingBody } from './paging.ts';
import { paging32Body } from './paging-32.ts';
import { rowsBody } from './rows.ts';
import { systemBody } from './system.ts';
import { system32Body } from './system-32.ts';
import { inWorld32 } from './world-32.ts';
import { corpusImage } from './world.ts';

export interface CorpusProgram {
  readonly name: string;
  /** In words: what it exercises. */
  readonly says: string;
  image(): Uint8Array;
  /** Memory is compared only at the end, because QEMU writes what the program tidies up; the program says what. */
  readonly noCheckpoints?: true;
}

export const CORPUS_MEMORY = 16 * 2 ** 20;
/** Instructions of each row. */
const INSTANCES = 6;

export const CORPUS: readonly CorpusProgram[] = [
  { name: 'rows-64', says: 'every ordinary row in 64-bit mode', image: () => corpusImage(64, rowsBody(64, 0x64, INSTANCES)) },
  { name: 'rows-32', says: 'every ordinary row in 32-bit protected mode', image: () => corpusImage(32, rowsBody(32, 0x32, INSTANCES)) },
  { name: 'system-64', says: 'system instructions, privilege levels, mode changes and exceptions in IA-32e mode', image: () => corpusImage(64, systemBody) },
  { name: 'system-32', says: 'segments, gates, privilege levels and exceptions in 32-bit protected mode', image: () => corpusImage(32, inWorld32(system32Body)) },
  { name: 'paging-64', says: 'every cause of a page fault in 4-level paging', image: () => corpusImage(64, pagingBody) },
  { name: 'paging-57', says: 'the same in 5-level paging', image: () => corpusImage(64, paging57Body, 5) },
  { name: 'paging-32', says: 'every cause of a page fault in 32-bit and PAE paging', image: () => corpusImage(32, inWorld32(paging32Body)), noCheckpoints: true },
];

/** The programs of the corpus. Their traces are in test/golden/qemu; tools/record-traces.ts writes them. */
import { pagingBody } from './paging.ts';
import { rowsBody } from './rows.ts';
import { systemBody } from './system.ts';
import { corpusImage } from './world.ts';

export interface CorpusProgram {
  readonly name: string;
  /** In words: what it exercises. */
  readonly says: string;
  image(): Uint8Array;
}

export const CORPUS_MEMORY = 16 * 2 ** 20;
/** Instructions of each row. */
const INSTANCES = 6;

export const CORPUS: readonly CorpusProgram[] = [
  { name: 'rows-64', says: 'every ordinary row in 64-bit mode', image: () => corpusImage(64, rowsBody(64, 0x64, INSTANCES)) },
  { name: 'rows-32', says: 'every ordinary row in 32-bit protected mode', image: () => corpusImage(32, rowsBody(32, 0x32, INSTANCES)) },
  { name: 'system-64', says: 'system instructions, privilege levels, mode changes and exceptions in IA-32e mode', image: () => corpusImage(64, systemBody) },
  { name: 'paging-64', says: 'every cause of a page fault in 4-level paging', image: () => corpusImage(64, pagingBody) },
];

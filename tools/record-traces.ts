/**
 * Records the corpus of test/trace/corpus on QEMU into test/golden/qemu/*.trace, which `npm test` replays without QEMU.
 * Run it after a change of the table or of a program: `node tools/record-traces.ts [NAME...]` (Node 24; needs QEMU).
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVERY_FEATURE } from '../src/cpu/models.ts';
import { planBoot } from '../src/machine/boot/index.ts';
import { recordTrace } from '../src/trace/trace-file.ts';
import { CORPUS, CORPUS_MEMORY } from '../test/trace/corpus/index.ts';

const GOLDEN = new URL('../test/golden/qemu/', import.meta.url).pathname;

/** Records the programs with these names; all of them when there are none. */
export async function recordCorpus(names: readonly string[]): Promise<void> {
  mkdirSync(GOLDEN, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), 'longmode-corpus-'));
  try {
    for (const program of CORPUS) {
      if (names.length > 0 && !names.includes(program.name)) continue;
      const bytes = program.image();
      const image = join(folder, `${program.name}.elf`);
      writeFileSync(image, bytes);
      const { entry } = planBoot(bytes, CORPUS_MEMORY);
      const { instructions, interrupts, fileBytes, recording } = await recordTrace({ image, entry, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE, includeImage: true, timeoutSeconds: 300, checkpointEvery: program.noCheckpoints ? Infinity : 5000 }, join(GOLDEN, `${program.name}.trace`));
      console.log(`${program.name}: ${instructions} instructions, ${interrupts} exceptions, ${fileBytes} bytes, ended: ${recording.end} ${recording.status ?? ''}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && process.argv[1].endsWith('record-traces.ts')) await recordCorpus(process.argv.slice(2));

/** With QEMU installed the corpus runs afresh, beside our processor. In CI it must be installed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EVERY_FEATURE } from '../../src/cpu/models.ts';
import { runLockstep } from '../../src/trace/lockstep.ts';
import { QemuError } from '../../src/trace/qemu-control.ts';
import { qemuVersion, recordQemu } from '../../src/trace/qemu-recorder.ts';
import { differenceReport, pageReport } from '../../src/trace/report.ts';
import { readTraceFile, recordTrace } from '../../src/trace/trace-file.ts';
import { replayLockstep } from '../../src/trace/lockstep.ts';
import { CORPUS, CORPUS_MEMORY } from './corpus/index.ts';
import { rowsBody } from './corpus/rows.ts';
import { corpusImage, EXIT_STATUS } from './corpus/world.ts';
import { BareBoard } from './support/bare-board.ts';

const installed = await qemuVersion().then(() => true, () => false);
const required = process.env['CI'] !== undefined;
const folder = mkdtempSync(join(tmpdir(), 'longmode-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A board of our own, and the image in a file for QEMU. */
function boardFor(name: string, image: Uint8Array): { board: BareBoard; file: string } {
  const file = join(folder, `${name}.elf`);
  writeFileSync(file, image);
  return { board: new BareBoard(image, CORPUS_MEMORY), file };
}

/** Runs a program on both; the text of what differs, or nothing. */
async function compare(name: string, image: Uint8Array): Promise<{ failure: string; status: number | undefined; compared: number }> {
  const { board, file } = boardFor(name, image);
  const { lockstep, pages, recording } = await runLockstep({ image: file, entry: board.entry, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE, timeoutSeconds: 100 }, board.stepper);
  const failure = lockstep.difference ? differenceReport(lockstep.difference, (place) => board.stepper.disassemble(place)) : pages && pages.length > 0 ? pageReport(pages) : '';
  expect(recording.status).toBe(board.status);
  return { failure, status: board.status, compared: lockstep.compared };
}

test('CI has a QEMU to compare with', () => {
  expect(installed || !required).toBe(true);
});

describe.runIf(installed || required)('beside a real QEMU', () => {
  test.each(CORPUS.map((program) => [program.name, program] as const))('%s runs the same on both', { timeout: 120_000 }, async (name, program) => {
    const { failure, status } = await compare(name, program.image());
    expect(failure).toBe('');
    expect(status).toBe(EXIT_STATUS);
  });

  test.each([64, 32] as const)('other instructions of every row of %s-bit code run the same on both', { timeout: 120_000 }, async (bits) => {
    const seed = Number(process.env['SEED'] ?? 2026);
    console.log(`rows of ${bits}-bit code: SEED=${seed}`);
    const { failure } = await compare(`seed-${bits}`, corpusImage(bits, rowsBody(bits, seed, 2)));
    expect(failure).toBe('');
  });

  test('a byte of memory that is wrong in passing is found at the next checkpoint, though the end of the run would not show it', { timeout: 120_000 }, async () => {
    const image = corpusImage(64, rowsBody(64, 3, 1));
    const { board, file } = boardFor('sabotage', image);
    board.afterInstruction(2000, () => { board.stepper.ram[0x50_0123] = 1; });
    board.afterInstruction(4000, () => { board.stepper.ram[0x50_0123] = 0; });
    const { lockstep } = await runLockstep({ image: file, entry: board.entry, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE, timeoutSeconds: 100 }, board.stepper, { checkpointEvery: 1000 });
    expect(lockstep.difference?.what).toMatch(/^memory differs; it was compared last (at the start|after 1\d\d\d instructions)$/);
    expect(lockstep.difference?.pages.map((page) => page.frame)).toEqual([0x500]);
    expect(lockstep.compared).toBeLessThan(4000);
    expect(differenceReport(lockstep.difference!, () => '')).toContain('memory differs at this checkpoint in 1 page');
  });

  test('memory is compared where the instruction limit ends a run', { timeout: 120_000 }, async () => {
    const image = corpusImage(64, rowsBody(64, 3, 1));
    for (const sabotaged of [false, true]) {
      const { board, file } = boardFor('limit', image);
      if (sabotaged) board.afterInstruction(1500, () => { board.stepper.ram[0x50_0123] = 1; });
      const { lockstep, pages, recording } = await runLockstep({ image: file, entry: board.entry, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE, timeoutSeconds: 100 }, board.stepper, { maxInstructions: 2000 });
      expect(recording.end).toBe('limit');
      expect(lockstep.compared).toBe(2000);
      expect(lockstep.checkpoints).toBe(1);
      expect(pages).toEqual(sabotaged ? undefined : []);
      expect(lockstep.difference?.pages.map((page) => page.frame)).toEqual(sabotaged ? [0x500] : undefined);
    }
  });

  test('a run recorded to a file compares equal when it is read back', { timeout: 120_000 }, async () => {
    const image = corpusImage(64, rowsBody(64, 7, 1).subarray(0, 0));
    const file = join(folder, 'short.elf'), trace = join(folder, 'short.trace');
    writeFileSync(file, image);
    const board = new BareBoard(image, CORPUS_MEMORY);
    const { instructions } = await recordTrace({ image: file, entry: board.entry, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE, includeImage: true }, trace);
    const read = readTraceFile(trace);
    expect(Buffer.compare(read.image, readFileSync(file))).toBe(0);
    const { lockstep, pages } = replayLockstep(read, board.stepper);
    expect(lockstep.difference).toBeUndefined();
    expect(pages).toEqual([]);
    expect(lockstep.compared).toBe(instructions);
  });

  test('an image that the firmware never enters is an error that says so', { timeout: 60_000 }, async () => {
    const file = join(folder, 'nonsense.elf');
    writeFileSync(file, 'no image');
    const sink = { finished: false, instruction: () => undefined, interrupt: () => undefined };
    await expect(recordQemu({ image: file, entry: 0x100000, memoryBytes: CORPUS_MEMORY, cpu: EVERY_FEATURE }, sink)).rejects.toThrow(QemuError);
  });
});

test('a QEMU that is not there is named', async () => {
  await expect(qemuVersion('/nonexistent/qemu')).rejects.toThrow('/nonexistent/qemu is not installed');
});

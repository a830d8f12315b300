/** What QEMU did, recorded: our processor does the same, instruction by instruction, without QEMU being there. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import type { Row } from '../../src/cpu/isa/row.ts';
import { replayLockstep } from '../../src/trace/lockstep.ts';
import { differenceReport, pageReport } from '../../src/trace/report.ts';
import { TraceState } from '../../src/trace/state.ts';
import { codePlace } from '../../src/trace/stepper.ts';
import { readTraceFile } from '../../src/trace/trace-file.ts';
import { Score } from '../support/conformance/score.ts';
import { nameOfRow as nameOf } from '../support/row-name.ts';
import { CORPUS } from './corpus/index.ts';
import { NOT_RAISED, type Raised } from './corpus/not-raised.ts';
import { NOT_RECORDED } from './corpus/not-recorded.ts';
import { rowsFor } from './corpus/rows.ts';
import { BareBoard } from './support/bare-board.ts';

const GOLDEN = new URL('../golden/qemu/', import.meta.url).pathname;
const files = readdirSync(GOLDEN).filter((name) => name.endsWith('.trace')).sort();
const executed = new Map<string, Set<string>>();
const raised: Raised[] = [];
const score = new Score('traces');

/** Replays a recording; the rows of all instructions that were executed are noted. */
function replay(file: string): { failure: string; status: number | undefined; recorded: number | null; instructions: number } {
  const trace = readTraceFile(`${GOLDEN}${file}`);
  const board = new BareBoard(trace.image, trace.header.memoryBytes);
  const rows: Row[] = [];
  const { stepper, cpu } = board;
  const now = new TraceState();
  const execute = stepper.execute.bind(stepper);
  stepper.execute = () => {
    stepper.read(now);
    const instruction = stepper.instructionAt(codePlace(now));
    if (!instruction) return execute();
    rows.push(instruction.row);
    const { cpl } = cpu.state, wide = cpu.in64BitMode;
    const move = execute();
    for (const { vector } of move.deliveries) raised.push({ vector, instruction, cpl, wide });
    return move;
  };
  const { lockstep, pages } = replayLockstep(trace, stepper);
  const failure = lockstep.difference ? differenceReport(lockstep.difference, (place) => stepper.disassemble(place)) : pages && pages.length > 0 ? pageReport(pages) : '';
  executed.set(file.replace('.trace', ''), new Set(rows.map(nameOf)));
  // A replay ends at the first instruction that leaves something else than the recording has.
  rows.forEach((row, n) => { score.note(row, 'reference', failure === '' || n < rows.length - 1); });
  return { failure, status: board.status, recorded: trace.end.status, instructions: lockstep.compared };
}

test.each(files)('%s names its image without the folder in which it was recorded', (file) => {
  const { commandLine } = readTraceFile(`${GOLDEN}${file}`).header;
  expect(commandLine[commandLine.indexOf('-kernel') + 1]).toBe(file.replace('.trace', '.elf'));
});

describe('a recorded run is repeated with equal registers at every instruction and equal memory at the end', () => {
  test.each(files)('%s', (file) => {
    const { failure, status, recorded, instructions } = replay(file);
    expect(failure).toBe('');
    expect(status ?? null).toBe(recorded);
    expect(instructions).toBeGreaterThan(100);
  });

  score.isCounted();

  test('every program of the corpus is recorded', () => {
    expect(files.map((file) => file.replace('.trace', ''))).toEqual(CORPUS.map((program) => program.name).sort());
  });

  test.each([64, 32] as const)('every row that generated %s-bit code can run is executed in a recording', (bits) => {
    const rows = executed.get(`rows-${bits}`) ?? new Set();
    const missing = rowsFor(bits).map(nameOf).filter((name) => !rows.has(name));
    expect(missing, 'record again: node tools/record-traces.ts').toEqual([]);
    expect(ROWS.length).toBeGreaterThan(rows.size);
  });

  test('every row of the table is executed in a recording, or says why not and what judges it instead', () => {
    const all = new Set([...executed.values()].flatMap((rows) => [...rows]));
    expect(ROWS.map(nameOf).filter((name) => !all.has(name) && NOT_RECORDED[name] === undefined)).toEqual([]);
    expect(Object.keys(NOT_RECORDED).filter((name) => all.has(name) || !ROWS.some((row) => nameOf(row) === name)), 'recorded after all, or no row').toEqual([]);
  });

  test.each(NOT_RAISED)('what QEMU does not raise is in no recording and has tests of its own: $cause', ({ isIt, judgedBy }) => {
    expect(raised.length).toBeGreaterThan(1000);
    expect(raised.filter(isIt).map((r) => `vector ${r.vector} of ${nameOf(r.instruction.row)} at CPL ${r.cpl}`)).toEqual([]);
    for (const [file, titles] of Object.entries(judgedBy)) {
      const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
      expect(titles.filter((title) => !text.includes(title)), `no such test in ${file}`).toEqual([]);
    }
  });
});

/** The comparison itself: what is wrong is found, at the instruction where it happens. */
import { describe, expect, test } from 'vitest';
import { replayLockstep, type LockstepResult } from '../../src/trace/lockstep.ts';
import { differenceReport, forgivenReport, successLine } from '../../src/trace/report.ts';
import { readTraceFile } from '../../src/trace/trace-file.ts';
import type { CompareOptions } from '../../src/trace/compare.ts';
import { FIELD } from '../../src/trace/state.ts';
import { BareBoard } from './support/bare-board.ts';

const trace = readTraceFile(new URL('../golden/qemu/system-64.trace', import.meta.url).pathname);

/** Replays with a board that `sabotage` has changed; it is called after instruction number `at`. */
function replay(at = Infinity, sabotage: (board: BareBoard) => void = () => undefined, options: Omit<CompareOptions, 'initialPages'> = {}): LockstepResult & { board: BareBoard } {
  const board = new BareBoard(trace.image, trace.header.memoryBytes);
  board.afterInstruction(at, () => sabotage(board));
  return { ...replayLockstep(trace, board.stepper, options), board };
}

describe('a run that is not QEMU’s', () => {
  test('is stopped at the instruction that set a register wrong', () => {
    const { lockstep, board } = replay(1000, ({ cpu }) => { cpu.state.gpr[13]! ^= 1n; });
    expect(lockstep.compared).toBe(999);
    expect(lockstep.difference?.words).toEqual([13]);
    const report = differenceReport(lockstep.difference!, (place) => board.stepper.disassemble(place));
    expect(report).toMatch(/^difference after 999 equal instructions: the states differ\n/);
    expect(report).toMatch(/^ {2}\* R13 +[0-9a-f]{16} {2}[0-9a-f]{16}$/m);
    expect(report).toMatch(/^ {2}> [0-9a-f]{16} {2}\w+/m);
  });

  test('is stopped where a flag is wrong that the instruction defines', () => {
    const { lockstep } = replay(300, ({ cpu }) => { cpu.state.systemFlags ^= 0x400; });
    expect(lockstep.difference?.words).toEqual([FIELD.rflags]);
  });

  test('is stopped where a segment or control register is wrong', () => {
    expect(replay(400, ({ cpu }) => { cpu.state.base[5] = 0x1000n; }).lockstep.difference?.words).toEqual([FIELD.segments + 5 * 4 + 1]);
    expect(replay(400, ({ cpu }) => { cpu.state.cr3 ^= 0x1000n; }).lockstep.difference?.what).toBeDefined();
  });

  test('is stopped where an exception is not the same', () => {
    const quiet = replay(450, ({ stepper }) => {
      const execute = stepper.execute.bind(stepper);
      stepper.execute = () => ({ ...execute(), deliveries: [] });
    });
    expect(quiet.lockstep.difference?.what).toMatch(/QEMU delivered vector \d+/);
  });

  test('is stopped at the checkpoint behind a wrong byte of memory, when its registers agree', () => {
    const { lockstep, pages } = replay(500, ({ stepper }) => { stepper.ram[0x50_0123] = 1; });
    expect(pages).toBeUndefined();
    expect(lockstep.difference?.what).toBe('memory differs; it was compared last at the start');
    expect(lockstep.difference?.pages.map((page) => page.frame)).toEqual([0x500]);
    expect(lockstep.compared).toBeGreaterThan(4999);
    expect(lockstep.compared).toBeLessThan(8000);
  });

  test('is found by its memory at the end', () => {
    const { lockstep, pages } = replay(trace.end.instructions - 10, ({ stepper }) => { stepper.ram[0x50_0123] = 1; });
    expect(lockstep.difference).toBeUndefined();
    expect(pages?.map((page) => page.frame)).toEqual([0x500]);
  });
});

describe('a run that is QEMU’s', () => {
  test('is counted, with what was not compared', () => {
    const { lockstep, pages } = replay();
    // QEMU starts the instruction that hits a data breakpoint twice.
    expect(successLine(lockstep)).toBe(`${trace.end.instructions - 1} instructions compared, 0 differences`);
    expect(forgivenReport(lockstep)).toContain('  CPUID\n');
    expect(pages).toEqual([]);
  });

  test('may be compared from an instruction on, and up to one', () => {
    const wrong = ({ cpu }: BareBoard): void => { cpu.state.gpr[13]! ^= 1n; };
    expect(replay(500, wrong, { from: 1000 }).lockstep.difference).toBeUndefined();
    const short = replay(Infinity, undefined, { maxInstructions: 100 });
    expect(short.lockstep.compared).toBe(100);
    expect(short.pages).toBeUndefined();
  });
});

/** What real processors did with every x87 row (tools/silicon/record-x87.ts records it), repeated on every engine. */
import { describe, expect, test } from 'vitest';
import type { Row } from '../../src/cpu/isa/row.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { ENGINES, Score } from '../support/conformance/score.ts';
import { nameOfRow } from '../support/row-name.ts';
import { executesRows } from '../support/rows-executed.ts';
import { rowOf } from '../support/silicon/row-of.ts';
import { differences, type X87Case } from '../support/x87/cases.ts';
import { allowedUlps, comparedStatus, recordable } from '../support/x87/follow.ts';
import { readX87Recording } from '../support/x87/recordings.ts';
import { X87World } from '../support/x87/run.ts';
import { FPU_ROWS } from './rows.ts';

/** Cases that a row has at least where many were recorded, and where few. */
const PER_ROW = { many: 200, few: 10 } as const;

/** Rows that Intel's processor, which made the recording of few, was no longer at hand for: encodings that the manual does not have, and what came late. */
const MANY_ONLY: ReadonlySet<string> = new Set([
  'FSTP ST(i) = DF D0+i', 'FSTP ST(i) = DF D8+i', 'FSTPNCE ST(i) = D9 D8+i', 'FXCH ST(i) = DD C8+i', 'FXCH ST(i) = DF C8+i', 'FCOM ST(i) = DC D0+i',
  'FCOMP ST(i) = DC D8+i', 'FCOMP ST(i) = DE D0+i', 'FFREEP ST(i) = DF C0+i', 'FNENI = DB E0', 'FNDISI = DB E1', 'FNSETPM = DB E4', 'EMMS = NP 0F 77', 'WAIT = 9B',
]);

const worlds = ENGINES.map((name) => [name, new X87World(name)] as const);
const score = new Score('x87');

describe.each(['few', 'many'] as const)('the recording of %s cases of a row', (name) => {
  const { processor, cases } = readX87Recording(name);
  const byRow = new Map<Row, X87Case[]>();
  for (const c of cases) {
    const row = rowOf({ code: c.code, codeSize: 64 });
    byRow.set(row, [...(byRow.get(row) ?? []), c]);
  }

  test(`has ${PER_ROW[name]} of every row that can be recorded`, () => {
    const fewer = ROWS.filter((row) => recordable(row) && (byRow.get(row)?.length ?? 0) < PER_ROW[name]).map(nameOfRow);
    expect(fewer.toSorted()).toEqual(name === 'many' ? [] : [...MANY_ONLY].toSorted());
  });

  for (const mnemonic of new Set([...byRow.keys()].map((row) => row.mnemonic))) {
    test.each(worlds)(`${mnemonic} does what it does on ${processor} › %s`, (engine, world) => {
      const failures: string[] = [];
      for (const [row, list] of byRow) {
        if (row.mnemonic !== mnemonic) continue;
        for (const c of list) {
          const found = differences(c.after, world.run(c.code, c.before), comparedStatus(row), allowedUlps(row));
          score.note(row, engine, found.length === 0);
          if (found.length > 0) failures.push([row.text, Buffer.from(c.code).toString('hex'), ...found].join('\n  '));
        }
      }
      expect(failures.slice(0, 5)).toEqual([]);
    });
  }
});

score.isCounted();

describe('FSCALE that underflows, unmasked, even with its exponent adjusted (SDM Vol. 1, "Numeric Underflow Exception (#U)"), which fresh cases found', () => {
  const FSCALE = Uint8Array.of(0xd9, 0xfd), UNDERFLOW_NOT_MASKED = 0x36f;
  const [small, far] = [0x3ff6_da91_5875_4267_d7fan, 0xc00e_a000_0000_0000_0000n];
  const run = (world: X87World, st0: bigint): bigint => world.run(FSCALE, { control: UNDERFLOW_NOT_MASKED, status: 0, used: 0xff, stack: [st0, far, 0n, 0n, 0n, 0n, 0n, 0n], memory: 0n, flags: 0, ax: 0 }).stack[0]!;
  test.each(worlds)('leaves a zero with the sign of the number, and no denormal › %s', (_, world) => {
    expect([run(world, small), run(world, small | (1n << 79n))]).toEqual([0n, 1n << 79n]);
  });
});

test.each(worlds)('FPREM of a pseudo-denormal by infinity leaves it as a normal number, as on silicon (fresh cases found it) › %s', (_, world) => {
  const [pseudo, normal, infinity] = [0x8000_b8d8_8748_ae0b_b950n, 0x8001_b8d8_8748_ae0b_b950n, 0x7fff_8000_0000_0000_0000n];
  const before = { control: 0x37f, status: 0, used: 0xff, stack: [pseudo, infinity, 0n, 0n, 0n, 0n, 0n, 0n], memory: 0n, flags: 0, ax: 0 };
  expect(world.run(Uint8Array.of(0xd9, 0xf8), before).stack[0]).toBe(normal);
});

executesRows(FPU_ROWS.silicon);

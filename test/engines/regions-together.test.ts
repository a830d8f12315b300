/** Regions that become hot soon after each other are compiled together, and none waits for long. */
import { expect, it } from 'vitest';
import { eax, ecx, r8d } from '../../src/assembler/index.ts';
import { fastEngine, machineWith, visibleState, type Setup } from '../support/engine-runs.ts';

const LOOPS = 5;
/** Dispatches until a block is hot, turns that make a loop so, and turns of the last one, which are more instructions than a region waits for. */
const HEAT = 2000, HOT = 2500, MANY = 100_000;

/** Loops one after the other. */
const program = (last: number): Setup => (m) => {
  m.program((a) => {
    for (let n = 0; n <= LOOPS; n++) {
      a.mov(ecx, n < LOOPS ? HOT : last);
      a.label(`loop${n}`);
      a.add(eax, ecx);
      a.inc(r8d);
      a.dec(ecx);
      a.jnz(`loop${n}`);
    }
    a.hlt();
  });
};

it('loops that are hot one after the other share a module', () => {
  const m = machineWith('auto', program(MANY)), reference = machineWith('reference', program(MANY));
  fastEngine(m).heat = HEAT;
  for (const one of [m, reference]) expect(one.runFast(2_000_000)).toEqual({ kind: 'halted' });
  expect(visibleState(m)).toEqual(visibleState(reference));
  const { regions, modules } = fastEngine(m).translator.statistics;
  expect(regions).toBeGreaterThan(LOOPS);
  expect(modules).toBeLessThan(regions / 2);
});

it('a region that waits is there when the machine runs again', () => {
  const m = machineWith('auto', program(HOT));
  fastEngine(m).heat = HEAT;
  // Into the second loop.
  m.engine.run(4 * HOT + 100);
  const { statistics } = fastEngine(m).translator;
  expect(statistics.regions).toBe(0);
  m.engine.run(1);
  expect(statistics.regions).toBe(1);
});

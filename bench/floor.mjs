/**
 * `npm run bench:floor`: the two figures that the reference engine must hold, measured on this machine in this run.
 *   - guest instructions per second on the kernel's heap scenario (CPU time of this process)
 *   - seconds of `npm start`, as a process of its own, and from its start to the guest's first instruction
 * Three rounds each; the median is the figure, the spread is shown. Timings are no assertions: nothing fails here.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { Machine, buildKernel, kernelElf } from '../dist/index.js';

const ROUNDS = 3;
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const row = (what, list, digits, unit) => console.log(`${what.padEnd(52)} ${median(list).toFixed(digits)} ${unit}  (${Math.min(...list).toFixed(digits)} - ${Math.max(...list).toFixed(digits)})`);

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}, ${ROUNDS} rounds: median (minimum - maximum)`);

const image = kernelElf(buildKernel());
const mips = [], counts = new Set();
for (let round = 0; round < ROUNDS; round++) {
  const machine = new Machine();
  machine.load(image, { cmdline: 'scenario=heap-stress' });
  const start = process.cpuUsage();
  const stop = machine.run({ maxInstructions: 5_000_000 });
  const used = process.cpuUsage(start);
  mips.push(machine.state.retired / (used.user + used.system));
  counts.add(`${stop.kind} after ${machine.state.retired} instructions`);
}
console.log(`heap-stress: ${[...counts].join('; ')}`);
row('reference engine, heap scenario', mips, 2, 'MIPS');

const wall = [];
for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, ['bin/longmode.js', 'demo'], { cwd: new URL('..', import.meta.url), stdio: 'ignore' });
  if (status !== 0) console.log(`npm start ended with status ${status}`);
  wall.push((performance.now() - start) / 1000);
}
row('npm start, whole process', wall, 2, 's');

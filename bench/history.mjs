/**
 * `npm run bench:history`: what it costs to have a past, and to go back into it. Each guest runs 100 million instructions with a history on the
 * fast engine; then, at random instructions of those:
 *   - live: one step back from where the machine has come running, on its way (the rest is measured behind it)
 *   - jump: from anywhere to there (a reverse step that finds no checkpoint near it costs no more)
 *   - back: one step back from there
 *   - next: one more
 * `--instructions N` (millions), `--rounds N`, `--only NAME,NAME`, `--budget MIB`; `--linux VMLINUX --initrd FILE` adds a boot of Linux, `--kernel FILE` the guest kernel (`longmode kernel --out FILE`)
 * with its heap's 100,000 random operations. Timings are no assertions: nothing fails here.
 */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { History, Machine } from '../dist/index.js';

const { values } = parseArgs({ options: {
  instructions: { type: 'string', default: '100' }, rounds: { type: 'string', default: '60' }, only: { type: 'string' }, budget: { type: 'string', default: '512' },
  linux: { type: 'string' }, initrd: { type: 'string' }, kernel: { type: 'string' },
} });
const LENGTH = Number(values.instructions) * 1e6, ROUNDS = Number(values.rounds);
const bench64 = readFileSync(new URL('images/bench64.elf', import.meta.url));
const workload = (name) => ({ name, image: bench64, cmdline: `workload=${name} count=1000000 prime=0`, modules: [] });
const moduleOf = (file) => ({ name: file, bytes: readFileSync(file) });
const GUESTS = [
  ...['sieve', 'sha256', 'mix', 'switch', 'nbody'].map((name) => workload(name)),
  ...['fault', 'int', 'copy'].map((name) => workload(name)),
  ...(values.kernel === undefined ? [] : [{ name: 'kernel', image: readFileSync(values.kernel), cmdline: 'scenario=heap-stress', modules: [] }]),
  ...(values.linux === undefined ? [] : [{ name: 'linux', image: readFileSync(values.linux), cmdline: 'console=ttyS0 panic=-1 nokaslr cryptomgr.notests', modules: values.initrd === undefined ? [] : [moduleOf(values.initrd)] }]),
].filter(({ name }) => values.only === undefined || values.only.split(',').includes(name));

const sorted = (list) => [...list].sort((a, b) => a - b);
const quantile = (list, q) => sorted(list)[Math.min(list.length - 1, Math.floor(q * list.length))];
const milliseconds = (work) => {
  const start = performance.now();
  work();
  return performance.now() - start;
};
const machineOf = ({ image, cmdline, modules }) => {
  const machine = new Machine({ memoryBytes: 256 * 2 ** 20 });
  machine.load(image, { cmdline, modules });
  return machine;
};
/** Numbers from 0 to 1 that are the same in each run: xorshift32. */
let x = 0x1234_5678;
const random = () => {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return (x >>> 0) / 2 ** 32;
};

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}: ${LENGTH / 1e6} million instructions, ${ROUNDS} rounds, budget ${values.budget} MiB; milliseconds, median / 95th percentile / most`);
console.log('guest      run s   with history   checkpoints    MiB   live                  jump                  back                  next');
for (const guest of GUESTS) {
  const plain = machineOf(guest);
  const without = milliseconds(() => { plain.run({ maxInstructions: LENGTH }); });
  const machine = machineOf(guest);
  const history = new History(machine, { budgetBytes: Number(values.budget) * 2 ** 20 });
  const live = [], jump = [], back = [], next = [];
  let took = 0;
  for (let n = 0; n < 100; n++) {
    took += milliseconds(() => { history.run({ maxInstructions: LENGTH / 100 }); });
    live.push(milliseconds(() => { history.stepBack(); }));
    history.runTo(history.end);
  }
  const { checkpoints, bytes } = history.memory;
  for (let n = 0; n < ROUNDS; n++) {
    const to = Math.floor(random() * history.end.retired) + 1;
    jump.push(milliseconds(() => { history.runTo(to); }));
    back.push(milliseconds(() => { history.stepBack(); }));
    next.push(milliseconds(() => { history.stepBack(); }));
  }
  const cell = (list) => `${quantile(list, 0.5).toFixed(1)} / ${quantile(list, 0.95).toFixed(1)} / ${Math.max(...list).toFixed(1)}`.padEnd(22);
  console.log(`${guest.name.padEnd(9)} ${(without / 1000).toFixed(2).padStart(6)} ${(took / 1000).toFixed(2).padStart(14)} ${String(checkpoints).padStart(13)} ${(bytes / 2 ** 20).toFixed(0).padStart(6)}   ${cell(live)}${cell(jump)}${cell(back)}${cell(next)}`);
}

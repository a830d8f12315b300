/** The measurements: what is run how often, on which machine, with how much work. */
import { watch } from './processes.mjs';

const BEGIN = /begin\r?\n/, END = /end ([0-9a-f]+) (ok|wrong)/;

/** How a run that did not end well is called in a table. */
function statusOf(run) {
  if (run.match) return run.match[2] !== 'ok' ? 'wrong checksum' : run.together || run.seconds <= 0 ? 'too short' : 'ok';
  if (run.timedOut) return 'time limit';
  if (run.status === 14) return 'unimplemented';
  return `status ${run.status}`;
}

/** Runs a workload once. */
export async function once(machine, { workload, bits, count, prime = 1, limit = 300 }) {
  const run = await watch(machine.start(bits, `workload=${workload} count=${count} prime=${prime} wait=1`), { from: BEGIN, until: END, limit });
  const { seconds, total, wall, firstOutput, peakKib } = run;
  return { machine: machine.name, workload, bits, count, status: statusOf(run), seconds, total, wall, firstOutput, peakKib, ...(run.match ? {} : { errors: run.errors.slice(0, 400) }) };
}

/**
 * How much work a machine is given. QEMU does all of it, and so does every machine that is not far slower or faster. Machines
 * whose speed does not depend on how long they have run (`steady`) are given what takes 1 to 4 seconds; those that translate,
 * and so need the time to warm up, get less only when all of it would take half a minute, and then enough for ten seconds;
 * more only when all of it is over before a clock can be read. All these seconds are scaled, as the work is.
 */
export async function workFor(machine, { workload, bits, count, prime, scale, limit }) {
  if (machine.name === 'qemu') return { count };
  const { pilot, least, most, little, much } = machine.steady ? { pilot: 0.3, least: 1, most: 4, little: 1.5, much: 1.5 } : { pilot: 2, least: 0.05, most: 30, little: 0.3, much: 10 };
  for (let trial = Math.max(1, Math.floor(count / 256)); ;) {
    const run = await once(machine, { workload, bits, count: trial, prime, limit });
    if (run.status === 'too short' && trial < 1000 * count) {
      trial *= 8;
      continue;
    }
    if (run.status !== 'ok') return { count, failed: run };
    const whole = run.seconds * count / trial / scale;
    if (!machine.steady && whole <= most && whole >= 4 * least) return { count };
    if (run.seconds < pilot * scale && trial < count) {
      trial = Math.min(count, trial * 8);
      continue;
    }
    const aim = whole > most ? much : whole < least ? little : whole;
    return { count: aim === whole ? count : Math.max(1, Math.round(count * aim / Math.max(whole, 0.001))) };
  }
}

/** All rows on all machines, alternately: in each round every row runs on every machine before the next row starts. */
export async function measureRows(rows, machines, { rounds, scale, limit, say }) {
  const runs = [], work = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const { workload, bits, count, prime } of rows) {
      const present = machines.filter((machine) => machine.bits.includes(bits));
      // Nobody is always the first after a pause.
      const order = present.map((_, n) => present[(n + round) % present.length]);
      for (const machine of order) {
        const key = `${machine.name} ${workload} ${bits}`;
        if (!work.has(key)) work.set(key, await workFor(machine, { workload, bits, count, prime, scale, limit }));
        const { count: given, failed } = work.get(key);
        const run = failed ?? await once(machine, { workload, bits, count: given, prime, limit });
        runs.push({ ...run, round });
        say(`round ${round + 1}: ${workload} ${bits} on ${machine.name}: ${run.status === 'ok' ? `${run.seconds.toFixed(3)} s for ${given}` : run.status}`);
      }
    }
  }
  return runs;
}

/** Process start to the first byte that the guest prints: a few hundred guest instructions after its first. */
export async function measureStarts(machines, { rounds, limit }) {
  const runs = [];
  for (let round = 0; round < Math.max(5, rounds); round++) {
    for (const machine of machines) {
      const run = await watch(machine.start(machine.bits[0], 'workload=none wait=0'), { from: BEGIN, until: END, limit });
      runs.push({ machine: machine.name, round, seconds: run.match ? run.firstOutput : NaN });
    }
  }
  return runs;
}

/** What the guests of measureMemory touch: image, page tables, stack; 64 bytes for each region. */
const IMAGE_KIB = 256, REGION_BYTES = 64;
/** Peak resident memory beyond the RAM that the guest touched: when it does nothing, and after as many hot loops as asked for. */
export async function measureMemory(machines, { regions, limit }) {
  const runs = [];
  for (const [workload, count] of [['none', 1], ['regions', regions]]) {
    for (const machine of machines) {
      const run = await once(machine, { workload, bits: machine.bits[0], count, prime: 0, limit });
      // A guest that does nothing has no time to be measured, but memory.
      const status = run.status === 'too short' ? 'ok' : run.status;
      const touchedKib = IMAGE_KIB + (workload === 'regions' ? count * REGION_BYTES / 1024 : 0);
      runs.push({ machine: machine.name, workload, count, status, peakKib: run.peakKib, touchedKib, beyondMib: (run.peakKib - touchedKib) / 1024, seconds: run.seconds });
    }
  }
  return runs;
}

/** A tenth of the work, all of it, ten times as much: what a unit costs in each. */
export async function measureLinearity(rows, machines, { scale, limit, say }) {
  const runs = [];
  for (const { workload, bits, count, prime } of rows) {
    for (const machine of machines) {
      const work = await workFor(machine, { workload, bits, count, prime, scale, limit });
      if (work.failed) {
        runs.push({ machine: machine.name, workload, status: work.failed.status, cost: [] });
        continue;
      }
      const cost = [];
      for (const times of [0.1, 1, 10]) {
        const given = Math.max(1, Math.round(work.count * times)), run = await once(machine, { workload, bits, count: given, prime, limit: limit * 3 });
        cost.push(run.status === 'ok' ? run.seconds / given : NaN);
      }
      runs.push({ machine: machine.name, workload, status: 'ok', cost });
      say(`linearity: ${workload} on ${machine.name}`);
    }
  }
  return runs;
}

/** A Linux kernel from the start of the process to a text on its console. */
export async function measureLinux(linux, machines, { rounds, limit, say }) {
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    for (const machine of machines.filter((one) => one.startLinux)) {
      const run = await watch(machine.startLinux(linux), { until: linux.until, limit });
      const status = run.match ? 'ok' : run.timedOut ? 'time limit' : `status ${run.status}`;
      runs.push({ machine: machine.name, workload: 'linux', round, status, seconds: run.seconds, total: run.total, wall: run.wall, peakKib: run.peakKib });
      say(`round ${round + 1}: Linux on ${machine.name}: ${status === 'ok' ? `${run.seconds.toFixed(2)} s` : `${status} ${run.errors.split('\n')[0]}`}`);
    }
  }
  return runs;
}

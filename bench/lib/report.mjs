/** The tables that `npm run bench` prints, made of what suite.mjs measured. */
import { geometricMean, median, short, spread, table } from './statistics.mjs';

/** What the project wants to reach: ratios of time, lower is better. */
const TARGETS = [
  { says: 'auto / QEMU, integer compute', of: 'auto', to: 'qemu', bits: 64, groups: ['integer'], target: 0.75, worst: 1.5 },
  { says: 'auto / QEMU, all rows', of: 'auto', to: 'qemu', bits: 64, target: 0.5 },
  { says: 'auto / v86, the 32-bit builds', of: 'auto', to: 'v86', bits: 32, target: 0.6 },
  { says: "interpreter / Bochs, integer compute", of: 'interpreter', to: 'bochs', bits: 64, groups: ['integer'], target: 0.4 },
];

const TARGET_REGIONS = 100_000;

const pick = (runs, machine, workload, bits) => runs.filter((run) => run.machine === machine && run.workload === workload && run.bits === bits);
/** Seconds for one unit of work, one value per round. */
const costs = (runs) => runs.filter((run) => run.status === 'ok').map((run) => run.seconds / run.count);

/** Ratios of the same round, so that what slowed the host down for a while slowed both. */
function ratios(runs, { of, to, workload, bits }) {
  const found = [];
  for (const ours of pick(runs, of, workload, bits)) {
    const theirs = pick(runs, to, workload, bits).find((run) => run.round === ours.round);
    if (ours.status === 'ok' && theirs?.status === 'ok') found.push((ours.seconds / ours.count) / (theirs.seconds / theirs.count));
  }
  return found;
}

/** A row's speed in its own unit: MIPS, GB/s, or microseconds for one operation. */
function speed(row, instructions, cost) {
  if (!row.operation) return instructions === undefined ? `${short(cost * 1e6)} us/unit` : `${short(instructions / cost / 1e6)} MIPS`;
  return row.operation === 'byte' ? `${short(row.operations / cost / 1e9)} GB/s` : `${short(cost / row.operations * 1e6)} us/${row.operation}`;
}

function absoluteTable({ rows, runs, machines, bits, instructions }) {
  const lines = [[`${bits}-bit guest`, ...machines.map((machine) => machine.name)]];
  for (const row of rows) {
    lines.push([row.title, ...machines.map(({ name }) => {
      const found = pick(runs, name, row.name, bits), paid = costs(found);
      if (paid.length > 0) return speed(row, instructions[row.name]?.[bits], median(paid));
      return found.length > 0 ? `n/a (${found[0].status})` : 'n/a';
    })]);
  }
  return table(lines);
}

function ratioTable({ rows, runs, pairs }) {
  const lines = [['time ratios: median (min-max)', ...pairs.map(({ of, to, bits }) => `${of}/${to}${bits === 32 ? ' 32-bit' : ''}`)]];
  for (const row of rows) lines.push([row.title, ...pairs.map((pair) => spread(ratios(runs, { ...pair, workload: row.name })))]);
  for (const [title, groups] of [['geometric mean, integer compute', ['integer']], ['geometric mean, all rows', undefined]]) {
    lines.push([title, ...pairs.map((pair) => {
      const medians = mediansOf(rows, runs, { ...pair, groups });
      return medians.length === 0 ? 'n/a' : `${short(geometricMean(medians))} (${medians.length} rows)`;
    })]);
  }
  return table(lines);
}

function mediansOf(rows, runs, { of, to, bits, groups }) {
  return rows.filter((row) => !groups || groups.includes(row.group)).map((row) => median(ratios(runs, { of, to, bits, workload: row.name }))).filter(Number.isFinite);
}

/** The targets, what was measured for each, and over how many rows. */
export function targetsOf({ rows, runs, linux, starts, memory }) {
  const judged = TARGETS.map(({ says, target, worst, ...pair }) => {
    const medians = mediansOf(rows, runs, pair), value = geometricMean(medians), highest = Math.max(...medians);
    return { says, target: worst === undefined ? `${target}` : `${target}, none above ${worst}`, value, detail: medians.length === 0 ? 'n/a' : `${short(value)} (${medians.length} rows, highest ${short(highest)})`, met: medians.length === 0 ? undefined : value <= target && (worst === undefined || highest <= worst) };
  });
  const booted = (machine) => median(linux.filter((run) => run.machine === machine && run.status === 'ok').map((run) => run.seconds));
  const single = (says, limit, value, unit) => judged.push({ says, target: `${limit}${unit}`, value, detail: Number.isFinite(value) ? `${short(value)}${unit}` : 'n/a', met: Number.isFinite(value) ? value <= limit : undefined });
  single('Linux vmlinux to init, auto / QEMU', 2, booted('auto') / booted('qemu'), '');
  single('start of process to first guest instruction, auto', 0.3, median(starts.filter((run) => run.machine === 'auto' && Number.isFinite(run.seconds)).map((run) => run.seconds)), ' s');
  // Judged only when as many regions were translated as the target says.
  const ours = memory.filter((run) => run.machine === 'auto' && run.status === 'ok'), beyond = ours.some((run) => run.count >= TARGET_REGIONS) ? ours.map((run) => run.beyondMib) : [];
  single('host memory beyond the guest RAM touched, auto', 250, beyond.length === 0 ? NaN : Math.max(...beyond), ' MB');
  return judged;
}

/** `machines`: all that were asked for; those that are not here have columns of n/a. */
export function printReport({ rows, runs, machines, widths, instructions, starts, memory, linearity, linux, say }) {
  const peers = ['qemu', 'bochs', 'v86'], engines = machines.map((machine) => machine.name).filter((name) => !peers.includes(name));
  for (const bits of widths) {
    const shown = machines.filter((machine) => machine.bits.includes(bits));
    if (runs.length > 0 && shown.length > 0) say(`\n${absoluteTable({ rows: rows.filter((row) => !row.bits || row.bits.includes(bits)), runs, machines: shown, bits, instructions })}`);
  }
  const pairs = engines.flatMap((of) => widths.flatMap((bits) => machines.filter(({ name, bits: has }) => peers.includes(name) && has.includes(bits)).map(({ name }) => ({ of, to: name, bits }))));
  if (runs.length > 0 && pairs.length > 0) say(`\n${ratioTable({ rows, runs, pairs })}`);
  if (starts.length > 0) {
    say(`\n${table([['process start to the first byte printed', 'seconds'], ...machines.map(({ name }) => [name, spread(starts.filter((run) => run.machine === name && Number.isFinite(run.seconds)).map((run) => run.seconds))])])}`);
  }
  if (memory.length > 0) {
    say(`\n${table([['host memory beyond the guest RAM touched', 'peak, MiB', 'beyond, MiB'], ...memory.map((run) => [`${run.machine}, ${run.workload === 'none' ? 'nothing run' : `${run.count.toLocaleString('en-US')} hot loops`}`, ...(run.status === 'ok' ? [short(run.peakKib / 1024), short(run.beyondMib)] : [`n/a (${run.status})`, ''])])])}`);
  }
  if (linearity.length > 0) {
    say(`\n${table([['cost of a unit, relative to the longest run', '1x', '10x', '100x'], ...linearity.map((run) => [`${run.machine}, ${run.workload}`, ...(run.status === 'ok' ? run.cost.map((value) => short(value / run.cost[2])) : [`n/a (${run.status})`, '', ''])])])}`);
  }
  if (linux.length > 0) {
    say(`\n${table([['Linux to its init, CPU seconds', 'seconds'], ...machines.map(({ name }) => [name, spread(linux.filter((run) => run.machine === name && run.status === 'ok').map((run) => run.seconds))])])}`);
  }
  say(`\n${table([['target', 'at most', 'measured', ''], ...targetsOf({ rows, runs, linux, starts, memory }).map(({ says, target, detail, met }) => [says, target, detail, met === undefined ? '' : met ? 'met' : 'missed'])])}`);
}

/** `npm run bench`: longmode's engines beside QEMU, Bochs and v86 on the same guest. README.md says how to read what it prints. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { bochs, longmode, qemu, v86 } from './lib/machines.mjs';
import { printReport, targetsOf } from './lib/report.mjs';
import { measureLinearity, measureLinux, measureMemory, measureRows, measureStarts } from './lib/suite.mjs';

const HELP = `npm run bench -- [options]
  --engines LIST    of longmode: auto, interpreter, translator, reference (default auto,interpreter; none: peers alone)
  --peers LIST      qemu, bochs, v86 (default all three; none: longmode alone)
  --only LIST       rows by name (bench/workloads.json)
  --bits LIST       64, 32 (default both: 64 for QEMU and Bochs, 32 for v86, both for longmode)
  --rounds N        default 3
  --scale X         as much of the work as that: 0.1 for a quick look (default 1: a second or more on QEMU)
  --sections LIST   rows, start, memory, linear (default all)
  --qemu32          QEMU runs the 32-bit builds too
  --regions N       hot loops in the memory section (default 100000)
  --linux VMLINUX   a row for Linux, with --initrd FILE, --linux-cmdline TEXT, --linux-until TEXT, --linux-memory MIB
  --limit SECONDS   that a run may take (default 300)
  --json FILE       where the results go (default bench/results/latest.json)`;

const read = (relative) => JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8'));
const fail = (text) => {
  process.stderr.write(`bench: ${text}\n`);
  process.exit(2);
};

function options() {
  try {
    return parseArgs({ options: {
      'engines': { type: 'string', default: 'auto,interpreter' }, 'peers': { type: 'string', default: 'qemu,bochs,v86' }, 'only': { type: 'string' }, 'bits': { type: 'string', default: '64,32' },
      'rounds': { type: 'string', default: '3' }, 'scale': { type: 'string', default: '1' }, 'sections': { type: 'string', default: 'rows,start,memory,linear' }, 'qemu32': { type: 'boolean', default: false },
      'regions': { type: 'string', default: '100000' }, 'linux': { type: 'string' }, 'initrd': { type: 'string' }, 'linux-cmdline': { type: 'string', default: 'console=ttyS0 cryptomgr.notests panic=-1' },
      'linux-until': { type: 'string', default: 'Run /init as init process' }, 'linux-memory': { type: 'string', default: '512' }, 'limit': { type: 'string', default: '300' }, 'json': { type: 'string' }, 'help': { type: 'boolean', default: false },
    } }).values;
  } catch (error) {
    return fail(`${error.message}\n${HELP}`);
  }
}
const given = options();
if (given.help) {
  console.log(HELP);
  process.exit(0);
}
const list = (name, known) => {
  const chosen = given[name].split(',').filter((one) => one !== '' && one !== 'none');
  for (const one of chosen) if (!known.includes(one)) fail(`--${name}: "${one}" is not one of ${known.join(', ')}`);
  return chosen;
};
const positive = (name) => {
  const value = Number(given[name]);
  return value > 0 && Number.isFinite(value) ? value : fail(`--${name}: "${given[name]}" is not a number above 0`);
};

for (const name of ['linux', 'initrd']) if (given[name] !== undefined && !existsSync(given[name])) fail(`--${name} ${given[name]}: there is no such file`);
if (!existsSync('/proc/self/task')) fail('the clocks of other processes are read from /proc, which this system does not have');

// QEMU's 32-bit column is only there when it is asked for.
const PEERS = { qemu: given.qemu32 ? qemu : { ...qemu, bits: [64] }, bochs, v86 };
const table = read('workloads.json'), instructions = read('instructions.json');
const names = given.only === undefined ? table.map((row) => row.name) : list('only', table.map((row) => row.name));
const rows = table.filter((row) => names.includes(row.name));
const widths = list('bits', ['64', '32']).map(Number), sections = list('sections', ['rows', 'start', 'memory', 'linear', 'none']);
const rounds = Math.ceil(positive('rounds')), scale = positive('scale'), limit = positive('limit');

const asked = [...list('engines', ['auto', 'interpreter', 'translator', 'reference']).map(longmode), ...list('peers', Object.keys(PEERS)).map((name) => PEERS[name])];
const say = (text) => console.log(text), progress = (text) => process.stderr.write(`${text}\n`);
const host = { cpu: cpus()[0]?.model ?? 'unknown CPU', cores: cpus().length, node: process.version };
say(`${host.cpu}, ${host.cores} cores, Node ${host.node}; ${rounds} rounds; CPU time of the busiest thread`);
const machines = asked.filter((machine) => {
  const missing = machine.missing();
  say(missing === undefined ? `${machine.name}: ${machine.version()}` : `n/a: ${missing}`);
  return missing === undefined;
});
if (machines.length === 0) fail('there is nothing to measure');

const work = rows.flatMap((row) => (row.bits ?? [64, 32]).filter((bits) => widths.includes(bits)).map((bits) => ({ workload: row.name, bits, prime: row.prime ?? 1, count: Math.max(1, Math.round(row.count * scale)) })));
const settings = { rounds, scale, limit, say: progress };
const has = (section) => sections.includes(section);
const results = {
  runs: has('rows') ? await measureRows(work, machines, settings) : [],
  starts: has('start') ? await measureStarts(machines, settings) : [],
  memory: has('memory') ? await measureMemory(machines, { regions: Math.ceil(positive('regions')), limit }) : [],
  linearity: has('linear') ? await measureLinearity(work.filter(({ workload, bits }) => bits === 64 && ['sieve', 'fault', 'emit'].includes(workload)), machines.filter((machine) => machine.bits.includes(64)), settings) : [],
  linux: given.linux === undefined ? [] : await measureLinux({ kernel: given.linux, initrd: given.initrd, cmdline: given['linux-cmdline'], memory: Math.ceil(positive('linux-memory')), until: new RegExp(given['linux-until'].replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) }, machines, settings),
};
printReport({ rows, machines: asked, widths, instructions, say, ...results });

const file = given.json ?? new URL('results/latest.json', import.meta.url).pathname;
try {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ host, date: new Date().toISOString(), options: given, machines: machines.map((machine) => ({ name: machine.name, version: machine.version() })), ...results, targets: targetsOf({ rows, ...results }) }, null, 1)}\n`);
  say(`\nresults: ${file}`);
} catch (error) {
  fail(`--json ${file}: ${error.message}`);
}

/**
 * Counts the instructions of one unit of every workload and writes bench/instructions.json: two runs whose work differs by one
 * unit, on the reference engine; what that does not have yet is stepped through on QEMU (a minute for each). An iteration of
 * REP is an instruction. node tools/bench/count.mjs [NAME...], after npm ci and tools/bench/build.sh.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Machine } from '../../dist/index.js';

const root = new URL('../../bench/', import.meta.url);
const rows = JSON.parse(readFileSync(new URL('workloads.json', root), 'utf8'));
const imagePath = (bits) => new URL(`images/bench${bits}.elf`, root).pathname;

/** Instructions from reset to the end, by the reference engine; undefined where it lacks one. */
function byReference(bits, cmdline) {
  const machine = new Machine({ memoryBytes: 256 * 2 ** 20 });
  machine.load(readFileSync(imagePath(bits)), { name: 'bench', cmdline });
  const stop = machine.run({ maxInstructions: 50_000_000 });
  if (stop.kind === 'unimplemented') return undefined;
  if (stop.kind !== 'debug-exit' || stop.value !== 0) throw new Error(`${cmdline}: ${JSON.stringify(stop)}`);
  return machine.state.retired;
}

function byQemu(bits, cmdline) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-count-'));
  try {
    const { stdout, stderr } = spawnSync(process.execPath, [new URL('../bin/longmode.js', root).pathname, 'trace', 'record', imagePath(bits), '--cmdline', cmdline, '--memory', '256M', '--out', join(folder, 'trace')], { encoding: 'utf8' });
    const count = /^(\d+) instructions/m.exec(stdout + stderr)?.[1];
    if (count === undefined) throw new Error(`${cmdline}: ${stderr}`);
    return Number(count);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const counts = JSON.parse(readFileSync(new URL('instructions.json', root), 'utf8')), only = process.argv.slice(2);
for (const row of rows.filter(({ name }) => only.length === 0 || only.includes(name))) {
  for (const bits of row.bits ?? [64, 32]) {
    const runs = [1, 2].map((count) => byReference(bits, `workload=${row.name} count=${count}`));
    const counted = runs[1] === undefined ? 'QEMU' : 'reference engine';
    const [one, two] = runs[1] === undefined ? [1, 2].map((count) => byQemu(bits, `workload=${row.name} count=${count}`)) : runs;
    (counts[row.name] ??= {})[bits] = two - one;
    console.log(`${row.name} ${bits}: ${two - one} (${counted})`);
  }
}
writeFileSync(new URL('instructions.json', root), `{\n${Object.entries(counts).map(([name, count]) => `  ${JSON.stringify(name)}: ${JSON.stringify(count)}`).join(',\n')}\n}\n`);

/**
 * What gdb makes of the kernel's symbols and line numbers. The judge is the TypeScript text itself: the line that gdb
 * names for an instruction must be the one that assembles it. Needs gdb, and QEMU for the part that runs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { sourceMapResolver } from '../../src/cli/source-maps.ts';
import { buildKernel, kernelElf } from '../../src/kernel/index.ts';
import { temporaryFolder } from '../support/cli.ts';

const ROOT = join(import.meta.dirname, '../..');
const SCRIPT = join(ROOT, 'tools/witness/gdb-source-lines.sh');
const has = (...tools: string[]): boolean => tools.every((tool) => spawnSync(tool, ['--version']).status === 0);
const file = join(temporaryFolder(), 'kernel.elf');
const image = buildKernel({ resolveLocation: sourceMapResolver() });
writeFileSync(file, kernelElf(image, { compilationDirectory: ROOT }));

/** One statement that assembles one instruction: its mnemonic. */
const STATEMENT = /^\s*a\.(\w+)\([^;]*\);/;
/** Names of one instruction, gdb's and the manual's, as one. */
const SAME: Readonly<Record<string, string>> = { movabs: 'mov', pushf: 'pushfq', popf: 'popfq', jc: 'jb', jnae: 'jb', jnc: 'jae', jnb: 'jae', jz: 'je', jnz: 'jne' };

interface Located { readonly functionName: string; readonly source: string; readonly line: number; readonly text: string; readonly instruction: string }

/** Every instruction of the functions, each with the source line that gdb puts above it. */
function disassemble(functions: readonly string[]): Located[] {
  const commands = functions.flatMap((name) => ['-ex', `disassemble /s ${name}`]);
  const { stdout } = spawnSync('gdb', ['-nx', '-batch', '-ex', 'set disassembly-flavor intel', ...commands, file], { encoding: 'utf8', timeout: 60_000, maxBuffer: 1 << 26 });
  const found: Located[] = [];
  let functionName = '', source = '', line = 0, text = '';
  for (const x of stdout.split('\n')) {
    const dump = /^Dump of assembler code for function (.*):$/.exec(x), path = /^(\S+\.ts):$/.exec(x), numbered = /^(\d+)\t(.*)$/.exec(x), instruction = /^ +0x[0-9a-f]+ <\+\d+>:\t(.*)$/.exec(x);
    if (dump) [functionName, source, line, text] = [dump[1] ?? '', '', 0, ''];
    else if (path) source = path[1] ?? '';
    else if (numbered) [line, text] = [Number(numbered[1]), numbered[2] ?? ''];
    else if (instruction) found.push({ functionName, source, line, text, instruction: instruction[1] ?? '' });
  }
  return found;
}

describe.skipIf(!has('gdb'))('gdb reads the kernel', () => {
  // The 32-bit functions of the boot stay out: gdb decodes them as 64-bit code.
  const lines = image.lines.filter((x) => x.kind === 'instruction' && x.section === '.text' && x.bits === 64);
  const starts = new Set(lines.map((x) => x.linear));
  const functions = [...image.symbols.values()].filter((x) => x.kind === 'function' && starts.has(x.linear)).map((x) => x.name);
  let located: Located[] = [];
  beforeAll(() => { located = disassemble(functions); });

  test('every instruction has a line, and gdb finds its text', () => {
    expect(located.length).toBe(lines.length);
    expect(located.filter((x) => x.line === 0 || !x.source.startsWith('src/kernel/'))).toEqual([]);
  });

  test('a line that says a.mov(...) stands above a MOV, and so for every mnemonic', () => {
    const statements = located.flatMap((x) => {
      const mnemonic = STATEMENT.exec(x.text)?.[1], shown = x.instruction.split(/\s/)[0] ?? '';
      return mnemonic === undefined ? [] : [{ at: `${x.source}:${x.line} in ${x.functionName}`, mnemonic: SAME[mnemonic] ?? mnemonic, shown: SAME[shown] ?? shown }];
    });
    expect(statements.length).toBeGreaterThan(1000);
    expect(statements.filter((x) => x.mnemonic !== x.shown)).toEqual([]);
  });
});

describe.skipIf(!has('readelf'))('readelf reads the call frames', () => {
  const { stdout, stderr } = spawnSync('readelf', ['--debug-dump=frames-interp', '--wide', file], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const names = new Map([...image.symbols.values()].map((x) => [x.linear as bigint, x.name]));
  /** The rows of each function: CFA and where the return address is. */
  const functions = stdout.split(/^[0-9a-f]{8} .* FDE /m).slice(1).map((x) => ({
    name: names.get(BigInt(`0x${/pc=([0-9a-f]+)/.exec(x)?.[1] ?? 0}`)),
    rows: [...x.matchAll(/^[0-9a-f]{16} (rsp\+\d+) .*?(c-8|u) *$/gm)].map((row) => ({ cfa: row[1], caller: row[2] })),
  }));

  test('without a complaint', () => {
    expect(stderr).toBe('');
    expect(functions.length).toBeGreaterThan(100);
  });

  test('what a function pushes it takes back before it returns; only the one that triple-faults never does', () => {
    const returning = functions.filter(({ rows }) => rows.length > 0 && rows.every((row) => row.caller === 'c-8'));
    expect(returning.length).toBeGreaterThan(50);
    expect(returning.filter(({ rows }) => rows.at(-1)?.cfa !== 'rsp+8').map((x) => x.name)).toEqual(['scenario_triple_fault']);
  });
});

describe.skipIf(!has('gdb', 'qemu-system-x86_64'))('gdb stops the kernel on QEMU', () => {
  test.each(['memory_map_read', 'pmm_alloc', 'page_fault', 'power_off'])('in %s, and shows the TypeScript that it is made of', (name) => {
    const { stdout, status } = spawnSync(SCRIPT, [file, name], { encoding: 'utf8', timeout: 90_000 });
    expect(status, stdout).toBe(0);
    expect(stdout).toContain(`breakpoint 1, ${name} () at src/kernel/`);
    const [, source = '', line = ''] = new RegExp(`breakpoint 1, ${name} \\(\\) at (src/kernel/\\S+\\.ts):(\\d+)\n`).exec(stdout) ?? [];
    const text = readFileSync(join(ROOT, source), 'utf8').split('\n');
    const here = Number(line) - 1;
    // From the line where it stopped back to the nearest function: it is this one.
    expect(text.slice(0, here + 1).findLast((x) => /k\.(func|code)\(/.test(x))).toContain(`'${name}'`);
    expect(stdout).toContain(`${line}\t${text[here]}`);
    expect(stdout).toContain(`${name} in section .text`);
    // Its caller is named too, with the line of the call.
    expect(stdout).toMatch(/#1 +0x[0-9a-f]+ in \w+ \(\) at src\/kernel\/\S+\.ts:\d+\n\d+\t.*call/);
  });

  test.each([
    ['console_put', ['console_put', 'console_format', 'console_print', 'kernel_main', 'long_mode']],
    ['fault_resolve', ['fault_resolve', 'page_fault', 'interrupt_dispatch', 'block_make', 'heap_initialise', 'heap_start', 'kernel_main', 'long_mode']],
  ])('in %s, and a backtrace names every caller, through the frame of an exception, back to who has none', (name, callers) => {
    const { stdout } = spawnSync(SCRIPT, [file, name], { encoding: 'utf8', timeout: 90_000 });
    const first = [...stdout.matchAll(/^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(\) at src\/kernel\//gm)].map((x) => x[1]).slice(0, callers.length + 1);
    // `frame 1` follows the backtrace: it repeats the first caller.
    expect(first).toEqual([...callers, callers[1]]);
  });
});

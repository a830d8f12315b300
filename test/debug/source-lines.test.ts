/** Source lines from DWARF line tables: our assembler's, gcc's, and what is damaged. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sourceMapResolver } from '../../src/cli/source-maps.ts';
import { buildKernel, kernelElf } from '../../src/kernel/index.ts';
import { readSourceLines } from '../../src/debug/source-lines.ts';
import { Random, seedOf } from '../support/random.ts';

const image = buildKernel({ resolveLocation: sourceMapResolver() }), file = kernelElf(image);

describe('the guest kernel\'s line table', () => {
  it('says of every instruction what the assembler knows', () => {
    const lines = readSourceLines(file);
    expect(lines.problem).toBeUndefined();
    const instructions = image.lines.filter(({ kind, source }) => kind === 'instruction' && source.line > 0);
    expect(instructions.length).toBeGreaterThan(1000);
    const wrong = instructions.filter(({ linear, source }) => {
      const found = lines.at(linear);
      return found?.file !== source.file || found.line !== source.line;
    });
    expect(wrong).toEqual([]);
  });

  it('knows no line behind its end', () => expect(readSourceLines(file).at(0xffff_ffff_ffff_0000n)).toBeUndefined());
});

describe.skipIf(spawnSync('gcc', ['--version']).error !== undefined)('a C compiler\'s line table', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longmode-lines-'));
  beforeAll(() => writeFileSync(join(folder, 'main.c'), 'int zeroes[100];\nint twice(int x) {\n  return 2 * x;\n}\nvoid _start(void) {\n  twice(21);\n  for (;;);\n}\n'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([2, 3, 4, 5])('of DWARF version %i names file and line', (version) => {
    const out = join(folder, `v${version}`);
    execFileSync('gcc', [`-gdwarf-${version}`, '-O0', '-ffreestanding', '-nostdlib', '-static', '-Wl,-Ttext=0x200000', '-Wl,--build-id=none', '-o', out, 'main.c'], { cwd: folder });
    const lines = readSourceLines(readFileSync(out));
    expect(lines.problem).toBeUndefined();
    const first = lines.at(0x20_0000n);
    expect(first).toMatchObject({ line: 2, begins: true });
    expect(first!.file).toMatch(/main\.c$/);
    const seen = new Set(Array.from({ length: 64 }, (_, n) => lines.at(0x20_0000n + BigInt(n))?.line));
    for (const line of [2, 3, 4, 5, 6, 7]) expect(seen).toContain(line);
  });
});

describe('a damaged file', () => {
  it('ends in words and never in an exception', () => {
    const random = new Random(seedOf('source lines'));
    for (let n = 0; n < 150; n++) {
      const damaged = Uint8Array.from(file);
      for (let k = 0; k < 40; k++) damaged[random.below(damaged.length)] = random.below(256);
      expect(() => readSourceLines(damaged)).not.toThrow();
      expect(() => readSourceLines(damaged.subarray(0, random.below(damaged.length)))).not.toThrow();
    }
  });
});

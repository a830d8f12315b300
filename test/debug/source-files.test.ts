/** Which text belongs to a line table's file, where the paths differ; and what `debug --source` reads for an image. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readSources } from '../../src/cli/source-files.ts';
import { SourceFiles } from '../../src/debug/source-files.ts';
import { SourceLines } from '../../src/debug/source-lines.ts';
import { temporaryFolder } from '../support/cli.ts';

describe('a source file', () => {
  it('is found by the end of its path', () => {
    const files = new SourceFiles({ 'linux/mm/fault.c': 'one\ntwo', 'linux/arch/x86/mm/fault.c': 'x86' });
    expect(files.line('/build/linux-6.1/arch/x86/mm/fault.c', 1)).toBe('x86');
    expect(files.line('/build/linux-6.1/mm/./fault.c', 2)).toBe('two');
    expect(files.line('/build/x/../mm/fault.c', 3)).toBeUndefined();
  });
  it('that may be one of two is none of them', () => {
    const files = new SourceFiles({ 'a/main.c': 'a', 'b/main.c': 'b' });
    expect(files.line('/build/main.c', 1)).toBeUndefined();
    expect(files.line('/build/b/main.c', 1)).toBe('b');
  });
  it('that comes later counts too', () => {
    const files = new SourceFiles();
    expect(files.line('main.c', 1)).toBeUndefined();
    files.add({ 'k/main.c': 'int x;' });
    expect(files.line('main.c', 1)).toBe('int x;');
  });
});

describe('debug --source', () => {
  it('reads what the line table names, and nothing from outside the folder', () => {
    const outside = temporaryFolder(), folder = join(outside, 'source');
    mkdirSync(join(folder, 'mm'), { recursive: true });
    writeFileSync(join(folder, 'mm/heap.c'), 'heap');
    writeFileSync(join(outside, 'secret'), 'secret');
    symlinkSync(join(outside, 'secret'), join(folder, 'link.c'));
    const names = ['/build/kernel/mm/heap.c', '../secret', `${outside}/secret`, 'link.c', 'none.c', 'mm', ''];
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(readSources(folder, new SourceLines(names.map((file, n) => ({ file, line: 1, address: BigInt(n), ends: false }))))).toEqual({ '/build/kernel/mm/heap.c': 'heap' });
      expect(said).toHaveBeenCalledWith(`longmode: 1 of the 7 source files of IMAGE are in ${folder}\n`);
    } finally {
      said.mockRestore();
    }
    expect(() => readSources(join(folder, 'none'), new SourceLines())).toThrow('there is no such folder');
  });
});

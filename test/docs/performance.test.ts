/** docs/PERFORMANCE.md shows what the translator really writes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

it('the WebAssembly in PERFORMANCE.md is the inner loop of the golden file', () => {
  const shown = /```wat\n([^`]*)```/.exec(read('../../docs/PERFORMANCE.md'))?.[1] ?? '';
  const golden = read('../golden/emission/store-loop.wat').split('\n');
  const from = golden.findLastIndex((line) => line.trim() === 'loop');
  const indent = golden[from]!.indexOf('loop');
  const to = golden.findIndex((line, n) => n > from && line === `${' '.repeat(indent)}end`);
  expect(shown.trimEnd().split('\n')).toEqual(golden.slice(from, to + 1).map((line) => line.slice(indent)));
});

/** docs/PERFORMANCE.md shows what the translator really writes. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const dedented = (lines: readonly string[]): string[] => {
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
};

it('the WebAssembly in PERFORMANCE.md is in the golden file, piece by piece', () => {
  const shown = /```wat\n([^`]*)```/.exec(read('../../docs/PERFORMANCE.md'))?.[1] ?? '';
  const pieces = shown.trimEnd().split(/\n *\.\.\.\n/).map((piece) => piece.split('\n'));
  const golden = read('../golden/emission/store-loop.wat').trimEnd().split('\n');
  expect(pieces.map((piece) => piece.length > 20)).toEqual([true, true]);
  let from = golden.findLastIndex((line) => line.trim() === 'loop');
  for (const piece of pieces) {
    while (from + piece.length <= golden.length && dedented(golden.slice(from, from + piece.length)).join('\n') !== dedented(piece).join('\n')) from++;
    expect(golden.slice(from, from + piece.length), `the piece that begins with ${piece[0]}, ${piece[1]}`).toHaveLength(piece.length);
    from += piece.length;
  }
});

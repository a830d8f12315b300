/** docs/MSRS.md names every register of the source, and no other. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MSR } from '../../src/cpu/msr.ts';

test('docs/MSRS.md lists the model-specific registers', () => {
  const rows = readFileSync(new URL('../../docs/MSRS.md', import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('| '));
  const named = rows.flatMap((row) => row.split('|')[1]!.match(/\b[A-Z][A-Z0-9_]+[A-Z0-9]\b/g) ?? []);
  expect(named.toSorted()).toEqual(Object.keys(MSR).toSorted());
});

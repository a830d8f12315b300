import { expect, test } from 'vitest';
import { ROWS } from '../../src/cpu/isa/table/index.ts';

test('no two rows are the same line', () => {
  const seen = new Set<string>();
  for (const row of ROWS) {
    const key = `${row.text} = ${row.encodingText} (${row.modes} ${row.size})`;
    expect(seen.has(key), key).toBe(false);
    seen.add(key);
  }
});

/** What the page's time line is told of. */
import { describe, expect, it } from 'vitest';
import { al, assemble, cr3, dword, dx, ebx, esi } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { marksView } from '../../src/debugger/worker/time-view.ts';
import { Machine } from '../../src/machine/machine.ts';

const FROM = 0x20_0000, BYTES = 8 << 20, BUCKETS = 50;

describe('marks of a history whose beginning has moved', () => {
  it('are those that can be gone to, and no more than one of a kind in a stretch', () => {
    const machine = new Machine({ memoryBytes: 16 << 20 });
    machine.load(assemble((a) => {
      a.mov(dx, 0x3f8);
      a.xor(esi, esi);
      a.label('again');
      a.mov(ebx, FROM);
      a.label('fill');
      a.inc(dword(ebx));
      a.add(ebx, 4096);
      a.mov(cr3, esi);
      a.mov(al, 'x'.charCodeAt(0));
      a.out(dx, al);
      a.cmp(ebx, FROM + BYTES);
      a.jb('fill');
      a.jmp('again');
    }, { bits: 32, origin: 0x10_0000 }).bytes, { flat: { loadAddress: 0x10_0000, entry: 0x10_0000, bits: 32 } });
    const debug = new Debugger(machine, { budgetBytes: 4 << 20 });
    debug.continue(300_000);
    const start = debug.history.start.retired;
    expect(start).toBeGreaterThan(0);
    expect(debug.history.records.events.filter(({ at }) => at.retired < start).length).toBeGreaterThan(BUCKETS);
    const marks = marksView(debug, { buckets: BUCKETS });
    expect(marks.filter(({ at }) => at < start)).toEqual([]);
    for (const kind of ['cr3', 'output'] as const) {
      const count = marks.filter((mark) => mark.kind === kind).length;
      expect(count).toBeGreaterThan(0);
      expect(count).toBeLessThanOrEqual(BUCKETS + 1);
    }
  });
});

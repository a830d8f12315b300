/** What a terminal that draws slowly is given: everything in its order, and never more waits than may. */
import { describe, expect, it } from 'vitest';
import { Paced } from '../../src/debugger/page/paced.ts';

const MOST = 100;

/** A terminal that draws when it is told to. */
class Slow {
  shown = '';
  /** Pieces given to it that it has not drawn. */
  pending: (() => void)[] = [];
  write(data: Uint8Array | string, done: () => void): void {
    this.pending.push(() => {
      this.shown += typeof data === 'string' ? data : new TextDecoder().decode(data);
      done();
    });
  }
  reset(): void { this.shown = ''; }
  draw(): void { while (this.pending.length > 0) this.pending.shift()!(); }
}
const piece = (text: string, more: Partial<{ replaces: boolean; repeats: boolean }> = {}): Parameters<Paced['write']>[0] => ({ bytes: new TextEncoder().encode(text), replaces: false, repeats: false, ...more });

describe('a terminal', () => {
  it('gets one piece at a time, in their order', () => {
    const terminal = new Slow(), output = new Paced(terminal, MOST);
    for (const text of ['one ', 'two ', 'three']) output.write(piece(text));
    expect(terminal.pending).toHaveLength(1);
    terminal.draw();
    expect(terminal.shown).toBe('one two three');
    output.write(piece('!'));
    terminal.draw();
    expect(terminal.shown).toBe('one two three!');
  });
  it('that draws nothing for long has the last of it waiting, and says how much is left out', () => {
    const terminal = new Slow(), output = new Paced(terminal, MOST);
    for (let n = 0; n < 1000; n++) output.write(piece(`${n % 10}`.repeat(7)));
    terminal.draw();
    // The first piece was being drawn; of the others a hundred bytes stay, which begin in the middle of one.
    expect(terminal.shown).toBe(`[6,893 bytes came faster than they could be shown]\n55${[6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `${n}`.repeat(7)).join('')}`);
  });
  it('keeps the end of a piece that is too long alone', () => {
    const terminal = new Slow(), output = new Paced(terminal, MOST);
    output.write(piece('a'));
    output.write(piece(`${'b'.repeat(500)}${'c'.repeat(MOST)}`));
    terminal.draw();
    expect(terminal.shown).toBe(`[500 bytes came faster than they could be shown]\n${'c'.repeat(MOST)}`);
  });
  it('forgets what waits where another moment takes its place', () => {
    const terminal = new Slow(), output = new Paced(terminal, MOST);
    for (let n = 0; n < 50; n++) output.write(piece('present '));
    output.write(piece('past', { replaces: true, repeats: true }));
    terminal.draw();
    expect(terminal.shown).toBe('past');
  });
  it('knows what has been shown before while that is drawn, and no longer', () => {
    const seen: [string, boolean][] = [], later: (() => void)[] = [];
    const output = new Paced({ reset: () => {}, write: (data, done) => later.push(() => { seen.push([new TextDecoder().decode(data as Uint8Array), output.repeats]); done(); }) }, MOST);
    output.write(piece('again', { repeats: true }));
    output.write(piece('new'));
    while (later.length > 0) later.shift()!();
    expect(seen).toEqual([['again', true], ['new', false]]);
  });
});

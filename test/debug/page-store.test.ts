/** Copies of frames take no more of the host's memory than the most of them that there were at once. */
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/debug/history/page-store.ts';

const PAGE_WORDS = 1024, SLAB_BYTES = 4 << 20;

describe('a store of pages', () => {
  it('gives each copy back as it was kept, from whatever slab', () => {
    const store = new PageStore(), source = new Uint32Array(2 * PAGE_WORDS);
    const pages = Array.from({ length: 1500 }, (_, n) => {
      source.fill(n, PAGE_WORDS);
      return store.keep(source, PAGE_WORDS);
    });
    for (const [n, page] of pages.entries()) {
      source.fill(n, PAGE_WORDS);
      expect([store.holds(page, source, PAGE_WORDS), store.words(page).every((word) => word === n), store.holds(page, source.fill(n + 1, PAGE_WORDS + 1023), PAGE_WORDS)]).toEqual([true, true, false]);
      const again = store.keepAgain(page);
      expect(store.holds(again, source.fill(n, PAGE_WORDS), PAGE_WORDS)).toBe(true);
      store.release(again);
    }
  });
  it('uses a released page again before it asks for more', () => {
    const store = new PageStore(), source = new Uint32Array(PAGE_WORDS);
    for (let round = 0; round < 10; round++) for (const page of Array.from({ length: 1024 }, () => store.keep(source, 0))) store.release(page);
    expect(store.reservedBytes).toBe(SLAB_BYTES);
    for (let n = 0; n < 1025; n++) store.keep(source, 0);
    expect(store.reservedBytes).toBe(2 * SLAB_BYTES);
  });
});

/** Links to a moment: what they hold comes back, and one that is not whole says so. */
import { describe, expect, it } from 'vitest';
import { fragmentOf, linkFragment, linkIn } from '../../src/debugger/page/link.ts';

const DATA = { fingerprint: 0x98da0c, at: { retired: 1234567, deliveries: 89, idleTime: -5 }, log: { events: [{ at: { retired: 3 }, bytes: [104, 105] }] } };
const BOOKMARKS = [{ retired: 1000, deliveries: 0, idleTime: 0 }, { retired: 2000, deliveries: 7, idleTime: 11 }];
const FRAGMENT = linkFragment(DATA, BOOKMARKS);
const problemOf = (fragment: string): string => {
  const link = linkIn(fragment);
  return link !== undefined && 'problem' in link ? link.problem : '';
};

describe('a link to a moment', () => {
  it('leads to its moment, with its log and bookmarks', () => {
    expect(linkIn(`#${FRAGMENT}`)).toEqual({ ...DATA, bookmarks: BOOKMARKS });
  });
  it('has no log where there is no input', () => {
    const fragment = linkFragment({ ...DATA, log: { events: [] } }, []);
    expect(fragment).not.toContain('log=');
    expect(linkIn(fragment)).toEqual({ ...DATA, log: { events: [] }, bookmarks: [] });
  });
  it('says so wherever it is cut off', () => {
    for (let length = 'check'.length; length < FRAGMENT.length; length++) expect(problemOf(FRAGMENT.slice(0, length)), FRAGMENT.slice(0, length)).toMatch(/^the link in the address is damaged \(.*\): the run begins anew$/);
  });
  it('says so where one of its parts is missing, or a digit is another', () => {
    for (const name of ['check', 'image', 'at', 'bookmarks', 'log']) {
      const parts = new URLSearchParams(FRAGMENT);
      parts.delete(name);
      expect(problemOf(parts.toString()), name).toContain('its checksum says');
    }
    expect(problemOf(FRAGMENT.replace('at=1', 'at=2'))).toContain('its checksum says');
  });
  it('is read as well where its characters have been written otherwise on the way', () => {
    expect(linkIn(FRAGMENT.replaceAll('+', '%20'))).toEqual({ ...DATA, bookmarks: BOOKMARKS });
  });
  it.each([
    [{ image: '98da0c', at: '1000.0.0' }, 'image= is not eight hexadecimal digits'], [{ image: '0098da0c', at: 'abc' }, 'at= is not a moment'], [{ image: '0098da0c' }, 'at= is not a moment'],
    [{ image: '0098da0c', at: '1000.0.0', log: 'eyJldmVudH' }, 'log= is no log of input'], [{ image: '0098da0c', at: '1000.0.0', log: '%%%' }, 'log= is no log of input'],
  ])('that is whole and makes no sense says what: %o', (parts, problem) => {
    expect(problemOf(fragmentOf(new URLSearchParams(parts as unknown as Record<string, string>)))).toContain(problem);
  });
});

describe('an address without a link', () => {
  it.each(['', '#', '#section-3', '#check'.slice(0, 4)])('%s asks for nothing', (fragment) => { expect(linkIn(fragment)).toBeUndefined(); });
});

/** What is mapped: a picture of physical memory by who maps it, and the ranges of the address space. */
import type { MapData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

/** Ranges that are listed. */
const MOST_ROWS = 600;

export class MapPane implements Pane {
  readonly name = 'Map';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll padded' });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#body);
    rove(this.#body, { items: 'tr[tabindex]' });
  }

  async refresh(): Promise<void> { this.#draw(await this.#page.client.ask('map')); }

  #draw({ mode, ranges, truncated }: MapData): void {
    const largest = ranges.reduce((most, { bytes }) => (bytes > most ? bytes : most), 1n);
    replaceContent(this.#body, [
      h('p', { class: 'walk-title' }, `${mode}: ${ranges.length}${truncated ? ' and more' : ''} ranges, ${size(ranges.reduce((sum, { bytes }) => sum + bytes, 0n))} mapped`),
      h('table', { class: 'ranges', 'aria-label': 'Mapped ranges' },
        h('thead', {}, h('tr', {}, ...['linear', 'size', 'rights', 'physical', ''].map((title) => h('th', { scope: 'col' }, title)))),
        h('tbody', {}, ...ranges.slice(0, MOST_ROWS).map(({ from, bytes, physical, pageSize, rights, name, also }) => h('tr', { 'tabindex': -1, 'data-key': hex(from), 'onclick': () => this.#page.show('paging', from) },
          h('td', {}, h('code', {}, hex(from, 16))),
          h('td', {}, h('span', { class: 'size-bar', style: `--part: ${Math.max(0.02, Math.log2(Number(bytes)) / Math.log2(Number(largest) + 1))}` }), size(bytes), h('span', { class: 'note' }, ` in ${pageSize}`)),
          h('td', {}, ...rights.split('').map((right, n) => h('span', { class: `right ${right === '-' ? '' : 'set'}`, title: ['user', 'writable', 'executable', 'global'][n] }, right === '-' ? '·' : right))),
          h('td', {}, h('code', {}, hex(physical))),
          h('td', { class: 'note', title: also.length === 0 ? undefined : `the same frames at ${also.map((at) => hex(at)).join(', ')}` }, [name, also[0] === undefined ? undefined : `= ${hex(also[0])}${also.length > 1 ? ' and others' : ''}`].filter((it) => it !== undefined).join('; ')))))),
      ranges.length > MOST_ROWS ? h('p', { class: 'note' }, `${ranges.length - MOST_ROWS} more ranges are not listed.`) : '']);
  }
}

export function size(bytes: bigint): string {
  for (const [unit, shift] of [['TiB', 40n], ['GiB', 30n], ['MiB', 20n], ['KiB', 10n]] as const) {
    if (bytes >= 1n << shift) return `${Number((bytes * 100n) >> shift) / 100} ${unit}`;
  }
  return `${bytes} bytes`;
}

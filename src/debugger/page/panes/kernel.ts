/** The guest kernel's own memory: frames as a picture, regions, heap blocks, page faults over time. */
import type { KernelData } from '../../messages.ts';
import { grouped, h, hex, replaceContent, svg } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';
import { FramesPicture } from './frames-picture.ts';

const MOST_BLOCKS = 400;

export class KernelPane implements Pane {
  readonly name = 'Kernel';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll padded' });
  readonly #frames: FramesPicture;

  constructor(page: Page) {
    this.#page = page;
    this.#frames = new FramesPicture(page);
    this.element = h('div', { class: 'tab-body' }, this.#body);
    rove(this.#body, { items: '.link, .block', rows: 'tr, .heap' });
  }

  async refresh(): Promise<void> {
    const { frames, lists, blocks, faults, problem } = await this.#page.client.ask('kernel');
    if (frames !== undefined) this.#frames.draw(frames);
    replaceContent(this.#body, [
      ...(problem === undefined ? [] : [h('p', { class: 'note' }, problem)]),
      ...(frames === undefined ? [] : this.#frames.elements),
      ...lists.flatMap((list) => this.#list(list)),
      ...blocks.flatMap((heap) => this.#blocks(heap)),
      h('h3', {}, 'Page faults over time', h('span', { class: 'note' }, ` ${grouped(sum(faults))}, at most ${grouped(Math.max(0, ...faults))} to a bar`)), bars(faults)]);
  }

  #list({ name, columns, rows, truncated }: KernelData['lists'][number]): HTMLElement[] {
    return [
      h('h3', {}, name, h('span', { class: 'note' }, ` ${rows.length}${truncated ? ' and more' : ''}`)),
      h('table', { class: 'ranges', 'aria-label': name }, h('thead', {}, h('tr', {}, ...columns.map((title) => h('th', { scope: 'col' }, title)))),
        h('tbody', {}, ...rows.map((row) => h('tr', { 'data-key': `${name}${row[0]?.text}` }, ...row.map(({ value, text, address }) => h('td', {}, address ? h('button', { class: 'link', onclick: () => this.#page.show('paging', value) }, text) : h('code', {}, text))))))),
    ];
  }

  #blocks({ name, blocks, problem }: KernelData['blocks'][number]): HTMLElement[] {
    const shown = blocks.slice(0, MOST_BLOCKS);
    return [
      h('h3', {}, name, h('span', { class: 'note' }, ` ${blocks.length} block${blocks.length === 1 ? '' : 's'}, ${blocks.filter(({ state }) => state === 'free').length} free`)),
      ...(problem === undefined ? [] : [h('p', { class: 'problem' }, problem)]),
      h('div', { class: 'heap', 'aria-label': `${name}: blocks` }, ...shown.map(({ at, bytes, state }) => h('button', {
        'data-key': `${name}${at}`, 'class': `block ${state}`, 'style': `flex-grow: ${Math.max(1, Math.log2(Number(bytes) + 1))}`, 'title': `${hex(at)}: ${bytes} bytes, ${state}`, 'aria-label': `${state} block of ${bytes} bytes at ${hex(at)}`, 'onclick': () => this.#page.show('memory', at),
      }, bytes < 10_000n ? String(bytes) : `${bytes >> 10n}K`))),
      ...(blocks.length > shown.length ? [h('p', { class: 'note' }, `${blocks.length - shown.length} more are not shown.`)] : []),
    ];
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

function bars(counts: readonly number[]): SVGElement {
  const most = Math.max(1, ...counts);
  return svg('svg', { 'class': 'bars', 'viewBox': `0 0 ${counts.length} 24`, 'preserveAspectRatio': 'none', 'role': 'img', 'aria-label': `${sum(counts)} page faults, at most ${most} in one of ${counts.length} stretches` },
    ...counts.map((count, n) => svg('rect', { x: n + 0.1, width: 0.8, y: 24 - (24 * count) / most, height: (24 * count) / most })));
}

/** The guest kernel's own memory: frames as a picture, regions, heap blocks, page faults over time. */
import type { FramesData, KernelData } from '../../messages.ts';
import { grouped, h, hex, svg } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';

const COLUMNS = 256, MOST_CELLS = 32_768, MOST_BLOCKS = 400;
const KINDS = ['free', 'used', 'page table', 'zero page'] as const;

export class KernelPane implements Pane {
  readonly name = 'Kernel';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll padded' });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#body);
  }

  async refresh(): Promise<void> {
    const { frames, lists, blocks, faults, problem } = await this.#page.client.ask('kernel');
    this.#body.replaceChildren(
      ...(problem === undefined ? [] : [h('p', { class: 'note' }, problem)]),
      ...(frames === undefined ? [] : this.#frames(frames)),
      ...lists.flatMap((list) => this.#list(list)),
      ...blocks.flatMap((heap) => this.#blocks(heap)),
      h('h3', {}, 'Page faults over time'), bars(faults));
  }

  /** A cell for each frame, or for as many as fit: then the rarest kind among them shows. */
  #frames({ kinds, free, tables }: FramesData): HTMLElement[] {
    const each = Math.max(1, Math.ceil(kinds.length / MOST_CELLS)), cells = Math.ceil(kinds.length / each), rows = Math.ceil(cells / COLUMNS);
    const canvas = h('canvas', { width: COLUMNS, height: Math.max(1, rows), class: 'frames-picture', role: 'img', 'aria-label': `${kinds.length} frames, ${free} free, ${tables} hold page tables` });
    const context = canvas.getContext('2d')!, image = context.createImageData(COLUMNS, Math.max(1, rows)), colors = KINDS.map((kind) => colorOf(`frame-${kind.replace(' ', '-')}`));
    for (let cell = 0; cell < cells; cell++) {
      let kind = 0;
      for (let frame = cell * each; frame < Math.min(kinds.length, (cell + 1) * each); frame++) kind = Math.max(kind, kinds[frame]!);
      image.data.set(colors[kind]!, cell * 4);
    }
    context.putImageData(image, 0, 0);
    canvas.addEventListener('click', (event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const cell = Math.floor(((event.clientY - top) / height) * rows) * COLUMNS + Math.floor(((event.clientX - left) / width) * COLUMNS);
      if (cell * each < kinds.length) this.#page.show('physical', BigInt(cell * each) * 4096n);
    });
    return [
      h('h3', {}, 'Physical frames', h('span', { class: 'note' }, ` ${grouped(kinds.length)}, ${grouped(free)} free, ${grouped(tables)} page tables${each === 1 ? '' : `; ${each} to a cell`}`)),
      canvas, h('p', { class: 'legend' }, ...KINDS.map((kind) => h('span', { class: `key frame-${kind.replace(' ', '-')}` }, kind))),
    ];
  }

  #list({ name, columns, rows, truncated }: KernelData['lists'][number]): HTMLElement[] {
    return [
      h('h3', {}, name, h('span', { class: 'note' }, ` ${rows.length}${truncated ? ' and more' : ''}`)),
      h('table', { class: 'ranges', 'aria-label': name }, h('thead', {}, h('tr', {}, ...columns.map((title) => h('th', { scope: 'col' }, title)))),
        h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map(({ value, text, address }) => h('td', {}, address ? h('button', { class: 'link', onclick: () => this.#page.show('paging', value) }, text) : h('code', {}, text))))))),
    ];
  }

  #blocks({ name, blocks, problem }: KernelData['blocks'][number]): HTMLElement[] {
    const shown = blocks.slice(0, MOST_BLOCKS);
    return [
      h('h3', {}, name, h('span', { class: 'note' }, ` ${blocks.length} blocks, ${blocks.filter(({ state }) => state === 'free').length} free`)),
      ...(problem === undefined ? [] : [h('p', { class: 'problem' }, problem)]),
      h('div', { class: 'heap', 'aria-label': `${name}: blocks` }, ...shown.map(({ at, bytes, state }) => h('button', {
        class: `block ${state}`, style: `flex-grow: ${Math.max(1, Math.log2(Number(bytes) + 1))}`, title: `${hex(at)}: ${bytes} bytes, ${state}`, 'aria-label': `${state} block of ${bytes} bytes at ${hex(at)}`, onclick: () => this.#page.show('memory', at),
      }, bytes < 10_000n ? String(bytes) : `${bytes >> 10n}K`))),
      ...(blocks.length > shown.length ? [h('p', { class: 'note' }, `${blocks.length - shown.length} more are not shown.`)] : []),
    ];
  }
}

/** A colour of the style sheet as four bytes. */
function colorOf(name: string): readonly number[] {
  const probe = h('i', { class: `key ${name}` });
  document.body.append(probe);
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  context.fillStyle = getComputedStyle(probe).getPropertyValue('border-left-color');
  probe.remove();
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
}

function bars(counts: readonly number[]): SVGElement {
  const most = Math.max(1, ...counts);
  return svg('svg', { 'class': 'bars', 'viewBox': `0 0 ${counts.length} 24`, 'preserveAspectRatio': 'none', 'role': 'img', 'aria-label': `${counts.reduce((a, b) => a + b, 0)} page faults, at most ${most} in one of ${counts.length} stretches` },
    ...counts.map((count, n) => svg('rect', { x: n + 0.1, width: 0.8, y: 24 - (24 * count) / most, height: (24 * count) / most })));
}

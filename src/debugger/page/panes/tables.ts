/** IDT, GDT, LDT and TSS, decoded; what is wrong is marked. */
import type { TableData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

export class TablesPane implements Pane {
  readonly name = 'Descriptors';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll padded' });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#body);
    rove(this.#body, { items: '.link' });
  }

  async refresh(): Promise<void> { replaceContent(this.#body, (await this.#page.client.ask('tables')).flatMap((table) => this.#table(table))); }

  #table({ name, base, limit, rows, problem }: TableData): HTMLElement[] {
    return [
      h('h3', {}, name, h('span', { class: 'note' }, ` base ${hex(base)}, limit ${hex(limit)}${rows.length === 0 ? ': empty' : ''}`)),
      ...(problem === undefined ? [] : [h('p', { class: 'problem' }, problem)]),
      h('table', { class: 'ranges', 'aria-label': name }, h('tbody', {}, ...rows.map(({ index, name: label, value, text, target, problem: wrong }) => h('tr', { 'class': wrong === undefined ? undefined : 'stale', 'data-key': `${name}${index}` },
        h('td', {}, index), h('td', {}, h('b', {}, label)), h('td', {}, h('code', {}, hex(value, 16))),
        h('td', {}, target === undefined ? text : h('button', { class: 'link', onclick: () => this.#page.show('code', target) }, text), wrong === undefined ? undefined : h('span', { class: 'bad' }, ` ${wrong}`)))))),
    ];
  }
}

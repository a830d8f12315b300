/** The post-mortem: how one exception led to the next, with a way to the walk of each page fault. */
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';

export class StoryPane implements Pane {
  readonly name = 'Post-mortem';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #faults = h('div', { class: 'bar', hidden: true });
  readonly #text = h('pre', { class: 'scroll padded story', tabindex: 0 });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#faults, this.#text);
  }

  async refresh(): Promise<void> {
    const { text, faults } = await this.#page.client.ask('story');
    this.#text.textContent = text;
    this.#faults.hidden = faults.length === 0;
    replaceContent(this.#faults, ['Page faults:', ...faults.map((address) => h('button', { 'class': 'link', 'title': 'Walk this address', 'data-key': hex(address), 'onclick': () => this.#page.show('paging', address) }, `CR2 ${hex(address)}`))]);
  }
}

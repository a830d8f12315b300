/** The post-mortem: how one exception led to the next. */
import { h } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';

export class StoryPane implements Pane {
  readonly name = 'Post-mortem';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #text = h('pre', { class: 'scroll padded story', tabindex: 0 });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#text);
  }

  async refresh(): Promise<void> { this.#text.textContent = await this.#page.client.ask('story'); }
}

/** Who called whom, and the stack itself with what its values are. */
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

export class StackPane implements Pane {
  readonly name = 'Stack';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll two' });

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#body);
    rove(this.#body, { items: '.frame' });
  }

  async refresh(): Promise<void> {
    const { frames, slots, size } = await this.#page.client.ask('stack');
    replaceContent(this.#body, [
      h('ol', { class: 'frames', 'aria-label': 'Frames' }, ...frames.map(({ rip, by, name, source }) => h('li', {},
        h('button', { class: 'frame', onclick: () => this.#page.show('code', rip) }, h('span', { class: 'name' }, name ?? hex(rip)), h('span', { class: 'note' }, [source ?? (name === undefined ? '' : hex(rip)), by === 'event' ? 'interrupted here' : ''].filter((text) => text !== '').join(' · ')))))),
      h('div', { class: 'slots', 'aria-label': 'Stack' }, ...slots.map(({ address, value, note }) => h('div', {}, h('span', { class: 'at' }, hex(address, 8)), h('code', {}, hex(value, 2 * size)), h('span', { class: 'note' }, note ?? ''))))]);
  }
}

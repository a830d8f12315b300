/** What the machine stops at: a list, and a line to add to it in the prompt's words. */
import type { StatusData } from '../../messages.ts';
import { h, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';

const EXAMPLES = ['#PF', '#PF 2', 'write rsp,8', 'cr 3', 'interrupt', 'port 0x3f8', 'privilege', 'tlb', 'pte rip', 'count 1000000', 'console "text"', 'page_fault if rax == 3'];

export class BreakpointsPane implements Pane {
  readonly name = 'Breakpoints';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #text: HTMLInputElement;
  readonly #list = h('div', { class: 'scroll breakpoints', role: 'list', 'aria-label': 'Breakpoints' });

  constructor(page: Page) {
    this.#page = page;
    this.#text = h('input', { class: 'address', placeholder: 'symbol, #PF, write ADDRESS,8, cr 3 … if CONDITION', 'aria-label': 'New breakpoint', list: 'break-examples', spellcheck: 'false', autocomplete: 'off' });
    this.element = h('div', { class: 'tab-body' },
      h('form', { class: 'bar', onsubmit: (event: Event) => {
        event.preventDefault();
        page.attempt(page.client.ask('break', { text: this.#text.value }).then(() => { this.#text.value = ''; }));
      } }, this.#text, h('button', { class: 'quiet' }, 'Add'), h('datalist', { id: 'break-examples' }, ...EXAMPLES.map((value) => h('option', { value })))),
      h('p', { class: 'note padded' }, 'A read or write of an address is seen through that linear address only, not through another mapping of the same frame: write phys ADDRESS sees all.'),
      this.#list);
  }

  async refresh({ breakpoints }: StatusData): Promise<void> {
    const { client } = this.#page;
    replaceContent(this.#list, [...breakpoints.map(({ id, text, enabled, hits }) => h('div', { class: 'breakpoint', role: 'listitem', 'data-key': id },
      h('input', { type: 'checkbox', checked: enabled, 'aria-label': `Breakpoint ${id} is on`, onchange: () => this.#page.attempt(client.ask('break', { enable: id, enabled: !enabled })) }),
      h('span', {}, text), h('span', { class: 'note' }, hits === 0 ? '' : `${hits} hit${hits === 1 ? '' : 's'}`),
      h('button', { class: 'quiet', 'aria-label': `Remove breakpoint ${id}`, onclick: () => this.#page.attempt(client.ask('break', { remove: id })) }, 'Remove'))),
    ...(breakpoints.length === 0 ? [h('p', { class: 'note padded' }, 'None. F9 sets one at the line under the cursor.')] : [])]);
  }
}

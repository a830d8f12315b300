/** The registers: what changed since the last stop is marked; a click edits. */
import type { RegisterData, RegisterGroup, StatusData } from '../../messages.ts';
import { h, hex } from '../dom.ts';
import { showMenu, type MenuItems } from '../menu.ts';
import type { Page, Pane } from '../pane.ts';

/** Groups that are open at first. */
const OPEN = new Set(['General', 'Flags', 'Control', 'Segments']);

export class RegistersPane implements Pane {
  readonly name = 'Registers';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll registers' });
  readonly #open = new Set(OPEN);
  #before = new Map<string, bigint>();
  #moment = '';
  #groups: readonly RegisterGroup[] = [];
  #values = new Map<string, bigint>();

  constructor(page: Page) {
    this.#page = page;
    this.element = h('section', { class: 'pane', 'aria-label': 'Registers' }, h('header', {}, h('h2', {}, 'Registers')), this.#body);
  }

  async refresh({ now }: StatusData): Promise<void> {
    this.#groups = await this.#page.client.ask('registers');
    const moment = `${now.retired}+${now.deliveries}`;
    if (moment !== this.#moment) this.#before = this.#values;
    this.#moment = moment;
    this.#values = new Map(this.#groups.flatMap(({ registers }) => registers.map(({ name, value }) => [name, value] as const)));
    this.#body.replaceChildren(...this.#groups.map((group) => this.#group(group)));
  }

  #group({ name, registers }: RegisterGroup): HTMLElement {
    const details = h('details', { open: this.#open.has(name) }, h('summary', {}, name), h('div', { class: 'table' }, ...registers.flatMap((register) => this.#register(register))));
    details.addEventListener('toggle', () => { if (details.open) this.#open.add(name); else this.#open.delete(name); });
    return details;
  }

  #register({ name, bits, value, editable, note, flags }: RegisterData): HTMLElement[] {
    const before = this.#before.get(name), changed = before !== undefined && before !== value;
    const text = hex(value, bits / 4);
    const field = h(editable ? 'button' : 'span', {
      class: `value${changed ? ' changed' : ''}${bits > 128 ? ' wide' : ''}`, title: changed ? `was ${hex(before, bits / 4)}` : editable ? `Change ${name}` : undefined,
      'aria-label': `${name} ${text}${changed ? ', changed' : ''}`, ...(editable ? { onclick: () => this.#edit(row, name, text) } : {}),
    }, ...digits(text));
    const menu = h('button', { class: 'name', 'aria-haspopup': 'menu', 'aria-label': `Actions for ${name}`, onclick: () => showMenu(menu, this.#actions(name, value)) }, name);
    const row: HTMLElement = h('div', { class: 'register', 'data-register': name }, menu, field,
      note === undefined ? undefined : h('span', { class: 'note' }, note));
    if (flags === undefined) return [row];
    return [row, h('div', { class: 'flags' }, ...flags.map((flag) => {
      const set = (value & flag.mask) !== 0n, was = before === undefined ? set : (before & flag.mask) !== 0n;
      const single = (flag.mask & (flag.mask - 1n)) === 0n;
      const shown = single ? flag.name : `${flag.name}=${(value & flag.mask) / (flag.mask & -flag.mask)}`;
      return h('span', { class: `flag${set ? ' set' : ''}${set === was ? '' : ' changed'}`, 'aria-label': `${flag.name} ${set ? 'set' : 'clear'}` }, shown);
    }))];
  }

  #actions(name: string, value: bigint): MenuItems {
    return [
      ['Who wrote this?', () => this.#page.move({ toWriteOf: { register: name } })],
      ['Show in memory', () => this.#page.show('memory', value)], ['Show the walk', () => this.#page.show('paging', value)], ['Show the code there', () => this.#page.show('code', value)],
    ];
  }

  #edit(row: HTMLElement, name: string, text: string): void {
    const input = h('input', { class: 'value', value: text, 'aria-label': `New value of ${name}, hexadecimal or an expression`, spellcheck: 'false' });
    row.querySelector('.value')!.replaceWith(input);
    input.focus();
    input.select();
    const restore = (): void => { this.#body.replaceChildren(...this.#groups.map((group) => this.#group(group))); };
    input.addEventListener('blur', restore);
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') input.blur();
      if (event.key !== 'Enter') return;
      const typed = input.value.trim();
      const value = /^[0-9a-f]+$/i.test(typed) ? Promise.resolve(BigInt(`0x${typed}`)) : this.#page.client.ask('evaluate', typed);
      this.#page.attempt(value.then((number) => this.#page.client.ask('edit', { register: name, value: number })));
    });
  }
}

/** Leading zeros are there, but quiet. */
function digits(text: string): HTMLElement[] {
  const [, zeros = '', rest = ''] = /^(0*)(.*)$/.exec(text) ?? [];
  return rest === '' ? [h('span', { class: 'zeros' }, text.slice(1)), h('span', {}, '0')] : [h('span', { class: 'zeros' }, zeros), h('span', {}, rest)];
}

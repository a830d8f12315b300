/** The registers: what changed since the last stop, or by an edit, is marked; a click edits. */
import type { RegisterData, RegisterField, RegisterGroup, StatusData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import { showMenu, type MenuItems } from '../menu.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

/** Groups that are open at first. */
const OPEN = new Set(['General', 'Flags', 'Control', 'Segments']);
/** A field of fewer values than this offers them. */
const MOST_VALUES = 16n;

/** At the foot, while there is nothing that it could explain. */
const HINT = 'A name opens a menu, a number or a bit is changed by a click. What it means is said here.';

export class RegistersPane implements Pane {
  readonly name = 'Registers';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll registers' });
  readonly #open = new Set(OPEN);
  /** What they held at the stop before, and those that were edited since, before the edit. */
  #before = new Map<string, bigint>();
  #moment = '';
  #values = new Map<string, bigint>();

  constructor(page: Page) {
    this.#page = page;
    const meaning = h('p', { class: 'field-meaning', 'aria-hidden': 'true' }, HINT);
    this.element = h('section', { class: 'pane', 'aria-label': 'Registers' }, h('header', {}, h('h2', {}, 'Registers')), this.#body, meaning);
    // What a tooltip tells the mouse, and the description a screen reader, is written out for whoever comes by keyboard.
    const tell = ({ target }: Event): void => { meaning.textContent = (target as Element).closest<HTMLElement>('[title]')?.title ?? HINT; };
    this.#body.addEventListener('focusin', tell);
    this.#body.addEventListener('focusout', () => { meaning.textContent = HINT; });
    this.#body.addEventListener('pointerover', tell);
    rove(this.#body, { items: 'summary, button', rows: 'summary, .register, .parts, .flags' });
  }

  async refresh({ now }: StatusData): Promise<void> {
    const groups = await this.#page.client.ask('registers');
    const moment = `${now.retired}+${now.deliveries}`, before = this.#values;
    this.#values = new Map(groups.flatMap(({ registers }) => registers.flatMap((register) => [register, ...register.parts ?? []])).map(({ name, value }) => [name, value]));
    if (moment !== this.#moment) this.#before = before;
    else this.#before = new Map([...this.#before, ...[...before].filter(([name, value]) => value !== this.#values.get(name))]);
    this.#moment = moment;
    replaceContent(this.#body, groups.map((group) => this.#group(group)));
  }

  #group({ name, registers }: RegisterGroup): HTMLElement {
    // Their names are of one width.
    const names = Math.max(...registers.map((register) => register.name.length));
    const details = h('details', { 'open': this.#open.has(name), 'aria-label': `${name} registers` }, h('summary', {}, name), h('div', { class: 'table', style: `--names: ${names}` }, ...registers.flatMap((register) => this.#register(register))));
    details.addEventListener('toggle', () => { if (details.open) this.#open.add(name); else this.#open.delete(name); });
    return details;
  }

  #register(register: RegisterData): HTMLElement[] {
    const { name, bits, value, note, parts } = register;
    const menu = h('button', { class: 'name', 'aria-haspopup': 'menu', 'aria-label': `Actions for ${name}`, onclick: () => showMenu(menu, this.#actions(name, value)) }, name);
    return [
      h('div', { class: `register${bits >= 128 ? ' wide' : ''}`, 'data-register': name }, menu, this.#value(register), note === undefined ? undefined : h('span', { class: 'note', title: note }, note)),
      ...(parts === undefined ? [] : [h('div', { class: 'parts' }, ...parts.map((part) => this.#part(part))), ...parts.flatMap((part) => this.#fields(part))]),
      ...this.#fields(register),
    ];
  }

  /** `cs_limit` beside `cs` is the limit. */
  #part(part: RegisterData): HTMLElement {
    return h('span', { class: 'part', 'data-register': part.name }, h('span', { class: 'name' }, part.name.slice(part.name.indexOf('_') + 1)), this.#value(part));
  }

  /** The number: a click changes it. */
  #value({ name, bits, value, editable }: RegisterData): HTMLElement {
    const before = this.#before.get(name), changed = before !== undefined && before !== value;
    const text = hex(value, bits / 4), said = `${name} ${text}${changed ? ', changed' : ''}`;
    const attributes = { class: `value${changed ? ' changed' : ''}`, title: changed ? `was ${hex(before, bits / 4)}` : editable ? `Change ${name}` : undefined };
    if (!editable) return h('span', attributes, ...digits(text));
    const field = h('button', { ...attributes, 'aria-label': said, onclick: () => this.#edit(field, name, text) }, ...digits(text));
    return field;
  }

  #fields(register: RegisterData): HTMLElement[] {
    return register.fields === undefined ? [] : [h('div', { class: 'flags', role: 'group', 'aria-label': `Bits of ${register.name}` }, ...register.fields.map((field) => this.#field(register, field)))];
  }

  /** A bit: a click turns it over. A field of several bits: a click offers its values, or, where they are many, the number. */
  #field(register: RegisterData, { name: field, mask, says, values }: RegisterField): HTMLElement {
    const { name, value, editable } = register, before = this.#before.get(name), lowest = mask & -mask, now = (value & mask) / lowest, isBit = mask === lowest;
    const look = `flag${now !== 0n ? ' set' : ''}${before !== undefined && (before & mask) !== (value & mask) ? ' changed' : ''}`, meaning = values?.[Number(now)] ?? '';
    const text = isBit ? field : `${field}=${hex(now)}`, title = `${name.toUpperCase()}.${field}: ${says}${meaning === '' ? '' : `: ${meaning}`}`;
    if (!editable) return h('span', { class: look, title }, text);
    if (isBit) return h('button', { class: look, 'aria-pressed': String(now !== 0n), title, onclick: () => this.#page.attempt(this.#give(name, value ^ mask)) }, text);
    const most = mask / lowest;
    const button = h('button', { class: look, title, 'aria-haspopup': most < MOST_VALUES ? 'menu' : undefined, onclick: () => {
      if (most >= MOST_VALUES) {
        this.#body.querySelector<HTMLElement>(`[data-register="${name}"] button.value`)?.click();
        return;
      }
      showMenu(button, Array.from({ length: Number(most) + 1 }, (_, n): MenuItems[number] => [`${field}=${hex(n)}${values?.[n] === undefined ? '' : ` ${values[n]}`}`, () => this.#page.attempt(this.#give(name, (value & ~mask) | (BigInt(n) * lowest)))]));
    } }, text);
    return button;
  }

  #give(name: string, value: bigint): Promise<void> { return this.#page.edit({ register: name, value }); }

  #actions(name: string, value: bigint): MenuItems {
    return [
      ['Who wrote this?', () => this.#page.move({ toWriteOf: { register: name } })],
      ['Show in memory', () => this.#page.show('memory', value)], ['Show the walk', () => this.#page.show('paging', value)], ['Show the code there', () => this.#page.show('code', value)],
    ];
  }

  #edit(field: HTMLElement, name: string, text: string): void {
    const input = h('input', { class: 'value', value: text, 'aria-label': `New value of ${name}, hexadecimal or an expression`, spellcheck: 'false' });
    input.style.width = `${text.length + 3}ch`;
    field.replaceWith(input);
    input.focus();
    input.select();
    const restore = (): void => { if (input.isConnected) input.replaceWith(field); };
    // It loses the focus, too, while it is being replaced.
    input.addEventListener('blur', () => { setTimeout(restore); });
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') {
        restore();
        field.focus();
      }
      if (event.key !== 'Enter') return;
      const typed = input.value.trim();
      const value = /^[0-9a-f]+$/i.test(typed) ? Promise.resolve(BigInt(`0x${typed}`)) : this.#page.client.ask('evaluate', typed);
      this.#page.attempt(value.then((number) => this.#give(name, number)).then(() => {
        // A question has had the focus meanwhile.
        if (document.activeElement === document.body) this.#body.querySelector<HTMLElement>(`[data-register="${name}"] button.value`)?.focus();
      }));
    });
  }
}

/** Leading zeros are there, but quiet. A number of a vector register is in words of 64 bits. */
function digits(text: string): HTMLElement[] {
  const quiet = Math.min(/^0*/.exec(text)![0].length, text.length - 1);
  const part = (from: number, to: number): HTMLElement[] => [
    ...(quiet > from ? [h('span', { class: 'zeros' }, text.slice(from, Math.min(to, quiet)))] : []),
    ...(quiet < to ? [h('span', {}, text.slice(Math.max(from, quiet), to))] : []),
  ];
  if (text.length < 32) return part(0, text.length);
  return Array.from({ length: text.length / 16 }, (_, n) => h('span', { class: 'word' }, ...part(16 * n, 16 * n + 16)));
}

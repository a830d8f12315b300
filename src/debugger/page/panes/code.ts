/** Disassembly around RIP or an address, with symbols, source lines, breakpoints in the gutter, and what the next instruction does. */
import type { CodeData, CodeLine, StatusData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';

const BEFORE = 14, AFTER = 44;

export class CodePane implements Pane {
  readonly name = 'Code';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #lines = h('div', { class: 'code-lines', role: 'listbox', 'aria-label': 'Disassembly', tabindex: 0 });
  readonly #meaning = h('div', { class: 'meaning', 'aria-live': 'polite', 'aria-label': 'What the next instruction does' });
  readonly #address: HTMLInputElement;
  #at: bigint | undefined;
  #cursor: bigint | undefined;
  #rip = 0n;
  #breakpoints: StatusData['breakpoints'] = [];
  #data: CodeData | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.#address = h('input', { class: 'address', placeholder: 'address or expression', 'aria-label': 'Address to show', spellcheck: 'false', autocomplete: 'off' });
    this.element = h('section', { class: 'pane code', 'aria-label': 'Code' },
      h('header', {}, h('h2', {}, 'Code'), h('form', { onsubmit: (event: Event) => this.#go(event) }, this.#address),
        h('button', { class: 'quiet', title: 'Show the next instruction (.)', onclick: () => this.follow() }, 'RIP')),
      this.#lines, this.#meaning);
    this.#lines.addEventListener('keydown', (event) => this.#key(event));
  }

  /** The address under the cursor, or of the next instruction. */
  get cursor(): bigint { return this.#cursor ?? this.#rip; }

  async refresh(status: StatusData): Promise<void> {
    this.#breakpoints = status.breakpoints;
    const now = await this.#page.client.ask('code', { ...(this.#at === undefined ? {} : { at: this.#at }), before: BEFORE, after: AFTER });
    if (this.#at === undefined) this.#rip = now.at;
    this.#data = now;
    this.#draw();
  }

  follow(): void {
    this.#at = this.#cursor = undefined;
    this.#address.value = '';
    this.#page.attempt(this.#again());
  }
  showAddress(address: bigint): void {
    this.#at = this.#cursor = address;
    this.#page.attempt(this.#again());
  }
  /** The machine has moved: the next instruction is of interest again. */
  moved(): void {
    this.#at = this.#cursor = undefined;
    this.#address.value = '';
  }

  async #again(): Promise<void> {
    this.#data = await this.#page.client.ask('code', { ...(this.#at === undefined ? {} : { at: this.#at }), before: BEFORE, after: AFTER });
    if (this.#at === undefined) this.#rip = this.#data.at;
    this.#draw();
  }

  #go(event: Event): void {
    event.preventDefault();
    const text = this.#address.value.trim();
    if (text === '') this.follow();
    else this.#page.attempt(this.#page.client.ask('evaluate', text).then((address) => this.showAddress(address)));
  }

  #draw(): void {
    const { lines, problem, meaning } = this.#data!;
    replaceContent(this.#lines, [...lines.flatMap((line) => this.#line(line)), ...(problem === undefined ? [] : [h('div', { class: 'problem' }, problem)])]);
    this.#tellCursor();
    const focus = this.#lines.querySelector('[aria-selected="true"]') ?? this.#lines.querySelector('.current');
    if (focus instanceof HTMLElement) {
      const { offsetTop: top } = focus, { scrollTop, clientHeight } = this.#lines;
      if (top < scrollTop + 60 || top > scrollTop + clientHeight - 90) this.#lines.scrollTop = top - clientHeight / 3;
    }
    this.#meaning.replaceChildren(...(meaning === undefined ? [h('p', { class: 'problem' }, 'No instruction can be read at RIP.')] : [
      h('p', { class: 'form' }, meaning.form),
      ...meaning.text.map((text) => h('code', {}, text)),
      h('p', { class: 'effects' }, meaning.reads.length === 0 ? '' : `reads ${meaning.reads.join(', ')}`, meaning.reads.length > 0 && meaning.writes.length > 0 ? ' · ' : '', meaning.writes.length === 0 ? '' : `writes ${meaning.writes.join(', ')}`),
    ]));
  }

  #line({ address, bytes, mnemonic, operands, label, source }: CodeLine): HTMLElement[] {
    const breakpoint = this.#breakpoints.find((it) => it.address === address);
    const current = address === this.#rip;
    const rows: HTMLElement[] = [];
    if (label !== undefined) rows.push(h('div', { class: 'label', role: 'presentation' }, label));
    if (source !== undefined) rows.push(h('div', { class: 'source', role: 'presentation' }, h('span', { class: 'place' }, `${source.file.slice(source.file.lastIndexOf('/') + 1)}:${source.line}`), h('span', {}, source.text?.trim() ?? '')));
    rows.push(h('div', {
      'class': `line${current ? ' current' : ''}`, 'role': 'option', 'aria-selected': this.#cursor === address ? 'true' : 'false', 'aria-current': current ? 'true' : undefined,
      'id': `line-${hex(address)}`, 'data-address': hex(address), 'onclick': () => this.#point(address),
    },
    h('button', {
      'data-key': hex(address), 'class': `gutter${breakpoint === undefined ? '' : breakpoint.enabled ? ' set' : ' off'}`, 'tabindex': -1, 'title': breakpoint?.text ?? 'Set a breakpoint (F9)',
      'aria-label': `${breakpoint === undefined ? 'Set' : 'Remove'} breakpoint at ${hex(address)}`,
      'onclick': (event: Event) => {
        event.stopPropagation();
        this.toggle(address);
      },
    }), h('span', { class: 'at' }, hex(address, 8)), h('span', { class: 'bytes', title: bytes }, bytes), h('span', { class: 'mnemonic' }, mnemonic), h('span', { class: 'operands', title: operands === '' ? undefined : operands }, operands)));
    return rows;
  }

  toggle(address: bigint): void { this.#page.attempt(this.#page.client.ask('break', { toggle: address })); }

  #point(address: bigint): void {
    this.#cursor = address;
    for (const line of this.#lines.querySelectorAll('.line')) line.setAttribute('aria-selected', String(line.getAttribute('data-address') === hex(address)));
    this.#tellCursor();
  }

  /** The list has the focus; the line under the cursor is what a screen reader reads. */
  #tellCursor(): void { this.#lines.setAttribute('aria-activedescendant', `line-${hex(this.cursor)}`); }

  #key(event: KeyboardEvent): void {
    const lines = this.#data?.lines ?? [];
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = lines[lines.findIndex(({ address }) => address === this.cursor) + step];
    if (next === undefined) {
      this.showAddress(this.cursor);
      return;
    }
    this.#point(next.address);
    this.#lines.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }
}

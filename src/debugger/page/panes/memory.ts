/**
 * Memory in rows of 16 bytes, linear or physical; what changed since the last stop is marked. It may follow an expression. Arrow keys go from byte to byte,
 * Enter opens a byte's menu.
 */
import type { MemoryData, StatusData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import { showMenu } from '../menu.ts';
import type { Page, Pane } from '../pane.ts';

const ROWS = 48, ROW_BYTES = 16, PAGE_ROWS = 16;

export class MemoryPane implements Pane {
  readonly name = 'Memory';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #address: HTMLInputElement;
  readonly #physical: HTMLInputElement;
  readonly #body = h('div', { class: 'scroll memory', role: 'group', 'aria-label': 'Bytes' });
  #shown: MemoryData | undefined;
  /** What it showed at the moment before the present one. */
  #before: MemoryData | undefined;
  #moment = '';
  #offset = 0n;
  /** Where bytes are being typed: what is shown stays until that is over. */
  #editing: HTMLInputElement | undefined;
  /** How often it has been asked for bytes that are not shown yet. */
  #awaited = 0;
  /** The byte that Tab comes to, where it is shown. */
  #cursor: bigint | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.#address = h('input', { class: 'address', value: 'rsp', 'aria-label': 'Address: an expression, followed as it changes', spellcheck: 'false', autocomplete: 'off' });
    this.#physical = h('input', { type: 'checkbox', onchange: () => this.#again() });
    this.element = h('div', { class: 'tab-body' },
      h('form', { class: 'bar', onsubmit: (event: Event) => {
        event.preventDefault();
        this.#offset = 0n;
        this.#again();
      } }, this.#address, h('label', {}, this.#physical, 'physical'), h('button', { class: 'quiet', type: 'button', onclick: () => this.#watch() }, 'Break on write')),
      this.#body);
    this.#body.addEventListener('contextmenu', (event) => {
      const byte = byteOf(event);
      if (byte === undefined) return;
      event.preventDefault();
      this.#menu(byte, event);
    });
    this.#body.addEventListener('click', (event) => byteOf(event)?.focus());
    this.#body.addEventListener('focusin', (event) => {
      const byte = byteOf(event);
      if (byte === undefined) return;
      this.#cursor = addressOf(byte);
      this.#stop();
    });
    this.#body.addEventListener('keydown', (event) => this.#key(event));
  }

  #menu(byte: HTMLElement, at?: MouseEvent): void {
    const page = this.#page, address = addressOf(byte), physical = this.#physical.checked, where = `${physical ? 'phys ' : ''}0x${hex(address)}`;
    showMenu(byte, [
      ['Change…', () => this.#edit(address)],
      ['Who wrote this byte?', () => page.move({ toWriteOf: { memory: address, bytes: 1, physical } })],
      ['Break on a write to 8 bytes here', () => page.attempt(page.client.ask('break', { text: `write ${where},8` }))],
      ['Break on an access to 8 bytes here', () => page.attempt(page.client.ask('break', { text: `access ${where},8` }))],
      ...(physical ? [] : [['Show the walk', () => page.show('paging', address)] as const, ['Who wrote its page-table entries?', () => page.move({ toWriteOf: { pageTable: address } })] as const]),
    ], at);
  }

  #key(event: KeyboardEvent): void {
    const byte = byteOf(event);
    if (byte === undefined || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.#menu(byte);
      return;
    }
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: ROW_BYTES, ArrowUp: -ROW_BYTES, PageDown: PAGE_ROWS * ROW_BYTES, PageUp: -PAGE_ROWS * ROW_BYTES }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.#page.attempt(this.#step(BigInt(by)));
  }

  /** So many bytes on, and the window with it where it does not reach there. */
  async #step(by: bigint): Promise<void> {
    const to = BigInt.asUintN(64, this.#cursor! + by);
    if (this.#at(to) === undefined) {
      const rows = by % BigInt(ROW_BYTES) === 0n ? by : by < 0n ? -BigInt(ROW_BYTES) : BigInt(ROW_BYTES);
      this.#offset += rows;
      await this.refresh();
      if (this.#at(to) === undefined) {
        // There is nothing to go to.
        this.#offset -= rows;
        await this.refresh();
        return;
      }
    }
    const byte = this.#at(to);
    byte?.focus();
    byte?.scrollIntoView({ block: 'nearest' });
  }

  #at(address: bigint): HTMLElement | undefined { return this.#body.querySelector<HTMLElement>(`.byte[data-key="${hex(address)}"]`) ?? undefined; }

  /** One byte is a stop of Tab: the cursor's, or that which the address points to. */
  #stop(): void {
    const stop = (this.#cursor === undefined ? undefined : this.#at(this.#cursor)) ?? this.#body.querySelector<HTMLElement>('.byte.pointed') ?? this.#body.querySelector<HTMLElement>('.byte');
    for (const other of this.#body.querySelectorAll<HTMLElement>('.byte[tabindex="0"]')) other.tabIndex = -1;
    if (stop !== null) stop.tabIndex = 0;
  }

  /** Bytes typed in the place of one: each two digits are a byte, and what follows is changed as far as they reach. */
  #edit(address: bigint): void {
    // It may be another element by now, or scrolled away.
    const byte = this.#at(address);
    if (byte === undefined) return;
    const input = h('input', { 'class': 'byte-edit', 'value': byte.textContent, 'aria-label': `New bytes from ${hex(address)} on, two hexadecimal digits each`, 'spellcheck': 'false', 'data-key': hex(address) });
    byte.replaceWith(input);
    this.#editing = input;
    input.focus();
    input.select();
    const end = (): void => {
      if (this.#editing !== input) return;
      this.#editing = undefined;
      this.#again();
    };
    input.addEventListener('blur', end);
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') end();
      if (event.key !== 'Enter') return;
      const digits = input.value.replaceAll(/\s/g, '');
      const bytes = /^([0-9a-f]{2})+$/i.test(digits) ? Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16)) : undefined;
      this.#page.attempt(bytes === undefined ? Promise.reject(new Error(`"${input.value}" is no row of bytes in hexadecimal`)) : this.#page.edit({ memory: address, physical: this.#physical.checked, bytes }).then(() => {
        end();
        // A question has had the focus meanwhile.
        if (document.activeElement === document.body) this.#at(address)?.focus();
      }));
    });
  }

  showAddress(address: bigint, physical = false): void {
    this.#address.value = `0x${hex(address)}`;
    this.#physical.checked = physical;
    this.#offset = 0n;
    this.#cursor = address;
  }

  async refresh(status?: StatusData): Promise<void> {
    this.#awaited++;
    this.#body.setAttribute('aria-busy', 'true');
    try {
      await this.#refresh(status);
    } finally {
      if (--this.#awaited === 0) this.#body.removeAttribute('aria-busy');
    }
  }

  async #refresh(status?: StatusData): Promise<void> {
    const physical = this.#physical.checked;
    let base: bigint;
    try {
      base = await this.#page.client.ask('evaluate', this.#address.value);
    } catch (error) {
      replaceContent(this.#body, [h('p', { class: 'problem' }, (error as Error).message)]);
      return;
    }
    const at = BigInt.asUintN(64, base + this.#offset) & ~0xfn;
    const data = await this.#page.client.ask('memory', { at, bytes: ROWS * ROW_BYTES, physical });
    const moment = status === undefined ? this.#moment : `${status.now.retired}+${status.now.deliveries}`;
    if (moment !== this.#moment) this.#before = this.#shown;
    this.#moment = moment;
    this.#shown = data;
    if (this.#editing === undefined) this.#draw(data, this.#before?.physical === physical ? this.#before : undefined, base);
  }

  #draw({ at, bytes, physical }: MemoryData, before: MemoryData | undefined, pointed: bigint): void {
    const rows: HTMLElement[] = [];
    for (let row = 0; row < bytes.length; row += ROW_BYTES) {
      const cells = Array.from(bytes.subarray(row, row + ROW_BYTES), (byte, n) => {
        const address = at + BigInt(row + n), was = before === undefined ? undefined : before.bytes[Number(address - before.at)];
        return h('span', { 'class': `byte${byte === 0 ? ' zero' : ''}${was !== undefined && was !== byte ? ' changed' : ''}${address === pointed ? ' pointed' : ''}`, 'data-key': hex(address), 'tabindex': -1, 'role': 'button', 'aria-haspopup': 'menu', 'aria-label': `${hex(address)}: ${hex(byte, 2)}` }, hex(byte, 2));
      });
      const text = Array.from(bytes.subarray(row, row + ROW_BYTES), (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
      rows.push(h('div', { class: 'memory-row' }, h('span', { class: 'at' }, hex(at + BigInt(row), 12)), h('span', { class: 'cells' }, ...cells), h('span', { class: 'text' }, text)));
    }
    if (bytes.length < ROWS * ROW_BYTES) rows.push(h('p', { class: 'problem' }, `${hex(at + BigInt(bytes.length))} ${physical ? 'is not RAM' : 'is not mapped to RAM'}`));
    replaceContent(this.#body, rows);
    this.#stop();
  }

  #again(): void { this.#page.attempt(this.refresh()); }
  #watch(): void { this.#page.attempt(this.#page.client.ask('break', { text: `write ${this.#physical.checked ? 'phys ' : ''}${this.#address.value},8` })); }
}

const byteOf = ({ target }: Event): HTMLElement | undefined => (target instanceof HTMLElement ? target.closest<HTMLElement>('.byte') ?? undefined : undefined);
const addressOf = (byte: HTMLElement): bigint => BigInt(`0x${byte.dataset['key']}`);

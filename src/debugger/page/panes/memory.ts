/** Memory in rows of 16 bytes, linear or physical; what changed since the last stop is marked. It may follow an expression. */
import type { MemoryData, StatusData } from '../../messages.ts';
import { h, hex } from '../dom.ts';
import { showMenu } from '../menu.ts';
import type { Page, Pane } from '../pane.ts';

const ROWS = 48, ROW_BYTES = 16;

export class MemoryPane implements Pane {
  readonly name = 'Memory';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #address: HTMLInputElement;
  readonly #physical: HTMLInputElement;
  readonly #body = h('div', { class: 'scroll memory', tabindex: 0, role: 'region', 'aria-label': 'Bytes' });
  #shown: MemoryData | undefined;
  #offset = 0n;

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
      const byte = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>('.byte') : null;
      if (byte === null) return;
      event.preventDefault();
      const address = BigInt(`0x${byte.dataset['address']}`), physical = this.#physical.checked, where = `${physical ? 'phys ' : ''}0x${hex(address)}`;
      showMenu(this.#body, [
        ['Change…', () => this.#edit(byte, address)],
        ['Who wrote this byte?', () => page.move({ toWriteOf: { memory: address, bytes: 1, physical } })],
        ['Break on a write to 8 bytes here', () => page.attempt(page.client.ask('break', { text: `write ${where},8` }))],
        ['Break on an access to 8 bytes here', () => page.attempt(page.client.ask('break', { text: `access ${where},8` }))],
        ...(physical ? [] : [['Show the walk', () => page.show('paging', address)] as const, ['Who wrote its page-table entries?', () => page.move({ toWriteOf: { pageTable: address } })] as const]),
      ], event);
    });
    this.#body.addEventListener('keydown', (event) => {
      const rows = event.key === 'PageDown' ? 16n : event.key === 'PageUp' ? -16n : 0n;
      if (rows === 0n) return;
      event.preventDefault();
      this.#offset += rows * BigInt(ROW_BYTES);
      this.#again();
    });
  }

  /** Bytes typed in the place of one: each two digits are a byte, and what follows is changed as far as they reach. */
  #edit(byte: HTMLElement, address: bigint): void {
    const input = h('input', { class: 'byte-edit', value: byte.textContent, 'aria-label': `New bytes from ${hex(address)} on, two hexadecimal digits each`, spellcheck: 'false' });
    byte.replaceWith(input);
    input.focus();
    input.select();
    input.addEventListener('blur', () => this.#again());
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') input.blur();
      if (event.key !== 'Enter') return;
      const digits = input.value.replaceAll(/\s/g, '');
      const bytes = /^([0-9a-f]{2})+$/i.test(digits) ? Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16)) : undefined;
      this.#page.attempt(bytes === undefined ? Promise.reject(new Error(`"${input.value}" is no row of bytes in hexadecimal`)) : this.#page.client.ask('edit', { memory: address, physical: this.#physical.checked, bytes }));
    });
  }

  showAddress(address: bigint, physical = false): void {
    this.#address.value = `0x${hex(address)}`;
    this.#physical.checked = physical;
    this.#offset = 0n;
  }

  async refresh(_status?: StatusData): Promise<void> {
    const physical = this.#physical.checked;
    let base: bigint;
    try {
      base = await this.#page.client.ask('evaluate', this.#address.value);
    } catch (error) {
      this.#body.replaceChildren(h('p', { class: 'problem' }, (error as Error).message));
      return;
    }
    const at = BigInt.asUintN(64, base + this.#offset) & ~0xfn;
    const data = await this.#page.client.ask('memory', { at, bytes: ROWS * ROW_BYTES, physical });
    const before = this.#shown?.physical === physical ? this.#shown : undefined;
    this.#shown = data;
    this.#draw(data, before, base);
  }

  #draw({ at, bytes, physical }: MemoryData, before: MemoryData | undefined, pointed: bigint): void {
    const rows: HTMLElement[] = [];
    for (let row = 0; row < bytes.length; row += ROW_BYTES) {
      const cells = Array.from(bytes.subarray(row, row + ROW_BYTES), (byte, n) => {
        const address = at + BigInt(row + n), was = before === undefined ? undefined : before.bytes[Number(address - before.at)];
        return h('span', { class: `byte${byte === 0 ? ' zero' : ''}${was !== undefined && was !== byte ? ' changed' : ''}${address === pointed ? ' pointed' : ''}`, 'data-address': hex(address) }, hex(byte, 2));
      });
      const text = Array.from(bytes.subarray(row, row + ROW_BYTES), (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·')).join('');
      rows.push(h('div', { class: 'memory-row' }, h('span', { class: 'at' }, hex(at + BigInt(row), 12)), h('span', { class: 'cells' }, ...cells), h('span', { class: 'text' }, text)));
    }
    if (bytes.length < ROWS * ROW_BYTES) rows.push(h('p', { class: 'problem' }, `${hex(at + BigInt(bytes.length))} ${physical ? 'is not RAM' : 'is not mapped to RAM'}`));
    this.#body.replaceChildren(...rows);
  }

  #again(): void { this.#page.attempt(this.refresh()); }
  #watch(): void { this.#page.attempt(this.#page.client.ask('break', { text: `write ${this.#physical.checked ? 'phys ' : ''}${this.#address.value},8` })); }
}

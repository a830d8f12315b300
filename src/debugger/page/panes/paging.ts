/** The walk of one address under the microscope, and the tree of all paging structures. */
import type { EntryData, StatusData, WalkData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

/** What the bits say. SDM Vol. 3A, "Paging-Structure Entries" tables. */
const BIT_WORDS: Readonly<Record<string, readonly [set: string, clear: string]>> = {
  'P': ['present', 'not present'], 'R/W': ['writable', 'read-only'], 'U/S': ['user', 'supervisor only'], 'PWT': ['write-through', 'write-back'], 'PCD': ['cache disabled', 'cacheable'],
  'A': ['accessed', 'not yet accessed'], 'D': ['dirty', 'clean'], 'PS': ['maps a page', 'references a table'], 'PAT': ['PAT bit set', 'PAT bit clear'], 'G': ['global', 'not global'], 'XD': ['execute-disable', 'executable'],
};
const SHOWN = ['P', 'R/W', 'U/S', 'PWT', 'PCD', 'A', 'D', 'PS', 'G', 'XD'];

/** Why a walk ends before a frame. */
const ENDS = { 'not present': 'the last entry is not present', 'reserved bit': 'the last entry has a reserved bit set', 'not canonical': 'the address is not canonical: nothing is walked for' } as const;

export class PagingPane implements Pane {
  readonly name = 'Paging';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #address: HTMLInputElement;
  readonly #walk = h('div', { class: 'walk' });
  readonly #tree = h('div', { class: 'tree', role: 'tree', 'aria-label': 'Paging structures' });
  readonly #open = new Set<string>();

  constructor(page: Page) {
    this.#page = page;
    this.#address = h('input', { class: 'address', value: 'rip', 'aria-label': 'Address to walk: an expression, followed as it changes', spellcheck: 'false', autocomplete: 'off' });
    const quick = (text: string): HTMLElement => h('button', { class: 'quiet', type: 'button', onclick: () => this.showText(text) }, text.toUpperCase());
    this.element = h('div', { class: 'tab-body' },
      h('form', { class: 'bar', onsubmit: (event: Event) => {
        event.preventDefault();
        this.#again();
      } }, this.#address, quick('rip'), quick('rsp'), quick('cr2')),
      h('div', { class: 'scroll padded' }, this.#walk, h('h3', {}, 'All structures'), this.#tree));
    // Before the arrow keys go from item to item: right and left open and close.
    this.#tree.addEventListener('keydown', (event) => this.#unfold(event));
    rove(this.#tree, { items: 'summary, .leaf' });
  }

  showText(text: string): void {
    this.#address.value = text;
    this.#again();
  }

  async refresh(_status?: StatusData): Promise<void> {
    try {
      const address = await this.#page.client.ask('evaluate', this.#address.value);
      const [walk, root] = await Promise.all([this.#page.client.ask('walk', address), this.#page.client.ask('tree', { base: 0n, depth: 0 })]);
      this.#draw(walk);
      replaceContent(this.#tree, root.length === 0 ? [h('p', { class: 'note' }, 'No paging structures are in use.')] : await this.#nodes(root, 0));
    } catch (error) {
      replaceContent(this.#walk, [h('p', { class: 'problem' }, (error as Error).message)]);
    }
  }
  #again(): void { this.#page.attempt(this.refresh()); }

  #draw({ address, fields, levels, cr3, mode, outcome, physicalAddress, pageSize, key, verdicts }: WalkData): void {
    const strip = h('div', { class: 'address-bits', role: 'img', 'aria-label': `${hex(address, 16)} is ${fields.map(({ name, value }) => `${name} ${value}`).join(', ')}` },
      ...fields.map(({ name, bits, value }) => h('div', { class: `field ${name.toLowerCase()}`, style: `flex-grow: ${bits}` },
        h('span', { class: 'digits' }, value.toString(2).padStart(bits, '0')),
        h('span', { class: 'field-name' }, `${name} `, h('b', {}, name === 'offset' || name === 'sign' ? `0x${hex(value)}` : String(value))))));
    replaceContent(this.#walk, [
      h('p', { class: 'walk-title' }, h('code', {}, `0x${hex(address, 16)}`), ` ${mode}`), strip,
      h('ol', { 'class': 'levels', 'aria-label': 'Entries that the walk goes through' }, levels.length === 0 ? undefined : h('li', { class: 'root' }, h('span', { class: 'structure' }, 'CR3'), h('code', {}, hex(cr3, 16))),
        ...levels.map((level) => this.#level(level)),
        h('li', { class: `result ${outcome === 'mapped' ? 'good' : 'bad'}` }, h('span', { class: 'structure' }, outcome === 'mapped' ? 'frame' : 'ends'),
          outcome === 'mapped' ? h('span', {}, 'physical ', this.#link(physicalAddress!), levels.length === 0 ? ', as without paging' : `, ${pageSize} page${key === undefined ? '' : `, ${key}`}`) : h('span', {}, ENDS[outcome]))),
      h('table', { class: 'verdicts', 'aria-label': 'Whether an access would fault' },
        h('thead', {}, h('tr', {}, h('th', {}), ...['read', 'write', 'fetch'].map((access) => h('th', { scope: 'col' }, access)))),
        h('tbody', {}, ...['supervisor', 'user'].map((privilege) => h('tr', {}, h('th', { scope: 'row' }, privilege),
          ...verdicts.filter((it) => it.privilege === privilege).map(({ denial, raises }) => h('td', { class: denial === undefined ? 'good' : 'bad' }, denial === undefined ? 'allowed' : `${raises!} ${denial}`))))))]);
  }

  #level({ structure, index, entryAddress, value, bits, fields, maps, present, target }: EntryData): HTMLElement {
    const words = SHOWN.filter((name) => (name !== 'D' && name !== 'G') || maps).filter((name) => name !== 'PS' || structure !== 'PTE').map((name) => {
      const set = bits.includes(name);
      return h('span', { class: `bit${set ? ' set' : ''}${(name === 'P' && !set) || (name === 'XD' && set) ? ' warn' : ''}`, title: name }, BIT_WORDS[name]![set ? 0 : 1]);
    });
    return h('li', {}, h('span', { class: 'structure' }, structure), h('span', { class: 'index' }, String(index)),
      h('span', { class: 'place' }, entryAddress === undefined ? 'register' : 'at ', entryAddress === undefined ? undefined : this.#link(entryAddress)),
      h('code', { class: 'entry' }, hex(value, 16)),
      present ? h('span', { class: 'target' }, maps ? '→ page ' : '→ ', this.#link(target)) : undefined,
      h('span', { class: 'bits' }, ...(present ? [...words, ...fields.map(({ name, value: number, says }) => h('span', { class: 'bit set', title: says }, `${name} 0x${hex(number)}`))] : words.slice(0, 1))));
  }

  #link(physical: number): HTMLElement {
    return h('button', { class: 'link', title: 'Show in memory', onclick: () => this.#page.show('physical', BigInt(physical)) }, hex(physical));
  }

  /** Entries, and below those that are open what they lead to: all is there before any of it is shown, so that nothing loses the focus. */
  async #nodes(entries: readonly EntryData[], depth: number): Promise<HTMLElement[]> { return Promise.all(entries.map((entry) => this.#node(entry, depth))); }

  async #node(entry: EntryData, depth: number): Promise<HTMLElement> {
    const { structure, index, from = 0n, maps, bits, fields, target } = entry, key = `${depth}:${from}`;
    const title = h('span', {}, h('span', { class: 'structure' }, structure), ` ${index}  `, h('code', {}, hex(from, 16)), maps ? ` → ${hex(target)} ` : ' ', h('span', { class: 'note' }, [...bits.filter((bit) => bit !== 'P'), ...fields.filter(({ value }) => value !== 0).map(({ name, value }) => `${name} 0x${hex(value)}`)].join(' ')));
    if (maps) return h('div', { 'class': 'leaf', 'role': 'treeitem', 'tabindex': -1, 'data-key': key, 'title': 'Walk this address', 'onclick': () => this.showText(`0x${hex(from)}`) }, title);
    const below = async (): Promise<HTMLElement[]> => this.#nodes(await this.#page.client.ask('tree', { base: from, depth: depth + 1 }), depth + 1);
    const children = h('div', { class: 'children', role: 'group' }, ...(this.#open.has(key) ? await below() : []));
    const details = h('details', { role: 'treeitem', open: this.#open.has(key) }, h('summary', { 'data-key': key }, title), children);
    details.addEventListener('toggle', () => {
      if (!details.open) this.#open.delete(key);
      else if (!this.#open.has(key)) {
        this.#open.add(key);
        this.#page.attempt(below().then((nodes) => { children.replaceChildren(...nodes); }));
      }
    });
    return details;
  }

  #unfold(event: KeyboardEvent): void {
    if (!(event.target instanceof HTMLElement) || event.target.localName !== 'summary') return;
    const details = event.target.parentElement as HTMLDetailsElement;
    if (event.key !== (details.open ? 'ArrowLeft' : 'ArrowRight')) return;
    details.open = !details.open;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}

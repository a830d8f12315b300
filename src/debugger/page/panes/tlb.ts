/** The TLBs' own contents beside what the paging structures say now. */
import type { TlbData } from '../../messages.ts';
import { h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

const MOST_ROWS = 800;

export class TlbPane implements Pane {
  readonly name = 'TLB';
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #body = h('div', { class: 'scroll padded' });
  #drawn: string | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.element = h('div', { class: 'tab-body' }, this.#body);
    rove(this.#body, { items: 'tr[tabindex]' });
  }

  async refresh(): Promise<void> {
    const entries = await this.#page.client.ask('tlb'), text = entries.map((entry) => Object.values(entry).join(' ')).join('\n');
    // A step mostly leaves it as it was.
    if (text === this.#drawn) return;
    this.#drawn = text;
    this.#draw(entries);
  }

  #draw(entries: readonly TlbData[]): void {
    const stale = entries.filter((entry) => (entry.stale?.length ?? 0) > 0), fresh = entries.filter((entry) => entry.stale?.length === 0), others = entries.filter((entry) => entry.stale === undefined);
    const rows = [...stale, ...fresh, ...others].slice(0, MOST_ROWS);
    replaceContent(this.#body, [
      h('p', { class: 'walk-title' }, `${entries.length} translations are cached, `, h('span', { class: stale.length === 0 ? 'good' : 'bad' }, stale.length === 0 ? 'none of them stale' : `${stale.length} of them stale`),
        others.length === 0 ? '' : `; ${others.length} are of other PCIDs than CR3's, whose paging structures are not known`),
      h('table', { class: 'ranges', 'aria-label': 'Cached translations' },
        h('thead', {}, h('tr', {}, ...['TLB', 'linear page', 'cached', 'tables now', 'rights', ''].map((title) => h('th', { scope: 'col' }, title)))),
        h('tbody', {}, ...rows.map(({ tlb, page, physical, now, rights, pcid, pageSize, stale: why }) => h('tr', { 'class': why === undefined ? 'other' : why.length > 0 ? 'stale' : undefined, 'tabindex': -1, 'data-key': `${tlb}${pcid}+${hex(page)}`, 'onclick': () => this.#page.show('paging', page) },
          h('td', {}, tlb === 'data' ? 'data' : 'instr.'), h('td', {}, h('code', {}, hex(page, 16))), h('td', {}, h('code', {}, hex(physical))), h('td', {}, h('code', {}, why === undefined ? '?' : now === undefined ? '–' : hex(now))),
          h('td', {}, h('code', {}, rights)), h('td', { class: 'note' }, [pcid === 0 ? '' : `PCID ${pcid}`, pageSize === '4 KiB' ? '' : `of ${pageSize}`, why === undefined ? 'not CR3\'s' : why.length === 0 ? '' : `stale: ${why.join('; ')}`].filter((it) => it !== '').join(', ')))))),
      entries.length > MOST_ROWS ? h('p', { class: 'note' }, `${entries.length - MOST_ROWS} more are not listed.`) : '']);
  }
}

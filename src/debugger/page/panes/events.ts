/** Exceptions, interrupts and CR3 writes, newest first: a click travels to the boundary before one. */
import type { EventData, StatusData } from '../../messages.ts';
import { grouped, h, hex, replaceContent } from '../dom.ts';
import type { Page, Pane } from '../pane.ts';
import { rove } from '../roving.ts';

/** Most that are listed, until more are asked for; fewer while the machine runs and the list is another one twice a second. */
const MOST = 500, MOST_RUNNING = 40, RUNNING_MS = 500;

/** Why an event cannot be gone to. */
const GONE = 'The history begins later: the guest has written more memory since than is kept';

export class EventsPane implements Pane {
  readonly name = 'Events';
  readonly whileRunning = true;
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #interrupts: HTMLInputElement;
  readonly #titled: HTMLInputElement;
  #most = MOST;
  readonly #count = h('span', { class: 'note' });
  readonly #body = h('div', { class: 'scroll events', role: 'list', 'aria-label': 'Events' });
  #retired = 0;
  #isRunning = false;
  #refreshed = 0;
  /** What the list is of, and its rows with their instruction counts. */
  #listed = '';
  #rows: readonly (readonly [row: HTMLElement, retired: number])[] = [];
  #version = '';

  constructor(page: Page) {
    this.#page = page;
    this.#interrupts = h('input', { type: 'checkbox', onchange: () => page.attempt(this.refresh()) });
    this.#titled = h('input', { 'type': 'text', 'class': 'filter', 'placeholder': 'only, as #PF', 'aria-label': 'Only events with this in their names', 'spellcheck': false, 'oninput': () => page.attempt(this.refresh()) });
    this.element = h('div', { class: 'tab-body' }, h('div', { class: 'bar' }, this.#titled, h('label', {}, this.#interrupts, 'interrupts and CR3'), this.#count), this.#body);
    rove(this.#body, { items: 'button', rows: '.event' });
  }

  async refresh(status?: StatusData): Promise<void> {
    if (status !== undefined) {
      this.#retired = status.now.retired;
      this.#isRunning = status.activity === 'running';
      this.#version = status.marksVersion;
      if (this.#isRunning && performance.now() - this.#refreshed < RUNNING_MS) return;
    }
    this.#refreshed = performance.now();
    const titled = this.#titled.value.trim(), listed = `${this.#version} ${this.#interrupts.checked} ${this.#isRunning} ${this.#most} ${titled}`;
    if (listed === this.#listed) {
      for (const [row, retired] of this.#rows) row.classList.toggle('later', retired > this.#retired);
      return;
    }
    const { events, total, hasAll, hasMore } = await this.#page.client.ask('events', { interrupts: this.#interrupts.checked, most: this.#isRunning ? MOST_RUNNING : this.#most, titled });
    this.#count.textContent = `${grouped(total)} kept${hasAll ? '' : ', of some kinds only the newest'}${this.#isRunning && events.length === MOST_RUNNING ? `; the newest ${MOST_RUNNING}, while it runs` : ''}`;
    this.#listed = listed;
    this.#rows = events.map((event) => [this.#row(event), event.at.retired]);
    replaceContent(this.#body, events.length === 0 ? [h('p', { class: 'note padded' }, titled === '' ? 'No exception has been delivered yet, nor anything else that is listed here.' : `No event that is kept has "${titled}" in its name.`)] : [
      ...this.#rows.map(([row]) => row),
      hasMore && !this.#isRunning ? h('div', { class: 'event more', role: 'listitem' }, h('button', { class: 'link', onclick: () => this.#more() }, `${MOST} older ones`)) : '',
    ]);
  }

  #more(): void {
    this.#most += MOST;
    this.#page.attempt(this.refresh());
  }

  #row({ at, isInReach, kind, title, rip, details, address }: EventData): HTMLElement {
    return h('div', { class: `event ${kind}${at.retired > this.#retired ? ' later' : ''}`, role: 'listitem', 'data-key': `${at.retired}+${at.deliveries}${kind}` },
      isInReach
        ? h('button', { class: 'event-time', title: 'Travel there', onclick: () => this.#page.move({ toMoment: at }) }, grouped(at.retired))
        : h('span', { class: 'event-time gone', title: GONE }, grouped(at.retired)),
      h('span', { class: 'event-title' }, title, address === undefined ? undefined : h('button', { class: 'link', title: 'Walk this address', onclick: () => this.#page.show('paging', address) }, ` CR2 ${hex(address)}`)),
      h('span', { class: 'note' }, rip, isInReach ? '' : ' · out of reach'), details.length === 0 ? undefined : h('span', { class: 'event-details' }, details.join(' · ')));
  }
}

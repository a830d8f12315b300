/** A pane shows a part of the machine's state; it asks for it again whenever the machine has moved. */
import type { EditData, Motion, StatusData } from '../messages.ts';
import type { Client } from './client.ts';
import { h } from './dom.ts';

export interface Pane {
  readonly name: string;
  readonly element: HTMLElement;
  /** Shows the machine as it stands. Called when it has stopped, and where `whileRunning` some times a second. */
  refresh(status: StatusData): Promise<void>;
  readonly whileRunning?: boolean;
}

/** What panes ask of the page. */
export interface Page {
  readonly client: Client;
  move(motion: Motion): void;
  /** Does something and says in the status line why it could not. */
  attempt(work: Promise<unknown>): void;
  /** Changes a register or memory; in the past only if the user, who is asked, wants it so. Settles when it is changed, or is to stay; throws where it cannot be. */
  edit(edit: EditData): Promise<void>;
  /** Shows an address where it is asked for. */
  show(where: 'memory' | 'physical' | 'paging' | 'code', address: bigint): void;
  /** To an instruction count; settles when the machine has been asked to go there. */
  travel(retired: number): Promise<void>;
}

/** Panes that share a place: one is seen, the arrow keys go from tab to tab. */
export class Tabs {
  readonly element: HTMLElement;
  readonly #panes: readonly Pane[];
  readonly #tabs: readonly HTMLButtonElement[];
  #chosen = 0;
  #status: StatusData | undefined;

  constructor(label: string, panes: readonly Pane[]) {
    this.#panes = panes;
    const id = label.toLowerCase().replaceAll(' ', '-');
    this.#tabs = panes.map((pane, n) => {
      pane.element.id = `${id}-panel-${n}`;
      pane.element.setAttribute('role', 'tabpanel');
      pane.element.setAttribute('aria-label', pane.name);
      return h('button', { role: 'tab', id: `${id}-tab-${n}`, 'aria-controls': pane.element.id, onclick: () => this.choose(n) }, pane.name);
    });
    const list = h('div', { role: 'tablist', 'aria-label': label, class: 'tabs', onkeydown: (event: KeyboardEvent) => this.#key(event) }, ...this.#tabs);
    this.element = h('section', { class: 'pane', 'aria-label': label }, list, ...panes.map(({ element }) => element));
    this.choose(0);
  }

  choose(n: number): void {
    this.#chosen = n;
    this.#tabs.forEach((tab, k) => {
      tab.setAttribute('aria-selected', String(k === n));
      tab.tabIndex = k === n ? 0 : -1;
      this.#panes[k]!.element.hidden = k !== n;
    });
    if (this.#status !== undefined) void this.refresh(this.#status);
  }
  chooseNamed(name: string): void { this.choose(Math.max(0, this.#panes.findIndex((pane) => pane.name === name))); }

  #key(event: KeyboardEvent): void {
    const count = this.#tabs.length, to = { ArrowRight: this.#chosen + 1, ArrowLeft: this.#chosen - 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    this.choose((to + count) % count);
    this.#tabs[this.#chosen]!.focus();
    event.preventDefault();
  }

  /** Only what is seen is asked for. */
  async refresh(status: StatusData): Promise<void> {
    this.#status = status;
    const pane = this.#panes[this.#chosen]!;
    if (status.activity !== 'running' || pane.whileRunning === true) await pane.refresh(status);
  }
}

/** The page: puts the panes together, and keys, buttons and notices to work. */
import type { EditData, LoadRequest, Motion, Notice, StatusData } from '../messages.ts';
import { Client } from './client.ts';
import { Controls } from './controls.ts';
import { grouped, h } from './dom.ts';
import { linkFragment, linkIn } from './link.ts';
import { Opener } from './opener.ts';
import { Tabs, type Page, type Pane } from './pane.ts';
import { BreakpointsPane } from './panes/breakpoints.ts';
import { CodePane } from './panes/code.ts';
import { ConsolePane } from './panes/console.ts';
import { EventsPane } from './panes/events.ts';
import { KernelPane } from './panes/kernel.ts';
import { MapPane } from './panes/map.ts';
import { MemoryPane } from './panes/memory.ts';
import { PagingPane } from './panes/paging.ts';
import { RegistersPane } from './panes/registers.ts';
import { StackPane } from './panes/stack.ts';
import { StoryPane } from './panes/story.ts';
import { TablesPane } from './panes/tables.ts';
import { TlbPane } from './panes/tlb.ts';
import { ask } from './question.ts';
import { Timeline } from './timeline.ts';

class Main implements Page {
  readonly client = new Client('worker.js');
  readonly #controls: Controls;
  readonly #code: CodePane;
  readonly #console: ConsolePane;
  readonly #memory: MemoryPane;
  readonly #paging: PagingPane;
  readonly #timeline: Timeline;
  readonly #inspect: Tabs;
  readonly #log: Tabs;
  readonly #registers: RegistersPane;
  readonly #opener: Opener;
  #status: StatusData | undefined;
  #refreshing: Promise<void> | undefined;
  #again = false;
  /** The link in the address has been followed, or was made here, or cannot be read: it says nothing of another image. */
  #linkIsOld = false;

  constructor() {
    this.#controls = new Controls(this);
    this.#code = new CodePane(this);
    this.#console = new ConsolePane(this);
    this.#memory = new MemoryPane(this);
    this.#registers = new RegistersPane(this);
    this.#paging = new PagingPane(this);
    this.#timeline = new Timeline(this);
    this.#inspect = new Tabs('Inspect', [this.#paging, this.#memory, new MapPane(this), new TlbPane(this), new TablesPane(this), new KernelPane(this)]);
    this.#log = new Tabs('Output', [this.#console, new EventsPane(this), new StackPane(this), new BreakpointsPane(this), new StoryPane(this)]);
    this.#opener = new Opener({ load: (request) => this.#load(request), sources: (texts) => this.#sources(texts), describe: (description) => this.#describe(description) });
    this.client.onNotice = (notice) => this.#noticed(notice);
    document.body.append(
      this.#controls.element,
      this.#controls.statusLine,
      this.#timeline.element,
      h('main', {}, this.#code.element, this.#inspect.element, this.#registers.element, this.#log.element),
      this.#opener.element);
    document.addEventListener('keydown', (event) => this.#key(event));
    // A link that is pasted into the address of the open page; the page itself changes the address without this event.
    addEventListener('hashchange', () => { if (linkIn(location.hash) !== undefined) location.reload(); });
  }

  start(): void { this.attempt(this.#opener.start()); }

  async #load(request: LoadRequest): Promise<void> {
    const asked = this.#linkIsOld ? undefined : linkIn(location.hash), isDamaged = asked !== undefined && 'problem' in asked, link = isDamaged ? undefined : asked;
    const loaded = await this.client.ask('load', { ...request, ...(link === undefined ? {} : { link }) });
    if (this.#linkIsOld) history.replaceState(undefined, '', location.pathname);
    this.#linkIsOld = isDamaged || (link !== undefined && loaded.linkProblem === undefined);
    this.#timeline.bookmarks = link?.bookmarks ?? [];
    document.title = `${request.name} – longmode`;
    this.#controls.loaded(request.name, loaded);
    const problems = [loaded.linesProblem, isDamaged ? asked.problem : loaded.linkProblem].filter((text) => text !== undefined), said = [...problems, ...loaded.warnings];
    if (said.length > 0) this.#controls.say(said.join('; '), problems.length > 0 ? 'error' : 'note');
  }

  async #sources(texts: Readonly<Record<string, string>>): Promise<void> {
    if (this.#status === undefined) return;
    const { named, found } = await this.client.ask('sources', texts);
    this.#controls.say(named === 0 ? 'The image has no line table: compile it with -g.' : `The text of ${found} of the ${named} files of its line table is here.`);
  }

  async #describe(description: unknown): Promise<void> {
    if (this.#status === undefined) throw new Error('a description alone: open its image first, or drop both together');
    await this.client.ask('describe', description);
    this.#inspect.chooseNamed('Kernel');
  }

  // ------------------------------------------------------------------------------------------------------- the page
  move(motion: Motion): void {
    this.#code.moved();
    this.attempt(this.client.ask('move', motion));
  }
  attempt(work: Promise<unknown>): void { work.catch((error: unknown) => { this.#controls.say(error instanceof Error ? error.message : String(error), 'error'); }); }
  async edit(edit: EditData): Promise<void> {
    if (await this.client.ask('edit', { edit, forks: false }) === 'done') return;
    const { now, end } = this.#status!, what = 'register' in edit ? edit.register : 'memory', after = end - now.retired;
    const answer = await ask({
      title: 'Begin another future?',
      text: `The machine is in its past, at instruction ${grouped(now.retired)}. If you change ${what} here, ${after > 0 ? `the ${grouped(after)} instructions that came after are forgotten` : 'what came after is forgotten'}.`,
      keep: 'Keep the future', go: `Change ${what}`,
    });
    if (answer) await this.client.ask('edit', { edit, forks: true });
  }
  show(where: 'memory' | 'physical' | 'paging' | 'code', address: bigint): void {
    if (where === 'code') this.#code.showAddress(address);
    else if (where === 'paging') {
      this.#inspect.chooseNamed(this.#paging.name);
      this.#paging.showText(`0x${address.toString(16)}`);
    } else {
      this.#memory.showAddress(address, where === 'physical');
      this.#inspect.chooseNamed(this.#memory.name);
    }
  }
  travel(retired: number): Promise<void> {
    this.#code.moved();
    return this.client.ask('move', { toMoment: { retired } });
  }
  /** Text that reopens the page at this moment. */
  async link(): Promise<string> {
    this.#linkIsOld = true;
    return `${location.origin}${location.pathname}#${linkFragment(await this.client.ask('link'), this.#timeline.bookmarks)}`;
  }
  open(): void { this.#opener.show(); }

  #noticed(notice: Notice): void {
    switch (notice.notice) {
      case 'console': this.#console.show(notice.bytes, notice.replaces, notice.repeats); break;
      case 'failed': this.#controls.say(`The machine cannot go on: ${notice.message}`, 'error'); break;
      case 'status':
        this.#controls.show(notice.status);
        this.#timeline.show(notice.status);
        if (notice.status.ending === 'fault' && this.#status?.ending !== 'fault') this.#log.chooseNamed('Post-mortem');
        this.#status = notice.status;
        this.#refresh();
        break;
    }
  }

  /** One refresh at a time: the last state is the one that counts. */
  #refresh(): void {
    if (this.#refreshing !== undefined) {
      this.#again = true;
      return;
    }
    const status = this.#status!;
    const panes: Pick<Pane, 'refresh'>[] = [this.#inspect, this.#log, ...(status.activity === 'running' ? [] : [this.#code, this.#registers])];
    document.body.classList.toggle('running', status.activity === 'running');
    this.#refreshing = Promise.all(panes.map((pane) => pane.refresh(status))).then(() => undefined);
    const done = (): void => {
      this.#refreshing = undefined;
      document.body.dataset['shown'] = `${status.stops} ${status.activity}`;
      if (!this.#again) return;
      this.#again = false;
      this.#refresh();
    };
    this.#refreshing.then(done, (error: unknown) => {
      this.#controls.say(String(error), 'error');
      done();
    });
  }

  #key(event: KeyboardEvent): void {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    const name = `${event.ctrlKey ? 'Ctrl+' : ''}${event.altKey ? 'Alt+' : ''}${event.shiftKey ? 'Shift+' : ''}${event.key}`;
    const forFunctions = /^F\d+$/.test(event.key);
    if (typing && !forFunctions) return;
    switch (name) {
      case 'F8': this.#controls.resumeOrPause(); break;
      case 'Shift+F8': this.move('reverse'); break;
      case 'F10': this.move('over'); break;
      case 'Alt+F10': this.move('backOver'); break;
      case 'F11': this.move('step'); break;
      case 'Alt+F11': this.move('back'); break;
      case 'Shift+F11': this.move('out'); break;
      case 'Alt+Shift+F11': this.move('backOut'); break;
      case 'F9': this.#code.toggle(this.#code.cursor); break;
      case 'F7': this.move({ toAddress: this.#code.cursor }); break;
      case '.': this.#code.follow(); break;
      case 'b': this.#timeline.bookmark(); break;
      case 'g': this.#controls.goTo(); break;
      case 'Escape':
        if (this.#status?.progress === undefined) return;
        this.attempt(this.client.ask('pause'));
        break;
      default: return;
    }
    event.preventDefault();
  }
}

new Main().start();

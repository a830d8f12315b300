/** The bar at the top, buttons for every way to move, and the line under it: what the machine is doing, why it stands still, and the latest message. */
import type { LoadedData, Motion, StatusData } from '../messages.ts';
import { grouped, h, hex, short } from './dom.ts';
import { icon, type IconName } from './icons.ts';
import type { Page } from './pane.ts';

/** A message is the latest news for so long, if the machine stands still. */
const MESSAGE_MS = 8000;

interface ControlsPage extends Page {
  link(): Promise<string>;
  open(): void;
}

export class Controls {
  readonly element: HTMLElement;
  /** Its height stays the same, whatever it says. */
  readonly statusLine: HTMLElement;
  readonly #page: ControlsPage;
  readonly #resume: HTMLButtonElement;
  readonly #name = h('span', { class: 'image-name' });
  readonly #state = h('span', { class: 'pill' });
  /** Two lines; pointed at, or with the focus, all of it. */
  readonly #why = h('span', { 'class': 'why', 'role': 'note', 'aria-label': 'Why it stopped', 'tabindex': 0 });
  readonly #progress = h('span', { 'class': 'progress', 'aria-live': 'off', 'hidden': true });
  readonly #bar = h('progress', {});
  readonly #way = h('span', {});
  readonly #fault = h('button', { class: 'quiet fault-address', hidden: true, onclick: () => this.#page.show('paging', this.#status!.faultAddress!) }, 'Walk #PF');
  readonly #realTime = h('button', { class: 'quiet', id: 'real-time', onclick: () => this.#page.attempt(this.#page.client.ask('pace', this.#status?.inRealTime !== true)) }, 'Real time');
  readonly #count = h('button', { id: 'count', class: 'count', title: 'Instructions retired: go to another count (g)', 'aria-keyshortcuts': 'g', onclick: () => this.goTo() });
  readonly #mode = h('span', { class: 'mode' });
  readonly #speed = h('span', { class: 'speed' });
  /** The same. */
  readonly #message = h('span', { 'class': 'message', 'role': 'note', 'aria-label': 'Latest message', 'tabindex': 0 });
  #status: StatusData | undefined;
  /** It was told to run after so many stops: before it is known to run it can be told to pause. */
  #resumedAfter: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(page: ControlsPage) {
    this.#page = page;
    this.#progress.append(this.#bar, this.#way);
    const button = (id: string, shape: IconName, label: string, keys: string, motion: Motion): HTMLButtonElement =>
      h('button', { id, class: 'control', title: `${label} (${keys})`, 'aria-label': label, 'aria-keyshortcuts': keys, onclick: () => page.move(motion) }, icon(shape));
    this.#resume = h('button', { id: 'resume', class: 'control resume', 'aria-keyshortcuts': 'F8', onclick: () => this.resumeOrPause() });
    this.element = h('header', { class: 'top' },
      h('span', { class: 'brand' }, 'longmode'), this.#name,
      h('div', { class: 'group', role: 'group', 'aria-label': 'Backwards' },
        button('restart', 'first', 'Restart', 'to the beginning', 'restart'), button('reverse', 'reverse', 'Run backwards', 'Shift+F8', 'reverse'),
        button('back-out', 'backOut', 'Step back out', 'Alt+Shift+F11', 'backOut'), button('back-over', 'backOver', 'Step back over', 'Alt+F10', 'backOver'), button('back', 'back', 'Step back', 'Alt+F11', 'back')),
      h('div', { class: 'group', role: 'group', 'aria-label': 'Forwards' },
        button('step', 'step', 'Step in', 'F11', 'step'), button('over', 'over', 'Step over', 'F10', 'over'), button('out', 'out', 'Step out', 'Shift+F11', 'out'),
        this.#resume, button('end', 'last', 'To the latest moment', 'to the end of what has run', 'end')),
      this.#mode, this.#speed, this.#realTime, this.#count,
      h('button', { id: 'link', class: 'quiet', title: 'Copy a link to this moment', onclick: () => page.attempt(this.#link()) }, 'Link'),
      h('button', { id: 'open', class: 'quiet', onclick: () => page.open() }, 'Open…'));
    this.statusLine = h('div', { 'class': 'status-line', 'role': 'status', 'aria-live': 'polite', 'aria-atomic': 'false' },
      this.#state, this.#fault, h('div', { class: 'said said-why' }, this.#why, this.#progress), h('div', { class: 'said' }, this.#message));
  }

  /** Asks for an instruction count, and goes there. */
  goTo(): void {
    const input = h('input', { class: 'count', value: String(this.#status?.now.retired ?? 0), 'aria-label': 'Go to instruction: a count or an expression', spellcheck: 'false' });
    const restore = (): void => { if (input.isConnected) input.replaceWith(this.#count); };
    this.#count.replaceWith(input);
    input.select();
    input.addEventListener('blur', () => { setTimeout(restore); });
    input.addEventListener('keydown', (event) => {
      const { key } = event;
      if (key !== 'Enter' && key !== 'Escape') return;
      // The button that gets the focus is not pressed by it.
      event.preventDefault();
      const typed = input.value.replaceAll(/[,\s]/g, '');
      restore();
      this.#count.focus();
      if (key === 'Enter') this.#page.attempt(this.#page.client.ask('evaluate', typed).then((count) => this.#page.move({ toMoment: { retired: Number(count) } })));
    });
  }

  resumeOrPause(): void {
    const { activity, stops } = this.#status ?? {};
    if (activity === 'stopped' && this.#resumedAfter !== stops) {
      this.#resumedAfter = stops;
      this.#page.move('run');
    }
    else this.#page.attempt(this.#page.client.ask('pause'));
  }

  loaded(name: string, { protocol }: LoadedData): void {
    this.#name.textContent = name;
    this.#name.title = `entered by ${protocol}`;
  }

  /** Shows a message. After some seconds, or at the next stop, it is no news any more, and gone at the stop after that. */
  say(text: string, kind: 'error' | 'note' = 'note'): void {
    clearTimeout(this.#timer);
    this.#message.textContent = this.#message.title = text;
    this.#message.className = `message ${kind}`;
    this.#timer = setTimeout(() => { this.#message.classList.add('old'); }, MESSAGE_MS);
  }

  #outdateMessage(): void {
    if (this.#message.classList.contains('old')) this.#message.textContent = this.#message.title = '';
    this.#message.classList.add('old');
  }

  show(status: StatusData): void {
    if (this.#status !== undefined && status.stops !== this.#status.stops) this.#outdateMessage();
    this.#status = status;
    const stopped = status.activity === 'stopped';
    this.#resume.replaceChildren(icon(stopped ? 'run' : 'pause'));
    this.#resume.title = stopped ? 'Run (F8)' : 'Pause (F8)';
    this.#resume.setAttribute('aria-label', stopped ? 'Run' : 'Pause');
    this.#state.textContent = { running: 'running', waiting: 'waiting for input', stopped: status.ending === 'fault' ? 'fault' : status.ending === 'end' ? 'ended' : status.isNewest ? 'paused' : 'in the past' }[status.activity];
    this.#state.className = `pill ${status.activity} ${status.ending ?? ''} ${status.isNewest ? '' : 'past'}`;
    this.#realTime.setAttribute('aria-pressed', String(status.inRealTime));
    this.#realTime.title = status.inRealTime ? 'A halted guest waits for the clock on the wall: let its time jump ahead instead' : 'The time of a halted guest jumps ahead: let it wait for the clock on the wall instead';
    this.#why.textContent = this.#why.title = status.why ?? '';
    this.#showProgress(status);
    this.#showFault(status.faultAddress);
    this.#count.textContent = grouped(status.now.retired);
    this.#mode.textContent = this.#mode.title = status.mode;
    this.#speed.textContent = status.activity === 'running' && status.speed > 0 ? `${short(status.speed)}/s` : '';
  }

  /** What takes long says how far it is, and how one gives it up. */
  #showProgress({ progress }: StatusData): void {
    this.#progress.hidden = progress === undefined;
    if (progress === undefined) return;
    const { kind, done, of } = progress;
    this.#bar.max = Math.max(1, of);
    this.#bar.value = done;
    this.#bar.setAttribute('aria-label', kind === 'search' ? 'Searching backwards: instructions looked through' : 'On the way: instructions');
    this.#way.textContent = `${kind === 'search' ? 'searching back' : 'on the way'}: ${short(done)} of ${short(of)} · Esc gives up`;
  }

  /** Before a page fault is delivered CR2 is still the last one's: this is the way to its address. */
  #showFault(address: bigint | undefined): void {
    this.#fault.hidden = address === undefined;
    if (address === undefined) return;
    this.#fault.setAttribute('aria-label', `Walk ${hex(address, 16)}`);
    this.#fault.title = `The page walk of ${hex(address, 16)}, which CR2 will get`;
  }

  async #link(): Promise<void> {
    const text = await this.#page.link();
    history.replaceState(undefined, '', text);
    await navigator.clipboard.writeText(text).then(() => this.say('The link is copied: it reopens this moment.'), () => this.say('The link is in the address bar: it reopens this moment.'));
  }
}

/** What the guest prints on COM1, and a keyboard for it. In the past it shows what had been printed by then. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { StatusData } from '../../messages.ts';
import { h } from '../dom.ts';
import { Paced } from '../paced.ts';
import type { Page, Pane } from '../pane.ts';

const UTF8 = new TextEncoder();
const SCROLLBACK_LINES = 5000;
/** Characters of what has just been printed that a screen reader is told at once. */
const LONGEST_ANNOUNCEMENT = 4000;
/** What may wait to be drawn: more than the screen and all above it hold. */
const MOST_WAITING_BYTES = 2 ** 21;
const MOST_ANSWERS = 1000;
/** What programs for a terminal expect: smaller letters are better than broken lines. */
const COLUMNS = 80, LARGEST_FONT = 12, SMALLEST_FONT = 10;

export class ConsolePane implements Pane {
  readonly name = 'Console';
  readonly element: HTMLElement;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #output: Paced;
  /** Answers of the terminal itself since the last key. */
  #answers = 0;

  readonly whileRunning = true;
  readonly #page: Page;
  /** What has been typed in the past, which nobody has got yet, and what can be done about it. */
  #held: number[] = [];
  readonly #choice: HTMLElement;
  #stops = 0;

  constructor(page: Page) {
    this.#page = page;
    const style = getComputedStyle(document.documentElement);
    this.#terminal = new Terminal({ convertEol: true, scrollback: SCROLLBACK_LINES, fontSize: LARGEST_FONT, lineHeight: 1.25, fontFamily: style.getPropertyValue('--mono'), screenReaderMode: true, cursorBlink: false, theme: theme() });
    this.#output = new Paced(this.#terminal, MOST_WAITING_BYTES);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { this.#terminal.options.theme = theme(); });
    const screen = h('div', { class: 'terminal', role: 'group', 'aria-label': 'Serial console: Tab is the guest\'s, Shift+Tab leaves it' });
    this.#choice = this.#choiceOf([
      ['Begin another future with it', () => page.attempt(this.#type(this.#held.splice(0), true))],
      ['Go to the latest moment', () => page.move('end')],
      ['Stay in the past (Esc)', () => {}],
    ]);
    this.element = h('div', { class: 'tab-body console' }, this.#choice, screen);
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.attachCustomKeyEventHandler((event) => !isForPage(event) && !this.#isDismissal(event));
    this.#answerOnce();
    this.#terminal.onData((text) => page.attempt(this.#type([...UTF8.encode(text)])));
    new ResizeObserver(() => {
      if (screen.clientWidth === 0) return;
      if (this.#terminal.element === undefined) {
        this.#terminal.open(screen);
        // The terminal's own rows for screen readers have no name.
        screen.querySelector('.xterm-accessibility-tree')?.setAttribute('aria-label', 'What the guest has printed');
        boundAnnouncement(screen.querySelector('.live-region')!);
      }
      this.#fitColumns();
    }).observe(screen);
  }

  /**
   * A terminal answers what asks for its kind, its modes or the cursor's place, as if that were typed. What is written again has been answered: the answer is in the log. There each one stays,
   * so a guest that asks on and on gets no more until a key is pressed.
   */
  #answerOnce(): void {
    const { parser } = this.#terminal;
    this.#terminal.onKey(() => { this.#answers = 0; });
    const isAnswered = (): boolean => {
      if (this.#output.repeats || this.#answers > MOST_ANSWERS) return true;
      if (++this.#answers <= MOST_ANSWERS) return false;
      this.#page.attempt(Promise.reject(new RangeError(`the guest has asked the terminal ${MOST_ANSWERS} times: it gets no more answers until a key is pressed in the console`)));
      return true;
    };
    for (const query of [{ final: 'c' }, { prefix: '>', final: 'c' }, { final: 'n' }, { prefix: '?', final: 'n' }, { final: 't' }, { intermediates: '$', final: 'p' }, { prefix: '?', intermediates: '$', final: 'p' }]) {
      parser.registerCsiHandler(query, isAnswered);
    }
    for (const color of [4, 10, 11, 12]) parser.registerOscHandler(color, isAnswered);
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, isAnswered);
  }

  /** In the past the guest gets it only if the user says so: what came after would be forgotten for it. */
  async #type(bytes: readonly number[], forks = false): Promise<void> {
    const taken = await this.#page.client.ask('type', { bytes, forks });
    if (taken === 'past') {
      this.#held.push(...bytes);
      this.#choice.hidden = false;
      return;
    }
    this.#dismiss();
    if (taken < bytes.length) throw new RangeError('the guest has not read what was typed before, and there is no room for more');
  }

  #choiceOf(ways: readonly (readonly [label: string, act: () => void])[]): HTMLElement {
    const buttons = ways.map(([label, act]) => h('button', { onclick: () => {
      act();
      this.#dismiss();
    } }, label));
    return h('div', { class: 'held', role: 'alert', hidden: true, onkeydown: (event: KeyboardEvent) => this.#isDismissal(event) },
      h('span', {}, 'The machine is in its past, and the guest has not got what you typed: it would forget what came after.'), ...buttons);
  }

  /** Forgets what was typed in the past. Whoever was about to choose goes on in the terminal: elsewhere what is typed moves the machine. */
  #dismiss(): void {
    this.#held = [];
    const held = this.#choice.contains(document.activeElement);
    this.#choice.hidden = true;
    if (held) this.#terminal.focus();
  }

  /** Whether a key dismissed the choice. */
  #isDismissal(event: KeyboardEvent): boolean {
    if (event.key !== 'Escape' || this.#choice.hidden) return false;
    event.preventDefault();
    event.stopPropagation();
    if (event.type === 'keydown') this.#dismiss();
    return true;
  }

  #fitColumns(): void {
    for (let size = LARGEST_FONT; size >= SMALLEST_FONT; size -= 0.5) {
      this.#terminal.options.fontSize = size;
      const columns = this.#fit.proposeDimensions()?.cols ?? COLUMNS;
      if (columns >= COLUMNS) break;
    }
    this.#fit.fit();
  }

  show(bytes: Uint8Array, replaces: boolean, repeats: boolean): void { this.#output.write({ bytes, replaces, repeats }); }

  /** What is on the screen and above it, as text. */
  get text(): string {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: active.length }, (_, n) => active.getLine(n)?.translateToString(true) ?? '').join('\n').trimEnd();
  }

  /** At another moment, and in the present, there is nothing to choose any more. */
  async refresh({ stops, activity, now, end }: StatusData): Promise<void> {
    if (stops === this.#stops && (activity === 'stopped' || now.retired < end)) return;
    this.#stops = stops;
    this.#dismiss();
  }
}

/** The terminal stops telling a screen reader what is printed after some lines, but one line of a guest's may be endless: each character of it would stay, and cost, for ever. */
function boundAnnouncement(region: Element): void {
  new MutationObserver(() => { if (region.textContent.length > LONGEST_ANNOUNCEMENT) region.textContent = ''; }).observe(region, { childList: true, characterData: true, subtree: true });
}

/** Keys that the guest does not get: those that move the machine, and the one that leads out of the console. */
const isForPage = ({ key, shiftKey }: KeyboardEvent): boolean => /^F([7-9]|1[01])$/.test(key) || (key === 'Tab' && shiftKey);

function theme(): { background: string; foreground: string; cursor: string; selectionBackground: string } {
  const probe = h('div', { class: 'terminal-colors' });
  document.body.append(probe);
  const { backgroundColor: background, color: foreground, borderTopColor: selectionBackground } = getComputedStyle(probe);
  probe.remove();
  return { background, foreground, cursor: foreground, selectionBackground };
}

/** The run so far as a line: marks for what happened, a handle to travel with, bookmarks. */
import type { MarkData, MomentData, StatusData } from '../messages.ts';
import { grouped, h, svg } from './dom.ts';
import type { Page } from './pane.ts';

/** Between two questions for the marks while the machine runs, in milliseconds. */
const MARKS_MS = 500;
const LANES = { exception: 4, interrupt: 10, cr3: 16, input: 22, output: 27 } as const;

const KINDS = Object.keys(LANES) as (keyof typeof LANES)[];

export class Timeline {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #line: SVGSVGElement;
  readonly #marks = svg('g');
  readonly #handle = svg('line', { class: 'handle', y1: 0, y2: 30 });
  readonly #played = svg('rect', { class: 'played', x: 0, y: 0, height: 30 });
  readonly #hint = h('output', { class: 'hint' });
  #bookmarks: MomentData[] = [];
  #status: StatusData | undefined;
  #drawn: readonly MarkData[] = [];
  #drawing = 0;
  #asked = 0;
  /** Of which version the marks were asked for, and what is drawn. */
  #askedFor = '';
  #picture = '';
  #wanted: number | undefined;
  /** How often the machine had stopped when it was sent somewhere; undefined: it is there. */
  #sentAt: number | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.#line = svg('svg', { 'class': 'line-of-time', 'preserveAspectRatio': 'none', 'aria-hidden': 'true' }, this.#played, this.#marks, this.#handle);
    this.element = h('div', {
      class: 'timeline', role: 'slider', tabindex: 0, 'aria-label': 'Time line: instructions', 'aria-valuemin': 0,
      onpointerdown: (event: PointerEvent) => this.#grab(event), onpointermove: (event: PointerEvent) => this.#drag(event), onpointerleave: () => { this.#hint.value = ''; },
      onkeydown: (event: KeyboardEvent) => this.#key(event),
    }, this.#line, this.#hint);
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  get bookmarks(): readonly MomentData[] { return this.#bookmarks; }
  set bookmarks(moments: readonly MomentData[]) {
    this.#bookmarks = [...moments];
    this.#draw();
  }

  /** Remembers this moment, or forgets it again. */
  bookmark(): void {
    if (this.#status === undefined) return;
    const { now } = this.#status, { retired, deliveries } = now, there = this.#bookmarks.findIndex((it) => it.retired === retired && it.deliveries === deliveries);
    if (there < 0) this.#bookmarks.push(now);
    else this.#bookmarks.splice(there, 1);
    this.#draw();
  }

  show(status: StatusData): void {
    this.#status = status;
    this.element.setAttribute('aria-valuemax', String(status.end));
    this.element.setAttribute('aria-valuenow', String(status.now.retired));
    this.element.setAttribute('aria-valuetext', `instruction ${grouped(status.now.retired)} of ${grouped(status.end)}`);
    this.#draw();
    const now = performance.now();
    if (status.marksVersion !== this.#askedFor && (status.activity !== 'running' || now - this.#asked > MARKS_MS)) {
      this.#asked = now;
      this.#askedFor = status.marksVersion;
      this.#page.attempt(this.#page.client.ask('marks', { buckets: 400 }).then((marks) => {
        this.#drawn = marks;
        this.#drawing++;
        this.#draw();
      }));
    }
    if (this.#sentAt !== undefined && status.activity !== 'running' && status.stops > this.#sentAt) this.#sentAt = undefined;
    this.#travel();
  }

  #x(retired: number): number {
    const { start, end } = this.#status!;
    return end === start ? 0 : ((retired - start) / (end - start)) * this.element.clientWidth;
  }
  #at(clientX: number): number {
    const { left, width } = this.element.getBoundingClientRect(), { start, end } = this.#status!;
    return Math.round(start + Math.min(1, Math.max(0, (clientX - left) / width)) * (end - start));
  }

  #draw(): void {
    if (this.#status === undefined) return;
    const x = this.#x(this.#status.now.retired);
    this.#played.setAttribute('width', String(x));
    for (const name of ['x1', 'x2']) this.#handle.setAttribute(name, String(Math.min(Math.max(x, 1), this.element.clientWidth - 1)));
    this.#drawMarks(this.#status);
  }

  /** Many, and mostly where they were: one shape for all of a kind, since they come anew twice a second for as long as the machine runs. */
  #drawMarks({ start, end }: StatusData): void {
    const picture = `${this.#drawing} ${start} ${end} ${this.element.clientWidth} ${this.#bookmarks.map(({ retired }) => retired).join(' ')}`;
    if (picture === this.#picture) return;
    this.#picture = picture;
    this.#marks.replaceChildren(
      ...KINDS.map((kind) => ({ kind, at: this.#drawn.filter((mark) => mark.kind === kind).map((mark) => this.#x(mark.at)) })).filter(({ at }) => at.length > 0)
        .map(({ kind, at }) => svg('path', { class: kind, d: at.map((x) => `M${(x - 1).toFixed(1)} ${LANES[kind]}h2.5v5h-2.5z`).join('') })),
      ...this.#bookmarks.filter(({ retired }) => retired >= start && retired <= end).map(({ retired }) => svg('path', { class: 'bookmark', d: `M${this.#x(retired) - 4} 30l4 -8l4 8z` })));
  }

  #grab(event: PointerEvent): void {
    if (this.#status === undefined) return;
    this.element.setPointerCapture(event.pointerId);
    // On a mark, or a bookmark, it goes to what that tells of.
    const x = event.clientX - this.element.getBoundingClientRect().left;
    const near = [...this.#bookmarks.map(({ retired }) => retired), ...this.#drawn.map(({ at }) => at)].map((at) => ({ at, distance: Math.abs(this.#x(at) - x) })).sort((a, b) => a.distance - b.distance)[0];
    // Whatever journey is under way is given up for this one.
    this.#sentAt = undefined;
    this.#go(near !== undefined && near.distance < 4 ? near.at : this.#at(event.clientX));
  }

  #drag(event: PointerEvent): void {
    if (this.#status === undefined) return;
    const at = this.#at(event.clientX), x = event.clientX - this.element.getBoundingClientRect().left;
    const near = this.#drawn.filter((mark) => Math.abs(this.#x(mark.at) - x) < 4)[0];
    this.#hint.value = near === undefined ? grouped(at) : `${near.title}${near.count > 1 ? ` and ${near.count - 1} more` : ''} · ${grouped(near.at)}`;
    this.#hint.style.left = `${Math.min(Math.max(x, 60), this.element.clientWidth - 160)}px`;
    if (event.buttons === 1 && this.element.hasPointerCapture(event.pointerId)) this.#go(at);
  }

  #key(event: KeyboardEvent): void {
    if (this.#status === undefined) return;
    const { start, end, now } = this.#status, page = Math.max(1, Math.round((end - start) / 20));
    const to = { ArrowRight: now.retired + 1, ArrowLeft: now.retired - 1, PageUp: now.retired + page, PageDown: now.retired - page, Home: start, End: end }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#go(Math.min(end, Math.max(start, to)));
  }

  /** One journey at a time, so that a drag shows where it has been: while one goes on, only the last destination counts. */
  #go(to: number): void {
    this.#wanted = to;
    this.#travel();
  }
  #travel(): void {
    if (this.#wanted === undefined || this.#sentAt !== undefined) return;
    const to = this.#wanted;
    this.#wanted = undefined;
    this.#sentAt = this.#status?.stops ?? 0;
    this.#page.attempt(this.#page.travel(to));
  }
}

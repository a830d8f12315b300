/** Physical frames as a picture: a cell for each, or for as many as fit. What a cell is stands below it, for the pointer and for the arrow keys. */
import type { FramesData } from '../../messages.ts';
import { grouped, h, hex } from '../dom.ts';
import type { Page } from '../pane.ts';

const COLUMNS = 256, MOST_CELLS = 32_768, FRAME_BYTES = 4096;
const KINDS = ['free', 'used', 'page table', 'zero page'] as const;
const classOf = (kind: string): string => `frame-${kind.replace(' ', '-')}`;

export class FramesPicture {
  readonly #canvas: HTMLCanvasElement;
  readonly #cursor = h('i', { class: 'cell-cursor' });
  readonly #title = h('span', { class: 'note' });
  readonly #about = h('output', { class: 'note' });
  readonly elements: readonly HTMLElement[];
  #kinds: Uint8Array = new Uint8Array();
  #each = 1;
  #cell = 0;

  constructor(page: Page) {
    this.#canvas = h('canvas', { class: 'frames-picture', tabindex: 0, role: 'img', onkeydown: (event: KeyboardEvent) => this.#key(event), onfocus: () => this.#point(this.#cell) });
    const show = (): void => page.show('physical', BigInt(this.#cell * this.#each) * BigInt(FRAME_BYTES));
    this.#canvas.addEventListener('pointermove', (event) => this.#point(this.#at(event)));
    this.#canvas.addEventListener('click', (event) => {
      this.#point(this.#at(event));
      show();
    });
    this.#canvas.addEventListener('keydown', (event) => { if (event.key === 'Enter') show(); });
    this.elements = [
      h('h3', {}, 'Physical frames ', this.#title), h('div', { class: 'frames-frame' }, this.#canvas, this.#cursor),
      h('p', { class: 'legend' }, ...KINDS.map((kind) => h('span', { class: `key ${classOf(kind)}` }, kind)), this.#about),
    ];
  }

  /** The rarest kind among the frames of a cell shows. */
  draw({ kinds, free, tables }: FramesData): void {
    this.#kinds = kinds;
    this.#each = Math.max(1, Math.ceil(kinds.length / MOST_CELLS));
    this.#canvas.width = COLUMNS;
    this.#canvas.height = Math.max(1, Math.ceil(this.#cells / COLUMNS));
    this.#canvas.setAttribute('aria-label', `${kinds.length} frames, ${free} free, ${tables} hold page tables`);
    this.#title.textContent = `${grouped(kinds.length)}, ${grouped(free)} free, ${grouped(tables)} page tables${this.#each === 1 ? '' : `; ${this.#each} to a cell`}`;
    const context = this.#canvas.getContext('2d')!, image = context.createImageData(this.#canvas.width, this.#canvas.height), colors = KINDS.map((kind) => colorOf(classOf(kind)));
    for (let cell = 0; cell < this.#cells; cell++) image.data.set(colors[this.#kindOf(cell)]!, cell * 4);
    context.putImageData(image, 0, 0);
    if (this.#about.value !== '') this.#point(this.#cell);
  }

  get #cells(): number { return Math.ceil(this.#kinds.length / this.#each); }
  #kindOf(cell: number): number { return Math.max(...this.#kinds.subarray(cell * this.#each, (cell + 1) * this.#each)); }

  #at({ offsetX, offsetY }: MouseEvent): number {
    const { clientWidth, clientHeight, height } = this.#canvas;
    return Math.floor((offsetY / clientHeight) * height) * COLUMNS + Math.floor((offsetX / clientWidth) * COLUMNS);
  }

  #point(cell: number): void {
    if (this.#cells === 0) return;
    this.#cell = Math.min(Math.max(cell, 0), this.#cells - 1);
    const frame = this.#cell * this.#each, last = Math.min(frame + this.#each, this.#kinds.length) - 1;
    this.#about.value = `${hex(frame * FRAME_BYTES)}: ${this.#each === 1 ? `frame ${grouped(frame)}` : `frames ${grouped(frame)} to ${grouped(last)}`}, ${KINDS[this.#kindOf(this.#cell)]}`;
    const width = 100 / COLUMNS, height = 100 / this.#canvas.height;
    Object.assign(this.#cursor.style, { left: `${(this.#cell % COLUMNS) * width}%`, top: `${Math.floor(this.#cell / COLUMNS) * height}%`, width: `${width}%`, height: `${height}%` });
  }

  #key(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS, PageDown: 16 * COLUMNS, PageUp: -16 * COLUMNS, Home: -this.#cells, End: this.#cells }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.#point(this.#cell + by);
  }
}

/** A colour of the style sheet as four bytes. */
function colorOf(name: string): readonly number[] {
  const probe = h('i', { class: `key ${name}` });
  document.body.append(probe);
  const context = new OffscreenCanvas(1, 1).getContext('2d')!;
  context.fillStyle = getComputedStyle(probe).getPropertyValue('border-left-color');
  probe.remove();
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
}

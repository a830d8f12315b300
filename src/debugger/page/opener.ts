/** Where images come from: the server that `longmode debug` is, a file picker, a file dropped on the page, the example. */
import type { LoadRequest, MachineRequest } from '../messages.ts';
import { h } from './dom.ts';
import { bytesOf, dropped, type Given } from './files.ts';
import { linkIn } from './link.ts';
import { MachineForm, picker, type Module } from './machine-form.ts';

/** An image, what its kernel says of its own memory, and how a flat binary was opened. */
interface Image extends Module { readonly description?: unknown; readonly flat?: NonNullable<MachineRequest['flat']> }

/** boot.json: what the server has, or the static build's example. */
interface Offer {
  readonly name?: string;
  readonly options?: MachineRequest;
  readonly modules?: readonly string[];
  /** Path of the description that was given with the image. */
  readonly description?: string;
  /** Path of the texts of its source files. */
  readonly sources?: string;
  readonly example?: { readonly name: string; readonly image: string; readonly sources: string };
}

/** What the opener gives the page. */
interface OpenerPage {
  load(request: LoadRequest): Promise<void>;
  /** More source texts for the image that is loaded, if one is. */
  sources(texts: Readonly<Record<string, string>>): Promise<void>;
  /** What the memory of the kernel that is loaded looks like. */
  describe(description: unknown): Promise<void>;
}

export class Opener {
  readonly element: HTMLDialogElement;
  readonly #page: OpenerPage;
  readonly #form: MachineForm;
  readonly #progress = h('p', { class: 'note', role: 'status' });
  readonly #problem = h('p', { class: 'problem', role: 'alert' });
  readonly #close = h('button', { class: 'quiet close', onclick: () => this.element.close(), hidden: true }, 'Close');
  readonly #again = h('button', { class: 'primary', onclick: () => this.#attempt(this.#load(this.#image!)), hidden: true });
  #offer: Offer = {};
  /** What was opened last, to be opened again on another machine. */
  #image: Image | undefined;

  constructor(page: OpenerPage) {
    this.#page = page;
    this.#form = new MachineForm({ attempt: (work) => this.#say(work), sources: (texts) => page.sources(texts) });
    this.element = h('dialog', { class: 'opener', 'aria-label': 'Open an image' },
      h('h1', {}, 'longmode'), this.#close, h('p', {}, 'The x86-64 machine you can see into. Open a kernel image: ELF with Multiboot or PVH, a vmlinux or bzImage. It stays on this computer.'),
      linkNote(),
      h('div', { class: 'drop' }, picker('file', 'primary', 'Choose an image', {}, (files) => this.#attempt(bytesOf(files[0]!).then((image) => this.#open(image)))), h('span', {}, 'or drop one anywhere on the page'), this.#again),
      ...this.#form.rows,
      h('div', { class: 'row' }, h('button', { class: 'primary', id: 'example', onclick: () => this.#attempt(this.#example()) }, 'Open the guest kernel'), h('span', { class: 'note' }, 'physical memory, paging, demand faults and a heap, with its source')),
      this.#progress, this.#problem);
    document.addEventListener('dragover', (event) => {
      event.preventDefault();
      document.body.classList.add('dragging');
    });
    // Out of the page, and not from one of its elements into another.
    document.addEventListener('dragleave', (event) => { if (event.relatedTarget === null) document.body.classList.remove('dragging'); });
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      document.body.classList.remove('dragging');
      if (event.dataTransfer !== null) this.#say(this.#take(dropped(event.dataTransfer)));
    });
  }

  /** Opens what the server offers, or asks. */
  async start(): Promise<void> {
    this.#offer = await jsonAt('boot.json') as Offer;
    const { name, options = {}, modules = [], description, sources } = this.#offer;
    if (name === undefined) {
      this.show();
      return;
    }
    this.#form.options = { ...options, modules: await Promise.all(modules.map(async (module, n) => ({ name: module, bytes: await bytesAt(`module/${n}`) }))) };
    if (sources !== undefined) await this.#form.addSources(await jsonAt(sources) as Record<string, string>);
    await this.#load({ name, bytes: await bytesAt('image'), ...(description === undefined ? {} : { description: await jsonAt(description) }) });
  }

  show(): void {
    this.#problem.textContent = '';
    if (!this.element.open) this.element.showModal();
  }

  async #take(given: Promise<Given>): Promise<void> {
    const { image, modules, sources, description } = await given;
    if (modules.length > 0) this.#form.modules = modules;
    if (Object.keys(sources).length > 0) await this.#form.addSources(sources);
    if (description !== undefined && image === undefined) {
      await this.#page.describe(description);
      if (this.#image !== undefined) this.#image = { ...this.#image, description };
    }
    if (image !== undefined) this.#attempt(this.#open({ ...image, ...(description === undefined ? {} : { description }) }));
    // Modules alone wait for their kernel.
    else if (modules.length > 0) this.show();
  }

  /** Opens an image that the user has given. */
  #open(image: Image): Promise<void> {
    this.#form.forgetOthers();
    return this.#load(image);
  }

  async #load(image: Image): Promise<void> {
    const { name, bytes, flat, ...description } = image, options = { ...(flat === undefined ? {} : { flat }), ...this.#form.options };
    await this.#page.load({ name, image: bytes, options, sources: { ...await this.#exampleSources(), ...this.#form.sources }, ...description });
    this.#loaded();
    this.#image = { ...image, ...(options.flat === undefined ? {} : { flat: options.flat }) };
    this.#form.forgetFlat();
    this.#again.textContent = `Open ${name} again`;
    this.#again.hidden = false;
  }

  async #example(): Promise<void> {
    const { example } = this.#offer;
    if (example === undefined) throw new Error('this build has no example');
    const { memoryBytes, cmdline } = this.#form.options;
    const [image, sources] = await Promise.all([bytesAt(example.image), this.#exampleSources()]);
    await this.#page.load({ name: example.name, image, options: { ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(cmdline === undefined ? {} : { cmdline }) }, sources });
    this.#loaded();
  }

  #loaded(): void { this.#close.hidden = false; }

  /** The guest kernel may be any image, built by `longmode kernel`: only its line table names these files. */
  async #exampleSources(): Promise<Record<string, string>> {
    return this.#offer.example === undefined ? {} : await jsonAt(this.#offer.example.sources) as Record<string, string>;
  }

  /** Does something that ends in an image that is open. */
  #attempt(work: Promise<void>): void {
    this.#progress.textContent = 'Opening…';
    this.#say(work.then(() => this.element.close()).finally(() => { this.#progress.textContent = ''; }));
  }
  /** Does something, and says why it could not. */
  #say(work: Promise<void>): void {
    this.#problem.textContent = '';
    work.catch((error: unknown) => {
      this.show();
      this.#problem.textContent = error instanceof Error ? error.message : String(error);
    });
  }
}

/** What becomes of a link in the address. */
function linkNote(): HTMLElement | undefined {
  const link = linkIn(location.hash);
  if (link === undefined) return undefined;
  return h('p', { class: 'note' }, 'problem' in link ? `Take note: ${link.problem}.` : 'The link in the address leads to a moment of a run: open its image, with the same memory, command line and modules, and the page goes there.');
}

async function bytesAt(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return new Uint8Array(await answer.arrayBuffer());
}
async function jsonAt(path: string): Promise<unknown> {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${answer.statusText}`);
  return answer.json();
}

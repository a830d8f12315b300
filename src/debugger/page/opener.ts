/** Where images come from: the server that `longmode debug` is, a file picker, a file dropped on the page, the example. */
import type { LoadRequest, MachineRequest } from '../messages.ts';
import { h } from './dom.ts';
import { bytesOf, dropped, pickedFolder, sourcesOf } from './files.ts';

/** boot.json: what the server has, or the static build's example. */
interface Offer {
  readonly name?: string;
  readonly options?: MachineRequest;
  readonly modules?: readonly string[];
  /** Path of the description that was given with the image. */
  readonly description?: string;
  /** Path of the texts of its source files. */
  readonly sources?: string;
  readonly example?: { readonly name: string; readonly image: string; readonly sources: string; readonly description: string };
}

export type Module = NonNullable<MachineRequest['modules']>[number];

/** What the opener gives the page. */
interface OpenerPage {
  load(request: LoadRequest): Promise<void>;
  /** More source texts for the image that is loaded, if one is. */
  sources(texts: Readonly<Record<string, string>>): Promise<void>;
}

export class Opener {
  readonly element: HTMLDialogElement;
  readonly #page: OpenerPage;
  readonly #problem = h('p', { class: 'problem', role: 'alert' });
  readonly #memory = h('input', { value: '128', 'aria-label': 'Memory in MiB', inputmode: 'numeric', class: 'small' });
  readonly #cmdline = h('input', { 'aria-label': 'Kernel command line', placeholder: 'command line' });
  readonly #initrd = h('span', { class: 'note' }, 'none');
  readonly #folder = h('span', { class: 'note' }, 'none');
  #modules: readonly Module[] = [];
  #sources: Readonly<Record<string, string>> = {};
  #offer: Offer = {};

  constructor(page: OpenerPage) {
    this.#page = page;
    const file = h('input', { type: 'file', id: 'file', onchange: () => { if (file.files?.[0] !== undefined) this.#attempt(bytesOf(file.files[0]).then((image) => this.#take(image))); } });
    const initrd = h('input', { type: 'file', id: 'initrd', multiple: true, onchange: () => this.#say(Promise.all([...initrd.files ?? []].map(bytesOf)).then((modules) => { this.#takeModules(modules); })) });
    const folder = h('input', { type: 'file', id: 'sources', webkitdirectory: true, onchange: () => this.#say(sourcesOf(pickedFolder(folder.files!)).then((texts) => this.#takeSources(texts))) });
    this.element = h('dialog', { class: 'opener', 'aria-label': 'Open an image' },
      h('h1', {}, 'longmode'), h('p', {}, 'The x86-64 machine you can see into. Open a kernel image: ELF with Multiboot or PVH, a vmlinux or bzImage. It stays on this computer.'),
      h('div', { class: 'drop' }, h('label', { for: 'file', class: 'primary' }, 'Choose an image'), file, h('span', {}, 'or drop one anywhere on the page')),
      h('div', { class: 'row' }, h('label', {}, 'Memory ', this.#memory, ' MiB'), this.#cmdline),
      h('div', { class: 'row' }, h('label', { class: 'pick' }, 'Initrd or modules…', initrd), this.#initrd, h('label', { class: 'pick' }, 'Folder of its source…', folder), this.#folder),
      h('div', { class: 'row' }, h('button', { class: 'primary', id: 'example', onclick: () => this.#attempt(this.#example()) }, 'Open the guest kernel'), h('span', { class: 'note' }, 'physical memory, paging, demand faults and a heap, with its source')),
      this.#problem);
    document.addEventListener('dragover', (event) => event.preventDefault());
    document.addEventListener('drop', (event) => {
      event.preventDefault();
      if (event.dataTransfer === null) return;
      this.#say(dropped(event.dataTransfer).then(async ({ image, modules, sources }) => {
        if (modules.length > 0) this.#takeModules(modules);
        if (Object.keys(sources).length > 0) await this.#takeSources(sources);
        if (image !== undefined) this.#attempt(this.#take(image));
      }));
    });
  }

  /** Opens what the server offers, or asks. */
  async start(): Promise<void> {
    this.#offer = await (await fetch('boot.json')).json() as Offer;
    const { name, options = {}, modules = [] } = this.#offer;
    if (name === undefined) {
      this.show();
      return;
    }
    const loaded = await Promise.all(modules.map(async (module, n) => ({ name: module, bytes: await bytesAt(`module/${n}`) })));
    const sources = { ...await this.#exampleSources(), ...(this.#offer.sources === undefined ? {} : await jsonAt(this.#offer.sources) as Record<string, string>) };
    const path = this.#offer.description, description = path === undefined ? {} : { description: await jsonAt(path) };
    await this.#page.load({ name, image: await bytesAt('image'), options: { ...options, modules: loaded }, sources, ...description });
  }

  show(): void {
    this.#problem.textContent = '';
    if (!this.element.open) this.element.showModal();
  }

  async #take({ name, bytes }: Module): Promise<void> {
    await this.#page.load({ name, image: bytes, options: { ...this.#options, modules: this.#modules }, sources: { ...await this.#exampleSources(), ...this.#sources } });
  }
  #takeModules(modules: readonly Module[]): void {
    this.#modules = modules;
    this.#initrd.textContent = modules.length === 0 ? 'none' : modules.map(({ name }) => name).join(', ');
  }
  async #takeSources(texts: Readonly<Record<string, string>>): Promise<void> {
    this.#sources = { ...this.#sources, ...texts };
    this.#folder.textContent = `${Object.keys(this.#sources).length} files`;
    await this.#page.sources(texts);
  }

  async #example(): Promise<void> {
    const { example } = this.#offer;
    if (example === undefined) throw new Error('this build has no example');
    const [image, sources, description] = await Promise.all([bytesAt(example.image), this.#exampleSources(), jsonAt(example.description)]);
    await this.#page.load({ name: example.name, image, options: this.#options, sources, description });
  }

  /** The guest kernel may be any image, built by `longmode kernel`: only its line table names these files. */
  async #exampleSources(): Promise<Record<string, string>> {
    return this.#offer.example === undefined ? {} : await jsonAt(this.#offer.example.sources) as Record<string, string>;
  }

  get #options(): MachineRequest {
    const mib = Number(this.#memory.value);
    if (!Number.isInteger(mib) || mib < 1 || mib > 3072) throw new Error('memory is 1 to 3072 MiB');
    return { memoryBytes: mib * 2 ** 20, ...(this.#cmdline.value === '' ? {} : { cmdline: this.#cmdline.value }) };
  }

  /** Does something that ends in an image that is open. */
  #attempt(work: Promise<void>): void { this.#say(work.then(() => this.element.close())); }
  /** Does something, and says why it could not. */
  #say(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.show();
      this.#problem.textContent = error instanceof Error ? error.message : String(error);
    });
  }
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

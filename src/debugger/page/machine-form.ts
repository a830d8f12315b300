/** The part of the opener that says what machine an image is to run on, and what the image gets besides. */
import type { MachineRequest } from '../messages.ts';
import { h } from './dom.ts';
import { bytesOf, pickedFolder, sourcesOf } from './files.ts';

export type Module = NonNullable<MachineRequest['modules']>[number];
type Sources = Readonly<Record<string, string>>;

const DEFAULT_MIB = 128, MOST_MIB = 3072;

/** A button that opens a file picker. The same files can be picked again: they may have changed, or what they are to run on. */
export function picker(id: string, look: string, label: string, kind: { readonly multiple?: boolean; readonly webkitdirectory?: boolean }, picked: (files: FileList) => void): HTMLElement {
  const input = h('input', { type: 'file', id, ...kind, onchange: () => {
    const { files } = input;
    if (files === null || files.length === 0) return;
    picked(files);
    input.value = '';
  } });
  return h('label', { class: look }, label, input);
}

/** Who uses the form. */
interface FormUser {
  /** Does something, and says why it could not. */
  attempt(work: Promise<void>): void;
  /** More source texts have come. */
  sources(texts: Sources): Promise<void>;
}

export class MachineForm {
  readonly rows: readonly HTMLElement[];
  readonly #user: FormUser;
  readonly #memory = h('input', { value: String(DEFAULT_MIB), 'aria-label': 'Memory in MiB', inputmode: 'numeric', class: 'small' });
  readonly #cmdline = h('input', { 'aria-label': 'Kernel command line', placeholder: 'command line' });
  readonly #address = h('input', { 'aria-label': 'Load address of a flat binary', placeholder: '0x100000', spellcheck: 'false', class: 'medium' });
  readonly #bits = h('select', { 'aria-label': 'Mode in which a flat binary starts' }, h('option', { value: '32' }, '32-bit protected mode'), h('option', { value: '64' }, 'long mode'));
  readonly #initrd = h('span', { class: 'note' }, 'none');
  readonly #folder = h('span', { class: 'note' }, 'none');
  #modules: readonly Module[] = [];
  #sources: Sources = {};
  /** What there are no fields for, as the command line of `longmode debug` said it. */
  #others: MachineRequest = {};

  constructor(user: FormUser) {
    this.#user = user;
    this.rows = [
      h('div', { class: 'row' }, h('label', {}, 'Memory ', this.#memory, ' MiB'), this.#cmdline),
      h('div', { class: 'row' },
        picker('initrd', 'pick', 'Initrd or modules…', { multiple: true }, (files) => user.attempt(Promise.all([...files].map(bytesOf)).then((modules) => { this.modules = modules; }))), this.#initrd,
        picker('sources', 'pick', 'Folder of its source…', { webkitdirectory: true }, (files) => user.attempt(sourcesOf(pickedFolder(files)).then((texts) => this.addSources(texts)))), this.#folder),
      h('div', { class: 'row', title: 'For a file that does not say itself how it starts' }, h('label', {}, 'A flat binary goes to ', this.#address), h('label', {}, 'and starts in ', this.#bits)),
    ];
  }

  set modules(modules: readonly Module[]) {
    this.#modules = modules;
    this.#initrd.textContent = modules.length === 0 ? 'none' : modules.map(({ name }) => name).join(', ');
  }

  get sources(): Sources { return this.#sources; }
  async addSources(texts: Sources): Promise<void> {
    this.#sources = { ...this.#sources, ...texts };
    this.#folder.textContent = `${Object.keys(this.#sources).length} files`;
    await this.#user.sources(texts);
  }

  /** What the fields say, and `longmode debug` beyond them. Throws an Error where they say nothing that a machine can be. */
  get options(): MachineRequest {
    const mib = Number(this.#memory.value), address = this.#address.value.trim();
    // RAM is made of whole pages.
    if (!Number.isInteger(mib * 256) || mib <= 0 || mib > MOST_MIB) throw new Error(`memory is 1 to ${MOST_MIB} MiB`);
    return {
      ...this.#others, memoryBytes: mib * 2 ** 20, modules: this.#modules,
      ...(this.#cmdline.value === '' ? {} : { cmdline: this.#cmdline.value }),
      ...(address === '' ? {} : { flat: this.#flat(address) }),
    };
  }
  set options({ memoryBytes = DEFAULT_MIB * 2 ** 20, cmdline = '', modules = [], ...others }: MachineRequest) {
    this.#memory.value = String(memoryBytes / 2 ** 20);
    this.#cmdline.value = cmdline;
    this.modules = modules;
    this.#others = others;
  }
  /** Another image is none of what `longmode debug` was asked for. */
  forgetOthers(): void { this.#others = {}; }
  /** The next image may say itself where it goes. */
  forgetFlat(): void { this.#address.value = ''; }

  #flat(address: string): NonNullable<MachineRequest['flat']> {
    const loadAddress = /^(0x[0-9a-f]+|\d+)$/i.test(address) ? Number(address) : Number.NaN;
    if (!(loadAddress < MOST_MIB * 2 ** 20)) throw new Error(`"${address}" is no address of RAM: write it as 0x100000 or 1048576`);
    return { loadAddress, entry: loadAddress, bits: this.#bits.value === '64' ? 64 : 32 };
  }
}

/** Files that the user hands to the page, picked or dropped: images and modules as bytes, folders of sources as texts, a description of the kernel's memory. */
import type { Module } from './machine-form.ts';

/** What a source file's name ends in: others of a folder are not read. */
const SOURCE = /\.(c|h|cc|cpp|cxx|hpp|hh|inc|s|asm|rs|ts|zig|go|d|pas|nim|adb|ads)$/i;
/** What a kernel's modules are called, where they are dropped together with it, and where they are dropped alone. */
const MODULE = /^(initrd|initramfs)|\.(cpio|cpio\.\w+|img)$/i, LONE_MODULE = /^(initrd|initramfs)|\.cpio(\.\w+)?$/i;
/** A description of the kernel's own memory. */
const DESCRIPTION = /\.json$/i;
const MOST_FILES = 50_000, MOST_FILE_BYTES = 4 * 2 ** 20, MOST_BYTES = 128 * 2 ** 20;

interface Named { readonly path: string; readonly file: File }
export interface Given { readonly image: Module | undefined; readonly modules: readonly Module[]; readonly sources: Readonly<Record<string, string>>; readonly description?: unknown }

export const bytesOf = async (file: File): Promise<Module> => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) });

/** Texts by path. Throws an Error where there are too many. */
export async function sourcesOf(files: Iterable<Named>): Promise<Record<string, string>> {
  const wanted = [...files].filter(({ path, file }) => SOURCE.test(path) && file.size <= MOST_FILE_BYTES);
  const bytes = wanted.reduce((sum, { file }) => sum + file.size, 0);
  if (bytes > MOST_BYTES) throw new Error(`these source files have ${bytes >> 20} MiB, more than ${MOST_BYTES >> 20}: choose the folder of the kernel alone`);
  return Object.fromEntries(await Promise.all(wanted.map(async ({ path, file }) => [path, await file.text()] as const)));
}
export const pickedFolder = (files: FileList): Named[] => [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** What was dropped: folders and files of source text are sources, JSON a description, the rest an image and its modules. Throws an Error where that is nothing, or more than one image. */
export async function dropped(transfer: DataTransfer): Promise<Given> {
  // The items are gone once this function has waited. A file that is in no file system, as of a page's own making, has no entry.
  const items = [...transfer.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const sources: Named[] = [], others: File[] = [], descriptions: File[] = [];
  for (const { entry, file } of items) {
    if (entry?.isDirectory === true) await folder(entry as FileSystemDirectoryEntry, sources);
    else if (file !== null) {
      if (SOURCE.test(file.name)) sources.push({ path: file.name, file });
      else if (DESCRIPTION.test(file.name)) descriptions.push(file);
      else others.push(file);
    }
  }
  if (sources.length + others.length + descriptions.length === 0) throw new Error('there is no file in what was dropped, and no folder with source texts');
  const description = await parsed(descriptions);
  const modules = others.filter(({ name }) => (others.length > 1 ? MODULE : LONE_MODULE).test(name)), images = others.filter((file) => !modules.includes(file));
  if (images.length > 1) throw new Error(`${images.map(({ name }) => name).join(' and ')}: one image at a time`);
  return { image: images[0] && await bytesOf(images[0]), modules: await Promise.all(modules.map(bytesOf)), sources: await sourcesOf(sources), ...(description === undefined ? {} : { description }) };
}

async function parsed([file, another]: readonly File[]): Promise<unknown> {
  if (file === undefined) return undefined;
  if (another !== undefined) throw new Error(`${file.name} and ${another.name}: one description at a time`);
  try {
    return JSON.parse(await file.text()) as unknown;
  } catch (error) {
    throw new Error(`${file.name}: ${(error as Error).message}`, { cause: error });
  }
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> => new Promise((resolve, reject) => { entry.file(resolve, reject); });

async function folder(entry: FileSystemDirectoryEntry, into: Named[]): Promise<void> {
  const reader = entry.createReader();
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (entries.length === 0) return;
    for (const each of entries) {
      if (into.length >= MOST_FILES) return;
      if (each.isDirectory) await folder(each as FileSystemDirectoryEntry, into);
      else if (SOURCE.test(each.name)) into.push({ path: each.fullPath, file: await fileOf(each as FileSystemFileEntry) });
    }
  }
}

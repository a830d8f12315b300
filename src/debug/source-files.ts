/** Texts of source files by the names that a line table has for them: where an image was compiled, the same files had other folders. */

/** A path in its parts, without `.` and with `..` taken back. */
export function pathParts(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split(/[/\\]/)) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

export class SourceFiles {
  readonly #texts = new Map<string, string>();
  /** Paths in parts, by the last part. */
  readonly #byName = new Map<string, (readonly string[])[]>();
  readonly #lines = new Map<string, readonly string[] | undefined>();

  constructor(texts: Readonly<Record<string, string>> = {}) { this.add(texts); }

  /** More files; one with a path that is known already takes its place. */
  add(texts: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(texts)) {
      const parts = pathParts(path), key = parts.join('/'), name = parts.at(-1);
      if (name === undefined) continue;
      if (!this.#texts.has(key)) this.#byName.set(name, [...this.#byName.get(name) ?? [], parts]);
      this.#texts.set(key, text);
    }
    this.#lines.clear();
  }

  /** The text of line `line`, counted from 1, of a file; undefined where it is not known which file that is. */
  line(file: string, line: number): string | undefined {
    if (!this.#lines.has(file)) this.#lines.set(file, this.#find(file)?.split(/\r?\n/));
    return this.#lines.get(file)?.[line - 1];
  }
  has(file: string): boolean { return this.#find(file) !== undefined; }

  /**
   * The file whose path ends in most of the same parts, and has the fewest others: `linux/mm/fault.c` is `mm/fault.c` rather than `linux/arch/x86/mm/fault.c`.
   * None where two are as good: the wrong text is worse than none.
   */
  #find(file: string): string | undefined {
    const wanted = pathParts(file);
    let best = 0, fewest = Infinity, found: string | undefined;
    for (const parts of this.#byName.get(wanted.at(-1) ?? '') ?? []) {
      let same = 0;
      while (same < parts.length && same < wanted.length && parts.at(-1 - same) === wanted.at(-1 - same)) same++;
      const others = parts.length - same;
      if (same > best || (same === best && others < fewest)) [best, fewest, found] = [same, others, parts.join('/')];
      else if (same === best && others === fewest) found = undefined;
    }
    return found === undefined ? undefined : this.#texts.get(found);
  }
}

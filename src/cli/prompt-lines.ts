/** Lines of a debugger's prompt: from a terminal, or from a script on stdin, whose lines are shown as if they had been typed. */
import { createInterface, type Interface } from 'node:readline';
import type { Search } from '../debug/history/search.ts';

const PROMPT = '(longmode) ';
/** Between two words on how far a search is, in milliseconds. */
const PROGRESS_MS = 500;

const millions = (count: number): string => (count / 1e6).toFixed(1);

export class PromptLines {
  #interface: Interface | undefined;
  readonly #waiting: string[] = [];
  #ended = false;
  #interrupted = false;
  #wake: (() => void) | undefined;

  /** Shows lines on stderr: stdout is the guest's. */
  show(lines: readonly string[]): void {
    if (lines.length > 0) process.stderr.write(`${lines.join('\n')}\n`);
  }

  /** The next line; undefined when there are no more, or after Ctrl-D. */
  async next(): Promise<string | undefined> {
    this.#open();
    const { isTTY } = process.stdin;
    // What has been typed meanwhile stands there, with the cursor behind it.
    if (isTTY) this.#interface!.prompt(true);
    while (this.#waiting.length === 0 && !this.#ended) await new Promise<void>((resolve) => { this.#wake = resolve; });
    const line = this.#waiting.shift();
    if (!isTTY) this.show([`${PROMPT}${line ?? 'quit'}`]);
    return line;
  }

  /** Carries out a search, or a way through the past; Ctrl-C gives it up, and so does the end of the host. Undefined then. */
  async during<T>(search: Search<T>, hasEnded: () => boolean): Promise<T | undefined> {
    this.#interrupted = false;
    // Where the lines come from a script, Ctrl-C is a signal.
    const onSignal = (): void => { this.#interrupted = true; };
    process.on('SIGINT', onSignal);
    let said = performance.now(), width = 0;
    try {
      for (;;) {
        const found = search.advance();
        if (found !== undefined) return found.what;
        await new Promise<void>((resolve) => { setImmediate(resolve); });
        if (this.#interrupted || hasEnded()) {
          search.cancel();
          return undefined;
        }
        if (!process.stderr.isTTY || performance.now() - said < PROGRESS_MS || search.progress === undefined) continue;
        said = performance.now();
        const { kind, done, of } = search.progress, text = `${kind === 'search' ? 'searched' : 'on the way:'} ${millions(done)} of ${millions(of)} million instructions; Ctrl-C gives up`;
        process.stderr.write(`\r${text.padEnd(width)}`);
        width = text.length;
      }
    } finally {
      process.off('SIGINT', onSignal);
      if (width > 0) process.stderr.write(`\r${' '.repeat(width)}\r`);
    }
  }

  /** Gives the terminal back until the next line is wanted. */
  pause(): void {
    if (!process.stdin.isTTY) return;
    this.#interface?.close();
    this.#interface = undefined;
    this.#ended = false;
  }

  #open(): void {
    if (this.#interface !== undefined) return;
    const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: PROMPT, terminal: process.stdin.isTTY });
    this.#interface = lines;
    lines.on('line', (line) => {
      this.#waiting.push(line);
      this.#wake?.();
    });
    lines.on('SIGINT', () => { this.#interrupted = true; });
    lines.on('close', () => {
      if (this.#interface !== lines) return;
      this.#ended = true;
      this.#wake?.();
    });
  }
}

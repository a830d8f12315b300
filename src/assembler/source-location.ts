/**
 * Which line of TypeScript wrote an instruction: the caller's frame of a captured stack. The stack is captured with
 * a limit of one frame at each emission and turned into text only when a location is needed.
 */
import type { SourceLocation } from './error.ts';

/** Turns a position in the running JavaScript into one in its source: the CLI maps dist/*.js back through source maps. */
export type ResolveLocation = (file: string, line: number, column: number) => SourceLocation;

/** The place that called an assembler's method. */
export interface CallSite { readonly stack?: string }

/** Captures the caller of `method`. Engines without captureStackTrace give a whole stack, in which the assembler's own frames are skipped. */
export function captureCallSite(method: (...operands: never[]) => unknown): CallSite {
  if (typeof Error.captureStackTrace !== 'function') return { stack: String(new Error('call site').stack) };
  const limit = Error.stackTraceLimit;
  const site: CallSite = {};
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(site, method);
  Error.stackTraceLimit = limit;
  return site;
}

const OWN_FOLDER = new URL('.', import.meta.url).href;

/** Reads locations out of call sites; remembers each, because programs emit in loops. */
export class LocationReader {
  readonly #resolve: ResolveLocation | undefined;
  readonly #root: string;
  readonly #known = new Map<string, SourceLocation>();

  /** `root`: the folder (path or file URL) that file names are relative to. */
  constructor(resolve: ResolveLocation | undefined, root: string | undefined) {
    this.#resolve = resolve;
    this.#root = root === undefined ? '' : plainPath(root).replace(/\/?$/, '/');
  }

  read(site: CallSite): SourceLocation {
    const stack = site.stack ?? '';
    let location = this.#known.get(stack);
    if (!location) {
      location = this.#parse(stack);
      this.#known.set(stack, location);
    }
    return location;
  }

  #parse(stack: string): SourceLocation {
    for (const frame of stack.split('\n')) {
      // V8: "    at name (file:line:column)" or "    at file:line:column"; others: "name@file:line:column".
      const match = /^(?:\s+at (?:.*\()?|[^@]*@)(\S.*?):(\d+):(\d+)\)?$/.exec(frame);
      if (!match || (match[1] as string).startsWith(OWN_FOLDER)) continue;
      const [file, line, column] = [match[1] as string, Number(match[2]), Number(match[3])];
      const resolved = this.#resolve ? this.#resolve(file, line, column) : { file, line };
      const path = plainPath(resolved.file);
      return { file: path.startsWith(this.#root) ? path.slice(this.#root.length) : path, line: resolved.line };
    }
    return { file: '(unknown)', line: 0 };
  }
}

const plainPath = (file: string): string => file.startsWith('file://') ? decodeURIComponent(file.slice('file://'.length)) : file;

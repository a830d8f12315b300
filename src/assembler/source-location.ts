/**
 * Which line of TypeScript wrote an instruction: a frame of a captured stack, the caller's unless that is a helper. Few
 * frames are captured at each emission (7 us for one, 9 us for eight, measured on Node 20), and turned into text only
 * when a location is needed (4 to 11 us).
 */
import type { SourceLocation } from './error.ts';

/** Turns a position in the running JavaScript into one in its source: the CLI maps dist/*.js back through source maps. */
export type ResolveLocation = (file: string, line: number, column: number) => SourceLocation;

/** The place that called an assembler's method. */
export interface CallSite { readonly stack?: string }

/** What V8 adds to Error; other engines have none of it. */
const V8: { readonly prototype: Error; stackTraceLimit?: number; captureStackTrace?: (target: object, above: (...operands: never[]) => unknown) => void } = Error;

/** Captures `depth` frames from the caller of `method` on. Engines without captureStackTrace give a whole stack, in which the assembler's own frames are skipped. */
export function captureCallSite(method: (...operands: never[]) => unknown, depth: number): CallSite {
  if (V8.captureStackTrace === undefined) return { stack: String(new Error('call site').stack) };
  const limit = V8.stackTraceLimit ?? 10;
  const site: CallSite = {};
  V8.stackTraceLimit = depth;
  V8.captureStackTrace(site, method);
  V8.stackTraceLimit = limit;
  return site;
}

const UNKNOWN: SourceLocation = { file: '(unknown)', line: 0 };

/** A frame of a stack: the place in the source. */
interface Frame { readonly location: SourceLocation }

export interface LocationOptions {
  readonly resolve: ResolveLocation | undefined;
  /** The folder (path or file URL) that file names are relative to. */
  readonly root: string | undefined;
  /** Ends of the names of files whose frames are passed over for their caller's. */
  readonly helpers: readonly string[];
}

/** Reads locations out of call sites; remembers each, because programs emit in loops. */
export class LocationReader {
  readonly #options: LocationOptions;
  readonly #root: string;
  readonly #known = new Map<string, SourceLocation>();
  /** The folder of the assembler's own sources, as locations name it. */
  readonly #ownFolder: string;

  constructor(options: LocationOptions) {
    this.#options = options;
    this.#root = options.root === undefined ? '' : plainPath(options.root).replace(/\/?$/, '/');
    this.#ownFolder = this.#frames(OWN_STACK)[0]?.location.file.replace(/[^/]*$/, '') ?? '';
  }

  read(site: CallSite): SourceLocation {
    const stack = site.stack ?? '';
    let location = this.#known.get(stack);
    if (!location) {
      const frames = this.#frames(stack);
      location = (frames.find((x) => !this.#isHelper(x)) ?? frames[0])?.location ?? UNKNOWN;
      this.#known.set(stack, location);
    }
    return location;
  }

  #frames(stack: string): Frame[] {
    return stack.split('\n').flatMap((frame) => {
      // V8: "    at name (file:line:column)" or "    at file:line:column"; others: "name@file:line:column".
      const match = /^(?:\s+at (?:.*\()?|[^@]*@)(\S.*?):(\d+):(\d+)\)?$/.exec(frame);
      return match ? [{ location: this.#locate(match[1] as string, Number(match[2]), Number(match[3])) }] : [];
    });
  }
  #isHelper({ location }: Frame): boolean {
    return (this.#ownFolder !== '' && location.file.startsWith(this.#ownFolder)) || this.#options.helpers.some((x) => `/${location.file}`.endsWith(x));
  }
  #locate(file: string, line: number, column: number): SourceLocation {
    const resolved = this.#options.resolve ? this.#options.resolve(file, line, column) : { file, line };
    const path = plainPath(resolved.file);
    return { file: path.startsWith(this.#root) ? path.slice(this.#root.length) : path, line: resolved.line };
  }
}

const plainPath = (file: string): string => file.startsWith('file://') ? decodeURIComponent(file.slice('file://'.length)) : file;

/** A stack whose first frame is this file's, in whatever file it runs: a bundle holds others, too. */
const OWN_STACK = String(new Error('own frame').stack);

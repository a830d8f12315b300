/** The breakpoints of a debugger: a list, from which comes what a run watches for (break-watch.ts). */
import type { Moment } from '../../machine/position.ts';
import { SymbolTable } from '../symbols.ts';
import { BreakWatch } from './break-watch.ts';
import { compileExpression, ExpressionError, type Expression } from './expression.ts';
import { describeKind, type BreakKind } from './kinds.ts';

export interface Breakpoint {
  readonly id: number;
  readonly what: BreakKind;
  /** An expression that must be other than 0, as it was typed. Where it cannot be evaluated it does not hold. */
  readonly condition: string | undefined;
  /** It goes when it has been hit once. */
  readonly temporary: boolean;
  enabled: boolean;
  /** How often a run stopped at it, or would have if it had not been ignored. */
  hits: number;
  /** Hits that are still to be passed. */
  ignore: number;
}

/** A breakpoint that stopped the machine. */
export interface Hit {
  readonly breakpoint: Breakpoint;
  /** What happened, in a line. */
  readonly text: string;
  readonly at: Moment;
  readonly before?: Moment;
}

/** A breakpoint with its condition read. */
export interface Armed { readonly breakpoint: Breakpoint; readonly holds: Expression | undefined }

/** Most bytes of a range: its pages are looked after one by one. */
const MOST_BYTES = 2 ** 20;
const MOST_BREAKPOINTS = 1000;

export class Breakpoints {
  readonly symbols: SymbolTable;
  readonly #list = new Map<number, Armed>();
  #next = 1;

  constructor(symbols = new SymbolTable()) { this.symbols = symbols; }

  /** Adds one. Throws ExpressionError for a condition that cannot be read, RangeError for what cannot be watched. */
  add(what: BreakKind, { condition, temporary = false, ignore = 0 }: { readonly condition?: string; readonly temporary?: boolean; readonly ignore?: number } = {}): Breakpoint {
    if (this.#list.size >= MOST_BREAKPOINTS) throw new RangeError(`there are ${MOST_BREAKPOINTS} breakpoints already`);
    if ('bytes' in what && what.bytes !== undefined && !(what.bytes >= 1 && what.bytes <= MOST_BYTES)) throw new RangeError(`a range has 1 to ${MOST_BYTES} bytes`);
    if (what.on === 'console' && (what.text === '' || what.text.length > 1000)) throw new RangeError('a console text has 1 to 1000 characters');
    if (what.on === 'expression' && condition === undefined) throw new ExpressionError('which condition?', 0);
    const holds = condition === undefined ? undefined : compileExpression(condition, (name) => this.symbols.addressOf(name));
    const breakpoint: Breakpoint = { id: this.#next++, what, condition, temporary, enabled: true, hits: 0, ignore };
    this.#list.set(breakpoint.id, { breakpoint, holds });
    return breakpoint;
  }

  remove(id: number): boolean { return this.#list.delete(id); }
  clear(): void { this.#list.clear(); }
  get(id: number): Breakpoint | undefined { return this.#list.get(id)?.breakpoint; }
  get all(): readonly Breakpoint[] { return [...this.#list.values()].map(({ breakpoint }) => breakpoint); }

  /** `write to 8 bytes at 0x1000 <counter> if rax > 3`. */
  describe({ what, condition }: Breakpoint): string { return `${describeKind(what, this.symbols)}${condition === undefined ? '' : ` if ${condition}`}`; }

  /**
   * What a run that stops at the enabled ones watches for; undefined if there are none. Ignored hits are not counted down: a way back asks about all.
   * `printed`: what COM1 has printed before now, the end of it at least, a character for a byte: a text may have begun there.
   */
  watch(printed: () => string = () => ''): BreakWatch | undefined {
    const armed = [...this.#list.values()].filter(({ breakpoint }) => breakpoint.enabled);
    return armed.length === 0 ? undefined : new BreakWatch(armed, this.symbols, printed);
  }

  /** Notes that a run stopped at a hit. False: it is to be ignored, and the run goes on. */
  stopsAt({ breakpoint }: Hit): boolean {
    breakpoint.hits++;
    if (breakpoint.ignore > 0) {
      breakpoint.ignore--;
      return false;
    }
    if (breakpoint.temporary) this.remove(breakpoint.id);
    return true;
  }
}

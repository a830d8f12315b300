/**
 * Breakpoints at work. Addresses cost nothing where they are not: code is made so that it comes back there. Watched pages are kept from the fast paths
 * of the paging unit, so accesses to them are the reference engine's, and nothing else is. Everything else is observed where it happens,
 * which is never in generated code. Only conditions without an event, and physical execution, need a look at every boundary.
 */
import type { DeliveryKind } from '../../cpu/delivery.ts';
import { VECTOR } from '../../cpu/exceptions.ts';
import type { Machine } from '../../machine/machine.ts';
import type { Observer } from '../../machine/observers.ts';
import { beginningOf, momentOf, type Moment } from '../../machine/position.ts';
import { AccessWatch } from '../../mmu/access-watch.ts';
import { linear, PAGE_SIZE } from '../../state/addresses.ts';
import { errorCodeBits, vectorMnemonic } from '../error-code.ts';
import type { Watch } from '../history/history.ts';
import type { SymbolTable } from '../symbols.ts';
import type { Armed, Hit } from './breakpoints.ts';
import type { EventValues } from './expression.ts';
import { modeText } from '../mode.ts';
import { PageTableWatch } from './page-table-watch.ts';

/** Something that was seen in the step in progress. `early`: the machine is to stop before it. */
interface Seen { readonly armed: Armed; readonly text: string; readonly before: Moment; readonly early: boolean; readonly values?: EventValues }

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
/** Addresses of one range that are told to the engines one by one; wider ones are looked for at every boundary. */
const MOST_ADDRESSES = 4096;

type On<K extends string> = Extract<Armed['breakpoint']['what'], { readonly on: K }>;

export class BreakWatch implements Watch<Hit> {
  readonly addresses: ReadonlySet<bigint>;
  readonly everyBoundary: boolean;
  readonly #armed: readonly Armed[];
  readonly #symbols: SymbolTable;
  readonly #printed: () => string;
  #seen: Seen[] = [];
  #observer: Observer | undefined;
  #pageTables: readonly { readonly armed: Armed; readonly watch: PageTableWatch }[] = [];
  #tail = '';
  #mode = '';
  #cpl = 0;
  /** Whether the condition of each held at the boundary before. */
  readonly #held = new Map<Armed, boolean>();

  constructor(armed: readonly Armed[], symbols: SymbolTable, printed: () => string) {
    this.#armed = armed;
    this.#symbols = symbols;
    this.#printed = printed;
    const addresses = new Set<bigint>();
    for (const [, { from, bytes = 1, physical }] of this.#of('execute')) {
      if (physical === true || bytes > MOST_ADDRESSES) continue;
      for (let n = 0; n < bytes; n++) addresses.add(BigInt.asUintN(64, from + BigInt(n)));
      const loaded = bytes === 1 ? symbols.loaded(from) : undefined;
      if (loaded !== undefined) addresses.add(loaded);
    }
    this.addresses = addresses;
    this.everyBoundary = this.#of('expression').length > 0 || this.#of('execute').some(([, { bytes = 1, physical }]) => physical === true || bytes > MOST_ADDRESSES);
  }

  #of<K extends Armed['breakpoint']['what']['on']>(...kinds: K[]): (readonly [Armed, On<K>])[] {
    return this.#armed.filter(({ breakpoint }) => kinds.includes(breakpoint.what.on as K)).map((armed) => [armed, armed.breakpoint.what as On<K>] as const);
  }

  nextCount(retired: number): number {
    return Math.min(Infinity, ...this.#of('count').map(([, { instructions }]) => instructions).filter((count) => count > retired));
  }

  arm(machine: Machine): void {
    this.#seen = [];
    this.#tail = this.#of('console').length === 0 ? '' : this.#printed();
    this.#mode = modeText(machine);
    this.#cpl = machine.state.cpl;
    for (const [armed] of this.#of('expression')) this.#held.set(armed, this.#holds(armed, machine));
    this.#observer = this.#observing(machine);
    machine.observers.add(this.#observer);
    this.#watchMemory(machine);
  }

  disarm(machine: Machine): void {
    if (this.#observer === undefined) return;
    machine.observers.remove(this.#observer);
    this.#observer = undefined;
    machine.mmu.watch(undefined);
    machine.memory.unwatchWrites();
  }

  hit(machine: Machine): Hit | undefined {
    const seen = this.#seen;
    this.#seen = [];
    const at = momentOf(machine);
    let found: Hit | undefined;
    const take = (armed: Armed, text: string, values?: EventValues, before?: Moment, stopAt = at): void => {
      if (found === undefined && this.#holds(armed, machine, values)) found = { breakpoint: armed.breakpoint, text, at: stopAt, ...(before === undefined ? {} : { before }) };
    };
    for (const { armed, text, values, before, early } of seen) {
      // Conditions of what is to come were judged when it came.
      if (early) found ??= { breakpoint: armed.breakpoint, text, at: before };
      else take(armed, text, values, before);
    }
    for (const { armed, watch } of this.#pageTables) {
      const change = watch.change(machine);
      if (change === undefined) continue;
      if (change.text !== undefined) take(armed, change.text, undefined, change.before);
      this.#watchMemory(machine);
    }
    for (const [armed, what] of this.#of('execute')) if (isAt(machine, what, this.#symbols)) take(armed, `execution comes to ${this.#symbols.text(machine.state.rip)}`);
    for (const [armed, { instructions }] of this.#of('count')) if (machine.state.retired === instructions) take(armed, `${instructions} instructions have retired`);
    for (const [armed] of this.#of('expression')) {
      const holds = this.#holds(armed, machine);
      if (holds && this.#held.get(armed) !== true) take(armed, `${armed.breakpoint.condition} is true`);
      this.#held.set(armed, holds);
    }
    return found;
  }

  #holds({ holds }: Armed, machine: Machine, values?: EventValues): boolean {
    if (holds === undefined) return true;
    const value = holds(machine, values);
    return value !== undefined && value !== 0n;
  }

  #see(machine: Machine, armed: Armed, text: string, values?: EventValues, early = false): void {
    const { state, cpu } = machine;
    const before = beginningOf({ retired: state.retired, deliveries: cpu.deliveries - cpu.deliveriesInStep });
    this.#seen.push({ armed, text, before, early, ...(values === undefined ? {} : { values }) });
    machine.pause();
  }

  // ------------------------------------------------------------------------------------------------------- memory
  #watchMemory(machine: Machine): void {
    const { mmu, memory, state } = machine;
    const accesses = this.#of('read', 'write', 'access');
    const pages = new Set<number>(), frames = new Set<number>(), written = new Set<number>();
    for (const [, { on, from, bytes, physical }] of accesses) {
      for (let page = from >> 12n; page <= (from + BigInt(bytes) - 1n) >> 12n; page++) {
        if (physical !== true) pages.add(Number(BigInt.asUintN(52, page)));
        else {
          if (on !== 'write') frames.add(Number(page));
          if (on !== 'read') written.add(Number(page));
        }
      }
    }
    this.#pageTables = this.#of('page-table').map(([armed, { address }]) => ({ armed, watch: new PageTableWatch(machine, linear(address)) }));
    for (const { watch } of this.#pageTables) for (const frame of watch.frames) written.add(frame);
    mmu.watch(pages.size + frames.size === 0 ? undefined : new AccessWatch(pages, frames, (low, high, physical, bytes, write) => {
      const address = (BigInt(high) << 32n) | BigInt(low);
      for (const [armed, what] of accesses) {
        if (what.on === (write ? 'read' : 'write') || (what.physical === true && write)) continue;
        const at = what.physical === true ? BigInt(physical) : address;
        if (touches(what, at, bytes)) this.#seeAccess(machine, armed, write, bytes, at, what.physical === true);
      }
    }));
    if (written.size === 0) {
      memory.unwatchWrites();
      return;
    }
    memory.watchWrites([...written].filter((frame) => frame < state.ramBytes / PAGE_SIZE), (address, bytes) => {
      for (const [armed, what] of accesses) {
        if (what.physical === true && what.on !== 'read' && touches(what, BigInt(address), bytes)) this.#seeAccess(machine, armed, true, bytes, BigInt(address), true);
      }
      for (const { watch } of this.#pageTables) if (watch.noteWrite(machine, address, bytes)) machine.pause();
    });
  }

  #seeAccess(machine: Machine, armed: Armed, write: boolean, bytes: number, at: bigint, physical: boolean): void {
    this.#see(machine, armed, `${write ? 'write' : 'read'} of ${bytes} byte${bytes === 1 ? '' : 's'} at ${physical ? `physical ${hex(at)}` : this.#symbols.text(at)} by ${this.#symbols.text(machine.state.rip)}`, { address: at });
  }

  // ------------------------------------------------------------------------------------------------------- events
  #observing(machine: Machine): Observer {
    const see = (...what: [Armed, string, EventValues?, boolean?]): void => { this.#see(machine, ...what); };
    const exceptions = this.#of('exception'), interrupts = this.#of('interrupt'), registers = this.#of('control-register'), msrs = this.#of('msr'), ports = this.#of('port');
    const modes = this.#of('mode'), privileges = this.#of('privilege'), flushes = this.#of('tlb-flush');
    const consoles = this.#of('console').map(([armed, { text }]) => ({ armed, text, sent: utf8(text) })), longest = Math.max(...consoles.map(({ sent }) => sent.length));
    return {
      exception: (vector, errorCode, cr2, rip, kind) => {
        const isException = isExceptionBy(kind, vector);
        const name = isException ? vectorMnemonic(vector) : `interrupt ${vector}`;
        const code = errorCode === undefined ? '' : `, error code ${hex(errorCode)}: ${errorCodeBits(vector, errorCode)!.join('; ')}`;
        const isPageFault = vector === VECTOR.PF && !isInterrupt(kind);
        const text = `${name} at ${this.#symbols.text(rip)}${isPageFault ? `, CR2 will be ${this.#symbols.text(cr2)}` : ''}${code}`;
        const values: EventValues = { vector: BigInt(vector), error: BigInt(errorCode ?? 0), address: cr2, ...(isPageFault ? { fault: cr2 } : {}) };
        for (const [armed, { vector: wanted, errorCode: bits }] of exceptions) {
          if (!isException || (wanted !== undefined && wanted !== vector) || (bits !== undefined && ((errorCode ?? 0) & bits.mask) >>> 0 !== bits.value)) continue;
          if (this.#holds(armed, machine, values)) see(armed, text, values, true);
        }
        for (const [armed, { vector: wanted }] of interrupts) {
          if (isInterrupt(kind) && (wanted === undefined || wanted === vector) && this.#holds(armed, machine, values)) see(armed, text, values, true);
        }
      },
      controlRegister: (number, value) => {
        for (const [armed, { number: wanted }] of registers) if (wanted === undefined || wanted === number) see(armed, `CR${number} = ${hex(value)}`, { value });
        if (number !== 2 && number !== 8 && this.#pageTables.length > 0) {
          for (const { watch } of this.#pageTables) watch.rootChanged();
          machine.pause();
        }
      },
      msr: (address, value) => { for (const [armed, { address: wanted }] of msrs) if (wanted === undefined || wanted === address) see(armed, `MSR ${hex(address)} = ${hex(value)}`, { value, address: BigInt(address) }); },
      port: (port, bytes, value, write) => {
        for (const [armed, { from, count = 1, direction }] of ports) {
          if (port + bytes <= from || port >= from + count || direction === (write ? 'in' : 'out')) continue;
          see(armed, `${write ? 'OUT' : 'IN'} at port ${hex(port)}, ${8 * bytes} bits: ${hex(value)}`, { value: BigInt(value), port: BigInt(port) });
        }
      },
      ...(modes.length + privileges.length === 0 ? {} : {
        refreshed: () => {
          const mode = modeText(machine), { cpl } = machine.state;
          if (mode !== this.#mode) for (const [armed] of modes) see(armed, `${this.#mode} -> ${mode}`);
          if (cpl !== this.#cpl) for (const [armed] of privileges) see(armed, `CPL ${this.#cpl} -> ${cpl}`, { value: BigInt(cpl) });
          this.#mode = mode;
          this.#cpl = cpl;
        },
      }),
      tlbFlush: (what) => { for (const [armed] of flushes) see(armed, `the TLB is invalidated: ${what}`); },
      ...(consoles.length === 0 ? {} : {
        output: (port, byte) => {
          if (port !== 0) return;
          this.#tail = (this.#tail + String.fromCharCode(byte)).slice(-longest);
          for (const { armed, text, sent } of consoles) if (this.#tail.endsWith(sent)) see(armed, `console output ${JSON.stringify(text)}`);
        },
      }),
    };
  }
}

/** INT3, INTO and INT1 raise exceptions, too; INT n with their vectors is not told from them. SDM Vol. 3A, "Software-Generated Exceptions". */
const isExceptionBy = (kind: DeliveryKind, vector: number): boolean => !isInterrupt(kind) || kind === 'INT1' || (kind === 'software' && (vector === VECTOR.BP || vector === VECTOR.OF));
const isInterrupt = (kind: DeliveryKind): boolean => kind === 'interrupt' || kind === 'nmi' || kind === 'software' || kind === 'INT1';
const UTF8 = new TextEncoder();
/** The bytes that a serial port sends a text as, a character each. */
const utf8 = (text: string): string => String.fromCharCode(...UTF8.encode(text));
const touches = ({ from, bytes }: { readonly from: bigint; readonly bytes: number }, at: bigint, count: number): boolean => at < from + BigInt(bytes) && from < at + BigInt(count);

/** Also where the instruction has been loaded, before the kernel has mapped it where it is linked. */
function isAt(machine: Machine, { from, bytes = 1, physical }: On<'execute'>, symbols: SymbolTable): boolean {
  const { state, cpu, mmu } = machine;
  if (physical !== true) return (state.rip >= from && state.rip < from + BigInt(bytes)) || (bytes === 1 && state.rip === symbols.loaded(from) && symbols.linked(state.rip) === from);
  const address = linear(cpu.in64BitMode ? state.rip : BigInt.asUintN(32, state.base[1]! + state.rip));
  const frame = mmu.peekFetch(address);
  return frame !== undefined && touches({ from, bytes }, (BigInt(frame) << 12n) | (address & 0xfffn), 1);
}

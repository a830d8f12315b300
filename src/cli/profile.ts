/** `run --profile`: where the time of a run went, as text. */
import { FastEngine } from '../cpu/engines/fast/engine.ts';
import { ACTIVITIES, ELSEWHERE, EngineProfile, type Activity } from '../cpu/engines/fast/profile.ts';
import type { Machine, Stop } from '../machine/machine.ts';
import { SymbolTable } from '../debug/symbols.ts';

const SYMBOLS_SHOWN = 16;

export class Profile {
  readonly #machine: Machine;
  readonly #profile = new EngineProfile(() => performance.now());

  constructor(machine: Machine) {
    this.#machine = machine;
    if (machine.engine instanceof FastEngine) machine.engine.profile = this.#profile;
  }

  /** Runs a slice. The reference engine is measured from here: it only ever does one thing. */
  measure<S extends { readonly kind: string } = Stop>(run: () => S): S {
    if (this.#machine.engine instanceof FastEngine) return run();
    const { state } = this.#machine;
    const begun = this.#profile.clock(), before = state.retired;
    const stop = run();
    this.#profile.note('reference', begun, state.retired - before, state.rip);
    return stop;
  }

  text(): string {
    const { milliseconds, instructions } = this.#profile;
    const activities = (Object.keys(ACTIVITIES) as Activity[]).filter((activity) => milliseconds[activity] > 0);
    const total = activities.reduce((sum, activity) => sum + milliseconds[activity], 0);
    const lines = [
      `profile: ${count(activities.reduce((sum, activity) => sum + instructions[activity], 0))} instructions in ${(total / 1000).toFixed(2)} s of the engine`,
      '  where the time went:       seconds   share      instructions',
      ...activities.map((activity) => `    ${activity.padEnd(20)}${(milliseconds[activity] / 1000).toFixed(3).padStart(10)}${share(milliseconds[activity], total)}${count(instructions[activity]).padStart(18)}   ${ACTIVITIES[activity]}`),
      '  hottest guest symbols, by time:',
      ...this.#symbols().slice(0, SYMBOLS_SHOWN).map(([name, spent]) => `    ${share(spent, total)}   ${name}`),
    ];
    const { engine } = this.#machine;
    return [...lines, ...(engine instanceof FastEngine ? engineLines(engine) : [])].join('\n');
  }

  /** Symbols with the time spent in them, hottest first. Where there is no symbol, the page. */
  #symbols(): [name: string, milliseconds: number][] {
    const symbols = new SymbolTable(this.#machine.boot?.symbols);
    const spent = new Map<string, number>();
    for (const [address, milliseconds] of this.#profile.places) {
      const name = address === ELSEWHERE ? 'elsewhere' : symbols.lookup(address)?.name ?? `0x${(address & ~0xfffn).toString(16)} (page without symbols)`;
      spent.set(name, (spent.get(name) ?? 0) + milliseconds);
    }
    return [...spent].sort(([, a], [, b]) => b - a);
  }
}

const count = (n: number): string => n.toLocaleString('en');
const share = (part: number, whole: number): string => `${((100 * part) / Math.max(whole, Number.MIN_VALUE)).toFixed(1).padStart(6)} %`;

function engineLines({ statistics, translator, code }: FastEngine): string[] {
  const t = translator.statistics, c = code.statistics, made = code.blocks.statistics;
  const exits = Object.entries(statistics.exits).filter(([, times]) => times > 0).map(([reason, times]) => `${reason} ${count(times)}`);
  return [
    `  translations: ${count(t.regions)} regions of ${count(t.instructions)} instructions in ${count(t.blocks)} blocks, ${count(t.wasmBytes)} bytes of WebAssembly, ${(t.emitMilliseconds + t.compileMilliseconds).toFixed(0)} ms; ${count(t.ended)} ended`,
    `  decoded: ${count(made.decodedInstructions)} instructions in ${count(made.blocks)} blocks; invalidations: ${count(c.droppedFrames)} pages of code were written, the cache was emptied ${count(c.emptied)} times`,
    `  left generated code: ${exits.join(', ') || 'never'}`,
  ];
}

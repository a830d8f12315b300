/** A run that is debugged: by gdb, or from a prompt in the terminal (`--on-fault debug`, Ctrl-]). */
import { Debugger, type DebugStop, type Motion } from '../debug/debugger.ts';
import { momentTo } from '../debug/history/history.ts';
import { Search } from '../debug/history/search.ts';
import { Prompt } from '../debug/prompt/prompt.ts';
import type { ImageNotes } from '../debug/image-notes.ts';
import { InputLog, serialTaken, type RunOf } from '../machine/input-log.ts';
import type { Machine, Stop } from '../machine/machine.ts';
import { compareMoments, type Moment } from '../machine/position.ts';
import type { Console } from './console.ts';
import type { Ended } from './endings.ts';
import { CommandError } from './exit-status.ts';
import { GdbServer, parseAddress } from './gdb.ts';
import type { Arguments } from './options.ts';
import { feed, isHaltedForGood, type Outside } from './outside.ts';
import { PromptLines } from './prompt-lines.ts';
import { notesOfImage } from './source-files.ts';

/** Instructions between two looks at gdb, the keyboard and the clock. */
const SLICE = 200_000;
/** About how long a slice of a way through the past lasts, in milliseconds. */
const SLICE_MS = 10;
/** What ends a guest that meant to go on. */
const FAULTS: ReadonlySet<DebugStop['kind']> = new Set(['triple-fault', 'unimplemented', 'halted']);

export class Debugging implements Outside {
  readonly #debug: Debugger;
  readonly #replays: boolean;
  readonly #gdb: { readonly host: string; readonly port: number } | undefined;
  readonly #onFault: boolean;
  /** Where the machine is going, and whether that is just on. */
  #motion: Motion;
  #isOnwards = true;
  /** Why the last slice ended, where a machine alone would not have. */
  #stop: DebugStop | undefined;
  /** A wait for input that will not come, and where. */
  #wait: { readonly stop: Stop; readonly at: Moment } | undefined;
  #lines: PromptLines | undefined;
  #server: GdbServer | undefined;
  readonly #notes: ImageNotes;
  readonly #prompt: Prompt;

  /** What the options of `run` ask for; undefined: nothing. Throws CommandError. */
  static of(machine: Machine, args: Arguments, replayed: InputLog | undefined): Debugging | undefined {
    const gdb = args.text('gdb'), onFault = args.text('on-fault');
    if (onFault !== undefined && onFault !== 'debug') throw new CommandError('usage', `--on-fault: "${onFault}" is not debug`);
    if (gdb !== undefined && onFault !== undefined) throw new CommandError('usage', '--gdb and --on-fault: gdb sees each fault itself');
    if (gdb !== undefined && args.has('max-instructions')) throw new CommandError('usage', '--gdb and --max-instructions: gdb says how far the machine goes');
    if (gdb === undefined && onFault === undefined) return undefined;
    return new Debugging(new Debugger(machine, replayed === undefined ? {} : { log: replayed }), { notes: notesOfImage(args), replays: replayed !== undefined, onFault: onFault !== undefined, ...(gdb === undefined ? {} : { gdb }) });
  }

  /** A debugger for a machine that has been running without one: its past begins now. */
  static from(machine: Machine, args: Arguments, log: InputLog): Debugging {
    return new Debugging(new Debugger(machine, { log, given: log.events.length }), { notes: notesOfImage(args), replays: false, onFault: false });
  }

  private constructor(debug: Debugger, { notes, replays, onFault, gdb }: { readonly notes: ImageNotes; readonly replays: boolean; readonly onFault: boolean; readonly gdb?: string }) {
    this.#debug = debug;
    this.#notes = notes;
    this.#prompt = new Prompt(debug, notes);
    this.#replays = replays;
    this.#onFault = onFault;
    this.#gdb = gdb === undefined ? undefined : parseAddress(gdb);
    this.#motion = debug.onwards();
  }

  /** How the guest has ended, with what the user changed. */
  get ending(): Stop | undefined {
    const { history } = this.#debug;
    return history.ending ?? (this.#wait !== undefined && compareMoments(this.#wait.at, history.end) === 0 ? this.#wait.stop : undefined);
  }
  get replays(): boolean { return this.#replays; }
  get waitsForGdb(): boolean { return this.#gdb !== undefined; }
  /** A script on stdin is for the prompt, not for the guest. */
  get keepsStdin(): boolean { return this.#onFault && !process.stdin.isTTY; }

  /** In the past the guest gets no keys, lest they take its future away: they wait for the present. */
  serial(bytes: readonly number[]): number {
    const { history } = this.#debug;
    return history.isLive && this.#server?.isGoingBack !== true ? serialTaken(history.give({ kind: 'serial', port: 0, bytes })) : 0;
  }

  run(maxInstructions: number): Stop | { readonly kind: 'replayed' } {
    const { history } = this.#debug, end = this.#replays && this.#isOnwards ? history.log.end : undefined;
    if (end !== undefined && compareMoments(history.now, end) >= 0 && !isHaltedForGood(this.#debug.machine)) return { kind: 'replayed' };
    const stop = this.#motion.advance(end === undefined ? maxInstructions : Math.max(1, Math.min(maxInstructions, end.retired - history.now.retired)));
    this.#stop = stop;
    return stop.kind === 'hit' || stop.kind === 'arrived' || stop.kind === 'refused' || stop.kind === 'start' ? { kind: 'paused' } : stop;
  }

  async recorded(of: RunOf): Promise<Uint8Array<ArrayBuffer>> {
    this.#debug.history.log.end = this.#debug.history.end;
    return this.#debug.history.log.save(of);
  }

  /** Opens the prompt where the last slice, or the user, asks for it; says how it was left. Undefined: nobody asked. What takes long ends when the host does. */
  async prompted(terminal: Console, stop: Stop | { readonly kind: 'replayed' }, hostEnds: () => Ended | undefined): Promise<'continue' | 'quit' | undefined> {
    const asked = terminal.attention || stop.kind === 'paused' || (this.#onFault && FAULTS.has(stop.kind as Stop['kind']) && !(stop.kind === 'halted' && stop.wakeable && !terminal.inputEnded));
    if (!asked) return undefined;
    const why: DebugStop = this.#stop ?? { kind: 'paused' };
    if (stop.kind === 'halted' && stop.wakeable && terminal.inputEnded) this.#wait = { stop, at: this.#debug.history.now };
    const how = await terminal.lend(() => this.#open(why, () => hostEnds() !== undefined));
    // The run ends where the guest did, wherever the user has been looking.
    if (how === 'quit') this.#debug.runTo(this.#debug.history.end);
    return how;
  }

  async #open(why: DebugStop, hasEnded: () => boolean): Promise<'continue' | 'quit'> {
    const prompt = this.#prompt, lines = this.#lines ??= new PromptLines();
    lines.show(prompt.report(why));
    for (;;) {
      if (hasEnded()) return 'continue';
      const line = await lines.next();
      if (line === undefined) return 'quit';
      const outcome = prompt.execute(line);
      switch (outcome.kind) {
        case 'text':
          lines.show(outcome.lines);
          break;
        case 'search':
          lines.show(await lines.during(outcome.search, hasEnded) ?? ['interrupted']);
          break;
        case 'leave':
        case 'run':
        case 'goto': {
          if (outcome.kind === 'leave' && outcome.how === 'quit') return 'quit';
          const motion = outcome.kind === 'run' ? outcome.motion : outcome.kind === 'goto' ? this.#debug.goTo(outcome.to) : this.#debug.onwards();
          const isBack = outcome.kind === 'goto' && compareMoments(momentTo(outcome.to), this.#debug.history.end) <= 0;
          const stop = await lines.during(this.#inThePast(motion, isBack), hasEnded);
          if (stop === 'present') {
            this.#leaveFor(motion, outcome.kind === 'leave');
            return 'continue';
          }
          lines.show(stop === undefined ? ['interrupted', ...prompt.report({ kind: 'paused' })] : prompt.report(stop));
        }
      }
    }
  }

  #leaveFor(motion: Motion, isOnwards: boolean): void {
    this.#motion = motion;
    this.#isOnwards = isOnwards;
    this.#lines?.pause();
  }

  /**
   * A motion as far as the guest's past goes, in which the terminal is the prompt's: what is typed is for it, and Ctrl-C gives the motion up. `present`: the guest goes on to new things,
   * and has the terminal. `isBack`: its destination is in the past.
   */
  #inThePast(motion: Motion, isBack: boolean): Search<DebugStop | 'present'> {
    const { history } = this.#debug, from = history.now.retired;
    const pieces = function* (): Generator<void, DebugStop | 'present', void> {
      for (let most = SLICE; ;) {
        if (history.isLive && !isBack) return 'present';
        const begun = performance.now();
        const stop = motion.advance(isBack ? most : Math.max(1, Math.min(most, history.end.retired - history.now.retired)));
        most = performance.now() - begun < SLICE_MS ? 2 * most : Math.max(1, Math.floor(most / 2));
        const waits = stop.kind === 'halted' && stop.wakeable && history.isLive && !isBack;
        if (stop.kind !== 'instruction-limit' && !waits) return stop;
        yield;
      }
    };
    return new Search(pieces(), () => { motion.cancel(); }, () => motion.progress?.() ?? { kind: 'way', done: history.now.retired - from, of: history.end.retired - from });
  }

  /** Lets gdb have the machine until it lets it go, and the machine ends; or until the host ends it. */
  async runUnderGdb(terminal: Console, hostEnds: () => Ended | undefined): Promise<Ended> {
    const debug = this.#debug, server = this.#server = new GdbServer(debug, this.#notes);
    const { host, port } = this.#gdb!;
    process.stderr.write(`longmode: gdb can connect to ${await server.listen(host, port)}\n`);
    try {
      for (;;) {
        const ended = hostEnds();
        if (ended !== undefined) return ended;
        if (server.state === 'killed') return { kind: 'interrupted' };
        if (terminal.closed) return { kind: 'output-failed' };
        if (server.state === 'paused') {
          await server.wakened();
          continue;
        }
        const { now } = debug.history, { untaken } = terminal;
        feed(terminal, this);
        const state = server.slice(SLICE, !terminal.inputEnded);
        terminal.flush();
        if (typeof state !== 'string') return state;
        await terminal.rest(state === 'waiting' ? 100 : 0, terminal.untaken === untaken && compareMoments(now, debug.history.now) === 0);
      }
    } finally {
      server.close();
    }
  }
}

/** One machine with its history, and the page's wishes for it. It runs in slices, so that requests are answered at full speed too. */
import { addBreakpoint } from '../../debug/break/parse.ts';
import { descriptionOf, kernelMemory, type Description } from '../../debug/kernel-memory.ts';
import { Debugger, type DebugStop, type Motion as DebugMotion } from '../../debug/debugger.ts';
import { modeText } from '../../debug/mode.ts';
import { pageFaultAddresses, postMortem } from '../../debug/post-mortem.ts';
import { lastWriteView, stopLine } from '../../debug/prompt/views.ts';
import { planBoot, type BootOptions } from '../../machine/boot/index.ts';
import { FileFormatError } from '../../machine/container.ts';
import { crc32 } from '../../machine/crc32.ts';
import { InputLog, serialTaken } from '../../machine/input-log.ts';
import { DEFAULT_MEMORY_BYTES, Machine } from '../../machine/machine.ts';
import { RealTime } from '../../machine/real-time.ts';
import { readSourceLines } from '../../debug/source-lines.ts';
import type { BreakpointData, LinkData, LoadedData, LoadRequest, MachineRequest, MomentData, Motion, Notice, RequestName, Requests, SourcesFound, StatusData } from '../messages.ts';
import { codeView, Sources } from './code-view.ts';
import { memoryView } from './memory-view.ts';
import { mapView, tlbView, treeView, walkView } from './paging-view.ts';
import { registerView } from './register-view.ts';
import { tablesView } from './tables-view.ts';
import { eventsView, marksView, stackView } from './time-view.ts';

/** A slice is about so many milliseconds of the host's time. */
const SLICE_MS = 12;
const FIRST_SLICE = 200_000, SHORTEST_SLICE = 1000, LONGEST_SLICE = 50_000_000;
/** Between two notices while it runs, in milliseconds. */
const NOTICE_MS = 100;
/** The clock of the host may be set. */
const LONGEST_SLEEP_MS = 1000;
/** What checkpoints may take: a page shares its host with others. */
const HISTORY_BYTES = 256 * 2 ** 20;

/** A session with a machine in it. */
interface Loaded {
  readonly machine: Machine;
  readonly debug: Debugger;
  readonly fingerprint: number;
  readonly sources: Sources;
  readonly description: Description;
}

export class Session {
  readonly #say: (notice: Notice) => void;
  #loaded: Loaded | undefined;
  /** Where the machine is going. */
  #motion: DebugMotion | undefined;
  #backwards = false;
  #waiting = false;
  /** Whether the machine runs on in real time: a processor that has halted waits for the clock on the wall. */
  #keepsRealTime = true;
  /** The motion is just on: other ways are not held up. */
  #runsOn = false;
  /** For the run in progress, if it is in real time. */
  #realTime: RealTime | undefined;
  #asleep: ReturnType<typeof setTimeout> | undefined;
  /** The moment of a link, on the way there. */
  #linked: MomentData | undefined;
  #why: string | undefined;
  #stops = 0;
  #slice = FIRST_SLICE;
  #speed = 0;
  #noticed = 0;
  #sent: number[] = [];
  /** The console shows what had been printed at the furthest moment; how many bytes had been sent by then, or by the moment that it shows. */
  #consoleIsLive = true;
  #consoleShows = 0;
  readonly #channel = new MessageChannel();
  #scheduled = false;

  constructor(say: (notice: Notice) => void) {
    this.#say = say;
    this.#channel.port1.addEventListener('message', () => {
      this.#scheduled = false;
      this.#run();
    });
    this.#channel.port1.start();
  }

  answer(name: RequestName, takes: unknown): unknown {
    // The page is built with the worker: what it sends has the types of its requests.
    return (this.#answers[name] as (takes: unknown) => unknown)(takes);
  }

  get #here(): Loaded {
    if (this.#loaded === undefined) throw new Error('no image is loaded');
    return this.#loaded;
  }

  readonly #answers: { readonly [N in RequestName]: (takes: Requests[N]['takes']) => Requests[N]['gives'] } = {
    load: (request) => this.#load(request),
    move: (motion) => { this.#move(motion); },
    pace: (real) => {
      this.#keepsRealTime = real;
      this.#realTime = real && this.#runsOn ? new RealTime(this.#here.machine) : undefined;
      if (this.#asleep !== undefined) this.#wake();
      this.#status();
    },
    pause: () => {
      this.#standStill();
      this.#stop(this.#here.debug.arrival);
    },
    type: (request) => this.#type(request),
    edit: (request) => this.#edit(request),
    break: (change) => { this.#break(change); },
    evaluate: (text) => this.#evaluate(text),
    link: () => this.#link(),
    sources: (texts) => this.#sources(texts),
    describe: (given) => {
      this.#loaded = { ...this.#here, description: { given } };
      this.#status();
    },
    code: (asked) => codeView(this.#here.debug, this.#here.sources, asked),
    registers: () => registerView(this.#here.debug),
    walk: (address) => walkView(this.#here.machine, address),
    tree: (asked) => treeView(this.#here.machine, asked),
    map: () => mapView(this.#here.machine, this.#here.debug.symbols),
    tlb: () => tlbView(this.#here.machine),
    tables: () => tablesView(this.#here.debug),
    stack: () => stackView(this.#here.debug, this.#here.sources.lines),
    events: (asked) => eventsView(this.#here.debug, asked),
    marks: (asked) => marksView(this.#here.debug, asked),
    kernel: () => kernelMemory(this.#here.debug, this.#here.description),
    story: () => ({ text: postMortem(this.#here.machine, this.#here.debug.symbols), faults: pageFaultAddresses(this.#here.machine) }),
    memory: (asked) => memoryView(this.#here.machine, asked),
  };

  // ---------------------------------------------------------------------------------------------------- the machine
  #load({ name, image, options, sources = {}, description, link }: LoadRequest): LoadedData {
    const { memoryBytes, cpu, engine, debugExitPort, flat, protocol, cmdline = '', modules = [] } = options;
    const boot: BootOptions = { name, cmdline, modules, ...(flat === undefined ? {} : { flat }), ...(protocol === undefined ? {} : { protocol }) };
    // What cannot be booted leaves the machine that is there. Otherwise its memory is given back before the new one's is asked for.
    planBoot(image, memoryBytes ?? DEFAULT_MEMORY_BYTES, boot);
    clearTimeout(this.#asleep);
    this.#asleep = undefined;
    this.#motion = undefined;
    this.#waiting = false;
    this.#loaded = this.#linked = undefined;
    const fingerprint = fingerprintOf(image, options);
    const followed = link === undefined ? undefined : readLink(link, fingerprint), linkProblem = typeof followed === 'string' ? followed : undefined;
    const machine = new Machine({
      ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(cpu === undefined ? {} : { cpu }), ...(engine === undefined ? {} : { engine }),
      ...(debugExitPort === undefined ? {} : { debugExitPort }),
      onOutput: (port, byte) => { if (port === 0) this.#sent.push(byte); },
    });
    const plan = machine.load(image, boot);
    const debug = new Debugger(machine, { budgetBytes: HISTORY_BYTES, ...(typeof followed === 'object' ? { log: followed.log } : {}) });
    const lines = readSourceLines(image);
    this.#loaded = { machine, debug, fingerprint, sources: new Sources(lines, sources), description: description === undefined ? descriptionOf(image) : { given: description } };
    this.#sent = [];
    this.#why = undefined;
    this.#consoleIsLive = false;
    this.#consoleShows = Infinity;
    if (typeof followed === 'object') this.#follow(followed.at);
    else this.#stop(debug.arrival);
    return { fingerprint, protocol: plan.protocol, warnings: plan.warnings, symbols: plan.symbols.length, lines: lines.count, linesProblem: lines.problem, linkProblem };
  }

  #move(motion: Motion): void {
    this.#standStill();
    const { debug } = this.#here;
    if (typeof motion === 'object') {
      if ('toAddress' in motion) this.#go(debug.toAddress(motion.toAddress), false);
      else if ('toMoment' in motion) this.#go(this.#travel(motion.toMoment), false);
      else this.#go(this.#toWriteOf(motion.toWriteOf), true);
      return;
    }
    switch (motion) {
      case 'run': this.#go(debug.onwards(), false, true); break;
      case 'over': this.#go(debug.over(), false); break;
      case 'out': this.#go(debug.out(), false); break;
      case 'reverse': this.#go(debug.reverse(), true); break;
      case 'backOver': this.#go(debug.backOver(), true); break;
      case 'backOut': this.#go(debug.backOut(), true); break;
      case 'step': this.#stop(debug.step()); break;
      case 'back': this.#stop(debug.back()); break;
      case 'restart': this.#go(debug.goTo(debug.history.start), true); break;
      case 'end': this.#go(debug.goTo(debug.history.end), true); break;
    }
  }

  /** To the moment of a link, which may lie beyond the end of its run. */
  #follow(at: MomentData): void {
    this.#linked = at;
    this.#go(this.#travel(at), false);
  }

  #travel({ retired, deliveries = 0, idleTime = -1 }: { readonly retired: number; readonly deliveries?: number; readonly idleTime?: number }): DebugMotion {
    return this.#here.debug.goTo({ retired, deliveries, idleTime });
  }

  #toWriteOf(target: Extract<Motion, { toWriteOf: unknown }>['toWriteOf']): DebugMotion {
    const { debug } = this.#here;
    const search = debug.lastWrite('register' in target ? { kind: 'register', name: target.register } : 'memory' in target ? { kind: 'memory', address: target.memory, bytes: target.bytes, physical: target.physical } : { kind: 'page-table', address: target.pageTable });
    return {
      progress: () => search.progress,
      advance: () => {
        const found = search.advance();
        if (found === undefined) return { kind: 'instruction-limit' };
        const [why = ''] = lastWriteView(debug, found.what);
        if (found.what !== undefined) debug.runTo(found.what.at);
        return { kind: 'refused', why };
      },
      cancel: () => { search.cancel(); },
    };
  }

  #go(motion: DebugMotion, backwards: boolean, runsOn = false): void {
    this.#motion = motion;
    this.#runsOn = runsOn;
    this.#realTime = runsOn && this.#keepsRealTime ? new RealTime(this.#here.machine) : undefined;
    this.#backwards = backwards;
    this.#waiting = false;
    this.#why = undefined;
    this.#speed = 0;
    // A short way is over before it is worth a word.
    this.#noticed = performance.now();
    this.#run();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#channel.port2.postMessage(undefined);
  }

  #run(): void {
    if (this.#motion === undefined || this.#waiting || this.#asleep !== undefined) return;
    const { state } = this.#here.machine, motion = this.#motion, realTime = this.#realTime;
    const began = performance.now(), retired = state.retired;
    let stop: DebugStop;
    try {
      stop = realTime === undefined ? motion.advance(this.#slice) : realTime.run(() => motion.advance(this.#slice));
    } catch (error) {
      this.#motion = undefined;
      this.#say({ notice: 'failed', message: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    const took = Math.max(performance.now() - began, 0.1), done = state.retired - retired;
    this.#slice = Math.round(Math.min(Math.max((this.#slice * SLICE_MS) / took, SHORTEST_SLICE), LONGEST_SLICE, 2 * this.#slice));
    this.#speed += ((done / took) * 1000 - this.#speed) * 0.2;
    const sleep = stop.kind === 'halted' && stop.wakeable ? realTime?.wait(stop) ?? Infinity : Infinity;
    if (sleep !== Infinity) {
      if (this.#sent.length > 0 || performance.now() - this.#noticed >= NOTICE_MS) this.#status();
      this.#asleep = setTimeout(() => { this.#wake(); }, Math.min(sleep, LONGEST_SLEEP_MS));
      return;
    }
    if (stop.kind === 'halted' && stop.wakeable && this.#linked === undefined) {
      this.#waiting = true;
      this.#status();
      return;
    }
    if (stop.kind !== 'instruction-limit') {
      this.#stop(stop);
      return;
    }
    if (performance.now() - this.#noticed >= NOTICE_MS) this.#status();
    this.#schedule();
  }

  /** Goes on, with what the clock has moved meanwhile. */
  #wake(): void {
    clearTimeout(this.#asleep);
    this.#asleep = undefined;
    this.#run();
  }

  /** Gives up a motion that is not over. */
  #standStill(): void {
    clearTimeout(this.#asleep);
    this.#asleep = undefined;
    this.#motion?.cancel();
    this.#motion = undefined;
    this.#linked = undefined;
    this.#waiting = false;
  }

  #stop(stop: DebugStop): void {
    this.#motion = undefined;
    this.#waiting = false;
    this.#stops++;
    if (this.#linked !== undefined && stop.kind === 'arrived') this.#here.debug.foreseeFault();
    const why = stopLine(this.#here.debug, stop);
    this.#why = this.#linked === undefined || why === undefined ? why : `the moment of the link, at ${this.#linked.retired} instructions, is beyond the end of the run: ${why}`;
    this.#linked = undefined;
    this.#status();
  }

  // -------------------------------------------------------------------------------------------------------- notices
  #status(): void {
    const { debug } = this.#here, { history } = debug;
    this.#noticed = performance.now();
    this.#console();
    this.#say({
      notice: 'status',
      status: {
        activity: this.#motion === undefined ? 'stopped' : this.#waiting ? 'waiting' : 'running',
        stops: this.#stops, why: this.#why, ending: this.#ending,
        mode: modeText(debug.machine),
        start: history.start.retired, end: history.end.retired, now: history.now, isNewest: history.isNewest, faultAddress: debug.faultAddress,
        speed: this.#speed, inRealTime: this.#keepsRealTime,
        history: { bytes: history.memory.bytes, checkpoints: history.memory.checkpoints },
        marksVersion: `${history.records.changes} ${history.log.events.length} ${history.start.retired} ${history.end.retired}`,
        progress: this.#motion?.progress?.(),
        breakpoints: debug.breakpoints.all.map((breakpoint): BreakpointData => ({
          id: breakpoint.id, text: debug.breakpoints.describe(breakpoint), enabled: breakpoint.enabled, hits: breakpoint.hits,
          address: breakpoint.what.on === 'execute' && breakpoint.what.physical !== true ? breakpoint.what.from : undefined,
        })),
      },
    });
  }

  #console(): void {
    // While a log is followed, its answers are the terminal's.
    const { history } = this.#here.debug, { records } = history, isLive = history.isLive && !history.follows;
    const before = records.sentBefore(history.isLive ? undefined : history.now.retired), shown = this.#consoleShows;
    if (isLive && this.#consoleIsLive) {
      if (this.#sent.length > 0) this.#say({ notice: 'console', bytes: Uint8Array.from(this.#sent), replaces: false, repeats: false });
    } else if (before !== shown) {
      const replaces = before < shown;
      this.#say({ notice: 'console', bytes: records.output(0, replaces ? 0 : shown, before), replaces, repeats: true });
    }
    this.#consoleShows = before;
    this.#consoleIsLive = isLive;
    this.#sent = [];
  }

  // --------------------------------------------------------------------------------------------------------- wishes
  /** How the guest has ended, where the machine stands. */
  get #ending(): StatusData['ending'] {
    const ending = this.#motion === undefined ? this.#here.debug.history.ending : undefined;
    return ending === undefined ? undefined : ending.kind === 'triple-fault' || ending.kind === 'unimplemented' ? 'fault' : 'end';
  }

  /** It stands in its past, or is on a way back there, or inputs of a log are still to come. */
  get #hasFuture(): boolean { return this.#here.debug.history.hasFuture || (this.#backwards && this.#motion !== undefined); }

  #edit({ edit, forks }: Requests['edit']['takes']): 'done' | 'past' {
    if (this.#hasFuture && !forks) return 'past';
    const { debug } = this.#here;
    this.#standStill();
    if ('register' in edit) debug.history.give({ kind: 'register', name: edit.register, value: edit.value });
    else debug.writeMemory(edit.memory, edit.bytes, edit.physical);
    this.#stop(debug.arrival);
    return 'done';
  }

  #type({ bytes, forks }: Requests['type']['takes']): number | 'past' {
    const { debug } = this.#here, { history } = debug;
    if (this.#hasFuture) {
      if (!forks) return 'past';
      this.#standStill();
      const taken = serialTaken(history.give({ kind: 'serial', port: 0, bytes }));
      this.#stop(debug.arrival);
      return taken;
    }
    if (history.ending !== undefined) throw new RangeError('the guest has ended: nobody reads what is typed');
    // It comes when it was typed, and not when the sleep began.
    if (this.#asleep !== undefined) this.#wake();
    const taken = serialTaken(history.give({ kind: 'serial', port: 0, bytes }));
    if (this.#waiting || this.#asleep !== undefined) {
      this.#waiting = false;
      clearTimeout(this.#asleep);
      this.#asleep = undefined;
      this.#schedule();
    }
    return taken;
  }

  #break(change: Requests['break']['takes']): void {
    const { debug, machine } = this.#here, { breakpoints } = debug;
    if ('text' in change) addBreakpoint(breakpoints, machine, change.text);
    else if ('remove' in change) breakpoints.remove(change.remove);
    else if ('enable' in change) {
      const breakpoint = breakpoints.get(change.enable);
      if (breakpoint !== undefined) breakpoint.enabled = change.enabled;
    } else {
      const there = breakpoints.all.find(({ what }) => what.on === 'execute' && what.physical !== true && what.from === change.toggle);
      if (there === undefined) breakpoints.add({ on: 'execute', from: change.toggle });
      else breakpoints.remove(there.id);
    }
    this.#status();
  }

  #sources(texts: Readonly<Record<string, string>>): SourcesFound {
    const { sources } = this.#here;
    sources.files.add(texts);
    this.#status();
    const named = [...sources.lines.files];
    return { named: named.length, found: named.filter((file) => sources.files.has(file)).length };
  }

  #evaluate(text: string): bigint {
    const { debug } = this.#here;
    const value = debug.evaluate(text);
    if (value === undefined) throw new RangeError(`${text} has no value here`);
    return value;
  }

  #link(): LinkData {
    const { fingerprint, debug } = this.#here;
    return { fingerprint, at: debug.history.now, log: debug.history.log.toJSON() };
  }
}

/** The moment and the input of a link, or why it cannot be followed. */
function readLink({ fingerprint, at, log }: LinkData, here: number): { readonly at: MomentData; readonly log: InputLog } | string {
  if (fingerprint !== here) return 'the link is to a moment of another image, or of a machine with other options';
  try {
    return { at, log: InputLog.from(log) };
  } catch (error) {
    if (error instanceof FileFormatError) return `the link in the address is damaged (its log ${error.message}): the run begins anew`;
    throw error;
  }
}

/** CRC-32 of all that makes a run what it is, but for its input. */
function fingerprintOf(image: Uint8Array, { modules = [], engine: _engine, ...options }: MachineRequest): number {
  const said = new TextEncoder().encode(JSON.stringify([Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1)), modules.map(({ name }) => name)]));
  return crc32(new Uint8Array(Uint32Array.from([image, said, ...modules.map(({ bytes }) => bytes)], crc32).buffer));
}

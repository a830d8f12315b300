/**
 * What the page and its worker say to each other: plain data, so the page needs nothing of the machine. A request is answered once, by its
 * number; notices come by themselves. Addresses and registers are bigint, counts of instructions are numbers.
 */
import type { FramesData, KernelData } from '../debug/kernel-memory.ts';
import type { Progress } from '../debug/history/search.ts';
import type { RegisterField } from '../debug/register-fields.ts';

export type { FramesData, KernelData, Progress, RegisterField };

export interface MomentData { readonly retired: number; readonly deliveries: number; readonly idleTime: number }

/** An image, and the machine that it is to run on. */
export interface LoadRequest {
  readonly name: string;
  readonly image: Uint8Array<ArrayBuffer>;
  readonly options: MachineRequest;
  /** Texts of source files by path: those whose paths end as the line table's do are meant. */
  readonly sources?: Readonly<Record<string, string>>;
  /** What the kernel's own memory looks like, instead of what the image says: docs/GUEST-DESCRIPTION.md. Not checked before it is used. */
  readonly description?: unknown;
  /** A link's moment: the machine is taken there if the image and the machine are the link's. */
  readonly link?: LinkData;
}
export interface MachineRequest {
  readonly memoryBytes?: number;
  readonly cmdline?: string;
  readonly protocol?: 'multiboot' | 'pvh' | 'linux';
  readonly cpu?: string;
  readonly engine?: 'auto' | 'interpreter' | 'translator' | 'reference';
  readonly flat?: { readonly loadAddress: number; readonly entry: number; readonly bits: 32 | 64 };
  readonly debugExitPort?: number;
  readonly modules?: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[];
}
/** A moment of a run: which run it is, what came from outside, when. */
export interface LinkData { readonly fingerprint: number; readonly at: MomentData; readonly log: unknown }

/** The ways to move in time. */
export type Motion =
  | 'run' | 'step' | 'over' | 'out' | 'reverse' | 'back' | 'backOver' | 'backOut' | 'restart' | 'end'
  | { readonly toAddress: bigint }
  /** To the last write before now. */
  | { readonly toWriteOf: { readonly memory: bigint; readonly bytes: number; readonly physical: boolean } | { readonly register: string } | { readonly pageTable: bigint } }
  | { readonly toMoment: { readonly retired: number; readonly deliveries?: number } };

/** A change of a register, or of memory. */
export type EditData = { readonly register: string; readonly value: bigint } | { readonly memory: bigint; readonly physical: boolean; readonly bytes: Uint8Array<ArrayBuffer> };

export interface Requests {
  load: { takes: LoadRequest; gives: LoadedData };
  move: { takes: Motion; gives: void };
  pause: { takes: undefined; gives: void };
  /** Whether a halted processor waits for the clock on the wall, or its time jumps ahead. */
  pace: { takes: boolean; gives: void };
  /** Bytes for COM1; how many the guest has room for. In the past, or on a way there, none are taken unless another future is to begin with them. */
  type: { takes: { readonly bytes: readonly number[]; readonly forks: boolean }; gives: number | 'past' };
  /** In the past nothing is changed unless another future is to begin with it. */
  edit: { takes: { readonly edit: EditData; readonly forks: boolean }; gives: 'done' | 'past' };
  break: { takes: { readonly text: string } | { readonly toggle: bigint } | { readonly remove: number } | { readonly enable: number; readonly enabled: boolean }; gives: void };
  /** The value of an expression over registers, memory and symbols. */
  evaluate: { takes: string; gives: bigint };
  link: { takes: undefined; gives: LinkData };
  /** More source texts. */
  sources: { takes: Readonly<Record<string, string>>; gives: SourcesFound };
  /** What the kernel's own memory looks like. */
  describe: { takes: unknown; gives: void };
  code: { takes: { readonly at?: bigint; readonly before: number; readonly after: number }; gives: CodeData };
  registers: { takes: undefined; gives: readonly RegisterGroup[] };
  /** The walk of a linear address. */
  walk: { takes: bigint; gives: WalkData };
  /** The present entries of the paging structure that the walk of `base` comes to after `depth` entries. */
  tree: { takes: { readonly base: bigint; readonly depth: number }; gives: readonly EntryData[] };
  map: { takes: undefined; gives: MapData };
  tlb: { takes: undefined; gives: readonly TlbData[] };
  /** IDT, GDT, LDT, TSS. */
  tables: { takes: undefined; gives: readonly TableData[] };
  stack: { takes: undefined; gives: StackData };
  /** The newest events, at most so many. */
  /** `titled`: only those with this in their titles. `hasAll`: the oldest are still kept; `hasMore`: there are more than `most`. */
  events: { takes: { readonly interrupts: boolean; readonly most: number; readonly titled?: string }; gives: { readonly events: readonly EventData[]; readonly total: number; readonly hasAll: boolean; readonly hasMore: boolean } };
  marks: { takes: { readonly buckets: number }; gives: readonly MarkData[] };
  kernel: { takes: undefined; gives: KernelData };
  /** The post-mortem. */
  story: { takes: undefined; gives: StoryData };
  memory: { takes: { readonly at: bigint; readonly bytes: number; readonly physical: boolean }; gives: MemoryData };
}
export type RequestName = keyof Requests;
export type Request = { [N in RequestName]: { readonly id: number; readonly name: N; readonly takes: Requests[N]['takes'] } }[RequestName];
export type Answer = { readonly id: number } & ({ readonly gives: unknown } | { readonly error: string });

/** Comes after every change of the machine's state, and some ten times a second while it runs. */
export interface StatusData {
  readonly activity: 'running' | 'waiting' | 'stopped';
  /** How often it has come to a stop: a number that was not there before is another stop. */
  readonly stops: number;
  /** Why it stands still, in a line; undefined: because the command is done. */
  readonly why: string | undefined;
  readonly ending: 'fault' | 'end' | undefined;
  readonly mode: string;
  readonly start: number;
  readonly end: number;
  readonly now: MomentData;
  /** Nothing is known of what comes after: it is the newest moment at which the machine has stood still, or later. */
  readonly isNewest: boolean;
  /** The address of the page fault that the next step delivers. */
  readonly faultAddress: bigint | undefined;
  /** Instructions per second of the host's time, while it runs. */
  readonly speed: number;
  readonly inRealTime: boolean;
  readonly history: { readonly bytes: number; readonly checkpoints: number };
  /** Another one whenever `marks` would give others. */
  readonly marksVersion: string;
  /** How far the machine has come on a way whose length is known; undefined: there is none. */
  readonly progress: Progress | undefined;
  readonly breakpoints: readonly BreakpointData[];
}
export interface BreakpointData { readonly id: number; readonly text: string; readonly enabled: boolean; readonly hits: number; readonly address: bigint | undefined }
export type Notice =
  | { readonly notice: 'status'; readonly status: StatusData }
  /** What COM1 sent; `replaces`: all that it had sent until now, for a console that showed a later moment; `repeats`: it was sent before, or in another run. */
  | { readonly notice: 'console'; readonly bytes: Uint8Array; readonly replaces: boolean; readonly repeats: boolean }
  /** The worker cannot go on. */
  | { readonly notice: 'failed'; readonly message: string };

export interface LoadedData {
  readonly fingerprint: number;
  readonly protocol: string;
  readonly warnings: readonly string[];
  readonly symbols: number;
  /** Rows of the line table, and what of it could not be read. */
  readonly lines: number;
  readonly linesProblem: string | undefined;
  /** Why the link could not be followed. */
  readonly linkProblem: string | undefined;
}

/** How many files the line table names, and of how many the text is there. */
export interface SourcesFound { readonly named: number; readonly found: number }

export interface CodeLine {
  readonly address: bigint;
  readonly bytes: string;
  readonly mnemonic: string;
  readonly operands: string;
  /** The symbol that begins here. */
  readonly label: string | undefined;
  /** The source line that begins here. */
  readonly source: { readonly file: string; readonly line: number; readonly text: string | undefined } | undefined;
}
export interface CodeData {
  readonly at: bigint;
  readonly lines: readonly CodeLine[];
  /** What cannot be shown behind the last line, and why. */
  readonly problem: string | undefined;
  /** Of the instruction that is next: what it does, what it reads and writes. */
  readonly meaning: { readonly form: string; readonly text: readonly string[]; readonly reads: readonly string[]; readonly writes: readonly string[] } | undefined;
}

export interface RegisterData {
  readonly name: string;
  readonly bits: number;
  readonly value: bigint;
  readonly editable: boolean;
  /** What it says: where it points, or the descriptor. */
  readonly note?: string;
  /** The hidden part of a segment register, the limit of a descriptor-table register: registers of their own, called after this one. */
  readonly parts?: readonly RegisterData[];
  /** Its bits and fields of several bits, high ones first. */
  readonly fields?: readonly RegisterField[];
}
export interface RegisterGroup { readonly name: string; readonly registers: readonly RegisterData[] }

export interface MemoryData {
  readonly at: bigint;
  /** Fewer than asked for where pages are missing. */
  readonly bytes: Uint8Array;
  readonly physical: boolean;
}

/** An entry of a paging structure; `from`: the first linear address that goes through it. */
export interface EntryData {
  readonly structure: 'PML5E' | 'PML4E' | 'PDPTE' | 'PDE' | 'PTE';
  readonly index: number;
  readonly entryAddress: number | undefined;
  readonly value: bigint;
  readonly bits: readonly string[];
  /** Fields of several bits. */
  readonly fields: readonly { readonly name: string; readonly value: number; readonly says: string }[];
  readonly maps: boolean;
  readonly present: boolean;
  readonly target: number;
  readonly from: bigint | undefined;
}
export interface WalkData {
  readonly address: bigint;
  readonly mode: string;
  readonly cr3: bigint;
  /** The address in parts, from the top. */
  readonly fields: readonly { readonly name: string; readonly bits: number; readonly value: number }[];
  readonly levels: readonly EntryData[];
  readonly outcome: 'mapped' | 'not present' | 'reserved bit' | 'not canonical';
  readonly physicalAddress: number | undefined;
  readonly pageSize: string | undefined;
  /** The protection key that the page is under, and what PKRU says of it. */
  readonly key: string | undefined;
  /** Whether each kind of access is allowed, and why not. */
  readonly verdicts: readonly { readonly access: string; readonly privilege: string; readonly denial: string | undefined; readonly raises: string | undefined }[];
}
export interface MapData {
  readonly mode: string;
  readonly truncated: boolean;
  readonly ranges: readonly { readonly from: bigint; readonly bytes: bigint; readonly physical: number; readonly pageSize: string; readonly rights: string; readonly name: string | undefined; readonly also: readonly bigint[] }[];
}
export interface TlbData {
  readonly tlb: 'data' | 'instruction';
  readonly page: bigint;
  readonly physical: number;
  readonly pcid: number;
  readonly pageSize: string;
  readonly rights: string;
  /** Where the paging structures lead now; undefined: nowhere. */
  readonly now: number | undefined;
  /** How they differ from what is cached; undefined: it is of another PCID, whose paging structures are not those of CR3. */
  readonly stale: readonly string[] | undefined;
}

export interface TableRow { readonly index: string; readonly name: string; readonly value: bigint; readonly text: string; readonly target: bigint | undefined; readonly problem: string | undefined }
export interface TableData { readonly name: string; readonly base: bigint; readonly limit: number; readonly rows: readonly TableRow[]; readonly problem: string | undefined }

export interface EventData {
  /** The boundary before it. */
  readonly at: { readonly retired: number; readonly deliveries: number };
  /** It can be gone to: it is not before the beginning of the history. */
  readonly isInReach: boolean;
  readonly kind: 'exception' | 'interrupt' | 'cr3';
  readonly title: string;
  readonly rip: string;
  /** The error code, bit by bit. */
  readonly details: readonly string[];
  /** CR2 of a page fault. */
  readonly address: bigint | undefined;
}
export interface MarkData { readonly at: number; readonly kind: 'exception' | 'interrupt' | 'cr3' | 'input' | 'output'; readonly title: string; readonly count: number }

/** `faults`: addresses of the page faults in it. */
export interface StoryData { readonly text: string; readonly faults: readonly bigint[] }

export interface StackData {
  readonly size: number;
  readonly frames: readonly { readonly rip: bigint; readonly rsp: bigint; readonly by: 'current' | 'call' | 'event'; readonly slot: bigint | undefined; readonly name: string | undefined; readonly source: string | undefined }[];
  readonly slots: readonly { readonly address: bigint; readonly value: bigint; readonly note: string | undefined }[];
}

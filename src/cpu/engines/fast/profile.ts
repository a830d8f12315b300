/**
 * Where a run's time goes: measured around each stay in generated code, and around what the engine does between two stays. Off unless
 * someone asks (`run --profile`), because it reads the host's clock.
 */

/** What an engine spends time with. */
export const ACTIVITIES = {
  translated: 'translated regions',
  interpreted: 'generated interpreter',
  reference: 'reference engine: system instructions, deliveries, what is not generated',
  decoding: 'decoding',
  translating: 'translating regions',
  paging: 'page walks and page faults',
} as const;
export type Activity = keyof typeof ACTIVITIES;

/** Addresses that are told apart. Of a guest that runs everywhere, the rest is one place. */
const MAX_PLACES = 65_536;
/** What `places` calls the rest. */
export const ELSEWHERE = undefined;

export class EngineProfile {
  /** The host's time in milliseconds. */
  readonly clock: () => number;
  /** Milliseconds and instructions by activity. */
  readonly milliseconds: Record<Activity, number> = { translated: 0, interpreted: 0, reference: 0, decoding: 0, translating: 0, paging: 0 };
  readonly instructions: Record<Activity, number> = { translated: 0, interpreted: 0, reference: 0, decoding: 0, translating: 0, paging: 0 };
  /** Milliseconds by where execution stood when they had passed. */
  readonly places = new Map<bigint | undefined, number>();

  constructor(clock: () => number) { this.clock = clock; }

  /** Notes what took the time from `begun` until now, and where execution stands. Returns now. */
  note(activity: Activity, begun: number, instructions: number, rip: bigint): number {
    const now = this.clock();
    const spent = now - begun;
    this.milliseconds[activity] += spent;
    this.instructions[activity] += instructions;
    const key = this.places.size < MAX_PLACES || this.places.has(rip) ? rip : ELSEWHERE;
    this.places.set(key, (this.places.get(key) ?? 0) + spent);
    return now;
  }
}

/** What a search for the last write sees on its way. */
import type { Machine } from '../../machine/machine.ts';
import type { Moment } from '../../machine/position.ts';

/** A write, and how to read what it changed. */
export interface Seen {
  /** Before the instruction or the delivery that wrote; an edit: its moment. */
  readonly at: Moment;
  readonly rip: bigint;
  readonly by: 'instruction' | 'delivery' | 'page walk' | 'edit';
  /** Where: `physical 0x1000`, `cr3`. */
  readonly where: string;
  readonly read: (machine: Machine) => bigint;
}

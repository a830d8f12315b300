/**
 * Points in the time of a machine. A boundary is named by what has happened before it: instructions retired, and exceptions and
 * interrupts delivered, since a delivery is a step of its own. The name means the first moment of the boundary, before a halted processor waits.
 */
import type { Machine, Stop } from './machine.ts';

export interface Position { readonly retired: number; readonly deliveries: number }
/** A position, and how long the processor had waited there: where input arrived. */
export interface Moment extends Position { readonly idleTime: number }

export const positionOf = ({ state, cpu }: Machine): Position => ({ retired: state.retired, deliveries: cpu.deliveries });
export const momentOf = ({ state, cpu }: Machine): Moment => ({ retired: state.retired, deliveries: cpu.deliveries, idleTime: state.idleTime });
/** Before every moment of a position: it is reached as soon as the position is, before a halted processor waits there. */
export const beginningOf = ({ retired, deliveries }: Position): Moment => ({ retired, deliveries, idleTime: -1 });
/** Negative: a is earlier. */
export const comparePositions = (a: Position, b: Position): number => a.retired - b.retired || a.deliveries - b.deliveries;
export const compareMoments = (a: Moment, b: Moment): number => comparePositions(a, b) || a.idleTime - b.idleTime;

/**
 * Runs the machine forward until it is at the position or behind it, whatever it does on the way (a power-off that was passed once is
 * passed again). Gives undefined then; the stop if the machine cannot go on.
 */
export function runToPosition(machine: Machine, to: Position): Stop | undefined {
  for (;;) {
    if (comparePositions(positionOf(machine), to) >= 0) return undefined;
    const before = momentOf(machine);
    const stop = machine.run({ maxInstructions: Math.max(1, to.retired - before.retired) });
    if (compareMoments(momentOf(machine), before) === 0) return stop;
  }
}

/** The same, to a moment. */
export function runToMoment(machine: Machine, to: Moment): Stop | undefined {
  const stuck = runToPosition(machine, to);
  if (stuck !== undefined) return stuck;
  for (;;) {
    const before = momentOf(machine);
    if (compareMoments(before, to) >= 0) return undefined;
    const stop = machine.run({ maxInstructions: 1, maxIdleTime: to.idleTime });
    if (compareMoments(momentOf(machine), before) === 0) return stop;
  }
}

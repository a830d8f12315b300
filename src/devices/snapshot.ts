/**
 * The state of a part as plain data. A chip declares its state once as a shape; from it come the type, the power-on
 * zeroes, the copy that goes into a snapshot, and the check of one that comes back from a file.
 */

export interface Integer { readonly kind: 'integer'; readonly min: number; readonly max: number }
export interface Flag { readonly kind: 'flag' }
export interface List<F extends Shape = Shape> { readonly kind: 'list'; readonly of: F; readonly min: number; readonly max: number }
export interface Record_<R extends Shapes = Shapes> { readonly kind: 'record'; readonly fields: R }
interface Shapes { readonly [name: string]: Shape }
type Shape = Integer | Flag | List | Record_;

/** The values that a shape describes. */
export type StateOf<F> =
  F extends Integer ? number
    : F extends Flag ? boolean
      : F extends List<infer G> ? StateOf<G>[]
        : F extends Record_<infer R> ? { [K in keyof R]: StateOf<R[K]> }
          : never;

export const range = (min: number, max: number): Integer => ({ kind: 'integer', min, max });
/** An unsigned number of this many bits, at most 32. */
export const bits = (width: number): Integer => range(0, 2 ** width - 1);
export const upTo = (max: number): Integer => range(0, max);
export const u8 = bits(8);
export const u16 = bits(16);
export const u32 = bits(32);
/** Virtual nanoseconds or clock ticks. */
export const time = range(0, Number.MAX_SAFE_INTEGER);
export const flag: Flag = { kind: 'flag' };
/** Always this many elements. */
export const array = <F extends Shape>(of: F, length: number): List<F> => ({ kind: 'list', of, min: length, max: length });
/** A queue: empty to `max` elements. */
export const queue = <F extends Shape>(of: F, max: number): List<F> => ({ kind: 'list', of, min: 0, max });
export const record = <R extends Shapes>(fields: R): Record_<R> => ({ kind: 'record', fields });

/** A snapshot that does not fit the machine; the message names the field. */
export class SnapshotError extends Error {
  readonly field: string;
  constructor(field: string, expected: string) {
    super(`snapshot: ${field}: expected ${expected}`);
    this.name = 'SnapshotError';
    this.field = field;
  }
}

function zero(shape: Shape): unknown {
  switch (shape.kind) {
    case 'integer': return Math.max(0, shape.min);
    case 'flag': return false;
    case 'list': return Array.from({ length: shape.min }, () => zero(shape.of));
    default: return Object.fromEntries(Object.entries(shape.fields).map(([name, field]) => [name, zero(field)]));
  }
}

function copy(shape: Shape, value: unknown, path: string): unknown {
  switch (shape.kind) {
    case 'integer':
      if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < shape.min || value > shape.max) {
        throw new SnapshotError(path, `an integer from ${shape.min} to ${shape.max}`);
      }
      return value;
    case 'flag':
      if (typeof value !== 'boolean') throw new SnapshotError(path, 'true or false');
      return value;
    case 'list':
      if (!Array.isArray(value) || value.length < shape.min || value.length > shape.max) {
        throw new SnapshotError(path, shape.min === shape.max ? `${shape.min} elements` : `at most ${shape.max} elements`);
      }
      return value.map((element, i) => copy(shape.of, element, `${path}[${i}]`));
    default: {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new SnapshotError(path, 'an object');
      const given = new Map<string, unknown>(Object.entries(value));
      return Object.fromEntries(Object.entries(shape.fields).map(([name, field]) => [name, copy(field, given.get(name), `${path}.${name}`)]));
    }
  }
}

/** All numbers 0, all flags false, all queues empty. */
export const zeroState = <F extends Shape>(shape: F): StateOf<F> => zero(shape) as StateOf<F>;

/** A deep copy of `value` if it has this shape; throws SnapshotError, naming the field, if it has not. */
export const copyState = <F extends Shape>(shape: F, value: unknown, path: string): StateOf<F> => copy(shape, value, path) as StateOf<F>;

/** A part of the machine that can write its state down and take it back. */
export interface Snapshotable {
  /** Plain JSON-able data; a copy. */
  snapshot(): unknown;
  /** Takes back what snapshot() gave. Throws SnapshotError, with nothing changed, if it does not fit. */
  restore(snapshot: unknown): void;
}

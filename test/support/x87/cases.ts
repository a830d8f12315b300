/**
 * Single x87 instructions with their whole state before and after, as a processor (tools/silicon/x87.c) or ours has it.
 * A recording is a text file, a line a case: input and outcome as words in hexadecimal.
 */

/** The FPU as FXSAVE sees it, and what else an x87 instruction can touch. */
export interface X87State {
  readonly control: number;
  readonly status: number;
  /** A bit for each register that is not empty. */
  readonly used: number;
  /** ST(0)-ST(7), 80 bits each. */
  readonly stack: readonly bigint[];
  /** The memory operand, as one number; MEMORY_BYTES long. */
  readonly memory: bigint;
  /** The six status flags. */
  readonly flags: number;
  readonly ax: number;
}
export interface X87Case { readonly code: Uint8Array; readonly before: X87State; readonly after: X87State }

export const MEMORY_BYTES = 128;
export const STATUS_FLAGS = 0x8d5;

const words = (s: X87State): string => [s.control, s.status, s.used, ...s.stack, s.memory, s.flags, s.ax].map((x) => x.toString(16)).join(' ');
const WORDS = 14;

export function writeCase(c: X87Case): string {
  return `${Array.from(c.code, (x) => x.toString(16).padStart(2, '0')).join('')} ${words(c.before)} ${words(c.after)}`;
}

export function readCase(line: string): X87Case {
  const [code, ...rest] = line.split(' ') as [string, ...string[]];
  if (rest.length !== 2 * WORDS) throw new Error(`${rest.length} words in a recorded x87 case`);
  const state = (w: readonly string[]): X87State => {
    const big = (n: number): bigint => BigInt(`0x${w[n]}`);
    return {
      control: Number(big(0)), status: Number(big(1)), used: Number(big(2)), stack: Array.from({ length: 8 }, (_, n) => big(3 + n)),
      memory: big(11), flags: Number(big(12)), ax: Number(big(13)),
    };
  };
  return { code: Uint8Array.from(code.match(/../g) ?? [], (x) => parseInt(x, 16)), before: state(rest.slice(0, WORDS)), after: state(rest.slice(WORDS)) };
}

/** Whether two 80-bit values are at most so many units in the last place apart. */
function isWithin(x: bigint, y: bigint, ulps: number): boolean {
  // Sign and exponent, then the significand without its integer bit: neighbours are neighbours across powers of two, too.
  const position = (v: bigint): bigint => ((v >> 64n) << 63n) | BigInt.asUintN(63, v);
  const distance = position(x) - position(y);
  return distance <= BigInt(ulps) && distance >= -BigInt(ulps);
}

/** What two states differ in, in words; nothing where they agree. `statusMask`: the bits of the status word that count; `ulps`: how far registers may be apart. */
export function differences(expected: X87State, got: X87State, statusMask = 0xffff, ulps = 0): string[] {
  const hex = (x: number | bigint): string => `0x${x.toString(16)}`;
  const lines: string[] = [];
  const check = (what: string, a: number | bigint, b: number | bigint): void => { if (a !== b) lines.push(`${what}: ${hex(b)}, expected ${hex(a)}`); };
  check('control', expected.control, got.control);
  check('status', expected.status & statusMask, got.status & statusMask);
  check('registers in use', expected.used, got.used);
  expected.stack.forEach((x, n) => {
    const y = got.stack[n] as bigint;
    if (!isWithin(x, y, ulps)) check(`ST(${n})`, x, y);
  });
  check('memory', expected.memory, got.memory);
  check('flags', expected.flags, got.flags);
  check('AX', expected.ax, got.ax);
  return lines;
}

/** A case in words, for a failure. */
export const describeX87Case = (code: Uint8Array, { control, status, used, stack, memory }: X87State): string =>
  [Buffer.from(code).toString('hex'), `control 0x${control.toString(16)} status 0x${status.toString(16)} used ${used.toString(2)}`, ...stack.slice(0, 3).map((x) => x.toString(16).padStart(20, '0')), BigInt.asUintN(80, memory).toString(16)].join(' ');

/** Random numbers that a printed seed repeats: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). */
export class Random {
  private state: number;
  constructor(seed: number) { this.state = seed | 0 || 1; }
  /** 32 random bits, unsigned. */
  u32(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }
  below(limit: number): number { return this.u32() % limit; }
  u64(): bigint { return (BigInt(this.u32()) << 32n) | BigInt(this.u32()); }
  bytes(count: number): Uint8Array<ArrayBuffer> { return Uint8Array.from({ length: count }, () => this.u32() >>> 24); }
  /** An integer from a to b, both included. */
  between(a: number, b: number): number { return a + this.below(b - a + 1); }
  chance(percent: number): boolean { return this.below(100) < percent; }
  pick<T>(list: readonly T[]): T { return list[this.below(list.length)] as T; }
}

/** What CI begins with where no campaign says otherwise: a gate judges the change at hand, not its luck. */
const CI_SEED = 0x8664;

/** The seed of this run: `SEED` of the environment, or a fresh one (in CI always the same). It is printed, so that a failure can be repeated. */
export function seedOf(name: string): number {
  const { SEED, CI } = process.env;
  const seed = SEED !== undefined ? Number(SEED) : CI === undefined ? (Date.now() ^ (process.pid << 16)) >>> 0 : CI_SEED;
  console.log(`${name}: SEED=${seed}`);
  return seed;
}

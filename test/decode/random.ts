/** A small seeded generator, so that a failing random test can be run again: SEED=... npx vitest run test/decode. */
export const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32)) >>> 0;

export interface Random { below(n: number): number; byte(): number; chance(p: number): boolean; bytes(n: number): number[] }

/** mulberry32. */
export function random(from: number): Random {
  let a = from >>> 0;
  const next = (): number => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number): number => Math.floor(next() * n);
  const byte = (): number => below(256);
  return { below, byte, chance: (p) => next() < p, bytes: (n) => Array.from({ length: n }, byte) };
}

/**
 * Guest memory as traces compare it: page by page, by hash. The range that PC firmware owns is left out: what lies
 * there belongs to SeaBIOS and the option ROMs, not to the guest.
 */
import { PAGE_SIZE } from '../state/addresses.ts';

/** First and last frame of the range A_0000h-F_FFFFh: video memory, option ROMs, firmware. */
const FIRMWARE_FIRST = 0xa0, FIRMWARE_LAST = 0xff;

/** Instructions between two checkpoints at which a run's memory is compared, if nothing else is asked for. */
export const CHECKPOINT_INSTRUCTIONS = 250_000;

/** Page hashes by frame number (physical address / 4096). */
export type PageHashes = ReadonlyMap<number, bigint>;

/** Whether a frame is RAM that the guest alone owns. */
export const isComparedFrame = (frame: number): boolean => frame < FIRMWARE_FIRST || frame > FIRMWARE_LAST;

/** A 64-bit hash of one page (not cryptographic: it tells pages apart, it does not defend against an author). */
export function hashPage(page: Uint8Array): bigint {
  const words = new Int32Array(page.buffer, page.byteOffset, page.byteLength >> 2);
  let a = 0x2f0b4c47, b = 0x6a09e667;
  for (const word of words) {
    a = Math.imul(a ^ word, 0x9e3779b1);
    a ^= a >>> 15;
    b = Math.imul(b + word | 0, 0x85ebca6b) ^ a;
  }
  return BigInt(a >>> 0) << 32n | BigInt(b >>> 0);
}

/** Whether every byte of a page is zero. */
export function isZeroPage(page: Uint8Array): boolean {
  const words = new Int32Array(page.buffer, page.byteOffset, page.byteLength >> 2);
  for (const word of words) if (word !== 0) return false;
  return true;
}

const ZERO_HASH = hashPage(new Uint8Array(PAGE_SIZE));

/** The hashes of all compared pages that are not zero. `ram` starts at physical address 0 and at a multiple of 4 bytes. */
export function hashMemory(ram: Uint8Array): Map<number, bigint> {
  const hashes = new Map<number, bigint>();
  for (let frame = 0; frame < ram.length / PAGE_SIZE; frame++) {
    if (!isComparedFrame(frame)) continue;
    const page = ram.subarray(frame * PAGE_SIZE, (frame + 1) * PAGE_SIZE);
    if (!isZeroPage(page)) hashes.set(frame, hashPage(page));
  }
  return hashes;
}

/** The pages of `after` that differ from `before`, with their hashes (a page that became zero is among them). */
export function changedPages(before: PageHashes, after: PageHashes): Map<number, bigint> {
  const changed = new Map<number, bigint>();
  for (const [frame, hash] of after) if ((before.get(frame) ?? ZERO_HASH) !== hash) changed.set(frame, hash);
  for (const frame of before.keys()) if (!after.has(frame)) changed.set(frame, ZERO_HASH);
  return changed;
}

/** The memory of a run that goes on: what it has changed so far, as hashes. */
export class MemoryHistory {
  readonly #start: PageHashes;
  readonly #seen = new Set<number>();

  /** `ram` is memory at the start. */
  constructor(ram: Uint8Array) {
    this.#start = hashMemory(ram);
  }

  /** The pages that differ from the start, with those that did in an earlier call even if they no longer do. */
  changedPages(ram: Uint8Array): PageHashes {
    const changed = changedPages(this.#start, hashMemory(ram));
    for (const frame of this.#seen) if (!changed.has(frame)) changed.set(frame, this.#start.get(frame) ?? ZERO_HASH);
    for (const frame of changed.keys()) this.#seen.add(frame);
    return changed;
  }
}

/** One page whose contents differ between the recording and ours. */
export interface PageDifference {
  readonly frame: number;
  readonly recorded: bigint;
  readonly ours: bigint;
  /** The first byte that differs, where both pages are at hand: its offset in the page, and 16 bytes of each side from there. */
  readonly first?: { readonly offset: number; readonly recorded: Uint8Array; readonly ours: Uint8Array };
}

/** Compares what a run did to memory: pages changed since the start, on both sides. */
export function comparePages(recorded: PageHashes, ours: PageHashes, start: PageHashes): PageDifference[] {
  const differences: PageDifference[] = [];
  for (const frame of new Set([...recorded.keys(), ...ours.keys()])) {
    const unchanged = start.get(frame) ?? ZERO_HASH;
    const a = recorded.get(frame) ?? unchanged, b = ours.get(frame) ?? unchanged;
    if (a !== b) differences.push({ frame, recorded: a, ours: b });
  }
  return differences.sort((x, y) => x.frame - y.frame);
}

/** Adds to each difference the first bytes that differ. */
export function locateDifferences(differences: readonly PageDifference[], recorded: Uint8Array, ours: Uint8Array): PageDifference[] {
  return differences.map((difference) => {
    const at = difference.frame * PAGE_SIZE;
    for (let offset = 0; offset < PAGE_SIZE; offset++) {
      if (recorded[at + offset] !== ours[at + offset]) {
        return { ...difference, first: { offset, recorded: recorded.slice(at + offset, at + offset + 16), ours: ours.slice(at + offset, at + offset + 16) } };
      }
    }
    return difference;
  });
}

/**
 * How much may be translated. Translating an instruction costs as much as executing thousands, so what is translated is bounded by
 * what was executed: a guest whose instructions leave each region at once (it stores into its own code pages, it faults all the
 * time) would have a region made at each of its addresses otherwise.
 */

/** Most instructions that may be translated in a row, and before anything was executed. */
export const MOST_CREDIT = 2 ** 15;
/** So many instructions executed allow one to be translated. */
export const EXECUTED_PER_TRANSLATED = 64;

export class Credit {
  #left = MOST_CREDIT;
  #earnedAt = 0;

  /** Whether so many instructions may be translated when `retired` have been executed. */
  covers(instructions: number, retired: number): boolean {
    // A snapshot that was restored takes `retired` back.
    this.#left = Math.min(MOST_CREDIT, this.#left + Math.max(0, retired - this.#earnedAt) / EXECUTED_PER_TRANSLATED);
    this.#earnedAt = retired;
    return this.#left >= instructions;
  }
  spend(instructions: number): void { this.#left -= instructions; }
}

/**
 * Instruction fetch: RIP -> Instruction, through segmentation, paging and the decoded pages.
 * SDM Vol. 3A, "Limit Checking", "Canonical Addressing"; Vol. 3A, "Priority Among Concurrent Events".
 */
import type { Privilege } from '../../../mmu/access.ts';
import { PAGE_SIZE, linear, physical, isCanonicalHigh } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET, RAM_BASE, SEGMENT } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { DecodeFailure, decode } from '../../decode/decode.ts';
import { instructionsOf, type InstructionSet } from '../../decode/lookup.ts';
import { MAX_LENGTH } from '../../decode/reader.ts';
import { GP, UD, Unimplemented } from '../../exceptions.ts';
import type { Instruction, Mode } from '../../isa/instruction.ts';
import { CodeCache, type DecodedPage } from './code-cache.ts';

const RIP_LOW = OFFSET.rip / 4, RIP_HIGH = RIP_LOW + 1;
const CS_BASE_LOW = OFFSET.base / 4 + 2 * SEGMENT.CS;
const NO_PAGE = -1;

export class Fetcher {
  readonly #cpu: Cpu;
  readonly #state: GuestState;
  readonly #cache: CodeCache;
  readonly #instructions: InstructionSet;
  /** The page that was fetched from last: its linear page number (bits 31:12 and 63:32), mode, whose rights it had, and its decoded page. */
  #pageLow = NO_PAGE;
  #pageHigh = 0;
  #mode: Mode | undefined;
  #privilege: Privilege | undefined;
  #page: DecodedPage | undefined;
  readonly #bytes = new Uint8Array(MAX_LENGTH);
  #collected = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#state = cpu.state;
    this.#instructions = instructionsOf(cpu.model.features);
    this.#cache = new CodeCache(cpu.mmu.memory, () => this.forgetPage());
    cpu.mmu.memory.onMapChanged(() => this.#cache.clear());
    // By an OUT, which is no system instruction.
    cpu.mmu.memory.onGateMoved(() => this.forgetPage());
  }

  /**
   * Forgets which page the last fetch came from: wherever translations can have changed. The page stays
   * in the instruction TLB as long as the guest does not invalidate it, so this cache of one shows the guest nothing.
   */
  forgetPage(): void { this.#pageLow = NO_PAGE; }

  /** Drops every decoded instruction. */
  clear(): void { this.#cache.clear(); }

  /** The instruction at CS:RIP. Throws GuestException, PageFault or Unimplemented. */
  fetch(mode: Mode): Instruction {
    const { u32 } = this.#state;
    const offset = u32[RIP_LOW] as number;
    const high = mode.codeSize === 64 ? (u32[RIP_HIGH] as number) : 0;
    const low = mode.codeSize === 64 ? offset : (offset + (u32[CS_BASE_LOW] as number)) >>> 0;
    if (low >>> 12 === this.#pageLow && high === this.#pageHigh && mode === this.#mode && this.#cpu.privilege === this.#privilege) {
      const i = (this.#page as DecodedPage).instructions.get(low & 0xfff);
      if (i !== undefined) {
        if (mode.codeSize !== 64) this.#checkLimit(offset, i.length);
        return i;
      }
    }
    return this.#fetchSlowly(mode, offset, low, high);
  }

  /** The instruction at CS:RIP without a fetch: nothing that the guest could see changes. Undefined where it is not known without one. */
  peek(mode: Mode): Instruction | undefined {
    const { mmu } = this.#cpu;
    const ip = mode.codeSize === 64 ? this.#state.rip : BigInt.asUintN(32, this.#state.rip + this.#state.base[SEGMENT.CS]!);
    const frame = mmu.peekFetch(linear(ip));
    const at = Number(ip & 0xfffn);
    const page = frame === undefined ? undefined : this.#cache.page(frame, mode);
    if (frame === undefined || page === undefined) return undefined;
    const kept = page.instructions.get(at);
    if (kept !== undefined) return kept;
    const bytes = new Uint8Array(MAX_LENGTH);
    const { u8 } = this.#state;
    const inPage = Math.min(MAX_LENGTH, PAGE_SIZE - at);
    bytes.set(u8.subarray(RAM_BASE + frame * PAGE_SIZE + at, RAM_BASE + frame * PAGE_SIZE + at + inPage));
    const next = inPage < MAX_LENGTH ? mmu.peekFetch(linear(ip + BigInt(inPage))) : undefined;
    const hasNext = next !== undefined && mmu.memory.isRamFrame(next);
    if (hasNext) bytes.set(u8.subarray(RAM_BASE + next * PAGE_SIZE, RAM_BASE + next * PAGE_SIZE + MAX_LENGTH - inPage), inPage);
    const i = mode.codeSize === 16 ? undefined : decode(bytes.subarray(0, hasNext ? MAX_LENGTH : inPage), 0, mode);
    if (i === undefined || i instanceof DecodeFailure) return undefined;
    if (i.length <= inPage) this.#cache.keep(page, at, i);
    return i;
  }

  #checkLimit(offset: number, length: number): void {
    if (offset + length - 1 > (this.#state.limit[SEGMENT.CS] as number)) throw GP(0, 'instruction reaches beyond CS.limit');
  }

  #fetchSlowly(mode: Mode, offset: number, low: number, high: number): Instruction {
    const frame = this.#translate(mode, offset, low, high);
    let page = this.#cache.page(frame, mode);
    const at = low & 0xfff;
    let i = page?.instructions.get(at);
    if (i === undefined) {
      i = this.#decode(mode, offset, low, high, frame);
      if (page !== undefined && at + i.length <= PAGE_SIZE) {
        this.#cache.keep(page, at, i);
        page = this.#cache.page(frame, mode);
      }
    } else if (mode.codeSize !== 64) this.#checkLimit(offset, i.length);
    if (page !== undefined) {
      this.#pageLow = low >>> 12;
      this.#pageHigh = high;
      this.#mode = mode;
      this.#privilege = this.#cpu.privilege;
      this.#page = page;
    }
    return i;
  }

  /** Frame of the linear address high:low, which is `offset` in CS. */
  #translate(mode: Mode, offset: number, low: number, high: number): number {
    if (mode.codeSize === 64) {
      if (!isCanonicalHigh(high, this.#cpu.linearWidth)) throw GP(0, 'RIP is not canonical');
    } else this.#checkLimit(offset, 1);
    return Math.floor(this.#cpu.mmu.translateHalves(low, high, 'fetch', this.#cpu.privilege) / PAGE_SIZE);
  }

  /** Decodes from bytes, fetching the following page only when the instruction turns out to reach it. */
  #decode(mode: Mode, offset: number, low: number, high: number, firstFrame: number): Instruction {
    let frame = firstFrame;
    this.#collected = 0;
    for (;;) {
      const n = this.#collected;
      const at = low + n;
      if (n > 0 && (at & 0xfff) === 0) {
        const wrapped = at >= 2 ** 32;
        frame = this.#translate(mode, offset + n, at >>> 0, wrapped && mode.codeSize === 64 ? (high + 1) >>> 0 : high);
      } else if (n > 0 && mode.codeSize !== 64) this.#checkLimit(offset + n, 1);
      this.#collect(frame, at & 0xfff, mode.codeSize === 64 ? MAX_LENGTH : (this.#state.limit[SEGMENT.CS] as number) - offset + 1);
      const result = decode(this.#bytes.subarray(0, this.#collected), 0, mode, this.#instructions);
      if (!(result instanceof DecodeFailure)) return result;
      switch (result.kind) {
        case 'truncated':
          if (this.#collected < MAX_LENGTH) break;
          throw GP(0, result.what);
        case 'invalid': throw UD(result.what);
        case 'too-long': throw GP(0, result.what);
        case 'unimplemented': throw new Unimplemented(result.what);
      }
    }
  }

  /** Adds the bytes that can be had from one frame: of RAM as many as there are, of anything else one (reading a device is an act). */
  #collect(frame: number, at: number, allowed: number): void {
    const { memory } = this.#cpu.mmu;
    const from = frame * PAGE_SIZE + at;
    const n = this.#collected;
    if (!memory.isRamFrame(frame)) {
      this.#bytes[n] = memory.read(physical(from), 1);
      this.#collected = n + 1;
      return;
    }
    const count = Math.min(MAX_LENGTH - n, PAGE_SIZE - at, allowed - n);
    this.#bytes.set(this.#state.u8.subarray(RAM_BASE + from, RAM_BASE + from + count), n);
    this.#collected = n + count;
  }

  /**
   * Up to 15 bytes at CS:RIP for a report, as far as they can be fetched. Throws nothing.
   * Translations that the fetch itself made are used again.
   */
  bytesForReport(mode: Mode): Uint8Array {
    try {
      const { u32 } = this.#state;
      const offset = u32[RIP_LOW] as number;
      const high = mode.codeSize === 64 ? (u32[RIP_HIGH] as number) : 0;
      const low = mode.codeSize === 64 ? offset : (offset + (u32[CS_BASE_LOW] as number)) >>> 0;
      const frame = this.#translate(mode, offset, low, high);
      this.#collected = 0;
      this.#collect(frame, low & 0xfff, MAX_LENGTH);
    } catch {
      this.#collected = 0;
    }
    return this.#bytes.slice(0, this.#collected);
  }
}

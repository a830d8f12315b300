/**
 * Many iterations of a repeated string instruction at once, as far as one page of each operand reaches. They are what the iterations
 * one by one would be: each translates the same two pages to the same two frames, since the TLB holds them; where both want one
 * place in the TLB, and so are walked for again and again, no iteration may write what such a walk reads.
 */
import type { Mmu, Privilege } from '../../../mmu/mmu.ts';
import { PAGE_SIZE, type PhysicalAddress, isCanonicalHigh } from '../../../state/addresses.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET, RAM_BASE } from '../../../state/layout.ts';
import type { Cpu } from '../../cpu.ts';
import { RFLAGS } from '../../flags.ts';
import { RAX, RCX, RDI, RSI } from '../../isa/operand.ts';
import type { StringForm } from '../interpreter/string-form.ts';

const RCX_AT = OFFSET.gpr / 4 + 2 * RCX, RSI_AT = OFFSET.gpr / 4 + 2 * RSI, RDI_AT = OFFSET.gpr / 4 + 2 * RDI;
const RAX_BYTE = OFFSET.gpr + 8 * RAX;

/** Where an operand's elements are: a linear address in halves, then its physical address. */
interface Place { low: number; high: number; physical: number }

export class Strings {
  readonly #cpu: Cpu;
  readonly #state: GuestState;
  readonly #mmu: Mmu;
  readonly #source: Place = { low: 0, high: 0, physical: 0 };
  readonly #destination: Place = { low: 0, high: 0, physical: 0 };

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#state = cpu.state;
    this.#mmu = cpu.mmu;
  }

  /** Iterations that are still to be made, if no comparison ends them: rCX. */
  iterationsLeft({ addressWidth }: StringForm): number {
    const { u32 } = this.#state;
    return u32[RCX_AT]! + (addressWidth === 64 ? u32[RCX_AT + 1]! * 2 ** 32 : 0);
  }

  /**
   * Does at most `most` iterations of the instruction of this form at which RIP is, and moves its registers on; `codeFrame` gives
   * the frame that its bytes lie in, -1 where they lie in two. Returns how many it did: 0 where the next one is to be made by itself. A comparison's last
   * iteration always is, and the last one in a page: it leaves the flags. Throws what the next iteration would throw (PageFault).
   */
  run(form: StringForm, most: number, privilege: Privilege, codeFrame: () => number): number {
    const { operation, bytes } = form;
    const backward = (this.#state.systemFlags & RFLAGS.DF) !== 0;
    const moves = operation === 'MOVS', stores = moves || operation === 'STOS';
    const hasSource = moves || operation === 'CMPS';
    let n = Math.min(most, this.iterationsLeft(form));
    if (hasSource) n = Math.min(n, this.#locate(this.#source, RSI_AT, form, form.sourceBase, backward));
    n = Math.min(n, this.#locate(this.#destination, RDI_AT, form, undefined, backward));
    if (n <= 0) return 0;
    // In the order of an iteration's accesses.
    if (moves && !this.#translate(this.#source, 'read', privilege)) return 0;
    if (!this.#translate(this.#destination, stores ? 'write' : 'read', privilege)) return 0;
    if (operation === 'CMPS' && !this.#translate(this.#source, 'read', privilege)) return 0;
    if (stores) {
      const frame = Math.floor(this.#destination.physical / PAGE_SIZE);
      if (this.#mmu.memory.isCode(frame)) {
        const own = codeFrame();
        if (own < 0 || own === frame) return 0;
      }
      if (moves && this.#walksRead(frame)) return 0;
      this.#store(form, n, backward);
    } else n = this.#compare(form, n - 1, backward);
    if (n > 0) {
      const step = backward ? -n * bytes : n * bytes;
      if (hasSource) this.#move(RSI_AT, step, form);
      this.#move(RDI_AT, step, form);
      this.#move(RCX_AT, -n, form);
    }
    return n;
  }

  /** Whether every iteration walks for both its pages, and one of the walks reads what an iteration may have written. */
  #walksRead(frame: number): boolean {
    const source = this.#source, destination = this.#destination;
    return this.#mmu.displaceEachOther(source.low, source.high, destination.low, destination.high)
      && (this.#mmu.walkReads(source.low, source.high, frame) || this.#mmu.walkReads(destination.low, destination.high, frame));
  }

  /** Takes an operand's address from its register. Returns how many elements lie in its page, from there on. */
  #locate(place: Place, register: number, { bytes, addressWidth }: StringForm, base: number | undefined, backward: boolean): number {
    const { u32 } = this.#state;
    let low = u32[register]!, high = addressWidth === 64 ? u32[register + 1]! : 0;
    if (base !== undefined) {
      const sum = low + u32[base / 4]!;
      high = (high + u32[base / 4 + 1]! + (sum >= 2 ** 32 ? 1 : 0)) >>> 0;
      low = sum >>> 0;
    }
    place.low = low;
    place.high = high;
    const inPage = low & (PAGE_SIZE - 1);
    if (!isCanonicalHigh(high, this.#cpu.linearWidth) || inPage + bytes > PAGE_SIZE) return 0;
    return backward ? Math.floor(inPage / bytes) + 1 : Math.floor((PAGE_SIZE - inPage) / bytes);
  }

  /** False where accesses to the page are seen by someone: a device, a debugger. */
  #translate(place: Place, access: 'read' | 'write', privilege: Privilege): boolean {
    place.physical = this.#mmu.translateHalves(place.low, place.high, access, privilege);
    return this.#mmu.isPlainRam(place.low, place.high, place.physical);
  }

  #move(register: number, by: number, { addressWidth }: StringForm): void {
    const { u32 } = this.#state;
    const sum = u32[register]! + by;
    u32[register] = sum;
    u32[register + 1] = addressWidth === 32 ? 0 : u32[register + 1]! + (sum < 0 ? -1 : sum >= 2 ** 32 ? 1 : 0);
  }

  #store({ operation, bytes }: StringForm, n: number, backward: boolean): void {
    const { u8 } = this.#state;
    const length = n * bytes, before = backward ? length - bytes : 0;
    const to = RAM_BASE + this.#destination.physical - before;
    if (operation === 'STOS') this.#fill(to, bytes, length);
    else {
      const from = RAM_BASE + this.#source.physical - before;
      // How far behind the element that is read the one lies that is written, in the direction of the iterations: what they write there, they read again later.
      const ahead = backward ? from - to : to - from;
      if (ahead <= 0 || ahead >= length) u8.copyWithin(to, from, from + length);
      else {
        const piece = Math.max(Math.floor(ahead / bytes) * bytes, bytes);
        for (let done = 0; done < length; done += piece) {
          const size = Math.min(piece, length - done), at = backward ? length - done - size : done;
          u8.copyWithin(to + at, from + at, from + at + size);
        }
      }
    }
    this.#mmu.memory.noteStores((to - RAM_BASE) as PhysicalAddress, length);
  }

  /** Fills with the low bytes of RAX, doubling what is there. */
  #fill(to: number, bytes: number, length: number): void {
    const { u8 } = this.#state;
    if (bytes === 1) {
      u8.fill(u8[RAX_BYTE]!, to, to + length);
      return;
    }
    u8.copyWithin(to, RAX_BYTE, RAX_BYTE + bytes);
    for (let done = bytes; done < length; done *= 2) u8.copyWithin(to + done, to, to + Math.min(done, length - done));
  }

  /** How many of the next `most` iterations are followed by another one. */
  #compare({ operation, bytes, whileEqual }: StringForm, most: number, backward: boolean): number {
    const { u8 } = this.#state;
    const step = backward ? -bytes : bytes;
    const other = operation === 'SCAS' ? RAX_BYTE : RAM_BASE + this.#source.physical, otherStep = operation === 'SCAS' ? 0 : step;
    const first = RAM_BASE + this.#destination.physical;
    for (let n = 0; n < most; n++) {
      const a = first + n * step, b = other + n * otherStep;
      let same = 0;
      while (same < bytes && u8[a + same] === u8[b + same]) same++;
      if ((same === bytes) !== whileEqual) return n;
    }
    return Math.max(most, 0);
  }
}

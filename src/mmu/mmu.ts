/** The paging unit: linear to physical through the TLB and the page walk. */
import { OFFSET, RAM_BASE } from '../state/layout.ts';
import type { GuestState } from '../state/guest-state.ts';
import { joined } from '../state/halves.ts';
import { PAGE_SIZE, type LinearAddress, type PhysicalAddress } from '../state/addresses.ts';
import type { AccessKind, Privilege } from './access.ts';
import type { AccessWatch } from './access-watch.ts';
import { CR0, CR4, EFER, RFLAGS_AC } from './control-bits.ts';
import { explainWalk, staleness, type WalkExplanation } from './explain.ts';
import { PageFault } from './page-fault.ts';
import { Translation, commitFlags, denial, faultErrorCode, walk, type Denial, type PagingStructures } from './page-walk.ts';
import { ALL_PAGING_FEATURES, PagingControls, currentPcid, loadPdpteRegisters, PLAIN_PAGING, pagingMode, type PagingFeatures } from './paging-mode.ts';
import type { PhysicalMemory } from './physical-memory.ts';
import { COLUMN, DATA_ENTRIES, FETCH_COLUMN, Tlb, columnBase, pageOf, type Column, type TlbEntry } from './tlb.ts';
import { TLB_ATTRIBUTE, rightsOf } from './tlb-attributes.ts';

export type { AccessKind, Privilege } from './access.ts';

const CR4_AT = OFFSET.cr4 / 4, CR3_AT = OFFSET.cr3 / 4, FLAGS_AT = OFFSET.systemFlags / 4;
const COLUMN_AT = [columnBase(0) / 4, columnBase(1) / 4, columnBase(2) / 4] as const;

/** Whether an access lies in one page, and its words where words of the memory are. */
const isWithinWords = (low: number, bytes: 2 | 4 | 8): boolean => (low & (bytes === 2 ? 1 : 3)) === 0 && (low & 0xfff) <= PAGE_SIZE - bytes;

/** The control registers as they were before an instruction changed them. */
export interface ControlRegisters { readonly cr0: number; readonly cr4: number; readonly efer: number }

/** What the paging unit has done since reset, for the report. */
export interface MmuStatistics {
  /** Accesses that a TLB answered, misses that walked, walks (misses and first writes to a clean page), invalidations asked for. */
  readonly hits: number;
  readonly misses: number;
  readonly walks: number;
  readonly flushes: number;
}

export class Mmu {
  readonly state: GuestState;
  readonly memory: PhysicalMemory;
  readonly tlb: Tlb;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #controls: PagingControls;
  readonly #translation = new Translation();
  readonly #structures: PagingStructures;
  /** Splits a linear address into halves without a bigint operation that allocates. */
  readonly #address = new BigUint64Array(1);
  readonly #halves = new Uint32Array(this.#address.buffer);
  /** A page walk is writing A or D: for whoever sees the write. */
  isSettingFlags = false;
  #watch: AccessWatch | undefined;
  #accesses = 0;
  #misses = 0;
  #walks = 0;

  constructor(state: GuestState, memory: PhysicalMemory, features: PagingFeatures = ALL_PAGING_FEATURES) {
    this.#controls = new PagingControls(features);
    this.state = state;
    this.memory = memory;
    this.tlb = new Tlb(state);
    this.#words = state.u32;
    this.#structures = {
      read32: (address) => memory.readAligned32(memory.throughA20(address)),
      setFlags: (address, low, flags) => {
        this.isSettingFlags = true;
        memory.write(memory.throughA20(address) as PhysicalAddress, 4, (low | flags) >>> 0);
        this.isSettingFlags = false;
      },
    };
    // Entries name frames as they are before the gate: with it closed, two names are one frame.
    memory.onSeen((frame) => (memory.a20 ? this.tlb.forbidFastWrites(frame) : this.tlb.forbidAllFastWrites()));
    memory.onGateMoved(() => this.tlb.judgeAnew());
    memory.onWritesForgotten(() => this.tlb.forbidAllFastWrites());
    memory.onMapChanged(() => this.tlb.judgeAnew());
  }

  /** Shows a debugger the data accesses that it wants to see; undefined: none. The guest cannot notice it. */
  watch(accesses: AccessWatch | undefined): void {
    this.#watch = accesses;
    this.tlb.judgeAnew();
  }

  /** Physical address of a linear one. Throws PageFault. */
  translate(address: LinearAddress, access: AccessKind, privilege: Privilege): PhysicalAddress {
    this.#address[0] = address;
    return this.translateHalves(this.#halves[0]!, this.#halves[1]!, access, privilege);
  }

  /** `translate` for an address given as bits 31:0 and 63:32, both unsigned. */
  translateHalves(low: number, high: number, access: AccessKind, privilege: Privilege): PhysicalAddress {
    this.#accesses++;
    if (access === 'fetch') return this.#fetch(low, high, privilege);
    const at = this.#probe(low, high, privilege, access === 'write');
    if (at >= 0) return (at - RAM_BASE) as PhysicalAddress;
    return (this.#dataFrame(low, high, access, privilege) * PAGE_SIZE + (low & 0xfff)) as PhysicalAddress;
  }

  /** Reads 1, 2, 4 or 8 bytes, across a page boundary if need be. With `modify`, write permission is required too. Throws PageFault. */
  load(address: LinearAddress, bytes: 1 | 2 | 4 | 8, privilege: Privilege, modify: boolean): bigint {
    this.#address[0] = address;
    const low = this.#halves[0]!, high = this.#halves[1]!;
    this.#accesses++;
    if ((low & 0xfff) + bytes > PAGE_SIZE) return this.#loadAcross(low, high, bytes, privilege, modify);
    const at = this.#probe(low, high, privilege, modify);
    if (at >= 0) {
      const { state } = this;
      switch (bytes) {
        case 8: return (at & 7) === 0 ? state.u64[at / 8]! : state.view.getBigUint64(at, true);
        case 4: return BigInt((at & 3) === 0 ? state.u32[at / 4]! : state.view.getUint32(at, true));
        case 2: return BigInt(state.view.getUint16(at, true));
        case 1: return BigInt(state.u8[at]!);
      }
    }
    const physical = (this.#dataFrame(low, high, modify ? 'write' : 'read', privilege) * PAGE_SIZE + (low & 0xfff)) as PhysicalAddress;
    if (this.#watch !== undefined) this.#show(low, high, physical, bytes, false);
    return bytes === 8 ? this.memory.read64(physical) : BigInt(this.memory.read(physical, bytes));
  }

  /** Bits 31:0 and 63:32 of what `loadHalves` read last. */
  loadedLow = 0;
  loadedHigh = 0;

  /** `load` into `loadedLow` and `loadedHigh` from an address in halves, both unsigned; the usual case makes no bigint. Throws PageFault. */
  loadHalves(low: number, high: number, bytes: 2 | 4 | 8, privilege: Privilege): void {
    const at = isWithinWords(low, bytes) ? this.#probe(low, high, privilege, false) : -1;
    if (at >= 0) {
      this.#accesses++;
      this.loadedLow = bytes === 2 ? this.state.u16[at / 2]! : this.#words[at / 4]!;
      this.loadedHigh = bytes === 8 ? this.#words[at / 4 + 1]! : 0;
      return;
    }
    this.#address[0] = this.load(joined(low, high) as LinearAddress, bytes, privilege, false);
    this.loadedLow = this.#halves[0]!;
    this.loadedHigh = this.#halves[1]!;
  }

  /** Writes; nothing is written if any page of it faults. Throws PageFault. */
  store(address: LinearAddress, bytes: 1 | 2 | 4 | 8, privilege: Privilege, value: bigint): void {
    this.#address[0] = address;
    const low = this.#halves[0]!, high = this.#halves[1]!;
    this.#accesses++;
    if ((low & 0xfff) + bytes > PAGE_SIZE) {
      this.#storeAcross(low, high, bytes, privilege, value);
      return;
    }
    const at = this.#probe(low, high, privilege, true);
    if (at >= 0) {
      const { state } = this;
      if (bytes === 8) {
        if ((at & 7) === 0) state.u64[at / 8] = value;
        else state.view.setBigUint64(at, value, true);
        return;
      }
      this.#address[0] = value;
      const word = this.#halves[0]!;
      if (bytes === 4) state.view.setUint32(at, word, true);
      else if (bytes === 2) state.view.setUint16(at, word, true);
      else state.u8[at] = word;
      return;
    }
    const physical = (this.#dataFrame(low, high, 'write', privilege) * PAGE_SIZE + (low & 0xfff)) as PhysicalAddress;
    if (bytes === 8) this.memory.write64(physical, BigInt.asUintN(64, value));
    else this.memory.write(physical, bytes, Number(BigInt.asUintN(8 * bytes, value)));
    if (this.#watch !== undefined) this.#show(low, high, physical, bytes, true);
  }

  /** `store` of a value in halves to an address in halves, both unsigned; the usual case makes no bigint. Throws PageFault; nothing is written then. */
  storeHalves(low: number, high: number, bytes: 2 | 4 | 8, privilege: Privilege, valueLow: number, valueHigh: number): void {
    const at = isWithinWords(low, bytes) ? this.#probe(low, high, privilege, true) : -1;
    if (at < 0) {
      this.store(joined(low, high) as LinearAddress, bytes, privilege, joined(valueLow, valueHigh));
      return;
    }
    this.#accesses++;
    if (bytes === 2) {
      this.state.u16[at / 2] = valueLow;
      return;
    }
    this.#words[at / 4] = valueLow;
    if (bytes === 8) this.#words[at / 4 + 1] = valueHigh;
  }

  #show(low: number, high: number, physical: PhysicalAddress, bytes: number, write: boolean): void {
    if (this.#watch!.covers(low, high, Math.floor(physical / PAGE_SIZE))) this.#watch!.listener(low, high, physical, bytes, write);
  }

  /** The paging in effect, where each access may be done without this class seeing it: a PLAIN_PAGING, or 0. Bits that only old processors reserve are nothing plain. */
  plainPaging(): number {
    if (!this.memory.a20 || this.#watch !== undefined) return 0;
    const mode = pagingMode(this.state);
    if (mode === '4-level') return PLAIN_PAGING.fourLevels;
    const reserves = !this.#controls.features.pat && (this.#words[CR4_AT]! & CR4.PSE) !== 0;
    return mode === '32-bit' && !reserves ? PLAIN_PAGING.twoLevels : 0;
  }

  /** The column that answers explicit data accesses as things are now. */
  dataColumn(privilege: Privilege): Column { return this.#column(this.#words[CR4_AT]!, privilege); }

  /**
   * Does for generated code what an access within one page does on a miss, but for the access itself. False where the column cannot answer
   * it afterwards either (a device, a write to a line with decoded code). Undefined for a page fault, whose error code is `faultCode`: throwing it would cost more than the walk.
   */
  prepare(low: number, high: number, bytes: number, write: boolean, privilege: Privilege): boolean | undefined {
    this.#accesses++;
    const frame = this.#tryFrame(low, high, write ? 'write' : 'read', privilege);
    if (frame < 0) return undefined;
    this.preparedBesideCode = false;
    if (this.#probe(low, high, privilege, write) >= 0) return true;
    return this.preparedBesideCode = write && this.#passesBesideCode(low, high, bytes, privilege, frame);
  }
  /** `prepare` was for a write to a page with decoded code, in lines that hold none. */
  preparedBesideCode = false;
  /** Whether the column lets generated code write there, in a frame with decoded code. */
  #passesBesideCode(low: number, high: number, bytes: number, privilege: Privilege, frame: number): boolean {
    const { memory } = this;
    return this.#probe(low, high, privilege, false) >= 0 && memory.isCode(frame) && memory.mayPassBesideCode(frame) && !memory.holdsCode(frame, low & 0xfff, (low & 0xfff) + bytes - 1);
  }
  /** Error code of the page fault that `prepare` found last. */
  faultCode = 0;

  /** Whether an access to this page, which translates to `physical`, is a plain access to RAM that no debugger wants to see. */
  isPlainRam(low: number, high: number, physical: number): boolean {
    const frame = Math.floor(physical / PAGE_SIZE);
    return this.memory.isRamFrame(frame) && !this.memory.isWatched(frame) && this.#watch?.covers(low, high, frame) !== true;
  }

  /** Whether the pages of two addresses want the same place in the data TLB. */
  displaceEachOther(lowA: number, highA: number, lowB: number, highB: number): boolean {
    const difference = (lowA ^ lowB) >>> 12;
    return (difference & (DATA_ENTRIES - 1)) === 0 && (difference !== 0 || highA !== highB);
  }

  /** Whether a walk for an address would read an entry of a paging structure in this frame. */
  walkReads(low: number, high: number, frame: number): boolean {
    let found = false;
    const { memory } = this;
    walk(this.#controls.read(this.state), {
      read32: (address) => {
        const onBus = memory.throughA20(address);
        if (Math.floor(onBus / PAGE_SIZE) === frame) found = true;
        return memory.peek32(onBus);
      },
      setFlags: () => undefined,
    }, low, high, this.#translation);
    return found;
  }

  /** Memory offset of a byte if the column of this kind of access has a tag for it, or -1. */
  #probe(low: number, high: number, privilege: Privilege, write: boolean): number {
    const words = this.#words;
    const cr4 = words[CR4_AT]!;
    const pcid = (cr4 & CR4.PCIDE) === 0 ? 0 : words[CR3_AT]! & 0xfff;
    const at = COLUMN_AT[this.#column(cr4, privilege)] + ((low >>> 12) & (DATA_ENTRIES - 1)) * 8;
    const tag = write ? at + 2 : at;
    return words[tag] === ((low & ~0xfff) | pcid) >>> 0 && words[tag + 1] === high ? (words[at + 4]! + low) >>> 0 : -1;
  }

  #column(cr4: number, privilege: Privilege): Column {
    if (privilege === 'user') return COLUMN.user;
    if ((cr4 & CR4.SMAP) === 0) return COLUMN.supervisor;
    return privilege === 'supervisor' && (this.#words[FLAGS_AT]! & RFLAGS_AC) !== 0 ? COLUMN.supervisor : COLUMN.supervisorUnderSmap;
  }

  /** Frame number of a data access. Throws PageFault. */
  #dataFrame(low: number, high: number, access: 'read' | 'write', privilege: Privilege): number {
    const frame = this.#tryFrame(low, high, access, privilege);
    if (frame < 0) throw new PageFault(joined(low, high) as LinearAddress, this.faultCode);
    return frame;
  }
  /** The same from the TLB if it allows the access, else by a walk; -1 for a page fault. */
  #tryFrame(low: number, high: number, access: 'read' | 'write', privilege: Privilege): number {
    const { tlb } = this;
    const pcid = currentPcid(this.state);
    const controls = this.#controls.read(this.state);
    const alignmentCheck = (this.#words[FLAGS_AT]! & RFLAGS_AC) !== 0;
    let entry = tlb.findData(low, high, pcid);
    if (entry >= 0) {
      const attributes = tlb.attributes(entry);
      const refused = denial(rightsOf(attributes), controls, access, privilege, alignmentCheck) !== undefined;
      // The first write through a clean entry walks again, to set D.
      if (refused || (access === 'write' && (attributes & TLB_ATTRIBUTE.dirty) === 0)) entry = -1;
    }
    if (entry < 0) {
      if (!this.#walk(controls, low, high, access, privilege, alignmentCheck, pcid)) return -1;
      entry = tlb.fill('data', low, high, pcid, this.#translation, controls.mode === 'none');
    }
    const frame = this.#frameOnBus(tlb.frame(entry));
    if (this.memory.isRamFrame(frame) && this.#watch?.covers(low, high, frame) !== true) {
      const attributes = tlb.attributes(entry);
      const beside = (attributes & TLB_ATTRIBUTE.dirty) !== 0 && this.memory.mayPassBesideCode(frame)
        && (access === 'write' || denial(rightsOf(attributes), controls, 'write', privilege, alignmentCheck) === undefined);
      const write = beside && !this.memory.isCode(frame);
      tlb.publish(this.#column(this.#words[CR4_AT]!, privilege), low, high, pcid, frame, write, beside ? this.memory.codeLines(frame, 0) : -1, beside ? this.memory.codeLines(frame, 1) : -1);
      if (beside) this.memory.allowFastWrites(frame);
    }
    return frame;
  }

  /** The frame that a fetch from an address would find, without a fetch: in the instruction TLB, or as the paging structures say now. */
  peekFetch(address: LinearAddress): number | undefined {
    this.#address[0] = address;
    const entry = this.tlb.findInstruction(this.#halves[0]!, this.#halves[1]!, currentPcid(this.state));
    if (entry >= 0) return this.#frameOnBus(this.tlb.frame(entry));
    const { physicalAddress } = this.explain(address);
    return physicalAddress === undefined ? undefined : this.#frameOnBus(Math.floor(physicalAddress / PAGE_SIZE));
  }

  #frameOnBus(frame: number): number { return this.memory.a20 ? frame : this.memory.throughA20(frame * PAGE_SIZE) / PAGE_SIZE; }

  #fetch(low: number, high: number, privilege: Privilege): PhysicalAddress {
    const { tlb } = this;
    const pcid = currentPcid(this.state);
    const controls = this.#controls.read(this.state);
    let entry = tlb.findInstruction(low, high, pcid);
    if (entry >= 0 && denial(rightsOf(tlb.attributes(entry)), controls, 'fetch', privilege, false) !== undefined) entry = -1;
    if (entry < 0) {
      if (!this.#walk(controls, low, high, 'fetch', privilege, false, pcid)) throw new PageFault(joined(low, high) as LinearAddress, this.faultCode);
      entry = tlb.fill('instruction', low, high, pcid, this.#translation, controls.mode === 'none');
    }
    const frame = this.#frameOnBus(tlb.frame(entry));
    if (this.memory.isRamFrame(frame)) tlb.publishFetch(privilege === 'user' ? FETCH_COLUMN.user : FETCH_COLUMN.supervisor, low, high, pcid, frame);
    return (frame * PAGE_SIZE + (low & 0xfff)) as PhysicalAddress;
  }

  /** Walks into #translation and commits the leaf's flags. False for a page fault with `faultCode`, after dropping what the TLBs hold for the page. */
  #walk(controls: PagingControls, low: number, high: number, access: AccessKind, privilege: Privilege, alignmentCheck: boolean, pcid: number): boolean {
    const translation = this.#translation;
    this.#misses++;
    if (controls.mode !== 'none') this.#walks++;
    walk(controls, this.#structures, low, high, translation);
    const why: Denial | undefined = translation.outcome === 'mapped' ? denial(translation, controls, access, privilege, alignmentCheck) : translation.outcome;
    if (why === undefined) {
      commitFlags(this.#structures, translation, access);
      return true;
    }
    this.tlb.dropPage(low, high, pcid, false);
    this.faultCode = faultErrorCode(why, translation, controls, access, privilege);
    return false;
  }

  #loadAcross(low: number, high: number, bytes: number, privilege: Privilege, modify: boolean): bigint {
    const pieces = this.#pieces(low, high, bytes, modify ? 'write' : 'read', privilege);
    let value = 0n;
    for (let i = 0; i < bytes; i++) value |= BigInt(this.memory.read(pieces(i), 1)) << BigInt(8 * i);
    if (this.#watch !== undefined) this.#showAcross(low, high, bytes, pieces, false);
    return value;
  }

  #storeAcross(low: number, high: number, bytes: number, privilege: Privilege, value: bigint): void {
    const pieces = this.#pieces(low, high, bytes, 'write', privilege);
    for (let i = 0; i < bytes; i++) this.memory.write(pieces(i), 1, Number((value >> BigInt(8 * i)) & 0xffn));
    if (this.#watch !== undefined) this.#showAcross(low, high, bytes, pieces, true);
  }

  #showAcross(low: number, high: number, bytes: number, pieces: (i: number) => PhysicalAddress, write: boolean): void {
    const inFirst = PAGE_SIZE - (low & 0xfff), next = (low + inFirst) >>> 0;
    this.#show(low, high, pieces(0), inFirst, write);
    this.#show(next, next === 0 && (this.state.efer & EFER.LMA) !== 0 ? (high + 1) >>> 0 : high, pieces(inFirst), bytes - inFirst, write);
  }

  /** Translates both pages of an access that crosses from one to the next; gives the physical address of its i-th byte. */
  #pieces(low: number, high: number, bytes: number, access: 'read' | 'write', privilege: Privilege): (i: number) => PhysicalAddress {
    const first = this.translateHalves(low, high, access, privilege);
    const inFirst = PAGE_SIZE - (low & 0xfff);
    const nextLow = ((low & ~0xfff) + PAGE_SIZE) >>> 0;
    const wrapped = nextLow === 0 && (this.state.efer & EFER.LMA) !== 0;
    const second = this.translateHalves(nextLow, wrapped ? (high + 1) >>> 0 : high, access, privilege);
    this.#accesses--;
    if (bytes <= inFirst) throw new RangeError('the access does not cross a page boundary');
    return (i) => (i < inFirst ? first + i : second + i - inFirst) as PhysicalAddress;
  }

  /** INVLPG. SDM Vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches". */
  invlpg(address: LinearAddress): void {
    this.#address[0] = address;
    this.invlpgHalves(this.#halves[0]!, this.#halves[1]!);
  }
  /** The same of an address in halves, both unsigned. */
  invlpgHalves(low: number, high: number): void { this.tlb.invalidatePage(low, high, currentPcid(this.state), false); }

  /** INVPCID. `type` 0: an address in a PCID; 1: a PCID; 2: everything with global entries; 3: everything but global entries. The caller has checked its operands. */
  invpcid(type: 0 | 1 | 2 | 3, pcid: number, address: LinearAddress): void {
    this.#address[0] = address;
    switch (type) {
      case 0: return this.tlb.invalidatePage(this.#halves[0]!, this.#halves[1]!, pcid, true);
      case 1: return this.tlb.flushPcid(pcid);
      case 2: return this.tlb.flush(false);
      case 3: return this.tlb.flush(true);
    }
  }

  /**
   * MOV to CR3: writes state.cr3 (without bit 63), reloads the PDPTE registers with PAE paging, and invalidates what the
   * manual says: with CR4.PCIDE the new PCID's entries unless bit 63 is set, without it all but global entries.
   * Returns false and changes nothing if a PDPTE has a reserved bit set: #GP(0). Reserved bits of CR3 are the caller's to check.
   */
  setCr3(value: bigint): boolean {
    const { state } = this;
    if (this.#controls.read(state).mode === 'PAE' && !this.loadPdptes(value)) return false;
    state.cr3 = BigInt.asUintN(63, value);
    if ((state.cr4 & CR4.PCIDE) === 0) this.tlb.flush(true);
    else if (value >> 63n === 0n) this.tlb.flushPcid(Number(value & 0xfffn));
    return true;
  }

  /** Loads the PDPTE registers from where `cr3` points, for the MOV to CR0 or CR4 that enters PAE paging or changes it. False: #GP(0), nothing changed. */
  loadPdptes(cr3: bigint): boolean {
    return loadPdpteRegisters(this.state, Number(cr3 & 0xffff_ffffn), (address) => this.#structures.read32(address));
  }

  /** To be called after CR0, CR4 or EFER changed, with their former values: invalidates what the manual says. */
  controlRegistersChanged(before: ControlRegisters): void {
    const { state, tlb } = this;
    const cr0 = state.cr0 ^ before.cr0, cr4 = state.cr4 ^ before.cr4, efer = state.efer ^ before.efer;
    if ((cr0 & CR0.PG) !== 0 || (efer & EFER.LMA) !== 0 || (cr4 & (CR4.PGE | CR4.PAE)) !== 0 || (cr4 & before.cr4 & CR4.PCIDE) !== 0) {
      tlb.flush(false);
    } else if ((cr4 & state.cr4 & CR4.SMEP) !== 0) {
      tlb.flushPcid(currentPcid(state));
    }
    tlb.judgeAnew();
  }

  /** WRPKRU, XRSTOR: writes state.pkru. What the TLBs hold stays, and is judged by it from now on. */
  setPkru(value: number): void {
    const { state } = this;
    this.tlb.judgeKeysAnew(state.pkru ^ value);
    state.pkru = value;
  }

  /** Drops everything: for a reset, or for tools that wrote control registers or page tables behind the processor's back. */
  flushAll(): void {
    this.tlb.flush(false);
  }

  /** To be called after the guest state was replaced (a snapshot restored): the TLBs are what they were then, but nothing derived from them holds. */
  stateReplaced(): void {
    this.tlb.judgeAnew();
    this.memory.clearCodeMarks();
  }

  /** The whole walk of a linear address as data, changing nothing. `cr3` chooses another address space than the current one. */
  explain(address: LinearAddress, cr3?: bigint): WalkExplanation {
    return explainWalk(this.state, this.memory, address, cr3, this.#controls.features);
  }

  /**
   * What the paging structures say now of a cached translation's page, and how the translation differs from it. Undefined: it is of another PCID than CR3's, so its
   * paging structures are others, and CR3 does not say which. SDM Vol. 3A, "Process-Context Identifiers (PCIDs)".
   */
  compare(entry: TlbEntry): { readonly now: WalkExplanation; readonly stale: readonly string[] } | undefined {
    if (!entry.global && entry.pcid !== currentPcid(this.state)) return undefined;
    const now = this.explain(pageOf(entry));
    return { now, stale: staleness(entry, now) };
  }

  get statistics(): MmuStatistics {
    const { accesses, walks, flushes } = this.tlb.byGeneratedCode;
    return { hits: this.#accesses + accesses - this.#misses - walks, misses: this.#misses + walks, walks: this.#walks + walks, flushes: this.tlb.flushes + flushes };
  }
}

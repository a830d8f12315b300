/** Physical memory: RAM in the guest state's memory, and the MMIO regions of devices. */
import type { GuestState } from '../state/guest-state.ts';
import { PAGE_SIZE, type PhysicalAddress } from '../state/addresses.ts';
import { RAM_BASE } from '../state/layout.ts';

/** Registers of a device in the physical address space. Offsets are relative to the region's base. */
export interface MmioDevice {
  readonly name: string;
  read(offset: number, bytes: 1 | 2 | 4): number;
  write(offset: number, bytes: 1 | 2 | 4, value: number): void;
}

interface MmioRegion { readonly base: number; readonly end: number; readonly device: MmioDevice }

/** What is known of a RAM frame. */
export const FRAME = {
  /** Decoded code of this frame exists: stores are reported. */
  code: 1,
  /** The TLB may hold a fast write tag for it, so marking it as code must take that tag away. */
  fastWrites: 2,
  /** At least part of it is covered by a device. */
  mmio: 4,
  /** It may have been written since `forgetWritten`. */
  written: 8,
  /** A debugger wants to see each store. */
  watched: 16,
  /** MONITOR watches a line of it. */
  monitored: 32,
} as const;

/**
 * Behind RAM in the memory: a byte of FRAME for each frame; at a multiple of 8, a u64 with a bit for each line that holds decoded code; an i32, how many frames may still be marked as written
 * before somebody is to hear of it. Generated code reads them, too, and marks frames as written but for the last of these.
 */
export const frameFlagsBase = (ramBytes: number): number => RAM_BASE + ramBytes;
export const codeLinesBase = (ramBytes: number): number => Math.ceil((RAM_BASE + ramBytes + ramBytes / PAGE_SIZE) / 8) * 8;
export const writtenLeftAt = (ramBytes: number): number => codeLinesBase(ramBytes) + 8 * ramBytes / PAGE_SIZE;
/** So many that nobody hears of it: there are fewer frames. */
const NEVER = 0x4000_0000;

/** Code is known by lines, so that data beside it may be written cheaply; MONITOR watches a line. */
const LINE_SHIFT = 6;
/** Bytes of a line. */
export const LINE_BYTES = 1 << LINE_SHIFT;

/** Address bit 20. */
const A20 = 0x10_0000;

const ALL_ONES = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff } as const;

/**
 * The physical address space. Devices lie over RAM; what neither claims reads all ones, ignores writes and is counted.
 * Every store that reaches RAM through this class, whoever makes it, is reported when it hits decoded code.
 */
export class PhysicalMemory {
  readonly state: GuestState;
  /** Size of RAM in bytes; it occupies physical addresses from 0. */
  readonly ramBytes: number;
  /** Accesses that neither RAM nor a device answered. */
  unclaimedAccesses = 0;
  readonly #frames: Uint8Array;
  /** Two words a frame: a bit for each line of 64 bytes that holds decoded code. */
  readonly #codeLines: Uint32Array;
  readonly #regions: MmioRegion[] = [];
  readonly #codeWritten: ((frame: number) => void)[] = [];
  readonly #seen: ((frame: number) => void)[] = [];
  readonly #mapChanged: (() => void)[] = [];
  readonly #writesForgotten: (() => void)[] = [];
  readonly #gateMoved: (() => void)[] = [];
  #a20 = true;
  #monitoredFrame = -1;
  #writeListener: ((address: number, bytes: number) => void) | undefined;
  /** One word: see `writtenLeftAt`. */
  readonly #writtenLeft: Int32Array;
  /** What `writtenCount` and that word add up to. */
  #writtenEnd = NEVER;
  #writtenStep = NEVER;
  #manyWritten: (() => void) | undefined;

  constructor(state: GuestState) {
    this.state = state;
    this.ramBytes = state.ramBytes;
    const frames = state.ramBytes / PAGE_SIZE;
    this.#frames = new Uint8Array(state.memory.buffer, frameFlagsBase(state.ramBytes), frames);
    this.#codeLines = new Uint32Array(state.memory.buffer, codeLinesBase(state.ramBytes), 2 * frames);
    this.#writtenLeft = new Int32Array(state.memory.buffer, writtenLeftAt(state.ramBytes), 1);
    this.#writtenLeft[0] = NEVER;
  }

  /**
   * The A20 gate, through which the processor reaches memory: while it is closed, bit 20 of each address is 0, so that the second MiB is the
   * first again, as on an 8086. Loaders and debuggers do not go through it. SDM Vol. 3B, "A20M#" ("Intel 8086 Family Compatibility").
   */
  get a20(): boolean { return this.#a20; }
  setA20(open: boolean): void {
    if (open === this.#a20) return;
    this.#a20 = open;
    for (const listener of this.#gateMoved) listener();
  }
  /** Where an address that the processor puts on its bus arrives. */
  throughA20(address: number): number { return this.#a20 || (address & A20) === 0 ? address : address - A20; }
  /** Called after the A20 gate was opened or closed. For the TLB. */
  onGateMoved(listener: () => void): void { this.#gateMoved.push(listener); }

  /** Gives `bytes` bytes from `base` to a device. Throws RangeError when they overlap another device's. */
  addMmio(base: PhysicalAddress, bytes: number, device: MmioDevice): void {
    const end = base + bytes;
    if (!(Number.isInteger(base) && base >= 0 && Number.isInteger(bytes) && bytes > 0)) throw new RangeError(`bad MMIO region ${base}+${bytes} for ${device.name}`);
    for (const other of this.#regions) {
      if (base < other.end && other.base < end) throw new RangeError(`MMIO of ${device.name} at 0x${base.toString(16)} overlaps ${other.device.name}`);
    }
    this.#regions.push({ base, end, device });
    this.#markMmioFrames();
  }

  /** Takes the region at `base` away, so that it may be added elsewhere (a local APIC that moves). */
  removeMmio(base: PhysicalAddress): void {
    const index = this.#regions.findIndex((region) => region.base === base);
    if (index < 0) throw new RangeError(`no MMIO region at 0x${base.toString(16)}`);
    this.#regions.splice(index, 1);
    this.#markMmioFrames();
  }

  /** Whether no device has any of these bytes. */
  isFreeOfDevices(base: number, bytes: number): boolean { return !this.#regions.some((region) => base < region.end && region.base < base + bytes); }

  #markMmioFrames(): void {
    for (let frame = 0; frame < this.#frames.length; frame++) this.#frames[frame]! &= ~FRAME.mmio;
    for (const { base, end } of this.#regions) {
      const last = Math.min(this.#frames.length, Math.ceil(end / PAGE_SIZE));
      for (let frame = Math.floor(base / PAGE_SIZE); frame < last; frame++) {
        const known = this.#frames[frame]!;
        this.#frames[frame] = (known & ~FRAME.code) | FRAME.mmio;
        if ((known & FRAME.code) !== 0) for (const listener of this.#codeWritten) listener(frame);
      }
    }
    for (const listener of this.#mapChanged) listener();
  }

  /** Whether the whole frame is RAM and no device covers any of it. */
  isRamFrame(frame: number): boolean {
    return frame < this.#frames.length && (this.#frames[frame]! & FRAME.mmio) === 0;
  }

  #isRam(address: number, bytes: number): boolean {
    const frame = Math.floor(address / PAGE_SIZE);
    return address + bytes <= this.ramBytes && ((this.#frames[frame]! | this.#frames[Math.floor((address + bytes - 1) / PAGE_SIZE)]!) & FRAME.mmio) === 0;
  }

  /** Reads 1, 2 or 4 bytes. Unclaimed addresses read all ones and are counted. */
  read(address: PhysicalAddress, bytes: 1 | 2 | 4): number {
    if (this.#isRam(address, bytes)) {
      const at = RAM_BASE + address;
      return bytes === 1 ? this.state.u8[at]! : bytes === 2 ? this.state.view.getUint16(at, true) : this.state.view.getUint32(at, true);
    }
    const region = this.#regionOf(address, bytes);
    if (region) return (region.device.read(address - region.base, bytes) & ALL_ONES[bytes]) >>> 0;
    if (bytes > 1 && this.#isMixed(address, bytes)) {
      let value = 0;
      for (let i = 0; i < bytes; i++) value += this.read((address + i) as PhysicalAddress, 1) * 2 ** (8 * i);
      return value;
    }
    // Beside a device's registers, in a frame that it covers in part.
    if (address < this.ramBytes) return this.state.u8[RAM_BASE + address]!;
    this.unclaimedAccesses++;
    return ALL_ONES[bytes];
  }

  /** `read` of 4 aligned bytes, quick where they are RAM: for page walks. */
  readAligned32(address: number): number {
    return this.isRamFrame(Math.floor(address / PAGE_SIZE)) ? this.state.u32[(RAM_BASE + address) >>> 2]! : this.read(address as PhysicalAddress, 4);
  }

  /** Writes 1, 2 or 4 bytes. Unclaimed addresses ignore it and are counted. */
  write(address: PhysicalAddress, bytes: 1 | 2 | 4, value: number): void {
    if (this.#isRam(address, bytes)) {
      const at = RAM_BASE + address;
      if (bytes === 1) this.state.u8[at] = value;
      else if (bytes === 2) this.state.view.setUint16(at, value, true);
      else this.state.view.setUint32(at, value, true);
      this.#stored(address, bytes);
      return;
    }
    const region = this.#regionOf(address, bytes);
    if (region) {
      region.device.write(address - region.base, bytes, (value & ALL_ONES[bytes]) >>> 0);
    } else if (bytes > 1 && this.#isMixed(address, bytes)) {
      for (let i = 0; i < bytes; i++) this.write((address + i) as PhysicalAddress, 1, (value >>> (8 * i)) & 0xff);
    } else if (address < this.ramBytes) {
      this.state.u8[RAM_BASE + address] = value;
      this.#stored(address, 1);
    } else {
      this.unclaimedAccesses++;
    }
  }

  /** Reads 8 bytes; outside RAM as two accesses of 4, the low half first. */
  read64(address: PhysicalAddress): bigint {
    if (this.#isRam(address, 8)) return this.state.view.getBigUint64(RAM_BASE + address, true);
    const low = this.read(address, 4);
    return BigInt(low) | (BigInt(this.read((address + 4) as PhysicalAddress, 4)) << 32n);
  }

  /** Writes 8 bytes; outside RAM as two accesses of 4, the low half first. */
  write64(address: PhysicalAddress, value: bigint): void {
    if (this.#isRam(address, 8)) {
      this.state.view.setBigUint64(RAM_BASE + address, value, true);
      this.#stored(address, 8);
      return;
    }
    this.write(address, 4, Number(value & 0xffff_ffffn));
    this.write((address + 4) as PhysicalAddress, 4, Number((value >> 32n) & 0xffff_ffffn));
  }

  /** Reads 4 bytes of RAM without side effects; anything else looks like all ones. For debuggers. */
  peek32(address: number): number {
    return this.#isRam(address, 4) ? this.state.view.getUint32(RAM_BASE + address, true) : 0xffff_ffff;
  }

  /**
   * Says that bytes first to last of a frame are decoded code: from now on stores into their lines are
   * reported, and none passes unseen. False for a frame that is not RAM: its code must not be kept.
   */
  markCode(frame: number, first = 0, last = PAGE_SIZE - 1): boolean {
    if (!this.isRamFrame(frame)) return false;
    let isNew = (this.#frames[frame]! & FRAME.code) === 0;
    for (let line = first >>> LINE_SHIFT; line <= last >>> LINE_SHIFT; line++) {
      const at = 2 * frame + (line >>> 5), bit = 1 << (line & 31);
      if ((this.#codeLines[at]! & bit) !== 0) continue;
      this.#codeLines[at]! |= bit;
      isNew = true;
    }
    this.#frames[frame]! |= FRAME.code;
    if (isNew) this.#letNoStorePass(frame);
    return true;
  }

  #letNoStorePass(frame: number): void {
    const known = this.#frames[frame]!;
    if ((known & FRAME.fastWrites) === 0) return;
    this.#frames[frame] = known & ~FRAME.fastWrites;
    for (const listener of this.#seen) listener(frame);
  }

  /** Whether the frame is marked as holding decoded code. */
  isCode(frame: number): boolean {
    return (this.#frames[frame]! & FRAME.code) !== 0;
  }

  /** Forgets all code marks without telling anyone: for an engine that has dropped everything it decoded. */
  clearCodeMarks(): void {
    for (let frame = 0; frame < this.#frames.length; frame++) this.#frames[frame]! &= ~FRAME.code;
    this.#codeLines.fill(0);
  }

  /** Called with the frame number (address >> 12) after a store hit a line that holds decoded code. The frame's mark is cleared before the call. */
  onCodeWritten(listener: (frame: number) => void): void {
    this.#codeWritten.push(listener);
  }

  /** Called with the number of a frame whose stores the TLB may let pass unseen, and from now on may not. For the TLB. */
  onSeen(listener: (frame: number) => void): void {
    this.#seen.push(listener);
  }

  /** Called when no store may pass unseen any more, whatever its frame. For the TLB. */
  onWritesForgotten(listener: () => void): void {
    this.#writesForgotten.push(listener);
  }

  /** Called after the map of devices changed. For the TLB. */
  onMapChanged(listener: () => void): void {
    this.#mapChanged.push(listener);
  }

  /** Shows a debugger each write to these RAM frames once it is made, whoever makes it: an instruction, a delivery, a page walk that sets A or D. */
  watchWrites(frames: Iterable<number>, listener: (address: number, bytes: number) => void): void {
    this.unwatchWrites();
    this.#writeListener = listener;
    for (const frame of frames) if (frame < this.#frames.length) this.#frames[frame]! |= FRAME.watched;
    for (const forgotten of this.#writesForgotten) forgotten();
  }
  unwatchWrites(): void {
    if (this.#writeListener === undefined) return;
    this.#writeListener = undefined;
    for (let frame = 0; frame < this.#frames.length; frame++) this.#frames[frame]! &= ~FRAME.watched;
  }

  /** Whether nobody needs to see the stores to a frame one by one. */
  mayPassUnseen(frame: number): boolean { return (this.#frames[frame]! & (FRAME.code | FRAME.watched | FRAME.monitored)) === 0; }
  /** Whether that holds but for stores to lines with decoded code: bits 31:0 and 63:32 of them are `codeLines`. */
  mayPassBesideCode(frame: number): boolean { return (this.#frames[frame]! & (FRAME.watched | FRAME.monitored)) === 0; }
  codeLines(frame: number, half: 0 | 1): number { return this.#codeLines[2 * frame + half]!; }

  /** Whether a debugger wants to see each store to the frame. */
  isWatched(frame: number): boolean { return (this.#frames[frame]! & FRAME.watched) !== 0; }

  /** Says that bytes of RAM were stored by somebody who has written the guest state's memory itself. */
  noteStores(address: PhysicalAddress, bytes: number): void { this.#stored(address, bytes); }

  /** Says that the TLB lets stores to this frame pass without asking. */
  allowFastWrites(frame: number): void {
    this.#markWritten(frame);
    this.#frames[frame]! |= FRAME.fastWrites;
  }

  #markWritten(frame: number): void {
    if ((this.#frames[frame]! & FRAME.written) !== 0) return;
    this.#frames[frame]! |= FRAME.written;
    if (--this.#writtenLeft[0]! > 0) return;
    this.#tellAfter(this.#writtenStep);
    this.#manyWritten?.();
  }
  #tellAfter(frames: number): void {
    const { writtenCount } = this;
    this.#writtenLeft[0] = frames;
    this.#writtenEnd = writtenCount + frames;
  }

  /** How many frames may have been written since `forgetWritten`, or since the machine was made. */
  get writtenCount(): number { return this.#writtenEnd - this.#writtenLeft[0]!; }
  /** Calls the listener each time that `writtenCount` has become a multiple of so many; `Infinity`: never. */
  countWritten(frames: number, listener?: () => void): void {
    this.#writtenStep = Math.min(frames, NEVER);
    this.#manyWritten = listener;
    this.#tellAfter(this.#writtenStep - this.writtenCount % this.#writtenStep);
  }

  /** The RAM frames that may have been written since `forgetWritten`, or since the machine was made: in ascending order. */
  writtenFrames(): number[] {
    const written: number[] = [];
    for (let frame = 0; frame < this.#frames.length; frame++) if ((this.#frames[frame]! & FRAME.written) !== 0) written.push(frame);
    return written;
  }

  /** Begins anew to note which frames are written. Whoever lets stores pass unseen (the TLB) is told to stop that first. */
  forgetWritten(): void {
    for (const listener of this.#writesForgotten) listener();
    for (let frame = 0; frame < this.#frames.length; frame++) this.#frames[frame]! &= ~(FRAME.fastWrites | FRAME.written);
    this.#writtenEnd = 0;
    this.#writtenLeft[0] = 0;
    this.#tellAfter(this.#writtenStep);
  }

  /**
   * MONITOR: the line of 64 bytes that holds the address is watched until something is stored into it, or `disarmMonitor`. Nothing is watched
   * outside RAM. `state.monitoredLine` says which it is.
   */
  armMonitor(address: number): void {
    this.disarmMonitor();
    if (this.isRamFrame(Math.floor(address / PAGE_SIZE))) this.state.monitoredLine = Math.floor(address / LINE_BYTES) + 1;
    this.resumeMonitor();
  }
  disarmMonitor(): void {
    this.state.monitoredLine = 0;
    if (this.#monitoredFrame >= 0) this.#frames[this.#monitoredFrame]! &= ~FRAME.monitored;
    this.#monitoredFrame = -1;
  }
  /** Takes up what `state.monitoredLine` says. */
  resumeMonitor(): void {
    if (this.#monitoredFrame >= 0) this.#frames[this.#monitoredFrame]! &= ~FRAME.monitored;
    const line = this.state.monitoredLine;
    this.#monitoredFrame = line === 0 ? -1 : Math.floor((line - 1) * LINE_BYTES / PAGE_SIZE);
    if (this.#monitoredFrame < 0) return;
    this.#frames[this.#monitoredFrame]! |= FRAME.monitored;
    this.#letNoStorePass(this.#monitoredFrame);
  }

  #stored(address: number, bytes: number): void {
    this.#wrote(address, bytes);
    const line = this.state.monitoredLine - 1;
    if (line >= 0 && address < (line + 1) * LINE_BYTES && line * LINE_BYTES < address + bytes) this.disarmMonitor();
  }

  #wrote(address: number, bytes: number): void {
    const first = Math.floor(address / PAGE_SIZE);
    const last = Math.floor((address + bytes - 1) / PAGE_SIZE);
    let seen = false;
    for (let frame = first; frame <= last; frame++) {
      const known = this.#frames[frame]!;
      if ((known & FRAME.written) === 0) this.#markWritten(frame);
      if ((known & FRAME.watched) !== 0) seen = true;
      if ((known & FRAME.code) === 0) continue;
      const from = Math.max(address - frame * PAGE_SIZE, 0), to = Math.min(address + bytes - 1 - frame * PAGE_SIZE, PAGE_SIZE - 1);
      if (!this.holdsCode(frame, from, to)) continue;
      this.#frames[frame]! &= ~FRAME.code;
      this.#codeLines.fill(0, 2 * frame, 2 * frame + 2);
      for (const listener of this.#codeWritten) listener(frame);
    }
    if (seen) this.#writeListener!(address, bytes);
  }

  /** Whether a line of bytes first to last of a frame holds decoded code. */
  holdsCode(frame: number, first: number, last: number): boolean {
    for (let line = first >>> LINE_SHIFT; line <= last >>> LINE_SHIFT; line++) if (((this.#codeLines[2 * frame + (line >>> 5)]! >>> (line & 31)) & 1) !== 0) return true;
    return false;
  }

  #regionOf(address: number, bytes: number): MmioRegion | undefined {
    for (const region of this.#regions) if (address >= region.base && address + bytes <= region.end) return region;
    return undefined;
  }

  /** Whether the bytes are not all unclaimed: some are RAM or belong to a device. */
  #isMixed(address: number, bytes: number): boolean {
    return address < this.ramBytes || this.#regions.some((region) => address < region.end && region.base < address + bytes);
  }

  /** Copies bytes into RAM for loaders, snapshots, debuggers, DMA. Throws RangeError outside RAM. */
  copyIn(address: PhysicalAddress, bytes: Uint8Array): void {
    this.#checkRange(address, bytes.length);
    this.state.u8.set(bytes, RAM_BASE + address);
    if (bytes.length > 0) this.#wrote(address, bytes.length);
  }

  /** Gives a RAM frame other contents: decoded code in it goes only where its lines become others. Throws RangeError outside RAM. */
  replaceFrame(frame: number, contents: Uint8Array): void {
    const address = frame * PAGE_SIZE;
    this.#checkRange(address, PAGE_SIZE);
    if (!this.isCode(frame)) {
      this.copyIn(address as PhysicalAddress, contents);
      return;
    }
    const { u8 } = this.state;
    for (let at = 0; at < PAGE_SIZE; at += LINE_BYTES) {
      const from = RAM_BASE + address + at;
      let n = 0;
      while (n < LINE_BYTES && u8[from + n] === contents[at + n]) n++;
      if (n < LINE_BYTES) this.copyIn((address + at) as PhysicalAddress, contents.subarray(at, at + LINE_BYTES));
    }
  }

  /** A copy of `length` bytes of RAM. Throws RangeError outside RAM. */
  copyOut(address: PhysicalAddress, length: number): Uint8Array {
    this.#checkRange(address, length);
    return this.state.u8.slice(RAM_BASE + address, RAM_BASE + address + length);
  }

  #checkRange(address: number, length: number): void {
    if (!(Number.isInteger(address) && address >= 0 && length >= 0 && address + length <= this.ramBytes)) {
      throw new RangeError(`physical range 0x${address.toString(16)}+0x${length.toString(16)} is not within RAM of 0x${this.ramBytes.toString(16)} bytes`);
    }
  }
}

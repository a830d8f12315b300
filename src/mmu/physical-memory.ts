/** Physical memory: RAM in the guest state's memory, and the MMIO regions of devices. */
import type { GuestState } from '../state/guest-state.ts';
import type { PhysicalAddress } from '../state/addresses.ts';

export interface MmioDevice {
  readonly name: string;
  read(offset: number, bytes: 1 | 2 | 4): number;
  write(offset: number, bytes: 1 | 2 | 4, value: number): void;
}

export declare class PhysicalMemory {
  readonly state: GuestState;
  constructor(state: GuestState);
  addMmio(base: PhysicalAddress, bytes: number, device: MmioDevice): void;
  /** Unclaimed addresses read all ones and are counted. */
  read(address: PhysicalAddress, bytes: 1 | 2 | 4): number;
  write(address: PhysicalAddress, bytes: 1 | 2 | 4, value: number): void;
  /** Says that decoded code of this frame exists: stores into it are reported to the listeners. */
  markCode(frame: number): void;
  /** Called with the frame number (address >> 12) when a store hits a frame that holds decoded code. The mark is cleared. */
  onCodeWritten(listener: (frame: number) => void): void;
  /** Copies bytes into RAM for loaders, snapshots, debuggers. Throws RangeError outside RAM. */
  copyIn(address: PhysicalAddress, bytes: Uint8Array): void;
  copyOut(address: PhysicalAddress, length: number): Uint8Array;
}

/** Starts the machine as power-on does: firmware in a ROM below 4 GiB, its end also below 1 MiB, the processor at its reset vector. */
import type { Cpu } from '../../cpu/cpu.ts';
import type { MmioDevice, PhysicalMemory } from '../../mmu/physical-memory.ts';
import { physical } from '../../state/addresses.ts';
import { ImageError } from './image-error.ts';

const KIB = 1024, MIB = 1024 * KIB;
const MIN_ROM_BYTES = 64 * KIB, MAX_ROM_BYTES = 16 * MIB;
/** The end of the ROM that appears below 1 MiB, too. It is RAM there, as on a PC whose chipset has shadowed it, so that firmware may write its variables. */
const LOW_BYTES = 128 * KIB;

class Rom implements MmioDevice {
  readonly name = 'firmware ROM';
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array) { this.#bytes = bytes; }
  read(offset: number, bytes: 1 | 2 | 4): number {
    let value = 0;
    for (let n = 0; n < bytes; n++) value += this.#bytes[offset + n]! * 2 ** (8 * n);
    return value;
  }
  write(): void { /* It is read-only. */ }
}

/** Throws ImageError for a file that cannot be a ROM; then nothing has changed. */
export function startFirmware(cpu: Cpu, memory: PhysicalMemory, file: Uint8Array): void {
  if (file.length < MIN_ROM_BYTES || file.length > MAX_ROM_BYTES || file.length % MIN_ROM_BYTES !== 0) {
    throw new ImageError(`${file.length} bytes are no firmware ROM: it has a multiple of 64 KiB, at most 16 MiB`);
  }
  if (memory.ramBytes < MIB) throw new ImageError(`${memory.ramBytes} bytes of memory are too few for firmware; at least 1 MiB is needed`);
  const rom = file.slice();
  memory.addMmio(physical(2 ** 32 - rom.length), rom.length, new Rom(rom));
  const low = rom.subarray(Math.max(0, rom.length - LOW_BYTES));
  memory.copyIn(physical(MIB - low.length), low);
  cpu.reset();
}

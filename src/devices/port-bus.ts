/** The I/O address space: which device answers at which port. SDM Vol. 1, "Input/Output". */

export type AccessBytes = 1 | 2 | 4;

export interface PortDevice {
  readonly name: string;
  /** The widest access the chip takes in one go; wider ones reach it byte by byte, lowest port first. Default 1. */
  readonly portBytes?: AccessBytes;
  /** `port` is the absolute port number. Bits of the result above the access are ignored. */
  readPort(port: number, bytes: AccessBytes): number;
  writePort(port: number, bytes: AccessBytes, value: number): void;
}

interface Claim { readonly first: number; readonly last: number; readonly device: PortDevice }

/** How often the guest asked where nothing answers. */
export interface UnclaimedPort { readonly port: number; reads: number; writes: number }

const PORTS = 0x1_0000;

/** All ones of an access size. */
export const allOnes = (bytes: AccessBytes): number => (bytes === 4 ? 0xffff_ffff : bytes === 2 ? 0xffff : 0xff);

export class PortBus {
  readonly #claims: Claim[] = [];
  /** Per port: index into the claims plus 1, or 0. */
  readonly #claimOf = new Uint16Array(PORTS);
  readonly #unclaimed = new Map<number, UnclaimedPort>();

  /** Gives `count` ports from `first` on to a device. Throws Error if one of them has an owner already: a mistake in the wiring. */
  claim(first: number, count: number, device: PortDevice): void {
    const last = first + count - 1;
    if (!Number.isInteger(first) || !Number.isInteger(last) || first < 0 || last < first || last >= PORTS) {
      throw new RangeError(`${device.name}: no such ports: ${count} from 0x${first.toString(16)}`);
    }
    for (let port = first; port <= last; port++) {
      const owner = this.#claimAt(port);
      if (owner !== undefined) throw new Error(`port 0x${port.toString(16)} is claimed by ${owner.device.name} and by ${device.name}`);
    }
    this.#claims.push({ first, last, device });
    this.#claimOf.fill(this.#claims.length, first, last + 1);
  }

  /** IN. A port that nobody claimed reads all ones and is counted. */
  read(port: number, bytes: AccessBytes): number {
    const claim = this.#claimAt(port);
    if (claim === undefined) {
      this.#count(port).reads++;
      if (bytes === 1 || !this.#anyClaimed(port + 1, bytes - 1)) return allOnes(bytes);
    } else if (bytes <= (claim.device.portBytes ?? 1) && port + bytes - 1 <= claim.last) {
      return (claim.device.readPort(port, bytes) & allOnes(bytes)) >>> 0;
    }
    let value = claim === undefined ? 0xff : claim.device.readPort(port, 1) & 0xff;
    for (let i = 1; i < bytes; i++) value |= this.read(port + i & 0xffff, 1) << i * 8;
    return value >>> 0;
  }

  /** OUT. A write to a port that nobody claimed is counted and lost. */
  write(port: number, bytes: AccessBytes, value: number): void {
    const claim = this.#claimAt(port);
    if (claim === undefined) {
      this.#count(port).writes++;
      if (bytes === 1 || !this.#anyClaimed(port + 1, bytes - 1)) return;
    } else if (bytes <= (claim.device.portBytes ?? 1) && port + bytes - 1 <= claim.last) {
      claim.device.writePort(port, bytes, (value & allOnes(bytes)) >>> 0);
      return;
    } else {
      claim.device.writePort(port, 1, value & 0xff);
    }
    for (let i = 1; i < bytes; i++) this.write(port + i & 0xffff, 1, value >>> i * 8 & 0xff);
  }

  /** The ports where the guest asked in vain, in ascending order. */
  unclaimed(): UnclaimedPort[] {
    return [...this.#unclaimed.values()].sort((a, b) => a.port - b.port);
  }

  #claimAt(port: number): Claim | undefined {
    const index = this.#claimOf[port] ?? 0;
    return index === 0 ? undefined : this.#claims[index - 1];
  }

  #anyClaimed(port: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.#claimAt(port + i & 0xffff) !== undefined) return true;
    return false;
  }

  #count(port: number): UnclaimedPort {
    let entry = this.#unclaimed.get(port);
    if (entry === undefined) this.#unclaimed.set(port, entry = { port, reads: 0, writes: 0 });
    return entry;
  }
}

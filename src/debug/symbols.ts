/** Names for addresses. */

/** A function, object or label of the guest. `size` 0: it reaches as far as the next one. */
export interface GuestSymbol { readonly name: string; readonly address: bigint; readonly size: number }

/** How far behind its address a symbol without a size still names things, in bytes. */
const REACH = 0x1_0000n;

/** For a kernel that runs, before it has mapped itself, elsewhere than it is linked. */
export interface Linkage {
  /** The address that what lies at an address is linked for, where that is another one. */
  linked(address: bigint): bigint | undefined;
  /** The address where a loader has put what is linked for an address, where that is another one. */
  loaded(address: bigint): bigint | undefined;
}
const AS_LINKED: Linkage = { linked: () => undefined, loaded: () => undefined };

/** Symbols by address. Of several at one address the first is used that has a size: the others may be an end of what lies before it. */
export class SymbolTable {
  readonly #sorted: readonly GuestSymbol[];
  #byName: ReadonlyMap<string, GuestSymbol> | undefined;

  readonly #linkage: Linkage;

  constructor(symbols: Iterable<GuestSymbol> = [], linkage = AS_LINKED) {
    this.#linkage = linkage;
    this.#sorted = [...symbols].filter(({ name }) => name !== '').sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : Number(b.size > 0) - Number(a.size > 0)));
  }

  get size(): number { return this.#sorted.length; }

  /** The address that what lies at an address is linked for: mostly the same. */
  linked(address: bigint): bigint { return this.#linkage.linked(address) ?? address; }
  /** Where what is linked for an address runs before it is mapped there, if that is elsewhere. */
  loaded(address: bigint): bigint | undefined { return this.#linkage.loaded(address); }

  /** The symbol that an address, or what lies there, belongs to and its offset in bytes, or undefined. */
  lookup(address: bigint): { readonly name: string; readonly offset: bigint } | undefined {
    if (this.#sorted.length === 0) return undefined;
    const found = this.#at(address);
    if (found !== undefined) return found;
    const linked = this.#linkage.linked(address);
    return linked === undefined ? undefined : this.#at(linked);
  }

  #at(address: bigint): { readonly name: string; readonly offset: bigint } | undefined {
    const sorted = this.#sorted;
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    let first = low - 1;
    while (first > 0 && sorted[first - 1]!.address === sorted[first]!.address) first--;
    const nearest = sorted[first];
    if (nearest === undefined) return undefined;
    const offset = address - nearest.address;
    return offset < (nearest.size > 0 ? BigInt(nearest.size) : REACH) ? { name: nearest.name, offset } : undefined;
  }

  /** The address of the first symbol of this name, or undefined. */
  addressOf(name: string): bigint | undefined {
    this.#byName ??= new Map([...this.#sorted].reverse().map((symbol) => [symbol.name, symbol]));
    return this.#byName.get(name)?.address;
  }

  /** `page_fault`, `page_fault+0x12`, or undefined. */
  name(address: bigint): string | undefined {
    const found = this.lookup(address);
    if (found === undefined) return undefined;
    return found.offset === 0n ? found.name : `${found.name}+0x${found.offset.toString(16)}`;
  }

  /** `0x101012 <page_fault+0x12>`. */
  text(address: bigint): string {
    const name = this.name(address);
    return `0x${address.toString(16)}${name === undefined ? '' : ` <${name}>`}`;
  }
}

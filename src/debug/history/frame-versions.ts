/**
 * What the frames of RAM held at several moments: a layer for each moment has a version of the frames that differ from the layer before. A frame without
 * any version holds zeroes at all of them. Layers are told apart by their numbers, which ascend with time and which their owner keeps up to date.
 */
import { PAGE_SIZE } from '../../state/addresses.ts';
import { isZero, PageStore } from './page-store.ts';

export interface Layer {
  index: number;
  /** Frames that have a version in this layer. */
  readonly frames: Set<number>;
  /** What those versions take. */
  bytes: number;
}
/** What a frame held at a layer's moment, and until the frame's next version: a page of the store, or zeroes. */
interface Version { layer: Layer; readonly page: number | undefined }

/** What a version costs beside its contents, in bytes: measured, rounded up. */
const VERSION_BYTES = 200;
/** Most that a version takes. */
export const MOST_VERSION_BYTES = VERSION_BYTES + PAGE_SIZE;

export class FrameVersions {
  readonly #store = new PageStore();
  /** In the order of their layers. */
  readonly #versions = new Map<number, Version[]>();
  #bytes = 0;

  /** What all versions take. */
  get bytes(): number { return this.#bytes; }
  get reservedBytes(): number { return this.#store.reservedBytes; }

  /** A frame's contents at a layer's moment; undefined: zeroes. */
  at(frame: number, layer: Layer): Uint32Array<ArrayBuffer> | undefined {
    const page = this.#pageAt(frame, layer);
    return page === undefined ? undefined : this.#store.words(page);
  }
  #pageAt(frame: number, layer: Layer): number | undefined {
    const versions = this.#versions.get(frame);
    if (versions === undefined) return undefined;
    for (let n = versions.length - 1; n >= 0; n--) if (versions[n]!.layer.index <= layer.index) return versions[n]!.page;
    return undefined;
  }

  /** Whether a frame had at a layer's moment what the page at a word of `source` has. */
  isUnchanged(frame: number, layer: Layer, source: Uint32Array, at: number): boolean {
    const page = this.#pageAt(frame, layer);
    return page === undefined ? isZero(source, at) : this.#store.holds(page, source, at);
  }

  /** Gives a layer a version of its own of a frame: a copy of the page at a word of `source`. */
  put(frame: number, layer: Layer, source: Uint32Array, at: number): void { this.#add(frame, layer, isZero(source, at) ? undefined : this.#store.keep(source, at)); }
  /** The same of what another layer has. */
  copy(frame: number, from: Layer, to: Layer): void {
    const page = this.#pageAt(frame, from);
    this.#add(frame, to, page === undefined ? undefined : this.#store.keepAgain(page));
  }

  #add(frame: number, layer: Layer, page: number | undefined): void {
    const version: Version = { layer, page };
    const versions = this.#versions.get(frame);
    if (versions === undefined) this.#versions.set(frame, [version]);
    else versions.splice(versions.findLastIndex((other) => other.layer.index < layer.index) + 1, 0, version);
    layer.frames.add(frame);
    layer.bytes += bytesOf(version);
    this.#bytes += bytesOf(version);
  }

  /** Takes a layer's own version of a frame away. */
  forget(frame: number, layer: Layer): void {
    const versions = this.#versions.get(frame)!;
    const [version] = versions.splice(versions.findIndex((other) => other.layer === layer), 1) as [Version];
    if (versions.length === 0) this.#versions.delete(frame);
    if (version.page !== undefined) this.#store.release(version.page);
    layer.frames.delete(frame);
    layer.bytes -= bytesOf(version);
    this.#bytes -= bytesOf(version);
  }

  /** Makes one layer of two neighbours: what the later one had. The layer with fewer frames is spent on it; returns the other. */
  merge(earlier: Layer, later: Layer): Layer {
    const [from, to] = earlier.frames.size < later.frames.size ? [earlier, later] : [later, earlier];
    for (const frame of from.frames) {
      if (to.frames.has(frame)) this.forget(frame, earlier);
      if (from.frames.has(frame)) this.#move(frame, from, to);
    }
    return to;
  }

  #move(frame: number, from: Layer, to: Layer): void {
    const version = this.#versions.get(frame)!.find(({ layer }) => layer === from)!;
    version.layer = to;
    from.frames.delete(frame);
    from.bytes -= bytesOf(version);
    to.frames.add(frame);
    to.bytes += bytesOf(version);
  }
}

const bytesOf = ({ page }: Version): number => (page === undefined ? VERSION_BYTES : MOST_VERSION_BYTES);

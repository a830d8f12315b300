/**
 * The guest's state: one WebAssembly.Memory with typed accessors made from the layout table.
 * It knows where things are, not what they mean: flags are in cpu/flags.ts, paging in mmu/, segments in cpu/segmentation.ts.
 */
import { FIELDS, FRAME_BYTES, MAX_RAM_BYTES, OFFSET, RAM_BASE, type FieldName } from './layout.ts';
import { PAGE_SIZE } from './addresses.ts';

type View = { u64: BigUint64Array; u32: Uint32Array; f64: Float64Array };
type Scalar = { u64: bigint; u32: number; f64: number };
type Accessor<F> = F extends { kind: infer K extends keyof View; count: infer N extends number } ? (N extends 1 ? Scalar[K] : View[K]) : never;
type Accessors = { -readonly [F in FieldName as (typeof FIELDS)[F]['count'] extends 1 ? F : never]: Accessor<(typeof FIELDS)[F]> }
  & { readonly [F in FieldName as (typeof FIELDS)[F]['count'] extends 1 ? never : F]: Accessor<(typeof FIELDS)[F]> };

class Storage {
  readonly memory: WebAssembly.Memory;
  readonly ramBytes: number;
  readonly u8: Uint8Array<ArrayBuffer>;
  readonly u16: Uint16Array<ArrayBuffer>;
  readonly u32: Uint32Array<ArrayBuffer>;
  readonly u64: BigUint64Array<ArrayBuffer>;
  readonly f64: Float64Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;

  /** @param ramBytes guest RAM in bytes: a multiple of 4096, at most MAX_RAM_BYTES. Throws RangeError otherwise. */
  constructor(ramBytes: number) {
    if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % PAGE_SIZE !== 0 || ramBytes > MAX_RAM_BYTES) {
      throw new RangeError(`guest RAM must be a multiple of ${PAGE_SIZE} bytes, at most ${MAX_RAM_BYTES}: ${ramBytes}`);
    }
    this.ramBytes = ramBytes;
    this.memory = new WebAssembly.Memory({ initial: Math.ceil((RAM_BASE + ramBytes + FRAME_BYTES * ramBytes / PAGE_SIZE) / 65536) + 1 });
    const buffer = this.memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.u64 = new BigUint64Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    for (const [name, field] of Object.entries(FIELDS)) {
      if (field.count === 1) continue;
      const View = field.kind === 'u64' ? BigUint64Array : Uint32Array;
      Object.defineProperty(this, name, { value: new View(buffer, OFFSET[name as FieldName], field.count) });
    }
  }
}

for (const [name, field] of Object.entries(FIELDS)) {
  if (field.count !== 1) continue;
  const offset = OFFSET[name as FieldName];
  const index = offset / (field.kind === 'u32' ? 4 : 8);
  Object.defineProperty(Storage.prototype, name, field.kind === 'u64'
    ? { get(this: Storage) { return this.u64[index]; }, set(this: Storage, v: bigint) { this.u64[index] = v; } }
    : field.kind === 'u32'
      ? { get(this: Storage) { return this.u32[index]; }, set(this: Storage, v: number) { this.u32[index] = v; } }
      : { get(this: Storage) { return this.f64[index]; }, set(this: Storage, v: number) { this.f64[index] = v; } });
}

/** Every field of the layout table as a property: `state.rip`, `state.gpr[4]`, `state.cr0`. */
export type GuestState = Storage & Accessors;
/** Makes a zeroed guest state with `ramBytes` of RAM. */
export const GuestState = Storage as new (ramBytes: number) => GuestState;

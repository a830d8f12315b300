/**
 * From sections of fragments to an image. Every instruction starts at its shortest encoding and only ever grows, so
 * the search for lengths ends after at most one pass for each encoding there is.
 */
import { linear, physical } from '../state/addresses.ts';
import { AssembleError } from './error.ts';
import { fits, littleEndian, type Fixup } from './encode.ts';
import type { Image, ImageLine, ImageSection, ImageSymbol } from './image.ts';
import type { LabelReference } from './operands.ts';
import type { Fragment, Section, SymbolDefinition } from './section.ts';
import type { CallSite, LocationReader } from './source-location.ts';

export interface LinkOptions { readonly origin: bigint; readonly entry: string | undefined; readonly locations: LocationReader }

/** Physical and linear address of a symbol. */
interface Address { readonly physical: bigint; readonly linear: bigint }
interface PlacedSection { readonly section: Section; readonly physical: bigint; readonly size: number; readonly offsets: readonly number[] }
interface Layout { readonly placed: readonly PlacedSection[]; readonly addresses: ReadonlyMap<string, Address> }
type Code = Extract<Fragment, { kind: 'code' }>;

/** Links a program. Throws AssembleError for a label that is not defined or an address that fits no encoding. */
export function link(sections: readonly Section[], symbols: ReadonlyMap<string, SymbolDefinition>, options: LinkOptions): Image {
  const fail = (site: CallSite, message: string): never => { throw new AssembleError(message, options.locations.read(site)); };
  const ordered = [...sections.filter((x) => !x.zero), ...sections.filter((x) => x.zero)];
  const chosen = new Map<Code, number>();
  const choice = (x: Code) => x.choices[chosen.get(x) ?? 0] as Code['choices'][number];
  const size = (x: Fragment): number => x.kind === 'code' ? choice(x).bytes.length : x.kind === 'space' ? x.bytes : 0;

  let layout = place(ordered, options.origin, size);
  const symbolic = ordered.flatMap((section) => section.fragments.flatMap((x, n) => x.kind === 'code' && x.choices.some((c) => c.fixups.length > 0) ? [{ section, x, n }] : []));
  for (const { x } of symbolic) {
    for (const { target } of x.choices.flatMap((c) => c.fixups)) {
      for (const name of [target.name, target.subtrahend]) if (name !== undefined && !layout.addresses.has(name)) fail(x.site, `label ${name} is not defined`);
    }
  }
  const bases = (): Map<Section, PlacedSection> => new Map(layout.placed.map((p) => [p.section, p]));
  for (let grown = true; grown;) {
    grown = false;
    const at = bases();
    for (const { section, x, n } of symbolic) {
      const where = at.get(section) as PlacedSection;
      const start = addressIn(where, where.offsets[n] as number);
      let k = chosen.get(x) ?? 0;
      while (k < x.choices.length - 1 && !(x.choices[k] as Code['choices'][number]).fixups.every((f) => fits(fieldValue(f, start, (x.choices[k] as Code['choices'][number]).bytes.length, layout), f.range))) k++;
      if (k !== (chosen.get(x) ?? 0)) {
        chosen.set(x, k);
        grown = true;
      }
    }
    if (grown) layout = place(ordered, options.origin, size);
  }

  const lines: ImageLine[] = [];
  const images = layout.placed.map((where): ImageSection => {
    const { section, offsets } = where;
    const bytes = new Uint8Array(section.zero ? 0 : where.size);
    section.fragments.forEach((x, n) => {
      const offset = offsets[n] as number;
      if (x.kind === 'align' && !section.zero) bytes.fill(x.filler, offset, offsets[n + 1] ?? where.size);
      if (x.kind !== 'code') return;
      const { bytes: content, fixups } = choice(x);
      const start = addressIn(where, offset);
      bytes.set(content, offset);
      for (const f of fixups) {
        const value = fieldValue(f, start, content.length, layout);
        if (!fits(value, f.range)) fail(x.site, `${x.text}: ${f.relative ? `the distance to ${f.target.toString()} (${value})` : `${f.target.toString()} (0x${BigInt.asUintN(64, value).toString(16)})`} does not fit ${f.bytes * 8} bits`);
        bytes.set(littleEndian(value, f.bytes), offset + f.offset);
      }
      if (content.length > 0) lines.push({ kind: x.content, ...(x.unit === undefined ? {} : { unit: x.unit }), section: section.name, linear: linear(start.linear), size: content.length, bits: x.bits, source: options.locations.read(x.site) });
    });
    return { name: section.name, flags: section.flags, physical: physical(Number(where.physical)), linear: linear(where.physical + section.virtualOffset), size: where.size, bytes };
  });

  const table = imageSymbols(layout);
  const entry = options.entry === undefined ? undefined : table.get(options.entry);
  if (options.entry !== undefined && !entry) throw new AssembleError(`entry ${options.entry} is not defined`);
  for (const name of symbols.keys()) if (!table.has(name)) throw new AssembleError(`label ${name} was lost`);
  return { sections: images, symbols: table, lines, entry };
}

/** Gives every fragment its offset and every symbol its address, at the present sizes. */
function place(ordered: readonly Section[], origin: bigint, size: (x: Fragment) => number): Layout {
  const addresses = new Map<string, Address>();
  const placed: PlacedSection[] = [];
  let cursor = origin;
  let loadEnd = origin;
  const name = (symbol: string, address: bigint, offset: bigint): void => void addresses.set(symbol, { physical: address, linear: BigInt.asUintN(64, address + offset) });
  for (const [k, section] of ordered.entries()) {
    if (k > 0) cursor = alignUp(cursor, BigInt(section.align));
    const offsets: number[] = [];
    let offset = 0;
    for (const x of section.fragments) {
      offsets.push(offset);
      if (x.kind === 'label') name(x.symbol.name, cursor + BigInt(offset), section.virtualOffset);
      offset += x.kind === 'align' ? Number(alignUp(cursor + BigInt(offset), BigInt(x.boundary)) - cursor) - offset : size(x);
    }
    placed.push({ section, physical: cursor, size: offset, offsets });
    const stem = `__${section.name.replace(/^\./, '').replace(/[^A-Za-z0-9_]/g, '_')}`;
    name(`${stem}_start`, cursor, section.virtualOffset);
    cursor += BigInt(offset);
    name(`${stem}_end`, cursor, section.virtualOffset);
    if (!section.zero) loadEnd = cursor;
  }
  const last = ordered.at(-1)?.virtualOffset ?? 0n;
  const lastLoaded = ordered.findLast((x) => !x.zero)?.virtualOffset ?? 0n;
  name('__image_start', origin, ordered[0]?.virtualOffset ?? 0n);
  name('__load_end', loadEnd, lastLoaded);
  name('__image_end', cursor, last);
  return { placed, addresses };
}
function addressIn({ section, physical: base }: PlacedSection, offset: number): Address {
  const address = base + BigInt(offset);
  return { physical: address, linear: BigInt.asUintN(64, address + section.virtualOffset) };
}
const alignUp = (x: bigint, boundary: bigint): bigint => (x + boundary - 1n) / boundary * boundary;

function referenceValue(x: LabelReference, layout: Layout): bigint {
  const of = (name: string): bigint => (layout.addresses.get(name) as Address)[x.space];
  return of(x.name) + x.addend - (x.subtrahend === undefined ? 0n : of(x.subtrahend));
}
/** A distance is taken where the label is meant: code that names physical addresses runs at its own. */
function fieldValue(f: Fixup, start: Address, length: number, layout: Layout): bigint {
  const value = referenceValue(f.target, layout);
  return f.relative ? BigInt.asIntN(64, value - start[f.target.space] - BigInt(length)) : value;
}

function imageSymbols(layout: Layout): Map<string, ImageSymbol> {
  const table = new Map<string, ImageSymbol>();
  const ends = new Map<SymbolDefinition, number>();
  for (const { section, offsets } of layout.placed) {
    section.fragments.forEach((x, n) => { if (x.kind === 'end') ends.set(x.symbol, offsets[n] as number); });
    section.fragments.forEach((x, n) => {
      if (x.kind !== 'label') return;
      const { name, kind, local, interruptFrameAt } = x.symbol;
      const address = layout.addresses.get(name) as Address;
      const start = offsets[n] as number;
      const size = (ends.get(x.symbol) ?? start) - start;
      table.set(name, { name, kind, local, section: section.name, linear: linear(address.linear), physical: physical(Number(address.physical)), size, ...(interruptFrameAt === undefined ? {} : { interruptFrameAt }) });
    });
  }
  return table;
}

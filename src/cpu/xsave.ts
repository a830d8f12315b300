/**
 * State components: what XCR0 enables and XSAVE, XRSTOR and CPUID leaf 0D speak of. fpu/xsave-area.ts and isa/system/xsave.ts
 * take them to memory and back. SDM Vol. 1, "Managing State Using the XSAVE Feature Set".
 */
import { XCR0 } from '../mmu/control-bits.ts';
import type { CpuFeature, CpuFeatures } from './isa/features.ts';

/** Bytes 512-575: XSTATE_BV, XCOMP_BV, then 48 bytes that are 0. */
export const HEADER_AT = 512, HEADER_BYTES = 64;
const EXTENDED_AT = HEADER_AT + HEADER_BYTES;

/** A component behind the header. `bit`: of XCR0; `at`: its offset in the standard form, as processors have it (what they have between these is not here). */
interface ExtendedComponent { readonly number: number; readonly bit: number; readonly at: number; readonly bytes: number; readonly feature: CpuFeature }
const EXTENDED: readonly ExtendedComponent[] = [
  { number: 2, bit: XCR0.AVX, at: EXTENDED_AT, bytes: 256, feature: 'avx' },
  { number: 9, bit: XCR0.PKRU, at: 2688, bytes: 8, feature: 'pku' },
];

/** The components that a processor with these features has, as XCR0 has them. */
export const supportedComponents = (features: CpuFeatures): number =>
  EXTENDED.reduce((supported, { bit, feature }) => (features.has(feature) ? supported | bit : supported), XCR0.X87 | XCR0.SSE);
/** A component behind the header, by its number. */
export const extendedComponent = (number: number): ExtendedComponent | undefined => EXTENDED.find((component) => component.number === number);
/** Whether XCR0 may have this value. SDM Vol. 2D, "XSETBV—Set Extended Control Register". */
export const isXcr0 = (value: bigint, features: CpuFeatures): boolean =>
  (value & 1n) === 1n && (value & ~BigInt(supportedComponents(features))) === 0n && ((value & 4n) === 0n || (value & 2n) !== 0n);

/** Where a part of an area lies: in bytes from its beginning. */
export interface Place { readonly at: number; readonly bytes: number }
/** `compacted`: the components that XCOMP_BV names, behind one another; undefined: the standard form. SDM Vol. 1, "Extended Region of an XSAVE Area". */
export function placeOf(bit: number, compacted?: number): Place {
  let behind = EXTENDED_AT;
  for (const component of EXTENDED) {
    if (component.bit === bit) return { at: compacted === undefined ? component.at : behind, bytes: component.bytes };
    if (((compacted ?? 0) & component.bit) !== 0) behind += component.bytes;
  }
  throw new RangeError(`no component 0x${bit.toString(16)} behind the header`);
}
/** The parts of an area for these components: what is up to the end of the header, then each that is behind it. */
export const placesOf = (components: number, compacted?: number): readonly Place[] =>
  [{ at: 0, bytes: EXTENDED_AT }, ...EXTENDED.filter(({ bit }) => (components & bit) !== 0).map(({ bit }) => placeOf(bit, compacted))];
/** Bytes of an area for these components. */
export const areaBytes = (components: number, compacted?: number): number => Math.max(...placesOf(components, compacted).map(({ at, bytes }) => at + bytes));

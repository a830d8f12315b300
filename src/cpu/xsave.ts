/**
 * State components: what XCR0 enables and XSAVE, XRSTOR and CPUID leaf 0D speak of. fpu/xsave-area.ts is the area in memory.
 * SDM Vol. 1, "Managing State Using the XSAVE Feature Set".
 */
import { XCR0 } from '../mmu/control-bits.ts';
import type { CpuFeatures } from './isa/features.ts';

/** Bytes 512-575: XSTATE_BV, XCOMP_BV, then 48 bytes that are 0. */
export const HEADER_AT = 512, HEADER_BYTES = 64;
/** What is behind the header, in the standard form; in the compacted one too, where it is the only one of its kind. */
export const AVX_AT = 576, AVX_BYTES = 256;

/** The components that a processor with these features has, as XCR0 has them. */
export const supportedComponents = (features: CpuFeatures): number => XCR0.X87 | XCR0.SSE | (features.has('avx') ? XCR0.AVX : 0);
/** Bytes of an area for these components. */
export const areaBytes = (components: number): number => ((components & XCR0.AVX) !== 0 ? AVX_AT + AVX_BYTES : AVX_AT);
/** Whether XCR0 may have this value. SDM Vol. 2D, "XSETBV—Set Extended Control Register". */
export const isXcr0 = (value: bigint, features: CpuFeatures): boolean =>
  (value & 1n) === 1n && (value & ~BigInt(supportedComponents(features))) === 0n && ((value & 4n) === 0n || (value & 2n) !== 0n);

/** Bits of the control registers and IA32_EFER, by name. SDM Vol. 3A, "Control Registers" and "Extended Feature Enable Register". */

export const CR0 = {
  PE: 1 << 0, MP: 1 << 1, EM: 1 << 2, TS: 1 << 3, ET: 1 << 4, NE: 1 << 5, WP: 1 << 16, AM: 1 << 18, NW: 1 << 29, CD: 1 << 30, PG: 1 << 31,
} as const;

export const CR4 = {
  VME: 1 << 0, PVI: 1 << 1, TSD: 1 << 2, DE: 1 << 3, PSE: 1 << 4, PAE: 1 << 5, MCE: 1 << 6, PGE: 1 << 7, PCE: 1 << 8, OSFXSR: 1 << 9,
  OSXMMEXCPT: 1 << 10, UMIP: 1 << 11, LA57: 1 << 12, VMXE: 1 << 13, SMXE: 1 << 14, FSGSBASE: 1 << 16, PCIDE: 1 << 17, OSXSAVE: 1 << 18,
  SMEP: 1 << 20, SMAP: 1 << 21, PKE: 1 << 22, CET: 1 << 23, PKS: 1 << 24,
} as const;

/** State components, as XCR0 has them. */
export const XCR0 = { X87: 1 << 0, SSE: 1 << 1, AVX: 1 << 2, PKRU: 1 << 9 } as const;

export const EFER = { SCE: 1 << 0, LME: 1 << 8, LMA: 1 << 10, NXE: 1 << 11 } as const;

/** RFLAGS.AC, in state.systemFlags. */
export const RFLAGS_AC = 1 << 18;

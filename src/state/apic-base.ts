/** IA32_APIC_BASE, which the processor keeps and the local APIC obeys. SDM Vol. 3A, "Local APIC Status and Location", "x2APIC State Transitions". */

/** Bootstrap processor, x2APIC mode, global enable. */
export const APIC_BASE = { BSP: 1n << 8n, EXTD: 1n << 10n, EN: 1n << 11n } as const;
export const APIC_DEFAULT_BASE = 0xfee0_0000;
/** Bytes of the registers in memory. */
export const APIC_BYTES = 0x1000;

export type ApicMode = 'off' | 'xAPIC' | 'x2APIC';
export const apicMode = (base: bigint): ApicMode => ((base & APIC_BASE.EN) === 0n ? 'off' : (base & APIC_BASE.EXTD) === 0n ? 'xAPIC' : 'x2APIC');

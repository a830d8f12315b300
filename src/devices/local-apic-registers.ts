/** Registers of the local APIC: where they are, which bits of them can be written, and how x2APIC mode sees them. SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)". */

/** Offsets in memory; in x2APIC mode the register is MSR 800h + offset / 16. SDM Vol. 3A, "Local APIC Register Address Map", "Local APIC Register Address Map Supported by x2APIC". */
export const REGISTER = {
  ID: 0x20, VERSION: 0x30, TPR: 0x80, APR: 0x90, PPR: 0xa0, EOI: 0xb0, RRD: 0xc0, LDR: 0xd0, DFR: 0xe0, SVR: 0xf0,
  ISR: 0x100, TMR: 0x180, IRR: 0x200, ESR: 0x280, ICR_LOW: 0x300, ICR_HIGH: 0x310, LVT_TIMER: 0x320, LVT_ERROR: 0x370,
  INITIAL_COUNT: 0x380, CURRENT_COUNT: 0x390, DIVIDE: 0x3e0,
  /** In x2APIC mode only. */
  SELF_IPI: 0x3f0,
} as const;
/** Places in the local vector table, in the order of their registers from 0x320 on. */
export const LVT = { TIMER: 0, THERMAL: 1, PERFORMANCE: 2, LINT0: 3, LINT1: 4, ERROR: 5 } as const;
const LVT_WRITABLE = [0x3_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff] as const;
/** Bits 18:17 of the timer's entry. */
export const TIMER_MODE = { SHIFT: 17, PERIODIC: 1, TSC_DEADLINE: 2 } as const;
export const SVR = { ENABLE: 0x100, WRITABLE: 0x1ff } as const;
export const ICR = { LOGICAL: 0x800, ASSERT: 0x4000, LEVEL: 0x8000, WRITABLE: 0xc_cfff } as const;

/** The bits of an entry of the local vector table that can be written. */
export const lvtWritable = (index: number, tscDeadline: boolean): number =>
  (LVT_WRITABLE[index] ?? 0) | (index === LVT.TIMER && tscDeadline ? TIMER_MODE.TSC_DEADLINE << TIMER_MODE.SHIFT : 0);

/** What RDMSR and WRMSR may do with a register in x2APIC mode. `writable`: the bits that need not be 0; undefined: read-only. */
interface X2Rights { readonly readable: boolean; readonly writable?: number }
const READ_ONLY: X2Rights = { readable: true };

/** The rights to the register at an offset, or undefined where there is none. */
export function x2Rights(offset: number, tscDeadline: boolean): X2Rights | undefined {
  if (offset >= REGISTER.ISR && offset < REGISTER.ESR) return READ_ONLY;
  if (offset >= REGISTER.LVT_TIMER && offset <= REGISTER.LVT_ERROR) return { readable: true, writable: lvtWritable((offset - REGISTER.LVT_TIMER) / 16, tscDeadline) };
  switch (offset) {
    case REGISTER.ID: case REGISTER.VERSION: case REGISTER.PPR: case REGISTER.LDR: case REGISTER.CURRENT_COUNT: return READ_ONLY;
    case REGISTER.TPR: return { readable: true, writable: 0xff };
    case REGISTER.EOI: return { readable: false, writable: 0 };
    case REGISTER.SVR: return { readable: true, writable: SVR.WRITABLE };
    case REGISTER.ESR: return { readable: true, writable: 0 };
    case REGISTER.ICR_LOW: return { readable: true, writable: ICR.WRITABLE };
    case REGISTER.INITIAL_COUNT: return { readable: true, writable: 0xffff_ffff };
    case REGISTER.DIVIDE: return { readable: true, writable: 0xb };
    case REGISTER.SELF_IPI: return { readable: false, writable: 0xff };
    default: return undefined;
  }
}

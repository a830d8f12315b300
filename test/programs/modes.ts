/** The modes in which random programs run, and where things lie for them: the same arena of 64 KiB in all of them. */

/** 64 KiB that programs own: code, data, a page that is missing, one that is read-only, a stack. 16-bit code sees it as one segment. */
export const ARENA = 0x2_0000, ARENA_BYTES = 0x1_0000;
export const CODE_BYTES = 0x8000, DATA_OFFSET = 0x8000, DATA_BYTES = 0x400, MISSING_OFFSET = 0xa000, READ_ONLY_OFFSET = 0xb000, STACK_OFFSET = 0xe000;
/** Instructions stand in pieces of so many bytes: after an exception the program goes on at the next. */
export const SLOT = 32;
/** Exceptions after which a program is over. */
export const FUEL = 48;

/** Selectors of the world's GDT, with their RPL. */
export const SEL = {
  code32: 0x08, data: 0x10, userCode32: 0x1b, userData: 0x23, code16: 0x28, data16: 0x30, userCode16: 0x3b, userData16: 0x43, toReal: 0x48,
  code64: 0x50, userCode64: 0x5b, readOnly: 0x63, expandDown: 0x6b, absent: 0x73, conforming: 0x78, executeOnly: 0x83, small: 0x8b, tss: 0x90,
} as const;
const OF_ARENA = BigInt(ARENA) << 16n;
/** The descriptors from selector 8 on. All are accessed already, so that nobody writes to the table. */
export const DESCRIPTORS: readonly bigint[] = [
  0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x00cf_fb00_0000_ffffn, 0x00cf_f300_0000_ffffn,
  0x0000_9b00_0000_ffffn | OF_ARENA, 0x0000_9300_0000_ffffn | OF_ARENA, 0x0000_fb00_0000_ffffn | OF_ARENA, 0x0000_f300_0000_ffffn | OF_ARENA, 0x0000_9b01_0000_ffffn,
  0x00af_9b00_0000_ffffn, 0x00af_fb00_0000_ffffn, 0x00cf_f100_0000_ffffn, 0x00cf_f700_0002_7fffn, 0x00cf_7300_0000_ffffn, 0x00cf_9f00_0000_ffffn, 0x00cf_f900_0000_ffffn,
  0x0040_f302_8000_0fffn,
];

export interface ProgramMode {
  readonly name: string;
  readonly bits: 16 | 32 | 64;
  /** What the supervisor around it is: 32-bit protected mode, or IA-32e mode. */
  readonly family: 'legacy' | 'long';
  readonly ring: 0 | 3;
  /** Segments are paragraphs. */
  readonly is8086: boolean;
  /** The values of CS and of the data segments. */
  readonly code: number;
  readonly data: number;
}
const mode = (name: string, bits: 16 | 32 | 64, family: 'legacy' | 'long', ring: 0 | 3, code: number, data: number, is8086 = false): ProgramMode => ({ name, bits, family, ring, is8086, code, data });

export const MODES: readonly ProgramMode[] = [
  mode('real-address mode', 16, 'legacy', 0, ARENA >> 4, ARENA >> 4, true),
  mode('virtual-8086 mode', 16, 'legacy', 3, ARENA >> 4, ARENA >> 4, true),
  mode('16-bit protected mode, ring 0', 16, 'legacy', 0, SEL.code16, SEL.data16),
  mode('16-bit protected mode, ring 3', 16, 'legacy', 3, SEL.userCode16, SEL.userData16),
  mode('32-bit protected mode, ring 0', 32, 'legacy', 0, SEL.code32, SEL.data),
  mode('32-bit protected mode, ring 3', 32, 'legacy', 3, SEL.userCode32, SEL.userData),
  mode('16-bit compatibility mode', 16, 'long', 3, SEL.userCode16, SEL.userData16),
  mode('compatibility mode', 32, 'long', 3, SEL.userCode32, SEL.userData),
  mode('64-bit mode, ring 0', 64, 'long', 0, SEL.code64, SEL.data),
  mode('64-bit mode, ring 3', 64, 'long', 3, SEL.userCode64, SEL.userData),
];
/** Whether an exception's handler stands on the program's own stack: then ESP and SS must stay good. */
export const sharesStack = (m: ProgramMode): boolean => m.family === 'legacy' && m.ring === 0;
/** What has to be added to an offset of the arena to name it in this mode. */
export const baseOf = (m: ProgramMode): number => (m.bits === 16 ? 0 : ARENA);

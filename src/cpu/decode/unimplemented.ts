/**
 * What the manual defines and the table has no row for. A guest whose processor has such an instruction and runs it is told so, loudly:
 * raising #UD would be a wrong answer. On a processor without it, it is #UD, as is everything that is neither here nor
 * in the table. SDM Vol. 2D, "Opcode Map".
 */
import type { CpuFeature } from '../isa/features.ts';
import type { InstructionSet, Selectors } from './lookup.ts';

export interface Unbuilt {
  readonly from: number;
  readonly to: number;
  readonly name: string;
  /** The ModRM bytes that are meant; absent: all. */
  readonly when?: (modrm: number) => boolean;
  /** Only with one of these prefixes (`NP`: none), and then before any row: the row's instruction has the same opcode without it. */
  readonly prefix?: string;
  /** Only in this kind of mode. */
  readonly longMode?: boolean;
  /** The feature with which it went: processors without it have the instruction. Absent: an extension that no processor here has. */
  readonly goneWith?: CpuFeature;
}

const inRegister = (modrm: number): boolean => modrm >= 0xc0;
const extension = (modrm: number): number => (modrm >> 3) & 7;

const ONE_BYTE: readonly Unbuilt[] = [
  { from: 0xc6, to: 0xc7, name: 'XABORT/XBEGIN (TSX)', when: (m) => m === 0xf8 },
  { from: 0x62, to: 0x62, name: 'EVEX-encoded instruction (AVX-512)', longMode: true },
  { from: 0x62, to: 0x62, name: 'EVEX-encoded instruction (AVX-512)', longMode: false, when: inRegister },
];

const MAP_0F: readonly Unbuilt[] = [
  // Those of the 486's TLB and cache, in place of which the Pentium has model-specific registers. SDM Vol. 3B, "Obsolete Instructions".
  { from: 0x24, to: 0x24, name: 'MOV from a test register', longMode: false, goneWith: 'msr' },
  { from: 0x26, to: 0x26, name: 'MOV to a test register', longMode: false, goneWith: 'msr' },
  { from: 0x00, to: 0x00, name: 'LKGS (FRED)', prefix: 'F2', longMode: true, when: (m) => extension(m) === 6 },
  { from: 0x01, to: 0x01, name: 'ERETS (FRED)', prefix: 'F2', longMode: true, when: (m) => m === 0xca },
  { from: 0x01, to: 0x01, name: 'ERETU (FRED)', prefix: 'F3', longMode: true, when: (m) => m === 0xca },
  { from: 0x01, to: 0x01, name: 'VMX, SGX, TSX, user-interrupt or shadow-stack instruction (0F 01)',
    when: (m) => [0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xcf, 0xd4, 0xd5, 0xd6, 0xd7, 0xe8, 0xe9, 0xea, 0xec, 0xed, 0xee, 0xef].includes(m)
      || (extension(m) === 5 && !inRegister(m)) },
  { from: 0x37, to: 0x37, name: 'GETSEC' },
  { from: 0x78, to: 0x79, name: 'VMREAD/VMWRITE' },
  { from: 0xae, to: 0xae, name: 'PTWRITE, wait or CET instruction (0F AE)', when: (m) => !inRegister(m) || extension(m) >= 4 },
  { from: 0xc7, to: 0xc7, name: 'VMX or user-interrupt instruction (0F C7)',
    when: (m) => extension(m) === 6 || (extension(m) >= 3 && !inRegister(m)) },
];

const MAP_0F38: readonly Unbuilt[] = [
  { from: 0x80, to: 0x81, name: 'INVEPT or INVVPID', prefix: '66' },
  { from: 0xce, to: 0xcf, name: 'GFNI instruction' },
  { from: 0xd8, to: 0xdf, name: 'Key Locker instruction', prefix: 'F3' },
  { from: 0xf5, to: 0xfc, name: 'CET, MOVDIRI, ENQCMD or RAO instruction' },
];

const MAP_0F3A: readonly Unbuilt[] = [
  { from: 0xce, to: 0xcf, name: 'GFNI instruction' },
  { from: 0xf0, to: 0xf0, name: 'HRESET' },
];

const LATER_VEX = 'VEX-encoded instruction that is younger than AVX2 and FMA (AVX-512 masks, AVX-VNNI, AMX and others)';
const VEX_0F: readonly Unbuilt[] = [{ from: 0x00, to: 0xff, name: LATER_VEX }];
const VEX_0F38: readonly Unbuilt[] = [{ from: 0x00, to: 0xf1, name: LATER_VEX }, { from: 0xf8, to: 0xff, name: LATER_VEX }];
const VEX_0F3A: readonly Unbuilt[] = [{ from: 0x00, to: 0xef, name: LATER_VEX }];

/** By the number of the map: behind a VEX prefix there is none of one byte. */
const BY_MAP = [ONE_BYTE, MAP_0F, MAP_0F38, MAP_0F3A, [], VEX_0F, VEX_0F38, VEX_0F3A] as const;

/** The names of all of it, with the feature without which processors stop at it; without one none does. */
export const UNIMPLEMENTED: ReadonlyMap<string, CpuFeature | undefined> = new Map(BY_MAP.flat().map(({ name, goneWith }) => [name, goneWith]));

/** The prefix that is part of an opcode: F3 and F2 win over 66. */
const prefixOf = (s: Selectors): string => s.repeat === 1 ? 'F3' : s.repeat === 2 ? 'F2' : s.operandSizePrefix ? '66' : 'NP';

/** The entries that cover an opcode of the map with that number. */
export const unbuiltAt = (longMode: boolean, map: number, opcode: number, s: Selectors): readonly Unbuilt[] =>
  (BY_MAP[map] ?? []).filter((x) => opcode >= x.from && opcode <= x.to && (x.longMode === undefined || x.longMode === longMode)
    && (x.prefix === undefined || x.prefix.split(' ').includes(prefixOf(s))));

/** An unbuilt instruction. `here`: processors with this instruction set have it. */
export interface Unimplemented { readonly name: string; readonly here: boolean }

/**
 * The unbuilt instruction that an opcode would be of those that cover it; undefined if there is none. With `hasRow`, only one that a prefix tells
 * apart from the table's row.
 */
export function unimplementedAt(set: InstructionSet, unbuilt: readonly Unbuilt[], modrm: number, hasRow: boolean): Unimplemented | undefined {
  const found = unbuilt.find((x) => (x.when === undefined || x.when(modrm)) && (!hasRow || x.prefix !== undefined));
  return found && { name: found.name, here: set.hasAll || (found.goneWith !== undefined && !set.has(found.goneWith)) };
}

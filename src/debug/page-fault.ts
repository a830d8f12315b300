/** Why a page fault happened: its error code in words and the walk that failed, level by level. */
import type { AccessKind } from '../mmu/access.ts';
import { CR4, EFER } from '../mmu/control-bits.ts';
import type { ProtectionKey, Verdict, WalkExplanation, WalkLevel } from '../mmu/explain.ts';
import type { Mmu } from '../mmu/mmu.ts';
import { PF_ERROR } from '../mmu/page-fault.ts';
import type { Denial } from '../mmu/page-walk.ts';
import { MAXPHYADDR } from '../mmu/paging-entries.ts';
import type { LinearAddress } from '../state/addresses.ts';
import { pageFaultBits } from './error-code.ts';
import { PAGING_TEXT } from './mode.ts';
import { hex } from './registers.ts';

/** What the refused access lacked, in words, naming the entries that withhold it. */
function denialText(denial: Denial, walk: WalkExplanation): string {
  const entries = (chosen: (level: WalkLevel) => boolean): string => {
    const names = walk.levels.filter((level) => level.entryAddress !== undefined && chosen(level)).map((level) => level.structure);
    return names.length < 2 ? `the ${names[0]}` : `the ${names.slice(0, -1).join(', ')} and the ${names.at(-1)}`;
  };
  switch (denial) {
    case 'not present': return `nothing is mapped at 0x${walk.address.toString(16)}`;
    case 'reserved bit': return 'no access goes through an entry with a reserved bit set';
    case 'supervisor page': return `it is a supervisor page, U/S is 0 in ${entries((level) => !level.bits.includes('U/S'))}`;
    case 'read-only page': return `the page is read-only, R/W is 0 in ${entries((level) => !level.bits.includes('R/W'))}`;
    case 'execute-disable': return `nothing may be executed here, XD is 1 in ${entries((level) => level.bits.includes('XD'))}`;
    case 'SMEP': return 'it is a user page, and CR4.SMEP keeps the supervisor from executing it';
    case 'protection key': return `PKRU forbids it to pages under protection key ${walk.key!.number}`;
    case 'SMAP': return 'it is a user page, and CR4.SMAP keeps the supervisor from touching it while RFLAGS.AC is 0';
  }
}

function levelText(level: WalkLevel, wide: boolean): string {
  const where = level.entryAddress === undefined ? 'register' : `at 0x${level.entryAddress.toString(16)}`;
  const value = hex(level.value, wide ? 16 : 8);
  const present = (level.value & 1n) !== 0n;
  const bits = present ? `${level.bits.join(' ')} -> ${level.maps ? 'page' : 'table'} 0x${level.target.toString(16)}` : 'not present';
  return `${level.structure.padEnd(5)} ${String(level.index).padStart(4)}  ${where.padEnd(14)}  ${value}  ${bits}`;
}

/** `protection key 3 (no writes)`. */
export const keyText = ({ number, accessDisable, writeDisable }: ProtectionKey): string =>
  `protection key ${number} (${accessDisable ? 'no data accesses' : writeDisable ? 'no writes' : 'all accesses'})`;

/** The walk of an address, a line per level, and where it arrives. */
export function walkLines(walk: WalkExplanation): string[] {
  const lines = [`page walk of 0x${walk.address.toString(16)} (${PAGING_TEXT[walk.mode]}):`];
  for (const level of walk.levels) lines.push(`  ${levelText(level, walk.mode !== '32-bit')}`);
  const last = walk.levels.at(-1);
  if (walk.outcome === 'mapped') {
    const rights = walk.rights!;
    lines.push(walk.mode === 'none'
      ? '  every linear address is its own physical address'
      : `  physical 0x${walk.physicalAddress!.toString(16)}, ${walk.pageSize} page: ${rights.writable ? 'writable' : 'read-only'}, ${rights.user ? 'user' : 'supervisor'}${rights.executeDisable ? ', execute-disable' : ''}${rights.global ? ', global' : ''}${walk.key === undefined ? '' : `, ${keyText(walk.key)}`}`);
  } else if (walk.outcome === 'reserved bit') {
    lines.push(`  the ${last!.structure} has a reserved bit set (bits of physical addresses beyond ${MAXPHYADDR} count)`);
  } else if (walk.outcome === 'not canonical') {
    lines.push('  the address is not canonical: nothing is walked for, and every access to it is #GP(0), or #SS(0) through SS');
  } else {
    lines.push(`  the ${last!.structure} is not present`);
  }
  return lines;
}

/** What an access that is refused raises: `#PF(0x2)`. */
export const raises = ({ denial, errorCode }: Verdict): string => (denial === 'not canonical' ? '#GP(0)' : `#PF(0x${errorCode!.toString(16)})`);

/** The verdict on the access that an error code tells of. Where fetches are not reported, a refused fetch looks like a read. */
function verdictOn(walk: WalkExplanation, errorCode: number): Verdict {
  const privilege = (errorCode & PF_ERROR.U) !== 0 ? 'user' : 'supervisor';
  const verdict = (access: AccessKind): Verdict => walk.verdicts.find((it) => it.access === access && it.privilege === privilege)!;
  if ((errorCode & PF_ERROR.I) !== 0) return verdict('fetch');
  if ((errorCode & PF_ERROR.W) !== 0) return verdict('write');
  const fetch = verdict('fetch');
  return verdict('read').denial === undefined && fetch.errorCode === errorCode ? fetch : verdict('read');
}

/**
 * Explains a page fault in lines: the error code bit by bit, the walk as the paging structures are now, and what the
 * access lacked; says so when they would allow it now, because the fault was then due to something that changed since.
 */
export function explainPageFault(mmu: Mmu, address: LinearAddress, errorCode: number): string[] {
  const walk = mmu.explain(address);
  const { state } = mmu;
  const fetchesReported = (state.efer & EFER.NXE) !== 0 || (state.cr4 & CR4.SMEP) !== 0;
  const { access, privilege, denial } = verdictOn(walk, errorCode);
  return [
    `error code 0x${errorCode.toString(16)}:`,
    ...pageFaultBits(errorCode, fetchesReported).map((bit) => `  ${bit}`),
    ...walkLines(walk),
    denial === undefined || denial === 'not canonical'
      ? `  now the paging structures allow a ${privilege} ${access}: they have changed since, or the access was an implicit one`
      : `  so a ${privilege} ${access} is refused: ${denialText(denial, walk)}`,
  ];
}

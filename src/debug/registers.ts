/** Registers as text: values, and the bits of RFLAGS, CR0, CR4 and EFER by name. */
import { RFLAGS, readRflags } from '../cpu/flags.ts';
import { CR0, CR4, EFER } from '../mmu/control-bits.ts';
import type { GuestState } from '../state/guest-state.ts';

const NAMES_64 = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];
const SEGMENT_REGISTERS = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS', 'LDTR', 'TR'];
/** Order in which people look for them. */
const GENERAL_ORDER = [0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15];

export const hex = (value: bigint | number, digits: number): string => value.toString(16).padStart(digits, '0');

/** Names of the set bits, high ones first, as reference manuals list them; bits without a name as `bit n`. */
function bitNames(value: number, names: Readonly<Record<string, number>>): string {
  const found: string[] = [];
  for (let n = 31; n >= 0; n--) {
    if (((value >>> n) & 1) === 0) continue;
    const name = Object.entries(names).find(([, mask]) => mask === 1 << n)?.[0];
    found.push(name ?? `bit ${n}`);
  }
  return found.join(' ');
}

/** `IOPL=0 IF ZF PF`. */
export function rflagsText(rflags: number): string {
  const { IOPL, ...single } = RFLAGS;
  const bits = bitNames(rflags & ~IOPL & ~2, single);
  return `IOPL=${(rflags & IOPL) >>> 12}${bits === '' ? '' : ` ${bits}`}`;
}
export const cr0Text = (cr0: number): string => bitNames(cr0, CR0);
export const cr4Text = (cr4: number): string => bitNames(cr4, CR4);
export const eferText = (efer: number): string => bitNames(efer, EFER);

/** What a segment register's cached descriptor is, in words: `64-bit code, DPL 0`. `system`: LDTR and TR. */
export function segmentText(attributes: number, system: boolean): string {
  if ((attributes & (1 << 16)) !== 0) return 'unusable (null)';
  const type = attributes & 0xf;
  const kind = system || (attributes & (1 << 4)) === 0
    ? { 2: 'LDT', 1: '16-bit TSS', 3: '16-bit TSS, busy', 9: 'TSS', 11: 'TSS, busy' }[type] ?? `system type ${type}`
    : (type & 8) !== 0
      ? `${(attributes & (1 << 13)) !== 0 ? '64' : (attributes & (1 << 14)) !== 0 ? '32' : '16'}-bit code${(type & 4) !== 0 ? ', conforming' : ''}${(type & 2) === 0 ? ', execute-only' : ''}`
      : `data${(type & 4) !== 0 ? ', expand-down' : ''}${(type & 2) === 0 ? ', read-only' : ''}`;
  return `${kind}, DPL ${(attributes >>> 5) & 3}${(attributes & (1 << 7)) === 0 ? ', not present' : ''}`;
}

/** All registers that a fault can depend on, in lines of at most 100 characters. */
export function registerDump(state: GuestState): string {
  const lines: string[] = [];
  for (let row = 0; row < 16; row += 4) {
    lines.push(GENERAL_ORDER.slice(row, row + 4).map((n) => `${NAMES_64[n]!.padEnd(3)} ${hex(state.gpr[n]!, 16)}`).join('  '));
  }
  const rflags = readRflags(state);
  lines.push(`RIP ${hex(state.rip, 16)}  RFLAGS ${hex(rflags, 8)} [${rflagsText(rflags)}]  CPL ${state.cpl}`);
  SEGMENT_REGISTERS.forEach((name, n) => {
    lines.push(`${name.padEnd(4)} ${hex(state.selector[n]!, 4)}  base ${hex(state.base[n]!, 16)}  limit ${hex(state.limit[n]!, 8)}  ${segmentText(state.attributes[n]!, n >= 6)}`);
  });
  lines.push(
    `GDTR       base ${hex(state.gdtrBase, 16)}  limit ${hex(state.gdtrLimit, 4)}`,
    `IDTR       base ${hex(state.idtrBase, 16)}  limit ${hex(state.idtrLimit, 4)}`,
    `CR0 ${hex(state.cr0, 8)} [${cr0Text(state.cr0)}]`,
    `CR2 ${hex(state.cr2, 16)}  CR3 ${hex(state.cr3, 16)}  CR8 ${state.cr8}`,
    `CR4 ${hex(state.cr4, 8)} [${cr4Text(state.cr4)}]`,
    `EFER ${hex(state.efer, 8)} [${eferText(state.efer)}]`,
    `DR6 ${hex(state.dr6, 8)}  DR7 ${hex(state.dr7, 8)}`,
  );
  return lines.join('\n');
}

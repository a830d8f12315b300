/** A row as bytes, with prefixes, registers, addressing forms and immediates by chance, in each code size. */
import type { Row } from '../../src/cpu/isa/row.ts';
import type { Random } from './random.ts';

export type Bitness = 16 | 32 | 64;

/** A VEX prefix of the row, with registers and what it ignores by chance, of two bytes where it can have two. */
function vexOf({ encoding: e, operands }: Row, bitness: Bitness, r: Random): number[] {
  const pp = ['NP', '66', 'F3', 'F2'].indexOf(e.mandatoryPrefix as string);
  const vvvv = operands.some((x) => 'at' in x && x.at === 'vvvv') ? r.below(bitness === 64 ? 16 : 8) : 0;
  const w = e.vex?.w === 'ignored' ? r.below(2) : e.vex?.w as number;
  const l = e.vex?.length === 'ignored' ? r.below(2) : e.vex?.length as number;
  const last = ((15 - vvvv) << 3) | (l << 2) | pp;
  if (e.map === '0F' && w === 0 && r.chance(50)) return [0xc5, (bitness === 64 && r.chance(50) ? 0 : 0x80) | last];
  return [0xc4, (bitness === 64 ? r.below(8) << 5 : 0xe0) | ['', '0F', '0F38', '0F3A'].indexOf(e.map), (w << 7) | last];
}

/** Bytes that begin with an encoding of the row, with prefixes, registers, addressing forms and immediates by chance. */
export function encodingOf(row: Row, bitness: Bitness, r: Random): Uint8Array {
  const e = row.encoding;
  const bytes: number[] = [];
  const memoryOnly = row.operands.some((x) => x.kind === 'memory');
  const registerOnly = row.operands.some((x) => x.kind === 'rm-register' || (x.kind === 'fpu' && x.at === 'rm') || ((x.kind === 'xmm' || x.kind === 'mmx') && x.at === 'rm'));
  let modrm = r.below(256);
  if (memoryOnly && modrm >= 0xc0) modrm &= 0xbf;
  if (registerOnly) modrm |= 0xc0;
  // A vector of indices stands in a SIB byte, which 16-bit addresses do not have.
  const gathers = row.operands.some((x) => x.kind === 'memory' && x.vectorIndex !== undefined);
  if (gathers) modrm = (modrm & 0xf8) | 4;
  if (row.operands.some((x) => x.kind === 'segment' && x.at === 'reg')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4, 5][r.below(5)] as number) << 3;
  if (row.operands.some((x) => x.kind === 'control')) modrm = (modrm & 0xc7) | ([0, 2, 3, 4][r.below(4)] as number) << 3;
  if (typeof e.modrm === 'object') modrm = 'fixed' in e.modrm ? e.modrm.fixed : (modrm & 0xc7) | (e.modrm.extension << 3);

  const prefixes: number[] = [];
  if (r.chance(20)) prefixes.push([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65][r.below(6)] as number);
  if (gathers && bitness !== 64 ? bitness === 16 : row.addressSize !== undefined ? row.addressSize !== bitness : r.chance(15)) prefixes.push(0x67);
  const of32 = row.size === 32 || (row.size === 'any' && e.trailing.includes(4));
  if (e.mandatoryPrefix !== '66' && e.mandatoryPrefix !== 'NP' && (row.size === 16 ? bitness !== 16 : of32 && bitness === 16)) prefixes.push(0x66);
  if (row.repeat !== undefined && r.chance(50)) prefixes.push(r.chance(50) ? 0xf3 : 0xf2);
  if (row.lock && e.modrm !== 'none' && modrm < 0xc0 && row.operands[0]?.kind !== 'register' && r.chance(30)) prefixes.push(0xf0);
  if (e.vex) {
    const vex = vexOf(row, bitness, r), behind = r.bytes(15);
    // Destination, mask and indices of a gather are three registers.
    const reg = (modrm >> 3) & 7;
    if (gathers) {
      vex[2] = (vex[2]! & 0xc7) | ((~(reg + 2) & 7) << 3);
      behind[0] = (behind[0]! & 0xc7) | (((reg + 1) & 7) << 3);
    }
    return Uint8Array.from([...prefixes.filter((x) => x !== 0x66), ...vex, e.opcode, ...(e.modrm === 'none' ? [] : [modrm]), ...behind].slice(0, 15));
  }
  if (/^(66|F[23])$/.test(e.mandatoryPrefix ?? '')) prefixes.push(parseInt(e.mandatoryPrefix as string, 16));
  bytes.push(...prefixes);
  if (bitness === 64 && (e.rexW || r.chance(40))) {
    const extendsSpecial = row.operands.some((x) => x.kind === 'control' || x.kind === 'debug');
    bytes.push(0x40 | (e.rexW ? 8 : 0) | (r.below(8) & (extendsSpecial ? 3 : 7)));
  }
  if (e.map !== '') bytes.push(0x0f);
  if (e.map === '0F38') bytes.push(0x38);
  if (e.map === '0F3A') bytes.push(0x3a);
  bytes.push(e.opcode + (e.registerInOpcode ? r.below(8) : e.conditionInOpcode ? r.below(16) : 0));
  if (e.modrm !== 'none') bytes.push(modrm);
  bytes.push(...r.bytes(15));
  return Uint8Array.from(bytes.slice(0, 15));
}

/** Whether code of this size has the row. */
export const validIn = (row: Row, bitness: Bitness): boolean => row.modes === 'all' || row.modes === (bitness === 64 ? '64' : 'legacy');

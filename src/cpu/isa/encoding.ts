/**
 * The second column of a row: `REX.W 0F A3 /r`, `66 0F 58 /r`, `VEX.128.66.0F38.W0 2C /r`, spelled as in the manual, and what it
 * says. SDM Vol. 2A, "Interpreting the Instruction Reference Pages"; "VEX Prefix Instruction Opcode Column".
 */

/** What a line with a VEX prefix asks of its L and W bits. */
export interface VexSpec {
  /** `LZ`, `128`: 0; `256`: 1; `LIG`: either. */
  readonly length: 0 | 1 | 'ignored';
  /** `W0`, `W1`, `WIG`. */
  readonly w: 0 | 1 | 'ignored';
}

export interface Encoding {
  /** `NP` (no 66 F2 F3), `NFx` (no F2 F3), `66`, `F2`, `F3`, or undefined where the prefixes keep their ordinary meaning; the pp field of a VEX prefix. */
  readonly mandatoryPrefix: 'NP' | 'NFx' | '66' | 'F2' | 'F3' | undefined;
  readonly rexW: boolean;
  /** The line has a VEX prefix, whose map and opcodes are a space of their own. */
  readonly vex: VexSpec | undefined;
  /** Opcode map: '' one-byte, '0F', '0F38', '0F3A'. */
  readonly map: '' | '0F' | '0F38' | '0F3A';
  /** Last opcode byte; with `+rd` or `+tttn` its low bits are 0. */
  readonly opcode: number;
  /** `+rb +rw +rd +ro`: bits 2:0 of the opcode are a register. */
  readonly registerInOpcode: boolean;
  /** `+tttn`: bits 3:0 of the opcode are a condition. */
  readonly conditionInOpcode: boolean;
  /** `/r`: a ModRM byte with a register field; `/0` - `/7`, or `C0+i` for an operand ST(i): with an opcode extension; a byte such as `F8`: that very ModRM byte. */
  readonly modrm: 'none' | '/r' | { readonly extension: number } | { readonly fixed: number };
  /** `/is4`: bits 7:4 of a byte behind everything else are a register. */
  readonly registerInImmediate: boolean;
  /** Sizes in bytes of what follows: ib iw id io, cb cw cd cp; `a` for an address-size offset (moffs). */
  readonly trailing: readonly (1 | 2 | 4 | 6 | 8 | 'a')[];
}

const TRAILING: Record<string, 1 | 2 | 4 | 6 | 8 | 'a'> = { ib: 1, iw: 2, id: 4, io: 8, cb: 1, cw: 2, cd: 4, cp: 6, moffs: 'a' };
const VEX = /^VEX\.(LZ|LIG|128|256)(?:\.(66|F2|F3))?\.(0F|0F38|0F3A)\.(W0|W1|WIG)$/;

export function parseEncoding(text: string): Encoding {
  let mandatoryPrefix: Encoding['mandatoryPrefix'];
  let rexW = false;
  let vex: VexSpec | undefined;
  let map: Encoding['map'] = '';
  let registerInOpcode = false;
  let conditionInOpcode = false;
  let registerInImmediate = false;
  let modrm: Encoding['modrm'] = 'none';
  const bytes: number[] = [];
  const trailing: (1 | 2 | 4 | 6 | 8 | 'a')[] = [];
  for (const token of text.split(/\s+/)) {
    const size = TRAILING[token];
    const prefix = VEX.exec(token);
    if (prefix) {
      const [, l, pp, inMap, w] = prefix;
      mandatoryPrefix = (pp ?? 'NP') as Encoding['mandatoryPrefix'];
      map = inMap as Encoding['map'];
      vex = { length: l === 'LIG' ? 'ignored' : l === '256' ? 1 : 0, w: w === 'WIG' ? 'ignored' : w === 'W1' ? 1 : 0 };
    } else if (token === 'REX.W') rexW = true;
    else if (token === 'NP' || token === 'NFx') mandatoryPrefix = token;
    else if (bytes.length === 0 && mandatoryPrefix === undefined && (token === '66' || token === 'F2' || token === 'F3') && text.split(/\s+/).length > 1) mandatoryPrefix = token;
    else if (token === '/r') modrm = '/r';
    else if (token === '/is4') registerInImmediate = true;
    else if (/^\/[0-7]$/.test(token)) modrm = { extension: Number(token[1]) };
    else if (/^[C-F][08]\+i$/.test(token)) modrm = { extension: (parseInt(token, 16) >> 3) & 7 };
    else if (size !== undefined) trailing.push(size);
    else {
      const match = /^([0-9A-F]{2})(\+r[bwdo]|\+tttn)?$/.exec(token);
      if (!match) throw new Error(`encoding "${text}": "${token}" is not a token of the manual`);
      bytes.push(parseInt(match[1] as string, 16));
      if (match[2] === '+tttn') conditionInOpcode = true;
      else if (match[2] !== undefined) registerInOpcode = true;
    }
  }
  if (vex === undefined && bytes[0] === 0x0f) {
    const escape = bytes.length > 2 ? bytes[1] : undefined;
    map = '0F';
    bytes.shift();
    if (escape === 0x38 || escape === 0x3a) {
      map = escape === 0x38 ? '0F38' : '0F3A';
      bytes.shift();
    }
  }
  if (bytes.length === 2) modrm = { fixed: bytes.pop() as number };
  if (bytes.length !== 1) throw new Error(`encoding "${text}" has ${bytes.length} opcode bytes`);
  return { mandatoryPrefix, rexW, vex, map, opcode: bytes[0] as number, registerInOpcode, conditionInOpcode, modrm, registerInImmediate, trailing };
}

/** Where an operand that is a register stands. */
export type Field = 'reg' | 'rm' | 'opcode' | 'vvvv' | 'is4';

/** An operand that may be in ModRM.rm as memory. */
const mayBeMemory = (text: string): boolean => /^(r\/m|r\d+\/m|v?m(?!m)|[xy]?mm\d?\/m)/.test(text) && !text.startsWith('moffs');
const isRegister = (text: string): boolean => /^(r\d+[ab]?|r\/m\d+|r\d+\/m\d+|[xy]mm\d?(\/m\d+)?|v?m(?!m).*)$/.test(text) && !text.startsWith('moffs');

/**
 * The fields of the operands, by their spelling. An operand that may be memory is in ModRM.rm; of an instruction without
 * one the general register is there if its encoding says so, or the last XMM or MMX register. With a VEX prefix the first of three registers is in ModRM.reg,
 * and what is left is in VEX.vvvv. SDM Vol. 2A, "VEX.vvvv".
 */
export function fieldsOf(operands: readonly string[], encoding: Encoding, lastInReg = false): Field[] {
  const memory = operands.findIndex(mayBeMemory);
  if (encoding.vex) {
    const all = operands.flatMap((x, n) => (isRegister(x) ? [n] : []));
    const last = encoding.registerInImmediate ? all.at(-1) : undefined;
    const registers = all.filter((n) => n !== last);
    const rm = lastInReg ? 0 : memory < 0 ? registers.at(-1) : memory;
    const reg = encoding.modrm === '/r' ? registers.find((n) => n !== rm) : undefined;
    // A memory destination stands first: the source then is last, behind VEX.vvvv.
    const source = rm === 0 && registers.length > 2 ? registers.at(-1) : reg;
    return operands.map((_, n) => (n === last ? 'is4' : n === rm ? 'rm' : n === source ? 'reg' : 'vvvv'));
  }
  // MOV r64, CRn and MOV DRn, r64 put the general register into ModRM.rm and allow no memory there.
  const special = operands.some((x) => /^(CRn|CR8|DRn|Sreg)$/.test(x));
  const generalInRm = encoding.modrm !== 'none' && memory < 0 && (special || encoding.modrm !== '/r');
  const vectorInRm = memory >= 0 ? -1 : operands.findLastIndex((x) => /^x?mm/.test(x));
  return operands.map((x, n) => (encoding.registerInOpcode ? 'opcode' : n === vectorInRm || (generalInRm && !/^x?mm/.test(x)) ? 'rm' : 'reg'));
}

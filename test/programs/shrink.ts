/** Makes a failure small: fewer programs, then fewer instructions, then a test to paste. */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { modeOf } from '../../src/cpu/isa/instruction.ts';
import { MODES } from './modes.ts';
import type { Piece, Program } from './program.ts';

/** Whether these programs, in one image, still fail. */
export type Fails = (programs: readonly Program[]) => Promise<boolean> | boolean;

/** Leaves out elements, halves first, as long as what is left still fails. Asks at most `questions` times. */
export async function without<T>(list: readonly T[], fails: (list: readonly T[]) => Promise<boolean> | boolean, questions: number): Promise<readonly T[]> {
  let kept = list, left = questions;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length && left > 0;) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      left--;
      if (fewer.length < kept.length && await fails(fewer)) kept = fewer;
      else at += size;
    }
  }
  return kept;
}

const NOP = 0x90;
const isBlank = ({ bytes }: Piece): boolean => bytes.every((byte) => byte === NOP);
const blank = ({ id, bytes }: Piece): Piece => ({ id, bytes: bytes.map(() => NOP) });

/** The pieces of a failing program, as few as it gets: what a wild branch or a store into code needs stays where it is while the others become NOPs, which then go as well if they may. */
async function fewerPieces(pieces: readonly Piece[], fails: (pieces: readonly Piece[]) => Promise<boolean> | boolean, questions: number): Promise<readonly Piece[]> {
  const only = (live: readonly Piece[]): readonly Piece[] => pieces.map((piece) => (live.includes(piece) ? piece : blank(piece)));
  const thinned = only(await without(pieces, (live) => fails(only(live)), questions));
  const dense = thinned.filter((piece) => !isBlank(piece));
  return without(await fails(dense) ? dense : thinned, fails, questions);
}

/** The programs of a failing batch, as few and as short as they get. */
export async function shrink(programs: readonly Program[], fails: Fails, questions = 250): Promise<readonly Program[]> {
  let left = await without(programs, fails, questions);
  for (let n = 0; n < left.length; n++) {
    const replaced = (pieces: readonly Piece[]): readonly Program[] => left.map((program, m) => (m === n ? { ...program, pieces } : program));
    left = replaced(await fewerPieces(left[n]!.pieces, (fewer) => fails(replaced(fewer)), questions));
  }
  return left;
}

const hex = (bytes: ArrayLike<number>): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

function disassembly({ bytes }: Piece, bits: 16 | 32 | 64): string {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const i = decode(Uint8Array.from(bytes), at, modeOf(bits));
    if (i instanceof DecodeFailure) return `${texts.join('; ')} (no instruction)`;
    texts.push(format(i, 0n));
    at += i.length;
  }
  return texts.join('; ');
}

/** Pieces one by one, but NOPs that follow each other together. */
function grouped(pieces: readonly Piece[]): readonly (readonly [Piece, ...Piece[]])[] {
  const groups: [Piece, ...Piece[]][] = [];
  for (const piece of pieces) {
    const group = groups.at(-1), last = group?.at(-1);
    if (group !== undefined && last !== undefined && isBlank(last) && isBlank(piece) && piece.id === last.id + 1) group.push(piece);
    else groups.push([piece]);
  }
  return groups;
}

/** A call of `program`, for test/programs/found.test.ts or qemu.test.ts. */
export function pasteable({ mode, registers, flags, pieces }: Program): string {
  const lines = grouped(pieces).map((group) => {
    const [piece] = group;
    if (isBlank(piece)) return `    { id: ${piece.id}, nops: [${group.map(({ bytes }) => bytes.length).join(', ')}] },`;
    const to = piece.branch === undefined ? '' : `, to: [${piece.branch.size}, ${piece.branch.target}]`;
    return `    { id: ${piece.id}, bytes: '${hex(piece.bytes)}'${to} }, // ${disassembly(piece, mode.bits)}`;
  });
  return [`  program('${mode.name}', 0x${flags.toString(16)}, [${registers.map((value) => `0x${value.toString(16)}n`).join(', ')}], [`, ...lines, '  ]),'].join('\n');
}

/** The other way round: what `pasteable` wrote. */
export function program(mode: string, flags: number, registers: readonly bigint[], pieces: readonly WrittenPiece[]): Program {
  const found = MODES.find(({ name }) => name === mode);
  if (found === undefined) throw new Error(`there is no mode "${mode}"`);
  return { mode: found, registers, flags, pieces: pieces.flatMap(piecesOf) };
}
/** `nops`: lengths of pieces of NOPs, the first of which has that id. */
export type WrittenPiece = { readonly id: number; readonly bytes: string; readonly to?: readonly [size: 1 | 2 | 4, target: number] } | { readonly id: number; readonly nops: readonly number[] };
export function piecesOf(written: WrittenPiece): readonly Piece[] {
  if ('nops' in written) return written.nops.map((length, n) => ({ id: written.id + n, bytes: Array.from({ length }, () => NOP) }));
  const { id, bytes, to } = written;
  return [{ id, bytes: bytes.split(' ').map((byte) => parseInt(byte, 16)), ...(to === undefined ? {} : { branch: { size: to[0], target: to[1] } }) }];
}

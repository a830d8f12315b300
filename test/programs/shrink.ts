/** Makes a failure small: fewer programs, then fewer instructions, then a test to paste. */
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { format } from '../../src/cpu/describe/format.ts';
import { modeOf } from '../../src/cpu/isa/instruction.ts';
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

/** The programs of a failing batch, as few and as short as they get. */
export async function shrink(programs: readonly Program[], fails: Fails, questions = 250): Promise<readonly Program[]> {
  let left = await without(programs, fails, questions);
  for (let n = 0; n < left.length; n++) {
    const replaced = (pieces: readonly Piece[]): readonly Program[] => left.map((program, m) => (m === n ? { ...program, pieces } : program));
    const pieces = await without(left[n]!.pieces, (fewer) => fails(replaced(fewer)), questions);
    left = replaced(pieces);
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

/** A call of `program` for test/programs/found.test.ts. */
export function pasteable({ mode, registers, flags, pieces }: Program): string {
  const lines = pieces.map((piece) => {
    const to = piece.branch === undefined ? '' : `, to: [${piece.branch.size}, ${piece.branch.target}]`;
    return `    { id: ${piece.id}, bytes: '${hex(piece.bytes)}'${to} }, // ${disassembly(piece, mode.bits)}`;
  });
  return [`  program('${mode.name}', 0x${flags.toString(16)}, [${registers.map((value) => `0x${value.toString(16)}n`).join(', ')}], [`, ...lines, '  ]),'].join('\n');
}

/** The other way round: what `pasteable` wrote. */
export interface WrittenPiece { readonly id: number; readonly bytes: string; readonly to?: readonly [size: 1 | 2 | 4, target: number] }
export const pieceOf = ({ id, bytes, to }: WrittenPiece): Piece =>
  ({ id, bytes: bytes.split(' ').map((byte) => parseInt(byte, 16)), ...(to === undefined ? {} : { branch: { size: to[0], target: to[1] } }) });

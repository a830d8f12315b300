/** A failure of random programs shrinks to what it needs. */
import { describe, expect, it } from 'vitest';
import { MODES } from './modes.ts';
import { layOut, type Piece, type Program } from './program.ts';
import { pasteable, piecesOf, shrink } from './shrink.ts';

/** INC EAX, of three bytes here and there, so that pieces differ in length. */
const INC = [0xff, 0xc0];
const COUNT = 120, ESSENTIAL = [17, 90];
const piece = (id: number): Piece => ({ id, bytes: id % 3 === 0 ? [0x66, ...INC] : INC });
const program = (): Program => ({ mode: MODES.find(({ name }) => name === '64-bit mode, ring 3')!, registers: [], flags: 2, pieces: Array.from({ length: COUNT }, (_, n) => piece(n)) });

/** Pieces that are still instructions. */
const live = ({ pieces }: Program): number[] => pieces.filter(({ bytes }) => bytes.at(-1) === INC.at(-1)).map(({ id }) => id);
const hasEssential = (p: Program): boolean => ESSENTIAL.every((id) => live(p).includes(id));
const offsetOf = (p: Program, id: number): number | undefined => layOut(p).offsets[p.pieces.findIndex((x) => x.id === id)];

describe('shrinking', () => {
  it('leaves the programs and the instructions that it takes', async () => {
    const small = await shrink([program(), program(), program()], (programs) => programs.some(hasEssential));
    expect(small.map(({ pieces }) => pieces.map(({ id }) => id))).toEqual([ESSENTIAL]);
  });
  it('leaves NOPs where the failure needs instructions to stay where they are', async () => {
    const at = offsetOf(program(), ESSENTIAL[1]!);
    const [small] = await shrink([program()], ([first]) => first !== undefined && hasEssential(first) && offsetOf(first, ESSENTIAL[1]!) === at, 1000);
    expect(live(small!)).toEqual(ESSENTIAL);
    expect(offsetOf(small!, ESSENTIAL[1]!)).toBe(at);
  });
  it('prints what can be read back, NOPs in one line', () => {
    const pieces = [piece(0), ...piecesOf({ id: 1, nops: [2, 3, 1] }), { id: 4, bytes: [0x75, 0], branch: { size: 1, target: 0 } } as const];
    const text = pasteable({ ...program(), pieces });
    expect(text.split('\n').slice(1, -1)).toEqual(["    { id: 0, bytes: '66 ff c0' }, // inc ax", '    { id: 1, nops: [2, 3, 1] },', "    { id: 4, bytes: '75 00', to: [1, 0] }, // jne 2"]);
    expect([...piecesOf({ id: 0, bytes: '66 ff c0' }), ...piecesOf({ id: 1, nops: [2, 3, 1] }), ...piecesOf({ id: 4, bytes: '75 00', to: [1, 0] })]).toEqual(pieces);
  });
});

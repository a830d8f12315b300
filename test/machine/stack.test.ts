/** The stack pointer and canonical addresses on 32-bit halves, where the halves meet. */
import { describe, expect, it } from 'vitest';
import { SEGMENT } from '../../src/state/layout.ts';
import { highOf, joined, lowOf } from '../../src/state/halves.ts';
import { isCanonicalAccess, type LinearWidth } from '../../src/state/addresses.ts';
import { Stack, type StackWidth } from '../../src/cpu/stack.ts';
import { SystemMachine } from '../support/system-machine.ts';

const { cpu } = new SystemMachine();
const moved = (width: StackWidth, pointer: bigint, bytes: number): bigint => {
  const stack = new Stack(cpu, { segment: cpu.segment(SEGMENT.SS), width, pointer, privilege: 'supervisor' });
  stack.skip(bytes);
  return stack.pointer;
};

describe('a stack pointer', () => {
  it.each<[StackWidth, bigint, number, bigint]>([
    [64, 0x1_0000_0004n, -8, 0xffff_fffcn],
    [64, 0xffff_fffcn, 8, 0x1_0000_0004n],
    [64, 0n, -8, 0xffff_ffff_ffff_fff8n],
    [64, 0xffff_ffff_ffff_fff8n, 8, 0n],
    [64, 0xffff_8000_0000_0000n, -8, 0xffff_7fff_ffff_fff8n],
    [32, 0x5_0000_0002n, -4, 0xffff_fffen],
    [32, 0xffff_fffen, 4, 2n],
    [16, 0x1_0001n, -2, 0xffffn],
    [16, 0xffffn, 2, 1n],
  ])('of %i bits, 0x%x moved by %i, stays within its width', (width, pointer, bytes, expected) => {
    expect(moved(width, pointer, bytes)).toBe(expected);
  });
});

describe('an access of 8 bytes', () => {
  const first: Record<LinearWidth, bigint> = { 48: 0xffff_8000_0000_0000n, 57: 0xff00_0000_0000_0000n };
  const beyond: Record<LinearWidth, bigint> = { 48: 0x8000_0000_0000n, 57: 0x100_0000_0000_0000n };
  const canonical = (address: bigint, width: LinearWidth): boolean => isCanonicalAccess(lowOf(address), highOf(address), 8, width);
  it.each<LinearWidth>([48, 57])('is canonical outside the hole of %i-bit addresses only', (width) => {
    for (const [address, expected] of [
      [beyond[width] - 8n, true], [beyond[width] - 7n, false], [beyond[width], false], [first[width] - 1n, false], [first[width], true],
      [0xffff_ffffn, true], [0xffff_ffff_ffff_ffffn, true], [0n, true],
    ] as const) expect([address, canonical(address, width)]).toEqual([address, expected]);
  });
});

it('halves make the value that they came from', () => {
  for (const value of [0n, 0x8000_0000n, 0xffff_ffff_8000_0001n]) expect(joined(lowOf(value), highOf(value))).toBe(value);
});

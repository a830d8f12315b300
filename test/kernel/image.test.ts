/** The kernel as a file: what boot loaders look for, and what its sections may do. */
import { describe, expect, test } from 'vitest';
import { sourceMapResolver } from '../../src/cli/source-maps.ts';
import { KERNEL_LOAD_ADDRESS, buildKernel } from '../../src/kernel/index.ts';
import { BLOCK, BLOCK_HEADER, FRAME, KERNEL_BASE, NODE, PAGE_SIZE, REGION } from '../../src/kernel/layout.ts';
import { kernelFile } from './support/boot.ts';

const image = buildKernel({ resolveLocation: sourceMapResolver() });
const symbol = (name: string): NonNullable<ReturnType<typeof image.symbols.get>> => {
  const found = image.symbols.get(name);
  if (!found) throw new Error(`no symbol ${name}`);
  return found;
};

describe('the image', () => {
  test('starts at 1 MiB and is linked in the upper half, but for the boot code, which runs where it is loaded', () => {
    const [boot, ...others] = image.sections;
    expect([boot?.name, boot?.physical, boot?.linear]).toEqual(['.boot', KERNEL_LOAD_ADDRESS, BigInt(KERNEL_LOAD_ADDRESS)]);
    for (const s of others) expect(BigInt.asUintN(64, s.linear - BigInt(s.physical))).toBe(KERNEL_BASE);
    for (const line of image.lines.filter((x) => x.bits === 32 && x.kind === 'instruction')) expect(line.section).toBe('.boot');
  });

  test('no section is both writable and executable, and none shares a page with another protection', () => {
    for (const s of image.sections) expect(s.flags.write && s.flags.execute).toBe(false);
    for (const s of image.sections.filter((x) => x.name !== '.note')) expect(s.physical % PAGE_SIZE).toBe(0);
  });

  test('has a Multiboot header in the first 8 KiB whose fields sum to zero', () => {
    const file = new DataView(kernelFile().buffer);
    const offsets = Array.from({ length: 8192 / 4 - 12 }, (_, i) => i * 4).filter((at) => file.getUint32(at, true) === 0x1bad_b002);
    expect(offsets).toHaveLength(1);
    const [magic, flags, sum, header, load, loadEnd, end, entry] = Array.from({ length: 8 }, (_, i) => file.getUint32((offsets[0] ?? 0) + i * 4, true));
    expect(((magic ?? 0) + (flags ?? 0) + (sum ?? 0)) % 2 ** 32).toBe(0);
    expect([header, load, entry]).toEqual([symbol('multiboot_header').physical, KERNEL_LOAD_ADDRESS, symbol('multiboot_entry').physical]);
    expect(loadEnd).toBeLessThanOrEqual(end ?? 0);
  });

  test('without a protocol there is no way in by it', () => {
    expect(buildKernel({ protocols: ['pvh'] }).symbols.has('multiboot_header')).toBe(false);
    expect(buildKernel({ protocols: ['multiboot'] }).symbols.has('pvh_note')).toBe(false);
  });

  test('the top of the kernel\'s stack is no object\'s address, so nothing that is read or written is named for it', () => {
    const top = symbol('kernel_stack_top').linear;
    expect([...image.symbols.values()].filter(({ linear }) => linear === top).map(({ name }) => name)).toEqual(['kernel_stack_top']);
    for (const name of ['boot_protocol', 'boot_information']) expect(symbol(name)).toMatchObject({ kind: 'object', section: '.data', size: 8 });
  });

  test('the panic screen\'s symbol table is in the order of addresses', () => {
    const functions = [...image.symbols.values()].filter((s) => s.kind === 'function' && s.section === '.text').map((s) => s.linear);
    expect(functions).toEqual(functions.toSorted((a, b) => (a < b ? -1 : 1)));
  });

  test('every instruction belongs to a line of a part of the kernel, not of its helpers', () => {
    const files = new Set(image.lines.filter((x) => x.kind === 'instruction').map((x) => x.source.file.replace(/^.*\/kernel\//, '')));
    expect([...files].filter((f) => f.startsWith('writer'))).toEqual([]);
    expect(files).toContain('pmm.ts');
  });
});

describe('records', () => {
  test('a heap payload is 16-byte aligned behind its header', () => {
    expect(BLOCK_HEADER % 16).toBe(0);
    expect(BLOCK.bytes - BLOCK_HEADER).toBe(16);
  });
  test('a node\'s header is four quadwords, and regions fill a frame without a rest', () => {
    expect(NODE.bytes).toBe(32);
    expect(PAGE_SIZE % REGION.bytes).toBe(0);
  });
  test('an interrupt frame ends with what the CPU pushes', () => {
    expect([FRAME.rip, FRAME.cs, FRAME.rflags, FRAME.rsp, FRAME.ss].map((x) => x - FRAME.errorCode)).toEqual([8, 16, 24, 32, 40]);
  });
});

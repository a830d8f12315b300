import { describe, expect, test } from 'vitest';
import { cr0Text, cr4Text, eferText, registerDump, rflagsText, segmentText } from '../../src/debug/registers.ts';
import { Bench } from './bench.ts';

describe('registers as text', () => {
  test('RFLAGS, CR0, CR4 and EFER by their bits, high ones first', () => {
    expect(rflagsText(0x246)).toBe('IOPL=0 IF ZF PF');
    expect(rflagsText(0x3_3002)).toBe('IOPL=3 VM RF');
    expect(cr0Text(0x8005_003b)).toBe('PG AM WP NE ET TS MP PE');
    expect(cr4Text(0x0030_06a0)).toBe('SMAP SMEP OSXMMEXCPT OSFXSR PGE PAE');
    expect(eferText(0xd01)).toBe('NXE LMA LME SCE');
    expect(eferText(0x1000)).toBe('bit 12');
  });

  test('segments by what their descriptors are', () => {
    expect(segmentText(0xa09b, false)).toBe('64-bit code, DPL 0');
    expect(segmentText(0xc0ff, false)).toBe('32-bit code, conforming, DPL 3');
    expect(segmentText(0x4091, false)).toBe('data, read-only, DPL 0');
    expect(segmentText(0x4017, false)).toBe('data, expand-down, DPL 0, not present');
    expect(segmentText(0x8b, true)).toBe('TSS, busy, DPL 0');
    expect(segmentText(0x1_0000, false)).toBe('unusable (null)');
  });

  test('the whole dump', () => {
    const { state } = new Bench([]);
    state.gpr[0] = 0x1122_3344_5566_7788n;
    state.gpr[2] = 0n;
    state.gpr[15] = 0xfn;
    state.cr2 = 0xdead_b000n;
    expect(registerDump(state)).toBe(`\
RAX 1122334455667788  RBX 0000000000000000  RCX 0000000000000000  RDX 0000000000000000
RSI 0000000000000000  RDI 0000000000000000  RBP 0000000000000000  RSP 0000000000008000
R8  0000000000000000  R9  0000000000000000  R10 0000000000000000  R11 0000000000000000
R12 0000000000000000  R13 0000000000000000  R14 0000000000000000  R15 000000000000000f
RIP 0000000000001000  RFLAGS 00000002 [IOPL=0]  CPL 0
ES   0010  base 0000000000000000  limit ffffffff  data, DPL 0
CS   0008  base 0000000000000000  limit ffffffff  64-bit code, DPL 0
SS   0010  base 0000000000000000  limit ffffffff  data, DPL 0
DS   0010  base 0000000000000000  limit ffffffff  data, DPL 0
FS   0010  base 0000000000000000  limit ffffffff  data, DPL 0
GS   0010  base 0000000000000000  limit ffffffff  data, DPL 0
LDTR 0000  base 0000000000000000  limit 0000ffff  LDT, DPL 0
TR   0018  base 0000000000003800  limit 00000067  TSS, busy, DPL 0
GDTR       base 0000000000003000  limit 0027
IDTR       base 0000000000002000  limit 0fff
CR0 80010031 [PG WP NE ET PE]
CR2 00000000deadb000  CR3 0000000000010000  CR8 0
CR4 00000020 [PAE]
EFER 00000d00 [NXE LMA LME]
DR6 ffff0ff0  DR7 00000400`);
  });
});

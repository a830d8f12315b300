/** The paging unit's own generated code leaves what src/mmu/ leaves: TLBs, bits A and D, page faults, whatever the tables hold and however stale the TLBs are. */
import { describe, expect, it } from 'vitest';
import { type Assembler, al, byte, cr2, cr3, eax, ebx, esi, rax, rbx, rsi } from '../../src/assembler/index.ts';
import { readRflags } from '../../src/cpu/flags.ts';
import { CR0, CR4, EFER } from '../../src/mmu/control-bits.ts';
import { ENTRY } from '../../src/mmu/paging-entries.ts';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { fastEngine, visibleState } from '../support/engine-runs.ts';
import { Random } from '../support/random.ts';
import { AT, ACCESS, SEL, SystemMachine } from '../support/system-machine.ts';

const STEPS = 1000, PAGES = 24;
/** Where a machine of the law has its snippets, 16 bytes each, then a page whose frame holds code as well as data. */
const SNIPPETS = ['read', 'write', 'modify', 'invalidate', 'reload', 'cr2', 'fetch'] as const;
type Snippet = (typeof SNIPPETS)[number];
/** Where the pages are seen: not in a region of 4 MiB with the large page of the code. And the number of a large page. */
const LINEAR = 0x40_0000, LARGE = 4;
/** Of #PF. */
const HANDLER = AT.handlers + 14 * 16;

/** Whether paging is that of 64-bit code, with 4 levels, or of 32-bit code, with 2. */
type Bits = 64 | 32;
/** Puts an entry into a table. */
function put(m: SystemMachine, table: number, index: number, value: bigint): void {
  if (m.cpu.longModeActive) m.write64(table + 8 * index, value);
  else m.memory.write(physical(table + 4 * index), 4, Number(BigInt.asUintN(32, value)));
}

function machine(engine: 'reference' | 'interpreter' | 'auto', cr4: number, writeProtect: boolean, bits: Bits = 64): SystemMachine {
  const m = new SystemMachine(bits, engine).gates();
  m.cpu.onException = undefined;
  m.state.cr0 = (CR0.PE | CR0.PG | CR0.ET | CR0.NE | (writeProtect ? CR0.WP : 0)) >>> 0;
  m.state.cr4 = cr4 | (bits === 64 ? CR4.PAE : 0);
  m.state.efer = bits === 64 ? EFER.LME | EFER.LMA | EFER.NXE | EFER.SCE : 0;
  // The supervisor's own pages, stack and tables among them.
  const own = (cr4 & CR4.SMAP) === 0 ? 7n : 3n;
  if (bits === 64) {
    put(m, AT.pd, 0, 0x80n | own);
    put(m, AT.pd, 2, BigInt(AT.pt) | 7n);
  } else {
    // Page directory, then a table of the first 4 MiB.
    for (let n = 0; n < 1024; n++) {
      put(m, AT.pml4, n, 0n);
      put(m, AT.pdpt, n, BigInt(n << 12) | own);
    }
    put(m, AT.pml4, 0, BigInt(AT.pdpt) | own);
    put(m, AT.pml4, 1, BigInt(AT.pt) | 7n);
    for (let n = 0; n < PAGES; n++) put(m, AT.pt, n, BigInt(AT.pages + 4096 * n) | 7n);
    // ESP0, and SS0.
    m.write64(AT.tss + 4, BigInt(AT.rsp0) | BigInt(SEL.data) << 32n);
  }
  m.mmu.flushAll();
  m.cpu.stateReplaced();
  const wide = bits === 64, place = byte(wide ? rsi : esi);
  const write: Readonly<Record<Snippet, (a: Assembler) => void>> = {
    read: (a) => { a.mov(al, place); },
    write: (a) => { a.mov(place, al); },
    modify: (a) => { a.add(place, al); },
    invalidate: (a) => { a.invlpg(place); },
    reload: (a) => { if (wide) a.mov(cr3, rax); else a.mov(cr3, eax); },
    fetch: (a) => { if (wide) a.jmp(rsi); else a.jmp(esi); },
    cr2: (a) => { if (wide) a.mov(rbx, cr2); else a.mov(ebx, cr2); },
  };
  SNIPPETS.forEach((name, n) => {
    m.program((a) => {
      write[name](a);
      // The block ends here: a run of two instructions is one of it.
      a.jmp('next');
      a.label('next');
      a.nop();
    }, { origin: AT.code + 16 * n });
  });
  // What is fetched from a page, and handlers, stay where they are: JMP to itself.
  for (let page = 0; page < PAGES; page++) for (const at of [0, 0x7ff]) m.memory.write(physical(AT.pages + 4096 * page + at), 2, 0xfeeb);

  for (const vector of [13, 14]) m.memory.write(physical(AT.handlers + vector * 16), 2, 0xfeeb);
  return m;
}

/** One step by a seed: a change of the tables behind the TLB's back, or an instruction at CPL 0 or 3. */
function prepare(m: SystemMachine, seed: number): void {
  const random = new Random(Math.imul(seed, 0x9e37_79b1));
  const { state, cpu } = m;
  const page = random.below(PAGES), bits = (random.u32() & (ENTRY.RW | ENTRY.US | ENTRY.A | ENTRY.D | ENTRY.G)) | (random.below(6) === 0 ? 0 : ENTRY.P);
  const high = random.below(8) === 0 ? [1n << 63n, 1n << 45n, 5n << 59n][random.below(3)]! : 0n;
  if (random.below(3) === 0) put(m, AT.pt, page, BigInt(AT.pages + 4096 * random.below(PAGES)) | BigInt(bits) | high);
  // A large page that changes its rights, becomes a table, or has a bit that is reserved.
  const [directory, large] = cpu.longModeActive ? [AT.pd, LARGE] : [AT.pml4, LARGE >> 1];
  if (random.below(12) === 0) put(m, directory, large, [BigInt(LARGE << 21) | 0x80n, BigInt(AT.pt), BigInt(LARGE << 21) | 0x80n | (random.below(4) === 0 ? 1n << 13n : 0n)][random.below(3)]! | BigInt(bits) | high);
  const user = random.below(3) === 0 && (state.cr4 & CR4.SMAP) === 0;
  if (user) m.enterUser(cpu.longModeActive ? 64 : 32);
  else {
    for (const at of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES]) cpu.setSegment(at, { selector: SEL.data, attributes: ACCESS.data | 0xc000, limit: 0xffff_ffff, base: 0n });
    const [selector, size] = cpu.longModeActive ? [SEL.code64, 0xa000] : [SEL.code32, 0xc000];
    cpu.setSegment(SEGMENT.CS, { selector, attributes: ACCESS.code | size, limit: 0xffff_ffff, base: 0n });
    state.cpl = 0;
  }
  const usual: readonly Snippet[] = ['read', 'write', 'modify'];
  const name = random.below(4) > 0 ? usual[random.below(3)]! : SNIPPETS[random.below(SNIPPETS.length)]!;
  state.rip = BigInt(AT.code + 16 * SNIPPETS.indexOf(name));
  const pcid = (state.cr4 & CR4.PCIDE) === 0 ? 0n : BigInt(random.below(3)) | BigInt(random.below(2)) << 63n;
  state.gpr[0] = name === 'reload' ? BigInt(AT.pml4) | pcid : 1n;
  const inLarge = random.below(5) === 0;
  state.gpr[6] = BigInt(inLarge ? (LARGE << 21) + 4096 * random.below(4) + 0x123 : LINEAR + 4096 * page + [0, 0x7ff, 0xfff][random.below(3)]!);
  state.gpr[4] = BigInt(AT.kernelStack);
  m.rflags = 0x46 | (random.below(4) === 0 ? 0x4_0000 : 0);
  cpu.stateReplaced();
}

/** What each step may change, without a hash of all of memory. */
function seen({ state, mmu, memory }: SystemMachine): unknown {
  const tables = Buffer.from(memory.copyOut(physical(AT.pml4), 4 * 4096)).toString('base64');
  return [[...state.gpr.subarray(0, 16)], state.rip, state.cr3, readRflags(state), state.retired, mmu.tlb.save().join(), tables];
}

const LONG = CR4.PAE, LEGACY = 0;
describe.each([
  ['4-level paging of an old kernel', LONG, false], ['4-level paging with WP', LONG, true], ['4-level paging with WP and global pages', LONG | CR4.PGE, true],
  ['4-level paging with SMAP and SMEP', LONG | CR4.PGE | CR4.SMAP | CR4.SMEP, true], ['4-level paging with PCIDs', LONG | CR4.PGE | CR4.PCIDE, true],
  ['32-bit paging of an old kernel', LEGACY, false], ['32-bit paging with large pages', LEGACY | CR4.PSE, false], ['32-bit paging with WP and global pages', LEGACY | CR4.PSE | CR4.PGE, true],
  ['32-bit paging with SMAP and SMEP', LEGACY | CR4.PSE | CR4.SMAP | CR4.SMEP, true],
] as const)('an access in %s', (_what, cr4, writeProtect) => {
  it.each(['interpreter', 'auto'] as const)('by the %s engine leaves what the reference engine leaves', (engine) => {
    const bits = (cr4 & CR4.PAE) === 0 ? 32 : 64;
    const reference = machine('reference', cr4, writeProtect, bits), fast = machine(engine, cr4, writeProtect, bits);
    for (let seed = 1; seed <= STEPS; seed++) {
      for (const m of [reference, fast]) {
        prepare(m, seed);
        m.engine.run(2);
      }
      expect(seen(fast), `seed ${seed}`).toEqual(seen(reference));
      expect(seed % 100 === 0 && visibleState(fast), `seed ${seed}`).toEqual(seed % 100 === 0 && visibleState(reference));
      expect([fast.state.cr2, fast.cpu.deliveries, fast.state.cpl, fast.cpu.privilege]).toEqual([reference.state.cr2, reference.cpu.deliveries, reference.state.cpl, reference.cpu.privilege]);
      expect(fast.engine.recentInstructions().map(({ rip }) => rip)).toEqual(reference.engine.recentInstructions().map(({ rip }) => rip));
    }
    // Not an empty law.
    const { walks, flushes } = fast.mmu.tlb.byGeneratedCode;
    expect(walks).toBeGreaterThan(STEPS / 10);
    expect(flushes).toBeGreaterThan(STEPS / 50);
    expect(fastEngine(fast).pageFaults.reduce((a, b) => a + b)).toBeGreaterThan(STEPS / 30);
    expect([fast.mmu.statistics.walks, fast.mmu.statistics.flushes]).toEqual([reference.mmu.statistics.walks, reference.mmu.statistics.flushes]);
  });
});

it.each(['interpreter', 'auto'] as const)('a page fault of compatibility mode enters the 64-bit handler as one of 64-bit code did before › %s', (engine) => {
  const faulting = (m: SystemMachine, bits: 64 | 32): void => {
    m.enterUser(bits);
    m.state.rip = BigInt(AT.code);
    m.state.gpr[6] = BigInt(LINEAR);
    m.cpu.stateReplaced();
  };
  const reference = machine('reference', 0, true), fast = machine(engine, 0, true);
  for (const m of [reference, fast]) {
    m.mapPage(0, 0n);
    // INC RBX, or DEC EAX and INC EBX; JMP to itself.
    [0x48, 0xff, 0xc3, 0xeb, 0xfe].forEach((byte, n) => m.memory.write(physical(HANDLER + n), 1, byte));
  }
  for (const bits of [64, 64, 64, 32, 64, 32, 32] as const) {
    for (const m of [reference, fast]) {
      // The handler's bytes run as 32-bit code of the supervisor, too.
      m.cpu.setSegment(SEGMENT.CS, { selector: SEL.code32, attributes: ACCESS.code | 0xc000, limit: 0xffff_ffff, base: 0n });
      for (const at of [SEGMENT.SS, SEGMENT.DS, SEGMENT.ES]) m.cpu.setSegment(at, { selector: SEL.data, attributes: ACCESS.data | 0xc000, limit: 0xffff_ffff, base: 0n });
      m.state.cpl = 0;
      m.state.rip = BigInt(HANDLER);
      m.cpu.stateReplaced();
      m.engine.run(6);
      faulting(m, bits);
      m.engine.run(5);
    }
    expect([visibleState(fast), fast.state.cr2, fast.cpu.mode().codeSize]).toEqual([visibleState(reference), BigInt(LINEAR), 64]);
  }
  expect(fastEngine(fast).pageFaults.reduce((a, b) => a + b)).toBeGreaterThan(0);
});

it('what is written to a frame for the first time is noted, also by generated code', () => {
  const m = machine('interpreter', 0, true);
  m.memory.forgetWritten();
  let heard = 0;
  m.memory.countWritten(3, () => { heard++; });
  for (let seed = 1; seed < 500; seed++) {
    prepare(m, seed);
    m.engine.run(2);
  }
  const before = machine('interpreter', 0, true);
  for (let frame = 0; frame < m.state.ramBytes / 4096; frame++) {
    const changed = Buffer.compare(Buffer.from(m.memory.copyOut(physical(4096 * frame), 4096)), Buffer.from(before.memory.copyOut(physical(4096 * frame), 4096))) !== 0;
    expect(changed && !m.memory.writtenFrames().includes(frame), `frame ${frame}`).toBe(false);
  }
  const { length } = m.memory.writtenFrames();
  expect([m.memory.writtenCount, heard]).toEqual([length, Math.floor(length / 3)]);
  expect(heard).toBeGreaterThan(3);
});

/** Repeated string instructions over many iterations are what the iterations one by one are, wherever a run stops. */
import { describe, expect, it } from 'vitest';
import { al, dword, ecx, r8, rax, rcx, rdi, rsi, type Assembler } from '../../src/assembler/index.ts';
import { physical } from '../../src/state/addresses.ts';
import { FAST, fastEngine, machineWith, visibleState, type Setup } from '../support/engine-runs.ts';
import { Random, seedOf } from '../support/random.ts';
import { AT, type SystemMachine } from '../support/system-machine.ts';

const PAGE = 4096;
/** The page of the data TLB that wants the same place as AT.pages + offset: 2048 pages further. */
const RIVAL = 2048 * PAGE;
const READ_ONLY = 5n, WRITABLE = 7n;

interface Case {
  readonly from?: number;
  readonly to: number;
  readonly count: number;
  readonly down?: boolean;
  readonly fill?: (at: number) => number;
  readonly before?: (m: SystemMachine) => void;
  /** Instructions that one run may make; the machines are compared behind each. */
  readonly slice?: number;
  readonly slices?: number;
}

const pattern = (at: number): number => (at * 37 + (at >> 8) * 11) & 0xff;

function setupOf(instruction: (a: Assembler) => void, { from = AT.data, to, count, down = false, fill = pattern, before }: Case): Setup {
  return (m) => {
    const bytes = new Uint8Array(32 * PAGE);
    for (let n = 0; n < bytes.length; n++) bytes[n] = fill(n);
    m.memory.copyIn(physical(AT.pages), bytes);
    for (let n = 0; n < bytes.length; n++) bytes[n] = fill(n + 1);
    m.memory.copyIn(physical(AT.pages + RIVAL), bytes);
    before?.(m);
    m.program((a) => {
      a.mov(rax, 0x8877_6655_4433_2211n);
      a.mov(rsi, from);
      a.mov(rdi, to);
      a.mov(rcx, count);
      if (down) a.std(); else a.cld();
      instruction(a);
      a.mov(r8, 1);
      a.hlt();
    });
  };
}

/** Runs in slices on a fast engine and on the reference engine, and compares them behind each. Returns how often the engine was asked for many iterations. */
function compare(name: (typeof FAST)[number], setup: Setup, slice: number, slices: number): { exits: number; m: SystemMachine } {
  const m = machineWith(name, setup), reference = machineWith('reference', setup);
  for (let n = 0; n < slices; n++) {
    const expected = reference.runFast(slice);
    expect(m.runFast(slice), `slice ${n}`).toEqual(expected);
    expect(visibleState(m), `slice ${n}`).toEqual(visibleState(reference));
    if (expected.kind !== 'budget') break;
  }
  expect(m.delivered).toEqual(reference.delivered);
  return { exits: fastEngine(m).statistics.exits.string, m };
}

/** One test for each fast engine. `finds`: something of the final state and what it must be. */
function same(sentence: string, instruction: (a: Assembler) => void, one: Case, finds?: (m: SystemMachine) => readonly [unknown, unknown]): void {
  it.each(FAST)(`${sentence} › %s`, (name) => {
    const { exits, m } = compare(name, setupOf(instruction, one), one.slice ?? 100_000, one.slices ?? 40);
    expect(exits).toBeGreaterThan(0);
    const [found, wanted] = finds?.(m) ?? [];
    expect(found).toEqual(wanted);
  });
}

const movsb = (a: Assembler): void => { a.rep.movsb(); };
const stosq = (a: Assembler): void => { a.rep.stosq(); };

describe('REP MOVS and REP STOS', () => {
  same('copy over several pages, whose boundaries lie differently', movsb, { from: AT.pages + 0x123, to: AT.pages + 0x5fff, count: 3 * PAGE + 5 });
  same('stop after exactly as many iterations as a run may make', movsb, { from: AT.pages, to: AT.pages + 0x8010, count: 2 * PAGE, slice: 997 });
  same('store quadwords across pages that they do not fill evenly', stosq, { to: AT.pages + 0x2ff5, count: 1500, slice: 401 });
  same('copy downwards with DF set', (a) => { a.rep.movsd(); }, { from: AT.pages + 0x3efe, to: AT.pages + 0x7102, count: 3000, down: true, slice: 1777 });
  same('repeat a pattern where the destination is a little ahead of the source', (a) => { a.rep.movsw(); }, { from: AT.pages + 0x100, to: AT.pages + 0x107, count: 3000 });
  same('repeat it downwards, too', (a) => { a.rep.movsq(); }, { from: AT.pages + 0x3000, to: AT.pages + 0x2fe4, count: 1000, down: true });
  same('use ESI, EDI and ECX with a 32-bit address size', (a) => { a.bytes(Uint8Array.of(0xf3, 0x67, 0xa4)); }, { from: AT.pages, to: AT.pages + 0x8000, count: PAGE });
  same('see one frame under two addresses', movsb, {
    from: AT.pages + 0x1000, to: AT.pages + 0x2003, count: 3000, before: (m) => { m.write64(AT.pt + 2 * 8, BigInt(AT.pages + 0x1000) | WRITABLE); m.mmu.flushAll(); },
  });
  same('fault at the page that is not there, with all before it done', movsb, { from: AT.pages, to: AT.pages + 0x8800, count: 3 * PAGE, before: (m) => { m.mapPage(0x9000, 0n); } }, (m) => [m.lastException, '#PF(0x2)']);
  same('fault at the page that may not be written', stosq, { to: AT.pages + 0x8800, count: 1000, before: (m) => { m.mapPage(0x9000, READ_ONLY); } }, (m) => [m.lastException, '#PF(0x3)']);
  same('leave the TLB as it is where both pages want one place in it', movsb, { from: AT.pages + 0x40, to: AT.pages + RIVAL + 0x40, count: 2 * PAGE, slice: 1111 });
  same('reach a device iteration by iteration', movsb, {
    from: AT.pages, to: AT.pages + 0x8f00, count: 700,
    before: (m) => { let sum = 0; m.memory.addMmio(physical(AT.pages + 0x9000), 256, { name: 'sum', read: () => sum & 0xff, write: (offset, _bytes, value) => { sum = sum * 3 + offset + value; } }); },
  });
  // Every iteration walks for both pages. One of them overwrites a byte of the entry that maps the destination, which leads elsewhere from then on.
  const REDIRECTED = AT.pt + 0x4000;
  same('walk by the entry that they have overwritten, where the TLB cannot hold it', movsb, {
    from: AT.pages + RIVAL + 0x5000, to: AT.pages + 0x5000, count: PAGE,
    before: (m) => {
      m.memory.copyIn(physical(AT.pages + RIVAL + 0x5000), m.memory.copyOut(physical(AT.pt), PAGE));
      m.write64(AT.pages + RIVAL + 0x5000 + 5 * 8, BigInt(AT.pages + 0x7000) | WRITABLE);
      m.write64(AT.pt + 5 * 8, BigInt(AT.pt) | WRITABLE);
      m.mmu.flushAll();
    },
  }, (m) => [m.read64(REDIRECTED + 0x800), m.read64(AT.pages + RIVAL + 0x5800)]);

  const HLT = 0xf4, NOP = 0x90;
  same('overwrite the code behind themselves', (a) => { a.rep.stosb(); a.nop(); }, { to: AT.code + 0x800, count: 0x400, before: (m) => { m.memory.write(physical(AT.code + 0x900), 1, HLT); } });
  same('are overwritten in the middle of the run', (a) => { a.mov(al, NOP); a.rep.stosb(); for (let n = 0; n < 400; n++) a.nop(); }, { to: AT.code + 0x200, count: 0x200, down: true, slices: 1, slice: 600 });
  same('overwrite code in another page, which runs afterwards', (a) => {
    a.rep.movsb();
    a.mov(rdi, AT.pages + 0x8000);
    a.mov(dword(rdi), 0);
    a.mov(rcx, AT.pages + 0x8100);
    a.jmp(rcx);
  }, {
    from: AT.pages, to: AT.pages + 0x8000, count: PAGE, fill: (n) => (n < 0x180 ? NOP : HLT),
    before: (m) => { m.program((a) => { for (let n = 0; n < 64; n++) a.inc(ecx); a.hlt(); }, { origin: AT.pages + 0x8000 }); },
  });
});

describe('REP CMPS and REP SCAS', () => {
  const zeros = (): number => 0;
  same('find the first byte that differs', (a) => { a.repe.cmpsb(); }, { from: AT.pages, to: AT.pages + 0x8123, count: 4 * PAGE, fill: zeros, slice: 1300, before: (m) => { m.memory.write(physical(AT.pages + 0x2345), 1, 9); } });
  same('find the first quadword that is the same, downwards', (a) => { a.repne.cmpsq(); }, { from: AT.pages + 0x6ff8, to: AT.pages + 0xfff0, count: 2000, down: true });
  same('end with the flags of the last comparison when nothing was found', (a) => { a.repe.scasb(); }, { to: AT.pages + 77, count: 2 * PAGE, fill: () => 0x11 });
  same('find a doubleword', (a) => { a.repne.scasd(); }, { to: AT.pages + 2, count: 5000, slice: 901, before: (m) => { m.memory.write(physical(AT.pages + 0x3332), 4, 0x4433_2211); } });
  same('fault with the flags of the last comparison before', (a) => { a.repne.scasw(); }, { to: AT.pages, count: 9999, fill: zeros, before: (m) => { m.mapPage(0x2000, 0n); } }, (m) => [m.lastException, '#PF(0)']);
});

it.each(FAST)('random ones in slices of random length leave what the reference engine leaves › %s', (name) => {
  const seed = seedOf('repeated string instructions');
  const r = new Random(seed);
  let total = 0;
  for (let n = 0; n < 12; n++) {
    const choices = [
      (a: Assembler): void => { a.rep.movsb(); }, (a: Assembler): void => { a.rep.movsw(); }, (a: Assembler): void => { a.rep.movsd(); }, (a: Assembler): void => { a.rep.movsq(); },
      (a: Assembler): void => { a.rep.stosb(); }, (a: Assembler): void => { a.rep.stosw(); }, (a: Assembler): void => { a.rep.stosq(); },
      (a: Assembler): void => { a.repe.cmpsb(); }, (a: Assembler): void => { a.repne.cmpsd(); }, (a: Assembler): void => { a.repe.scasb(); }, (a: Assembler): void => { a.repne.scasw(); },
    ];
    const place = (): number => AT.pages + 8 * PAGE + r.below(3 * PAGE) + (r.below(4) === 0 ? RIVAL : 0);
    const from = place();
    const one: Case = {
      from, to: r.below(3) === 0 ? from + r.below(40) - 20 : place(), count: 200 + r.below(1500), down: r.below(3) === 0,
      fill: r.below(2) === 0 ? pattern : () => 0,
    };
    try {
      total += compare(name, setupOf(r.pick(choices), one), 150 + r.below(3000), 100).exits;
    } catch (error) {
      throw new Error(`SEED=${seed} run ${n} ${JSON.stringify(one)}`, { cause: error });
    }
  }
  expect(total).toBeGreaterThan(0);
});

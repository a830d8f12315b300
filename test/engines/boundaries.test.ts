/** `run(n)` leaves what the reference engine leaves after n instructions, wherever the n-th of them ends, and nothing of it leads into the next run. */
import { describe, expect, it } from 'vitest';
import { eax, ebx, ecx, qword, rax, rbx, rcx, rdi, rsi, type Assembler } from '../../src/assembler/index.ts';
import { ENTRY } from '../../src/mmu/paging-entries.ts';
import { physical } from '../../src/state/addresses.ts';
import { FAST, fastEngine, machineWith, visibleState, type Setup } from '../support/engine-runs.ts';
import { AT, type SystemMachine } from '../support/system-machine.ts';

/** The state after each number of instructions, from a fresh machine each time, and in one machine step by step. */
function sameAfterEach(setup: Setup, most: number): void {
  it.each(FAST)('%s', (name) => {
    const stepped = machineWith(name, setup), reference = machineWith('reference', setup);
    for (let n = 1; n <= most; n++) {
      reference.engine.run(1);
      stepped.engine.run(1);
      const fresh = machineWith(name, setup);
      fresh.engine.run(n);
      const expected = visibleState(reference);
      expect(visibleState(stepped), `${n} times run(1)`).toEqual(expected);
      expect(visibleState(fresh), `run(${n})`).toEqual(expected);
      expect([stepped.delivered, fresh.delivered]).toEqual([reference.delivered, reference.delivered]);
    }
  });
}

const A = BigInt(ENTRY.A);

describe('a fetch waits for its instruction: before that nothing walks and no bit A is set', () => {
  const crossing = (a: Assembler): void => {
    a.mov(ecx, 3);
    a.label('loop');
    a.mov(rax, AT.pages);
    a.call(rax);
    a.dec(ecx);
    a.jnz('loop');
    a.hlt();
  };
  describe('of a page that a call leads to', () => {
    sameAfterEach((m) => {
      m.program(crossing);
      m.program((a) => { a.inc(ebx); a.ret(); }, { origin: AT.pages });
    }, 18);
  });
  describe('of the page that follows', () => {
    sameAfterEach((m) => {
      m.program((a) => { a.mov(rax, AT.pages + 0xff8); a.jmp(rax); });
      m.program((a) => { for (let n = 0; n < 12; n++) a.inc(ebx); a.hlt(); }, { origin: AT.pages + 0xff8 });
    }, 14);
  });
  describe('of the page that the last bytes of an instruction lie in', () => {
    sameAfterEach((m) => {
      m.program((a) => { a.mov(rax, AT.pages + 0xff8); a.jmp(rax); });
      m.program((a) => { a.inc(ebx); a.mov(rcx, 0x1234_5678_9abc_def0n); a.inc(ebx); a.hlt(); }, { origin: AT.pages + 0xff8 });
    }, 6);
  });
  describe('of a page that is not there', () => {
    sameAfterEach((m) => {
      m.program((a) => { a.mov(rax, AT.pages + 0x3000); a.inc(ebx); a.jmp(rax); });
      m.mapPage(0x3000, 0n);
    }, 5);
  });

  it.each(FAST)('the entry of a page that is only about to be fetched from has A clear › %s', (name) => {
    const m = machineWith(name, (x) => {
      x.program((a) => { a.mov(rax, AT.pages); a.jmp(rax); });
      x.program((a) => { a.inc(ebx); a.hlt(); }, { origin: AT.pages });
    });
    m.engine.run(2);
    expect([m.state.rip, m.read64(AT.pt) & A]).toEqual([BigInt(AT.pages), 0n]);
    m.engine.run(1);
    expect(m.read64(AT.pt) & A).toBe(A);
  });
});

describe('a link that the last instruction of a run asked for', () => {
  const OTHER = AT.code + 0x800;
  /** Two routines, each of three instructions, a jump, and one instruction behind a gap. */
  const program: Setup = (m) => {
    const routine = (a: Assembler, count: () => void): void => {
      for (let n = 0; n < 3; n++) count();
      a.jmp('behind');
      a.hlt();
      a.hlt();
      a.label('behind');
      count();
      a.hlt();
    };
    m.program((a) => { routine(a, () => a.inc(eax)); });
    m.program((a) => { routine(a, () => a.inc(ebx)); }, { origin: OTHER });
  };
  const goTo = (m: SystemMachine, rip: number): void => { m.state.rip = BigInt(rip); m.cpu.refresh(); };

  it.each(FAST)('leads nowhere else when the next run begins elsewhere › %s', (name) => {
    const m = machineWith(name, program);
    m.state.gpr[0] = 0n;
    m.state.gpr[3] = 0n;
    m.engine.run(4);
    goTo(m, OTHER);
    m.engine.run(5);
    goTo(m, AT.code);
    expect(m.runFast(20)).toEqual({ kind: 'halted' });
    expect([m.state.gpr[0], m.state.gpr[3]]).toEqual([7n, 4n]);
  });

  it.each(FAST)('is no part of what is decoded after everything was forgotten › %s', (name) => {
    const m = machineWith(name, program);
    m.state.gpr[3] = 0n;
    m.engine.run(4);
    m.engine.forgetEverything();
    goTo(m, OTHER);
    expect(m.runFast(20)).toEqual({ kind: 'halted' });
    expect(m.state.gpr[3]).toBe(4n);
  });

  it.each(FAST)('is forgotten with the code store in the middle of a run › %s', (name) => {
    const m = machineWith(name, program);
    m.state.gpr[3] = 0n;
    m.engine.run(4);
    // The map of devices changes: everything decoded is dropped.
    m.memory.addMmio(physical(0xf000_0000), 4096, { name: 'nothing', read: () => 0, write: () => undefined });
    goTo(m, OTHER);
    expect(m.runFast(20)).toEqual({ kind: 'halted' });
    expect(m.state.gpr[3]).toBe(4n);
  });
});

describe('an access across the end of the address space', () => {
  // The random bytes of SEED=1502196211 found it: the tag of the last byte's page, 0, was an empty entry's.
  const LAST = 0xffff_ffff_ffff_fffcn;
  for (const [what, access] of [['load', (a: Assembler) => a.mov(rax, qword(rdi))], ['store', (a: Assembler) => a.mov(qword(rdi), rsi)], ['read-modify-write', (a: Assembler) => a.add(qword(rdi), rsi)]] as const) {
    it.each(FAST)(`is no hit of an empty entry of the TLB: ${what} › %s`, (name) => {
      const setup: Setup = (m) => {
        m.program((a) => {
          a.mov(rdi, LAST);
          a.mov(rbx, 200);
          a.label('again');
          access(a);
          a.dec(rbx);
          a.jnz('again');
          a.hlt();
        });
      };
      const m = machineWith(name, setup), reference = machineWith('reference', setup);
      expect(m.runFast(2000)).toEqual(reference.runFast(2000));
      expect(visibleState(m)).toEqual(visibleState(reference));
      expect(m.delivered).toEqual(reference.delivered);
      expect(m.delivered.length).toBeGreaterThan(0);
    });
  }
});

describe('regions', () => {
  it('that ended are not ended again when their number is another region\'s', () => {
    const [first, second, third] = [AT.code, AT.code + 0x1000, AT.code + 0x2000];
    const m = machineWith('translator', (x) => {
      x.program((a) => {
        // One region over two frames, the first of all.
        a.mov(ecx, 3);
        a.label('calls');
        a.call('routine');
        a.dec(ecx);
        a.jnz('calls');
        a.hlt();
        a.align(0x1000);
        a.label('routine');
        a.inc(ebx);
        a.ret();
        a.align(0x1000);
        a.mov(ecx, 3);
        a.label('loop');
        a.inc(eax);
        a.dec(ecx);
        a.jnz('loop');
        a.hlt();
      });
    });
    const { code, translator } = fastEngine(m);
    // The first time only the first page is known to the fetch column.
    m.engine.run(6);
    code.clear();
    m.state.rip = BigInt(first);
    m.engine.run(6);
    const { regions } = translator.statistics;
    const oldNumber = translator.entryOf(first, 0, 0, first >> 12)!.region;
    code.drop(first >> 12);
    m.state.rip = BigInt(third);
    m.engine.run(4);
    const successor = translator.entryOf(third, 0, 0, third >> 12)!;
    expect([regions > 0, oldNumber > 0, successor.region]).toEqual([true, true, oldNumber]);
    code.drop(second >> 12);
    expect(translator.entryOf(third, 0, 0, third >> 12)).toEqual(successor);
    expect(translator.table.get(successor.region)).not.toBeNull();
  });
});

/** Stores into code: what executes next is what was written, on every engine, and it costs no more than a constant for each instruction. */
import { describe, expect, it } from 'vitest';
import { bl, byte, dword, eax, ebx, ecx, edx, imm, qword, r12, rax, rbx, rcx, rdi, rdx, rsi, type Assembler } from '../../src/assembler/index.ts';
import { EXECUTED_PER_TRANSLATED, MOST_CREDIT } from '../../src/cpu/engines/translator/credit.ts';
import { physical } from '../../src/state/addresses.ts';
import { FAST, fastEngine, machineWith, sameOnEveryEngine, visibleState, type Setup } from '../support/engine-runs.ts';
import { AT } from '../support/system-machine.ts';

/** Turns that make a loop hot on every engine. */
const HOT = 2500;
const PAGE = AT.pages;

describe('a store into code', () => {
  sameOnEveryEngine('that has run many times takes effect in the next turn', (m) => {
    m.program((a) => {
      a.mov(rdi, PAGE + 2);
      a.mov(rsi, PAGE);
      a.mov(ecx, 6);
      a.xor(eax, eax);
      a.label('round');
      a.mov(ebx, HOT);
      a.label('call');
      a.call(rsi);
      a.dec(ebx);
      a.jnz('call');
      // The immediate of the routine's ADD.
      a.inc(byte(rdi));
      a.dec(ecx);
      a.jnz('round');
      a.hlt();
    });
    m.program((a) => { a.add(eax, imm(1, 8)); a.ret(); }, { origin: PAGE });
  }, { finds: (m) => [m.state.gpr[0], BigInt(HOT * 21)] });

  sameOnEveryEngine('of the instruction that follows takes effect at once', (m) => {
    m.program((a) => {
      a.mov(ecx, HOT);
      a.xor(eax, eax);
      a.mov(rdi, PAGE);
      a.jmp(rdi);
    });
    m.program((a) => {
      a.label('again');
      a.mov(byte(rdi, 5), bl);
      a.add(eax, imm(1, 8));
      a.add(ebx, imm(3, 8));
      a.dec(ecx);
      a.jnz('again');
      a.hlt();
    }, { origin: PAGE });
  });

  sameOnEveryEngine('by a read-modify-write of its own bytes, in a loop', (m) => {
    m.program((a) => {
      a.mov(ecx, HOT);
      a.xor(eax, eax);
      a.mov(rdi, PAGE);
      a.jmp(rdi);
    });
    m.program((a) => {
      a.label('again');
      a.add(dword(rdi, 7), imm(1, 8));
      a.add(eax, 0x1000);
      a.xor(byte(rdi, 8), imm(0x10, 8));
      a.dec(ecx);
      a.jnz('again');
      a.hlt();
    }, { origin: PAGE });
  });

  sameOnEveryEngine('by REP STOSB over the instruction behind it', (m) => {
    m.program((a) => {
      a.mov(r12, 200);
      a.label('again');
      a.mov(rdi, PAGE);
      a.mov(rsi, PAGE);
      a.mov(ecx, 64);
      a.mov(rax, r12);
      a.and(eax, 1);
      // NOP or LAHF.
      a.imul(eax, eax, 0x0f);
      a.add(eax, 0x90);
      a.rep.stosb();
      a.mov(byte(rdi), imm(0xc3, 8));
      a.call(rsi);
      a.dec(r12);
      a.jnz('again');
      a.hlt();
    });
  });

  sameOnEveryEngine('through another linear address of the frame', (m) => {
    // The second page maps the frame of the first.
    m.write64(AT.pt + 8, BigInt(PAGE) | 7n);
    m.program((a) => {
      a.mov(rdi, PAGE + 0x1000 + 2);
      a.mov(rsi, PAGE);
      a.mov(r12, 5);
      a.xor(eax, eax);
      a.label('round');
      a.mov(ebx, HOT);
      a.label('call');
      a.call(rsi);
      a.dec(ebx);
      a.jnz('call');
      a.inc(byte(rdi));
      a.dec(r12);
      a.jnz('round');
      a.hlt();
    });
    m.program((a) => { a.add(eax, imm(1, 8)); a.ret(); }, { origin: PAGE });
  }, { finds: (m) => [m.state.gpr[0], BigInt(HOT * 15)] });

  sameOnEveryEngine('that lies in two pages, by its part in the second', (m) => {
    // ADD EAX, imm32 and RET: the immediate is in the next page.
    const start = PAGE + 0x1000 - 2;
    m.memory.copyIn(physical(start), Uint8Array.of(0x81, 0xc0, 1, 0, 0, 0, 0xc3));
    m.program((a) => {
      a.mov(rdi, PAGE + 0x1000);
      a.mov(rsi, start);
      a.mov(r12, 5);
      a.xor(eax, eax);
      a.label('round');
      a.mov(ebx, HOT);
      a.label('call');
      a.call(rsi);
      a.dec(ebx);
      a.jnz('call');
      a.inc(byte(rdi));
      a.dec(r12);
      a.jnz('round');
      a.hlt();
    });
  }, { finds: (m) => [m.state.gpr[0], BigInt(HOT * 15)] });
});

describe('data beside code', () => {
  sameOnEveryEngine('in the same page is written at every turn and drops no code', (m) => {
    m.program((a) => {
      a.mov(ecx, HOT);
      a.mov(rdi, PAGE + 0x800);
      a.mov(rsi, PAGE);
      a.jmp(rsi);
    });
    m.program((a) => {
      a.label('again');
      a.add(qword(rdi), rcx);
      a.mov(rdx, qword(rdi));
      a.mov(dword(rdi, 16), edx);
      a.dec(ecx);
      a.jnz('again');
      a.hlt();
    }, { origin: PAGE });
  });

  it.each(FAST)('drops nothing, and no instruction is decoded twice › %s', (name) => {
    const m = machineWith(name, (x) => {
      x.program((a) => {
        a.mov(ecx, HOT);
        a.mov(rdi, AT.code + 0x800);
        a.label('again');
        a.add(qword(rdi), rcx);
        a.dec(ecx);
        a.jnz('again');
        a.hlt();
      });
    });
    expect(m.runFast(100_000)).toEqual({ kind: 'halted' });
    const { code, statistics } = fastEngine(m);
    expect(code.statistics.droppedFrames).toBe(0);
    expect(code.blocks.statistics.decodedInstructions).toBeLessThan(60);
    // Nor is the store the reference engine's.
    expect(statistics.referenceInstructions).toBeLessThan(100);
  });

  sameOnEveryEngine('is written in each line that holds none, and in those that do', (m) => {
    m.program((a) => {
      a.mov(ecx, HOT);
      a.mov(rdi, PAGE);
      a.xor(ebx, ebx);
      a.label('again');
      // Eight bytes at each place of the page that is no code, across lines too.
      a.imul(ebx, ebx, 5);
      a.add(ebx, 0x123);
      a.and(ebx, 0xff7);
      a.cmp(ebx, 0x800 - 7);
      a.jb('store');
      a.cmp(ebx, 0x804);
      a.jb('call');
      a.label('store');
      a.add(qword(rdi, rbx, 1), rcx);
      a.mov(byte(rdi, rbx, 1), bl);
      a.label('call');
      a.mov(rsi, PAGE + 0x800);
      a.call(rsi);
      a.dec(ecx);
      a.jnz('again');
      a.hlt();
    });
    m.program((a) => { a.add(eax, imm(3, 8)); a.ret(); }, { origin: PAGE + 0x800 });
  }, { finds: (m) => [m.state.gpr[0], BigInt(HOT * 3)] });

  sameOnEveryEngine('becomes code while it is written', (m) => {
    // A routine is made in line after line of the page whose end is being written all the time.
    m.program((a) => {
      a.mov(rdi, PAGE);
      a.mov(edx, 60);
      a.label('line');
      a.mov(ecx, 300);
      a.label('again');
      a.add(qword(rdi, 0xf80), rcx);
      a.add(dword(rdi, 0x40), 1);
      a.dec(ecx);
      a.jnz('again');
      // ADD EAX, imm8; RET.
      a.mov(dword(rdi), imm(0xc303_c083 | 0, 32));
      a.call(rdi);
      a.add(byte(rdi, 2), imm(1, 8));
      a.call(rdi);
      a.add(rdi, 64);
      a.dec(edx);
      a.jnz('line');
      a.hlt();
    });
  }, { finds: (m) => [m.state.gpr[0], 60n * 7n] });
});

describe('what each instruction costs where every one of them leaves generated code', () => {
  /** Bytes 00 00: ADD [RAX], AL. */
  const SLED = 1900;
  /** A page of them, which is left and entered again `rounds` times. RAX leads into the same page, another line of which MONITOR watches, so each store leaves. */
  const sled = (rounds: number): Setup => (m) => {
    m.program((a) => {
      a.mov(r12, rounds);
      a.mov(rsi, PAGE);
      a.mov(rax, PAGE + 0xff0);
      a.label('round');
      a.call(rsi);
      a.dec(r12);
      a.jnz('round');
      a.hlt();
    });
    m.memory.copyIn(physical(PAGE), new Uint8Array(2 * SLED));
    m.memory.copyIn(physical(PAGE + 2 * SLED), Uint8Array.of(0xc3));
    m.memory.armMonitor(PAGE + 0xf80);
  };
  const ran = (name: (typeof FAST)[number], rounds: number): { retired: number; regions: number; translated: number; decoded: number } => {
    const m = machineWith(name, sled(rounds));
    expect(m.runFast(10_000_000)).toEqual({ kind: 'halted' });
    const { code, translator } = fastEngine(m);
    return { retired: m.state.retired, regions: translator.statistics.regions, translated: translator.statistics.instructions, decoded: code.blocks.statistics.decodedInstructions };
  };

  it.each(FAST)('a sled of stores becomes no region at each of its addresses when it runs for the first time › %s', (name) => {
    const { retired, regions, translated, decoded } = ran(name, 1);
    expect(retired).toBeGreaterThan(SLED);
    expect(regions).toBeLessThan(100);
    expect(translated).toBeLessThan(4096);
    // Blocks of at most 32 are decoded behind each of them.
    expect(decoded).toBeLessThan(33 * retired);
  });

  it.each(FAST)('nor more regions than the instructions executed are worth when it runs again and again › %s', (name) => {
    const { retired, translated, decoded } = ran(name, 24);
    expect(translated).toBeLessThan(MOST_CREDIT + retired / EXECUTED_PER_TRANSLATED);
    // What is known stays known.
    expect(decoded).toBeLessThan(33 * SLED);
  });

  it.each(FAST)('a loop that stores into its own line is decoded anew at each store and soon no longer translated › %s', (name) => {
    const setup: Setup = (x) => {
      x.program((a) => {
        a.mov(ecx, 1000);
        a.mov(rdi, PAGE + 0x20);
        a.mov(rsi, PAGE);
        a.jmp(rsi);
      });
      x.program((a: Assembler) => {
        a.label('again');
        a.inc(byte(rdi));
        a.inc(byte(rdi, 1));
        a.dec(ecx);
        a.jnz('again');
        a.hlt();
      }, { origin: PAGE });
    };
    const m = machineWith(name, setup), reference = machineWith('reference', setup);
    m.runFast(100_000);
    reference.runFast(100_000);
    expect(visibleState(m)).toEqual(visibleState(reference));
    const { code, translator } = fastEngine(m);
    expect(translator.statistics.regions).toBeLessThan(40);
    expect(code.blocks.statistics.decodedInstructions).toBeLessThan(33 * m.state.retired);
  });
});

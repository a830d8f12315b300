/**
 * Another frame behind the same linear address: decoded and translated code belongs to the frame, so what runs after
 * the guest's invalidation is the new frame's.
 */
import { describe } from 'vitest';
import { at, cr3, cr4, eax, qword, r12, r13, r14, r15, rax, rbx, rcx, rdi, rsi, type Assembler } from '../../src/assembler/index.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { physical } from '../../src/state/addresses.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { AT, type SystemMachine } from '../support/system-machine.ts';

/** The page that is remapped, the entry that maps it, and entries for its two frames. */
const PAGE = AT.pages, PTE = AT.pt;
const FIRST = BigInt(PAGE) | 7n, SECOND = BigInt(PAGE + 0x1000) | 7n;
/** Enough calls for every engine to translate. */
const HOT = 2500;
/** The numbers of the frames, so large that instructions with them are of one length. */
const ONE = 0x100, OTHER_ONE = 0x1_0000;

/** A second set of paging structures, which maps PAGE to the second frame. */
const OTHER = { pml4: 0x11_0000, pdpt: 0x11_1000, pd: 0x11_2000, pt: 0x11_3000 };
function otherAddressSpace(m: SystemMachine): void {
  for (const [from, to] of [[AT.pml4, OTHER.pml4], [AT.pdpt, OTHER.pdpt], [AT.pd, OTHER.pd], [AT.pt, OTHER.pt]] as const) m.memory.copyIn(physical(to), m.memory.copyOut(physical(from), 4096));
  m.write64(OTHER.pml4, BigInt(OTHER.pdpt) | 7n);
  m.write64(OTHER.pdpt, BigInt(OTHER.pd) | 7n);
  m.write64(OTHER.pd + 8, BigInt(OTHER.pt) | 7n);
  m.write64(OTHER.pt, SECOND);
}

/** Puts a routine for linear address PAGE into both frames, each with its own number. */
function routines(m: SystemMachine, body: (a: Assembler, number: number) => void): void {
  m.program((a) => { body(a, ONE); }, { origin: PAGE });
  const first = m.memory.copyOut(physical(PAGE), 0x800);
  m.program((a) => { body(a, OTHER_ONE); }, { origin: PAGE });
  m.memory.copyIn(physical(PAGE + 0x1000), m.memory.copyOut(physical(PAGE), 0x800));
  m.memory.copyIn(physical(PAGE), first);
}

/** Calls PAGE until RBX is zero. */
function callMany(a: Assembler, name: string): void {
  a.mov(rbx, HOT);
  a.label(name);
  a.mov(rcx, PAGE);
  a.call(rcx);
  a.dec(rbx);
  a.jnz(name);
}

/** A leaf routine that adds its frame's number, in a loop of its own. */
function adds(a: Assembler, number: number): void {
  a.mov(rcx, 3);
  a.label('again');
  a.add(rax, number);
  a.dec(rcx);
  a.jnz('again');
  a.ret();
}
const ADDED = BigInt(3 * HOT * (ONE + OTHER_ONE));

describe('code that was hot in one frame', () => {
  const ways: Record<string, { readonly change: (a: Assembler) => void; readonly prepare?: (m: SystemMachine) => void }> = {
    'INVLPG after a new page-table entry': {
      change: (a) => { a.mov(qword(rdi), rsi); a.invlpg(at(PAGE)); },
    },
    'MOV to CR3 after a new page-table entry': {
      change: (a) => { a.mov(qword(rdi), rsi); a.mov(rcx, cr3); a.mov(cr3, rcx); },
    },
    'MOV to CR3 of another address space': {
      prepare: otherAddressSpace,
      change: (a) => { a.mov(rcx, OTHER.pml4); a.mov(cr3, rcx); },
    },
    'MOV to CR3 of another address space with a PCID, nothing invalidated': {
      prepare: (m) => { otherAddressSpace(m); m.state.cr4 |= CR4.PCIDE; m.cpu.refresh(); },
      change: (a) => { a.mov(rcx, BigInt(OTHER.pml4 | 5) | (1n << 63n)); a.mov(cr3, rcx); },
    },
  };
  for (const [way, { change, prepare }] of Object.entries(ways)) {
    sameOnEveryEngine(`is the other frame's after ${way}`, (m) => {
      prepare?.(m);
      routines(m, adds);
      m.program((a) => {
        a.mov(rdi, PTE);
        a.mov(rsi, SECOND);
        a.xor(eax, eax);
        callMany(a, 'before');
        change(a);
        callMany(a, 'after');
        a.hlt();
      });
    }, { finds: (m) => [m.state.gpr[0], ADDED] });
  }

  sameOnEveryEngine('stays the old frame\'s while nothing is invalidated: the TLB is architecture', (m) => {
    routines(m, adds);
    m.program((a) => {
      a.mov(rdi, PTE);
      a.mov(rsi, SECOND);
      a.xor(eax, eax);
      callMany(a, 'before');
      a.mov(qword(rdi), rsi);
      callMany(a, 'after');
      a.hlt();
    });
  }, { finds: (m) => [m.state.gpr[0], BigInt(3 * HOT * 2 * ONE)] });

  sameOnEveryEngine('comes back with its first frame', (m) => {
    routines(m, adds);
    m.program((a) => {
      a.mov(rdi, PTE);
      a.mov(r14, SECOND);
      a.mov(r15, FIRST);
      a.xor(eax, eax);
      a.mov(r12, 6);
      a.label('round');
      callMany(a, 'calls');
      a.mov(qword(rdi), r14);
      a.xchg(r14, r15);
      a.invlpg(at(PAGE));
      a.dec(r12);
      a.jnz('round');
      a.hlt();
    });
  }, { finds: (m) => [m.state.gpr[0], 3n * ADDED] });
});

describe('code that remaps the page in which it runs', () => {
  /** Each turn of the loop maps the other frame under its own feet, then adds that frame's number. */
  const turns = (invalidate: (a: Assembler) => void) => (m: SystemMachine): void => {
    routines(m, (a, number) => {
      a.mov(rbx, HOT);
      a.label('turn');
      a.mov(qword(rdi), r14);
      a.xchg(r14, r15);
      invalidate(a);
      a.add(rax, number);
      a.mov(rcx, 4);
      a.label('inner');
      a.add(r13, number);
      a.dec(rcx);
      a.jnz('inner');
      a.dec(rbx);
      a.jnz('turn');
      a.hlt();
    });
    m.program((a) => {
      a.mov(rdi, PTE);
      a.mov(r14, SECOND);
      a.mov(r15, FIRST);
      a.xor(eax, eax);
      a.mov(r13, rax);
      a.mov(rcx, PAGE);
      a.jmp(rcx);
    });
  };
  const finds = (m: SystemMachine): [unknown, unknown] => [[m.state.gpr[0], m.state.gpr[13]], [BigInt(HOT / 2 * (ONE + OTHER_ONE)), BigInt(2 * HOT * (ONE + OTHER_ONE))]];
  sameOnEveryEngine('goes on in the other frame after INVLPG', turns((a) => { a.invlpg(at(PAGE)); }), { finds });
  sameOnEveryEngine('goes on in the other frame after MOV to CR3', turns((a) => { a.mov(rcx, cr3); a.mov(cr3, rcx); }), { finds });
  sameOnEveryEngine('goes on in the other frame after MOV to CR4 that changes PGE', turns((a) => { a.mov(rcx, cr4); a.xor(rcx, CR4.PGE); a.mov(cr4, rcx); }), { finds });
});

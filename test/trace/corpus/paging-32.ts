/**
 * Every cause of a page fault in 32-bit paging with 4 MiB pages, and in PAE paging with and without execute-disable, by
 * every kind of access, from supervisor and user mode.
 */
import { type Assembler, at, cr0, cr3, cr4, dword, eax, ebx, ecx, edx, esp, label, type LabelReference } from '../../../src/assembler/index.ts';
import { STACK_TOP } from './world.ts';
import { probe, userProbe } from './world-32.ts';

const P = 1n, RW = 2n, US = 4n, A = 0x20n, PS = 0x80n, G = 0x100n, NX = 1n << 63n;
/** Reserved in a PDE that maps 4 MiB, in a PDE that maps 2 MiB, and in every PAE entry. */
const RESERVED_4M = 1n << 21n, RESERVED_2M = 1n << 13n, RESERVED = 1n << 51n;
const CR0_PG = 0x8000_0000, CR0_WP = 0x1_0000, CR4_PSE = 0x10, CR4_PAE = 0x20, CR4_PGE = 0x80, CR4_SMEP = 0x10_0000, CR4_SMAP = 0x20_0000;
const EFER = 0xc000_0080, EFER_NXE = 0x800;
/** Linear address of the pages of all rights; large pages follow. */
const BASE = 0x4000_0000;
/** Physical pages that they map: each begins with RET. */
const FRAME = 0x60_0000n, LARGE_FRAME = 0x40_0000n;

interface Paging {
  readonly name: string;
  readonly entryBytes: 4 | 8;
  readonly largeBytes: number;
  /** Rights of 4 KiB pages, and of entries of the page directory behind the one that references the page table. */
  readonly pages: readonly bigint[];
  readonly large: readonly bigint[];
}
const RIGHTS = [0n, P | RW | US, P | US, P | RW, P, P | RW | US | G | A, RW | US];
const LARGE_RIGHTS = [P | RW | US | PS, P | RW | PS, P | US | PS, 0n];
const LEGACY: Paging = { name: 'legacy', entryBytes: 4, largeBytes: 0x40_0000, pages: RIGHTS, large: [...LARGE_RIGHTS, P | RW | US | PS | RESERVED_4M] };
const PAE: Paging = {
  name: 'pae', entryBytes: 8, largeBytes: 0x20_0000,
  pages: [...RIGHTS, P | RW | US | NX, P | NX, P | RW | US | RESERVED], large: [...LARGE_RIGHTS, P | RW | US | PS | RESERVED_2M, P | US | PS | NX, P | RW | US | RESERVED],
};

export function paging32Body(a: Assembler): void {
  for (const frame of [LARGE_FRAME, ...Array.from({ length: 16 }, (_, n) => FRAME + BigInt(n * 4096))]) a.mov(dword(Number(frame)), 0xc3);
  for (const paging of [LEGACY, PAE]) {
    tables(a, paging);
    for (const nx of paging === PAE ? [false, true] : [false]) {
      if (nx) setEfer(a, EFER_NXE);
      everyAccess(a, paging);
    }
    crossings(a, paging);
    staleness(a, paging);
    supervisorProtection(a, paging);
    leave(a);
  }
  // QEMU marks PDPTEs accessed; SDM Vol. 3A, "Format of a PAE Page-Directory-Pointer-Table Entry": those bits are reserved.
  for (const entry of [0, 1]) a.and(dword('pae_pdpt', entry * 8), ~Number(A));
}

function addressesOf(paging: Paging): readonly number[] {
  return [
    ...paging.pages.map((_, n) => BASE + n * 4096),
    ...paging.large.map((_, n) => BASE + (n + 1) * paging.largeBytes),
    0x8000_0000,
  ];
}

/** Reads, writes, modifies, fetches; a fetch that works meets a RET. */
const ACCESSES: readonly ((a: Assembler, address: number) => void)[] = [
  (a, address) => { a.mov(ebx, address); a.mov(eax, dword(ebx)); },
  (a, address) => { a.mov(ebx, address); a.mov(dword(ebx, 8), eax); },
  (a, address) => { a.mov(ebx, address); a.add(dword(ebx, 16), 3); },
  (a, address) => { a.mov(ebx, address); a.call(ebx); },
];

function setBits(a: Assembler, register: typeof cr0 | typeof cr4, set: number, clear = 0): void {
  a.mov(eax, register);
  a.or(eax, set | 0);
  a.and(eax, ~clear);
  a.mov(register, eax);
}

function setEfer(a: Assembler, set: number, clear = 0): void {
  a.mov(ecx, EFER);
  a.rdmsr();
  a.or(eax, set);
  a.and(eax, ~clear);
  a.wrmsr();
}

/** The tables, in a section of their own, and the code that switches them on. */
function tables(a: Assembler, paging: Paging): void {
  const { name, entryBytes, largeBytes, pages, large } = paging;
  const entry = (value: bigint | LabelReference): void => {
    if (entryBytes === 8) a.dq(value);
    else a.dd(typeof value === 'bigint' ? Number(value) : value);
  };
  const put = (...values: readonly bigint[]): void => values.forEach(entry);
  const reference = (table: string, bits: bigint): void => entry(label(table).plus(Number(bits)));
  const identity = Array.from({ length: 0x80_0000 / largeBytes }, (_, n) => BigInt(n * largeBytes) | P | RW | US | PS);
  const special = (): void => {
    reference(`${name}_pt`, P | RW | US);
    put(...large.map((bits) => (bits === 0n ? 0n : LARGE_FRAME | bits)));
  };
  a.section(`.paging_${name}`, { flags: 'rw' });
  a.align(4096);
  a.label(`${name}_pd`);
  put(...identity);
  if (entryBytes === 4) {
    a.fill((BASE / largeBytes - identity.length) * 4);
    special();
    a.align(4096);
  } else {
    a.align(4096);
    a.label(`${name}_pd_1`);
    special();
    a.align(4096);
    a.label(`${name}_pdpt`);
    reference(`${name}_pd`, P);
    reference(`${name}_pd_1`, P);
    a.dq(0n, 0n);
    a.align(4096);
  }
  a.label(`${name}_pt`);
  pages.forEach((bits, n) => put(FRAME + BigInt(n * 4096) | bits));
  a.align(4096);
  a.section('.body');
  setBits(a, cr4, entryBytes === 8 ? CR4_PAE : CR4_PSE);
  a.mov(eax, label(entryBytes === 8 ? `${name}_pdpt` : `${name}_pd`));
  a.mov(cr3, eax);
  setBits(a, cr0, CR0_PG | CR0_WP);
}

function everyAccess(a: Assembler, paging: Paging): void {
  for (const wp of [true, false]) {
    if (wp) setBits(a, cr0, CR0_WP);
    else setBits(a, cr0, 0, CR0_WP);
    for (const address of addressesOf(paging)) for (const access of ACCESSES) {
      probe(a, () => access(a, address));
      if (wp) userProbe(a, () => access(a, address));
    }
  }
  setBits(a, cr0, CR0_WP);
}

/** Accesses that lie in two pages: the second one refuses, and nothing is written. */
function crossings(a: Assembler, paging: Paging): void {
  for (let n = 0; n + 1 < paging.pages.length; n++) {
    for (const code of [() => a.mov(eax, dword(ebx)), () => a.mov(dword(ebx), ecx), () => a.push(dword(ebx)), () => a.pop(dword(ebx))]) {
      probe(a, () => { a.mov(ebx, BASE + (n + 1) * 4096 - 3); a.mov(ecx, 0x1122_3344); code(); });
      a.mov(esp, STACK_TOP);
    }
  }
}

/** A mapping that changes: with INVLPG, and by a new CR3. */
function staleness(a: Assembler, paging: Paging): void {
  const entry = (bits: bigint): void => { a.mov(ecx, label(`${paging.name}_pt`).plus(paging.entryBytes)); a.mov(eax, Number(bits)); a.mov(dword(ecx), eax); };
  a.mov(ebx, BASE + 4096);
  a.mov(eax, dword(ebx));
  entry(FRAME + 0x8000n | P | US);
  a.invlpg(at(ebx));
  probe(a, () => a.mov(dword(ebx), eax));
  a.mov(eax, dword(ebx));
  entry(FRAME + 0x1000n | P | RW | US);
  a.mov(eax, cr3);
  a.mov(cr3, eax);
  probe(a, () => a.mov(dword(ebx, 4), eax));
  setBits(a, cr4, CR4_PGE);
  a.mov(ebx, BASE + 5 * 4096);
  a.mov(edx, dword(ebx));
  setBits(a, cr4, 0, CR4_PGE);
}

/** SMEP and SMAP: the program's own pages must be supervisor pages for it. */
function supervisorProtection(a: Assembler, paging: Paging): void {
  for (let n = 0; n < 0x80_0000 / paging.largeBytes; n++) a.and(dword(`${paging.name}_pd`, n * paging.entryBytes), ~4);
  a.mov(eax, cr3);
  a.mov(cr3, eax);
  for (const bits of [CR4_SMEP, CR4_SMAP]) {
    setBits(a, cr4, bits);
    for (const address of addressesOf(paging)) for (const access of ACCESSES) {
      probe(a, () => access(a, address));
      if (bits === CR4_SMAP) probe(a, () => { a.stac(); access(a, address); a.clac(); });
    }
    if (bits === CR4_SMAP) a.clac();
    setBits(a, cr4, 0, bits);
  }
}

/** Paging off, and what belongs to it. */
function leave(a: Assembler): void {
  setBits(a, cr0, 0, CR0_PG);
  setBits(a, cr4, 0, CR4_PSE | CR4_PAE);
  setEfer(a, 0, EFER_NXE);
}

/**
 * Every cause of a page fault, by every kind of access, from supervisor and user mode: pages of all rights, entries with
 * reserved bits at every level, large pages, CR0.WP, SMEP, SMAP, protection keys, stale translations and INVLPG.
 */
import {
  type Assembler, at, cr0, cr3, cr4, dword, eax, ecx, edx, label, qword, rax, rbx, rcx,
} from '../../../src/assembler/index.ts';
import { probe, userProbe } from './system.ts';
import { PML5_BITS } from './world.ts';

const P = 1n, RW = 2n, US = 4n, A = 0x20n, PS = 0x80n, G = 0x100n, NX = 1n << 63n, RESERVED = 1n << 51n;
const CR0_WP = 0x1_0000, CR4_PGE = 0x80, CR4_SMEP = 0x10_0000, CR4_SMAP = 0x20_0000, CR4_PKE = 0x40_0000;
/** Linear addresses: the second GiB has a page table, large pages and holes; the third is reserved, the fourth absent. */
const BASE = 0x4000_0000, LARGE = BASE + 0x20_0000;
/** Physical pages that they map: RET, and zeroes. */
const FRAME = 0x60_0000n;
const TABLE_BITS: readonly bigint[] = [
  0n, P | RW | US, P | US, P | RW, P, P | RW | US | NX, P | RW | US | RESERVED, P | RW | US | G | A, P | RW | US | NX | G, RW | US,
];
/** Entry of the page table where pages under protection keys begin. */
const FIRST_UNDER_KEY = 32;
/** Entries of the page directory behind the one that references the page table. */
const DIRECTORY_BITS: readonly bigint[] = [P | RW | US | PS, P | RW | PS, P | US | PS | NX, P | RW | US | PS | 0x2000n, 0n, P | US | PS];

/** `others`: linear addresses that are tried as well. */
export function pagingBody(a: Assembler, others: readonly bigint[] = []): void {
  tables(a);
  const addresses = [
    ...TABLE_BITS.map((_, n) => BigInt(BASE + n * 4096)),
    ...DIRECTORY_BITS.map((_, n) => BigInt(LARGE + n * 0x20_0000)),
    0x8000_0000n, 0xc000_0000n, 0x80_0000_0000n, 0xffff_8000_0000_0000n, ...others,
  ];
  for (const wp of [true, false]) {
    a.mov(rax, cr0);
    if (wp) a.or(eax, CR0_WP);
    else a.and(eax, ~CR0_WP);
    a.mov(cr0, rax);
    for (const address of addresses) for (const access of ACCESSES) {
      probe(a, () => access(a, address));
      if (wp) userProbe(a, () => access(a, address));
    }
  }
  a.mov(rax, cr0);
  a.or(eax, CR0_WP);
  a.mov(cr0, rax);
  crossings(a);
  staleness(a);
  protectionKeys(a);
  supervisorProtection(a, addresses.slice(0, TABLE_BITS.length));
}

/** Reads, writes, modifies, fetches; a fetch that works meets a RET. */
const ACCESSES: readonly ((a: Assembler, address: bigint) => void)[] = [
  (a, address) => { a.mov(rbx, address); a.mov(eax, dword(rbx)); },
  (a, address) => { a.mov(rbx, address); a.mov(dword(rbx, 8), eax); },
  (a, address) => { a.mov(rbx, address); a.add(dword(rbx, 16), 3); },
  (a, address) => { a.mov(rbx, address); a.call(rbx); },
];

/** Builds the tables in the spare pages: PDPT entries 1 and 2, a page directory, a page table. */
function tables(a: Assembler): void {
  const put = (table: string, index: number, value: bigint): void => {
    a.mov(rax, value);
    a.mov(qword(table, index * 8), rax);
  };
  const reference = (table: string, index: number, name: string, page: number): void => {
    a.mov(rax, label(name).plus(page * 4096 + Number(P | RW | US)));
    a.mov(qword(table, index * 8), rax);
  };
  reference('pdpt', 1, 'spare_tables', 0);
  // Accessed already: the manual does not say whether an entry with a reserved bit is marked; QEMU does it in PDPTEs.
  put('pdpt', 2, P | RW | US | PS | A | 0x2000n);
  a.mov(rbx, label('spare_tables'));
  a.mov(rax, label('spare_tables').plus(4096 + Number(P | RW | US)));
  a.mov(qword(rbx), rax);
  DIRECTORY_BITS.forEach((bits, n) => {
    a.mov(rax, bits === 0n ? 0n : FRAME | bits);
    a.mov(qword(rbx, (n + 1) * 8), rax);
  });
  TABLE_BITS.forEach((bits, n) => {
    a.mov(rax, FRAME + BigInt(n * 4096) | bits);
    a.mov(qword(rbx, 4096 + n * 8), rax);
    a.mov(dword(Number(FRAME) + n * 4096), 0xc3);
  });
  a.mov(rax, cr3);
  a.mov(cr3, rax);
}

/** Accesses that lie in two pages: the second one refuses, and nothing is written. */
function crossings(a: Assembler): void {
  for (let n = 0; n + 1 < TABLE_BITS.length; n++) {
    const address = BigInt(BASE + (n + 1) * 4096 - 3);
    for (const code of [() => a.mov(rax, qword(rbx)), () => a.mov(qword(rbx), rcx), () => a.push(qword(rbx)), () => a.pop(qword(rbx))]) {
      probe(a, () => { a.mov(rbx, address); a.mov(rcx, 0x1122_3344_5566_7788n); code(); });
    }
  }
}

/** A mapping that changes: with INVLPG, and by a new CR3, with and without global pages. */
function staleness(a: Assembler): void {
  a.mov(rbx, BASE + 4096);
  a.mov(rcx, label('spare_tables').plus(4096 + 8));
  a.mov(eax, dword(rbx));
  a.mov(rax, FRAME + 0x8000n | P | US);
  a.mov(qword(rcx), rax);
  a.invlpg(at(rbx));
  probe(a, () => a.mov(dword(rbx), eax));
  a.mov(eax, dword(rbx));
  a.mov(rax, FRAME + 0x1000n | P | RW | US);
  a.mov(qword(rcx), rax);
  a.mov(rax, cr3);
  a.mov(cr3, rax);
  probe(a, () => a.mov(dword(rbx, 4), eax));
  a.mov(rax, cr4);
  a.or(eax, CR4_PGE);
  a.mov(cr4, rax);
  a.mov(rbx, BASE + 7 * 4096);
  a.mov(eax, dword(rbx));
  a.mov(rax, cr4);
  a.and(eax, ~CR4_PGE);
  a.mov(cr4, rax);
}

/** A page table of user and supervisor pages under keys 1 to 3, all values of their rights, with and without CR0.WP; RDPKRU and WRPKRU that are refused. */
function protectionKeys(a: Assembler): void {
  const pages = [1n, 2n, 3n].flatMap((key) => [P | RW | US, P | US, P | RW].map((bits) => bits | (key << 59n)));
  a.mov(rbx, label('spare_tables'));
  pages.forEach((bits, n) => {
    a.mov(rax, FRAME + BigInt(n * 4096) | bits);
    a.mov(qword(rbx, 4096 + 8 * (FIRST_UNDER_KEY + n)), rax);
    // Accesses across pages may have written there.
    a.mov(dword(Number(FRAME) + n * 4096), 0xc3);
  });
  a.xor(ecx, ecx);
  a.xor(edx, edx);
  probe(a, () => a.rdpkru());
  probe(a, () => a.wrpkru());
  a.mov(rax, cr4);
  a.or(eax, CR4_PKE);
  a.mov(cr4, rax);
  probe(a, () => { a.mov(ecx, 1); a.rdpkru(); });
  probe(a, () => { a.mov(ecx, 1); a.wrpkru(); });
  probe(a, () => { a.xor(ecx, ecx); a.mov(edx, 1); a.wrpkru(); });
  for (const [pkru, wp] of [[0b01_10_11_00, true], [0b10_01_00_00, true], [0b01_10_10_00, false], [0b11_00_01_00, false]] as const) {
    a.mov(rax, cr0);
    if (wp) a.or(eax, CR0_WP);
    else a.and(eax, ~CR0_WP);
    a.mov(cr0, rax);
    const setKeys = (value: number): void => { a.mov(eax, value); a.xor(ecx, ecx); a.xor(edx, edx); a.wrpkru(); a.rdpkru(); };
    setKeys(pkru);
    for (let n = 0; n < pages.length; n++) for (const access of ACCESSES) {
      const address = BigInt(BASE + (FIRST_UNDER_KEY + n) * 4096);
      probe(a, () => access(a, address));
      userProbe(a, () => access(a, address));
    }
    // What user mode may read it may take from itself.
    userProbe(a, () => { setKeys(0); a.mov(rbx, BASE + FIRST_UNDER_KEY * 4096); a.mov(eax, dword(rbx)); setKeys(4); a.mov(eax, dword(rbx)); });
  }
  a.mov(rax, cr4);
  a.and(eax, ~CR4_PKE);
  a.mov(cr4, rax);
  a.mov(rax, cr0);
  a.or(eax, CR0_WP);
  a.mov(cr0, rax);
}

/** SMEP and SMAP: the program's own pages must be supervisor pages for it. */
function supervisorProtection(a: Assembler, addresses: readonly bigint[]): void {
  for (let n = 0; n < 8; n++) a.and(qword('pd', n * 8), ~4);
  a.mov(rax, cr3);
  a.mov(cr3, rax);
  for (const bits of [CR4_SMEP, CR4_SMAP, CR4_SMEP | CR4_SMAP]) {
    a.mov(rax, cr4);
    a.or(eax, bits);
    a.mov(cr4, rax);
    for (const address of addresses) for (const access of ACCESSES) {
      probe(a, () => access(a, address));
      if ((bits & CR4_SMAP) !== 0) probe(a, () => { a.stac(); access(a, address); a.clac(); });
    }
    if ((bits & CR4_SMAP) !== 0) a.clac();
    a.mov(rax, cr4);
    a.and(eax, ~bits);
    a.mov(cr4, rax);
  }
}

/** With 5-level paging: the pages of a few rights through every entry of the root, and addresses that only 57 bits make canonical. */
export function paging57Body(a: Assembler): void {
  const throughRoot = PML5_BITS.flatMap((_, n) => (n === 0 ? [] : [0n, 1n, 2n, 5n].map((page) => (BigInt(n) << 48n) + BigInt(BASE) + page * 4096n)));
  pagingBody(a, [...throughRoot, 0xff_ffff_ffff_f000n, 0xff00_0000_0000_0000n]);
}

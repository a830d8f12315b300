import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { linear } from '../../src/state/addresses.ts';
import { CR0, CR4, RFLAGS_AC } from '../../src/mmu/control-bits.ts';
import type { AccessKind, Privilege } from '../../src/mmu/mmu.ts';
import { PageFault } from '../../src/mmu/page-fault.ts';
import { DATA_ENTRIES, INSTRUCTION_ENTRIES } from '../../src/mmu/tlb.ts';
import { A, D, G, P, PS, PagedGuest, ROOT, RW, US, XD } from './guest.ts';

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

interface Entry { page: bigint; pcid: number; frame: number; writable: boolean; user: boolean; executeDisable: boolean; dirty: boolean; global: boolean; key: number; shift: bigint }

/** The TLBs as plainly as can be: no columns, no counters, no code frames. */
class Model {
  readonly #tlbs = { data: new Map<number, Entry>(), instruction: new Map<number, Entry>() };
  readonly #guest: PagedGuest;
  constructor(guest: PagedGuest) { this.#guest = guest; }

  get #pcid(): number { return (this.#guest.state.cr4 & CR4.PCIDE) !== 0 ? Number(this.#guest.state.cr3 & 0xfffn) : 0; }

  #denied(e: Entry, access: AccessKind, privilege: Privilege): boolean {
    const { cr0, cr4, systemFlags, pkru } = this.#guest.state;
    if (privilege === 'user' ? !e.user : e.user && (access === 'fetch' ? (cr4 & CR4.SMEP) !== 0 : (cr4 & CR4.SMAP) !== 0 && (privilege !== 'supervisor' || (systemFlags & RFLAGS_AC) === 0))) return true;
    if (access === 'fetch') return e.executeDisable;
    const keyRights = e.user && (cr4 & CR4.PKE) !== 0 ? (pkru >>> (2 * e.key)) & 3 : 0;
    if ((keyRights & 1) !== 0 || (access === 'write' && keyRights !== 0 && (privilege === 'user' || (cr0 & CR0.WP) !== 0))) return true;
    return access === 'write' && !e.writable && (privilege === 'user' || (cr0 & CR0.WP) !== 0);
  }

  /** Frame number, or undefined for a page fault. To be asked before the machine, which changes A and D. */
  access(address: bigint, access: AccessKind, privilege: Privilege): number | undefined {
    const tlb = this.#tlbs[access === 'fetch' ? 'instruction' : 'data'];
    const page = address >> 12n;
    const index = Number(page) & ((access === 'fetch' ? INSTRUCTION_ENTRIES : DATA_ENTRIES) - 1);
    const held = tlb.get(index);
    if (held && held.page === page && (held.global || held.pcid === this.#pcid) && !this.#denied(held, access, privilege) && (access !== 'write' || held.dirty)) return held.frame;
    const now = this.#guest.mmu.explain(linear(address));
    if (now.outcome === 'mapped') {
      const { writable, user, executeDisable, protectionKey: key, dirty, global } = now.rights!;
      const fresh: Entry = { page, pcid: this.#pcid, frame: Math.floor(now.physicalAddress! / 4096), writable, user, executeDisable, dirty: dirty || access === 'write', global, key, shift: now.pageSize === '4 KiB' ? 0n : 9n };
      if (!this.#denied(fresh, access, privilege)) {
        tlb.set(index, fresh);
        return fresh.frame;
      }
    }
    this.drop((e) => e.page >> e.shift === page >> e.shift && (e.global || e.pcid === this.#pcid));
    return undefined;
  }

  drop(chosen: (e: Entry) => boolean): void {
    for (const tlb of Object.values(this.#tlbs)) for (const [index, e] of tlb) if (chosen(e)) tlb.delete(index);
  }
  invalidate(address: bigint, pcid = this.#pcid, keepGlobal = false): void {
    this.drop((e) => e.page >> e.shift === address >> 12n >> e.shift && (e.global ? !keepGlobal : e.pcid === pcid));
  }
}

/** Pages that collide in the TLBs, pages of one large page, and the two ends of the address space. */
const PAGES = [0x4000_0000n, 0x4000_0000n + BigInt(DATA_ENTRIES) * 4096n, 0x4000_1000n, 0x8000_0000n, 0x8000_5000n, 0n, 0xffff_ffff_ffff_f000n];
const page = fc.constantFrom(...PAGES);
const FRAMES = [0x200, 0x201, 0x202];

const command = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('access' as const), page, access: fc.constantFrom<AccessKind>('read', 'write', 'fetch'), privilege: fc.constantFrom<Privilege>('user', 'supervisor', 'implicit-supervisor') }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('map' as const), page, frame: fc.constantFrom(...FRAMES), bits: fc.tuple(fc.constantFrom(RW, RW, 0n), fc.constantFrom(US, US, 0n), fc.constantFrom(0n, 0n, G), fc.constantFrom(0n, 0n, XD), fc.constantFrom(0n, A, A | D), fc.constantFrom(0n, 1n << 59n, 0xfn << 59n)), present: fc.constantFrom(P, P, P, 0n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('invlpg' as const), page }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cr3' as const), pcid: fc.constantFrom(0, 1, 0xfff), keep: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('invpcid' as const), type: fc.constantFrom<0 | 1 | 2 | 3>(0, 1, 2, 3), pcid: fc.constantFrom(0, 1, 0xfff), page }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('toggle' as const), what: fc.constantFrom<'WP' | 'SMAP' | 'SMEP' | 'PGE' | 'PKE' | 'AC'>('WP', 'SMAP', 'SMEP', 'PGE', 'PKE', 'AC') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pkru' as const), value: fc.constantFrom(0, 1, 4, 8, 0x4000_0000, 0x8000_0008, 0xffff_fffc) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('code' as const), frame: fc.constantFrom(...FRAMES) }) },
);

/** Frame of an access that goes every way: load, store or fetch, then its translation; undefined for a page fault. */
function accessed({ mmu }: PagedGuest, page: bigint, access: AccessKind, privilege: Privilege): number | undefined {
  try {
    if (access === 'write') mmu.store(linear(page), 8, privilege, 0x55n);
    else if (access === 'read') mmu.load(linear(page), 8, privilege, false);
    return Math.floor(mmu.translate(linear(page), access, privilege) / 4096);
  } catch (fault) {
    if (!(fault instanceof PageFault)) throw fault;
    return undefined;
  }
}

test(`random guests: the TLBs answer as a naive model does, and no store into decoded code goes unseen (seed ${SEED})`, () => {
  fc.assert(fc.property(fc.boolean(), fc.array(command, { minLength: 150, maxLength: 150 }), (pcids, commands) => {
    const guest = new PagedGuest();
    const { mmu, state, memory } = guest;
    guest.change({ cr4: CR4.PAE | CR4.PGE | (pcids ? CR4.PCIDE : 0) });
    const model = new Model(guest);
    const marked = new Set<number>();
    let written: number[] = [];
    const seen: unknown[] = [], foreseen: unknown[] = [];
    memory.onCodeWritten((frame) => { written.push(frame); });
    for (const c of commands) {
      switch (c.kind) {
        case 'access': {
          const frame = model.access(c.page, c.access, c.privilege);
          const found = accessed(guest, c.page, c.access, c.privilege);
          const reported = c.access === 'write' && frame !== undefined && marked.delete(frame) ? [frame] : [];
          seen.push({ found, written });
          foreseen.push({ found: frame, written: reported });
          written = [];
          break;
        }
        case 'map': {
          const bits = c.bits.reduce<bigint>((all, bit) => all | bit, c.present);
          // The pages from 0x8000_0000 belong to one large page.
          if (c.page >> 21n === 0x400n) guest.map(c.page, bits | PS | (BigInt(c.frame & 1) << 21n), 21n);
          else guest.map(c.page, bits | BigInt(c.frame * 4096));
          break;
        }
        case 'invlpg':
          mmu.invlpg(linear(c.page));
          model.invalidate(c.page);
          break;
        case 'cr3': {
          const pcid = pcids ? c.pcid : 0, keep = pcids && c.keep;
          mmu.setCr3(BigInt(ROOT | pcid) | (keep ? 1n << 63n : 0n));
          if (!keep) model.drop((e) => !e.global && (!pcids || e.pcid === pcid));
          break;
        }
        case 'invpcid':
          mmu.invpcid(c.type, c.pcid, linear(c.page));
          if (c.type === 0) model.invalidate(c.page, c.pcid, true);
          else model.drop((e) => c.type === 2 || (!e.global && (c.type === 3 || e.pcid === c.pcid)));
          break;
        case 'toggle':
          if (c.what === 'AC') state.systemFlags ^= RFLAGS_AC;
          else if (c.what === 'WP') guest.change({ cr0: (state.cr0 ^ CR0.WP) >>> 0 });
          else {
            guest.change({ cr4: state.cr4 ^ CR4[c.what] });
            const pcid = pcids ? Number(state.cr3 & 0xfffn) : 0;
            if (c.what === 'PGE') model.drop(() => true);
            if (c.what === 'SMEP' && (state.cr4 & CR4.SMEP) !== 0) model.drop((e) => !e.global && e.pcid === pcid);
          }
          break;
        case 'pkru':
          mmu.setPkru(c.value);
          break;
        case 'code':
          memory.markCode(c.frame);
          marked.add(c.frame);
          break;
      }
    }
    expect(seen).toEqual(foreseen);
  }), { seed: SEED, numRuns: 100 });
});

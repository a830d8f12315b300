/**
 * The paging unit's usual cases as generated code, so that no miss of the columns costs a way into TypeScript: 4-level and 32-bit paging in RAM, with no
 * key in effect and nobody who looks on. What they do is what src/mmu/ does; whatever else there is, a function answers 0 before it changes
 * anything but bits A (which the walk in TypeScript would set as well). test/engines/paging-code.test.ts holds it to that.
 */
import { CR0, CR4 } from '../../../mmu/control-bits.ts';
import { PF_ERROR } from '../../../mmu/page-fault.ts';
import { ADDRESS_HIGH, ENTRY, RESERVED_LOW_LEAF, RESERVED_WITHOUT_PSE36, SIZE_2M, SIZE_4M } from '../../../mmu/paging-entries.ts';
import { FRAME, codeLinesBase, frameFlagsBase, writtenLeftAt } from '../../../mmu/physical-memory.ts';
import { COLUMN, COLUMN_ENTRY_BYTES, COLUMN_FIELD, DATA_ENTRIES, FETCH_COLUMN, FETCH_ENTRY_BYTES, FETCH_FIELD, INSTRUCTION_ENTRIES, TLB_LAYOUT as TLB, columnBase, fetchColumnBase, type Column, type FetchColumn } from '../../../mmu/tlb.ts';
import { PLAIN_PAGING } from '../../../mmu/paging-mode.ts';
import { TLB_ATTRIBUTE as A } from '../../../mmu/tlb-attributes.ts';
import type { GuestState } from '../../../state/guest-state.ts';
import { OFFSET, RAM_BASE } from '../../../state/layout.ts';
import { ENGINE, MISS_WRITE, NO_PAGE_BYTE, PAGES_BASE, PAGES_BYTES } from '../engine-memory.ts';
import { CONTEXT_KEY_HIGH_SHIFT, WITH_PCID } from './context.ts';
import { Code } from '../wasm/code.ts';
import { Expressions, type Expression } from '../wasm/expressions.ts';
import { ModuleWriter } from '../wasm/module.ts';
import { I32, I64, OP } from '../wasm/opcodes.ts';

export interface PagingCode {
  /**
   * Does what an access within one page does on a miss, but for the access itself: PREPARED.answered where the column answers it now, PREPARED.fault for a page fault,
   * which may be delivered by now with the error code ENGINE.faultCode. `access`: as ENGINE.missAccess.
   */
  prepare(linear: bigint, access: number): number;
  /** Does what a fetch does whose page the column of fetches does not have: 1 where it has it now. A page fault waits for whoever delivers it. */
  prepareFetch(linear: bigint): number;
  /** INVLPG of a canonical address: 1 where it is done. */
  invalidatePage(linear: bigint): number;
  /** MOV to CR3 of a value that it may have. */
  writeCr3(value: bigint): void;
}

export const PREPARED = { answered: 1, fault: 2 } as const;
const COLUMNS: readonly Column[] = [0, 1, 2];
const FETCH_COLUMNS: readonly FetchColumn[] = [FETCH_COLUMN.supervisor, FETCH_COLUMN.user];
const LEVELS = [39n, 30n, 21n, 12n] as const;
const ENTRY_ADDRESS = (BigInt(ADDRESS_HIGH) << 32n) | 0xffff_f000n;

export function createPagingCode(state: GuestState): PagingCode {
  const module = new ModuleWriter();
  module.importMemory('e', 'memory');
  const write = (name: keyof PagingCode, parameters: readonly (typeof I32 | typeof I64)[], returns: boolean, locals: readonly (typeof I32 | typeof I64)[], body: (x: Writer) => void): void => {
    const code = new Code();
    body(new Writer(code, state.ramBytes));
    module.add({ signature: module.signature(parameters, returns ? [I32] : []), locals, code: code.bytes.slice(), name });
  };
  write('prepare', [I64, I32], true, LOCAL_TYPES, (x) => { x.prepare(); });
  write('prepareFetch', [I64], true, [I32, ...LOCAL_TYPES], (x) => { x.prepareFetch(); });
  write('invalidatePage', [I64], true, [I32, ...LOCAL_TYPES], (x) => { x.invalidatePage(); });
  write('writeCr3', [I64], false, [I32, ...LOCAL_TYPES], (x) => { x.writeCr3(); });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.bytes()), { e: { memory: state.memory } });
  return exports as unknown as PagingCode;
}

/** The parameters, if a function has them, and locals of all functions. */
const LOCAL = { linear: 0, access: 1, index: 2, at: 3, attributes: 4, tag: 5, entry: 6, place: 7, table: 8, rights: 9, frame: 10, large: 11, flags: 12, displaced: 13, column: 14, word: 15, bits: 16 } as const;
const LOCAL_TYPES = [I32, I32, I32, I32, I64, I32, I64, I32, I32, I32, I32, I32, I32, I32, I32] as const;

class Writer extends Expressions {
  readonly #code: Code;
  readonly #ramBytes: number;
  readonly #flagsAt: number;
  readonly #writtenLeftAt: number;

  constructor(code: Code, ramBytes: number) {
    super(code);
    this.#code = code;
    this.#ramBytes = ramBytes;
    this.#flagsAt = frameFlagsBase(ramBytes);
    this.#writtenLeftAt = writtenLeftAt(ramBytes);
  }

  // ----------------------------------------------------------------------------------------------- small expressions
  #l(name: keyof typeof LOCAL): Expression { return this.local(LOCAL[name]); }
  #set(name: keyof typeof LOCAL, value: Expression): void { this.set(LOCAL[name], value); }
  get #low(): Expression { return this.op('i32_wrap_i64', this.#l('linear')); }
  get #high(): Expression { return this.op('i32_wrap_i64', this.op('i64_shr_u', this.#l('linear'), this.c64(32n))); }
  /** Bits 31:12 of the address, or all of the page's, with the PCID in the place of the others. */
  get #pageTag(): Expression { return this.or(this.and(this.#low, this.c(~0xfff)), this.load(32, ENGINE.pcid)); }
  get #wholeTag(): Expression { return this.op('i64_or', this.op('i64_and', this.#l('linear'), this.c64(-4096n)), this.load(64, ENGINE.pcid)); }
  /** In 4-level paging. */
  get #isNotCanonical(): Expression {
    const linear = this.#l('linear'), sixteen = this.c64(16n);
    return this.op('i64_ne', this.op('i64_shr_s', this.op('i64_shl', linear, sixteen), sixteen), linear);
  }
  get #isWrite(): Expression { return this.has(this.#l('access'), MISS_WRITE); }
  #giveUpIf(condition: Expression): void { this.if(condition, () => { this.return(this.c(0)); }); }
  /** What FRAME says of the frame of an address (i64) in RAM. */
  #flagsOf(address: Expression): Expression { return this.load(8, this.#flagsAt, this.op('i32_wrap_i64', this.op('i64_shr_u', address, this.c64(12n)))); }
  #isInRam(address: Expression): Expression { return this.op('i64_lt_u', address, this.c64(BigInt(this.#ramBytes))); }
  #count(what: keyof typeof TLB.count): void { this.store(64, TLB.count[what], this.c(0), this.op('i64_add', this.load(64, TLB.count[what]), this.c64(1n))); }
  /** Tag that nothing matches at an index: see `emptyTag`. */
  #emptyTag(entries: number): Expression {
    const index = this.#l('index');
    const first = this.op('i64_extend_i32_u', this.op('i32_shl', this.not(index), this.c(13)));
    return entries < DATA_ENTRIES ? first : this.op('i64_or', first, this.op('i64_extend_i32_u', this.op('i32_shl', this.op('i32_eq', index, this.c(DATA_ENTRIES - 1)), this.c(12))));
  }
  #setIndex(entries: number): void { this.#set('index', this.and(this.op('i32_shr_u', this.#low, this.c(12)), this.c(entries - 1))); }

  // --------------------------------------------------------------------------------------------------------- prepare
  prepare(): void {
    this.#giveUpIf(this.or(
      this.not(this.load(32, ENGINE.walkable)), this.#isNotCanonical,
      this.and(this.has(this.load(32, OFFSET.cr4), CR4.PKE), this.op('i32_ne', this.load(32, OFFSET.pkru), this.c(0))),
      this.op('i32_gt_u', this.op('i32_add', this.and(this.#low, this.c(0xfff)), this.and(this.#l('access'), this.c(0xff))), this.c(4096)),
    ));
    this.#setIndex(DATA_ENTRIES);
    this.#set('at', this.op('i32_shl', this.#l('index'), this.c(4)));
    this.#set('column', this.load(32, ENGINE.dataColumn));
    this.#look(TLB.data);
    // The first write through a clean entry walks again, to set D.
    const enough = this.or(this.not(this.#isWrite), this.has(this.#l('attributes'), A.dirty));
    this.if(this.and(this.#isOfPage(TLB.data), enough, this.not(this.#refused())), () => { this.#set('frame', this.load(32, TLB.data + TLB.frame, this.#l('at'))); }, () => {
      this.#walk('data');
      this.#fill('data', this.#l('index'));
    });
    this.#publish();
    this.#count('accesses');
    this.return(this.c(PREPARED.answered));
  }

  /** `Mmu.#fetch`, but for page faults. */
  prepareFetch(): void {
    this.#giveUpIf(this.or(this.not(this.load(32, ENGINE.walkable)), this.#isNotCanonical));
    const slot = this.op('i32_add', this.#l('index'), this.c(DATA_ENTRIES));
    this.#setIndex(INSTRUCTION_ENTRIES);
    this.#set('at', this.op('i32_shl', slot, this.c(4)));
    this.#set('column', this.load(32, ENGINE.fetchColumn));
    this.#look(TLB.data);
    this.if(this.and(this.#isOfPage(TLB.data), this.not(this.#fetchRefused)), () => { this.#set('frame', this.load(32, TLB.data + TLB.frame, this.#l('at'))); }, () => {
      this.#walk('instruction');
      this.#fill('instruction', slot);
    });
    const address = this.op('i64_shl', this.op('i64_extend_i32_u', this.#l('frame')), this.c64(12n));
    this.#giveUpIf(this.not(this.#isInRam(address)));
    this.#giveUpIf(this.has(this.#flagsOf(address), FRAME.mmio));
    this.#set('place', this.op('i32_add', this.#l('column'), this.op('i32_mul', this.#l('index'), this.c(FETCH_ENTRY_BYTES))));
    this.store(64, FETCH_FIELD.tag, this.#l('place'), this.#wholeTag);
    this.store(32, FETCH_FIELD.frame, this.#l('place'), this.#l('frame'));
    this.#count('accesses');
    this.return(this.c(1));
  }
  /** The same of a fetch. */
  get #fetchRefused(): Expression {
    const user = this.has(this.#l('attributes'), A.user), byUser = this.op('i32_eq', this.#l('column'), this.c(fetchColumnBase(FETCH_COLUMN.user)));
    return this.or(
      this.has(this.#l('attributes'), A.executeDisable), this.and(byUser, this.not(user)), this.and(this.not(byUser), user, this.has(this.load(32, OFFSET.cr4), CR4.SMEP)),
    );
  }

  /** A page fault, which drops what the TLBs hold for the page. `code`: bit P. */
  #fault(code: number): void {
    this.#giveUpIf(this.#mayBeLarge);
    this.#dropPage();
    this.store(32, ENGINE.faultCode, this.c(0), this.or(
      this.c(code), this.op('i32_shl', this.#isWrite, this.c(1)), this.op('i32_shl', this.op('i32_eq', this.#l('column'), this.c(columnBase(COLUMN.user))), this.c(2)),
    ));
    this.return(this.c(PREPARED.fault));
  }

  /** Whether the rights in `attributes` refuse the access in the column: `denial`, where no key is in effect. */
  #refused(): Expression {
    const user = this.has(this.#l('attributes'), A.user);
    const byUser = this.op('i32_eq', this.#l('column'), this.c(columnBase(COLUMN.user))), underSmap = this.op('i32_eq', this.#l('column'), this.c(columnBase(COLUMN.supervisorUnderSmap)));
    return this.or(this.and(byUser, this.not(user)), this.and(underSmap, user), this.and(this.#isWrite, this.not(this.#writeAllowed(byUser))));
  }
  #writeAllowed(byUser: Expression): Expression {
    return this.or(this.has(this.#l('attributes'), A.writable), this.and(this.not(byUser), this.not(this.has(this.load(32, OFFSET.cr0), CR0.WP))));
  }

  /** Follows the paging structures: leaves `attributes` and `frame`, and the leaf's bits A and D set. Returns a page fault, or gives up before one of a fetch. */
  #walk(tlb: 'data' | 'instruction'): void {
    const fault = (code: number): void => { if (tlb === 'data') this.#fault(code); else this.return(this.c(0)); };
    this.#set('rights', this.c(ENTRY.RW | ENTRY.US));
    this.#set('attributes', this.c(0));
    this.#set('large', this.c(0));
    this.if(this.op('i32_eq', this.load(32, ENGINE.walkable), this.c(PLAIN_PAGING.fourLevels)), () => { this.#walkFourLevels(fault); }, () => { this.#walkTwoLevels(fault); });
    this.#set('attributes', this.or(
      this.#l('attributes'), this.c(A.valid), this.op('i32_shl', this.has(this.#l('rights'), ENTRY.RW), this.c(Math.log2(A.writable))),
      this.op('i32_shl', this.has(this.#l('rights'), ENTRY.US), this.c(Math.log2(A.user))),
    ));
    this.if(tlb === 'data' ? this.#refused() : this.#fetchRefused, () => { fault(PF_ERROR.P); });
    this.#setFlags(this.select(this.#isWrite, this.c(ENTRY.A | ENTRY.D), this.c(ENTRY.A)));
    const global = this.and(this.has(this.load(32, OFFSET.cr4), CR4.PGE), this.has(this.#entryLow, ENTRY.G));
    const key = this.and(this.op('i32_wrap_i64', this.op('i64_shr_u', this.#l('entry'), this.c64(59n))), this.c(15));
    this.#set('attributes', this.or(
      this.#l('attributes'), this.op('i32_shl', this.or(this.has(this.#entryLow, ENTRY.D), this.#isWrite), this.c(Math.log2(A.dirty))), this.op('i32_shl', global, this.c(Math.log2(A.global))),
      this.op('i32_shl', this.#l('large'), this.c(A.sizeShift)), this.op('i32_shl', key, this.c(A.keyShift)),
    ));
  }
  /** To the leaf: its `entry`, `place` and `frame`, the `flags` of its table, `rights` and execute-disable of all entries, the size code of a page that is `large`. */
  #walkFourLevels(fault: (code: number) => void): void {
    this.#set('table', this.op('i64_and', this.load(64, OFFSET.cr3), this.c64(ENTRY_ADDRESS)));
    const leaf = this.#code.open(OP.block, 0x40);
    LEVELS.forEach((shift, level) => {
      this.#findPlace(this.op('i64_and', this.op('i64_shr_u', this.#l('linear'), this.c64(shift - 3n)), this.c64(0xff8n)));
      this.#set('entry', this.load(64, 0, this.#l('place')));
      this.if(this.not(this.and(this.#entryLow, this.c(ENTRY.P))), () => { fault(0); });
      this.#giveUpIf(this.op('i64_ne', this.op('i64_and', this.#l('entry'), this.load(64, ENGINE.reservedBits)), this.c64(0n)));
      this.#set('rights', this.and(this.#l('rights'), this.#entryLow));
      this.#set('attributes', this.or(this.#l('attributes'), this.op('i32_shl', this.op('i32_wrap_i64', this.op('i64_shr_u', this.#l('entry'), this.c64(63n))), this.c(Math.log2(A.executeDisable)))));
      if (level === 3) return;
      const large = this.has(this.#entryLow, ENTRY.PS);
      if (level < 2) this.#giveUpIf(large);
      else {
        this.#giveUpIf(this.and(large, this.has(this.#entryLow, RESERVED_LOW_LEAF[SIZE_2M])));
        this.#set('large', this.op('i32_mul', large, this.c(SIZE_2M)));
        this.#l('large')();
        this.#code.brIf(leaf);
      }
      this.#setFlags(this.c(ENTRY.A));
      this.#set('table', this.op('i64_and', this.#l('entry'), this.c64(ENTRY_ADDRESS)));
    });
    this.#code.end();
    this.#set('frame', this.op('i32_wrap_i64', this.op('i64_shr_u', this.op('i64_and', this.#l('entry'), this.c64(ENTRY_ADDRESS)), this.c64(12n))));
    this.#frameWithin(0x1ff);
  }
  /** The same in 32-bit paging. Pages of 4 MiB beyond 4 GiB, which not all processors have, are left alone. */
  #walkTwoLevels(fault: (code: number) => void): void {
    this.#set('table', this.op('i64_and', this.load(64, OFFSET.cr3), this.c64(0xffff_f000n)));
    const leaf = this.#code.open(OP.block, 0x40);
    for (const [level, shift] of [20n, 10n].entries()) {
      this.#findPlace(this.op('i64_and', this.op('i64_shr_u', this.#l('linear'), this.c64(shift)), this.c64(0xffcn)));
      this.#set('entry', this.op('i64_extend_i32_u', this.load(32, 0, this.#l('place'))));
      this.if(this.not(this.and(this.#entryLow, this.c(ENTRY.P))), () => { fault(0); });
      this.#set('rights', this.and(this.#l('rights'), this.#entryLow));
      if (level === 1) break;
      const large = this.and(this.has(this.#entryLow, ENTRY.PS), this.has(this.load(32, OFFSET.cr4), CR4.PSE));
      this.#giveUpIf(this.and(large, this.has(this.#entryLow, RESERVED_WITHOUT_PSE36)));
      this.#set('large', this.op('i32_mul', large, this.c(SIZE_4M)));
      this.#l('large')();
      this.#code.brIf(leaf);
      this.#setFlags(this.c(ENTRY.A));
      this.#set('table', this.op('i64_and', this.#l('entry'), this.c64(0xffff_f000n)));
    }
    this.#code.end();
    this.#set('frame', this.op('i32_shr_u', this.#entryLow, this.c(12)));
    this.#frameWithin(0x3ff);
  }
  /** The entry at `index` bytes (i64) in `table`: its `place`, and the `flags` of its frame. */
  #findPlace(index: Expression): void {
    this.#giveUpIf(this.not(this.#isInRam(this.#l('table'))));
    this.#set('flags', this.#flagsOf(this.#l('table')));
    this.#giveUpIf(this.has(this.#l('flags'), FRAME.mmio));
    this.#set('place', this.op('i32_add', this.op('i32_wrap_i64', this.op('i64_or', this.#l('table'), index)), this.c(RAM_BASE)));
  }
  /** Takes the frame of 4 KiB within a large page, whose frames are numbered by the bits of the mask. */
  #frameWithin(mask: number): void {
    this.if(this.#l('large'), () => {
      this.#set('frame', this.or(this.and(this.#l('frame'), this.c(~mask)), this.and(this.op('i32_shr_u', this.#low, this.c(12)), this.c(mask))));
    });
  }
  get #entryLow(): Expression { return this.op('i32_wrap_i64', this.#l('entry')); }
  /** Sets bits of the entry at `place` that are not set; gives up where somebody wants to see that. `flags` are those of its frame. */
  #setFlags(bits: Expression): void {
    this.if(this.op('i32_ne', this.and(this.#entryLow, bits), bits), () => {
      this.#giveUpIf(this.op('i32_ne', this.and(this.#l('flags'), this.c(FRAME.written | FRAME.code | FRAME.watched | FRAME.monitored)), this.c(FRAME.written)));
      this.store(32, 0, this.#l('place'), this.or(this.#entryLow, bits));
    });
  }

  /** `Tlb.fill`, in the place of whatever the slot held. */
  #fill(tlb: 'data' | 'instruction', slot: Expression): void {
    if (tlb === 'data') this.#emptyColumns(); else this.#emptyFetchColumns();
    this.#unmarkLarge(slot, this.#l('at'));
    this.store(32, TLB.data, this.#l('at'), this.#pageTag);
    this.store(32, TLB.data + TLB.high, this.#l('at'), this.#high);
    this.store(32, TLB.data + TLB.frame, this.#l('at'), this.#l('frame'));
    this.store(32, TLB.data + TLB.attributes, this.#l('at'), this.#l('attributes'));
    this.#mark(slot, this.#l('at'));
    this.#count('walks');
  }

  /** `Mmu.#tryFrame` from the entry on: publishes it, or gives up where the frame is no RAM or a write to it is to be noted. */
  #publish(): void {
    const address = this.op('i64_shl', this.op('i64_extend_i32_u', this.#l('frame')), this.c64(12n));
    this.#giveUpIf(this.not(this.#isInRam(address)));
    this.#set('flags', this.#flagsOf(address));
    this.#giveUpIf(this.has(this.#l('flags'), FRAME.mmio));
    const byUser = this.op('i32_eq', this.#l('column'), this.c(columnBase(COLUMN.user)));
    // Whether it may be written: `bits`; and what that leaves for lines with code.
    this.#set('bits', this.and(
      this.has(this.#l('attributes'), A.dirty), this.not(this.has(this.#l('flags'), FRAME.watched | FRAME.monitored)), this.or(this.#isWrite, this.#writeAllowed(byUser)),
    ));
    // Writes to code, and those that the column will not answer, are TypeScript's.
    this.#giveUpIf(this.and(this.#isWrite, this.or(this.not(this.#l('bits')), this.has(this.#l('flags'), FRAME.code))));
    this.if(this.#l('bits'), () => {
      this.if(this.not(this.has(this.#l('flags'), FRAME.written)), () => {
        const left = this.load(32, this.#writtenLeftAt);
        this.#giveUpIf(this.op('i32_le_s', left, this.c(1)));
        this.store(32, this.#writtenLeftAt, this.c(0), this.op('i32_sub', left, this.c(1)));
      });
      this.store(8, this.#flagsAt, this.#l('frame'), this.or(this.#l('flags'), this.c(FRAME.fastWrites | FRAME.written)));
    });
    this.#set('place', this.op('i32_add', this.#l('column'), this.op('i32_mul', this.#l('index'), this.c(COLUMN_ENTRY_BYTES))));
    this.store(64, COLUMN_FIELD.readTag, this.#l('place'), this.#wholeTag);
    const written = this.and(this.#l('bits'), this.not(this.has(this.#l('flags'), FRAME.code)));
    this.store(64, COLUMN_FIELD.writeTag, this.#l('place'), this.select(written, this.#wholeTag, this.#emptyTag(DATA_ENTRIES)));
    this.store(32, COLUMN_FIELD.addend, this.#l('place'), this.op('i32_sub', this.op('i32_add', this.op('i32_shl', this.#l('frame'), this.c(12)), this.c(RAM_BASE)), this.and(this.#low, this.c(~0xfff))));
    this.store(64, COLUMN_FIELD.codeLines, this.#l('place'), this.select(this.#l('bits'), this.load(64, codeLinesBase(this.#ramBytes), this.op('i32_shl', this.#l('frame'), this.c(3))), this.c64(-1n)));
  }

  // -------------------------------------------------------------------------------------------------- parts of the TLB
  /** Takes the entry at `at` of a TLB: its attributes, and how its tag differs from that of the address. */
  #look(base: number): void {
    this.#set('attributes', this.load(32, base + TLB.attributes, this.#l('at')));
    this.#set('tag', this.op('i32_xor', this.load(32, base, this.#l('at')), this.#pageTag));
  }
  /** Whether it is for the page of the address: `Tlb.#match`. */
  #isOfPage(base: number): Expression {
    return this.and(
      this.has(this.#l('attributes'), A.valid), this.op('i32_eq', this.load(32, base + TLB.high, this.#l('at')), this.#high),
      this.or(this.not(this.#l('tag')), this.and(this.not(this.and(this.#l('tag'), this.c(~0xfff))), this.has(this.#l('attributes'), A.global))),
    );
  }

  /** Empties the three columns at `index`; where one held something, what translated code remembers of pages may be that. */
  #emptyColumns(): void {
    this.#set('displaced', this.c(0));
    this.#emptyEach((tag) => { this.#set('displaced', this.or(this.#l('displaced'), this.op('i64_ne', tag, this.#emptyTag(DATA_ENTRIES)))); });
    this.if(this.#l('displaced'), () => { this.#forgetPages(); });
  }
  /** Empties them, with a look at the read tag of each before. */
  #emptyEach(see?: (tag: Expression) => void): void {
    const empty = this.#emptyTag(DATA_ENTRIES), place = this.#l('place');
    this.#set('place', this.op('i32_mul', this.#l('index'), this.c(COLUMN_ENTRY_BYTES)));
    for (const column of COLUMNS) {
      const base = columnBase(column);
      see?.(this.load(64, base + COLUMN_FIELD.readTag, place));
      this.store(64, base + COLUMN_FIELD.readTag, place, empty);
      this.store(64, base + COLUMN_FIELD.writeTag, place, empty);
      this.store(64, base + COLUMN_FIELD.codeLines, place, this.c64(-1n));
    }
  }
  #forgetPages(): void {
    for (const value of [PAGES_BASE, NO_PAGE_BYTE, COLUMNS.length * PAGES_BYTES]) this.#code.i32(value);
    this.#code.op(OP.memory_fill);
    this.#code.byte(0);
  }
  #emptyFetchColumns(): void {
    for (const column of FETCH_COLUMNS) this.store(64, fetchColumnBase(column) + FETCH_FIELD.tag, this.op('i32_mul', this.#l('index'), this.c(FETCH_ENTRY_BYTES)), this.#emptyTag(INSTRUCTION_ENTRIES));
  }

  /** Byte offset of a slot's word in a bitmap, and its bit. */
  #wordAt(slot: Expression): Expression { return this.op('i32_shl', this.op('i32_shr_u', slot, this.c(5)), this.c(2)); }
  #bitOf(slot: Expression): Expression { return this.op('i32_shl', this.c(1), slot); }
  #changeBit(bitmap: number, slot: Expression, how: 'set' | 'clear'): void {
    const old = this.load(32, bitmap, this.#wordAt(slot)), bit = this.#bitOf(slot);
    this.store(32, bitmap, this.#wordAt(slot), how === 'set' ? this.or(old, bit) : this.and(old, this.op('i32_xor', bit, this.c(-1))));
  }
  /** `Tlb.#mark` of an entry that is no page of 1 GiB. `at`: its offset from the data TLB. */
  #mark(slot: Expression, at: Expression): void {
    this.#changeBit(TLB.occupied, slot, 'set');
    this.if(this.#l('large'), () => {
      this.#changeBit(TLB.large, slot, 'set');
      this.#addToLarge(this.#largeCount(at), 1);
    });
  }
  /** `Tlb.#unmarkLarge`. */
  #unmarkLarge(slot: Expression, at: Expression): void {
    this.if(this.and(this.op('i32_shr_u', this.load(32, TLB.large, this.#wordAt(slot)), slot), this.c(1)), () => {
      this.#changeBit(TLB.large, slot, 'clear');
      const isGiant = this.op('i32_eq', this.and(this.load(32, TLB.data + TLB.attributes, at), this.c(3 << A.sizeShift)), this.c(2 << A.sizeShift));
      this.#addToLarge(this.select(isGiant, this.c(4 * TLB.largeRegions), this.#largeCount(at)), -1);
    });
  }
  /** Byte offset from the counts of the one for an entry's region: `largeCountAt`. */
  #largeCount(at: Expression): Expression { return this.#countOf(this.load(32, TLB.data, at), this.load(32, TLB.data + TLB.high, at)); }
  #countOf(low: Expression, high: Expression): Expression {
    const hashed = this.op('i32_xor', this.op('i32_shr_u', low, this.c(22)), this.op('i32_shr_u', this.op('i32_mul', high, this.c(0x9e37_79b1 | 0)), this.c(22)));
    return this.op('i32_shl', this.and(hashed, this.c(TLB.largeRegions - 1)), this.c(2));
  }
  #addToLarge(at: Expression, delta: number): void { this.store(32, TLB.largeCounts, at, this.op('i32_add', this.load(32, TLB.largeCounts, at), this.c(delta))); }

  // ---------------------------------------------------------------------------------------------------- invalidation
  /** INVLPG where nothing from a large page can be concerned. */
  invalidatePage(): void {
    this.#giveUpIf(this.or(this.not(this.load(32, ENGINE.walkable)), this.#mayBeLarge));
    this.#count('flushes');
    this.#dropPage();
    this.return(this.c(1));
  }
  /** There may be entries from a large page of the address. */
  get #mayBeLarge(): Expression {
    return this.op('i32_ne', this.or(this.load(32, TLB.largeCounts, this.#countOf(this.#low, this.#high)), this.load(32, TLB.largeCounts + 4 * TLB.largeRegions)), this.c(0));
  }
  /** `Tlb.dropPage` where there are none. */
  #dropPage(): void {
    for (const [entries, base, first] of [[DATA_ENTRIES, TLB.data, 0], [INSTRUCTION_ENTRIES, TLB.instruction, DATA_ENTRIES]] as const) {
      this.#setIndex(entries);
      this.#set('at', this.op('i32_shl', this.#l('index'), this.c(4)));
      this.#look(base);
      this.if(this.#isOfPage(base), () => {
        this.store(32, base + TLB.attributes, this.#l('at'), this.c(0));
        this.#changeBit(TLB.occupied, first === 0 ? this.#l('index') : this.op('i32_add', this.#l('index'), this.c(first)), 'clear');
        if (first === 0) this.#emptyColumns(); else this.#emptyFetchColumns();
      });
    }
  }

  /** `Mmu.setCr3`, and the PCID in effect. */
  writeCr3(): void {
    const value = this.#l('linear'), context = this.load(32, ENGINE.contextKey + 4), withPcid = WITH_PCID << CONTEXT_KEY_HIGH_SHIFT;
    this.#set('access', this.select(this.has(this.load(32, OFFSET.cr4), CR4.PCIDE), this.and(this.op('i32_wrap_i64', value), this.c(0xfff)), this.c(0)));
    this.store(64, OFFSET.cr3, this.c(0), this.op('i64_and', value, this.c64((1n << 63n) - 1n)));
    this.if(this.op('i64_ge_s', value, this.c64(0n)), () => { this.#flush(); });
    this.store(64, ENGINE.pcid, this.c(0), this.op('i64_extend_i32_u', this.#l('access')));
    this.store(32, ENGINE.contextKey + 4, this.c(0), this.or(this.and(context, this.c(~withPcid)), this.select(this.#l('access'), this.c(withPcid), this.c(0))));
    this.#forgetPages();
  }
  /** Drops the entries of the PCID in `access` that are not global: `Tlb.flushPcid`, and `Tlb.flush(true)` where there is no other. */
  #flush(): void {
    this.#count('flushes');
    this.#set('word', this.c(0));
    this.loop((nextWord) => {
      this.#set('bits', this.load(32, TLB.occupied, this.#l('word')));
      this.loop((nextBit) => {
        this.if(this.#l('bits'), () => {
          const lowest = this.op('i32_ctz', this.#l('bits'));
          // The slot's number.
          this.#set('tag', this.op('i32_add', this.op('i32_shl', this.#l('word'), this.c(3)), lowest));
          this.#set('bits', this.and(this.#l('bits'), this.op('i32_sub', this.#l('bits'), this.c(1))));
          this.#set('at', this.op('i32_shl', this.#l('tag'), this.c(4)));
          const ofPcid = this.op('i32_eq', this.and(this.load(32, TLB.data, this.#l('at')), this.c(0xfff)), this.#l('access'));
          this.if(this.and(this.not(this.has(this.load(32, TLB.data + TLB.attributes, this.#l('at')), A.global)), ofPcid), () => { this.#drop(); });
          this.#code.br(nextBit);
        });
      });
      this.#set('word', this.op('i32_add', this.#l('word'), this.c(4)));
      this.if(this.op('i32_lt_u', this.#l('word'), this.c((DATA_ENTRIES + INSTRUCTION_ENTRIES) / 8)), () => { this.#code.br(nextWord); });
    });
  }
  /** Drops the entry of the slot in `tag`, at `at`. */
  #drop(): void {
    this.#unmarkLarge(this.#l('tag'), this.#l('at'));
    this.store(32, TLB.data + TLB.attributes, this.#l('at'), this.c(0));
    this.#changeBit(TLB.occupied, this.#l('tag'), 'clear');
    this.#set('index', this.and(this.#l('tag'), this.c(DATA_ENTRIES - 1)));
    this.if(this.op('i32_lt_u', this.#l('tag'), this.c(DATA_ENTRIES)), () => { this.#emptyEach(); }, () => { this.#emptyFetchColumns(); });
  }
}

/**
 * Where things are, and what they look like in memory: the map of the linear address space, the bits of
 * paging-structure entries, and the records that the kernel's parts share. Nothing here assembles to a byte.
 *
 *   0x0000000000400000   ring 3: one address space per task
 *   0xffff800000000000   PML4[256]  direct map: all RAM, physical p at DIRECT_MAP + p
 *   0xffffc00000000000   PML4[384]  regions of the kernel's VMM; the heap in the middle, with room to grow
 *   0xffffff0000000000   PML4[510]  the recursive entry: the page tables seen as memory
 *   0xffffffff80000000   PML4[511]  the kernel's image, physical 0 at this address
 *
 * The upper half (PML4[256..511]) is shared by every address space.
 */

export const KERNEL_BASE = 0xffff_ffff_8000_0000n;
export const DIRECT_MAP = 0xffff_8000_0000_0000n;
export const KERNEL_SPACE = 0xffff_c000_0000_0000n;
export const KERNEL_SPACE_END = 0xffff_c080_0000_0000n;
export const KERNEL_HEAP = 0xffff_c040_0000_0000n;
export const USER_SPACE = 0x40_0000;
export const USER_SPACE_END = 0x80_0000_0000n;

export const PML4_DIRECT = 256, PML4_KERNEL = 384, PML4_RECURSIVE = 510, PML4_IMAGE = 511;

export const PAGE_SIZE = 0x1000;
export const PAGE_2M = 0x20_0000;
export const PAGE_1G = 0x4000_0000;

/** Bits of CR0, CR4, EFER and RFLAGS that the kernel changes. SDM Vol. 3A, "Control Registers". */
export const CR0 = { PE: 1, WP: 1 << 16, PG: 0x8000_0000 } as const;
export const CR4 = { PAE: 1 << 5 } as const;
export const EFER = { SCE: 1, LME: 1 << 8, NXE: 1 << 11 } as const;
export const RFLAGS = { TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, RF: 1 << 16 } as const;
export const MSR = { EFER: 0xc000_0080, STAR: 0xc000_0081, LSTAR: 0xc000_0082, SFMASK: 0xc000_0084 } as const;

/** Bits of a paging-structure entry. SDM Vol. 3A, "4-Level Paging and 5-Level Paging". */
export const PTE = {
  P: 1, RW: 1 << 1, US: 1 << 2, PCD: 1 << 4, A: 1 << 5, D: 1 << 6, PS: 1 << 7,
  /** Bits 11:9 are left to software: this one says that the frame is the shared page of zeroes. */
  ZERO: 1 << 9,
  NX: 1n << 63n,
  FRAME: 0x000f_ffff_ffff_f000n,
} as const;

/** Bits of a page fault's error code. They describe the access, not the cause. SDM Vol. 3A, "Page-Fault Exceptions". */
export const FAULT = { P: 1, WRITE: 2, USER: 4, RSVD: 8, FETCH: 16 } as const;

/** Selectors of the GDT, in the order that SYSCALL and SYSRET want. */
export const SELECTOR = { kernelCode: 0x08, kernelData: 0x10, user32: 0x18, userData: 0x20, userCode: 0x28, tss: 0x30 } as const;

type Record64<N extends string> = Readonly<Record<N, number>> & { readonly bytes: number };
/** A record of 64-bit fields: their byte offsets, and the record's size in `bytes`. */
function record<const N extends string>(...fields: N[]): Record64<N> {
  const offsets: Record<string, number> = { bytes: fields.length * 8 };
  fields.forEach((field, i) => { offsets[field] = i * 8; });
  return offsets as Record64<N>;
}

/** What the common interrupt stub leaves on the stack, lowest address first. */
export const FRAME = record('r15', 'r14', 'r13', 'r12', 'r11', 'r10', 'r9', 'r8', 'rbp', 'rdi', 'rsi', 'rdx', 'rcx', 'rbx', 'rax',
  'vector', 'errorCode', 'rip', 'cs', 'rflags', 'rsp', 'ss');

/** A physical memory manager: a bitmap, 1 = taken. The system has one; scenarios make toy ones. */
export const PMM = record(
  /** Linear address of the bitmap, a whole number of 64-bit rows. */ 'bitmap',
  /** Frames that the bitmap describes, and rows that hold them. */ 'frames', 'rows',
  'free', 'used',
  /** No row below this one has a free frame. */ 'hint',
  /** Frames holding page tables, and pages mapped to the shared zero frame (one frame, however many). */ 'tables', 'zeroPages');

/** A VMM object: a stretch of linear addresses with one protection and one backing policy. */
export const REGION = record('next', 'base', 'length', 'protection', 'policy', 'pageSize', 'faults', 'physical');
/** An address space: its PML4 and its regions, in order of base. */
export const SPACE = record('pml4', 'regions', 'lowest', 'highest', 'faults', 'frames');

export const PROTECTION = { WRITE: 1, EXECUTE: 2, USER: 4, MMIO: 8 } as const;
/** Who provides frames, and when. */
export const POLICY = { IMMEDIATE: 0, DEMAND: 1, ZERO: 2, GUARD: 3 } as const;

/** The real heap: its memory, its free lists by size class, and what happened so far. */
export const HEAP_CLASSES = 16;
const heapFields = record('base', 'end', 'last', 'used', 'allocations', 'frees', 'splits', 'merges', 'growths', 'refused', 'lists');
export const HEAP = { ...heapFields, bytes: heapFields.lists + HEAP_CLASSES * 8 } as const;
/** The header in front of every block of the real heap; a free block has links to other free ones behind it. */
export const BLOCK = record('size', 'previous', 'state', 'checksum', 'nextFree', 'previousFree');
/** Bytes of a block's header: what lies between a block and the address that alloc returns. */
export const BLOCK_HEADER = BLOCK.nextFree;
export const BLOCK_STATE = { used: 0x55534544, free: 0x46524545 } as const;

/** The heap's stages: where a small heap lies, and how far it has been handed out. */
export const STAGE = record('base', 'cursor', 'end', 'features');
export const STAGE_FEATURE = { MERGE: 1, SPLIT: 2, EXPAND: 4 } as const;
/** A node of the later stages. */
export const NODE = record('size', 'status', 'previous', 'next');
/** The earlier stages' header is two bytes, as in the text's 25-byte heap. */
export const BYTE_HEADER = { size: 0, status: 1, bytes: 2 } as const;
export const STATUS = { free: 0, used: 1 } as const;

/** What a memory map's usable ranges become, whatever boot protocol they came by. */
export const RANGE = record('base', 'end');
export const MAX_RANGES = 32;

/** Exit through QEMU's isa-debug-exit port: status (value << 1) | 1. */
export const EXIT = { testFailed: 0x10, unexplainedFault: 0x11, panic: 0x12 } as const;

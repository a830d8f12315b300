/* What kernels do all day: page faults, address spaces, TLB invalidation, interrupts, system calls, ports; and a large REP MOVSB. */
#include "bench.h"

typedef unsigned long entry; /* of a page table: 32 or 64 bits */
enum { PRESENT = 1, WRITABLE = 2, USER = 4, PAGE = 4096, PAGE_FAULT = 14, A_VECTOR = 0x40, KERNEL_CODE = 8 };

/* A part of the address space mapped by one table of 4-KiB pages, far from the identity map with its large pages. */
#ifdef __x86_64__
#define WINDOW 0xffff800000000000ul
#define TABLE_ENTRIES 512
extern entry pml4[];
static entry window_pdpt[512] __attribute__((aligned(4096))), window_directory[512] __attribute__((aligned(4096)));
#else
#define WINDOW 0xc0000000ul
#define TABLE_ENTRIES 1024
extern entry page_directory[];
#endif
static entry window_table[TABLE_ENTRIES] __attribute__((aligned(4096)));

void reload_cr3(void) {
  unsigned long value;
  __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(value) : : "memory");
}
static void invlpg(unsigned long address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
static volatile uint32_t *window(size_t page) { return (volatile uint32_t *)(WINDOW + page * PAGE); }
static entry frame(size_t page) { return (entry)(ARENA + page * PAGE); }

static void open_window(void) {
#ifdef __x86_64__
  window_directory[0] = (entry)window_table | PRESENT | WRITABLE | USER;
  window_pdpt[0] = (entry)window_directory | PRESENT | WRITABLE | USER;
  pml4[256] = (entry)window_pdpt | PRESENT | WRITABLE | USER;
#else
  page_directory[WINDOW >> 22] = (entry)window_table | PRESENT | WRITABLE | USER;
#endif
  reload_cr3();
}
static void map_window(size_t pages) {
  open_window();
  for (size_t page = 0; page < pages; page++) {
    *(uint32_t *)frame(page) = (uint32_t)(page * page + 7);
    window_table[page] = frame(page) | PRESENT | WRITABLE;
  }
}

struct gate {
#ifdef __x86_64__
  uint16_t low, selector, type, middle;
  uint32_t high, reserved;
#else
  uint16_t low, selector, type, middle;
#endif
};
static struct gate idt[256];
#ifdef __x86_64__
static void load_gdt(void) {} /* entry64.S has done it */
#else
/* A Multiboot loader need not leave its GDT in memory. */
static void load_gdt(void) {
  static const uint64_t GDT[] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff};
  struct {
    uint16_t limit;
    uint32_t base;
  } __attribute__((packed)) pointer = {sizeof GDT - 1, (uint32_t)GDT};
  __asm__ volatile("lgdt %0\n\tljmp $8, $1f\n1:\tmov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss" : : "m"(pointer), "r"(16) : "memory");
}
#endif
static void set_gate(unsigned vector, unsigned long handler) {
  load_gdt();
  idt[vector].low = (uint16_t)handler;
  idt[vector].selector = KERNEL_CODE;
  idt[vector].type = 0x8e00;
  idt[vector].middle = (uint16_t)(handler >> 16);
#ifdef __x86_64__
  idt[vector].high = (uint32_t)(handler >> 32);
#endif
  struct {
    uint16_t limit;
    unsigned long base;
  } __attribute__((packed)) pointer = {sizeof idt - 1, (unsigned long)idt};
  __asm__ volatile("lidt %0" : : "m"(pointer));
}

struct interrupt_frame;
static volatile uint32_t interrupts;

__attribute__((interrupt)) static void on_page_fault(struct interrupt_frame *frame_pushed, unsigned long error) {
  unsigned long address;
  __asm__ volatile("mov %%cr2, %0" : "=r"(address));
  size_t page = (address - WINDOW) / PAGE;
  window_table[page % TABLE_ENTRIES] = frame(page) | PRESENT | WRITABLE;
  interrupts++;
}
__attribute__((interrupt)) static void on_interrupt(struct interrupt_frame *frame_pushed) { interrupts++; }

enum { FAULTING_PAGES = 256 };
static void prepare_faults(void) {
  map_window(FAULTING_PAGES);
  for (size_t page = 0; page < FAULTING_PAGES; page++) window_table[page] = 0;
  reload_cr3();
  set_gate(PAGE_FAULT, (unsigned long)on_page_fault);
}
/* Touch, be mapped by the handler, be unmapped. */
WORK static uint32_t faults(void) {
  uint32_t sum = 0;
  interrupts = 0;
  for (size_t page = 0; page < FAULTING_PAGES; page++) {
    sum += *window(page);
    window_table[page] = 0;
    invlpg((unsigned long)window(page));
  }
  return sum * 1024 + interrupts;
}

static void prepare_eight_pages(void) { map_window(8); }
WORK static uint32_t cr3(void) {
  uint32_t sum = 0;
  for (int n = 0; n < 100; n++) {
    reload_cr3();
    for (size_t page = 0; page < 8; page++) sum += *window(page);
  }
  return sum;
}
WORK static uint32_t invalidate(void) {
  uint32_t sum = 0;
  for (size_t n = 0; n < 1000; n++) {
    invlpg((unsigned long)window(n & 7));
    sum += *window(n & 7);
  }
  return sum;
}

static void prepare_interrupt(void) { set_gate(A_VECTOR, (unsigned long)on_interrupt); }
WORK static uint32_t interrupt(void) {
  interrupts = 0;
  for (int n = 0; n < 1000; n++) __asm__ volatile("int %0" : : "i"(A_VECTOR) : "memory");
  return interrupts;
}

WORK static uint32_t port(void) {
  for (uint32_t n = 0; n < 1000; n++) out8(0x80, (uint8_t)n);
  return 1000;
}

/* A quarter of a MiB to the next place of 24 MiB, more than caches hold; every page has a mark. */
enum { BLOCK = 256 << 10, BLOCKS = 96 };
static uint32_t blocks_moved;
static void prepare_blocks(void) {
  blocks_moved = 0;
  for (size_t at = 0; at < BLOCK * BLOCKS; at += PAGE) *(uint32_t *)(ARENA + at) = (uint32_t)(at % BLOCK * 3 + 1);
}
WORK static uint32_t move(void) {
  uint8_t *source = ARENA + (blocks_moved++ % BLOCKS) * BLOCK, *from = source, *to = source + (32 << 20);
  size_t count = BLOCK;
  __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(count) : : "memory");
  uint32_t sum = 0;
  for (size_t at = 0; at < BLOCK; at += PAGE) sum = sum * 5 + *(uint32_t *)(source + (32 << 20) + at);
  return sum;
}

#ifdef __x86_64__
/* Ring 3 calls the kernel, which counts and returns at once. */
extern const char syscall_entry[], caller_start[], caller_end[];
uint32_t call_from_ring3(unsigned long entry_point, uint32_t times);

static void write_msr(uint32_t msr, uint64_t value) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))); }
static void prepare_syscall(void) {
  map_window(1);
  window_table[0] |= USER;
  for (const char *at = caller_start; at < caller_end; at++) ((char *)WINDOW)[at - caller_start] = *at;
  write_msr(0xc0000081, 0x0013000800000000); /* STAR: SYSCALL to 0x08 and 0x10, SYSRET to 0x23 and 0x1b */
  write_msr(0xc0000082, (uint64_t)syscall_entry);
  write_msr(0xc0000084, 0x700); /* SFMASK: DF, IF, TF */
}
WORK static uint32_t system_call(void) { return call_from_ring3(WINDOW, 1000); }
#endif

const struct workload system_workloads[] = {
  {"movsb", prepare_blocks, move, 0x6e3487c0},
  {"fault", prepare_faults, faults, 0x53720100},
  {"cr3", prepare_eight_pages, cr3, 100 * (140 + 56)},
  {"invlpg", prepare_eight_pages, invalidate, 125 * (140 + 56)},
  {"int", prepare_interrupt, interrupt, 1000},
#ifdef __x86_64__
  {"syscall", prepare_syscall, system_call, 1000},
#endif
  {"out", NULL, port, 1000},
  {NULL, NULL, NULL, 0}};

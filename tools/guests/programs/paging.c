/* Page tables written by C: demand paging, zero page and copy on write, large pages, INVLPG. */
#include "system.h"

extern uint64_t pml4[];
enum { PAGE = 4096 };
/* Frames come from here upwards; the boot tables map the first 32 MiB. */
static uint64_t next_frame = 0x800000;
unsigned demand_faults;
static struct {
  uint64_t from, to, flags;
} regions[4];
static unsigned region_count;

static void *linear_of(uint64_t physical) { return (void *)(physical + IMAGE_BASE); }

uint64_t new_frame(void) {
  uint64_t frame = next_frame;
  next_frame += PAGE;
  memset(linear_of(frame), 0, PAGE);
  return frame;
}

uint64_t *page_table_entry(uint64_t address, bool create) {
  uint64_t *table = pml4;
  for (int shift = 39; shift > 12; shift -= 9) {
    uint64_t *entry = &table[address >> shift & 511];
    if ((*entry & PRESENT) == 0) {
      if (!create) return NULL;
      *entry = new_frame() | PRESENT | WRITABLE | USER;
    }
    if (*entry & LARGE) return entry;
    table = linear_of(*entry & 0x000ffffffffff000);
  }
  return &table[address >> 12 & 511];
}

void map(uint64_t address, uint64_t frame, uint64_t flags) {
  *page_table_entry(address, true) = frame | flags | PRESENT;
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

void demand_region(uint64_t from, uint64_t to, uint64_t flags) {
  regions[region_count].from = from;
  regions[region_count].to = to;
  regions[region_count++].flags = flags;
}

static uint64_t zero_frame;
static unsigned copies;
static uint64_t copy_from, copy_to;

static bool page_fault(struct frame *frame) {
  uint64_t address;
  __asm__("mov %%cr2, %0" : "=r"(address));
  uint64_t page = address & -(uint64_t)PAGE;
  if (address >= copy_from && address < copy_to) {
    if ((frame->error & (PF_PRESENT | PF_WRITE)) == 0) {
      map(page, zero_frame, NO_EXECUTE);
      return true;
    }
    if (frame->error == (PF_PRESENT | PF_WRITE)) {
      copies++;
      map(page, new_frame(), WRITABLE | NO_EXECUTE);
      return true;
    }
  }
  for (unsigned n = 0; n < region_count; n++)
    if (address >= regions[n].from && address < regions[n].to && (frame->error & (PF_PRESENT | PF_FETCH)) == 0) {
      demand_faults++;
      map(page, new_frame(), regions[n].flags);
      return true;
    }
  return false;
}

static handler *previous;
static uint64_t fault_error, fault_address, fault_resume;
static bool note_fault(struct frame *frame) {
  fault_error = frame->error;
  __asm__("mov %%cr2, %0" : "=r"(fault_address));
  frame->rip = fault_resume;
  return true;
}

#define HEAP 0xffff900000000000ull

static void demand(void) {
  demand_region(HEAP, HEAP + (1 << 30), WRITABLE | NO_EXECUTE);
  uint32_t *words = (uint32_t *)HEAP;
  uint64_t sum = 0;
  for (unsigned n = 0; n < 4096; n += 64) words[n] = n; /* 4 pages */
  for (unsigned n = 0; n < 12; n++) words[(size_t)n * n * 200000] = n;
  for (unsigned n = 0; n < 12; n++) sum += words[(size_t)n * n * 200000] * 3;
  check("demand paging: sum", sum, 3 * 66);
  check("demand paging: faults", demand_faults, 15);
  /* A store across two pages, both missing: neither half is there before both are. */
  *(volatile uint64_t *)(HEAP + 0x3000000 - 3) = 0x1122334455667788;
  check("store across pages: faults", demand_faults, 17);
  check("store across pages: second half", *(volatile uint32_t *)(HEAP + 0x3000000), 0x22334455);
  /* REP MOVS and REP STOS that fault in the middle go on where they were. */
  uint8_t *text = (uint8_t *)HEAP + 0x5000000 + 4000;
  memset(text, 0x5a, 9000);
  memcpy(text + 0x100000 + 77, text, 9000);
  check("REP STOS, MOVS over missing pages", memcmp(text, text + 0x100000 + 77, 9000), 0);
  report("faults by then", demand_faults);
}

static void zero_page(void) {
  copy_from = HEAP + (2ull << 30);
  copy_to = copy_from + (1 << 20);
  zero_frame = new_frame();
  volatile uint64_t *words = (volatile uint64_t *)copy_from;
  uint64_t sum = 0;
  for (unsigned n = 0; n < 8; n++) sum += words[n * 512];
  check("zero page reads", sum, 0);
  for (unsigned n = 0; n < 8; n += 2) words[n * 512 + n] = n + 1;
  for (unsigned n = 0; n < 8; n++) sum += words[n * 512 + n] * words[n * 512 + n];
  check("after the first writes", sum, 1 + 9 + 25 + 49);
  check("frames of one's own", copies, 4);
}

static void permissions(void) {
  previous = handlers[PAGE_FAULT];
  handlers[PAGE_FAULT] = note_fault;
  uint64_t page = HEAP + (3ull << 30);
  map(page, new_frame(), 0);
  __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %0\n\tmovb $1, 5(%1)\n1:" : "=m"(fault_resume) : "r"(page) : "rax", "memory");
  check("write to a read-only page", fault_error, PF_PRESENT | PF_WRITE);
  check("  address", fault_address, page + 5);
  map(page, new_frame(), NO_EXECUTE | WRITABLE);
  *(volatile uint8_t *)page = 0xc3;
  __asm__ volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %0\n\tpush %%rax\n\tjmp *%1\n1:\tpop %%rax" : "=m"(fault_resume) : "r"(page) : "rax", "memory");
  check("fetch from a page that is not code", fault_error, PF_PRESENT | PF_FETCH);
  map(page, *page_table_entry(page, false) & 0xfffff000, WRITABLE);
  __asm__ volatile("call *%0" : : "r"(page) : "memory");
  report("the same page as code runs, RET is", *(volatile uint8_t *)page);
  handlers[PAGE_FAULT] = previous;
}

static void large_page(void) {
  /* 2 MiB of which two addresses 1 MiB apart show the same frames as the image's own mapping. */
  uint64_t address = HEAP + (4ull << 30), *table = pml4;
  for (int shift = 39; shift > 21; shift -= 9) {
    uint64_t *entry = &table[address >> shift & 511];
    if ((*entry & PRESENT) == 0) *entry = new_frame() | PRESENT | WRITABLE;
    table = linear_of(*entry & 0x000ffffffffff000);
  }
  uint64_t *entry = &table[address >> 21 & 511];
  *entry = 0x1800000 | PRESENT | WRITABLE | LARGE | NO_EXECUTE;
  for (unsigned n = 0; n < 16; n++) *(volatile uint64_t *)(address + n * 0x1f000 + 8) = n * n;
  uint64_t sum = 0;
  for (unsigned n = 0; n < 16; n++) sum += *(volatile uint64_t *)linear_of(0x1800000 + n * 0x1f000 + 8);
  check("2-MiB page", sum, 1240);
  check("  accessed and dirty", *entry & 0x60, 0x60);
}

void paging(void) {
  handlers[PAGE_FAULT] = page_fault;
  /* Nothing below: null pointers fault, and user programs have the room. */
  pml4[0] = 0;
  __asm__ volatile("mov %%cr3, %%rax\n\tmov %%rax, %%cr3" : : : "rax", "memory");
  demand();
  zero_page();
  permissions();
  large_page();
}

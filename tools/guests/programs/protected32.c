/* A kernel that never leaves 32-bit protected mode: exceptions, 4-KiB and 4-MiB pages, a timer, ring 3, and the computing guest's work. */
#include "compute.h"

struct frame {
  uint32_t edi, esi, ebp, esp_of_pusha, ebx, edx, ecx, eax, es, ds;
  uint32_t vector, error;
  uint32_t eip, cs, eflags, esp, ss;
};
enum { DIVIDE_ERROR = 0, BREAKPOINT = 3, OVERFLOW = 4, BOUND = 5, INVALID_OPCODE = 6, GENERAL_PROTECTION = 13, PAGE_FAULT = 14, IRQ0 = 32, SYSTEM_CALL = 48, VECTORS };
enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, TASK = 0x28 };
enum { PRESENT = 1, WRITABLE = 2, USER = 4, PAGE = 4096, POOL = 0x1000000, HEAP = 0x40000000, USER_STACK = 0x50000000, HEAP_END = USER_STACK };
enum { PIC1 = 0x20, PIC2 = 0xa0, END_OF_INTERRUPT = 0x20, PIT_DIVISOR = 50 };

extern uint32_t page_directory[];
extern const char stubs[];
extern char user_start[], user_end[];
uint32_t enter_user(void (*entry)(void), uint32_t stack);
_Noreturn void leave_user(uint32_t status);

static uint64_t gdt[6] = {0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff, 0};
static uint64_t idt[VECTORS];
static uint32_t tss[26];
static uint8_t interrupt_stack[4096] __attribute__((aligned(16)));
static volatile unsigned counts[VECTORS];
static volatile uint32_t last_error, last_address;
static uint32_t resume, next_frame = POOL;
static bool expecting;

static void install_tables(void) {
  struct {
    uint16_t limit;
    uint32_t base;
  } __attribute__((packed)) pointer = {sizeof gdt - 1, (uint32_t)gdt};
  uint32_t base = (uint32_t)tss;
  gdt[TASK / 8] = (sizeof tss - 1) | (uint64_t)(base & 0xffffff) << 16 | 0x89ull << 40 | (uint64_t)(base >> 24) << 56;
  tss[1] = (uint32_t)(interrupt_stack + sizeof interrupt_stack);
  tss[2] = KERNEL_DATA;
  tss[25] = sizeof tss << 16;
  __asm__ volatile("lgdt %0\n\tljmp %1, $1f\n1:\tmov %2, %%ds\n\tmov %2, %%es\n\tmov %2, %%ss\n\tmov %2, %%fs\n\tmov %2, %%gs" : : "m"(pointer), "i"(KERNEL_CODE), "r"(KERNEL_DATA) : "memory");
  for (unsigned n = 0; n < VECTORS; n++) {
    uint32_t entry = (uint32_t)stubs + 16 * n;
    bool open = n == BREAKPOINT || n == OVERFLOW || n == SYSTEM_CALL;
    idt[n] = (entry & 0xffff) | KERNEL_CODE << 16 | (uint64_t)(open ? 0xee00 : 0x8e00) << 32 | (uint64_t)(entry >> 16) << 48;
  }
  pointer.limit = sizeof idt - 1;
  pointer.base = (uint32_t)idt;
  __asm__ volatile("lidt %0\n\tltr %w1" : : "m"(pointer), "r"(TASK));
}

static void map(uint32_t address, uint32_t frame, uint32_t flags) {
  uint32_t *directory_entry = &page_directory[address >> 22];
  if ((*directory_entry & PRESENT) == 0) {
    memset((void *)next_frame, 0, PAGE);
    *directory_entry = next_frame | PRESENT | WRITABLE | USER;
    next_frame += PAGE;
  }
  uint32_t *table = (uint32_t *)(*directory_entry & -PAGE);
  table[address >> 12 & 1023] = frame | flags | PRESENT;
  __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static bool page_in(uint32_t address, uint32_t error) {
  if (address < HEAP || address >= HEAP_END || (error & PRESENT) != 0) return false;
  uint32_t frame = next_frame;
  next_frame += PAGE;
  memset((void *)frame, 0, PAGE);
  map(address & -PAGE, frame, WRITABLE | USER);
  return true;
}

/* In ring 3 EAX chooses: 0 ends the program, 1 adds EBX and ECX. */
static void system_call(struct frame *frame) {
  if (frame->eax == 0) leave_user(frame->ebx);
  frame->eax = frame->ebx + frame->ecx;
}

void dispatch(struct frame *frame) {
  counts[frame->vector]++;
  switch (frame->vector) {
    case BREAKPOINT:
    case OVERFLOW: return;
    case IRQ0: out8(PIC1, END_OF_INTERRUPT); return;
    case SYSTEM_CALL: system_call(frame); return;
    case PAGE_FAULT: {
      uint32_t address;
      __asm__("mov %%cr2, %0" : "=r"(address));
      last_address = address;
      if (page_in(address, frame->error)) return;
    }
  }
  last_error = frame->error;
  if ((frame->cs & 3) == 3) leave_user(frame->vector << 16 | frame->error);
  if (expecting) {
    frame->eip = resume;
    return;
  }
  print("vector %u, error %x, eip %x, address %x\n", (unsigned)frame->vector, (unsigned)frame->error, (unsigned)frame->eip, (unsigned)last_address);
  check("an exception that nobody asked for", frame->vector, ~0u);
  finish();
}

#define PROVOKE(code) \
  ({ \
    expecting = true; \
    __asm__ volatile("movl $1f, %0\n\t" code "\n1:" : "=m"(resume) : : "memory", "cc", "eax", "ecx", "edx"); \
    expecting = false; \
  })

static void exceptions(void) {
  PROVOKE("xor %%ecx, %%ecx\n\tmov $5, %%eax\n\tcdq\n\tidiv %%ecx");
  PROVOKE("mov $0, %%eax\n\taam $0");
  check("#DE", counts[DIVIDE_ERROR], 2);
  PROVOKE("ud2");
  check("#UD", counts[INVALID_OPCODE], 1);
  __asm__ volatile("int3\n\tmov $0x7fffffff, %%eax\n\tinc %%eax\n\tinto\n\tdec %%ecx\n\txor %%eax, %%eax\n\tinto" : : : "eax", "ecx", "cc");
  check("#BP, #OF", counts[BREAKPOINT] << 8 | counts[OVERFLOW], 0x101);
  static const int32_t RANGE[2] = {-5, 10};
  for (int n = -7; n < 13; n++) {
    expecting = true;
    __asm__ volatile("movl $1f, %0\n\tbound %1, %2\n1:" : "=m"(resume) : "r"(n), "m"(RANGE) : "memory");
    expecting = false;
  }
  check("#BR", counts[BOUND], 4);
  PROVOKE("mov $0x53, %%eax\n\tmov %%eax, %%gs");
  check("#GP, selector above the limit", counts[GENERAL_PROTECTION] << 16 | last_error, 0x10050);
  PROVOKE("mov $0xb0000004, %%eax\n\tmovl $1, (%%eax)");
  check("#PF, write", last_error, 2);
  check("  address", last_address, 0xb0000004);
}

static void paging(void) {
  unsigned before = counts[PAGE_FAULT];
  volatile uint32_t *words = (volatile uint32_t *)HEAP;
  uint32_t sum = 0;
  for (uint32_t n = 0; n < 24; n++) words[n * n * 1000] = n;
  for (uint32_t n = 0; n < 24; n++) sum += words[n * n * 1000];
  check("demand paging: sum", sum, 276);
  report("demand paging: faults", counts[PAGE_FAULT] - before);
  memset((void *)(HEAP + 0x800ff0), 0x33, 5000);
  check("REP STOS over missing pages", words[0x800ff0 / 4 + 1200], 0x33333333);
  map(HEAP + 0x900000, next_frame, 0);
  PROVOKE("movl $1, 0x40900010");
  check("write to a read-only page", last_error, 3);
}

static void timer(void) {
  static const uint8_t FIRST[] = {0x11, IRQ0, 4, 1, 0xfe}, SECOND[] = {0x11, IRQ0 + 8, 2, 1, 0xff};
  for (unsigned n = 0; n < sizeof FIRST; n++) {
    out8((uint16_t)(PIC1 + (n > 0)), FIRST[n]);
    out8((uint16_t)(PIC2 + (n > 0)), SECOND[n]);
  }
  out8(0x43, 0x34);
  out8(0x40, PIT_DIVISOR);
  out8(0x40, 0);
  unsigned mistakes = 0;
  __asm__ volatile("sti");
  while (counts[IRQ0] < 3) mistakes += crc32("123456789", 9) != 0xcbf43926;
  for (unsigned before = counts[IRQ0]; counts[IRQ0] < before + 2;) __asm__ volatile("hlt");
  __asm__ volatile("cli");
  out8(PIC1 + 1, 0xff);
  check("interrupted computations: mistakes", mistakes, 0);
}

#define USER_TEXT __attribute__((section(".user.text"), noinline))
static inline __attribute__((always_inline)) uint32_t call(uint32_t number, uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__ volatile("int $48" : "=a"(result) : "a"(number), "b"(a), "c"(b) : "memory");
  return result;
}
USER_TEXT static void user_sum(void) {
  uint32_t sum = 0;
  for (uint32_t n = 0; n < 80; n++) sum = call(1, sum, n);
  call(0, sum, 0);
}
USER_TEXT static void user_write(void) { *(volatile uint32_t *)0x100000 = 1; }
USER_TEXT static void user_cli(void) { __asm__ volatile("cli"); }
USER_TEXT static void user_interrupt(void) { __asm__ volatile("int $32"); }

static void ring3(void) {
  /* The 4-MiB page with the image becomes 4-KiB pages, of which ring 3 gets its own. */
  static uint32_t table[1024] __attribute__((aligned(4096)));
  for (uint32_t n = 0; n < 1024; n++) table[n] = n * PAGE | PRESENT | WRITABLE | (n * PAGE >= (uint32_t)user_start && n * PAGE < (uint32_t)user_end ? USER : 0);
  page_directory[0] = (uint32_t)table | PRESENT | WRITABLE | USER;
  __asm__ volatile("mov %%cr3, %%eax\n\tmov %%eax, %%cr3" : : : "eax", "memory");
  check("80 system calls", enter_user(user_sum, USER_STACK), 3160);
  check("write to the kernel", enter_user(user_write, USER_STACK), PAGE_FAULT << 16 | 7);
  check("CLI", enter_user(user_cli, USER_STACK), GENERAL_PROTECTION << 16);
  check("INT of a closed gate", enter_user(user_interrupt, USER_STACK), GENERAL_PROTECTION << 16 | (IRQ0 << 3 | 2));
}

int main(void) {
  print("32-bit protected mode\n");
  install_tables();
  exceptions();
  paging();
  timer();
  ring3();
  algorithms();
  digests();
  interpreters();
  arithmetic();
  bit_fiddling();
  strings();
  coroutines();
  finish();
}

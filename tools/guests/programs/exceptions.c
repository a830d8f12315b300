/* Exceptions on purpose: vector, error code, where they point to, and how the program goes on. */
#include "system.h"

static struct {
  uint64_t vector, error, rip;
  unsigned count;
} last;
static uint64_t resume;

/* Goes on at the address that the instruction's author has left. */
static bool skip(struct frame *frame) {
  last.vector = frame->vector;
  last.error = frame->error;
  last.rip = frame->rip;
  last.count++;
  frame->rip = resume;
  return true;
}

/* Runs instructions of which `2:` must fault; what the fault was goes to `last`. Whether RIP pointed to it is the value. */
#define PROVOKE(code, ...) \
  ({ \
    uint64_t at; \
    last.vector = 255; \
    last.error = 0; \
    __asm__ volatile("lea 1f(%%rip), %0\n\tmov %0, %1\n\tlea 2f(%%rip), %0\n\t" code "\n1:" : "=&b"(at), "=m"(resume) : __VA_ARGS__ : "memory", "cc", "rax", "rcx", "rdx"); \
    last.rip == at; \
  })
static void expect(const char *what, bool at_instruction, uint64_t vector, uint64_t error) {
  check(what, last.vector << 32 | last.error, vector << 32 | error);
  check("  points to the instruction", at_instruction, true);
}

static unsigned steps;
static bool single_step(struct frame *frame) {
  if (++steps == 10) frame->rflags &= ~0x100ull;
  return true;
}
static unsigned breakpoints;
static uint64_t after_breakpoint;
static bool count_breakpoint(struct frame *frame) {
  breakpoints++;
  after_breakpoint = frame->rip;
  return true;
}

/* gcc's own way to write a handler: it ends in IRETQ, and every register is as before. */
static volatile unsigned attributed;
struct interrupt_frame;
__attribute__((interrupt)) static void attributed_handler(struct interrupt_frame *frame) { attributed = attributed * 3 + 1; }

static void vector_by_attribute(void) {
  struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) pointer;
  __asm__("sidt %0" : "=m"(pointer));
  uint16_t *gate = (uint16_t *)(pointer.base + 16 * 0x60);
  uint64_t entry = (uint64_t)attributed_handler;
  gate[0] = (uint16_t)entry;
  gate[3] = (uint16_t)(entry >> 16);
  for (int n = 0; n < 4; n++) __asm__ volatile("int $0x60" : : : "memory");
  check("__attribute__((interrupt))", attributed, 40);
}

void exceptions(void) {
  static handler *const SKIP = skip;
  static const uint8_t VECTORS[] = {DIVIDE_ERROR, INVALID_OPCODE, SEGMENT_NOT_PRESENT, GENERAL_PROTECTION, PAGE_FAULT};
  for (size_t n = 0; n < sizeof VECTORS; n++) handlers[VECTORS[n]] = SKIP;
  bool at;
  at = PROVOKE("xor %%eax, %%eax\n\tcdq\n\txor %%ecx, %%ecx\n2:\tdiv %%ecx", "i"(0));
  expect("#DE, division by zero", at, DIVIDE_ERROR, 0);
  at = PROVOKE("mov $1, %%eax\n\tshl $63, %%rax\n\tcqo\n\tmov $-1, %%rcx\n2:\tidiv %%rcx", "i"(0));
  expect("#DE, quotient of 2^63", at, DIVIDE_ERROR, 0);
  at = PROVOKE("2:\tud2", "i"(0));
  expect("#UD", at, INVALID_OPCODE, 0);
  at = PROVOKE("2:\t.byte 0x06", "i"(0));
  expect("#UD, PUSH ES", at, INVALID_OPCODE, 0);
  at = PROVOKE("mov $1, %%eax\n\tshl $63, %%rax\n2:\tmov (%%rax), %%eax", "i"(0));
  expect("#GP, not canonical", at, GENERAL_PROTECTION, 0);
  at = PROVOKE("mov $0x73, %%eax\n2:\tmov %%eax, %%ds", "i"(0));
  expect("#GP, selector above the limit", at, GENERAL_PROTECTION, 0x70);
  at = PROVOKE("mov $0x28, %%eax\n2:\tmov %%eax, %%es", "i"(0));
  expect("#NP", at, SEGMENT_NOT_PRESENT, ABSENT_DATA);
  at = PROVOKE("mov $0x7fffff000000, %%rax\n2:\tmovl $1, (%%rax)", "i"(0));
  expect("#PF, write", at, PAGE_FAULT, PF_WRITE);
  at = PROVOKE("mov $0x7fffff000000, %%rax\n2:\tcmpl $1, (%%rax)", "i"(0));
  expect("#PF, read", at, PAGE_FAULT, 0);
  handlers[BREAKPOINT] = count_breakpoint;
  for (int n = 0; n < 3; n++) __asm__ volatile("int3" : : : "memory");
  check("#BP", breakpoints, 3);
  check("  points behind INT3", *(uint8_t *)(after_breakpoint - 1), 0xcc);

  handlers[DEBUG] = single_step;
  __asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\t.rept 16\n\tnop\n\t.endr" : : : "memory", "cc");
  check("#DB, single steps", steps, 10);
  vector_by_attribute();
  report("exceptions in all", last.count);
  for (size_t n = 0; n < sizeof VECTORS; n++) handlers[VECTORS[n]] = NULL;
}

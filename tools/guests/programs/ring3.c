/* Programs in ring 3: SYSCALL and INT 80h, a heap and a stack that are paged in, and what they may not do. */
#include "system.h"

enum call { EXIT, ADD, WRITE, FAULTS };
enum { ENDED_BY_FAULT = 1 << 16 };
#define USER_CODE_BASE 0x400000ull
#define USER_HEAP 0x800000ull
#define USER_STACK 0x7ffffff000ull

uint64_t enter_user(uint64_t entry, uint64_t stack, uint64_t argument);
_Noreturn void leave_user(uint64_t status);
extern char user_start[], user_end[], user_frames[];

/* Its own constants only: a jump table would lie in the kernel. */
#define USER_TEXT __attribute__((section(".user.text"), noinline, optimize("no-jump-tables")))
#define USER_INLINE static inline __attribute__((always_inline))

/* In ring 3. */
USER_INLINE uint64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t result;
  __asm__ volatile("syscall" : "=a"(result), "+D"(a), "+S"(b), "+d"(c) : "a"(number) : "rcx", "r8", "r9", "r10", "r11", "memory");
  return result;
}
USER_INLINE uint64_t call_by_interrupt(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  uint64_t result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "memory");
  return result;
}
static uint32_t user_seed __attribute__((section(".user.data"))) = 99;

USER_TEXT static uint32_t user_random(void) { return user_seed = user_seed * 1103515245 + 12345; }
USER_TEXT static unsigned user_depth(unsigned n) {
  volatile uint8_t room[1000];
  room[n] = (uint8_t)n;
  return n == 0 ? 0 : user_depth(n - 1) + 1 + (room[n] != (uint8_t)n);
}
USER_TEXT static void user_main(uint64_t task) {
  uint64_t result = 0;
  switch (task) {
    case 0:
      for (unsigned n = 0; n < 150; n++) result = call(ADD, result, n, user_random() >> 28);
      break;
    case 1:
      for (unsigned n = 0; n < 60; n++) result = call_by_interrupt(ADD, result, n, 1);
      break;
    case 2: {
      uint32_t *heap = (uint32_t *)USER_HEAP;
      for (unsigned n = 0; n < 20; n++) heap[(user_random() >> 12) & 0x3ffff] = n;
      heap[0] = 0x6c6c6568;
      heap[1] = 0x6f;
      call(WRITE, USER_HEAP, 5, 0);
      result = user_depth(20);
      break;
    }
    case 3: *(volatile uint32_t *)IMAGE_BASE = 1; break;
    case 4: __asm__ volatile("cli"); break;
    case 5: __asm__ volatile("inb $0x60, %%al" : : : "eax"); break;
    case 6: __asm__ volatile("int $14"); break;
    case 7: __asm__ volatile("mov %%cr3, %%rax" : : : "rax"); break;
    case 8: *(volatile uint32_t *)0 = 1; break;
    case 9: __asm__ volatile("jmp *%0" : : "r"(USER_HEAP)); break;
    case 10: __asm__ volatile("hlt"); break;
    default: __asm__ volatile("wrmsr");
  }
  call(EXIT, result, 0, 0);
}

/* In the kernel. */
static unsigned calls;
uint64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  calls++;
  switch ((enum call)number) {
    case EXIT:
      __asm__ volatile("cli");
      leave_user(a);
    case ADD: return a + b + c;
    case WRITE:
      for (; b > 0; b--) print("%c", *(const char *)a++);
      print("\n");
      return 0;
    case FAULTS: return demand_faults;
  }
  return ~0ull;
}
static bool call_gate(struct frame *frame) {
  frame->rax = system_call(frame->rax, frame->rdi, frame->rsi, frame->rdx);
  return true;
}

static handler *kernel_page_fault;
static bool stop_program(struct frame *frame) {
  if ((frame->cs & 3) != 3) return false;
  leave_user(ENDED_BY_FAULT | frame->vector << 8 | frame->error);
}
static bool user_page_fault(struct frame *frame) { return kernel_page_fault(frame) || stop_program(frame); }

static uint64_t run(uint64_t task) { return enter_user((uint64_t)user_main, USER_STACK - 8, task); }

void ring3(void) {
  kernel_page_fault = handlers[PAGE_FAULT];
  handlers[PAGE_FAULT] = user_page_fault;
  handlers[GENERAL_PROTECTION] = stop_program;
  handlers[SYSTEM_CALL] = call_gate;
  set_gate_privilege(SYSTEM_CALL, 3);
  for (uint64_t offset = 0; user_start + offset < user_end; offset += 4096) map(USER_CODE_BASE + offset, (uint64_t)user_frames + offset, USER | WRITABLE);
  demand_region(USER_HEAP, USER_HEAP + (1 << 20), USER | WRITABLE | NO_EXECUTE);
  demand_region(USER_STACK - (1 << 16), USER_STACK, USER | WRITABLE | NO_EXECUTE);

  report("150 times SYSCALL", run(0));
  check("60 times INT 80h", run(1), 60 * 59 / 2 + 60);
  check("a heap and a stack by demand", run(2), 20);
  report("system calls", calls);
  check("write to the kernel", run(3), ENDED_BY_FAULT | PAGE_FAULT << 8 | PF_USER | PF_WRITE | PF_PRESENT);
  check("CLI", run(4), ENDED_BY_FAULT | GENERAL_PROTECTION << 8);
  check("IN", run(5), ENDED_BY_FAULT | GENERAL_PROTECTION << 8);
  /* The vector only: QEMU doubles the index in the error code. */
  check("INT 14", run(6) >> 8, (ENDED_BY_FAULT >> 8) | GENERAL_PROTECTION);
  check("MOV from CR3", run(7), ENDED_BY_FAULT | GENERAL_PROTECTION << 8);
  check("null pointer", run(8), ENDED_BY_FAULT | PAGE_FAULT << 8 | PF_USER | PF_WRITE);
  check("jump into the heap", run(9), ENDED_BY_FAULT | PAGE_FAULT << 8 | PF_USER | PF_FETCH | PF_PRESENT);
  check("HLT", run(10), ENDED_BY_FAULT | GENERAL_PROTECTION << 8);
  check("WRMSR", run(11), ENDED_BY_FAULT | GENERAL_PROTECTION << 8);
}

/* The parts of the 64-bit system guest, which is linked into the highest 2 GiB. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include "../runtime/guest.h"

/* What the stubs of vectors64.S push, on top of what the processor did. */
struct frame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
  uint64_t vector, error;
  uint64_t rip, cs, rflags, rsp, ss;
};
enum { DIVIDE_ERROR = 0, DEBUG = 1, BREAKPOINT = 3, INVALID_OPCODE = 6, SEGMENT_NOT_PRESENT = 11, GENERAL_PROTECTION = 13, PAGE_FAULT = 14, IRQ0 = 32, SYSTEM_CALL = 128 };
/* Selectors: SYSCALL takes the first two, SYSRET the user ones. */
enum { KERNEL_CODE = 0x08, KERNEL_DATA = 0x10, USER_DATA = 0x1b, USER_CODE = 0x23, ABSENT_DATA = 0x28, TASK = 0x30 };
enum { PRESENT = 1, WRITABLE = 2, USER = 4, LARGE = 0x80 };
#define NO_EXECUTE (1ull << 63)
/* Where the image is linked, minus where it lies. */
#define IMAGE_BASE 0xffffffff80000000ull
/* Error code of a page fault. */
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4, PF_FETCH = 16 };

/* Handlers return whether the interrupted program goes on; otherwise the run fails. */
typedef bool handler(struct frame *);
extern handler *handlers[256];
/* GDT, TSS, IDT, system-call MSRs. */
void install_tables(void);
void set_gate_privilege(unsigned vector, unsigned dpl);
extern uint64_t interrupt_stack_top;

void exceptions(void);
void paging(void);
void timer(void);
void ring3(void);

uint64_t *page_table_entry(uint64_t address, bool create);
void map(uint64_t address, uint64_t frame, uint64_t flags);
uint64_t new_frame(void);
/* Demand paging: what lies in [from, to) gets a zeroed frame with these flags at its first access. */
void demand_region(uint64_t from, uint64_t to, uint64_t flags);
extern unsigned demand_faults;

uint32_t crc32(const void *data, size_t count);

#endif

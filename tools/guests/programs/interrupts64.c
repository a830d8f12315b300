/* Descriptor tables, and what interrupts and exceptions lead to. */
#include "system.h"

extern const char stubs[], syscall_entry[];
handler *handlers[256];

static uint64_t gdt[8] = {
  0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff, 0x00cf13000000ffff /* not present */, 0, 0};
static struct {
  uint32_t reserved;
  uint64_t rsp[3], reserved2, ist[7], reserved3;
  uint16_t reserved4, io_map;
} __attribute__((packed)) tss;
static struct gate {
  uint16_t low, selector;
  uint8_t ist, type;
  uint16_t middle;
  uint32_t high, reserved;
} idt[256];
static uint8_t interrupt_stack[8192] __attribute__((aligned(16)));
static uint8_t system_call_stack[8192] __attribute__((aligned(16)));
uint64_t interrupt_stack_top;
/* What GS points to in the kernel. */
static uint64_t per_cpu[2];

static void write_msr(uint32_t msr, uint64_t value) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))); }

void set_gate_privilege(unsigned vector, unsigned dpl) { idt[vector].type = (uint8_t)(0x8e | dpl << 5); }

void install_tables(void) {
  struct {
    uint16_t limit;
    uint64_t base;
  } __attribute__((packed)) pointer;
  uint64_t base = (uint64_t)&tss;
  gdt[6] = (sizeof tss - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 | (base >> 24 & 0xff) << 56;
  gdt[7] = base >> 32;
  interrupt_stack_top = (uint64_t)(interrupt_stack + sizeof interrupt_stack);
  tss.rsp[0] = interrupt_stack_top;
  tss.io_map = sizeof tss;
  for (unsigned vector = 0; vector < 256; vector++) {
    uint64_t entry = (uint64_t)stubs + 16 * vector;
    idt[vector] = (struct gate){(uint16_t)entry, KERNEL_CODE, 0, 0x8e, (uint16_t)(entry >> 16), (uint32_t)(entry >> 32), 0};
  }
  pointer.limit = sizeof gdt - 1;
  pointer.base = (uint64_t)gdt;
  __asm__ volatile("lgdt %0" : : "m"(pointer));
  pointer.limit = sizeof idt - 1;
  pointer.base = (uint64_t)idt;
  __asm__ volatile("lidt %0" : : "m"(pointer));
  __asm__ volatile("ltr %w0" : : "r"(TASK));
  __asm__ volatile("pushq %0\n\tpushq $1f\n\tlretq\n1:\tmov %1, %%ds\n\tmov %1, %%es\n\tmov %1, %%ss" : : "i"(KERNEL_CODE), "r"(KERNEL_DATA) : "memory");
  __asm__ volatile("mov %0, %%fs\n\tmov %0, %%gs" : : "r"(0));
  per_cpu[0] = (uint64_t)(system_call_stack + sizeof system_call_stack);
  write_msr(0xc0000101, (uint64_t)per_cpu); /* IA32_GS_BASE */
  write_msr(0xc0000102, 0);                 /* IA32_KERNEL_GS_BASE: the user's, until the first SWAPGS */
  write_msr(0xc0000081, 0x0013000800000000);
  write_msr(0xc0000082, (uint64_t)syscall_entry);
  write_msr(0xc0000084, 0x40700); /* SFMASK: AC, DF, IF, TF */
}

void dispatch(struct frame *frame) {
  handler *handle = handlers[frame->vector];
  if (handle && handle(frame)) return;
  uint64_t cr2;
  __asm__("mov %%cr2, %0" : "=r"(cr2));
  print("vector %llu, error %llx, rip %llx, cr2 %llx\n", (unsigned long long)frame->vector, (unsigned long long)frame->error, (unsigned long long)frame->rip,
        (unsigned long long)cr2);
  check("an exception that nobody asked for", frame->vector, ~0ull);
  finish();
}

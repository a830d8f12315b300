/* CR0.EM off and CR0.MP on, CR4.OSFXSR and OSXMMEXCPT on, MXCSR as after a reset. */
#ifndef SSE_H
#define SSE_H

#include "bench.h"

static void enable_sse(void) {
  unsigned long value;
  static const uint32_t mxcsr = 0x1f80;
  __asm__ volatile("mov %%cr0, %0" : "=r"(value));
  __asm__ volatile("mov %0, %%cr0" : : "r"((value & ~0xcul) | 2));
  __asm__ volatile("mov %%cr4, %0" : "=r"(value));
  __asm__ volatile("mov %0, %%cr4" : : "r"(value | 0x600));
  __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
}

#endif

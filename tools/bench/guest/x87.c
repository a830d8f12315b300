/* Extended precision on the x87 stack. */
#include "bench.h"

static void enable_x87(void) {
  unsigned long value;
  __asm__ volatile("mov %%cr0, %0" : "=r"(value));
  __asm__ volatile("mov %0, %%cr0" : : "r"((value & ~0xcul) | 2));
  __asm__ volatile("fninit");
}

/* A polynomial, a quotient and a root for each of the points. */
WORK static uint32_t x87(void) {
  long double sum = 0, x = -1;
  for (int n = OPAQUE(500); n > 0; n--) {
    long double even = ((x * x / 132 - 1.0L / 56) * x * x + 1.0L / 12) * x * x - 0.5L, odd = (x * x / 20 - 1.0L / 6) * x * x + 1;
    sum += __builtin_sqrtl(1 + even * even) - odd / (2 + x);
    x += 1.0L / 256;
  }
  uint32_t words[3] = {0};
  __builtin_memcpy(words, &sum, 10);
  return words[0] ^ words[1] ^ words[2];
}

const struct workload x87_workloads[] = {{"x87", enable_x87, x87, 0xfcd2945}, {NULL, NULL, NULL, 0}};

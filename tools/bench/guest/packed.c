/* Packed integers in the XMM registers, as image and sound code uses them. */
#include "sse.h"

typedef int32_t v4 __attribute__((vector_size(16)));
typedef int16_t v8 __attribute__((vector_size(16)));
typedef char v16 __attribute__((vector_size(16)));
typedef long long v2 __attribute__((vector_size(16)));

WORK static uint32_t packed(void) {
  enum { VECTORS = 64 };
  static v16 pixels[VECTORS];
  v4 seed = {1, 2, 3, 4}, sums = {0, 0, 0, 0};
  v2 differences = {0, 0};
  for (int n = 0; n < VECTORS; n++) {
    seed ^= seed << 13;
    seed ^= (v4)((__attribute__((vector_size(16))) uint32_t)seed >> 17);
    seed ^= seed << 5;
    pixels[n] = (v16)seed;
  }
  const v16 zero = {0};
  const v8 weights = {77, 150, 29, 0, 77, 150, 29, 0};
  for (int pass = OPAQUE(16); pass > 0; pass--)
    for (int n = 0; n < VECTORS - 1; n++) {
      v16 here = pixels[n], next = pixels[n + 1];
      v8 low = (v8)__builtin_ia32_punpcklbw128(here, zero), high = (v8)__builtin_ia32_punpckhbw128(here, zero);
      v4 grey = __builtin_ia32_pmaddwd128(low, weights) + __builtin_ia32_pmaddwd128(high, weights);
      v16 larger = here > next;
      differences += (v2)__builtin_ia32_psadbw128(here, next);
      sums += (grey >> 8) ^ (v4)((here & larger) | (next & ~larger));
      sums = (v4)__builtin_ia32_pshufd(sums, 0x39);
    }
  return (uint32_t)(sums[0] ^ sums[1] ^ sums[2] ^ sums[3]) + (uint32_t)(differences[0] + differences[1]);
}

const struct workload packed_workloads[] = {{"packed", enable_sse, packed, 0x1542b0}, {NULL, NULL, NULL, 0}};

/* Bit fields, shifts, rotates, bit tests and scans, 8- and 16-bit registers. */
#include "compute.h"

struct packet {
  unsigned version : 4, length : 4, urgent : 1;
  int offset : 11;
  unsigned flags : 12;
  unsigned long long serial : 40;
  signed char small : 3;
} __attribute__((packed));

static uint64_t bit_fields(void) {
  struct packet packets[12];
  memset(packets, 0, sizeof packets);
  for (int n = 0; n < 12; n++) {
    struct packet *p = &packets[n];
    p->version = (unsigned)n;
    p->length = (unsigned)(n * 3);
    p->urgent = n % 3 == 0;
    p->offset = -n * 50;
    p->flags |= 1u << n;
    p->serial = 0x123456789aull * (unsigned)n;
    p->small = (signed char)(n - 4);
  }
  int64_t sum = 0;
  for (int n = 1; n < 12; n++) {
    packets[n].serial += packets[n - 1].serial;
    packets[n].offset ^= packets[n - 1].small;
    sum += packets[n].offset + packets[n].small + (int64_t)packets[n].serial + packets[n].flags;
  }
  return (uint64_t)sum ^ fnv1a(packets, sizeof packets);
}

#define ROTATE(type) \
  static type rotate_##type(type value, unsigned count) { \
    const unsigned bits = sizeof(type) * 8; \
    return (type)(value << (count % bits) | value >> (-count % bits)); \
  }
ROTATE(uint8_t)
ROTATE(uint16_t)
ROTATE(uint32_t)
ROTATE(uint64_t)

static unsigned population(uint64_t value) {
#ifdef __POPCNT__
  return (unsigned)__builtin_popcountll(value);
#else
  value -= value >> 1 & 0x5555555555555555;
  value = (value & 0x3333333333333333) + (value >> 2 & 0x3333333333333333);
  value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return (unsigned)(value * 0x0101010101010101 >> 56);
#endif
}

static uint64_t interleave(uint32_t x, uint32_t y) {
  uint64_t result = 0;
  for (int bit = 0; bit < 32; bit++) result |= (uint64_t)(x >> bit & 1) << (2 * bit) | (uint64_t)(y >> bit & 1) << (2 * bit + 1);
  return result;
}

/* BT, BTS, BTR, BTC on memory take any bit number, also negative ones. */
static unsigned bit_strings(void) {
  unsigned long bits[8] = {0};
  const long width = sizeof(long) * 8;
  unsigned set = 0;
  bool was;
  for (long n = 0; n < 8 * width; n += 7) __asm__ volatile("bts %2, %0" : "+m"(bits), "=@ccc"(was) : "r"(n) : "memory");
  for (long n = 0; n < 8 * width; n += 5) __asm__ volatile("btc %2, %0" : "+m"(bits), "=@ccc"(was) : "r"(n) : "memory");
  for (long n = -4 * width; n < 4 * width; n += 11) {
    __asm__ volatile("btr %2, %0" : "+m"(bits[4]), "=@ccc"(was) : "r"(n) : "memory");
    set += was;
  }
  for (long n = 0; n < 8 * width; n++) {
    __asm__ volatile("bt %2, %1" : "=@ccc"(was) : "m"(bits), "r"(n) : "memory");
    set = set * 3 + was;
  }
  return set;
}

static uint32_t small_registers(void) {
  uint8_t a = OPAQUE((uint8_t)7);
  int8_t b = OPAQUE((int8_t)-100);
  uint16_t c = OPAQUE((uint16_t)0xfffe);
  int16_t d = OPAQUE((int16_t)-30000);
  uint32_t hash = 0;
  for (int n = 1; n < 100; n++) {
    a = (uint8_t)(a * 5 + n);
    b = (int8_t)(b + a);
    b = (int8_t)(b >> (n & 3));
    c = (uint16_t)(c / (a | 1) + (uint16_t)b);
    d = (int16_t)(d - c);
    d = (int16_t)(d % (n + 3) * 255);
    hash = hash * 17 + a + (uint32_t)b + c + (uint32_t)d + (a > c) + (b < d) * 2u + (uint32_t)(uint8_t)(c >> 8);
  }
  return hash;
}

void bit_fiddling(void) {
  report("bit fields", bit_fields());
  uint64_t x = OPAQUE((uint64_t)0x0123456789abcdef), hash = 0;
  unsigned ones = 0;
  int scans = 0;
  for (unsigned n = 0; n < 70; n++) {
    hash = rotate_uint64_t(hash, 7) + rotate_uint64_t(x, n) + rotate_uint32_t((uint32_t)x, n) + rotate_uint16_t((uint16_t)x, n) + rotate_uint8_t((uint8_t)x, n);
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    hash ^= __builtin_bswap64(x) + __builtin_bswap32((uint32_t)x) + __builtin_bswap16((uint16_t)x);
    hash += (uint64_t)((int64_t)x >> (n & 63)) ^ (uint64_t)((int32_t)x >> (n & 31));
    ones += population(x);
    scans += __builtin_ctzl((unsigned long)x | 1ul << 30) * 64 + __builtin_clzl((unsigned long)x | 4) + __builtin_clz((uint32_t)x | 1) + __builtin_ffs((int)x);
    hash += n & 1 ? (uint64_t)(int8_t)x : (uint16_t)x;
  }
  report("rotates, shifts, byte swaps", hash);
  report("ones", ones);
  report("scans", (unsigned)scans);
  check("population of all ones", population(OPAQUE(~0ull)), 64);
  check("interleaved bits", interleave(OPAQUE(0xffffu), 0), 0x55555555);
  report("bit strings", bit_strings());
  report("8- and 16-bit arithmetic", small_registers());
}

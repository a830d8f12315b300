/* Code that is made or changed while it runs. */
#include "bench.h"

static void put32(uint8_t *at, uint32_t value) { __builtin_memcpy(at, &value, 4); }

/* A function at the same place again and again, each time another one, called a few times: what a just-in-time compiler's first tier does. */
WORK static uint32_t emit(void) {
  uint8_t *code = OPAQUE(ARENA);
  uint32_t sum = 0;
  for (uint32_t n = 1; n <= 100; n++) {
    uint8_t *at = code;
    *at++ = 0xb8; /* MOV EAX, imm32 */
    put32(at, n);
    at += 4;
    for (int part = 0; part < 4; part++) {
      *at++ = 0x05; /* ADD EAX, imm32 */
      put32(at, n * 0x9e3779b9);
      at += 4;
      *at++ = 0x35; /* XOR EAX, imm32 */
      put32(at, n << part);
      at += 4;
    }
    *at = 0xc3; /* RET */
    for (int times = 0; times < 20; times++) sum = sum * 31 + ((uint32_t(*)(void))code)();
  }
  return sum;
}

/* A loop of many small blocks that counts in memory on its own page, 2 KiB behind it. */
static void place_loop(void) {
  uint8_t *at = ARENA;
  for (uint32_t n = 0; n < 16; n++) {
    *at++ = 0xa9; /* TEST EAX, imm32 */
    put32(at, 0x10001u << n);
    at += 4;
    *at++ = 0x74; /* JZ, over the ADD */
    *at++ = 0x05;
    *at++ = 0x05; /* ADD EAX, imm32 */
    put32(at, 0x9e3779b9u * (n + 1));
    at += 4;
    *at++ = 0xd1; /* ROL EAX, 1 */
    *at++ = 0xc0;
  }
  *at++ = 0x01; /* ADD [RDX], EAX */
  *at++ = 0x02;
  *at++ = 0x83; /* SUB ECX, 1 */
  *at++ = 0xe9;
  *at++ = 0x01;
  *at++ = 0x0f; /* JNZ, to the start */
  *at++ = 0x85;
  put32(at, (uint32_t)(ARENA - (at + 4)));
  at[4] = 0xc3; /* RET */
}
WORK static uint32_t beside(void) {
  volatile uint32_t *sum = (volatile uint32_t *)(ARENA + 2048);
  uint32_t value = 1, times = 200;
  *sum = 0;
  __asm__ volatile("call *%3" : "+a"(value), "+c"(times) : "d"(sum), "r"(ARENA) : "memory", "cc");
  return *sum ^ value;
}

/* One more loop of its own, hot enough to be translated: what a translator keeps of 100,000 of them is its memory. */
static uint32_t regions_made;
static void no_regions(void) { regions_made = 0; }
WORK static uint32_t regions(void) {
  uint8_t *code = ARENA + 64 * (size_t)(regions_made++ % 1000000), *at = code;
  *at++ = 0xb9; /* MOV ECX, 2000 */
  put32(at, 2000);
  at += 4;
  *at++ = 0x31; /* XOR EAX, EAX */
  *at++ = 0xc0;
  *at++ = 0x83; /* ADD EAX, 3 */
  *at++ = 0xc0;
  *at++ = 0x03;
  *at++ = 0x83; /* SUB ECX, 1 */
  *at++ = 0xe9;
  *at++ = 0x01;
  *at++ = 0x75; /* JNZ, to the ADD */
  *at++ = 0xf8;
  *at = 0xc3; /* RET */
  uint32_t sum = 0;
  for (int n = 0; n < 8; n++) sum += ((uint32_t(*)(void))code)();
  return sum;
}

const struct workload code_workloads[] = {
  {"emit", NULL, emit, 0x3e11ab00},
  {"beside", place_loop, beside, 0xc4e43926},
  {"regions", no_regions, regions, 48000},
  {NULL, NULL, NULL, 0}};

/* Computing with integers: what the table calls integer compute, but for the bytecode interpreters. */
#include "bench.h"

static uint32_t fold(unsigned long value) {
#ifdef __x86_64__
  return (uint32_t)(value ^ value >> 32);
#else
  return value;
#endif
}
#ifdef __x86_64__
#define BY_WORD(of_32_bits, of_64_bits) of_64_bits
#else
#define BY_WORD(of_32_bits, of_64_bits) of_32_bits
#endif

static uint32_t nothing(void) { return 0; }

/* Every operation needs the one before. */
WORK static uint32_t alu(void) {
  unsigned long value = OPAQUE(0x9e3779b9ul);
  for (uint32_t n = 20000; n != 0; n--) {
    value ^= value << 13;
    value += n;
    value ^= value >> 7;
    value -= 0x61c88647;
    value ^= value << 5;
    value = (value << 9) | (value >> (8 * sizeof value - 9));
  }
  return fold(value);
}

WORK static uint32_t sieve(void) {
  enum { LIMIT = 32768 };
  static uint8_t composite[LIMIT];
  for (size_t n = 0; n < LIMIT; n++) composite[n] = 0;
  uint32_t primes = 0;
  for (uint32_t n = 2; n < LIMIT; n++) {
    if (composite[n]) continue;
    primes++;
    for (uint32_t multiple = 2 * n; multiple < LIMIT; multiple += n) composite[multiple] = 1;
  }
  return primes;
}

WORK static uint32_t fibonacci(uint32_t n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
static uint32_t fib(void) { return fibonacci(OPAQUE(19u)); }

/* Queens as bit masks of attacked columns and diagonals. */
WORK static uint32_t place_queens(uint32_t all, uint32_t columns, uint32_t left, uint32_t right) {
  if (columns == all) return 1;
  uint32_t solutions = 0;
  for (uint32_t free = all & ~(columns | left | right); free != 0; free &= free - 1) {
    uint32_t place = free & -free;
    solutions += place_queens(all, columns | place, (left | place) << 1, (right | place) >> 1);
  }
  return solutions;
}
static uint32_t queens(void) { return place_queens(OPAQUE(0xffu), 0, 0, 0); }

static uint8_t text[16384];
static void fill_text(void) {
  uint32_t seed = 1;
  for (size_t n = 0; n < sizeof text; n++) {
    seed = seed * 1664525 + 1013904223;
    text[n] = (uint8_t)(seed >> 24);
  }
}
static uint32_t crc(void) { return crc32(text, sizeof text); }
static uint32_t sha(void) {
  uint8_t digest[32];
  sha256(text, 4096, digest);
  return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
}

/* The loop that a C library without string instructions has. */
WORK static uint32_t copy(void) {
  enum { WORDS = sizeof text / sizeof(unsigned long) };
  static unsigned long to[WORDS];
  const unsigned long *from = (const unsigned long *)OPAQUE(&text[0]);
  unsigned long sum = 0;
  for (int pass = 0; pass < 8; pass++) {
    for (size_t n = 0; n < WORDS; n++) to[n] = from[n];
    sum += OPAQUE(&to[0])[pass * 37];
    from = to;
  }
  return fold(sum);
}

/* A list is built, reversed and searched. */
struct node {
  struct node *next;
  int16_t key, value;
};
WORK static uint32_t work_on_list(uint32_t seed) {
  enum { NODES = 64 };
  static struct node nodes[NODES];
  struct node *head = NULL;
  uint32_t sum = 0;
  for (int n = 0; n < NODES; n++) {
    seed = seed * 1103515245 + 12345;
    struct node *node = &nodes[(n * 37) % NODES], **place = &head;
    *node = (struct node){NULL, (int16_t)(seed >> 16), (int16_t)n};
    while (*place && (*place)->key < node->key) place = &(*place)->next;
    node->next = *place;
    *place = node;
  }
  for (int n = 0; n < 8; n++) {
    struct node *reversed = NULL;
    while (head) {
      struct node *next = head->next;
      head->next = reversed;
      reversed = head;
      head = next;
    }
    head = reversed;
    const struct node *at = head;
    while (at && at->value != n * 7) at = at->next;
    sum = sum * 31 + (uint16_t)(at ? at->key : 0);
  }
  return sum;
}
WORK static uint32_t multiply_matrices(uint32_t seed) {
  enum { ORDER = 12 };
  static int16_t a[ORDER][ORDER], b[ORDER][ORDER];
  static int32_t product[ORDER][ORDER];
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) {
      seed = seed * 1103515245 + 12345;
      a[i][j] = (int16_t)(seed >> 20);
      b[j][i] = (int16_t)(seed >> 17);
    }
  uint32_t sum = 0;
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) {
      int32_t cell = 0;
      for (int k = 0; k < ORDER; k++) cell += a[i][k] * b[k][j];
      product[i][j] = cell;
    }
  for (int i = 0; i < ORDER; i++)
    for (int j = 0; j < ORDER; j++) sum = sum * 3 + ((uint32_t)(product[i][j] >> 3) ^ (uint32_t)product[j][i]);
  return sum;
}
/* What kind of word is it: an integer, a number with a point, one with an exponent, none of these? */
enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, EXPONENT_DIGITS, INVALID, STATES };
WORK static uint32_t scan_numbers(const char *words) {
  uint32_t seen[STATES] = {0};
  enum state state = START;
  for (; *words; words++) {
    char c = *words;
    bool digit = c >= '0' && c <= '9';
    if (c == ' ') {
      seen[state]++;
      state = START;
      continue;
    }
    switch (state) {
      case START: state = digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID; break;
      case SIGN: state = digit ? INTEGER : c == '.' ? POINT : INVALID; break;
      case INTEGER: state = digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : INVALID; break;
      case POINT: state = digit ? FRACTION : INVALID; break;
      case FRACTION: state = digit ? FRACTION : c == 'e' ? EXPONENT : INVALID; break;
      case EXPONENT: state = digit ? EXPONENT_DIGITS : c == '+' || c == '-' ? EXPONENT_SIGN : INVALID; break;
      case EXPONENT_SIGN: case EXPONENT_DIGITS: state = digit ? EXPONENT_DIGITS : INVALID; break;
      default: break;
    }
  }
  uint32_t sum = 0;
  for (int n = 0; n < STATES; n++) sum = sum * 17 + seen[n];
  return sum;
}
static uint32_t mix(void) {
  static const char WORDS[] = "12 -7 3.25 +.5 1e9 -2.5e-3 12a . +-3 77.e2 e5 0 123456789 -0.0001 4e+ 6.02e23 x 9..1 +1 1.5e300 00.7 -3e-7 42 .e1 2e2e2 7. ";
  uint32_t sum = 0;
  for (uint32_t n = 0; n < 4; n++) sum = sum * 33 + (work_on_list(n + 1) ^ multiply_matrices(n + 5)) + scan_numbers(OPAQUE(&WORDS[0])) + scan_numbers(WORDS + 3);
  return sum;
}

const struct workload integer_workloads[] = {
  {"none", NULL, nothing, 0},
  {"alu", NULL, alu, BY_WORD(0xbf3c8986, 0x8920a4fc)},
  {"sieve", NULL, sieve, 3512},
  {"fib", NULL, fib, 4181},
  {"queens", NULL, queens, 92},
  {"crc32", fill_text, crc, 0x104a450b},
  {"sha256", fill_text, sha, 0x28c74f56},
  {"copy", fill_text, copy, BY_WORD(0x7ba850e5, 0x7b507fa4)},
  {"mix", NULL, mix, 0x7d194f78},
  {NULL, NULL, NULL, 0}};

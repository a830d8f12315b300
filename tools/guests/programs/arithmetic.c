/* Arithmetic in single and double words: carries, overflow, division, modular powers. The double word is 128 bits, or 64 in the 32-bit guest. */
#include "compute.h"

#ifdef __x86_64__
typedef unsigned __int128 wide;
typedef __int128 signed_wide;
typedef uint64_t word;
typedef int64_t signed_word;
#else
typedef uint64_t wide;
typedef int64_t signed_wide;
typedef uint32_t word;
typedef int32_t signed_word;
#endif
enum { WORD_BITS = sizeof(word) * 8 };

static word fold(wide value) { return (word)(value >> WORD_BITS) ^ (word)value; }

static void print_decimal(const char *what, wide value) {
  char digits[48];
  int at = sizeof digits;
  digits[--at] = 0;
  do {
    digits[--at] = (char)('0' + (int)(value % 10));
    value /= 10;
  } while (value != 0);
  print("%-36s %s\n", what, digits + at);
}

static word power(word base, word exponent, word modulus) {
  wide result = 1, square = base;
  for (; exponent != 0; exponent >>= 1) {
    if (exponent & 1) result = result * square % modulus;
    square = square * square % modulus;
  }
  return (word)result;
}

/* Miller and Rabin's test; enough witnesses for 64 bits. */
static bool is_prime(word n) {
  static const uint8_t WITNESSES[] = {2, 3, 5, 7, 11, 13};
  word odd = n - 1;
  int twos = 0;
  for (; (odd & 1) == 0; odd >>= 1) twos++;
  for (size_t w = 0; w < sizeof WITNESSES; w++) {
    word x = power(WITNESSES[w], odd, n);
    if (x == 1 || x == n - 1) continue;
    int r = 1;
    for (; r < twos; r++) {
      x = (word)((wide)x * x % n);
      if (x == n - 1) break;
    }
    if (r == twos) return false;
  }
  return true;
}

static void overflows(void) {
  static signed_word VALUES[] = {0, 1, -1, 2, 1000, -1000, (signed_word)((word)1 << (WORD_BITS - 1)), (signed_word)(~(word)0 >> 1)};
  enum { COUNT = sizeof VALUES / sizeof *VALUES };
  unsigned sums = 0, differences = 0, products = 0, carries = 0, borrows = 0, short_sums = 0;
  word hash = 0;
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < COUNT; j++) {
      signed_word a = OPAQUE(VALUES[i]), b = OPAQUE(VALUES[j]), r;
      word u;
      int16_t s;
      int8_t c;
      sums += __builtin_add_overflow(a, b, &r);
      hash = hash * 31 + (word)r;
      differences += __builtin_sub_overflow(a, b, &r);
      hash = hash * 31 + (word)r;
      products += __builtin_mul_overflow(a, b, &r);
      hash = hash * 31 + (word)r;
      carries += __builtin_add_overflow((word)a, (word)b, &u);
      borrows += __builtin_sub_overflow((word)a, (word)b, &u);
      hash = hash * 31 + u;
      short_sums += __builtin_add_overflow((int16_t)(a * 37), (int16_t)(b * 41), &s);
      short_sums += __builtin_sub_overflow((int8_t)(a * 3), (int8_t)(b * 5), &c);
      hash = hash * 31 + (word)s + (word)c;
      if (b != 0 && !(b == -1 && i == 6)) hash = hash * 31 + (word)(a / b) + (word)(a % b) * 7 + (word)a / (word)b + (word)a % (word)b;
      hash ^= (word)(a < b) + (word)((word)a < (word)b) * 2 + (word)(a <= b) * 4 + (word)(a == b) * 8;
    }
  check("signed sums that overflow", sums, 12);
  report("signed differences that overflow", differences);
  report("signed products that overflow", products);
  report("carries, borrows", carries << 8 | borrows);
  report("16- and 8-bit overflows", short_sums);
  report("all results", hash);
}

void arithmetic(void) {
  wide factorial = 1;
  for (unsigned n = 2; n <= (WORD_BITS == 64 ? 33u : 20u); n++) factorial *= OPAQUE(n);
  print_decimal("factorial", factorial);
  wide a = 0, b = 1;
  for (int n = 0; n < (WORD_BITS == 64 ? 180 : 90); n++) {
    wide sum = a + b;
    a = b;
    b = sum;
  }
  print_decimal("fibonacci number", a);

  word mersenne = WORD_BITS == 64 ? ((word)1 << (WORD_BITS - 3)) - 1 : ((word)1 << (WORD_BITS - 1)) - 1;
  check("a Mersenne number is prime", is_prime(OPAQUE(mersenne)), true);
  check("its neighbour is not", is_prime(OPAQUE(mersenne - 2)), false);
  word inverse = power(3, mersenne - 2, mersenne);
  check("3 times its inverse", (word)((wide)inverse * 3 % mersenne), 1);

  /* (q * d + r) / d is q again, for divisors of every length, and with signs. */
  word seed = OPAQUE((word)88172645), mistakes = 0, hash = 0;
  for (unsigned n = 0; n < 60; n++) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    wide divisor = ((wide)seed << WORD_BITS | seed * 3) >> (n % (2 * WORD_BITS - 4)), dividend = (wide)(seed * 5) << WORD_BITS | seed;
    wide quotient = dividend / divisor, remainder = dividend % divisor;
    mistakes += quotient * divisor + remainder != dividend || remainder >= divisor;
    hash = hash * 33 + fold(quotient) + fold(remainder);
    if (n % 4 == 0) {
      signed_wide x = (signed_wide)dividend >> 5, y = -(signed_wide)(divisor >> 3);
      mistakes += x / y * y + x % y != x;
      hash = hash * 33 + fold((wide)(x / y));
      hash += fold((wide)(x << n % 100 % WORD_BITS)) + fold((wide)(x >> n % 50 % WORD_BITS)) + fold(dividend >> n) + (word)(x < y);
    }
  }
  check("division: mistakes", mistakes, 0);
  report("division: checksum", hash);
  overflows();
}

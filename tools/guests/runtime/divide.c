/* Division of double words, which gcc leaves to a library: we have none. */
#include "guest.h"

#ifdef __x86_64__
typedef unsigned __int128 wide;
typedef __int128 signed_wide;
typedef uint64_t half;
#define HALF_BITS 64
#define DIVIDE "divq"
#define NAME(what, results) __##what##ti##results
#else
typedef uint64_t wide;
typedef int64_t signed_wide;
typedef uint32_t half;
#define HALF_BITS 32
#define DIVIDE "divl"
#define NAME(what, results) __##what##di##results
#endif

/* high:low / divisor, where high < divisor. */
static half divide_step(half high, half low, half divisor, half *remainder) {
  half quotient;
  __asm__(DIVIDE " %4" : "=a"(quotient), "=d"(*remainder) : "a"(low), "d"(high), "rm"(divisor) : "cc");
  return quotient;
}

static wide divide(wide dividend, wide divisor, wide *remainder) {
  if (divisor >> HALF_BITS == 0) {
    half rest;
    half high = divide_step(0, (half)(dividend >> HALF_BITS), (half)divisor, &rest);
    half low = divide_step(rest, (half)dividend, (half)divisor, &rest);
    *remainder = rest;
    return (wide)high << HALF_BITS | low;
  }
  wide quotient = 0;
  int shift = 0;
  while (divisor >> (2 * HALF_BITS - 1) == 0 && divisor < dividend) {
    divisor <<= 1;
    shift++;
  }
  for (; shift >= 0; shift--, divisor >>= 1) {
    quotient <<= 1;
    if (dividend >= divisor) {
      dividend -= divisor;
      quotient |= 1;
    }
  }
  *remainder = dividend;
  return quotient;
}

wide NAME(udiv, 3)(wide a, wide b) {
  wide remainder;
  return divide(a, b, &remainder);
}
wide NAME(umod, 3)(wide a, wide b) {
  wide remainder;
  divide(a, b, &remainder);
  return remainder;
}
signed_wide NAME(div, 3)(signed_wide a, signed_wide b) {
  wide remainder, quotient = divide(a < 0 ? -(wide)a : (wide)a, b < 0 ? -(wide)b : (wide)b, &remainder);
  return (signed_wide)((a < 0) != (b < 0) ? -quotient : quotient);
}
signed_wide NAME(mod, 3)(signed_wide a, signed_wide b) {
  wide remainder;
  divide(a < 0 ? -(wide)a : (wide)a, b < 0 ? -(wide)b : (wide)b, &remainder);
  return (signed_wide)(a < 0 ? -remainder : remainder);
}
wide NAME(udivmod, 4)(wide a, wide b, wide *remainder) {
  wide rest, quotient = divide(a, b, &rest);
  if (remainder) *remainder = rest;
  return quotient;
}
signed_wide NAME(divmod, 4)(signed_wide a, signed_wide b, signed_wide *remainder) {
  *remainder = NAME(mod, 3)(a, b);
  return NAME(div, 3)(a, b);
}

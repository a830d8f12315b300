/* The functions that gcc calls by itself, with the string instructions. */
#include "guest.h"

void *memcpy(void *to, const void *from, size_t count) {
  void *d = to;
  size_t words = count / sizeof(long), bytes = count % sizeof(long);
#ifdef __x86_64__
  __asm__ volatile("rep movsq" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
#else
  __asm__ volatile("rep movsl" : "+D"(d), "+S"(from), "+c"(words) : : "memory");
#endif
  __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(bytes) : : "memory");
  return to;
}

void *memmove(void *to, const void *from, size_t count) {
  if ((uintptr_t)to - (uintptr_t)from >= count) return memcpy(to, from, count);
  void *d = (char *)to + count - 1;
  from = (const char *)from + count - 1;
  __asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(d), "+S"(from), "+c"(count) : : "memory", "cc");
  return to;
}

void *memset(void *to, int byte, size_t count) {
  void *d = to;
  unsigned long pattern = (uint8_t)byte * (~0ul / 255);
  size_t words = count / sizeof(long), bytes = count % sizeof(long);
#ifdef __x86_64__
  __asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
#else
  __asm__ volatile("rep stosl" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
#endif
  __asm__ volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(pattern) : "memory");
  return to;
}

int memcmp(const void *a, const void *b, size_t count) {
  bool above, below;
  /* CMP of a register with itself: equal, if there is nothing to compare. */
  __asm__ volatile("cmp %0, %0\n\trepe cmpsb" : "+c"(count), "+S"(a), "+D"(b), "=@cca"(above), "=@ccb"(below) : : "memory");
  return above - below;
}

size_t strlen(const char *text) {
  size_t count = ~(size_t)0;
  __asm__ volatile("repne scasb" : "+c"(count), "+D"(text) : "a"(0) : "memory", "cc");
  return ~count - 1;
}

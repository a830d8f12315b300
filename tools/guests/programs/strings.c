/* String functions, with and without string instructions, and our printf. */
#include "compute.h"

static const char TEXT[] = "the frame that backs a page is given when the page is first touched and the heap above it never knows";

static const char *find_byte(const char *text, char byte, size_t count) {
  bool found;
  __asm__ volatile("test %1, %1\n\trepne scasb" : "+D"(text), "+c"(count), "=@ccz"(found) : "a"(byte) : "memory");
  return found && count != (size_t)-1 ? text - 1 : NULL;
}

/* LODS and STOS one by one: upper case. */
static void upper_case(char *to, const char *from) {
  char c;
  do {
    __asm__ volatile("lodsb" : "=a"(c), "+S"(from) : : "memory");
    if (c >= 'a' && c <= 'z') c = (char)(c - 32);
    __asm__ volatile("stosb" : "+D"(to) : "a"(c) : "memory");
  } while (c != 0);
}

static int compare(const char *a, const char *b) {
  while (*a && *a == *b) {
    a++;
    b++;
  }
  return (uint8_t)*a - (uint8_t)*b;
}

static void sort_words(void) {
  char copy[sizeof TEXT], out[sizeof TEXT];
  char *words[40];
  int count = 0;
  memcpy(copy, TEXT, sizeof TEXT);
  for (char *c = copy; *c;) {
    words[count++] = c;
    while (*c && *c != ' ') c++;
    if (*c) *c++ = 0;
  }
  for (int n = 1; n < count; n++) {
    char *word = words[n];
    int at = n;
    for (; at > 0 && compare(words[at - 1], word) > 0; at--) words[at] = words[at - 1];
    words[at] = word;
  }
  char *to = out;
  for (int n = 0; n < count; n++) to += format(to, (size_t)(out + sizeof out - to), n == 0 ? "%s" : " %s", words[n]);
  print("%s\n", out);
  check("words", (unsigned)count, 21);
}

static void moves(void) {
  uint8_t buffer[160], model[160];
  unsigned mistakes = 0;
  for (unsigned n = 0; n < 24; n++) {
    for (unsigned i = 0; i < sizeof buffer; i++) buffer[i] = model[i] = (uint8_t)(i * 7 + n);
    unsigned from = n * 5 % 60, to = n * 11 % 60, count = n * 3 + 1;
    memmove(buffer + to, buffer + from, count);
    if (to <= from)
      for (unsigned i = 0; i < count; i++) model[to + i] = model[from + i];
    else
      for (unsigned i = count; i-- > 0;) model[to + i] = model[from + i];
    mistakes += memcmp(buffer, model, sizeof buffer) != 0;
    memset(buffer + n, (int)n, count);
    for (unsigned i = 0; i < count; i++) model[n + i] = (uint8_t)n;
    mistakes += memcmp(buffer, model, sizeof buffer) != 0;
    buffer[n * 6] ^= 0x80;
    int expected = buffer[n * 6] > model[n * 6] ? 1 : -1;
    mistakes += memcmp(buffer, model, sizeof buffer) != expected;
  }
  check("memmove, memset, memcmp: mistakes", mistakes, 0);
}

static void printing(void) {
  char line[64];
  print("[%5d] [%-5d] [%05d] [%x] [%08x] [%c] [%10s] [%-10s] [%%] [%*u]\n", -42, -42, -42, 0xbeefu, 0xbeefu, 'x', "right", "left", 6, 7u);
  print("%lld %llu %llx %ld %d %d %d\n", -9223372036854775807ll - 1, 18446744073709551615ull, 0xfedcba9876543210ull, 123456789l, 1, 2, 3);
  check("length that did not fit", (unsigned)format(line, 8, "%s", TEXT), sizeof TEXT - 1);
  check("what did fit", strlen(line), 7);
}

void strings(void) {
  char copy[sizeof TEXT];
  check("strlen", strlen(TEXT), sizeof TEXT - 1);
  check("scan for q", find_byte(TEXT, 'q', sizeof TEXT) != NULL, false);
  check("scan for v", (uintptr_t)(find_byte(TEXT, 'v', sizeof TEXT) - TEXT), 33);
  upper_case(copy, TEXT);
  print("%s\n", copy);
  sort_words();
  moves();
  printing();
}

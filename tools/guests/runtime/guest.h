/* What every guest program has: the console on COM1, checks, the end through the debug-exit port. */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Formats as printf: %d %u %x %c %s %p %%, flags - and 0, a width, * as width, l and ll. Returns the length. */
int format_list(char *out, size_t size, const char *format, va_list arguments);
int format(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a result; another one than expected is a failure. */
void check(const char *what, uint64_t got, uint64_t expected);
/* Prints a result that the recorded console text judges. */
void report(const char *what, uint64_t value);
/* Ends the run: debug-exit value 0, or 1 when a check failed. */
_Noreturn void finish(void);

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);

/* FNV-1a, 32 bits. */
uint32_t fnv1a(const void *data, size_t count);

/* The value, but the compiler no longer knows it. */
#define OPAQUE(value) ({ __typeof__(value) hidden = (value); __asm__ volatile("" : "+r"(hidden)); hidden; })

static inline void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port)); }
static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

int main(void);

#endif

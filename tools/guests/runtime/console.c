/* The console on COM1 and a printf of our own. */
#include "guest.h"

enum { COM1 = 0x3f8, LINE_STATUS = COM1 + 5, TRANSMITTER_EMPTY = 0x20, DEBUG_EXIT = 0xf4 };

static unsigned failures;

static void put(char c) {
  while ((in8(LINE_STATUS) & TRANSMITTER_EMPTY) == 0) continue;
  out8(COM1, (uint8_t)c);
}

struct sink {
  char *out;
  size_t size, length;
};
static void emit(struct sink *sink, char c) {
  if (sink->length + 1 < sink->size) sink->out[sink->length] = c;
  sink->length++;
}
static void emit_padded(struct sink *sink, const char *text, size_t length, int width, bool left, char fill) {
  int padding = width - (int)length;
  if (!left)
    while (padding-- > 0) emit(sink, fill);
  while (length-- > 0) emit(sink, *text++);
  if (left)
    while (padding-- > 0) emit(sink, ' ');
}

int format_list(char *out, size_t size, const char *f, va_list arguments) {
  struct sink sink = {out, size, 0};
  for (; *f; f++) {
    if (*f != '%') {
      emit(&sink, *f);
      continue;
    }
    bool left = false, sign = false;
    char fill = ' ';
    int width = 0, longs = 0;
    for (f++; *f == '-' || *f == '0'; f++) {
      if (*f == '-') left = true;
      else fill = '0';
    }
    if (*f == '*') {
      width = va_arg(arguments, int);
      f++;
    }
    for (; *f >= '0' && *f <= '9'; f++) width = width * 10 + (*f - '0');
    for (; *f == 'l'; f++) longs++;
    char digits[24];
    size_t at = sizeof digits;
    uint64_t value = 0;
    unsigned base = 10;
    switch (*f) {
      case 'c': {
        char c = (char)va_arg(arguments, int);
        emit_padded(&sink, &c, 1, width, left, ' ');
        continue;
      }
      case 's': {
        const char *text = va_arg(arguments, const char *);
        emit_padded(&sink, text, strlen(text), width, left, ' ');
        continue;
      }
      case '%':
        emit(&sink, '%');
        continue;
      case 'p':
        value = (uintptr_t)va_arg(arguments, void *);
        base = 16;
        break;
      case 'd': {
        int64_t number = longs == 2 ? va_arg(arguments, long long) : longs == 1 ? va_arg(arguments, long) : va_arg(arguments, int);
        sign = number < 0;
        value = sign ? -(uint64_t)number : (uint64_t)number;
        break;
      }
      case 'x':
        base = 16;
        /* fall through */
      default:
        value = longs == 2 ? va_arg(arguments, unsigned long long) : longs == 1 ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
    }
    do {
      digits[--at] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    if (sign && fill == '0') {
      emit(&sink, '-');
      width--;
    } else if (sign) {
      digits[--at] = '-';
    }
    emit_padded(&sink, digits + at, sizeof digits - at, width, left, fill);
  }
  if (size > 0) out[sink.length < size ? sink.length : size - 1] = 0;
  return (int)sink.length;
}

int format(char *out, size_t size, const char *f, ...) {
  va_list arguments;
  va_start(arguments, f);
  int length = format_list(out, size, f, arguments);
  va_end(arguments);
  return length;
}

void print(const char *f, ...) {
  char line[200];
  va_list arguments;
  va_start(arguments, f);
  format_list(line, sizeof line, f, arguments);
  va_end(arguments);
  for (const char *c = line; *c; c++) put(*c);
}

void report(const char *what, uint64_t value) { print("%-36s %llx\n", what, (unsigned long long)value); }

void check(const char *what, uint64_t got, uint64_t expected) {
  report(what, got);
  if (got == expected) return;
  failures++;
  print("FAILED: expected %llx\n", (unsigned long long)expected);
}

void finish(void) {
  print("%s\n", failures == 0 ? "all checks hold" : "checks failed");
  out8(DEBUG_EXIT, failures != 0);
  for (;;) __asm__ volatile("cli; hlt");
}

uint32_t fnv1a(const void *data, size_t count) {
  uint32_t hash = 2166136261u;
  for (const uint8_t *p = data; count-- > 0; p++) hash = (hash ^ *p) * 16777619u;
  return hash;
}

/* The 8254 interrupts through the 8259 while something is computed, and out of HLT. */
#include "system.h"

enum { PIC1 = 0x20, PIC2 = 0xa0, PIT_CHANNEL0 = 0x40, PIT_COMMAND = 0x43, END_OF_INTERRUPT = 0x20 };
/* Of 1.193182 MHz: an interrupt about every 42 us. */
enum { DIVISOR = 50 };

static volatile unsigned ticks;
static bool tick(struct frame *frame) {
  ticks++;
  out8(PIC1, END_OF_INTERRUPT);
  return true;
}

static void start_timer(void) {
  static const uint8_t FIRST[] = {0x11, IRQ0, 4, 1, 0xfe}, SECOND[] = {0x11, IRQ0 + 8, 2, 1, 0xff};
  for (unsigned n = 0; n < sizeof FIRST; n++) {
    out8((uint16_t)(PIC1 + (n > 0)), FIRST[n]);
    out8((uint16_t)(PIC2 + (n > 0)), SECOND[n]);
  }
  handlers[IRQ0] = tick;
  out8(PIT_COMMAND, 0x34); /* channel 0, both bytes, mode 2 */
  out8(PIT_CHANNEL0, DIVISOR);
  out8(PIT_CHANNEL0, 0);
}

void timer(void) {
  static uint8_t data[500];
  for (unsigned n = 0; n < sizeof data; n++) data[n] = (uint8_t)(n * 3);
  uint32_t expected = crc32(data, sizeof data);
  unsigned mistakes = 0;
  start_timer();
  __asm__ volatile("sti");
  while (ticks < 3) mistakes += crc32(data, sizeof data) != expected;
  check("interrupted computations: mistakes", mistakes, 0);
  unsigned before = ticks;
  while (ticks < before + 3) __asm__ volatile("hlt");
  __asm__ volatile("cli");
  check("ticks came", ticks >= 6, true);
  out8(PIC1 + 1, 0xff);
}

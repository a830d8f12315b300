/*
 * Reads the command line (workload=NAME count=N prime=0|1 wait=0|1), primes, prints `begin`, works, prints `end CHECKSUM ok`.
 * The guest measures nothing: the host looks at its clocks when it sees the two lines. wait=1 keeps the machine busy
 * afterwards, until a byte comes in on COM1 or somebody ends it, so that the host can look at all.
 */
#include "bench.h"

enum { COM1 = 0x3f8, LINE_CONTROL = COM1 + 3, EIGHT_BITS = 3, LINE_STATUS = COM1 + 5, DATA_READY = 1, PVH_MAGIC = 0x336ec578, MULTIBOOT_CMDLINE = 4 };

static const struct workload *const LISTS[] = {integer_workloads, bytecode_workloads, nbody_workloads, packed_workloads, x87_workloads, system_workloads, code_workloads};

static const char *command_line(const uint32_t *information) {
  if (information[0] == PVH_MAGIC) return (const char *)(uintptr_t)information[6];
  return information[0] & MULTIBOOT_CMDLINE ? (const char *)(uintptr_t)information[4] : "";
}

/* Where the value of `name=` starts, at the beginning of a word; null without it. */
static const char *option(const char *line, const char *name) {
  size_t length = strlen(name);
  for (const char *at = line; *at; at++)
    if ((at == line || at[-1] == ' ') && strlen(at) > length && memcmp(at, name, length) == 0 && at[length] == '=') return at + length + 1;
  return NULL;
}
static uint32_t number(const char *line, const char *name, uint32_t otherwise) {
  const char *at = option(line, name);
  if (!at) return otherwise;
  uint32_t value = 0;
  for (; *at >= '0' && *at <= '9'; at++) value = value * 10 + (uint32_t)(*at - '0');
  return value;
}
static bool is_word(const char *at, const char *word) {
  size_t length = strlen(word);
  return strlen(at) >= length && memcmp(at, word, length) == 0 && (at[length] == 0 || at[length] == ' ');
}
static const struct workload *find(const char *name) {
  for (size_t n = 0; n < sizeof LISTS / sizeof *LISTS; n++)
    for (const struct workload *one = LISTS[n]; one->name; one++)
      if (is_word(name, one->name)) return one;
  return NULL;
}

/* QEMU's software TLB starts small and grows only when it is flushed after much use. */
static void prime(void) {
  for (int n = 0; n < 12; n++) {
    for (size_t at = 0; at < PRIMED_BYTES; at += 4096) ((volatile uint8_t *)ARENA)[at]++;
    reload_cr3();
  }
}

_Noreturn void bench(const uint32_t *information) {
  /* Without a BIOS nobody has set the line up, and characters have 5 bits. */
  out8(LINE_CONTROL, EIGHT_BITS);
  const char *line = command_line(information), *name = option(line, "workload");
  const struct workload *workload = name ? find(name) : NULL;
  if (!workload) {
    print("there is no such workload: %s\n", line);
    check("workload=", 0, 1);
    finish();
  }
  uint32_t count = number(line, "count", 1), checksum = workload->checksum;
  if (number(line, "prime", 0)) prime();
  if (workload->prepare) workload->prepare();
  print("begin\n");
  for (uint32_t n = 0; n < count && checksum == workload->checksum; n++) checksum = workload->unit();
  print("end %x %s\n", checksum, checksum == workload->checksum ? "ok" : "wrong");
  if (number(line, "wait", 0))
    while ((in8(LINE_STATUS) & DATA_READY) == 0) continue;
  check(workload->name, checksum, workload->checksum);
  finish();
}

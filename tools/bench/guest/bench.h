/* The benchmark guest: workloads that do the same unit of work as often as they are told, and know what each must give. */
#ifndef BENCH_H
#define BENCH_H

#include "../../guests/runtime/guest.h"

struct workload {
  const char *name;
  /* What is done once, before the clock starts; may be null. */
  void (*prepare)(void);
  /* One unit of work; every unit is the same work and gives the same checksum. */
  uint32_t (*unit)(void);
  uint32_t checksum;
};
/* The lists of the files, each ended by a null name. */
extern const struct workload integer_workloads[], bytecode_workloads[], nbody_workloads[], packed_workloads[], x87_workloads[], system_workloads[], code_workloads[];

/* Every unit starts on a cache line of its own, so that one workload's size does not move the next one's loops within a line. */
#define WORK __attribute__((noinline, aligned(64)))

/* Memory that no section holds: identity mapped, from here to the end of RAM. */
#define ARENA ((uint8_t *)0x2000000)
/* Priming touches this much of it. */
#define PRIMED_BYTES (96u << 20)

/* CRC-32 as in ISO 3309 and SHA-256 as in FIPS 180-4: tools/guests/programs/digests.c. */
uint32_t crc32(const void *data, size_t count);
void sha256(const void *data, size_t count, uint8_t digest[32]);

void reload_cr3(void);

#endif

/* The parts of the computing guests. Each prints and checks its own results. */
#ifndef COMPUTE_H
#define COMPUTE_H

#include "../runtime/guest.h"

void algorithms(void);
void digests(void);
void interpreters(void);
void arithmetic(void);
void bit_fiddling(void);
void strings(void);
void coroutines(void);

/* CRC-32 as in ISO 3309, by table. */
uint32_t crc32(const void *data, size_t count);
/* SHA-256 as in FIPS 180-4. */
void sha256(const void *data, size_t count, uint8_t digest[32]);

#endif

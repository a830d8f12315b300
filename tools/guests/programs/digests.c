/* CRC-32 and SHA-256. */
#include "compute.h"

static uint32_t table[256];

uint32_t crc32(const void *data, size_t count) {
  if (table[1] == 0)
    for (uint32_t n = 0; n < 256; n++) {
      uint32_t entry = n;
      for (int bit = 0; bit < 8; bit++) entry = entry & 1 ? entry >> 1 ^ 0xedb88320 : entry >> 1;
      table[n] = entry;
    }
  uint32_t crc = ~0u;
  for (const uint8_t *p = data; count-- > 0; p++) crc = table[(crc ^ *p) & 0xff] ^ crc >> 8;
  return ~crc;
}

static const uint32_t ROUND[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
  0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
  0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
  0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
  0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
  0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate_right(uint32_t value, int count) { return value >> count | value << (32 - count); }

static void sha256_block(uint32_t state[8], const uint8_t *block) {
  uint32_t w[64], s[8];
  for (int t = 0; t < 16; t++) {
    uint32_t word;
    memcpy(&word, block + 4 * t, 4);
    w[t] = __builtin_bswap32(word);
  }
  for (int t = 16; t < 64; t++) {
    uint32_t a = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
    uint32_t b = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + a + w[t - 7] + b;
  }
  memcpy(s, state, sizeof s);
  for (int t = 0; t < 64; t++) {
    uint32_t e = rotate_right(s[4], 6) ^ rotate_right(s[4], 11) ^ rotate_right(s[4], 25);
    uint32_t one = s[7] + e + ((s[4] & s[5]) ^ (~s[4] & s[6])) + ROUND[t] + w[t];
    uint32_t a = rotate_right(s[0], 2) ^ rotate_right(s[0], 13) ^ rotate_right(s[0], 22);
    uint32_t two = a + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    s[7] = s[6];
    s[6] = s[5];
    s[5] = s[4];
    s[4] = s[3] + one;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = one + two;
  }
  for (int n = 0; n < 8; n++) state[n] += s[n];
}

void sha256(const void *data, size_t count, uint8_t digest[32]) {
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  uint64_t bits = __builtin_bswap64((uint64_t)count * 8);
  uint8_t block[64];
  for (; count >= 64; count -= 64, data = (const uint8_t *)data + 64) sha256_block(state, data);
  memset(block, 0, sizeof block);
  memcpy(block, data, count);
  block[count] = 0x80;
  if (count >= 56) {
    sha256_block(state, block);
    memset(block, 0, sizeof block);
  }
  memcpy(block + 56, &bits, 8);
  sha256_block(state, block);
  for (int n = 0; n < 8; n++) {
    uint32_t word = __builtin_bswap32(state[n]);
    memcpy(digest + 4 * n, &word, 4);
  }
}

static uint64_t first_bytes(const char *text, size_t count) {
  uint8_t digest[32];
  sha256(text, count, digest);
  uint64_t value = 0;
  for (int n = 0; n < 8; n++) value = value << 8 | digest[n];
  return value;
}

void digests(void) {
  check("CRC-32 of 123456789", crc32("123456789", 9), 0xcbf43926);
  static uint8_t data[600];
  for (size_t n = 0; n < sizeof data; n++) data[n] = (uint8_t)(n * n >> 3);
  report("CRC-32 of 600 bytes", crc32(data, sizeof data));
  check("SHA-256 of abc", first_bytes("abc", 3), 0xba7816bf8f01cfea);
  check("SHA-256 of nothing", first_bytes("", 0), 0xe3b0c44298fc1c14);
  check("SHA-256 of 56 characters", first_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56), 0x248d6a61d20638b8);
  report("SHA-256 of 600 bytes", first_bytes((const char *)data, sizeof data));
}

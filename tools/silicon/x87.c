/*
 * Runs single x87 instructions on the host processor: loads an FXSAVE image and RFLAGS, executes the instruction with RSI
 * at its memory operand, stores what came out. Exceptions stay pending in the image: nothing here waits for one.
 * Usage: x87 CASES OUTCOMES; both are arrays of struct record, the second with the state after the instruction.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct record {
  uint8_t fpu[512];
  uint8_t memory[128];
  uint64_t rflags, rax;
  uint32_t length;
  uint8_t code[12];
} __attribute__((aligned(16)));

/* fxrstor64 [rdi]; mov rax, rdx; push rcx; popfq */
static const uint8_t before[] = { 0x48, 0x0f, 0xae, 0x0f, 0x48, 0x89, 0xd0, 0x51, 0x9d };
/* pushfq; pop rcx; fxsave64 [rdi]; fnclex; fninit; mov [rdi+640], rcx; mov [rdi+648], rax; ret */
static const uint8_t after[] = { 0x9c, 0x59, 0x48, 0x0f, 0xae, 0x07, 0xdb, 0xe2, 0xdb, 0xe3, 0x48, 0x89, 0x8f, 0x80, 0x02, 0x00, 0x00,
  0x48, 0x89, 0x87, 0x88, 0x02, 0x00, 0x00, 0xc3 };

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  FILE *in = fopen(argv[1], "rb"), *out = fopen(argv[2], "wb");
  uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!in || !out || code == MAP_FAILED) return 1;
  static struct record r;
  while (fread(&r, sizeof r, 1, in) == 1) {
    memcpy(code, before, sizeof before);
    memcpy(code + sizeof before, r.code, r.length);
    memcpy(code + sizeof before + r.length, after, sizeof after);
    ((void (*)(struct record *, uint8_t *, uint64_t, uint64_t))code)(&r, r.memory, r.rax, r.rflags);
    if (fwrite(&r, sizeof r, 1, out) != 1) return 1;
  }
  return fclose(out) != 0;
}

/*
 * Runs single instructions on the host processor and reports what they did. One process, no children: each case is a
 * return from a signal handler into a prepared context, and ends in the next signal (INT3 behind the instruction, or
 * the fault it raised). 64-bit mode, and compatibility mode through the CS selector of the saved context.
 * The memory layout is that of test/support/silicon/world.ts. Usage: harness CASES OUTCOMES
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA 0x20000000ul
#define CODE 0x30000000ul
#define PAGE 4096ul
#define START (CODE + PAGE + 0x800)
#define GS_BASE (DATA + 0x40)
#define WRITABLE (2 * PAGE)
#define CHANGED 512

struct input {
  uint64_t gpr[16], flags;
  uint32_t compatibility, length;
  uint8_t code[16];
  uint32_t poke_offset, poke_length;
  uint8_t poke[64];
  uint64_t xmm[16][2];
  uint32_t mxcsr, has_fpu;
  uint16_t fpu_control, fpu_status, fpu_valid, reserved[5];
  uint8_t st[8][16]; /* ST(0)-ST(7) */
  uint64_t high[16][2]; /* bits 255:128 of YMM0-YMM15 */
};
struct outcome {
  uint64_t gpr[16], rip, flags, cr2;
  uint32_t vector, error, changed_offset, changed_length;
  uint8_t changed[CHANGED];
  uint64_t xmm[16][2];
  uint32_t mxcsr, reserved;
  uint16_t fpu_control, fpu_status, fpu_valid, reserved2[5];
  uint8_t st[8][16];
  uint64_t high[16][2];
};

static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
  REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15 };
static uint8_t pattern[3 * PAGE], expected[WRITABLE];
static struct input in;
static FILE *cases, *outcomes;
static mcontext_t home;
static int running, avx;

static void fill_pattern(void) {
  uint32_t s = 0x12345678;
  for (unsigned n = 0; n < sizeof pattern; n++) {
    s ^= s << 13; s ^= s >> 17; s ^= s << 5;
    pattern[n] = (uint8_t)(s >> 24);
  }
}

/* The header of the extended state, behind its 512 legacy bytes, says which parts a return restores: x87, SSE and AVX are bits 0 to 2. */
static uint64_t *parts(const mcontext_t *m) { return (uint64_t *)((char *)m->fpregs + 512); }

static void report(const mcontext_t *m) {
  struct outcome out = { 0 };
  for (int n = 0; n < 16; n++) out.gpr[n] = (uint64_t)m->gregs[order[n]];
  out.rip = (uint64_t)m->gregs[REG_RIP];
  out.flags = (uint64_t)m->gregs[REG_EFL];
  out.vector = (uint32_t)m->gregs[REG_TRAPNO];
  out.error = (uint32_t)m->gregs[REG_ERR];
  out.cr2 = out.vector == 14 ? (uint64_t)m->gregs[REG_CR2] : 0;
  const uint8_t *data = (const uint8_t *)DATA;
  uint32_t first = 0, end = WRITABLE;
  while (first < end && data[first] == expected[first]) first++;
  while (end > first && data[end - 1] == expected[end - 1]) end--;
  out.changed_length = end - first;
  out.changed_offset = end == first ? 0 : first;
  if (out.changed_length > CHANGED) { fprintf(stderr, "a case changed %u bytes\n", out.changed_length); _exit(1); }
  memcpy(out.changed, data + first, end - first);
  memcpy(out.xmm, m->fpregs->_xmm, sizeof out.xmm);
  out.mxcsr = m->fpregs->mxcsr;
  out.fpu_control = m->fpregs->cwd;
  out.fpu_status = m->fpregs->swd;
  out.fpu_valid = m->fpregs->ftw & 0xff;
  for (int n = 0; n < 8; n++) memcpy(out.st[n], &m->fpregs->_st[n], 10);
  if (avx && (*parts(m) & 4)) memcpy(out.high, (const char *)m->fpregs + 576, sizeof out.high);
  if (fwrite(&out, sizeof out, 1, outcomes) != 1) _exit(1);
}


static void prepare(mcontext_t *m) {
  memcpy(expected, pattern, WRITABLE);
  memcpy(expected + in.poke_offset, in.poke, in.poke_length);
  memcpy((void *)DATA, expected, WRITABLE);
  memset((void *)(START - 32), 0xcc, 64);
  memcpy((void *)START, in.code, in.length);
  for (int n = 0; n < 16; n++) m->gregs[order[n]] = (greg_t)in.gpr[n];
  memcpy(m->fpregs->_xmm, in.xmm, sizeof in.xmm);
  m->fpregs->mxcsr = in.mxcsr;
  m->fpregs->cwd = in.has_fpu ? in.fpu_control : 0x37f;
  m->fpregs->swd = in.has_fpu ? in.fpu_status : 0;
  m->fpregs->ftw = in.has_fpu ? in.fpu_valid : 0;
  for (int n = 0; n < 8; n++) memcpy(&m->fpregs->_st[n], in.st[n], 16);
  if (avx) memcpy((char *)m->fpregs + 576, in.high, sizeof in.high);
  *parts(m) |= avx ? 7 : 3;
  m->gregs[REG_RIP] = (greg_t)START;
  m->gregs[REG_EFL] = (greg_t)in.flags;
  m->gregs[REG_CSGSFS] = (home.gregs[REG_CSGSFS] & ~0xffffl) | (in.compatibility ? 0x23 : 0x33);
}

static void on_signal(int number, siginfo_t *info, void *context) {
  (void)number; (void)info;
  /* A case may have alignment checks on, and this is no case. */
  __asm__ volatile("pushfq; andl $0xfffbffff, (%%rsp); popfq" : : : "memory", "cc");
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  if (running) report(m);
  else memcpy(&home, m, sizeof home);
  running = 1;
  if (fread(&in, sizeof in, 1, cases) == 1) prepare(m);
  else { running = 0; memcpy(m->gregs, home.gregs, sizeof m->gregs); }
}

int main(int argc, char **argv) {
  if (argc != 3 || !(cases = fopen(argv[1], "rb")) || !(outcomes = fopen(argv[2], "wb"))) { fprintf(stderr, "usage: harness CASES OUTCOMES\n"); return 2; }
  fill_pattern();
  avx = __builtin_cpu_supports("avx");
  const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  if (mmap((void *)DATA, 3 * PAGE, PROT_READ | PROT_WRITE, fixed, -1, 0) == MAP_FAILED) return 1;
  if (mmap((void *)CODE, 3 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0) == MAP_FAILED) return 1;
  memcpy((void *)DATA, pattern, sizeof pattern);
  mprotect((void *)(DATA + WRITABLE), PAGE, PROT_READ);
  memset((void *)CODE, 0xcc, 3 * PAGE);
  syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, GS_BASE);

  static char stack[65536];
  stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
  sigaltstack(&alternate, NULL);
  struct sigaction action = { 0 };
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  const int signals[] = { SIGTRAP, SIGSEGV, SIGFPE, SIGILL, SIGBUS };
  for (unsigned n = 0; n < sizeof signals / sizeof *signals; n++) sigaction(signals[n], &action, NULL);
  /* Compatibility mode needs usable DS, ES and SS. */
  __asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0x2b));
  __asm__ volatile("int3");
  return fclose(outcomes) == 0 ? 0 : 1;
}

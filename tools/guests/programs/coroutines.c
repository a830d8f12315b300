/* Stacks of one's own: coroutines that pass numbers on, and jumps out of nested calls. */
#include "compute.h"

/* Saves what the callee must keep on this stack, and goes on where `to` left off. */
__attribute__((naked, noinline)) static void switch_stack(void **from, void *to) {
#ifdef __x86_64__
  __asm__("push %rbp\n\tpush %rbx\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
          "mov %rsp, (%rdi)\n\tmov %rsi, %rsp\n\t"
          "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\tpop %rbx\n\tpop %rbp\n\tret");
#else
  __asm__("mov 4(%esp), %eax\n\tmov 8(%esp), %edx\n\t"
          "push %ebp\n\tpush %ebx\n\tpush %esi\n\tpush %edi\n\t"
          "mov %esp, (%eax)\n\tmov %edx, %esp\n\t"
          "pop %edi\n\tpop %esi\n\tpop %ebx\n\tpop %ebp\n\tret");
#endif
}

struct coroutine {
  void *own, *caller;
  unsigned passed, prime;
  struct coroutine *source;
  uintptr_t stack[160];
};
static struct coroutine line[12];
static unsigned running;

static void give(struct coroutine *self, unsigned value) {
  self->passed = value;
  switch_stack(&self->own, self->caller);
}
static unsigned take(struct coroutine *from) {
  unsigned outer = running;
  running = (unsigned)(from - line);
  switch_stack(&from->caller, from->own);
  running = outer;
  return from->passed;
}

static void numbers(void) {
  struct coroutine *self = &line[running];
  for (unsigned n = 2;; n++) give(self, n);
}
/* Passes on what its prime does not divide. */
static void filter(void) {
  struct coroutine *self = &line[running];
  for (;;) {
    unsigned n = take(self->source);
    if (n % self->prime != 0) give(self, n);
  }
}

static void create(struct coroutine *self, void (*body)(void), struct coroutine *source, unsigned prime) {
  uintptr_t *top = self->stack + sizeof self->stack / sizeof *self->stack;
  *--top = 0; /* the body never returns; this aligns its stack */
  *--top = (uintptr_t)body;
  for (int n = 0; n < 6 - 2 * (sizeof(long) == 4); n++) *--top = 0;
  self->own = top;
  self->source = source;
  self->prime = prime;
}

struct jump_buffer {
  uintptr_t registers[8];
};
#ifdef __x86_64__
__attribute__((naked, noinline, returns_twice)) static int set_jump(struct jump_buffer *buffer) {
  __asm__("mov %rbx, (%rdi)\n\tmov %rbp, 8(%rdi)\n\tmov %r12, 16(%rdi)\n\tmov %r13, 24(%rdi)\n\tmov %r14, 32(%rdi)\n\tmov %r15, 40(%rdi)\n\t"
          "lea 8(%rsp), %rax\n\tmov %rax, 48(%rdi)\n\tmov (%rsp), %rax\n\tmov %rax, 56(%rdi)\n\txor %eax, %eax\n\tret");
}
__attribute__((naked, noinline, noreturn)) static void long_jump(struct jump_buffer *buffer, int value) {
  __asm__("mov (%rdi), %rbx\n\tmov 8(%rdi), %rbp\n\tmov 16(%rdi), %r12\n\tmov 24(%rdi), %r13\n\tmov 32(%rdi), %r14\n\tmov 40(%rdi), %r15\n\t"
          "mov 48(%rdi), %rsp\n\tmov %esi, %eax\n\tjmp *56(%rdi)");
}
#else
__attribute__((naked, noinline, returns_twice)) static int set_jump(struct jump_buffer *buffer) {
  __asm__("mov 4(%esp), %edx\n\tmov %ebx, (%edx)\n\tmov %ebp, 4(%edx)\n\tmov %esi, 8(%edx)\n\tmov %edi, 12(%edx)\n\t"
          "lea 4(%esp), %eax\n\tmov %eax, 16(%edx)\n\tmov (%esp), %eax\n\tmov %eax, 20(%edx)\n\txor %eax, %eax\n\tret");
}
__attribute__((naked, noinline, noreturn)) static void long_jump(struct jump_buffer *buffer, int value) {
  __asm__("mov 4(%esp), %edx\n\tmov 8(%esp), %eax\n\tmov (%edx), %ebx\n\tmov 4(%edx), %ebp\n\tmov 8(%edx), %esi\n\tmov 12(%edx), %edi\n\t"
          "mov 16(%edx), %esp\n\tjmp *20(%edx)");
}
#endif

static struct jump_buffer escape;
static unsigned search(unsigned depth, unsigned value) {
  if (value % 97 == 35) long_jump(&escape, (int)value);
  if (depth == 0) return value;
  return search(depth - 1, value * 2 + 1) + search(depth - 1, value * 3 + 2);
}

void coroutines(void) {
  enum { PRIMES = 10 };
  unsigned last = 0, sum = 0;
  create(&line[0], numbers, NULL, 0);
  for (unsigned n = 0; n < PRIMES; n++) {
    last = take(&line[n]);
    sum += last;
    create(&line[n + 1], filter, &line[n], last);
  }
  check("the tenth prime, by coroutines", last, 29);
  check("the sum of ten primes", sum, 129);

  volatile unsigned attempts = 0;
  int found = set_jump(&escape);
  attempts++;
  if (found == 0) search(9, 1);
  check("jumps out of nested calls", attempts, 2);
  check("value that was found", (unsigned)found, 17495);
}

/* One bytecode program, run by a switch and by calls through a table: what interpreters do to a branch predictor and to a translator. */
#include "bench.h"

enum opcode { PUSH, LOAD, STORE, ADD, MULTIPLY, XOR, AND, SHIFT_RIGHT, LESS, JUMP, JUMP_IF_ZERO, DUPLICATE, SWAP, STOP, OPCODES };

struct instruction {
  uint8_t opcode, operand;
};
struct vm {
  const struct instruction *next;
  uint32_t *sp;
  uint32_t variables[4], stack[16];
  bool running;
};

/* v0 counts to 200, v1 is mixed, v3 collects, differently for small and large v1. */
enum { LOOP = 6, OTHERWISE = 30, COLLECT = 34, END = 40 };
static const struct instruction PROGRAM[] = {
  {PUSH, 0}, {STORE, 0}, {PUSH, 17}, {STORE, 1}, {PUSH, 0}, {STORE, 3},
  [LOOP] = {LOAD, 0}, {PUSH, 200}, {LESS, 0}, {JUMP_IF_ZERO, END},
  {LOAD, 1}, {PUSH, 181}, {MULTIPLY, 0}, {PUSH, 77}, {ADD, 0}, {DUPLICATE, 0}, {PUSH, 7}, {SHIFT_RIGHT, 0}, {XOR, 0}, {STORE, 1},
  {LOAD, 1}, {PUSH, 63}, {AND, 0}, {PUSH, 9}, {LESS, 0}, {JUMP_IF_ZERO, OTHERWISE},
  {LOAD, 3}, {PUSH, 1}, {ADD, 0}, {JUMP, COLLECT},
  [OTHERWISE] = {LOAD, 3}, {LOAD, 1}, {SWAP, 0}, {XOR, 0},
  [COLLECT] = {STORE, 3}, {LOAD, 0}, {PUSH, 1}, {ADD, 0}, {STORE, 0}, {JUMP, LOOP},
  [END] = {STOP, 0}};

static void start(struct vm *vm) {
  vm->next = OPAQUE(&PROGRAM[0]);
  vm->sp = vm->stack;
  vm->running = true;
}

WORK static uint32_t run_by_switch(void) {
  static struct vm vm;
  start(&vm);
  const struct instruction *next = vm.next;
  uint32_t *sp = vm.sp, *variables = vm.variables;
  for (;;) {
    struct instruction now = *next++;
    switch ((enum opcode)now.opcode) {
      case PUSH: *sp++ = now.operand; break;
      case LOAD: *sp++ = variables[now.operand]; break;
      case STORE: variables[now.operand] = *--sp; break;
      case ADD: sp--; sp[-1] += sp[0]; break;
      case MULTIPLY: sp--; sp[-1] *= sp[0]; break;
      case XOR: sp--; sp[-1] ^= sp[0]; break;
      case AND: sp--; sp[-1] &= sp[0]; break;
      case SHIFT_RIGHT: sp--; sp[-1] >>= sp[0]; break;
      case LESS: sp--; sp[-1] = sp[-1] < sp[0]; break;
      case JUMP: next = PROGRAM + now.operand; break;
      case JUMP_IF_ZERO: if (*--sp == 0) next = PROGRAM + now.operand; break;
      case DUPLICATE: sp[0] = sp[-1]; sp++; break;
      case SWAP: { uint32_t top = sp[-1]; sp[-1] = sp[-2]; sp[-2] = top; break; }
      case STOP: return variables[3];
      case OPCODES: __builtin_unreachable();
    }
  }
}

typedef void handler(struct vm *vm, uint32_t operand);
static void do_push(struct vm *vm, uint32_t operand) { *vm->sp++ = operand; }
static void do_load(struct vm *vm, uint32_t operand) { *vm->sp++ = vm->variables[operand]; }
static void do_store(struct vm *vm, uint32_t operand) { vm->variables[operand] = *--vm->sp; }
static void do_add(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] += vm->sp[0]; }
static void do_multiply(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] *= vm->sp[0]; }
static void do_xor(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] ^= vm->sp[0]; }
static void do_and(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] &= vm->sp[0]; }
static void do_shift_right(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] >>= vm->sp[0]; }
static void do_less(struct vm *vm, uint32_t operand) { vm->sp--; vm->sp[-1] = vm->sp[-1] < vm->sp[0]; }
static void do_jump(struct vm *vm, uint32_t operand) { vm->next = PROGRAM + operand; }
static void do_jump_if_zero(struct vm *vm, uint32_t operand) { if (*--vm->sp == 0) vm->next = PROGRAM + operand; }
static void do_duplicate(struct vm *vm, uint32_t operand) { vm->sp[0] = vm->sp[-1]; vm->sp++; }
static void do_swap(struct vm *vm, uint32_t operand) {
  uint32_t top = vm->sp[-1];
  vm->sp[-1] = vm->sp[-2];
  vm->sp[-2] = top;
}
static void do_stop(struct vm *vm, uint32_t operand) { vm->running = false; }
static handler *const HANDLERS[OPCODES] = {
  do_push, do_load, do_store, do_add, do_multiply, do_xor, do_and, do_shift_right, do_less, do_jump, do_jump_if_zero, do_duplicate, do_swap, do_stop};

WORK static uint32_t run_by_calls(void) {
  static struct vm vm;
  start(&vm);
  while (vm.running) {
    struct instruction now = *vm.next++;
    HANDLERS[now.opcode](&vm, now.operand);
  }
  return vm.variables[3];
}

const struct workload bytecode_workloads[] = {
  {"calls", NULL, run_by_calls, 0xd9c771cb},
  {"switch", NULL, run_by_switch, 0xd9c771cb},
  {NULL, NULL, NULL, 0}};

/* One bytecode, three ways to interpret it: a switch (jump table), calls through pointers, jumps to label addresses. */
#include "compute.h"

enum opcode { PUSH, LOAD, STORE, ADD, MULTIPLY, SHIFT_RIGHT, AND, EQUAL, JUMP, JUMP_IF_ZERO, STOP, OPCODES };

/* Adds up the lengths of the Collatz sequences of 1 to n. Variables: 0 n (down to 0), 1 sum, 2 current. */
static const uint8_t COLLATZ[] = {
  /*  0 */ LOAD, 0, JUMP_IF_ZERO, 59,
  /*  4 */ LOAD, 0, STORE, 2,
  /*  8 */ LOAD, 2, PUSH, 1, EQUAL, JUMP_IF_ZERO, 24,
  /* 15 */ LOAD, 0, PUSH, 255, ADD, STORE, 0, JUMP, 0,
  /* 24 */ LOAD, 1, PUSH, 1, ADD, STORE, 1,
  /* 31 */ LOAD, 2, PUSH, 1, AND, JUMP_IF_ZERO, 50,
  /* 38 */ LOAD, 2, PUSH, 3, MULTIPLY, PUSH, 1, ADD, STORE, 2, JUMP, 8,
  /* 50 */ LOAD, 2, PUSH, 1, SHIFT_RIGHT, STORE, 2, JUMP, 8,
  /* 59 */ STOP,
};

struct vm {
  const uint8_t *code;
  int32_t *sp;
  int32_t variables[3];
  uint64_t executed;
  bool running;
  int32_t stack[16];
};
static void start(struct vm *vm, int32_t n) {
  *vm = (struct vm){.code = COLLATZ, .sp = vm->stack, .variables = {n, 0, 0}, .running = true};
}

static void run_switch(struct vm *vm) {
  for (;;) {
    vm->executed++;
    switch ((enum opcode)*vm->code++) {
      case PUSH: *vm->sp++ = (int8_t)*vm->code++; break;
      case LOAD: *vm->sp++ = vm->variables[*vm->code++]; break;
      case STORE: vm->variables[*vm->code++] = *--vm->sp; break;
      case ADD: vm->sp--; vm->sp[-1] += vm->sp[0]; break;
      case MULTIPLY: vm->sp--; vm->sp[-1] *= vm->sp[0]; break;
      case SHIFT_RIGHT: vm->sp--; vm->sp[-1] >>= vm->sp[0]; break;
      case AND: vm->sp--; vm->sp[-1] &= vm->sp[0]; break;
      case EQUAL: vm->sp--; vm->sp[-1] = vm->sp[-1] == vm->sp[0]; break;
      case JUMP: vm->code = COLLATZ + *vm->code; break;
      case JUMP_IF_ZERO: vm->code = *--vm->sp == 0 ? COLLATZ + *vm->code : vm->code + 1; break;
      case STOP:
      case OPCODES: return;
    }
  }
}

static void do_push(struct vm *vm) { *vm->sp++ = (int8_t)*vm->code++; }
static void do_load(struct vm *vm) { *vm->sp++ = vm->variables[*vm->code++]; }
static void do_store(struct vm *vm) { vm->variables[*vm->code++] = *--vm->sp; }
static void do_add(struct vm *vm) { vm->sp--; vm->sp[-1] += vm->sp[0]; }
static void do_multiply(struct vm *vm) { vm->sp--; vm->sp[-1] *= vm->sp[0]; }
static void do_shift_right(struct vm *vm) { vm->sp--; vm->sp[-1] >>= vm->sp[0]; }
static void do_and(struct vm *vm) { vm->sp--; vm->sp[-1] &= vm->sp[0]; }
static void do_equal(struct vm *vm) { vm->sp--; vm->sp[-1] = vm->sp[-1] == vm->sp[0]; }
static void do_jump(struct vm *vm) { vm->code = COLLATZ + *vm->code; }
static void do_jump_if_zero(struct vm *vm) { vm->code = *--vm->sp == 0 ? COLLATZ + *vm->code : vm->code + 1; }
static void do_stop(struct vm *vm) { vm->running = false; }

static void run_calls(struct vm *vm) {
  static void (*const HANDLERS[OPCODES])(struct vm *) = {
    do_push, do_load, do_store, do_add, do_multiply, do_shift_right, do_and, do_equal, do_jump, do_jump_if_zero, do_stop};
  while (vm->running) {
    vm->executed++;
    HANDLERS[*vm->code++](vm);
  }
}

static void run_labels(struct vm *vm) {
  static const void *const LABELS[OPCODES] = {
    &&push, &&load, &&store, &&add, &&multiply, &&shift_right, &&and, &&equal, &&jump, &&jump_if_zero, &&stop};
  const uint8_t *code = vm->code;
  int32_t *sp = vm->sp;
  uint64_t executed = 0;
#define NEXT executed++; goto *LABELS[*code++]
  NEXT;
push: *sp++ = (int8_t)*code++; NEXT;
load: *sp++ = vm->variables[*code++]; NEXT;
store: vm->variables[*code++] = *--sp; NEXT;
add: sp--; sp[-1] += sp[0]; NEXT;
multiply: sp--; sp[-1] *= sp[0]; NEXT;
shift_right: sp--; sp[-1] >>= sp[0]; NEXT;
and: sp--; sp[-1] &= sp[0]; NEXT;
equal: sp--; sp[-1] = sp[-1] == sp[0]; NEXT;
jump: code = COLLATZ + *code; NEXT;
jump_if_zero: code = *--sp == 0 ? COLLATZ + *code : code + 1; NEXT;
stop: vm->executed = executed;
}

void interpreters(void) {
  static struct vm vm;
  /* The steps of 1 to 15 add up to 133. */
  static void (*const WAYS[])(struct vm *) = {run_switch, run_calls, run_labels};
  static const char *const NAMES[] = {"collatz by switch", "collatz by calls", "collatz by label addresses"};
  uint64_t executed = 0;
  for (int way = 0; way < 3; way++) {
    start(&vm, OPAQUE(15));
    WAYS[way](&vm);
    check(NAMES[way], (uint32_t)vm.variables[1], 133);
    if (way == 0) executed = vm.executed;
    check("bytecodes executed", vm.executed, executed);
  }
}

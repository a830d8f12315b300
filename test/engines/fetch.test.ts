import { beforeEach, describe, expect, test } from 'vitest';
import { physical } from '../../src/state/addresses.ts';
import { SEGMENT } from '../../src/state/layout.ts';
import { RAX, RCX } from '../../src/cpu/isa/operand.ts';
import { parseCpuModel } from '../../src/cpu/models.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';

let machine: SystemMachine;
beforeEach(() => { machine = new SystemMachine().gates(); });

/** Puts bytes at a physical address of the page area and RIP on them. */
function place(offset: number, ...bytes: number[]): void {
  machine.memory.copyIn(physical(AT.pages + offset), Uint8Array.from(bytes));
  machine.state.rip = BigInt(AT.pages + offset);
}
const rax = (): bigint => machine.state.gpr[RAX] as bigint;

describe('self-modifying code', () => {
  test('a store into the next instruction is seen by the next instruction', () => {
    // mov byte ptr [rip], 0x42 ; the immediate of: mov al, 0
    place(0, 0xc6, 0x05, 0x01, 0, 0, 0, 0x42, 0xb0, 0x00, 0xf4);
    machine.state.gpr[RAX] = 0n;
    machine.run();
    expect(rax()).toBe(0x42n);
  });

  test('a store into an instruction that ran before is seen when it runs again', () => {
    // loop: mov al, 1 ; mov byte ptr [rip-8], 7 ; dec ecx ; jnz loop ; hlt
    place(0, 0xb0, 0x01, 0xc6, 0x05, 0xf8, 0xff, 0xff, 0xff, 0x07, 0xff, 0xc9, 0x75, 0xf3, 0xf4);
    machine.state.gpr[RCX] = 2n;
    machine.run();
    expect(rax() & 0xffn).toBe(7n);
  });

  test('a store through another linear address of the same frame is seen', () => {
    // Page 1 is mapped to frame 0 of the area: mov byte ptr [page 1 + offset of the immediate], 0x55 ; mov al, 0 ; hlt
    place(0, 0xc6, 0x05, 0x01, 0x10, 0, 0, 0x55, 0xb0, 0x00, 0xf4);
    machine.write64(AT.pt + 8, BigInt(AT.pages) | 7n);
    machine.mmu.flushAll();
    machine.run();
    expect(rax() & 0xffn).toBe(0x55n);
  });

  test('a store into the second page of an instruction that crosses pages is seen', () => {
    // At the end of page 0: mov eax, imm32 whose immediate lies in page 1; the loop rewrites that page's first byte.
    place(0xffe, 0xb8, 0x00, 0x00, 0x00, 0x00, 0xc6, 0x05, 0xf6, 0xff, 0xff, 0xff, 0x33, 0xff, 0xc9, 0x75, 0xee, 0xf4);
    machine.state.gpr[RCX] = 2n;
    machine.run();
    expect(rax()).toBe(0x3300n);
  });

  test('code that a debugger writes through physical memory is seen', () => {
    place(0, 0xb0, 0x01, 0xeb, 0xfc);
    machine.step(3);
    machine.memory.copyIn(physical(AT.pages + 1), Uint8Array.of(9));
    machine.step(2);
    expect(rax() & 0xffn).toBe(9n);
  });
});

describe('page boundaries', () => {
  test('an instruction that ends with its page does not fetch the next page', () => {
    machine.mapPage(0x1000, 0n);
    place(0xffd, 0x48, 0x89, 0xc8);
    machine.state.gpr[RCX] = 5n;
    expect(machine.step().kind).toBe('retired');
    expect(rax()).toBe(5n);
  });

  test('an instruction that reaches an absent page faults with the address of that page and changes nothing', () => {
    machine.mapPage(0x1000, 0n);
    place(0xffe, 0x48, 0x89, 0xc8);
    expect(machine.step().kind).toBe('exception');
    expect(machine.lastException).toBe('#PF(0x10)');
    expect(machine.state.cr2).toBe(BigInt(AT.pages + 0x1000));
    expect(machine.delivered.at(-1)?.rip).toBe(BigInt(AT.pages + 0xffe));
  });

  test('with NX a fetch from an execute-disable page has I in the error code', () => {
    place(0, 0x90);
    machine.mapPage(0, 7n | (1n << 63n));
    machine.step();
    expect(machine.lastException).toBe('#PF(0x11)');
  });

  test('a translation that changed without INVLPG is still fetched through, and not after INVLPG', () => {
    place(0x2000, 0xb0, 0x22, 0xf4);
    place(0, 0xb0, 0x11, 0xeb, 0xfc);
    machine.step(3);
    machine.write64(AT.pt, BigInt(AT.pages + 0x2000) | 7n);
    machine.step(2);
    expect(rax() & 0xffn).toBe(0x11n);
    machine.mmu.flushAll();
    machine.engine.forgetEverything();
    machine.state.rip = BigInt(AT.pages);
    machine.step();
    expect(rax() & 0xffn).toBe(0x22n);
  });
});

describe('what is not executed', () => {
  test('an undefined opcode is #UD and sixteen bytes are #GP(0)', () => {
    place(0, 0x0f, 0x0a);
    machine.step();
    expect(machine.lastException).toBe('#UD');
    place(0, ...Array.from({ length: 15 }, () => 0x66), 0x90);
    machine.step();
    expect(machine.lastException).toBe('#GP(0)');
  });

  test('what the manual defines and we have not built stops the engine with RIP, bytes and a name, and changes nothing', () => {
    machine = new SystemMachine(32, 'reference', parseCpuModel('486')).gates();
    // MOV EAX, TR7.
    place(0, 0x0f, 0x24, 0xf8);
    const before = machine.state.retired;
    const stop = machine.step();
    expect(stop).toMatchObject({ kind: 'unimplemented', rip: BigInt(AT.pages), what: 'MOV from a test register' });
    expect(stop.kind === 'unimplemented' && [...stop.bytes.subarray(0, 3)]).toEqual([0x0f, 0x24, 0xf8]);
    expect(machine.state.retired).toBe(before);
    expect(machine.delivered).toEqual([]);
  });

  test('an extension that CPUID does not announce is #UD, as on a processor without it', () => {
    place(0, 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0);
    machine.step();
    expect(machine.lastException).toBe('#UD');
  });

  test('RIP that is not canonical is #GP(0) at the fetch', () => {
    machine.state.rip = 0x8000_0000_0000n;
    machine.step();
    expect(machine.lastException).toBe('#GP(0)');
  });

  test('outside RAM all ones are fetched and nothing is kept', () => {
    machine.write64(AT.pt, 0xfee0_0000n | 7n);
    machine.mmu.flushAll();
    machine.state.rip = BigInt(AT.pages);
    machine.step();
    expect(machine.lastException).toBe('#UD');
  });
});

describe('outside 64-bit mode', () => {
  beforeEach(() => { machine = new SystemMachine(32).gates(); });

  test('CS.base is added, and an instruction that reaches beyond CS.limit is #GP(0)', () => {
    const { state, cpu } = machine;
    machine.memory.copyIn(physical(AT.data + 0x10), Uint8Array.of(0xb0, 0x07, 0xb4, 0x08));
    cpu.setSegment(SEGMENT.CS, { ...cpu.segment(SEGMENT.CS), base: BigInt(AT.data), limit: 0x12 });
    state.rip = 0x10n;
    expect(machine.step().kind).toBe('retired');
    expect(state.rip).toBe(0x12n);
    expect(rax() & 0xffn).toBe(7n);
    cpu.setSegment(SEGMENT.CS, { ...cpu.segment(SEGMENT.CS), limit: 0xffff_ffff });
    machine.step();
    cpu.setSegment(SEGMENT.CS, { ...cpu.segment(SEGMENT.CS), limit: 0x12 });
    state.rip = 0x12n;
    machine.step();
    expect(machine.lastException).toBe('#GP(0)');
  });

  test('EIP wraps at 4 GiB', () => {
    const { state, cpu } = machine;
    machine.memory.copyIn(physical(AT.data - 1), Uint8Array.of(0x90, 0xb0, 0x07));
    cpu.setSegment(SEGMENT.CS, { ...cpu.segment(SEGMENT.CS), base: BigInt(AT.data) });
    state.rip = 0xffff_ffffn;
    machine.step();
    expect(state.rip).toBe(0n);
    machine.step();
    expect(rax() & 0xffn).toBe(7n);
  });
});

describe('run', () => {
  test('a budget of n retires n instructions', () => {
    place(0, 0xff, 0xc0, 0xeb, 0xfc);
    machine.state.gpr[RAX] = 0n;
    const before = machine.state.retired;
    expect(machine.engine.run(1001)).toEqual({ kind: 'budget' });
    expect(machine.state.retired - before).toBe(1001);
    expect(rax()).toBe(501n);
  });

  test('a guest that only faults comes back too', () => {
    // #PF whose handler is not mapped either.
    machine.gate(14, { offset: AT.pages + 0x3000, ist: 1 });
    machine.mapPage(0x3000, 0n);
    machine.state.rip = BigInt(AT.pages + 0x3000);
    const before = machine.state.retired;
    expect(machine.engine.run(500)).toEqual({ kind: 'budget' });
    expect(machine.state.retired).toBe(before);
    expect(machine.delivered.length).toBe(500);
  });

  test('REP counts every iteration as an instruction and leaves RIP on itself in between', () => {
    place(0, 0xf3, 0xaa, 0xf4);
    machine.state.gpr[RCX] = 5n;
    machine.state.gpr[7] = BigInt(AT.data);
    const before = machine.state.retired;
    machine.step(2);
    expect(machine.state.rip).toBe(BigInt(AT.pages));
    expect(machine.state.gpr[RCX]).toBe(3n);
    machine.step(3);
    expect(machine.state.rip).toBe(BigInt(AT.pages + 2));
    expect(machine.state.retired - before).toBe(5);
  });

  test('requestStop makes run return at the next boundary', () => {
    place(0, 0xe6, 0x10, 0xeb, 0xfc);
    const { engine, written } = machine;
    const push = written.push.bind(written);
    written.push = (...items) => { engine.requestStop(); return push(...items); };
    expect(engine.run(100)).toEqual({ kind: 'requested' });
    expect(machine.state.rip).toBe(BigInt(AT.pages + 2));
  });
});

import { describe, expect, test } from 'vitest';
import { postMortem } from '../../src/debug/post-mortem.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { ACTIVITY } from '../../src/state/layout.ts';
import { Bench, CODE, PAGE_TABLE, TSS } from './bench.ts';

const symbols = new SymbolTable([
  { name: 'main', address: BigInt(CODE), size: 0x100 },
  { name: 'page_fault', address: 0x1800n, size: 0x20 },
  { name: 'double_fault', address: 0x1900n, size: 0x20 },
  { name: 'boot_stack', address: 0x7000n, size: 0x1001 },
]);

/** The post-mortem without the registers, which registers.test.ts reads. */
const story = (bench: Bench): string => {
  const text = postMortem(bench, symbols);
  return text.slice(0, text.indexOf('\n\nRegisters:'));
};

// mov rsp, 0x8000; mov byte ptr [0x400000], 1
const TOUCH_UNMAPPED = [0x48, 0xc7, 0xc4, 0x00, 0x80, 0x00, 0x00, 0xc6, 0x04, 0x25, 0x00, 0x00, 0x40, 0x00, 0x01];

describe('the post-mortem of a triple fault', () => {
  test('tells how a page fault met a read-only stack and a double-fault gate that is not present', () => {
    const bench = new Bench(TOUCH_UNMAPPED);
    bench.gate(14, 0x1800n);
    bench.gate(8, 0x1900n, { present: false });
    bench.write64(PAGE_TABLE + 8 * 7, 0x7001n);
    bench.mmu.flushAll();
    bench.runToShutdown();
    expect(story(bench)).toBe(`\
Triple fault after 1 instruction, at RIP 0x1007 <main+0x7>: #PF could not be delivered (page fault at 0x7ff8 while pushing the frame), nor #DF (gate not present). The processor shut down.

1. #PF (page fault, vector 14) at RIP 0x1007 <main+0x7>
     CR2 = 0x400000
     error code 0x2:
       P=0 the page is not present
       W/R=1 a write
       U/S=0 in supervisor mode
       RSVD=0 no reserved bit is to blame
       I/D=0 not an instruction fetch
     page walk of 0x400000 (4-level paging):
       PML4E    0  at 0x10000      0000000000011023  P R/W A -> table 0x11000
       PDPTE    0  at 0x11000      0000000000012023  P R/W A -> table 0x12000
       PDE      2  at 0x12010      0000000000000000  not present
       the PDE is not present
       so a supervisor write is refused: nothing is mapped at 0x400000
   Its delivery failed while pushing the frame:
     gate 14 at 0x20e0: 00008e0000081800  interrupt gate, selector 0x0008, handler 0x1800 <page_fault>, DPL 0, present
     code segment: selector 0x0008 = GDT entry 1, RPL 0: 00af9b000000ffff  64-bit code, DPL 0
     stack: SS 0x0010, top at 0x8000 <boot_stack+0x1000>, the stack that was in use
   This raised #PF (page fault, vector 14)
     CR2 = 0x7ff8 <boot_stack+0xff8>
     error code 0x3:
       P=1 the page is present, but its entries forbid the access
       W/R=1 a write
       U/S=0 in supervisor mode
       RSVD=0 no reserved bit is to blame
       I/D=0 not an instruction fetch
     page walk of 0x7ff8 (4-level paging):
       PML4E    0  at 0x10000      0000000000011023  P R/W A -> table 0x11000
       PDPTE    0  at 0x11000      0000000000012023  P R/W A -> table 0x12000
       PDE      0  at 0x12000      0000000000013023  P R/W A -> table 0x13000
       PTE      7  at 0x13038      0000000000007001  P -> page 0x7000
       physical 0x7ff8, 4 KiB page: read-only, supervisor
       so a supervisor write is refused: the page is read-only, R/W is 0 in the PTE
     hint: the stack is unusable (has it overflowed?); a gate with an IST stack would have been delivered

2. #DF (double fault, vector 8), because #PF came up while #PF was being delivered
   Its delivery failed while checking IDT gate 8:
     gate 8 at 0x2080: 00000e0000081900  interrupt gate, selector 0x0008, handler 0x1900 <double_fault> (bits 31:0), DPL 0, NOT PRESENT
   This raised #NP (segment not present, vector 11): gate not present
     error code 0x43: EXT=1 while delivering an event, not by the program itself; IDT=1 the index is an IDT entry; index 8 = vector 8

3. An exception while a double fault is delivered is a triple fault: the processor enters the shutdown state. A real board resets.

The last 2 instructions, oldest first:
  0x1000 <main>      mov rsp, 0x8000
> 0x1007 <main+0x7>  mov byte ptr [0x400000], 1`);
  });

  test('tells of an invalid opcode with an empty IDT, with the loop that led there', () => {
    // xor eax, eax; mov ecx, 3; inc eax; loop $-2; ud2
    const bench = new Bench([0x31, 0xc0, 0xb9, 3, 0, 0, 0, 0xff, 0xc0, 0xe2, 0xfc, 0x0f, 0x0b]);
    bench.runToShutdown();
    expect(story(bench)).toBe(`\
Triple fault after 8 instructions, at RIP 0x100b <main+0xb>: #UD could not be delivered (IDT entry is not an interrupt or trap gate), nor #GP (the same), nor #DF (the same). The processor shut down.

1. #UD (invalid opcode, vector 6) at RIP 0x100b <main+0xb>: raised by UD2
   Its delivery failed while checking IDT gate 6:
     gate 6 at 0x2060: 0000000000000000  empty
   This raised #GP (general protection, vector 13): IDT entry is not an interrupt or trap gate
     error code 0x33: EXT=1 while delivering an event, not by the program itself; IDT=1 the index is an IDT entry; index 6 = vector 6
     hint: nobody has installed a handler for vector 6

2. #GP (general protection, vector 13), which is delivered in its turn
   Its delivery failed while checking IDT gate 13:
     gate 13 at 0x20d0: 0000000000000000  empty
   This raised #GP (general protection, vector 13): IDT entry is not an interrupt or trap gate
     error code 0x6b: EXT=1 while delivering an event, not by the program itself; IDT=1 the index is an IDT entry; index 13 = vector 13
     hint: nobody has installed a handler for vector 13

3. #DF (double fault, vector 8), because #GP came up while #GP was being delivered
   Its delivery failed while checking IDT gate 8:
     gate 8 at 0x2080: 0000000000000000  empty
   This raised #GP (general protection, vector 13): IDT entry is not an interrupt or trap gate
     error code 0x43: EXT=1 while delivering an event, not by the program itself; IDT=1 the index is an IDT entry; index 8 = vector 8
     hint: nobody has installed a handler for vector 8

4. An exception while a double fault is delivered is a triple fault: the processor enters the shutdown state. A real board resets.

The last 9 instructions, oldest first:
  0x1000 <main>      xor eax, eax
  0x1002 <main+0x2>  mov ecx, 3
  0x1007 <main+0x7>  inc eax
  0x1009 <main+0x9>  loop main+0x7
  0x1007 <main+0x7>  inc eax
  0x1009 <main+0x9>  loop main+0x7
  0x1007 <main+0x7>  inc eax
  0x1009 <main+0x9>  loop main+0x7
> 0x100b <main+0xb>  ud2`);
  });

  test('calls an interrupt an interrupt, although its vector is that of an exception', () => {
    const summary = (bench: Bench): string => {
      bench.state.idtrLimit = 0;
      bench.runToShutdown();
      return story(bench).split('\n')[0]!;
    };
    // nop, with IRQ 0 on vector 8: the 8259 as the BIOS leaves it
    const timer = new Bench([0x90], { interruptRequested: () => true, acknowledgeInterrupt: () => 8 });
    timer.state.systemFlags |= 0x200;
    timer.cpu.attention = true;
    expect(summary(timer)).toBe('Triple fault after 0 instructions, at RIP 0x1000 <main>: the interrupt of vector 8 could not be delivered (vector beyond the limit of the IDT), nor #GP (the same), nor #DF (the same). The processor shut down.');
    // int 8
    expect(summary(new Bench([0xcd, 0x08]))).toBe('Triple fault after 0 instructions, at RIP 0x1000 <main>: the software interrupt of vector 8 could not be delivered (vector beyond the limit of the IDT), nor #GP (the same), nor #DF (the same). The processor shut down.');
  });

  test('names an IDT that was never loaded, one that is not mapped, and a bad interrupt stack', () => {
    const never = new Bench([0x0f, 0x0b]);
    never.state.idtrLimit = 0;
    never.runToShutdown();
    expect(story(never)).toContain('IDT of 0x1 bytes at 0x2000; the gate would need bytes 0x60 to 0x6f');
    expect(story(never)).toContain('hint: the IDT is empty: no LIDT ran, or the last one loaded a limit of 0');

    const unmapped = new Bench([0x0f, 0x0b]);
    unmapped.state.idtrBase = 0x40_0000n;
    unmapped.runToShutdown();
    expect(story(unmapped)).toContain('gate 6 lies at 0x400060, which cannot be read\n   This raised #PF (page fault, vector 14)\n     CR2 = 0x400060');
    expect(story(unmapped)).toContain('hint: the IDT itself is not mapped in this address space');

    const stack = new Bench([0x0f, 0x0b]);
    for (const vector of [6, 8, 14]) stack.gate(vector, 0x1800n, { ist: 2 });
    stack.write64(TSS + 36 + 8, 0x60_0000n);
    stack.runToShutdown();
    expect(story(stack)).toContain('handler 0x1800 <page_fault>, DPL 0, IST2, present');
    expect(story(stack)).toContain('stack: SS 0x0010, top at 0x600000, from IST2 of the TSS');
    expect(story(stack)).not.toContain('hint');
  });

  test('says so when the instruction could not even be fetched', () => {
    // jmp 0x500000
    const bench = new Bench([0xe9, 0xfb, 0xef, 0x4f, 0x00]);
    bench.runToShutdown();
    expect(story(bench)).toContain('so a supervisor fetch is refused: nothing is mapped at 0x500000');
    expect(story(bench)).toContain('The last instruction:\n  0x1000 <main>  jmp 0x500000\n> 0x500000  (not executed)');
  });

  test('folds the iterations of a REP instruction', () => {
    // mov ecx, 5; rep stosb; ud2
    const bench = new Bench([0xb9, 5, 0, 0, 0, 0xbf, 0, 0x90, 0, 0, 0xf3, 0xaa, 0x0f, 0x0b]);
    bench.runToShutdown();
    expect(story(bench)).toMatch(/ {2}0x100a <main\+0xa> {2}rep stosb? .*\(5 times\)\n> 0x100c <main\+0xc> {2}ud2$/);
  });

  test('is honest when nothing was recorded', () => {
    const bench = new Bench([]);
    bench.state.activity = ACTIVITY.shutdown;
    expect(story(bench)).toBe('Triple fault after 0 instructions. How it came to this is not known: the exceptions were not recorded.');
  });

  test('does not speak of one where there was none', () => {
    expect(story(new Bench([]))).toBe('No triple fault: after 0 instructions, at RIP 0x1000 <main>, the processor has not shut down.');
  });
});

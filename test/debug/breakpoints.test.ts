/** Break on anything: where a machine stands still, forwards and backwards, on every engine; and that nothing of it is noticed by the guest. */
import { describe, expect, it } from 'vitest';
import { al, dword, dx, eax, ecx, qword, rax, rbx, rcx, rdi, rsi, rsp, type Assembler } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { Breakpoints, type Hit } from '../../src/debug/break/breakpoints.ts';
import { addBreakpoint } from '../../src/debug/break/parse.ts';
import { History } from '../../src/debug/history/history.ts';
import { lastWrite } from '../../src/debug/history/last-write.ts';
import { reverseContinue } from '../../src/debug/history/search.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { ENGINE_NAMES, type EngineName, type Machine } from '../../src/machine/machine.ts';
import { flatMachine, kernelMachine, wholeState } from '../machine/support/guests.ts';

interface Debugged { readonly machine: Machine; readonly history: History; readonly breakpoints: Breakpoints }

const flat = (program: (a: Assembler) => void, engine: EngineName): Debugged & { readonly address: (name: string) => bigint } => {
  const { machine, address } = flatMachine(program, { engine });
  const names = ['here', 'loop', 'far', 'counter', 'other', 'read', 'store', 'count', 'turn', 'sent', 'sent_i', 'send_i', 'sent_colon', 'send_colon', 'across', 'end'];
  const symbols = new SymbolTable(names.map((name) => ({ name, address: address(name), size: 0 })).filter((symbol) => symbol.address >= 0n));
  return { machine, history: new History(machine), breakpoints: new Breakpoints(symbols), address };
};
const kernel = (scenario: string, engine: EngineName): Debugged => {
  const machine = kernelMachine(scenario, { engine });
  return { machine, history: new History(machine), breakpoints: new Breakpoints(new SymbolTable(machine.boot!.symbols)) };
};
const forwards = ({ history, breakpoints }: Debugged): Hit | undefined => {
  const watch = breakpoints.watch();
  const stop = history.run({ maxInstructions: 3_000_000, ...(watch === undefined ? {} : { watch }) });
  return stop.kind === 'hit' ? stop.hit : undefined;
};
const backwards = ({ history, breakpoints }: Debugged): Hit | undefined => {
  const found = reverseContinue(history, breakpoints.watch()!).finish();
  return found.kind === 'hit' ? found.hit : undefined;
};

/** Adds to a counter in memory a hundred times, reading and writing beside it. */
function counting(a: Assembler): void {
  a.mov(rsp, 0x40_0000);
  a.mov(ecx, 100);
  a.label('loop');
  a.mov(qword('other'), rcx);
  a.label('store');
  a.add(dword('counter'), 2);
  a.label('read');
  a.mov(eax, dword('other'));
  a.label('count');
  a.dec(ecx);
  a.label('turn');
  a.jnz('loop');
  a.label('here');
  a.mov(rax, qword('counter'));
  a.mov(dx, 0x3f8);
  for (const letter of 'login: ok') {
    a.mov(al, letter.charCodeAt(0));
    if (letter === 'i' || letter === ':') a.label(letter === 'i' ? 'send_i' : 'send_colon');
    a.out(dx, al);
    if (letter === 'i' || letter === ':') a.label(letter === 'i' ? 'sent_i' : 'sent_colon');
  }
  a.label('far');
  a.mov(rdi, 0x30_0ffd);
  a.label('across');
  a.mov(qword(rdi), rbx);
  a.label('end');
  a.cli();
  a.hlt();
  a.align(64);
  a.label('counter');
  a.dq(0, 0);
  a.label('other');
  a.dq(0);
}

describe('a breakpoint', () => {
  /** What is typed, what is said, and the next instruction and the turn of the loop in which it stops forwards, then backwards from the end. */
  const CASES: readonly (readonly [string, RegExp, readonly [string, bigint], readonly [string, bigint]])[] = [
    ['loop', /^execution comes to .*<loop>$/, ['loop', 100n], ['loop', 1n]],
    ['*loop + 0 if ecx == 50', /^execution comes to/, ['loop', 50n], ['loop', 50n]],
    ['write counter,4', /^write of 4 bytes at .*<counter> by .*<store>$/, ['read', 100n], ['store', 1n]],
    ['write counter + 3', /^write of 4 bytes at .*<counter> by/, ['read', 100n], ['store', 1n]],
    ['write counter,4 if u32[counter] == 40', /^write of 4 bytes/, ['read', 81n], ['store', 81n]],
    ['write phys counter,1', /^write of 4 bytes at physical 0x[0-9a-f]+ by/, ['read', 100n], ['store', 1n]],
    ['read other', /^read of 4 bytes at .*<other> by .*<read>$/, ['count', 100n], ['read', 1n]],
    ['read phys other', /^read of 4 bytes at physical/, ['count', 100n], ['read', 1n]],
    ['access other,8', /^write of 8 bytes at .*<other> by .*<loop>$/, ['store', 100n], ['read', 1n]],
    ['phys loop', /^execution comes to/, ['loop', 100n], ['loop', 1n]],
    ['count 24', /^24 instructions have retired$/, ['read', 96n], ['read', 96n]],
    ['when ecx < 90', /^ecx < 90 is true$/, ['turn', 89n], ['turn', 89n]],
    ['port 0x3f8 out if value == 0x69', /^OUT at port 0x3f8, 8 bits: 0x69$/, ['sent_i', 0n], ['send_i', 0n]],
    ['console login:', /^console output "login:"$/, ['sent_colon', 0n], ['send_colon', 0n]],
    ['console "i" if ecx == 0 && al == 0x69', /^console output "i"$/, ['sent_i', 0n], ['send_i', 0n]],
    ['write 0x301000', /^write of 5 bytes at 0x301000 by/, ['end', 0n], ['across', 0n]],
  ];
  for (const engine of ENGINE_NAMES) {
    it.each(CASES)(`"%s" stops where it says, forwards and backwards › ${engine}`, (text, said, first, last) => {
      const plain = flat(counting, engine);
      forwards(plain);
      const debugged = flat(counting, engine);
      const { machine, history, breakpoints } = debugged;
      const place = (): [string, bigint] => [breakpoints.symbols.name(machine.state.rip)!, machine.state.gpr[1]!];
      const breakpoint = addBreakpoint(breakpoints, machine, text);
      const hit = forwards(debugged);
      expect(hit?.text).toMatch(said);
      expect(place()).toEqual(first);
      breakpoint.enabled = false;
      expect(forwards(debugged)).toBeUndefined();
      expect(wholeState(machine)).toBe(wholeState(plain.machine));
      breakpoint.enabled = true;
      expect(backwards(debugged)).toBeDefined();
      expect(place()).toEqual(last);
      // Forwards from there it is the same one again, where it is one that stops behind what it saw.
      history.runTo(history.end);
      expect(wholeState(machine)).toBe(wholeState(plain.machine));
    });
  }

  it.each(ENGINE_NAMES)('on an exception stops before it is delivered, and the run goes on into the handler › %s', (engine) => {
    const debugged = kernel('ring3', engine);
    const { machine, breakpoints } = debugged;
    addBreakpoint(breakpoints, machine, '#PF 7');
    const hit = forwards(debugged);
    expect(hit?.text).toMatch(/^#PF at 0x[0-9a-f]+.*, CR2 will be 0x[0-9a-f]+.*error code 0x7: P=1 .*W\/R=1 a write; U\/S=1/);
    expect([machine.state.cpl, machine.state.retired]).toEqual([3, hit!.at.retired]);
    const { rip } = machine.state;
    const { deliveries } = machine.cpu;
    machine.reference.step();
    expect([machine.cpu.deliveries, machine.state.cpl, machine.state.rip === rip]).toEqual([deliveries + 1, 0, false]);
  });
  it.each(ENGINE_NAMES)('on a page fault can have a condition on the address that CR2 will have › %s', (engine) => {
    const debugged = kernel('ring3', engine), addresses: bigint[] = [];
    addBreakpoint(debugged.breakpoints, debugged.machine, '#PF');
    for (let hit; (hit = forwards(debugged)) !== undefined;) addresses.push(BigInt(/CR2 will be (?:\S+ = )?(0x[0-9a-f]+)/.exec(hit.text)![1]!));
    expect(new Set(addresses).size).toBeGreaterThan(1);
    const last = addresses.at(-1)!, again = kernel('ring3', engine);
    addBreakpoint(again.breakpoints, again.machine, `#PF if fault == ${last}`);
    expect(forwards(again)?.text).toContain(`0x${last.toString(16)}`);
    expect(addresses.indexOf(last)).toBeGreaterThan(0);
  });
  it.each(ENGINE_NAMES)('on any exception passes from one to the next, and back over the same › %s', (engine) => {
    const debugged = kernel('ring3', engine);
    addBreakpoint(debugged.breakpoints, debugged.machine, 'exception');
    const there: string[] = [], back: string[] = [];
    for (let hit; (hit = forwards(debugged)) !== undefined;) there.push(`${hit.at.retired}+${hit.at.deliveries} ${hit.text}`);
    expect(there.length).toBe(13);
    for (let hit; (hit = backwards(debugged)) !== undefined;) back.unshift(`${hit.at.retired}+${hit.at.deliveries} ${hit.text}`);
    expect(back).toEqual(there);
  });
  it.each(ENGINE_NAMES)('on console text stops behind it, wherever the run or a slice of it began › %s', (engine) => {
    const { machine, address } = flatMachine(counting, { engine }), debug = new Debugger(machine);
    addBreakpoint(debug.breakpoints, machine, 'console login:');
    // A slice for each instruction, as a host has them that looks at its keyboard between two letters.
    let stop = debug.continue(1);
    for (let n = 0; n < 2000 && stop.kind === 'instruction-limit'; n++) stop = debug.continue(1);
    expect([stop.kind, machine.state.rip]).toEqual(['hit', address('sent_colon')]);
    debug.back(4);
    expect(debug.continue().kind).toBe('hit');
    expect(machine.state.rip).toBe(address('sent_colon'));
    // On the way back it is where the last letter has not been sent yet.
    expect(debug.reverse().advance().kind).toBe('hit');
    expect(machine.state.rip).toBe(address('send_colon'));
    expect(debug.reverse().advance().kind).toBe('start');
  });
  it.each(ENGINE_NAMES)('on interrupts, modes, privilege, registers, page tables and the TLB sees what the kernel does › %s', (engine) => {
    const seen = (scenario: string, text: string, times: number): string[] => {
      const debugged = kernel(scenario, engine);
      addBreakpoint(debugged.breakpoints, debugged.machine, text);
      return Array.from({ length: times }, () => forwards(debugged)?.text ?? 'nothing');
    };
    expect(seen('timer', 'interrupt 32', 2)).toEqual([expect.stringMatching(/^interrupt 32 at /), expect.stringMatching(/^interrupt 32 at /)]);
    expect(seen('ring3', 'mode', 3)).toEqual([
      'protected mode, 32-bit code, paging off -> compatibility mode, 32-bit code, 4-level paging', 'compatibility mode, 32-bit code, 4-level paging -> 64-bit mode, 4-level paging', 'nothing',
    ]);
    expect(seen('ring3', 'privilege', 2)).toEqual(['CPL 0 -> 3', 'CPL 3 -> 0']);
    expect(seen('ring3', 'cr 3', 2)).toEqual([expect.stringMatching(/^CR3 = 0x[0-9a-f]+$/), expect.stringMatching(/^CR3 = 0x[0-9a-f]+$/)]);
    expect(seen('ring3', 'cr3', 1)).toEqual(seen('ring3', 'cr 3', 1));
    expect(seen('ring3', 'cpl', 1)).toEqual(['CPL 0 -> 3']);
    for (const msr of ['msr 0xc0000082', 'msr lstar', 'msr IA32_LSTAR']) expect(seen('ring3', msr, 1)).toEqual([expect.stringMatching(/^MSR 0xc0000082 = 0x/)]);
    // INT3 raises an exception, as the manual has it, and is a software interrupt, too.
    expect(seen('triple-fault', '#BP', 1)).toEqual([expect.stringMatching(/^#BP at .*scenario_triple_fault/)]);
    expect(seen('triple-fault', 'interrupt 3', 1)).toEqual([expect.stringMatching(/^#BP at .*scenario_triple_fault/)]);
    expect(seen('triple-fault', '#OF', 1)).toEqual(['nothing']);
    expect(seen('ring3', 'tlb', 1)).toEqual([expect.stringMatching(/^the TLB is invalidated: /)]);
  });
  it.each(ENGINE_NAMES)('on the page tables of an address stops when one of its entries changes, and not for A and D › %s', (engine) => {
    const debugged = kernel('ring3', engine);
    const { machine, breakpoints } = debugged;
    addBreakpoint(breakpoints, machine, '#PF 6');
    forwards(debugged);
    const page = machine.cpu.state.cr2;
    machine.reference.step();
    const faulting = machine.state.cr2;
    expect(faulting).not.toBe(page);
    breakpoints.clear();
    addBreakpoint(breakpoints, machine, `pte ${faulting}`);
    const hit = forwards(debugged);
    expect(hit?.text).toMatch(/^(PDPTE|PDE|PTE) of 0x[0-9a-f]+ at 0x[0-9a-f]+: 0x0 -> 0x[0-9a-f]+7$|^PTE/);
    expect(machine.mmu.explain(faulting as never).levels.length).toBeGreaterThan(0);
  });
  it.each(ENGINE_NAMES)('on a byte in the middle of what REP STOS and REP MOVS go over stops behind that iteration › %s', (engine) => {
    const debugged = flat((a) => {
      a.mov(rdi, 0x30_0000);
      a.mov(rsi, 0x38_0000);
      a.mov(ecx, 20_000);
      a.rep.stosb();
      a.mov(rdi, 0x30_0000);
      a.mov(ecx, 20_000);
      a.label('here');
      a.rep.movsb();
      a.hlt();
    }, engine);
    const { machine, history, breakpoints } = debugged;
    const written = 0x30_2345n, read = 0x38_3456n;
    addBreakpoint(breakpoints, machine, `write ${written}`);
    addBreakpoint(breakpoints, machine, `read ${read}`);
    const stops: string[] = [];
    for (let hit; (hit = forwards(debugged)) !== undefined;) stops.push(`${hit.text.split(' by ')[0]} ${machine.state.gpr[1]}`);
    const left = (bytes: bigint): bigint => 20_000n - bytes - 1n;
    expect(stops).toEqual([
      `write of 1 byte at 0x302345 ${left(0x2345n)}`, `write of 1 byte at 0x302345 ${left(0x2345n)}`, `read of 1 byte at 0x383456 ${left(0x3456n)}`,
    ]);
    expect(lastWrite(history, { kind: 'memory', address: written, bytes: 1 }).finish()).toMatchObject({ by: 'instruction', rip: breakpoints.symbols.addressOf('here'), at: { retired: 3 + 20_000 + 2 + 0x2345 } });
  });
  it('costs a guest on the fast engine nothing elsewhere', () => {
    const debugged = flat((a) => {
      a.mov(rcx, 0x100_0000);
      a.label('loop');
      a.dec(rcx);
      a.jnz('loop');
      a.label('here');
      a.hlt();
    }, 'auto');
    const { machine, breakpoints } = debugged;
    addBreakpoint(breakpoints, machine, 'here');
    const noted = machine.reference.noted;
    expect(forwards({ ...debugged, history: debugged.history })).toBeUndefined();
    // Three million instructions, of which the reference engine has executed hardly any.
    expect(machine.state.retired).toBe(3_000_000);
    expect(machine.reference.noted - noted).toBeLessThan(10_000);
  });
  it('that is wrong is refused in one line', () => {
    const { machine, breakpoints } = flat(counting, 'auto');
    for (const [text, message] of [
      ['', 'break on what?'], ['nowhere', 'there is no register and no symbol "nowhere"'], ['#ZZ', 'there is no exception #ZZ'], ['cr 1', 'there is no CR1'], ['port 0x10000', 'a port is at most 0xffff'],
      ['write 0,0', 'a range has 1 to 1048576 bytes'], ['loop if', 'expected an operator, not "if"'], ['loop if (', 'expected a number, a name or "[", not the end'], ['when', 'there is no register and no symbol "when"'], ['msr rax / 0', 'has no value'],
    ] as const) expect(() => addBreakpoint(breakpoints, machine, text), text).toThrow(message);
    expect(breakpoints.all).toEqual([]);
  });
});

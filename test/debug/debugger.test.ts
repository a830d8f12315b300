/** The commands of a debugger: over, out and back over calls, and the stack that they read. */
import { describe, expect, it } from 'vitest';
import { ecx, qword, rax, rbx, rcx, rsp, type Assembler } from '../../src/assembler/index.ts';
import { Debugger, type DebugStop } from '../../src/debug/debugger.ts';
import { Prompt } from '../../src/debug/prompt/prompt.ts';
import { pageFaultAddresses } from '../../src/debug/post-mortem.ts';
import { SymbolTable } from '../../src/debug/symbols.ts';
import { eventsView } from '../../src/debugger/worker/time-view.ts';
import { captureState } from '../../src/machine/machine-state.ts';
import { ENGINE_NAMES, type EngineName } from '../../src/machine/machine.ts';
import { flatMachine, kernelMachine } from '../machine/support/guests.ts';

function calls(a: Assembler): void {
  a.mov(rsp, 0x40_0000);
  a.mov(rbx, 3);
  a.label('again');
  a.call('outer');
  a.label('returned');
  a.dec(rbx);
  a.jnz('again');
  a.label('end');
  a.hlt();
  a.label('outer');
  a.push(rbx);
  a.call('inner');
  a.label('back_in_outer');
  a.pop(rbx);
  a.ret();
  a.label('inner');
  a.mov(ecx, 1000);
  a.label('turn');
  a.inc(rax);
  a.dec(rcx);
  a.jnz('turn');
  a.ret();
}

const ARRIVED: DebugStop = { kind: 'arrived' };
function debugged(engine: EngineName): { debug: Debugger; place: () => string | undefined } {
  const { machine, address } = flatMachine(calls, { engine });
  const symbols = new SymbolTable(['again', 'returned', 'end', 'outer', 'inner'].map((name) => ({ name, address: address(name), size: 0 })));
  const debug = new Debugger(machine, { symbols });
  return { debug, place: () => symbols.name(machine.state.rip) };
}

describe.each(ENGINE_NAMES)('a debugger › %s', (engine) => {
  it('steps over a call, and back over it', () => {
    const { debug, place } = debugged(engine);
    debug.step(2);
    expect([debug.over().advance(), place()]).toEqual([ARRIVED, 'returned']);
    const { retired } = debug.machine.state;
    expect(retired).toBeGreaterThan(3000);
    expect([debug.backOver().advance(), place(), debug.machine.state.retired]).toEqual([ARRIVED, 'again', 2]);
    expect([debug.over().advance(), place(), debug.machine.state.retired]).toEqual([ARRIVED, 'returned', retired]);
    expect([debug.over().advance(), place()]).toEqual([ARRIVED, 'returned+0x3']);
  });
  it('steps out of a call, and back out of it', () => {
    const { debug, place } = debugged(engine);
    debug.breakpoints.add({ on: 'execute', from: debug.symbols.addressOf('inner')! }, { temporary: true });
    expect(debug.continue()).toMatchObject({ kind: 'hit' });
    debug.step(702);
    expect(debug.backtrace().map(({ rip, by }) => `${by} ${debug.symbols.name(rip)}`)).toEqual(['current inner+0xb', 'call outer+0x6', 'call returned']);
    expect([debug.out().advance(), place(), debug.machine.state.gpr[1]]).toEqual([ARRIVED, 'outer+0x6', 0n]);
    expect([debug.backOver().advance(), place()]).toEqual([ARRIVED, 'outer+0x1']);
    debug.step(100);
    expect([debug.backOut().advance(), place()]).toEqual([ARRIVED, 'outer+0x1']);
    expect([debug.backOut().advance(), place(), debug.machine.state.gpr[3]]).toEqual([ARRIVED, 'again', 3n]);
    expect(debug.backOut().advance()).toMatchObject({ kind: 'refused' });
  });
  it('stops at breakpoints on the way, in slices, and passes those that are to be ignored', () => {
    const { debug, place } = debugged(engine);
    debug.breakpoints.add({ on: 'execute', from: debug.symbols.addressOf('inner')! }, { ignore: 1 });
    debug.step(2);
    expect([debug.over().advance(), place()]).toEqual([ARRIVED, 'returned']);
    debug.step(2);
    expect(debug.over().advance(2)).toEqual({ kind: 'instruction-limit' });
    expect(debug.continue()).toMatchObject({ kind: 'hit', hit: { breakpoint: { hits: 2 } } });
    expect(debug.continue()).toMatchObject({ kind: 'hit' });
    expect(debug.continue()).toEqual({ kind: 'halted', wakeable: false });
    expect([debug.reverse().advance(), place(), debug.machine.state.gpr[3]]).toEqual([expect.objectContaining({ kind: 'hit' }), 'inner', 1n]);
    debug.breakpoints.clear();
    expect([debug.reverse().advance(), debug.machine.state.retired]).toEqual([{ kind: 'start' }, 0]);
    expect([debug.back(), debug.backOver().advance()]).toEqual([{ kind: 'start' }, { kind: 'start' }]);
  });
});

describe('a motion', () => {
  it('backwards goes on in pieces, and returns when it is given up', () => {
    const { debug } = debugged('auto');
    debug.continue();
    const { now, ending } = debug.history;
    debug.breakpoints.add({ on: 'expression' }, { condition: 'rax == 3' });
    const motion = debug.reverse();
    expect(motion.advance(1)).toEqual({ kind: 'instruction-limit' });
    motion.cancel();
    expect(debug.history.now).toEqual(now);
    const again = debug.reverse();
    let stop = again.advance(1);
    for (let n = 0; n < 1000 && stop.kind === 'instruction-limit'; n++) stop = again.advance(1);
    expect([stop.kind, debug.machine.state.gpr[0]]).toEqual(['hit', 3n]);
    // A long way is gone in pieces, too.
    const onwards = debug.goTo(now);
    let arrived = onwards.advance(100);
    for (let n = 0; n < 1000 && arrived.kind === 'instruction-limit'; n++) arrived = onwards.advance(100);
    expect([arrived, debug.history.now]).toEqual([ending, now]);
  });
});

describe.each(ENGINE_NAMES)('a breakpoint on an exception that nobody can handle, for want of an IDT › %s', (engine) => {
  const UNMAPPED = 0x7777_0000_1000n;
  const faulting = (): Debugger => new Debugger(flatMachine((a) => {
    a.mov(rbx, UNMAPPED);
    a.nop();
    a.mov(rax, qword(rbx));
  }, { engine }).machine);
  const stoppedAt = (debug: Debugger, stop: DebugStop): void => {
    expect(stop).toMatchObject({ kind: 'hit', hit: { text: expect.stringMatching(/^#PF at .*, CR2 will be 0x777700001000,/) as string } });
    expect([debug.machine.state.retired, debug.machine.cpu.deliveries, debug.faultAddress]).toEqual([2, 0, UNMAPPED]);
  };

  it('stops before it, and who goes on comes to the triple fault', () => {
    const debug = faulting();
    debug.breakpoints.add({ on: 'exception', vector: 14 });
    stoppedAt(debug, debug.continue());
    expect(debug.continue()).toEqual({ kind: 'triple-fault' });
    stoppedAt(debug, debug.reverse().advance());
    expect(debug.continue()).toEqual({ kind: 'triple-fault' });
  });
  it('stops at once where the machine has been stepped to before it, and once', () => {
    const debug = faulting();
    debug.breakpoints.add({ on: 'exception' });
    debug.step(2);
    stoppedAt(debug, debug.continue());
    expect([debug.continue(), debug.back(), debug.continue()]).toEqual([{ kind: 'triple-fault' }, ARRIVED, { kind: 'triple-fault' }]);
  });
  it('stops before it where a slice of the way ends there', () => {
    const debug = faulting();
    debug.breakpoints.add({ on: 'exception', vector: 14 });
    const onwards = debug.onwards();
    expect(onwards.advance(2)).toEqual({ kind: 'instruction-limit' });
    stoppedAt(debug, onwards.advance(2));
  });
  it('stops before another one, which an edit has made of it', () => {
    const debug = faulting();
    debug.breakpoints.add({ on: 'exception' });
    debug.continue();
    debug.history.give({ kind: 'register', name: 'rbx', value: 1n << 60n });
    expect(debug.continue()).toMatchObject({ kind: 'hit', hit: { text: expect.stringMatching(/^#GP at /) as string } });
  });
  it('is an event with its address, and told of by the post-mortem, also where all was stepped', () => {
    const debug = faulting();
    expect([debug.step(3), debug.arrival]).toEqual([{ kind: 'triple-fault' }, { kind: 'triple-fault' }]);
    const { events } = eventsView(debug, { interrupts: false, most: 10 });
    expect(events.map(({ title, address }) => [title.slice(0, 3), address])).toEqual([['#DF', undefined], ['#PF', UNMAPPED]]);
    expect(pageFaultAddresses(debug.machine)).toEqual([UNMAPPED]);
    debug.back();
    expect([debug.faultAddress, pageFaultAddresses(debug.machine)]).toEqual([UNMAPPED, []]);
  });
});

describe('a breakpoint of a guest that waits in HLT', () => {
  it('stops before the interrupt that ends the wait, also where the host waits with it in pieces, and at an address once', () => {
    const debug = new Debugger(kernelMachine('timer')), { machine, history } = debug;
    const timer = debug.breakpoints.add({ on: 'interrupt', vector: 32 });
    expect(debug.continue()).toMatchObject({ kind: 'hit' });
    const { retired, deliveries } = history.now;
    const wait = (again: Debugger): DebugStop => {
      const onwards = again.onwards();
      for (let n = 0; n < 1000; n++) {
        again.machine.maxIdleTime = again.machine.state.idleTime + 100_000;
        const stop = onwards.advance(1000);
        if (stop.kind !== 'halted') return stop;
      }
      return { kind: 'refused', why: 'it has not stopped' };
    };
    const pieces = new Debugger(kernelMachine('timer'));
    pieces.runTo({ retired, deliveries });
    pieces.breakpoints.add({ on: 'interrupt', vector: 32 });
    expect(wait(pieces)).toMatchObject({ kind: 'hit', hit: { at: { retired, deliveries } } });
    debug.breakpoints.remove(timer.id);
    const { rip } = machine.state;
    const here = debug.breakpoints.add({ on: 'execute', from: rip });
    debug.breakpoints.add({ on: 'count', instructions: retired + 1 });
    expect(wait(debug)).toMatchObject({ kind: 'hit', hit: { text: `${retired + 1} instructions have retired` } });
    expect(here.hits).toBe(0);
  });
});

describe('where the guest has ended', () => {
  it('every way that leads there says how, and the prompt, too', () => {
    const { debug } = debugged('auto'), prompt = new Prompt(debug), said = 'the processor halted with interrupts off';
    const ending: DebugStop = { kind: 'halted', wakeable: false };
    expect(debug.continue()).toEqual(ending);
    const { end } = debug.history;
    debug.back();
    expect(prompt.execute('info')).not.toMatchObject({ lines: expect.arrayContaining([expect.stringContaining('has ended')]) as string[] });
    for (const come of [() => debug.step(), () => debug.over().advance(), () => debug.runTo(end), () => debug.runTo(1e9), () => debug.continue(), () => debug.toAddress(1n).advance()]) {
      expect([come(), debug.history.now]).toEqual([ending, end]);
      expect(prompt.report(debug.arrival)[0]).toBe(said);
      expect(prompt.execute('info')).toMatchObject({ lines: expect.arrayContaining([`the guest has ended here: ${said}`]) as string[] });
      expect(debug.back()).toEqual(ARRIVED);
    }
  });
});

describe('a backtrace', () => {
  it('goes through the frame of a page fault in the guest kernel', () => {
    const debug = new Debugger(kernelMachine('alloc'));
    debug.breakpoints.add({ on: 'exception', vector: 14 });
    debug.continue();
    const before = debug.backtrace().map(({ rip }) => debug.symbols.name(rip));
    debug.step(20);
    const frames = debug.backtrace();
    const event = frames.findIndex(({ by }) => by === 'event');
    expect(event).toBeGreaterThan(0);
    expect(frames.slice(event).map(({ rip }) => debug.symbols.name(rip))).toEqual(before);
    expect(before.length).toBeGreaterThan(2);
    // Out of the handler, the faulting instruction is next, and succeeds.
    while (debug.caller()!.by !== 'event') expect(debug.out().advance().kind).toBe('arrived');
    debug.breakpoints.clear();
    expect(debug.out().advance().kind).toBe('arrived');
    expect(debug.symbols.name(debug.machine.state.rip)).toBe(before[0]);
  });
});

describe('before a page fault is delivered', () => {
  it('its address is known, though CR2 is still an older one: in the past, too, and nowhere else', () => {
    const debug = new Debugger(kernelMachine('alloc')), prompt = new Prompt(debug), { machine } = debug;
    debug.breakpoints.add({ on: 'exception', vector: 14 });
    const said = prompt.report(debug.continue());
    const [, address = ''] = /CR2 will be 0x([0-9a-f]+) \("walk fault" walks it\)$/.exec(said.at(-1)!)!;
    const wanted = BigInt(`0x${address}`);
    expect(machine.state.cr2).not.toBe(wanted);
    expect(debug.faultAddress).toBe(wanted);
    expect(debug.evaluate('fault + 1')).toBe(wanted + 1n);
    expect(prompt.execute('walk fault')).toMatchObject({ kind: 'text', lines: expect.arrayContaining([expect.stringContaining(`page walk of 0x${address}`)]) as string[] });
    debug.step();
    expect([machine.state.cr2, debug.faultAddress]).toEqual([wanted, undefined]);
    expect(prompt.execute('walk fault')).toEqual({ kind: 'text', lines: ['fault: no page fault is about to be delivered here; CR2 has the address of the last one'] });
    debug.back();
    expect(debug.faultAddress).toBe(wanted);
    debug.back();
    expect(debug.faultAddress).toBeUndefined();
  });

  it('its address can be found out where the machine has not been further, and nothing has happened for it', () => {
    const known = new Debugger(kernelMachine('alloc'));
    known.breakpoints.add({ on: 'exception', vector: 14 });
    known.continue();
    const there = known.history.now, debug = new Debugger(kernelMachine('alloc')), { history, machine } = debug;
    debug.runTo(there);
    expect(debug.faultAddress).toBeUndefined();
    const before = captureState(machine), { cr2 } = machine.state, noted = history.records.events;
    debug.foreseeFault();
    expect(debug.faultAddress).toBe(known.faultAddress);
    expect(captureState(machine)).toEqual(before);
    expect([machine.state.cr2, history.now, history.isLive, history.records.events]).toEqual([cr2, there, true, noted]);
    // An edit may have changed what comes next.
    history.give({ kind: 'register', name: 'rax', value: 0n });
    expect(debug.faultAddress).toBeUndefined();
    debug.runTo({ retired: there.retired - 1, deliveries: 0 });
    debug.foreseeFault();
    expect(debug.faultAddress).toBeUndefined();
  });
});

/** Breakpoints of a debugger: execution stands still before an address, wherever it is in generated code, and code elsewhere stays. */
import { describe, expect, it } from 'vitest';
import { eax, ecx, rbx, rsp, type Assembler } from '../../src/assembler/index.ts';
import { ENGINE_NAMES } from '../../src/machine/machine.ts';
import { FAST, fastEngine } from '../support/engine-runs.ts';
import { flatMachine } from '../machine/support/guests.ts';

/** A loop whose body calls a function in another page. */
function loop(a: Assembler): void {
  a.mov(rsp, 0x30_0000);
  a.xor(eax, eax);
  a.label('loop');
  a.inc(eax);
  a.label('middle');
  a.add(ecx, eax);
  a.call('far');
  a.jmp('loop');
  a.align(4096);
  a.label('far');
  a.inc(rbx);
  a.ret();
}

describe('a breakpoint', () => {
  it.each(ENGINE_NAMES)('stops at the address to which the last instruction of a stretch leads › %s', (engine) => {
    const { machine, address } = flatMachine(loop, { engine });
    const breakpoints = new Set([address('loop')]);
    expect(machine.run({ maxInstructions: 2, breakpoints })).toEqual({ kind: 'reached' });
    for (let n = 1; n < 40; n++) {
      expect(machine.run({ maxInstructions: 6, breakpoints })).toEqual({ kind: 'reached' });
      expect([machine.state.rip, machine.state.retired]).toEqual([address('loop'), 2 + 6 * n]);
    }
  });
  it.each(ENGINE_NAMES)('set in the middle of a block that has become hot, taken away and set again, stops each time › %s', (engine) => {
    const { machine, address } = flatMachine(loop, { engine });
    for (let n = 0; n < 5; n++) {
      machine.run({ maxInstructions: 200_000 });
      const turns = machine.state.gpr[0]!;
      expect(machine.run({ maxInstructions: 100, breakpoints: new Set([address('middle')]) })).toEqual({ kind: 'reached' });
      expect([machine.state.rip, machine.state.gpr[0]! - turns <= 1n]).toEqual([address('middle'), true]);
    }
  });
  it.each(FAST)('leaves what was made of other pages alone › %s', (engine) => {
    const { machine, address } = flatMachine(loop, { engine });
    machine.run({ maxInstructions: 200_000 });
    const { statistics, blocks: { statistics: made } } = fastEngine(machine).code;
    const dropped = statistics.droppedFrames, blocks = made.blocks;
    machine.run({ maxInstructions: 1000, breakpoints: new Set([address('far') + 0x10_0000n]) });
    expect([statistics.droppedFrames, made.blocks]).toEqual([dropped, blocks]);
    machine.run({ maxInstructions: 1000, breakpoints: new Set([address('middle')]) });
    expect(statistics.droppedFrames - dropped).toBe(1);
    expect(statistics.emptied).toBe(0);
  });
});

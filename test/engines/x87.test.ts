/** x87 instructions in generated code: the recorded cases and loops, on every engine. */
import { describe, expect, it } from 'vitest';
import { at, dword, ecx, label, qword, rdi, st0, st1, tbyte, word } from '../../src/assembler/index.ts';
import { physical } from '../../src/state/addresses.ts';
import { fastEngine, FAST, machineWith, sameOnEveryEngine, type Setup } from '../support/engine-runs.ts';
import { AT } from '../support/system-machine.ts';
import { readX87Recording } from '../support/x87/recordings.ts';
import { X87World } from '../support/x87/run.ts';

const RDI = 7;
const { cases } = readX87Recording('few');

describe('what was recorded of x87 instructions on silicon', () => {
  it.each(FAST)('comes out on the %s engine as on the reference engine, with its tags and pointers', (engine) => {
    const world = new X87World(engine), reference = new X87World();
    const failures: unknown[] = [];
    for (const c of cases) {
      const wanted = { ...reference.run(c.code, c.before), ...reference.pointers() };
      const found = { ...world.run(c.code, c.before), ...world.pointers() };
      try {
        expect(found).toEqual(wanted);
      } catch (difference) {
        failures.push([Buffer.from(c.code).toString('hex'), (difference as Error).message]);
      }
    }
    expect(failures.slice(0, 5)).toEqual([]);
  }, 120_000);
});

/** Doubles and singles at AT.data: ordinary ones, then those that generated code leaves to the reference engine. */
const ORDINARY = [1.5, -0.1, 1e-3, Math.PI, 7e10, -0.75], ODD = [0, 1e308, 5e-324, Infinity, NaN, -0];
const DOUBLES = 0, SINGLES = 128, RESULTS = 256, CONTROL = 512;
const rounds = 40;

/** A polynomial, a quotient and an exchange for each number, many times over; what comes out is stored, with the environment. */
const loop = (numbers: readonly number[], control: number): Setup => (m) => {
  const view = new DataView(new ArrayBuffer(RESULTS));
  numbers.forEach((x, n) => { view.setFloat64(DOUBLES + 8 * n, x, true); view.setFloat32(SINGLES + 4 * n, x, true); });
  m.memory.copyIn(physical(AT.data), new Uint8Array(view.buffer));
  m.memory.copyIn(physical(AT.data + CONTROL), Uint8Array.of(control & 0xff, control >> 8));
  m.program((a) => {
    a.fninit();
    a.fldcw(word(rdi, CONTROL));
    a.mov(ecx, rounds);
    a.fld1();
    a.label('again');
    numbers.forEach((_, n) => {
      a.fld(qword(rdi, DOUBLES + 8 * n));
      a.fmul(st0, st1);
      a.fadd(dword(rdi, SINGLES + 4 * n));
      a.fld(st0);
      a.fchs();
      a.fsubp(st1, st0);
      a.fdivr(st0, st1);
      a.fxch(st1);
      a.fstp(st0);
      a.fabs();
      a.fsqrt();
    });
    a.fld(st0);
    a.fstp(tbyte(rdi, RESULTS));
    a.fld(tbyte(rdi, RESULTS));
    a.fmulp(st1, st0);
    a.fld1();
    a.faddp(st1, st0);
    a.dec(ecx);
    a.jne(label('again'));
    a.fnstenv(at(rdi, RESULTS + 16));
    a.hlt();
  });
  m.state.gpr[RDI] = BigInt(AT.data);
};

describe('x87 code in a loop', () => {
  for (const [name, control] of [['64 bits, to nearest', 0x37f], ['53 bits, up', 0xa7f], ['24 bits, down', 0x47f], ['64 bits, to zero', 0xf7f]] as const) {
    sameOnEveryEngine(`computes the same, ${name}`, loop(ORDINARY, control));
    sameOnEveryEngine(`computes the same with zeros, denormals, infinities and NaNs, ${name}`, loop(ODD, control));
  }
  it('does not leave generated code with ordinary numbers', () => {
    const m = machineWith('translator', loop(ORDINARY, 0x37f));
    m.runFast(1_000_000);
    const { referenceInstructions, exits } = fastEngine(m).statistics;
    expect(referenceInstructions - exits.notYet).toBeLessThan(20);
  });
});

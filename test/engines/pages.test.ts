/** What page faults drop from the TLBs is dropped on every engine: an access that faults in the page that executes. */
import { describe } from 'vitest';
import { byte, eax, imm, qword, r13, r14, rax, rbx, rcx, rdi, rsi, rsp, type Assembler } from '../../src/assembler/index.ts';
import { physical } from '../../src/state/addresses.ts';
import { sameOnEveryEngine } from '../support/engine-runs.ts';
import { AT, type SystemMachine } from '../support/system-machine.ts';

const PAGE = AT.pages, PTE = AT.pt, OTHER_FRAME = PAGE + 0x1000;
/** Enough calls for every engine to translate. */
const TIMES = 2500;
const READ_ONLY = 5n, WRITABLE = 7n;
const PF_HANDLER = AT.handlers + 14 * 16;

/** The page with its routine, whose copy in another frame adds another number; a loop that calls it. */
function twoFrames(m: SystemMachine, body: (a: Assembler, number: number) => void): void {
  m.program((a) => { body(a, 0x1_0000); }, { origin: PAGE });
  m.memory.copyIn(physical(OTHER_FRAME), m.memory.copyOut(physical(PAGE), 0x800));
  m.program((a) => { body(a, 0x100); }, { origin: PAGE });
  m.program((a) => {
    a.xor(eax, eax);
    a.mov(r13, TIMES);
    a.mov(rdi, PAGE + 0xf00);
    a.label('loop');
    a.mov(rcx, PAGE);
    a.call(rcx);
    a.dec(r13);
    a.jnz('loop');
    a.hlt();
  });
}

describe('a store that faults in the page that it stands in', () => {
  sameOnEveryEngine('is made again from the frame that the handler mapped, without an INVLPG: the fault dropped the old translation', (m) => {
    twoFrames(m, (a, number) => {
      a.add(rax, number);
      a.mov(qword(rdi), rax);
      a.add(rax, number);
      a.ret();
    });
    m.write64(PTE, BigInt(PAGE) | READ_ONLY);
    // The handler maps the other frame, writable, the first time that it runs.
    m.program((a) => {
      a.push(rsi);
      a.push(rbx);
      a.mov(rsi, PTE);
      a.mov(rbx, BigInt(OTHER_FRAME) | WRITABLE);
      a.mov(qword(rsi), rbx);
      a.pop(rbx);
      a.pop(rsi);
      a.add(rsp, 8);
      a.iretq();
    }, { origin: PF_HANDLER });
  }, { finds: (m) => [[m.state.gpr[0], m.delivered.length], [BigInt(0x100 + 0x1_0000 + (TIMES - 1) * 2 * 0x1_0000), 1]] });

  sameOnEveryEngine('leaves the TLBs as the reference engine does when the handler skips it', (m) => {
    twoFrames(m, (a, number) => {
      a.add(rax, number);
      a.mov(byte(rdi), imm(1, 8));
      a.add(rax, number);
      a.ret();
    });
    m.write64(PTE, BigInt(PAGE) | READ_ONLY);
    m.program((a) => {
      a.pop(r14);
      a.pop(rcx);
      a.add(rcx, 3);
      a.push(rcx);
      a.iretq();
    }, { origin: PF_HANDLER });
  }, { finds: (m) => [[m.state.gpr[0], m.delivered.length], [BigInt(TIMES * 2 * 0x100), TIMES]] });
});

/**
 * kernel_main: brings the parts to life in the order in which they need each other, reads `scenario=NAME` from the
 * command line, runs the scenarios, prints the TAP plan and ends the machine: status 0 when every check held.
 */
import { at, byte, cl, ecx, label, qword, r12, r13, rax, rbx, rcx, rdi, rsi } from '../assembler/index.ts';
import { EXIT } from './layout.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { address, type KernelWriter } from './writer.ts';

const KEY = 'scenario=';

export function main(k: KernelWriter): void {
  const { a } = k;
  // Name, function, whether `all` runs it; ended by zeroes.
  a.section('.rodata');
  a.align(8);
  a.object('scenario_table', () => {
    for (const { name, inAll } of SCENARIOS) a.dq(label(k.text(name)), label(functionName(name)), inAll ? 1 : 0);
    a.dq(0, 0, 0);
  });
  a.section('.text');

  // RDI: text, RSI: prefix. RAX: where the text goes on behind the prefix, or 0.
  k.func('text_behind', [], () => {
    k.loop(() => {
      a.mov(cl, byte(rsi));
      a.test(cl, cl);
      k.when('e', () => k.leave(rdi));
      a.cmp(byte(rdi), cl);
      k.when('ne', () => k.leave(0));
      a.inc(rdi);
      a.inc(rsi);
    });
  });

  // RAX: the scenario's name in the command line (it ends with a space or the text), or "all". KEY must start a word.
  k.func('wanted_scenario', [rbx], () => {
    a.lea(rbx, at('command_line'));
    k.loop(({ leave }) => {
      k.call('text_behind', rbx, address(k.text(KEY)));
      a.test(rax, rax);
      a.jne('.return');
      k.loop((word) => {
        a.mov(cl, byte(rbx));
        a.test(cl, cl);
        a.je(leave);
        a.inc(rbx);
        a.cmp(cl, 0x20);
        a.je(word.leave);
      });
    });
    k.leave(address(k.text('all')));
  });

  // RDI: a word that ends with a space or a zero, RSI: a name. ZF: they are the same.
  k.func('same_word', [], () => {
    a.call('text_behind');
    a.test(rax, rax);
    k.when('e', () => {
      a.cmp(rax, 1);                      // not the same: ZF = 0
      k.leave();
    });
    a.cmp(byte(rax), 0);
    a.je('.return');
    a.cmp(byte(rax), 0x20);
  });

  k.func('run_scenarios', [rbx, r12, r13], () => {
    a.call('wanted_scenario');
    a.mov(r12, rax);
    k.call('same_word', r12, address(k.text('all')));
    a.mov(ecx, 0);
    a.sete(cl);
    a.mov(r13, rcx);                      // everything that belongs to `all`
    a.lea(rbx, at('scenario_table'));
    a.mov(qword('scenarios_run'), 0);
    k.loop(({ leave }) => {
      a.cmp(qword(rbx), 0);
      a.je(leave);
      a.mov(rcx, qword(rbx, 16));
      a.test(r13, rcx);
      k.when('e', () => {
        k.call('same_word', r12, qword(rbx));
      }, () => a.cmp(rcx, rcx));
      k.when('e', () => {
        a.inc(qword('scenarios_run'));
        a.call(qword(rbx, 8));
      });
      a.add(rbx, 24);
    });
    a.cmp(qword('scenarios_run'), 0);
    k.when('e', () => {
      k.say('there is no scenario "%s"; these are:', r12);
      a.lea(rbx, at('scenario_table'));
      k.loop(({ leave }) => {
        a.cmp(qword(rbx), 0);
        a.je(leave);
        k.say('  scenario=%s', qword(rbx));
        a.add(rbx, 24);
      });
      k.call('panic', address(k.text('unknown scenario')));
    });
  });
  k.variable('scenarios_run');

  k.func('kernel_main', [], () => {
    a.call('console_initialise');
    k.print('TAP version 13\n');
    k.print(BANNER);
    for (const part of ['gdt_initialise', 'idt_initialise', 'memory_map_read', 'pmm_start', 'paging_start', 'vmm_start', 'heap_start', 'pic_initialise', 'syscall_initialise']) a.call(part);
    a.call('run_scenarios');
    k.print('\n1..%d\n', qword('tap_count'));
    a.cmp(qword('tap_failures'), 0);
    k.when('ne', () => {
      k.say('%d of %d checks failed', qword('tap_failures'), qword('tap_count'));
      k.call('debug_exit', EXIT.testFailed);
    });
    k.say('all %d checks hold; power off', qword('tap_count'));
    a.call('power_off');
  });
}

const BANNER = `
    longmode: a kernel that shows what it does with memory

        alloc(5) --> heap --> VMM --> PMM --> map --> a linear address
`;

/** The assembly function that runs a scenario. */
export function functionName(scenario: string): string {
  return `scenario_${scenario.replaceAll('-', '_')}`;
}

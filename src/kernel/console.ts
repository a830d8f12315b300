/**
 * The console: a 16550 on COM1, written by polling, and the two things the kernel says through it: formatted text and
 * TAP lines. Nothing that is printed may depend on time or on the CPU's model, so that every machine prints the same.
 */
import { al, at, byte, dil, dl, dx, eax, edi, edx, qword, r10, r12, r13, r8, r9, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp } from '../assembler/index.ts';
import type { KernelWriter } from './writer.ts';

const COM1 = 0x3f8;
const UART = { data: COM1, interruptEnable: COM1 + 1, fifoControl: COM1 + 2, lineControl: COM1 + 3, modemControl: COM1 + 4, lineStatus: COM1 + 5 } as const;
/** Of the line status: the next character may be written; the last one is on the line, its last bit too. */
const HOLDING_REGISTER_EMPTY = 1 << 5, TRANSMITTER_EMPTY = 1 << 6;
/** Digits of the longest number: 64 in base 2. */
const BIGGEST_NUMBER = 64;

export function console(k: KernelWriter): void {
  const { a } = k;
  for (const name of ['tap_condition', 'tap_count', 'tap_failures']) k.variable(name);

  const out = (port: number, value: number): void => {
    a.mov(edx, port);
    a.mov(eax, value);
    a.out(dx, al);
  };

  k.func('console_initialise', [], () => {
    out(UART.interruptEnable, 0);
    out(UART.lineControl, 0x80);          // DLAB: the next two are the divisor
    out(UART.data, 1);                    // 115,200 baud
    out(UART.interruptEnable, 0);
    out(UART.lineControl, 0x03);          // 8 data bits, no parity, 1 stop bit
    out(UART.fifoControl, 0x07);          // FIFOs on and empty
    out(UART.modemControl, 0x03);         // DTR, RTS
  });

  const waitFor = (status: number): void => {
    a.mov(edx, UART.lineStatus);
    k.loop(({ leave }) => {
      a.in(al, dx);
      a.test(al, status);
      a.jne(leave);
    });
  };

  // Until everything written has been sent: a machine that is powered off before loses it.
  k.func('console_drain', [], () => waitFor(TRANSMITTER_EMPTY));

  // DIL: the character. Changes RAX and RDX only.
  k.func('console_put', [], () => {
    waitFor(HOLDING_REGISTER_EMPTY);
    a.mov(edx, UART.data);
    a.mov(al, dil);
    a.out(dx, al);
  });

  // RDI: zero-terminated text. RSI: least width, filled with spaces behind.
  k.func('console_text', [rbx, rbp], () => {
    a.mov(rbx, rdi);
    a.mov(rbp, rsi);
    k.loop(({ leave }) => {
      a.movzx(edi, byte(rbx));
      a.test(edi, edi);
      a.je(leave);
      a.call('console_put');
      a.inc(rbx);
      a.dec(rbp);
    });
    k.loop(({ leave }) => {
      a.test(rbp, rbp);
      a.jle(leave);
      k.call('console_put', 0x20);
      a.dec(rbp);
    });
  });

  // RDI: value. RSI: base. RDX: least width, filled before with spaces, or with zeroes in base 2.
  k.func('console_number', [rbx, rbp, r12, r13], () => {
    a.sub(rsp, BIGGEST_NUMBER);
    a.mov(r13, 0x20);
    a.cmp(rsi, 2);
    k.when('e', () => a.mov(r13, 0x30));
    a.lea(rbx, at(rsp, BIGGEST_NUMBER));
    a.mov(rbp, rdx);
    a.mov(rax, rdi);
    k.loop(({ leave }) => {               // digits, from the last to the first
      a.xor(edx, edx);
      a.div(rsi);
      a.cmp(rdx, 10);
      k.when('ae', () => a.add(rdx, 0x61 - 0x30 - 10));
      a.add(rdx, 0x30);
      a.dec(rbx);
      a.mov(byte(rbx), dl);
      a.dec(rbp);
      a.test(rax, rax);
      a.je(leave);
    });
    k.loop(({ leave }) => {
      a.test(rbp, rbp);
      a.jle(leave);
      k.call('console_put', r13);
      a.dec(rbp);
    });
    a.lea(r12, at(rsp, BIGGEST_NUMBER));
    k.loop(({ leave }) => {
      a.cmp(rbx, r12);
      a.jae(leave);
      a.movzx(edi, byte(rbx));
      a.call('console_put');
      a.inc(rbx);
    });
    a.add(rsp, BIGGEST_NUMBER);
  });

  // RDI: a format's address, with its values behind it.
  k.func('console_format', [rbx, rbp, r12, r13], () => {
    a.mov(rbx, qword(rdi));
    a.lea(rbp, at(rdi, 8));
    k.loop(({ again, leave }) => {
      a.movzx(edi, byte(rbx));
      a.inc(rbx);
      a.test(edi, edi);
      a.je(leave);
      a.cmp(edi, 0x25);                   // '%'
      k.when('ne', () => {
        a.call('console_put');
        a.jmp(again);
      });
      a.xor(r12, r12);                    // the width
      k.loop((digit) => {
        a.movzx(edi, byte(rbx));
        a.inc(rbx);
        a.lea(eax, at(rdi, -0x30));
        a.cmp(eax, 10);
        a.jae(digit.leave);
        a.imul(r12, r12, 10);
        a.add(r12, rax);
      });
      a.cmp(edi, 0x25);
      k.when('e', () => {
        a.call('console_put');
        a.jmp(again);
      });
      a.mov(r13, rdi);
      a.mov(rdi, qword(rbp));
      a.add(rbp, 8);
      a.cmp(r13, 0x73);                   // 's'
      k.when('e', () => {
        k.call('console_text', rdi, r12);
        a.jmp(again);
      });
      a.mov(rdx, r12);
      a.mov(rsi, 10);
      a.cmp(r13, 0x78);                   // 'x'
      k.when('e', () => a.mov(rsi, 16));
      a.cmp(r13, 0x62);                   // 'b'
      k.when('e', () => a.mov(rsi, 2));
      a.call('console_number');
    });
  });

  // A call that changes nothing but the stack below it: what `print` and `expect` promise.
  const transparent = (name: string, body: (arguments_: number) => void): void => {
    const kept = [rax, rcx, rdx, rsi, rdi, r8, r9, r10] as const;
    k.code(name, () => {
      a.pushfq();
      for (const register of kept) a.push(register);
      body(8 * (kept.length + 2));        // from RSP up to the format that the caller pushed: registers, RFLAGS, return address
      for (const register of kept.toReversed()) a.pop(register);
      a.popfq();
      a.ret();
    });
  };

  transparent('console_print', (format) => {
    a.lea(rdi, at(rsp, format));
    a.call('console_format');
  });

  transparent('tap_report', (format) => {
    a.inc(qword('tap_count'));
    a.cmp(byte('tap_condition'), 0);
    k.when('e', () => {
      a.inc(qword('tap_failures'));
      k.print('not ');
    });
    k.print('ok %d - ', qword('tap_count'));
    a.lea(rdi, at(rsp, format));
    a.call('console_format');
    k.print('\n');
  });
}

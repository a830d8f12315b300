/** QEMU's log: what it prints and what we make of it. */
import { describe, expect, test } from 'vitest';
import { MARKER, QemuLogError, QemuLogParser } from '../../src/trace/qemu-log.ts';
import { FIELD, type TraceInterrupt, type TraceState } from '../../src/trace/state.ts';

/** A state as QEMU 7.2 prints it in 64-bit mode. */
const dump = (rip: string, rax = '0000000000000011', flags = '00000046'): string => `RAX=${rax} RBX=0000000000000030 RCX=0000000000000005 RDX=0000000000000010
RSI=0000000000104034 RDI=0000000000104098 RBP=0000000000000000 RSP=0000000000105130
R8 =0000000000000008 R9 =0000000000000009 R10=000000000000000a R11=000000000000000b
R12=000000000000000c R13=000000000000000d R14=000000000000000e R15=ffffffffffffffff
RIP=${rip} RFL=${flags} [---Z-P-] CPL=0 II=1 A20=1 SMM=0 HLT=0
ES =0010 0000000000000000 00000000 00009300 DPL=0 DS   [-WA]
CS =0008 0000000000000000 00000000 00209a00 DPL=0 CS64 [-R-]
SS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
DS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
FS =0010 0000000000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
GS =0010 ffff800000000000 ffffffff 00cf9300 DPL=0 DS   [-WA]
LDT=0000 0000000000000000 0000ffff 00008200 DPL=0 LDT
TR =0000 0000000000000000 0000ffff 00008b00 DPL=0 TSS64-busy
GDT=     0000000000103000 00000017
IDT=     0000000000103030 00000fff
CR0=80010011 CR2=0000000000001234 CR3=0000000000101000 CR4=00000020
DR0=0000000000000000 DR1=0000000000000000 DR2=0000000000000000 DR3=0000000000000000 
DR6=00000000ffff0ff0 DR7=0000000000000400
CCS=0000000000000011 CCD=0000000000000000 CCO=SUBB
EFER=0000000000000d01
`;
const block = (rip: string, rax?: string): string => `Trace 0: 0x7efd44004a00 [0000000000000000/${rip}/0000c090/ff000201] \n${dump(rip, rax)}`;
const A = '0000000000100107', B = '0000000000100109';

/** Feeds a log in pieces of `size` bytes and writes down what came out. */
function parse(log: string, size = 1 << 16): { seen: string[]; parser: QemuLogParser; states: bigint[][] } {
  const seen: string[] = [], states: bigint[][] = [];
  const parser = new QemuLogParser({
    finished: false,
    instruction: (state: TraceState) => { seen.push(state.words[FIELD.rip]!.toString(16)); states.push([...state.words]); },
    interrupt: (e: TraceInterrupt) => { seen.push(`${e.hardware ? 'interrupt' : e.software ? 'int' : 'fault'} ${e.vector} ${e.errorCode}`); },
  });
  const bytes = new TextEncoder().encode(log);
  for (let at = 0; at < bytes.length; at += size) parser.feed(bytes.subarray(at, at + size));
  parser.end();
  return { seen, parser, states };
}

describe('the log of one-instruction blocks', () => {
  test('every block is an instruction with the whole state before it', () => {
    const { states } = parse(block(A));
    const state = states[0] as bigint[];
    expect(state.slice(0, 8)).toEqual([0x11n, 5n, 0x10n, 0x30n, 0x105130n, 0n, 0x104034n, 0x104098n]);
    expect(state.slice(8, 16)).toEqual([8n, 9n, 10n, 11n, 12n, 13n, 14n, 0xffff_ffff_ffff_ffffn]);
    expect(state[FIELD.rflags]).toBe(0x46n);
    expect(state[FIELD.shadow]).toBe(1n);
    expect(state.slice(FIELD.segments + 4, FIELD.segments + 8)).toEqual([8n, 0n, 0n, 0x209an]);
    expect(state[FIELD.segments + 5 * 4 + 1]).toBe(0xffff_8000_0000_0000n);
    expect([state[FIELD.cr0], state[FIELD.cr2], state[FIELD.cr3], state[FIELD.cr4], state[FIELD.efer]]).toEqual([0x8001_0011n, 0x1234n, 0x10_1000n, 0x20n, 0xd01n]);
    expect([state[FIELD.gdtrBase], state[FIELD.gdtrLimit], state[FIELD.idtrBase], state[FIELD.idtrLimit]]).toEqual([0x10_3000n, 0x17n, 0x10_3030n, 0xfffn]);
  });

  test('the mark of a stop is seen after all that was logged before it, and no other command is a mark', () => {
    const seen: string[] = [];
    const parser = new QemuLogParser({ finished: false, instruction: (state) => { seen.push(state.words[FIELD.rip]!.toString(16)); }, interrupt: () => undefined });
    parser.onMarker = () => { seen.push('mark'); };
    parser.feed(new TextEncoder().encode(`${block(A)}handle_hmp_command mon 0x7fff cmdline: info registers\n${block(B)}handle_hmp_command mon 0x7fff cmdline: ${MARKER}\n`));
    expect(seen).toEqual(['100107', '100109', 'mark']);
    parser.end();
    expect(seen).toHaveLength(3);
  });

  test('a block that was announced and did not run is not an instruction', () => {
    const { seen, parser } = parse(`${block(A)}Stopped execution of TB chain before 0x7efd44004a00 [${A}] \n${block(A)}${block(B)}`);
    expect(seen).toEqual(['100107', '100109']);
    expect(parser.stopped).toBe(1);
  });

  describe('CR8, which no dump shows, follows from', () => {
    const at = (host: string, rip: string, rax: string): string => `Trace 0: ${host} [0000000000000000/${rip}/0000c090/ff000201] \n${dump(rip, rax)}`;
    const translated = (bytes: string, text: string): string => `----------------\nIN: \n0x00100107:  ${bytes}  ${text}\n\n`;
    const MOV_CR8 = translated('44 0f 22 c0             ', 'movq     %rax, %cr8');
    const cr8 = (log: string): number[] => parse(log).states.map((state) => Number(state[FIELD.cr8]));
    const NEXT = at('0x7efd00000200', '000000000010010b', '0');

    test('the source register before MOV to CR8, each time that block runs', () => {
      expect(cr8(MOV_CR8 + at('0x7efd00000100', A, '5') + NEXT + at('0x7efd00000100', A, '9') + NEXT)).toEqual([0, 5, 5, 9]);
    });
    test('the task priority register, bits 7:4', () => {
      expect(cr8(`${at('0x7efd00000100', A, '0')}apic_mem_writel 0x80 = 0x000000a0\napic_mem_writel 0xb0 = 0x00000000\n${NEXT}`)).toEqual([0, 10]);
    });
    test('neither MOV to CR0 nor MOV from CR8, nor another translation at the same place', () => {
      expect(cr8(translated('0f 22 c0', 'movq     %rax, %cr0') + at('0x7efd00000100', A, '5') + NEXT)).toEqual([0, 0]);
      expect(cr8(translated('44 0f 20 c0', 'movq     %cr8, %rax') + at('0x7efd00000100', A, '5') + NEXT)).toEqual([0, 0]);
      expect(cr8(MOV_CR8 + at('0x7efd00000100', A, '5') + NEXT + translated('90', 'nop') + at('0x7efd00000100', A, '6') + NEXT)).toEqual([0, 5, 5, 5]);
    });
    test('no MOV to CR8 that faulted', () => {
      const fault = `     0: v=0d e=0000 i=0 cpl=3 IP=0033:${A} pc=${A} SP=0010:0000000000105130 env->regs[R_EAX]=0000000000000011\n${dump(A)}`;
      expect(cr8(MOV_CR8 + at('0x7efd00000100', A, '5') + fault + NEXT)).toEqual([0, 0]);
    });
  });

  test('exceptions, software interrupts and interrupt requests are told apart', () => {
    const line = (n: number, text: string): string => `${String(n).padStart(6)}: ${text} cpl=0 IP=0008:${A} pc=${A} SP=0010:0000000000105130 env->regs[R_EAX]=0000000000000011\n${dump(A)}`;
    const { seen } = parse(`${block(A)}check_exception old: 0xffffffff new 0xe\n${line(0, 'v=0e e=0002 i=0')}${block(B)}${line(1, 'v=80 e=0000 i=1')}Servicing hardware INT=0x20\n${line(2, 'v=20 e=0000 i=0')}`);
    expect(seen).toEqual(['100107', 'fault 14 2', '100109', 'int 128 0', 'interrupt 32 0']);
  });

  test('it may arrive in pieces of any size', () => {
    const log = `${block(A)}${block(B, 'ffffffffffffffff')}`;
    for (const size of [1, 7, 100, 1000]) expect(parse(log, size).seen).toEqual(['100107', '100109']);
  });

  test('a record that QEMU did not finish is dropped', () => {
    expect(parse(block(A) + block(B).slice(0, 900)).seen).toEqual(['100107']);
  });

  test('a line that is not known is refused and shown', () => {
    expect(() => parse(`${block(A)}Something new\n`)).toThrow(QemuLogError);
    expect(() => parse(`${block(A)}Something new\n`)).toThrow('Something new');
    expect(() => parse('RAX=xyz RBX=0 RCX=0 RDX=0\n')).toThrow('not a hexadecimal number');
    expect(() => parse('x'.repeat(10_000))).toThrow('a line of more than 4096 bytes');
  });
});

/** gdb's protocol, packet by packet: what is asked is answered as gdb expects, and nothing that a peer sends takes the machine down. */
import { describe, expect, it } from 'vitest';
import { qword, rax, rsp, type Assembler } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { fromHex, latin1, MOST_PAYLOAD, packet, PacketReader, toHex } from '../../src/debug/gdb/packets.ts';
import { GDB_REGISTERS } from '../../src/debug/gdb/registers.ts';
import { GdbSession } from '../../src/debug/gdb/server.ts';
import { ENGINE_NAMES } from '../../src/machine/machine.ts';
import { Random, seedOf } from '../support/random.ts';
import { flatMachine, kernelMachine, wholeState } from '../machine/support/guests.ts';

function counting(a: Assembler): void {
  a.mov(rsp, 0x40_0000);
  a.label('again');
  a.inc(rax);
  a.label('store');
  a.mov(qword('counter'), rax);
  a.label('compare');
  a.cmp(rax, 1000);
  a.jne('again');
  a.label('end');
  a.cli();
  a.hlt();
  a.align(8);
  a.label('counter');
  a.dq(0);
}

class Peer {
  readonly debug: Debugger;
  readonly session: GdbSession;
  readonly events: string[] = [];
  #sent: Uint8Array[] = [];

  constructor(debug: Debugger) {
    this.debug = debug;
    this.session = new GdbSession(debug, {
      send: (bytes) => { this.#sent.push(bytes); },
      resumed: () => { this.events.push('resumed'); }, detached: () => { this.events.push('detached'); }, killed: () => { this.events.push('killed'); },
    });
  }

  /** What came back for raw bytes: + and - as they are, payloads of packets. */
  raw(bytes: Uint8Array): string[] {
    this.#sent = [];
    this.session.receive(bytes);
    while (this.session.isRunning) this.session.slice(100_000, false);
    return this.#sent.flatMap((sent) => [...new PacketReader().read(sent)].map((received) => (received.kind === 'packet' ? String.fromCharCode(...received.payload) : received.kind)));
  }
  /** The last answer to a packet. */
  ask(payload: string | Uint8Array): string { return this.raw(packet(payload)).at(-1)!; }
  /** What `monitor LINE` prints. */
  monitor(line: string): string {
    return this.raw(packet(`qRcmd,${toHex(latin1(line))}`)).filter((payload) => payload.startsWith('O') && payload !== 'OK').map((payload) => new TextDecoder().decode(fromHex(payload.slice(1)))).join('');
  }
}

const flatPeer = (engine: (typeof ENGINE_NAMES)[number] = 'auto'): { peer: Peer; address: (name: string) => bigint } => {
  const { machine, address } = flatMachine(counting, { engine });
  return { peer: new Peer(new Debugger(machine)), address };
};
const little = (value: bigint, bytes = 8): string => toHex(Uint8Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn)));
const numberOf = (name: string): string => GDB_REGISTERS.findIndex((register) => register.name === name).toString(16);

describe('a guest that has ended under gdb', () => {
  it('says so again where gdb comes back to its end, by itself or after monitor goto, and to monitor info', () => {
    const { peer } = flatPeer(), said = 'the processor halted with interrupts off';
    const heard = (payload: string): string => peer.raw(packet(payload)).map((sent) => (/^O[0-9a-f]/.test(sent) ? new TextDecoder().decode(fromHex(sent.slice(1))) : sent)).join(' ');
    expect(heard('vCont;c')).toContain(`longmode: ${said}`);
    const { retired } = peer.debug.machine.state;
    for (const come of ['vCont;c', 'vCont;s', 'goto']) {
      expect(heard('bs')).not.toContain(said);
      expect(peer.monitor('info')).not.toContain('has ended');
      if (come === 'goto') peer.monitor('goto end');
      expect(heard(come === 'goto' ? 'vCont;c' : come)).toContain(`longmode: ${said}`);
      expect(peer.monitor('info')).toContain(`the guest has ended here: ${said}`);
      expect(peer.debug.machine.state.retired).toBe(retired);
    }
  });
});

describe('a replay under gdb', () => {
  it('stops where the log ends, as gdb knows the end of a recording, and goes back from there', () => {
    const { peer } = flatPeer(), { log } = peer.debug.history, { state } = peer.debug.machine;
    log.end = { retired: 1234, deliveries: 0, idleTime: 0 };
    expect(peer.ask('vCont;c')).toContain('replaylog:end;');
    expect(state.retired).toBe(1234);
    expect(peer.ask('vCont;s')).toContain('replaylog:end;');
    expect(peer.ask('bs')).not.toContain('replaylog');
    expect(state.retired).toBe(1233);
    expect(peer.ask('vCont;s')).not.toContain('replaylog');
    // A change begins another future, which was not recorded.
    expect(peer.ask(`P${numberOf('rbx')}=${little(7n)}`)).toBe('OK');
    peer.ask('vCont;c');
    expect(state.retired).toBeGreaterThan(3000);
  });
});

describe('a gdb session', () => {
  it('describes its registers and its memory, in parts', () => {
    const { peer } = flatPeer();
    expect(peer.ask('qSupported:multiprocess+;swbreak+')).toContain(`PacketSize=${MOST_PAYLOAD.toString(16)};`);
    let xml = '';
    for (let at = 0, answer = 'm'; answer[0] === 'm'; at = xml.length) xml += (answer = peer.ask(`qXfer:features:read:target.xml:${at.toString(16)},200`)).slice(1);
    expect(xml.match(/<reg /g)).toHaveLength(GDB_REGISTERS.length);
    expect(peer.ask('g')).toHaveLength(GDB_REGISTERS.reduce((sum, { bits }) => sum + bits / 4, 0));
    expect(peer.ask('qXfer:memory-map:read::0,1000')).toMatch(/^l.*<memory type="ram" start="0x0"/);
    expect(peer.ask('qXfer:features:read:other.xml:0,10')).toBe('E00');
    // Fields of several bits are numbers: gdb prints [ PF ZF IOPL=3 ].
    expect(xml).toContain('<field name="OF" start="11" end="11"/><field name="IOPL" start="12" end="13" type="uint32"/><field name="NT" start="14" end="14"/>');
    expect(xml).toContain('<flags id="cr3_bits" size="8"><field name="PCID" start="0" end="11" type="uint64"/><field name="PDBR" start="12" end="51" type="uint64"/></flags>');
    expect(xml).toMatch(/<flags id="cr4_bits" .*<field name="LA57" start="12" end="12"\/>.*<reg name="cr4" bitsize="32" type="cr4_bits" group="system"\/>/);
  });
  it('reads and writes registers; what cannot be is refused', () => {
    const { peer, address } = flatPeer();
    expect(peer.ask(`p${numberOf('rip')}`)).toBe(little(address('again') - 7n));
    expect(peer.ask(`P${numberOf('rbx')}=${little(0x1234n)}`)).toBe('OK');
    expect(peer.debug.machine.state.gpr[3]).toBe(0x1234n);
    expect(peer.ask(`P${numberOf('cr0')}=${little(0x8000_0000n, 4)}`)).toBe('E.cr0 cannot be 0x80000000: CR0.PG without CR0.PE');
    expect(peer.ask(`P${numberOf('cs')}=${little(8n, 4)}`)).toBe('E.cs cannot be 0x8: the selector is outside its descriptor table');
    const all = peer.ask('g');
    expect(peer.ask(`G${little(7n)}${all.slice(16)}`)).toBe('OK');
    expect([peer.debug.machine.state.gpr[0], peer.ask('g')]).toEqual([7n, little(7n) + all.slice(16)]);
    for (const bad of ['pffff', 'p', 'pzz', 'P0', 'P0=12', `P${numberOf('rax')}=xx`, 'Gxyz']) expect(peer.ask(bad), bad).toMatch(/^E/);
  });
  it('writes nothing in the past that would take the future away, unless told to', () => {
    const { peer, address } = flatPeer(), { history, machine } = peer.debug, there = `${address('counter').toString(16)},8`;
    peer.debug.runTo(100);
    const before = machine.state.gpr[0]!;
    peer.debug.runTo(50);
    const rax = machine.state.gpr[0]!;
    for (const write of [`P${numberOf('rax')}=${little(7n)}`, `M${there}:${little(7n)}`, latin1(`X${there}:\u0007\0\0\0\0\0\0\0`), `G${little(7n)}`]) expect(peer.ask(write)).toMatch(/^E\.the machine is in its past: .*monitor fork on/);
    // That is how gdb asks whether it may send bytes as they are.
    expect(peer.ask(latin1(`X${address('counter').toString(16)},0:`))).toBe('OK');
    expect([machine.state.gpr[0], history.end.retired]).toEqual([rax, 100]);
    peer.debug.runTo(history.end);
    expect(machine.state.gpr[0]).toBe(before);
    peer.debug.runTo(50);
    expect(peer.monitor('fork')).toBe('what is written in the past is refused\n');
    expect(peer.monitor('fork on')).toBe('what is written in the past begins another future: what came after is forgotten\n');
    expect(peer.ask(`P${numberOf('rax')}=${little(7n)}`)).toBe('OK');
    expect([machine.state.gpr[0], history.end.retired]).toEqual([7n, 50]);
  });
  it('reads and writes memory, by linear and by physical address', () => {
    const peer = new Peer(new Debugger(kernelMachine('pmm')));
    peer.debug.runTo(50_000);
    const { machine } = peer.debug;
    const at = machine.state.rip, physical = machine.mmu.explain(at as never).physicalAddress!;
    expect(peer.ask(`m${at.toString(16)},10`)).toBe(toHex(machine.readPhysical(physical, 16)));
    expect(peer.ask('Qqemu.PhyMemMode:1')).toBe('OK');
    expect(peer.ask(`m${physical.toString(16)},10`)).toBe(toHex(machine.readPhysical(physical, 16)));
    expect(peer.ask(`m${at.toString(16)},10`)).toBe('E0e');
    expect(peer.ask('qqemu.PhyMemMode')).toBe('1');
    expect(peer.monitor('phys off')).toBe('addresses are linear\n');
    const rsp = machine.state.gpr[4]! - 4096n;
    expect(peer.ask(`M${rsp.toString(16)},3:010203`)).toBe('OK');
    expect(peer.ask(Uint8Array.of(...latin1(`X${(rsp + 3n).toString(16)},5:`), 0x23, 0x24, 0x7d, 0x2a, 0xff))).toBe('OK');
    expect(peer.ask(`m${rsp.toString(16)},8`)).toBe('01020323247d2aff');
    expect(peer.ask(`X${rsp.toString(16)},0:`)).toBe('OK');
    for (const bad of ['m', 'mxyz,1', 'm0', 'm1000000000000,8', 'M0,4:00', 'M1000000000000,1:00', 'X0,5:12', 'X0', `m${'f'.repeat(17)},1`]) expect(peer.ask(bad), bad).toMatch(/^E/);
    expect(peer.ask(`m${(0xffff_ffff_ffff_fff0n).toString(16)},40`)).toMatch(/^E|^[0-9a-f]*$/);
  });
  it.each(ENGINE_NAMES)('breaks, watches, steps and goes back › %s', (engine) => {
    const { peer, address } = flatPeer(engine);
    const rip = (): bigint => peer.debug.machine.state.rip, turn = (): bigint => peer.debug.machine.state.gpr[0]!;
    const counter = address('counter').toString(16);
    expect(peer.ask(`Z0,${address('store').toString(16)},1`)).toBe('OK');
    expect(peer.ask('vCont;c')).toMatch(/^T05.*swbreak:;$/);
    expect([rip(), turn()]).toEqual([address('store'), 1n]);
    expect(peer.ask('vCont;s:1;c')).toMatch(/^T05/);
    expect(rip()).toBe(address('compare'));
    expect(peer.ask('bs')).toMatch(/^T05/);
    expect(rip()).toBe(address('store'));
    expect(peer.ask(`z0,${address('store').toString(16)},1`)).toBe('OK');
    expect(peer.ask(`Z2,${counter},8`)).toBe('OK');
    expect(peer.ask('c')).toMatch(new RegExp(`^T05.*;watch:${counter};$`));
    expect([rip(), turn()]).toEqual([address('compare'), 1n]);
    expect(peer.ask(`z2,${counter},8`)).toBe('OK');
    expect(peer.raw(packet('c'))).toEqual(['ack', expect.stringMatching(/^O6c6f6e67/), expect.stringMatching(/^T05/)]);
    expect(rip()).toBe(address('end') + 2n);
    peer.ask(`Z3,${counter},1`);
    expect(peer.ask('bc')).toMatch(/^T05.*replaylog:begin;$/);
    expect([peer.ask('bs'), peer.debug.machine.state.retired]).toEqual([expect.stringMatching(/replaylog:begin/), 0]);
    peer.ask('c');
    peer.ask(`Z4,${counter},1`);
    expect(peer.ask('bc')).toMatch(new RegExp(`^T05.*;awatch:${counter};$`));
    expect([rip(), turn()]).toEqual([address('store'), 1000n]);
    expect(peer.ask('?')).toMatch(/awatch/);
  });
  it('stops a run for Ctrl-C, and for a packet that comes while it runs', () => {
    const { machine } = flatMachine((a) => { a.label('for ever'); a.jmp('for ever'); });
    const peer = new Peer(new Debugger(machine));
    peer.session.receive(packet('c'));
    expect(peer.session.slice(1000, false)).toBe('running');
    expect(peer.raw(Uint8Array.of(3))).toEqual([expect.stringMatching(/^T02/)]);
    peer.session.receive(packet('c'));
    expect(peer.raw(packet('qC'))).toEqual(['ack', expect.stringMatching(/^T02/), 'QC1']);
    expect(machine.state.retired).toBe(1000);
  });
  it('answers monitor commands, but none that would move the machine behind its back', () => {
    const peer = new Peer(new Debugger(kernelMachine('pmm')));
    peer.debug.runTo(50_000);
    expect(peer.monitor('walk $rip')).toMatch(/^page walk of 0xffffffff80[0-9a-f]+ \(4-level paging\):\n {2}PML4E/);
    expect(peer.monitor('tlb')).toMatch(/^data +0x[0-9a-f]{16} -> 0x[0-9a-f]{12} {2}W/);
    expect(peer.monitor('info')).toMatch(/^engine auto, .*\n64-bit mode, 4-level paging, CPL 0/);
    expect(peer.monitor('snapshot')).toBe('#1 is instruction 50000\n');
    expect(peer.monitor('help')).toMatch(/who-wrote.*\n/);
    // Commands that are refused are not on offer.
    expect(peer.monitor('help')).not.toMatch(/^(step|back|continue|set|quit)\b/m);
    expect(peer.monitor('step')).toMatch(/moves or changes the machine/);
    expect(peer.monitor('quit')).toMatch(/moves or changes the machine/);
    expect(peer.monitor('nonsense')).toMatch(/there is no command "nonsense"/);
    expect(peer.debug.machine.state.retired).toBe(50_000);
    expect(peer.ask('qRcmd,zz')).toBe('E16');
  });
  it('takes the machine to a moment of the monitor\'s when gdb lets it move, forwards and backwards', () => {
    const peer = new Peer(new Debugger(kernelMachine('pmm'))), { state } = peer.debug.machine;
    peer.debug.runTo(50_000);
    peer.monitor('snapshot');
    peer.debug.runTo(60_000);
    expect(peer.monitor('goto #1')).toMatch(/"continue" or "reverse-continue" goes there/);
    expect(state.retired).toBe(60_000);
    expect(peer.ask('bc')).toMatch(/^T05/);
    expect(state.retired).toBe(50_000);
    peer.monitor('goto 55000');
    peer.ask('vCont;c');
    expect(state.retired).toBe(55_000);
    expect(peer.monitor('goto #2')).toBe('there is no snapshot #2\n');
  });
  it('says which of the monitor\'s breakpoints it stopped at, since gdb knows nothing of them, and takes them with it', () => {
    const { peer, address } = flatPeer();
    expect(peer.monitor('break count 10')).toBe('breakpoint 1: instruction 10\n');
    const announced = peer.raw(packet('vCont;c'));
    expect(new TextDecoder().decode(fromHex(announced.at(-2)!.slice(1)))).toBe('longmode: breakpoint 1 (instruction 10): 10 instructions have retired\n');
    expect(announced.at(-1)).toMatch(/^T05[0-9a-f:]+;thread:1;$/);
    expect(peer.monitor(`break 0x${address('store').toString(16)}`)).toMatch(/^breakpoint 2: execution of/);
    // gdb would pass over a breakpoint of its own kind that it has not set.
    expect(peer.ask('vCont;c')).not.toContain('break');
    peer.ask(`Z0,${address('compare').toString(16)},1`);
    expect(peer.raw(packet('vCont;c')).filter((payload) => payload.startsWith('O'))).toEqual([]);
    peer.session.end();
    expect(peer.debug.breakpoints.all).toEqual([]);
  });
  it('acknowledges until it is told not to, asks again for what is damaged, and sends again what was', () => {
    const { peer } = flatPeer();
    expect(peer.raw(packet('qC'))).toEqual(['ack', 'QC1']);
    expect(peer.raw(latin1('-'))).toEqual(['QC1']);
    expect(peer.raw(latin1('$qC#00'))).toEqual(['nack']);
    expect(peer.raw(latin1('$qC$qC#b4'))).toEqual(['nack', 'ack', 'QC1']);
    expect(peer.raw(latin1('$qC#zz'))).toEqual(['nack']);
    expect(peer.raw(packet('QStartNoAckMode'))).toEqual(['ack', 'OK']);
    expect(peer.raw(packet('qC'))).toEqual(['QC1']);
    expect(peer.raw(latin1('-$qC#00+'))).toEqual([]);
    expect(peer.raw(packet('m0,1'.padEnd(MOST_PAYLOAD + 1, ' ')))).toEqual(['E16']);
  });
  it('lets go, is killed, and takes its breakpoints with it', () => {
    const { peer, address } = flatPeer();
    peer.ask(`Z0,${address('store').toString(16)},1`);
    expect(peer.ask('D')).toBe('OK');
    expect([peer.events, peer.debug.breakpoints.all]).toEqual([['detached'], []]);
    expect(peer.raw(packet('g'))).toEqual([]);
    const other = flatPeer().peer;
    other.raw(packet('k'));
    expect(other.events).toEqual(['killed']);
  });
  it('outlives whatever a peer sends, and an answer is always a packet', () => {
    const random = new Random(seedOf('gdb packets'));
    const { peer, address } = flatPeer();
    const heads = ['g', 'G', 'p', 'P', 'm', 'M', 'X', 'Z0,', 'Z2,', 'z4,', 'Z9,', 'vCont;', 'vFile:', 'qXfer:features:read:target.xml:', 'qXfer:memory-map:read::', 'qRcmd,', 'Qqemu.PhyMemMode:', 'H', 'T', 's', 'c', 'bs', 'bc', '?', '!', '\u00ff', 'qSupported:', 'b'];
    const tails = ['0', '1,1', 'ffffffffffffffff', ',', ':', ';', '=', '00', '7d', '#', '$', '}', '*', '-1', address('store').toString(16), '0,ffffffff', '1000,1000', toHex(latin1('x phys -1')), toHex(latin1('walk 1/0'))];
    for (let n = 0; n < 2000; n++) {
      const payload = random.pick(heads) + Array.from({ length: random.below(4) }, () => random.pick(tails)).join('');
      if (random.chance(10)) peer.session.receive(random.bytes(random.below(40)).map((byte) => (byte === 0x6b || byte === 0x44 ? 0 : byte)));
      peer.session.receive(packet(payload));
      for (let slices = 0; peer.session.isRunning && slices < 3; slices++) peer.session.slice(1000, false);
      if (peer.session.isRunning) peer.session.receive(Uint8Array.of(3));
      if (peer.ask('qC') !== 'QC1') throw new Error(`no answer after ${payload}`);
    }
    peer.raw(Uint8Array.of(3));
    expect(peer.ask('g')).toHaveLength(GDB_REGISTERS.reduce((sum, { bits }) => sum + bits / 4, 0));
    expect(wholeState(peer.debug.machine)).toBeTypeOf('string');
  });
});

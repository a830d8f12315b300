/** `run --on-fault debug`: the prompt where a guest ends in a fault, driven by a script on stdin as in CI. */
import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Assembler, assemble, dx, al, ecx, qword, rax, rbx, rsp } from '../../src/assembler/index.ts';
import { longmode, PROGRAM, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
const FLAT = ['--load-address', '0x200000', '--bits', '64'];

/** Prints a letter, writes a pointer wrongly in a function, and then jumps to where it points. */
function crashing(): { readonly file: string; readonly pointer: string } {
  const { bytes, symbols } = assemble((a) => {
    a.mov(rsp, 0x40_0000);
    a.mov(dx, 0x3f8);
    a.mov(al, 0x41);
    a.out(dx, al);
    a.call('clobber');
    a.mov(rbx, qword('pointer'));
    a.jmp(rbx);
    a.label('clobber');
    a.mov(rax, 0x1234_5678_9abcn);
    a.mov(qword('pointer'), rax);
    a.ret();
    a.align(8);
    a.label('pointer');
    a.dq(0);
  }, { origin: 0x20_0000 });
  const file = join(folder, 'crash.bin');
  writeFileSync(file, bytes);
  return { file, pointer: `0x${symbols.get('pointer')!.linear.toString(16)}` };
}

const { file: CRASHING, pointer: POINTER } = crashing();

const prompted = (script: readonly string[], ...more: string[]): { status: number | null; stdout: string; answers: string[] } => {
  const { status, stdout, stderr } = longmode(['run', CRASHING, ...FLAT, '--on-fault', 'debug', ...more], { input: script.map((line) => `${line}\n`).join('') });
  return { status, stdout, answers: stderr.split(/^\(longmode\) .*$/m).map((answer) => answer.trim()) };
};

describe('--on-fault debug', () => {
  it('tells who wrote the pointer that was followed, and goes back to it', () => {
    const { status, stdout, answers } = prompted(['back', `who-wrote ${POINTER},8`, 'goto 7', 'print rax', 'step', 'bt', `x/1g phys ${POINTER}`, 'walk rip', 'info', 'quit']);
    const [stopped, back, who, gone, value, stepped, stack, memory, walk, info] = answers;
    expect(stopped).toMatch(/^triple fault: .*\n=> 0x12345678 ?9?a?b?c?/);
    expect(back).toMatch(/^=> 0x123456789abc/);
    expect(who).toMatch(new RegExp(`^0x2000[0-9a-f]+, instruction 6: physical ${POINTER}: 0x0 -> 0x123456789abc {3}\\(goto 6\\)$`));
    expect(gone).toMatch(/^=> 0x2000[0-9a-f]+ {2}ret {3}\[instruction 7, \d+ before the end\]$/);
    expect(value).toBe('20015998343868 = 0x123456789abc');
    expect(stepped).toMatch(/mov rbx, qword ptr/);
    expect(stack).toMatch(/^#0 /);
    expect(memory).toBe(`${POINTER.slice(2).padStart(16, '0')}  0000123456789abc`);
    expect(walk).toMatch(/^page walk of 0x2000/);
    expect(info).toMatch(/^engine auto/);
    expect(stdout).toBe('A');
    // As without a debugger.
    expect(status).toBe(longmode(['run', CRASHING, ...FLAT]).status);
  });
  it('takes what stands behind x for an address, unless a slash says that it is a count', () => {
    const { answers } = prompted(['x phys 0x200000', 'x 0x200000', 'x 2097152', 'x/2 0x200000', 'x/1w 0x200000']);
    expect(answers[1]).toMatch(/^0000000000200000 {2}([0-9a-f]{2} ){16}/);
    expect(answers.slice(2, 4)).toEqual([answers[1], answers[1]]);
    expect(answers[4]).toMatch(/^0000000000200000 {2}[0-9a-f]{2} [0-9a-f]{2} {5}/);
    expect(answers[5]).toMatch(/^0000000000200000 {2}[0-9a-f]{8}$/);
  });
  it('shows the source lines of a kernel in C', () => {
    writeFileSync(join(folder, 'main.c'), [
      'void __attribute__((noinline, used)) crash(void) {', '  asm volatile("ud2");', '}',
      'void __attribute__((naked)) _start(void) {', '  asm("mov $0x300000, %esp\\n call crash");', '}', '',
    ].join('\n'));
    const image = join(folder, 'c-kernel');
    execFileSync('gcc', ['-g', '-m64', '-O1', '-ffreestanding', '-nostdlib', '-static', '-fcf-protection=none', '-Wl,-Ttext=0x200000', '-Wl,--build-id=none', '-o', image, 'main.c'], { cwd: folder });
    const { stderr } = longmode(['run', image, '--protocol', 'linux', '--on-fault', 'debug'], { input: 'back\nbt\n' });
    expect(stderr).toMatch(/^#0 {2}0x2000\w+ <crash> at \S*main\.c:2 {2}rsp 0x\w+\n#1 {2}0x2000\w+ <_start\+0xa> at \S*main\.c:5 {2}rsp/m);
  });
  it('stops at breakpoints, forwards and backwards; an empty line is the last command again', () => {
    const { answers } = prompted(['restart', `break write ${POINTER}`, 'continue', 'rc', 'back', '', 'delete 1', 'c', 'why'], '--engine', 'interpreter');
    expect(answers[2]).toBe(`breakpoint 1: write to ${POINTER}`);
    expect(answers[3]).toContain(`breakpoint 1 (write to ${POINTER}): write of 8 bytes at ${POINTER} by 0x2000`);
    expect(answers[4]).toMatch(/mov qword ptr .*, rax {3}\[instruction 6/);
    expect(answers.slice(5, 7)).toEqual([expect.stringMatching(/\[instruction 5/), expect.stringMatching(/\[instruction 4/)]);
    expect(answers[8]).toMatch(/^triple fault/);
    expect(answers[9]).toMatch(/^Triple fault after \d+ instructions/);
  });
  it('changes nothing in the past that would take the future away, unless told to', () => {
    const { answers } = prompted(['back 3', 'set rax = 1 + 1', 'p rax', 'goto end', 'back 3', 'set! rax = 1 + 1', 'p rax', 'info', 'set rax = 7', 'p rax', 'help set!']);
    expect(answers[2]).toBe('the machine is in its past: what came after would be forgotten; "set! rax = 1 + 1" does it all the same');
    expect(answers[3]).toBe('20015998343868 = 0x123456789abc');
    expect(answers[4]).not.toMatch(/before the end/);
    expect(answers[7]).toBe('2 = 0x2');
    // The end is here now, and can be changed again.
    expect(answers[8]).toMatch(/history: instruction 0 to 8,.*; 1 inputs/);
    expect(answers[10]).toBe('7 = 0x7');
    expect(answers[11]).toContain('set, set! REGISTER = EXPRESSION: changes a register');
  });
  it('leaves with the status of how the guest has ended, and of no future that a change has taken away', () => {
    expect(prompted(['back 3', 'quit']).status).toBe(6);
    expect(prompted(['back 3', 'set! rax = 1', 'quit']).status).toBe(130);
    expect(prompted(['back 3', 'set! rax = 1', 'continue', 'quit']).status).toBe(6);
  });
  it('says what is wrong with a command, and goes on', () => {
    const { answers } = prompted(['fly', 'walk', 'x/99999 0', 'break nothing', 'delete 9', 'set cr0 = 1 << 40', 'who-wrote 1 << 60', 'goto #3', 'x/4b 1 << 50', 'tlb 0', 'regs', 'help', 'help break', 'disassemble 0x200000', 'next', 'goto', 'break exception 99', 'p 1 +']);
    expect(answers.slice(1, 9)).toEqual([
      'there is no command "fly"; "help" lists them', 'expected a number, a name or "[", not the end', 'at most 4096', 'there is no register and no symbol "nothing"', 'there is no breakpoint 9',
      'cr0 cannot be 0x10000000000: reserved bit of CR0', '0x1000000000000000 is not mapped to RAM', 'there is no snapshot #3',
    ]);
    expect(answers[9]).toBe('0x4000000000000 is not mapped to RAM');
    expect(answers[11]).toMatch(/^RAX 0000123456789abc/);
    expect(answers[12]).toMatch(/who-wrote, who .*the last write before now/);
    expect(answers[13]).toMatch(/console TEXT/);
    expect(answers[14]).toMatch(/^ {0,3}0x200000 {2}mov rsp, 0x400000\n/);
    expect(answers.slice(-4, -2)).toEqual(['goto where? To an instruction count, #N of "snapshot", or end', 'vector is at most 0x1f']);
    expect(answers.at(-2)).toMatch(/expected a number/);
  });
  it('is not opened where the guest ends well, and not with other words', () => {
    const { bytes } = assemble((a) => {
      a.mov(dx, 0xf4);
      a.out(dx, al);
    }, { origin: 0x20_0000 });
    writeFileSync(join(folder, 'well.bin'), bytes);
    expect(longmode(['run', join(folder, 'well.bin'), ...FLAT, '--on-fault', 'debug', '--quiet'], { input: 'help\n' })).toMatchObject({ stdout: '', stderr: '' });
    expect(longmode(['run', join(folder, 'well.bin'), ...FLAT, '--on-fault', 'explode']).stderr).toContain('--on-fault: "explode" is not debug');
  });
});

/** A guest that a failed test has left would run for ever: its terminal goes, and hangs up. */
const inTerminals: ChildProcessWithoutNullStreams[] = [];
afterEach(() => { for (const child of inTerminals.splice(0)) child.kill(); });

/** Runs an image in a terminal. `shown` waits for a text and says what came up to it. */
function inTerminal(file: string, ...more: string[]): { child: ChildProcessWithoutNullStreams; shown: (wanted: RegExp) => Promise<string>; status: Promise<unknown> } {
  // util-linux's script gives the command a terminal.
  const child = spawn('script', ['-qec', [process.execPath, PROGRAM, 'run', file, ...FLAT, ...more].join(' '), '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
  inTerminals.push(child);
  let text = '';
  child.stdout.on('data', (data: Buffer) => { text += data.toString('latin1'); });
  const shown = async (wanted: RegExp): Promise<string> => {
    while (!wanted.test(text)) await new Promise((resolve) => { child.stdout.once('data', resolve); });
    const before = text;
    text = '';
    return before;
  };
  return { child, shown, status: new Promise((resolve) => { child.on('close', resolve); }) };
}

/** Sends what COM1 has received back, if that is something, and goes on elsewhere. */
function echoOr(a: Assembler, elsewhere: string): void {
  a.mov(dx, 0x3fd);
  a.in(al, dx);
  a.test(al, 1);
  a.je(elsewhere);
  a.mov(dx, 0x3f8);
  a.in(al, dx);
  a.out(dx, al);
  a.jmp(elsewhere);
}

describe('Ctrl-] in a terminal', () => {
  it('ends when its terminal hangs up, prompt or guest', async () => {
    const file = join(folder, 'for-ever.bin');
    writeFileSync(file, assemble((a) => {
      a.mov(dx, 0x3f8);
      a.mov(al, '!'.charCodeAt(0));
      a.out(dx, al);
      a.label('for_ever');
      a.jmp('for_ever');
    }, { origin: 0x20_0000 }).bytes);
    for (const atPrompt of [false, true]) {
      const { child, shown } = inTerminal(file, '--on-fault', 'debug'), isRunning = (): boolean => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`run ${file}`);
      await shown(/!/);
      if (atPrompt) {
        child.stdin.write('\u001d');
        await shown(/\(longmode\)/);
      }
      expect(isRunning()).toBe(true);
      child.kill();
      await expect.poll(isRunning, { timeout: 20_000 }).toBe(false);
    }
  }, 60_000);

  it('is the prompt\'s for as long as the machine is in the past: keys and Ctrl-C are for it, and the guest gets none', async () => {
    const { bytes } = assemble((a) => {
      a.label('echo');
      a.mov(ecx, 1_000_000);
      a.label('spin');
      a.dec(ecx);
      a.jnz('spin');
      a.mov(dx, 0x3f8);
      a.mov(al, '.'.charCodeAt(0));
      a.out(dx, al);
      echoOr(a, 'echo');
    }, { origin: 0x20_0000 });
    const file = join(folder, 'spin.bin');
    writeFileSync(file, bytes);
    const { child, shown, status } = inTerminal(file, '--on-fault', 'debug'), type = (text: string): void => { child.stdin.write(text); };
    await shown(/\.{400}/);
    type('\u001d');
    await shown(/=> 0x2000[^]*\(longmode\)/);
    // Nobody wrote it: all of the past is looked through.
    type('who-wrote phys 0x700000,8\r');
    await shown(/searched \d+\.\d of \d+\.\d million instructions; Ctrl-C gives up/);
    type('inf');
    await shown(/inf/);
    type('\u0003');
    await shown(/interrupted[^]*\(longmode\) inf/);
    type('o\r');
    expect(await shown(/\d+ inputs[^]*\(longmode\)/)).toContain('; 0 inputs');
    for (const way of ['goto 50000000', 'goto end', 'goto 100']) {
      type(`${way}\rinfo\r`);
      expect(await shown(/\d+ inputs[^]*\(longmode\)/)).toContain('; 0 inputs');
    }
    type('leave\r');
    // The guest has the terminal again where new things happen.
    await shown(/\.{20}/);
    type('Z');
    await shown(/Z/);
    type('\u0001x');
    expect(await status).toBe(130);
  });
  it('opens the prompt, and the machine goes on when it is left', async () => {
    const { bytes } = assemble((a) => {
      a.mov(dx, 0x3f8);
      a.label('echo');
      echoOr(a, 'echo');
    }, { origin: 0x20_0000 });
    const file = join(folder, 'echo.bin');
    writeFileSync(file, bytes);
    const { child, shown, status } = inTerminal(file);
    await shown(/Ctrl-\] opens a debugger/);
    child.stdin.write('Q');
    await shown(/Q/);
    child.stdin.write('\u001d');
    await shown(/=> 0x2000[^]*\(longmode\)/);
    child.stdin.write('info\r');
    await shown(/history: instruction [^]*\(longmode\)/);
    child.stdin.write('leave\r');
    child.stdin.write('Z');
    await shown(/Z/);
    child.stdin.write('\u0001x');
    expect(await status).toBe(130);
  });
});

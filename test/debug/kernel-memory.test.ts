/** A kernel's own memory, as its image describes it: in the prompt, and in gdb's monitor. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { assemble, Assembler, writeElf } from '../../src/assembler/index.ts';
import { Debugger } from '../../src/debug/debugger.ts';
import { ImageNotes } from '../../src/debug/image-notes.ts';
import { DESCRIPTION_SECTION, descriptionOf } from '../../src/debug/kernel-memory.ts';
import { Prompt } from '../../src/debug/prompt/prompt.ts';
import { DESCRIPTION } from '../../src/kernel/description.ts';
import { kernelFile } from '../kernel/support/boot.ts';
import { kernelMachine } from '../machine/support/guests.ts';
import { temporaryFolder } from '../support/cli.ts';

const lines = (prompt: Prompt, command: string): readonly string[] => {
  const outcome = prompt.execute(command);
  return outcome.kind === 'text' ? outcome.lines : [];
};
const elfWith = (content: string | Uint8Array): Uint8Array => {
  const a = new Assembler();
  a.label('start');
  a.hlt();
  a.entry('start');
  return writeElf(a.link(), { notLoaded: { [DESCRIPTION_SECTION]: typeof content === 'string' ? new TextEncoder().encode(content) : content } });
};

describe('the description of a kernel\'s memory', () => {
  it('is in the guest kernel\'s image', () => {
    expect(descriptionOf(kernelFile())).toEqual({ given: DESCRIPTION });
  });

  it.skipIf(spawnSync('objcopy', ['--version']).status !== 0)('is put into any ELF file by objcopy', () => {
    const folder = temporaryFolder(), image = join(folder, 'plain.elf'), file = join(folder, 'description.json');
    writeFileSync(image, elfWith('{"version":1}'));
    writeFileSync(file, '{ "version": 1, "lists": [] }');
    execFileSync('objcopy', ['--remove-section', DESCRIPTION_SECTION, image]);
    expect(descriptionOf(readFileSync(image))).toMatchObject({ problem: expect.stringContaining('no section .longmode.description') as string });
    execFileSync('objcopy', ['--add-section', `${DESCRIPTION_SECTION}=${file}`, image]);
    expect(descriptionOf(readFileSync(image))).toEqual({ given: { version: 1, lists: [] } });
  });

  it('that is no JSON, is too long, or is in no ELF file, is said in a line', () => {
    expect(descriptionOf(elfWith('{"version"'))).toMatchObject({ problem: expect.stringMatching(/^section \.longmode\.description: [^\n]*JSON/) as string });
    expect(descriptionOf(elfWith(new Uint8Array(2 ** 20 + 1)))).toMatchObject({ problem: expect.stringContaining('1048577 bytes are more than') as string });
    expect(descriptionOf(assemble((a) => { a.hlt(); }).bytes)).toMatchObject({ problem: expect.stringContaining('has no section') as string });
  });

  it('that cannot be read, since the image is gone, says so', () => {
    expect(new ImageNotes(() => { throw new Error('image kernel.elf: no such file'); }).description).toEqual({ problem: 'image kernel.elf: no such file' });
  });

  it('shows frames, regions and heap blocks in the prompt', () => {
    const prompt = new Prompt(new Debugger(kernelMachine('heap')), new ImageNotes(kernelFile));
    expect(lines(prompt, 'kernel').at(-1)).toMatch(/cannot be read now/);
    prompt.debug.toAddress(prompt.debug.symbols.addressOf('power_off')!).advance();
    const shown = lines(prompt, 'kernel');
    expect(shown[0]).toMatch(/^frames: 8,160, [\d,]+ free, \d+ paging structures$/);
    expect(shown).toContainEqual(expect.stringMatching(/^Regions: [1-9]/));
    expect(shown).toContainEqual(expect.stringMatching(/^ {2}base +length +policy +protection +faults$/));
    expect(shown).toContainEqual(expect.stringMatching(/^ {2}[0-9a-f]{16} {2}free {2}[\d,]+ bytes$/));
  });
});

describe('help', () => {
  const prompt = new Prompt(new Debugger(kernelMachine('pmm')));
  it('of a command is its own text', () => {
    expect(lines(prompt, 'help who')[0]).toMatch(/^who-wrote, who .*: the last write before now$/);
    expect(lines(prompt, 'help who-wrote')).toContainEqual(expect.stringMatching(/^who-wrote cr3/));
    expect(lines(prompt, 'help who-wrote').some((line) => line.includes('backtrace'))).toBe(false);
    expect(lines(prompt, 'help break').length).toBeGreaterThan(10);
    expect(lines(prompt, 'help nonsense')).toEqual(['there is no command "nonsense"; "help" lists them']);
  });
});

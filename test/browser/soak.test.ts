/**
 * A machine with 1 GiB whose guest rewrites nearly all of it, writes CR3 and prints, for as long as one looks: the page answers, and takes no more memory than it says. SOAK_MINUTES says how long; without
 * it, it is not half a minute.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { al, assemble, cr3, dword, dx, ebp, ebx, ecx, esi } from '../../src/assembler/index.ts';
import { temporaryFolder } from '../support/cli.ts';
import { count, launch, moved, openPage, register, serve, stopped, type Served } from './support/page.ts';

const MIB = 2 ** 20;
/** What the guest rewrites, behind its code. */
const FROM = 4 * MIB, BYTES = 956 * MIB;
const ROUND_MS = 4000, MINUTES = Number(process.env['SOAK_MINUTES'] ?? 0), HALF = Math.max(2, Math.round((MINUTES * 30_000) / ROUND_MS));
/** A slow machine takes more rounds than HALF until all of RAM has been written; one that needs more than this is stuck. */
const MOST_TO_FILL = 15;
/** Most that anything asked of the page may take, in milliseconds. */
const PATIENCE_MS = 1000;
/**
 * RAM, the copy of it that the history begins with, the checkpoints' 256 MiB (src/debugger/worker/session.ts), and what the browser takes for a
 * page with compiled code and the like.
 */
const MOST_BYTES = (1024 + 1024 + 256 + 512) * MIB;
/** What garbage that is not collected yet may add from one round to another. */
const GARBAGE_BYTES = 128 * MIB;

const folder = temporaryFolder(), complaints: string[] = [];
let browser: Browser, served: Served, page: Page;

beforeAll(async () => {
  const image = join(folder, 'rewrite.bin');
  writeFileSync(image, assemble((a) => {
    a.label('again');
    a.inc(ebp);
    a.mov(ebx, FROM);
    a.label('fill');
    a.add(dword(ebx), esi);
    a.inc(esi);
    a.add(ebx, 64);
    // Each 64 KiB are an event for the time line, and a character of a line that never ends.
    a.test(ebx, 0xffff);
    a.jne('on');
    a.mov(ecx, cr3);
    a.mov(cr3, ecx);
    a.mov(dx, 0x3f8);
    a.mov(al, 'a'.charCodeAt(0));
    a.out(dx, al);
    a.label('on');
    a.cmp(ebx, FROM + BYTES);
    a.jb('fill');
    a.jmp('again');
  }, { bits: 32, origin: 0x10_0000 }).bytes);
  browser = await launch();
  served = await serve([image, '--load-address', '0x100000', '--memory', '1G']);
  page = await openPage(browser, served.address, complaints);
  await stopped(page);
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
});

/** Milliseconds that something takes. */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = Date.now();
  await act();
  return Date.now() - began;
}

/** Resident memory of the process that the page and its worker are in: the largest of the browser's renderers. */
async function residentBytes(): Promise<number> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return Math.max(...processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'latin1'))![1]) * 1024));
}

const number = async (name: string): Promise<number> => Number.parseInt((await register(page, name)).replaceAll(/[^\da-f]/g, ''), 16);

describe('a guest that rewrites 956 MiB over and over, writes CR3 and prints', () => {
  it('leaves a page that answers, pauses at once, and does not grow', async () => {
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    const took: number[] = [], resident: number[] = [], swept: number[] = [];
    const one = async (round: number): Promise<void> => {
      await page.keyboard.press('F8');
      await page.waitForTimeout(ROUND_MS);
      // The worker is asked while it runs; once it has answered the line is empty again.
      const line = page.getByLabel('New breakpoint');
      took.push(await timed(async () => {
        await line.fill(`console "never ${round}"`);
        await line.press('Enter');
        await expect.poll(() => line.inputValue(), { interval: 5 }).toBe('');
      }));
      took.push(await timed(() => moved(page, () => page.keyboard.press('F8'))));
      resident.push(await residentBytes());
      // EBP counts how often everything has been rewritten.
      swept.push(await number('rbp'));
    };
    // Once all of RAM has been written there is nothing more to ask for: the second half is what comes after that.
    let filled = 0;
    do await one(filled++); while (filled < HALF || (swept.at(-1)! <= 2 && filled < MOST_TO_FILL));
    for (let round = 0; round < HALF; round++) await one(filled + round);
    console.log(`soak: milliseconds ${took.join(' ')}; MiB ${resident.map((bytes) => Math.round(bytes / MIB)).join(' ')}; sweeps ${swept.join(' ')}`);
    expect(Math.max(...took)).toBeLessThan(PATIENCE_MS);
    const [before, after] = [resident.slice(0, filled), resident.slice(filled)];
    expect(swept[filled - 1]).toBeGreaterThan(2);
    expect(swept.at(-1)).toBeGreaterThan(swept[filled - 1]!);
    expect(Math.max(...after)).toBeLessThan(Math.max(...before) + GARBAGE_BYTES);
    expect(Math.max(...resident)).toBeLessThan(MOST_BYTES);
  }, 120_000 + 2 * MINUTES * 60_000);

  it('can be gone back in afterwards, instruction by instruction', async () => {
    const at = await count(page), before = await number('rsi');
    for (let n = 1; n <= 5; n++) expect(await timed(async () => { expect(await moved(page, () => page.keyboard.press('Alt+F11'))).toBe(at - n); })).toBeLessThan(PATIENCE_MS);
    // A round of the loop has seven instructions, or twelve.
    expect(before - await number('rsi')).toBeOneOf([0, 1]);
    for (let n = 4; n >= 0; n--) expect(await moved(page, () => page.keyboard.press('F11'))).toBe(at - n);
    expect(await number('rsi')).toBe(before);
    expect(complaints).toEqual([]);
  });
});

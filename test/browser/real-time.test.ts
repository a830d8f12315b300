/** Whose time a halted guest's is: on the page that of the clock on the wall, until it is told to jump ahead. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { al, assemble, ax, at, eax, ebx, esp, label, word, type Assembler } from '../../src/assembler/index.ts';
import { temporaryFolder } from '../support/cli.ts';
import { launch, moved, openPage, register, serve, stopped } from './support/page.ts';

const TICKS = 40, MS_PER_TICK = 65536 / 1193.182;

/** Waits for so many interrupts of the 8254 as it is at power-on, 18.2 in a second. */
function ticking(a: Assembler): void {
  const out = (port: number, value: number): void => {
    a.mov(al, value);
    a.out(port, al);
  };
  a.mov(esp, 0x9_0000);
  a.mov(eax, label('handler'));
  a.mov(word('idt', 0x100), ax);
  a.shr(eax, 16);
  a.mov(word('idt', 0x106), ax);
  a.lgdt(at('gdtr'));
  a.lidt(at('idtr'));
  for (const [port, value] of [[0x20, 0x11], [0x21, 0x20], [0x21, 4], [0x21, 1], [0x21, 0xfe], [0x43, 0x34], [0x40, 0], [0x40, 0]] as const) out(port, value);
  a.sti();
  a.label('wait');
  a.hlt();
  a.cmp(ebx, TICKS);
  a.jb('wait');
  a.cli();
  a.hlt();
  a.label('handler');
  a.inc(ebx);
  out(0x20, 0x20);
  a.iretd();
  a.align(8);
  a.label('idt');
  a.fill(0x100);
  a.dw(0, 0x10, 0x8e00, 0);
  // The loader's CS is 0x10.
  a.label('gdt');
  a.dq(0, 0, 0x00cf_9a00_0000_ffffn, 0x00cf_9200_0000_ffffn);
  a.label('gdtr');
  a.dw(0x1f);
  a.dd(label('gdt'));
  a.label('idtr');
  a.dw(0x107);
  a.dd(label('idt'));
}

const image = join(temporaryFolder(), 'ticking.bin');
const complaints: string[] = [];
let browser: Browser, served: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  writeFileSync(image, assemble(ticking, { bits: 32, origin: 0x10_0000 }).bytes);
  browser = await launch();
  served = await serve([image, '--load-address', '0x100000']);
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
  if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('; ')}`);
});

describe('a guest that waits for its timer', () => {
  it('waits in real time, and the host sleeps; without, its time jumps ahead and it ends in the same state', async () => {
    const page = await openPage(browser, served.address, complaints);
    await stopped(page);
    const real = page.getByRole('button', { name: 'Real time' });
    expect(await real.getAttribute('aria-pressed')).toBe('true');
    const begun = Date.now();
    const count = await moved(page, () => page.keyboard.press('F8'));
    const took = Date.now() - begun;
    expect(took).toBeGreaterThan(TICKS * MS_PER_TICK - 150);
    expect(took).toBeLessThan(TICKS * MS_PER_TICK + 2000);
    expect(await register(page, 'rbx')).toBe(TICKS.toString(16).padStart(16, '0'));

    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    await real.click();
    await expect.poll(() => real.getAttribute('aria-pressed')).toBe('false');
    const again = Date.now();
    expect(await moved(page, () => page.keyboard.press('F8'))).toBe(count);
    expect(Date.now() - again).toBeLessThan(TICKS * MS_PER_TICK - 500);
    await page.close();
  });

  it('is paused in its sleep, and goes on at once when it is told to let its time jump ahead', async () => {
    const page = await openPage(browser, served.address, complaints);
    await stopped(page);
    await page.keyboard.press('F8');
    await page.waitForFunction(() => document.querySelector('.pill')?.textContent === 'running');
    const paused = Date.now();
    await moved(page, () => page.keyboard.press('F8'));
    expect(Date.now() - paused).toBeLessThan(1000);
    expect(await page.locator('.pill').textContent()).toBe('paused');
    await page.keyboard.press('F8');
    const begun = Date.now();
    await moved(page, () => page.getByRole('button', { name: 'Real time' }).click());
    expect(Date.now() - begun).toBeLessThan(TICKS * MS_PER_TICK - 500);
    await page.close();
  });
});

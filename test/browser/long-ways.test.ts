/** Ways and searches that take seconds: one sees how far they are, and can give them up. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble, dword, eax, ebx } from '../../src/assembler/index.ts';
import { temporaryFolder } from '../support/cli.ts';
import { count, launch, moved, openPage, register, serve, stopped, type Served } from './support/page.ts';

const complaints: string[] = [];
const MARK = 0x20_0000, RUN_MS = 3000;
let browser: Browser, served: Served, page: Page;

beforeAll(async () => {
  const image = join(temporaryFolder(), 'long.bin');
  writeFileSync(image, assemble((a) => {
    a.mov(dword(MARK), 0x5a);
    a.label('again');
    a.inc(eax);
    a.add(ebx, eax);
    a.jmp('again');
  }, { bits: 32, origin: 0x10_0000 }).bytes);
  browser = await launch();
  // The slower engine makes long ways of short ones.
  served = await serve([image, '--load-address', '0x100000', '--engine', 'interpreter']);
  page = await openPage(browser, served.address, complaints);
  await stopped(page);
  await page.keyboard.press('F8');
  await page.waitForTimeout(RUN_MS);
  await moved(page, () => page.keyboard.press('F8'));
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
});

const progress = (view: Page) => view.locator('.progress').getByRole('progressbar');

describe('what takes long', () => {
  it('says how far it is while it searches, and Escape takes the machine back to where it was', async () => {
    const at = await count(page), rip = await register(page, 'rip');
    await page.getByRole('tab', { name: 'Memory', exact: true }).click();
    await page.getByLabel('Address: an expression').fill(`0x${MARK.toString(16)}`);
    await page.getByLabel('Address: an expression').press('Enter');
    await page.locator('.memory:not([aria-busy]) .byte.pointed').click({ button: 'right' });
    await moved(page, async () => {
      await page.getByRole('menuitem', { name: 'Who wrote this byte?' }).click();
      await progress(page).waitFor();
      expect(await progress(page).getAttribute('aria-label')).toBe('Searching backwards: instructions looked through');
      expect(await page.locator('.progress').textContent()).toMatch(/^searching back: .* of .* · Esc gives up$/);
      await page.keyboard.press('Escape');
    });
    expect([await count(page), await register(page, 'rip')]).toEqual([at, rip]);
    expect(await progress(page).count()).toBe(0);
  });

  it('finds it, if it is let', async () => {
    const at = await count(page);
    await page.locator('.memory:not([aria-busy]) .byte.pointed').click({ button: 'right' });
    expect(await moved(page, () => page.getByRole('menuitem', { name: 'Who wrote this byte?' }).click())).toBe(0);
    expect(await page.locator('.why').textContent()).toContain('5a');
    expect(await moved(page, () => page.getByRole('button', { name: 'To the latest moment' }).click())).toBe(at);
  });

  it('says so on the way to the moment of a link, too, which Escape leaves where it has come', async () => {
    const at = await count(page), rip = await register(page, 'rip');
    await page.getByRole('button', { name: 'Link' }).click();
    await page.waitForFunction(() => location.hash.includes('at='));
    const second = await openPage(browser, page.url(), complaints);
    await progress(second).waitFor();
    expect(await progress(second).getAttribute('max')).toBe(String(at));
    expect(await progress(second).getAttribute('aria-label')).toBe('On the way: instructions');
    await second.keyboard.press('Escape');
    const left = await stopped(second);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(at);
    await second.close();
    const third = await openPage(browser, page.url(), complaints);
    expect([await stopped(third), await register(third, 'rip')]).toEqual([at, rip]);
    await third.close();
    expect(complaints).toEqual([]);
  });
});

/**
 * Debian's kernel in the page: booted, looked at, gone back in, and talked to. tools/linux/fetch.sh puts it into out/linux (FOLDER names another folder); where it is
 * not there, these tests say so and are skipped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { count, launch, moved, openPage, register, screenshot, serve, stopped, type Served } from './support/page.ts';

const folder = process.env['FOLDER'] ?? join(import.meta.dirname, '../../out/linux');
const image = (name: string): string => join(folder, name);
const isThere = existsSync(image('vmlinux')) && existsSync(image('busybox.cpio'));
const missing = `there is no kernel in ${folder}: tools/linux/fetch.sh fetches it`;
// CI fetches it: there its absence is a mistake.
if (!isThere && process.env['CI'] !== undefined) throw new Error(missing);
if (!isThere) console.log(missing);

const CMDLINE = 'console=ttyS0 panic=-1 nokaslr cryptomgr.notests';
const BOOT_MS = 80_000;

describe.skipIf(!isThere)('Debian\'s kernel in the page', () => {
  const complaints: string[] = [];
  let browser: Browser, served: Served | undefined;
  beforeAll(async () => { browser = await launch(); });
  afterEach(() => { served?.server.kill(); });
  afterAll(async () => { await browser?.close(); });

  const open = async (name: string): Promise<Page> => {
    served = await serve([image(name), '--initrd', image('busybox.cpio'), '--cmdline', CMDLINE]);
    const page = await openPage(browser, served.address, complaints);
    expect(await stopped(page)).toBe(0);
    return page;
  };
  const printed = (page: Page, text: string): Promise<unknown> =>
    page.waitForFunction((wanted) => document.querySelector('.xterm-rows')?.textContent?.includes(wanted), text, { timeout: BOOT_MS });
  const breakAt = async (page: Page, text: string): Promise<void> => {
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    await page.getByLabel('New breakpoint').fill(text);
    await page.getByLabel('New breakpoint').press('Enter');
    await page.locator('.breakpoint').first().waitFor();
  };

  it('boots from vmlinux to a shell that answers, and is gone back in from there', async () => {
    const page = await open('vmlinux');
    await page.getByRole('tab', { name: 'Console' }).click();
    await page.keyboard.press('F8');
    await printed(page, 'ready#');
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('echo $((6 * 7)) in $(uname -m)\n');
    await printed(page, '42 in x86_64');
    const at = await moved(page, () => page.keyboard.press('F8')), rip = await register(page, 'rip');
    for (let n = 1; n <= 3; n++) expect(await moved(page, () => page.keyboard.press('Alt+F11'))).toBeLessThanOrEqual(at);
    expect(await page.locator('.pill').textContent()).toBe('in the past');
    // The page faults that brought the shell here, and the address space that it is in.
    await page.getByRole('tab', { name: 'Events' }).click();
    await expect.poll(() => page.locator('.event.exception').first().textContent()).toContain('#PF');
    await page.getByRole('tab', { name: 'Map', exact: true }).click();
    await expect.poll(() => page.locator('[role="tabpanel"][aria-label="Map"]').textContent()).toMatch(/4-level paging: \d+ ranges/);
    await screenshot(page, 'linux-shell');
    // Forwards again it is where it was, and the shell goes on.
    await moved(page, () => page.getByRole('button', { name: 'To the latest moment' }).click());
    expect([await count(page), await register(page, 'rip')]).toEqual([at, rip]);
    await page.getByRole('tab', { name: 'Console' }).click();
    await page.keyboard.press('F8');
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('echo still $((2 * 4)) here\n');
    await printed(page, 'still 8 here');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('unpacks itself from its bzImage, and stops where a breakpoint on its first words says', async () => {
    const page = await open('vmlinuz');
    await breakAt(page, 'console "Linux version"');
    const at = await moved(page, () => page.keyboard.press('F8'));
    expect(await page.locator('.why').textContent()).toContain('console output "Linux version"');
    await page.getByRole('tab', { name: 'Console' }).click();
    await printed(page, 'Linux version');
    // The byte was the last thing that happened: one step back is before the OUT that printed it.
    expect(await moved(page, () => page.keyboard.press('Alt+F11'))).toBe(at - 1);
    expect(await page.locator('.line.current .mnemonic').textContent()).toBe('out');
    expect(await page.locator('.meaning').textContent()).toContain('8 bits to port dx: al');
    expect(complaints).toEqual([]);
    await page.close();
  });
});

import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longmode, temporaryFolder } from '../support/cli.ts';
import { launch, moved, openPage, register, screenshot, serve, stopped, type Served } from './support/page.ts';

const folder = temporaryFolder(), image = join(folder, 'kernel.elf');
const complaints: string[] = [];
let browser: Browser, served: Served, page: Page;

beforeAll(async () => {
  longmode(['kernel', '--out', image]);
  browser = await launch();
  served = await serve([image]);
  page = await openPage(browser, served.address, complaints);
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
});

describe('the debugger\'s page', () => {
  it('opens the image before its first instruction', async () => {
    expect(await stopped(page)).toBe(0);
    expect(await page.title()).toBe('kernel.elf – longmode');
    expect(await page.locator('.line.current').count()).toBe(1);
  });

  it('steps forwards and backwards by the keys of the browsers\' debuggers', async () => {
    const rip = await register(page, 'rip');
    expect(await moved(page, () => page.keyboard.press('F11'))).toBe(1);
    expect(await register(page, 'rip')).not.toBe(rip);
    expect(await page.locator('[data-register="rip"] .value').getAttribute('class')).toContain('changed');
    expect(await moved(page, () => page.keyboard.press('Alt+F11'))).toBe(0);
    expect(await register(page, 'rip')).toBe(rip);
  });

  it('says what the next instruction does', async () => {
    await moved(page, () => page.keyboard.press('F11'));
    expect(await page.locator('.meaning').textContent()).toMatch(/←|system instruction/);
  });

  it('runs to a breakpoint, shows the code around it, and what the guest has printed', async () => {
    await page.getByLabel('Address to show').fill('page_fault');
    await page.getByLabel('Address to show').press('Enter');
    // It is not mapped yet: the place is known all the same.
    await page.waitForFunction(() => document.querySelector('.code-lines .problem')?.textContent?.includes('cannot be read'));
    await page.keyboard.press('F9');
    expect(await moved(page, () => page.keyboard.press('F8'))).toBeGreaterThan(1000);
    expect(await page.locator('.why').textContent()).toContain('page_fault');
    expect(await page.locator('.code-lines').textContent()).toContain('page-fault.ts:');
    expect(await page.locator('.line.current .gutter.set').count()).toBe(1);
    await page.waitForFunction(() => document.querySelector('.xterm-rows')?.textContent?.includes('longmode'));
    await screenshot(page, 'breakpoint-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'breakpoint-dark');
    await page.emulateMedia({ colorScheme: 'light' });
  });

  it('is served to this computer only, and nothing but its own files', async () => {
    const { port } = new URL(served.address);
    const ask = (path: string, headers: Record<string, string> = {}): Promise<number> => new Promise((resolve, reject) => {
      void import('node:http').then(({ get }) => get({ host: '127.0.0.1', port, path, headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode!);
      }).on('error', reject));
    });
    expect(await ask('/')).toBe(200);
    expect(await ask('/', { host: `attacker.example:${port}` })).toBe(403);
    expect(await ask('/../package.json')).toBe(404);
    expect(await ask('/%2e%2e/package.json')).toBe(404);
  });

  it('never made the browser complain', () => expect(complaints).toEqual([]));
});

/** A debugger's page in Chromium, served by `longmode debug` as a user starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { longmode, PROGRAM } from '../../support/cli.ts';

const SCREENSHOTS = join(import.meta.dirname, '../screenshots');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export interface Served { readonly address: string; readonly server: ChildProcess }

/** Starts the command; its first line is its address. */
export async function serve(words: readonly string[]): Promise<Served> {
  const server = spawn(process.execPath, [PROGRAM, 'debug', ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const address = await new Promise<string>((resolve, reject) => {
    server.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().trim()));
    server.once('exit', (status) => reject(new Error(`longmode debug ended with ${status}`)));
  });
  return { address, server };
}

/** Writes the guest kernel and serves it. */
export function serveKernel(image: string): Promise<Served> {
  longmode(['kernel', '--out', image]);
  return serve([image]);
}

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });

/** A page as on a laptop's screen. What the browser complains about ends up in `complaints`. */
export async function openPage(browser: Browser, address: string, complaints: string[], colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto(address);
  return page;
}

/** How often the machine has stopped, as the panes show it. */
const stops = (page: Page): Promise<number> => page.evaluate(() => Number.parseInt(document.body.dataset['shown'] ?? '0', 10));

/** The machine has stopped more often than so many times, and the panes show it: instructions retired. */
export async function stopped(page: Page, before = 0): Promise<number> {
  await page.waitForFunction((least) => {
    const [count, activity] = (document.body.dataset['shown'] ?? '0').split(' ');
    return activity === 'stopped' && Number(count) > least;
  }, before, { timeout: 60_000 });
  return count(page);
}
export const count = async (page: Page): Promise<number> => Number((await page.locator('.count').textContent())!.replaceAll(',', ''));

/** Does something that moves the machine, and waits until it has. */
export async function moved(page: Page, act: () => Promise<unknown>): Promise<number> {
  const before = await stops(page);
  await act();
  return stopped(page, before);
}

export const register = async (page: Page, name: string): Promise<string> => (await page.locator(`[data-register="${name}"] .value`).textContent())!;

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

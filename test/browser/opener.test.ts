/** The static build, as someone meets it who has put it on a web server: nothing is loaded, and images come from the user. */
import { mkdirSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble, dx, al, rax } from '../../src/assembler/index.ts';
import { longmode, temporaryFolder } from '../support/cli.ts';
import { launch, moved, openPage, register, stopped } from './support/page.ts';
import { serveFolder } from './support/static-server.ts';

const folder = temporaryFolder(), image = join(folder, 'mine.elf'), flat = join(folder, 'flat.bin'), notes = join(folder, 'notes.pdf'), initrd = join(folder, 'initrd.cpio');
const complaints: string[] = [];
let browser: Browser, server: Server, address: string, page: Page;

beforeAll(async () => {
  longmode(['kernel', '--out', image]);
  writeFileSync(flat, assemble((a) => {
    a.mov(rax, 0x1234);
    a.mov(dx, 0x3f8);
    a.out(dx, al);
    a.hlt();
  }, { bits: 64, origin: 0x20_0000 }).bytes);
  writeFileSync(notes, 'nothing that a processor could run');
  writeFileSync(initrd, 'a module');
  browser = await launch();
  ({ server, address } = await serveFolder(join(import.meta.dirname, '../../dist/page')));
  page = await openPage(browser, address, complaints);
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('; ')}`);
});

const dialog = (): ReturnType<Page['getByRole']> => page.getByRole('dialog', { name: 'Open an image' });
const problem = (): Promise<string | null> => dialog().locator('.problem').textContent();
const stops = (): Promise<number> => page.evaluate(() => Number.parseInt(document.body.dataset['shown'] ?? '0', 10));

/** Drops files of this computer on the page, as the browser sees them come from a file manager. */
async function drop(...files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page), data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) await session.send('Input.dispatchDragEvent', { type, x: 400, y: 300, data });
  await session.detach();
}

describe('the page on a server of static files', () => {
  it('asks for an image', async () => {
    await dialog().waitFor();
    expect(await dialog().getByRole('button', { name: 'Close' }).isVisible()).toBe(false);
  });

  it('opens an image that is dropped on it', async () => {
    await drop(image);
    expect(await stopped(page)).toBe(0);
    await dialog().waitFor({ state: 'hidden' });
    expect(await page.title()).toBe('mine.elf – longmode');
    // Its line table names the guest kernel's files, whose text the build has.
    expect(await moved(page, () => page.keyboard.press('F8'))).toBeGreaterThan(1_000_000);
    await expect.poll(() => page.locator('.code-lines').textContent()).toContain('exceptions.ts:');
  });

  it('keeps the machine that is there when something else is dropped, and says why', async () => {
    await drop(notes);
    await expect.poll(problem).toBe('neither ELF nor Multiboot nor bzImage; a flat binary needs a load address');
    await dialog().getByRole('button', { name: 'Close' }).click();
    expect(await page.title()).toBe('mine.elf – longmode');
    await moved(page, () => page.keyboard.press('Alt+F11'));
    expect(await page.locator('.pill').textContent()).toBe('in the past');
  });

  it('takes what a page of another window lets drop: files that are in no file system', async () => {
    const shown = await stops();
    await page.evaluate(async () => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([await (await fetch('kernel.elf')).arrayBuffer()], 'made.elf'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    expect(await stopped(page, shown)).toBe(0);
    expect(await page.title()).toBe('made.elf – longmode');
  });

  it('says so where there was no file in what was dropped', async () => {
    await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.setData('text/plain', 'words');
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    await expect.poll(problem).toContain('there is no file in what was dropped');
  });

  it('opens a picked image, and the same one again on a machine with other memory', async () => {
    await moved(page, () => page.locator('#file').setInputFiles(image));
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.getByLabel('Memory in MiB').fill('64');
    await moved(page, () => page.getByRole('button', { name: 'Open mine.elf again' }).click());
    await dialog().waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.getByLabel('Memory in MiB').fill('32');
    await moved(page, () => page.locator('#file').setInputFiles(image));
    await moved(page, () => page.keyboard.press('F8'));
    expect(await page.locator('.why').textContent()).toBe('the guest turned the power off');
  });

  it('waits for the kernel of a module that is dropped alone', async () => {
    await drop(initrd);
    await dialog().waitFor();
    expect(await dialog().textContent()).toContain('initrd.cpio');
    expect(await problem()).toBe('');
    await dialog().getByRole('button', { name: 'Close' }).click();
    await moved(page, () => drop(image, initrd));
    expect(await page.title()).toBe('mine.elf – longmode');
  });

  it('starts a flat binary where and how it is told to', async () => {
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.getByLabel('Load address of a flat binary').fill('2 MiB');
    await page.locator('#file').setInputFiles(flat);
    await expect.poll(problem).toContain('"2 MiB" is no address of RAM');
    await page.getByLabel('Load address of a flat binary').fill('0x200000');
    await page.getByLabel('Mode in which a flat binary starts').selectOption('long mode');
    await moved(page, () => page.locator('#file').setInputFiles(flat));
    await moved(page, () => page.keyboard.press('F11'));
    expect(await register(page, 'rax')).toBe('0000000000001234');
    expect(await page.locator('.mode').textContent()).toContain('64-bit mode');
    await page.getByRole('button', { name: 'Open…' }).click();
    await moved(page, () => page.getByRole('button', { name: 'Open flat.bin again' }).click());
    expect(await register(page, 'rip')).toBe('0000000000200000');
  });

  it('opens its example, and a link that is made there leads to the same moment', async () => {
    await page.getByRole('button', { name: 'Open…' }).click();
    await moved(page, () => page.getByRole('button', { name: 'Open the guest kernel' }).click());
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    await page.getByLabel('New breakpoint').fill('count 100000');
    await page.getByLabel('New breakpoint').press('Enter');
    await page.locator('.breakpoint').waitFor();
    const at = await moved(page, () => page.keyboard.press('F8'));
    await page.getByRole('button', { name: 'Link' }).click();
    await page.waitForFunction(() => location.hash.includes('at='));
    const second = await openPage(browser, page.url(), complaints);
    await expect.poll(() => second.getByRole('dialog').textContent()).toContain('leads to a moment of a run');
    await second.getByLabel('Memory in MiB').fill('32');
    await second.getByRole('button', { name: 'Open the guest kernel' }).click();
    expect(await stopped(second)).toBe(at);
    await second.close();
    // Another image has nothing to do with the link, which was made for this one.
    await moved(page, () => drop(image));
    expect(new URL(page.url()).hash).toBe('');
  });

  it('shows a kernel\'s memory as the image says, or as a description says that is dropped with it or on it', async () => {
    const description = join(folder, 'frames.json'), damaged = join(folder, 'damaged.json');
    writeFileSync(description, JSON.stringify({ version: 1, lists: [{ name: 'Spaces', first: 'current_space', next: 0x1000, columns: [] }] }));
    writeFileSync(damaged, '{');
    await moved(page, () => drop(image));
    await moved(page, () => page.keyboard.press('F8'));
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click();
    await page.getByRole('table', { name: 'Regions' }).waitFor();
    await drop(description);
    await page.getByRole('heading', { name: 'Spaces' }).waitFor();
    await drop(damaged);
    await expect.poll(problem).toMatch(/^damaged\.json: /);
    await dialog().getByRole('button', { name: 'Close' }).click();
    await moved(page, () => drop(image, description));
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click();
    await moved(page, () => page.keyboard.press('F8'));
    await page.getByRole('heading', { name: 'Spaces' }).waitFor();
  });

  it('shows the text of a folder of sources that is dropped', async () => {
    const sources = join(folder, 'src/kernel');
    mkdirSync(sources, { recursive: true });
    writeFileSync(join(sources, 'exceptions.ts'), 'the first line\n'.repeat(400));
    await moved(page, () => page.keyboard.press('F8'));
    await drop(join(folder, 'src'));
    await expect.poll(() => page.locator('.message').textContent()).toMatch(/^The text of \d+ of the \d+ files of its line table is here\.$/);
    await expect.poll(() => page.locator('.code-lines').textContent()).toContain('the first line');
  });

});

/** The page without a mouse, on a small laptop's screen: everything is reached, the focus is seen, and it stays where it was when the machine moves. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cli.ts';
import { launch, moved, openPage, serveKernel, stopped, type Served } from './support/page.ts';

const image = join(temporaryFolder(), 'kernel.elf');
const complaints: string[] = [];
let browser: Browser, served: Served, page: Page;

beforeAll(async () => {
  browser = await launch();
  served = await serveKernel(image);
  page = await openPage(browser, served.address, complaints);
  await page.setViewportSize({ width: 1366, height: 768 });
  await stopped(page);
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
  if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('; ')}`);
});

const tab = (name: string): Promise<void> => page.getByRole('tab', { name, exact: true }).click();

async function breakOn(text: string): Promise<void> {
  await tab('Breakpoints');
  const line = page.getByLabel('New breakpoint');
  await line.fill(text);
  await line.press('Enter');
  await expect.poll(() => line.inputValue()).toBe('');
}

/** What has the focus: its pane, what it is, whether one sees that it has it. */
const focused = (): Promise<{ readonly pane: string; readonly name: string; readonly isSeen: boolean }> => page.evaluate(() => {
  const element = document.activeElement as HTMLElement, { outlineStyle, outlineWidth } = getComputedStyle(element);
  const isTerminal = element.classList.contains('xterm-helper-textarea');
  return {
    pane: element.closest('[role="tabpanel"], section, header, .timeline')?.getAttribute('aria-label') ?? 'bar',
    name: element === document.body ? '' : element.getAttribute('aria-label') ?? element.closest('label')?.textContent ?? element.textContent ?? '',
    // The terminal draws a cursor of its own, and a note says how to leave it.
    isSeen: isTerminal || (outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1 && element.checkVisibility()),
  };
});
/** Words that stay the same while an element is replaced by another of the same meaning. */
const key = (): Promise<string> => page.evaluate(() => {
  const element = document.activeElement as HTMLElement;
  return `${element.localName} ${element.classList[0] ?? element.id} ${element.closest<HTMLElement>('[data-key], [data-register]')?.dataset['key'] ?? ''}`;
});

describe('the page by keyboard alone', () => {
  it('says in full what the machine stopped at', async () => {
    await breakOn('page_fault if (u32[rsp + 8] & 1) == 0 && cr2 >= 0xffff800000000000 && rip > 0xffffffff80000000');
    await moved(page, () => page.keyboard.press('F8'));
    expect(await page.locator('.why').textContent()).toContain('cr2 >= 0xffff800000000000');
    const { inside, height, bottom, below } = await page.locator('.why').evaluate((element) => ({
      inside: element.scrollHeight, height: element.clientHeight, bottom: element.getBoundingClientRect().bottom, below: document.querySelector('.timeline')!.getBoundingClientRect().top,
    }));
    expect(inside).toBeLessThanOrEqual(height);
    expect(bottom).toBeLessThanOrEqual(below);
  });

  it('goes through all of it with Tab, one stop for a list, and sees where it is', async () => {
    await tab('Events');
    await page.locator('.brand').click();
    const stops: Awaited<ReturnType<typeof focused>>[] = [];
    for (let n = 0; n < 60; n++) {
      await page.keyboard.press('Tab');
      const now = await focused();
      // Behind the last stop is the browser's own.
      if (now.name === '') break;
      stops.push(now);
    }
    expect(stops.filter(({ isSeen }) => !isSeen)).toEqual([]);
    expect(stops.length).toBeLessThan(50);
    const panes = [...new Set(stops.map(({ pane }) => pane))].filter((pane) => pane !== 'bar');
    expect(panes).toEqual(['Time line: instructions', 'Code', 'Inspect', 'Paging', 'Registers', 'Output', 'Events']);
    for (const name of ['Restart', 'Step back', 'Step in', 'Run', 'Link', 'Open…', 'Address to show', 'Disassembly', 'Address to walk: an expression, followed as it changes']) expect(stops.map((stop) => stop.name)).toContain(name);
  });

  it('comes into every list and out of it again, both ways', async () => {
    for (const [name, list] of [['Memory', '.byte'], ['Map', 'tr'], ['TLB', 'tr'], ['Descriptors', '.link'], ['Kernel', '.frames-picture']] as const) {
      await tab(name);
      const panel = page.locator(`[role="tabpanel"][aria-label="${name}"]`);
      await panel.locator(list).first().waitFor();
      await page.getByRole('tab', { name, exact: true }).focus();
      let inside = 0;
      for (; inside < 12; inside++) {
        await page.keyboard.press('Tab');
        if (await panel.evaluate((element) => !element.contains(document.activeElement))) break;
        expect(await focused(), name).toMatchObject({ isSeen: true });
      }
      expect(inside, name).toBeGreaterThan(0);
      expect((await focused()).pane, name).toBe('Registers');
      await page.keyboard.press('Shift+Tab');
      expect(await panel.evaluate((element) => element.contains(document.activeElement)), name).toBe(true);
    }
  });

  it('goes from line to line with the arrow keys, and does with Enter what a click does', async () => {
    await tab('Map');
    const rows = page.getByRole('table', { name: 'Mapped ranges' }).locator('tbody tr');
    await rows.nth(2).waitFor();
    await page.getByRole('tab', { name: 'Map', exact: true }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const address = await rows.nth(2).locator('code').first().textContent();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.walk-title code').first().textContent()).toBe(`0x${address}`);
  });

  it('opens a byte\'s menu and changes the byte', async () => {
    await tab('Memory');
    await page.getByLabel('Address: an expression').fill('kernel_heap');
    await page.getByLabel('Address: an expression').press('Enter');
    await page.locator('.memory:not([aria-busy]) .byte.pointed').waitFor();
    await page.getByLabel('Address: an expression').press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const base = await key();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await key()).not.toBe(base);
    const there = await key();
    await page.keyboard.press('Enter');
    expect((await focused()).name).toBe('Change…');
    await page.keyboard.press('Enter');
    await page.keyboard.type('a7');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('a7');
    expect(await key()).toBe(there);
  });

  it('opens and closes the tree of the paging structures', async () => {
    await tab('Paging');
    const first = page.locator('.tree summary').first();
    await first.focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.tree .children .children summary, .tree .children summary, .tree .leaf').first().waitFor();
    await page.keyboard.press('ArrowDown');
    expect(await key()).toContain('1:');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('.tree details').first().getAttribute('open')).toBeNull();
  });
});

describe('the focus, when the machine steps', () => {
  const expectItStays = async (): Promise<void> => {
    const before = await key();
    await moved(page, () => page.keyboard.press('F11'));
    expect(await key()).toBe(before);
    await moved(page, () => page.keyboard.press('Alt+F11'));
    expect(await key()).toBe(before);
  };

  it.each([
    ['Memory', '.byte >> nth=37'], ['Paging', '.levels .link >> nth=1'], ['Map', 'tbody tr >> nth=3'], ['TLB', 'tbody tr >> nth=1'], ['Descriptors', '.link >> nth=5'], ['Kernel', '.frames-picture'],
    ['Stack', '.frame >> nth=0'], ['Breakpoints', '.breakpoint input'], ['Events', '.event-time >> nth=0'],
  ])('stays in the pane %s', async (name, what) => {
    await tab(name);
    const element = page.locator(`[role="tabpanel"][aria-label="${name}"]`).locator(what);
    await element.waitFor();
    await element.focus();
    await expectItStays();
  });

  it.each(['.code-lines', '.gutter >> nth=20', '#step', '[data-register="rbx"] .value', '.timeline'])('stays on %s', async (what) => {
    await page.locator(what).focus();
    await expectItStays();
  });

  it('stays on an open branch of the tree of the paging structures', async () => {
    await tab('Paging');
    const first = page.locator('.tree summary').first();
    await first.focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.tree .children summary, .tree .children .leaf').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await expectItStays();
  });

  it('goes to the next breakpoint when one is removed, and to the line for new ones after the last', async () => {
    await breakOn('#GP');
    await breakOn('#UD');
    for (let left = await page.locator('.breakpoint').count(); left > 0; left--) {
      await page.locator('.breakpoint').first().getByRole('button').focus();
      await page.keyboard.press('Enter');
      await expect.poll(() => page.locator('.breakpoint').count()).toBe(left - 1);
      expect((await focused()).name).toMatch(left > 1 ? /^Remove breakpoint/ : /^New breakpoint/);
    }
  });
});

/** What a screen reader is told: everything that can be used, and every place that can be gone to, has a name. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/cli.ts';
import { launch, moved, openPage, serveKernel, stopped, type Served } from './support/page.ts';

/** Roles that mean nothing without a name. WAI-ARIA 1.2, "Accessible Name Calculation", "Roles Supporting Name from Author". */
const NAMED = new Set([
  'button', 'checkbox', 'combobox', 'ComboBoxGrouping', 'dialog', 'group', 'image', 'img', 'link', 'list', 'listbox', 'menu', 'menuitem', 'option', 'progressbar', 'region', 'searchbox', 'slider', 'spinbutton', 'tab',
  'table', 'tablist', 'tabpanel', 'textbox', 'tree', 'treeitem', 'DisclosureTriangle', 'Details',
]);

let browser: Browser, served: Served, page: Page;
beforeAll(async () => {
  browser = await launch();
  served = await serveKernel(join(temporaryFolder(), 'kernel.elf'));
  page = await openPage(browser, served.address, []);
  await stopped(page);
});
afterAll(async () => {
  await browser?.close();
  served?.server.kill();
});

interface Told { readonly role: string; readonly name: string }
async function told(): Promise<readonly Told[]> {
  const session = await page.context().newCDPSession(page), { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => ({ role: String(role?.value ?? ''), name: String(name?.value ?? '').trim() }));
}
const unnamed = (nodes: readonly Told[]): readonly string[] => nodes.filter(({ role, name }) => NAMED.has(role) && name === '').map(({ role }) => role);

describe('the accessibility tree', () => {
  it.each([
    ['Paging', '.levels li'], ['Memory', '.byte'], ['Map', 'tbody tr'], ['TLB', 'table'], ['Descriptors', '.link'], ['Kernel', '.frames-picture'],
    ['Console', '.terminal'], ['Events', '.event'], ['Stack', '.frame'], ['Breakpoints', '.breakpoint'], ['Post-mortem', '.story'],
  ])('has a name for all of the pane %s, and of what is beside it', async (name, something) => {
    if (name === 'Paging') {
      await page.getByRole('tab', { name: 'Breakpoints' }).click();
      await page.getByLabel('New breakpoint').fill('page_fault');
      await page.getByLabel('New breakpoint').press('Enter');
      await moved(page, () => page.keyboard.press('F8'));
    }
    await page.getByRole('tab', { name, exact: true }).click();
    await page.locator(`[role="tabpanel"][aria-label="${name}"]`).locator(something).first().waitFor();
    const nodes = await told();
    expect(nodes.length).toBeGreaterThan(300);
    expect(unnamed(nodes)).toEqual([]);
    expect(nodes).toContainEqual({ role: 'tabpanel', name });
  });
  it('has the groups of registers by name, and the time line', async () => {
    const nodes = await told();
    for (const name of ['General', 'Flags', 'Segments', 'Control']) expect(nodes).toContainEqual({ role: 'group', name: `${name} registers` });
    expect(nodes).toContainEqual({ role: 'slider', name: 'Time line: instructions' });
  });
  it('has a name for all of the dialog that opens an image', async () => {
    await page.getByRole('button', { name: 'Open…' }).click();
    await page.getByRole('dialog').waitFor();
    expect(unnamed(await told())).toEqual([]);
    await page.keyboard.press('Escape');
  });
  it('has a name for a menu\'s items, and for the line in which a register is changed', async () => {
    await page.locator('[data-register="rax"] .name').click();
    await page.getByRole('menu').waitFor();
    expect(unnamed(await told())).toEqual([]);
    await page.keyboard.press('Escape');
    await page.locator('[data-register="rax"] button.value').click();
    await page.getByLabel('New value of rax').waitFor();
    expect(unnamed(await told())).toEqual([]);
  });
});

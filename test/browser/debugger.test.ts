import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { al, assemble, dx, ebx, qword, rax, rbx } from '../../src/assembler/index.ts';
import { fragmentOf } from '../../src/debugger/page/link.ts';
import { temporaryFolder } from '../support/cli.ts';
import { count, launch, moved, openPage, register, screenshot, serve, serveKernel, stopped, type Served } from './support/page.ts';

const folder = temporaryFolder(), image = join(folder, 'kernel.elf');
const complaints: string[] = [];
let browser: Browser, served: Served, page: Page;

beforeAll(async () => {
  browser = await launch();
  served = await serveKernel(image);
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

  it('shows the source before paging is on, too, while the kernel runs where it was loaded and not where it is linked', async () => {
    await expect.poll(() => page.locator('.code-lines').textContent()).toMatch(/boot\.ts:\d+\s*a\.cli\(\);/);
    expect(await register(page, 'rip')).toMatch(/^00000000001/);
  });

  it('has all of an instruction\'s operands for who points at them, however narrow the pane', async () => {
    const operands = page.locator('.line .operands').filter({ hasText: 'boot_protocol' });
    expect(await operands.textContent()).toMatch(/\[boot_protocol\], eax$/);
    expect(await operands.getAttribute('title')).toBe(await operands.textContent());
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
    expect(await page.locator('.meaning').textContent()).toMatch(/←/);
  });

  it('runs to a breakpoint, shows the code around it, and what the guest has printed', async () => {
    await page.getByLabel('Address to show').fill('page_fault');
    await page.getByLabel('Address to show').press('Enter');
    // It is not mapped yet: the place is known all the same.
    await page.waitForFunction(() => document.querySelector('.code-lines .problem')?.textContent?.includes('cannot be read'));
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    await page.keyboard.press('F9');
    await page.locator('.breakpoint').waitFor();
    await page.getByRole('tab', { name: 'Console' }).click();
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

  it('breaks before a page fault is delivered, and shows why it is one', async () => {
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    await page.getByLabel('New breakpoint').fill('#PF');
    await page.getByLabel('New breakpoint').press('Enter');
    await page.locator('.breakpoint').nth(1).waitFor();
    await page.locator('.breakpoint').nth(0).getByRole('button').click();
    await page.waitForFunction(() => document.querySelectorAll('.breakpoint').length === 1);
    expect(await moved(page, () => page.getByRole('button', { name: 'Restart' }).click())).toBe(0);
    const at = await moved(page, () => page.keyboard.press('F8'));
    expect(await page.locator('.why').textContent()).toContain('#PF');
    // CR2 is still an older one, but the address is on offer.
    const [, address = ''] = /CR2 will be 0x([0-9a-f]+)/.exec((await page.locator('.why').textContent())!)!;
    // And from a link to this moment, where the page fault has never been delivered.
    await page.getByRole('button', { name: 'Link' }).click();
    await page.waitForFunction(() => location.hash.includes('at='));
    const linked = await openPage(browser, page.url(), complaints);
    expect(await stopped(linked)).toBe(at);
    await linked.getByRole('button', { name: `Walk ${address}` }).waitFor();
    expect(await linked.locator('.pill').textContent()).toBe('paused');
    await linked.close();
    await page.evaluate(() => { history.replaceState(undefined, '', location.pathname); });
    await page.getByRole('button', { name: `Walk ${address}` }).click();
    await expect.poll(() => page.locator('.walk-title').textContent()).toContain(`0x${address}`);
    await expect.poll(() => page.locator('.levels .result').textContent()).toContain('not present');
    // One step delivers it: then CR2 names the address, whose walk says what is missing.
    expect(await moved(page, () => page.keyboard.press('F11'))).toBe(at);
    await page.getByRole('button', { name: 'CR2', exact: true }).click();
    await expect.poll(() => page.locator('.levels .result').textContent()).toContain('not present');
    expect(await page.locator('.verdicts').textContent()).toContain('#PF(0x0) not present');
    await page.getByRole('tab', { name: 'Events' }).click();
    await page.locator('.event.exception').first().waitFor();
    expect(await page.locator('.event.exception').first().textContent()).toContain('P=0 the page is not present');
    await screenshot(page, 'page-fault-light');
    await page.emulateMedia({ colorScheme: 'dark' });
    await screenshot(page, 'page-fault-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await moved(page, () => page.keyboard.press('Alt+F11'));
    expect(await count(page)).toBe(at);
    expect(await page.locator('.pill').textContent()).toBe('in the past');
    // Nothing that anyone has seen is behind the newest stop.
    await moved(page, () => page.keyboard.press('F8'));
    expect(await page.locator('.pill').textContent()).toBe('paused');
    await moved(page, () => page.keyboard.press('Alt+F11'));
    expect(await page.locator('.pill').textContent()).toBe('in the past');
  });

  it.each(['Memory', 'Map', 'TLB', 'Descriptors', 'Stack'])('shows the pane %s', async (name) => {
    await page.getByRole('tab', { name, exact: true }).click();
    await page.locator(`[role="tabpanel"][aria-label="${name}"] code, [role="tabpanel"][aria-label="${name}"] .byte`).first().waitFor();
    expect(await page.getByRole('tab', { name, exact: true }).getAttribute('aria-selected')).toBe('true');
    await screenshot(page, `pane-${name.toLowerCase()}`);
  });

  it('shows the guest kernel\'s own memory: frames, regions, heap blocks', async () => {
    await page.getByRole('tab', { name: 'Kernel', exact: true }).click();
    await page.locator('.frames-picture').waitFor();
    expect(await page.locator('.frames-picture').getAttribute('aria-label')).toMatch(/^32736 frames, \d{5} free, \d+ hold page tables$/);
    expect(await page.getByRole('table', { name: 'Regions' }).locator('tbody tr').count()).toBeGreaterThan(0);
    await screenshot(page, 'pane-kernel');
  });

  it('keeps its place, however long the reason of a stop is: two lines, and all of it for who points at it or comes by keyboard', async () => {
    await page.getByRole('tab', { name: 'Breakpoints' }).click();
    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    const before = await page.locator('#resume').boundingBox(), current = await page.locator('.code-lines').boundingBox();
    const condition = Array.from({ length: 12 }, (_, n) => `rax != ${n + 0x1234_5678}`).join(' && ');
    await page.getByLabel('New breakpoint').fill(`#PF if ${condition}`);
    await page.getByLabel('New breakpoint').press('Enter');
    await page.locator('.breakpoint').nth(1).waitFor();
    await page.locator('.breakpoint').nth(0).getByRole('checkbox').click();
    await moved(page, () => page.keyboard.press('F8'));
    const why = page.locator('.why');
    expect(await why.textContent()).toContain(condition);
    expect(await why.getAttribute('title')).toBe(await why.textContent());
    expect(await page.locator('#resume').boundingBox()).toEqual(before);
    expect(await page.locator('.code-lines').boundingBox()).toEqual(current);
    expect((await why.boundingBox())!.height).toBeLessThanOrEqual(32);
    await why.focus();
    expect((await why.boundingBox())!.height).toBeGreaterThanOrEqual(48);
    expect(await why.evaluate((element) => element.scrollHeight <= element.clientHeight)).toBe(true);
    await screenshot(page, 'long-reason');
    await page.locator('.breakpoint').nth(1).getByRole('button').click();
    await page.locator('.breakpoint').nth(0).getByRole('checkbox').click();
    await page.waitForFunction(() => document.querySelectorAll('.breakpoint').length === 1);
  });

  it.each([[1366, 768], [1280, 720]])('says in full why it stopped, and beside it what is wrong, which covers nothing and moves nothing, at %i x %i', async (width, height) => {
    const viewport = page.viewportSize()!;
    await page.setViewportSize({ width, height });
    const places = (): Promise<unknown> => page.evaluate(() => [...document.querySelectorAll('header, h2, main > *, .timeline, .status-line, .pill, .fault-address, .control, .quiet:not([hidden]), .count, .mode, [role="tab"], .line.current')].map((element) => {
      const { x, y, width: wide, height: high } = element.getBoundingClientRect();
      return [element.className, x, y, wide, high];
    }));
    const isWhole = (name: string): Promise<boolean> => page.locator(name).evaluate((element) => element.scrollHeight <= element.clientHeight && element.scrollWidth <= element.clientWidth && element.clientHeight <= 32);
    const line = page.locator('.status-line'), message = page.locator('.message');
    expect([await line.getAttribute('role'), await line.getAttribute('aria-live')]).toEqual(['status', 'polite']);
    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    await moved(page, () => page.keyboard.press('F8'));
    expect(await line.textContent()).toMatch(/^(paused|in the past).*breakpoint \d+ \(#PF\): #PF at 0x.*not an instruction fetch$/);
    expect([await isWhole('.why'), await message.isVisible()]).toEqual([true, false]);
    const [list, current] = await Promise.all(['.code-lines', '.line.current'].map((name) => page.locator(name).boundingBox()));
    expect(current!.y + current!.height).toBeLessThanOrEqual(list!.y + list!.height);
    const before = await places();
    const said = 'there is no register and no symbol "no_such_symbol"';
    await page.getByLabel('New breakpoint').fill('no_such_symbol');
    await page.getByLabel('New breakpoint').press('Enter');
    await expect.poll(() => message.textContent()).toBe(said);
    expect(await message.getAttribute('class')).toBe('message error');
    expect(await places()).toEqual(before);
    expect([await isWhole('.message'), await message.textContent(), await message.getAttribute('title')]).toEqual([true, said, said]);
    await screenshot(page, `message-${width}`);
    await page.getByLabel('New breakpoint').fill('');
    // A stop later it is no news, and two stops later it is gone.
    await page.locator('.brand').click();
    await moved(page, () => page.keyboard.press('F11'));
    expect([await message.isVisible(), await message.getAttribute('class')]).toEqual([true, 'message error old']);
    await moved(page, () => page.keyboard.press('F11'));
    expect(await message.isVisible()).toBe(false);
    await page.setViewportSize(viewport);
    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    await moved(page, () => page.keyboard.press('F8'));
  });

  it('pauses at a second F8, however soon it comes', async () => {
    await page.locator('.breakpoint').getByRole('checkbox').click();
    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    const end = await moved(page, async () => {
      await page.keyboard.press('F8');
      await page.keyboard.press('F8');
    });
    expect(end).toBeGreaterThan(0);
    expect(await page.locator('.pill').textContent()).toMatch(/^(paused|in the past)$/);
    await page.locator('.breakpoint').getByRole('checkbox').click();
    await moved(page, () => page.getByRole('button', { name: 'Restart' }).click());
    await moved(page, () => page.keyboard.press('F8'));
  });

  it('travels on the time line, and back to the latest moment', async () => {
    const end = Number(await page.locator('.timeline').getAttribute('aria-valuemax'));
    const line = (await page.locator('.timeline').boundingBox())!;
    const there = await moved(page, () => page.mouse.click(line.x + line.width * 0.35, line.y + 27));
    expect(there).toBeGreaterThan(end * 0.3);
    expect(there).toBeLessThan(end * 0.4);
    expect(await page.locator('.pill').textContent()).toBe('in the past');
    expect(await page.locator('.line-of-time .output').count()).toBeGreaterThan(0);
    expect(await moved(page, () => page.getByRole('button', { name: 'To the latest moment' }).click())).toBe(end);
  });

  it('goes to an instruction by its number', async () => {
    const here = await count(page);
    await page.keyboard.press('g');
    await page.getByLabel('Go to instruction').fill('1,234');
    expect(await moved(page, () => page.getByLabel('Go to instruction').press('Enter'))).toBe(1234);
    await page.locator('#count').click();
    await page.getByLabel('Go to instruction').fill(`retired + ${here - 1234}`);
    expect(await moved(page, () => page.getByLabel('Go to instruction').press('Enter'))).toBe(here);
  });

  it('writes out what a field of a register means for who comes to it by keyboard, and tells a screen reader', async () => {
    const write = page.getByRole('group', { name: 'Bits of cr0' }).getByRole('button', { name: 'WP' });
    await write.focus();
    await expect.poll(() => page.locator('.field-meaning').textContent()).toBe('CR0.WP: the supervisor, too, cannot write to read-only pages');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.field-meaning').textContent()).toMatch(/^CR0\.[A-Z]+: /);
    const session = await page.context().newCDPSession(page), { nodes } = await session.send('Accessibility.getFullAXTree');
    expect(nodes.find(({ role, name }) => role?.value === 'button' && name?.value === 'WP')?.description?.value).toBe('CR0.WP: the supervisor, too, cannot write to read-only pages');
  });

  it('goes to who wrote a register last', async () => {
    const before = await count(page);
    await page.locator('[data-register="rax"] .name').click();
    const at = await moved(page, () => page.getByRole('menuitem', { name: 'Who wrote this?' }).click());
    expect(at).toBeLessThan(before);
    expect(await page.locator('.why').textContent()).toMatch(/rax/i);
  });

  it('changes memory, and the change is an event of the log', async () => {
    await page.getByRole('tab', { name: 'Memory', exact: true }).click();
    await page.getByLabel('Address: an expression').fill('kernel_heap');
    await page.getByLabel('Address: an expression').press('Enter');
    // Until the bytes there have come, those of the stack are seen.
    await page.locator('.memory:not([aria-busy])').waitFor();
    const byte = page.locator('.memory .byte.pointed');
    const change = async (): Promise<void> => {
      await byte.click({ button: 'right' });
      await page.getByRole('menuitem', { name: 'Change…' }).click();
      await page.getByLabel('New bytes from').fill('5a a5');
      await page.getByLabel('New bytes from').press('Enter');
    };
    // In the past it asks first. The answer that is nearest keeps the future, and so does Esc.
    const timeline = page.getByRole('slider', { name: 'Time line' }), end = await timeline.getAttribute('aria-valuemax'), here = await count(page), was = await byte.textContent();
    const question = page.getByRole('alertdialog', { name: 'Begin another future?' });
    for (const key of ['Enter', 'Escape']) {
      await change();
      await question.waitFor();
      expect(await question.locator('p').textContent()).toBe(`The machine is in its past, at instruction ${here.toLocaleString('en-US')}. If you change memory here, the ${(Number(end) - here).toLocaleString('en-US')} instructions that came after are forgotten.`);
      if (key === 'Enter') await screenshot(page, 'edited-in-the-past');
      await page.keyboard.press(key);
      await question.waitFor({ state: 'detached' });
      await expect.poll(() => page.evaluate(() => document.activeElement?.classList.contains('byte'))).toBe(true);
      expect([await byte.textContent(), await count(page), await timeline.getAttribute('aria-valuemax')]).toEqual([was, here, end]);
    }
    await change();
    await moved(page, () => question.getByRole('button', { name: 'Change memory' }).click());
    expect(await timeline.getAttribute('aria-valuemax')).toBe(String(here));
    await expect.poll(() => byte.textContent()).toBe('5a');
    expect(await byte.evaluate((element) => element.nextElementSibling?.textContent)).toBe('a5');
    await page.keyboard.press('b');
    await expect.poll(() => page.locator('.line-of-time .input').count()).toBe(1);
  });

  it('changes any register that it shows, by its number or by a bit, and says why one cannot be so', async () => {
    const type = async (name: string, value: string): Promise<void> => {
      await page.locator(`[data-register="${name}"] button.value`).click();
      await page.getByLabel(`New value of ${name},`).fill(value);
      await page.getByLabel(`New value of ${name},`).press('Enter');
    };
    // What it was is what it was before the edit, also where the last step changed it, or another edit.
    const rax = await register(page, 'rax');
    for (const [value, was] of [['1234', rax], ['5678', '0000000000001234']] as const) {
      await type('rax', value);
      await expect.poll(() => page.locator('[data-register="rax"] button.value').getAttribute('title')).toBe(`was ${was}`);
      await expect.poll(() => page.locator('.field-meaning').textContent()).toBe(`was ${was}`);
    }
    await type('fs', '23');
    await expect.poll(() => page.locator('[data-register="fs"] .note').textContent()).toBe('data, DPL 3');
    expect(await register(page, 'fs_attributes')).toBe('0000c0f3');
    await type('fs_limit', 'fff');
    await expect.poll(() => register(page, 'fs_limit')).toBe('00000fff');
    await type('cs', '10');
    await expect.poll(() => page.locator('.message').textContent()).toBe('cs cannot be 0x10: not a code segment');
    await page.keyboard.press('Escape');
    const cr0 = page.getByRole('group', { name: 'Bits of cr0' }).getByRole('button', { name: 'TS' });
    await cr0.click();
    await expect.poll(() => cr0.getAttribute('aria-pressed')).toBe('true');
    expect(await cr0.evaluate((element) => element === document.activeElement)).toBe(true);
    // A field of two bits offers what it can be.
    const flags = page.getByRole('group', { name: 'Bits of rflags' });
    await flags.getByRole('button', { name: 'IOPL' }).click();
    await page.getByRole('menuitem', { name: 'IOPL=3' }).click();
    await expect.poll(() => flags.getByRole('button', { name: 'IOPL' }).textContent()).toBe('IOPL=3');
    expect(await page.getByRole('group', { name: 'Bits of fs_attributes' }).getByRole('button', { name: 'DPL' }).textContent()).toBe('DPL=3');
    await page.getByText('x87', { exact: true }).click();
    await type('st0', '4000c000000000000000');
    await expect.poll(() => register(page, 'st0')).toBe('4000c000000000000000');
    // In the past not without being asked.
    await moved(page, () => page.getByRole('button', { name: 'Step back', exact: true }).click());
    const rbx = await register(page, 'rbx');
    await type('rbx', '1234567');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Keep the future' }).click();
    await expect.poll(() => page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-register]')?.dataset['register'])).toBe('rbx');
    expect(await register(page, 'rbx')).toBe(rbx);
    await moved(page, () => page.keyboard.press('F11'));
    expect(await register(page, 'st0')).toBe('4000c000000000000000');
  });

  it('reopens a moment from its link, with its bookmarks', async () => {
    const at = await count(page), rip = await register(page, 'rip');
    await page.getByRole('button', { name: 'Link' }).click();
    await page.waitForFunction(() => location.hash.includes('at='));
    const second = await openPage(browser, page.url(), complaints);
    expect(await stopped(second)).toBe(at);
    expect(await register(second, 'rip')).toBe(rip);
    expect(await second.locator('.line-of-time .bookmark').count()).toBe(1);
    // Pasted into a page that has another one in its address.
    await second.keyboard.press('Alt+F11');
    await expect.poll(() => count(second)).toBe(at - 1);
    await second.getByRole('button', { name: 'Link' }).click();
    await second.waitForFunction((before) => location.href !== before, page.url());
    await second.goto(page.url());
    await expect.poll(() => count(second), { timeout: 20_000 }).toBe(at);
    await second.close();
  });

  it('opens without the moment, and says why, where its link is damaged', async () => {
    const link = new URL(page.url()), whole = link.hash, events = btoa(JSON.stringify({ events: [{ at: 5 }] }));
    for (const [hash, problem] of [
      [whole.slice(0, -1), 'its checksum says'],
      [`#${fragmentOf(new URLSearchParams({ image: new URLSearchParams(whole.slice(1)).get('image')!, at: '1000.0.0', log: events }))}`, 'its log is damaged: events[0].at'],
    ] as const) {
      link.hash = hash;
      const damaged = await openPage(browser, link.href, complaints);
      expect(await stopped(damaged)).toBe(0);
      await expect.poll(() => damaged.locator('.message').textContent()).toContain(`the link in the address is damaged (${problem}`);
      expect(await damaged.getByRole('button', { name: 'Open…' }).isVisible()).toBe(true);
      await damaged.close();
    }
  });

  it('says where the moment of a link is beyond the end of the run', async () => {
    const link = new URL(page.url()), parts = new URLSearchParams(link.hash.slice(1));
    link.hash = fragmentOf(new URLSearchParams({ image: parts.get('image')!, at: '99999999.0.0' }));
    const beyond = await openPage(browser, link.href, complaints);
    expect(await stopped(beyond)).toBeLessThan(99_999_999);
    expect(await beyond.locator('.why').textContent()).toMatch(/^the moment of the link, at 99999999 instructions, is beyond the end of the run: /);
    await beyond.close();
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
});

describe('a kernel in C', () => {
  it('is shown with its source, from the folder that was named or from one that is picked', async () => {
    writeFileSync(join(folder, 'main.c'), 'volatile int counter;\nvoid _start(void) {\n  for (;;)\n    counter += 42; // counts\n}\n');
    const built = join(folder, 'c-kernel');
    execFileSync('gcc', ['-g', '-m64', '-O1', '-ffreestanding', '-nostdlib', '-static', '-fcf-protection=none', '-Wl,-Ttext=0x200000', '-Wl,--build-id=none', '-o', built, 'main.c'], { cwd: folder });
    const named = await serve([built, '--protocol', 'linux', '--source', folder]), alone = await serve([built, '--protocol', 'linux']);
    try {
      const view = await openPage(browser, named.address, complaints);
      await stopped(view);
      await expect.poll(() => view.locator('.code-lines').textContent()).toContain('counter += 42; // counts');
      await screenshot(view, 'c-source');
      await view.close();
      const picked = await openPage(browser, alone.address, complaints);
      await stopped(picked);
      await picked.getByRole('button', { name: 'Open…' }).click();
      await picked.locator('#sources').setInputFiles(folder);
      await expect.poll(() => picked.locator('.code-lines').textContent()).toContain('counter += 42; // counts');
      await picked.close();
    } finally {
      named.server.kill();
      alone.server.kill();
    }
  });
});

describe('a guest that reads its console', () => {
  it('hears what is typed, and says it again', async () => {
    const echo = join(folder, 'echo.bin');
    writeFileSync(echo, assemble((a) => {
      a.label('again');
      a.mov(dx, 0x3fd);
      a.in(al, dx);
      a.test(al, 1);
      a.jz('again');
      a.mov(dx, 0x3f8);
      a.in(al, dx);
      a.out(dx, al);
      a.jmp('again');
    }, { bits: 32, origin: 0x10_0000 }).bytes);
    const guest = await serve([echo, '--load-address', '0x100000', '--memory', '1G']);
    try {
      const view = await openPage(browser, guest.address, complaints);
      await stopped(view);
      await view.getByRole('button', { name: 'Run', exact: true }).click();
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('hello');
      await view.waitForFunction(() => document.querySelector('.xterm-rows')?.textContent?.includes('hello'));
      // Full speed leaves the page responsive: a pause comes at once.
      const pressed = Date.now();
      await moved(view, () => view.keyboard.press('F8'));
      expect(Date.now() - pressed).toBeLessThan(2000);

      // In the past nothing is typed by mistake: the future stays.
      const end = await count(view), latest = (): Promise<string | null> => view.getByRole('slider', { name: 'Time line' }).getAttribute('aria-valuemax');
      await moved(view, () => view.keyboard.press('Alt+F11'));
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('no');
      const choice = view.locator('.held'), focused = (): Promise<string | null> => view.evaluate(() => document.activeElement!.getAttribute('aria-label'));
      await expect.poll(() => view.getByRole('alert').textContent()).toContain('the guest has not got what you typed');
      await screenshot(view, 'typed-in-the-past');
      expect(await latest()).toBe(String(end));
      // Esc leaves it at that, in the terminal or on one of the buttons, and so does the button that says so.
      const past = await count(view);
      for (const leave of [
        () => view.keyboard.press('Escape'),
        async () => {
          await view.getByRole('button', { name: 'Begin another future with it' }).focus();
          await view.keyboard.press('Escape');
        },
        () => view.getByRole('button', { name: 'Stay in the past' }).click(),
      ]) {
        await leave();
        expect(await choice.isVisible()).toBe(false);
        expect(await focused()).toBe('Terminal input');
        expect([await count(view), await latest()]).toEqual([past, String(end)]);
        await view.keyboard.type('q');
        await choice.waitFor();
      }
      // It covers nothing.
      const inside = (await view.locator('.console').boundingBox())!, box = (await choice.boundingBox())!, screen = (await view.locator('.held + .terminal').boundingBox())!;
      expect(box.y).toBeGreaterThanOrEqual(inside.y);
      expect(screen.y).toBeGreaterThanOrEqual(box.y + box.height);
      // At another moment, and in the present, there is nothing to choose.
      await moved(view, () => view.keyboard.press('F11'));
      await choice.waitFor({ state: 'hidden' });
      await moved(view, () => view.getByRole('button', { name: 'Step back', exact: true }).click());
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('q');
      await choice.waitFor();
      await view.keyboard.press('F8');
      await choice.waitFor({ state: 'hidden' });
      await moved(view, () => view.keyboard.press('F8'));
      const newEnd = await count(view);
      expect(newEnd).toBeGreaterThan(end);
      await moved(view, () => view.keyboard.press('Alt+F11'));
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('no');
      expect(await moved(view, () => view.getByRole('button', { name: 'Go to the latest moment' }).click())).toBe(newEnd);
      expect(await focused()).toBe('Terminal input');
      // And knowingly: another future begins with it.
      await moved(view, () => view.keyboard.press('Alt+F11'));
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('yes');
      await view.getByRole('button', { name: 'Begin another future with it' }).focus();
      await moved(view, () => view.keyboard.press('Enter'));
      expect(await latest()).toBe(String(newEnd - 1));
      await view.keyboard.press('F8');
      // The focus is back in the terminal, which has not got the Enter.
      await view.keyboard.type('!');
      await view.waitForFunction(() => document.querySelector('.xterm-rows')?.textContent?.includes('helloyes!'));
      await view.close();
    } finally {
      guest.server.kill();
    }
  });
});

describe('a guest that asks the terminal where its cursor is', () => {
  it('is answered once: when its words are shown again, on the way back, nothing is typed and the future stays', async () => {
    const asking = join(folder, 'asking.bin');
    writeFileSync(asking, assemble((a) => {
      a.mov(dx, 0x3f8);
      for (const char of '\u001b[6n') {
        a.mov(al, char.charCodeAt(0));
        a.out(dx, al);
      }
      a.label('again');
      a.mov(dx, 0x3fd);
      a.in(al, dx);
      a.test(al, 1);
      a.jz('again');
      a.mov(dx, 0x3f8);
      a.in(al, dx);
      a.inc(ebx);
      a.cmp(al, 0x52);
      a.jne('again');
      a.cli();
      a.hlt();
    }, { bits: 32, origin: 0x10_0000 }).bytes);
    const guest = await serve([asking, '--load-address', '0x100000']);
    try {
      const view = await openPage(browser, guest.address, complaints);
      await stopped(view);
      // It hears ESC [ 1 ; 1 R, and halts.
      const at = await moved(view, () => view.keyboard.press('F8'));
      expect(await register(view, 'rbx')).toBe('0000000000000006');
      await view.getByRole('button', { name: 'Link' }).click();
      await view.waitForFunction(() => location.hash.includes('at='));
      for (let n = 1; n <= 3; n++) expect(await moved(view, () => view.keyboard.press('Alt+F11'))).toBe(at - n);
      expect(await moved(view, () => view.getByRole('button', { name: 'To the latest moment' }).click())).toBe(at);
      expect(await view.locator('.pill').textContent()).toBe('ended');
      // From its link it is the same moment: the answer comes from the log.
      const second = await openPage(browser, view.url(), complaints);
      expect(await stopped(second)).toBe(at);
      expect(await register(second, 'rbx')).toBe('0000000000000006');
      await second.close();
      await view.close();
    } finally {
      guest.server.kill();
    }
  });
});

describe('the page for a keyboard and for weak eyes', () => {
  it('does not keep who has come into the console', async () => {
    await page.getByRole('tab', { name: 'Console' }).click();
    await page.getByRole('textbox', { name: 'Terminal input' }).focus();
    await page.keyboard.press('Shift+Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Console');
  });
  it('has no button, field, slider or tab without a name', async () => {
    const { nodes } = await (await page.context().newCDPSession(page)).send('Accessibility.getFullAXTree');
    const named = ['button', 'checkbox', 'combobox', 'img', 'listbox', 'option', 'slider', 'tab', 'tabpanel', 'textbox'];
    const controls = nodes.filter(({ ignored, role }) => !ignored && named.includes(String(role?.value)));
    expect(controls.length).toBeGreaterThan(50);
    expect(controls.filter(({ name }) => String(name?.value ?? '') === '')).toEqual([]);
  });
  it.each(['light', 'dark'] as const)('has text of at least 4.5 to 1 against what is behind it (WCAG 1.4.3), %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const ratios = await page.evaluate(() => {
      const probe = document.body.appendChild(document.createElement('span'));
      const luminance = (name: string): number => {
        probe.style.color = `var(--${name})`;
        const [red = 0, green = 0, blue = 0] = getComputedStyle(probe).color.match(/[\d.]+/g)!.map((part) => Number(part) / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
      };
      const ratio = (text: string, behind: string): number => {
        const [low = 0, high = 0] = [luminance(text), luminance(behind)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
      };
      const all = ['ink', 'soft', 'faint', 'accent', 'changed', 'bad', 'good', 'violet'].map((text) => [text, ratio(text, 'surface'), ratio(text, 'raised')] as const);
      probe.remove();
      return all;
    });
    for (const [text, ...against] of ratios) expect(Math.min(...against), text).toBeGreaterThanOrEqual(4.5);
    await page.emulateMedia({ colorScheme: 'light' });
  });
});

describe('a guest that ends in a triple fault', () => {
  it('opens its story, and one can step back before it', async () => {
    const bad = join(folder, 'bad.bin');
    writeFileSync(bad, assemble((a) => {
      a.nop();
      a.ud2();
    }, { bits: 32, origin: 0x10_0000 }).bytes);
    const guest = await serve([bad, '--load-address', '0x100000']);
    try {
      const view = await openPage(browser, guest.address, complaints);
      await stopped(view);
      await moved(view, () => view.keyboard.press('F8'));
      expect(await view.locator('.pill').textContent()).toBe('fault');
      await expect.poll(() => view.locator('.story').textContent()).toContain('Triple fault after 1 instruction');
      await screenshot(view, 'triple-fault');
      expect(await moved(view, () => view.keyboard.press('Alt+F11'))).toBe(1);
      expect(await view.locator('.line.current .mnemonic').textContent()).toBe('ud2');
      expect(await view.locator('.pill').textContent()).toBe('in the past');
      for (const come of [() => view.getByRole('button', { name: 'To the latest moment' }).click(), () => view.keyboard.press('F8')]) {
        await moved(view, come);
        expect([await view.locator('.pill').textContent(), await view.locator('.why').textContent()]).toEqual(['fault', 'triple fault: the processor has shut down']);
      }
      await view.getByRole('tab', { name: 'Console' }).click();
      await view.locator('.xterm-helper-textarea').focus();
      await view.keyboard.type('a');
      await expect.poll(() => view.locator('.message').textContent()).toBe('the guest has ended: nobody reads what is typed');
      await view.close();
    } finally {
      guest.server.kill();
    }
  });
});

describe('a guest without an IDT', () => {
  it('stops before its page fault, though it is stepped to, and its story leads to the walk', async () => {
    const bad = join(folder, 'unmapped.bin');
    writeFileSync(bad, assemble((a) => {
      a.mov(rbx, 0x7777_0000_1000n);
      a.mov(rax, qword(rbx));
    }, { origin: 0x10_0000 }).bytes);
    const guest = await serve([bad, '--load-address', '0x100000', '--bits', '64']);
    try {
      const view = await openPage(browser, guest.address, complaints);
      await stopped(view);
      await moved(view, () => view.keyboard.press('F11'));
      await view.getByRole('tab', { name: 'Breakpoints' }).click();
      await view.getByLabel('New breakpoint').fill('#PF');
      await view.getByLabel('New breakpoint').press('Enter');
      await view.locator('.breakpoint').waitFor();
      await moved(view, () => view.keyboard.press('F8'));
      await expect.poll(() => view.locator('.why').textContent()).toContain('CR2 will be 0x777700001000');
      await view.getByRole('button', { name: 'Walk 0000777700001000' }).waitFor();
      await moved(view, () => view.keyboard.press('F8'));
      await expect.poll(() => view.locator('.pill').textContent()).toBe('fault');
      const story = view.getByRole('tabpanel', { name: 'Post-mortem' });
      await story.getByRole('button', { name: 'CR2 777700001000' }).click();
      await expect.poll(() => view.locator('.walk-title').textContent()).toContain('0x0000777700001000');
      await screenshot(view, 'page-fault-without-idt');
      await moved(view, () => view.keyboard.press('Alt+F11'));
      await story.getByRole('button').waitFor({ state: 'hidden' });
      await view.getByRole('tab', { name: 'Events' }).click();
      await expect.poll(() => view.locator('.event.exception').filter({ hasText: '#PF' }).getByRole('button', { name: 'CR2 777700001000' }).count()).toBe(1);
      await view.close();
    } finally {
      guest.server.kill();
    }
  });
});

describe('the page without an image', () => {
  it('opens the guest kernel as its example', async () => {
    const offer = await serve([]);
    try {
      const view = await openPage(browser, offer.address, complaints);
      await view.getByRole('button', { name: 'Open the guest kernel' }).click();
      expect(await stopped(view)).toBe(0);
      expect(await view.title()).toBe('guest kernel – longmode');
      expect(await view.getByRole('dialog').isVisible()).toBe(false);
      await view.close();
    } finally {
      offer.server.kill();
    }
  });
});

afterAll(() => { if (complaints.length > 0) throw new Error(`the browser complained: ${complaints.join('; ')}`); });

/** The guest kernel on our machine: it boots, every check of every scenario holds, and it says what readers of its text expect. */
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { SCENARIOS } from '../../src/kernel/index.ts';
import { boot, bootOnQemu, tap, type Run } from './support/boot.ts';

/** Recorded on QEMU 7.2.22. After a change of what the kernel says: RECORD=1 npx vitest run test/kernel, where QEMU is installed. */
const GOLDEN = new URL('golden/all.txt', import.meta.url);
/** The text without what moves when the image's size does: frames, addresses in the image, frames in use. */
const withoutPlaces = (text: string): string =>
  text.replaceAll(/0x(1[0-9a-f]{5}|ffff80000[0-9a-f]{7}|ffffffff8[0-9a-f]{7}|80000000001[0-9a-f]{5})\b/g, '(place)').replaceAll(/used \d+ \+ free \d+/g, 'used + free');
/** What the default run may cost, so that a reference interpreter shows it in seconds. */
const INSTRUCTION_BUDGET = 8_000_000;

/** What is wrong with a run that should end well: failed checks, numbers out of order, a plan that does not fit, another ending. */
function problems({ text, stop }: Run): string[] {
  const lines = tap(text);
  return [
    ...lines.filter((x) => !x.ok).map((x) => `not ok ${x.number} - ${x.says}`),
    ...lines.filter((x, i) => x.number !== i + 1).map((x) => `${x.number} is out of order`),
    ...(text.includes(`\n1..${lines.length}\n`) && lines.length > 0 ? [] : [`no plan for ${lines.length} checks`]),
    ...(stop.kind === 'power-off' ? [] : [`ended by ${stop.kind}`]),
  ];
}

describe('scenario=all', () => {
  let run: Run;
  beforeAll(() => { run = boot('scenario=all'); }, 120_000);

  test('every check holds, the TAP plan counts them, and the machine is powered off', () => {
    expect(problems(run)).toEqual([]);
    expect(tap(run.text).length).toBeGreaterThan(150);
  });

  test('is the default, and runs the scenarios that say so', () => {
    expect(run.text.match(/^=== /gm)).toHaveLength(SCENARIOS.filter((s) => s.inAll).length);
  });

  test('stays within its budget of instructions', () => {
    expect(run.machine.state.retired).toBeLessThan(INSTRUCTION_BUDGET);
  });

  test('prints the same as on QEMU, byte for byte', () => {
    const qemu = bootOnQemu('scenario=all');
    if (qemu && process.env['RECORD'] === '1') writeFileSync(GOLDEN, qemu.text);
    const recorded = readFileSync(GOLDEN, 'utf8');
    expect(run.text).toBe(qemu?.text ?? run.text);
    expect(withoutPlaces(run.text)).toBe(withoutPlaces(recorded));
  });

  /** The part of the output under a headline. */
  const chapter = (title: string): string => run.text.split(/^=== /m).find((x) => x.startsWith(title)) ?? '';
  const section = (title: string): string => chapter('alloc(5)').split(/\n\n {4}(?=\[)/).find((x) => x.startsWith(`[${title}]`)) ?? '';

  test('immediate: whatever is accessed, no page fault', () => {
    expect(section('immediate')).not.toContain('#PF');
  });

  test('demand: one #PF with error code 2, for a, and the page holds b and c too', () => {
    const faults = section('demand').match(/#PF .*/g) ?? [];
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/CR2=0xffffc0000000000b {2}error=2 \(write, not present\) {2}-> page 0xffffc00000000000 gets frame/);
  });

  test('b first: its address is in CR2, and the mask leaves the page that contains it', () => {
    const text = section('demand, b first');
    expect(text.match(/#PF {2}CR2/g)).toHaveLength(1);
    expect(text).toContain('CR2=0xffffc00000000010');
    expect(text).toMatch(/MEANINGFUL_MASK : 0b1{52}0{12} =/);
  });

  test('zero page: a read sees zeroes without a frame, the first write gets one', () => {
    expect((section('zero page').match(/error=\d/g) ?? []).join()).toBe('error=0,error=3');
  });

  test('across a page boundary: two faults by demand, none by immediate', () => {
    const text = section('across a page boundary');
    expect((text.split('[immediate]')[1]?.split('[demand]')[0] ?? '#PF').includes('#PF')).toBe(false);
    expect(text.split('[demand]')[1]?.split('[zero page]')[0]?.match(/#PF {2}CR2/g)).toHaveLength(2);
  });

  test('the methods\' table: frames, faults and instructions, sparse and dense', () => {
    const rows = [...chapter('the methods').matchAll(/^ +(immediate|demand|zero page) +(sparse|dense) +(\d+) +(\d+) +(\d+)$/gm)];
    expect(rows.map((r) => `${r[1]} ${r[2]} ${r[3]} ${r[4]}`)).toEqual([
      'immediate sparse 32 0', 'immediate dense 32 0', 'demand sparse 4 4', 'demand dense 32 32', 'zero page sparse 4 4', 'zero page dense 32 32']);
  });
});

describe('ways in', () => {
  for (const protocol of ['pvh', 'multiboot'] as const) {
    test(`boots by ${protocol} alone, with the same output`, () => {
      const run = boot('scenario=pmm', { protocols: [protocol] });
      expect(problems(run)).toEqual([]);
      expect(run.machine.boot?.protocol).toBe(protocol);
    });
  }

  test('other options may stand around the scenario', () => {
    expect(boot('quiet scenario=pmm debug').text).toMatch(/^=== PMM/m);
  });

  test('an unknown scenario is named, with a list of those there are, and fails', () => {
    const { text, stop } = boot('scenario=pm');
    expect(text).toContain('there is no scenario "pm"');
    for (const { name } of SCENARIOS) expect(text).toContain(`scenario=${name}\n`);
    expect(stop).toEqual({ kind: 'debug-exit', value: 0x12 });
  });
});

describe('each scenario alone', () => {
  const alone = [...SCENARIOS.filter((s) => s.inAll && s.name !== 'pmm-exhaustion').map((s) => s.name), 'reserved-bits', 'gigabyte-pages'];
  test.each(alone)('%s', (name) => {
    expect(problems(boot(`scenario=${name}`))).toEqual([]);
  });

  test('two MiB of RAM are enough to start', () => {
    expect(problems(boot('scenario=pmm', { memoryBytes: 2 * 2 ** 20 }))).toEqual([]);
  });

  test('every frame is handed out on a small machine too', () => {
    expect(problems(boot('scenario=pmm-exhaustion', { memoryBytes: 8 * 2 ** 20 }))).toEqual([]);
  });
});

describe('endings that are not good', () => {
  test('a fault that no region explains: CR2, every bit of the error code in words, RIP with its symbol', () => {
    const { text, stop } = boot('scenario=unexplained-fault');
    expect(stop).toEqual({ kind: 'debug-exit', value: 0x11 });
    expect(text).toContain('CR2        0xffffc01234567890');
    expect(text).toContain('cause      no region contains the address');
    for (const line of ['P    = 0  the page is not present', 'W/R  = 1  a write', 'U/S  = 0  by the supervisor', 'RSVD = 0', 'I/D  = 0']) expect(text).toContain(line);
    expect(text).toMatch(/RIP {8}0x[0-9a-f]+ = scenario_unexplained_fault \+ 0x/);
  });

  test('a stack overflow is a double fault on a stack of its own, and is called by its name', () => {
    const { text, stop } = boot('scenario=stack-overflow');
    expect(stop).toEqual({ kind: 'debug-exit', value: 0x12 });
    expect(text).toContain('#DF double fault');
    expect(text).toContain('the guard page below the kernel stack');
  });

  test('an exception that cannot be delivered ends in a triple fault', () => {
    expect(boot('scenario=triple-fault').stop).toEqual({ kind: 'triple-fault' });
  });
});

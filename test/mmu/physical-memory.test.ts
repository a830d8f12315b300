import { describe, expect, test } from 'vitest';
import { physical } from '../../src/state/addresses.ts';
import { GuestState } from '../../src/state/guest-state.ts';
import { PhysicalMemory, type MmioDevice } from '../../src/mmu/physical-memory.ts';
import { linear } from '../../src/state/addresses.ts';
import { OPEN, PagedGuest } from './guest.ts';

const RAM = 1 << 20;

function memory(): PhysicalMemory {
  return new PhysicalMemory(new GuestState(RAM));
}

/** A device that writes down what is asked of it and reads as its offset. */
function recorder(): MmioDevice & { log: string[] } {
  const log: string[] = [];
  return {
    name: 'recorder',
    log,
    read(offset, bytes) { log.push(`read${bytes} ${offset}`); return 0x1_0000 + offset; },
    write(offset, bytes, value) { log.push(`write${bytes} ${offset} ${value.toString(16)}`); },
  };
}

describe('physical memory', () => {
  test('RAM keeps what is written, little-endian, at any alignment', () => {
    const it = memory();
    it.write(physical(0x1001), 4, 0xdeadbeef);
    expect(it.read(physical(0x1001), 1)).toBe(0xef);
    expect(it.read(physical(0x1003), 2)).toBe(0xdead);
    it.write64(physical(0x1ffd), 0x1122_3344_5566_7788n);
    expect(it.read64(physical(0x1ffd))).toBe(0x1122_3344_5566_7788n);
  });

  test('an address that nobody claims reads all ones, ignores writes and is counted', () => {
    const it = memory();
    expect(it.read(physical(RAM), 1)).toBe(0xff);
    expect(it.read(physical(0xfed0_0000), 4)).toBe(0xffff_ffff);
    it.write(physical(0xff_ffff_f000), 2, 1);
    expect(it.unclaimedAccesses).toBe(3);
    expect(it.read64(physical(RAM))).toBe(0xffff_ffff_ffff_ffffn);
    expect(it.unclaimedAccesses).toBe(5);
  });

  test('an access that straddles the end of RAM is answered byte by byte', () => {
    const it = memory();
    it.write(physical(RAM - 2), 4, 0x4433_2211);
    expect(it.read(physical(RAM - 2), 4)).toBe(0xffff_2211);
    expect(it.unclaimedAccesses).toBe(4);
  });

  test('a device sees offsets from its base, and 8 bytes as two accesses, the low half first', () => {
    const it = memory(), device = recorder();
    it.addMmio(physical(0xfee0_0000), 0x1000, device);
    expect(it.read(physical(0xfee0_0020), 4)).toBe(0x1_0020);
    expect(it.read(physical(0xfee0_0020), 2)).toBe(0x0020);
    it.write64(physical(0xfee0_0300), 0x11_2222_3333n);
    it.write(physical(0xfee0_0001), 1, 0x1ff);
    expect(device.log).toEqual(['read4 32', 'read2 32', 'write4 768 22223333', 'write4 772 11', 'write1 1 ff']);
    expect(it.unclaimedAccesses).toBe(0);
  });

  test('a device lies over RAM, and the RAM is there again when it is removed', () => {
    const it = memory(), device = recorder();
    it.write(physical(0x4000), 4, 7);
    it.addMmio(physical(0x4000), 0x100, device);
    expect(it.read(physical(0x4000), 4)).toBe(0x1_0000);
    it.write(physical(0x4100), 4, 9);
    expect(it.read(physical(0x4100), 4)).toBe(9);
    expect(it.isRamFrame(4)).toBe(false);
    it.removeMmio(physical(0x4000));
    expect(it.read(physical(0x4000), 4)).toBe(7);
  });

  test('overlapping devices and nonsense regions are refused', () => {
    const it = memory();
    it.addMmio(physical(0x10_0000), 0x2000, recorder());
    expect(() => it.addMmio(physical(0x10_1000), 0x1000, recorder())).toThrow(/overlaps recorder/);
    expect(() => it.addMmio(physical(-1), 0x1000, recorder())).toThrow(RangeError);
    expect(() => it.addMmio(physical(0x20_0000), 0, recorder())).toThrow(RangeError);
    expect(() => it.removeMmio(physical(0x30_0000))).toThrow(RangeError);
  });

  test('copying in and out stays within RAM', () => {
    const it = memory();
    it.copyIn(physical(RAM - 3), Uint8Array.of(1, 2, 3));
    expect([...it.copyOut(physical(RAM - 4), 4)]).toEqual([0, 1, 2, 3]);
    expect(() => it.copyIn(physical(RAM - 2), Uint8Array.of(1, 2, 3))).toThrow(RangeError);
    expect(() => it.copyOut(physical(RAM), 1)).toThrow(RangeError);
    expect(() => it.copyOut(physical(-1), 1)).toThrow(RangeError);
    expect(() => it.copyIn(physical(0.5), Uint8Array.of(1))).toThrow(RangeError);
  });
});

describe('stores into decoded code', () => {
  const CODE = 0x20_0000n, FRAME = 0x200;

  /** A guest whose page at CODE is mapped and was written before it was marked. */
  function guest(): { it: PagedGuest; written: number[] } {
    const it = new PagedGuest();
    it.map(CODE, CODE | OPEN);
    it.map(CODE + 0x1000n, (CODE + 0x1000n) | OPEN);
    it.map(0x7000_0000n, CODE | OPEN);
    it.store(CODE, 1n);
    it.store(0x7000_0000n, 1n, 'user');
    const written: number[] = [];
    it.memory.onCodeWritten((frame) => written.push(frame));
    expect(it.memory.markCode(FRAME)).toBe(true);
    return { it, written };
  }

  test('a store is reported once, even when the TLB let stores pass before', () => {
    const { it, written } = guest();
    it.store(CODE + 8n, 2n);
    expect(written).toEqual([FRAME]);
    expect(it.load(CODE + 8n)).toBe(2n);
    it.store(CODE + 16n, 3n);
    it.store(CODE + 24n, 3n);
    expect(written).toEqual([FRAME]);
    it.memory.markCode(FRAME);
    it.store(CODE + 8n, 4n);
    expect(written).toEqual([FRAME, FRAME]);
  });

  test('a store through another linear address, by another privilege, or by a device is reported too', () => {
    const { it, written } = guest();
    it.store(0x7000_0000n, 2n, 'user', 1);
    it.memory.markCode(FRAME);
    it.memory.copyIn(physical(Number(CODE) - 1), Uint8Array.of(1, 2));
    it.memory.markCode(FRAME);
    it.memory.write64(physical(Number(CODE) - 4), 0n);
    expect(written).toEqual([FRAME, FRAME, FRAME]);
  });

  test('a page-crossing store reports each frame that holds code', () => {
    const { it, written } = guest();
    it.memory.markCode(FRAME + 1);
    it.store(CODE + 0xffcn, ~0n & 0xffff_ffff_ffff_ffffn);
    expect(written).toEqual([FRAME, FRAME + 1]);
  });

  test('loads are not reported and do not walk again', () => {
    const { it, written } = guest();
    const { walks } = it.mmu.statistics;
    it.load(CODE);
    it.store(CODE, 5n);
    expect(it.mmu.statistics.walks).toBe(walks);
    expect(written).toEqual([FRAME]);
  });

  test('a frame that is not RAM cannot be marked', () => {
    const { it } = guest();
    it.memory.addMmio(physical(0xb8000), 0x8000, recorder());
    expect(it.memory.markCode(0xb8)).toBe(false);
    expect(it.memory.markCode(0xfee00)).toBe(false);
  });

  test('after a restored snapshot stores are reported for whatever is marked from then on', () => {
    const { it, written } = guest();
    const snapshot = it.state.u8.slice();
    it.store(CODE, 2n);
    it.store(CODE, 3n);
    it.state.u8.set(snapshot);
    it.mmu.stateReplaced();
    it.memory.markCode(FRAME);
    it.store(CODE, 4n);
    expect(written).toEqual([FRAME, FRAME]);
  });
});

describe('linear accesses that cross a page', () => {
  const PAGE = 0x20_0000n;

  function guest(): PagedGuest {
    const it = new PagedGuest();
    it.map(PAGE, 0x30_0000n | OPEN);
    it.map(PAGE + 0x1000n, 0x50_0000n | OPEN);
    return it;
  }

  test('are assembled from both frames', () => {
    const it = guest();
    it.store(PAGE + 0xffdn, 0x1122_3344_5566_7788n);
    expect(it.load(PAGE + 0xffdn)).toBe(0x1122_3344_5566_7788n);
    expect(it.memory.read(physical(0x30_0ffd), 2)).toBe(0x7788);
    expect(it.memory.read(physical(0x50_0000), 4)).toBe(0x2233_4455);
  });

  test('write nothing when the second page faults, and CR2 is the second page\'s first byte', () => {
    const it = guest();
    it.map(PAGE + 0x1000n, 0x50_0000n | 1n);
    it.store(PAGE + 0xff8n, 0n);
    expect(it.faultOf(PAGE + 0x1000n, 'write')).toBe(3);
    expect(() => it.store(PAGE + 0xffen, 0xffff_ffffn, 'supervisor', 4)).toThrow(expect.objectContaining({ address: PAGE + 0x1000n, errorCode: 3 }));
    expect(it.load(PAGE + 0xff8n)).toBe(0n);
  });

  test('fault on the first page first', () => {
    const it = new PagedGuest();
    expect(() => it.load(PAGE + 0xfffn, 'supervisor', 2)).toThrow(expect.objectContaining({ address: PAGE + 0xfffn }));
  });

  test('reach a device when the page maps one, with no tag that would go past it', () => {
    const it = guest(), device = recorder();
    it.memory.addMmio(physical(0xfee0_0000), 0x1000, device);
    it.map(PAGE, 0xfee0_0000n | OPEN);
    it.mmu.invlpg(linear(PAGE));
    it.store(PAGE, 5n, 'supervisor', 4);
    it.store(PAGE, 6n, 'supervisor', 4);
    expect(it.load(PAGE + 0x20n, 'supervisor', 4)).toBe(0x1_0020n);
    expect(device.log).toEqual(['write4 0 5', 'write4 0 6', 'read4 32']);
  });

  test('see a device that is put over RAM that was cached', () => {
    const it = guest(), device = recorder();
    it.load(PAGE);
    it.memory.addMmio(physical(0x30_0000), 0x1000, device);
    it.load(PAGE, 'supervisor', 1);
    expect(device.log).toEqual(['read1 0']);
  });
});

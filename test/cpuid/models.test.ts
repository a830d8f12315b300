/** Models of processors: what `--cpu` says, what CPUID announces, and that nothing beyond it is there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { al, assemble, at, ax, cr0, cr3, cr4, dword, eax, ebx, ecx, esi, esp, far, label, ss, type Assembler } from '../../src/assembler/index.ts';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { MSR, readMsr, writeMsr } from '../../src/cpu/msr.ts';
import { decode, DecodeFailure } from '../../src/cpu/decode/decode.ts';
import { instructionsOf } from '../../src/cpu/decode/lookup.ts';
import { GuestException, VECTOR } from '../../src/cpu/exceptions.ts';
import { FEATURE_NAMES, featurePosition, needsOf, type CpuFeature } from '../../src/cpu/isa/features.ts';
import { MODE_32, MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { CpuModelError, DEFAULT_MODEL, EVERY_FEATURE, MODEL_NAMES, parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { captureState, replaceState } from '../../src/machine/machine-state.ts';
import { ENGINE_NAMES, Machine, type EngineName } from '../../src/machine/machine.ts';
import { CR0, CR4, EFER, XCR0 } from '../../src/mmu/control-bits.ts';
import { PageFault } from '../../src/mmu/page-fault.ts';
import { linear, physical } from '../../src/state/addresses.ts';
import { APIC_BASE } from '../../src/state/apic-base.ts';
import { TLB_BASE } from '../../src/state/layout.ts';
import { qemuCpu } from '../../src/trace/qemu-cpu.ts';
import { formsOf, type Form } from '../support/canonical.ts';
import { Random } from '../support/random.ts';
import { nameOfRow } from '../support/row-name.ts';
import { AT, SystemMachine } from '../support/system-machine.ts';

const CONTEXT = { in64BitMode: true, apicEnabled: true, monitorEnabled: true, osxsave: false, ospke: false, xcr0: 1 };

/** The features that the leaves of CPUID announce. */
function announced(model: CpuModel): CpuFeature[] {
  return FEATURE_NAMES.filter((feature) => {
    const [leaf, register, bit, subleaf = 0] = featurePosition(feature) ?? [];
    if (leaf === undefined || register === undefined || bit === undefined) return false;
    const last = cpuid(model, leaf & 0x8000_0000 ? 0x8000_0000 : 0, 0, CONTEXT).eax;
    return leaf <= (leaf & 0x8000_0000 ? last >>> 0 : last) && ((cpuid(model, leaf, subleaf, CONTEXT)[register] >>> bit) & 1) === 1;
  });
}
const withBit = (features: Iterable<CpuFeature>): CpuFeature[] => FEATURE_NAMES.filter((feature) => new Set(features).has(feature) && featurePosition(feature) !== undefined);

describe('CPUID', () => {
  it.each(MODEL_NAMES)('of %s announces the features of the model and no other', (name) => {
    const model = parseCpuModel(name);
    expect(announced(model)).toEqual(withBit(model.features));
  });
  it('has no two features at one bit, and no bits that no feature has', () => {
    const places = FEATURE_NAMES.flatMap((feature) => { const position = featurePosition(feature); return position ? [position.join(' ')] : []; });
    expect(places.filter((place, n) => places.indexOf(place) !== n)).toEqual([]);
    for (const [leaf, register] of [[1, 'ecx'], [1, 'edx'], [7, 'ebx'], [7, 'ecx'], [7, 'edx'], [0x8000_0001, 'ecx'], [0x8000_0001, 'edx']] as const) {
      const known = FEATURE_NAMES.reduce((mask, feature) => { const [l, r, bit] = featurePosition(feature) ?? []; return l === leaf && r === register && bit !== undefined ? mask | (1 << bit) : mask; }, 0);
      expect(cpuid(EVERY_FEATURE, leaf, 0, CONTEXT)[register] & ~known, `${leaf} ${register}`).toBe(0);
    }
  });
  it('of a model without features of later leaves has only leaf 1, and no extended leaves', () => {
    const model = parseCpuModel('486');
    expect(cpuid(model, 0, 0, CONTEXT).eax).toBe(1);
    expect(cpuid(model, 0x8000_0000, 0, CONTEXT)).toEqual(cpuid(model, 1, 0, CONTEXT));
    expect(cpuid(parseCpuModel('486,+smep'), 0, 0, CONTEXT).eax).toBe(7);
    expect(cpuid(parseCpuModel('486,+3dnowprefetch'), 0x8000_0000, 0, CONTEXT).eax >>> 0).toBe(0x8000_0008);
  });
});

describe('--cpu', () => {
  it('takes features away and adds them', () => {
    expect([...parseCpuModel('pentium,+cmov,-cx8').features].sort()).toEqual([...parseCpuModel('pentium').features, 'cmov'].filter((x) => x !== 'cx8').sort());
    expect(parseCpuModel('max').features).toEqual(new Set(FEATURE_NAMES));
    expect(DEFAULT_MODEL).toEqual(parseCpuModel('x86-64-v3'));
  });
  it('x86-64-v3, the default, has what the last servers of its level have, and nothing that came with AVX-512 and later', () => {
    const { features } = DEFAULT_MODEL;
    const level = ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'syscall', 'sse', 'sse2', 'cx16', 'lahf-lm', 'popcnt', 'sse3', 'sse4.1', 'sse4.2', 'ssse3', 'avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave'];
    const server = ['pcid', 'invpcid', 'fsgsbase', 'smep', 'smap', 'x2apic', 'tsc-deadline', 'rdrand', 'rdseed', 'aes', 'pclmulqdq', 'adx', 'xsaveopt', 'monitor', 'vme'];
    expect(FEATURE_NAMES.filter((feature) => [...level, ...server].includes(feature) && !features.has(feature))).toEqual([]);
    const later = ['clflushopt', 'clwb', 'sha-ni', 'umip', 'pku', 'la57', 'rdpid', 'serialize', 'xsavec', 'xgetbv1', 'xsaves'];
    expect(FEATURE_NAMES.filter((feature) => !features.has(feature))).toEqual(FEATURE_NAMES.filter((feature) => later.includes(feature)));
  });
  it.each([['x86-64-v9', '"x86-64-v9" is no processor model'], ['', '"" is no processor model'], ['max,+avx3', '"avx3" is no feature of a processor'], ['max,sse2', '"sse2" is neither +FEATURE nor -FEATURE'], ['max,', '"" is neither +FEATURE nor -FEATURE']])('says what is wrong with "%s"', (text, message) => {
    expect(() => parseCpuModel(text)).toThrow(message);
  });
  it('takes away with a feature what cannot work without it', () => {
    const gone = (without: string, from: string): string[] => [...parseCpuModel(from).features].filter((x) => !parseCpuModel(`${from},-${without}`).features.has(x)).sort();
    expect(gone('xsave', 'x86-64-v3')).toEqual(['avx', 'avx2', 'f16c', 'fma', 'xsave', 'xsaveopt']);
    expect(gone('sse2', 'x86-64-v2')).toEqual(['sse2', 'sse3', 'sse4.1', 'sse4.2', 'ssse3']);
    expect(gone('msr', 'pentium')).toEqual(['msr']);
    expect(cpuid(parseCpuModel('x86-64-v3,-xsave'), 0xd, 0, CONTEXT)).toEqual({ eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
  it.each([
    ['486,+avx', '486,+avx has avx, which needs xsave, sse, fxsr, mmx, sse2'],
    ['x86-64-v3,-xsave,+fma', 'x86-64-v3,-xsave,+fma has fma, which needs avx, xsave'],
    ['pentium,+x2apic,+syscall', 'pentium,+x2apic,+syscall has syscall, which needs lm, pae'],
  ])('names what "%s" needs', (text, message) => expect(() => parseCpuModel(text)).toThrow(new CpuModelError(message)));
  it('has for every feature what that needs, whatever it is told', () => {
    const random = new Random(0xfea7);
    const told = MODEL_NAMES.flatMap((name) => FEATURE_NAMES.flatMap((feature) => [`${name},-${feature}`, `${name},+${feature}`]));
    for (let n = 0; n < 1000; n++) {
      told.push([random.pick(MODEL_NAMES), ...Array.from({ length: 1 + random.below(6) }, () => `${random.pick(['+', '-'])}${random.pick(FEATURE_NAMES)}`)].join(','));
    }
    let taken = 0;
    for (const text of told) {
      let model: CpuModel;
      try {
        model = parseCpuModel(text);
      } catch (thrown) {
        if (!(thrown instanceof CpuModelError)) throw thrown;
        continue;
      }
      taken++;
      expect([...model.features].filter((feature) => !needsOf(feature).every((need) => model.features.has(need))), text).toEqual([]);
    }
    expect(taken).toBeGreaterThan(500);
  });
  it('a machine is made with it', () => {
    expect(new Machine({ memoryBytes: 1 << 20, cpu: 'pentium' }).state.gpr[2]).toBe(0x543n);
    expect(() => new Machine({ cpu: 'i486' })).toThrow(CpuModelError);
  });
  it('QEMU gets a processor without the features that the model does not have, and without what AMD\'s alone have', () => {
    const words = qemuCpu(parseCpuModel('pentium')).split(',');
    expect(words.slice(0, 5)).toEqual(['max', 'vendor=GenuineIntel', 'family=5', 'model=4', 'stepping=3']);
    expect(words.filter((word) => word.endsWith('=off')).map((word) => word.replace('=off', ''))).toEqual([...withBit(FEATURE_NAMES.filter((f) => !parseCpuModel('pentium').features.has(f))), '3dnow', '3dnowext', 'sse4a', 'svm']);
  });
});

/** Features that are no instructions of their own: modes, registers and devices, which other tests judge. */
const WITHOUT_ROWS: ReadonlySet<CpuFeature> = new Set<CpuFeature>(['de', 'pse', 'pae', 'mce', 'mca', 'apic', 'mtrr', 'pge', 'pat', 'pse36', 'pcid', 'smep', 'nx', 'pdpe1gb', 'lm', 'invtsc', 'umip', 'vme', 'la57', 'x2apic', 'tsc-deadline', 'xgetbv1', 'arch-capabilities']);

/** What a row without its feature still is: a hint, or the instruction whose prefix it then has in vain. */
const FALLS_BACK = new Set(['LZCNT', 'TZCNT']);

/** Where memory operands of the forms lie. */
const OPERANDS = 0x4_0000n;

/** One machine that runs form after form, each from the same state. */
class Prober {
  readonly #machine: SystemMachine;
  readonly #fields: Uint8Array;

  constructor(codeSize: 32 | 64, engine: EngineName, model: CpuModel) {
    const m = new SystemMachine(codeSize, engine, model).gates();
    m.state.cr4 |= CR4.OSFXSR | CR4.OSXMMEXCPT | CR4.FSGSBASE | CR4.PKE | CR4.OSXSAVE;
    m.state.xcr0 = 7;
    m.state.gpr.fill(0n, 0, 4);
    m.state.gpr[6] = OPERANDS;
    this.#machine = m;
    this.#fields = m.state.u8.slice(0, TLB_BASE);
  }

  /** The vector of what the form raises at CPL 0, or undefined. */
  vectorOf(form: Form): number | undefined {
    const { state, cpu, mmu, engine, delivered } = this.#machine;
    state.u8.set(this.#fields);
    mmu.flushAll();
    cpu.stateReplaced();
    this.#machine.program((a) => { a.db(...form.bytes); a.hlt(); });
    engine.forgetEverything();
    delivered.length = 0;
    this.#machine.runFast(2);
    return delivered[0]?.vector;
  }
}

describe('a feature', () => {
  it('that is announced has rows in the table, and those that need none are named', () => {
    const withRows = new Set(ROWS.map((row) => row.feature));
    expect(FEATURE_NAMES.filter((feature) => withRows.has(feature) === WITHOUT_ROWS.has(feature))).toEqual([]);
  });
  const features = FEATURE_NAMES.filter((feature) => ROWS.some((row) => row.feature === feature));
  it.each(features)('%s: its instructions are #UD without it, on every engine, and something else with it', (feature) => {
    const without: CpuModel = { ...EVERY_FEATURE, features: new Set([...EVERY_FEATURE.features].filter((x) => x !== feature)) };
    const wrong: string[] = [];
    const forms = ROWS.filter((row) => row.feature === feature && !FALLS_BACK.has(row.mnemonic)).flatMap(formsOf);
    for (const codeSize of [64, 32] as const) {
      for (const engine of ['reference', 'interpreter', 'translator'] as const) {
        const absent = new Prober(codeSize, engine, without), present = new Prober(codeSize, engine, EVERY_FEATURE);
        // Engines share the decoder, which knows the features: the fast ones show by a form of each mnemonic that they ask it.
        const chosen = forms.filter((x, n) => x.codeSize === codeSize && (engine === 'reference' || forms.findIndex((y) => y.codeSize === codeSize && y.row.mnemonic === x.row.mnemonic) === n));
        for (const form of chosen) {
          const vectors = [absent.vectorOf(form), present.vectorOf(form)];
          if (vectors[0] !== VECTOR.UD || vectors[1] === VECTOR.UD) wrong.push(`${form.row.text} = ${form.row.encodingText} (${codeSize}-bit, ${engine}): ${vectors.join(' without, ')} with`);
        }
      }
    }
    expect(wrong).toEqual([]);
  }, 60_000);
  it.each(MODEL_NAMES)('%s has every row of its features, and no other', (name) => {
    const { features } = parseCpuModel(name), set = instructionsOf(features);
    const forms = ROWS.flatMap(formsOf).filter(({ codeSize }) => codeSize !== 64 || features.has('lm'));
    const wrong = forms.filter(({ row, bytes, codeSize }) => {
      const i = decode(bytes, 0, codeSize === 64 ? MODE_64 : MODE_32, set), there = [row.feature, row.alsoNeeds].every((feature) => feature === undefined || features.has(feature));
      if (there) return i instanceof DecodeFailure || i.row !== row;
      return row.prefixIgnored ? i instanceof DecodeFailure || i.row === row : !(i instanceof DecodeFailure && i.kind === 'invalid');
    });
    expect(wrong.map(({ row, codeSize }) => `${nameOfRow(row)} (${codeSize}-bit)`)).toEqual([]);
    expect(new Set(forms.map(({ row }) => row)).size).toBeGreaterThan(1000);
  });
  const ignored = ROWS.filter((row) => row.prefixIgnored).flatMap((row) => formsOf(row).map((form) => ({ form, feature: row.feature as CpuFeature })));
  it('whose prefix older processors ignore: without it the bytes are the instruction that they are without the prefix', () => {
    expect(ignored.length).toBeGreaterThan(0);
    for (const { form: { bytes, codeSize, row }, feature } of ignored) {
      const mode = codeSize === 64 ? MODE_64 : MODE_32;
      const prefix = Number.parseInt(row.encoding.mandatoryPrefix as string, 16);
      const plain = decode(bytes.filter((_, n) => n !== bytes.indexOf(prefix)), 0, mode) as Instruction;
      const older = instructionsOf(new Set(FEATURE_NAMES.filter((x) => x !== feature)));
      expect(decode(bytes, 0, mode, older)).toMatchObject({ row: plain.row, length: bytes.length });
      expect(plain.row).not.toBe(row);
      expect(decode(bytes, 0, mode)).toMatchObject({ row });
    }
  });
});

/** The models, and `max` without each feature. */
const PROCESSORS = [...MODEL_NAMES, ...FEATURE_NAMES.map((feature) => `max,-${feature}`)];
/** Whether what is done raises #GP. */
function refused(action: () => unknown): boolean {
  try {
    action();
    return false;
  } catch (thrown) {
    if (!(thrown instanceof GuestException) || thrown.vector !== VECTOR.GP) throw thrown;
    return true;
  }
}

/** The feature that a bit of CR4 comes with; those that are not here come with none of ours. SDM Vol. 3A, "Control Registers". */
const OF_CR4 = {
  VME: 'vme', PVI: 'vme', TSD: 'tsc', DE: 'de', PSE: 'pse', PAE: 'pae', MCE: 'mce', PGE: 'pge', PCE: 'family6', OSFXSR: 'fxsr', OSXMMEXCPT: 'sse', UMIP: 'umip', LA57: 'la57',
  FSGSBASE: 'fsgsbase', PCIDE: 'pcid', OSXSAVE: 'xsave', SMEP: 'smep', SMAP: 'smap', PKE: 'pku',
} as const satisfies Partial<Record<keyof typeof CR4, CpuFeature>>;
/** The same of IA32_EFER and of XCR0. */
const OF_EFER = { SCE: 'syscall', LME: 'lm', NXE: 'nx' } as const, OF_XCR0 = { AVX: 'avx', PKRU: 'pku' } as const;

describe.each(PROCESSORS)('registers of %s', (name) => {
  const model = parseCpuModel(name);
  const has = (feature: CpuFeature | undefined): boolean => feature !== undefined && model.features.has(feature);
  const bitsOf = <K extends string>(bits: Readonly<Record<K, number>>, features: Readonly<Partial<Record<K, CpuFeature>>>): readonly (readonly [string, number, boolean])[] =>
    Array.from({ length: 32 }, (_, n) => {
      const bit = 1 << n, key = (Object.keys(bits) as K[]).find((x) => bits[x] === bit);
      return [key ?? `bit ${n}`, bit, key !== undefined && has(features[key])];
    });

  /** The vectors that the instruction at the start of the program raises. */
  const vectorsOf = (m: SystemMachine, arrange: () => void): readonly number[] => {
    m.delivered.length = 0;
    m.state.rip = BigInt(AT.code);
    arrange();
    m.cpu.stateReplaced();
    m.step();
    return m.delivered.map((x) => x.vector);
  };

  it('CR4 has the bits of its features, and no other', () => {
    const machine = (bits: 64 | 32): SystemMachine => new SystemMachine(bits, 'reference', model).gates().program((a) => { a.db(0x0f, 0x22, 0xe0); a.hlt(); });
    const legacy = machine(32);
    for (const [bit, value, there] of bitsOf(CR4, OF_CR4)) {
      // CR4.PCIDE is for IA-32e mode.
      const wide = bit === 'PCIDE' && has('lm'), m = wide ? machine(64) : legacy;
      const vectors = vectorsOf(m, () => {
        m.state.cr4 = wide ? CR4.PAE : 0;
        m.state.gpr[0] = BigInt(m.state.cr4 | (value >>> 0));
      });
      expect([bit, vectors]).toEqual([bit, there ? [] : [VECTOR.GP]]);
    }
  });
  it('IA32_EFER has, too', () => {
    const { cpu } = new SystemMachine(32, 'reference', model);
    for (const [bit, value, there] of bitsOf(EFER, OF_EFER)) {
      cpu.state.efer = 0;
      // LMA is read-only, and ignored where there is LME.
      expect([bit, refused(() => writeMsr(cpu, MSR.EFER, BigInt(value >>> 0)))]).toEqual([bit, bit === 'LMA' ? !has('lm') : !there]);
    }
  });
  if (has('xsave')) it('and XCR0', () => {
    const XSETBV = [0x0f, 0x01, 0xd1], X87_AND_SSE = XCR0.X87 | XCR0.SSE;
    const m = new SystemMachine(32, 'reference', model).gates().program((a) => { a.db(...XSETBV); a.hlt(); }), before = m.state.xcr0;
    for (const [bit, value, there] of bitsOf(XCR0, OF_XCR0)) {
      const vectors = vectorsOf(m, () => {
        m.state.cr4 |= CR4.OSXSAVE;
        m.state.xcr0 = before;
        [m.state.gpr[0], m.state.gpr[1], m.state.gpr[2]] = [BigInt((X87_AND_SSE | value) >>> 0), 0n, 0n];
      });
      expect([bit, vectors]).toEqual([bit, there || (value & X87_AND_SSE) !== 0 ? [] : [VECTOR.GP]]);
    }
  });
  it('model-specific registers are there with their features, as docs/MSRS.md has it', () => {
    const { cpu } = new SystemMachine(32, 'reference', model);
    expect(Object.fromEntries(Object.entries(MSR).map(([register, address]) => [register, !refused(() => readMsr(cpu, address))])))
      .toEqual(Object.fromEntries(Object.keys(MSR).map((register) => [register, MSR_NEEDS.get(register)!.every((any) => any.some(has))])));
  });
});

/** What docs/MSRS.md says: of each register, lists of features, of each of which one is needed. */
const MSR_NEEDS: ReadonlyMap<string, readonly (readonly CpuFeature[])[]> = new Map(
  readFileSync(new URL('../../docs/MSRS.md', import.meta.url), 'utf8').split('\n').filter((line) => line.startsWith('| ')).flatMap((line) => {
    const [, registers, features] = line.split('|') as [string, string, string];
    const needs = features.trim().split(' and ').map((any) => any.split(', ') as CpuFeature[]);
    return (registers.match(/\b[A-Z][A-Z0-9_]+[A-Z0-9]\b/g) ?? []).map((register) => [register, needs] as const);
  }));

describe('without a feature of paging its bits are reserved, and raise #PF that says so', () => {
  const ENTRIES = 0x10_0000, TABLE = 0x10_1000, PRESENT = 1, PS = 0x80, PAT_LARGE = 0x1000, RESERVED_BIT = 9;
  /** The error code of a read at 0 through these entries, or undefined. Paging is 32-bit. */
  function errorCode(cpu: string, cr4: number, pde: number, pte = 0): number | undefined {
    const { state, memory, mmu, cpu: processor } = new Machine({ memoryBytes: 4 << 20, cpu, engine: 'reference' });
    memory.write(physical(ENTRIES), 4, pde >>> 0);
    memory.write(physical(TABLE), 4, pte);
    state.cr3 = BigInt(ENTRIES);
    processor.setMode((CR0.PE | CR0.PG) >>> 0, cr4, 0);
    try {
      mmu.load(linear(0n), 4, 'supervisor', false);
      return undefined;
    } catch (thrown) {
      if (!(thrown instanceof PageFault)) throw thrown;
      return thrown.errorCode;
    }
  }
  it('PSE-36: bits 20:13 of a PDE that maps 4 MiB', () => {
    const pde = PRESENT | PS | (1 << 13);
    expect([errorCode('max,-pse36', CR4.PSE, pde), errorCode('max', CR4.PSE, pde)]).toEqual([RESERVED_BIT, undefined]);
  });
  it('PAT: bit 7 of a PTE and bit 12 of a PDE that maps a page, while CR4.PSE is set', () => {
    const page = 0x20_0000 | PRESENT, table = TABLE | PRESENT;
    const large = PRESENT | PS;
    for (const cpu of ['486', 'max,-pat']) {
      expect([errorCode(cpu, CR4.PSE, table, page | PS), errorCode(cpu, CR4.PSE, large | PAT_LARGE)]).toEqual([RESERVED_BIT, RESERVED_BIT]);
      expect([errorCode(cpu, CR4.PSE, table, page), errorCode(cpu, CR4.PSE, large), errorCode(cpu, 0, table, page | PS)]).toEqual([undefined, undefined, undefined]);
    }
    expect([errorCode('max', CR4.PSE, table, page | PS), errorCode('max', CR4.PSE, large | PAT_LARGE)]).toEqual([undefined, undefined]);
  });
});

describe.each(ENGINE_NAMES)('PAT\'s bit in a PTE, while CR4.PSE is set, on the %s engine', (engine) => {
  const ROOT = 0x10_0000, TABLE = 0x10_1000, CODE = 0x20_0000, PAGE = 0x30_0000, PRESENT = 1, PAT = 0x80, MANY = 3000;
  /** Reads a page many times, and the next one once, by the same instruction. */
  function ending(cpu: string): unknown {
    const m = new Machine({ memoryBytes: 4 << 20, cpu, engine });
    const { bytes } = assemble((a) => {
      a.mov(ebx, ROOT);
      a.mov(eax, CR4.PSE);
      a.mov(cr4, eax);
      a.mov(cr3, ebx);
      a.mov(eax, cr0);
      a.or(eax, CR0.PG >>> 0);
      a.mov(cr0, eax);
      a.mov(ecx, MANY);
      a.mov(esi, PAGE - 0x1000);
      a.label('again');
      a.mov(cr3, ebx);
      a.mov(eax, dword(esi));
      a.dec(ecx);
      a.jnz('again');
      a.cmp(esi, PAGE);
      a.je('done');
      a.mov(esi, PAGE);
      a.mov(ecx, 1);
      a.jmp('again');
      a.label('done');
      a.out(0xf4, al);
    }, { origin: CODE, bits: 32 });
    m.load(bytes, { flat: { loadAddress: CODE, entry: CODE, bits: 32 } });
    m.memory.write(physical(ROOT), 4, TABLE | PRESENT);
    for (let n = 0; n < 1024; n++) m.memory.write(physical(TABLE + 4 * n), 4, (n << 12) | PRESENT | (n << 12 === PAGE ? PAT : 0));
    const stop = m.run({ maxInstructions: 10 * MANY });
    return stop.kind === 'triple-fault' ? m.cpu.faultChain[0] : stop;
  }
  it('is #PF for a reserved bit without PAT, and nothing with it', () => {
    expect(ending('486')).toMatchObject({ vector: VECTOR.PF, errorCode: 9, cr2: BigInt(PAGE) });
    expect(ending('486,+msr,+pat')).toMatchObject({ kind: 'debug-exit' });
  });
});

describe.each(['486', 'max,-apic'])('the machine of %s has no local APIC', (cpu) => {
  const AT = 0xfee0_0030, OPEN_BUS = 0xffff_ffff, APIC_BIT = 1 << 9;
  const machine = (engine: EngineName = 'reference'): Machine => new Machine({ memoryBytes: 4 << 20, cpu, engine });
  it('in memory, as an MSR, or in CPUID', () => {
    const m = machine();
    expect(m.memory.read(physical(AT), 4)).toBe(OPEN_BUS);
    expect(refused(() => readMsr(m.cpu, MSR.APIC_BASE))).toBe(true);
    expect(cpuid(m.cpu.model, 1, 0, { ...CONTEXT, apicEnabled: (m.state.apicBase & APIC_BASE.EN) !== 0n }).edx & APIC_BIT).toBe(0);
    const other = machine();
    replaceState(other, captureState(m));
    expect(other.memory.read(physical(AT), 4)).toBe(OPEN_BUS);
  });
  it.each(ENGINE_NAMES)('and takes the timer\'s interrupts straight from the PIC › %s', (engine) => {
    const m = machine(engine), TICKS = 3, EXIT = 0xf4, CODE = 8, DATA = 0x10, STACK = 0x20_0000;
    const out = (a: Assembler, port: number, value: number): void => { a.mov(al, value); a.out(port, al); };
    const { bytes, symbols } = assemble((a) => {
      a.lgdt(at(label('gdt_pointer')));
      a.lidt(at(label('idt_pointer')));
      a.jmp(far(CODE, 'flat'));
      a.label('flat');
      a.mov(eax, DATA);
      a.mov(ss, ax);
      a.mov(esp, STACK);
      // The PIC: vectors from 20h on, only IRQ 0. Counter 0 of the timer divides by 4096.
      for (const [port, value] of [[0x20, 0x11], [0x21, 0x20], [0x21, 4], [0x21, 1], [0x21, 0xfe], [0x43, 0x34], [0x40, 0], [0x40, 0x10]] as const) out(a, port, value);
      a.sti();
      a.label('wait');
      a.hlt();
      a.cmp(dword('ticks'), TICKS);
      a.jb('wait');
      out(a, EXIT, 1);
      a.label('tick');
      a.inc(dword('ticks'));
      out(a, 0x20, 0x20);
      a.iretd();
      a.align(8);
      a.label('gates');
      a.fill(8 * 0x21);
      a.label('gdt');
      for (const descriptor of [0n, 0x00cf_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn]) a.dq(descriptor);
      a.label('gdt_pointer');
      a.dw(8 * 3 - 1);
      a.dd(label('gdt'));
      a.label('idt_pointer');
      a.dw(8 * 0x21 - 1);
      a.dd(label('gates'));
      a.label('ticks');
      a.dd(0);
    }, { origin: 0x20_0000, bits: 32 });
    m.load(bytes, { flat: { loadAddress: 0x20_0000, entry: 0x20_0000, bits: 32 } });
    const tick = Number(symbols.get('tick')!.linear);
    m.memory.copyIn(physical(Number(symbols.get('gates')!.linear) + 8 * 0x20), Uint8Array.of(tick & 0xff, tick >> 8 & 0xff, CODE, 0, 0, 0x8e, tick >> 16 & 0xff, tick >>> 24));
    expect(m.run({ maxInstructions: 100_000 })).toMatchObject({ kind: 'debug-exit' });
    expect(m.readLinear(symbols.get('ticks')!.linear, 4)).toEqual(Uint8Array.of(TICKS, 0, 0, 0));
  });
});

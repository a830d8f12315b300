/** Models of processors: what `--cpu` says, what CPUID announces, and that nothing beyond it is there. */
import { describe, expect, it } from 'vitest';
import { cpuid } from '../../src/cpu/cpuid.ts';
import { MSR, readMsr } from '../../src/cpu/msr.ts';
import { decode } from '../../src/cpu/decode/decode.ts';
import { instructionsOf } from '../../src/cpu/decode/lookup.ts';
import { GuestException, VECTOR } from '../../src/cpu/exceptions.ts';
import { FEATURE_NAMES, featurePosition, needsOf, type CpuFeature } from '../../src/cpu/isa/features.ts';
import { MODE_32, MODE_64, type Instruction } from '../../src/cpu/isa/instruction.ts';
import { ROWS } from '../../src/cpu/isa/table/index.ts';
import { CpuModelError, DEFAULT_MODEL, EVERY_FEATURE, MODEL_NAMES, parseCpuModel, type CpuModel } from '../../src/cpu/models.ts';
import { Machine, type EngineName } from '../../src/machine/machine.ts';
import { CR4 } from '../../src/mmu/control-bits.ts';
import { TLB_BASE } from '../../src/state/layout.ts';
import { qemuCpu } from '../../src/trace/qemu-cpu.ts';
import { formsOf, type Form } from '../support/canonical.ts';
import { Random } from '../support/random.ts';
import { SystemMachine } from '../support/system-machine.ts';

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
  it('QEMU gets a processor without the features that the model does not have', () => {
    const words = qemuCpu(parseCpuModel('pentium')).split(',');
    expect(words.slice(0, 5)).toEqual(['max', 'vendor=GenuineIntel', 'family=5', 'model=4', 'stepping=3']);
    expect(words.filter((word) => word.endsWith('=off')).map((word) => word.replace('=off', ''))).toEqual(withBit(FEATURE_NAMES.filter((f) => !parseCpuModel('pentium').features.has(f))));
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

describe('registers', () => {
  const old = new SystemMachine(32, 'reference', parseCpuModel('486'));
  it('that come with a feature are #GP without it', () => {
    const addresses = Object.values(MSR);
    const readable = addresses.filter((address) => {
      try {
        readMsr(old.cpu, address);
        return true;
      } catch (thrown) {
        if (!(thrown instanceof GuestException)) throw thrown;
        return false;
      }
    });
    expect(readable).toEqual([]);
    const max = new SystemMachine(64, 'reference', parseCpuModel('max'));
    expect(addresses.every((address) => typeof readMsr(max.cpu, address) === 'bigint')).toBe(true);
  });
  it('bits of CR4 of absent features are reserved', () => {
    for (const [bit, raises] of [[CR4.PSE, false], [CR4.PAE, true], [CR4.PGE, true], [CR4.TSD, true]] as const) {
      const m = new SystemMachine(32, 'reference', parseCpuModel('486')).gates();
      m.state.gpr[0] = BigInt(bit);
      m.state.cr4 = 0;
      m.program((a) => { a.db(0x0f, 0x22, 0xe0); a.hlt(); });
      m.step();
      expect(m.delivered.map((x) => x.vector)).toEqual(raises ? [13] : []);
    }
  });
});

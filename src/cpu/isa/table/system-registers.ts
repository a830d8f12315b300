/** Control and debug registers, model-specific registers, TLB and cache control, identification, time: the lines of the manual. */
import { system } from '../row.ts';
import { CLTS, LMSW, MOV_FROM_CR, MOV_FROM_DR, MOV_TO_CR, MOV_TO_DR, SMSW } from '../system/control-registers.ts';
import { CPUID, INVD, INVLPG, INVPCID, RDFSBASE, RDGSBASE, RDMSR, RDPID, RDPMC, RDTSC, RDTSCP, WBINVD, WRFSBASE, WRGSBASE, WRMSR } from '../system/processor.ts';
import { RDPKRU, WRPKRU } from '../system/protection-keys.ts';
import { RDRAND, RDSEED } from '../system/random.ts';

export const systemRegisters = [
  system(MOV_FROM_CR, { size: 'any' }, [
    ['MOV r32, CRn', '0F 20 /r', { modes: 'legacy' }],
    ['MOV r64, CRn', '0F 20 /r', { modes: '64' }],
  ]),
  system(MOV_TO_CR, { size: 'any' }, [
    ['MOV CRn, r32', '0F 22 /r', { modes: 'legacy' }],
    ['MOV CRn, r64', '0F 22 /r', { modes: '64' }],
  ]),
  system(MOV_FROM_DR, { size: 'any' }, [
    ['MOV r32, DRn', '0F 21 /r', { modes: 'legacy' }],
    ['MOV r64, DRn', '0F 21 /r', { modes: '64' }],
  ]),
  system(MOV_TO_DR, { size: 'any' }, [
    ['MOV DRn, r32', '0F 23 /r', { modes: 'legacy' }],
    ['MOV DRn, r64', '0F 23 /r', { modes: '64' }],
  ]),
  system(LMSW, { size: 'any' }, [['LMSW r/m16', '0F 01 /6']]),
  system(SMSW, {}, [
    ['SMSW r/m16', '0F 01 /4'],
    ['SMSW r32/m16', '0F 01 /4'],
    ['SMSW r64/m16', 'REX.W 0F 01 /4'],
  ]),
  system(CLTS, {}, [['CLTS', '0F 06']]),
  system(INVLPG, {}, [['INVLPG m', '0F 01 /7']]),
  system(INVPCID, { size: 'any', feature: 'invpcid' }, [
    ['INVPCID r32, m128', '66 0F 38 82 /r', { modes: 'legacy' }],
    ['INVPCID r64, m128', '66 0F 38 82 /r', { modes: '64' }],
  ]),
  system(INVD, {}, [['INVD', '0F 08']]),
  system(WBINVD, {}, [['WBINVD', '0F 09']]),
  system(RDMSR, { feature: 'msr' }, [['RDMSR', '0F 32']]),
  system(WRMSR, { feature: 'msr' }, [['WRMSR', '0F 30']]),
  system(RDFSBASE, { modes: '64', feature: 'fsgsbase' }, [['RDFSBASE r32', 'F3 0F AE /0'], ['RDFSBASE r64', 'F3 REX.W 0F AE /0']]),
  system(RDGSBASE, { modes: '64', feature: 'fsgsbase' }, [['RDGSBASE r32', 'F3 0F AE /1'], ['RDGSBASE r64', 'F3 REX.W 0F AE /1']]),
  system(WRFSBASE, { modes: '64', feature: 'fsgsbase' }, [['WRFSBASE r32', 'F3 0F AE /2'], ['WRFSBASE r64', 'F3 REX.W 0F AE /2']]),
  system(WRGSBASE, { modes: '64', feature: 'fsgsbase' }, [['WRGSBASE r32', 'F3 0F AE /3'], ['WRGSBASE r64', 'F3 REX.W 0F AE /3']]),
  system(CPUID, {}, [['CPUID', '0F A2']]),
  system(RDTSC, { feature: 'tsc' }, [['RDTSC', '0F 31']]),
  system(RDTSCP, { feature: 'rdtscp' }, [['RDTSCP', '0F 01 F9']]),
  system(RDPID, { size: 'any', feature: 'rdpid' }, [
    ['RDPID r32', 'F3 0F C7 /7', { modes: 'legacy' }],
    ['RDPID r64', 'F3 0F C7 /7', { modes: '64' }],
  ]),
  system(RDPKRU, { feature: 'pku' }, [['RDPKRU', 'NP 0F 01 EE']]),
  system(WRPKRU, { feature: 'pku' }, [['WRPKRU', 'NP 0F 01 EF']]),
  system(RDRAND, { writes: 'OF SF ZF AF PF CF', feature: 'rdrand' }, [
    ['RDRAND r16', 'NFx 0F C7 /6'],
    ['RDRAND r32', 'NFx 0F C7 /6'],
    ['RDRAND r64', 'NFx REX.W 0F C7 /6'],
  ]),
  system(RDSEED, { writes: 'OF SF ZF AF PF CF', feature: 'rdseed' }, [
    ['RDSEED r16', 'NFx 0F C7 /7'],
    ['RDSEED r32', 'NFx 0F C7 /7'],
    ['RDSEED r64', 'NFx REX.W 0F C7 /7'],
  ]),
  system(RDPMC, { feature: 'family6' }, [['RDPMC', '0F 33']]),
] as const;

/** XCR0 and the XSAVE family: the lines of the manual, which writes `mem` for an area whose size XCR0 decides. */
import { system } from '../row.ts';
import { XGETBV, XRSTOR, XRSTORS, XSAVE, XSAVEC, XSAVEOPT, XSAVES, XSETBV } from '../system/xsave.ts';

export const xsave = [
  system(XGETBV, { feature: 'xsave' }, [['XGETBV', 'NP 0F 01 D0']]),
  system(XSETBV, { feature: 'xsave' }, [['XSETBV', 'NP 0F 01 D1']]),
  system(XSAVE, { feature: 'xsave' }, [['XSAVE m', 'NP 0F AE /4', { size: 'any' }], ['XSAVE64 m', 'NP REX.W 0F AE /4']]),
  system(XRSTOR, { feature: 'xsave' }, [['XRSTOR m', 'NP 0F AE /5', { size: 'any' }], ['XRSTOR64 m', 'NP REX.W 0F AE /5']]),
  system(XSAVEOPT, { feature: 'xsaveopt' }, [['XSAVEOPT m', 'NP 0F AE /6', { size: 'any' }], ['XSAVEOPT64 m', 'NP REX.W 0F AE /6']]),
  system(XSAVEC, { feature: 'xsavec' }, [['XSAVEC m', 'NP 0F C7 /4', { size: 'any' }], ['XSAVEC64 m', 'NP REX.W 0F C7 /4']]),
  system(XSAVES, { feature: 'xsaves' }, [['XSAVES m', 'NP 0F C7 /5', { size: 'any' }], ['XSAVES64 m', 'NP REX.W 0F C7 /5']]),
  system(XRSTORS, { feature: 'xsaves' }, [['XRSTORS m', 'NP 0F C7 /3', { size: 'any' }], ['XRSTORS64 m', 'NP REX.W 0F C7 /3']]),
] as const;

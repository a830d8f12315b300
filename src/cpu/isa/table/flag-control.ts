/** Flag control: the lines of the manual. */
import { instruction } from '../row.ts';
import { CLC, CLD, CMC, LAHF, SAHF, SALC, STC, STD } from '../semantics/flag-control.ts';

export const flagControl = [
  instruction(CLC, { writes: 'CF' }, [
    ['CLC', 'F8'],
  ]),
  instruction(STC, { writes: 'CF' }, [
    ['STC', 'F9'],
  ]),
  instruction(CMC, { reads: 'CF', writes: 'CF' }, [
    ['CMC', 'F5'],
  ]),
  instruction(CLD, { writes: 'DF' }, [
    ['CLD', 'FC'],
  ]),
  instruction(STD, { writes: 'DF' }, [
    ['STD', 'FD'],
  ]),
  instruction(LAHF, { width: 8, reads: 'SF ZF AF PF CF' }, [
    ['LAHF', '9F', { modes: 'legacy' }],
    ['LAHF', '9F', { modes: '64', feature: 'lahf-lm' }],
  ]),
  instruction(SAHF, { width: 8, writes: 'SF ZF AF PF CF' }, [
    ['SAHF', '9E', { modes: 'legacy' }],
    ['SAHF', '9E', { modes: '64', feature: 'lahf-lm' }],
  ]),
  instruction(SALC, { modes: 'legacy', width: 8, reads: 'CF' }, [
    ['SALC', 'D6'],
  ]),
] as const;

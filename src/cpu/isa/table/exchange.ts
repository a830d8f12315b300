/** Exchanges and compare-and-exchange: the lines of the manual. */
import { instruction } from '../row.ts';
import { CMPXCHG, CMPXCHG8B, XADD, XCHG } from '../semantics/exchange.ts';

export const exchange = [
  instruction(XCHG, {}, [
    ['XCHG AX, r16', '90+rw'],
    ['XCHG EAX, r32', '90+rd'],
    ['XCHG RAX, r64', 'REX.W 90+ro'],
  ]),
  instruction(XCHG, { lock: true }, [
    ['XCHG r/m8, r8', '86 /r'],
    ['XCHG r/m16, r16', '87 /r'],
    ['XCHG r/m32, r32', '87 /r'],
    ['XCHG r/m64, r64', 'REX.W 87 /r'],
  ]),
  instruction(XADD, { writes: 'OF SF ZF AF PF CF', lock: true }, [
    ['XADD r/m8, r8', '0F C0 /r'],
    ['XADD r/m16, r16', '0F C1 /r'],
    ['XADD r/m32, r32', '0F C1 /r'],
    ['XADD r/m64, r64', 'REX.W 0F C1 /r'],
  ]),
  instruction(CMPXCHG, { writes: 'OF SF ZF AF PF CF', lock: true }, [
    ['CMPXCHG r/m8, r8', '0F B0 /r'],
    ['CMPXCHG r/m16, r16', '0F B1 /r'],
    ['CMPXCHG r/m32, r32', '0F B1 /r'],
    ['CMPXCHG r/m64, r64', 'REX.W 0F B1 /r'],
  ]),
  instruction(CMPXCHG8B, { writes: 'ZF', lock: true }, [
    ['CMPXCHG8B m64', '0F C7 /1', { size: 'any', modes: 'all', width: 32, feature: 'cx8' }],
    ['CMPXCHG16B m128', 'REX.W 0F C7 /1', { feature: 'cx16' }],
  ]),
] as const;

/** Bit test, bit scan, SETcc: the lines of the manual. */
import { instruction } from '../row.ts';
import { BSF, BSR, BT, BTC, BTR, BTS, CRC32, LZCNT, POPCNT, TZCNT } from '../semantics/bit.ts';
import { SETcc } from '../semantics/conditional.ts';

export const bit = [
  instruction(BT, { writes: 'CF', undefined: 'OF SF AF PF' }, [
    ['BT r/m16, r16', '0F A3 /r'],
    ['BT r/m32, r32', '0F A3 /r'],
    ['BT r/m64, r64', 'REX.W 0F A3 /r'],
    ['BT r/m16, imm8', '0F BA /4 ib'],
    ['BT r/m32, imm8', '0F BA /4 ib'],
    ['BT r/m64, imm8', 'REX.W 0F BA /4 ib'],
  ]),
  instruction(BTS, { writes: 'CF', undefined: 'OF SF AF PF', lock: true }, [
    ['BTS r/m16, r16', '0F AB /r'],
    ['BTS r/m32, r32', '0F AB /r'],
    ['BTS r/m64, r64', 'REX.W 0F AB /r'],
    ['BTS r/m16, imm8', '0F BA /5 ib'],
    ['BTS r/m32, imm8', '0F BA /5 ib'],
    ['BTS r/m64, imm8', 'REX.W 0F BA /5 ib'],
  ]),
  instruction(BTR, { writes: 'CF', undefined: 'OF SF AF PF', lock: true }, [
    ['BTR r/m16, r16', '0F B3 /r'],
    ['BTR r/m32, r32', '0F B3 /r'],
    ['BTR r/m64, r64', 'REX.W 0F B3 /r'],
    ['BTR r/m16, imm8', '0F BA /6 ib'],
    ['BTR r/m32, imm8', '0F BA /6 ib'],
    ['BTR r/m64, imm8', 'REX.W 0F BA /6 ib'],
  ]),
  instruction(BTC, { writes: 'CF', undefined: 'OF SF AF PF', lock: true }, [
    ['BTC r/m16, r16', '0F BB /r'],
    ['BTC r/m32, r32', '0F BB /r'],
    ['BTC r/m64, r64', 'REX.W 0F BB /r'],
    ['BTC r/m16, imm8', '0F BA /7 ib'],
    ['BTC r/m32, imm8', '0F BA /7 ib'],
    ['BTC r/m64, imm8', 'REX.W 0F BA /7 ib'],
  ]),
  instruction(BSF, { writes: 'ZF', undefined: 'OF SF AF PF CF' }, [
    ['BSF r16, r/m16', '0F BC /r'],
    ['BSF r32, r/m32', '0F BC /r'],
    ['BSF r64, r/m64', 'REX.W 0F BC /r'],
  ]),
  instruction(BSR, { writes: 'ZF', undefined: 'OF SF AF PF CF' }, [
    ['BSR r16, r/m16', '0F BD /r'],
    ['BSR r32, r/m32', '0F BD /r'],
    ['BSR r64, r/m64', 'REX.W 0F BD /r'],
  ]),
  instruction(POPCNT, { writes: 'OF SF ZF AF PF CF', feature: 'popcnt' }, [
    ['POPCNT r16, r/m16', 'F3 0F B8 /r'],
    ['POPCNT r32, r/m32', 'F3 0F B8 /r'],
    ['POPCNT r64, r/m64', 'F3 REX.W 0F B8 /r'],
  ]),
  instruction(LZCNT, { writes: 'ZF CF', undefined: 'OF SF AF PF', feature: 'abm', prefixIgnored: true }, [
    ['LZCNT r16, r/m16', 'F3 0F BD /r'],
    ['LZCNT r32, r/m32', 'F3 0F BD /r'],
    ['LZCNT r64, r/m64', 'F3 REX.W 0F BD /r'],
  ]),
  instruction(TZCNT, { writes: 'ZF CF', undefined: 'OF SF AF PF', feature: 'bmi1', prefixIgnored: true }, [
    ['TZCNT r16, r/m16', 'F3 0F BC /r'],
    ['TZCNT r32, r/m32', 'F3 0F BC /r'],
    ['TZCNT r64, r/m64', 'F3 REX.W 0F BC /r'],
  ]),
  instruction(CRC32, { feature: 'sse4.2' }, [
    ['CRC32 r32, r/m8', 'F2 0F 38 F0 /r', { size: 'any' }],
    ['CRC32 r32, r/m16', 'F2 0F 38 F1 /r', { size: 16 }],
    ['CRC32 r32, r/m32', 'F2 0F 38 F1 /r'],
    ['CRC32 r64, r/m8', 'F2 REX.W 0F 38 F0 /r'],
    ['CRC32 r64, r/m64', 'F2 REX.W 0F 38 F1 /r'],
  ]),
  instruction(SETcc, { reads: 'OF SF ZF PF CF' }, [
    ['SETcc r/m8', '0F 90+tttn /r'],
  ]),
] as const;

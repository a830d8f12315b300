/** Every form of a row as bytes: registers and memory in its ModRM, in each mode in which it is valid. */
import { isVectorOrMemory, type Row } from '../../src/cpu/isa/row.ts';
import { encodeRow, type Choice } from './encode-row.ts';

export interface Form { readonly row: Row; readonly codeSize: 32 | 64; readonly memory: boolean; readonly bytes: Uint8Array }

export function formsOf(row: Row): Form[] {
  const forms: Form[] = [];
  const onlyMemory = row.operands.some((x) => x.kind === 'memory');
  const mayBeMemory = onlyMemory || row.operands.some((x) => x.kind === 'register-or-memory' || isVectorOrMemory(x));
  for (const codeSize of [32, 64] as const) {
    if (row.modes !== 'all' && (row.modes === '64') !== (codeSize === 64)) continue;
    if (codeSize === 32 && row.addressSize === 64) continue;
    for (const memory of [false, true]) {
      if (memory ? !mayBeMemory : onlyMemory) continue;
      // Register 3 is no register with a meaning of its own; 3 and 6 are not the same operand.
      const choice: Choice = {
        codeSize, reg: 3, vvvv: 1, condition: 5,
        rm: memory ? { base: 6, displacement: 0x12n, displacementBytes: 1 } : 2,
        immediates: row.encoding.trailing.map(() => 0x12n),
      };
      forms.push({ row, codeSize, memory, bytes: encodeRow(row, choice) });
    }
  }
  return forms;
}

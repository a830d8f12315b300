import { rax } from "../../assembler/index.ts";
import type { KernelWriter } from '../writer.ts';
export function alloc(k: KernelWriter): void {
  const { a } = k;
  k.func('scenario_alloc', [], () => { k.headline('alloc'); a.cmp(rax, rax); k.expect('e', 'hello'); });
  k.func('task_stop', [], () => {});
}

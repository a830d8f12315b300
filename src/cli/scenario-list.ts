/** What `scenario=` on the guest kernel's command line may name, as --help lists it. */
import { SCENARIOS } from '../kernel/index.ts';

export const scenarioList = (): string => SCENARIOS.map((s) => `  ${s.inAll ? '*' : ' '} ${s.name.padEnd(18)}${s.about}`).join('\n');

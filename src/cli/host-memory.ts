/** What the process tells V8 of how it uses memory. */
import { setFlagsFromString } from 'node:v8';

/**
 * Stops V8 from enlarging the young generation further. Translating makes much that dies soon, which V8 answers with up to 134 MB of room for it;
 * the 17 MB or less that loading the guest left behind are as fast (Linux to init: 7.3 s of CPU either way, 50 MB less).
 */
export function keepYoungGeneration(): void { setFlagsFromString('--semi-space-growth-factor=1'); }

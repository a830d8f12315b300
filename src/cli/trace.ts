import type { Command } from './options.ts';
export const traceCommand: Command = { name: 'trace', operands: 'IMAGE', says: '', options: {}, run: async () => 1 };

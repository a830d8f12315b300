/** `longmode debug`: serves the debugger's page, and the image, to a browser on this computer. */
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { readSourceLines } from '../debug/source-lines.ts';
import { bootFromArguments, MACHINE_OPTIONS, machineRequest } from './boot.ts';
import { CommandError } from './exit-status.ts';
import { readInput } from './files.ts';
import { readSources } from './source-files.ts';
import type { Arguments, Command } from './options.ts';
import { PACKAGE_ROOT } from './source-maps.ts';
import { print } from './stdout.ts';

/** The files of the page, which are all that is served but for the image and its modules. */
const FILES: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8', 'page.js': 'text/javascript', 'page.css': 'text/css', 'worker.js': 'text/javascript',
  'kernel.elf': 'application/octet-stream', 'kernel-sources.json': 'application/json',
};
const HEADERS = {
  'Content-Security-Policy': "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Resource-Policy': 'same-origin', 'Cache-Control': 'no-store',
} as const;

interface Served { readonly type: string; readonly bytes: Uint8Array }

/** All that there is to serve, by path. */
function contents(args: Arguments): Map<string, Served> {
  const served = new Map<string, Served>();
  const folder = join(PACKAGE_ROOT, 'dist/page');
  for (const [name, type] of Object.entries(FILES)) served.set(`/${name}`, { type, bytes: readBuilt(join(folder, name)) });
  served.set('/', served.get('/index.html')!);
  const boot = JSON.parse(new TextDecoder().decode(readBuilt(join(folder, 'boot.json')))) as object;
  const [image] = args.operands;
  if (image === undefined) return served.set('/boot.json', json(boot));
  // What cannot be booted is refused here, in a line, and not in the browser.
  bootFromArguments(args);
  const modules = args.all('initrd');
  served.set('/image', { type: 'application/octet-stream', bytes: readInput(image, 'image') });
  modules.forEach((path, n) => served.set(`/module/${n}`, { type: 'application/octet-stream', bytes: readInput(path, '--initrd') }));
  const sources = args.text('source');
  if (sources !== undefined) served.set('/sources.json', json(readSources(sources, readSourceLines(served.get('/image')!.bytes))));
  const description = args.text('description');
  if (description !== undefined) served.set('/description.json', { type: 'application/json', bytes: readDescription(description) });
  return served.set('/boot.json', json({ ...boot, name: basename(image), options: machineRequest(args), modules, ...(sources === undefined ? {} : { sources: 'sources.json' }), ...(description === undefined ? {} : { description: 'description.json' }) }));
}

function readDescription(path: string): Uint8Array {
  const bytes = readInput(path, '--description');
  try {
    JSON.parse(new TextDecoder().decode(bytes));
  } catch (e) {
    throw new CommandError('usage', `--description ${path}: ${(e as Error).message}`);
  }
  return bytes;
}

const json = (value: unknown): Served => ({ type: 'application/json', bytes: new TextEncoder().encode(JSON.stringify(value)) });

function readBuilt(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    throw new CommandError('usage', `debug: ${path} is missing; "npm run build:page" makes it`);
  }
}

/** Answers a request. Only those that name this computer are answered: a name that resolves to it is another site's. */
function answer(request: IncomingMessage, response: ServerResponse, served: ReadonlyMap<string, Served>, port: number): void {
  const refuse = (status: number, why: string): void => { response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain' }).end(`${why}\n`); };
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, ...(port === 80 ? ['127.0.0.1', 'localhost'] : [])];
  if (!hosts.includes(request.headers.host ?? '')) return refuse(403, 'this server is for this computer only');
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, 'GET only');
  const found = served.get((request.url ?? '').split(/[?#]/, 1)[0]!);
  if (found === undefined) return refuse(404, 'there is no such file');
  response.writeHead(200, { ...HEADERS, 'Content-Type': found.type, 'Content-Length': found.bytes.length });
  response.end(request.method === 'HEAD' ? undefined : found.bytes);
}

async function debug(args: Arguments): Promise<number> {
  if (args.operands.length > 1) throw new CommandError('usage', `one IMAGE only; what is ${args.operands[1]}?`);
  if (args.has('max-instructions')) throw new CommandError('usage', 'debug: --max-instructions is for runs without a view; on the page, break on "count N"');
  const served = contents(args);
  const server = createServer();
  const wanted = args.integer('port', 0, 65535) ?? 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error) => reject(new CommandError('usage', `--port ${wanted}: ${error.message}`)));
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  server.on('request', (request, response) => answer(request, response, served, port));
  await print(`http://127.0.0.1:${port}/\n`);
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  server.closeAllConnections();
  server.close();
  return 0;
}

export const debugCommand: Command = {
  name: 'debug',
  operands: '[IMAGE]',
  says: 'Shows IMAGE in the debugger\'s view, a page for a browser on this computer.\n'
    + 'Prints the page\'s address. Without IMAGE the page opens files itself.',
  options: { ...MACHINE_OPTIONS, 'description': { value: 'FILE.json', says: 'what the kernel\'s own memory looks like, instead of what IMAGE says itself (docs/GUEST-DESCRIPTION.md)' }, 'source': { value: 'DIR', says: 'folder of the kernel\'s source: its text is shown beside the instructions (IMAGE needs a line table: compile with -g)' }, 'port': { value: 'N', says: 'listen on this port of 127.0.0.1 (default: one that is free)' } },
  notes: 'The machine runs in the browser; the server only hands out the page and IMAGE. Ctrl-C ends it.',
  run: debug,
};

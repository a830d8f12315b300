/** The package as npm sees it: `npm ci` must work from a clean clone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const read = (name: string): unknown => JSON.parse(readFileSync(join(import.meta.dirname, '../..', name), 'utf8'));

interface Locked { readonly resolved?: string; readonly optionalDependencies?: Record<string, string> }

describe('package-lock.json', () => {
  const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
  it('has an entry for every optional dependency, those of other platforms too: npm ci refuses it otherwise', () => {
    const named = Object.entries(packages).flatMap(([name, entry]) => Object.keys(entry.optionalDependencies ?? {}).map((dependency) => ({ name, dependency })));
    expect(named.filter(({ name, dependency }) => !packages[`node_modules/${dependency}`] && !packages[`${name}/node_modules/${dependency}`])).toEqual([]);
  });
  it('names no registry', () => expect(Object.values(packages).filter((entry) => entry.resolved !== undefined)).toEqual([]));
});

describe('package.json', () => {
  it('has no run-time dependencies', () => expect(Object.keys((read('package.json') as { dependencies?: object }).dependencies ?? {})).toEqual([]));
});

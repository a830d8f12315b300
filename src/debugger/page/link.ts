/** A link to a moment: in the part of the address behind #, which no server sees. */
import type { LinkData } from '../messages.ts';

export function linkText({ fingerprint, at, log }: LinkData): string {
  const parts = new URLSearchParams({ image: fingerprint.toString(16).padStart(8, '0'), at: `${at.retired}.${at.deliveries}.${at.idleTime}` });
  if (Array.isArray((log as { events?: unknown }).events) && (log as { events: unknown[] }).events.length > 0) parts.set('log', btoa(JSON.stringify(log)));
  return `${location.origin}${location.pathname}#${parts.toString()}`;
}

/** What the page's own address asks for. */
export function linkInAddress(): LinkData | undefined {
  const parts = new URLSearchParams(location.hash.slice(1));
  const image = parts.get('image'), at = /^(\d+)\.(\d+)\.(-?\d+)$/.exec(parts.get('at') ?? '');
  if (image === null || !/^[0-9a-f]{8}$/.test(image) || at === null) return undefined;
  const log = parts.get('log');
  return {
    fingerprint: Number.parseInt(image, 16),
    at: { retired: Number(at[1]), deliveries: Number(at[2]), idleTime: Number(at[3]) },
    log: log === null ? { events: [] } : JSON.parse(atob(log)) as unknown,
  };
}

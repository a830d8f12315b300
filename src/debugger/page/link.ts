/** A link to a moment: in the part of the address behind #, which no server sees. */
import type { LinkData, MomentData } from '../messages.ts';

const MOST_BOOKMARKS = 200;
const momentText = ({ retired, deliveries, idleTime }: MomentData): string => `${retired}.${deliveries}.${idleTime}`;
const momentOf = (text: string): MomentData | undefined => {
  const [whole, retired, deliveries, idleTime] = /^(\d+)\.(\d+)\.(-?\d+)$/.exec(text) ?? [];
  return whole === undefined ? undefined : { retired: Number(retired), deliveries: Number(deliveries), idleTime: Number(idleTime) };
};

export function linkText({ fingerprint, at, log }: LinkData, bookmarks: readonly MomentData[]): string {
  const parts = new URLSearchParams({ image: fingerprint.toString(16).padStart(8, '0'), at: momentText(at), ...(bookmarks.length === 0 ? {} : { bookmarks: bookmarks.slice(0, MOST_BOOKMARKS).map(momentText).join(' ') }) });
  if (Array.isArray((log as { events?: unknown }).events) && (log as { events: unknown[] }).events.length > 0) parts.set('log', btoa(JSON.stringify(log)));
  return `${location.origin}${location.pathname}#${parts.toString()}`;
}

/** What the page's own address asks for. */
export function linkInAddress(): (LinkData & { readonly bookmarks: readonly MomentData[] }) | undefined {
  const parts = new URLSearchParams(location.hash.slice(1));
  const image = parts.get('image'), at = momentOf(parts.get('at') ?? '');
  if (image === null || !/^[0-9a-f]{8}$/.test(image) || at === undefined) return undefined;
  const log = parts.get('log');
  return {
    fingerprint: Number.parseInt(image, 16),
    at,
    bookmarks: (parts.get('bookmarks') ?? '').split(' ').slice(0, MOST_BOOKMARKS).flatMap((text) => momentOf(text) ?? []),
    log: log === null ? { events: [] } : JSON.parse(atob(log)) as unknown,
  };
}

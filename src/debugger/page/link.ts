/** A link to a moment: in the part of the address behind #, which no server sees. */
import type { LinkData, MomentData } from '../messages.ts';

const MOST_BOOKMARKS = 200;
const momentText = ({ retired, deliveries, idleTime }: MomentData): string => `${retired}.${deliveries}.${idleTime}`;
const momentOf = (text: string): MomentData | undefined => {
  const [whole, retired, deliveries, idleTime] = /^(\d+)\.(\d+)\.(-?\d+)$/.exec(text) ?? [];
  const moment = { retired: Number(retired), deliveries: Number(deliveries), idleTime: Number(idleTime) };
  return whole === undefined || !Object.values(moment).every(Number.isSafeInteger) ? undefined : moment;
};

export function linkText({ fingerprint, at, log }: LinkData, bookmarks: readonly MomentData[]): string {
  const parts = new URLSearchParams({ image: fingerprint.toString(16).padStart(8, '0'), at: momentText(at), ...(bookmarks.length === 0 ? {} : { bookmarks: bookmarks.slice(0, MOST_BOOKMARKS).map(momentText).join(' ') }) });
  if (Array.isArray((log as { events?: unknown }).events) && (log as { events: unknown[] }).events.length > 0) parts.set('log', btoa(JSON.stringify(log)));
  return `${location.origin}${location.pathname}#${parts.toString()}`;
}

/** A link to a moment, with its bookmarks. */
export interface Link extends LinkData { readonly bookmarks: readonly MomentData[] }

const damaged = (what: string): { readonly problem: string } => ({ problem: `the link in the address is damaged (${what}): the run begins anew` });

/** What the page's own address asks for, or what is wrong with it; undefined: it is no link to a moment. */
export function linkInAddress(): Link | { readonly problem: string } | undefined {
  const parts = new URLSearchParams(location.hash.slice(1));
  const image = parts.get('image'), at = parts.get('at');
  if (image === null && at === null) return undefined;
  if (image === null || !/^[0-9a-f]{8}$/.test(image)) return damaged('image= is not eight hexadecimal digits');
  const moment = momentOf(at ?? '');
  if (moment === undefined) return damaged('at= is not a moment');
  let log: unknown;
  try {
    log = parts.has('log') ? JSON.parse(atob(parts.get('log')!)) : { events: [] };
  } catch {
    return damaged('log= is cut off, or is no log of input');
  }
  return {
    fingerprint: Number.parseInt(image, 16),
    at: moment,
    bookmarks: (parts.get('bookmarks') ?? '').split(' ').slice(0, MOST_BOOKMARKS).flatMap((text) => momentOf(text) ?? []),
    log,
  };
}

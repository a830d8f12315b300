/** A link to a moment: in the part of the address behind #, which no server sees. Its first part is a checksum of the others, so that one which was cut off says so. */
import { crc32 } from '../../machine/crc32.ts';
import type { LinkData, MomentData } from '../messages.ts';

const MOST_BOOKMARKS = 200;
const momentText = ({ retired, deliveries, idleTime }: MomentData): string => `${retired}.${deliveries}.${idleTime}`;
const momentOf = (text: string): MomentData | undefined => {
  const [whole, retired, deliveries, idleTime] = /^(\d+)\.(\d+)\.(-?\d+)$/.exec(text) ?? [];
  const moment = { retired: Number(retired), deliveries: Number(deliveries), idleTime: Number(idleTime) };
  return whole === undefined || !Object.values(moment).every(Number.isSafeInteger) ? undefined : moment;
};

const hex8 = (value: number): string => value.toString(16).padStart(8, '0');
const CHECK = 'check';
/** What is behind the #, with its checksum. */
export const fragmentOf = (parts: URLSearchParams): string => `${CHECK}=${hex8(crc32(new TextEncoder().encode(parts.toString())))}&${parts.toString()}`;

/** What is behind the # in the link to a moment. */
export function linkFragment({ fingerprint, at, log }: LinkData, bookmarks: readonly MomentData[]): string {
  const parts = new URLSearchParams({ image: hex8(fingerprint), at: momentText(at), ...(bookmarks.length === 0 ? {} : { bookmarks: bookmarks.slice(0, MOST_BOOKMARKS).map(momentText).join(' ') }) });
  if (Array.isArray((log as { events?: unknown }).events) && (log as { events: unknown[] }).events.length > 0) parts.set('log', btoa(JSON.stringify(log)));
  return fragmentOf(parts);
}

/** A link to a moment, with its bookmarks. */
export interface Link extends LinkData { readonly bookmarks: readonly MomentData[] }

const damaged = (what: string): { readonly problem: string } => ({ problem: `the link in the address is damaged (${what}): the run begins anew` });

/** What an address asks for with what is behind its #, or what is wrong with that; undefined: it is no link to a moment. */
export function linkIn(fragment: string): Link | { readonly problem: string } | undefined {
  const parts = new URLSearchParams(fragment.replace(/^#/, ''));
  const image = parts.get('image'), at = parts.get('at'), check = parts.get(CHECK);
  if (image === null && at === null && check === null) return undefined;
  parts.delete(CHECK);
  if (`${CHECK}=${check}&${parts.toString()}` !== fragmentOf(parts)) return damaged('its checksum says that a part of it is missing or was changed');
  if (image === null || !/^[0-9a-f]{8}$/.test(image)) return damaged('image= is not eight hexadecimal digits');
  const moment = momentOf(at ?? '');
  if (moment === undefined) return damaged('at= is not a moment');
  let log: unknown;
  try {
    log = parts.has('log') ? JSON.parse(atob(parts.get('log')!)) : { events: [] };
  } catch {
    return damaged('log= is no log of input');
  }
  return {
    fingerprint: Number.parseInt(image, 16),
    at: moment,
    bookmarks: (parts.get('bookmarks') ?? '').split(' ').slice(0, MOST_BOOKMARKS).flatMap((text) => momentOf(text) ?? []),
    log,
  };
}

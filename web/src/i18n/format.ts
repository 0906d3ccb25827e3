// Numbers, shares, sizes and times as people of the chosen language write them.
import { lang } from './language';

const locales = { en: 'en-GB', es: 'es-ES' } as const;
const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

function made<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(key: string, make: (l: string) => T): T {
  const full = `${lang()}:${key}`;
  let found = cache.get(full) as T | undefined;
  if (!found) { found = make(locales[lang()]); cache.set(full, found); }
  return found;
}

/** 98,412 */
export function num(n: number): string {
  return made('n', (l) => new Intl.NumberFormat(l, { useGrouping: true, maximumFractionDigits: 0 })).format(n);
}

/** 98.41 %; never "100 %" for less than all, nor "0 %" for more than nothing. */
export function pct(share: number, digits = 1): string {
  const unit = 10 ** -(digits + 2);
  let shown = share;
  if (share > 0 && share < unit) return `< ${made(`p${digits}`, (l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: digits })).format(unit)}`;
  if (share < 1 && share > 1 - unit / 2) shown = 1 - unit;
  return made(`p${digits}`, (l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: digits })).format(shown);
}

/** 2,140.5 with at most so many digits after the point. */
export function dec(n: number, digits = 1): string {
  return made(`d${digits}`, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(n);
}

/** 4.3 MiB */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  let v = n;
  while (v >= 1024 && i < units.length - 1) { v /= 1024; i += 1; }
  return `${dec(v, i === 0 ? 0 : 1)} ${units[i]}`;
}

/** 51 s, 3 min 20 s, 4 h 05 min, 2 d 3 h */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, '0')} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** The exact moment with its zone, for hovers. Takes microseconds since 1970 UTC. */
export function exact(us: number): string {
  return made('x', (l) => new Intl.DateTimeFormat(l, { dateStyle: 'full', timeStyle: 'long' })).format(new Date(us / 1000));
}

/** How people say when: "just now", "4 min ago", "today 14:02", "Sun 6 Dec 02:14", "6 Dec 2025". */
export function when(us: number, now = Date.now()): string {
  const at = new Date(us / 1000);
  const ago = (now - at.getTime()) / 1000;
  const relative = made('r', (l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto', style: 'short' }));
  if (Math.abs(ago) < 45) return relative.format(0, 'second');
  if (ago > 0 && ago < 3600) return relative.format(-Math.round(ago / 60), 'minute');
  if (ago < 0 && ago > -3600) return relative.format(Math.round(-ago / 60), 'minute');
  const today = new Date(now);
  if (at.toDateString() === today.toDateString()) return clock(us);
  if (Math.abs(ago) < 300 * 86400) {
    return made('w', (l) => new Intl.DateTimeFormat(l, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' })).format(at);
  }
  return date(us);
}

/** 14:02 */
export function clock(us: number): string {
  return made('c', (l) => new Intl.DateTimeFormat(l, { hour: '2-digit', minute: '2-digit' })).format(new Date(us / 1000));
}

/** 14:02:33 */
export function clockSeconds(us: number): string {
  return made('cs', (l) => new Intl.DateTimeFormat(l, { hour: '2-digit', minute: '2-digit', second: '2-digit' })).format(new Date(us / 1000));
}

/** 6 Dec 2026 */
export function date(us: number): string {
  return made('dt', (l) => new Intl.DateTimeFormat(l, { day: 'numeric', month: 'short', year: 'numeric' })).format(new Date(us / 1000));
}

/** Makes what the first page will need, piece by piece, to be done while nothing else is: the browser's tables of a language
 *  are slow to open. */
export const warmUps: readonly (() => void)[] = [
  () => num(0),
  () => pct(0.5),
  () => when((Date.now() - 60_000) * 1000),
  () => when((Date.now() - 90 * 86_400_000) * 1000),
  () => date(Date.now() * 1000),
];

/** The first eight of a long id, for people. */
export function short(id: string, keep = 8): string {
  return id.length > keep + 2 ? (/^[0-9a-f]{8}-/.test(id) ? id.slice(-keep) : id.slice(0, keep)) : id;
}

// Days as people type them ("wed 9 dec", "+3", "tomorrow") and as the API says them ("2026-12-09"). Days have no
// zone: everything here counts in UTC so that no clock change can move one.

const DAY = 86_400_000;

export const isDay = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

export const dayNumber = (day: string) => Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY);

export const fromNumber = (number: number) => new Date(number * DAY).toISOString().slice(0, 10);

export const addDays = (day: string, days: number) => fromNumber(dayNumber(day) + days);

/** 1 is Monday, 7 is Sunday. */
export const weekday = (day: string) => ((dayNumber(day) + 3) % 7 + 7) % 7 + 1;

export function today(now: Date = new Date()): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${pad(now.getMonth() + 1)}-${pad(now.getDate())}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

export function sayDay(day: string, locale: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${locale}${JSON.stringify(options)}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(locale, { ...options, timeZone: 'UTC' });
    formats.set(key, format);
  }
  return format.format(new Date(dayNumber(day) * DAY));
}

/** A day for a cell: the weekday, the day, the month, and the year when it is not this one. */
export function shortDay(day: string, locale: string, now: string): string {
  const year = day.slice(0, 4) === now.slice(0, 4) ? undefined : ('numeric' as const);
  return sayDay(day, locale, { weekday: 'short', day: 'numeric', month: 'short', year }).replaceAll(',', '');
}

interface Names {
  months: Map<string, number>;
  days: Map<string, number>;
}

const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').replace(/\.$/, '').toLowerCase();

function namesOf(locale: string): Names {
  const months = new Map<string, number>();
  const days = new Map<string, number>();
  for (const language of [locale, 'en']) {
    for (let month = 1; month <= 12; month += 1) {
      const day = `2026-${String(month).padStart(2, '0')}-01`;
      months.set(plain(sayDay(day, language, { month: 'short' })), month);
      months.set(plain(sayDay(day, language, { month: 'long' })), month);
    }
    for (let index = 0; index < 7; index += 1) {
      const day = addDays('2026-11-23', index);
      days.set(plain(sayDay(day, language, { weekday: 'short' })), index + 1);
      days.set(plain(sayDay(day, language, { weekday: 'long' })), index + 1);
    }
  }
  return { months, days };
}

const WORDS: Record<string, number> = { today: 0, hoy: 0, tomorrow: 1, manana: 1, yesterday: -1, ayer: -1 };

function build(year: number, month: number, day: number): string | null {
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  return isDay(text) && fromNumber(dayNumber(text)) === text ? text : null;
}

/** Whether this language writes the day before the month. */
function dayFirst(locale: string): boolean {
  const parts = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'numeric' }).formatToParts(new Date(0));
  return parts.findIndex((part) => part.type === 'day') < parts.findIndex((part) => part.type === 'month');
}

/** The day that somebody typed, or nothing. A weekday alone is the next such day; a date without a year is the
 *  nearest one that has not been gone for half a year. */
export function readDay(text: string, locale: string, now: string): string | null {
  const typed = plain(text.trim());
  if (isDay(typed)) return build(Number(typed.slice(0, 4)), Number(typed.slice(5, 7)), Number(typed.slice(8)));
  const word = WORDS[typed];
  if (word !== undefined) return addDays(now, word);
  const ahead = /^\+(\d{1,4})\s*([dw]?)$/.exec(typed);
  if (ahead) return addDays(now, Number(ahead[1]) * (ahead[2] === 'w' ? 7 : 1));
  const slashes = /^(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?$/.exec(typed);
  if (slashes) {
    const pair = [Number(slashes[1]), Number(slashes[2])] as const;
    const [day, month] = dayFirst(locale) ? pair : [pair[1], pair[0]];
    return slashes[3] ? build(Number(slashes[3]), month, day) : nearest(month, day, now);
  }
  return readWords(typed, locale, now);
}

function readWords(typed: string, locale: string, now: string): string | null {
  const names = namesOf(locale);
  let day: number | null = null;
  let month: number | null = null;
  let year: number | null = null;
  let name: number | null = null;
  for (const raw of typed.split(/[\s,]+/)) {
    const part = plain(raw);
    if (part === 'de' || part === 'of' || part === '') continue;
    if (/^\d{4}$/.test(part)) year = Number(part);
    else if (/^\d{1,2}(st|nd|rd|th)?$/.test(part)) day = Number.parseInt(part, 10);
    else if (names.months.has(part) && month === null && !(names.days.has(part) && day === null)) month = names.months.get(part) as number;
    else if (names.days.has(part)) name = names.days.get(part) as number;
    else return null;
  }
  if (day !== null && month !== null) return year ? build(year, month, day) : nearest(month, day, now);
  if (day === null && month === null && name !== null) {
    const ahead = (name - weekday(now) + 7) % 7;
    return addDays(now, ahead === 0 ? 7 : ahead);
  }
  return null;
}

function nearest(month: number, day: number, now: string): string | null {
  const year = Number(now.slice(0, 4));
  const here = build(year, month, day);
  if (here && dayNumber(here) < dayNumber(now) - 182) return build(year + 1, month, day);
  return here ?? build(year + 1, month, day);
}

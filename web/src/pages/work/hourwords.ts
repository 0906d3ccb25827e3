// Windows and weekdays in words.
import { addDays, sayDay } from '@/grid/dates';
import { useMessages } from '@/i18n';
import { hours as en } from '@/messages/hours.en';
import { DAYS, lengthOf, type DayName, type WindowHours } from './hours';
import { useLocale } from './parts';

// A Monday; the weekday's name alone is said.
const MONDAY = '2026-11-23';

/** The words of the page, with names of days and sentences about windows. */
export function useHourWords() {
  const t = useMessages(en);
  const locale = useLocale();
  const dayName = (day: string, form: 'long' | 'short' = 'long') => sayDay(addDays(MONDAY, Math.max(0, DAYS.indexOf(day as DayName))), locale, { weekday: form });
  const days = (names: readonly string[]) => {
    const sorted = DAYS.filter((d) => names.includes(d));
    if (sorted.length === 7) return t.everyDay;
    return new Intl.ListFormat(locale, { type: 'conjunction' }).format(sorted.map((d) => dayName(d)));
  };
  const time = (w: WindowHours) => {
    if (lengthOf(w) === 1440 && w.from === '00:00') return t.atAnyTime;
    const to = w.to === '24:00' ? '00:00' : w.to;
    return t.fromTo(w.from, to <= w.from && to !== '00:00' ? t.nextDay(to) : to);
  };
  const lower = (text: string) => text.charAt(0).toLocaleLowerCase(locale) + text.slice(1);
  const capital = (text: string) => text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
  return { t, locale, dayName, days, time, lower, say: (w: WindowHours) => `${capital(days(w.days))}, ${time(w)}` };
}

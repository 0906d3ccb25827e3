// Hours of the week: how much a move in them would disturb, and which of them a window covers. Monday 0 h is the first
// of 168.
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type DayName = (typeof DAYS)[number];
export interface WindowHours { days: string[]; from: string; to: string; zone: string }

/** How much an hour disturbs, 0 to 1: the load as a share of the busiest hour, and in hours of work more, the more of
 *  what moves is about people. As the server weighs its proposals. */
export function weigh(load: number, hour: number, sensitive: number): number {
  const atWork = hour / 24 < 5 && hour % 24 >= 8 && hour % 24 < 19;
  const more = atWork ? Math.min(1, Math.max(0, sensitive)) * 0.5 : 0;
  return Math.min(1, Math.max(0, load + more * (1 - load)));
}

export interface Cell { hour: number; load: number; weight: number }

/** Every hour of the week, or nothing where the load is not known. */
export function cells(load: readonly number[] | null, sensitive: number): Cell[] | null {
  if (!load || load.length !== 168) return null;
  const busiest = Math.max(...load);
  if (!(busiest > 0)) return null;
  return load.map((one, hour) => ({ hour, load: one / busiest, weight: weigh(one / busiest, hour, sensitive) }));
}

const minutes = (text: string) => { const [h = 0, m = 0] = text.split(':').map(Number); return h * 60 + m; };

/** How many minutes a window is open from each of its days on; equal times are a whole day. */
export function lengthOf(window: WindowHours): number {
  return (minutes(window.to) - minutes(window.from) + 1440) % 1440 || 1440;
}

/** The hours of the week that a window touches. */
export function covered(window: WindowHours): Set<number> {
  const week = 7 * 1440;
  const found = new Set<number>();
  for (const name of window.days) {
    const day = DAYS.indexOf(name as DayName);
    if (day < 0) continue;
    const start = day * 1440 + minutes(window.from);
    for (let at = Math.floor(start / 60) * 60; at < start + lengthOf(window); at += 60) found.add((at % week) / 60);
  }
  return found;
}

/** A window as the plan's file has it: what ends with the day it began on ends at 24:00. */
export function written(window: WindowHours): WindowHours {
  return { ...window, to: window.to === '00:00' && window.from === '00:00' ? '24:00' : window.to };
}

/** Whether two windows are the same hours. */
export function same(a: WindowHours, b: WindowHours): boolean {
  const [x, y] = [covered(a), covered(b)];
  return a.zone === b.zone && minutes(a.from) === minutes(b.from) && lengthOf(a) === lengthOf(b) && x.size === y.size && [...x].every((hour) => y.has(hour));
}

/** The mean of what these hours weigh, and of their load. */
export function meanOf(all: readonly Cell[], window: WindowHours): { load: number; weight: number } {
  const inside = all.filter((cell) => covered(window).has(cell.hour));
  const mean = (of: (cell: Cell) => number) => inside.reduce((sum, cell) => sum + of(cell), 0) / Math.max(1, inside.length);
  return { load: mean((c) => c.load), weight: mean((c) => c.weight) };
}

/** Days off of the week and of the calendar: one's own, else one's organisation's, else everybody's. */
export interface Days { id: string; days: string[]; holidays: string[] }
export const EVERYBODY = 'everybody';
export const USUAL: readonly string[] = DAYS.slice(0, 5);

export function daysOf(all: readonly Days[], id: string, organisation: string | null): { days: readonly string[]; holidays: readonly string[]; from: string | null } {
  for (const one of [id, organisation, EVERYBODY]) {
    const found = one ? all.find((d) => d.id === one) : undefined;
    if (found) return { days: found.days, holidays: found.holidays, from: found.id };
  }
  return { days: USUAL, holidays: [], from: null };
}

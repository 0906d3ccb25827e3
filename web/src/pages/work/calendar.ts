// Where things lie in a calendar: weeks of days, and bars that span days in lanes that do not overlap.
import { addDays, dayNumber, fromNumber, today, weekday } from '@/grid/dates';

export interface Bar<T> {
  item: T;
  /** Column of the week, 0 to 6. */
  from: number;
  /** Last column, included. */
  to: number;
  lane: number;
  /** Whether it began before this week, or goes on after it. */
  before: boolean;
  after: boolean;
}

export interface Dated<T> {
  item: T;
  start: string;
  end: string;
}

/** The days that a month's page shows: whole weeks, Monday first. */
export function monthDays(month: string): string[] {
  const first = `${month.slice(0, 7)}-01`;
  const start = addDays(first, 1 - weekday(first));
  const next = nextMonth(first, 1);
  const weeks = Math.ceil((dayNumber(next) - dayNumber(start)) / 7);
  return Array.from({ length: weeks * 7 }, (_, at) => addDays(start, at));
}

export function weekDays(day: string): string[] {
  const start = addDays(day, 1 - weekday(day));
  return Array.from({ length: 7 }, (_, at) => addDays(start, at));
}

/** The first day of the month so many months on. */
export function nextMonth(day: string, by: number): string {
  const months = Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1 + by;
  return `${String(Math.floor(months / 12)).padStart(4, '0')}-${String((months % 12) + 1).padStart(2, '0')}-01`;
}

/** Bars of one week: the earlier and longer ones first, each in the first lane that is free. */
export function layWeek<T>(dated: Dated<T>[], weekStart: string): Bar<T>[] {
  const first = dayNumber(weekStart);
  const inside = dated
    .map((one) => ({ ...one, a: dayNumber(one.start) - first, b: Math.max(dayNumber(one.end), dayNumber(one.start)) - first }))
    .filter((one) => one.a <= 6 && one.b >= 0)
    .sort((x, y) => x.a - y.a || y.b - y.a - (x.b - x.a));
  const ends: number[] = [];
  return inside.map((one) => {
    const from = Math.max(0, one.a);
    const to = Math.min(6, one.b);
    let lane = ends.findIndex((end) => end < from);
    if (lane < 0) lane = ends.length;
    ends[lane] = to;
    return { item: one.item, from, to, lane, before: one.a < 0, after: one.b > 6 };
  });
}

/** Moves a task's days so that the day it was held by lands on `to`. Days without one stay so. */
export function rescheduled(task: { start: string | null; deadline: string | null }, heldAt: string, to: string): { start?: string; deadline?: string } {
  const by = dayNumber(to) - dayNumber(heldAt);
  const moved: { start?: string; deadline?: string } = {};
  if (by === 0) return moved;
  if (task.start) moved.start = fromNumber(dayNumber(task.start) + by);
  if (task.deadline) moved.deadline = fromNumber(dayNumber(task.deadline) + by);
  return moved;
}

/** The days, as the reader's clock has them, on which any of these stretches (microseconds) lies. */
export function daysIn(spans: { from: number; to: number }[], days: string[]): Set<string> {
  const local = (us: number) => today(new Date(us / 1000));
  // A stretch that ends at midnight does not touch the day that begins there.
  return new Set(days.filter((day) => spans.some((span) => day >= local(span.from) && day <= local(span.to - 1))));
}

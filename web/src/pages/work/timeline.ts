// The timeline's arithmetic: from days to places, and how the line from one task to the next runs.
import { addDays, dayNumber, weekday } from '@/grid/dates';
import { nextMonth } from './calendar';
import type { TimelineTask } from './types';

export const ZOOM = { day: 32, week: 12, month: 4 } as const;
export type Zoom = keyof typeof ZOOM;

export interface Scale {
  first: string;
  last: string;
  /** Width of a day. */
  day: number;
  width: number;
  x: (day: string) => number;
}

/** From a little before the first day that matters to a little after the last, and at least as wide as the room. */
export function scaleOf(days: (string | null)[], zoom: Zoom, room = 0): Scale {
  const known = days.filter((day): day is string => day !== null).sort();
  const margin = zoom === 'day' ? 3 : zoom === 'week' ? 7 : 14;
  const first = addDays(known[0] as string, -margin);
  const start = dayNumber(first);
  const day = ZOOM[zoom];
  const end = addDays(known[known.length - 1] as string, margin + 7);
  const filled = addDays(first, Math.ceil(room / day) - 1);
  const last = end > filled ? end : filled;
  return { first, last, day, width: (dayNumber(last) - start + 1) * day, x: (one) => (dayNumber(one) - start) * day };
}

/** Where the head of the chart is marked: days, Mondays or months. */
export function ticks(scale: Scale, zoom: Zoom): string[] {
  const found: string[] = [];
  if (zoom === 'month') {
    for (let day = nextMonth(scale.first, 0); day <= scale.last; day = nextMonth(day, 1)) if (day >= scale.first) found.push(day);
    return found;
  }
  const step = zoom === 'day' ? 1 : 7;
  let day = zoom === 'day' ? scale.first : addDays(scale.first, (8 - weekday(scale.first)) % 7);
  for (; day <= scale.last; day = addDays(day, step)) found.push(day);
  return found;
}

/** A line from the end of one bar to the start of another, with room to turn. */
export function linkPath(x1: number, y1: number, x2: number, y2: number): string {
  const out = x1 + 6;
  if (x2 >= out + 6) return `M${x1} ${y1}H${out}V${y2}H${x2 - 1}`;
  const between = y2 > y1 ? y2 - 13 : y2 + 13;
  return `M${x1} ${y1}H${out}V${between}H${x2 - 8}V${y2}H${x2 - 1}`;
}

export interface Line {
  task: TimelineTask;
  depth: number;
}

/** Parents before their parts; the order of the server among equals. A task whose parent is not there stands alone. */
export function outline(tasks: TimelineTask[]): Line[] {
  const ids = new Set(tasks.map((task) => task.id));
  const parts = new Map<string | null, TimelineTask[]>();
  for (const task of tasks) {
    const parent = task.parent !== null && ids.has(task.parent) && task.parent !== task.id ? task.parent : null;
    parts.set(parent, [...(parts.get(parent) ?? []), task]);
  }
  const lines: Line[] = [];
  const placed = new Set<string>();
  const walk = (parent: string | null, depth: number) => {
    for (const task of parts.get(parent) ?? []) {
      if (placed.has(task.id)) continue;
      placed.add(task.id);
      lines.push({ task, depth });
      walk(task.id, depth + 1);
    }
  };
  walk(null, 0);
  // A circle of parents has no top; its tasks are shown all the same.
  for (const task of tasks) if (!placed.has(task.id)) lines.push({ task, depth: 0 });
  return lines;
}

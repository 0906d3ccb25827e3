// How a person has arranged Work: what a saved view keeps, and what this browser remembers between visits.
import type { Sort } from '@/grid/types';
import { NO_FILTER, type Filter } from './filter';
import type { View } from './types';

export interface Settings {
  filter: Filter;
  sort: Sort[];
  group: string | null;
  /** Columns in their order; those it does not name come after. */
  order: string[];
  hidden: string[];
  widths: Record<string, number>;
  frozen: number;
  /** What the board's columns are. */
  boardBy: string;
  calendar: 'month' | 'week' | 'agenda';
  zoom: 'day' | 'week' | 'month';
}

export const HIDDEN = ['priority', 'start', 'labels', 'step', 'progress', 'finish', 'slack', 'accountable', 'comments', 'updated_at', 'table'];

export const SETTINGS: Settings = {
  filter: NO_FILTER,
  sort: [],
  group: null,
  order: [],
  hidden: HIDDEN,
  widths: {},
  frozen: 2,
  boardBy: 'status',
  calendar: 'month',
  zoom: 'week',
};

const KEY = 'dunlin.work';

/** Takes what fits from something kept earlier, maybe by an older version. */
export function settingsFrom(kept: unknown): Settings {
  if (typeof kept !== 'object' || kept === null) return SETTINGS;
  const found = kept as Partial<Settings>;
  const filter = found.filter && Array.isArray(found.filter.tests) ? { q: String(found.filter.q ?? ''), tests: found.filter.tests } : NO_FILTER;
  return {
    ...SETTINGS,
    ...found,
    filter,
    sort: Array.isArray(found.sort) ? found.sort : [],
    order: Array.isArray(found.order) ? found.order : [],
    hidden: Array.isArray(found.hidden) ? found.hidden : HIDDEN,
    widths: typeof found.widths === 'object' && found.widths !== null ? found.widths : {},
  };
}

export interface Kept {
  view: string | null;
  settings: Settings;
}

export function readKept(): Kept {
  try {
    const text = localStorage.getItem(KEY);
    if (text) {
      const kept = JSON.parse(text) as Partial<Kept>;
      return { view: kept.view ?? null, settings: settingsFrom(kept.settings) };
    }
  } catch {
    // Storage may be closed to us: the defaults stand.
  }
  return { view: null, settings: SETTINGS };
}

export function keep(kept: Kept): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // It holds for this visit.
  }
}

/** Whether somebody changed a view since it was opened. */
export const differs = (settings: Settings, view: View) => JSON.stringify(settingsFrom(view.settings)) !== JSON.stringify(settings);

export const sortText = (sort: Sort[]) => (sort.length > 0 ? sort.map(({ field, down }) => (down ? `-${field}` : field)).join(',') : undefined);

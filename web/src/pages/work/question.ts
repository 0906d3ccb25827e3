// The question behind the rows of Work, as an address: the grid's first rows are asked for before its code is here, and
// then both must say the same.
import { PAGE } from '@/grid/page';
import { filterJson } from './filter';
import { readKept, sortText, type Settings } from './settings';

/** Words of an address; those without a value are left out. */
export function query(words: Record<string, string | number | undefined | null>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(words)) if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Which rows the grid shows, and in which order. */
export function rowsAsked(settings: Settings): { q?: string; filter?: string; sort?: string; group?: string } {
  return { q: settings.filter.q.trim() || undefined, filter: filterJson(settings.filter), sort: sortText(settings.sort), group: settings.group ?? undefined };
}

/** What the grid asks first, as this browser has it arranged. */
export function firstQuestions(): string[] {
  const rows = `tasks${query({ ...rowsAsked(readKept().settings), offset: 0, limit: PAGE })}`;
  return ['/api/v1/people', ...[rows, 'fields', 'views'].map((path) => `/api/v1/work/${path}`)];
}

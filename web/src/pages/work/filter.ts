// One filter for all the views: what the bar shows as chips, as JSON for the server, and the same rule in the
// browser for the views whose endpoint takes none (calendar, timeline).
import type { Task } from './types';

export type Test =
  | { field: string; is: (string | null)[] }
  | { field: string; has: string[] }
  | { field: string; before: string }
  | { field: string; after: string }
  | { field: string; contains: string };

export interface Filter {
  q: string;
  tests: Test[];
}

export const NO_FILTER: Filter = { q: '', tests: [] };

export function filterJson(filter: Filter, more: Test[] = []): string | undefined {
  const all = [...filter.tests, ...more];
  return all.length > 0 ? JSON.stringify({ all }) : undefined;
}

/** A task's value for a field; custom fields by their id. */
export function valueOf(task: Task, field: string): unknown {
  if (field === 'table') return task.binding?.table ?? null;
  if (field === 'step') return task.binding?.step ?? null;
  if (field in task) return (task as unknown as Record<string, unknown>)[field];
  return task.fields[field] ?? null;
}

export function passes(task: Task, filter: Filter): boolean {
  const words = filter.q.trim().toLowerCase();
  if (words !== '' && !`${task.title} ${task.description} T-${task.number}`.toLowerCase().includes(words)) return false;
  return filter.tests.every((test) => {
    const value = valueOf(task, test.field);
    if ('is' in test) return test.is.some((wanted) => (Array.isArray(value) ? value.includes(wanted) : (value ?? null) === wanted));
    if ('has' in test) return Array.isArray(value) && test.has.every((wanted) => value.includes(wanted));
    if ('before' in test) return typeof value === 'string' && value < test.before;
    if ('after' in test) return typeof value === 'string' && value > test.after;
    return String(value ?? '').toLowerCase().includes(test.contains.toLowerCase());
  });
}

/** Replaces the test of the same field and kind, so that one chip stands for one question. */
export function withTest(filter: Filter, test: Test): Filter {
  const shape = kindOf(test);
  const rest = filter.tests.filter((other) => other.field !== test.field || kindOf(other) !== shape);
  const empty = ('is' in test && test.is.length === 0) || ('has' in test && test.has.length === 0) || ('contains' in test && test.contains === '');
  return { ...filter, tests: empty ? rest : [...rest, test] };
}

export const withoutTest = (filter: Filter, index: number): Filter => ({ ...filter, tests: filter.tests.filter((_, at) => at !== index) });

export function kindOf(test: Test): 'is' | 'has' | 'before' | 'after' | 'contains' {
  if ('is' in test) return 'is';
  if ('has' in test) return 'has';
  if ('before' in test) return 'before';
  return 'after' in test ? 'after' : 'contains';
}

export const sameFilter = (a: Filter, b: Filter) => JSON.stringify(a) === JSON.stringify(b);

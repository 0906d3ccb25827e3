// One filter for all the views: what the bar shows as chips, as JSON for the server, whose rule alone decides.
import type { Task } from './types';

export type Test =
  | { field: string; is: (string | null)[] }
  | { field: string; has: string[] }
  | { field: string; before: string }
  | { field: string; after: string }
  | { field: string; contains: string };

/** Tests that only the pages themselves ask, never a chip. */
export type Deep = { field: string; at_least: string } | { field: string; at_most: string } | { all: Deep[] } | { any: Deep[] };

export interface Filter {
  q: string;
  tests: Test[];
}

export const NO_FILTER: Filter = { q: '', tests: [] };

export function filterJson(filter: Filter, more: (Test | Deep)[] = []): string | undefined {
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

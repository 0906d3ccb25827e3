// Rows that wait for the same reason in the same column are one mistake, whatever the shapes of their values: what a
// person understands at once and decides on at once.
import type { Plan, QuarantineGroup, QuarantineTask, SchemaColumn } from '@/api/types';
import { mapping } from '@/pages/plan/mapping';
import { columnSteps, draftOf, type Step } from '@/pages/plan/steps';

export interface Mistake { key: string; table: string; reason: string; column: string | null; rows: number; groups: QuarantineGroup[]; tasks: QuarantineTask[] }

/** The mistakes behind the groups, the one with the most rows first. */
export function mistakes(groups: readonly QuarantineGroup[]): Mistake[] {
  const all = new Map<string, Mistake>();
  for (const group of groups) {
    const key = [group.table, group.reason, group.column ?? ''].join('|');
    const known = all.get(key) ?? { key, table: group.table, reason: group.reason, column: group.column, rows: 0, groups: [], tasks: [] };
    known.rows += group.rows;
    known.groups.push(group);
    if (group.task) known.tasks.push(group.task);
    all.set(key, known);
  }
  return [...all.values()].sort((a, b) => b.rows - a.rows || a.key.localeCompare(b.key));
}

/** Whose it is, each once, and the earliest day by which. */
export function owed(tasks: readonly QuarantineTask[]): { owners: string[]; by: string | null } {
  const days = tasks.flatMap((t) => (t.deadline ? [t.deadline] : [])).sort();
  return { owners: [...new Set(tasks.flatMap((t) => (t.owner ? [t.owner] : [])))], by: days[0] ?? null };
}

/** The source columns of a table: as its store has them, else as the plan names them. */
export function sourceColumns(plan: Plan | undefined, table: string, source: readonly SchemaColumn[] | undefined): string[] {
  if (source) return source.map((c) => c.name);
  const found = plan?.tables.find((t) => t.to === table);
  return found ? [...new Set(mapping(found, undefined).flatMap((l) => (l.source ? [l.source] : [])))] : [];
}

/** The source column that a target column is made of alone, so that a fix of the one can stand in the plan for the other. */
export function sourceOf(plan: Plan | undefined, table: string, column: string | null, source: readonly SchemaColumn[] | undefined): string | null {
  const found = plan?.tables.find((t) => t.to === table);
  if (!found || !column) return null;
  const lines = mapping(found, source);
  return (lines.find((l) => l.source === column) ?? lines.find((l) => l.target === column))?.source ?? null;
}

/** A fix of one source column as a change of the plan: the target column that is this one as it is becomes the expression.
 *  Nothing where the column goes into the target in another way, which a person must think through. */
export function fixAsPlan(plan: Plan, table: string, column: string, sql: string, source: readonly SchemaColumn[] | undefined): Step[] | null {
  const at = plan.tables.findIndex((t) => t.to === table);
  const found = plan.tables[at];
  if (!found) return null;
  const lines = mapping(found, source).filter((l) => l.source === column && l.target);
  const line = lines[0];
  if (lines.length !== 1 || !line || line.how !== 'as_is') return null;
  const draft = { ...draftOf(line, found), fate: 'sql' as const, sql };
  return columnSteps(at, found, line, draft, sourceColumns(plan, table, source));
}

/** Leaving out what a rule refuses, as a change of the plan. */
export function discardAsPlan(plan: Plan, table: string, reason: string): Step[] | null {
  const at = plan.tables.findIndex((t) => t.to === table);
  const name = reason.startsWith('rule:') ? reason.slice('rule:'.length) : null;
  const index = name === null ? -1 : (plan.tables[at]?.rules ?? []).findIndex((r) => r.name === name);
  return index < 0 ? null : [{ op: 'set', path: ['table', at, 'rule', index, 'otherwise'], value: 'exclude' }];
}

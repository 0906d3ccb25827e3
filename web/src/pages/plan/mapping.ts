// Both sides of a table: which source column becomes which target column, which stays behind and why, which nobody has
// decided on.
import type { PlanColumn, PlanTable } from '@/api/types';

/** A column as a store has it. */
export interface Has { name: string; type: string | null; kind?: string | null }

export interface Line {
  source: string | null; type: string | null; target: string | null;
  how: 'as_is' | 'cleaned' | 'sql' | 'dropped' | 'used' | 'undecided';
  detail: string | null; kind: string | null; protect: string | null;
}

/** The one column that an expression is, or nothing. */
export function plainColumn(sql: string | undefined): string | null {
  const found = sql?.trim().match(/^(?:"([^"]+)"|([A-Za-z_][A-Za-z0-9_]*))$/);
  return found ? (found[1] ?? found[2] ?? null) : null;
}

/** Whether an expression reads a column. */
export function reads(sql: string, column: string): boolean {
  const name = column.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const bare = sql.replace(/'(?:[^']|'')*'/g, "''");
  return new RegExp(`(^|[^A-Za-z0-9_"])"?${name}"?($|[^A-Za-z0-9_"(])`, 'i').test(bare);
}

function lineOf(c: PlanColumn): Line {
  const from = c.from ?? plainColumn(c.sql);
  const base = { source: from, type: null, target: c.target, kind: c.kind ?? null, protect: c.protect ?? null };
  if (c.clean) return { ...base, how: 'cleaned', detail: c.clean };
  return from ? { ...base, how: 'as_is', detail: null } : { ...base, how: 'sql', detail: c.sql ?? null };
}

/** All lines, in the plan's order; then what stays behind. `source` is what the store has, where that is known. */
export function mapping(table: PlanTable, source: readonly Has[] | undefined): Line[] {
  const lines = (table.columns ?? []).map(lineOf);
  const type = (name: string | null) => source?.find((c) => c.name === name)?.type ?? null;
  for (const line of lines) line.type = type(line.source);
  const stays = new Map((table.drop ?? []).map((d) => [d.column, d.reason]));
  if (!table.columns?.length) {
    return (source ?? []).map((c) => {
      const reason = stays.get(c.name);
      const base = { source: c.name, type: c.type, protect: null };
      return reason === undefined ? { ...base, target: c.name, how: 'as_is', detail: null, kind: c.kind ?? null } : { ...base, target: null, how: 'dropped', detail: reason, kind: null };
    });
  }
  const named = new Set(lines.map((l) => l.source));
  for (const d of table.drop ?? []) lines.push({ source: d.column, type: type(d.column), target: null, how: 'dropped', detail: d.reason, kind: null, protect: null });
  for (const c of source ?? []) {
    if (named.has(c.name) || stays.has(c.name)) continue;
    const places = [...(table.columns ?? []).map((x) => x.sql ?? ''), table.where ?? '', table.retain ?? ''];
    const used = places.some((sql) => reads(sql, c.name)) || (table.key ?? []).includes(c.name);
    lines.push({ source: c.name, type: c.type, target: null, how: used ? 'used' : 'undecided', detail: null, kind: null, protect: null });
  }
  return lines;
}

// What an edit of a column or a rule is, as single changes to the plan's file: so that comments and order stay.
import type { PlanColumn, PlanRule, PlanTable } from '@/api/types';
import type { Line } from './mapping';

/** One change, as `PATCH /api/v1/plan` takes it. */
export type Step = { op: 'set'; path: (string | number)[]; value: unknown } | { op: 'remove'; path: (string | number)[] };

/** What is to become of a column. `gone`: a target column that is made of several, or of nothing, and is not wanted. */
export type Fate = 'as_is' | 'cleaned' | 'sql' | 'dropped' | 'gone';

/** A column as it is being edited. Lists are texts, one a line. */
export interface ColumnDraft {
  fate: Fate | null; target: string; from: string; sql: string; clean: string; region: string; formats: string; sentinels: string;
  kind: string; protect: string; reason: string;
}

export const REGIONAL = ['phone', 'postcode', 'number', 'country', 'date'];

const plain = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** A column's name as SQL has it. */
export const identifier = (name: string) => (plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
const linesOf = (text: string) => text.split('\n').map((x) => x.trim()).filter(Boolean);

/** The draft with which editing a line begins. */
export function draftOf(line: Line | null, table: PlanTable): ColumnDraft {
  const column = line?.target ? table.columns?.find((c) => c.target === line.target) : undefined;
  const fate = !line ? 'sql' : line.how === 'used' || line.how === 'undecided' ? null : line.how;
  return {
    fate, target: line?.target ?? line?.source ?? '', from: line?.source ?? '', sql: column?.sql ?? (line?.source ? identifier(line.source) : ''),
    clean: column?.clean ?? 'trim', region: column?.region ?? '', formats: (column?.formats ?? []).join('\n'), sentinels: (column?.sentinels ?? []).join('\n'),
    kind: column?.kind ?? '', protect: column?.protect ?? '', reason: line?.how === 'dropped' ? (line.detail ?? '') : '',
  };
}

export type Missing = 'fate' | 'target' | 'taken' | 'from' | 'sql' | 'reason';

/** What a draft still lacks before it can be sent. */
export function missing(draft: ColumnDraft, line: Line | null, table: PlanTable): Missing[] {
  const lacks: Missing[] = [];
  if (!draft.fate) return ['fate'];
  if (draft.fate === 'gone') return [];
  if (draft.fate === 'dropped') return draft.reason.trim() ? [] : ['reason'];
  const target = draft.target.trim();
  if (!target) lacks.push('target');
  else if (target !== line?.target && table.columns?.some((c) => c.target === target)) lacks.push('taken');
  if (draft.fate === 'sql' ? !draft.sql.trim() : !draft.from) lacks.push(draft.fate === 'sql' ? 'sql' : 'from');
  return lacks;
}

/** A column's value in the file: the shortest form that says it. */
function valueOf(draft: ColumnDraft): string | Record<string, unknown> {
  const about = { ...(draft.kind && { kind: draft.kind }), ...(draft.protect && { protect: draft.protect }) };
  const says = Object.keys(about).length > 0;
  if (draft.fate === 'sql') return says ? { sql: draft.sql.trim(), ...about } : draft.sql.trim();
  if (draft.fate === 'as_is') return says ? { from: draft.from, ...about } : identifier(draft.from);
  const [formats, sentinels] = [linesOf(draft.formats), linesOf(draft.sentinels)];
  return {
    clean: draft.clean, from: draft.from,
    ...(REGIONAL.includes(draft.clean) && draft.region.trim() && { region: draft.region.trim().toUpperCase() }),
    ...(draft.clean === 'date' && formats.length > 0 && { formats }),
    ...(draft.clean === 'sentinel' && sentinels.length > 0 && { sentinels }),
    ...about,
  };
}

/** The changes that make a line into what the draft says. `source` is every column of the source: a table that names no
 *  columns moves them all, and must name them once one of them is to be different. */
export function columnSteps(at: number, table: PlanTable, line: Line | null, draft: ColumnDraft, source: readonly string[]): Step[] {
  const place = (...way: string[]) => ['table', at, ...way];
  const steps: Step[] = [];
  const names = Boolean(table.columns?.length);
  const old = names ? line?.target : null;
  if (draft.fate === 'dropped') {
    if (old) steps.push({ op: 'remove', path: place('columns', old) });
    return [...steps, { op: 'set', path: place('drop', line?.source ?? draft.from), value: draft.reason.trim() }];
  }
  if (draft.fate === 'gone') return old ? [{ op: 'remove', path: place('columns', old) }] : [];
  const target = draft.target.trim();
  if (!names) {
    const stays = new Set((table.drop ?? []).map((d) => d.column));
    for (const name of source) if (name !== line?.source && !stays.has(name)) steps.push({ op: 'set', path: place('columns', name), value: identifier(name) });
  }
  if (line?.how === 'dropped' && line.source) steps.push({ op: 'remove', path: place('drop', line.source) });
  if (old && old !== target) steps.push({ op: 'remove', path: place('columns', old) });
  return [...steps, { op: 'set', path: place('columns', target), value: valueOf(draft) }];
}

/** Whether this would take the last named column away, after which every column of the source would move. */
export function takesLast(table: PlanTable, line: Line | null, fate: Fate | null): boolean {
  return (fate === 'dropped' || fate === 'gone') && table.columns?.length === 1 && table.columns[0]?.target === line?.target;
}

export interface RuleDraft { name: string; check: string; otherwise: string; fix: { column: string; sql: string }[] }

export const ruleDraft = (rule: PlanRule | null): RuleDraft => ({
  name: rule?.name ?? '', check: rule?.check ?? '', otherwise: rule?.otherwise ?? 'quarantine',
  fix: rule?.fix?.length ? rule.fix.map((f) => ({ column: f.column, sql: f.value })) : [{ column: '', sql: '' }],
});

const fixes = (draft: RuleDraft) => (draft.otherwise === 'fix' ? Object.fromEntries(draft.fix.filter((f) => f.column && f.sql.trim()).map((f) => [f.column, f.sql.trim()])) : {});

/** A rule as the file has it. */
export function ruleValue(draft: RuleDraft): Record<string, unknown> {
  const fix = fixes(draft);
  return { name: draft.name.trim(), check: draft.check.trim(), otherwise: draft.otherwise, ...(Object.keys(fix).length > 0 && { fix }) };
}

/** The changes that make a rule of the plan into the draft; only what differs is written. */
export function ruleSteps(at: number, index: number, rule: PlanRule, draft: RuleDraft): Step[] {
  const place = ['table', at, 'rule', index];
  const steps: Step[] = [];
  const next = ruleValue(draft);
  for (const key of ['name', 'check', 'otherwise'] as const) if (rule[key] !== next[key]) steps.push({ op: 'set', path: [...place, key], value: next[key] });
  const before = Object.fromEntries((rule.fix ?? []).map((f) => [f.column, f.value]));
  if (JSON.stringify(before) !== JSON.stringify(next.fix ?? {})) {
    if (next.fix) steps.push({ op: 'set', path: [...place, 'fix'], value: next.fix });
    else steps.push({ op: 'remove', path: [...place, 'fix'] });
  }
  return steps;
}

/** How a column is made, in a few words: what a person needs to see where two have changed it. */
export function sayColumn(column: PlanColumn | undefined): string {
  if (!column) return '–';
  return column.clean ? `clean = ${column.clean}, from = ${column.from ?? ''}` : (column.sql ?? column.from ?? '');
}

// What a run came to: its live progress while it goes on here, else what the server says of its tables.
import { useQuery } from '@tanstack/react-query';
import { planQuery, reportQuery, runsQuery, runTablesQuery } from '@/api/queries';
import type { Progress, Report, ReportTable, RunDetail, RunTable, SplitState } from '@/api/types';
import { add, NO_ROWS, total, type Counts } from '@/ui/dispositions';
import { useIf } from './session';

export interface TableState {
  table: string; counts: Counts; unread: number; reconciled: boolean | null; splits: number; splitsDone: number;
  /** What the server says of a table of this run; nothing before it has said it. */
  known: RunTable | null; strip: SplitState[];
}

const countsOf = (t: Counts): Counts => ({ loaded: t.loaded, quarantined: t.quarantined, merged: t.merged, excluded: t.excluded, erased: t.erased });

/** The tables of a run. Where it goes on, what progress tells is newer than what was asked for. */
export function tablesOf(run: RunDetail | undefined, known: readonly RunTable[] | undefined): TableState[] | null {
  const live: Progress | null = run?.progress && run.status !== 'done' ? run.progress : null;
  if (!live) {
    return known?.map((t) => ({ table: t.table, counts: countsOf(t.counts), unread: 0, reconciled: t.reconciled, splits: t.splits, splitsDone: t.splits_done, known: t, strip: t.strip })) ?? null;
  }
  return live.tables.map((t) => {
    const said = known?.find((k) => k.table === t.table) ?? null;
    const estimate = run?.tables.find((x) => x.table === t.table)?.body.source?.rows_estimate ?? null;
    const open = t.splits_done < t.splits || t.splits === 0;
    return {
      table: t.table, counts: countsOf(t.counts), unread: open && estimate ? Math.max(0, estimate - total(t.counts)) : 0,
      reconciled: t.reconciled, splits: t.splits, splitsDone: t.splits_done, known: said, strip: said?.strip ?? [],
    };
  });
}

/** The tables of a run, asked for. */
export function useRunTables(run: RunDetail | undefined) {
  const query = useQuery({ ...runTablesQuery(run?.id ?? ''), enabled: Boolean(run), retry: 1 });
  return { query, tables: tablesOf(run, query.data?.items) };
}

/** Whether a table's rows agree, and its control totals or a rule on all of its rows do not. */
export const unsound = (t: TableState): boolean => t.reconciled === true && t.known?.in_order === false;

/** The sum of tables. */
export function sum(tables: readonly TableState[]): { counts: Counts; unread: number } {
  return tables.reduce((s, t) => ({ counts: add(s.counts, t.counts), unread: s.unread + t.unread }), { counts: NO_ROWS, unread: 0 });
}

/** The report of the plan as it is. Asked for only where this plan has been run, for there is none else. */
export function useReport(run?: string) {
  const runs = useIf('run.read', runsQuery).data;
  const fingerprint = useIf('plan.read', planQuery).data?.data.fingerprint;
  const exists = Boolean(fingerprint && runs?.items.some((r) => r.kind === 'load' && r.fingerprint === fingerprint));
  const query = useQuery({ ...reportQuery, enabled: exists });
  const report: Report | undefined = exists && query.data && (!run || query.data.run.id === run) ? query.data : undefined;
  return { query, report, exists, known: Boolean(runs && fingerprint !== undefined) };
}

/** What the report says of a table. */
export function inReport(report: Report | undefined, table: string): ReportTable | null {
  return report?.tables.find((t) => t.table === table) ?? null;
}

/** A moment of the report ("2026-11-22 14:49:59Z") in microseconds. */
export function reportTime(text: string | null | undefined): number | null {
  if (!text) return null;
  const ms = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(ms) ? null : ms * 1000;
}

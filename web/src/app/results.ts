// What a run came to, from where it is known: its live progress while it goes on, the report once it is over.
import { useQuery } from '@tanstack/react-query';
import { reportQuery } from '@/api/queries';
import type { Progress, Report, ReportTable, RunDetail } from '@/api/types';
import { add, NO_ROWS, total, type Counts } from '@/ui/dispositions';

export interface TableState {
  table: string; source: string | null; counts: Counts; unread: number; reconciled: boolean | null; splits: number; splitsDone: number;
  detail: ReportTable | null;
}

const countsOf = (t: Counts): Counts => ({ loaded: t.loaded, quarantined: t.quarantined, merged: t.merged, excluded: t.excluded, erased: t.erased });

/** The tables of a run while it goes on. What is unread is known for those whose store tells its rows. */
export function ofProgress(progress: Progress, run: RunDetail | undefined): TableState[] {
  return progress.tables.map((t) => {
    const body = run?.tables.find((x) => x.table === t.table)?.body;
    const estimate = body?.source?.rows_estimate ?? null;
    const read = total(t.counts);
    const open = t.splits_done < t.splits || t.splits === 0;
    return { table: t.table, source: null, counts: t.counts, unread: open && estimate ? Math.max(0, estimate - read) : 0, reconciled: t.reconciled, splits: t.splits, splitsDone: t.splits_done, detail: null };
  });
}

/** The tables of the run that the report is about. */
export function ofReport(report: Report): TableState[] {
  return report.tables.map((t) => ({ table: t.table, source: t.from ?? null, counts: countsOf(t), unread: 0, reconciled: t.reconciled, splits: 0, splitsDone: 0, detail: t }));
}

/** The sum of tables. */
export function sum(tables: readonly TableState[]): { counts: Counts; unread: number } {
  return tables.reduce((s, t) => ({ counts: add(s.counts, t.counts), unread: s.unread + t.unread }), { counts: NO_ROWS, unread: 0 });
}

/** The report, when it is about this run. */
export function useReport(run?: string) {
  const query = useQuery(reportQuery);
  return { query, report: query.data && (!run || query.data.run.id === run) ? query.data : undefined };
}

/** A moment of the report ("2026-11-22 14:49:59Z") in microseconds. */
export function reportTime(text: string | null | undefined): number | null {
  if (!text) return null;
  const ms = Date.parse(text.replace(' ', 'T'));
  return Number.isNaN(ms) ? null : ms * 1000;
}

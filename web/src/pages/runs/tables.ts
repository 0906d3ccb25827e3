// The tables of one run from whichever place knows them.
import { ofProgress, ofReport, type TableState } from '@/app/results';
import type { Report, RunDetail } from '@/api/types';

/** Nothing where neither the server's memory nor the report is about this run. */
export function tablesOf(run: RunDetail, report: Report | undefined): TableState[] | null {
  if (report?.run.id === run.id) return ofReport(report);
  return run.progress ? ofProgress(run.progress, run) : null;
}

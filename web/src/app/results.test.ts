import { describe, expect, it } from 'vitest';
import type { RunDetail, RunTable } from '@/api/types';
import { reportTime, sum, tablesOf } from './results';

const counts = { loaded: 90, quarantined: 5, merged: 0, excluded: 5, erased: 0 };
const known = { table: 'a.b', counts, source_rows: 100, reconciled: true, splits: 2, splits_done: 2, strip: [] } as unknown as RunTable;
const run = (status: string, progress: unknown) => ({ id: 'r', status, tables: [{ table: 'a.b', body: { source: { columns: [], rows_estimate: 200 } } }], progress }) as unknown as RunDetail;

describe('what a run came to', () => {
  it('is what the server says once it is over', () => {
    expect(tablesOf(run('done', null), [known])?.[0]).toMatchObject({ counts, unread: 0, reconciled: true });
    expect(tablesOf(run('done', null), undefined)).toBeNull();
  });
  it('is the progress while it goes on, with what is still to read', () => {
    const progress = { tables: [{ table: 'a.b', splits_done: 1, splits: 2, counts, reconciled: null }] };
    expect(tablesOf(run('running', progress), [known])?.[0]).toMatchObject({ unread: 100, splitsDone: 1, reconciled: null });
  });
  it('adds up', () => {
    const one = tablesOf(run('done', null), [known, known]) ?? [];
    expect(sum(one)).toEqual({ counts: { loaded: 180, quarantined: 10, merged: 0, excluded: 10, erased: 0 }, unread: 0 });
  });
  it('reads the moments of a report', () => {
    expect(reportTime('2026-11-22 14:49:59Z')).toBe(Date.UTC(2026, 10, 22, 14, 49, 59) * 1000);
    expect(reportTime(null)).toBeNull();
  });
});

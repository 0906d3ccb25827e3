// What the filter leaves, in a line: how many tasks, how many are open, stale, late.
import { useQuery } from '@tanstack/react-query';
import { useEffect, type ReactElement } from 'react';
import { num } from '@/i18n/format';
import { work } from './api';
import { filterJson, type Filter } from './filter';
import { usePulse } from './store';
import { useWords } from './words';

export function Totals({ filter }: { filter: Filter }): ReactElement {
  const t = useWords();
  const pulse = usePulse();
  const words = { q: filter.q.trim() || undefined, filter: filterJson(filter) };
  const filtered = words.q !== undefined || words.filter !== undefined;
  const byStatus = useQuery({ queryKey: ['work', 'totals', words.q, words.filter], queryFn: () => work.tasks({ ...words, group: 'status', limit: 1 }) });
  const all = useQuery({ queryKey: ['work', 'totals', 'all'], queryFn: () => work.tasks({ limit: 1 }), enabled: filtered });
  const { refetch } = byStatus;
  const refetchAll = all.refetch;
  useEffect(() => {
    if (pulse > 0) void refetch();
    if (pulse > 0 && filtered) void refetchAll();
  }, [pulse, filtered, refetch, refetchAll]);
  const data = byStatus.data;
  if (!data) return <span className="totals muted" />;
  const count = (status: string) => data.groups?.find((group) => group.value === status)?.count ?? 0;
  const stale = count('stale');
  const blocked = count('blocked');
  return (
    <span className="totals muted" aria-live="polite">
      {filtered && all.data ? t.someOf(num(data.total), num(all.data.total)) : t.tasks(data.total, num(data.total))}, {t.openCount(num(data.total - count('done')))}
      {stale > 0 && <>, <b className="warn">{t.staleCount(num(stale))}</b></>}
      {blocked > 0 && <>, <b className="bad">{t.blockedCount(num(blocked))}</b></>}
    </span>
  );
}

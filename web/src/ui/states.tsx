// The states of a page: empty, loading, broken; and the frame that chooses among them.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactElement, ReactNode } from 'react';
import { ProblemError } from '@/api/client';
import { sentence } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Button } from './basic';

/** What will be here, and the one next step. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }): ReactElement {
  return <div className="empty"><h2>{title}</h2>{children && <p>{children}</p>}{action && <div className="acts">{action}</div>}</div>;
}

/** What is wrong, why, what to do, and a reference. */
export function ProblemView({ error, retry }: { error: unknown; retry?: () => void }): ReactElement {
  const t = useMessages(common);
  const problem = error instanceof ProblemError ? error.problem : undefined;
  const offline = problem?.code === 'offline';
  const title = offline ? t.offlineProblem : problem?.status === 403 ? problem.title || t.notAllowed : problem?.title || t.failed;
  const help = offline ? t.offlineHelp : problem?.help;
  return (
    <div className="problem" role="alert">
      <p className="title">{sentence(title)}</p>
      {help && <p>{sentence(help)}</p>}
      {problem?.reference && <p className="ref"><span className="mono">{t.problemRef(problem.reference)}</span> · {t.problemAsk}</p>}
      {retry && <p style={{ marginTop: 10 }}><Button small onClick={retry}>{t.retry}</Button></p>}
    </div>
  );
}

/** A bar where something will be. */
export function Skeleton({ width = '100%', height = 16 }: { width?: number | string; height?: number }): ReactElement {
  return <span className="skeleton" style={{ width, height }} />;
}

/** The shape of a table that is on its way. */
export function SkeletonRows({ rows = 6, columns = 4 }: { rows?: number; columns?: number }): ReactElement {
  const t = useMessages(common);
  return (
    <div role="status" aria-label={t.loading} style={{ display: 'grid', gap: 1 }}>
      {Array.from({ length: rows }, (_, r) => (
        <div key={r} style={{ display: 'grid', gridTemplateColumns: `2fr ${'1fr '.repeat(columns - 1)}`, gap: 24, padding: '8px 0', borderBottom: '1px solid var(--line)' }}>
          {Array.from({ length: columns }, (_, c) => <Skeleton key={c} width={`${58 + ((r * 7 + c * 13) % 38)}%`} />)}
        </div>
      ))}
    </div>
  );
}

/** Shows what a query gave; its skeleton while it is on its way; the problem when it failed and nothing is known. */
export function Loaded<T>({ query, skeleton, children }: { query: UseQueryResult<T>; skeleton?: ReactNode; children: (data: T) => ReactNode }): ReactElement {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) return <ProblemView error={query.error} retry={() => void query.refetch()} />;
  return <>{skeleton ?? <SkeletonRows />}</>;
}

// Overview: which share is accounted for, what is next, what is at risk, who is in the data now. Every number opens
// what it is made of.
import { useQuery } from '@tanstack/react-query';
import { lazy, startTransition, Suspense, useEffect, useState } from 'react';
import { alertsQuery, approvalsQuery, planQuery, quarantineQuery, runQuery, runsQuery } from '@/api/queries';
import { useRunTables } from '@/app/results';
import { useMessages } from '@/i18n';
import { overview as en } from '@/messages/overview.en';
import { ButtonLink, Empty, Loaded, PageHead, Skeleton, SkeletonRows } from '@/ui';
import { Accounted } from './accounted';
import { RunStrip } from './strip';
import { forecastQuery, mineQuery, toldQuery } from './queries';
import { useIf, useMay } from '@/app/session';

const below = () => import('./below');
const Below = lazy(() => below().then((module) => ({ default: module.Below })));

const RUNNING = new Set(['running', 'waiting', 'paused', 'stopped']);

export function OverviewPage() {
  const t = useMessages(en);
  const may = useMay();
  const seesRuns = may('run.read');
  const runs = useIf('run.read', runsQuery);
  const newest = runs.data?.items[0];
  const current = newest && RUNNING.has(newest.status) ? newest : undefined;
  const detail = useQuery({ ...runQuery(newest?.id ?? ''), enabled: Boolean(newest) }).data;
  const { query, tables } = useRunTables(detail);
  const plan = useIf('plan.read', planQuery);
  const approvals = useIf('approvals.read', approvalsQuery);
  const others = [plan, approvals, useIf('quarantine.read', quarantineQuery), useIf('alerts.read', alertsQuery), useIf('work.read', mineQuery), useIf('work.read', forecastQuery), useIf('notices.read', toldQuery)];
  // What lies below comes once the height of what lies above is known, so that nothing moves under the reader's finger.
  const above = !seesRuns || runs.isError || (runs.data !== undefined && (!newest || tables !== null || query.isError));
  // Its code comes once the page has its shape.
  useEffect(() => { void below().catch(() => undefined); }, []);
  const known = above && !others.some((one) => one.isLoading);
  const [ready, setReady] = useState(known);
  useEffect(() => { if (known) startTransition(() => setReady(true)); }, [known]);
  const shape = <div className="columns two"><SkeletonRows rows={5} columns={2} /><SkeletonRows rows={5} columns={3} /></div>;
  return (
    <div className="page">
      <PageHead title={t.title} quietTitle />
      {current && detail && <RunStrip run={detail} strip={tables?.flatMap((x) => x.strip)} />}
      {seesRuns && <Loaded query={runs} skeleton={<ShapeOfEquation />}>
        {(list) => {
          if (list.items.length === 0) return <Empty title={t.emptyTitle} action={<><ButtonLink kind="primary" to="/runs" search={{ start: 'rehearse' } as never}>{t.emptyAction}</ButtonLink><ButtonLink to="/plan">{t.emptyPlan}</ButtonLink></>}>{t.emptyText}</Empty>;
          if (!detail) return <ShapeOfEquation />;
          return <Accounted run={detail} tables={tables} query={query} shape={<ShapeOfEquation />} />;
        }}
      </Loaded>}
      {ready
        ? <Suspense fallback={shape}><Below plan={plan.data?.data} approvals={approvals.data?.items} anyRun={!may('run.start') || Boolean(newest)} /></Suspense>
        : above && shape}
    </div>
  );
}

function ShapeOfEquation() {
  return <div style={{ display: 'grid', gap: 14 }}><Skeleton width="46%" height={28} /><Skeleton height={36} /><SkeletonRows rows={3} columns={6} /></div>;
}

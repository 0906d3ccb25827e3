// Reconciliation, a table at a time, and reading both sides again.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { raw } from '@/api/client';
import { verificationsQuery, verificationQuery } from '@/api/queries';
import type { TableResult, Verification } from '@/api/types';
import { useReport } from '@/app/results';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { data as en } from '@/messages/data.en';
import { data as es } from '@/messages/data.es';
import { Badge, Button, DispositionBar, DISPOSITIONS, Empty, Icon, Id, Num, ProblemView, Section, SkeletonRows, Swatch, Table, Time, type Column } from '@/ui';
import { DataFrame } from './frame';

export function ReconciliationPage() {
  const t = useMessages({ en, es });
  const client = useQueryClient();
  const { query, report } = useReport();
  const list = useQuery(verificationsQuery);
  const newest = list.data?.items[0];
  const watched = useQuery({ ...verificationQuery(newest?.id ?? ''), enabled: newest?.status === 'running' }).data;
  const current = watched && watched.id === newest?.id ? watched : newest;
  const start = useMutation({
    mutationFn: async () => (await raw('/api/v1/verifications', { method: 'POST', body: '{"tables":[]}', headers: { 'content-type': 'application/json' } })).json() as Promise<{ id: string }>,
    onSuccess: () => { toast(t.verifyStarted); void client.invalidateQueries({ queryKey: ['verifications'] }); },
    onError: toastProblem,
  });
  const running = current?.status === 'running';
  const tables = current?.status === 'done' && current.tables.length ? current.tables : report?.tables;
  const wrong = tables?.filter((x) => !x.reconciled).length ?? 0;
  return (
    <DataFrame actions={<Button kind="primary" icon="check" disabled={running || start.isPending || !report} onClick={() => start.mutate()}>{running ? t.verifying : t.verifyNow}</Button>}>
      {query.isPending && <SkeletonRows rows={5} columns={6} />}
      {query.isError && (isNothing(query.error) ? <Empty title={t.reconEmpty}>{t.reconEmptyText}</Empty> : <ProblemView error={query.error} retry={() => void query.refetch()} />)}
      {running && <p className="note row" style={{ marginBottom: 16 }}><span className="pulse" />{t.verifying}{current.step && <span className="muted">{current.step}</span>}</p>}
      {tables && report && (
        <>
          <div className="finding-head"><h2 className="finding">{t.reconTitle(wrong)}</h2><span className="small muted">{t.reconSub}</span></div>
          <Tables tables={tables} run={report.run.id} />
        </>
      )}
      <div style={{ height: 28 }} />
      <Section title={t.verifications}>
        {list.isError ? <p className="muted">{t.verificationsNone}</p> : list.data?.items.length === 0 ? <p className="muted">{t.verificationsNone}</p> : <ul className="changes">{list.data?.items.map((v) => <Line key={v.id} v={v} />)}</ul>}
      </Section>
    </DataFrame>
  );
}

function isNothing(error: unknown): boolean {
  const status = (error as { problem?: { status?: number } }).problem?.status;
  return status === 404 || status === 409 || status === 422;
}

function Line({ v }: { v: Verification }) {
  const t = useMessages({ en, es });
  const differ = Object.values(v.differing).reduce((a, b) => a + b, 0);
  return (
    <li className="row wrap">
      {v.status === 'running' ? <Badge tone="accent" icon="play">{t.verifying}</Badge> : v.status === 'failed' ? <Badge tone="bad" icon="warn">{t.verifyFailed}</Badge> : v.reconciled ? <Badge tone="good" icon="check">{t.verified}</Badge> : <Badge tone="bad" icon="warn">{t.differ(num(differ))}</Badge>}
      <Time at={v.started_at} />{v.problem && <span className="muted">{v.problem}</span>}
    </li>
  );
}

function Tables({ tables, run }: { tables: readonly TableResult[]; run: string }) {
  const t = useMessages({ en, es });
  const c = useMessages(common);
  const used = DISPOSITIONS.filter((d) => d === 'loaded' || d === 'quarantined' || tables.some((x) => x[d] > 0));
  const columns: Column<TableResult>[] = [
    { key: 'table', head: t.table, cell: (x) => <b className="nowrap">{x.table}</b> },
    { key: 'source', head: t.source, num: true, cell: (x) => <Num n={x.source_rows} to="/runs/$run" params={{ run }} search={{ table: x.table }} /> },
    ...used.map((d) => ({ key: d, head: <span className="row" style={{ justifyContent: 'flex-end', gap: 6 }}><Swatch of={d} />{c[d]}</span>, num: true, cell: (x: TableResult) => <Num n={x[d]} {...(d === 'quarantined' ? { to: '/data', search: { table: x.table } } : { to: '/runs/$run', params: { run }, search: { table: x.table } })} /> })),
    { key: 'target', head: t.target, num: true, cell: (x) => num(x.target_rows) },
    { key: 'bar', head: t.share, width: '18%', cell: (x) => <DispositionBar counts={x} size="thin" /> },
    { key: 'expected', head: t.hashes, cell: (x) => x.expected_hash === x.target_hash ? <span className="nowrap"><span className="good"><Icon name="check" /> {t.balance}</span> <Id id={x.target_hash} /></span> : <b className="bad nowrap"><Icon name="warn" /> {t.doNot}</b> },
    { key: 'proof', head: t.proof, cell: (x) => <Link to="/guard/log" search={{ table: x.table, kind: 'table_reconciled,verified' } as never} className="link">{t.open}</Link> },
  ];
  return <Table label={t.tabReconciliation} rows={tables} columns={columns} id={(x) => x.table} flag={(x) => !x.reconciled} />;
}


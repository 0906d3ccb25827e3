// Reconciliation of a run, a table at a time, and reading both sides again.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { raw } from '@/api/client';
import { runQuery, runsQuery, verificationsQuery, verificationQuery } from '@/api/queries';
import type { Verification } from '@/api/types';
import { unsound, useRunTables, type TableState } from '@/app/results';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { data as en } from '@/messages/data.en';
import { exporting as exportEn } from '@/messages/export.en';
import { Badge, Button, DispositionBar, DISPOSITIONS, Empty, Icon, Id, Link, Loaded, Num, Section, Swatch, Table, Time, total, type Column } from '@/ui';
import { DifferencesDrawer } from './differences';
import { DataFrame } from './frame';

export function ReconciliationPage() {
  const t = useMessages(en);
  const client = useQueryClient();
  const may = useMay();
  const runs = useQuery(runsQuery);
  const load = runs.data?.items.find((r) => r.kind === 'load');
  const run = useQuery({ ...runQuery(load?.id ?? ''), enabled: Boolean(load) }).data;
  const { query, tables } = useRunTables(run);
  const list = useQuery({ ...verificationsQuery, enabled: may('run.verify') });
  const newest = list.data?.items[0];
  const watched = useQuery({ ...verificationQuery(newest?.id ?? ''), enabled: newest?.status === 'running' }).data;
  const current = watched && watched.id === newest?.id ? watched : newest;
  const running = current?.status === 'running';
  const over = watched?.status;
  // What was verified stands in the tables and in the list.
  useEffect(() => {
    if (over && over !== 'running') for (const key of ['verifications', 'overview']) void client.invalidateQueries({ queryKey: [key], exact: key === 'verifications' });
  }, [over, client]);
  const start = useMutation({
    mutationFn: async () => (await raw('/api/v1/verifications', { method: 'POST', body: '{"tables":[]}', headers: { 'content-type': 'application/json' } })).json() as Promise<{ id: string }>,
    onSuccess: () => { toast(t.verifyStarted); void client.invalidateQueries({ queryKey: ['verifications'] }); },
    onError: toastProblem,
  });
  const wrong = tables?.filter((x) => x.reconciled === false || unsound(x)).length ?? 0;
  return (
    <DataFrame actions={may('run.verify') && <Button kind="primary" icon="check" disabled={running || start.isPending || load?.status !== 'done'} onClick={() => start.mutate()}>{running ? t.verifying : t.verifyNow}</Button>}>
      {running && <p className="note row" style={{ marginBottom: 16 }} role="status"><span className="pulse" />{t.verifying}{current.step && <span className="muted">{current.step}</span>}</p>}
      <Loaded query={runs}>
        {() => !load ? <Empty title={t.reconEmpty}>{t.reconEmptyText}</Empty> : (
          <Loaded query={query}>
            {() => tables && (
              <>
                <div className="finding-head"><h2 className="finding">{t.reconTitle(wrong)}</h2><span className="small muted"><Link to="/runs/$run" params={{ run: load.id }} className="link">{when(load.started_at)}</Link> · {t.reconSub}</span></div>
                <Tables tables={tables} run={load.id} />
              </>
            )}
          </Loaded>
        )}
      </Loaded>
      <div style={{ height: 28 }} />
      <Section title={t.verifications}>
        {list.data && list.data.items.length > 0 ? <ul className="changes">{list.data.items.map((v) => <Line key={v.id} v={v.id === current?.id ? current : v} />)}</ul> : <p className="muted">{t.verificationsNone}</p>}
      </Section>
    </DataFrame>
  );
}

function Line({ v }: { v: Verification }) {
  const t = useMessages(en);
  const e = useMessages(exportEn);
  const [open, setOpen] = useState<string | null>(null);
  const differ = Object.values(v.differing).reduce((a, b) => a + b, 0);
  return (
    <li className="row wrap" style={{ gap: '4px 12px' }}>
      {v.status === 'running' ? <Badge tone="accent" icon="play">{t.verifying}</Badge> : v.status === 'failed' ? <Badge tone="bad" icon="warn">{t.verifyFailed}</Badge> : v.problem && differ === 0 ? <Badge tone="bad" icon="warn">{t.notInOrder}</Badge> : v.reconciled ? <Badge tone="good" icon="check">{t.verified}</Badge> : <Badge tone="bad" icon="warn">{t.differ(num(differ))}</Badge>}
      <Time at={v.started_at} />{v.problem && <span className="muted">{v.problem}</span>}
      {Object.entries(v.differing).filter(([, n]) => n > 0).map(([table, n]) => <button key={table} type="button" className="opens" onClick={() => setOpen(table)}>{e.differIn(num(n), table)}</button>)}
      {open && <DifferencesDrawer verification={v.id} table={open} count={v.differing[open] ?? 0} onClose={() => setOpen(null)} />}
    </li>
  );
}

function Tables({ tables, run }: { tables: readonly TableState[]; run: string }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const used = DISPOSITIONS.filter((d) => d === 'loaded' || d === 'quarantined' || tables.some((x) => x.counts[d] > 0));
  const columns: Column<TableState>[] = [
    { key: 'table', head: t.table, cell: (x) => <b className="nowrap">{x.table}</b> },
    { key: 'source', head: t.source, num: true, cell: (x) => <Num n={total(x.counts)} to="/runs/$run" params={{ run }} search={{ table: x.table }} label={`${t.source}, ${x.table}`} /> },
    ...used.map((d) => ({ key: d, head: <span className="row" style={{ justifyContent: 'flex-end', gap: 6 }}><Swatch of={d} />{c[d]}</span>, num: true, cell: (x: TableState) => <Num n={x.counts[d]} label={`${c[d]}, ${x.table}`} {...(d === 'quarantined' ? { to: '/data', search: { table: x.table } } : { to: '/runs/$run', params: { run }, search: { table: x.table } })} /> })),
    { key: 'bar', head: t.share, width: '16%', cell: (x) => <DispositionBar counts={x.counts} size="thin" /> },
    { key: 'expected', head: t.hashes, cell: (x) => !x.known?.target_hash ? <span className="muted"><Icon name="clock" /></span> : x.reconciled ? <span className="nowrap"><span className="good"><Icon name="check" /> {t.balance}</span> <Id id={x.known.target_hash} />{unsound(x) && <b className="bad"> <Icon name="warn" /> {t.notInOrder}</b>}</span> : <b className="bad nowrap"><Icon name="warn" /> {t.doNot}</b> },
    { key: 'verified', head: t.verified, cell: (x) => x.known?.verified_at ? <Time at={x.known.verified_at} /> : <span className="muted">–</span> },
    { key: 'proof', head: t.proof, cell: (x) => <Link to="/guard/log" search={(x.known?.entry ? { entry: String(x.known.entry) } : { table: x.table, kind: 'table_reconciled,verified' }) as never} className="link" aria-label={`${t.proof}, ${x.table}`}>{x.known?.entry ? num(x.known.entry) : t.open}</Link> },
  ];
  return <Table label={t.tabReconciliation} rows={tables} columns={columns} id={(x) => x.table} flag={(x) => x.reconciled === false || unsound(x)} />;
}

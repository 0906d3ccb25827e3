// One run: live while it goes on, and what it came to, table by table.
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { api, body } from '@/api/client';
import { planQuery, runQuery } from '@/api/queries';
import type { RunDetail } from '@/api/types';
import { inReport, sum, unsound, useReport, useRunTables, type TableState } from '@/app/results';
import { useActorName } from '@/app/people';
import { toast, toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { useState } from 'react';
import { useIf, useMay } from '@/app/session';
import { UndoDialog } from './undo';
import { Button, ButtonLink, DispositionBar, DISPOSITIONS, Empty, EquationBar, Icon, Id, Link, Loaded, Menu, Num, PageHead, Section, SkeletonRows, Splits, Stat, Swatch, Table, Time, total, type Column } from '@/ui';
import { RunStatus } from './index';
import { TableDetail } from './detail';
import { Outcome } from './outcome';
import { Throughput } from './throughput';

export function RunPage() {
  const { run: id } = useParams({ strict: false }) as { run: string };
  const query = useQuery(runQuery(id));
  return <div className="page"><Loaded query={query}>{(run) => <One run={run} />}</Loaded></div>;
}

function One({ run }: { run: RunDetail }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const name = useActorName();
  const { table: open } = useSearch({ strict: false }) as { table?: string };
  const { report } = useReport(run.id);
  const { query, tables } = useRunTables(run);
  const may = useMay();
  const fingerprint = useIf('plan.read', planQuery).data?.data.fingerprint;
  const [asking, setAsking] = useState<'undo' | 'abandon' | null>(null);
  const chosen = tables?.find((x) => x.table === open);
  const p = run.progress;
  const phase = run.status === 'waiting' && p?.phase === 'retry' ? 'retry' : run.status;
  const going = run.status === 'running' || run.status === 'waiting';
  const left = p?.rows_expected && p.rows_per_second > 0 ? (p.rows_expected - p.rows) / p.rows_per_second : null;
  const act = (what: 'pause' | 'resume') => {
    const params = { params: { path: { run: run.id } } };
    body(what === 'pause' ? api.POST('/api/v1/runs/{run}/pause', params) : api.POST('/api/v1/runs/{run}/resume', params)).then(() => toast(what === 'pause' ? t.pausing : t.startedToast), toastProblem);
  };
  const done = p?.tables.reduce((n, x) => n + x.splits_done, 0) ?? 0;
  const all = p?.tables.reduce((n, x) => n + x.splits, 0) ?? 0;
  const kind = run.kind === 'load' ? c.kindLoad : run.kind === 'rehearse' || run.kind === 'rehearsal' ? c.kindRehearse : c.kindOther;
  return (
    <>
      <PageHead title={kind} sub={<><RunStatus status={phase} /> <Time at={run.started_at} /> · {name(run.actor)}</>}
        actions={<>
          {going && may('run.pause') && <Button icon="pause" onClick={() => act('pause')}>{t.pause}</Button>}
          {(run.status === 'paused' || run.status === 'stopped') && may('run.resume') && <Button kind="primary" icon="play" onClick={() => act('resume')}>{t.resume}</Button>}
          {run.status === 'done' && run.kind === 'load' && <ButtonLink to="/data/reconciliation" icon="check">{t.verify}</ButtonLink>}
          {run.kind === 'load' && may('run.start') && (run.status === 'done' || run.status === 'paused' || run.status === 'stopped') && <Menu label={t.more} items={[
            { label: t.undo, icon: 'undo', danger: true, run: () => setAsking('undo') },
            ...(run.status === 'done' ? [] : [{ label: t.abandon, icon: 'close' as const, danger: true, run: () => setAsking('abandon') }]),
          ]} />}
        </>} />
      {p && run.status !== 'done' && (
        <div className="stack" style={{ marginBottom: 24 }}>
          <dl className="stats">
            <Stat label={t.read} below={p.rows_expected ? t.ofExpected(num(p.rows_expected)) : undefined}>{num(p.rows)}</Stat>
            {run.status === 'running' && <Stat label={t.rate}>{c.rowsPerSecond(num(p.rows_per_second))}</Stat>}
            {left !== null && run.status === 'running' && <Stat label={t.left}>{span(left)}</Stat>}
            <Stat label={t.phase}>{words.status(run.status === 'running' ? p.phase : phase)}</Stat>
            {all > 0 && <Stat label={t.splits}>{t.ofSplits(num(done), num(all))}</Stat>}
            {p.waits_until && <Stat label={t.waits}><Time at={p.waits_until} /></Stat>}
          </dl>
          <Splits done={done} all={all} now={run.status === 'running'} label={t.ofSplits(num(done), num(all))} strip={tables?.flatMap((x) => x.strip)} />
          {going && <Throughput progress={p} />}
        </div>
      )}
      {tables && <Outcome run={run} tables={tables} again={may('run.start') && run.fingerprint === fingerprint && run.status !== 'abandoned'} />}
      {tables ? <Tables tables={tables} run={run} /> : query.isPending ? <SkeletonRows rows={5} columns={6} /> : <Empty title={t.tables} action={<ButtonLink to="/guard/log" search={{ from: String(run.started_at), to: run.ended_at ? String(run.ended_at + 1) : undefined } as never}>{t.openLedger}</ButtonLink>}>{t.noResults}</Empty>}
      {chosen && <TableDetail state={chosen} report={inReport(report, chosen.table)} run={run.id} />}
      {asking && <UndoDialog run={run} what={asking} loaded={tables ? sum(tables).counts.loaded : 0} onClose={() => setAsking(null)} />}
      <div className="columns two">
        <Section title={t.facts}>
          <dl className="facts">
            <dt>{t.run}</dt><dd><Id id={run.id} keep={12} /></dd>
            <dt>{t.fingerprint}</dt><dd><Id id={run.fingerprint} keep={16} /></dd>
            <dt>{t.started}</dt><dd><Time at={run.started_at} /></dd>
            {run.ended_at && <><dt>{t.took}</dt><dd>{span((run.ended_at - run.started_at) / 1e6)}</dd></>}
            <dt>{t.jobs}</dt><dd>{num(run.jobs)}</dd>
          </dl>
        </Section>
        <Section title={t.stores}>
          <dl className="facts">{Object.entries(run.stores).map(([store, identity]) => [<dt key={store}>{store}</dt>, <dd key={`${store}i`} className="mono">{identity}</dd>])}</dl>
        </Section>
      </div>
    </>
  );
}

function Tables({ tables, run }: { tables: readonly TableState[]; run: RunDetail }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const { counts, unread } = sum(tables);
  const used = DISPOSITIONS.filter((d) => d === 'loaded' || d === 'quarantined' || tables.some((x) => x.counts[d] > 0));
  const link = (x: TableState) => ({ to: '/runs/$run' as const, params: { run: run.id }, search: { table: x.table } });
  const columns: Column<TableState>[] = [
    { key: 'table', head: t.table, cell: (x) => <Link {...link(x)} className="opens nowrap"><b>{x.table}</b></Link> },
    { key: 'read', head: t.read, num: true, cell: (x) => <Num n={total(x.counts)} {...link(x)} /> },
    ...used.map((d) => ({ key: d, head: <span className="row" style={{ justifyContent: 'flex-end', gap: 6 }}><Swatch of={d} />{c[d]}</span>, num: true, cell: (x: TableState) => d === 'quarantined' ? <Num n={x.counts[d]} to="/data" search={{ table: x.table }} /> : <Num n={x.counts[d]} {...link(x)} /> })),
    { key: 'share', head: t.share, width: '30%', cell: (x) => <div className="share-cell"><DispositionBar counts={x.counts} unread={x.unread} size="thin" /></div> },
    ...(tables.some((x) => x.splits > 0) ? [{ key: 'splits', head: t.splits, num: true, cell: (x: TableState) => t.ofSplits(num(x.splitsDone), num(x.splits)) }] : []),
    { key: 'proof', head: t.proof, cell: (x) => x.known?.problem ? <b className="bad nowrap"><Icon name="warn" /> {t.notMoved}</b> : x.reconciled === null ? <span className="muted nowrap"><Icon name="clock" /> {t.pending}</span> : x.reconciled && !unsound(x) ? <span className="good nowrap"><Icon name="check" /> {t.reconciled}</span> : <b className="bad nowrap"><Icon name="warn" /> {t.differs}</b> },
  ];
  return (
    <Section title={t.tables} sub={t.tablesSub}>
      <EquationBar counts={counts} unread={unread} />
      <div style={{ height: 12 }} />
      <Table label={t.tables} rows={tables} columns={columns} id={(x) => x.table} flag={(x) => x.reconciled === false || unsound(x) || Boolean(x.known?.problem)} />
    </Section>
  );
}

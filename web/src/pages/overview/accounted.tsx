// The equation over all tables, its proof, and the tables one by one.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { sum, unsound, type TableState } from '@/app/results';
import type { RunDetail } from '@/api/types';
import { useMessages } from '@/i18n';
import { num, pct, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { overview as en } from '@/messages/overview.en';
import { DispositionBar, EquationBar, EquationSum, Icon, Link, Num, ProblemView, Table, total, type Column, type Disposition } from '@/ui';

/** Where the rows of a disposition can be looked at. */
const opens = (run: string) => ({
  read: { to: '/runs/$run', params: { run } }, loaded: { to: '/runs/$run', params: { run } }, quarantined: { to: '/data' },
  merged: { to: '/runs/$run', params: { run } }, excluded: { to: '/runs/$run', params: { run } }, erased: { to: '/runs/$run', params: { run } },
}) as Record<Disposition | 'read', { to: string; params?: object }>;

export function Accounted({ run, tables, query, shape }: { run: RunDetail; tables: TableState[] | null; query: UseQueryResult<unknown>; shape: ReactNode }) {
  const t = useMessages(en);
  const c = useMessages(common);
  if (!tables) return query.isError ? <ProblemView error={query.error} retry={() => void query.refetch()} /> : <>{shape}</>;
  const { counts, unread } = sum(tables);
  const read = total(counts);
  const wrong = tables.filter((x) => x.reconciled === false || unsound(x));
  const going = run.status !== 'done' && (unread > 0 || read === 0);
  const finding = going ? t.moving(pct(read / Math.max(1, read + unread)))
    : wrong.length ? t.notReconciled(wrong.length)
      : counts.quarantined ? t.allAccountedWaiting(num(counts.quarantined)) : t.allAccounted;
  const known = tables.flatMap((x) => (x.known ? [x.known] : []));
  const reasons = new Set(known.flatMap((k) => Object.keys(k.reasons).map((r) => k.table + r))).size;
  const verified = known.length > 0 && known.every((k) => k.verified_at) ? Math.max(...known.map((k) => k.verified_at ?? 0)) : null;
  const settled = tables.length > 0 && tables.every((x) => x.reconciled !== null);
  const rehearsal = run.kind !== 'load';
  const newest = Math.max(-1, ...known.map((k) => k.entry ?? -1));
  return (
    <section aria-labelledby="finding">
      <div className="finding-head">
        <h2 className="finding" id="finding">{finding}</h2>
        <span className="small muted">
          <Link to="/runs/$run" params={{ run: run.id }} className="link">{rehearsal ? t.rehearsalWhen(when(run.started_at)) : t.runWhen(when(run.started_at))}</Link>
          {run.status === 'done' && !rehearsal && <> · {verified ? t.verifiedAt(when(verified)) : t.notVerified}</>}
        </span>
        <Link to="/data/reconciliation" className="link small push">{t.asTable}</Link>
      </div>
      <EquationBar counts={counts} unread={unread} />
      <EquationSum counts={counts} read={read} opens={opens(run.id) as never as Parameters<typeof EquationSum>[0]['opens']} notes={{
        read: t.readSub(tables.length), loaded: settled && !wrong.length && !rehearsal ? t.loadedSub(num(counts.loaded)) : '', quarantined: reasons && counts.quarantined ? t.quarantinedSub(reasons) : '',
        merged: counts.merged ? t.mergedSub : '', excluded: counts.excluded ? t.excludedSub : '', erased: counts.erased ? t.erasedSub : '',
      }} />
      <div className="proofs">
        {settled && !wrong.length && <>
          <span className="good"><Icon name="check" /><b>{t.countsBalance}</b></span>
          {!rehearsal && <span className="good"><Icon name="check" /><b>{t.hashesBalance}</b></span>}
        </>}
        {wrong.some((x) => x.reconciled === false) && <span className="bad"><Icon name="warn" /><b>{t.hashesDiffer}</b></span>}
        {!settled && <span className="muted"><Icon name="clock" />{t.pending}</span>}
        <Link to="/guard/log" search={(newest >= 0 ? { entry: String(newest) } : { kind: 'table_reconciled,verified' }) as never} className="link push">{t.proofLink}</Link>
      </div>
      <Tables tables={tables} run={run.id} words={{ t, c }} />
    </section>
  );
}

function Tables({ tables, run, words: { t, c } }: { tables: readonly TableState[]; run: string; words: { t: typeof en; c: typeof common } }) {
  const link = (x: TableState) => ({ to: '/runs/$run' as const, params: { run }, search: { table: x.table } });
  const anyUnread = tables.some((x) => x.unread > 0);
  const used = (['merged', 'excluded', 'erased'] as const).filter((d) => tables.some((x) => x.counts[d] > 0));
  const columns: Column<TableState>[] = [
    { key: 'table', head: t.table, cell: (x) => <b className="nowrap">{x.table}</b> },
    { key: 'read', head: t.read, num: true, cell: (x) => <Num n={total(x.counts)} {...link(x)} label={`${t.read}, ${x.table}`} /> },
    { key: 'loaded', head: c.loaded, num: true, cell: (x) => <Num n={x.counts.loaded} {...link(x)} label={`${c.loaded}, ${x.table}`} /> },
    { key: 'quarantined', head: c.quarantined, num: true, cell: (x) => <Num n={x.counts.quarantined} to="/data" search={{ table: x.table }} label={`${c.quarantined}, ${x.table}`} /> },
    ...used.map((d) => ({ key: d, head: c[d], num: true, cell: (x: TableState) => <Num n={x.counts[d]} {...link(x)} label={`${c[d]}, ${x.table}`} /> })),
    ...(anyUnread ? [{ key: 'unread', head: t.notRead, num: true, cell: (x: TableState) => <Num n={x.unread} /> }] : []),
    { key: 'share', head: t.share, cell: (x) => <div className="share-cell"><DispositionBar counts={x.counts} unread={x.unread} size="thin" /></div>, width: '32%' },
    { key: 'proof', head: t.proof, cell: (x) => <Reconciled of={x.reconciled} t={t} entry={x.known?.entry ?? null} /> },
  ];
  return <div style={{ marginTop: 8 }}><Table label={t.asTable} rows={tables} columns={columns} id={(x) => x.table} flag={(x) => x.reconciled === false} /></div>;
}

function Reconciled({ of, t, entry }: { of: boolean | null; t: typeof en; entry: number | null }) {
  if (of === null) return <span className="muted nowrap"><Icon name="clock" /> {t.pending}</span>;
  const word = of ? t.reconciled : t.differs;
  return <span className={`${of ? 'good' : 'bad'} nowrap`}><Icon name={of ? 'check' : 'warn'} /> {entry === null ? word : <Link to="/guard/log" search={{ entry: String(entry) } as never} className="link">{word}</Link>}</span>;
}

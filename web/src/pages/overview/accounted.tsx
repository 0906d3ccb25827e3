// The equation over all tables, its proof, and the tables one by one.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ofProgress, ofReport, reportTime, sum, type TableState } from '@/app/results';
import type { Report, RunDetail } from '@/api/types';
import { useMessages } from '@/i18n';
import { num, pct, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { overview as en } from '@/messages/overview.en';
import { overview as es } from '@/messages/overview.es';
import { DispositionBar, EquationBar, EquationSum, Icon, Num, Table, total, type Column, type Disposition } from '@/ui';

/** Where the rows of a disposition can be looked at. */
const opens = (run: string) => ({
  read: { to: '/runs/$run', params: { run } }, loaded: { to: '/runs/$run', params: { run } }, quarantined: { to: '/data' },
  merged: { to: '/runs/$run', params: { run } }, excluded: { to: '/runs/$run', params: { run } }, erased: { to: '/runs/$run', params: { run } },
}) as Record<Disposition | 'read', { to: string; params?: object }>;

export function Accounted({ report, run, fallback }: { report: Report | undefined; run: RunDetail | undefined; fallback: ReactNode }) {
  const t = useMessages({ en, es });
  const c = useMessages(common);
  const live = run?.progress && run.status !== 'done' ? run.progress : null;
  const ofThis = report && (!live || report.run.id === run?.id) ? report : undefined;
  if (!live && !ofThis) return <>{fallback}</>;
  const tables = live ? ofProgress(live, run) : ofReport(ofThis as Report);
  const id = live?.run ?? ofThis?.run.id ?? '';
  const { counts, unread } = sum(tables);
  const read = total(counts);
  const wrong = tables.filter((x) => x.reconciled === false);
  const finding = live && unread > 0 ? t.moving(pct(read / (read + unread)))
    : wrong.length ? t.notReconciled(wrong.length)
      : counts.quarantined ? t.allAccountedWaiting(num(counts.quarantined)) : t.allAccounted;
  const reasons = ofThis?.tables.reduce((n, x) => n + x.quarantine.length, 0) ?? 0;
  const target = ofThis?.tables.reduce((n, x) => n + x.target_rows, 0);
  const links = opens(id) as never as Parameters<typeof EquationSum>[0]['opens'];
  const verified = reportTime(ofThis?.run.verified_at);
  const started = run && run.id === id ? run.started_at : reportTime(ofThis?.run.started_at);
  const settled = tables.every((x) => x.reconciled !== null);
  return (
    <section aria-labelledby="finding">
      <div className="finding-head">
        <h2 className="finding" id="finding">{finding}</h2>
        <span className="small muted">
          {started !== null && <Link to="/runs/$run" params={{ run: id }} className="link">{ofThis?.run.rehearsal || run?.kind === 'rehearse' ? t.rehearsalWhen(when(started)) : t.runWhen(when(started))}</Link>}
          {!live && <> · {verified ? t.verifiedAt(when(verified)) : t.notVerified}</>}
        </span>
        <Link to="/data/reconciliation" className="link small push">{t.asTable}</Link>
      </div>
      <EquationBar counts={counts} unread={unread} />
      <EquationSum counts={counts} read={read} opens={links} notes={{
        read: t.readSub(tables.length), loaded: target !== undefined ? t.loadedSub(num(target)) : '', quarantined: reasons ? t.quarantinedSub(reasons) : '',
        merged: t.mergedSub, excluded: t.excludedSub, erased: t.erasedSub,
      }} />
      <div className="proofs">
        {settled && !wrong.length && <>
          <span className="good"><Icon name="check" /><b>{t.countsBalance}</b></span>
          <span className="good"><Icon name="check" /><b>{t.hashesBalance}</b></span>
        </>}
        {wrong.length > 0 && <span className="bad"><Icon name="warn" /><b>{t.hashesDiffer}</b></span>}
        {!settled && <span className="muted"><Icon name="clock" />{t.pending}</span>}
        {ofThis && <span className="muted mono" title={ofThis.ledger.root}>ledger {ofThis.ledger.root.slice(0, 4)}·{ofThis.ledger.root.slice(4, 8)}</span>}
        <Link to="/guard/log" search={{ kind: 'table_reconciled,verified' } as never} className="link push">{t.proofLink}</Link>
      </div>
      <Tables tables={tables} run={id} words={{ t, c }} />
    </section>
  );
}

function Tables({ tables, run, words: { t, c } }: { tables: readonly TableState[]; run: string; words: { t: typeof en; c: typeof common.en } }) {
  const link = (x: TableState) => ({ to: '/runs/$run' as const, params: { run }, search: { table: x.table } });
  const anyUnread = tables.some((x) => x.unread > 0);
  const used = (['merged', 'excluded', 'erased'] as const).filter((d) => tables.some((x) => x.counts[d] > 0));
  const columns: Column<TableState>[] = [
    { key: 'table', head: t.table, cell: (x) => <b className="nowrap">{x.table}</b> },
    { key: 'read', head: t.read, num: true, cell: (x) => <Num n={total(x.counts)} {...link(x)} /> },
    { key: 'loaded', head: c.loaded, num: true, cell: (x) => <Num n={x.counts.loaded} {...link(x)} /> },
    { key: 'quarantined', head: c.quarantined, num: true, cell: (x) => <Num n={x.counts.quarantined} to="/data" search={{ table: x.table }} /> },
    ...used.map((d) => ({ key: d, head: c[d], num: true, cell: (x: TableState) => <Num n={x.counts[d]} {...link(x)} /> })),
    ...(anyUnread ? [{ key: 'unread', head: t.notRead, num: true, cell: (x: TableState) => <Num n={x.unread} /> }] : []),
    { key: 'share', head: t.share, cell: (x) => <div className="share-cell"><DispositionBar counts={x.counts} unread={x.unread} size="thin" /></div>, width: '32%' },
    { key: 'proof', head: t.proof, cell: (x) => <Reconciled of={x.reconciled} t={t} /> },
  ];
  return <div style={{ marginTop: 8 }}><Table label={t.asTable} rows={tables} columns={columns} id={(x) => x.table} flag={(x) => x.reconciled === false} /></div>;
}

function Reconciled({ of, t }: { of: boolean | null; t: typeof en }) {
  if (of === null) return <span className="muted nowrap"><Icon name="clock" /> {t.pending}</span>;
  return of ? <span className="good nowrap"><Icon name="check" /> {t.reconciled}</span> : <span className="bad nowrap"><b><Icon name="warn" /> {t.differs}</b></span>;
}


// What the columns of a table hold, read through the gate.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { raw } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { ProfileColumn } from '@/api/types';
import { useMessages } from '@/i18n';
import { dec, num, pct } from '@/i18n/format';
import { data as en } from '@/messages/data.en';
import { Badge, Button, Choice, Drawer, Empty, Masked, ProblemView, SkeletonRows, Table, type Column, type Tone } from '@/ui';
import { DataFrame } from './frame';

const CLASSES: Record<string, Tone | undefined> = { secret: 'bad', sensitive: 'warn', personal: 'info' };

export function ProfilePage() {
  const t = useMessages(en);
  const tables = useQuery(planQuery).data?.data.plan?.tables ?? [];
  const [table, setTable] = useState('');
  const [opened, setOpened] = useState<ProfileColumn | null>(null);
  const [side, setSide] = useState<'source' | 'target'>('source');
  const chosen = table || tables[0]?.to || '';
  const read = useMutation({
    mutationFn: async () => (await raw('/api/v1/data/profile', { method: 'POST', body: JSON.stringify({ table: chosen, side }), headers: { 'content-type': 'application/json' } })).json() as Promise<{ columns: ProfileColumn[] }>,
  });
  const columns: Column<ProfileColumn>[] = [
    { key: 'column', head: t.column, cell: (c) => <><button type="button" className="opens" onClick={() => setOpened(c)}><b>{c.column}</b></button> <span className="small muted">{c.type}</span></> },
    { key: 'patterns', head: t.patterns, cell: (c) => <Spark of={c.patterns} rows={c.rows} /> },
    { key: 'kind', head: t.kind, cell: (c) => c.kind ? <Badge title={c.confidence !== null ? pct(c.confidence, 0) : undefined}>{c.kind}</Badge> : <span className="muted">–</span> },
    { key: 'class', head: t.class, cell: (c) => c.class ? <Badge tone={CLASSES[c.class]} icon={CLASSES[c.class] ? 'lock' : undefined}>{c.class}</Badge> : <span className="muted">–</span> },
    { key: 'filled', head: t.filled, num: true, width: '140px', cell: (c) => { const share = c.rows ? (c.rows - c.nulls - c.unknowns) / c.rows : 0; return <span className="row" style={{ justifyContent: 'flex-end' }}><span className="track" aria-hidden="true"><i style={{ width: `${share * 100}%` }} /></span><span>{pct(share, 1)}</span></span>; } },
    { key: 'nulls', head: t.nulls, num: true, cell: (c) => num(c.nulls) },
    { key: 'unknowns', head: t.unknowns, num: true, cell: (c) => num(c.unknowns) },
    { key: 'distinct', head: t.distinct, num: true, cell: (c) => c.distinct === null ? '–' : num(c.distinct) },
    { key: 'findings', head: t.findings, cell: (c) => c.findings.map((f, i) => <span key={i} className="small">{i > 0 && '; '}{typeof f === 'string' ? f : [f.message, f.rows !== undefined ? `(${num(f.rows)})` : ''].filter(Boolean).join(' ')}</span>) },
  ];
  return (
    <DataFrame>
      <div className="log-filter">
        <Choice label={t.table} value={chosen} onChange={(e) => setTable(e.target.value)} options={tables.map((x) => ({ value: x.to, label: x.to }))} />
        <Choice label={t.side} value={side} onChange={(e) => setSide(e.target.value as 'source' | 'target')} options={[{ value: 'source', label: t.sideSource }, { value: 'target', label: t.sideTarget }]} />
        <Button kind="primary" disabled={!chosen || read.isPending} onClick={() => read.mutate()}>{read.isPending ? t.profileBusy : t.profileRun}</Button>
      </div>
      {read.isIdle && <Empty title={t.profileEmpty}>{t.profileText}</Empty>}
      {read.isPending && <SkeletonRows rows={10} columns={6} />}
      {read.isError && <ProblemView error={read.error} retry={() => read.mutate()} />}
      {read.data && <Table label={t.profileTitle} rows={read.data.columns} columns={columns} id={(c) => c.column} />}
      {opened && <ColumnDrawer column={opened} onClose={() => setOpened(null)} />}
    </DataFrame>
  );
}

/** The commonest shapes of a column's values as bars, the commonest first. */
function Spark({ of, rows }: { of: ProfileColumn['patterns']; rows: number }) {
  const top = Math.max(1, ...of.map((p) => p.rows));
  const said = of.slice(0, 8).map((p) => `${p.text} ${pct(p.rows / Math.max(1, rows), 0)}`).join(', ');
  return <span className="spark" role="img" aria-label={said} title={said}>{of.slice(0, 12).map((p) => <i key={p.text} style={{ height: `${Math.max(8, (p.rows / top) * 100)}%` }} />)}</span>;
}

function Bars({ title, items, rows, masked }: { title: string; items: readonly { text: string; rows: number }[]; rows: number; masked?: boolean }) {
  if (items.length === 0) return null;
  return (
    <div><h3>{title}</h3>
      <table className="table"><caption className="vh">{title}</caption><tbody>{items.map((x) => (
        <tr key={x.text}><td>{masked ? <Masked>{x.text}</Masked> : <code className="code">{x.text}</code>}</td><td style={{ width: '45%' }}><span className="track" style={{ width: '100%' }} aria-hidden="true"><i style={{ width: `${(x.rows / Math.max(1, rows)) * 100}%` }} /></span></td><td className="num">{num(x.rows)}</td></tr>
      ))}</tbody></table></div>
  );
}

/** One column: its shapes, its commonest values under their masks, its ends. */
function ColumnDrawer({ column: c, onClose }: { column: ProfileColumn; onClose: () => void }) {
  const t = useMessages(en);
  return (
    <Drawer title={`${c.table}: ${c.column}`} onClose={onClose}>
      <dl className="facts">
        <dt>{t.type}</dt><dd>{c.type}</dd>
        {c.kind && <><dt>{t.kind}</dt><dd>{c.kind}{c.confidence !== null && ` (${pct(c.confidence, 0)})`}</dd></>}
        <dt>{t.rows}</dt><dd>{num(c.rows)}</dd>
        <dt>{t.nulls}</dt><dd>{num(c.nulls)}</dd>
        {c.min !== null && <><dt>{t.least}</dt><dd><Masked>{c.min}</Masked></dd></>}
        {c.max !== null && <><dt>{t.greatest}</dt><dd><Masked>{c.max}</Masked></dd></>}
        {c.length && <><dt>{t.length}</dt><dd>{t.lengthSay(num(c.length.min), dec(c.length.mean), num(c.length.max))}</dd></>}
      </dl>
      <Bars title={t.patterns} items={c.patterns} rows={c.rows} />
      <Bars title={t.commonest} items={c.top} rows={c.rows} masked />
    </Drawer>
  );
}

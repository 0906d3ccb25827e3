// What the columns of a table hold, read through the gate.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { raw } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { ProfileColumn, ProfileDrift, Profiled, ProfileReference } from '@/api/types';
import { useMessages } from '@/i18n';
import { dec, num, pct } from '@/i18n/format';
import { profile as more } from '@/messages/profile.en';
import { data as en } from '@/messages/data.en';
import { Badge, Button, Choice, Drawer, Empty, Link, Masked, ProblemView, Section, SkeletonRows, Table, Time, type Column, type Tone } from '@/ui';
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
    mutationFn: async () => (await raw('/api/v1/data/profile', { method: 'POST', body: JSON.stringify({ table: chosen, side }), headers: { 'content-type': 'application/json' } })).json() as Promise<Profiled>,
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
      {read.data && <div className="stack" style={{ gap: 28 }}>
        <DriftPart of={read.data} />
        <Table label={t.profileTitle} rows={read.data.columns} columns={columns} id={(c) => c.column} />
        <ReferencesPart references={read.data.references ?? []} />
        <LoadPart load={read.data.load} />
      </div>}
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
  const m = useMessages(more);
  return (
    <Drawer title={`${c.table}: ${c.column}`} onClose={onClose}>
      <dl className="facts">
        <dt>{t.type}</dt><dd>{c.type}</dd>
        {c.kind && <><dt>{t.kind}</dt><dd>{c.detail && c.detail !== c.kind ? `${c.kind}: ${c.detail}` : c.kind}{c.confidence !== null && ` (${pct(c.confidence, 0)})`}</dd></>}
        {c.class && <><dt>{t.class}</dt><dd>{c.class}</dd></>}
        <dt>{t.rows}</dt><dd>{num(c.rows)}</dd>
        <dt>{t.filled}</dt><dd>{pct(c.rows ? (c.rows - c.nulls - c.unknowns) / c.rows : 0, 1)}</dd>
        <dt>{t.nulls}</dt><dd>{num(c.nulls)}</dd>
        <dt>{t.unknowns}</dt><dd>{num(c.unknowns)}</dd>
        {c.distinct !== null && <><dt>{t.distinct}</dt><dd>{num(c.distinct)}</dd></>}
        {c.min !== null && <><dt>{t.least}</dt><dd><Masked>{c.min}</Masked></dd></>}
        {c.max !== null && <><dt>{t.greatest}</dt><dd><Masked>{c.max}</Masked></dd></>}
        {c.length && <><dt>{t.length}</dt><dd>{t.lengthSay(num(c.length.min), dec(c.length.mean), num(c.length.max))}</dd></>}
      </dl>
      <Spread numbers={c.numbers} rows={c.rows - c.nulls - c.unknowns} />
      <Lines title={m.evidence} lines={c.evidence.map(String)} />
      <Lines title={t.findings} lines={c.findings.map((f) => (typeof f === 'string' ? f : f.message ?? ''))} />
      <Bars title={t.patterns} items={c.patterns} rows={c.rows} />
      <Bars title={t.commonest} items={c.top} rows={c.rows} masked />
    </Drawer>
  );
}

/** What is not as it was, or not as the plan has it. */
function DriftPart({ of }: { of: Profiled }) {
  const m = useMessages(more);
  const drift = of.drift ?? [];
  const since = of.compared_with;
  if (drift.length === 0) return since === undefined ? null : <p className="good"><Badge tone="good" icon="check">{m.noDrift}</Badge> <span className="small muted">{m.since} <Time at={since} /></span></p>;
  return (
    <Section title={m.drift(drift.length)} sub={m.driftSub}>
      {since !== undefined && <p className="small muted" style={{ marginBottom: 8 }}>{m.since} <Time at={since} /></p>}
      <Table label={m.driftLabel} rows={drift} id={(d: ProfileDrift) => `${d.column} ${d.drift} ${d.message}`} columns={[
        { key: 'column', head: m.column, cell: (d) => <b>{d.column}</b> },
        { key: 'drift', head: m.what, cell: (d) => <Badge tone="warn" icon="warn">{m.drifts[d.drift] ?? d.drift}</Badge> },
        { key: 'message', head: m.told, cell: (d) => d.message },
      ]} />
    </Section>
  );
}

/** References, with what leads nowhere. */
function ReferencesPart({ references }: { references: readonly ProfileReference[] }) {
  const m = useMessages(more);
  if (references.length === 0) return null;
  return (
    <Section title={m.references} sub={m.referencesSub}>
      <Table label={m.references} rows={references} id={(r) => `${r.columns.join()} ${r.to}`} flag={(r) => r.broken > 0} columns={[
        { key: 'from', head: m.from, cell: (r) => <b>{r.columns.join(', ')}</b> },
        { key: 'to', head: m.to, cell: (r) => <code className="code">{r.to}({r.key.join(', ')})</code> },
        { key: 'by', head: m.knownBy, cell: (r) => (r.declared ? m.declared : m.guessed) },
        { key: 'rows', head: m.refer, num: true, cell: (r) => num(r.rows) },
        { key: 'broken', head: m.nowhere, num: true, cell: (r) => (r.broken === 0 ? <Badge tone="good" icon="check">0</Badge> : <Badge tone="bad" icon="warn">{num(r.broken)} ({pct(r.share, 1)})</Badge>) },
      ]} />
    </Section>
  );
}

/** How busy the source is: what is known, and where to see it hour by hour. */
function LoadPart({ load }: { load: Profiled['load'] }) {
  const m = useMessages(more);
  if (!load) return null;
  const known = load.load_by_hour.flatMap((busy, hour) => (busy === null ? [] : [{ busy, hour }]));
  const ends = [...known].sort((a, b) => a.busy - b.busy);
  const say = (at: { busy: number; hour: number } | undefined) => at && m.hour(m.days[Math.floor(at.hour / 24)] ?? '', `${String(at.hour % 24).padStart(2, '0')}:00`, dec(at.busy));
  return (
    <Section title={m.load} sub={m.loadSub(num(load.hours_known), load.zone)}>
      <dl className="facts">
        <dt>{m.busiest}</dt><dd>{say(ends.at(-1))}</dd>
        <dt>{m.quietest}</dt><dd>{say(ends[0])}</dd>
      </dl>
      <p style={{ marginTop: 8 }}><Link to="/work/hours" className="link">{m.hours}</Link></p>
    </Section>
  );
}

/** How numbers or days lie between their first and last percent. */
function Spread({ numbers, rows }: { numbers: ProfileColumn['numbers']; rows: number }) {
  const m = useMessages(more);
  if (!numbers) return null;
  const top = Math.max(1, ...numbers.histogram);
  const at = (share: number) => numbers.quantiles.find((q) => q.at === share)?.value ?? '–';
  const said = m.spreadSay(at(0.01), at(0.5), at(0.99));
  return (
    <div>
      <h3>{m.spread}</h3>
      <svg className="histogram" viewBox="0 0 240 60" role="img" aria-label={`${m.spread}: ${said}`} preserveAspectRatio="none">
        {numbers.histogram.map((n, i) => { const height = n > 0 ? Math.max(1, (n / top) * 60) : 0; return <rect key={i} x={i * 12} y={60 - height} width={10} height={height}><title>{m.bar(num(n), pct(n / Math.max(1, rows), 1))}</title></rect>; })}
      </svg>
      <p className="small muted">{said}</p>
      <table className="table"><caption className="vh">{m.quantiles}</caption><thead><tr><th>{m.quantile}</th><th className="num">{m.value}</th></tr></thead><tbody>{numbers.quantiles.map((q) => <tr key={q.at}><td>{pct(q.at, 0)}</td><td className="num">{q.value}</td></tr>)}</tbody></table>
    </div>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }) {
  if (lines.length === 0) return null;
  return <div><h3>{title}</h3><ul className="plain-list">{lines.map((line) => <li key={line}>{line}</li>)}</ul></div>;
}

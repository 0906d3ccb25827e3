// The rows in which the two sides of a table differ, as a verification found them; their keys through the gate.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemError, raw } from '@/api/client';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { exporting as en } from '@/messages/export.en';
import { Badge, Button, Drawer, Masked, ProblemView, Skeleton, Table, type Column } from '@/ui';
import { WhyDialog, type Why } from './opened';

interface Difference { key: Record<string, string>; kind: 'missing' | 'extra' | 'changed'; columns: string[] }

const TONES = { missing: 'bad', extra: 'warn', changed: 'info' } as const;

export function DifferencesDrawer({ verification, table, count, onClose }: { verification: string; table: string; count: number; onClose: () => void }) {
  const t = useMessages(en);
  const [asking, setAsking] = useState(false);
  const [clear, setClear] = useState(false);
  const open = useMutation({
    mutationFn: async (why: Why | null) => (await raw(`/api/v1/verifications/${verification}/differences`, {
      method: 'POST', headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ table, clear: Boolean(why), purpose: why ? { category: why.category, text: why.text } : undefined, task: why?.task || undefined }),
    })).json() as Promise<{ differences: Difference[] }>,
  });
  const look = (why: Why | null) => { setAsking(false); setClear(Boolean(why)); open.mutate(why); };
  const gone = open.error instanceof ProblemError && open.error.problem.status === 404;
  const columns: Column<Difference & { at: number }>[] = [
    { key: 'key', head: t.key, cell: (d) => Object.entries(d.key).map(([name, value]) => <span key={name} className="row nowrap"><span className="muted small">{name}</span>{clear ? <code className="code">{value}</code> : <Masked>{value}</Masked>}</span>) },
    { key: 'kind', head: t.kind, cell: (d) => <Badge tone={TONES[d.kind]} icon={d.kind === 'changed' ? 'pencil' : d.kind === 'extra' ? 'plus' : 'minus'}>{t.kinds[d.kind] ?? d.kind}</Badge> },
    { key: 'columns', head: t.columns, cell: (d) => <span className="code">{d.columns.join(', ')}</span> },
  ];
  const found = open.data?.differences ?? [];
  const kinds = (['missing', 'extra', 'changed'] as const).map((kind) => ({ kind, n: found.filter((d) => d.kind === kind).length })).filter((x) => x.n > 0);
  return (
    <Drawer title={t.differTitle(table)} onClose={onClose} wide>
      <p><b>{t.differ(num(count))}</b></p>
      <p className="muted">{t.differText}</p>
      <div className="row wrap">
        <Button kind="primary" icon="table" disabled={open.isPending} onClick={() => look(null)}>{t.differOpen}</Button>
        <Button icon="eye" disabled={open.isPending} onClick={() => setAsking(true)}>{t.differClear}</Button>
      </div>
      {open.isPending && <Skeleton height={160} />}
      {gone ? <p className="note" role="status">{count > 0 ? t.differGone : t.differNone}</p> : open.isError && <ProblemView error={open.error} />}
      {open.data && (found.length === 0 ? <p className="muted" role="status">{t.differNone}</p> : (
        <div>
          <p className="muted" style={{ marginBottom: 8 }} role="status">{kinds.map((x) => t.counts(num(x.n), t.kinds[x.kind] ?? x.kind)).join(' · ')}{found.length < count && ` · ${t.shown(num(found.length), num(count))}`}</p>
          <Table label={t.differTitle(table)} rows={found.map((d, at) => ({ ...d, at }))} columns={columns} id={(d) => String(d.at)} />
        </div>
      ))}
      {asking && <WhyDialog onClose={() => setAsking(false)} onAsk={look} />}
    </Drawer>
  );
}

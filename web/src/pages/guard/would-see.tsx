// "What would this person see?": asks the same code as the gate.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { WouldSee } from '@/api/types';
import { useMessages } from '@/i18n';
import { guard as en } from '@/messages/guard.en';
import { Badge, Button, Check, Choice, Field, ProblemView, Section, Table, type Column } from '@/ui';
import { useIf } from '@/app/session';

export function WouldSeeSection({ person }: { person: string }) {
  const t = useMessages(en);
  const tables = useIf('plan.read', planQuery).data?.data.plan?.tables.map((x) => x.to) ?? [];
  const [table, setTable] = useState('');
  const [action, setAction] = useState('read_masked');
  const [task, setTask] = useState('');
  const [purpose, setPurpose] = useState(true);
  const chosen = table || tables[0] || '';
  const ask = useMutation({ mutationFn: () => body<WouldSee>(api.POST('/api/v1/people/{person}/would-see', { params: { path: { person } }, body: { table: chosen, action, purpose, task: task || undefined } as never })) });
  const columns: Column<WouldSee['columns'][number]>[] = [
    { key: 'column', head: t.columnWord, cell: (c) => <b>{c.column}</b> },
    { key: 'class', head: t.classWord, cell: (c) => c.class },
    { key: 'shown', head: t.state, cell: (c) => <Badge tone={c.shown === 'clear' ? 'warn' : c.shown === 'hidden' ? undefined : 'info'} icon={c.shown === 'clear' ? 'eye' : 'lock'}>{t.shown[c.shown] ?? c.shown}{c.mask ? `: ${c.mask}` : ''}</Badge> },
    { key: 'why', head: t.why, cell: (c) => <span className="muted">{c.why}</span> },
  ];
  return (
    <Section title={t.wouldSee} sub={t.wouldSeeText}>
      <form className="log-filter" onSubmit={(e) => { e.preventDefault(); ask.mutate(); }}>
        <Choice label={t.wouldSeeTable} value={chosen} onChange={(e) => setTable(e.target.value)} options={tables.map((x) => ({ value: x, label: x }))} />
        <Choice label={t.wouldSeeAction} value={action} onChange={(e) => setAction(e.target.value)} options={Object.entries(t.actionWords).map(([value, label]) => ({ value, label }))} />
        <Field label={t.wouldSeeTask} value={task} onChange={(e) => setTask(e.target.value)} />
        <Check label={t.wouldSeePurpose} checked={purpose} onChange={(e) => setPurpose(e.target.checked)} />
        <Button type="submit" disabled={!chosen || ask.isPending}>{t.wouldSeeAsk}</Button>
      </form>
      {ask.isError && <ProblemView error={ask.error} />}
      {ask.data?.refused && <p className="note warn-note" style={{ marginBottom: 12 }}>{ask.data.refused}{ask.data.help && <><br /><span className="muted">{ask.data.help}</span></>}</p>}
      {ask.data && <Table label={t.wouldSee} rows={ask.data.columns} columns={columns} id={(c) => c.column} />}
    </Section>
  );
}

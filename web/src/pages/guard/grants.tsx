// Grants: more than the role says, on one table, for one task.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { grantsQuery, peopleQuery, planQuery } from '@/api/queries';
import type { Grant } from '@/api/types';
import { useActorName } from '@/app/people';
import { useMay, useMe } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { data as dataEn } from '@/messages/data.en';
import { guard as en } from '@/messages/guard.en';
import { Area, Badge, Button, Choice, Dialog, Field, Loaded, Table, Time, type Column } from '@/ui';
import { GuardFrame } from './frame';

export function GrantsPage() {
  const t = useMessages(en);
  const name = useActorName();
  const me = useMe();
  const may = useMay();
  const client = useQueryClient();
  const query = useQuery(grantsQuery);
  const [opening, setOpening] = useState(false);
  const after = (text: string) => () => { toast(text); void client.invalidateQueries({ queryKey: ['grants'] }); };
  const at = (grant: string) => ({ params: { path: { grant } } });
  const agree = (g: Grant) => void body(api.POST('/api/v1/grants/{grant}/agree', at(g.id))).then(after(t.agreed), toastProblem);
  const giveBack = (g: Grant) => void body(api.POST('/api/v1/grants/{grant}/give-back', at(g.id))).then(after(t.givenBack), toastProblem);
  const close = (g: Grant) => void body(api.POST('/api/v1/grants/{grant}/close', at(g.id))).then(after(t.grantClosed), toastProblem);
  const columns: Column<Grant>[] = [
    { key: 'who', head: t.person, cell: (g) => <b>{name(g.person)}</b> },
    { key: 'may', head: t.grantMay, cell: (g) => t.actionWords[g.action] ?? g.action },
    { key: 'table', head: t.grantTable, cell: (g) => <>{g.table}<span className="small muted">{g.columns?.length ? `: ${g.columns.join(', ')}` : ''}</span></> },
    { key: 'task', head: t.grantTask, cell: (g) => <>{g.task}<br /><span className="small muted">{g.purpose_category}</span></> },
    { key: 'by', head: t.stoodBy, cell: (g) => [g.opened_by, ...g.agreements.map((x) => x.person)].filter((x, i, all) => all.indexOf(x) === i).map(name).join(', ') },
    { key: 'until', head: t.until, cell: (g) => g.closed_at ? <Badge icon="close">{t.closedState}</Badge> : g.until ? <Time at={g.until} /> : <span className="muted">–</span> },
    { key: 'do', head: <span className="vh">{t.actions}</span>, num: true, cell: (g) => g.closed_at ? null : <span className="row" style={{ justifyContent: 'flex-end' }}>{g.opened_by !== me?.person && g.person !== me?.person && !g.agreements.some((x) => x.person === me?.person) && <Button small onClick={() => agree(g)}>{t.agree}</Button>}{g.person === me?.person && <Button small onClick={() => giveBack(g)}>{t.giveBack}</Button>}{may('grants.close') && <Button small onClick={() => close(g)} aria-label={`${t.closeGrant}: ${name(g.person)}, ${g.table}`}>{t.closeGrant}</Button>}</span> },
  ];
  return (
    <GuardFrame actions={may('grants.open') && <Button kind="primary" icon="plus" onClick={() => setOpening(true)}>{t.newGrant}</Button>}>
      <Loaded query={query}>
        {(list) => {
          const sorted = [...list.items].sort((a, b) => Number(Boolean(a.closed_at)) - Number(Boolean(b.closed_at)) || b.opened_at - a.opened_at);
          return <><div className="finding-head"><h2 className="finding">{t.grants(list.items.filter((g) => !g.closed_at).length)}</h2></div><p className="muted" style={{ marginBottom: 12, maxWidth: '80ch' }}>{t.grantsText}</p>{sorted.length > 0 && <Table label={t.tabGrants} rows={sorted} columns={columns} id={(g) => g.id} />}</>;
        }}
      </Loaded>
      {opening && <OpenGrant onClose={() => setOpening(false)} />}
    </GuardFrame>
  );
}

function OpenGrant({ onClose }: { onClose: () => void }) {
  const t = useMessages(en);
  const d = useMessages(dataEn);
  const c = useMessages(common);
  const client = useQueryClient();
  const people = useQuery(peopleQuery).data?.items ?? [];
  const plan = useQuery(planQuery).data?.data.plan;
  const [form, setForm] = useState({ person: '', task: '', action: 'read', table: '', columns: '', until: '', category: 'support', text: '' });
  const set = (key: keyof typeof form) => (e: { target: { value: string } }) => setForm({ ...form, [key]: e.target.value });
  const table = form.table || plan?.tables[0]?.to || '';
  const person = form.person || people[0]?.id || '';
  const open = useMutation({
    mutationFn: () => body(api.POST('/api/v1/grants', { body: {
      person, task: form.task, action: form.action, store: table.split('.')[0] ?? '', table, columns: form.columns ? form.columns.split(',').map((x) => x.trim()).filter(Boolean) : undefined,
      until: form.until ? Date.parse(`${form.until}T23:59:59`) * 1000 : undefined, purpose_category: form.category, purpose_text: form.text.trim(),
    } })),
    onSuccess: () => { toast(t.grantOpened); void client.invalidateQueries({ queryKey: ['grants'] }); onClose(); },
    onError: toastProblem,
  });
  const ready = person && table && form.task.trim() && form.text.trim();
  return (
    <Dialog title={t.grantTitle} onClose={onClose} onSubmit={() => { if (ready) open.mutate(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!ready || open.isPending}>{t.grantOpen}</Button></>}>
      <Choice label={t.grantFor} value={person} onChange={set('person')} options={people.map((p) => ({ value: p.id, label: p.organisation ? `${p.name} (${p.organisation})` : p.name || p.email }))} />
      <Choice label={t.grantMay} value={form.action} onChange={set('action')} options={Object.entries(t.actionWords).map(([value, label]) => ({ value, label }))} />
      <Choice label={t.grantTable} value={table} onChange={set('table')} options={(plan?.tables ?? []).map((x) => ({ value: x.to, label: x.to }))} />
      <Field label={t.grantColumns} hint={t.grantColumnsHint} value={form.columns} onChange={set('columns')} />
      <Field label={t.grantTask} value={form.task} onChange={set('task')} />
      <Field label={t.until} type="date" value={form.until} onChange={set('until')} />
      <Choice label={t.category} value={form.category} onChange={set('category')} options={Object.entries(d.categories).map(([value, label]) => ({ value, label }))} />
      <Area label={c.reasonText} hint={c.reasonTextHint} value={form.text} onChange={set('text')} />
    </Dialog>
  );
}

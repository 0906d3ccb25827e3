// Who stands for the plan as it is: approve, withdraw, and what came before.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { approvalsQuery, planHistoryQuery, planQuery } from '@/api/queries';
import type { Approval, PlanEvent } from '@/api/types';
import { useActorName } from '@/app/people';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { plan as en } from '@/messages/plan.en';
import { Badge, Button, Dialog, Id, Link, Loaded, More, Section, Table, Time, type Column } from '@/ui';
import { PlanFrame } from './frame';

export function PlanApprovalsPage() {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const name = useActorName();
  const may = useMay();
  const plan = useQuery(planQuery).data?.data;
  const query = useQuery(approvalsQuery);
  const [asking, setAsking] = useState<'approve' | 'void' | null>(null);
  const done = (text: string) => { setAsking(null); toast(text); void client.invalidateQueries({ queryKey: ['approvals'] }); };
  const approve = useMutation({ mutationFn: (fingerprint: string) => body(api.POST('/api/v1/plan/approve', { body: { fingerprint } })), onSuccess: () => done(t.approved), onError: (e) => { setAsking(null); toastProblem(e); } });
  const withdraw = useMutation({ mutationFn: (fingerprint: string) => body(api.POST('/api/v1/plan/void', { body: { fingerprint } })), onSuccess: () => done(t.voided), onError: (e) => { setAsking(null); toastProblem(e); } });
  const guarded = Object.values(plan?.plan?.stores ?? {}).some((s) => s.protected);
  const columns: Column<Approval>[] = [
    { key: 'by', head: t.by, cell: (a) => <b>{name(a.by)}</b> },
    { key: 'when', head: t.when, cell: (a) => <Time at={a.at} /> },
    { key: 'fp', head: t.fingerprint, cell: (a) => <Id id={a.fingerprint} keep={12} /> },
    { key: 'state', head: '', cell: (a) => a.voided_at ? <Badge icon="close">{t.voidedAt}</Badge> : <Badge tone="good" icon="check">{t.holds}</Badge> },
  ];
  const holds = query.data?.items.some((a) => !a.voided_at);
  return (
    <PlanFrame actions={plan?.fingerprint && <>
      {holds && may('plan.void') && <Button onClick={() => setAsking('void')}>{t.void}</Button>}
      {may('plan.approve') && <Button kind="primary" icon="check" onClick={() => setAsking('approve')}>{t.approve}</Button>}
    </>}>
      <p className={guarded ? 'note warn-note' : 'note'} style={{ marginBottom: 20 }}>{guarded ? t.approvalNeeded : t.approvalNotNeeded}</p>
      <Section title={t.approvals} sub={t.approvalsText}>
        <Loaded query={query}>{(list) => list.items.length === 0 ? <p className="muted">{t.noApprovals}</p> : <Table label={t.approvals} rows={list.items} columns={columns} id={(a) => a.by + a.at} />}</Loaded>
        <p className="small muted" style={{ marginTop: 12 }}>{t.requestText} <button type="button" className="link" onClick={() => void navigator.clipboard?.writeText(location.href).then(() => toast(c.copied))}>{t.copyAddress}</button></p>
      </Section>
      <div style={{ height: 28 }} />
      <Section title={t.history} sub={t.historyText}><History /><p style={{ marginTop: 8 }}><Link to="/guard/log" search={{ kind: 'plan_edited,plan_approved,approval_voided' } as never} className="link">{t.historyOpen}</Link></p></Section>
      {asking === 'approve' && plan?.plan && (
        <Dialog title={t.approveTitle} onClose={() => setAsking(null)} onSubmit={() => approve.mutate(plan.fingerprint ?? '')} foot={<><Button onClick={() => setAsking(null)}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={approve.isPending}>{t.approve}</Button></>}>
          <p>{t.approveSays(plan.plan.tables.length, Object.keys(plan.plan.stores).join(', '))}</p>
          <p className="row small"><span className="muted">{t.fingerprint}</span> <Id id={plan.fingerprint ?? ''} keep={24} /></p>
        </Dialog>
      )}
      {asking === 'void' && (
        <Dialog title={t.void} onClose={() => setAsking(null)} onSubmit={() => withdraw.mutate(plan?.fingerprint ?? '')} foot={<><Button onClick={() => setAsking(null)}>{c.cancel}</Button><Button kind="danger" solid type="submit" disabled={withdraw.isPending}>{t.void}</Button></>}>
          <p>{t.voidSays}</p>
        </Dialog>
      )}
    </PlanFrame>
  );
}

function History() {
  const t = useMessages(en);
  const name = useActorName();
  const query = useQuery(planHistoryQuery);
  const columns: Column<PlanEvent>[] = [
    { key: 'what', head: t.what, cell: (x) => <Badge tone={x.kind === 'approved' ? 'good' : x.kind === 'voided' ? 'warn' : undefined} icon={x.kind === 'approved' ? 'check' : x.kind === 'voided' ? 'close' : 'pencil'}>{t.kinds[x.kind]}</Badge> },
    { key: 'by', head: t.by, cell: (x) => name(x.by) },
    { key: 'when', head: t.when, cell: (x) => <Time at={x.at} /> },
    { key: 'fp', head: t.fingerprint, cell: (x) => <Id id={x.fingerprint} keep={12} /> },
    { key: 'entry', head: t.entry, num: true, cell: (x) => <Link to="/guard/log" search={{ entry: String(x.entry) } as never} className="opens">{num(x.entry)}</Link> },
  ];
  return <Loaded query={query}>{(list) => list.items.length === 0 ? <p className="muted">{t.historyNone}</p> : <More items={list.items}>{(shown) => <Table label={t.history} rows={shown} columns={columns} id={(x) => String(x.entry)} />}</More>}</Loaded>;
}

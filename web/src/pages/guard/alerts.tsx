// Alerts: what was unusual, why it is thought so, and what is done about it, down to blocking in one call.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { alertQuery, alertsQuery } from '@/api/queries';
import type { Alert } from '@/api/types';
import { useActorName } from '@/app/people';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { dec, num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { guard as en } from '@/messages/guard.en';
import { Area, Badge, Button, Dialog, Empty, Link, Loaded, PageHead, Section, Table, Time, type Column, type Tone } from '@/ui';
import { GuardFrame } from './frame';

const TONE: Record<string, Tone | undefined> = { low: undefined, medium: 'info', high: 'warn', critical: 'bad' };

function Severity({ of }: { of: string }) {
  const t = useMessages(en);
  return <Badge tone={TONE[of]} icon="warn">{t.severity[of] ?? of}</Badge>;
}

export function AlertsPage() {
  const t = useMessages(en);
  const name = useActorName();
  const navigate = useNavigate();
  const { closed } = useSearch({ strict: false }) as { closed?: string };
  const query = useQuery(alertsQuery);
  const columns: Column<Alert>[] = [
    { key: 'what', head: t.what, cell: (a) => <><Link to="/alerts/$alert" params={{ alert: a.id }} className="opens"><b>{a.what}</b></Link>{a.times > 1 && <span className="muted small"> {t.times(a.times)}</span>}</> },
    { key: 'severity', head: t.state, cell: (a) => a.open ? <Severity of={a.severity} /> : <span className="muted">{t.closedAs(t.decisions[a.decision ?? ''] ?? a.decision ?? '')}</span> },
    { key: 'who', head: t.who, cell: (a) => a.person ? <Link to="/guard/people/$person" params={{ person: a.person }} className="link">{name(a.person)}</Link> : <span className="muted">–</span> },
    { key: 'when', head: t.when, cell: (a) => <Time at={a.last_at} /> },
  ];
  return (
    <GuardFrame>
      <Loaded query={query}>
        {(list) => {
          const open = list.items.filter((a) => a.open);
          const shown = closed ? list.items.filter((a) => !a.open) : open;
          return list.items.length === 0 ? <Empty title={t.alertsNone}>{t.alertsNoneText}</Empty> : (
            <>
              <div className="finding-head"><h2 className="finding">{t.alertsOpen(open.length)}</h2>
                <span className="push row"><Button small aria-pressed={!closed} onClick={() => void navigate({ to: '/guard/alerts', search: {} } as never)}>{t.openOnly} {num(open.length)}</Button><Button small aria-pressed={Boolean(closed)} onClick={() => void navigate({ to: '/guard/alerts', search: { closed: '1' } } as never)}>{t.closedOnly} {num(list.items.length - open.length)}</Button></span></div>
              {shown.length === 0 ? <p className="muted">{t.alertsNoneText}</p> : <Table label={t.tabAlerts} rows={shown} columns={columns} id={(a) => a.id} flag={(a) => a.open && a.severity === 'critical'} />}
            </>
          );
        }}
      </Loaded>
    </GuardFrame>
  );
}

type Decision = 'harmless' | 'handled' | 'blocked';

/** One alert; e-mails lead here. */
export function AlertPage() {
  const { alert } = useParams({ strict: false }) as { alert: string };
  const query = useQuery(alertQuery(alert));
  return <div className="page"><Loaded query={query}>{(one) => <One alert={one} />}</Loaded></div>;
}

function One({ alert: a }: { alert: Alert }) {
  const t = useMessages(en);
  const name = useActorName();
  const [deciding, setDeciding] = useState<Decision | null>(null);
  return (
    <>
      <p className="small" style={{ marginBottom: 8 }}><Link to="/guard/alerts" className="link">{t.back}</Link></p>
      <PageHead title={a.what} sub={<span className="row wrap">{a.open ? <Severity of={a.severity} /> : <Badge icon="check">{t.closedAs(t.decisions[a.decision ?? ''] ?? '')}</Badge>}<Time at={a.raised_at} />{a.times > 1 && <span>{t.times(a.times)}</span>}</span>}
        actions={a.open && <>
          <Button onClick={() => setDeciding('harmless')}>{t.closeHarmless}</Button>
          <Button kind={a.person ? undefined : 'primary'} onClick={() => setDeciding('handled')}>{t.closeHandled}</Button>
          {a.person && <Button kind="danger" icon="lock" onClick={() => setDeciding('blocked')}>{t.closeBlocked(name(a.person))}</Button>}
        </>} />
      <div className="columns two" style={{ marginTop: 0 }}>
        <Section title={t.why}><p>{a.why}</p>{a.person && <p style={{ marginTop: 8 }}>{t.who}: <Link to="/guard/people/$person" params={{ person: a.person }} className="link">{name(a.person)}</Link></p>}
          {a.closed_at && <p className="muted" style={{ marginTop: 8 }}>{t.closedAs(t.decisions[a.decision ?? ''] ?? '')}, {name(a.closed_by)}, <Time at={a.closed_at} /></p>}</Section>
        <Section title={t.todo}><p>{a.todo}</p></Section>
        {a.numbers.length > 0 && (
          <Section title={t.numbers}>
            <Table label={t.numbers} rows={a.numbers} id={(n) => n.name} columns={[
              { key: 'name', head: t.number, cell: (n) => n.name.replaceAll('_', ' ') }, { key: 'now', head: t.now, num: true, cell: (n) => <b>{dec(n.value, 1)}</b> }, { key: 'usual', head: t.usual, num: true, cell: (n) => dec(n.compared, 1) },
            ]} />
          </Section>
        )}
        {a.evidence.length > 0 && <Section title={t.evidence}><ul className="changes">{a.evidence.map((e) => <li key={e.entry}><Link to="/guard/log" search={{ entry: String(e.entry) } as never} className="link">{t.entry(num(e.entry))}</Link></li>)}</ul></Section>}
      </div>
      {deciding && <CloseDialog alert={a} decision={deciding} onClose={() => setDeciding(null)} />}
    </>
  );
}

function CloseDialog({ alert, decision, onClose }: { alert: Alert; decision: Decision; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const name = useActorName();
  const [note, setNote] = useState('');
  const words = { harmless: t.closeHarmless, handled: t.closeHandled, blocked: t.closeBlocked(name(alert.person)) }[decision];
  const close = useMutation({
    mutationFn: () => body(api.POST('/api/v1/alerts/{alert}/close', { params: { path: { alert: alert.id } }, body: { decision, note: note.trim() } })),
    onSuccess: () => { toast(t.closed); for (const key of ['alerts', 'alert', 'people', 'person']) void client.invalidateQueries({ queryKey: [key] }); onClose(); },
    onError: toastProblem,
  });
  return (
    <Dialog title={t.closeTitle} onClose={onClose} onSubmit={() => close.mutate()} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind={decision === 'blocked' ? 'danger' : 'primary'} solid={decision === 'blocked'} type="submit" disabled={close.isPending}>{words}</Button></>}>
      <p>{alert.what}</p>
      <Area label={t.closeNote} hint={t.closeNoteHint} value={note} onChange={(e) => setNote(e.target.value)} />
    </Dialog>
  );
}

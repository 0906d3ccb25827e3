// Everybody who may come in, and who is invited.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { invitationsQuery, peopleQuery } from '@/api/queries';
import type { Invitation, Person } from '@/api/types';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { ROLES, useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { guard as en } from '@/messages/guard.en';
import { Badge, Button, Choice, Dialog, Field, Link, Loaded, Section, Table, Time, Who, type Column } from '@/ui';
import { GuardFrame } from './frame';

/** The state of a person as a word with its shape. */
export function PersonStatus({ person }: { person: Person }) {
  const words = useWords();
  return person.status === 'blocked' ? <Badge tone="bad" icon="lock">{words.status('blocked')}</Badge> : person.status === 'active' ? <Badge tone="good" icon="check">{words.status('active')}</Badge> : <Badge icon="clock">{words.status(person.status)}</Badge>;
}

export function PeoplePage() {
  const t = useMessages(en);
  const words = useWords();
  const navigate = useNavigate();
  const may = useMay();
  const { invite } = useSearch({ strict: false }) as { invite?: string };
  const query = useQuery(peopleQuery);
  const invitations = useQuery({ ...invitationsQuery, retry: false, enabled: may('people.invite') }).data?.items ?? [];
  const columns: Column<Person>[] = [
    { key: 'who', head: t.person, cell: (p) => <Link to="/guard/people/$person" params={{ person: p.id }} className="who"><Who name={p.name || p.email} organisation={p.organisation} /></Link> },
    { key: 'email', head: t.email, cell: (p) => <span className="muted">{p.email}</span> },
    { key: 'role', head: t.role, cell: (p) => words.role(p.role) },
    { key: 'status', head: t.status, cell: (p) => <PersonStatus person={p} /> },
    { key: 'factor', head: t.factor, cell: (p) => p.mfa_enrolled ? <span className="good">{t.hasFactor}</span> : <span className={p.mfa_required ? 'warn' : 'muted'}>{t.noFactor}{p.mfa_required && `, ${t.required}`}</span> },
    { key: 'limit', head: t.limit, cell: (p) => p.limit_tables?.join(', ') ?? <span className="muted">{t.noLimit}</span> },
    { key: 'seen', head: t.seen, cell: (p) => p.last_seen_at ? <Time at={p.last_seen_at} /> : <span className="muted">{t.never}</span> },
  ];
  const close = () => void navigate({ to: '/guard', search: {} } as never);
  return (
    <GuardFrame actions={may('people.invite') && <Button kind="primary" icon="plus" onClick={() => void navigate({ to: '/guard', search: { invite: 'true' } } as never)}>{t.invite}</Button>}>
      <Loaded query={query}>
        {(list) => (
          <>
            <div className="finding-head"><h2 className="finding">{t.people(list.items.length)}</h2><span className="muted">{t.outsiders(list.items.filter((p) => p.organisation).length)}</span></div>
            <Table label={t.tabPeople} rows={list.items} columns={columns} id={(p) => p.id} flag={(p) => p.status === 'blocked'} />
          </>
        )}
      </Loaded>
      {invitations.length > 0 && <div className="columns"><Section title={t.invitations}><Invitations items={invitations} /></Section></div>}
      {invite && <Invite onClose={close} />}
    </GuardFrame>
  );
}

function Invitations({ items }: { items: readonly Invitation[] }) {
  const t = useMessages(en);
  const words = useWords();
  const client = useQueryClient();
  const withdraw = (id: string) => void body(api.DELETE('/api/v1/invitations/{invitation}', { params: { path: { invitation: id } } })).then(() => { toast(t.withdrawn); void client.invalidateQueries({ queryKey: ['invitations'] }); }, toastProblem);
  return (
    <ul className="changes">
      {items.map((i) => <li key={i.id} className="row wrap"><Who name={i.name || i.email} organisation={i.organisation} /><span className="muted">{i.email} · {words.role(i.role)} · {t.invitedUntil(when(i.until))}</span><span className="push"><Button small onClick={() => withdraw(i.id)} aria-label={`${t.withdraw}: ${i.name || i.email}`}>{t.withdraw}</Button></span></li>)}
    </ul>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const client = useQueryClient();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [role, setRole] = useState('engineer');
  const [organisation, setOrganisation] = useState('');
  const [link, setLink] = useState<string | null>(null);
  const send = useMutation({
    mutationFn: () => body<{ link: string | null }>(api.POST('/api/v1/invitations', { body: { email, name, role, organisation: organisation || undefined } })),
    onSuccess: (made) => { toast(t.invited(name)); void client.invalidateQueries({ queryKey: ['invitations'] }); void client.invalidateQueries({ queryKey: ['people'] }); if (made.link) setLink(made.link); else onClose(); },
    onError: toastProblem,
  });
  if (link) {
    return <Dialog title={t.invited(name)} onClose={onClose} foot={<Button kind="primary" onClick={() => void navigator.clipboard?.writeText(link).then(() => toast(c.copied))}>{t.copyLink}</Button>}><p>{t.inviteLink}</p><pre className="block">{link}</pre></Dialog>;
  }
  return (
    <Dialog title={t.invite} onClose={onClose} onSubmit={() => { if (email && name) send.mutate(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!email || !name || send.isPending}>{t.inviteSend}</Button></>}>
      <Field label={t.inviteEmail} type="email" autoComplete="off" value={email} onChange={(e) => setEmail(e.target.value)} />
      <Field label={t.inviteName} autoComplete="off" value={name} onChange={(e) => setName(e.target.value)} />
      <Choice label={t.role} hint={t.roles[role]} value={role} onChange={(e) => setRole(e.target.value)} options={ROLES.map((r) => ({ value: r, label: words.role(r) }))} />
      <Field label={t.inviteOrganisation} hint={t.inviteOrganisationHint} value={organisation} onChange={(e) => setOrganisation(e.target.value)} />
    </Dialog>
  );
}

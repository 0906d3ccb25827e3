// What is done about a person: each action one call, with undo where it can be undone.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { PersonRecord } from '@/api/types';
import { toast, toastProblem } from '@/app/toast';
import { ROLES, useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { guard as en } from '@/messages/guard.en';
import { Area, Button, Check, Choice, Dialog, Field } from '@/ui';

export type PersonAction = 'block' | 'unblock' | 'role' | 'limit' | 'email';
type OneCall = 'reset-factors' | 'end-sessions' | 'require-mfa' | 'drop-mfa' | 'unlock';

const at = (person: string) => ({ params: { path: { person } } });

/** Asks for what a change made stale. */
function useRefresh() {
  const client = useQueryClient();
  return () => { for (const key of ['person', 'people', 'presence', 'alerts', 'alert']) void client.invalidateQueries({ queryKey: [key] }); };
}

/** Actions that need no question. */
export function useOneCall(person: string): (what: OneCall) => void {
  const t = useMessages(en);
  const refresh = useRefresh();
  const mfa = (required: boolean) => body(api.POST('/api/v1/people/{person}/require-mfa', { ...at(person), body: { required } }));
  return (what) => {
    const made = what === 'end-sessions' ? body(api.POST('/api/v1/people/{person}/end-sessions', at(person)))
      : what === 'reset-factors' ? body(api.POST('/api/v1/people/{person}/reset-factors', at(person)))
      : what === 'unlock' ? body(api.POST('/api/v1/people/{person}/unlock', at(person))) : mfa(what === 'require-mfa');
    made.then(() => {
      refresh();
      const undo = what === 'require-mfa' || what === 'drop-mfa' ? () => { mfa(what === 'drop-mfa').then(refresh, toastProblem); } : undefined;
      toast({ 'end-sessions': t.endedSessions, 'reset-factors': t.factorsReset, unlock: t.unlocked, 'require-mfa': t.mfaRequired, 'drop-mfa': t.mfaNotRequired }[what], undo);
    }, toastProblem);
  };
}

/** Actions that ask: why, which role, which tables. */
export function ActionDialog({ record, action, onClose }: { record: PersonRecord; action: PersonAction; onClose: () => void }) {
  if (action === 'role') return <RoleDialog record={record} onClose={onClose} />;
  if (action === 'email') return <EmailDialog record={record} onClose={onClose} />;
  if (action === 'limit') return <LimitDialog record={record} onClose={onClose} />;
  return <BlockDialog record={record} block={action === 'block'} onClose={onClose} />;
}

function BlockDialog({ record, block, onClose }: { record: PersonRecord; block: boolean; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const refresh = useRefresh();
  const [category, setCategory] = useState(block ? 'incident' : 'mistake');
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const p = record.person;
  const name = p.name || p.email;
  const done = useMutation({
    mutationFn: () => block ? body(api.POST('/api/v1/people/{person}/block', { ...at(p.id), body: { category, text: text.trim() } })) : body(api.POST('/api/v1/people/{person}/unblock', { ...at(p.id), body: { category, text: text.trim() } })),
    onSuccess: () => { toast(block ? t.blocked(name) : t.unblocked(name)); refresh(); onClose(); },
    onError: toastProblem,
  });
  return (
    <Dialog title={block ? t.blockTitle(name) : t.unblockTitle(name)} onClose={onClose} onSubmit={() => { setTried(true); if (text.trim()) done.mutate(); }}
      foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind={block ? 'danger' : 'primary'} solid={block} type="submit" disabled={done.isPending}>{block ? t.block : t.unblock}</Button></>}>
      <p>{block ? t.blockText(record.sessions.filter((s) => !s.ended_at).length, record.tokens.length) : t.unblockText}</p>
      <Choice label={t.category} value={category} onChange={(e) => setCategory(e.target.value)} options={Object.entries(t.categories).map(([value, label]) => ({ value, label }))} />
      <Area label={c.reasonText} hint={c.reasonTextHint} wrong={tried && !text.trim() ? c.reasonNeeded : null} value={text} onChange={(e) => setText(e.target.value)} />
    </Dialog>
  );
}

function RoleDialog({ record, onClose }: { record: PersonRecord; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const refresh = useRefresh();
  const p = record.person;
  const [role, setRole] = useState(p.role);
  const give = (to: string) => body(api.POST('/api/v1/people/{person}/authorise', { ...at(p.id), body: { role: to } }));
  const submit = () => { give(role).then(() => { refresh(); onClose(); toast(t.roleChanged(words.role(role)), () => { give(p.role).then(refresh, toastProblem); }); }, toastProblem); };
  return (
    <Dialog title={t.roleTitle(p.name || p.email)} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={role === p.role}>{t.changeRole}</Button></>}>
      <p>{t.roleText}</p>
      <Choice label={t.role} hint={t.roles[role]} value={role} onChange={(e) => setRole(e.target.value)} options={ROLES.map((r) => ({ value: r, label: words.role(r) }))} />
    </Dialog>
  );
}

function EmailDialog({ record, onClose }: { record: PersonRecord; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const refresh = useRefresh();
  const p = record.person;
  const [email, setEmail] = useState(p.email);
  const done = useMutation({
    mutationFn: () => body(api.POST('/api/v1/people/{person}/email', { ...at(p.id), body: { email: email.trim() } })),
    onSuccess: () => { toast(t.emailChanged(email.trim())); refresh(); onClose(); },
    onError: toastProblem,
  });
  const is = email.trim().toLowerCase() === p.email;
  return (
    <Dialog title={t.emailTitle(p.name || p.email)} onClose={onClose} onSubmit={() => { if (!is) done.mutate(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={is || done.isPending}>{t.changeEmail}</Button></>}>
      <p>{t.emailText}</p>
      <Field label={t.inviteEmail} type="email" autoComplete="off" required value={email} onChange={(e) => setEmail(e.target.value)} />
    </Dialog>
  );
}

function LimitDialog({ record, onClose }: { record: PersonRecord; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const refresh = useRefresh();
  const p = record.person;
  const tables = useQuery(planQuery).data?.data.plan?.tables.map((x) => x.to) ?? [];
  const [chosen, setChosen] = useState<string[]>(p.limit_tables ?? []);
  const [until, setUntil] = useState('');
  const put = (list: string[] | null, end: number | null) => body(api.POST('/api/v1/people/{person}/limit', { ...at(p.id), body: { tables: list ?? undefined, until: end ?? undefined } }));
  const submit = () => {
    put(chosen.length ? chosen : null, until ? Date.parse(`${until}T23:59:59`) * 1000 : null).then(() => {
      refresh(); onClose(); toast(t.limited, () => { put(p.limit_tables, p.limit_until).then(refresh, toastProblem); });
    }, toastProblem);
  };
  return (
    <Dialog title={t.limitTitle(p.name || p.email)} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit">{t.limitAction}</Button></>}>
      <fieldset className="stack" style={{ gap: 6 }}>
        <legend className="small"><b>{t.limitTables}</b></legend>
        {tables.map((x) => <Check key={x} label={x} checked={chosen.includes(x)} onChange={(e) => setChosen(e.target.checked ? [...chosen, x] : chosen.filter((y) => y !== x))} />)}
        <span className="small muted">{t.limitTablesHint}</span>
      </fieldset>
      <Field label={t.limitUntil} hint={t.limitUntilHint} type="date" value={until} onChange={(e) => setUntil(e.target.value)} />
    </Dialog>
  );
}

// Taking in what came by letter or telephone: for whom, what, since when, and where letters go.
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { requests as en } from '@/messages/requests.en';
import { Button, Choice, Dialog, Field } from '@/ui';
import { KINDS, enter, type Entered } from './api';
import { useSend } from './dialogs';

/** What can be entered here: a correction says which field, which customers do on their own page. */
const ENTERED = KINDS.filter((kind) => kind !== 'rectification');
const LANGS = ['en', 'es', 'de', 'fr'];
const today = () => { const d = new Date(); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`; };

export function EnterRequest({ onClose }: { onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const navigate = useNavigate();
  const { busy, send, wrong } = useSend(onClose);
  const [form, setForm] = useState({ kind: 'access', by: 'email', who: '', day: today(), write_to: '', lang: '' });
  const [tried, setTried] = useState(false);
  const set = (key: keyof typeof form) => (e: { target: { value: string } }) => setForm((f) => ({ ...f, [key]: e.target.value }));
  const goodDay = /^\d{4}-\d{2}-\d{2}$/.test(form.day) && form.day <= today();
  const submit = () => {
    setTried(true);
    const who = form.who.trim();
    if (!who || !goodDay) return;
    const asked: Entered = { kind: form.kind, ...(form.lang ? { lang: form.lang } : {}), ...(form.by === 'email' ? { email: who } : { subject: who }) };
    if (form.write_to.trim()) asked.write_to = form.write_to.trim();
    // A day that is over began with its first moment; what arrives today arrives now.
    if (form.day < today()) asked.received_at = Date.parse(`${form.day}T00:00`) * 1000;
    send(() => enter(asked), t.entered, (made) => void navigate({ to: '/notices/requests/$request', params: { request: made.request } } as never));
  };
  const byEmail = form.by === 'email';
  return (
    <Dialog title={t.enterTitle} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy}>{busy ? t.entering : t.enterDo}</Button></>}>
      <p>{t.enterText}</p>
      <Choice label={t.enterKind} value={form.kind} onChange={set('kind')} options={ENTERED.map((value) => ({ value, label: t.kinds[value] ?? value }))} />
      <div className="pair">
        <Choice label={t.enterBy} value={form.by} onChange={set('by')} options={[{ value: 'email', label: t.enterByEmail }, { value: 'subject', label: t.enterById }]} />
        <Field label={byEmail ? t.enterEmail : t.enterId} hint={byEmail ? t.enterEmailHint : t.enterIdHint} wrong={tried && !form.who.trim() ? t.enterWho : null} autoComplete="off" inputMode={byEmail ? 'email' : undefined} value={form.who} onChange={set('who')} />
      </div>
      <Field type="date" label={t.enterDay} hint={t.enterDayHint} wrong={tried && !goodDay ? t.enterDayWrong : null} max={today()} value={form.day} onChange={set('day')} />
      <div className="pair">
        <Field label={t.enterWrite} hint={t.enterWriteHint} autoComplete="off" inputMode="email" value={form.write_to} onChange={set('write_to')} />
        <Choice label={t.enterLang} value={form.lang} onChange={set('lang')} options={['', ...LANGS].map((value) => ({ value, label: value ? (t.langs[value] ?? value) : t.langOfRow }))} />
      </div>
      {wrong}
    </Dialog>
  );
}

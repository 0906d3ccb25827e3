// Changing one's password. The server says whether the new one is good enough, in its own words.
import { useState } from 'react';
import { ProblemError } from '@/api/client';
import { sentence, toast } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { account as en } from '@/messages/account.en';
import { Button, Check, Dialog, Field, ProblemView } from '@/ui';
import type { Fresh } from './fresh';
import { changePassword } from './webauthn';

const LEAST = 12;

export function PasswordDialog({ fresh, email, onClose }: { fresh: Fresh; email: string; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [present, setPresent] = useState('');
  const [next, setNext] = useState('');
  const [seen, setSeen] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const short = [...next].length < LEAST;
  const problem = error instanceof ProblemError ? error.problem : null;
  const weak = problem?.code === 'weak_password' ? [problem.title, problem.help].filter(Boolean).map((x) => sentence(x ?? '')).join(' ') : null;
  const submit = () => {
    setTried(true);
    if (short || busy) return;
    setError(null);
    fresh.run(async () => {
      setBusy(true);
      try { await changePassword(present, next); } finally { setBusy(false); }
      toast(t.passwordChanged);
      onClose();
    }, setError);
  };
  const type = seen ? 'text' : 'password';
  return (
    <Dialog title={t.changePassword} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy}>{busy ? t.changing : t.changePassword}</Button></>}>
      <input type="text" autoComplete="username" value={email} readOnly hidden />
      <Field label={t.presentPassword} hint={t.presentHint} type={type} autoComplete="current-password" maxLength={1024} value={present} onChange={(e) => setPresent(e.target.value)} />
      <Field label={t.newPassword} hint={t.newHint(LEAST)} type={type} autoComplete="new-password" maxLength={1024} value={next} wrong={weak ?? (tried && short ? t.tooShort(LEAST) : null)} onChange={(e) => setNext(e.target.value)} />
      <Check label={t.showPasswords} checked={seen} onChange={(e) => setSeen(e.target.checked)} />
      <p className="small muted">{t.othersEnd}</p>
      {error !== null && !weak && <ProblemView error={error} />}
    </Dialog>
  );
}

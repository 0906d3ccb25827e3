// What guards an account is changed only by somebody who has just shown their second factor. Where that is long ago it
// is asked for here, and what was to be done goes on.
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { ProblemError } from '@/api/client';
import { factorsQuery } from '@/api/queries';
import { toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { account as en } from '@/messages/account.en';
import { Button, Dialog, Field, ProblemView } from '@/ui';
import { canPasskey, showCode, showPasskey, wasLeft } from './webauthn';

export interface Fresh {
  /** Does something, and asks for the second factor first where the server wants it. `wrong` hears of what failed; without
   *  it the foot of the page does. */
  run: (act: () => Promise<void>, wrong?: (error: unknown) => void) => void;
  dialog: ReactElement | null;
}

export function useFresh(): Fresh {
  const [waiting, setWaiting] = useState<{ act: () => Promise<void>; wrong: (error: unknown) => void } | null>(null);
  const run = (act: () => Promise<void>, wrong: (error: unknown) => void = toastProblem) => {
    act().catch((error: unknown) => {
      if (error instanceof ProblemError && error.problem.code === 'fresh_factor_needed') setWaiting({ act, wrong });
      else if (!wasLeft(error)) wrong(error);
    });
  };
  const dialog = waiting && <FreshDialog onClose={() => setWaiting(null)} onShown={() => { const { act, wrong } = waiting; setWaiting(null); act().catch(wrong); }} />;
  return { run, dialog };
}

function FreshDialog({ onClose, onShown }: { onClose: () => void; onShown: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const factors = useQuery(factorsQuery).data;
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const show = (how: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    how().then(onShown, (e: unknown) => { setBusy(false); if (!wasLeft(e)) setError(e); });
  };
  const passkey = Boolean(factors?.passkeys.length) && canPasskey();
  const codes = !factors || factors.totp || factors.recovery_codes > 0;
  return (
    <Dialog title={t.freshTitle} onClose={onClose} onSubmit={() => { if (codes && code.trim()) show(() => showCode(code.trim())); }}
      foot={<><Button onClick={onClose}>{c.cancel}</Button>{codes && <Button kind={passkey ? undefined : 'primary'} type="submit" disabled={busy || !code.trim()}>{t.freshGo}</Button>}</>}>
      <p>{t.freshText}</p>
      {passkey && <p><Button kind="primary" icon="key" disabled={busy} data-first onClick={() => show(showPasskey)}>{t.usePasskey}</Button></p>}
      {codes && <Field label={t.code} hint={t.codeHint} inputMode="text" autoComplete="one-time-code" maxLength={64} value={code} onChange={(e) => setCode(e.target.value)} />}
      {error !== null && <ProblemView error={error} />}
    </Dialog>
  );
}

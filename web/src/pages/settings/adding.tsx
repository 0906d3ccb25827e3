// What is added to an account, each in a dialog: a passkey, an app for codes, recovery codes.
import { useEffect, useRef, useState } from 'react';
import { api, body } from '@/api/client';
import { toast } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { account as en } from '@/messages/account.en';
import { Button, Copy, Dialog, Field, ProblemView, Skeleton } from '@/ui';
import type { Fresh } from './fresh';
import { addPasskey, confirmApp, hadOne, wasLeft } from './webauthn';

export function PasskeyDialog({ fresh, onClose, onAdded }: { fresh: Fresh; onClose: () => void; onAdded: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [label, setLabel] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const add = () => {
    setBusy(true);
    setError(null);
    fresh.run(async () => {
      try { await addPasskey(label.trim()); } finally { setBusy(false); }
      toast(t.passkeyAdded);
      onAdded();
    }, setError);
  };
  return (
    <Dialog title={t.addPasskey} onClose={onClose} onSubmit={() => { if (!busy) add(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" icon="key" type="submit" disabled={busy}>{busy ? t.waiting : t.addPasskey}</Button></>}>
      <p>{t.passkeyText}</p>
      <Field label={t.passkeyName} hint={t.passkeyNameHint} maxLength={64} autoComplete="off" value={label} onChange={(e) => setLabel(e.target.value)} />
      {error !== null && (hadOne(error) ? <p className="note" role="alert">{t.passkeyHad}</p> : wasLeft(error) ? <p className="note" role="alert">{t.passkeyLeft}</p> : <ProblemView error={error} />)}
    </Dialog>
  );
}

/** A text as a QR code, with the quiet zone of four modules that its standard asks for. */
function Qr({ text, label }: { text: string; label: string }) {
  const [drawn, setDrawn] = useState<{ size: number; path: string } | null>(null);
  useEffect(() => {
    let live = true;
    void import('qrcode-generator').then(({ default: make }) => {
      const code = make(0, 'M');
      code.addData(text);
      code.make();
      const n = code.getModuleCount();
      let path = '';
      for (let y = 0; y < n; y += 1) for (let x = 0; x < n; x += 1) if (code.isDark(y, x)) path += `M${x + 4} ${y + 4}h1v1h-1z`;
      if (live) setDrawn({ size: n + 8, path });
    });
    return () => { live = false; };
  }, [text]);
  if (!drawn) return <Skeleton width={200} height={200} />;
  // Dark on light in both themes: not every reader takes it the other way round.
  return <svg className="qr" viewBox={`0 0 ${drawn.size} ${drawn.size}`} role="img" aria-label={label} shapeRendering="crispEdges"><rect width="100%" height="100%" className="qr-ground" /><path d={drawn.path} className="qr-ink" /></svg>;
}

export function AppDialog({ fresh, onClose, onAdded }: { fresh: Fresh; onClose: () => void; onAdded: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [secret, setSecret] = useState<{ secret: string; url: string } | null>(null);
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const begin = useRef(() => fresh.run(async () => setSecret(await body(api.POST('/api/v1/me/totp'))), setError));
  const begun = useRef(false);
  // Once: another secret would make the app that was just set up useless.
  useEffect(() => { if (!begun.current) { begun.current = true; begin.current(); } }, []);
  const confirm = () => {
    setBusy(true);
    setError(null);
    confirmApp(code.replaceAll(' ', '')).then(() => { toast(t.appAdded); onAdded(); }, (e: unknown) => { setBusy(false); setCode(''); setError(e); });
  };
  return (
    <Dialog title={t.addApp} onClose={onClose} onSubmit={() => { if (secret && code.trim() && !busy) confirm(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!secret || !code.trim() || busy}>{t.appConfirm}</Button></>}>
      <p>{t.appText}</p>
      {secret ? (
        <>
          <div className="row wrap" style={{ gap: 20, alignItems: 'center' }}>
            <Qr text={secret.url} label={t.qr} />
            <div style={{ minWidth: 0, flex: '1 1 180px' }}><p className="small muted">{t.appType}</p><p className="row"><code className="code">{secret.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code><Copy text={secret.secret} label={t.copySecret} /></p></div>
          </div>
          <Field label={t.appCode} inputMode="numeric" autoComplete="one-time-code" maxLength={12} value={code} onChange={(e) => setCode(e.target.value)} />
        </>
      ) : error === null && <Skeleton height={200} />}
      {error !== null && <ProblemView error={error} />}
    </Dialog>
  );
}

export function CodesDialog({ fresh, had, onClose }: { fresh: Fresh; had: number; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const make = () => fresh.run(async () => setCodes((await body<{ codes: string[] }>(api.POST('/api/v1/me/recovery-codes'))).codes), setError);
  if (!codes) {
    return (
      <Dialog title={t.newCodes} onClose={onClose} onSubmit={make} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit">{t.makeCodes}</Button></>}>
        <p>{t.codesBefore}</p>
        {had > 0 && <p className="note warn-note">{t.codesEnd(had)}</p>}
        {error !== null && <ProblemView error={error} />}
      </Dialog>
    );
  }
  const copy = () => void navigator.clipboard?.writeText(codes.join('\n')).then(() => toast(c.copied));
  return (
    <Dialog title={t.codesTitle} onClose={onClose} foot={<><Button icon="copy" onClick={copy}>{t.copyCodes}</Button><Button kind="primary" onClick={onClose}>{t.codesKept}</Button></>}>
      <p>{t.codesText}</p>
      <ol className="recovery-codes" aria-label={t.codesTitle}>{codes.map((one) => <li key={one}><code>{one}</code></li>)}</ol>
    </Dialog>
  );
}

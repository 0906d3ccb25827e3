// The second factors of one's own account: passkeys, an app for codes, recovery codes; and the password.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { factorsQuery } from '@/api/queries';
import { useMe } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { account as en } from '@/messages/account.en';
import { Badge, Button, Dialog, Loaded, Section } from '@/ui';
import { AppDialog, CodesDialog, PasskeyDialog } from './adding';
import { useFresh } from './fresh';
import { PasswordDialog } from './password';
import { canPasskey } from './webauthn';

type Asking = { what: 'passkey' | 'app' | 'codes' | 'password' } | { what: 'remove'; passkey: { id: string; name: string } | null };

export function Guarding() {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const me = useMe();
  const query = useQuery(factorsQuery);
  const fresh = useFresh();
  const [asking, setAsking] = useState<Asking | null>(null);
  const again = () => { void client.invalidateQueries({ queryKey: ['me'] }); };
  const close = () => { setAsking(null); again(); };
  const remove = (passkey: { id: string } | null) => fresh.run(async () => {
    await (passkey ? body(api.DELETE('/api/v1/me/passkeys/{passkey}', { params: { path: { passkey: passkey.id } } })) : body(api.DELETE('/api/v1/me/totp')));
    toast(t.removed);
    close();
  }, (error) => { setAsking(null); toastProblem(error); });
  return (
    <Section title={t.title} sub={query.data && (query.data.totp || query.data.passkeys.length > 0) ? t.text : undefined}>
      <Loaded query={query}>
        {(f) => {
          const any = f.totp || f.passkeys.length > 0;
          const left = f.passkeys.length + Number(f.totp);
          return (
            <>
              {!any && <p className="note warn-note" style={{ marginBottom: 12 }}>{t.noneYet}</p>}
              <dl className="facts guarding">
                <dt>{t.passkeys}</dt>
                <dd>
                  {f.passkeys.map((k) => { const name = k.label ?? k.name ?? ''; return <p key={k.id} className="row"><span>{name} <span className="muted small nowrap">{t.added(when(k.created_at))}</span></span><span className="push"><Button small onClick={() => setAsking({ what: 'remove', passkey: { id: k.id, name } })} aria-label={`${t.remove}: ${name}`}>{t.remove}</Button></span></p>; })}
                  <p className="row">{f.passkeys.length === 0 && <span className="muted">{t.passkeyNone}</span>}{canPasskey() ? <span className="push"><Button small icon="plus" onClick={() => setAsking({ what: 'passkey' })}>{t.addPasskey}</Button></span> : <span className="muted">{t.cannotPasskey}</span>}</p>
                </dd>
                <dt>{t.app}</dt>
                <dd className="row">{f.totp ? <Badge tone="good" icon="check">{t.appOn}</Badge> : <span className="muted">{t.appOff}</span>}
                  <span className="push">{f.totp ? <Button small onClick={() => setAsking({ what: 'remove', passkey: null })} aria-label={`${t.remove}: ${t.app}`}>{t.remove}</Button> : <Button small icon="plus" onClick={() => setAsking({ what: 'app' })}>{t.addApp}</Button>}</span></dd>
                <dt>{t.codes}</dt>
                <dd className="row"><span className={any && f.recovery_codes === 0 ? 'warn' : f.recovery_codes === 0 ? 'muted' : undefined}>{t.codesLeft(f.recovery_codes)}</span>{any && <span className="push"><Button small onClick={() => setAsking({ what: 'codes' })}>{t.newCodes}</Button></span>}</dd>
                <dt>{t.password}</dt>
                <dd className="row"><span className="push"><Button small onClick={() => setAsking({ what: 'password' })}>{t.changePassword}</Button></span></dd>
              </dl>
              {asking?.what === 'passkey' && <PasskeyDialog fresh={fresh} onClose={close} onAdded={() => { again(); if (f.recovery_codes === 0) setAsking({ what: 'codes' }); else close(); }} />}
              {asking?.what === 'app' && <AppDialog fresh={fresh} onClose={close} onAdded={() => { again(); if (f.recovery_codes === 0) setAsking({ what: 'codes' }); else close(); }} />}
              {asking?.what === 'codes' && <CodesDialog fresh={fresh} had={f.recovery_codes} onClose={close} />}
              {asking?.what === 'password' && <PasswordDialog fresh={fresh} email={me?.email ?? ''} onClose={close} />}
              {asking?.what === 'remove' && (
                <Dialog title={asking.passkey ? t.removePasskey(asking.passkey.name) : t.removeApp} onClose={() => setAsking(null)} onSubmit={() => remove(asking.passkey)}
                  foot={<><Button onClick={() => setAsking(null)}>{c.cancel}</Button><Button kind="danger" solid type="submit">{t.remove}</Button></>}>
                  <p>{left === 1 ? t.removeLast : t.removeText}</p>
                </Dialog>
              )}
            </>
          );
        }}
      </Loaded>
      {fresh.dialog}
    </Section>
  );
}

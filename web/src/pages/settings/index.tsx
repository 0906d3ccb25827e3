// Settings of oneself: name, appearance, sessions, factors, tokens.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { api, body } from '@/api/client';
import { factorsQuery, sessionsQuery, tokensQuery } from '@/api/queries';
import { useMe } from '@/app/session';
import { setTheme, useTheme, type Theme } from '@/app/theme';
import { toast, toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { setLang, useLang, useMessages, type Lang } from '@/i18n';
import { when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { settings as en } from '@/messages/settings.en';
import { settings as es } from '@/messages/settings.es';
import { Button, Choice, Dialog, Field, Loaded, PageHead, Section, Table, Tabs, Time } from '@/ui';
import { Sessions } from '@/pages/guard/person';

export function SettingsFrame({ children }: { children: ReactNode }) {
  const t = useMessages({ en, es });
  return <div className="page"><PageHead title={t.title} /><Tabs label={t.tabs} tabs={[{ to: '/settings', label: t.tabMe, exact: true }, { to: '/settings/server', label: t.tabServer }]} />{children}</div>;
}

export function SettingsPage() {
  return (
    <SettingsFrame>
      <div className="columns two" style={{ marginTop: 0 }}><Profile /><div className="stack" style={{ gap: 28 }}><Appearance /><Factors /></div></div>
      <div className="columns"><MySessions /></div>
      <div className="columns"><Tokens /></div>
    </SettingsFrame>
  );
}

function Profile() {
  const t = useMessages({ en, es });
  const words = useWords();
  const client = useQueryClient();
  const me = useMe();
  const [name, setName] = useState(me?.name ?? '');
  if (!me) return null;
  const put = (to: string) => body(api.PATCH('/api/v1/me', { body: { name: to } })).then(() => { void client.invalidateQueries({ queryKey: ['me'] }); void client.invalidateQueries({ queryKey: ['people'] }); });
  const before = me.name;
  const submit = () => { put(name.trim()).then(() => toast(t.renamed, () => { put(before).then(() => setName(before), toastProblem); }), toastProblem); };
  return (
    <Section title={t.profile}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <Field label={t.name} value={name} maxLength={200} autoComplete="name" onChange={(e) => setName(e.target.value)} />
        <p><Button type="submit" disabled={!name.trim() || name.trim() === me.name}>{t.rename}</Button></p>
      </form>
      <dl className="facts" style={{ marginTop: 12 }}>
        <dt>{t.email}</dt><dd>{me.email}</dd><dt>{t.role}</dt><dd>{words.role(me.role)}</dd><dt>{t.organisation}</dt><dd>{me.organisation ?? t.inHouse}</dd>
        <dt>{t.password}</dt><dd><a className="link" href="/password">{t.passwordChange}</a></dd>
      </dl>
    </Section>
  );
}

function Appearance() {
  const t = useMessages({ en, es });
  const theme = useTheme();
  const language = useLang();
  return (
    <Section title={t.appearance}>
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
        <Choice label={t.theme} value={theme} onChange={(e) => setTheme(e.target.value as Theme)} options={[{ value: 'system', label: t.system }, { value: 'light', label: t.light }, { value: 'dark', label: t.dark }]} />
        <Choice label={t.language} value={language} onChange={(e) => setLang(e.target.value as Lang)} options={[{ value: 'en', label: 'English' }, { value: 'es', label: 'Español' }]} />
      </div>
    </Section>
  );
}

function Factors() {
  const t = useMessages({ en, es });
  const client = useQueryClient();
  const query = useQuery(factorsQuery);
  const [codes, setCodes] = useState<string[] | null>(null);
  const after = () => { toast(t.removed); void client.invalidateQueries({ queryKey: ['me', 'factors'] }); };
  const make = () => void body<{ codes: string[] }>(api.POST('/api/v1/me/recovery-codes')).then((x) => { setCodes(x.codes); void client.invalidateQueries({ queryKey: ['me', 'factors'] }); }, toastProblem);
  return (
    <Section title={t.factors} sub={t.factorsText}>
      <Loaded query={query}>
        {(f) => (
          <>
            <dl className="facts">
              <dt>{t.passkeys}</dt><dd>{f.passkeys.length === 0 ? t.none : f.passkeys.map((k) => <p key={k.id} className="row">{k.label ?? k.name} <span className="muted small">{t.passkeyAdded(when(k.created_at))}</span><span className="push"><Button small onClick={() => void body(api.DELETE('/api/v1/me/passkeys/{passkey}', { params: { path: { passkey: k.id } } })).then(after, toastProblem)}>{t.remove}</Button></span></p>)}</dd>
              <dt>{t.totp}</dt><dd className="row">{f.totp ? t.totpOn : t.totpOff}{f.totp && <span className="push"><Button small onClick={() => void body(api.DELETE('/api/v1/me/totp')).then(after, toastProblem)}>{t.remove}</Button></span>}</dd>
              <dt>{t.codes}</dt><dd className="row">{t.codesLeft(f.recovery_codes)}{(f.totp || f.passkeys.length > 0) && <span className="push"><Button small onClick={make}>{t.newCodes}</Button></span>}</dd>
            </dl>
            <p style={{ marginTop: 12 }}><a className="button" href="/enrol">{t.manage}</a></p>
          </>
        )}
      </Loaded>
      {codes && <Dialog title={t.codesTitle} onClose={() => setCodes(null)}><p>{t.codesText}</p><pre className="block" tabIndex={0}>{codes.join('\n')}</pre></Dialog>}
    </Section>
  );
}

function MySessions() {
  const t = useMessages({ en, es });
  const client = useQueryClient();
  const query = useQuery(sessionsQuery);
  const after = (text: string) => () => { toast(text); void client.invalidateQueries({ queryKey: ['me', 'sessions'] }); };
  const end = (session: string) => void body(api.DELETE('/api/v1/me/sessions/{session}', { params: { path: { session } } })).then(after(t.endedOne), toastProblem);
  const others = () => void body(api.DELETE('/api/v1/me/sessions')).then(after(t.endedOthers), toastProblem);
  return <Section title={t.sessions} right={<button type="button" className="link" onClick={others}>{t.endOthers}</button>}><Loaded query={query}>{(list) => <Sessions sessions={list.items} end={end} />}</Loaded></Section>;
}

function Tokens() {
  const t = useMessages({ en, es });
  const client = useQueryClient();
  const query = useQuery(tokensQuery);
  const [issuing, setIssuing] = useState(false);
  const revoke = (token: string) => void body(api.DELETE('/api/v1/me/tokens/{token}', { params: { path: { token } } })).then(() => { toast(t.revoked); void client.invalidateQueries({ queryKey: ['me', 'tokens'] }); }, toastProblem);
  return (
    <Section title={t.tokens} sub={t.tokensText} right={<Button small icon="plus" onClick={() => setIssuing(true)}>{t.newToken}</Button>}>
      <Loaded query={query}>
        {(list) => list.items.length === 0 ? <p className="muted">{t.tokensNone}</p> : (
          <Table label={t.tokens} rows={list.items} id={(k) => k.id} columns={[
            { key: 'label', head: t.token, cell: (k) => <b>{k.label}</b> }, { key: 'scopes', head: t.scopes, cell: (k) => <span className="muted small">{k.scopes.join(', ')}</span> },
            { key: 'until', head: t.until, cell: (k) => <Time at={k.until} /> }, { key: 'used', head: t.lastUsed, cell: (k) => k.last_used_at ? <Time at={k.last_used_at} /> : <span className="muted">{t.never}</span> },
            { key: 'do', head: <span className="vh">{t.revoke}</span>, num: true, cell: (k) => <Button small onClick={() => revoke(k.id)} aria-label={`${t.revoke}: ${k.label}`}>{t.revoke}</Button> },
          ]} />
        )}
      </Loaded>
      {issuing && <Issue onClose={() => setIssuing(false)} />}
    </Section>
  );
}

function Issue({ onClose }: { onClose: () => void }) {
  const t = useMessages({ en, es });
  const c = useMessages(common);
  const client = useQueryClient();
  const [label, setLabel] = useState('');
  const [scopes, setScopes] = useState('run.read ledger.prove');
  const [days, setDays] = useState('30');
  const [token, setToken] = useState<string | null>(null);
  const submit = () => {
    body<{ token: string }>(api.POST('/api/v1/me/tokens', { body: { label, scopes: scopes.split(/[\s,]+/).filter(Boolean), life_s: Number(days) * 86_400 } })).then((made) => { setToken(made.token); void client.invalidateQueries({ queryKey: ['me', 'tokens'] }); }, toastProblem);
  };
  if (token) return <Dialog title={t.issued} onClose={onClose} foot={<Button kind="primary" onClick={() => void navigator.clipboard?.writeText(token).then(() => toast(c.copied))}>{t.copyToken}</Button>}><p>{t.issuedText}</p><pre className="block" tabIndex={0}>{token}</pre></Dialog>;
  return (
    <Dialog title={t.newToken} onClose={onClose} onSubmit={() => { if (label && scopes) submit(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!label || !scopes}>{t.issue}</Button></>}>
      <Field label={t.label} maxLength={64} value={label} onChange={(e) => setLabel(e.target.value)} />
      <Field label={t.scopes} hint={t.scopesHint} className="input mono" value={scopes} onChange={(e) => setScopes(e.target.value)} />
      <Choice label={t.life} value={days} onChange={(e) => setDays(e.target.value)} options={['1', '7', '30', '90'].map((d) => ({ value: d, label: t.days(Number(d)) }))} />
    </Dialog>
  );
}

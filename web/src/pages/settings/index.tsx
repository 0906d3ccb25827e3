// Settings of oneself: name, appearance, how one signs in, sessions, tokens.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { api, body } from '@/api/client';
import { sessionsQuery } from '@/api/queries';
import { useMe } from '@/app/session';
import { setTheme, type Theme } from '@/app/theme';
import { useTheme } from '@/app/useTheme';
import { toast, toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { setLang, useLang, useMessages, type Lang } from '@/i18n';
import { settings as en } from '@/messages/settings.en';
import { Button, Choice, Field, Loaded, PageHead, Section, Tabs } from '@/ui';
import { Sessions } from '@/pages/guard/person';
import { Guarding } from './factors';
import { Tokens } from './tokens';

export function SettingsFrame({ children }: { children: ReactNode }) {
  const t = useMessages(en);
  return <div className="page"><PageHead title={t.title} /><Tabs label={t.tabs} tabs={[{ to: '/settings', label: t.tabMe, exact: true }, { to: '/settings/server', label: t.tabServer }]} />{children}</div>;
}

export function SettingsPage() {
  return (
    <SettingsFrame>
      <div className="columns two" style={{ marginTop: 0 }}><Profile /><div className="stack" style={{ gap: 28 }}><Appearance /><Guarding /></div></div>
      <div className="columns"><MySessions /></div>
      <div className="columns"><Tokens /></div>
    </SettingsFrame>
  );
}

function Profile() {
  const t = useMessages(en);
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
      </dl>
    </Section>
  );
}

function Appearance() {
  const t = useMessages(en);
  const theme = useTheme();
  const language = useLang();
  return (
    <Section title={t.appearance}>
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
        <Choice label={t.theme} value={theme} onChange={(e) => setTheme(e.target.value as Theme)} options={[{ value: 'system', label: t.system }, { value: 'light', label: t.light }, { value: 'dark', label: t.dark }]} />
        <Choice label={t.language} value={language} onChange={(e) => { void setLang(e.target.value as Lang).catch(toastProblem); }} options={[{ value: 'en', label: 'English' }, { value: 'es', label: 'Español' }]} />
      </div>
    </Section>
  );
}

function MySessions() {
  const t = useMessages(en);
  const client = useQueryClient();
  const query = useQuery(sessionsQuery);
  const after = (text: string) => () => { toast(text); void client.invalidateQueries({ queryKey: ['me', 'sessions'] }); };
  const end = (session: string) => void body(api.DELETE('/api/v1/me/sessions/{session}', { params: { path: { session } } })).then(after(t.endedOne), toastProblem);
  const others = () => void body(api.DELETE('/api/v1/me/sessions')).then(after(t.endedOthers), toastProblem);
  return <Section title={t.sessions} right={<button type="button" className="link" onClick={others}>{t.endOthers}</button>}><Loaded query={query}>{(list) => <Sessions sessions={list.items} end={end} />}</Loaded></Section>;
}

// How the server is set up, without secrets. It is changed in its file.
import { useQuery } from '@tanstack/react-query';
import { settingsQuery } from '@/api/queries';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { settings as en } from '@/messages/settings.en';
import { Loaded, Section } from '@/ui';
import { SettingsFrame } from './index';

export function ServerPage() {
  const t = useMessages(en);
  const words = useWords();
  const query = useQuery(settingsQuery);
  const yes = (v: unknown) => (v ? t.yes : t.no);
  const list = (v: unknown) => (Array.isArray(v) && v.length ? v.join(', ') : t.none);
  return (
    <SettingsFrame>
      <Section title={t.server} sub={t.serverText}>
        <Loaded query={query}>
          {(s) => (
            <dl className="facts" style={{ maxWidth: 820 }}>
              <dt>{t.version}</dt><dd>{String(s.version)}</dd>
              <dt>{t.workspace}</dt><dd className="mono">{String(s.workspace)}</dd>
              <dt>{t.address}</dt><dd className="mono">{String(s.public_url)}</dd>
              <dt>{t.tls}</dt><dd>{yes(s.tls)}</dd>
              <dt>{t.proxy}</dt><dd>{list(s.behind_proxy)}</dd>
              <dt>{t.mail}</dt><dd>{yes(s.mail)}</dd>
              <dt>{t.providers}</dt><dd>{list(s.identity_providers)}</dd>
              <dt>{t.publicLedger}</dt><dd>{yes(s.public_ledger)}</dd>
              <dt>{t.mfaRoles}</dt><dd>{Array.isArray(s.mfa_roles) && s.mfa_roles.length ? s.mfa_roles.map((r: string) => words.role(r)).join(', ') : t.nobody}</dd>
              <dt>{t.idle}</dt><dd>{span(Number(s.session_idle_s))}</dd>
              <dt>{t.absolute}</dt><dd>{span(Number(s.session_s))}</dd>
              <dt>{t.tries}</dt><dd>{num(Number(s.tries))}</dd>
              <dt>{t.monitor}</dt><dd>{yes(s.monitor_only)}</dd>
              <dt>{t.perPerson}</dt><dd>{num(Number((s.limits as { per_person?: number } | undefined)?.per_person ?? 0))}</dd>
              <dt>{t.hosts}</dt><dd>{list(s.allow_hosts)}</dd>
              <dt>{t.env}</dt><dd>{list(s.allow_env)}</dd>
            </dl>
          )}
        </Loaded>
      </Section>
    </SettingsFrame>
  );
}

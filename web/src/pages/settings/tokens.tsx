// Tokens: what lets programs act as oneself, narrowed to what they need.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { rightsQuery, tokensQuery } from '@/api/queries';
import type { Token } from '@/api/types';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { account as accountEn } from '@/messages/account.en';
import { settings as en } from '@/messages/settings.en';
import { Button, Check, Choice, Dialog, Field, Loaded, Section, Table, Time } from '@/ui';

/** What programs mostly need. */
const PRESETS = { read: ['run.read', 'report.read', 'quarantine.read'], prove: ['ledger.read', 'ledger.prove'] };

export function Tokens() {
  const t = useMessages(en);
  const a = useMessages(accountEn);
  const c = useMessages(common);
  const client = useQueryClient();
  const query = useQuery(tokensQuery);
  const [issuing, setIssuing] = useState(false);
  const [ending, setEnding] = useState<Token | null>(null);
  const revoke = (token: string) => void body(api.DELETE('/api/v1/me/tokens/{token}', { params: { path: { token } } })).then(() => { setEnding(null); toast(t.revoked); void client.invalidateQueries({ queryKey: ['me', 'tokens'] }); }, toastProblem);
  return (
    <Section title={t.tokens} sub={t.tokensText} right={<Button small icon="plus" onClick={() => setIssuing(true)}>{t.newToken}</Button>}>
      <Loaded query={query}>
        {(list) => list.items.length === 0 ? <p className="muted">{t.tokensNone}</p> : (
          <Table label={t.tokens} rows={list.items} id={(k) => k.id} columns={[
            { key: 'label', head: t.token, cell: (k) => <b>{k.label}</b> }, { key: 'scopes', head: t.scopes, cell: (k) => <span className="muted small">{k.scopes.join(', ')}</span> },
            { key: 'until', head: t.until, cell: (k) => <Time at={k.until} /> }, { key: 'used', head: t.lastUsed, cell: (k) => k.last_used_at ? <Time at={k.last_used_at} /> : <span className="muted">{t.never}</span> },
            { key: 'do', head: <span className="vh">{t.revoke}</span>, num: true, cell: (k) => <Button small onClick={() => setEnding(k)} aria-label={`${t.revoke}: ${k.label}`}>{t.revoke}</Button> },
          ]} />
        )}
      </Loaded>
      {issuing && <Issue onClose={() => setIssuing(false)} />}
      {ending && (
        <Dialog title={a.revokeTitle(ending.label)} onClose={() => setEnding(null)} onSubmit={() => revoke(ending.id)} foot={<><Button onClick={() => setEnding(null)}>{c.cancel}</Button><Button kind="danger" solid type="submit">{t.revoke}</Button></>}>
          <p>{a.stopUse}</p>
        </Dialog>
      )}
    </Section>
  );
}

function Issue({ onClose }: { onClose: () => void }) {
  const t = useMessages(en);
  const a = useMessages(accountEn);
  const c = useMessages(common);
  const may = useQuery(rightsQuery).data?.may ?? [];
  const client = useQueryClient();
  const [label, setLabel] = useState('');
  const [preset, setPreset] = useState<'read' | 'prove' | 'choosing'>('read');
  const [chosen, setChosen] = useState<string[]>([]);
  const scopes = (preset === 'choosing' ? chosen : PRESETS[preset]).filter((x) => may.length === 0 || may.includes(x));
  const [days, setDays] = useState('30');
  const [token, setToken] = useState<string | null>(null);
  const submit = () => {
    body<{ token: string }>(api.POST('/api/v1/me/tokens', { body: { label, scopes, life_s: Number(days) * 86_400 } })).then((made) => { setToken(made.token); void client.invalidateQueries({ queryKey: ['me', 'tokens'] }); }, toastProblem);
  };
  if (token) return <Dialog title={t.issued} onClose={onClose} foot={<Button kind="primary" onClick={() => void navigator.clipboard?.writeText(token).then(() => toast(c.copied))}>{t.copyToken}</Button>}><p>{t.issuedText}</p><pre className="block" tabIndex={0}>{token}</pre></Dialog>;
  return (
    <Dialog title={t.newToken} onClose={onClose} onSubmit={() => { if (label && scopes.length) submit(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!label || scopes.length === 0}>{t.issue}</Button></>}>
      <Field label={t.label} maxLength={64} value={label} onChange={(e) => setLabel(e.target.value)} />
      <Choice label={a.tokenMay} hint={a.tokenMayHint} value={preset} onChange={(e) => setPreset(e.target.value as typeof preset)} options={[{ value: 'read', label: a.presets.read ?? '' }, { value: 'prove', label: a.presets.prove ?? '' }, { value: 'choosing', label: a.choosing }]} />
      {preset === 'choosing' && (
        <fieldset className="scopes"><legend className="vh">{a.tokenMay}</legend>
          {may.filter((x) => !x.startsWith('self.')).map((x) => <Check key={x} label={<code className="code">{x}</code>} checked={chosen.includes(x)} onChange={() => setChosen((all) => (all.includes(x) ? all.filter((y) => y !== x) : [...all, x]))} />)}
        </fieldset>
      )}
      <p className="small muted">{preset === 'choosing' ? a.chosen(scopes.length) : scopes.join(', ')}</p>
      <Choice label={t.life} value={days} onChange={(e) => setDays(e.target.value)} options={['1', '7', '30', '90'].map((d) => ({ value: d, label: t.days(Number(d)) }))} />
    </Dialog>
  );
}

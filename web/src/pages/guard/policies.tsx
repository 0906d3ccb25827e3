// The policies in sentences, each with its text.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { policyQuery } from '@/api/queries';
import { rank } from '@/app/match';
import { policyWords, useMessages } from '@/i18n';
import { guard as en } from '@/messages/guard.en';
import { Badge, Field, Icon, Loaded } from '@/ui';
import { GuardFrame } from './frame';

export function PoliciesPage() {
  const t = useMessages(en);
  const query = useQuery(policyQuery);
  const [find, setFind] = useState('');
  return (
    <GuardFrame>
      <Loaded query={query}>
        {(policy) => (
          <>
            <div className="finding-head"><h2 className="finding">{t.policies}</h2><span className="small muted">{t.policiesText(policy.fingerprint.slice(0, 12))}</span></div>
            <div style={{ maxWidth: 360, marginBottom: 12 }}><Field label={t.filter} hideLabel placeholder={t.filter} type="search" value={find} onChange={(e) => setFind(e.target.value)} /></div>
            <ul className="policy-list">
              {rank(policy.sentences.map((s) => ({ ...s, says: (s.file === 'built in' ? policyWords(s.id) : undefined) ?? s.says })), find, (s) => `${s.says} ${s.id}`).map((s) => (
                <li key={s.id}>
                  <span className={s.allows ? 'good' : 'bad'}><Icon name={s.allows ? 'check' : 'lock'} /><span className="vh">{s.allows ? t.allow : t.forbid}</span></span>
                  <div>{s.says}<details className="small"><summary className="muted">{t.showText} <code className="code">{s.id}</code></summary><pre className="block">{s.text}</pre></details></div>
                  <Badge>{s.file === 'built in' ? t.builtIn : s.file}</Badge>
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
    </GuardFrame>
  );
}

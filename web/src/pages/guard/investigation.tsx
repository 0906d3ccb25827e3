// What is known of a blocked person: why, attempts, data touched, notes.
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import type { Investigation } from '@/api/types';
import { useActorName } from '@/app/people';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { guard as en } from '@/messages/guard.en';
import { Area, Button, More, Section, Time } from '@/ui';

export function InvestigationView({ person, investigation }: { person: string; investigation: Investigation }) {
  const t = useMessages(en);
  const client = useQueryClient();
  const name = useActorName();
  const [text, setText] = useState('');
  const keep = () => {
    body(api.POST('/api/v1/people/{person}/notes', { params: { path: { person } }, body: { text: text.trim() } })).then(() => { setText(''); toast(t.noted); void client.invalidateQueries({ queryKey: ['person', person] }); }, toastProblem);
  };
  return (
    <div style={{ marginBottom: 28 }}>
      <Section title={t.investigation} sub={investigation.reason ?? undefined}>
        <div className="columns two" style={{ marginTop: 8 }}>
          <div className="stack">
            <h3>{t.touched}</h3>
            <dl className="facts">{investigation.touched.map((d) => [<dt key={d.store + d.table}>{d.table}</dt>, <dd key={`${d.store}${d.table}d`}>{num(d.rows)} · {d.class} · <Time at={d.last_at} /></dd>])}</dl>
            <h3>{t.attempts}</h3>
            <More items={investigation.attempts}>{(shown) => <ul className="changes">{shown.map((a, i) => <li key={i} className="row wrap"><Time at={a.at} /><span>{a.credential}</span><span className="mono muted">{a.address}</span><span className="push small">{a.outcome}</span></li>)}</ul>}</More>
          </div>
          <div className="stack">
            <h3>{t.notes}</h3>
            <ul className="changes">{investigation.notes.map((n) => <li key={n.id}><span className="small muted">{name(n.author)}, <Time at={n.at} /></span><br />{n.text}</li>)}</ul>
            <Area label={t.noteWrite} value={text} onChange={(e) => setText(e.target.value)} />
            <p><Button disabled={!text.trim()} onClick={keep}>{t.noteSave}</Button></p>
          </div>
        </div>
      </Section>
    </div>
  );
}

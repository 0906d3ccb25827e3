// Every version that was handed in, and two of them side by side.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useActorName } from '@/app/people';
import { useMessages } from '@/i18n';
import { num, when } from '@/i18n/format';
import { tell as en } from '@/messages/tell.en';
import { Button, Choice, Drawer, Loaded, Section, Skeleton, Table, Time, type Column } from '@/ui';
import { diffQuery, previewPath, type NoticeText, type Version } from './api';
import { Differences } from './differences';
import { State } from './state';
import { Framed } from './preview';

export function Versions({ of }: { of: NoticeText }) {
  const t = useMessages(en);
  const name = useActorName();
  const [seen, setSeen] = useState<Version | null>(null);
  const all = [...of.versions].sort((a, b) => b.submitted_at - a.submitted_at);
  const answers = (v: Version) => {
    const of_ = of.answers.filter((a) => a.version === v.version);
    const sum = (choice: string) => of_.filter((a) => a.choice === choice).reduce((n, a) => n + a.people, 0);
    return v.published_at ? t.answersSay(num(sum('keep')), num(sum('close'))) : '';
  };
  const moment = (at: number | null, who: string | null) => at ? <span><Time at={at} /><br /><span className="small muted">{name(who)}</span></span> : <span className="muted">–</span>;
  const columns: Column<Version>[] = [
    { key: 'v', head: t.version, cell: (v) => <b>{v.version}</b> },
    { key: 'state', head: t.state, cell: (v) => <State of={v.status} /> },
    { key: 'in', head: t.handedInBy, cell: (v) => moment(v.submitted_at, v.submitted_by) },
    { key: 'ok', head: t.approvedAt, cell: (v) => moment(v.published_at, v.approved_by) },
    { key: 'end', head: t.ended, cell: (v) => moment(v.withdrawn_at, v.withdrawn_by) },
    { key: 'answers', head: t.answers, cell: (v) => <span className="muted nowrap">{answers(v)}</span> },
    { key: 'see', head: <span className="vh">{t.seeVersion}</span>, num: true, cell: (v) => <Button small aria-label={t.seeVersionOf(v.version)} onClick={() => setSeen(v)}>{t.seeVersion}</Button> },
  ];
  if (all.length === 0) return <p className="muted">{t.versionsNone}</p>;
  return (
    <>
      <Table label={t.viewVersions} rows={all} columns={columns} id={(v) => v.id} />
      {all.length > 1 && <div className="columns"><Compare all={all} /></div>}
      {seen && <Drawer wide title={`${t.version} ${seen.version}`} onClose={() => setSeen(null)}><Framed path={previewPath({ version: seen.id }, 'page', 0, seen.sha256)} width={760} height={760} title={t.previewOf(`${t.version} ${seen.version}`)} /></Drawer>}
    </>
  );
}

function Compare({ all }: { all: readonly Version[] }) {
  const t = useMessages(en);
  const [newer, setNewer] = useState(all[0]?.id ?? '');
  const [older, setOlder] = useState(all[1]?.id ?? '');
  const query = useQuery(diffQuery(newer, older));
  const options = all.map((v) => ({ value: v.id, label: t.versionSays(v.version, t.states[v.status] ?? v.status, when(v.submitted_at)) }));
  return (
    <Section title={t.compare}>
      <div className="pair" style={{ marginBottom: 16 }}>
        <Choice label={t.older} value={older} onChange={(e) => setOlder(e.target.value)} options={options.filter((o) => o.value !== newer)} />
        <Choice label={t.newer} value={newer} onChange={(e) => { const to = e.target.value; if (to === older) setOlder(newer); setNewer(to); }} options={options} />
      </div>
      <Loaded query={query} skeleton={<Skeleton height={120} />}>{(d) => <Differences of={d} />}</Loaded>
    </Section>
  );
}

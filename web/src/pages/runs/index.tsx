// All runs, the newest first; start one, rehearse, compare two.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { planQuery, runQuery, runsQuery } from '@/api/queries';
import type { Run } from '@/api/types';
import { useActorName } from '@/app/people';
import { useIf, useMay } from '@/app/session';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { span } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { Badge, Button, Check, Empty, Id, Link, Loaded, PageHead, Table, Time, type Column, type Tone } from '@/ui';
import { RunStrip } from '@/pages/overview/strip';
import { Compare } from './compare';
import { StartDialog } from './start';

const TONES: Record<string, Tone> = { running: 'accent', waiting: 'info', retry: 'warn', paused: 'warn', stopped: 'warn', done: 'good', abandoned: 'bad', failed: 'bad' };

/** The state of a run as a word with its shape. */
export function RunStatus({ status }: { status: string }) {
  const words = useWords();
  return <Badge tone={TONES[status]} icon={status === 'done' ? 'check' : status === 'running' ? 'play' : status === 'waiting' || status === 'retry' ? 'clock' : status === 'paused' || status === 'stopped' ? 'pause' : 'warn'}>{words.status(status)}</Badge>;
}

export function RunsPage() {
  const t = useMessages(en);
  const c = useMessages(common);
  const search = useSearch({ strict: false }) as { start?: string };
  const navigate = useNavigate();
  const may = useMay();
  const runs = useQuery(runsQuery);
  const plan = useIf('plan.read', planQuery).data;
  const name = useActorName();
  const [chosen, setChosen] = useState<string[]>([]);
  const [comparing, setComparing] = useState(false);
  const newest = runs.data?.items[0];
  const live = useQuery({ ...runQuery(newest?.id ?? ''), enabled: Boolean(newest && newest.status !== 'done' && newest.status !== 'abandoned') }).data;
  const open = (start: string | undefined) => void navigate({ to: '/runs', search: start ? { start } : {} } as never);
  const toggle = (id: string) => setChosen((now) => (now.includes(id) ? now.filter((x) => x !== id) : [...now.slice(-1), id]));
  const columns: Column<Run>[] = [
    { key: 'pick', head: <span className="vh">{t.compare}</span>, width: '28px', cell: (r) => <Check label={<span className="vh">{t.compare}</span>} checked={chosen.includes(r.id)} onChange={() => toggle(r.id)} /> },
    { key: 'run', head: t.run, cell: (r) => <Link to="/runs/$run" params={{ run: r.id }} className="opens"><b>{r.kind === 'load' ? c.kindLoad : r.kind === 'rehearse' || r.kind === 'rehearsal' ? c.kindRehearse : c.kindOther}</b></Link> },
    { key: 'status', head: t.status, cell: (r) => <RunStatus status={r.status} /> },
    { key: 'started', head: t.started, cell: (r) => <Time at={r.started_at} /> },
    { key: 'took', head: t.took, num: true, cell: (r) => (r.ended_at ? span((r.ended_at - r.started_at) / 1e6) : '–') },
    { key: 'by', head: t.by, cell: (r) => name(r.actor) },
    { key: 'plan', head: t.plan, cell: (r) => <span className="nowrap"><Id id={r.fingerprint} /> <span className="small muted">{r.fingerprint === plan?.data.fingerprint ? t.thisPlan : t.olderPlan}</span></span> },
  ];
  return (
    <div className="page">
      {live && live.status !== 'done' && live.status !== 'abandoned' && <RunStrip run={live} />}
      <PageHead title={t.title} actions={<>
        {chosen.length === 2 && <Button onClick={() => setComparing(true)}>{t.compare}</Button>}
        {may('run.start') && <><Button icon="play" onClick={() => open('rehearse')}>{t.rehearse}</Button>
        <Button kind="primary" icon="play" onClick={() => open('load')}>{t.start}</Button></>}
      </>} />
      <Loaded query={runs}>
        {(list) => list.items.length === 0
          ? <Empty title={t.emptyTitle} action={<Button onClick={() => open('rehearse')}>{t.rehearse}</Button>}>{t.emptyText}</Empty>
          : <Table label={t.title} rows={list.items} columns={columns} id={(r) => r.id} chosen={(r) => chosen.includes(r.id)} />}
      </Loaded>
      {search.start && <StartDialog rehearse={search.start === 'rehearse'} onClose={() => open(undefined)} />}
      {comparing && chosen[0] && chosen[1] && <Compare ids={[chosen[0], chosen[1]]} onClose={() => setComparing(false)} />}
    </div>
  );
}

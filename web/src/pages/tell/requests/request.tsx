// One request: what it is, how far it has come, what may be done about it now; never who asks.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useActorName } from '@/app/people';
import { useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { date, num } from '@/i18n/format';
import { requests as en } from '@/messages/requests.en';
import { Icon, Id, Link, Loaded, PageHead, Section, Skeleton, Table, Time, type IconName } from '@/ui';
import '../tell.css';
import { Acts } from './acts';
import { canExtend, isCopy, isOver, nextStep, requestQuery, type Carried, type CustomerAsk, type Next } from './api';
import { AskState, Clock, lastDay, purposeWords, useKind } from './parts';

export function RequestPage() {
  const { request } = useParams({ strict: false }) as { request: string };
  const query = useQuery(requestQuery(request));
  return <div className="page"><Loaded query={query} skeleton={<div style={{ display: 'grid', gap: 14 }}><Skeleton width="40%" height={28} /><Skeleton width="30%" /><Skeleton height={240} /></div>}>{(one) => <One key={request} of={one} />}</Loaded></div>;
}

/** The right that each next step takes. */
const RIGHTS: Record<Exclude<Next, null>, string> = { identity: 'requests.write', decide: 'requests.decide', carry: 'requests.carry_out' };

function One({ of: r }: { of: CustomerAsk }) {
  const t = useMessages(en);
  const may = useMay();
  const kind = useKind();
  // What was done is said by the answer alone; it stays while the page is there.
  const [done, setDone] = useState<Carried | null>(null);
  const next = nextStep(r, Date.now() * 1000);
  return (
    <>
      <p className="small" style={{ marginBottom: 4 }}><Link to="/notices/requests" className="link"><Icon name="left" /> {t.back}</Link></p>
      <PageHead title={kind(r)} actions={<Acts of={r} next={next} onCarried={setDone} />} sub={
        <span className="row wrap" style={{ gap: '4px 12px' }}><AskState of={r} />{r.purpose && <span>{t.about(purposeWords(r.purpose))}</span>}{r.law && <span>{t.laws[r.law] ?? r.law}</span>}<span><Clock of={r} /></span></span>} />
      {next && !may(RIGHTS[next]) && <p className="note" style={{ marginBottom: 16 }}>{t.forOthers[next]}</p>}
      {done && <div style={{ marginBottom: 20 }}><Done of={done} /></div>}
      <div className="columns wide" style={{ marginTop: 0 }}>
        <Section title={t.steps}><Steps of={r} next={next} /></Section>
        <Section title={t.facts}><Facts of={r} /></Section>
      </div>
    </>
  );
}

function Step({ mark, title, children }: { mark: 'done' | 'next' | 'bad' | 'later'; title: string; children: ReactNode }) {
  const t = useMessages(en);
  const icons: Record<typeof mark, [IconName, string]> = { done: ['check', t.finished], next: ['arrow', t.nextOne], bad: ['warn', t.failedStep], later: ['minus', t.notYet] };
  const [icon, word] = icons[mark];
  return (
    <li className={`ask-step ${mark}`} aria-current={mark === 'next' ? 'step' : undefined}>
      <span className="ask-mark"><Icon name={icon} /></span>
      <div><h3>{title}<span className="vh">: {word}</span></h3>{children}</div>
    </li>
  );
}

function Steps({ of: r, next }: { of: CustomerAsk; next: Next }) {
  const t = useMessages(en);
  const reason = r.reason_category ? (t.reasons[r.reason_category] ?? r.reason_category) : '';
  const decided = r.decision === 'granted' ? t.grantedFor(reason) : r.decision === 'refused' ? t.refusedFor(reason) : r.decision === 'withdrawn' ? (r.reason_category === 'taken_back' ? t.withdrawnSays : t.withdrawnFor(reason)) : '';
  const undo = r.undo_until !== null && r.state === 'granted' && r.undo_until > Date.now() * 1000;
  const over = r.state === 'refused' || r.state === 'withdrawn';
  const carrying = () => {
    if (r.state === 'done') return <p className="muted">{r.ended_at !== null && <Time at={r.ended_at} />}</p>;
    if (over) return <p className="muted">{t.neverCarried}</p>;
    if (r.failed_at !== null) return <p>{t.failed} <Time at={r.failed_at} /></p>;
    if (r.state === 'acting') return <p>{t.acting}</p>;
    if (r.state === 'open') return <p className="muted">{t.notYet}</p>;
    if (isCopy(r)) return <p>{r.via === 'page' ? t.waitsCopy : t.waitsLink}</p>;
    if (undo) return <p>{t.waitsUndo}</p>;
    return <p className="muted">{r.by_itself && r.identity === 'confirmed' ? t.waitsServer : t.notYet}</p>;
  };
  return (
    <ol className="ask-steps">
      <Step mark="done" title={t.stepReceived}><p className="muted"><Time at={r.received_at} />, {r.via ? (t.vias[r.via] ?? r.via) : t.viaShell}</p></Step>
      <Step mark={r.identity === 'confirmed' ? 'done' : r.identity === 'failed' ? 'bad' : next === 'identity' ? 'next' : 'later'} title={t.stepIdentity}>
        <p className="muted">{t.identities[r.identity] ?? r.identity}{r.identity === 'confirmed' && r.via !== 'operator' && r.via !== null && ` ${t.bySignIn}`}</p>
      </Step>
      <Step mark={r.decision ? 'done' : next === 'decide' ? 'next' : 'later'} title={t.stepDecided}>
        <p className="muted">{decided || t.notYet}</p>
        {r.reason && <p>{t.wordsOf} <q>{r.reason}</q></p>}
        {undo && r.undo_until !== null && <p>{t.undoUntil} <Time at={r.undo_until} /></p>}
      </Step>
      <Step mark={r.state === 'done' ? 'done' : r.failed_at !== null && !over ? 'bad' : next === 'carry' ? 'next' : 'later'} title={t.stepCarried}>{carrying()}</Step>
    </ol>
  );
}

function Facts({ of: r }: { of: CustomerAsk }) {
  const t = useMessages(en);
  const name = useActorName();
  const may = useMay();
  const about = r.kind === 'objection' || r.kind.startsWith('consent');
  return (
    <>
      <dl className="facts">
        <dt>{t.owner}</dt><dd>{r.owner ? name(r.owner) : <span className="muted">{t.nobody}</span>}</dd>
        <dt>{t.law}</dt><dd>{r.law ? (t.laws[r.law] ?? r.law) : t.noLaw}</dd>
        <dt>{t.received}</dt><dd><Time at={r.received_at} as={date} /></dd>
        <dt>{t.due}</dt><dd>{r.due_at === null ? t.noClock : r.last_day ? date(Date.parse(`${r.last_day}T12:00`) * 1000) : <Time at={r.due_at - 1} as={date} />}</dd>
        {r.extended_at !== null && <><dt>{t.extended}</dt><dd><Time at={r.extended_at} as={date} /></dd></>}
        {canExtend(r) && r.extended_to !== null && <><dt>{t.canWait}</dt><dd>{lastDay(r.extended_to)}</dd></>}
        {r.corrects.length > 0 && <><dt>{t.corrects}</dt><dd>{r.corrects.map((c) => <div key={`${c.table}.${c.column}`}><code className="mono">{c.table}.{c.column}</code></div>)}</dd></>}
        {about && <><dt>{t.purpose}</dt><dd>{r.purpose ? purposeWords(r.purpose) : t.allPurposes}</dd></>}
        {r.task && may('work.read_all') && <><dt>{t.task}</dt><dd><Link to={`/work?task=${r.task}` as '/'} className="link">{t.openTask}</Link></dd></>}
        <dt>{t.number}</dt><dd><Id id={r.request} /></dd>
      </dl>
      <p className="small muted" style={{ marginTop: 10 }}><Icon name="lock" /> {t.sealed}</p>
      {!isOver(r) && !may('requests.write') && !may('requests.decide') && !may('requests.carry_out') && <p className="small muted" style={{ marginTop: 6 }}>{t.readOnly}</p>}
    </>
  );
}

function Done({ of }: { of: Carried }) {
  const t = useMessages(en);
  const places = Object.entries(of.rows).filter(([, n]) => n > 0);
  return (
    <Section title={t.carriedTitle}>
      <div role="status">
        {places.length === 0 ? <p className="muted">{t.carriedNone}</p> : (
          <Table label={t.carriedRows} rows={places} id={([place]) => place} columns={[{ key: 'place', head: t.place, cell: ([place]) => <code className="mono">{place}</code> }, { key: 'rows', head: t.rows, num: true, cell: ([, n]) => num(n) }]} />
        )}
        {of.notes.length > 0 && <><h3 style={{ marginTop: 12 }}>{t.notesTitle}</h3><ul className="changes">{of.notes.map((note) => <li key={note}>{note}</li>)}</ul></>}
      </div>
    </Section>
  );
}

// One person: facts first, actions beside them, each in one call; of a blocked person, the investigation.
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { personQuery } from '@/api/queries';
import type { PersonRecord, Session } from '@/api/types';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { guard as en } from '@/messages/guard.en';
import { Avatar, Badge, Button, Icon, Link, Loaded, Menu, More, PageHead, Section, Table, Time, type Column } from '@/ui';
import { ActionDialog, useOneCall, type PersonAction } from './actions';
import { InvestigationView } from './investigation';
import { PersonStatus } from './index';
import { WouldSeeSection } from './would-see';

export function PersonPage() {
  const { person } = useParams({ strict: false }) as { person: string };
  const query = useQuery(personQuery(person));
  return <div className="page"><Loaded query={query}>{(record) => <One record={record} />}</Loaded></div>;
}

function One({ record }: { record: PersonRecord }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const p = record.person;
  const [asking, setAsking] = useState<PersonAction | null>(null);
  const call = useOneCall(p.id);
  const open = record.sessions.filter((s) => !s.ended_at);
  return (
    <>
      <p className="small" style={{ marginBottom: 12 }}><Link to="/guard" className="link">{t.gone}</Link></p>
      <div className="person-head">
        <Avatar name={p.name || p.email} outside={Boolean(p.organisation)} large />
        <div>
          <PageHead title={p.name || p.email} quietTitle />
          <p style={{ fontSize: 20, lineHeight: '28px', fontWeight: 600 }} aria-hidden="true">{p.name || p.email}</p>
          <p className="row wrap"><span>{words.role(p.role)}</span><PersonStatus person={p} />{p.organisation && <Badge tone="warn" icon="outside">{c.outside(p.organisation)}</Badge>}{p.blocked_at && <span className="small bad">{t.blockedSince('')}<Time at={p.blocked_at} /></span>}</p>
        </div>
        <div className="acts">
          {p.status === 'blocked' ? <Button kind="primary" onClick={() => setAsking('unblock')}>{t.unblock}</Button> : <Button kind="danger" icon="lock" onClick={() => setAsking('block')}>{t.block}</Button>}
          <Menu label={t.actions} items={[
            { label: t.endSessions, disabled: open.length === 0, run: () => call('end-sessions') },
            { label: t.changeEmail, run: () => setAsking('email') },
            { label: t.resetFactors, disabled: !p.mfa_enrolled, run: () => call('reset-factors') },
            { label: p.mfa_required ? t.dropMfa : t.requireMfa, run: () => call(p.mfa_required ? 'drop-mfa' : 'require-mfa') },
            '-',
            { label: t.changeRole, run: () => setAsking('role') },
            { label: t.limitAction, run: () => setAsking('limit') },
            ...(record.locks.length ? (['-', { label: t.unlock, run: () => call('unlock') }] as const) : []),
          ]} />
        </div>
      </div>
      {record.locks.map((l) => <p key={l.credential + (l.network ?? '')} className="note warn-note" style={{ marginBottom: 12 }}><Icon name="lock" /> {t.locked(l.credential, l.failed, span(l.left_s))}</p>)}
      {record.investigation && <InvestigationView person={p.id} investigation={record.investigation} />}
      <div className="columns two" style={{ marginTop: 0 }}>
        <Section title={t.facts}>
          <dl className="facts">
            <dt>{t.email}</dt><dd>{p.email}</dd>
            <dt>{t.organisation}</dt><dd>{p.organisation ?? t.inHouse}</dd>
            <dt>{t.joined}</dt><dd><Time at={p.created_at} /></dd>
            <dt>{t.seen}</dt><dd>{p.last_seen_at ? <Time at={p.last_seen_at} /> : t.never}</dd>
            <dt>{t.factor}</dt><dd>{[record.factors.passkeys > 0 && t.passkeys(record.factors.passkeys), record.factors.totp && t.app, record.factors.recovery_codes > 0 && t.recovery(record.factors.recovery_codes)].filter(Boolean).join(', ') || t.noFactor}{record.mfa_needed && <> <Badge tone="warn">{t.required}</Badge></>}</dd>
            <dt>{t.limit}</dt><dd>{p.limit_tables?.join(', ') ?? t.noLimit}{p.limit_until && <>, <Time at={p.limit_until} /></>}</dd>
          </dl>
        </Section>
        <Section title={t.week} right={<Link to="/guard/log" search={{ person: p.id } as never} className="link">{t.history}</Link>}>
          {record.this_week.length === 0 ? <p className="muted">{t.weekNone}</p> : <ul className="changes">{record.this_week.map((w) => <li key={w.class}><Link to="/guard/log" search={{ actor: p.id, kind: 'access_opened,access_rows' } as never} className="link">{t.weekSay(num(w.rows), w.accesses, w.class)}</Link></li>)}</ul>}
          {record.denied_this_week > 0 && <p style={{ marginTop: 8 }}><Link to="/guard/log" search={{ actor: p.id, kind: 'access_denied' } as never} className="link warn"><b>{t.denied(record.denied_this_week)}</b></Link></p>}
        </Section>
      </div>
      <div className="columns"><Section title={t.sessions}><Sessions sessions={record.sessions} /></Section></div>
      <div className="columns two">
        <Section title={t.tokens}>{record.tokens.length === 0 ? <p className="muted">{t.tokensNone}</p> : <ul className="changes">{record.tokens.map((k) => <li key={k.id} className="row wrap"><b>{k.label}</b><span className="muted small">{k.scopes.join(', ')}</span><span className="push small"><Time at={k.until} /></span></li>)}</ul>}</Section>
        <Section title={t.grantsHeld}>{record.grants.length === 0 ? <p className="muted">{t.grantsNone}</p> : <ul className="changes">{record.grants.map((g) => <li key={g.id}><Link to="/guard/grants" className="link">{t.actionWords[g.action] ?? g.action}: {g.table}</Link> <span className="muted small">{g.task}{g.until && <>, <Time at={g.until} /></>}</span></li>)}</ul>}</Section>
      </div>
      <div className="columns"><WouldSeeSection person={p.id} /></div>
      {asking && <ActionDialog record={record} action={asking} onClose={() => setAsking(null)} />}
    </>
  );
}

export function Sessions({ sessions, end }: { sessions: readonly Session[]; end?: (session: string) => void }) {
  const t = useMessages(en);
  const sorted = [...sessions].sort((a, b) => Number(a.ended_at !== null) - Number(b.ended_at !== null) || b.seen_at - a.seen_at);
  const columns: Column<Session>[] = [
    { key: 'device', head: t.device, cell: (s) => <>{s.device}{s.current && <> <Badge tone="accent">{t.thisOne}</Badge></>}</> },
    { key: 'address', head: t.address, cell: (s) => <span className="mono">{s.address ?? '–'}</span> },
    { key: 'method', head: t.method, cell: (s) => s.method.replaceAll('_', ' ') },
    { key: 'since', head: t.since, cell: (s) => <Time at={s.created_at} /> },
    { key: 'last', head: t.last, cell: (s) => <Time at={s.seen_at} /> },
    { key: 'state', head: t.state, cell: (s) => s.ended_at ? <span className="muted">{t.ended} <Time at={s.ended_at} /></span> : <Badge tone="good" icon="check">{t.open}</Badge> },
    ...(end ? [{ key: 'end', head: <span className="vh">{t.endSessions}</span>, num: true, cell: (s: Session) => s.ended_at ? null : <Button small onClick={() => end(s.id)} aria-label={`${t.endOne}: ${s.device}`}>{t.endOne}</Button> }] : []),
  ];
  if (sessions.length === 0) return <p className="muted">{t.sessionsNone}</p>;
  return <More items={sorted}>{(shown) => <Table label={t.sessions} rows={shown} columns={columns} id={(s) => s.id} />}</More>;
}

// Who is in the data now: open accesses, sessions, runs, and connections to the stores that pass dunlin by.
import { useQuery } from '@tanstack/react-query';
import { presenceQuery } from '@/api/queries';
import type { Presence } from '@/api/types';
import { useActorName } from '@/app/people';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { when } from '@/i18n/format';
import { guard as en } from '@/messages/guard.en';
import { Badge, Link, Loaded, Section, Table, Time, Who } from '@/ui';
import { AccessTable } from './access';
import { GuardFrame } from './frame';

export function LivePage() {
  const query = useQuery(presenceQuery);
  return <GuardFrame><Loaded query={query}>{(now) => <Now now={now} />}</Loaded></GuardFrame>;
}

function Now({ now }: { now: Presence }) {
  const t = useMessages(en);
  const words = useWords();
  const name = useActorName();
  const strangers = now.outside.filter((o) => !o.own).length;
  return (
    <>
      <div className="finding-head"><h2 className="finding">{t.accesses(now.accesses.length)}</h2></div>
      {now.accesses.length + now.lately.length === 0 ? <p className="muted">{t.accessesNone}</p> : <AccessTable accesses={[...now.accesses, ...now.lately]} />}
      <div className="columns two">
        <Section title={t.signedIn(new Set(now.sessions.map((s) => s.person)).size)}>
          <Table label={t.sessions} rows={now.sessions} id={(s) => s.id} columns={[
            { key: 'who', head: t.person, cell: (s) => <Link to="/guard/people/$person" params={{ person: s.person }}><Who name={s.name} organisation={s.organisation} /></Link> },
            { key: 'device', head: t.device, cell: (s) => s.device },
            { key: 'last', head: t.last, cell: (s) => <Time at={s.seen_at} /> },
          ]} />
        </Section>
        <div className="stack" style={{ gap: 28 }}>
          <Section title={t.stores} sub={<>{t.strangers(strangers)}{now.outside_at && <> · {t.storesText(when(now.outside_at))}</>}</>}>
            {now.outside.length === 0 ? <p className="muted">{t.storesNone} {t.storesUnknown}</p> : (
              <Table label={t.stores} rows={now.outside} id={(o) => `${o.store}${o.user}${o.client}${o.since}${o.application}`} flag={(o) => !o.own} columns={[
                { key: 'store', head: t.store, cell: (o) => <b>{o.store}</b> },
                { key: 'user', head: t.user, cell: (o) => o.user },
                { key: 'client', head: t.client, cell: (o) => <span className="mono">{o.client ?? '–'}</span> },
                { key: 'app', head: t.application, cell: (o) => o.own ? <Badge>{t.own}</Badge> : <Badge tone="warn" icon="outside">{o.application || t.bypass}</Badge> },
                { key: 'since', head: t.since, cell: (o) => o.since ? <Time at={o.since} /> : '–' },
              ]} />
            )}
          </Section>
          <Section title={t.runsNow}>
            {now.runs.length === 0 ? <p className="muted">{t.runsNone}</p> : <ul className="changes">{now.runs.map((r) => <li key={r.id} className="row wrap"><Link to="/runs/$run" params={{ run: r.id }} className="link">{words.status(r.status)}</Link><span className="muted">{name(r.actor)}</span><span className="push"><Time at={r.started_at} /></span></li>)}</ul>}
          </Section>
        </div>
      </div>
    </>
  );
}

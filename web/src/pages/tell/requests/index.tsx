// The queue: what customers ask for, the most urgent first, each with its clock and who deals with it.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useActorName } from '@/app/people';
import { useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { date, num } from '@/i18n/format';
import { requests as en } from '@/messages/requests.en';
import { Button, Empty, Icon, Link, Loaded, Table, Time, type Column } from '@/ui';
import { TellFrame } from '../frame';
import { isLate, isOver, requestsQuery, type CustomerAsk } from './api';
import { EnterRequest } from './enter';
import { AskState, Clock, lastDay, purposeWords, useKind } from './parts';

export function RequestsPage() {
  const t = useMessages(en);
  const may = useMay();
  const query = useQuery(requestsQuery);
  const [entering, setEntering] = useState(false);
  const writes = may('requests.write');
  const any = (query.data?.items.length ?? 0) > 0;
  const enter = () => setEntering(true);
  return (
    <TellFrame actions={writes && any && <Button kind="primary" icon="plus" onClick={enter}>{t.enter}</Button>}>
      <Loaded query={query}>
        {({ items }) => items.length === 0
          ? <Empty title={t.emptyTitle} action={writes && <Button kind="primary" onClick={enter}>{t.enter}</Button>}>{writes ? t.emptyText : t.emptyRead}</Empty>
          : <Queue items={items} />}
      </Loaded>
      {entering && <EnterRequest onClose={() => setEntering(false)} />}
    </TellFrame>
  );
}

function Queue({ items }: { items: readonly CustomerAsk[] }) {
  const t = useMessages(en);
  const name = useActorName();
  const kind = useKind();
  const navigate = useNavigate();
  const { show } = useSearch({ strict: false }) as { show?: string };
  const over = show === 'answered';
  const open = items.filter((r) => !isOver(r));
  const shut = items.filter(isOver).sort((a, b) => (b.ended_at ?? b.received_at) - (a.ended_at ?? a.received_at));
  const late = open.filter(isLate).length;
  const next = open.filter((r) => !isLate(r)).reduce<number | null>((first, r) => (r.due_at !== null && (first === null || r.due_at < first) ? r.due_at : first), null);
  const go = (to: string | undefined) => void navigate({ to: '/notices/requests', search: (to ? { show: to } : {}) as never });
  const columns: Column<CustomerAsk>[] = [
    { key: 'what', head: t.what, cell: (r) => (
      <Link to="/notices/requests/$request" params={{ request: r.request }} className="notice-name">
        <b className="link">{kind(r)}</b>{r.purpose && <span className="small muted">{t.about(purposeWords(r.purpose))}</span>}
      </Link>
    ) },
    { key: 'due', head: t.due, cell: (r) => <Clock of={r} /> },
    { key: 'state', head: t.state, cell: (r) => <span className="stack" style={{ gap: 2, alignItems: 'flex-start' }}><AskState of={r} />{r.failed_at !== null && !isOver(r) && <span className="small bad nowrap"><Icon name="warn" /> {t.failedStep}</span>}</span> },
    { key: 'owner', head: t.owner, cell: (r) => r.owner ? <span className="nowrap">{name(r.owner)}</span> : <span className="muted">{t.nobody}</span> },
    { key: 'received', head: t.received, cell: (r) => <Time at={r.received_at} as={date} /> },
    { key: 'law', head: t.law, cell: (r) => r.law ? <span className="nowrap">{t.laws[r.law] ?? r.law}</span> : <span className="muted">{t.noLaw}</span> },
  ];
  const rows = over ? shut : open;
  return (
    <>
      <div className="finding-head">
        <h2 className="finding">{t.found(open.length)}</h2>
        {late > 0 && <span className="bad"><Icon name="warn" /> <b>{t.foundLate(late)}</b></span>}
        {next !== null && <span className="muted">{t.foundNext(lastDay(next))}</span>}
        <span className="push row" role="group" aria-label={t.which}>
          <Button small aria-pressed={!over} onClick={() => go(undefined)}>{t.open} {num(open.length)}</Button>
          <Button small aria-pressed={over} onClick={() => go('answered')}>{t.over} {num(shut.length)}</Button>
        </span>
      </div>
      {rows.length === 0 ? <p className="muted">{over ? t.noneOver : t.noneOpen}</p> : <Table label={t.tab} rows={rows} columns={columns} id={(r) => r.request} flag={isLate} />}
    </>
  );
}

// Every notice in every language: where it stands, when it is published, who stands for it, what is left to mend.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useActorName } from '@/app/people';
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Button, Empty, Icon, Link, Loaded, Table, Time, type Column } from '@/ui';
import { noticesQuery, versionsQuery, type NoticeLine, type Version } from './api';
import { Draft } from './draft';
import { TellFrame } from './frame';
import { State, dayWords, useLanguage } from './state';

/** A text that was published, taken from view and not edited since is withdrawn, and no mere draft. */
export function stateOf(line: NoticeLine, versions: readonly Version[] | undefined): string {
  if (line.status !== 'draft') return line.status;
  const last = versions?.find((v) => v.sha256 === line.sha256 && v.file.endsWith(`/${line.name}`));
  return last?.status === 'withdrawn' ? 'withdrawn' : 'draft';
}

export function NoticesPage() {
  const t = useMessages(en);
  const may = useMay();
  const query = useQuery(noticesQuery);
  const versions = useIf('notices.read', versionsQuery).data?.items;
  const [drafting, setDrafting] = useState(false);
  const writes = may('notices.write');
  const open = () => setDrafting(true);
  const any = (query.data?.items.length ?? 0) > 0;
  return (
    <TellFrame actions={writes && any && <Button kind="primary" icon="plus" onClick={open}>{t.newNotice}</Button>}>
      <Loaded query={query}>
        {({ items }) => items.length === 0
          ? <Empty title={t.emptyTitle} action={writes && <Button kind="primary" onClick={open}>{t.draftAction}</Button>}>{t.emptyText}</Empty>
          : <List items={items} versions={versions} />}
      </Loaded>
      {drafting && <Draft taken={query.data?.items ?? []} onClose={() => setDrafting(false)} />}
    </TellFrame>
  );
}

function List({ items, versions }: { items: readonly NoticeLine[]; versions: readonly Version[] | undefined }) {
  const t = useMessages(en);
  const name = useActorName();
  const language = useLanguage();
  const sorted = [...items].sort((a, b) => (a.notice ?? a.name).localeCompare(b.notice ?? b.name) || (a.locale ?? '').localeCompare(b.locale ?? ''));
  const waiting = items.filter((n) => n.waiting).length;
  // Whoever stands for what waits, or else for what is shown.
  const stands = (n: NoticeLine) => n.waiting ?? n.shown ?? versions?.find((v) => v.file.endsWith(`/${n.name}`));
  const columns: Column<NoticeLine>[] = [
    { key: 'notice', head: t.notice, cell: (n) => <Link to="/notices/$name" params={{ name: n.name }} className="notice-name"><b className="link">{n.headline ?? t.untitled}</b><span className="small muted">{n.name}</span></Link> },
    { key: 'language', head: t.language, cell: (n) => <span className="nowrap">{language(n.locale) || '–'}</span> },
    { key: 'state', head: t.state, cell: (n) => <span className="stack" style={{ gap: 2, alignItems: 'flex-start' }}><State of={stateOf(n, versions)} />{n.waiting && n.status !== 'submitted' && <State of="submitted" />}</span> },
    { key: 'version', head: t.version, num: true, cell: (n) => n.version ?? '–' },
    { key: 'when', head: t.publishes, cell: (n) => n.shown?.published_at ? <Time at={n.shown.published_at} /> : <span className="muted nowrap">{n.publish ? t.planned(dayWords(n.publish)) : t.notPlanned}</span> },
    { key: 'wrote', head: t.wrote, cell: (n) => stands(n)?.authors.map((a) => name(a)).join(', ') || <span className="muted">{t.nobody}</span> },
    { key: 'approved', head: t.approvedBy, cell: (n) => n.shown?.approved_by ? name(n.shown.approved_by) : <span className="muted">{t.nobody}</span> },
    { key: 'findings', head: t.findings, cell: (n) => <Found of={n} /> },
  ];
  return (
    <>
      <div className="finding-head"><h2 className="finding">{t.found(items.filter((n) => n.shown).length, items.length)}</h2>{waiting > 0 && <span className="muted">{t.foundWaiting(waiting)}</span>}</div>
      <Table label={t.tabNotices} rows={sorted} columns={columns} id={(n) => n.name} flag={(n) => n.status === 'broken'} />
    </>
  );
}

function Found({ of }: { of: NoticeLine }) {
  const t = useMessages(en);
  if (of.errors + of.warnings === 0) return <span className="muted nowrap">{t.clean}</span>;
  return (
    <Link to="/notices/$name" params={{ name: of.name }} className="nowrap">
      {of.errors > 0 && <span className="bad"><Icon name="warn" /> <span className="opens">{t.errors(of.errors)}</span></span>}{of.errors > 0 && of.warnings > 0 && ', '}
      {of.warnings > 0 && <span className="warn"><span className="opens">{t.warnings(of.warnings)}</span></span>}
    </Link>
  );
}

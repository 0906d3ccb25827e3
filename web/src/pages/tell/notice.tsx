// One notice: its head with what can be done about it, its languages, and its parts (write, versions).
import { useQuery } from '@tanstack/react-query';
import { useParams, useSearch } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Button, Icon, Link, Loaded, PageHead, Skeleton } from '@/ui';
import { noticeQuery, noticesQuery, type NoticeText, type Read } from './api';
import { AddLanguage } from './draft';
import { State, dayWords, useLanguage } from './state';
import { stateOf } from './index';
import { Versions } from './versions';
import { Write } from './write';

export function NoticePage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const query = useQuery(noticeQuery(name));
  return (
    <Loaded query={query} skeleton={<div className="page"><Shape /></div>}>
      {(read) => <One key={name} read={read} />}
    </Loaded>
  );
}

function Shape() {
  return <div style={{ display: 'grid', gap: 14 }}><Skeleton width="46%" height={28} /><Skeleton width="30%" height={16} /><div className="notice-cols"><Skeleton height={480} /><Skeleton height={480} /></div></div>;
}

function One({ read }: { read: Read }) {
  const { view } = useSearch({ strict: false }) as { view?: string };
  const n = read.data;
  return (
    <div className="page">
      {view === 'versions' ? <><Head of={n} /><Parts of={n} /><Versions of={n} /></> : <Write read={read} head={(actions) => <><Head of={n} actions={actions} /><Parts of={n} /></>} />}
    </div>
  );
}

function Head({ of, actions }: { of: NoticeText; actions?: ReactNode }) {
  const t = useMessages(en);
  const language = useLanguage();
  return (
    <>
      <p className="small" style={{ marginBottom: 4 }}><Link to="/notices" className="link"><Icon name="left" /> {t.back}</Link></p>
      <PageHead title={of.headline ?? of.name} actions={actions} sub={
        <span className="row wrap" style={{ gap: '4px 12px' }}>
          <State of={stateOf(of, of.versions)} />
          {of.waiting && of.status !== 'submitted' && <State of="submitted" />}
          {of.locale && <span>{language(of.locale)}</span>}
          {of.version !== null && <span>{t.version} {of.version}</span>}
          <code className="mono">{of.name}</code>
          {!of.shown && of.publish && <span>{t.planned(dayWords(of.publish))}</span>}
          {!of.shown && of.precedes && <span><Icon name="lock" /> {t.precedes}</span>}
        </span>} />
    </>
  );
}

function Parts({ of }: { of: NoticeText }) {
  const t = useMessages(en);
  const may = useMay();
  const language = useLanguage();
  const { view } = useSearch({ strict: false }) as { view?: string };
  const [adding, setAdding] = useState(false);
  const all = useIf('notices.read', noticesQuery).data?.items.filter((n) => n.notice && n.notice === of.notice) ?? [];
  const there = all.map((n) => n.locale ?? '');
  const versions = view === 'versions';
  const here = { name: of.name };
  return (
    <div className="notice-parts">
      <nav className="tabs" aria-label={t.views}>
        <Link to="/notices/$name" params={here} search={{} as never} activeOptions={{ exact: true, includeSearch: true }}>{t.viewWrite}</Link>
        <Link to="/notices/$name" params={here} search={{ view: 'versions' } as never} activeOptions={{ exact: true, includeSearch: true }}>{t.viewVersions}<span className="count">{of.versions.length}</span></Link>
      </nav>
      {of.notice && (
        <nav className="tabs push" aria-label={t.languages}>
          {all.map((n) => <Link key={n.name} to="/notices/$name" params={{ name: n.name }} search={(versions ? { view } : {}) as never} activeOptions={{ exact: true, includeSearch: false }}>{language(n.locale)}{n.errors > 0 && <span className="count bad" title={t.errors(n.errors)}>{n.errors}<span className="vh"> {t.errors(n.errors)}</span></span>}</Link>)}
          {may('notices.write') && of.languages.some((l) => !there.includes(l)) && <Button kind="quiet" small icon="plus" onClick={() => setAdding(true)}>{t.addLanguage}</Button>}
        </nav>
      )}
      {adding && <AddLanguage of={of} there={there} onClose={() => setAdding(false)} />}
    </div>
  );
}

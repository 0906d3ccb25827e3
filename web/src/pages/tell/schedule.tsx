// What customers hear, and when: the publication of each notice and its messages before, during and after the move.
import { useQueries, useQuery } from '@tanstack/react-query';
import { useMessages } from '@/i18n';
import { tell as en } from '@/messages/tell.en';
import { Badge, ButtonLink, Empty, Link, Loaded, ProblemView, Section, SkeletonRows, Table, type Column } from '@/ui';
import { noticeQuery, noticesQuery, type NoticeLine, type NoticeText } from './api';
import { TellFrame } from './frame';
import { State, dayWords, useLanguage } from './state';
import { messages } from './text';

const WHATS = ['publish', 'before', 'during', 'after'] as const;
/** One thing that customers of one or more languages hear. */
interface Line { key: string; what: string; date: string | null; days: number | null; notice: string; in: { locale: string; subject: string; name: string; status: string }[] }

/** The days that the server computed; where it cannot yet, the messages as the text has them. Languages of one notice
 *  that say the same thing on the same day are one line. */
export function lines(all: readonly NoticeText[]): Line[] {
  const found = new Map<string, Line>();
  for (const n of all) {
    const put = (what: string, date: string | null, days: number | null, subject: string, nth: number) => {
      const key = [n.notice ?? n.name, what, date ?? `+${days ?? ''}`, nth].join(' ');
      const line = found.get(key) ?? { key, what, date, days, notice: n.notice ?? n.name, in: [] };
      line.in.push({ locale: n.locale ?? '', subject, name: n.name, status: n.status });
      found.set(key, line);
    };
    const told = n.days.filter((d) => d.what !== 'publish');
    for (const d of n.days.filter((x) => x.what === 'publish')) put('publish', d.date, null, n.headline ?? d.title, 0);
    const written = messages(n.text);
    written.forEach((m, i) => {
      // The server names days in the order of the text, and all of them once it knows when the move begins.
      const day = told.length === written.length ? told[i] : undefined;
      put(m.when, day?.date ?? null, m.days, m.subject, written.slice(0, i).filter((x) => x.when === m.when && x.days === m.days).length);
    });
  }
  const rank = (line: Line) => WHATS.indexOf(line.what as (typeof WHATS)[number]);
  const off = (line: Line) => (line.what === 'before' ? -(line.days ?? 0) : (line.days ?? 0));
  return [...found.values()].sort((a, b) => (a.date && b.date ? a.date.localeCompare(b.date) : 0) || rank(a) - rank(b) || off(a) - off(b));
}

const today = () => { const d = new Date(); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`; };

export function SchedulePage() {
  const query = useQuery(noticesQuery);
  return <TellFrame><Loaded query={query}>{({ items }) => <Schedule items={items} />}</Loaded></TellFrame>;
}

function Schedule({ items }: { items: readonly NoticeLine[] }) {
  const t = useMessages(en);
  const each = useQueries({ queries: items.map((n) => noticeQuery(n.name)) });
  const broken = each.find((q) => q.isError);
  if (broken) return <ProblemView error={broken.error} retry={() => void broken.refetch()} />;
  if (each.some((q) => !q.data)) return <SkeletonRows rows={5} columns={4} />;
  const all = lines(each.flatMap((q) => (q.data ? [q.data.data] : [])));
  // What is published already is no longer to come.
  const next = all.find((l) => l.date && l.date >= today() && !(l.what === 'publish' && l.in.every((x) => x.status === 'published' || x.status === 'changed')));
  if (all.length === 0) return <Empty title={t.scheduleEmpty} action={<ButtonLink to="/notices">{t.tabNotices}</ButtonLink>}>{t.scheduleEmptyText}</Empty>;
  return (
    <>
      <div className="finding-head"><h2 className="finding">{t.scheduleFound(next?.date ? dayWords(next.date) : null, all.length)}</h2><Link to={'/work/calendar' as '/'} className="link small">{t.scheduleCalendar}</Link></div>
      <div className="stack" style={{ gap: 28 }}>
        {WHATS.map((what) => { const of = all.filter((l) => l.what === what); return of.length > 0 && <Section key={what} title={t.whats[what] ?? what}><Part what={what} of={of} /></Section>; })}
      </div>
    </>
  );
}

function Part({ what, of }: { what: string; of: readonly Line[] }) {
  const t = useMessages(en);
  const language = useLanguage();
  const now = today();
  const columns: Column<Line>[] = [
    { key: 'day', head: t.day, width: '20%', cell: (l) => <span>{l.date ? <b className="nowrap">{dayWords(l.date)}</b> : <span className="muted">{t.dayUnknown}</span>}{l.days !== null && <><br /><span className="small muted nowrap">{t.daysOff(l.what, l.days)}</span></>} {l.date && l.date < now && <Badge>{t.past}</Badge>}</span> },
    { key: 'subject', head: what === 'publish' ? t.notice : t.subject, cell: (l) => <ul className="told-in">{l.in.map((x) => <li key={x.name}><Link to="/notices/$name" params={{ name: x.name }} className="link" lang={x.locale || undefined}>{x.subject || x.name}</Link><span className="small muted nowrap">{language(x.locale)}</span><State of={x.status} /></li>)}</ul> },
  ];
  return <Table label={t.whats[what] ?? what} rows={of} columns={columns} id={(l) => l.key} />;
}

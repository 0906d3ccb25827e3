// Accesses to customer data as rows: who, where, which columns and how they are shown, how many rows, why, since when.
import type { LiveAccess } from '@/api/types';
import { useActorName } from '@/app/people';
import { useMessages } from '@/i18n';
import { overview as en } from '@/messages/overview.en';
import { Badge, Link, Num, Table, Time, Who, type Column } from '@/ui';

export function AccessTable({ accesses }: { accesses: readonly LiveAccess[] }) {
  const t = useMessages(en);
  const name = useActorName();
  const columns: Column<LiveAccess>[] = [
    { key: 'who', head: t.person, cell: (a) => <Who name={a.name ?? name(a.actor)} organisation={a.organisation} /> },
    { key: 'where', head: t.where, cell: (a) => <>{a.table}<br /><span className="small muted">{a.surface}, {a.store}</span></> },
    { key: 'columns', head: t.columns, cell: (a) => <span title={a.columns.join(', ')}>{t.columnsN(a.columns.length)}{' '}{a.clear_class ? <Badge tone="warn" icon="eye">{t.clear}: {a.clear_class}</Badge> : <span className="masked">{t.allMasked}</span>}</span> },
    { key: 'rows', head: t.rows, num: true, cell: (a) => <Num n={a.rows} to="/guard/log" search={{ access: a.id, kind: 'access_opened,access_rows,access_closed' }} /> },
    { key: 'why', head: t.why, cell: (a) => <>{a.purpose_category || '–'}{a.task && <><br /><span className="small muted">{a.task}</span></>}</> },
    { key: 'since', head: t.since, cell: (a) => <>{<Time at={a.opened_at} />}{a.closed_at && <><br /><span className="small muted">{t.lately}</span></>}</> },
    { key: 'look', head: <span className="vh">{t.alert}</span>, num: true, cell: (a) => a.name ? <Link to="/guard/people/$person" params={{ person: a.actor }} className="button small-size">{t.alert}</Link> : null },
  ];
  return <Table label={t.who} rows={accesses} columns={columns} id={(a) => a.id} flag={(a) => Boolean(a.organisation && !a.closed_at)} />;
}

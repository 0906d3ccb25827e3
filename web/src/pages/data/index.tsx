// Quarantine: what keeps rows waiting, one line a mistake, with whose it is.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { quarantineQuery } from '@/api/queries';
import { useActorName } from '@/app/people';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, pct } from '@/i18n/format';
import { data as en } from '@/messages/data.en';
import { Choice, Empty, Link, Loaded, Table, type Column } from '@/ui';
import { DataFrame } from './frame';
import { MistakeDrawer } from './mistake';
import { mistakes, owed, type Mistake } from './mistakes';

interface Search { table?: string; group?: string; mistake?: string }

export function QuarantinePage() {
  const t = useMessages(en);
  const words = useWords();
  const name = useActorName();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as Search;
  const query = useQuery(quarantineQuery);
  const all = mistakes(query.data?.items ?? []);
  const shown = search.table ? all.filter((m) => m.table === search.table) : all;
  const sum = shown.reduce((n, m) => n + m.rows, 0);
  const tables = [...new Set(all.map((m) => m.table))].sort();
  const go = (next: Search) => void navigate({ to: '/data', search: next } as never);
  const opening = (m: Mistake) => ({ table: search.table, mistake: m.key }) as never;
  const columns: Column<Mistake>[] = [
    { key: 'reason', head: t.reason, cell: (m) => <Link to="/data" search={opening(m)} className="opens"><b>{words.reason(m.reason)}</b></Link> },
    { key: 'table', head: t.table, cell: (m) => <span className="nowrap">{m.table}</span> },
    { key: 'column', head: t.column, cell: (m) => m.column ?? <span className="muted">–</span> },
    { key: 'pattern', head: t.pattern, cell: (m) => m.groups[0]?.pattern ? <><code className="masked">{m.groups[0].pattern}</code>{m.groups.length > 1 && <span className="small muted nowrap"> {t.andShapes(m.groups.length - 1)}</span>}</> : <span className="muted">–</span> },
    { key: 'owner', head: t.owner, cell: (m) => { const { owners, by } = owed(m.tasks); return <>{owners.length ? owners.map(name).join(', ') : <span className="muted">{t.nobody}</span>}{by && <span className="small muted nowrap"> · {t.until(by)}</span>}</>; } },
    { key: 'rows', head: t.rows, num: true, cell: (m) => <Link to="/data" search={opening(m)} className="opens">{num(m.rows)}</Link> },
    { key: 'share', head: t.share, num: true, width: '120px', cell: (m) => <span className="row" style={{ justifyContent: 'flex-end' }}><span className="track" aria-hidden="true"><i style={{ width: `${(m.rows / Math.max(1, sum)) * 100}%` }} /></span><span className="small muted" style={{ width: 34 }}>{pct(m.rows / Math.max(1, sum), 0)}</span></span> },
  ];
  const open = all.find((m) => (search.mistake ? m.key === search.mistake : m.groups.some((g) => g.group === search.group)));
  return (
    <DataFrame>
      <Loaded query={query}>
        {(list) => list.items.length === 0 ? <Empty title={t.noneWaits}>{t.noneWaitsText}</Empty> : (
          <>
            <div className="finding-head">
              <h2 className="finding">{t.waiting(num(sum))}</h2><span className="muted">{t.waitingSub(shown.length)}</span>
              <span className="push" style={{ minWidth: 180 }}><Choice label={t.table} hideLabel value={search.table ?? ''} onChange={(e) => go(e.target.value ? { table: e.target.value } : {})} options={[{ value: '', label: t.allTables }, ...tables.map((x) => ({ value: x, label: x }))]} /></span>
            </div>
            <Table label={t.tabQuarantine} rows={shown} columns={columns} id={(m) => m.key} chosen={(m) => m.key === open?.key} />
          </>
        )}
      </Loaded>
      {open && <MistakeDrawer key={open.key} mistake={open} only={search.mistake ? undefined : search.group} onClose={() => go(search.table ? { table: search.table } : {})} />}
    </DataFrame>
  );
}

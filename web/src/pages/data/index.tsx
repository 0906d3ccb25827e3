// Quarantine: groups of rows that wait for one reason.
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { quarantineQuery } from '@/api/queries';
import type { QuarantineGroup } from '@/api/types';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, pct } from '@/i18n/format';
import { data as en } from '@/messages/data.en';
import { Choice, Empty, Link, Loaded, Table, type Column } from '@/ui';
import { DataFrame } from './frame';
import { GroupDrawer } from './group';

export function QuarantinePage() {
  const t = useMessages(en);
  const words = useWords();
  const navigate = useNavigate();
  const search = useSearch({ strict: false }) as { table?: string; group?: string };
  const query = useQuery(quarantineQuery);
  const all = query.data?.items ?? [];
  const shown = search.table ? all.filter((g) => g.table === search.table) : all;
  const sum = shown.reduce((n, g) => n + g.rows, 0);
  const tables = [...new Set(all.map((g) => g.table))].sort();
  const go = (next: { table?: string; group?: string }) => void navigate({ to: '/data', search: next } as never);
  const columns: Column<QuarantineGroup>[] = [
    { key: 'reason', head: t.reason, cell: (g) => <Link to="/data" search={{ ...search, group: g.group } as never} className="opens"><b>{words.reason(g.reason)}</b></Link> },
    { key: 'table', head: t.table, cell: (g) => <span className="nowrap">{g.table}</span> },
    { key: 'column', head: t.column, cell: (g) => g.column ?? <span className="muted">–</span> },
    { key: 'pattern', head: t.pattern, cell: (g) => g.pattern ? <code className="masked">{g.pattern}</code> : <span className="muted">–</span> },
    { key: 'rows', head: t.rows, num: true, cell: (g) => <Link to="/data" search={{ ...search, group: g.group } as never} className="opens">{num(g.rows)}</Link> },
    { key: 'share', head: t.share, num: true, width: '120px', cell: (g) => <span className="row" style={{ justifyContent: 'flex-end' }}><span className="track" aria-hidden="true"><i style={{ width: `${(g.rows / Math.max(1, sum)) * 100}%` }} /></span><span className="small muted" style={{ width: 34 }}>{pct(g.rows / Math.max(1, sum), 0)}</span></span> },
  ];
  const open = all.find((g) => g.group === search.group);
  return (
    <DataFrame>
      <Loaded query={query}>
        {(list) => list.items.length === 0 ? <Empty title={t.noneWaits}>{t.noneWaitsText}</Empty> : (
          <>
            <div className="finding-head">
              <h2 className="finding">{t.waiting(num(sum))}</h2><span className="muted">{t.waitingSub(shown.length)}</span>
              <span className="push" style={{ minWidth: 180 }}><Choice label={t.table} hideLabel value={search.table ?? ''} onChange={(e) => go(e.target.value ? { table: e.target.value } : {})} options={[{ value: '', label: t.allTables }, ...tables.map((x) => ({ value: x, label: x }))]} /></span>
            </div>
            <Table label={t.tabQuarantine} rows={shown} columns={columns} id={(g) => `${g.run}${g.group}`} chosen={(g) => g.group === search.group} />
          </>
        )}
      </Loaded>
      {open && <GroupDrawer key={open.group} group={open} onClose={() => go(search.table ? { table: search.table } : {})} />}
    </DataFrame>
  );
}

// Two runs side by side.
import { useQuery } from '@tanstack/react-query';
import { runQuery, runTablesQuery } from '@/api/queries';
import { tablesOf } from '@/app/results';
import { useActorName } from '@/app/people';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { Dialog, DISPOSITIONS, Id, NO_ROWS, SkeletonRows, Time, total, type Counts } from '@/ui';
import { RunStatus } from './index';

export function Compare({ ids, onClose }: { ids: readonly [string, string]; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const name = useActorName();
  const a = useQuery(runQuery(ids[0])).data;
  const b = useQuery(runQuery(ids[1])).data;
  const ta = useQuery(runTablesQuery(ids[0])).data?.items;
  const tb = useQuery(runTablesQuery(ids[1])).data?.items;
  if (!a || !b) return <Dialog title={t.compareTitle} onClose={onClose} wide><SkeletonRows /></Dialog>;
  const pair = [a, b].sort((x, y) => x.started_at - y.started_at);
  const results = pair.map((r) => tablesOf(r, r.id === ids[0] ? ta : tb));
  const seconds = pair.map((r) => (r.ended_at ? (r.ended_at - r.started_at) / 1e6 : null));
  const names = [...new Set(results.flatMap((r) => r?.map((x) => x.table) ?? []))];
  const counts = (i: number, table: string): Counts | null => results[i]?.find((x) => x.table === table)?.counts ?? (results[i] ? NO_ROWS : null);
  return (
    <Dialog title={t.compareTitle} onClose={onClose} wide>
      <div className="table-scroll">
        <table className="table">
          <thead><tr><th scope="col"><span className="vh">{t.facts}</span></th>{pair.map((r) => <th key={r.id} scope="col"><Time at={r.started_at} /></th>)}<th scope="col" className="num">{t.difference}</th></tr></thead>
          <tbody>
            <tr><th scope="row">{t.status}</th>{pair.map((r) => <td key={r.id}><RunStatus status={r.status} /></td>)}<td /></tr>
            <tr><th scope="row">{t.by}</th>{pair.map((r) => <td key={r.id}>{name(r.actor)}</td>)}<td /></tr>
            <tr><th scope="row">{t.plan}</th>{pair.map((r) => <td key={r.id}><Id id={r.fingerprint} /></td>)}<td className="num">{a.fingerprint === b.fingerprint ? '=' : '≠'}</td></tr>
            <tr><th scope="row">{t.took}</th>{seconds.map((s, i) => <td key={i}>{s === null ? '–' : span(s)}</td>)}<td className="num">{seconds[0] && seconds[1] ? span(Math.abs(seconds[1] - seconds[0])) : ''}</td></tr>
            {names.flatMap((table) => DISPOSITIONS.filter((d) => [0, 1].some((i) => (counts(i, table)?.[d] ?? 0) > 0)).map((d) => {
              const [x, y] = [counts(0, table)?.[d], counts(1, table)?.[d]];
              return <tr key={table + d}><th scope="row">{table}: {c[d]}</th><td>{x === undefined ? '–' : num(x)}</td><td>{y === undefined ? '–' : num(y)}</td><td className="num">{x !== undefined && y !== undefined && x !== y ? `${y > x ? '+' : '−'}${num(Math.abs(y - x))}` : ''}</td></tr>;
            }))}
            {names.length > 0 && <tr><th scope="row">{t.read}</th>{[0, 1].map((i) => <td key={i}>{results[i] ? num(names.reduce((n, x) => n + total(counts(i, x) ?? NO_ROWS), 0)) : '–'}</td>)}<td /></tr>}
          </tbody>
        </table>
      </div>
    </Dialog>
  );
}

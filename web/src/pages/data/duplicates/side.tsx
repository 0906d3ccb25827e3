// Rows beside each other: a line a column, a column a row; what differs is marked by a sign as well as by its ground, and
// the last column is what they would be as one, each value with where it comes from. On a phone each line is a card.
import { useMessages } from '@/i18n';
import { dec, num } from '@/i18n/format';
import { duplicates as en } from '@/messages/duplicates.en';
import { Badge, Masked, Skeleton, useScrollable } from '@/ui';
import type { Evidence, MergedPair, OpenedPair, Pair } from './api';

interface Shown { name: string; shown: 'clear' | 'masked' }

export function SideBySide({ pair, opened, merged, working }: { pair: Pair; opened: OpenedPair; merged: MergedPair | undefined; working: boolean }) {
  const t = useMessages(en);
  const scroll = useScrollable();
  const { opened: rows, names } = opened;
  const columns = rows.columns as unknown as Shown[];
  const evidence = new Map(pair.evidence.map((e) => [e.column, e]));
  const most = Math.max(1, ...pair.evidence.map((e) => Math.abs(e.bits)));
  const stays = merged ? names.indexOf(merged.survivor) : -1;
  const withMerged = Boolean(merged) || working;
  return (
    <div className="table-scroll" {...scroll} role="group" aria-label={t.side}>
      <table className="table dup-table">
        <thead>
          <tr>
            <th scope="col">{t.column}</th>
            {pair.evidence.length > 0 && <th scope="col">{t.evidence}</th>}
            {names.map((name, i) => <th key={name} scope="col">{t.row(num(i + 1))} {stays === i && <Badge tone="good" icon="check">{t.stays}</Badge>}</th>)}
            {withMerged && <th scope="col" className="dup-merged">{t.asOne}</th>}
          </tr>
        </thead>
        <tbody>
          {columns.map((column, at) => {
            const differs = opened.differing.includes(column.name) && !opened.keys.includes(column.name);
            const part = merged?.columns.find((c) => c.column === column.name);
            const from = part ? names.indexOf(part.from) : -1;
            return (
              <tr key={column.name} className={differs ? 'differs' : undefined}>
                <th scope="row"><span className="mono">{column.name}</span>{differs && <span className="dup-mark" title={t.differs}><span aria-hidden="true">≠</span><span className="vh"> {t.differs}</span></span>}</th>
                {pair.evidence.length > 0 && <td data-label={t.evidence}><Weight of={evidence.get(column.name)} most={most} /></td>}
                {names.map((name, i) => <td key={name} data-label={t.row(num(i + 1))} className={differs && from === i ? 'taken' : undefined}><Value value={rows.rows[i]?.[at] ?? null} clear={column.shown === 'clear'} /></td>)}
                {withMerged && (
                  <td data-label={t.asOne} className="dup-merged">
                    {!part ? <Skeleton width={90} height={12} /> : from < 0 ? <span className="muted">{t.notShown}</span> : (
                      <>
                        <Value value={rows.rows[from]?.[at] ?? null} clear={column.shown === 'clear'} />
                        {differs && <span className="small muted dup-why">{t.fromRow(num(from + 1))} · {part.why === 'rule' && part.rule ? t.rule(part.rule) : (t.why[part.why] ?? part.why)}</span>}
                      </>
                    )}
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Value({ value, clear }: { value: string | null; clear: boolean }) {
  if (value === null) return <span className="muted">NULL</span>;
  return clear ? <span className="dup-clear">{value}</span> : <Masked>{value}</Masked>;
}

/** What a column weighs: to the right for their being one, to the left against it; the number says it as well. */
function Weight({ of, most }: { of: Evidence | undefined; most: number }) {
  const t = useMessages(en);
  if (!of) return <span className="small muted">{t.notCompared}</span>;
  const share = `${(Math.abs(of.bits) / most) * 50}%`;
  return (
    <span className="weight">
      <span className="weight-bar" aria-hidden="true"><i className={of.bits < 0 ? 'against' : 'for'} style={{ width: share }} /></span>
      <span className="weight-n" title={t.bits(dec(of.bits))}>{of.bits < 0 ? '−' : '+'}{dec(Math.abs(of.bits))}</span>
      <span className="small muted">{t.levels[of.level] ?? of.level}</span>
    </span>
  );
}

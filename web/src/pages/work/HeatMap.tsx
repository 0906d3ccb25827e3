// The week by the hour: a map, and the same as a table of numbers.
import { useState, type ReactElement } from 'react';
import { pct } from '@/i18n/format';
import { useScrollable } from '@/ui';
import { covered, DAYS, type Cell, type WindowHours } from './hours';
import { useHourWords } from './hourwords';

const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
/** Five steps from calm to busy. */
const step = (weight: number) => Math.min(4, Math.floor(weight * 5));

export function HeatMap({ known, hoursKnown, plan, best }: { known: Cell[] | null; hoursKnown: number; plan: WindowHours | null; best: WindowHours | null }): ReactElement {
  const { t, dayName } = useHourWords();
  const [asTable, setAsTable] = useState(false);
  const scroll = useScrollable();
  const [inPlan, inBest] = [plan ? covered(plan) : new Set<number>(), best ? covered(best) : new Set<number>()];
  // A window that is always open marks nothing.
  const marksPlan = inPlan.size < 168;
  const marksBest = inBest.size < 168;
  const title = (hour: number) => {
    const cell = known?.[hour];
    const day = dayName(DAYS[Math.floor(hour / 24)] ?? 'mon');
    return cell ? t.cell(day, clock(hour % 24), pct(cell.weight, 0), pct(cell.load, 0)) : t.cellUnknown(day, clock(hour % 24));
  };
  return (
    <div>
      <div className="table-scroll" {...scroll} role="group" aria-label={t.mapSays(String(hoursKnown))}>
        {asTable && known ? (
          <table className="table hours-table">
            <caption className="vh">{t.mapCaption}</caption>
            <thead><tr><th scope="col">{t.day}</th>{HOURS.map((h) => <th key={h} scope="col" className="num">{h}</th>)}</tr></thead>
            <tbody>{DAYS.map((day, at) => <tr key={day}><th scope="row">{dayName(day, 'short')}</th>{HOURS.map((h) => <td key={h} className="num">{Math.round((known[at * 24 + h]?.weight ?? 0) * 100)}</td>)}</tr>)}</tbody>
          </table>
        ) : (
          <div className="heat" role="img" aria-label={`${t.mapSays(String(hoursKnown))}. ${t.mapCaption}`}>
            <span />{HOURS.map((h) => <span key={h} className="heat-hour">{h % 3 === 0 ? String(h).padStart(2, '0') : ''}</span>)}
            {DAYS.map((day, at) => [
              <span key={day} className="heat-day">{dayName(day, 'short')}</span>,
              ...HOURS.map((h) => {
                const hour = at * 24 + h;
                const cell = known?.[hour];
                return <i key={hour} title={title(hour)} className={['heat-cell', cell ? `h${step(cell.weight)}` : 'unknown', marksPlan && inPlan.has(hour) && 'planned', marksBest && inBest.has(hour) && 'best'].filter(Boolean).join(' ')} />;
              }),
            ])}
          </div>
        )}
      </div>
      <div className="row wrap small muted" style={{ marginTop: 8, gap: '6px 16px' }}>
        {known && <span className="row" style={{ gap: 4 }}>{t.calm} {[0, 1, 2, 3, 4].map((s) => <i key={s} className={`heat-key h${s}`} />)} {t.busy}</span>}
        {!known && <span className="row" style={{ gap: 6 }}><i className="heat-key unknown" />{t.notMeasured}</span>}
        {marksPlan && plan && <span className="row" style={{ gap: 6 }}><i className="heat-key planned" />{t.inPlan}</span>}
        {marksBest && best && <span className="row" style={{ gap: 6 }}><i className="heat-key best" />{t.inBest}</span>}
        {known && <button type="button" className="link push" onClick={() => setAsTable(!asTable)}>{asTable ? t.asMap : t.asTable}</button>}
      </div>
    </div>
  );
}

// Who works on which days: everybody, an organisation, a person. What nobody said of a person is their organisation's.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { peopleQuery } from '@/api/queries';
import { useIf, useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { shortDay, today } from '@/grid/dates';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Avatar, Button, Dialog, Field, Icon, Loaded, Section, useScrollable } from '@/ui';
import { work } from './api';
import { DAYS, daysOf, EVERYBODY, type Days } from './hours';
import { useHourWords } from './hourwords';

interface Row { id: string; name: string; organisation: string | null; kind: 'all' | 'organisation' | 'person' }

export function WorkingDaysTable(): ReactElement {
  const { t, dayName } = useHourWords();
  const client = useQueryClient();
  const may = useMay();
  const scroll = useScrollable();
  const query = useQuery({ queryKey: ['work', 'working_days'], queryFn: work.workingDays });
  const people = useIf('people.read', peopleQuery).data?.items.filter((p) => p.status === 'active' || p.status === 'invited') ?? [];
  const [off, setOff] = useState<Row | null>(null);
  const manage = may('work.manage');
  const organisations = [...new Set(people.flatMap((p) => (p.organisation ? [p.organisation] : [])))].sort();
  const rows: Row[] = [
    { id: EVERYBODY, name: t.everybody, organisation: null, kind: 'all' },
    ...organisations.map((o): Row => ({ id: o, name: o, organisation: null, kind: 'organisation' })),
    ...people.map((p): Row => ({ id: p.id, name: p.name, organisation: p.organisation, kind: 'person' })),
  ];
  const all = query.data ?? [];
  /** What is said of a row of the table; null takes what was said of it back, so that it is like the others again. */
  const say = (row: Row, next: Days | null, before: Days | null, undo: boolean) => {
    client.setQueryData<Days[]>(['work', 'working_days'], (list) => [...(list ?? []).filter((d) => d.id !== row.id), ...(next ? [next] : [])]);
    (next ? work.putWorkingDays(next) : work.dropWorkingDays(row.id)).then(
      () => toast(next ? t.saved(row.name) : t.likeOthersNow(row.name), undo ? () => say(row, before, next, false) : undefined),
      toastProblem,
    ).finally(() => { for (const key of ['working_days', 'timeline', 'forecast', 'calendar']) void client.invalidateQueries({ queryKey: ['work', key] }); });
  };
  const ownOf = (row: Row): Days | null => all.find((d) => d.id === row.id) ?? null;
  const toggle = (row: Row, day: string) => {
    const now = daysOf(all, row.id, row.organisation);
    const days = DAYS.filter((d) => (d === day ? !now.days.includes(d) : now.days.includes(d)));
    if (days.length === 0) { toast(t.oneDay); return; }
    say(row, { id: row.id, days, holidays: [...now.holidays] }, ownOf(row), true);
  };
  return (
    <Section title={t.who} sub={manage ? undefined : t.readOnly}>
      <p className="small muted" style={{ marginBottom: 8 }}>{t.whoText}</p>
      <Loaded query={query}>
        {() => (
          <div className="table-scroll" {...scroll} role="group" aria-label={t.who}>
            <table className="table freeze days-table">
              <caption className="vh">{t.who}</caption>
              <thead><tr><th scope="col">{t.name}</th>{DAYS.map((d) => <th key={d} scope="col"><abbr title={dayName(d)}>{dayName(d, 'short')}</abbr></th>)}<th scope="col">{t.daysOff}</th></tr></thead>
              <tbody>
                {rows.map((row) => {
                  const now = daysOf(all, row.id, row.organisation);
                  const own = now.from === row.id;
                  const like = own ? (row.kind === 'all' ? null : t.ofOwn) : now.from === null ? (row.kind === 'all' ? t.usual : t.asAll) : now.from === EVERYBODY ? t.asAll : t.as(now.from);
                  return (
                    <tr key={row.id} className={row.kind === 'person' ? undefined : 'days-group'}>
                      <th scope="row"><span className="row">{row.kind === 'person' ? <Avatar name={row.name} outside={Boolean(row.organisation)} /> : <Icon name={row.kind === 'all' ? 'work' : 'outside'} />}<span>{row.name}{like && <span className="small muted like">{like}</span>}</span></span></th>
                      {DAYS.map((d) => (
                        <td key={d}>{manage
                          ? <input type="checkbox" className={own || row.kind === 'all' ? undefined : 'like-others'} checked={now.days.includes(d)} aria-label={t.works(row.name, dayName(d))} onChange={() => toggle(row, d)} />
                          : now.days.includes(d) ? <Icon name="check" /> : <span className="muted">–</span>}</td>
                      ))}
                      <td className="nowrap">{manage ? <button type="button" className="opens" aria-label={`${t.daysOffCount(now.holidays.length)}: ${t.daysOffOf(row.name)}`} onClick={() => setOff(row)}>{t.daysOffCount(now.holidays.length)}</button> : t.daysOffCount(now.holidays.length)}
                        {manage && own && <Button small kind="quiet" iconOnly icon="trash" aria-label={t.likeOthers(row.name)} title={t.likeOthers(row.name)} onClick={() => say(row, null, ownOf(row), true)} />}</td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      {off && <DaysOff row={off} days={daysOf(all, off.id, off.organisation)} put={(holidays) => say(off, { id: off.id, days: [...daysOf(all, off.id, off.organisation).days], holidays }, ownOf(off), true)} onClose={() => setOff(null)} />}
    </Section>
  );
}

function DaysOff({ row, days, put, onClose }: { row: Row; days: { holidays: readonly string[] }; put: (holidays: string[]) => void; onClose: () => void }) {
  const { t, locale } = useHourWords();
  const c = useMessages(common);
  const [day, setDay] = useState('');
  const sorted = [...days.holidays].sort();
  const fine = day !== '' && !sorted.includes(day);
  return (
    <Dialog title={t.daysOffOf(row.name)} onClose={onClose} onSubmit={() => { if (fine) { put([...sorted, day]); setDay(''); } }} foot={<><Button onClick={onClose}>{c.close}</Button><Button kind="primary" type="submit" disabled={!fine}>{t.addOff}</Button></>}>
      <p className="muted">{t.daysOffText}</p>
      <ul className="changes">{sorted.map((one) => { const said = shortDay(one, locale, today()); return <li key={one} className="row"><b>{said}</b><span className="push"><Button small kind="quiet" iconOnly icon="trash" aria-label={t.removeOff(said)} onClick={() => put(sorted.filter((x) => x !== one))} /></span></li>; })}</ul>
      <Field label={t.day} type="date" value={day} onChange={(e) => setDay(e.target.value)} />
    </Dialog>
  );
}

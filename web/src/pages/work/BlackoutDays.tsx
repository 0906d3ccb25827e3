// Days on which nobody works on the move: for all, an organisation, or a person.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { peopleQuery } from '@/api/queries';
import { useIf, useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { shortDay, today } from '@/grid/dates';
import { Badge, Button, Choice, Field, Loaded, Section } from '@/ui';
import { work } from './api';
import { useHourWords } from './hourwords';
import { useStore } from './store';
import type { Blackout } from './types';

export function BlackoutDays(): ReactElement {
  const { t, locale } = useHourWords();
  const client = useQueryClient();
  const store = useStore();
  const manage = useMay()('work.manage');
  const people = useIf('people.read', peopleQuery).data?.items.filter((p) => p.status !== 'left') ?? [];
  const query = useQuery({ queryKey: ['work', 'blackouts'], queryFn: work.blackouts });
  const [date, setDate] = useState('');
  const [why, setWhy] = useState('');
  const [of, setOf] = useState('');
  const organisations = [...new Set(people.flatMap((p) => (p.organisation ? [p.organisation] : [])))].sort();
  const say = (day: string) => shortDay(day, locale, today());
  const again = () => { for (const key of ['blackouts', 'calendar', 'timeline', 'forecast']) void client.invalidateQueries({ queryKey: ['work', key] }); store.pulseSoon(0); };
  const put = (one: { date: string; why: string; of: string | null }) => work.addBlackout(one.date, one.why, one.of).then(again);
  const add = () => void put({ date, why: why.trim(), of: of || null }).then(() => { toast(t.added(say(date))); setDate(''); setWhy(''); }).catch(toastProblem);
  const remove = (one: Blackout) => void work.removeBlackout(one.id ?? '').then(() => { again(); toast(t.removed(say(one.date)), () => void put({ date: one.date, why: one.why, of: one.of ?? null }).catch(toastProblem)); }).catch(toastProblem);
  const whose = (id: string) => people.find((p) => p.id === id)?.name ?? id;
  return (
    <Section title={t.blackouts}>
      <p className="small muted" style={{ marginBottom: 8 }}>{t.blackoutsText}</p>
      <Loaded query={query}>
        {(all) => {
          const coming = all.filter((one) => one.date >= today()).sort((a, b) => a.date.localeCompare(b.date));
          const past = all.length - coming.length;
          return (
            <>
              {coming.length === 0 && <p className="muted">{t.blackoutsNone}</p>}
              <ul className="changes">{coming.map((one) => <li key={one.id ?? one.date} className="row"><b className="nowrap">{say(one.date)}</b><span className="clip">{one.why}</span>{one.of && <Badge>{whose(one.of)}</Badge>}{manage && one.id && <span className="push"><Button small kind="quiet" iconOnly icon="trash" aria-label={t.remove(say(one.date))} onClick={() => remove(one)} /></span>}</li>)}</ul>
              {past > 0 && <p className="small muted" style={{ marginTop: 6 }}>{t.past(past)}</p>}
            </>
          );
        }}
      </Loaded>
      {manage && (
        <form className="stack" style={{ marginTop: 14 }} onSubmit={(e) => { e.preventDefault(); if (date) add(); }}>
          <div className="pair">
            <Field label={t.day} type="date" value={date} onChange={(e) => setDate(e.target.value)} />
            <Choice label={t.dayOf} value={of} onChange={(e) => setOf(e.target.value)} options={[{ value: '', label: t.everybody }, ...organisations.map((o) => ({ value: o, label: o })), ...people.map((p) => ({ value: p.id, label: p.name }))]} />
          </div>
          <Field label={t.why} hint={t.whyHint} maxLength={200} value={why} onChange={(e) => setWhy(e.target.value)} />
          <p><Button type="submit" disabled={!date}>{t.add}</Button></p>
        </form>
      )}
    </Section>
  );
}

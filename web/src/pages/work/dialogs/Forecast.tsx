// When it will be done, what that rests on, which deadlines are in danger, and what would change it.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { shortDay, today } from '@/grid/dates';
import { dec, num, pct } from '@/i18n/format';
import { Button, Check, Dialog, Field, ProblemView, Skeleton, Stat } from '@/ui';
import { work } from '../api';
import { Risk, useLocale } from '../parts';
import { useStore } from '../store';
import type { Forecast, WhatIf } from '../types';
import { useWords, type Words } from '../words';
import type { DialogProps } from './index';

export function ForecastDialog({ onClose, onOpen }: DialogProps): ReactElement {
  const t = useWords();
  const locale = useLocale();
  const now = today();
  const query = useQuery({ queryKey: ['work', 'forecast'], queryFn: work.forecast });
  const say = (day: string | null) => (day ? shortDay(day, locale, now) : t.notKnown);
  return (
    <Dialog wide title={t.forecast} onClose={onClose}>
      {query.isError ? <ProblemView error={query.error} retry={() => void query.refetch()} /> : !query.data ? <Skeleton height={180} /> : (
        <>
          <dl className="stats">
            <Stat label={t.finishP50} below={t.finishP50Hint}>{say(query.data.finish_p50)}</Stat>
            <Stat label={t.finishP90} below={t.finishP90Hint}>{say(query.data.finish_p90)}</Stat>
          </dl>
          <Deadlines forecast={query.data} onOpen={(id) => { onClose(); onOpen(id); }} />
          <Basis forecast={query.data} t={t} />
          <What say={say} />
        </>
      )}
    </Dialog>
  );
}

function Deadlines({ forecast, onOpen }: { forecast: Forecast; onOpen: (id: string) => void }): ReactElement {
  const t = useWords();
  const store = useStore();
  const locale = useLocale();
  const risky = [...forecast.deadlines].sort((a, b) => b.risk - a.risk).slice(0, 8);
  const danger = forecast.deadlines.filter((one) => one.risk >= 0.3).length;
  const unknown = risky.filter((one) => !store.known(one.task)).map((one) => one.task);
  useQuery({ queryKey: ['work', 'known', unknown.join()], enabled: unknown.length > 0, queryFn: async () => { const found = await Promise.all(unknown.map((id) => work.task(id))); store.note(found); store.draw(); return found.length; } });
  return (
    <section className="section"><header><h3>{t.deadlinesFinding(danger, forecast.deadlines.length)}</h3></header>
      <ul className="deadlines">
        {risky.map((one) => {
          const task = store.known(one.task);
          return <li key={one.task}><button type="button" className="link clip" onClick={() => onOpen(one.task)}>{task ? `T-${task.number} ${task.title}` : t.task}</button><span className="push nowrap muted">{shortDay(one.deadline, locale, today())}</span><Risk risk={one.risk} /></li>;
        })}
      </ul>
    </section>
  );
}

/** What the forecast rests on, each number with its name. */
function Basis({ forecast, t }: { forecast: Forecast; t: Words }): ReactElement {
  const names = t.basis as Record<string, string>;
  const rows = Object.entries(forecast.basis ?? {}).filter(([, value]) => value === null || typeof value !== 'object');
  const assumed = Array.isArray(forecast.basis.assumed) ? forecast.basis.assumed : [];
  const print = (name: string, value: number | string | null) => (value === null ? t.notMeasured : typeof value === 'string' ? value : name.endsWith('rate') || name.endsWith('share') ? pct(value, 2) : Number.isInteger(value) ? num(value) : dec(value, 2));
  return (
    <section className="section"><header><h3>{t.basisTitle}</h3></header>
      <dl className="facts">{rows.map(([name, value]) => <div key={name} className="facts-pair"><dt>{names[name] ?? name.replaceAll('_', ' ')}</dt><dd>{print(name, value as number | string | null)}</dd></div>)}</dl>
      {assumed.length > 0 && <ul className="assumed muted small">{assumed.map((one) => <li key={one}>{one}</li>)}</ul>}
    </section>
  );
}

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

function What({ say }: { say: (day: string | null) => string }): ReactElement {
  const t = useWords();
  const [jobs, setJobs] = useState('');
  const [days, setDays] = useState<string[]>([]);
  const [from, setFrom] = useState('22:00');
  const [to, setTo] = useState('06:00');
  const [without, setWithout] = useState('');
  const ask = useMutation({
    mutationFn: () => {
      const change: WhatIf = {};
      if (jobs.trim() !== '') change.jobs = Number(jobs);
      if (days.length > 0) change.window = { days, from, to, zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      const tables = without.split(',').map((one) => one.trim()).filter(Boolean);
      if (tables.length > 0) change.without_tables = tables;
      return work.whatIf(change);
    },
  });
  return (
    <section className="section"><header><h3>{t.whatIf}</h3></header>
      <form className="what" onSubmit={(event) => { event.preventDefault(); ask.mutate(); }}>
        <div className="pair">
          <Field label={t.jobs} type="number" min={1} max={64} value={jobs} placeholder={t.asNow} onChange={(event) => setJobs(event.target.value)} />
          <Field label={t.withoutTables} value={without} placeholder="atlas.orders" onChange={(event) => setWithout(event.target.value)} />
        </div>
        <fieldset className="row wrap"><legend className="small strong">{t.otherWindow}</legend>
          {DAYS.map((day) => <Check key={day} label={t.weekday[day]} checked={days.includes(day)} onChange={() => setDays((before) => (before.includes(day) ? before.filter((one) => one !== day) : [...before, day]))} />)}
          <Field hideLabel label={t.from} type="time" value={from} onChange={(event) => setFrom(event.target.value)} /><Field hideLabel label={t.to} type="time" value={to} onChange={(event) => setTo(event.target.value)} />
        </fieldset>
        <p><Button small type="submit" disabled={ask.isPending}>{t.calculate}</Button></p>
      </form>
      {ask.isError && <ProblemView error={ask.error} />}
      {ask.data && (
        <dl className="stats" aria-live="polite">
          <Stat label={t.finishP50} below={t.shift(ask.data.days_p50)}>{say(ask.data.forecast.finish_p50)}</Stat>
          <Stat label={t.finishP90} below={t.shift(ask.data.days_p90)}>{say(ask.data.forecast.finish_p90)}</Stat>
        </dl>
      )}
    </section>
  );
}

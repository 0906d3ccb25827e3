// The small things that all views of Work draw alike: a status, a person, a risk, a day.
import type { ReactElement, ReactNode } from 'react';
import { dayNumber, shortDay, today } from '@/grid/dates';
import { useLang } from '@/i18n';
import { pct } from '@/i18n/format';
import { Avatar } from '@/ui';
import { isBound, isWhole } from './fields';
import { useStore } from './store';
import type { Status, Task } from './types';
import { useWords } from './words';

export const localeOf = (lang: string) => (lang === 'es' ? 'es-ES' : 'en-GB');

export function useLocale(): string {
  return localeOf(useLang());
}

/** A shape for each state, so that colour never says it alone. */
export function StatusMark({ status, waits, live }: { status: Status; waits?: boolean; live?: boolean }): ReactElement {
  const shape: Record<Status, ReactNode> = {
    done: <><circle cx="7" cy="7" r="6" fill="currentColor" /><path d="M4.300 7.200l1.900 1.900 3.600-3.900" stroke="var(--surface)" strokeWidth="1.500" fill="none" /></>,
    doing: <><circle cx="7" cy="7" r="5.300" fill="none" stroke="currentColor" strokeWidth="1.400" /><path d="M7 3.800a3.200 3.200 0 010 6.400z" fill="currentColor" /></>,
    blocked: <><circle cx="7" cy="7" r="5.300" fill="none" stroke="currentColor" strokeWidth="1.400" /><path d="M4.300 7h5.400" stroke="currentColor" strokeWidth="1.600" /></>,
    stale: <path d="M7 1.800l5.700 10.200H1.300zM7 5.600v3M7 10.300v.100" fill="none" stroke="currentColor" strokeWidth="1.400" strokeLinejoin="round" strokeLinecap="round" />,
    open: <circle cx="7" cy="7" r="5.300" fill="none" stroke="currentColor" strokeWidth="1.400" strokeDasharray={waits ? '2.200 1.900' : undefined} />,
  };
  return <svg className={`mark ${status}${live ? ' live' : ''}`} width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">{shape[status]}</svg>;
}

export function StatusWord({ task }: { task: Task }): ReactElement {
  const t = useWords();
  const bound = isBound(task);
  const waits = bound && task.status === 'open';
  const live = bound && task.status === 'doing' && task.progress !== null;
  return (
    <span className="status">
      <StatusMark status={task.status} waits={waits} live={live} />
      {live && task.progress !== null ? (
        <><span className="track live"><i style={{ width: `${task.progress * 100}%` }} /></span>{pct(task.progress)}</>
      ) : (
        <span className="clip">{waits ? t.waits : t.status[task.status]}</span>
      )}
    </span>
  );
}

export function PersonName({ id, short }: { id: string | null; short?: boolean }): ReactElement | null {
  const store = useStore();
  const t = useWords();
  if (!id) return null;
  const person = store.people.get(id);
  const name = person?.name ?? (id === 'dunlin' ? id : t.somebody);
  return (
    <span className="who">
      <Avatar name={name} outside={Boolean(person?.organisation)} />
      {!short && <span className="clip">{name}</span>}
      {short && <span className="vh">{name}</span>}
    </span>
  );
}

export function Day({ day, done }: { day: string | null; done?: boolean }): ReactElement | null {
  const locale = useLocale();
  const t = useWords();
  if (!day) return null;
  const now = today();
  const late = !done && dayNumber(day) < dayNumber(now);
  return <span className={late ? 'bad nowrap' : 'nowrap'}>{shortDay(day, locale, now)}{late && <span className="vh"> {t.overdue}</span>}</span>;
}

/** How likely a deadline is missed: a short bar and the number. */
export function Risk({ risk }: { risk: number | null }): ReactElement | null {
  if (risk === null) return null;
  const tone = risk >= 0.3 ? 'bad' : risk >= 0.15 ? 'warn' : 'muted';
  return (
    <span className="risk-bar">
      <span className={`track ${tone}`}><i style={{ width: `${Math.max(3, risk * 100)}%` }} /></span>
      <span className={tone === 'muted' ? 'muted' : `${tone} strong`}>{pct(risk, 0)}</span>
    </span>
  );
}

export function Evidence({ task }: { task: Task }): ReactElement {
  const t = useWords();
  if (!isBound(task)) return <span className="muted">{t.byHand}</span>;
  if (isWhole(task)) return <span className="muted">{t.fromParts}</span>;
  const last = task.evidence[task.evidence.length - 1];
  const stale = task.status === 'stale';
  if (!last) return <span className="muted">{t.noneYet}</span>;
  return (
    <button type="button" className="evidence" data-open="" tabIndex={-1} title={task.stale_because ? t.staleBecause[task.stale_because as keyof typeof t.staleBecause] : last.text}>
      <svg className={stale ? 'i warn' : 'i good'} viewBox="0 0 16 16" aria-hidden="true"><path d={stale ? 'M8 2.200l6.200 11.300H1.800zM8 6.500v3.200M8 11.500h.010' : 'M8 1.600a4.700 4.700 0 100 9.400 4.700 4.700 0 000-9.400zM5.400 10.300L5 14.400l3-1.500 3 1.500-.400-4.100M6.100 6.400l1.300 1.300 2.400-2.600'} /></svg>
      <span className="clip">{stale && task.stale_because ? t.staleBecause[task.stale_because as keyof typeof t.staleBecause] : last.text}</span>
    </button>
  );
}

/** Whether a task is finished with, so that it steps back in lists. */
export const isDone = (task: { status: Status }) => task.status === 'done';

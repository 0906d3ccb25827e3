// The calendar: month, week and agenda of tasks by their days, with windows and blackout days shaded. Drag to
// reschedule; from the keyboard Shift and an arrow.
import { draggable, dropTargetForElements, monitorForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { toast } from '@/app/toast';
import { addDays, dayNumber, sayDay, today as todayOf, weekday } from '@/grid/dates';
import { Button, Icon, Menu, ProblemView, SkeletonRows } from '@/ui';
import { work } from './api';
import { daysIn, layWeek, monthDays, nextMonth, rescheduled, weekDays, type Bar, type Dated } from './calendar';
import type { DialogName } from './dialogs';
import { filterJson, type Deep } from './filter';
import { useNarrow } from './GridView';
import type { ViewProps } from './index';
import { isDone, PersonName, StatusMark, StatusWord, useLocale } from './parts';
import { usePulse, useStore, useTick } from './store';
import type { CalendarDays, Task } from './types';
import { useWords } from './words';

type Mode = 'month' | 'week' | 'agenda';
type Shown = CalendarDays & { rows: Task[]; total: number };

/** Tasks whose days touch this stretch: due in it, begun in it, or going on over it. */
const touching = (from: string, to: string): Deep => ({
  any: [
    { all: [{ field: 'deadline', at_least: from }, { field: 'deadline', at_most: to }] },
    { all: [{ field: 'start', at_least: from }, { field: 'start', at_most: to }] },
    { all: [{ field: 'start', at_most: from }, { field: 'deadline', at_least: to }] },
  ],
});

const spanOf = (task: Task): Dated<Task> | null => {
  const start = task.start ?? task.deadline;
  const end = task.deadline ?? task.start;
  return start && end ? { item: task, start: start < end ? start : end, end } : null;
};

export function CalendarView(props: ViewProps & { onDialog: (name: DialogName) => void }): ReactElement {
  const { settings, change, open } = props;
  const store = useStore();
  const t = useWords();
  const locale = useLocale();
  const pulse = usePulse();
  const tick = useTick();
  const narrow = useNarrow();
  const now = todayOf();
  const [day, setDay] = useState(now);
  const mode: Mode = narrow && settings.calendar === 'month' ? 'agenda' : settings.calendar;
  const days = mode === 'week' ? weekDays(day) : mode === 'month' ? monthDays(day) : Array.from({ length: 42 }, (_, at) => addDays(day, at));
  const from = days[0] as string;
  const to = days[days.length - 1] as string;
  const { filter } = settings;
  const words = { q: filter.q.trim() || undefined, filter: filterJson(filter, [touching(from, to)]), limit: 1000 };
  const query = useQuery({
    queryKey: ['work', 'calendar', from, to, words],
    queryFn: async () => {
      const [found, behind] = await Promise.all([work.tasks(words), work.calendar(from, to)]);
      store.note(found.rows);
      return { ...behind, rows: found.rows, total: found.total };
    },
    placeholderData: (before: Shown | undefined) => before,
  });
  const { refetch } = query;
  useEffect(() => {
    if (pulse > 0) void refetch();
  }, [pulse, refetch]);
  const dated = useMemo(
    () => (query.data?.rows ?? []).map((task) => store.seen(task)).map(spanOf).filter((one) => one !== null),
    [query.data, store, tick],
  );

  const move = (task: Task, heldAt: string, target: string) => {
    const set = rescheduled(task, heldAt, target);
    if (Object.keys(set).length === 0) return;
    store.edit(task, set);
    toast(t.rescheduled(task.number, sayDay(set.deadline ?? set.start ?? target, locale, { weekday: 'short', day: 'numeric', month: 'short' })), () => store.undo());
  };
  const mover = useRef(move);
  mover.current = move;
  useEffect(() => monitorForElements({
    canMonitor: ({ source }) => source.data.kind === 'day-task',
    onDrop: ({ source, location }) => {
      const target = location.current.dropTargets.find((one) => one.data.kind === 'day');
      const task = store.known(String(source.data.task));
      if (target && task) mover.current(task, String(source.data.heldAt), String(target.data.day));
    },
  }), [store]);

  const step = (by: number) => setDay(mode === 'month' ? nextMonth(day, by) : addDays(day, by * (mode === 'week' ? 7 : 28)));
  const title = mode === 'month' ? sayDay(day, locale, { month: 'long', year: 'numeric' }) : `${sayDay(from, locale, { day: 'numeric', month: 'short' })} – ${sayDay(to, locale, { day: 'numeric', month: 'short', year: 'numeric' })}`;
  const blackouts = new Map((query.data?.blackouts ?? []).map((one) => [one.date, one]));
  const inWindow = daysIn(query.data?.windows ?? [], days);
  // A window that is always open says nothing; it is not shaded.
  const windows = inWindow.size < days.length ? inWindow : new Set<string>();
  const keys = (event: KeyboardEvent, task: Task, heldAt: string) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    if (!event.shiftKey || by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    move(task, heldAt, addDays(heldAt, by));
    setTimeout(() => document.querySelector<HTMLElement>(`[data-cal="${task.id}"]`)?.focus(), 30);
  };
  const chip = { open, keys };
  return (
    <div className="calendar" data-keys="own">
      <div className="cal-head">
        <Button small kind="quiet" iconOnly icon="left" aria-label={t.earlier} onClick={() => step(-1)} />
        <Button small kind="quiet" iconOnly icon="right" aria-label={t.later} onClick={() => step(1)} />
        <h2 aria-live="polite">{title}</h2>
        <Button small onClick={() => setDay(now)}>{t.today}</Button>
        <span className="row push">
          <span className="legend small muted"><i className="key window" /> {t.window} <i className="key blackout" /> {t.blackout}</span>
          <Button small kind="quiet" icon="lock" onClick={() => props.onDialog('blackouts')}>{t.blackouts}</Button>
          <Button small kind="quiet" icon="calendar" onClick={() => props.onDialog('feed')}>{t.subscribe}</Button>
          <Menu small label={t.calendarMode[mode]} items={(['month', 'week', 'agenda'] as const).map((one) => ({ label: t.calendarMode[one], checked: one === mode, run: () => change({ calendar: one }) }))} />
        </span>
      </div>
      {query.isError && !query.data ? <ProblemView error={query.error} retry={() => void refetch()} /> : !query.data ? <SkeletonRows rows={6} columns={7} /> : mode === 'agenda' ? (
        <Agenda dated={dated} data={query.data} now={now} from={from} to={to} open={open} />
      ) : (
        <div className={mode === 'week' ? 'cal-grid week' : 'cal-grid'} role="group" aria-label={title}>
          <div className="cal-names" aria-hidden="true">{days.slice(0, 7).map((one) => <span key={one}>{sayDay(one, locale, { weekday: 'short' })}</span>)}</div>
          {Array.from({ length: days.length / 7 }, (_, week) => {
            const seven = days.slice(week * 7, week * 7 + 7);
            return <Week key={seven[0]} days={seven} tall={mode === 'week'} month={mode === 'month' ? day.slice(0, 7) : null} bars={layWeek(dated, seven[0] as string)} now={now} windows={windows} blackouts={blackouts} notices={query.data?.notices ?? []} chip={chip} onMore={(one) => { setDay(one); change({ calendar: 'week' }); }} />;
          })}
        </div>
      )}
    </div>
  );
}

interface ChipActs {
  open: (id: string) => void;
  keys: (event: KeyboardEvent, task: Task, heldAt: string) => void;
}

function Week({ days, tall, month, bars, now, windows, blackouts, notices, chip, onMore }: {
  days: string[];
  tall: boolean;
  month: string | null;
  bars: Bar<Task>[];
  now: string;
  windows: Set<string>;
  blackouts: Map<string, { why: string }>;
  notices: CalendarDays['notices'];
  chip: ChipActs;
  onMore: (day: string) => void;
}): ReactElement {
  const t = useWords();
  const most = tall ? 40 : 4;
  const shown = bars.filter((bar) => bar.lane < most);
  const left = (at: number) => bars.filter((bar) => bar.lane >= most && bar.from <= at && bar.to >= at).length;
  const lanes = Math.min(most, Math.max(0, ...bars.map((bar) => bar.lane + 1)));
  return (
    <div className="cal-week" style={{ minHeight: tall ? Math.max(420, lanes * 26 + 60) : Math.max(118, lanes * 24 + 52) }}>
      {days.map((day, at) => (
        <DayBox key={day} day={day} className={['cal-day', month && !day.startsWith(month) && 'other', day === now && 'now', weekday(day) > 5 && 'weekend', windows.has(day) && 'window', blackouts.has(day) && 'blackout'].filter(Boolean).join(' ')}>
          <DayHead day={day} now={now} />
          {blackouts.has(day) && <span className="cal-why small" title={blackouts.get(day)?.why}>{blackouts.get(day)?.why || t.blackout}</span>}
          {notices.filter((notice) => notice.date === day).map((notice) => <span key={notice.file} className="cal-why small" title={notice.file}><Icon name="chat" /> {t.notice}</span>)}
          {left(at) > 0 && <button type="button" className="cal-more small link" onClick={() => onMore(day)}>{t.moreTasks(left(at))}</button>}
        </DayBox>
      ))}
      {shown.map((bar) => <TaskBar key={bar.item.id} bar={bar} days={days} chip={chip} />)}
    </div>
  );
}

function DayHead({ day, now }: { day: string; now: string }): ReactElement {
  const locale = useLocale();
  const first = day.endsWith('-01');
  return <span className="cal-number" aria-label={sayDay(day, locale, { weekday: 'long', day: 'numeric', month: 'long' })} aria-current={day === now ? 'date' : undefined} role="text">{first ? sayDay(day, locale, { day: 'numeric', month: 'short' }) : Number(day.slice(8))}</span>;
}

function DayBox({ day, className, children }: { day: string; className: string; children: React.ReactNode }): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!ref.current) return undefined;
    return dropTargetForElements({ element: ref.current, getData: () => ({ kind: 'day', day }), canDrop: ({ source }) => source.data.kind === 'day-task', onDragEnter: () => setOver(true), onDragLeave: () => setOver(false), onDrop: () => setOver(false) });
  }, [day]);
  return <div ref={ref} className={over ? `${className} over` : className}>{children}</div>;
}

function TaskBar({ bar, days, chip }: { bar: Bar<Task>; days: string[]; chip: ChipActs }): ReactElement {
  const t = useWords();
  const ref = useRef<HTMLButtonElement>(null);
  const task = bar.item;
  const heldAt = days[bar.from] as string;
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    return draggable({
      element,
      // The day under the pointer is the one that follows it.
      getInitialData: ({ input }) => {
        const rect = element.getBoundingClientRect();
        const width = rect.width / (bar.to - bar.from + 1);
        return { kind: 'day-task', task: task.id, heldAt: days[Math.min(bar.to, bar.from + Math.floor((input.clientX - rect.left) / width))] ?? heldAt };
      },
    });
  }, [task.id, bar.from, bar.to, days, heldAt]);
  const late = !isDone(task) && task.deadline !== null && dayNumber(task.deadline) < dayNumber(todayOf());
  const classes = ['cal-task', isDone(task) && 'faded', late && 'late', task.risk !== null && task.risk >= 0.3 && !isDone(task) && 'risky', bar.before && 'before', bar.after && 'after'].filter(Boolean).join(' ');
  return (
    <button ref={ref} type="button" className={classes} data-cal={task.id} style={{ left: `calc(${(bar.from / 7) * 100}% + 4px)`, width: `calc(${((bar.to - bar.from + 1) / 7) * 100}% - 9px)`, top: 30 + bar.lane * 24 }} onClick={() => chip.open(task.id)} onKeyDown={(event) => chip.keys(event, task, heldAt)} title={`T-${task.number} ${task.title}`}>
      <StatusMark status={task.status} waits={task.binding !== null && task.status === 'open'} /><span className="clip">{task.title}</span>{late && <span className="vh">{t.overdue}</span>}
    </button>
  );
}

function Agenda({ dated, data, now, from, to, open }: { dated: Dated<Task>[]; data: CalendarDays; now: string; from: string; to: string; open: (id: string) => void }): ReactElement {
  const t = useWords();
  const locale = useLocale();
  const narrow = useNarrow();
  const byDay = new Map<string, Task[]>();
  for (const { item } of dated) {
    const day = item.deadline ?? item.start;
    if (day && day >= from && day <= to) byDay.set(day, [...(byDay.get(day) ?? []), item]);
  }
  for (const blackout of data.blackouts) if (blackout.date >= from && blackout.date <= to && !byDay.has(blackout.date)) byDay.set(blackout.date, []);
  const days = [...byDay.keys()].sort();
  if (days.length === 0) return <p className="muted agenda-none">{t.agendaEmpty}</p>;
  return (
    <ol className="agenda">
      {days.map((day) => {
        const blackout = data.blackouts.find((one) => one.date === day);
        return (
          <li key={day}>
            <h3 className={day === now ? 'now' : undefined}>{sayDay(day, locale, { weekday: 'long', day: 'numeric', month: 'long' })}{blackout && <span className="badge warn">{blackout.why || t.blackout}</span>}</h3>
            <ul>{byDay.get(day)?.map((task) => <li key={task.id}><button type="button" className="agenda-task" onClick={() => open(task.id)}><span className="agenda-status"><StatusWord task={task} /></span><span className="clip">{task.title}</span><span className="push small agenda-who"><PersonName id={task.owner} short={narrow} /></span></button></li>)}</ul>
          </li>
        );
      })}
    </ol>
  );
}


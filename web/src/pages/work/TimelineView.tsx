// The timeline draws the server's schedule: bars, dependencies, the critical path, the baseline, today, and when all
// of it will be done. Nothing is scheduled in the browser.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { addDays, dayNumber, sayDay, shortDay, weekday } from '@/grid/dates';
import { lineSpan } from '@/grid/virtual';
import { pct } from '@/i18n/format';
import { Button, Empty, Menu, ProblemView, SkeletonRows } from '@/ui';
import { work } from './api';
import type { DialogName } from './dialogs';
import { filterJson } from './filter';
import { useNarrow } from './GridView';
import type { ViewProps } from './index';
import { isDone, StatusMark, useLocale } from './parts';
import { usePulse } from './store';
import { linkPath, outline, scaleOf, ticks, type Line, type Scale, type Zoom } from './timeline';
import type { Rows, Span, Timeline, TimelineTask } from './types';
import { useWords } from './words';

const ROW = 32;
const HEAD = 44;

export function TimelineView(props: ViewProps & { onDialog: (name: DialogName) => void }): ReactElement {
  const t = useWords();
  const pulse = usePulse();
  const query = useQuery({ queryKey: ['work', 'timeline'], queryFn: work.timeline });
  const { refetch } = query;
  useEffect(() => {
    if (pulse > 0) void refetch();
  }, [pulse, refetch]);
  if (query.isError && !query.data) return <div className="work-pad"><ProblemView error={query.error} retry={() => void refetch()} /></div>;
  if (!query.data) return <div className="work-pad"><SkeletonRows rows={12} columns={2} /></div>;
  if (query.data.tasks.length === 0) return <div className="work-pad"><Empty title={t.noTasks} action={<Button kind="primary" onClick={() => props.onDialog('draft')}>{t.dialogs.draft}</Button>}>{t.noTasksHelp}</Empty></div>;
  return <Chart {...props} data={query.data} refetch={() => void refetch()} />;
}

/** The filter is the server's: it says which tasks pass, and the timeline draws those. */
function useFiltered(data: Timeline, props: ViewProps): Line[] {
  const { filter } = props.settings;
  const words = { q: filter.q.trim() || undefined, filter: filterJson(filter) };
  const filtered = words.q !== undefined || words.filter !== undefined;
  const query = useQuery({ queryKey: ['work', 'timeline', 'filter', words], queryFn: () => work.tasks({ ...words, limit: 1000 }), enabled: filtered, placeholderData: (before: Rows | undefined) => before });
  const rows = filtered ? query.data?.rows : undefined;
  return useMemo(() => {
    const ids = rows && new Set(rows.map((row) => row.id));
    return outline(ids ? data.tasks.filter((task) => ids.has(task.id)) : data.tasks);
  }, [data, rows]);
}

function Chart({ data, settings, change, open, onDialog, refetch }: ViewProps & { data: Timeline; onDialog: (name: DialogName) => void; refetch: () => void }): ReactElement {
  const t = useWords();
  const locale = useLocale();
  const narrow = useNarrow();
  const names = narrow ? 132 : 280;
  const lines = useFiltered(data, { settings, change, open });
  const zoom = settings.zoom as Zoom;
  const box = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(0);
  useEffect(() => {
    if (!box.current) return undefined;
    const sizes = new ResizeObserver(([entry]) => setRoom(entry?.contentRect.width ?? 0));
    sizes.observe(box.current);
    return () => sizes.disconnect();
  }, []);
  const scale = useMemo(() => scaleOf([data.today, data.finish_p50, data.finish_p90, ...data.tasks.flatMap((task) => [task.start, task.finish, task.baseline_start, task.baseline_finish])], zoom, room - names), [data, zoom, room, names]);
  const [span, setSpan] = useState({ from: 0, to: 40 });
  const look = () => {
    const element = box.current;
    if (!element) return;
    const next = lineSpan(element.scrollTop, element.clientHeight - HEAD, ROW, lines.length, 10);
    setSpan((before) => (before.from === next.from && before.to === next.to ? before : next));
  };
  useEffect(look, [lines.length]);
  useEffect(() => {
    box.current?.scrollTo({ left: Math.max(0, scale.x(data.today) - (narrow ? 60 : 240)) });
    // Only when the scale changes: news of the schedule must not move the reader.
  }, [zoom]);
  const at = useMemo(() => new Map(lines.map((line, index) => [line.task.id, index])), [lines]);
  const critical = data.tasks.filter((task) => task.critical && !isDone(task)).length;
  const finish = (day: string | null) => (day ? shortDay(day, locale, data.today) : t.notKnown);
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    const all = [...(box.current?.querySelectorAll<HTMLElement>('.tl-name') ?? [])];
    event.preventDefault();
    all[all.indexOf(event.target as HTMLElement) + step]?.focus();
  };
  return (
    <div className="timeline">
      <div className="cal-head">
        <h2>{t.finishLikely(finish(data.finish_p50), finish(data.finish_p90))}</h2>
        <span className="muted small">{t.criticalCount(critical)}</span>
        <span className="row push">
          <span className="legend small muted"><i className="key bar-critical" /> {t.critical} <i className="key bar-base" /> {t.baseline} <i className="key blackout" /> {t.blackout}</span>
          <Button small kind="quiet" icon="clock" onClick={() => onDialog('forecast')}>{t.dialogs.forecast}</Button>
          <Button small onClick={() => void work.baseline().then(() => { toast(t.baselineSaved); refetch(); }).catch(toastProblem)}>{t.saveBaseline}</Button>
          <Menu small label={t.zoom[zoom]} items={(['day', 'week', 'month'] as const).map((one) => ({ label: t.zoom[one], checked: one === zoom, run: () => change({ zoom: one }) }))} />
        </span>
      </div>
      <div className="tl-box" ref={box} onScroll={look} tabIndex={0} role="region" aria-label={t.place.timeline}>
        <div className="tl-canvas" style={{ width: names + scale.width, height: HEAD + lines.length * ROW }}>
          <div className="tl-head" style={{ width: names + scale.width, height: HEAD }}>
            <div className="tl-corner" style={{ width: names }}>{t.field.title}</div>
            <Ticks scale={scale} zoom={zoom} names={names} data={data} />
          </div>
          <ul className="tl-names" style={{ width: names, top: HEAD }} onKeyDown={keys} data-keys="own">
            {lines.slice(span.from, span.to).map(({ task, depth }, index) => (
              <li key={task.id} style={{ top: (span.from + index) * ROW, height: ROW, paddingLeft: 16 + depth * 14 }}>
                <StatusMark status={task.status} />
                <button type="button" className={isDone(task) ? 'tl-name faded' : 'tl-name'} onClick={() => open(task.id)} title={describe(task, t, locale, data.today)}>
                  <span className="clip">{task.title}</span><span className="vh">, {describe(task, t, locale, data.today)}</span>
                </button>
              </li>
            ))}
          </ul>
          <Bars data={data} lines={lines} span={span} scale={scale} at={at} left={names} open={open} />
        </div>
      </div>
    </div>
  );
}

function describe(task: TimelineTask, t: ReturnType<typeof useWords>, locale: string, today: string): string {
  const day = (one: string) => shortDay(one, locale, today);
  const parts = [task.start === task.finish ? day(task.start) : t.fromTo(day(task.start), day(task.finish)), t.status[task.status]];
  if (task.critical) parts.push(t.critical);
  else if (task.slack_days > 0) parts.push(t.slackDays(task.slack_days));
  if (task.baseline_finish && task.baseline_finish !== task.finish) parts.push(t.driftDays(dayNumber(task.finish) - dayNumber(task.baseline_finish)));
  return parts.join(', ');
}

function Ticks({ scale, zoom, names, data }: { scale: Scale; zoom: Zoom; names: number; data: Timeline }): ReactElement {
  const locale = useLocale();
  const t = useWords();
  const flags = [[data.today, t.today, 'today'], [data.finish_p50, 'P50', 'p50'], [data.finish_p90, 'P90', 'p90']] as const;
  const near = (a: string | null, b: string | null) => a !== null && b !== null && Math.abs(scale.x(a) - scale.x(b)) < 34;
  const marks = ticks(scale, zoom);
  const months = ticks(scale, 'month');
  return (
    <div className="tl-ticks" style={{ left: names }} aria-hidden="true">
      {zoom !== 'month' && [...(months[0] && scale.x(months[0]) < 110 ? [] : [scale.first]), ...months].map((day) => <span key={`m${day}`} className="tl-month" style={{ left: scale.x(day) + 6 }}>{sayDay(day, locale, { month: 'long', year: 'numeric' })}</span>)}
      {marks.filter((day) => !flags.some(([flag]) => flag && Math.abs(scale.x(flag) - scale.x(day)) < 30)).map((day) => <span key={day} className={zoom === 'month' ? 'tl-tick month' : 'tl-tick'} style={{ left: scale.x(day) + 6 }}>{zoom === 'month' ? sayDay(day, locale, { month: 'short', year: day.slice(5, 7) === '01' ? 'numeric' : undefined }) : Number(day.slice(8))}</span>)}
      {flags.map(([day, text, name]) => day && <span key={name} className={`tl-flag ${name}`} style={{ left: scale.x(day) + scale.day / 2 + (name === 'p90' && near(data.finish_p50, data.finish_p90) ? 30 : 0) }}>{text}</span>)}
    </div>
  );
}

function Bars({ data, lines, span, scale, at, left, open }: { data: Timeline; lines: Line[]; span: { from: number; to: number }; scale: Scale; at: Map<string, number>; left: number; open: (id: string) => void }): ReactElement {
  const height = lines.length * ROW;
  const task = (id: string) => lines[at.get(id) as number]?.task as TimelineTask;
  const seen = (id: string) => {
    const row = at.get(id);
    return row !== undefined && row >= span.from && row < span.to;
  };
  // What is done waits for nothing any more.
  const links = data.links.filter((link) => at.has(link.from) && at.has(link.to) && (seen(link.from) || seen(link.to)) && !isDone(task(link.to)));
  const end = (one: TimelineTask) => scale.x(one.finish) + scale.day;
  const middle = (id: string) => (at.get(id) as number) * ROW + ROW / 2;
  const marks = ticks(scale, 'week');
  const weekends = scale.day >= 12 ? Array.from({ length: dayNumber(scale.last) - dayNumber(scale.first) + 1 }, (_, index) => addDays(scale.first, index)).filter((day) => weekday(day) === 6) : [];
  const top = span.from * ROW;
  const tall = Math.min(height, span.to * ROW) - top;
  /** A moment's place, to the hour. */
  const placeOf = (us: Span['from']) => (us / 86_400_000_000 - dayNumber(scale.first)) * scale.day;
  // A window that is always open says nothing; it is not shaded.
  const open_us = data.windows.reduce((sum, one) => sum + one.to - one.from, 0);
  const spread = data.windows.length > 0 ? (data.windows[data.windows.length - 1] as Span).to - (data.windows[0] as Span).from : 1;
  const windows = open_us / spread > 0.95 ? [] : data.windows;
  const vertical = (day: string, name: string) => (
    <g className={name}><line x1={scale.x(day) + scale.day / 2} x2={scale.x(day) + scale.day / 2} y1={top} y2={top + tall} /></g>
  );
  return (
    <svg className="tl-svg" width={scale.width} height={height} style={{ left, top: HEAD }} aria-hidden="true">
      <defs><marker id="tl-arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0.500L5.500 3L0 5.500z" className="tl-arrow" /></marker>
        <marker id="tl-arrow-c" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto"><path d="M0 0.500L5.500 3L0 5.500z" className="tl-arrow critical" /></marker>
        <pattern id="tl-hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="2" height="5" className="tl-hatch" /></pattern></defs>
      {weekends.map((day) => <rect key={day} className="tl-weekend" x={scale.x(day)} y={top} width={scale.day * 2} height={tall} />)}
      {windows.map((one) => <rect key={one.from} className="tl-window" x={placeOf(one.from)} y={top} width={Math.max(1, placeOf(one.to) - placeOf(one.from))} height={tall} />)}
      {data.blackouts.map((one) => <rect key={one.date} fill="url(#tl-hatch)" x={scale.x(one.date)} y={top} width={scale.day} height={tall}><title>{one.why}</title></rect>)}
      {marks.map((day) => <line key={day} className="tl-line" x1={scale.x(day)} x2={scale.x(day)} y1={top} y2={top + tall} />)}
      {lines.slice(span.from, span.to).map((line, index) => <line key={line.task.id} className="tl-rule" x1={0} x2={scale.width} y1={(span.from + index + 1) * ROW - 0.5} y2={(span.from + index + 1) * ROW - 0.5} />)}
      {links.map((link) => {
        const hot = task(link.from).critical && task(link.to).critical && !isDone(task(link.to));
        return <path key={`${link.from}${link.to}`} className={hot ? 'tl-link critical' : 'tl-link'} d={linkPath(end(task(link.from)), middle(link.from), scale.x(task(link.to).start), middle(link.to))} markerEnd={hot ? 'url(#tl-arrow-c)' : 'url(#tl-arrow)'} />;
      })}
      {lines.slice(span.from, span.to).map(({ task: one }, index) => <TaskBar key={one.id} task={one} y={(span.from + index) * ROW} scale={scale} open={open} />)}
      {vertical(data.today, 'tl-today')}
      {data.finish_p50 && vertical(data.finish_p50, 'tl-p50')}
      {data.finish_p90 && vertical(data.finish_p90, 'tl-p90')}
    </svg>
  );
}

function TaskBar({ task, y, scale, open }: { task: TimelineTask; y: number; scale: Scale; open: (id: string) => void }): ReactElement {
  const start = task.actual_start ?? task.start;
  const x = scale.x(start);
  const width = Math.max(4, scale.x(task.finish) + scale.day - x);
  const hot = task.critical && !isDone(task);
  const base = task.baseline_start && task.baseline_finish;
  const done = isDone(task) ? 1 : (task.progress ?? 0);
  const label = task.progress !== null && !isDone(task) && task.progress > 0 ? pct(task.progress, 0) : null;
  return (
    <g className={['tl-bar', hot && 'critical', isDone(task) && 'done', task.status === 'stale' && 'stale'].filter(Boolean).join(' ')} onClick={() => open(task.id)}>
      {base && <rect className="base" x={scale.x(task.baseline_start as string)} y={y + 23} width={Math.max(4, scale.x(task.baseline_finish as string) + scale.day - scale.x(task.baseline_start as string))} height={4} />}
      <rect className="body" x={x + 1} y={y + 8} width={width - 2} height={13} rx={2} />
      {done > 0 && <rect className="tl-fill" x={x + 1} y={y + 8} width={(width - 2) * done} height={13} rx={2} />}
      {label && <text x={x + width + 4} y={y + 19}>{label}</text>}
    </g>
  );
}

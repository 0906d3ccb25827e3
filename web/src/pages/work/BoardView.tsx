// The board: a column for each value of a field, cards to drag, and for the keyboard arrows and a "Move to" menu.
import { draggable, dropTargetForElements, monitorForElements } from '@atlaskit/pragmatic-drag-and-drop/element/adapter';
import { combine } from '@atlaskit/pragmatic-drag-and-drop/combine';
import { useQueries } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactElement } from 'react';
import { toast } from '@/app/toast';
import { num } from '@/i18n/format';
import { Button, MenuList, ProblemView, Skeleton } from '@/ui';
import { work } from './api';
import { fieldsOf, isBound, setOf, whyBound, type FieldInfo } from './fields';
import { filterJson, valueOf, type Test } from './filter';
import type { ViewProps } from './index';
import { Day, isDone, PersonName, Risk, StatusWord } from './parts';
import { usePulse, useStore, useTick, type WorkStore } from './store';
import type { Task } from './types';
import { useWords } from './words';

interface Lane {
  id: string | null;
  name: string;
  test: Test;
}

const PAGE = 60;

function lanesOf(field: FieldInfo, none: string): Lane[] {
  const lanes: Lane[] = (field.options ?? []).map((option) => ({ id: option.id, name: option.name, test: field.kind === 'multi' ? { field: field.id, has: [option.id] } : { field: field.id, is: [option.id] } }));
  if (!['status', 'priority'].includes(field.id)) lanes.unshift({ id: null, name: none, test: { field: field.id, is: [null] } });
  return lanes;
}

/** The lane where a task stands as the reader sees it, which may differ from where the server last said. */
const laneOf = (task: Task, field: FieldInfo) => {
  const value = valueOf(task, field.id);
  return Array.isArray(value) ? (value.length > 0 ? String(value[0]) : null) : ((value as string | null) ?? null);
};

/** The server's rows of each lane, with those that the reader's edits move from one to another. */
function useLanes(props: ViewProps, field: FieldInfo, lanes: Lane[]) {
  const store = useStore();
  const pulse = usePulse();
  const tick = useTick();
  const [limits, setLimits] = useState<Record<string, number>>({});
  const q = props.settings.filter.q.trim() || undefined;
  const results = useQueries({
    queries: lanes.map((lane) => {
      const words = { q, filter: filterJson(props.settings.filter, [lane.test]), limit: limits[String(lane.id)] ?? PAGE, offset: 0 };
      return {
        queryKey: ['work', 'board', field.id, lane.id, words],
        queryFn: async () => {
          const rows = await work.tasks(words);
          store.note(rows.rows);
          return rows;
        },
        placeholderData: (before: Awaited<ReturnType<typeof work.tasks>> | undefined) => before,
      };
    }),
  });
  const refetch = useRef(() => undefined as void);
  refetch.current = () => results.forEach((result) => void result.refetch());
  useEffect(() => {
    if (pulse > 0) refetch.current();
  }, [pulse]);
  const cards = useMemo(() => {
    const byLane = new Map<string | null, Task[]>(lanes.map((lane) => [lane.id, []]));
    const placed = new Set<string>();
    for (const result of results) {
      for (const row of result.data?.rows ?? []) {
        if (placed.has(row.id)) continue;
        placed.add(row.id);
        const task = store.seen(row);
        byLane.get(laneOf(task, field))?.push(task);
      }
    }
    for (const list of byLane.values()) list.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : a.number - b.number));
    return byLane;
    // The store's tick stands for its edits.
  }, [results, lanes, field, store, tick]);
  const more = (lane: Lane) => setLimits((before) => ({ ...before, [String(lane.id)]: (before[String(lane.id)] ?? PAGE) + PAGE }));
  return { results, cards, more };
}

function useMover(field: FieldInfo, lanes: Lane[]) {
  const store = useStore();
  const t = useWords();
  return useCallback((task: Task, lane: string | null, after: string | null | undefined) => {
    const from = laneOf(task, field);
    if (lane !== from) {
      if (field.id === 'status' && isBound(task)) {
        toast(whyBound(task, t));
        return false;
      }
      if (field.id === 'status' && lane === 'stale') {
        toast(t.nobodyMakesStale);
        return false;
      }
      const present = valueOf(task, field.id);
      const value = field.kind === 'multi' ? [...new Set([...(lane === null ? [] : [lane]), ...(Array.isArray(present) ? present.filter((one) => one !== from) : [])])] : lane;
      store.edit(task, setOf(field, value));
      toast(t.movedTo(task.number, lanes.find((one) => one.id === lane)?.name ?? ''), () => store.undo());
    }
    // Its place among the others is asked for beside; a lost answer costs the order, never the change.
    if (after !== undefined) void work.move(task.id, { after }).then((moved) => store.note(moved.tasks)).catch(() => undefined).finally(() => store.pulseSoon());
    return true;
  }, [field, lanes, store, t]);
}

export function BoardView(props: ViewProps): ReactElement {
  const store = useStore();
  const t = useWords();
  const field = fieldsOf(store, t).find((one) => one.id === props.settings.boardBy) ?? (fieldsOf(store, t)[1] as FieldInfo);
  const lanes = useMemo(() => lanesOf(field, t.withoutGroup(field.name)), [field.id, field.options?.length, t]);
  const { results, cards, more } = useLanes(props, field, lanes);
  const move = useMover(field, lanes);
  const [menu, setMenu] = useState<{ task: Task; anchor: HTMLElement } | null>(null);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => monitorForElements({
    canMonitor: ({ source }) => source.data.kind === 'card',
    onDrop: ({ source, location }) => {
      const task = store.known(String(source.data.task));
      const targets = location.current.dropTargets;
      const lane = targets.find((target) => target.data.kind === 'lane');
      const card = targets.find((target) => target.data.kind === 'card');
      if (!task || !lane) return;
      const to = lane.data.lane as string | null;
      if (!card) move(task, to, undefined);
      else if (card.data.task !== task.id) move(task, to, afterOf(cards.get(to) ?? [], task.id, String(card.data.task), location.current.input.clientY, card.element));
    },
  }), [store, move, cards]);

  const failed = results.find((result) => result.isError && !result.data);
  if (failed) return <div className="work-pad"><ProblemView error={failed.error} retry={() => void failed.refetch()} /></div>;

  const keys = (event: KeyboardEvent<HTMLElement>, task: Task, lane: number, index: number) => {
    const card = (l: number, i: number) => box.current?.querySelector<HTMLElement>(`[data-lane="${l}"][data-index="${i}"]`);
    const length = (l: number) => cards.get(lanes[l]?.id ?? null)?.length ?? 0;
    const go = (l: number, i: number) => card(l, Math.max(0, Math.min(i, length(l) - 1)))?.focus();
    const by = event.key === 'ArrowLeft' ? -1 : 1;
    if ((event.key === 'ArrowLeft' || event.key === 'ArrowRight') && (event.altKey || event.shiftKey)) {
      const to = lanes[lane + by];
      if (to && move(task, to.id, undefined)) setTimeout(() => box.current?.querySelector<HTMLElement>(`[data-card="${task.id}"]`)?.focus(), 30);
    } else if (event.key === 'ArrowLeft' || event.key === 'ArrowRight') {
      let next = lane + by;
      while (next >= 0 && next < lanes.length && length(next) === 0) next += by;
      if (next >= 0 && next < lanes.length) go(next, index);
    } else if (event.key === 'ArrowDown') go(lane, index + 1);
    else if (event.key === 'ArrowUp') go(lane, index - 1);
    else if (event.key === 'Home') go(lane, 0);
    else if (event.key === 'End') go(lane, length(lane) - 1);
    else if (event.key === 'Enter') props.open(task.id);
    else if (event.key === 'm' || event.key === ' ') setMenu({ task, anchor: event.currentTarget });
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="board" ref={box} role="group" aria-label={t.boardLabel(field.name)} data-keys="own">
      <p className="vh" id="board-help">{t.boardHelp}</p>
      {lanes.map((lane, at) => {
        const result = results[at];
        const list = cards.get(lane.id) ?? [];
        const total = result?.data?.total;
        return (
          <LaneBox key={String(lane.id)} lane={lane} count={total === undefined ? '' : num(Math.max(total, list.length))}>
            {result?.isPending && <><Skeleton height={64} /><Skeleton height={64} /></>}
            {list.map((task, index) => {
              // Tab goes from column to column, arrows go on from there.
              const tab = index === 0 ? 0 : -1;
              return <Card key={task.id} task={task} field={field} lane={at} index={index} tab={tab} store={store} onKey={(event) => keys(event, task, at, index)} onOpen={() => props.open(task.id)} onMenu={(anchor) => setMenu({ task, anchor })} />;
            })}
            {result?.data && result.data.total > result.data.rows.length && <Button small kind="quiet" onClick={() => more(lane)}>{t.showMore(num(result.data.total - result.data.rows.length))}</Button>}
            {list.length === 0 && !result?.isPending && <p className="lane-none muted small">{t.nothingHere}</p>}
          </LaneBox>
        );
      })}
      {menu && (
        <MenuList anchor={menu.anchor} label={t.moveTo} close={(back) => { const { anchor } = menu; setMenu(null); if (back) anchor.focus(); }} items={[
          ...lanes.filter((lane) => !(field.id === 'status' && lane.id === 'stale')).map((lane) => ({ label: t.moveToLane(lane.name), checked: laneOf(menu.task, field) === lane.id, disabled: field.id === 'status' && isBound(menu.task), run: () => void move(menu.task, lane.id, undefined) })),
          '-' as const,
          { label: t.toTop, icon: 'up' as const, run: () => void move(menu.task, laneOf(menu.task, field), null) },
        ]} />
      )}
    </div>
  );
}

/** The card that the dropped one comes after: the one under the pointer, or the one before it in its upper half. */
function afterOf(list: Task[], moved: string, over: string, y: number, element: Element): string | null {
  const rest = list.filter((task) => task.id !== moved);
  const at = rest.findIndex((task) => task.id === over);
  const rect = element.getBoundingClientRect();
  const upper = y < rect.top + rect.height / 2;
  return upper ? (rest[at - 1]?.id ?? null) : over;
}

function LaneBox({ lane, count, children }: { lane: Lane; count: string; children: React.ReactNode }): ReactElement {
  const ref = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    if (!ref.current) return undefined;
    return dropTargetForElements({
      element: ref.current,
      getData: () => ({ kind: 'lane', lane: lane.id }),
      canDrop: ({ source }) => source.data.kind === 'card',
      onDragEnter: () => setOver(true),
      onDragLeave: () => setOver(false),
      onDrop: () => setOver(false),
    });
  }, [lane.id]);
  return (
    <section ref={ref} className={over ? 'lane over' : 'lane'} aria-label={lane.name}>
      <h2>{lane.name}<span className="muted count">{count}</span></h2>
      <div className="lane-cards">{children}</div>
    </section>
  );
}

interface CardProps {
  task: Task;
  field: FieldInfo;
  lane: number;
  index: number;
  tab: number;
  store: WorkStore;
  onKey: (event: KeyboardEvent<HTMLElement>) => void;
  onOpen: () => void;
  onMenu: (anchor: HTMLElement) => void;
}

function Card({ task, field, lane, index, tab, store, onKey, onOpen, onMenu }: CardProps): ReactElement {
  const t = useWords();
  const ref = useRef<HTMLDivElement>(null);
  const [dragged, setDragged] = useState(false);
  const [edge, setEdge] = useState<'top' | 'bottom' | null>(null);
  const fixed = field.id === 'status' && isBound(task);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const look = ({ location, self }: { location: { current: { input: { clientY: number } } }; self: { element: Element } }) => {
      const rect = self.element.getBoundingClientRect();
      setEdge(location.current.input.clientY < rect.top + rect.height / 2 ? 'top' : 'bottom');
    };
    return combine(
      draggable({ element, getInitialData: () => ({ kind: 'card', task: task.id }), onDragStart: () => setDragged(true), onDrop: () => setDragged(false) }),
      dropTargetForElements({ element, getData: () => ({ kind: 'card', task: task.id }), canDrop: ({ source }) => source.data.kind === 'card' && source.data.task !== task.id, onDrag: look, onDragLeave: () => setEdge(null), onDrop: () => setEdge(null) }),
    );
  }, [task.id]);
  const here = store.whoIsOn(task.id);
  const classes = ['card', dragged && 'dragged', edge && `edge-${edge}`, isDone(task) && 'faded', here && 'others', fixed && 'fixed'].filter(Boolean).join(' ');
  return (
    <div ref={ref} className={classes}>
      <div role="button" tabIndex={tab} className="card-main" data-lane={lane} data-index={index} data-card={task.id} aria-describedby="board-help" onKeyDown={onKey} onClick={onOpen}>
        <span className="card-title">{task.kind === 'milestone' && <span className="diamond" role="img" aria-label={t.milestone} />}{task.title}</span>
        {field.id !== 'status' && <StatusWord task={task} />}
        {task.binding && <span className="small muted clip">{[task.binding.table, task.evidence[task.evidence.length - 1]?.text].filter(Boolean).join(' · ') || t.noneYet}</span>}
        <span className="card-foot">
          <span className="muted small mono">T-{task.number}</span>
          {here && <span className="flag-here">{t.grid.isHere(here.name)}</span>}
          {store.edits.offline && store.edits.pending(task.id) && <span className="unsaved" role="img" aria-label={t.grid.notSaved} />}
          <span className="push row small">{task.deadline && <Day day={task.deadline} done={isDone(task)} />}{!isDone(task) && task.risk !== null && task.risk >= 0.15 && <Risk risk={task.risk} />}<PersonName id={task.owner} short /></span>
        </span>
      </div>
      <Button kind="quiet" small iconOnly icon="more" className="card-menu" tabIndex={-1} aria-label={t.moveTask(task.number)} onClick={(event) => onMenu(event.currentTarget)} />
    </div>
  );
}


// Work: one place, five views of the same tasks, one filter over all of them; and the
// hours and days in which it is done.
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState, type ComponentType, type ReactElement } from 'react';
import { useLive, useLiveState, type LiveEvent } from '@/app/live';
import { useMe } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { num } from '@/i18n/format';
import { Button, Menu, SkeletonRows } from '@/ui';
import { work } from './api';
import type { DialogName } from './dialogs';
import { FilterBar } from './FilterBar';
import { keep, readKept, settingsFrom, type Settings } from './settings';
import { StoreContext, useTick, WorkStore } from './store';
import type { Layout, View } from './types';
import { useWords } from './words';
import './work.css';

const views = {
  grid: () => import('./GridView').then((module) => module.GridView),
  board: () => import('./BoardView').then((module) => module.BoardView),
  calendar: () => import('./CalendarView').then((module) => module.CalendarView),
  timeline: () => import('./TimelineView').then((module) => module.TimelineView),
  mine: () => import('./MineView').then((module) => module.MineView),
  hours: () => import('./HoursView').then((module) => module.HoursView),
};

/** A view whose code may be here already; then nothing stands in for it, which React would keep for a third of a second. */
function viewOf<P extends object>(load: () => Promise<ComponentType<P>>): { View: (props: P) => ReactElement; ready: () => Promise<void> } {
  let here: ComponentType<P> | null = null;
  const ready = () => load().then((component) => { here = component; });
  const Later = lazy(() => load().then((component) => ({ default: component }))) as ComponentType<P>;
  return { View: (props) => { const Shown = here ?? Later; return <Shown {...props} />; }, ready };
}
const grid = viewOf(views.grid);
const board = viewOf(views.board);
const calendar = viewOf(views.calendar);
const timeline = viewOf(views.timeline);
const mine = viewOf(views.mine);
const hours = viewOf(views.hours);
const ready = { grid, board, calendar, timeline, mine, hours };
const TaskDrawer = lazy(() => import('./TaskDrawer').then((module) => ({ default: module.TaskDrawer })));
const Dialogs = lazy(() => import('./dialogs').then((module) => ({ default: module.Dialogs })));

type Place = Layout | 'mine' | 'hours';
const PLACES: readonly Place[] = ['grid', 'board', 'calendar', 'timeline', 'hours', 'mine'];

function placeOf(path: string): Place {
  const last = path.replace(/^\/work\/?/, '');
  return PLACES.includes(last as Place) ? (last as Place) : 'grid';
}

/** Settles when the code of the view is here that the address names. What fails is said where it is drawn. */
export const viewReady = (): Promise<void> => ready[placeOf(location.pathname)].ready().catch(() => undefined);

/** What every view gets. */
export interface ViewProps {
  settings: Settings;
  change: (part: Partial<Settings>) => void;
  open: (task: string) => void;
}

function useLiveWork(store: WorkStore): void {
  const client = useQueryClient();
  const state = useLiveState();
  const hear = useCallback((event: LiveEvent) => {
    if (event.kind === 'here') {
      const { person, name, task, field } = event.data as { person: string; name?: string; task: string | null; field?: string | null };
      store.setHere(task === null || task === undefined ? { person, task: null } : { person, name: name ?? store.name(person), task, field: field ?? null, at: Date.now() });
      return;
    }
    if (event.kind === 'work') {
      const { changed } = event.data as { changed?: string };
      if (changed) void client.invalidateQueries({ queryKey: changed === 'all' ? ['work'] : ['work', changed] });
      if (!changed || changed === 'fields' || changed === 'all') store.pulseSoon();
      if (!changed) void client.invalidateQueries({ queryKey: ['work', 'task'] });
    } else store.pulseSoon();
  }, [client, store]);
  useLive(['work', 'here', 'reset', 'run.changed'], hear);
  const missed = useRef(false);
  useEffect(() => {
    if (state !== 'live') {
      missed.current ||= state === 'offline';
      return undefined;
    }
    if (missed.current) {
      missed.current = false;
      store.edits.wake();
      store.pulseSoon();
      return undefined;
    }
    // Rows may have been asked for before the first connection heard anything: once, whether something happened between.
    const timer = setTimeout(() => void work.tasks({ limit: 1 }).then(({ version }) => version !== store.version && store.pulseSoon(), () => undefined), 1500);
    return () => clearTimeout(timer);
  }, [state, store]);
  useEffect(() => {
    const wake = () => store.edits.wake();
    const leaving = (event: BeforeUnloadEvent) => store.edits.waiting > 0 && event.preventDefault();
    window.addEventListener('online', wake);
    window.addEventListener('beforeunload', leaving);
    return () => {
      window.removeEventListener('online', wake);
      window.removeEventListener('beforeunload', leaving);
      void work.at(null, null).catch(() => undefined);
    };
  }, [store]);
}

function useTellers(store: WorkStore): void {
  const t = useWords();
  store.tell = {
    clash: (task, mine, again) => {
      const names = Object.keys(mine).flatMap((name) => (name === 'fields' ? Object.keys(mine.fields as object) : [name]));
      const field = names.map((name) => (t.field as Record<string, string>)[name] ?? store.fields.find((one) => one.id === name)?.name ?? name).join(', ');
      toast(t.clash(store.name(task.updated_by) || t.somebody, field, task.number), again);
    },
    refused: (reason) => toastProblem(reason),
    notUndone: () => toast(t.notUndone),
  };
}

/** Work as the router shows it. */
export function WorkPage(): ReactElement {
  const [store] = useState(() => new WorkStore());
  return <StoreContext value={store}><Inside store={store} /></StoreContext>;
}

function Inside({ store }: { store: WorkStore }): ReactElement {
  const t = useWords();
  const me = useMe();
  const location = useLocation();
  const navigate = useNavigate();
  const [kept, setKept] = useState(readKept);
  const [dialog, setDialog] = useState<DialogName | null>(null);
  useLiveWork(store);
  useTellers(store);
  useTick();

  const people = useQuery({ queryKey: ['work', 'people'], queryFn: work.people, staleTime: 60_000, retry: false });
  const fields = useQuery({ queryKey: ['work', 'fields'], queryFn: work.fields, staleTime: 60_000 });
  const views = useQuery({ queryKey: ['work', 'views'], queryFn: work.views, staleTime: 60_000 });
  useMemo(() => {
    store.people = new Map((people.data ?? []).map((person) => [person.id, person]));
    store.fields = fields.data ?? [];
    store.me = me?.person ?? '';
  }, [people.data, fields.data, me, store]);
  useEffect(() => { document.title = `${t.title} · dunlin`; }, [t.title]);

  const place = placeOf(location.pathname);
  const search = location.search as Record<string, string | undefined>;
  const task = search.task;

  const change = useCallback((part: Partial<Settings>) => {
    setKept((before) => {
      const after = { ...before, settings: { ...before.settings, ...part } };
      keep(after);
      return after;
    });
  }, []);
  const go = useCallback((to: Place, words?: Record<string, string | undefined>) => {
    void navigate({ to: to === 'grid' ? '/work' : `/work/${to}`, search: (words ?? {}) as never });
  }, [navigate]);
  const open = useCallback((id: string | null) => go(place, { task: id ?? undefined }), [go, place]);
  const openView = (view: View | null) => {
    const next = { view: view?.id ?? null, settings: view ? settingsFrom(view.settings) : settingsFrom({}) };
    keep(next);
    setKept(next);
    if (view && view.layout !== place) go(view.layout);
  };
  const view = views.data?.find((one) => one.id === kept.view) ?? null;
  const props: ViewProps = { settings: kept.settings, change, open };

  return (
    <div className="work">
      <div className="work-top">
        <h1>{t.title}</h1>
        <nav aria-label={t.views}>
          {PLACES.map((one) => (
            <a key={one} href={one === 'grid' ? '/work' : `/work/${one}`} aria-current={one === place ? 'page' : undefined} onClick={(event) => { event.preventDefault(); go(one); }}>{t.place[one]}</a>
          ))}
        </nav>
        <div className="row push work-acts">
          {store.edits.waiting > 0 && store.edits.offline && <span className="badge warn" role="status">{t.waiting(num(store.edits.waiting))}</span>}
          <Menu label={t.more} small items={menuItems(t, setDialog)} />
          <Button kind="primary" small icon="plus" onClick={() => setDialog('new')}>{t.newTask}</Button>
        </div>
      </div>
      {place !== 'mine' && place !== 'hours' && <FilterBar place={place} settings={kept.settings} change={change} view={view} views={views.data ?? []} onView={openView} onKeepView={(id) => setKept((before) => { const after = { ...before, view: id }; keep(after); return after; })} onFields={() => setDialog('fields')} />}
      <Suspense fallback={<div className="work-pad"><SkeletonRows rows={12} columns={6} /></div>}>
        {place === 'grid' && <grid.View {...props} onNew={() => setDialog('new')} onDialog={setDialog} />}
        {place === 'board' && <board.View {...props} />}
        {place === 'calendar' && <calendar.View {...props} onDialog={setDialog} />}
        {place === 'timeline' && <timeline.View {...props} onDialog={setDialog} />}
        {place === 'hours' && <hours.View />}
        {place === 'mine' && <mine.View {...props} />}
      </Suspense>
      <Suspense fallback={null}>
        {task && <TaskDrawer key={task} id={task} onClose={() => open(null)} onOpen={open} />}
        {dialog && <Dialogs name={dialog} settings={kept.settings} onClose={() => setDialog(null)} onOpen={open} />}
      </Suspense>
    </div>
  );
}

function menuItems(t: ReturnType<typeof useWords>, show: (name: DialogName) => void) {
  const item = (name: keyof typeof t.dialogs, icon: Parameters<typeof Menu>[0]['icon']) => ({ label: t.dialogs[name], icon, run: () => show(name) });
  return [item('forecast', 'clock'), item('questions', 'chat'), '-' as const, item('import', 'upload'), item('export', 'download'), item('templates', 'copy'), item('draft', 'plan'), '-' as const, item('fields', 'table'), item('feed', 'calendar'), item('webhooks', 'link')];
}

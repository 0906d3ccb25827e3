// The grid of tasks: the server's rows by windows, the columns the reader arranged, edits through the store.
import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from 'react';
import { toast } from '@/app/toast';
import { today } from '@/grid/dates';
import { Grid, type GridHandle } from '@/grid/Grid';
import type { CellChange, Column, Group } from '@/grid/types';
import { Windows } from '@/grid/windows';
import { dec, num, pct } from '@/i18n/format';
import { Button, Empty, MenuList, ProblemView, SkeletonRows, type MenuItem } from '@/ui';
import { work } from './api';
import { allColumns, shownColumns } from './columns';
import type { DialogName } from './dialogs';
import { fieldsOf, setOf } from './fields';
import { NO_FILTER } from './filter';
import type { ViewProps } from './index';
import { isDone, useLocale } from './parts';
import { rowsAsked } from './question';
import type { Settings } from './settings';
import { usePulse, useStore, useTick } from './store';
import type { Rows, Task, TaskSet } from './types';
import { useWords } from './words';

/** The rows of the present question; the earlier ones stay until the first page of the new ones is here. */
function useRows(settings: Settings): { windows: Windows<Task>; summaries: Rows['summaries']; tick: number } {
  const store = useStore();
  const [, redraw] = useState(0);
  const summaries = useRef<Rows['summaries']>({});
  const changes = useRef(0);
  const words = rowsAsked(settings);
  const key = JSON.stringify(words);
  const make = useCallback(() => {
    const asked = JSON.parse(key) as typeof words;
    return new Windows<Task>(async (offset, limit) => {
      const answer = await work.tasks({ ...asked, offset, limit });
      store.note(answer.rows);
      store.version = Math.max(store.version, answer.version);
      summaries.current = answer.summaries ?? {};
      return answer;
    }, () => {
      changes.current += 1;
      redraw((count) => count + 1);
    });
  }, [key, store]);
  const [windows, setWindows] = useState(make);
  useEffect(() => {
    const next = make();
    let gone = false;
    void next.start().then(() => !gone && setWindows((before) => {
      if (before !== next) before.close();
      return next;
    }));
    return () => { gone = true; };
  }, [make]);
  const pulse = usePulse();
  useEffect(() => {
    if (pulse > 0) windows.invalidate();
  }, [pulse, windows]);
  return { windows, summaries: summaries.current, tick: changes.current };
}

export function GridView({ settings, change, open, onNew, onDialog }: ViewProps & { onNew: () => void; onDialog: (name: DialogName) => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  const locale = useLocale();
  const tick = useTick();
  const { windows, summaries, tick: rowsTick } = useRows(settings);
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [menu, setMenu] = useState<{ column: string; anchor: HTMLElement } | null>(null);
  const grid = useRef<GridHandle>(null);
  const narrow = useNarrow();

  const shownWindows = useRef(windows);
  useEffect(() => {
    if (shownWindows.current !== windows) grid.current?.top();
    shownWindows.current = windows;
  }, [windows]);

  const people = store.people;
  const fields = store.fields;
  const columns = useMemo(() => {
    const shown = shownColumns(allColumns(store, t, settings), settings);
    return narrow ? shown.map((column) => (column.id === 'title' ? { ...column, width: Math.min(column.width, 210) } : column.id === 'number' ? { ...column, width: 52 } : column)) : shown;
    // People and fields are the store's, and change the options.
  }, [store, t, settings, narrow, people, fields]);
  const source = useMemo(() => ({
    get total() { return windows.total; },
    get groups() { return windows.groups; },
    row: (offset: number) => { const row = windows.row(offset); return row && store.seen(row); },
    want: (from: number, to: number) => windows.want(from, to),
    load: async (from: number, to: number) => (await windows.load(from, to)).map((row) => store.seen(row)),
  }), [windows, store]);

  const apply = useCallback((cells: CellChange<Task>[]) => {
    const known = fieldsOf(store, t);
    const byTask = new Map<string, { task: Task; set: TaskSet }>();
    for (const cell of cells) {
      const field = known.find((one) => one.id === cell.column);
      const set = setOf({ id: cell.column, custom: field?.custom }, cell.value);
      const held = byTask.get(cell.row.id) ?? { task: cell.row, set: {} };
      const fieldsSet = { ...(held.set.fields as object | undefined), ...(set.fields as object | undefined) };
      held.set = { ...held.set, ...set, ...(Object.keys(fieldsSet).length > 0 ? { fields: fieldsSet } : {}) };
      byTask.set(cell.row.id, held);
    }
    store.editMany([...byTask.values()]);
  }, [store, t]);

  const lastAt = useRef('');
  const at = useCallback((row: Task | null, column: string | null) => {
    const key = row ? `${row.id} ${column}` : '';
    if (key === lastAt.current) return;
    lastAt.current = key;
    void work.at(row?.id ?? null, row ? column : null).catch(() => undefined);
  }, []);

  if (windows.loading) return <div className="work-pad"><SkeletonRows rows={14} columns={6} /></div>;
  if (windows.problem && windows.total === 0) return <div className="work-pad"><ProblemView error={windows.problem} retry={() => windows.invalidate()} /></div>;
  if (windows.total === 0) {
    const filtered = settings.filter.q !== '' || settings.filter.tests.length > 0;
    return (
      <div className="work-pad">
        {filtered
          ? <Empty title={t.noneMatch} action={<Button onClick={() => change({ filter: NO_FILTER })}>{t.clearFilters}</Button>}>{t.noneMatchHelp}</Empty>
          : <Empty title={t.noTasks} action={<><Button kind="primary" onClick={() => onDialog('draft')}>{t.dialogs.draft}</Button><Button onClick={onNew}>{t.newTask}</Button></>}>{t.noTasksHelp}</Empty>}
      </div>
    );
  }

  const groupField = fieldsOf(store, t).find((field) => field.id === settings.group);
  const groupName = (group: Group) => (group.value === null || group.value === '' ? t.withoutGroup(groupField?.name ?? '') : (groupField?.options?.find((option) => option.id === group.value)?.name ?? (settings.group === 'parent' ? t.loading : group.value)));
  const head = (group: Group) => {
    const done = group.sums.done;
    const hours = group.sums.estimate_hours;
    const whole = settings.group === 'parent' && group.value ? store.known(group.value)?.progress : undefined;
    return (
      <>
        <span className="clip">{groupName(group)}</span>
        {typeof whole === 'number' && <><span className="track"><i style={{ width: `${whole * 100}%` }} /></span><span className="muted">{pct(whole, 0)}</span></>}
        {done !== undefined ? <><span className="track"><i style={{ width: `${(done / Math.max(1, group.count)) * 100}%` }} /></span><span className="muted">{t.doneOf(num(done), num(group.count))}</span></> : <span className="muted">{t.tasks(group.count, num(group.count))}</span>}
        {hours !== undefined && hours > 0 && <span className="muted">{dec(hours)} h</span>}
      </>
    );
  };

  return (
    <>
      <Grid<Task>
        ref={grid}
        id="tasks"
        label={t.gridLabel}
        columns={columns}
        frozen={Math.min(narrow ? 2 : settings.frozen, columns.length)}
        source={source}
        tick={tick + rowsTick}
        rowKey={(task) => task.id}
        closed={closed}
        onToggleGroup={(key) => setClosed((before) => {
          const after = new Set(before);
          if (!after.delete(key)) after.add(key);
          return after;
        })}
        groupHead={head}
        sort={settings.sort}
        onSort={(id) => change({ sort: nextSort(settings.sort, id) })}
        onMenu={(column, rect) => setMenu({ column, anchor: anchorAt(rect) })}
        onResize={(id, width) => change({ widths: { ...settings.widths, [id]: width } })}
        onReorder={(id, to) => change({ order: reordered(allColumns(store, t, settings), columns, id, to) })}
        locks={(column) => column.id === 'status'}
        onChanges={apply}
        onTell={(text) => toast(text)}
        onOpen={(task) => open(task.id)}
        onUndo={() => store.undo()}
        onRedo={() => store.redo()}
        onAt={at}
        here={(task) => store.whoIsOn(task.id)}
        pending={(task) => store.edits.pending(task.id) && store.edits.offline}
        faded={isDone}
        summary={(column) => summaryOf(column, summaries, windows.total, t)}
        reading={{ locale, today: today() }}
        words={t.grid}
      />
      {menu && <MenuList anchor={menu.anchor} label={t.columnMenu} close={(back) => { setMenu(null); if (back) grid.current?.focus(); }} items={columnItems(menu.column, columns, settings, change, t, () => reorderBy(menu.column))} />}
    </>
  );

  function reorderBy(id: string) {
    return (by: number) => {
      const from = columns.findIndex((column) => column.id === id);
      change({ order: reordered(allColumns(store, t, settings), columns, id, Math.max(0, Math.min(columns.length - 1, from + by))) });
    };
  }
}

/** A point in the page as something that a menu can hang from. */
function anchorAt(rect: DOMRect): HTMLElement {
  const anchor = document.createElement('span');
  anchor.getBoundingClientRect = () => rect;
  return anchor;
}

function nextSort(sort: Settings['sort'], field: string): Settings['sort'] {
  const [now] = sort;
  if (now?.field !== field) return [{ field, down: false }];
  return now.down ? [] : [{ field, down: true }];
}

function reordered(all: Column<Task>[], shown: Column<Task>[], id: string, to: number): string[] {
  const target = shown[to];
  const order = all.map((column) => column.id);
  if (!target || target.id === id) return order;
  const down = order.indexOf(target.id) > order.indexOf(id);
  const rest = order.filter((one) => one !== id);
  rest.splice(rest.indexOf(target.id) + (down ? 1 : 0), 0, id);
  return rest;
}

function columnItems(id: string, columns: Column<Task>[], settings: Settings, change: ViewProps['change'], t: ReturnType<typeof useWords>, reorder: () => (by: number) => void): (MenuItem | '-')[] {
  const at = columns.findIndex((column) => column.id === id);
  const column = columns[at];
  if (!column) return [];
  const items: (MenuItem | '-')[] = [];
  if (column.sortable !== false) {
    items.push({ label: t.sortUp, icon: 'up', run: () => change({ sort: [{ field: id, down: false }] }) }, { label: t.sortDown, icon: 'down', run: () => change({ sort: [{ field: id, down: true }] }) }, '-');
  }
  const width = (by: number) => change({ widths: { ...settings.widths, [id]: Math.max(48, column.width + by) } });
  items.push(
    { label: t.moveLeft, icon: 'left', disabled: at === 0, run: () => reorder()(-1) },
    { label: t.moveRight, icon: 'right', disabled: at === columns.length - 1, run: () => reorder()(1) },
    { label: t.wider, icon: 'plus', run: () => width(40) },
    { label: t.narrower, icon: 'minus', run: () => width(-40) },
    '-',
    { label: settings.frozen === at + 1 ? t.unfreeze : t.freeze, icon: 'lock', run: () => change({ frozen: settings.frozen === at + 1 ? 0 : at + 1 }) },
    { label: t.hideColumn, icon: 'eye', disabled: id === 'title', run: () => change({ hidden: [...settings.hidden, id] }) },
  );
  return items;
}

function summaryOf(column: Column<Task>, summaries: Rows['summaries'], total: number, t: ReturnType<typeof useWords>) {
  if (column.id === 'title') return t.tasks(total, num(total));
  if (['owner', 'deadline', 'start', 'progress'].includes(column.id)) return null;
  const summary = summaries[column.id];
  if (!summary) return null;
  if (typeof summary.sum === 'number') return column.id === 'estimate_hours' ? `${dec(summary.sum)} h` : dec(summary.sum, 2);
  if (typeof summary.done === 'number') return t.doneOf(num(summary.done), num(total));
  if (typeof summary.filled === 'number') return t.filled(num(summary.filled));
  return null;
}

/** Whether the window is as narrow as a phone's. */
export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => window.matchMedia('(max-width: 760px)').matches);
  useEffect(() => {
    const query = window.matchMedia('(max-width: 760px)');
    const look = () => setNarrow(query.matches);
    query.addEventListener('change', look);
    return () => query.removeEventListener('change', look);
  }, []);
  return narrow;
}


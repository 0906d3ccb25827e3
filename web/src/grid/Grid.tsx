// The grid: rows and columns drawn only where the reader looks, keys like a spreadsheet. It holds the selection and
// the open editor; what the rows are and what becomes of an edit is the page's.
import { useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type Ref } from 'react';
import { cleared, filled, type Outcome } from './cells';
import { Editor, type Leave } from './editors';
import { GridHead } from './GridHead';
import { cellId, GridRow, GroupRow } from './GridRow';
import { actOf, type Act } from './keys';
import { keyOf, Lines } from './lines';
import { at, boxOf, inside, isOne, moved, tabbed, type Selection } from './range';
import type { CellChange, Column, Group, Here, RowSource, Sort } from './types';
import { useClipboard } from './useClipboard';
import { usePointer } from './usePointer';
import { useScroll } from './useScroll';
import type { Reading } from './values';
import { edges, reveal } from './virtual';
import type { GridWords } from './words';
import './grid.css';

export interface GridHandle {
  focus: () => void;
  /** Back to the first row, when the rows became others. */
  top: () => void;
}

export interface GridProps<R> {
  ref?: Ref<GridHandle>;
  id: string;
  label: string;
  columns: Column<R>[];
  frozen: number;
  source: RowSource<R>;
  /** Grows whenever the source or what lies over it changed. */
  tick: number;
  rowKey: (row: R) => string;
  closed: ReadonlySet<string>;
  onToggleGroup: (key: string) => void;
  groupHead: (group: Group) => ReactNode;
  sort: Sort[];
  onSort: (column: string) => void;
  onMenu: (column: string, at: DOMRect) => void;
  onResize: (column: string, width: number, done: boolean) => void;
  onReorder: (column: string, to: number) => void;
  locks: (column: Column<R>) => boolean;
  onChanges: (changes: CellChange<R>[]) => void;
  /** Something to tell: cells that were left as they are, a reason. */
  onTell: (text: string) => void;
  onOpen: (row: R, column: Column<R>) => void;
  onUndo: () => void;
  onRedo: () => void;
  onAt: (row: R | null, column: string | null) => void;
  here: (row: R) => Here | undefined;
  pending: (row: R) => boolean;
  faded: (row: R) => boolean;
  summary?: (column: Column<R>) => ReactNode;
  reading: Omit<Reading, 'options'>;
  words: GridWords;
}

interface Editing<R> {
  row: R;
  line: number;
  col: number;
  typed: string | null;
}

export const LINE = 32;
const HEAD = 31;
const FOOT = 30;
/** More rows than this are not fetched to be copied or changed at once. */
const MOST = 5000;

export function Grid<R>(props: GridProps<R>): ReactNode {
  const { columns, source, words, frozen } = props;
  const box = useRef<HTMLDivElement>(null);
  const [selection, setSelection] = useState<Selection>(at(0, 0));
  const [editing, setEditing] = useState<Editing<R> | null>(null);
  const [focused, setFocused] = useState(false);
  const [fillTo, setFillTo] = useState<number | null>(null);

  const edge = useMemo(() => edges(columns.map((column) => column.width)), [columns]);
  const lines = useMemo(() => new Lines(source.total, source.groups, props.closed), [source.total, source.groups, props.closed]);
  const chrome = HEAD + (props.summary ? FOOT : 0);
  const seen = useScroll(box, LINE, lines.count, edge, frozen, chrome);
  const extent = { rows: lines.count, cols: columns.length, page: Math.max(1, Math.floor(seen.height / LINE) - 1) };

  useEffect(() => {
    if (!seen.fast) for (const span of lines.offsets(seen.lines.from, seen.lines.to)) source.want(span.from, span.to);
  }, [seen.lines, seen.fast, lines, source]);
  const rows = lines.count;
  const cols = columns.length;
  useEffect(() => setSelection((before) => inside(before, { rows, cols, page: 1 })), [rows, cols]);

  useImperativeHandle(props.ref, () => ({
    focus: () => box.current?.focus(),
    top: () => {
      box.current?.scrollTo({ top: 0 });
      setSelection((before) => at(0, before.anchor.col));
    },
  }), []);

  const rowAt = useCallback((line: number): R | undefined => {
    const here = lines.at(line);
    return here && 'offset' in here ? source.row(here.offset) : undefined;
  }, [lines, source]);

  const show = useCallback((line: number, col: number) => {
    const element = box.current;
    if (!element) return;
    const top = reveal(line * LINE, (line + 1) * LINE, element.scrollTop, element.clientHeight - chrome, 0);
    const left = col < frozen ? element.scrollLeft : reveal(edge[col] as number, edge[col + 1] as number, element.scrollLeft, element.clientWidth, edge[frozen] as number);
    if (top !== element.scrollTop || left !== element.scrollLeft) element.scrollTo({ top, left });
  }, [chrome, edge, frozen]);

  const select = (next: Selection, corner: 'anchor' | 'focus' = 'focus') => {
    setSelection(next);
    show(next[corner].row, next[corner].col);
  };

  // Others see which row one is on; told when it rests there.
  const activeRow = rowAt(selection.anchor.row);
  const activeKey = activeRow === undefined ? null : props.rowKey(activeRow);
  const activeColumn = columns[selection.anchor.col];
  const activeColumnId = activeColumn?.id ?? null;
  const onAt = useRef(props.onAt);
  onAt.current = props.onAt;
  const activeRowRef = useRef(activeRow);
  activeRowRef.current = activeRow;
  useEffect(() => {
    const timer = setTimeout(() => onAt.current(focused ? (activeRowRef.current ?? null) : null, focused ? activeColumnId : null), 300);
    return () => clearTimeout(timer);
  }, [activeKey, activeColumnId, focused]);

  const startEdit = (line: number, col: number, typed: string | null) => {
    const row = rowAt(line);
    const column = columns[col];
    if (row === undefined || !column) return;
    if (!column.editable(row)) {
      if (typed === null && column.opens?.(row)) props.onOpen(row, column);
      else props.onTell(column.why?.(row) ?? words.locked);
      return;
    }
    if (column.kind === 'checkbox') {
      if (typed === null) props.onChanges([{ row, column: column.id, value: column.value(row) !== true }]);
      return;
    }
    show(line, col);
    setEditing({ row, line, col, typed });
  };

  const rowsOf = async (from: number, to: number): Promise<R[]> => {
    if (to - from > MOST) {
      props.onTell(words.tooMany(MOST));
      return [];
    }
    const found: R[] = [];
    for (const span of lines.offsets(from, to)) found.push(...(await source.load(span.from, span.to)));
    return found;
  };

  const apply = (outcome: Outcome<R>) => {
    if (outcome.changes.length > 0) props.onChanges(outcome.changes);
    const left = [outcome.locked > 0 && words.lockedCells(outcome.locked), outcome.unread > 0 && words.unread(outcome.unread)].filter((text) => text !== false);
    if (left.length > 0) props.onTell(left.join(' '));
  };

  const bounds = boxOf(selection);

  const enter = () => {
    const line = lines.at(selection.anchor.row);
    if (line && 'group' in line) {
      const group = source.groups?.[line.group];
      if (group) props.onToggleGroup(keyOf(group));
    } else startEdit(selection.anchor.row, selection.anchor.col, null);
  };

  const act = (what: Act): boolean => {
    switch (what.do) {
      case 'move':
        select(moved(selection, what.move, extent, what.extend));
        return true;
      case 'tab': {
        const next = tabbed(selection, what.back, extent);
        if (!next) return false;
        select(next);
        return true;
      }
      case 'enter':
        enter();
        return true;
      case 'toggle': {
        const group = lines.at(selection.anchor.row);
        if ((group && 'group' in group) || activeColumn?.kind === 'checkbox') enter();
        else startEdit(selection.anchor.row, selection.anchor.col, '');
        return true;
      }
      case 'edit':
        startEdit(selection.anchor.row, selection.anchor.col, what.text);
        return true;
      case 'row':
        if (activeRow !== undefined && activeColumn) props.onOpen(activeRow, { ...activeColumn, id: '' });
        return true;
      case 'clear':
        void rowsOf(bounds.top, bounds.bottom + 1).then((found) => apply(cleared(found, columns, bounds.left, bounds.right)));
        return true;
      case 'fillDown':
        void rowsOf(bounds.top, bounds.bottom + 1).then((found) => found.length > 1 && apply(filled(found, 1, columns, bounds.left, bounds.right)));
        return true;
      case 'all':
        setSelection({ anchor: { row: 0, col: 0 }, focus: { row: rows - 1, col: cols - 1 } });
        return true;
      case 'undo':
        props.onUndo();
        return true;
      case 'redo':
        props.onRedo();
        return true;
      case 'escape':
        setSelection(at(selection.anchor.row, selection.anchor.col));
        return true;
    }
  };

  const keys = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.target !== event.currentTarget || rows === 0) return;
    if ((event.altKey && event.key === 'ArrowDown') || event.key === 'ContextMenu') {
      const head = activeColumn && document.getElementById(cellId(props.id, selection.anchor.row, selection.anchor.col));
      if (head && activeColumn) props.onMenu(activeColumn.id, head.getBoundingClientRect());
      event.preventDefault();
      return;
    }
    const what = actOf({ key: event.key, ctrl: event.ctrlKey || event.metaKey, shift: event.shiftKey, alt: event.altKey });
    if (what && act(what)) {
      event.preventDefault();
      // A key that the grid took is not also a shortcut of the app.
      event.stopPropagation();
    }
  };

  useClipboard({ box, bounds, one: isOne(selection), lines, source, columns, rowsOf, apply, reading: props.reading, tell: props.onTell, words });

  const pointer = usePointer<R>({
    box, selection, focused, bounds, fillTo, setFillTo, setSelection, rowAt, startEdit,
    toggleGroup: (line) => {
      select(at(line, 0));
      const here = lines.at(line);
      const group = here && 'group' in here ? source.groups?.[here.group] : undefined;
      if (group) props.onToggleGroup(keyOf(group));
    },
    open: (row, col) => props.onOpen(row, columns[col] as Column<R>),
    fill: (to) => void rowsOf(bounds.top, to + 1).then((found) => apply(filled(found, Math.min(bounds.bottom - bounds.top + 1, found.length), columns, bounds.left, bounds.right))),
  });

  const finish = (leave: Leave) => {
    const place = editing;
    setEditing(null);
    if (!place) return;
    box.current?.focus({ preventScroll: true });
    const from = at(place.line, place.col);
    if (leave === 'stay') return;
    if (leave === 'left' || leave === 'right') select(tabbed(from, leave === 'left', extent) ?? from);
    else select(moved(from, leave, extent, false));
  };

  const body: ReactNode[] = [];
  // Lines take the place in the page of those that scrolled away, so that little is built while scrolling.
  const pool = Math.ceil((seen.height / LINE + 28) / 4) * 4;
  for (let line = seen.lines.from; line < seen.lines.to; line += 1) {
    const place = lines.at(line);
    if (!place) continue;
    const inRange = line >= bounds.top && line <= bounds.bottom;
    const active = selection.anchor.row === line ? selection.anchor.col : -1;
    if ('group' in place) {
      const group = source.groups?.[place.group] as Group;
      body.push(<GroupRow key={`g${line}`} id={props.id} line={line} height={LINE} width={edge[edge.length - 1] as number} view={seen.width} open={place.open} active={active >= 0}>{props.groupHead(group)}</GroupRow>);
      continue;
    }
    const row = seen.fast ? undefined : source.row(place.offset);
    body.push(
      <GridRow
        key={line % pool}
        id={props.id}
        line={line}
        height={LINE}
        row={row}
        fast={seen.fast}
        columns={columns}
        edge={edge}
        frozen={frozen}
        from={seen.cols.from}
        to={seen.cols.to}
        left={inRange ? bounds.left : -1}
        right={inRange ? bounds.right : -2}
        active={active}
        here={row === undefined ? undefined : props.here(row)}
        pending={row !== undefined && props.pending(row)}
        faded={row !== undefined && props.faded(row)}
        words={words}
      />,
    );
  }

  const width = edge[edge.length - 1] as number;
  const editColumn = editing && columns[editing.col];
  const shown = selection.anchor.row >= seen.lines.from && selection.anchor.row < seen.lines.to;
  const fillLine = fillTo ?? bounds.bottom;
  const canFill = bounds.right >= 0 && focused && !editing && columns.slice(bounds.left, bounds.right + 1).some((column) => activeRow !== undefined && column.editable(activeRow));
  const group = lines.at(selection.anchor.row);
  return (
    <div
      ref={box}
      role="grid"
      tabIndex={0}
      className={`grid${focused ? ' focused' : ''}${width > seen.width ? ' overflows' : ''}`}
      aria-label={props.label}
      aria-rowcount={rows + 1}
      aria-colcount={cols}
      aria-multiselectable="true"
      aria-activedescendant={shown && rows > 0 ? cellId(props.id, selection.anchor.row, group && 'group' in group ? 0 : selection.anchor.col) : undefined}
      onKeyDown={keys}
      {...pointer.props}
      onFocus={() => setFocused(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setFocused(false)}
    >
      <GridHead columns={columns} edge={edge} frozen={frozen} from={seen.cols.from} to={seen.cols.to} sort={props.sort} words={words} locks={props.locks} onMenu={props.onMenu} onSort={props.onSort} onResize={props.onResize} onReorder={props.onReorder} />
      <div role="rowgroup" className="grid-body" style={{ height: rows * LINE, width }}>
        {body}
        {canFill && (
          <span
            className="grid-fill"
            title={words.fill}
            aria-hidden="true"
            style={{ top: (fillLine + 1) * LINE - 4, left: (edge[bounds.right + 1] as number) - 4 }}
            onPointerDown={pointer.beginFill}
          />
        )}
        {fillTo !== null && fillTo > bounds.bottom && <span className="fill-range" aria-hidden="true" style={{ top: (bounds.bottom + 1) * LINE, height: (fillTo - bounds.bottom) * LINE, left: edge[bounds.left], width: (edge[bounds.right + 1] as number) - (edge[bounds.left] as number) }} />}
        {editing && editColumn && (
          <div
            className="grid-editor"
            style={{ top: editing.line * LINE, height: LINE, width: Math.max(editColumn.width, 120), left: (edge[editing.col] as number) + (editing.col < frozen ? (box.current?.scrollLeft ?? 0) : 0) }}
          >
            <Editor
              key={`${editing.line}:${editing.col}`}
              column={editColumn as unknown as Column<never>}
              value={editColumn.value(editing.row)}
              typed={editing.typed}
              reading={{ ...props.reading, options: editColumn.options ?? [] }}
              words={words}
              label={editColumn.title}
              above={editing.line * LINE - (box.current?.scrollTop ?? 0) > seen.height - 260 && editing.line > 8}
              onDone={(value, leave) => {
                apply(outcomeOf(editing.row, editColumn, value));
                finish(leave);
              }}
              onCancel={() => finish('stay')}
            />
          </div>
        )}
      </div>
      {props.summary && (
        <div className="grid-foot" role="presentation" style={{ width }}>
          {columns.map((column, col) => (col < frozen || (col >= seen.cols.from && col < seen.cols.to)) && (
            <div key={column.id} className={`foot-cell${col < frozen ? ' frozen' : ''}${col === frozen - 1 ? ' last-frozen' : ''}${column.align === 'right' ? ' right' : ''}`} style={{ left: edge[col], width: column.width }}>{props.summary?.(column)}</div>
          ))}
        </div>
      )}
    </div>
  );
}

function outcomeOf<R>(row: R, column: Column<R>, value: CellChange<R>['value']): Outcome<R> {
  const empty = value === null || value === '';
  if (column.needed && empty) return { changes: [], locked: 0, unread: 1 };
  const same = JSON.stringify(column.value(row)) === JSON.stringify(value);
  return { changes: same ? [] : [{ row, column: column.id, value }], locked: 0, unread: 0 };
}

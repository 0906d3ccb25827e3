// The heads of the columns: sort on a click, a menu, a handle to resize, a drag to reorder.
import { useRef, useState, type PointerEvent, type ReactNode } from 'react';
import type { Column, Sort } from './types';
import type { GridWords } from './words';

export interface HeadProps<R> {
  columns: Column<R>[];
  edge: number[];
  frozen: number;
  from: number;
  to: number;
  sort: Sort[];
  words: GridWords;
  locks: (column: Column<R>) => boolean;
  onMenu: (column: string, at: DOMRect) => void;
  onSort: (column: string) => void;
  onResize: (column: string, width: number, done: boolean) => void;
  onReorder: (column: string, to: number) => void;
}

interface Drag {
  col: number;
  startX: number;
  dx: number;
  to: number;
}

export function GridHead<R>(props: HeadProps<R>): ReactNode {
  const { columns, edge, frozen, from, to, words } = props;
  const [drag, setDrag] = useState<Drag | null>(null);
  const moved = useRef(false);

  const place = (col: number, dx: number) => {
    const middle = ((edge[col] as number) + (edge[col + 1] as number)) / 2 + dx;
    let best = col;
    columns.forEach((_, other) => {
      if ((other < frozen) === (col < frozen) && middle >= (edge[other] as number) && middle < (edge[other + 1] as number)) best = other;
    });
    return best;
  };
  const begin = (col: number) => (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0 || event.pointerType === 'touch' || (event.target as HTMLElement).closest('.sizer, .head-menu')) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    moved.current = false;
    setDrag({ col, startX: event.clientX, dx: 0, to: col });
  };
  const follow = (event: PointerEvent<HTMLElement>) => {
    if (!drag) return;
    const dx = event.clientX - drag.startX;
    if (Math.abs(dx) > 5) moved.current = true;
    if (moved.current) setDrag({ ...drag, dx, to: place(drag.col, dx) });
  };
  const end = () => {
    if (drag && moved.current && drag.to !== drag.col) props.onReorder((columns[drag.col] as Column<R>).id, drag.to);
    setDrag(null);
  };

  const cell = (col: number) => {
    const column = columns[col];
    if (!column) return null;
    const sorted = props.sort.find((sort) => sort.field === column.id);
    const classes = ['head-cell'];
    if (col < frozen) classes.push('frozen');
    if (col === frozen - 1) classes.push('last-frozen');
    if (column.align === 'right') classes.push('right');
    if (drag && moved.current && drag.to === col && drag.col !== col) classes.push(drag.col < col ? 'drop-after' : 'drop-before');
    return (
      <div
        key={column.id}
        role="columnheader"
        aria-colindex={col + 1}
        aria-sort={sorted ? (sorted.down ? 'descending' : 'ascending') : undefined}
        className={classes.join(' ')}
        style={{ left: edge[col], width: column.width, opacity: drag && moved.current && drag.col === col ? 0.5 : undefined }}
        onPointerDown={begin(col)}
        onPointerMove={follow}
        onPointerUp={end}
        onPointerCancel={() => setDrag(null)}
        onClick={(event) => {
          if (moved.current || (event.target as HTMLElement).closest('.sizer, .head-menu')) return;
          if (column.sortable !== false) props.onSort(column.id);
        }}
      >
        {props.locks(column) && <svg className="i lock" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 7h8v6.500H4zM5.500 7V5a2.500 2.500 0 015 0v2" /></svg>}
        <span className="clip">{column.title}</span>
        {sorted && <svg className="i sorted" viewBox="0 0 16 16" aria-hidden="true"><path d={sorted.down ? 'M8 3.500v9M4.800 9.300L8 12.500l3.200-3.200' : 'M8 12.500v-9M4.800 6.700L8 3.500l3.200 3.200'} /></svg>}
        <button
          type="button"
          className="head-menu"
          tabIndex={-1}
          aria-label={words.menuOf(column.title)}
          onClick={(event) => props.onMenu(column.id, event.currentTarget.getBoundingClientRect())}
        >
          <svg className="i" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 6.200l4 4 4-4" /></svg>
        </button>
        <Sizer width={column.width} onResize={(width, done) => props.onResize(column.id, width, done)} />
      </div>
    );
  };

  const cells: ReactNode[] = [];
  for (let col = 0; col < frozen; col += 1) cells.push(cell(col));
  for (let col = from; col < to; col += 1) cells.push(cell(col));
  return (
    <div role="rowgroup" className="grid-head" style={{ width: edge[edge.length - 1] }}>
      <div role="row" aria-rowindex={1} className="head-row">{cells}</div>
    </div>
  );
}

/** The handle at a head's right edge. From the keyboard the column's menu does the same. */
function Sizer({ width, onResize }: { width: number; onResize: (width: number, done: boolean) => void }): ReactNode {
  const start = useRef<{ x: number; width: number } | null>(null);
  const now = (event: PointerEvent) => Math.max(48, Math.round((start.current?.width ?? width) + event.clientX - (start.current?.x ?? 0)));
  return (
    <span
      className="sizer"
      aria-hidden="true"
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, width };
      }}
      onPointerMove={(event) => start.current && onResize(now(event), false)}
      onPointerUp={(event) => {
        if (start.current) onResize(now(event), true);
        start.current = null;
      }}
    />
  );
}

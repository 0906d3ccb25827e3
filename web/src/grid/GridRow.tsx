// One line of the grid: a row's cells or a group's head. Drawn again only when something of its own changed.
import { memo, type ReactNode } from 'react';
import type { Column, Here } from './types';
import { printValue } from './values';
import type { GridWords } from './words';
import type { Span } from './virtual';

export interface Marks {
  left: number;
  right: number;
  /** The active cell's column, or -1. */
  active: number;
}

export interface RowProps<R> {
  id: string;
  line: number;
  height: number;
  row: R | undefined;
  /** Only the line itself, without its cells. */
  fast: boolean;
  columns: Column<R>[];
  edge: number[];
  frozen: number;
  from: number;
  to: number;
  left: number;
  right: number;
  active: number;
  here: Here | undefined;
  pending: boolean;
  faded: boolean;
  words: GridWords;
}

export const cellId = (id: string, line: number, col: number) => `${id}-${line}-${col}`;

function Cell<R>({ props, col }: { props: RowProps<R>; col: number }): ReactNode {
  const { row, columns, edge, frozen, line, id } = props;
  const column = columns[col];
  if (!column) return null;
  const left = edge[col] as number;
  const width = (edge[col + 1] as number) - left;
  const classes = ['cell'];
  if (col < frozen) classes.push('frozen');
  if (col === frozen - 1) classes.push('last-frozen');
  if (column.align === 'right') classes.push('right');
  if (col >= props.left && col <= props.right) classes.push('in');
  if (col === props.active) classes.push('active');
  const editable = row !== undefined && column.editable(row);
  if (row !== undefined && !editable && column.why) classes.push('bound');
  return (
    <div
      role="gridcell"
      // Only the active cell is pointed at, so only it has an id: rows that take others' places change little.
      id={col === props.active ? cellId(id, line, col) : undefined}
      className={classes.join(' ')}
      // Frozen ones stick by their left edge; the first after them makes room for the columns that are not drawn.
      style={col < frozen ? { left, width } : col === props.from && col > frozen ? { width, marginLeft: left - (edge[frozen] as number) } : { width }}
      data-col={col}
      aria-colindex={col + 1}
      aria-selected={col >= props.left && col <= props.right}
      aria-readonly={!editable}
    >
      {row === undefined
        ? col === frozen - 1 && <span className="skeleton bone" />
        : column.render
          ? column.render(row)
          : <span className="clip">{printValue(column.value(row), column.kind, column.options)}</span>}
      {col === frozen - 1 && props.here && <span className="flag-here">{props.words.isHere(props.here.name)}</span>}
      {col === frozen - 1 && props.pending && <span className="unsaved" title={props.words.notSaved} aria-label={props.words.notSaved} role="img" />}
    </div>
  );
}

function LineOf<R>(props: RowProps<R>): ReactNode {
  const { line, height, frozen, from, to, edge } = props;
  const cells: ReactNode[] = [];
  if (props.fast) cells.push(<span key="fast" className="fast-line" />);
  else for (let col = 0; col < frozen; col += 1) cells.push(<Cell key={col} props={props} col={col} />);
  for (let col = props.fast ? to : from; col < to; col += 1) cells.push(<Cell key={col} props={props} col={col} />);
  const classes = ['grid-row'];
  if (props.here) classes.push('others');
  if (props.faded) classes.push('faded');
  return (
    <div
      role="row"
      aria-rowindex={line + 2}
      data-line={line}
      aria-busy={props.row === undefined || undefined}
      className={classes.join(' ')}
      style={{ top: line * height, width: edge[edge.length - 1], height }}
    >
      {cells}
    </div>
  );
}

export const GridRow = memo(LineOf) as typeof LineOf;

export function GroupRow({ id, line, height, width, view, open, active, children }: {
  id: string;
  line: number;
  height: number;
  width: number;
  view: number;
  open: boolean;
  active: boolean;
  children: ReactNode;
}): ReactNode {
  return (
    <div role="row" aria-rowindex={line + 2} data-line={line} className="grid-row group" style={{ top: line * height, width, height }}>
      <div
        role="gridcell"
        id={cellId(id, line, 0)}
        aria-expanded={open}
        className={active ? 'group-cell active' : 'group-cell'}
        style={{ width: Math.min(width, view) }}
        data-col={0}
        data-group=""
      >
        <svg className={open ? 'i turn open' : 'i turn'} viewBox="0 0 16 16" aria-hidden="true"><path d="M6 4l4 4-4 4" /></svg>
        {children}
      </div>
    </div>
  );
}

export const spanKey = (span: Span) => `${span.from}:${span.to}`;

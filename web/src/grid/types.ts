// What the grid knows of columns and rows. It knows nothing of tasks: a page gives it columns and a source of rows.
import type { ReactNode } from 'react';

export type CellKind = 'text' | 'number' | 'date' | 'person' | 'select' | 'multi' | 'checkbox' | 'url';

export interface Option {
  id: string;
  name: string;
  /** A short word beside the name in lists (an address, a role). */
  hint?: string;
}

/** A value as a cell holds it: what JSON can say. */
export type CellValue = string | number | boolean | null | string[];

export interface Column<R> {
  id: string;
  title: string;
  kind: CellKind;
  width: number;
  align?: 'right';
  /** Whether this row's cell may be written. */
  editable: (row: R) => boolean;
  /** Why it may not, in words; shown when somebody tries. */
  why?: (row: R) => string;
  value: (row: R) => CellValue;
  options?: Option[];
  render?: (row: R) => ReactNode;
  /** Enter or a click opens something (the evidence) instead of an editor. */
  opens?: (row: R) => boolean;
  sortable?: boolean;
  /** A cell that may not be emptied (a title, a priority). */
  needed?: boolean;
}

export interface Group {
  value: string | null;
  count: number;
  sums: Record<string, number>;
}

/** Rows by their place in the server's order; some have not come yet. */
export interface RowSource<R> {
  total: number;
  groups: Group[] | null;
  row: (offset: number) => R | undefined;
  /** Tells which offsets are on the screen, half-open, and which way the reader scrolls. */
  want: (from: number, to: number) => void;
  /** The rows of a range even when they are not here yet (for copying). */
  load: (from: number, to: number) => Promise<R[]>;
}

export interface CellChange<R> {
  row: R;
  column: string;
  value: CellValue;
}

export interface Here {
  name: string;
  field: string | null;
}

export type Sort = { field: string; down: boolean };

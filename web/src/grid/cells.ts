// What pasting, filling and clearing would change: only cells that may be written and texts that can be read.
// The rest is counted, so that the page can say what was left as it is.
import { tiled } from './tsv';
import type { CellChange, CellValue, Column } from './types';
import { printValue, readValue, sameValue, type Reading } from './values';

export interface Outcome<R> {
  changes: CellChange<R>[];
  /** Cells that nobody may write. */
  locked: number;
  /** Texts that do not fit their column. */
  unread: number;
}

const reading = <R>(column: Column<R>, base: Omit<Reading, 'options'>): Reading => ({ ...base, options: column.options ?? [] });

/** Lays a block of texts on rows, the first at the first row and the column at `left`. */
export function pasted<R>(rows: R[], columns: Column<R>[], left: number, width: number, block: string[][], base: Omit<Reading, 'options'>): Outcome<R> {
  const texts = tiled(block, rows.length, width);
  const outcome: Outcome<R> = { changes: [], locked: 0, unread: 0 };
  texts.forEach((cells, down) => {
    const row = rows[down];
    if (row === undefined) return;
    cells.forEach((text, across) => {
      const column = columns[left + across];
      if (!column) return;
      if (!column.editable(row)) {
        if (printValue(column.value(row), column.kind, column.options) !== text) outcome.locked += 1;
        return;
      }
      const read = readValue(text, column.kind, reading(column, base));
      if (!read.ok) outcome.unread += 1;
      else change(outcome, row, column, read.value);
    });
  });
  return outcome;
}

/** Copies the values of the first `from` rows over the rows after them, again and again. */
export function filled<R>(rows: R[], from: number, columns: Column<R>[], left: number, right: number): Outcome<R> {
  const outcome: Outcome<R> = { changes: [], locked: 0, unread: 0 };
  rows.slice(from).forEach((row, index) => {
    const source = rows[index % from] as R;
    for (let col = left; col <= right; col += 1) {
      const column = columns[col];
      if (!column) continue;
      if (!column.editable(row)) outcome.locked += 1;
      else change(outcome, row, column, column.value(source));
    }
  });
  return outcome;
}

export function cleared<R>(rows: R[], columns: Column<R>[], left: number, right: number): Outcome<R> {
  const outcome: Outcome<R> = { changes: [], locked: 0, unread: 0 };
  for (const row of rows) {
    for (let col = left; col <= right; col += 1) {
      const column = columns[col];
      if (!column) continue;
      if (!column.editable(row)) outcome.locked += 1;
      else if (column.needed) outcome.unread += 1;
      else change(outcome, row, column, column.kind === 'multi' ? [] : column.kind === 'checkbox' ? false : null);
    }
  }
  return outcome;
}

function change<R>(outcome: Outcome<R>, row: R, column: Column<R>, value: CellValue): void {
  if (column.needed && (value === null || value === '')) outcome.unread += 1;
  else if (!sameValue(column.value(row), value)) outcome.changes.push({ row, column: column.id, value });
}

export function texts<R>(rows: R[], columns: Column<R>[], left: number, right: number): string[][] {
  return rows.map((row) => columns.slice(left, right + 1).map((column) => printValue(column.value(row), column.kind, column.options)));
}

// Which cells are selected, and where a key takes them. Rows are lines on the screen (group lines too), columns
// are places among the visible columns.

export interface Place {
  row: number;
  col: number;
}

export interface Selection {
  /** Where the range started: the active cell, which typing edits. */
  anchor: Place;
  /** Its other corner. */
  focus: Place;
}

export interface Box {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface Extent {
  rows: number;
  cols: number;
  /** Lines a page key moves. */
  page: number;
}

export type Move = 'up' | 'down' | 'left' | 'right' | 'first' | 'last' | 'pageUp' | 'pageDown' | 'rowStart' | 'rowEnd' | 'top' | 'bottom' | 'farLeft' | 'farRight';

const clamp = (value: number, most: number) => Math.max(0, Math.min(value, most));

export function boxOf(selection: Selection): Box {
  const { anchor, focus } = selection;
  return {
    top: Math.min(anchor.row, focus.row),
    bottom: Math.max(anchor.row, focus.row),
    left: Math.min(anchor.col, focus.col),
    right: Math.max(anchor.col, focus.col),
  };
}

export function step(from: Place, move: Move, extent: Extent): Place {
  const lastRow = Math.max(0, extent.rows - 1);
  const lastCol = Math.max(0, extent.cols - 1);
  const { row, col } = from;
  switch (move) {
    case 'up':
      return { row: clamp(row - 1, lastRow), col };
    case 'down':
      return { row: clamp(row + 1, lastRow), col };
    case 'left':
      return { row, col: clamp(col - 1, lastCol) };
    case 'right':
      return { row, col: clamp(col + 1, lastCol) };
    case 'pageUp':
      return { row: clamp(row - extent.page, lastRow), col };
    case 'pageDown':
      return { row: clamp(row + extent.page, lastRow), col };
    case 'rowStart':
    case 'farLeft':
      return { row, col: 0 };
    case 'rowEnd':
    case 'farRight':
      return { row, col: lastCol };
    case 'top':
      return { row: 0, col };
    case 'bottom':
      return { row: lastRow, col };
    case 'first':
      return { row: 0, col: 0 };
    case 'last':
      return { row: lastRow, col: lastCol };
  }
}

/** Moves the active cell, or with `extend` only the range's far corner. */
export function moved(selection: Selection, move: Move, extent: Extent, extend: boolean): Selection {
  if (extend) return { anchor: selection.anchor, focus: step(selection.focus, move, extent) };
  const to = step(selection.anchor, move, extent);
  return { anchor: to, focus: to };
}

/** Tab order: along the row, then the next row's first cell; nothing at the ends, so that focus can leave. */
export function tabbed(selection: Selection, back: boolean, extent: Extent): Selection | null {
  const { row, col } = selection.anchor;
  const next = row * extent.cols + col + (back ? -1 : 1);
  if (next < 0 || next >= extent.rows * extent.cols) return null;
  const to = { row: Math.floor(next / extent.cols), col: next % extent.cols };
  return { anchor: to, focus: to };
}

/** Keeps a selection inside when rows or columns went away. */
export function inside(selection: Selection, extent: Extent): Selection {
  const fit = (place: Place) => ({
    row: clamp(place.row, Math.max(0, extent.rows - 1)),
    col: clamp(place.col, Math.max(0, extent.cols - 1)),
  });
  return { anchor: fit(selection.anchor), focus: fit(selection.focus) };
}

export const at = (row: number, col: number): Selection => ({ anchor: { row, col }, focus: { row, col } });

export const isOne = (selection: Selection) =>
  selection.anchor.row === selection.focus.row && selection.anchor.col === selection.focus.col;

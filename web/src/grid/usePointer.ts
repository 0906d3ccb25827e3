// The mouse, the pen and the finger in the grid: selecting, dragging a range, filling down, opening what a cell opens.
import { useRef, type MouseEvent, type PointerEvent, type RefObject } from 'react';
import { at, isOne, type Box, type Selection } from './range';

interface Pointing<R> {
  box: RefObject<HTMLDivElement | null>;
  selection: Selection;
  focused: boolean;
  bounds: Box;
  fillTo: number | null;
  setFillTo: (line: number | null) => void;
  setSelection: (selection: Selection) => void;
  rowAt: (line: number) => R | undefined;
  startEdit: (line: number, col: number, typed: string | null) => void;
  toggleGroup: (line: number) => void;
  open: (row: R, col: number) => void;
  fill: (to: number) => void;
}

export function usePointer<R>(now: Pointing<R>) {
  const { box, selection, bounds, setSelection } = now;
  const dragging = useRef<'select' | 'fill' | null>(null);

  const placeOf = (event: PointerEvent | MouseEvent): { line: number; col: number } | null => {
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest<HTMLElement>('[data-col]');
    const row = cell?.closest<HTMLElement>('[data-line]');
    if (!cell || !row || !box.current?.contains(row)) return null;
    return { line: Number(row.dataset.line), col: Number(cell.dataset.col) };
  };

  const down = (event: PointerEvent<HTMLDivElement>) => {
    const target = event.target as HTMLElement;
    if (event.button !== 0 || target.closest('.grid-editor, .grid-head, .grid-fill')) return;
    const place = placeOf(event);
    if (!place) return;
    if (target.closest('[data-group]')) {
      now.toggleGroup(place.line);
      return;
    }
    const opens = target.closest('[data-open]') !== null;
    // A second tap on a cell does what a double click does with a mouse.
    const again = event.pointerType === 'touch' && now.focused && isOne(selection) && selection.anchor.row === place.line && selection.anchor.col === place.col;
    if (opens || again) {
      const row = now.rowAt(place.line);
      setSelection(at(place.line, place.col));
      if (row === undefined) return;
      event.preventDefault();
      if (opens) now.open(row, place.col);
      else now.startEdit(place.line, place.col, null);
      return;
    }
    const here = { row: place.line, col: place.col };
    setSelection(event.shiftKey ? { anchor: selection.anchor, focus: here } : { anchor: here, focus: here });
    if (event.pointerType === 'mouse') dragging.current = 'select';
  };

  const over = (event: PointerEvent<HTMLDivElement>) => {
    if (!dragging.current || event.buttons !== 1) return;
    const place = placeOf(event);
    if (!place) return;
    if (dragging.current === 'fill') now.setFillTo(Math.max(bounds.bottom, place.line));
    else if (place.line !== selection.focus.row || place.col !== selection.focus.col) setSelection({ anchor: selection.anchor, focus: { row: place.line, col: place.col } });
  };

  const up = () => {
    if (dragging.current === 'fill' && now.fillTo !== null && now.fillTo > bounds.bottom) {
      now.fill(now.fillTo);
      setSelection({ anchor: { row: bounds.top, col: bounds.left }, focus: { row: now.fillTo, col: bounds.right } });
    }
    dragging.current = null;
    now.setFillTo(null);
  };

  const twice = (event: MouseEvent<HTMLDivElement>) => {
    const place = placeOf(event);
    if (place && !(event.target as HTMLElement).closest('.grid-editor, .grid-head, [data-group], [data-open]')) now.startEdit(place.line, place.col, null);
  };

  return {
    props: { onPointerDown: down, onPointerMove: over, onPointerUp: up, onPointerCancel: up, onDoubleClick: twice },
    beginFill: (event: PointerEvent) => {
      event.stopPropagation();
      dragging.current = 'fill';
      now.setFillTo(bounds.bottom);
    },
  };
}

// Copying and pasting cells. A browser gives these events to the body when nothing is marked, not to what has the
// focus, so the document is listened to while the grid has it.
import { useEffect, useRef, type RefObject } from 'react';
import { pasted, texts, type Outcome } from './cells';
import type { Lines } from './lines';
import type { Box } from './range';
import { parseTsv, printTsv } from './tsv';
import type { Column, RowSource } from './types';
import type { Reading } from './values';
import type { GridWords } from './words';

interface Clipboard<R> {
  box: RefObject<HTMLDivElement | null>;
  bounds: Box;
  /** Whether a single cell is selected: then what is pasted says how far it goes. */
  one: boolean;
  lines: Lines;
  source: RowSource<R>;
  columns: Column<R>[];
  rowsOf: (from: number, to: number) => Promise<R[]>;
  apply: (outcome: Outcome<R>) => void;
  reading: Omit<Reading, 'options'>;
  tell: (text: string) => void;
  words: GridWords;
}

function copy<R>({ bounds, lines, source, columns, rowsOf, tell, words }: Clipboard<R>, data: DataTransfer): void {
  const here: R[] = [];
  let whole = true;
  for (let line = bounds.top; line <= bounds.bottom && whole; line += 1) {
    const place = lines.at(line);
    if (!place || 'group' in place) continue;
    const row = source.row(place.offset);
    if (row === undefined) whole = false;
    else here.push(row);
  }
  const print = (rows: R[]) => printTsv(texts(rows, columns, bounds.left, bounds.right));
  data.setData('text/plain', print(here));
  if (whole) return;
  // Rows that are not here yet are fetched first.
  void rowsOf(bounds.top, bounds.bottom + 1).then(async (rows) => {
    if (rows.length === 0) return;
    await navigator.clipboard.writeText(print(rows));
    tell(words.copied(rows.length));
  });
}

function paste<R>({ bounds, one, lines, source, columns, rowsOf, apply, reading }: Clipboard<R>, text: string): void {
  const block = parseTsv(text);
  if (block.length === 0) return;
  // A block longer than the range goes on past it, over the lines of groups.
  const tall = Math.max(bounds.bottom - bounds.top + 1, block.length);
  const to = Math.min(lines.count, bounds.top + tall + (source.groups?.length ?? 0));
  void rowsOf(bounds.top, to).then((rows) => {
    const target = rows.slice(0, one ? block.length : tall);
    apply(pasted(target, columns, bounds.left, bounds.right - bounds.left + 1, block, reading));
  });
}

export function useClipboard<R>(now: Clipboard<R>): void {
  const latest = useRef(now);
  latest.current = now;
  useEffect(() => {
    const mine = (event: ClipboardEvent) => event.clipboardData !== null && document.activeElement === latest.current.box.current;
    const onCopy = (event: ClipboardEvent) => {
      if (!mine(event)) return;
      event.preventDefault();
      copy(latest.current, event.clipboardData as DataTransfer);
    };
    const onPaste = (event: ClipboardEvent) => {
      if (!mine(event)) return;
      event.preventDefault();
      paste(latest.current, event.clipboardData?.getData('text/plain') ?? '');
    };
    document.addEventListener('copy', onCopy);
    document.addEventListener('paste', onPaste);
    return () => {
      document.removeEventListener('copy', onCopy);
      document.removeEventListener('paste', onPaste);
    };
  }, []);
}

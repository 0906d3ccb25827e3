// Which lines and columns are on the screen. All lines have one height, so this is arithmetic, not measuring.

export interface Span {
  from: number;
  /** Half open. */
  to: number;
}

export function lineSpan(scrollTop: number, height: number, line: number, count: number, extra: number): Span {
  const first = Math.floor(scrollTop / line);
  const last = Math.ceil((scrollTop + height) / line);
  return { from: Math.max(0, Math.min(count, first - extra)), to: Math.max(0, Math.min(count, last + extra)) };
}

/** Lines that one frame may bring, and how far the drawn lines may lag behind: less than the extra ones on either side. */
const A_FRAME = 2;
const LAG = 6;

/** From the lines that are drawn towards those that are wanted, a few a frame: a turn of the wheel is spread over the frames
 *  until the next, and none of them is late. A leap is made at once. */
export function nearer(drawn: Span, wanted: Span, count: number): Span {
  const way = wanted.from - drawn.from || wanted.to - drawn.to;
  const far = Math.max(Math.abs(wanted.from - drawn.from), Math.abs(wanted.to - drawn.to));
  if (far <= A_FRAME || far > 3 * LAG) return wanted;
  // Nobody may see the edge of what is drawn: what lags too far behind is caught up.
  const by = Math.sign(way) * Math.max(A_FRAME, far - LAG);
  const from = way > 0 ? Math.min(wanted.from, drawn.from + by) : Math.max(wanted.from, drawn.from + by);
  const to = way > 0 ? Math.min(wanted.to, drawn.to + by) : Math.max(wanted.to, drawn.to + by);
  return { from: Math.max(0, Math.min(from, count)), to: Math.min(count, Math.max(from, to)) };
}

/** Left edges of the columns, and one more: the whole width. */
export function edges(widths: number[]): number[] {
  const all = [0];
  for (const width of widths) all.push((all[all.length - 1] as number) + width);
  return all;
}

/** The columns after the frozen ones that show between `left` and `left + width`; frozen ones always show. */
export function columnSpan(edge: number[], frozen: number, left: number, width: number, extra: number): Span {
  const count = edge.length - 1;
  const seenFrom = left + (edge[frozen] ?? 0);
  const seenTo = left + width;
  let from = frozen;
  while (from < count && (edge[from + 1] as number) <= seenFrom) from += 1;
  let to = from;
  while (to < count && (edge[to] as number) < seenTo) to += 1;
  return { from: Math.max(frozen, from - extra), to: Math.min(count, to + extra) };
}

/** Where to scroll so that [start, end) shows between the margins; the present place when it does. */
export function reveal(start: number, end: number, scroll: number, view: number, before: number): number {
  if (start < scroll + before) return Math.max(0, start - before);
  if (end > scroll + view) return end - view;
  return scroll;
}

// Where the reader has scrolled to, as the lines and columns to draw. State changes only when these change, so that
// most scroll events draw nothing.
import { useCallback, useLayoutEffect, useRef, useState, type RefObject } from 'react';
import { columnSpan, lineSpan, nearer, type Span } from './virtual';

export interface Seen {
  lines: Span;
  cols: Span;
  height: number;
  width: number;
  /** It goes by faster than anybody reads: lines are drawn without what is in them until it slows down. */
  fast: boolean;
}

const EXTRA_LINES = 8;
/** After so many milliseconds without scrolling the reader has arrived. */
const REST = 90;

export function useScroll(box: RefObject<HTMLDivElement | null>, line: number, count: number, edge: number[], frozen: number, chrome: number): Seen {
  const [seen, setSeen] = useState<Seen>({ lines: { from: 0, to: Math.min(count, 40) }, cols: { from: frozen, to: edge.length - 1 }, height: 600, width: 1200, fast: false });
  const frame = useRef(0);
  const rest = useRef(0);
  const last = useRef({ top: 0, leaps: 0 });
  const shown = useRef<Span>({ from: 0, to: 0 });
  const measure = useCallback((_?: unknown, scrolling = false) => {
    const element = box.current;
    if (!element) return;
    const height = element.clientHeight - chrome;
    const width = element.clientWidth;
    // A single leap (a key, the scroll bar) is drawn at once; leaps in a row are a flight.
    const leap = Math.abs(element.scrollTop - last.current.top) > height;
    last.current = { top: element.scrollTop, leaps: scrolling && leap ? last.current.leaps + 1 : 0 };
    const fast = last.current.leaps > 1;
    clearTimeout(rest.current);
    if (fast) rest.current = window.setTimeout(measure, REST);
    const wanted = lineSpan(element.scrollTop, height, line, count, EXTRA_LINES);
    const lines = scrolling ? nearer(shown.current, wanted, count) : wanted;
    shown.current = lines;
    // The rest of the way in the next frames, also when no more scrolling asks for it.
    if (lines.from !== wanted.from || lines.to !== wanted.to) { cancelAnimationFrame(frame.current); frame.current = requestAnimationFrame(() => measure(0, true)); }
    const cols = columnSpan(edge, frozen, element.scrollLeft, width, 1);
    setSeen((before) =>
      before.lines.from === lines.from && before.lines.to === lines.to && before.cols.from === cols.from && before.cols.to === cols.to && before.height === height && before.width === width && before.fast === fast
        ? before
        : { lines, cols, height, width, fast },
    );
  }, [box, line, count, edge, frozen, chrome]);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    measure();
    const scrolled = () => {
      cancelAnimationFrame(frame.current);
      frame.current = requestAnimationFrame((now) => measure(now, true));
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    const sizes = new ResizeObserver(() => measure());
    sizes.observe(element);
    return () => {
      cancelAnimationFrame(frame.current);
      clearTimeout(rest.current);
      element.removeEventListener('scroll', scrolled);
      sizes.disconnect();
    };
  }, [box, measure]);
  return seen;
}

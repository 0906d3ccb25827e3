// Answers that come together are shown together: each would else draw the page once more.

/** The longest that one answer waits for others on their way, in milliseconds. */
const WAIT = 80;

type Schedule = (callback: () => void) => void;

/** A scheduler for the query client's news. While more is on its way (`more`), news waits a moment; else it is told at once. */
export function together(more: () => boolean): Schedule {
  let waiting: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let since = 0;
  const tell = () => {
    const left = since + WAIT - performance.now();
    if (left > 0 && more()) { timer = setTimeout(tell, Math.min(left, 10)); return; }
    timer = null;
    const all = waiting;
    waiting = [];
    for (const callback of all) callback();
  };
  return (callback) => {
    waiting.push(callback);
    if (timer !== null) return;
    since = performance.now();
    timer = setTimeout(tell);
  };
}

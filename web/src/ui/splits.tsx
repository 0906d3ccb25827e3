// The splits of a run as a strip: done, under way, to come.
import type { ReactElement } from 'react';

/** At most so many cells; beyond, a cell stands for several splits. */
const CELLS = 60;

export function Splits({ done, all, now, label }: { done: number; all: number; now: boolean; label: string }): ReactElement {
  const cells = Math.min(all || 1, CELLS);
  const full = all ? Math.floor((done / all) * cells) : 0;
  return (
    <div className="splits" role="img" aria-label={label} title={label}>
      {Array.from({ length: cells }, (_, i) => <i key={i} className={i < full ? 'done' : i === full && now && done < all ? 'now' : undefined} />)}
    </div>
  );
}

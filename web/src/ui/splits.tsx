// The splits of a run as a strip: done, with rows that wait, under way, to come.
import type { ReactElement } from 'react';
import type { SplitState } from '@/api/types';

/** At most so many cells; beyond, a cell stands for several splits. */
const CELLS = 60;

type Cell = 'done' | 'waits' | 'now' | undefined;

function ofStates(strip: readonly SplitState[]): Cell[] {
  const a = Math.max(1, Math.ceil(strip.length / CELLS));
  return Array.from({ length: Math.ceil(strip.length / a) }, (_, i) => {
    const part = strip.slice(i * a, (i + 1) * a);
    if (!part.every((s) => s.done)) return undefined;
    return part.some((s) => s.quarantined > 0) ? 'waits' : 'done';
  });
}

function ofCounts(done: number, all: number): Cell[] {
  const cells = Math.min(all || 1, CELLS);
  const full = all ? Math.floor((done / all) * cells) : 0;
  return Array.from({ length: cells }, (_, i) => (i < full ? 'done' : undefined));
}

/** By each split where they are known, else by their number. */
export function Splits({ done, all, now, label, strip }: { done: number; all: number; now: boolean; label: string; strip?: readonly SplitState[] }): ReactElement {
  const cells = strip && strip.length > 0 && strip.length === all ? ofStates(strip) : ofCounts(done, all);
  const next = now && done < all ? cells.indexOf(undefined) : -1;
  return <div className="splits" role="img" aria-label={label} title={label}>{cells.map((c, i) => <i key={i} className={i === next ? 'now' : c} />)}</div>;
}

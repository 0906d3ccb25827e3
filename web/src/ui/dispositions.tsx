// Where rows ended, as one bar that adds up; each part a pattern beside its colour.
import type { ReactElement } from 'react';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';

export const DISPOSITIONS = ['loaded', 'quarantined', 'merged', 'excluded', 'erased'] as const;
export type Disposition = (typeof DISPOSITIONS)[number];
export type Counts = Record<Disposition, number>;

/** The sum of all five. */
export function total(counts: Counts): number {
  return DISPOSITIONS.reduce((sum, d) => sum + counts[d], 0);
}

export function add(a: Counts, b: Counts): Counts {
  return { loaded: a.loaded + b.loaded, quarantined: a.quarantined + b.quarantined, merged: a.merged + b.merged, excluded: a.excluded + b.excluded, erased: a.erased + b.erased };
}

export const NO_ROWS: Counts = { loaded: 0, quarantined: 0, merged: 0, excluded: 0, erased: 0 };

/** The bar. `unread` is what is still to come. */
export function DispositionBar({ counts, unread = 0, size, label, words }: { counts: Counts; unread?: number; size?: 'thin' | 'mid'; label?: string; words?: string }): ReactElement {
  const t = useMessages(common);
  const parts = DISPOSITIONS.filter((d) => counts[d] > 0);
  const said = label ?? t.barSays([...parts.map((d) => `${num(counts[d])} ${t[d]}`), unread > 0 ? `${num(unread)} ${t.unread}` : ''].filter(Boolean).join(', '), num(total(counts) + unread));
  return (
    <div className={size ? `bar ${size}` : 'bar'} role="img" aria-label={said}>
      {parts.map((d, i) => <i key={d} className={`d-${d}`} style={{ flexGrow: counts[d], flexBasis: 0 }}>{words && i === 0 && d === 'loaded' ? <span className="bar-words">{words}</span> : null}</i>)}
      {unread > 0 && <i className="d-unread" style={{ flexGrow: unread, flexBasis: 0 }} />}
    </div>
  );
}

/** The pattern beside a word. */
export function Swatch({ of }: { of: Disposition | 'unread' }): ReactElement {
  return <i className={`swatch d-${of}`} aria-hidden="true" />;
}

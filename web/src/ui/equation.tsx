// The equation of a move as one bar with its small end enlarged, and the sum below it, where every number opens what it
// is made of.
import type { LinkProps } from '@tanstack/react-router';
import { Fragment, type ReactElement, type ReactNode } from 'react';
import { useMessages } from '@/i18n';
import { dec, num, pct } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { overview as en } from '@/messages/overview.en';
import { Num } from './basic';
import { DISPOSITIONS, DispositionBar, Swatch, total, type Counts, type Disposition } from './dispositions';

/** The bar, and under it the last part of it enlarged where it is too small to see. */
export function EquationBar({ counts, unread = 0 }: { counts: Counts; unread?: number }): ReactElement {
  const t = useMessages(en);
  const all = total(counts) + unread;
  const small = all - counts.loaded - unread;
  const zoom = unread === 0 && small > 0 && small / all < 0.12;
  const times = zoom ? (all / small) / 2 : 1;
  return (
    <>
      <DispositionBar counts={counts} unread={unread} words={counts.loaded / all > 0.2 ? t.loadedShare(pct(counts.loaded / all, 2)) : undefined} />
      {zoom && (
        <div aria-hidden="true">
          <svg className="lens" viewBox="0 0 1000 20" preserveAspectRatio="none"><path d={`M${(1000 * counts.loaded) / all} 0H1000V20H500Z`} /></svg>
          <div className="half"><DispositionBar counts={{ ...counts, loaded: 0 }} size="mid" /></div>
          <div className="half lens-words small muted"><span>{t.enlarged(num(small), dec(times, times < 10 ? 1 : 0))}</span><span>{pct(small / all, 2)}</span></div>
        </div>
      )}
    </>
  );
}

type Target = Partial<Pick<LinkProps, 'to' | 'search' | 'params'>>;

/** read = loaded + quarantined + … */
export function EquationSum({ counts, read, notes, opens }: { counts: Counts; read: number; notes: Partial<Record<Disposition | 'read', ReactNode>>; opens: Partial<Record<Disposition | 'read', Target>> }): ReactElement {
  const t = useMessages(en);
  const c = useMessages(common);
  return (
    <div className="sum">
      <div><b><Num n={read} {...opens.read} label={t.read} /></b><div className="lab"><span className="k">{t.read}</span><span>{notes.read}</span></div></div>
      {DISPOSITIONS.map((d, i) => (
        <Fragment key={d}>
          <div className="op" aria-hidden="true">{i === 0 ? '=' : '+'}</div>
          <div><b><Num n={counts[d]} {...opens[d]} label={c[d]} /></b><div className="lab"><span className="k"><Swatch of={d} />{c[d]}</span><span>{notes[d]}</span></div></div>
        </Fragment>
      ))}
    </div>
  );
}

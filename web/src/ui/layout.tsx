// How pages are laid out: a head with the one primary action, ruled sections, tabs that are addresses, tables.
import { type LinkProps } from '@tanstack/react-router';
import { useEffect, useId, useRef, type ReactElement, type ReactNode } from 'react';
import { Link } from './link';

/** The head of a page. The title is said in the window's title too. */
export function PageHead({ title, sub, actions, quietTitle }: { title: string; sub?: ReactNode; actions?: ReactNode; quietTitle?: boolean }): ReactElement {
  useEffect(() => { document.title = `${title} · dunlin`; }, [title]);
  return (
    <div className={quietTitle && !actions && !sub ? 'vh' : 'page-head'}>
      <div style={{ minWidth: 0 }}><h1 className={quietTitle ? 'vh' : undefined}>{title}</h1>{sub && <p>{sub}</p>}</div>
      {actions && <div className="acts">{actions}</div>}
    </div>
  );
}

/** A part of a page under a rule. Its title says the finding. */
export function Section({ title, sub, right, children, level = 2 }: { title: ReactNode; sub?: ReactNode; right?: ReactNode; children: ReactNode; level?: 2 | 3 }): ReactElement {
  const id = useId();
  const Heading = level === 2 ? 'h2' : 'h3';
  return (
    <section className="section" aria-labelledby={id}>
      <header><Heading id={id}>{title}</Heading>{sub && <span className="muted">{sub}</span>}{right && <span className="push small">{right}</span>}</header>
      {children}
    </section>
  );
}

export interface Tab { to: LinkProps['to']; label: string; count?: ReactNode; exact?: boolean }

/** Parts of a place, each with an address of its own. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }): ReactElement {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab) => <Link key={String(tab.to)} to={tab.to} activeOptions={{ exact: tab.exact ?? false, includeSearch: false }}>{tab.label}{tab.count !== undefined && <span className="count">{tab.count}</span>}</Link>)}
    </nav>
  );
}

export interface Column<T> { key: string; head: ReactNode; num?: boolean; cell: (row: T) => ReactNode; width?: string }

/** A table that scrolls sideways on its own where there is no room; its first column stays on a phone. */
export function Table<T>({ label, rows, columns, id, flag, chosen, empty }: { label: string; rows: readonly T[]; columns: readonly Column<T>[]; id: (row: T) => string; flag?: (row: T) => boolean; chosen?: (row: T) => boolean; empty?: ReactNode }): ReactElement {
  const scroll = useScrollable();
  return (
    <div className="table-scroll" {...scroll} aria-label={label} role="group">
      <table className="table freeze">
        <caption className="vh">{label}</caption>
        <thead><tr>{columns.map((c) => <th key={c.key} scope="col" className={c.num ? 'num' : undefined} style={c.width ? { width: c.width } : undefined}>{c.head}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} className={flag?.(row) ? 'flag' : chosen?.(row) ? 'chosen' : undefined}>
              {columns.map((c) => <td key={c.key} className={c.num ? 'num' : undefined}>{c.cell(row)}</td>)}
            </tr>
          ))}
          {rows.length === 0 && empty && <tr><td colSpan={columns.length} className="muted">{empty}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}

/** What scrolls can be reached by the keyboard; what does not is no stop on the way. */
export function useScrollable() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = ref.current;
    if (!box || typeof ResizeObserver === 'undefined') return undefined;
    const look = () => { if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; else box.removeAttribute('tabindex'); };
    const watch = new ResizeObserver(look);
    watch.observe(box);
    if (box.firstElementChild) watch.observe(box.firstElementChild);
    return () => watch.disconnect();
  }, []);
  return { ref };
}

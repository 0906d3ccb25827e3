// Small parts: buttons, badges, faces, times, numbers that open, masks.
import { type LinkProps } from '@tanstack/react-router';
import { useState, type ButtonHTMLAttributes, type ReactElement, type ReactNode, type Ref } from 'react';
import { toast } from '@/app/toast';
import { useLang, useMessages } from '@/i18n';
import { exact, num, short, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { Icon, type IconName } from './icons';
import { Link } from './link';

type ButtonKind = 'primary' | 'quiet' | 'danger';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  solid?: boolean;
  small?: boolean;
  icon?: IconName;
  /** A button of an icon alone; then `aria-label` is due. */
  iconOnly?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

function classOf(kind?: ButtonKind, solid?: boolean, small?: boolean, iconOnly?: boolean): string {
  return ['button', kind, solid && 'solid', small && 'small-size', iconOnly && 'icon'].filter(Boolean).join(' ');
}

/** A button: a verb. */
export function Button({ kind, solid, small, icon, iconOnly, className, children, ...rest }: ButtonProps): ReactElement {
  return (
    <button type="button" {...rest} className={[classOf(kind, solid, small, iconOnly), className].filter(Boolean).join(' ')}>
      {icon && <Icon name={icon} />}{iconOnly ? null : children}
    </button>
  );
}

/** A link that looks like a button, because it leads to where something is done. */
export function ButtonLink({ kind, small, icon, children, ...rest }: { kind?: ButtonKind; small?: boolean; icon?: IconName; children: ReactNode } & Pick<LinkProps, 'to' | 'params' | 'search'>): ReactElement {
  return <Link {...rest} className={classOf(kind, false, small)}>{icon && <Icon name={icon} />}{children}</Link>;
}

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'accent';

/** A state in a word; the picture carries what the colour says. */
export function Badge({ tone, icon, children, title }: { tone?: Tone; icon?: IconName; children: ReactNode; title?: string }): ReactElement {
  return <span className={tone ? `badge ${tone}` : 'badge'} title={title}>{icon && <Icon name={icon} />}{children}</span>;
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words[words.length - 1]?.[0] ?? '') : '')).toUpperCase() || '?';
}

/** A face: initials. People from outside are square. */
export function Avatar({ name, outside, large }: { name: string; outside?: boolean; large?: boolean }): ReactElement {
  return <span className={['avatar', outside && 'outside', large && 'large'].filter(Boolean).join(' ')} title={name} aria-hidden="true">{initials(name)}</span>;
}

/** A face with the name beside it. */
export function Who({ name, organisation }: { name: string; organisation?: string | null }): ReactElement {
  const t = useMessages(common);
  return (
    <span className="who">
      <Avatar name={name} outside={Boolean(organisation)} />
      <span>{name}{organisation && <span className="small warn"><br /><Icon name="outside" /> {t.outside(organisation)}</span>}</span>
    </span>
  );
}

/** A moment in words, the exact one on hover. Microseconds since 1970 UTC. */
export function Time({ at, as = when }: { at: number; as?: (us: number) => string }): ReactElement {
  useLang();
  return <time dateTime={new Date(at / 1000).toISOString()} title={exact(at)} className="nowrap">{as(at)}</time>;
}

/** A number. With `to` it opens what it is made of. Zero opens nothing. */
export function Num({ n, to, search, params, unit, label }: { n: number; unit?: string; label?: string } & Partial<Pick<LinkProps, 'to' | 'search' | 'params'>>): ReactElement {
  useLang();
  const text = unit ? `${num(n)} ${unit}` : num(n);
  if (!to || n === 0) return <span className={n === 0 ? 'muted' : undefined}>{text}</span>;
  return <Link to={to} search={search as never} params={params as never} className="opens" aria-label={label ? `${text} ${label}` : undefined}>{text}</Link>;
}

/** A customer's value as it may be seen: the mask looks like one. */
export function Masked({ children }: { children: ReactNode }): ReactElement {
  const t = useMessages(common);
  return <span className="masked" title={t.masked}>{children}</span>;
}

/** A long id, shortened, with copy. */
export function Id({ id, keep }: { id: string; keep?: number }): ReactElement {
  const t = useMessages(common);
  return (
    <span className="row" style={{ gap: 2, display: 'inline-flex' }}>
      <code className="mono" title={id}>{short(id, keep)}</code>
      <Copy text={id} label={`${t.copy} ${short(id, keep)}`} />
    </span>
  );
}

/** Copies a text. */
export function Copy({ text, label }: { text: string; label: string }): ReactElement {
  const t = useMessages(common);
  return (
    <Button kind="quiet" small iconOnly icon="copy" aria-label={label} onClick={() => {
      void navigator.clipboard?.writeText(text).then(() => toast(t.copied));
    }} />
  );
}

/** A key of the keyboard. */
export function Kbd({ children }: { children: ReactNode }): ReactElement {
  return <kbd className="kbd">{children}</kbd>;
}

/** A number with its name. */
export function Stat({ label, children, below }: { label: string; children: ReactNode; below?: ReactNode }): ReactElement {
  return <div className="stat"><dt>{label}</dt><dd>{children}</dd>{below && <dd>{below}</dd>}</div>;
}

/** Something that is longer than it first shows. */
export function More<T>({ items, first = 8, children }: { items: readonly T[]; first?: number; children: (shown: readonly T[]) => ReactNode }): ReactElement {
  const t = useMessages(common);
  const [all, setAll] = useState(false);
  return (
    <>
      {children(all ? items : items.slice(0, first))}
      {!all && items.length > first && <p style={{ marginTop: 8 }}><button type="button" className="link small" onClick={() => setAll(true)}>{t.showMore} ({num(items.length - first)})</button></p>}
    </>
  );
}

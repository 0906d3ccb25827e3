// A link within the app. The router's own keeps an ear on every change of the address for every link, which a page of
// numbers that all lead somewhere pays for; this one does so only where it shows that one is there.
import { defaultStringifySearch, useRouter, useRouterState, type LinkProps } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, MouseEvent, ReactElement, Ref } from 'react';

/** Where a link leads. */
export interface Target {
  to?: LinkProps['to'];
  params?: LinkProps['params'];
  search?: LinkProps['search'];
}

export interface GoProps extends Target, Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> {
  /** Marks the link while one is there: at exactly this address, or below it; with this search, or with any. */
  activeOptions?: { exact?: boolean; includeSearch?: boolean };
  ref?: Ref<HTMLAnchorElement>;
}

/** The address of a target: `$name` is filled from its parameters. */
export function addressOf({ to, params, search }: Target): string {
  const given = (typeof params === 'object' ? params : {}) as Record<string, string>;
  const path = String(to ?? '/').replace(/\$(\w+)/g, (_, name: string) => encodeURIComponent(given[name] ?? ''));
  return typeof search === 'object' ? path + defaultStringifySearch(search as Record<string, unknown>) : path;
}

/** Whether the browser itself should follow: another tab, another window, something to download. */
const elsewhere = (event: MouseEvent<HTMLAnchorElement>) =>
  event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.altKey || event.shiftKey || Boolean(event.currentTarget.target && event.currentTarget.target !== '_self');

/** A link to a place of the app. */
export function Link({ activeOptions, ...rest }: GoProps): ReactElement {
  return activeOptions ? <Watching {...rest} options={activeOptions} /> : <Plain {...rest} />;
}

function Plain({ to, params, search, onClick, onPointerEnter, onFocus, ...rest }: GoProps): ReactElement {
  const router = useRouter();
  const address = addressOf({ to, params, search });
  // Its code is fetched when somebody is about to go there.
  const about = () => { void router.preloadRoute({ to: address.split('?')[0] } as never).catch(() => undefined); };
  return (
    <a
      {...rest}
      href={address}
      onPointerEnter={(event) => { onPointerEnter?.(event); about(); }}
      onFocus={(event) => { onFocus?.(event); about(); }}
      onClick={(event) => {
        onClick?.(event);
        if (elsewhere(event)) return;
        event.preventDefault();
        router.history.push(address);
      }}
    />
  );
}

function Watching({ options, ...rest }: GoProps & { options: NonNullable<GoProps['activeOptions']> }): ReactElement {
  const [path = '/', words = ''] = addressOf(rest).split('?');
  const there = useRouterState({ select: ({ location }) => {
    const at = location.pathname.replace(/(.)\/$/, '$1');
    if (at !== path && (options.exact || !at.startsWith(`${path}/`))) return false;
    return options.includeSearch === false || location.searchStr.replace(/^\?/, '') === words;
  } });
  return <Plain {...rest} aria-current={there ? 'page' : undefined} />;
}

// The addresses of the app. Each place is its own piece of code, loaded when somebody goes there.
import { createRootRoute, createRoute, createRouter, Link, lazyRouteComponent } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Empty, PageHead, ProblemView, SkeletonRows } from '@/ui';
import { Shell } from './shell';

function NotFound() {
  const t = useMessages(common);
  return <div className="page"><PageHead title={t.notFound} quietTitle /><Empty title={t.notFound} action={<Link to="/" className="button">{t.goOverview}</Link>}>{t.notFoundHelp}</Empty></div>;
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

/** Search words of an address, as plain strings. */
type Search = Record<string, string | undefined>;
const words = (given: Record<string, unknown>): Search => Object.fromEntries(Object.entries(given).map(([k, v]) => [k, v === undefined || v === null ? undefined : String(v)]));

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent> | typeof NotFound) =>
  createRoute({ getParentRoute: () => root, path, component, validateSearch: words });

const overview = lazyRouteComponent(() => import('@/pages/overview'), 'OverviewPage');
const pages = import.meta.glob<{ WorkPage: () => ReactNode }>('../pages/work/index.tsx');
const loadWork = Object.values(pages)[0];
const work = loadWork ? lazyRouteComponent(loadWork, 'WorkPage') : NotFound;

const tree = root.addChildren([
  page('/', overview),
  page('/work/$', work),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 200,
  defaultPendingComponent: () => <div className="page"><SkeletonRows /></div>,
  defaultErrorComponent: ({ error, reset }) => <div className="page"><ProblemView error={error} retry={reset} /></div>,
});

// The addresses of the app. Each place is its own piece of code, loaded when somebody goes there.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { Empty, Link, PageHead, ProblemView, SkeletonRows } from '@/ui';
import { Shell } from './shell';

function NotFound() {
  const t = useMessages(common);
  return <div className="page"><PageHead title={t.notFound} quietTitle /><Empty title={t.notFound} action={<Link to="/" className="button">{t.goOverview}</Link>}>{t.notFoundHelp}</Empty></div>;
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

/** Search words of an address, as plain strings. */
type Search = Record<string, string | undefined>;
const words = (given: Record<string, unknown>): Search => Object.fromEntries(Object.entries(given).map(([k, v]) => [k, v === undefined || v === null ? undefined : String(v)]));

const page = <P extends string>(path: P, component: ReturnType<typeof lazyRouteComponent>) =>
  createRoute({ getParentRoute: () => root, path, component, validateSearch: words });

const overview = lazyRouteComponent(() => import('@/pages/overview'), 'OverviewPage');
const work = lazyRouteComponent(async () => { const page = await import('@/pages/work'); await page.viewReady(); return page; }, 'WorkPage');
const plan = lazyRouteComponent(() => import('@/pages/plan'), 'PlanPage');
const planText = lazyRouteComponent(() => import('@/pages/plan/text'), 'PlanTextPage');
const planCheck = lazyRouteComponent(() => import('@/pages/plan/check'), 'PlanCheckPage');
const planApprovals = lazyRouteComponent(() => import('@/pages/plan/approvals'), 'PlanApprovalsPage');
const data = lazyRouteComponent(() => import('@/pages/data'), 'QuarantinePage');
const duplicates = lazyRouteComponent(() => import('@/pages/data/duplicates'), 'DuplicatesPage');
const reconciliation = lazyRouteComponent(() => import('@/pages/data/reconciliation'), 'ReconciliationPage');
const profile = lazyRouteComponent(() => import('@/pages/data/profile'), 'ProfilePage');
const exporting = lazyRouteComponent(() => import('@/pages/data/export'), 'ExportPage');
const runs = lazyRouteComponent(() => import('@/pages/runs'), 'RunsPage');
const run = lazyRouteComponent(() => import('@/pages/runs/run'), 'RunPage');
const people = lazyRouteComponent(() => import('@/pages/guard'), 'PeoplePage');
const person = lazyRouteComponent(() => import('@/pages/guard/person'), 'PersonPage');
const live = lazyRouteComponent(() => import('@/pages/guard/live'), 'LivePage');
const alerts = lazyRouteComponent(() => import('@/pages/guard/alerts'), 'AlertsPage');
const alert = lazyRouteComponent(() => import('@/pages/guard/alerts'), 'AlertPage');
const log = lazyRouteComponent(() => import('@/pages/guard/log'), 'LogPage');
const policies = lazyRouteComponent(() => import('@/pages/guard/policies'), 'PoliciesPage');
const grants = lazyRouteComponent(() => import('@/pages/guard/grants'), 'GrantsPage');
const notices = lazyRouteComponent(() => import('@/pages/tell'), 'NoticesPage');
const notice = lazyRouteComponent(() => import('@/pages/tell/notice'), 'NoticePage');
const noticeDays = lazyRouteComponent(() => import('@/pages/tell/schedule'), 'SchedulePage');
const requests = lazyRouteComponent(() => import('@/pages/tell/requests'), 'RequestsPage');
const request = lazyRouteComponent(() => import('@/pages/tell/requests/request'), 'RequestPage');
const evidence = lazyRouteComponent(() => import('@/pages/evidence'), 'EvidencePage');
const settings = lazyRouteComponent(() => import('@/pages/settings'), 'SettingsPage');
const server = lazyRouteComponent(() => import('@/pages/settings/server'), 'ServerPage');

const tree = root.addChildren([
  page('/', overview),
  page('/work/$', work),
  page('/plan', plan), page('/plan/text', planText), page('/plan/check', planCheck), page('/plan/approvals', planApprovals),
  page('/data', data), page('/data/duplicates', duplicates), page('/data/reconciliation', reconciliation), page('/data/profile', profile), page('/data/export', exporting),
  page('/runs', runs), page('/runs/$run', run),
  page('/guard', people), page('/guard/people/$person', person), page('/guard/live', live), page('/guard/alerts', alerts),
  page('/guard/log', log), page('/guard/policies', policies), page('/guard/grants', grants),
  // The address that e-mails about an alert lead to.
  page('/alerts/$alert', alert),
  // Not under /tell: that is where customers read.
  page('/notices', notices), page('/notices/schedule', noticeDays), page('/notices/$name', notice),
  page('/notices/requests', requests), page('/notices/requests/$request', request),
  page('/evidence', evidence),
  page('/settings', settings), page('/settings/server', server),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingMs: 200,
  defaultPendingComponent: () => <div className="page"><SkeletonRows /></div>,
  defaultErrorComponent: ({ error, reset }) => <div className="page"><ProblemView error={error} retry={reset} /></div>,
});

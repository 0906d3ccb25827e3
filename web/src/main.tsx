// Where the app itself begins: who is signed in, then the page. `boot.ts` comes before it.
import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { startTransition, StrictMode, type ReactElement } from 'react';
import { createRoot } from 'react-dom/client';
import { ProblemError } from '@/api/client';
import { rightsQuery } from '@/api/queries';
import { together } from '@/app/together';
import { startLive } from '@/app/live';
import { router } from '@/app/router';
import { fetchMe } from '@/app/session';
import { ahead } from '@/pages/overview/ahead';
import { ProblemView } from '@/ui/states';

/** How long the page waits for its data before it shows its shape, in milliseconds. */
const PATIENCE = 250;

/** Draws the app. */
export function start(): void {
  const place = document.getElementById('root');
  if (!place) return;
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (times, error) => times < 2 && !(error instanceof ProblemError && error.problem.status >= 400 && error.problem.status < 500),
      },
    },
  });
  notifyManager.setScheduler(together(() => client.isFetching() > 0));
  const app = createRoot(place);
  // Drawn in slices: the browser may answer its reader between them.
  const draw = (what: ReactElement) => startTransition(() => app.render(what));
  // What one may do decides what pages ask for; where it cannot be known, the server's answers do.
  const rights = client.prefetchQuery(rightsQuery);
  const first = location.pathname === '/' ? ahead(client) : Promise.resolve();
  // The page's own code comes meanwhile.
  const page = router.load().catch(() => undefined);
  client.fetchQuery({ queryKey: ['me'], queryFn: fetchMe, retry: 1 }).then(async (me) => {
    if (me.stage !== 'full') { location.assign(me.stage === 'enrol' ? '/enrol' : '/second-factor'); return; }
    await rights;
    // Drawn once with what it shows, where that is nearly here.
    await Promise.race([Promise.all([first, page]), new Promise((done) => { setTimeout(done, PATIENCE); })]);
    startLive();
    draw(<StrictMode><QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider></StrictMode>);
  }).catch((error: unknown) => {
    // Without somebody signed in the server's page is already on its way.
    if (error instanceof ProblemError && (error.problem.status === 401 || error.problem.status === 403)) return;
    draw(<main className="page"><ProblemView error={error} retry={() => location.reload()} /></main>);
  });
}

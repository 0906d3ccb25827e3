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
  if (location.pathname === '/') void ahead(client);
  // The page's own code comes meanwhile.
  void router.load().catch(() => undefined);
  client.fetchQuery({ queryKey: ['me'], queryFn: fetchMe, retry: 1 }).then(async (me) => {
    if (me.stage !== 'full') { location.assign(me.stage === 'enrol' ? '/enrol' : '/second-factor'); return; }
    await rights;
    startLive();
    draw(<StrictMode><QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider></StrictMode>);
  }).catch((error: unknown) => {
    // Without somebody signed in the server's page is already on its way.
    if (error instanceof ProblemError && (error.problem.status === 401 || error.problem.status === 403)) return;
    draw(<main className="page"><ProblemView error={error} retry={() => location.reload()} /></main>);
  });
}

// Where the app begins: theme and language before the first paint, then who is signed in, then the page.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ProblemError } from '@/api/client';
import { rightsQuery } from '@/api/queries';
import { startLive } from '@/app/live';
import { router } from '@/app/router';
import { fetchMe } from '@/app/session';
import { applyTheme } from '@/app/theme';
import { lang } from '@/i18n';
import { ahead } from '@/pages/overview/ahead';
import { ProblemView } from '@/ui/states';
import '@/styles/index.css';

applyTheme();
document.documentElement.lang = lang();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (times, error) => times < 2 && !(error instanceof ProblemError && error.problem.status >= 400 && error.problem.status < 500),
    },
  },
});

const place = document.getElementById('root');
if (place) {
  const app = createRoot(place);
  // What one may do decides what pages ask for; where it cannot be known, the server's answers do.
  const rights = client.prefetchQuery(rightsQuery);
  if (location.pathname === '/') void ahead(client);
  // The page's own code comes meanwhile.
  void router.load().catch(() => undefined);
  client.fetchQuery({ queryKey: ['me'], queryFn: fetchMe, retry: 1 }).then(async (me) => {
    if (me.stage !== 'full') { location.assign(me.stage === 'enrol' ? '/enrol' : '/second-factor'); return; }
    await rights;
    startLive();
    app.render(<StrictMode><QueryClientProvider client={client}><RouterProvider router={router} /></QueryClientProvider></StrictMode>);
  }).catch((error: unknown) => {
    // Without somebody signed in the server's page is already on its way.
    if (error instanceof ProblemError && (error.problem.status === 401 || error.problem.status === 403)) return;
    app.render(<main className="page"><ProblemView error={error} retry={() => location.reload()} /></main>);
  });
}

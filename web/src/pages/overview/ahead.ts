// The overview's first question leads to two more. `boot.ts` asks them while the app's code still comes; here their answers
// are taken, before the page itself asks.
import type { QueryClient } from '@tanstack/react-query';
import { askedEarly } from '@/api/early';
import { runQuery, runsQuery, runTablesQuery } from '@/api/queries';

export async function ahead(client: QueryClient): Promise<void> {
  await askedEarly();
  const runs = await client.fetchQuery({ ...runsQuery, retry: false }).catch(() => null);
  const newest = runs?.items[0];
  if (newest) await Promise.all([client.prefetchQuery(runQuery(newest.id)), client.prefetchQuery(runTablesQuery(newest.id))]);
}

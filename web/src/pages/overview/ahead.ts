// The overview's first question leads to two more. They are asked while the page's code still comes, so that they do not
// wait for it and then for each other.
import type { QueryClient } from '@tanstack/react-query';
import { runQuery, runsQuery, runTablesQuery } from '@/api/queries';

export async function ahead(client: QueryClient): Promise<void> {
  const runs = await client.fetchQuery({ ...runsQuery, retry: false }).catch(() => null);
  const newest = runs?.items[0];
  if (newest) await Promise.all([client.prefetchQuery(runQuery(newest.id)), client.prefetchQuery(runTablesQuery(newest.id))]);
}

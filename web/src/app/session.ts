// Who is signed in, and what they may see.
import { useQuery, type UseQueryOptions, type UseQueryResult } from '@tanstack/react-query';
import { api, body, setCsrf } from '@/api/client';
import { rightsQuery } from '@/api/queries';
import type { components } from '@/api/schema';

export type Me = components['schemas']['Me'];

/** Asks who I am, and keeps what changing requests need. */
export async function fetchMe(): Promise<Me> {
  const me = await body<Me>(api.GET('/api/v1/me'));
  setCsrf(me.csrf ?? null);
  return me;
}

/** Who I am. The shell waits for it, so that below it there is always somebody. */
export function useMe(): Me | undefined {
  return useQuery({ queryKey: ['me'], queryFn: fetchMe, staleTime: 60_000 }).data;
}

/** Whether I may do something, by its code, so that a page does not offer what would be refused. Before the answer is
 *  there everything is offered: the server decides anyway. */
export function useMay(): (action: string) => boolean {
  const rights = useQuery(rightsQuery).data;
  return (action) => !rights || rights.may.includes(action);
}

/** Asks only for what I may read: an answer of 403 is no use to anybody. */
export function useIf<T, K extends readonly unknown[]>(action: string, options: UseQueryOptions<T, Error, T, K>): UseQueryResult<T> {
  const may = useMay();
  return useQuery({ ...options, retry: false, enabled: may(action) && options.enabled !== false });
}

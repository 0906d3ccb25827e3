// Who is signed in, and what they may see.
import { useQuery } from '@tanstack/react-query';
import { api, body, setCsrf } from '@/api/client';
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

// What the page asks for: the pairs, a pair's rows through the gate, and what merging would come to.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { api, body } from '@/api/client';
import type { components } from '@/api/schema';
import type { Why } from '../opened';

export type Pair = components['schemas']['Pair'];
export type PairList = components['schemas']['PairList'];
export type Evidence = components['schemas']['PairEvidence'];
export type OpenedPair = components['schemas']['OpenedPair'];
export type WouldDecide = components['schemas']['WouldDecidePairs'];
export type MergedPair = components['schemas']['MergedPair'];
export type Decided = components['schemas']['DecidedPairs'];
export type Which = 'waits' | 'decided' | 'sure';

/** So many pairs come at a time. */
const PAGE = 100;

/** The pairs of a list, a page after the other, as one. */
export const pairsQuery = (state: Which, table: string | undefined) => infiniteQueryOptions({
  queryKey: ['duplicates', 'list', state, table ?? ''],
  initialPageParam: 0,
  queryFn: ({ pageParam }) => body<PairList>(api.GET('/api/v1/duplicates', { params: { query: { state, table, limit: PAGE, offset: pageParam } } })),
  getNextPageParam: (last: PairList, all: PairList[]) => { const known = all.reduce((n, page) => n + page.items.length, 0); return last.items.length > 0 && known < last.total ? known : undefined; },
  select: ({ pages }) => {
    // A pair that moved from one page to the next in between comes once.
    const items = [...new Map(pages.flatMap((page) => page.items).map((pair) => [pair.pair, pair])).values()];
    return { ...(pages[pages.length - 1] as PairList), items };
  },
});

/** The rows beside each other. Each asking is an access in the ledger, so it is not asked for twice while it is shown;
 *  clear values are forgotten when they are no longer shown. */
export const rowsQuery = (pair: string, why: Why | null) => queryOptions({
  queryKey: ['duplicate-rows', pair, why],
  staleTime: Infinity,
  gcTime: why ? 0 : 60_000,
  retry: false,
  refetchOnWindowFocus: false,
  queryFn: ({ signal }) => body<OpenedPair>(api.POST('/api/v1/duplicates/{pair}/rows', {
    params: { path: { pair } }, signal,
    body: { clear: Boolean(why), purpose: why ? { category: why.category, text: why.text } : undefined, task: why?.task || undefined },
  })),
});

/** What the rows would be as one; with `effects` what would change in the targets as well. */
export const previewQuery = (pair: string, effects: boolean) => queryOptions({
  queryKey: ['duplicate-preview', pair, effects],
  retry: false,
  refetchOnWindowFocus: false,
  queryFn: ({ signal }) => body<WouldDecide>(api.POST('/api/v1/duplicates/preview', { signal, body: { pairs: [pair], decision: 'merge', effects } })),
});

/** Where any two rows begin, and what the columns add, in bits: together what the probability says. */
export function bitsOf(pair: Pair): { start: number; columns: number; all: number } {
  const p = Math.min(1 - 1e-6, Math.max(1e-6, pair.probability));
  const all = Math.log2(p / (1 - p));
  const columns = pair.evidence.reduce((sum, e) => sum + e.bits, 0);
  return { start: all - columns, columns, all };
}

/** The compared columns in which two rows are not the same, the ones that say most against it first. */
export function disagreeing(pair: Pair): string[] {
  return pair.evidence.filter((e) => e.level !== 'same' && e.level !== 'missing').sort((a, b) => a.bits - b.bits).map((e) => e.column);
}

/** A probability as it is shown: never a whole 100 %. */
export const shownProbability = (pair: Pair): number => (pair.state === 'merged' && pair.evidence.length === 0 ? 1 : pair.probability);

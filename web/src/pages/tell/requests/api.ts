// What the pages of requests ask for and send. Everything lies under one name, so that one event makes it stale. No answer
// names a customer.
import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { raw } from '@/api/client';
import type { components } from '@/api/schema';
import type { Items } from '@/api/types';

/** What customers can ask for. */
export const KINDS = ['access', 'portability', 'rectification', 'erasure', 'restriction', 'objection', 'consent_withdrawn', 'consent_given'] as const;

/** The server says every field, and null where there is nothing. */
type Whole<T> = { [K in keyof T]-?: Exclude<T[K], undefined> };
/** A request; times are microseconds since 1970 UTC. */
export type CustomerAsk = Whole<components['schemas']['RequestLine']>;
export interface Reason { category: string; text: string }
/** What carrying it out did. */
export interface Carried { request: CustomerAsk; rows: Record<string, number>; notes: string[] }
/** A request that came by letter or telephone. */
export interface Entered { kind: string; subject?: string; email?: string; purpose?: string; write_to?: string; lang?: string; received_at?: number }

const BASE = '/api/v1/requests';
const at = (id: string, rest = '') => `${BASE}/${encodeURIComponent(id)}${rest}`;
const read = async <T>(path: string): Promise<T> => (await (await raw(path)).json()) as T;
const send = async <T>(path: string, body?: unknown): Promise<T> => {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  return (await (await raw(path, { method: 'POST', ...init })).json()) as T;
};

export const requestsQuery = queryOptions({ queryKey: ['requests'], queryFn: () => read<Items<CustomerAsk>>(BASE) });
export const requestQuery = (id: string) => queryOptions({ queryKey: ['requests', 'one', id], queryFn: () => read<CustomerAsk>(at(id)) });

export const enter = (asked: Entered) => send<CustomerAsk>(BASE, asked);
export const noteIdentity = (id: string, outcome: 'confirmed' | 'failed') => send<CustomerAsk>(at(id, '/identity'), { outcome });
export const assign = (id: string, owner: string) => send<CustomerAsk>(at(id, '/assign'), { owner });
export const decide = (id: string, decision: 'granted' | 'refused', reason: Reason, undo_hours: number) => send<CustomerAsk>(at(id, '/decide'), { decision, reason, undo_hours });
export const extend = (id: string, reason: Reason) => send<CustomerAsk>(at(id, '/extend'), { reason });
export const carryOut = (id: string) => send<Carried>(at(id, '/carry-out'));
export const withdraw = (id: string, reason: Reason) => send<CustomerAsk>(at(id, '/withdraw'), { reason });
/** A link to the copy: sent by letter, or given back to be handed over; good until a moment in microseconds. */
export interface Offered { request: CustomerAsk; link: string | null; until: number }
export const offerCopy = (id: string, by: 'letter' | 'hand') => send<Offered>(at(id, '/copy'), { by });
/** The receipt as the server wrote it: its hash is over these very bytes' content, so it is handed on untouched. */
export const receipt = async (id: string, subject: string): Promise<string> => (await raw(at(id, '/receipt'), { method: 'POST', body: JSON.stringify({ subject }), headers: { 'content-type': 'application/json' } })).text();

/** Answered, one way or the other. */
export const isOver = (r: CustomerAsk): boolean => r.state === 'done' || r.state === 'refused' || r.state === 'withdrawn';
/** Late, and not answered. */
export const isLate = (r: CustomerAsk): boolean => !isOver(r) && r.days_left !== null && r.days_left < 0;
/** A copy goes to the customer alone: on their own page, or by a link. */
export const isCopy = (r: CustomerAsk): boolean => r.kind === 'access' || r.kind === 'portability';
/** Whether a link to the copy may be made now. */
export const canOffer = (r: CustomerAsk, now: number): boolean => isCopy(r) && r.state === 'granted' && r.identity === 'confirmed' && (r.undo_until === null || r.undo_until <= now);
/** Whether it may still be taken back in the customer's name. */
export const canWithdraw = (r: CustomerAsk): boolean => r.state === 'open' || r.state === 'granted';
/** Whether the law still gives more time. */
export const canExtend = (r: CustomerAsk): boolean => !isOver(r) && !isLate(r) && r.extended_to !== null && (r.due_at === null || r.due_at < r.extended_to);
/** What a person has to do next; nothing where it waits for a customer, a moment, or the server. */
export type Next = 'identity' | 'decide' | 'carry' | null;
export function nextStep(r: CustomerAsk, now: number): Next {
  if (r.state === 'open') return r.identity === 'unchecked' ? 'identity' : 'decide';
  if (r.state !== 'granted' && r.state !== 'acting') return null;
  if (r.identity !== 'confirmed') return 'identity';
  // Who has asked on their own page fetches the copy there.
  if (isCopy(r)) return r.via !== 'page' && canOffer(r, now) ? 'carry' : null;
  // What dunlin does by itself is a person's again once it has failed.
  if (r.by_itself && r.failed_at === null) return null;
  return r.undo_until !== null && r.undo_until > now ? null : 'carry';
}

/** What an act on a request makes stale. */
export function stale(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: ['requests'] });
}

// What pages ask for, under the names by which events make it stale.
import { queryOptions } from '@tanstack/react-query';
import { api, body, bodyWithEtag, raw } from './client';
import type { Alert, Approval, Checkpoint, Grant, Inclusion, Invitation, Items, Person, PlanBody, PlanEvent, Policy, Presence, QuarantineGroup, PersonRecord, Run, Report, RunDetail, RunTable, SchemaTable, Session, Token, Verification } from './types';
import type { components } from './schema';

export const runsQuery = queryOptions({ queryKey: ['runs'], queryFn: () => body<Items<Run>>(api.GET('/api/v1/runs')) });
export const runQuery = (run: string) => queryOptions({ queryKey: ['run', run], queryFn: () => body<RunDetail>(api.GET('/api/v1/runs/{run}', { params: { path: { run } } })) });
/** The evidence of the latest run; nothing before there is one. */
export const reportQuery = queryOptions({
  queryKey: ['overview', 'report'],
  retry: false,
  queryFn: async () => (await (await raw('/api/v1/report')).json()) as Report,
});
/** What each table of a run came to, as it is now. */
export const runTablesQuery = (run: string) => queryOptions({ queryKey: ['overview', run], queryFn: async () => (await (await raw(`/api/v1/runs/${run}/tables`)).json()) as Items<RunTable> });
export const planHistoryQuery = queryOptions({ queryKey: ['approvals', 'history'], queryFn: async () => (await (await raw('/api/v1/plan/history')).json()) as Items<PlanEvent> });
export const planSchemaQuery = queryOptions({ queryKey: ['plan-schema'], staleTime: Infinity, retry: false, queryFn: async () => (await (await raw('/api/v1/plan/schema')).json()) as Record<string, unknown> });
export const dataSchemaQuery = queryOptions({ queryKey: ['plan', 'stores'], staleTime: 60_000, retry: false, queryFn: async () => (await (await raw('/api/v1/data/schema')).json()) as { tables: SchemaTable[] } });
export const rightsQuery = queryOptions({ queryKey: ['me', 'rights'], retry: false, staleTime: 60_000, queryFn: async () => (await (await raw('/api/v1/me/rights')).json()) as { may: string[] } });
export const verificationsQuery = queryOptions({ queryKey: ['verifications'], retry: false, queryFn: async () => (await (await raw('/api/v1/verifications')).json()) as Items<Verification> });
export const verificationQuery = (id: string) => queryOptions({
  queryKey: ['verifications', id],
  queryFn: async () => (await (await raw(`/api/v1/verifications/${id}`)).json()) as Verification,
  refetchInterval: (query) => (query.state.data?.status === 'running' ? 1000 : false),
});
export const quarantineQuery = queryOptions({ queryKey: ['quarantine'], queryFn: () => body<Items<QuarantineGroup>>(api.GET('/api/v1/quarantine', { params: { query: {} } })) });
export const planQuery = queryOptions({ queryKey: ['plan'], queryFn: async () => bodyWithEtag<PlanBody>(api.GET('/api/v1/plan')).then(({ data, etag }) => ({ etag, data: withLabels(data) })) });
/** How a rule of a pack ends. */
export type PackState = 'violated' | 'needs_person' | 'waived' | 'satisfied' | 'not_applicable';
/** A rule of a pack, held against the plan. */
export interface PackRule { pack: string; rule: string; reference: string; title: string; checks: string; state: PackState; why: string; where: string[]; evidence: string[]; entries: number[]; help: string; blocks: boolean; waiver?: { reason: string; by: string; until?: string; without: PackState; id?: string; entry?: number } }
/** The plan held against its packs. */
export interface PackMatrix { packs: { pack: string; title: string }[]; lists: { list: string; as_of: string }[]; rules: PackRule[] }
export const packsQuery = queryOptions({ queryKey: ['packs'], queryFn: () => body<PackMatrix>(api.GET('/api/v1/packs')) });
export const approvalsQuery = queryOptions({ queryKey: ['approvals'], queryFn: () => body<Items<Approval>>(api.GET('/api/v1/plan/approvals')) });
export const peopleQuery = queryOptions({ queryKey: ['people'], queryFn: () => body<Items<Person>>(api.GET('/api/v1/people')) });
export const personQuery = (person: string) => queryOptions({ queryKey: ['person', person], queryFn: () => body<PersonRecord>(api.GET('/api/v1/people/{person}', { params: { path: { person } } })) });
export const invitationsQuery = queryOptions({ queryKey: ['invitations'], queryFn: () => body<Items<Invitation>>(api.GET('/api/v1/invitations')) });
export const alertsQuery = queryOptions({ queryKey: ['alerts'], queryFn: () => body<Items<Alert>>(api.GET('/api/v1/alerts', { params: { query: {} } })) });
export const alertQuery = (alert: string) => queryOptions({ queryKey: ['alert', alert], queryFn: () => body<Alert>(api.GET('/api/v1/alerts/{alert}', { params: { path: { alert } } })) });
export const grantsQuery = queryOptions({ queryKey: ['grants'], queryFn: () => body<Items<Grant>>(api.GET('/api/v1/grants')) });
export const presenceQuery = queryOptions({ queryKey: ['presence'], queryFn: () => body<Presence>(api.GET('/api/v1/presence')), refetchInterval: 30_000 });
export const policyQuery = queryOptions({ queryKey: ['policy'], queryFn: () => body<Policy>(api.GET('/api/v1/policy')) });
export const settingsQuery = queryOptions({ queryKey: ['settings'], queryFn: () => body<Record<string, unknown>>(api.GET('/api/v1/settings')) });
export const sessionsQuery = queryOptions({ queryKey: ['me', 'sessions'], queryFn: () => body<Items<Session>>(api.GET('/api/v1/me/sessions')) });
export const factorsQuery = queryOptions({ queryKey: ['me', 'factors'], queryFn: () => body<{ totp: boolean; recovery_codes: number; passkeys: { id: string; label?: string; name?: string; created_at: number; last_used_at?: number | null }[] }>(api.GET('/api/v1/me/factors')) });
export const tokensQuery = queryOptions({ queryKey: ['me', 'tokens'], queryFn: () => body<Items<Token>>(api.GET('/api/v1/me/tokens')) });
export const recordQuery = queryOptions({ queryKey: ['me', 'record'], queryFn: () => body<PersonRecord>(api.GET('/api/v1/me/record')) });
export const inclusionQuery = (index: number) => queryOptions({ queryKey: ['proof', index], queryFn: () => body<Inclusion>(api.GET('/api/v1/ledger/entries/{index}/proof', { params: { path: { index: String(index) } } })), staleTime: Infinity });
export type StartRun = components['schemas']['StartRun'];

/** The newest signed checkpoint: a C2SP note of text. */
export const checkpointQuery = queryOptions({
  queryKey: ['checkpoint'],
  refetchInterval: 15_000,
  queryFn: async (): Promise<Checkpoint> => {
    const answer = await raw('/api/v1/ledger/checkpoint');
    const note = await answer.text();
    const [origin = '', size = '0', root = ''] = note.split('\n');
    return { origin, size: Number(size), root, note };
  },
});

export interface LabelledTable { label: string; source: string }
function withLabels(plan: PlanBody) {
  // A table's label is its target, as everywhere else.
  const tables = plan.plan?.tables.map((t) => ({ ...t, label: t.to, source: t.from }));
  return { ...plan, plan: plan.plan ? { ...plan.plan, tables: tables ?? [] } : null };
}

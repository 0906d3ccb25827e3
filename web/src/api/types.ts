// Bodies that the API document calls "object": their shapes as the server gives them.
import type { Counts } from '@/ui/dispositions';

export interface Items<T> { items: T[] }
export type Actor = { type: 'local'; user: string } | { type: 'person'; id: string } | { type: 'system' };

export interface Run {
  id: string; kind: string; fingerprint: string; status: string; started_at: number; ended_at: number | null;
  actor: Actor; stores: Record<string, string>; jobs: number;
}
export interface TableProgress { table: string; splits_done: number; splits: number; counts: Counts; reconciled: boolean | null }
export interface Progress {
  run: string; status: string; phase: string; rows: number; rows_expected: number | null; rows_per_second: number;
  tables: TableProgress[]; waits_until: number | null;
}
export interface StoreColumn { name: string; ty: unknown; declared: string | null; nullable: boolean }
export interface RunTableBody { source?: { columns: StoreColumn[]; rows_estimate?: number | null }; target?: { columns: StoreColumn[] }; preexisting?: { rows: number } }
export interface RunDetail extends Run { tables: { table: string; body: RunTableBody }[]; progress: Progress | null }

/** What a table of a run came to. */
export interface RunTable {
  table: string; source: string; counts: Counts; rows_expected: number | null; preexisting: number; target_rows: number | null;
  source_hash: string | null; expected_hash: string | null; target_hash: string | null; reconciled: boolean | null;
  reconciled_at: number | null; verified_at: number | null; entry: number | null; splits: number; splits_done: number;
  seconds: number | null; rows_per_second: number | null;
  split_states?: { split: number; status: string; rows: number; quarantined: number }[];
}

export interface QuarantineGroup { group: string; run: string; table: string; reason: string; column: string | null; pattern: string | null; rows: number }

export interface PlanColumn { target: string; sql?: string; clean?: string; from?: string; kind?: string; protect?: string; formats?: string[]; region?: string; default?: string }
export interface PlanRule { name: string; check: string; otherwise: string }
export interface PlanTable {
  from: string; to: string; key?: string[]; purpose?: string; basis?: string; retain?: string; where?: string;
  columns?: PlanColumn[]; drop?: { column: string; reason: string }[]; rules?: PlanRule[]; into?: string; replace?: boolean;
  enrich?: { from: string; on: string[]; add: [string, string][]; when: string }[];
  duplicates?: { match: string[]; above: number; review: number; survivor?: string };
}
export interface PlanStore { url: string; region?: string; processor?: string; protected?: boolean }
export interface Plan {
  name: string; summary?: string; stores: Record<string, PlanStore>; tables: PlanTable[];
  people?: { name: string; email: string; role: string; organisation?: string }[];
  window?: { days: string[]; from: string; to: string; zone: string };
  comply?: { packs?: string[]; controller?: string; dpia?: string; waivers?: { rule: string; reason: string; by: string; until: string }[] };
  notices?: { file: string; audience: string; publish?: string }[];
}
export interface PlanBody { text: string; fingerprint: string | null; plan: Plan | null; findings: import('./client').Finding[] }
export interface PlanDiff { fingerprint: string | null; changes: { change: string; moves: boolean }[]; findings: import('./client').Finding[] }
export interface Approval { fingerprint: string; stores: Record<string, string>; by: string; at: number; voided_at?: number | null; void_code?: string | null; holds?: boolean }

export interface Person {
  id: string; email: string; name: string; role: string; organisation: string | null; status: string; mfa_required: boolean;
  mfa_enrolled: boolean; limit_tables: string[] | null; limit_until: number | null; created_at: number; last_seen_at: number | null;
  blocked_at: number | null; block_category: string | null;
}
export interface Session {
  id: string; person: string; method: string; stage: string; created_at: number; seen_at: number; mfa_at: number | null;
  device: string; address: string | null; ended_at: number | null; end_reason: string | null;
}
export interface Token { id: string; person: string; label: string; scopes: string[]; created_at: number; until: number; last_used_at: number | null; revoked_at: number | null }
export interface Grant {
  id: string; person: string; action: string; store: string; table: string; columns: string[]; until: number | null;
  task: string | null; purpose_category: string; opened_at: number; closed_at: number | null; open?: boolean; state?: string;
}
export interface AccessSummary { access: string; purpose_category?: string; store: string; table: string; rows: number; at: number; clear?: boolean }
export interface Record_ {
  person: Person; mfa_needed: boolean; factors: { totp: boolean; passkeys: number; recovery_codes: number }; sessions: Session[];
  tokens: Token[]; grants: Grant[]; this_week: AccessSummary[]; denied_this_week: number; locks: { what?: string; until?: number }[];
  investigation: null | { notes?: { at: number; by: string; text: string }[]; [k: string]: unknown };
}
export interface Alert {
  id: string; rule: string; severity: 'low' | 'medium' | 'high' | 'critical'; person: string | null; what: string; why: string; todo: string;
  numbers: { name?: string; value?: number | string; usual?: number | string; unit?: string }[]; evidence: { entry: number }[]; times: number;
  raised_at: number; last_at: number; open: boolean; closed_by: string | null; closed_at: number | null; decision: string | null;
}
export interface Presence {
  at: number;
  accesses: LiveAccess[];
  lately: LiveAccess[];
  sessions: { id: string; person: string; name: string; role: string; organisation: string | null; device: string; created_at: number; seen_at: number }[];
  runs: { id?: string; run?: string; person?: string | null; started_at?: number }[];
  outside: { store: string; user?: string; client?: string; since?: number; state?: string }[];
  outside_at: number;
}
export interface LiveAccess {
  access: string; person: string | null; name: string | null; organisation: string | null; store: string; table: string; columns: string[];
  masks?: Record<string, string>; rows: number; purpose_category: string; opened_at: number; closed_at?: number | null; clear?: boolean; limit?: number | null;
}
export interface Entry { index: number; at: number; actor: Actor; body: { kind: string } & Record<string, unknown> }
export interface Entries { entries: Entry[]; before: number | null; size: number }
export interface Checkpoint { origin: string; size: number; root: string; note: string; at: number }
export interface Inclusion { index: number; size: number; leaf?: string; root?: string; proof?: string[]; hashes?: string[]; checkpoint?: string }
export interface Policy { fingerprint: string; schema: string; policies: PolicyLine[]; [k: string]: unknown }
export interface PolicyLine { id: string; file?: string; effect?: string; words?: string; sentence?: string; text?: string }
export interface Invitation { id: string; email: string; name: string; role: string; organisation: string | null; created_at: number; until: number; person?: string }

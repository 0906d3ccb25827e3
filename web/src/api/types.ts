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
/** What a run came to besides its tables. */
export interface RunOutcome {
  left_behind: { table: string; what: string }[]; held_back_seconds: number; problem: string | null; help: string | null;
  failed: Record<string, { problem: string; help: string | null }>; tries?: { at: number; problem: string; wait_seconds: number }[];
}
export interface RunDetail extends Run { tables: { table: string; body: RunTableBody }[]; outcome?: RunOutcome | null; progress: Progress | null }

/** What a table came to, as `dunlin verify --format json` and the report say it. */
export interface TableResult extends Counts {
  table: string; from?: string; source_rows: number; preexisting: number; target_rows: number;
  source_hash: string; expected_hash: string; target_hash: string; reconciled: boolean; differences?: number | unknown[];
  seconds?: number; bytes?: number;
}
export interface ReportTable extends TableResult {
  purpose?: string | null; basis?: string | null; retain?: string | null;
  quarantine: { group: string; reason: string; column: string | null; pattern: string | null; rows: number }[];
  exclusions: { rule: string; rows: number }[];
  dropped: { column: string; reason: string }[];
  rules: { name: string; check: string; otherwise: string; rows: number }[];
  columns: { column: string; made_of: string; kind: string | null; class: string | null; protect: string | null }[];
  totals?: ControlTotals; sets?: SetResult[];
}
/** One amount of one month on either side; sums are decimal texts, exact to the last digit. */
export interface TotalLine {
  column: string; month: string | null; read_rows: number; read: string; loaded_rows: number; loaded: string;
  target_rows: number; target: string; difference: string; unread: number;
}
export interface ControlTotals { period?: string; agree: boolean; unknown?: string; lines: TotalLine[] }
/** How a rule on all rows of a table together ends. */
export interface SetResult { name: string; check: string; otherwise: string; holds: boolean; broken?: number; is?: string }
/** The evidence of the latest run. Its moments are text in UTC. */
export interface Report {
  written_at: string;
  plan: { name: string; summary: string | null; company: string | null; fingerprint: string };
  run: { id: string; rehearsal: boolean; actor: string; started_at: string; finished_at: string | null; verified_at: string | null; seconds: number | null };
  tables: ReportTable[];
  stores: { name: string; role: string; system: string; identity: string; region: string | null; processor: string | null; protected: boolean }[];
  approvals: { by: string; at?: string; fingerprint?: string }[];
  comply: { packs: string[]; controller: string | null; dpia: string | null; waivers: { rule: string; reason: string; by: string; until: string }[] } | null;
  ledger: { size: number; root: string; verifier: string; checkpoint: string };
}
export interface Verification {
  id: string; status: 'running' | 'done' | 'failed'; step: string | null; run: string | null; reconciled: boolean | null;
  tables: TableResult[]; differing: Record<string, number>; problem: string | null; started_at: number; ended_at: number | null;
}

export interface SplitState { split: number; done: boolean; rows: number; quarantined: number }
/** What a table of a run came to, as it is now. */
export interface RunTable {
  table: string; counts: Counts; source_rows: number; preexisting: number; source_hash: string; expected_hash: string; target_hash: string | null;
  reconciled: boolean | null; in_order?: boolean | null; reconciled_at: number | null; verified_at: number | null; entry: number | null; splits_done: number; splits: number;
  seconds: number; rows_per_second: number; reasons: Record<string, number>; strip: SplitState[];
  problem: { problem: string; help: string | null; command: string } | null; left_behind: string[];
}
export interface PlanEvent { entry: number; at: number; by: Actor; kind: 'edited' | 'approved' | 'voided'; fingerprint: string; previous: string | null }
/** Values of one shape that a fix turns into values of another; a shape of null is no value. */
export interface ShapeChange { column: string; before: string | null; after: string | null; failed: boolean; rows: number }
export interface WouldDecide { rows: number; released: number; discarded: number; waiting: Record<string, number>; shapes: ShapeChange[]; children: number }

export interface QuarantineTask { id: string; number: number; owner: string | null; deadline: string | null }
export interface QuarantineGroup { group: string; run: string; table: string; reason: string; column: string | null; pattern: string | null; rows: number; task: QuarantineTask | null }

export interface PlanColumn { target: string; sql?: string; clean?: string; from?: string; kind?: string; protect?: string; formats?: string[]; region?: string; sentinels?: string[] }
export interface PlanRule { name: string; check: string; otherwise: string; fix?: { column: string; value: string }[] }
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
  window?: { days: string[]; from: string; to: string; zone: string; source_load?: string };
  comply?: { packs?: string[]; controller?: string; dpia?: string; waivers?: { rule: string; reason: string; by: string; until: string }[] };
  notices?: { file: string; audience: string; publish?: string }[];
}
export interface PlanBody { text: string; fingerprint: string | null; plan: Plan | null; findings: import('./client').Finding[] }
/** What an edit of the plan came to. */
export interface PlanSaved { fingerprint: string; changes: { change: string; moves: boolean }[]; findings: import('./client').Finding[] }
export interface PlanDiff { fingerprint: string | null; changes: { change: string; moves: boolean }[]; findings: import('./client').Finding[] }
export interface Approval { fingerprint: string; stores: Record<string, string>; by: string; at: number; voided_at?: number | null; void_code?: string | null; holds?: boolean }

export interface Person {
  id: string; email: string; name: string; role: string; organisation: string | null; status: string; mfa_required: boolean;
  mfa_enrolled: boolean; limit_tables: string[] | null; limit_until: number | null; created_at: number; last_seen_at: number | null;
  blocked_at: number | null; block_category: string | null;
}
export interface Session {
  id: string; person: string; method: string; stage: string; created_at: number; seen_at: number; mfa_at: number | null;
  device: string; address: string | null; ended_at: number | null; end_reason: string | null; current: boolean;
}
export interface Token { id: string; person: string; label: string; scopes: string[]; kind: string; created_at: number; until: number; last_used_at: number | null }
export interface Grant {
  id: string; person: string; task: string; action: string; store: string; table: string; columns: string[] | null; until: number | null;
  purpose_category: string; opened_by: string; opened_at: number; closed_at: number | null; closed_reason: string | null;
  agreements: { person: string; party: string; at: number }[];
}
export interface Investigation {
  reason: string | null;
  attempts: { at: number; credential: string; address: string; device: string; outcome: string }[];
  touched: { store: string; table: string; class: string; rows: number; first_at: number; last_at: number }[];
  notes: { id: string; author: string; text: string | null; at: number }[];
}
export interface PersonRecord {
  person: Person; mfa_needed: boolean; factors: { totp: boolean; passkeys: number; recovery_codes: number }; sessions: Session[];
  tokens: Token[]; grants: { id: string; task: string; action: string; store: string; table: string; until: number | null }[];
  this_week: { class: string; accesses: number; rows: number }[]; denied_this_week: number;
  locks: { credential: string; network: string | null; failed: number; left_s: number }[];
  investigation: Investigation | null;
}
export interface Alert {
  id: string; rule: string; severity: 'low' | 'medium' | 'high' | 'critical'; person: string | null; what: string; why: string; todo: string;
  numbers: { name: string; value: number; compared: number }[]; evidence: { entry: number }[]; times: number;
  raised_at: number; last_at: number; open: boolean; closed_by: string | null; closed_at: number | null; decision: string | null;
}
export interface Presence {
  at: number; accesses: LiveAccess[]; lately: LiveAccess[];
  sessions: { id: string; person: string; name: string; role: string; organisation: string | null; device: string; created_at: number; seen_at: number }[];
  runs: { id: string; kind: string; status: string; actor: string; started_at: number }[];
  outside: { store: string; user: string; client: string | null; application: string; since: number | null; state: string; own: boolean }[];
  outside_at: number | null;
}
export interface LiveAccess {
  id: string; actor: string; name: string | null; role: string | null; organisation: string | null; session: string | null; action: string;
  surface: string; store: string; table: string; columns: string[]; class: string; clear_class: string | null; task: string | null;
  in_window: boolean | null; purpose_category: string; rows: number; opened_at: number; last_at: number; closed_at: number | null;
}
export interface Entry { index: number; at: number; actor: Actor; body: { kind: string } & Record<string, unknown> }
export interface Entries { entries: Entry[]; before: number | null; size: number }
export interface Checkpoint { origin: string; size: number; root: string; note: string }
export interface Inclusion { index: number; size: number; hashes: string[] }
export interface Policy { fingerprint: string; schema: string; sentences: { id: string; allows: boolean; says: string; file: string; text: string }[] }
export interface Invitation { id: string; person: string; email: string; name: string; role: string; organisation: string | null; created_at: number; until: number }
export interface WouldSee { refused: string | null; help: string | null; columns: { column: string; class: string; shown: 'clear' | 'masked' | 'hidden'; mask: string | null; reason_code: string | null; why: string | null }[] }
/** Rows that came through the gate. */
export interface Opened { access: string; store: string; table: string; columns: { name: string; kind: string | null; shown: 'clear' | 'masked' }[]; hidden: string[]; rows: (string | null)[][] }
export interface ProfileColumn {
  table: string; column: string; type: string; rows: number; nulls: number; unknowns: number; distinct: number | null; kind: string | null; class: string | null;
  confidence: number | null; evidence: unknown[]; min: string | null; max: string | null; length: { min: number; mean: number; max: number } | null;
  top: { text: string; rows: number }[]; patterns: { text: string; rows: number }[];
  findings: (string | { code?: string; message?: string; rows?: number })[]; detail?: string | null; bad?: Record<string, number>;
  /** How numbers or days lie, where they are no person's: rounded quantiles, and twenty bars between the first and last percent. */
  numbers?: { quantiles: { at: number; value: string }[]; histogram: number[] };
}
/** A reference of a table, and how many of its values lead nowhere. */
export interface ProfileReference { table: string; columns: string[]; to: string; key: string[]; declared: boolean; rows: number; broken: number; share: number }
/** Something that is not as it was, or not as the plan has it. */
export interface ProfileDrift { table: string; column: string; drift: string; message: string }
/** A profiled table: its columns, and what is said of it besides. */
export interface Profiled {
  columns: ProfileColumn[]; references?: ProfileReference[]; drift?: ProfileDrift[]; compared_with?: number;
  load?: { load_by_hour: (number | null)[]; hours_known: number; zone: string; windows?: string[] };
}
export interface SchemaColumn { name: string; type: string; nullable: boolean; key: boolean; kind: string | null; class: string | null }
export interface SchemaTable { table: string; from: string; to: string; source: { columns: SchemaColumn[]; rows_estimate: number | null } | null; target: { columns: SchemaColumn[] } | null }

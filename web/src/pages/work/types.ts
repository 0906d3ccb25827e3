// The work API as the pages use it. The names are the server's; `openapi.json` is the last word on them.

export type Status = 'open' | 'doing' | 'blocked' | 'done' | 'stale';
export type Priority = 'low' | 'normal' | 'high' | 'urgent';

export interface Evidence {
  entry: number;
  at: number;
  kind: string;
  text: string;
}

export interface Binding {
  step: string;
  table: string | null;
  column: string | null;
}

export interface Raci {
  responsible: string[];
  accountable: string | null;
  consulted: string[];
  informed: string[];
}

export interface TaskSchedule {
  early_start: string;
  early_finish: string;
  late_start: string;
  late_finish: string;
  slack_days: number;
  critical: boolean;
}

export type FieldValue = string | number | boolean | null | string[];

export interface Task {
  id: string;
  number: number;
  title: string;
  description: string;
  description_html: string;
  kind: 'task' | 'milestone';
  parent: string | null;
  origin: string;
  binding: Binding | null;
  /** Whether a person says that this bound step is done. */
  confirmable: boolean;
  status: Status;
  progress: number | null;
  evidence: Evidence[];
  stale_because: string | null;
  owner: string | null;
  raci: Raci;
  priority: Priority;
  start: string | null;
  deadline: string | null;
  estimate_hours: number | null;
  labels: string[];
  fields: Record<string, FieldValue>;
  watchers: string[];
  depends_on: { task: string; lag_days: number }[];
  schedule: TaskSchedule | null;
  risk: number | null;
  comments: number;
  attachments: number;
  rank: string;
  version: number;
  created_at: number;
  updated_at: number;
  updated_by: string | null;
  started_at: number | null;
  done_at: number | null;
  /** Whether the plan no longer has what it was drafted for. */
  gone: boolean;
}

/** The fields of a task that a person may set; `field:<id>` names a custom one. */
export type TaskSet = Record<string, unknown>;

export interface Rows {
  total: number;
  version: number;
  groups: { value: string | null; count: number; sums: Record<string, number> }[] | null;
  rows: Task[];
  summaries: Record<string, Record<string, number>>;
}

export type FieldType = 'text' | 'number' | 'date' | 'person' | 'select' | 'multi_select' | 'checkbox' | 'url';

export interface Field {
  id: string;
  name: string;
  type: FieldType;
  options: { id: string; name: string; colour: string }[];
  rank: string;
}

export type Layout = 'grid' | 'board' | 'calendar' | 'timeline';

export interface View {
  id: string;
  name: string;
  layout: Layout;
  settings: Record<string, unknown>;
  shared: 'personal' | 'shared' | 'locked';
  owner: string;
}

export interface Person {
  id: string;
  name: string;
  email: string;
  role: string;
  organisation: string | null;
}

export interface Change {
  change: string;
  at: number;
  by: string | null;
  field: string;
  from: unknown;
  to: unknown;
}

export interface Comment {
  id: string;
  at: number;
  author: string;
  text: string;
  html: string;
  edited_at: number | null;
}

export interface Attachment {
  id: string;
  name: string;
  bytes: number;
  at: number;
  author: string;
}

export interface Question {
  task: Task;
  answers: Comment[];
}

export interface TimelineTask {
  id: string;
  number: number;
  title: string;
  parent: string | null;
  start: string;
  finish: string;
  baseline_start: string | null;
  baseline_finish: string | null;
  actual_start: string | null;
  actual_finish: string | null;
  critical: boolean;
  slack_days: number;
  progress: number | null;
  status: Status;
  owner: string | null;
}

export interface Blackout {
  id?: string;
  date: string;
  why: string;
  of?: string | null;
}

/** A stretch of time, in microseconds since 1970 UTC. */
export interface Span {
  from: number;
  to: number;
}

export interface Timeline {
  tasks: TimelineTask[];
  /** How many there are; the answer has at most 5000. */
  total: number;
  links: { from: string; to: string; lag_days: number }[];
  today: string;
  finish: string | null;
  finish_p50: string | null;
  finish_p90: string | null;
  baseline_at: number | null;
  blackouts: Blackout[];
  windows: Span[];
}

/** What lies behind the tasks in a calendar. */
export interface CalendarDays {
  windows: Span[];
  blackouts: Blackout[];
  notices: { date: string; file: string }[];
}

export interface Forecast {
  finish_p50: string | null;
  finish_p90: string | null;
  deadlines: { task: string; deadline: string; risk: number }[];
  basis: Record<string, number | string | null | string[]>;
}

/** Hours that would disturb least. `load` is by hour of the week, Monday 0 h first; null while it is not known. */
export interface LoadWindows {
  proposals: { days: string[]; from: string; to: string; zone: string; disruption: number | null; reason: string }[];
  load: number[] | null;
  hours_known: number;
  sensitive: number;
}

export interface Compared {
  forecast: Forecast;
  as_it_is: Forecast;
  days_p50: number | null;
  days_p90: number | null;
}

export interface WhatIf {
  jobs?: number;
  window?: { days: string[]; from: string; to: string; zone: string };
  without_tables?: string[];
}

export type Urgency = 'overdue' | 'today' | 'this_week' | 'waiting_for_me' | 'later';

export interface Mine {
  urgency: Urgency;
  task: Task;
}

export interface Template {
  id: string;
  name: string;
  tasks: TemplateTask[];
}

export interface TemplateTask {
  title: string;
  description?: string;
  start_after?: number | null;
  due_after?: number | null;
  estimate_hours?: number | null;
  labels?: string[];
  after?: number[];
  part_of?: number | null;
}

export interface ImportPreview {
  format: string;
  columns: { name: string; sample: string; proposed: string | null }[];
  rows: number;
  no_home: string[];
}

export interface Leftover {
  name: string;
  why: string;
  rows: number;
}

export interface Imported {
  created: number;
  /** What went into descriptions because it has no field of its own. */
  no_home: Leftover[];
  change: string | null;
}

export interface Webhook {
  id: string;
  url: string;
  events: string[];
  failing?: boolean;
}

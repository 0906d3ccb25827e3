// The work API's types as the pages use them: those of `openapi.json`, where the server sends every field, also an empty
// one. By hand stands only what that document has no words for: the shape of free JSON.
import type { components } from '@/api/schema';

type S = components['schemas'];

export type Status = S['Status'];
export type Priority = S['Priority'];
type Kind = S['Kind'];

export type Evidence = S['Evidence'];
export type Binding = Required<Omit<S['Binding'], 'step'>> & { step: string };
export type Raci = Required<S['Raci']>;
export type TaskSchedule = S['Scheduled'];
export type FieldValue = string | number | boolean | null | string[];

export type Task = Required<Omit<S['Task'], 'status' | 'priority' | 'kind' | 'origin' | 'binding' | 'stale_because' | 'raci' | 'fields'>> & {
  status: Status;
  priority: Priority;
  kind: Kind;
  origin: string;
  binding: Binding | null;
  stale_because: string | null;
  raci: Raci;
  fields: Record<string, FieldValue>;
};

/** The fields of a task that a person may set; `fields` has the custom ones. */
export type TaskSet = Record<string, unknown>;

export type Rows = Pick<S['Page'], 'total' | 'version'> & {
  groups: (Omit<S['Group'], 'value'> & { value: string | null })[] | null;
  rows: Task[];
  summaries: Record<string, Record<string, number>>;
};

export type FieldType = S['FieldType'];
export type Field = Required<Omit<S['Field'], 'options'>> & { options: Required<S['Choice']>[] };

export type Layout = S['Layout'];
export type View = Omit<S['View'], 'settings'> & { settings: Record<string, unknown> };

export interface Person {
  id: string;
  name: string;
  email: string;
  role: string;
  organisation: string | null;
}

export type Change = Omit<S['HistoryLine'], 'from' | 'to'> & { from: unknown; to: unknown };
export type Comment = Required<S['Comment']>;
export type Attachment = S['Attachment'];
export interface Question { task: Task; answers: Comment[] }

export type TimelineTask = Required<Omit<S['Bar'], 'status' | 'kind'>> & { status: Status; kind: Kind };
export type Blackout = Required<S['Blackout']>;
/** A stretch of time, in microseconds since 1970 UTC. */
export type Span = S['Span'];
/** How all lies in time; at most 5000 tasks of `total`. */
export type Timeline = Required<Omit<S['Timeline'], 'tasks' | 'blackouts'>> & { tasks: TimelineTask[]; blackouts: Blackout[] };
/** What lies behind the tasks in a calendar. */
export type CalendarDays = Pick<S['CalendarPage'], 'windows' | 'notices'> & { blackouts: Blackout[] };

export type Forecast = Required<S['Forecast']>;
export type Compared = Required<Omit<S['Compared'], 'forecast' | 'as_it_is'>> & { forecast: Forecast; as_it_is: Forecast };
export type WhatIf = Partial<S['WhatIf']>;

export type Urgency = S['Urgency'];
export interface Mine { urgency: Urgency; task: Task }

export type Template = Required<S['Template']>;

/** Hours that would disturb least. `load` is by hour of the week, Monday 0 h first; null while it is not known. */
export interface LoadWindows {
  proposals: { days: string[]; from: string; to: string; zone: string; disruption: number | null; reason: string }[];
  load: number[] | null;
  hours_known: number;
  sensitive: number;
}

export type ImportPreview = Omit<S['Preview'], 'columns'> & { columns: Required<S['Column']>[] };
export type Leftover = S['Leftover'];
/** What an import did; `no_home` went into descriptions. */
export type Imported = Required<S['Imported']>;

export type Webhook = S['Webhook'];

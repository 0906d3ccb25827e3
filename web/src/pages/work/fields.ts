// The fields of a task by name: what they take, what one may choose, and the `set` that writes one.
import type { CellKind, CellValue, Option } from '@/grid/types';
import type { WorkStore } from './store';
import type { Field, Task, TaskSet } from './types';
import type { Words } from './words';

export const STATUSES = ['open', 'doing', 'blocked', 'done'] as const;
export const ALL_STATUSES = ['open', 'doing', 'blocked', 'stale', 'done'] as const;
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;
export const STEPS = ['kickoff', 'roles', 'windows', 'notice', 'access_review', 'evidence', 'profile', 'map', 'column', 'decide', 'rules', 'rehearse', 'approve', 'load', 'quarantine', 'verify', 'sign_off', 'switch', 'retire'] as const;

const KINDS: Record<Field['type'], CellKind> = { text: 'text', number: 'number', date: 'date', person: 'person', select: 'select', multi_select: 'multi', checkbox: 'checkbox', url: 'url' };

export interface FieldInfo {
  id: string;
  name: string;
  kind: CellKind;
  options?: Option[];
  custom?: boolean;
}

export function peopleOptions(store: WorkStore): Option[] {
  return [...store.people.values()].map((person) => ({ id: person.id, name: person.name, hint: person.organisation ?? undefined })).sort((a, b) => a.name.localeCompare(b.name));
}

/** The tasks with parts that this browser has seen, as choices. */
function wholes(store: WorkStore): Option[] {
  return store.wholes().map((task) => ({ id: task.id, name: task.title }));
}

export function fieldsOf(store: WorkStore, t: Words): FieldInfo[] {
  const people = peopleOptions(store);
  const named = <T extends string>(ids: readonly T[], names: Record<T, string>): Option[] => ids.map((id) => ({ id, name: names[id] }));
  const own: FieldInfo[] = [
    { id: 'title', name: t.field.title, kind: 'text' },
    { id: 'status', name: t.field.status, kind: 'select', options: named(ALL_STATUSES, t.status) },
    { id: 'owner', name: t.field.owner, kind: 'person', options: people },
    { id: 'priority', name: t.field.priority, kind: 'select', options: named(PRIORITIES, t.priority) },
    { id: 'deadline', name: t.field.deadline, kind: 'date' },
    { id: 'start', name: t.field.start, kind: 'date' },
    { id: 'labels', name: t.field.labels, kind: 'multi' },
    { id: 'table', name: t.field.table, kind: 'text' },
    { id: 'parent', name: t.field.parent, kind: 'text', options: wholes(store) },
    { id: 'step', name: t.field.step, kind: 'select', options: named(STEPS, t.step) },
    { id: 'estimate_hours', name: t.field.estimate_hours, kind: 'number' },
  ];
  const custom = store.fields.map((field) => ({ id: field.id, name: field.name, kind: KINDS[field.type], options: field.type === 'person' ? people : field.options, custom: true }));
  return [...own, ...custom];
}

/** What writes a value; a custom field goes among the fields. */
export function setOf(info: Pick<FieldInfo, 'id' | 'custom'>, value: CellValue): TaskSet {
  return info.custom ? { fields: { [info.id]: value } } : { [info.id]: value };
}

/** Whether the status is read from the ledger, or from the parts of a task that the plan drafted: nobody types it. */
export const isBound = (task: Task) => task.binding !== null || task.origin === 'drafted';

/** A drafted task that is nothing but its parts. */
export const isWhole = (task: Task) => task.binding === null && task.origin === 'drafted';

/** Why nobody writes this task's status. */
export const whyBound = (task: Task, t: Words) => (isWhole(task) ? t.wholeWhy : t.boundWhy);

/** Whether a person may write a field of this task: nobody writes what the ledger says. */
export const writable = (task: Task, field: string) => !(isBound(task) && (field === 'status' || field === 'progress')) && !['table', 'step'].includes(field);

// The work API, call by call. A thin layer over the app's client: no caching, no retrying.
import { raw } from '@/api/client';
import type { Days } from './hours';
import { query } from './question';
import type { Attachment, Blackout, CalendarDays, Change, Comment, Compared, Field, Forecast, ImportPreview, Imported, LoadWindows, Mine, Person, Question, Rows, Task, TaskSet, Template, Timeline, View, Webhook, WhatIf } from './types';

const ROOT = '/api/v1/work';

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  const response = await raw(`${ROOT}${path}`, init);
  const text = await response.text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** Lists come as an object with `items`. */
async function list<T>(path: string): Promise<T[]> {
  return (await call<{ items: T[] }>('GET', path)).items;
}

export interface TaskQuery {
  q?: string;
  filter?: string;
  sort?: string;
  group?: string;
  offset?: number;
  limit?: number;
}

export const work = {
  tasks: (words: TaskQuery) => call<Rows>('GET', `/tasks${query({ ...words })}`),
  task: (id: string) => call<Task>('GET', `/tasks/${id}`),
  create: (set: TaskSet) => call<Task>('POST', '/tasks', set),
  patch: (id: string, set: TaskSet, version: number) => call<Task>('PATCH', `/tasks/${id}`, { ...set, version }),
  remove: (id: string) => call<void>('DELETE', `/tasks/${id}`),
  batch: (changes: { id: string; set: TaskSet; version?: number }[]) => call<{ tasks: Task[]; change: string }>('POST', '/tasks/batch', { changes }),
  move: (id: string, to: { after: string | null; parent?: string | null; status?: string }) => call<{ tasks: Task[]; change: string | null }>('POST', `/tasks/${id}/move`, to),
  confirm: (id: string, done: boolean) => call<Task>('POST', `/tasks/${id}/confirm`, { done }),
  history: (id: string) => list<Change>(`/tasks/${id}/history`),
  undo: (change: string) => call<unknown>('POST', `/changes/${change}/undo`),
  comments: (id: string) => list<Comment>(`/tasks/${id}/comments`),
  comment: (id: string, text: string) => call<Comment>('POST', `/tasks/${id}/comments`, { text }),
  editComment: (id: string, text: string) => call<void>('PATCH', `/comments/${id}`, { text }),
  removeComment: (id: string) => call<void>('DELETE', `/comments/${id}`),
  attachments: (id: string) => list<Attachment>(`/tasks/${id}/attachments`),
  attach: async (id: string, file: File) => {
    const headers = { 'content-type': file.type || 'application/octet-stream', 'x-file-name': encodeURIComponent(file.name) };
    const response = await raw(`${ROOT}/tasks/${id}/attachments`, { method: 'POST', headers, body: file });
    return (await response.json()) as Attachment;
  },
  attachmentUrl: (id: string) => `${ROOT}/attachments/${id}`,
  detach: (id: string) => call<void>('DELETE', `/attachments/${id}`),
  watch: (id: string, on: boolean) => call<void>(on ? 'POST' : 'DELETE', `/tasks/${id}/watch`),
  fields: () => list<Field>('/fields'),
  createField: (field: Partial<Field>) => call<Field>('POST', '/fields', field),
  patchField: (id: string, field: Partial<Field>) => call<Field>('PATCH', `/fields/${id}`, field),
  removeField: (id: string) => call<void>('DELETE', `/fields/${id}`),
  views: () => list<View>('/views'),
  createView: (view: Partial<View>) => call<View>('POST', '/views', view),
  patchView: (id: string, view: Partial<View>) => call<View>('PATCH', `/views/${id}`, view),
  removeView: (id: string) => call<void>('DELETE', `/views/${id}`),
  templates: () => list<Template>('/templates'),
  createTemplate: (template: Partial<Template>) => call<Template>('POST', '/templates', template),
  applyTemplate: (id: string, start: string) => call<unknown>('POST', `/templates/${id}/apply`, { start }),
  timeline: () => call<Timeline>('GET', '/timeline'),
  baseline: () => call<unknown>('POST', '/baseline'),
  calendar: (from: string, to: string) => call<CalendarDays>('GET', `/calendar${query({ from, to })}`),
  blackouts: () => list<Blackout>('/blackouts'),
  addBlackout: (date: string, why: string, of: string | null = null) => call<unknown>('POST', '/blackouts', { date, why, ...(of && { of }) }),
  removeBlackout: (id: string) => call<void>('DELETE', `/blackouts/${id}`),
  workingDays: () => list<Days>('/working-days'),
  dropWorkingDays: (id: string) => call<void>('DELETE', `/working-days/${encodeURIComponent(id)}`),
  putWorkingDays: (days: Days) => call<void>('PUT', '/working-days', days),
  windows: () => call<LoadWindows>('GET', '/windows'),
  feed: () => call<{ url: string | null; since: number | null }>('GET', '/feed'),
  makeFeed: () => call<{ url: string }>('POST', '/feed'),
  removeFeed: () => call<void>('DELETE', '/feed'),
  forecast: () => call<Forecast>('GET', '/forecast'),
  whatIf: (change: WhatIf) => call<Compared>('POST', '/what-if', change),
  mine: () => list<Mine>('/mine'),
  draft: () => call<{ added: string[]; kept: number; updated: string[]; gone: string[] }>('POST', '/draft'),
  questions: () => list<Question>('/questions'),
  answer: (task: string, answer: string) => call<unknown>('POST', `/questions/${task}/answer`, { answer }),
  previewImport: async (text: string, format?: string) => {
    const response = await raw(`${ROOT}/import/preview${query({ format })}`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: text });
    return (await response.json()) as ImportPreview;
  },
  importTasks: (format: string, text: string, mapping: Record<string, string>) => call<Imported>('POST', '/import', { format, text, mapping }),
  exportUrl: (format: string) => `${ROOT}/export${query({ format })}`,
  webhooks: () => list<Webhook>('/webhooks'),
  createWebhook: (url: string, events: string[]) => call<Webhook & { secret?: string }>('POST', '/webhooks', { url, events }),
  removeWebhook: (id: string) => call<void>('DELETE', `/webhooks/${id}`),
  at: (task: string | null, field: string | null) => call<unknown>('POST', '/presence/at', { task, field }),
  people: async () => {
    const response = await raw('/api/v1/people');
    return ((await response.json()) as { items: Person[] }).items;
  },
};

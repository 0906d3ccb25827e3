// The grid's columns: the task's own and the workspace's fields, each with how it is drawn and whether it is written.
import type { ReactNode } from 'react';
import type { Column } from '@/grid/types';
import { dec, num, when } from '@/i18n/format';
import { fieldsOf, isBound, isWhole, PRIORITIES, STATUSES, whyBound } from './fields';
import { Day, Evidence, isDone, PersonName, Risk, StatusWord } from './parts';
import type { Settings } from './settings';
import type { WorkStore } from './store';
import type { Task } from './types';
import type { Words } from './words';

const always = () => true;
const never = () => false;

function Checked({ on, label }: { on: boolean; label: string }): ReactNode {
  return <span className={on ? 'box on' : 'box'} role="img" aria-label={label}>{on ? '✓' : ''}</span>;
}

function Labels({ names }: { names: string[] }): ReactNode {
  return <span className="labels">{names.map((name) => <span key={name} className="badge">{name}</span>)}</span>;
}

function Link({ url }: { url: string }): ReactNode {
  return <a className="link clip" href={url} target="_blank" rel="noreferrer noopener" tabIndex={-1}>{url.replace(/^https?:\/\//, '')}</a>;
}

function Title({ task, store, t, outlined }: { task: Task; store: WorkStore; t: Words; outlined: boolean }): ReactNode {
  const depth = outlined ? store.depth(task) : 0;
  return (
    <>
      {depth > 0 && <span className="indent" style={{ width: depth * 14 }} />}
      {task.kind === 'milestone' && <span className="diamond" role="img" aria-label={t.milestone} />}
      <span className={`clip${task.gone ? ' gone' : ''}${isWhole(task) ? ' strong' : ''}`}>{task.title}</span>
      {task.comments > 0 && <span className="muted small push row" title={t.commentsCount(task.comments)}>{num(task.comments)} <svg className="i tiny" viewBox="0 0 16 16" aria-hidden="true"><path d="M2.500 3h11v8H8l-3.500 2.600V11h-2z" /></svg></span>}
      <button type="button" className={task.comments > 0 ? 'open-row' : 'open-row push'} tabIndex={-1} data-open="" aria-label={t.openTask(task.number)}><svg className="i" viewBox="0 0 16 16" aria-hidden="true"><path d="M9.500 3H13v3.500M13 3L8.500 7.500M6.500 13H3V9.500M3 13l4.500-4.500" /></svg></button>
    </>
  );
}

function ownColumns(store: WorkStore, t: Words, outlined: boolean): Column<Task>[] {
  const people = fieldsOf(store, t).find((field) => field.id === 'owner')?.options ?? [];
  const bound = (task: Task) => whyBound(task, t);
  return [
    { id: 'number', title: '#', kind: 'number', width: 56, align: 'right', editable: never, value: (task) => task.number, opens: always, render: (task) => <span className="muted">{num(task.number)}</span> },
    { id: 'title', title: t.field.title, kind: 'text', width: 286, needed: true, editable: always, value: (task) => task.title, render: (task) => <Title task={task} store={store} t={t} outlined={outlined} /> },
    {
      id: 'status', title: t.field.status, kind: 'select', width: 156, needed: true, editable: (task) => !isBound(task), why: bound, opens: isBound, value: (task) => task.status,
      options: STATUSES.map((id) => ({ id, name: t.status[id] })),
      render: (task) => (isBound(task) ? <button type="button" className="plain" data-open="" tabIndex={-1} title={whyBound(task, t)}><StatusWord task={task} /></button> : <><StatusWord task={task} /><svg className="i push muted" viewBox="0 0 16 16" aria-hidden="true"><path d="M4 6.200l4 4 4-4" /></svg></>),
    },
    { id: 'evidence', title: t.field.evidence, kind: 'text', width: 204, sortable: false, editable: never, why: (task) => (isBound(task) ? whyBound(task, t) : t.byHandWhy), opens: always, value: (task) => task.evidence[task.evidence.length - 1]?.text ?? '', render: (task) => <Evidence task={task} /> },
    { id: 'owner', title: t.field.owner, kind: 'person', width: 148, editable: always, value: (task) => task.owner, options: people, render: (task) => <PersonName id={task.owner} /> },
    { id: 'deadline', title: t.field.deadline, kind: 'date', width: 116, editable: always, value: (task) => task.deadline, render: (task) => <Day day={task.deadline} done={isDone(task)} /> },
    { id: 'risk', title: t.field.risk, kind: 'number', width: 112, align: 'right', sortable: false, editable: never, value: (task) => task.risk, render: (task) => <Risk risk={isDone(task) ? null : task.risk} /> },
    { id: 'depends_on', title: t.field.depends_on, kind: 'text', width: 96, sortable: false, editable: never, opens: always, value: (task) => waitsFor(task, store), render: (task) => <span className="muted clip">{waitsFor(task, store)}</span> },
    { id: 'estimate_hours', title: t.field.estimate_hours, kind: 'number', width: 72, align: 'right', editable: always, value: (task) => task.estimate_hours, render: (task) => (task.estimate_hours === null ? null : <span>{dec(task.estimate_hours)} h</span>) },
    { id: 'priority', title: t.field.priority, kind: 'select', width: 110, needed: true, editable: always, value: (task) => task.priority, options: PRIORITIES.map((id) => ({ id, name: t.priority[id] })), render: (task) => <span className={task.priority === 'urgent' ? 'bad strong' : task.priority === 'high' ? 'warn strong' : 'muted'}>{t.priority[task.priority]}</span> },
    { id: 'start', title: t.field.start, kind: 'date', width: 124, editable: always, value: (task) => task.start, render: (task) => <Day day={task.start} done /> },
    { id: 'labels', title: t.field.labels, kind: 'multi', width: 180, editable: always, value: (task) => task.labels, render: (task) => <Labels names={task.labels} /> },
    { id: 'table', title: t.field.table, kind: 'text', width: 170, editable: never, value: (task) => task.binding?.table ?? '', render: (task) => <span className="mono clip">{task.binding?.table ?? ''}</span> },
    { id: 'step', title: t.field.step, kind: 'text', width: 120, editable: never, value: (task) => (task.binding ? stepName(task.binding.step, t) : ''), render: (task) => <span className="clip">{task.binding ? stepName(task.binding.step, t) : ''}</span> },
    { id: 'finish', title: t.field.finish, kind: 'date', width: 124, sortable: false, editable: never, value: (task) => task.schedule?.early_finish ?? null, render: (task) => <Day day={task.schedule?.early_finish ?? null} done /> },
    { id: 'slack', title: t.field.slack, kind: 'number', width: 90, align: 'right', sortable: false, editable: never, value: (task) => task.schedule?.slack_days ?? null, render: (task) => (task.schedule ? <span className={task.schedule.critical ? 'bad strong' : 'muted'}>{task.schedule.critical ? t.critical : t.days(task.schedule.slack_days)}</span> : null) },
    { id: 'accountable', title: t.field.accountable, kind: 'person', width: 150, editable: never, opens: always, value: (task) => task.raci.accountable, options: people, render: (task) => <PersonName id={task.raci.accountable} /> },
    { id: 'updated_at', title: t.field.updated_at, kind: 'text', width: 140, editable: never, value: (task) => new Date(task.updated_at / 1000).toISOString(), render: (task) => <span className="muted nowrap">{when(task.updated_at)}</span> },
  ];
}

const stepName = (step: string, t: Words) => (t.step as Record<string, string>)[step] ?? step;

/** The numbers of the tasks that come before. */
export function waitsFor(task: Task, store: WorkStore): string {
  return task.depends_on.map(({ task: id }) => store.known(id)?.number ?? null).map((number) => (number === null ? '…' : String(number))).join(', ');
}

function customColumns(store: WorkStore, t: Words): Column<Task>[] {
  return fieldsOf(store, t).filter((field) => field.custom).map((field) => ({
    id: field.id,
    title: field.name,
    kind: field.kind,
    width: field.kind === 'checkbox' ? 90 : 150,
    align: field.kind === 'number' ? ('right' as const) : undefined,
    options: field.options,
    editable: always,
    value: (task: Task) => task.fields[field.id] ?? null,
    render: (task: Task) => {
      const value = task.fields[field.id] ?? null;
      if (field.kind === 'checkbox') return <Checked on={value === true} label={value === true ? t.yes : t.no} />;
      if (value === null) return null;
      if (field.kind === 'person') return <PersonName id={String(value)} />;
      if (field.kind === 'date') return <Day day={String(value)} done />;
      if (field.kind === 'number') return <span>{dec(Number(value), 3)}</span>;
      if (field.kind === 'url') return <Link url={String(value)} />;
      const name = (id: string) => field.options?.find((option) => option.id === id)?.name ?? id;
      if (field.kind === 'multi' && Array.isArray(value)) return <Labels names={value.map(name)} />;
      if (field.kind === 'select') return <span className="badge">{name(String(value))}</span>;
      return <span className="clip">{String(value)}</span>;
    },
  }));
}

/** All columns in the reader's order, with the reader's widths. */
export function allColumns(store: WorkStore, t: Words, settings: Settings): Column<Task>[] {
  // Parts stand under their whole only in the order of work.
  const outlined = settings.sort.length === 0 && settings.group === null;
  const columns = [...ownColumns(store, t, outlined), ...customColumns(store, t)];
  const rank = (id: string) => {
    const at = settings.order.indexOf(id);
    return at < 0 ? settings.order.length + columns.findIndex((column) => column.id === id) : at;
  };
  return columns.sort((a, b) => rank(a.id) - rank(b.id)).map((column) => ({ ...column, width: settings.widths[column.id] ?? column.width }));
}

export const shownColumns = (all: Column<Task>[], settings: Settings) => all.filter((column) => !settings.hidden.includes(column.id));

// One task, opened at the side: what it is, who answers for it, what it waits for, why it has its status, what people
// said and what was changed.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { shortDay, today } from '@/grid/dates';
import { num, pct } from '@/i18n/format';
import { Button, Drawer, Icon, Menu, ProblemView, Skeleton, Time } from '@/ui';
import { work } from './api';
import { Attachments, Comments } from './Comments';
import { Dependencies } from './Dependencies';
import { fieldsOf, isBound, isWhole, PRIORITIES, STATUSES, setOf } from './fields';
import { History } from './History';
import { DayInput, ManyPeople, NumberInput, OnePerson, Pick, TextInput, ValueInput } from './inputs';
import { StatusWord, useLocale } from './parts';
import { usePulse, useStore, useTick } from './store';
import type { Raci, Task, TaskSet } from './types';
import { useWords } from './words';

export function TaskDrawer({ id, onClose, onOpen }: { id: string; onClose: () => void; onOpen: (id: string) => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  const pulse = usePulse();
  useTick();
  const query = useQuery({
    queryKey: ['work', 'task', id],
    queryFn: async () => {
      const task = await work.task(id);
      store.note([task]);
      return task;
    },
    placeholderData: () => store.known(id),
  });
  const { refetch } = query;
  useEffect(() => {
    if (pulse > 0) void refetch();
  }, [pulse, refetch]);
  useEffect(() => void work.at(id, null).catch(() => undefined), [id]);
  const task = query.data && store.seen(query.data);
  if (!task) {
    return <Drawer title={t.task} onClose={onClose}>{query.isError ? <ProblemView error={query.error} retry={() => void refetch()} /> : <><Skeleton width="70%" height={24} /><Skeleton height={120} /></>}</Drawer>;
  }
  return <Inside task={task} onClose={onClose} onOpen={onOpen} refetch={() => void refetch()} />;
}

function Inside({ task, onClose, onOpen, refetch }: { task: Task; onClose: () => void; onOpen: (id: string) => void; refetch: () => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  const [tab, setTab] = useState<'comments' | 'history'>('comments');
  const edit = (set: TaskSet) => store.edit(task, set);
  return (
    <Drawer title={[`T-${task.number}`, task.binding?.table].filter(Boolean).join(' · ')} onClose={onClose} wide actions={<TaskActions task={task} onClose={onClose} />}>
      <TitleInput task={task} />
      {task.gone && <p className="note warn-note">{t.goneWhy}</p>}
      <div className="drawer-columns">
        <div className="stack">
          <StatusBlock task={task} refetch={refetch} />
          <Description task={task} />
          <Part title={t.waitsFor}><Dependencies task={task} onOpen={onOpen} /></Part>
          <Part title={t.attachments}><Attachments task={task} /></Part>
          <div className="tabs" role="tablist" aria-label={t.talk}>
            <button type="button" role="tab" aria-selected={tab === 'comments'} onClick={() => setTab('comments')}>{t.comments}<span className="count">{num(task.comments)}</span></button>
            <button type="button" role="tab" aria-selected={tab === 'history'} onClick={() => setTab('history')}>{t.history}</button>
          </div>
          {tab === 'comments' ? <Comments task={task} /> : <History task={task} />}
        </div>
        <aside className="drawer-facts" aria-label={t.facts}>
          <Fact label={t.field.owner}><OnePerson value={task.owner} label={t.field.owner} onChange={(owner) => edit({ owner })} /></Fact>
          <Fact label={t.field.deadline}><DayInput value={task.deadline} label={t.field.deadline} onChange={(deadline) => edit({ deadline })} /></Fact>
          <Fact label={t.field.start}><DayInput value={task.start} label={t.field.start} onChange={(start) => edit({ start })} /></Fact>
          <Fact label={t.field.estimate_hours}><NumberInput value={task.estimate_hours} label={t.field.estimate_hours} onChange={(estimate_hours) => edit({ estimate_hours })} /></Fact>
          <Fact label={t.field.priority}><Pick value={task.priority} label={t.field.priority} options={PRIORITIES.map((id) => ({ id, name: t.priority[id] }))} onChange={(priority) => edit({ priority })} /></Fact>
          <Fact label={t.field.labels}><TextInput value={task.labels.join(', ')} label={t.field.labels} onChange={(text) => edit({ labels: [...new Set(text.split(',').map((word) => word.trim()).filter(Boolean))] })} /></Fact>
          <Fact label={t.kind}><Pick value={task.kind} label={t.kind} options={[{ id: 'task', name: t.task }, { id: 'milestone', name: t.milestone }]} onChange={(kind) => edit({ kind })} /></Fact>
          <RaciFacts task={task} onChange={(raci) => edit({ raci })} />
          {fieldsOf(store, t).filter((field) => field.custom).map((field) => (
            <Fact key={field.id} label={field.name}><ValueInput field={field} value={task.fields[field.id] ?? null} onChange={(value) => edit(setOf(field, value))} /></Fact>
          ))}
          <Forecasts task={task} />
        </aside>
      </div>
    </Drawer>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return <section className="section"><header><h3>{title}</h3></header>{children}</section>;
}

function Fact({ label, children }: { label: string; children: ReactNode }): ReactElement {
  return <div className="fact"><span className="fact-name">{label}</span><div className="fact-value">{children}</div></div>;
}

function TitleInput({ task }: { task: Task }): ReactElement {
  const store = useStore();
  const t = useWords();
  return <TextInput big value={task.title} label={t.field.title} onChange={(title) => title.trim() !== '' && store.edit(task, { title: title.trim() })} />;
}

function TaskActions({ task, onClose }: { task: Task; onClose: () => void }): ReactElement {
  const t = useWords();
  const store = useStore();
  const client = useQueryClient();
  const me = store.me;
  const watching = task.watchers.includes(me);
  const watch = () => void work.watch(task.id, !watching).then(() => { toast(watching ? t.unwatched : t.watched); void client.invalidateQueries({ queryKey: ['work', 'task', task.id] }); }).catch(toastProblem);
  const remove = () => void work.remove(task.id).then(() => { toast(t.deleted(task.number)); onClose(); store.pulseSoon(0); }).catch(toastProblem);
  return (
    <>
      <Button small kind="quiet" icon="eye" aria-pressed={watching} onClick={watch}>{watching ? t.watchingCount(task.watchers.length) : t.watch}</Button>
      <Menu small kind="quiet" iconOnly icon="more" label={t.taskActions} items={[
        { label: t.copyLink, icon: 'link', run: () => void navigator.clipboard.writeText(location.href).then(() => toast(t.linkCopied)) },
        { label: t.delete, icon: 'trash', danger: true, disabled: isBound(task) && !task.gone, hint: isBound(task) && !task.gone ? t.drafted : undefined, run: remove },
      ]} />
    </>
  );
}

/** A bound task's status with its evidence; another's to choose. */
function StatusBlock({ task, refetch }: { task: Task; refetch: () => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  if (!isBound(task)) {
    return (
      <div className="status-block">
        <Pick value={task.status} label={t.field.status} options={STATUSES.map((id) => ({ id, name: t.status[id] }))} onChange={(status) => store.edit(task, { status })} />
        <span className="small muted">{t.byHandWhy}</span>
      </div>
    );
  }
  const confirm = () => void work.confirm(task.id, true).then((done) => { store.note([done]); refetch(); store.pulseSoon(0); toast(t.confirmed); }).catch(toastProblem);
  return (
    <section className="evidence-box" aria-label={t.field.evidence}>
      <p className="row"><StatusWord task={task} />{task.progress !== null && task.status !== 'done' && <span className="muted">{pct(task.progress)}</span>}<span className="push small muted row"><Icon name="lock" />{isWhole(task) ? t.fromParts : t.boundShort}</span></p>
      {task.stale_because && <p className="warn">{t.staleBecause[task.stale_because as keyof typeof t.staleBecause] ?? task.stale_because}</p>}
      {task.evidence.length > 0 ? (
        <ol>{[...task.evidence].reverse().map((one) => <li key={`${one.entry}${one.kind}`}><a className="link" href={`/guard/log?entry=${one.entry}`}>{t.entry(num(one.entry))}</a><span>{one.text}</span><span className="push small muted"><Time at={one.at} /></span></li>)}</ol>
      ) : <p className="muted">{isWhole(task) ? t.wholeWhy : t.noEvidenceYet}</p>}
      {task.confirmable && task.status !== 'done' && <p><Button small icon="check" onClick={confirm}>{t.confirm}</Button> <span className="small muted">{t.confirmHint}</span></p>}
    </section>
  );
}

function Description({ task }: { task: Task }): ReactElement {
  const store = useStore();
  const t = useWords();
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <section className="section"><header><h3>{t.description}</h3><span className="push"><Button small kind="quiet" icon="pencil" onClick={() => setText(task.description)}>{t.edit}</Button></span></header>
        {task.description === '' ? <p className="muted">{t.noDescription}</p>
          // The server made this from Markdown and took out all that could run.
          : <div className="prose" dangerouslySetInnerHTML={{ __html: task.description_html }} />}
      </section>
    );
  }
  return (
    <section className="section"><header><h3>{t.description}</h3></header>
      <textarea className="input" rows={8} autoFocus aria-label={t.description} value={text} onChange={(event) => setText(event.target.value)} />
      <p className="row edit-foot"><span className="small muted push">{t.markdown}</span><Button small onClick={() => setText(null)}>{t.cancel}</Button><Button small kind="primary" onClick={() => { store.edit(task, { description: text }); setText(null); }}>{t.save}</Button></p>
    </section>
  );
}

function RaciFacts({ task, onChange }: { task: Task; onChange: (raci: Raci) => void }): ReactElement {
  const t = useWords();
  const { raci } = task;
  return (
    <>
      <Fact label={t.raci.accountable}><OnePerson value={raci.accountable} label={t.raci.accountable} onChange={(accountable) => onChange({ ...raci, accountable })} /></Fact>
      {(['responsible', 'consulted', 'informed'] as const).map((role) => (
        <Fact key={role} label={t.raci[role]}><ManyPeople value={raci[role]} label={t.raci[role]} onChange={(people) => onChange({ ...raci, [role]: people })} /></Fact>
      ))}
    </>
  );
}

function Forecasts({ task }: { task: Task }): ReactElement | null {
  const t = useWords();
  const locale = useLocale();
  const now = today();
  if (!task.schedule && task.risk === null) return null;
  return (
    <section className="section facts-part"><header><h3>{t.forecast}</h3></header>
      {task.risk !== null && task.deadline && <p>{t.riskSays(pct(task.risk, 0), shortDay(task.deadline, locale, now))}</p>}
      {task.schedule && <p className="muted">{t.scheduleSays(shortDay(task.schedule.early_start, locale, now), shortDay(task.schedule.early_finish, locale, now))} {task.schedule.critical ? t.criticalSays : t.slackSays(task.schedule.slack_days)}</p>}
    </section>
  );
}

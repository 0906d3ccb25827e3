// The short dialogs: the calendar feed, blackout days, templates, drafting from the plan, webhooks.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { shortDay, today } from '@/grid/dates';
import { num } from '@/i18n/format';
import { Button, Check, Copy, Dialog, Empty, Field, ProblemView, Skeleton, Time } from '@/ui';
import { work } from '../api';
import { useLocale } from '../parts';
import { useStore } from '../store';
import { useWords } from '../words';
import type { DialogProps } from './index';

export function FeedDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['work', 'feed'], queryFn: work.feed, retry: false });
  const [url, setUrl] = useState<string | null>(null);
  const again = () => void client.invalidateQueries({ queryKey: ['work', 'feed'] });
  const make = () => void work.makeFeed().then((made) => { setUrl(made.url); again(); }).catch(toastProblem);
  const revoke = () => void work.removeFeed().then(() => { setUrl(null); again(); toast(t.feedRevoked); }).catch(toastProblem);
  const shown = url ?? query.data?.url ?? null;
  const exists = shown !== null || Boolean(query.data?.since);
  return (
    <Dialog title={t.dialogs.feed} onClose={onClose} foot={exists ? <><Button kind="danger" onClick={revoke}>{t.revoke}</Button><Button onClick={make}>{t.newAddress}</Button></> : <Button kind="primary" onClick={make}>{t.makeFeed}</Button>}>
      <p>{t.feedHelp}</p>
      {query.isPending && <Skeleton height={32} />}
      {shown && <p className="row"><input className="input mono" readOnly aria-label={t.feedAddress} value={new URL(shown, location.origin).href} onFocus={(event) => event.target.select()} /><Copy text={new URL(shown, location.origin).href} label={t.copyAddress} /></p>}
      {!shown && exists && <p className="muted">{t.feedHidden}</p>}
      {query.data?.since && <p className="small muted">{t.feedSince} <Time at={query.data.since} /></p>}
    </Dialog>
  );
}

export function BlackoutsDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const locale = useLocale();
  const client = useQueryClient();
  const store = useStore();
  const query = useQuery({ queryKey: ['work', 'blackouts'], queryFn: work.blackouts });
  const [date, setDate] = useState('');
  const [why, setWhy] = useState('');
  const again = () => { void client.invalidateQueries({ queryKey: ['work', 'blackouts'] }); void client.invalidateQueries({ queryKey: ['work', 'calendar'] }); void client.invalidateQueries({ queryKey: ['work', 'timeline'] }); store.pulseSoon(0); };
  const add = () => void work.addBlackout(date, why).then(() => { setDate(''); setWhy(''); again(); }).catch(toastProblem);
  return (
    <Dialog title={t.blackouts} onClose={onClose} onSubmit={() => date !== '' && add()} foot={<Button kind="primary" type="submit" disabled={date === ''}>{t.addDay}</Button>}>
      <p className="muted">{t.blackoutsHelp}</p>
      {query.isError && <ProblemView error={query.error} />}
      <ul className="plain-list">{query.data?.map((one) => <li key={one.id ?? one.date}><b>{shortDay(one.date, locale, today())}</b><span className="clip">{one.why}</span>{one.id && <span className="push"><Button small kind="quiet" iconOnly icon="trash" aria-label={t.removeDay(shortDay(one.date, locale, today()))} onClick={() => void work.removeBlackout(one.id as string).then(again).catch(toastProblem)} /></span>}</li>)}</ul>
      <div className="pair"><Field label={t.day} type="date" value={date} onChange={(event) => setDate(event.target.value)} /><Field label={t.why} value={why} onChange={(event) => setWhy(event.target.value)} /></div>
    </Dialog>
  );
}

export function TemplatesDialog({ settings, onClose }: DialogProps): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const store = useStore();
  const query = useQuery({ queryKey: ['work', 'templates'], queryFn: work.templates });
  const [start, setStart] = useState(today());
  const [name, setName] = useState('');
  const apply = (id: string) => void work.applyTemplate(id, start).then(() => { toast(t.templateApplied); store.pulseSoon(0); onClose(); }).catch(toastProblem);
  const save = () => void makeTemplate(name.trim(), settings.filter).then((count) => { toast(t.templateSaved(name.trim(), count)); setName(''); return client.invalidateQueries({ queryKey: ['work', 'templates'] }); }).catch(toastProblem);
  return (
    <Dialog title={t.dialogs.templates} onClose={onClose} onSubmit={() => name.trim() !== '' && save()}>
      <Field label={t.templateStart} type="date" value={start} onChange={(event) => setStart(event.target.value)} />
      {query.isError && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {query.data?.length === 0 && <Empty title={t.noTemplates}>{t.noTemplatesHelp}</Empty>}
      <ul className="plain-list">{query.data?.map((one) => <li key={one.id}><b className="clip">{one.name}</b><span className="muted small">{t.tasks(one.tasks.length, num(one.tasks.length))}</span><span className="push"><Button small disabled={start === ''} onClick={() => apply(one.id)}>{t.apply}</Button></span></li>)}</ul>
      <section className="section"><header><h3>{t.saveTemplate}</h3></header>
        <p className="small muted">{t.saveTemplateHelp}</p>
        <div className="row"><Field hideLabel label={t.name} placeholder={t.name} value={name} maxLength={80} onChange={(event) => setName(event.target.value)} /><Button type="submit" disabled={name.trim() === ''}>{t.save}</Button></div>
      </section>
    </Dialog>
  );
}

/** The tasks that the filter leaves, with their days counted from the earliest, and what waits for what among them. */
async function makeTemplate(name: string, filter: DialogProps['settings']['filter']): Promise<number> {
  const { filterJson } = await import('../filter');
  const { dayNumber } = await import('@/grid/dates');
  const { rows } = await work.tasks({ q: filter.q || undefined, filter: filterJson(filter), limit: 200 });
  const days = rows.flatMap((task) => [task.start, task.deadline]).filter((day): day is string => day !== null).sort();
  const first = days[0];
  const after = (day: string | null) => (day && first ? dayNumber(day) - dayNumber(first) : null);
  const place = new Map(rows.map((task, index) => [task.id, index]));
  await work.createTemplate({
    name,
    tasks: rows.map((task) => ({
      title: task.title,
      description: task.description,
      start_after: after(task.start),
      due_after: after(task.deadline),
      estimate_hours: task.estimate_hours,
      labels: task.labels,
      after: task.depends_on.map((one) => place.get(one.task)).filter((index): index is number => index !== undefined),
      part_of: task.parent ? (place.get(task.parent) ?? null) : null,
    })),
  });
  return rows.length;
}

export function DraftDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const store = useStore();
  const [busy, setBusy] = useState(false);
  const draft = async () => {
    setBusy(true);
    try {
      const made = await work.draft();
      toast(t.draftedSays(num(made.added.length), num(made.kept), num(made.gone.length)));
      store.pulseSoon(0);
      onClose();
    } catch (error) {
      toastProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t.dialogs.draft} onClose={onClose} foot={<><Button onClick={onClose}>{t.cancel}</Button><Button kind="primary" disabled={busy} onClick={() => void draft()}>{t.draftNow}</Button></>}>
      <p>{t.draftHelp}</p>
      <p className="muted">{t.draftKeeps}</p>
    </Dialog>
  );
}

const EVENTS = ['task', 'comment'] as const;

export function WebhooksDialog({ onClose }: DialogProps): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['work', 'webhooks'], queryFn: work.webhooks, retry: false });
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<string[]>([...EVENTS]);
  const [secret, setSecret] = useState<string | null>(null);
  const again = () => void client.invalidateQueries({ queryKey: ['work', 'webhooks'] });
  const add = () => void work.createWebhook(url, events).then((made) => { setSecret(made.secret ?? null); setUrl(''); again(); }).catch(toastProblem);
  return (
    <Dialog title={t.dialogs.webhooks} onClose={onClose} onSubmit={() => url !== '' && events.length > 0 && add()} foot={<Button kind="primary" type="submit" disabled={url === '' || events.length === 0}>{t.addWebhook}</Button>}>
      <p className="muted">{t.webhooksHelp}</p>
      {query.isError && <ProblemView error={query.error} />}
      <ul className="plain-list">{query.data?.map((one) => <li key={one.id}><span className="mono clip">{one.url}</span><span className="small muted">{one.events.map((name) => t.event[name as keyof typeof t.event] ?? name).join(', ')}</span><span className="push"><Button small kind="quiet" iconOnly icon="trash" aria-label={t.removeWebhook(one.url)} onClick={() => void work.removeWebhook(one.id).then(again).catch(toastProblem)} /></span></li>)}</ul>
      {secret && <div className="note warn-note"><p>{t.secretOnce}</p><p className="row"><code className="mono clip">{secret}</code><Copy text={secret} label={t.copySecret} /></p></div>}
      <Field label={t.address} type="url" placeholder="https://" value={url} onChange={(event) => setUrl(event.target.value)} />
      <div className="row wrap">{EVENTS.map((one) => <Check key={one} label={t.event[one]} checked={events.includes(one)} onChange={() => setEvents((before) => (before.includes(one) ? before.filter((other) => other !== one) : [...before, one]))} />)}</div>
    </Dialog>
  );
}

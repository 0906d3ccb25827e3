// The tasks that come before this one: links, the days between, a search to add one.
import { useQueries, useQuery } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { Button } from '@/ui';
import { work } from './api';
import { StatusMark } from './parts';
import { useStore } from './store';
import type { Task } from './types';
import { useWords } from './words';

export function Dependencies({ task, onOpen }: { task: Task; onOpen: (id: string) => void }): ReactElement {
  const t = useWords();
  const store = useStore();
  const [words, setWords] = useState('');
  const missing = task.depends_on.filter(({ task: id }) => !store.known(id));
  useQueries({ queries: missing.map(({ task: id }) => ({ queryKey: ['work', 'task', id], queryFn: async () => { const one = await work.task(id); store.note([one]); store.draw(); return one; } })) });
  const found = useQuery({ queryKey: ['work', 'find', words], queryFn: () => work.tasks({ q: words, limit: 8 }), enabled: words.trim().length > 1 });
  const add = (other: Task) => {
    store.note([other]);
    store.edit(task, { depends_on: [...task.depends_on, { task: other.id, lag_days: 0 }] });
    setWords('');
  };
  const lag = (id: string, days: number) => store.edit(task, { depends_on: task.depends_on.map((one) => (one.task === id ? { ...one, lag_days: days } : one)) });
  const choices = (found.data?.rows ?? []).filter((one) => one.id !== task.id && !task.depends_on.some((held) => held.task === one.id));
  return (
    <div className="depends">
      <ul>
        {task.depends_on.map(({ task: id, lag_days }) => {
          const other = store.known(id);
          return (
            <li key={id}>
              {other && <StatusMark status={other.status} />}
              <button type="button" className="link clip" onClick={() => onOpen(id)}>{other ? `T-${other.number} ${other.title}` : t.loading}</button>
              <label className="small muted push lag">{t.lag} <input type="number" className="bare" value={lag_days} onChange={(event) => lag(id, Number(event.target.value) || 0)} aria-label={t.lagOf(other?.number ?? 0)} /></label>
              <Button small kind="quiet" iconOnly icon="close" aria-label={t.removeDependency(other?.number ?? 0)} onClick={() => store.edit(task, { depends_on: task.depends_on.filter((one) => one.task !== id) })} />
            </li>
          );
        })}
      </ul>
      <input className="input" type="search" value={words} placeholder={t.addDependency} aria-label={t.addDependency} onChange={(event) => setWords(event.target.value)} />
      {words.trim().length > 1 && choices.length > 0 && <ul className="choose">{choices.map((one) => <li key={one.id}><button type="button" onClick={() => add(one)}><StatusMark status={one.status} /><span className="muted small mono">T-{one.number}</span><span className="clip">{one.title}</span></button></li>)}</ul>}
    </div>
  );
}

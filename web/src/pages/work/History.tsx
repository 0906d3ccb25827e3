// Who changed what and when, the newest first, each with undo.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { Button, ProblemView, Skeleton, Time } from '@/ui';
import { work } from './api';
import { fieldsOf } from './fields';
import { PersonName } from './parts';
import { useStore } from './store';
import type { Change, Task } from './types';
import { useWords } from './words';

export function History({ task }: { task: Task }): ReactElement {
  const t = useWords();
  const store = useStore();
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['work', 'task', task.id, 'history', task.version], queryFn: () => work.history(task.id), placeholderData: (before: Change[] | undefined) => before });
  const undo = (change: string) => void work.undo(change).then(() => { toast(t.undone); store.pulseSoon(0); void client.invalidateQueries({ queryKey: ['work', 'task', task.id] }); }).catch(toastProblem);
  const fields = fieldsOf(store, t);
  const name = (id: string) => fields.find((field) => field.id === id || `fields.${field.id}` === id)?.name ?? (t.field as Record<string, string>)[id] ?? (id === '' ? t.task : id);
  const say = (field: string, value: unknown): string => {
    if (value === null || value === undefined || value === '') return t.none;
    const info = fields.find((one) => one.id === field || `fields.${one.id}` === field);
    const one = (id: unknown) => info?.options?.find((option) => option.id === id)?.name ?? String(id);
    if (Array.isArray(value)) return value.every((part) => typeof part === 'string') ? value.map(one).join(', ') || t.none : t.listOf(value.length);
    return typeof value === 'object' ? t.changedValue : one(value);
  };
  if (query.isError && !query.data) return <ProblemView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton height={80} />;
  if (query.data.length === 0) return <p className="muted">{t.noHistory}</p>;
  return (
    <ol className="history">
      {query.data.map((line, index) => (
        <li key={`${line.change}${line.field}${index}`}>
          <PersonName id={line.by} />
          <span className="history-what"><b>{name(line.field)}</b> <span className="muted"><s>{say(line.field, line.from)}</s></span> → {say(line.field, line.to)}</span>
          <span className="small muted push"><Time at={line.at} /></span>
          <Button small kind="quiet" icon="undo" onClick={() => undo(line.change)} aria-label={t.undoOf(name(line.field))}>{t.undo}</Button>
        </li>
      ))}
    </ol>
  );
}

// My work: the caller's tasks by how soon they matter, with what may be done to each at once.
import { useQuery } from '@tanstack/react-query';
import { useEffect, type ReactElement } from 'react';
import { num } from '@/i18n/format';
import { Button, Empty, ProblemView, SkeletonRows } from '@/ui';
import { work } from './api';
import { isBound } from './fields';
import type { ViewProps } from './index';
import { Day, Evidence, Risk, StatusWord } from './parts';
import { usePulse, useStore, useTick } from './store';
import type { Task, Urgency } from './types';
import { useWords } from './words';

const PARTS = ['overdue', 'today', 'this_week', 'waiting_for_me', 'later'] as const;

export function MineView({ open }: ViewProps): ReactElement {
  const t = useWords();
  const store = useStore();
  const pulse = usePulse();
  useTick();
  const query = useQuery({
    queryKey: ['work', 'mine'],
    queryFn: async () => {
      const mine = await work.mine();
      store.note(mine.map((one) => one.task));
      return mine;
    },
  });
  const { refetch } = query;
  useEffect(() => {
    if (pulse > 0) void refetch();
  }, [pulse, refetch]);
  if (query.isError && !query.data) return <div className="work-pad"><ProblemView error={query.error} retry={() => void refetch()} /></div>;
  if (!query.data) return <div className="work-pad"><SkeletonRows rows={8} columns={4} /></div>;
  const mine = query.data;
  if (mine.length === 0) return <div className="work-pad"><Empty title={t.mineEmpty}>{t.mineEmptyHelp}</Empty></div>;
  return (
    <div className="work-pad mine">
      {PARTS.map((part) => <Part key={part} part={part} tasks={mine.filter((one) => one.urgency === part).map((one) => store.seen(one.task))} open={open} />)}
    </div>
  );
}

function Part({ part, tasks, open }: { part: Urgency; tasks: Task[]; open: (id: string) => void }): ReactElement | null {
  const t = useWords();
  const store = useStore();
  if (tasks.length === 0) return null;
  return (
    <section className="section" aria-label={t.minePart[part]}>
      <header><h2 className={part === 'overdue' ? 'bad' : undefined}>{t.minePart[part]}</h2><span className="muted">{t.tasks(tasks.length, num(tasks.length))}</span></header>
      <ul className="mine-list">
        {tasks.map((task) => (
          <li key={task.id}>
            <button type="button" className="mine-title" onClick={() => open(task.id)}><span className="muted small mono">T-{task.number}</span><span className="clip">{task.title}</span></button>
            <span className="mine-status"><StatusWord task={task} /></span>
            <span className="mine-due"><Day day={task.deadline} /></span>
            <span className="mine-risk"><Risk risk={task.risk} /></span>
            <span className="mine-act">
              {isBound(task) ? <span className="small muted clip" onClick={() => open(task.id)}><Evidence task={task} /></span>
                : task.status === 'done' ? null
                  : <Button small onClick={() => store.edit(task, { status: task.status === 'open' ? 'doing' : 'done' })}>{task.status === 'open' ? t.begin : t.markDone}</Button>}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

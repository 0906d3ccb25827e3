// The run that goes on now: how far it is, how fast, how long it still takes, and the way to pause it.
import { api, body } from '@/api/client';
import type { RunDetail, SplitState } from '@/api/types';
import { toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, span, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { overview as en } from '@/messages/overview.en';
import { Button, Link, Num, Splits } from '@/ui';

const act = (run: string, what: 'pause' | 'resume') => {
  const params = { params: { path: { run } } };
  void body(what === 'pause' ? api.POST('/api/v1/runs/{run}/pause', params) : api.POST('/api/v1/runs/{run}/resume', params)).catch(toastProblem);
};

export function RunStrip({ run, strip }: { run: RunDetail; strip?: SplitState[] }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const p = run.progress;
  const left = p && p.rows_expected && p.rows_per_second > 0 ? (p.rows_expected - p.rows) / p.rows_per_second : null;
  const done = p?.tables.reduce((n, x) => n + x.splits_done, 0) ?? 0;
  const all = p?.tables.reduce((n, x) => n + x.splits, 0) ?? 0;
  return (
    <section className="run-strip" aria-label={c.runs}>
      <div className="row">
        {run.status === 'running' && <span className="pulse" />}
        <span><Link to="/runs/$run" params={{ run: run.id }} className="link"><b>{run.kind === 'rehearse' ? c.kindRehearse : c.kindLoad}</b></Link>{' '}
          <span className="muted">{run.status === 'waiting' && p?.waits_until ? t.waitsUntil(when(p.waits_until)) : run.status === 'running' && p ? words.status(p.phase) : words.status(run.status)}</span></span>
      </div>
      <Splits done={done} all={all} now={run.status === 'running'} label={t.splitsSay(done, all)} strip={strip} />
      <dl>
        {p && <div><dt>{t.read}</dt><dd><Num n={p.rows} to="/runs/$run" params={{ run: run.id }} />{p.rows_expected ? ` / ${num(p.rows_expected)}` : ''}</dd></div>}
        {p && run.status === 'running' && <div><dt>{t.rate}</dt><dd>{c.rowsPerSecond(num(p.rows_per_second))}</dd></div>}
        {left !== null && run.status === 'running' && <div><dt>{t.left}</dt><dd>{span(left)}</dd></div>}
      </dl>
      {run.status === 'running' || run.status === 'waiting'
        ? <Button small icon="pause" onClick={() => act(run.id, 'pause')}>{t.pause}</Button>
        : <Button small kind="primary" icon="play" onClick={() => act(run.id, 'resume')}>{t.resume}</Button>}
    </section>
  );
}

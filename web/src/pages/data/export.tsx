// Rows taken away as a file: under a grant, for a reason, through the gate; with progress, and an end when one wants it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker, useSearch } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { ProblemError } from '@/api/client';
import { planQuery, recordQuery, runQuery, runsQuery } from '@/api/queries';
import { useRunTables } from '@/app/results';
import { useIf } from '@/app/session';
import { useMessages } from '@/i18n';
import { bytes, num, pct, span, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { data as dataEn } from '@/messages/data.en';
import { exporting as en } from '@/messages/export.en';
import { Area, Button, ButtonLink, Check, Choice, Field, Icon, Link, ProblemView, Section, total } from '@/ui';
import { DataFrame } from './frame';
import { saveFile } from './save-file';
import { take, type Format, type Progress } from './taking';

interface Asked { table: string; side: 'source' | 'target'; format: Format; limit: string; clear: boolean; category: string; text: string; task: string }
type State = { is: 'idle' } | { is: 'going'; progress: Progress | null } | { is: 'done'; progress: Progress; name: string } | { is: 'stopped'; progress: Progress | null } | { is: 'failed'; error: unknown };

/** How many rows a side of a table has, where the last load has said it. */
function useExpected(table: string, side: 'source' | 'target'): number | null {
  const load = useIf('run.read', runsQuery).data?.items.find((r) => r.kind === 'load');
  const run = useQuery({ ...runQuery(load?.id ?? ''), enabled: Boolean(load) }).data;
  const counts = useRunTables(run).tables?.find((x) => x.table === table)?.counts;
  return counts ? (side === 'target' ? counts.loaded : total(counts)) : null;
}

export function ExportPage() {
  const t = useMessages(en);
  const d = useMessages(dataEn);
  const c = useMessages(common);
  const client = useQueryClient();
  const given = useSearch({ strict: false }) as { table?: string; task?: string };
  const tables = useIf('plan.read', planQuery).data?.data.plan?.tables ?? [];
  const grants = useQuery(recordQuery).data?.grants.filter((g) => g.action === 'export') ?? [];
  const [form, setForm] = useState<Asked>({ table: given.table ?? '', side: 'target', format: 'csv', limit: '', clear: false, category: 'support', text: '', task: given.task ?? '' });
  const [state, setState] = useState<State>({ is: 'idle' });
  const [tried, setTried] = useState(false);
  const stop = useRef<AbortController>(null);
  const set = (part: Partial<Asked>) => setForm((f) => ({ ...f, ...part }));
  const table = form.table || grants[0]?.table || tables[0]?.to || '';
  const grant = grants.find((g) => g.table === table);
  const task = form.task || grant?.task || '';
  const limit = Number(form.limit);
  const expected = useExpected(table, form.side);
  const all = expected === null ? null : limit > 0 ? Math.min(limit, expected) : expected;
  const going = state.is === 'going';
  useEffect(() => () => stop.current?.abort(), []);
  useBlocker({ shouldBlockFn: () => going && !window.confirm(t.leave), enableBeforeUnload: () => going });
  const start = () => {
    setTried(true);
    if (!table || !form.text.trim() || going) return;
    const abort = new AbortController();
    stop.current = abort;
    setState({ is: 'going', progress: null });
    const asked = { table, side: form.side, format: form.format, clear: form.clear, purpose: { category: form.category, text: form.text.trim() }, task: task || undefined, limit: limit > 0 ? limit : undefined };
    let last: Progress | null = null;
    take(asked, form.format, abort.signal, (progress) => { last = progress; setState({ is: 'going', progress }); }).then(
      ({ parts, progress, name }) => {
        saveFile(parts, name, form.format === 'csv' ? 'text/csv' : 'application/jsonl');
        setState({ is: 'done', progress, name });
        void client.invalidateQueries({ queryKey: ['presence'] });
      },
      (error: unknown) => setState(abort.signal.aborted ? { is: 'stopped', progress: last } : { is: 'failed', error }),
    );
  };
  return (
    <DataFrame>
      <div className="columns wide" style={{ marginTop: 0 }}>
        <form className="stack" style={{ gap: 16, maxWidth: 640 }} noValidate onSubmit={(e) => { e.preventDefault(); start(); }}>
          <p className="muted">{t.text}</p>
          <fieldset className="stack" style={{ gap: 16 }} disabled={going}>
            <div className="pair">
              <Choice label={d.table} value={table} onChange={(e) => set({ table: e.target.value })} options={[...new Set([...tables.map((x) => x.to), ...grants.map((g) => g.table)])].map((x) => ({ value: x, label: x }))} />
              <Choice label={d.side} value={form.side} onChange={(e) => set({ side: e.target.value as Asked['side'] })} options={[{ value: 'target', label: d.sideTarget }, { value: 'source', label: d.sideSource }]} />
            </div>
            <div className="pair">
              <Choice label={t.format} hint={form.format === 'csv' ? t.csvHint : t.jsonlHint} value={form.format} onChange={(e) => set({ format: e.target.value as Format })} options={[{ value: 'csv', label: 'CSV' }, { value: 'jsonl', label: 'JSONL' }]} />
              <Field label={t.limit} hint={t.limitHint} type="number" min={1} inputMode="numeric" value={form.limit} onChange={(e) => set({ limit: e.target.value })} />
            </div>
            <Check label={<>{t.clear} <span className="muted small">{t.clearHint}</span></>} checked={form.clear} onChange={(e) => set({ clear: e.target.checked })} />
            <Choice label={d.category} value={form.category} onChange={(e) => set({ category: e.target.value })} options={Object.entries(d.categories).map(([value, label]) => ({ value, label }))} />
            <Area label={c.reasonText} hint={c.reasonTextHint} wrong={tried && !form.text.trim() ? c.reasonNeeded : null} value={form.text} onChange={(e) => set({ text: e.target.value })} />
            <Field label={d.task} hint={d.taskHint} value={task} onChange={(e) => set({ task: e.target.value })} />
          </fieldset>
          <p className="row wrap">
            {going ? <Button icon="close" onClick={() => stop.current?.abort()}>{t.stop}</Button> : <Button kind="primary" type="submit" icon="download" disabled={!table}>{t.start}</Button>}
            {!going && all !== null && <span className="small muted">{t.expected(num(all))}</span>}
          </p>
          <Outcome state={state} all={all} />
        </form>
        <Section title={t.grants}>
          {grants.length === 0 ? <p className="muted">{t.grantsNone}</p> : (
            <ul className="changes">{grants.map((g) => (
              <li key={g.id}><button type="button" className="opens" onClick={() => set({ table: g.table, task: g.task })}><b>{g.table}</b></button> <span className="muted">{g.task}{g.until ? `, ${t.until(when(g.until))}` : ''}</span></li>
            ))}</ul>
          )}
          <p className="small muted" style={{ marginTop: 8 }}>{t.grantsText}</p>
          <p style={{ marginTop: 10 }}><ButtonLink small to="/guard/grants">{t.toGrants}</ButtonLink></p>
        </Section>
      </div>
    </DataFrame>
  );
}

/** How far it is, or how it ended. */
function Outcome({ state, all }: { state: State; all: number | null }) {
  const t = useMessages(en);
  if (state.is === 'idle') return null;
  if (state.is === 'going') {
    const p = state.progress;
    const seconds = p ? Math.max(0.2, (p.now - p.started) / 1000) : 0;
    const rate = p ? p.rows / seconds : 0;
    const share = p && all ? Math.min(1, p.rows / all) : null;
    return (
      <div role="status" className="stack" style={{ gap: 6 }}>
        {share !== null && <progress className="progress" max={1} value={share} aria-label={t.progress}>{pct(share, 0)}</progress>}
        <p><b>{p ? t.soFar(num(p.rows), bytes(p.bytes)) : t.asking}</b> {p && <span className="muted">{t.rate(num(rate))}{all && rate > 0 ? `, ${t.left(span((all - p.rows) / rate))}` : ''}</span>}</p>
      </div>
    );
  }
  if (state.is === 'done') return <p role="status" className="good"><Icon name="check" /> {t.done(state.name, num(state.progress.rows), bytes(state.progress.bytes))} <Link to="/guard/log" search={{ kind: 'access_opened,access_closed' } as never} className="link">{t.inLog}</Link></p>;
  if (state.is === 'stopped') return <p role="status" className="note">{state.progress ? t.stopped(num(state.progress.rows)) : t.stoppedEarly}</p>;
  const problem = state.error instanceof ProblemError ? state.error.problem : null;
  if (problem?.code === 'broken_off') return <div className="problem" role="alert"><p className="title">{t.brokenOff}</p><p>{t.brokenOffText}</p></div>;
  return (
    <div className="stack" style={{ gap: 8 }}>
      <ProblemView error={state.error} />
      {problem?.status === 403 && <p className="small muted">{t.refusedText}</p>}
    </div>
  );
}

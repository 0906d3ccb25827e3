// A decision on rows that wait: tried first on all of them, with what their values would become; then made, or put into
// the plan, so that the next run makes it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { dataSchemaQuery, planQuery } from '@/api/queries';
import type { Opened, Plan, QuarantineGroup, WouldDecide } from '@/api/types';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { data as en } from '@/messages/data.en';
import { SaveNotes, usePlanSave } from '@/pages/plan/save';
import { Button, Choice, Dialog, Field, ProblemView } from '@/ui';
import { discardAsPlan, fixAsPlan, sourceColumns, sourceOf, type Mistake } from './mistakes';
import { OpenedRows } from './opened';

export type Decision = 'fix' | 'release' | 'discard';

export function DecideDialog({ mistake, groups, decision, onClose, onDone }: { mistake: Mistake; groups: QuarantineGroup[]; decision: Decision; onClose: () => void; onDone: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const may = useMay();
  const client = useQueryClient();
  const plan = useQuery(planQuery).data?.data.plan as Plan | undefined;
  const store = useQuery(dataSchemaQuery).data?.tables.find((x) => x.to === mistake.table)?.source?.columns;
  const columns = sourceColumns(plan, mistake.table, store);
  const atFault = sourceOf(plan, mistake.table, mistake.column, store) ?? columns[0] ?? '';
  const [fixes, setFixes] = useState<{ column: string; sql: string }[]>([{ column: '', sql: '' }]);
  const [word, setWord] = useState('');
  const rows = groups.reduce((n, g) => n + g.rows, 0);
  const n = num(rows);
  // Until somebody chooses, a fix is of the column at fault, which is known once the plan is.
  const given = fixes.map((f) => ({ column: f.column || atFault, sql: f.sql.trim() })).filter((f) => f.column && f.sql);
  const chosen = { groups: groups.map((g) => g.group), decision, fix: decision === 'fix' ? Object.fromEntries(given.map((f) => [f.column, f.sql])) : {} };
  const preview = useMutation({ mutationFn: () => body<WouldDecide>(api.POST('/api/v1/quarantine/preview', { body: chosen })) });
  const sample = useMutation({
    mutationFn: () => body<Opened>(api.POST('/api/v1/quarantine/{group}/rows', { params: { path: { group: groups[0]?.group ?? '' } }, body: { limit: 10, offset: 0, clear: false, fix: chosen.fix } as never })),
  });
  const decide = useMutation({
    mutationFn: () => body<{ rows: number; left: number }>(api.POST('/api/v1/quarantine/decide', { body: chosen })),
    onSuccess: (done) => { toast(done.left ? t.decided(num(done.rows), num(done.left)) : t.decidedAll(num(done.rows))); void client.invalidateQueries({ queryKey: ['quarantine'] }); void client.invalidateQueries({ queryKey: ['overview'] }); onClose(); onDone(); },
    onError: toastProblem,
  });
  const stepsOf = (now: Plan) => {
    const [one] = given;
    if (decision === 'discard') return discardAsPlan(now, mistake.table, mistake.reason);
    return decision === 'fix' && given.length === 1 && one ? fixAsPlan(now, mistake.table, one.column, one.sql, store) : null;
  };
  const planned = usePlanSave<null>({ opened: null, read: () => null, make: (now) => { const steps = stepsOf(now); return steps && { steps }; }, done: () => { onClose(); onDone(); } });
  const couldPlan = Boolean(plan && may('plan.edit') && stepsOf(plan));
  const change = (at: number, part: Partial<{ column: string; sql: string }>) => { setFixes(fixes.map((x, i) => (i === at ? { ...x, ...part } : x))); preview.reset(); sample.reset(); };
  const title = { fix: t.fix, release: t.releaseTitle(n), discard: t.discardTitle(n) }[decision];
  const ready = decision === 'fix' ? given.length > 0 : decision === 'discard' ? word.trim().toLowerCase() === t.discardWord : true;
  const submitWords = { fix: t.fixSubmit(n), release: t.releaseSubmit(n), discard: t.discardSubmit(n) }[decision];
  return (
    <Dialog title={title} wide={decision === 'fix'} onClose={onClose} onSubmit={() => { if (ready && !decide.isPending) decide.mutate(); }}
      foot={<>{decision !== 'discard' && <Button disabled={!ready || preview.isPending} onClick={() => preview.mutate()}>{preview.isPending ? t.previewBusy : t.preview}</Button>}<Button onClick={onClose}>{c.cancel}</Button><Button kind={decision === 'discard' ? 'danger' : 'primary'} solid={decision === 'discard'} type="submit" disabled={!ready || decide.isPending}>{submitWords}</Button></>}>
      {decision === 'fix' && (
        <>
          <p>{t.fixText}</p>
          {fixes.map((f, i) => (
            <div key={i} style={{ display: 'grid', gridTemplateColumns: 'minmax(0,2fr) minmax(0,3fr)', gap: 8 }}>
              {columns.length ? <Choice label={t.fixColumn} value={f.column || atFault} onChange={(e) => change(i, { column: e.target.value })} options={columns.map((x) => ({ value: x, label: x }))} />
                : <Field label={t.fixColumn} value={f.column} onChange={(e) => change(i, { column: e.target.value })} />}
              <Field label={t.fixSql} className="input mono" spellCheck={false} autoComplete="off" value={f.sql} onChange={(e) => change(i, { sql: e.target.value })} />
            </div>
          ))}
          <p><button type="button" className="link small" onClick={() => setFixes([...fixes, { column: columns.find((x) => !fixes.some((f) => (f.column || atFault) === x)) ?? '', sql: '' }])}>{t.fixAdd}</button></p>
        </>
      )}
      {preview.data && <Preview of={preview.data} />}
      {preview.isError && <ProblemView error={preview.error} />}
      {preview.data && decision === 'fix' && !sample.data && <p><Button small icon="table" disabled={sample.isPending} onClick={() => sample.mutate()}>{t.sample}</Button> <span className="small muted">{t.sampleText}</span></p>}
      {sample.isError && <ProblemView error={sample.error} />}
      {sample.data && <OpenedRows opened={sample.data} label={t.sample} />}
      {decision === 'release' && <p>{t.releaseText(n, mistake.table)}</p>}
      {decision === 'discard' && <><p>{t.discardText(n, mistake.table)}</p><Field label={t.discardType(t.discardWord)} autoComplete="off" value={word} onChange={(e) => setWord(e.target.value)} /></>}
      {couldPlan && <p className="small muted">{decision === 'fix' ? t.planFix : t.planDiscard} <button type="button" className="link" disabled={planned.busy} onClick={() => planned.save()}>{t.intoPlan}</button></p>}
      <SaveNotes of={planned} dirty={false} shown={() => null} />
    </Dialog>
  );
}

/** What a decision would come to, before it is made. */
function Preview({ of }: { of: WouldDecide }) {
  const t = useMessages(en);
  const words = useWords();
  const waiting = Object.entries(of.waiting).sort((a, b) => b[1] - a[1]);
  const shape = (text: string | null) => (text === null ? <span className="muted">NULL</span> : <code className="masked">{text === '' ? '“”' : text}</code>);
  return (
    <div className="note" role="status">
      <p><b>{t.wouldLoad(num(of.released), num(of.rows))}</b></p>
      {waiting.map(([reason, n]) => <p key={reason} className="muted">{t.wouldWait(num(n), words.reason(reason))}</p>)}
      {of.children > 0 && <p className="muted">{t.wouldFree(num(of.children))}</p>}
      {of.shapes.length > 0 && (
        <div className="table-scroll" style={{ marginTop: 8, maxHeight: 240 }}>
          <table className="table">
            <caption className="vh">{t.changes}</caption>
            <thead><tr><th scope="col">{t.column}</th><th scope="col">{t.before}</th><th scope="col">{t.after}</th><th scope="col" className="num">{t.rows}</th></tr></thead>
            <tbody>{of.shapes.slice(0, 20).map((s, i) => <tr key={i}><td className="mono">{s.column}</td><td>{shape(s.before)}</td><td>{s.failed ? <span className="warn">{t.fails}</span> : shape(s.after)}</td><td className="num">{num(s.rows)}</td></tr>)}</tbody>
          </table>
        </div>
      )}
    </div>
  );
}

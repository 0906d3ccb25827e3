// Starting a run or a rehearsal: says what will happen in numbers before it does.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { ProblemError, api, body } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { Items, Run } from '@/api/types';
import { sentence, toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { Area, Button, ButtonLink, Check, Choice, Dialog, Field } from '@/ui';

/** At most twenty tries: the last would wait a quarter of an hour as it is. */
const clamp = (typed: string): string => (typed.replace(/\D/g, '') ? String(Math.min(20, Number(typed.replace(/\D/g, '').slice(0, 3)))) : '');

/** The id is given before the run is in the state: opening the stores takes a moment. Waits for it, at most 20 s. */
async function known(id: string): Promise<void> {
  for (let i = 0; i < 40; i += 1) {
    const runs = await body<Items<Run>>(api.GET('/api/v1/runs'));
    if (runs.items.some((r) => r.id === id)) return;
    await new Promise((go) => setTimeout(go, 500));
  }
}

/** `only` is a table to do again. Where the run that goes on is the one on the page, nothing closes the dialog but `onStarted`. */
export function StartDialog({ rehearse, only, onClose, onStarted }: { rehearse: boolean; only?: string; onClose: () => void; onStarted?: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const navigate = useNavigate();
  const plan = useQuery(planQuery).data?.data;
  const [table, setTable] = useState(only ?? '');
  const [retry, setRetry] = useState('3');
  const [jobs, setJobs] = useState('');
  const [now, setNow] = useState(false);
  const [category, setCategory] = useState('urgent');
  const [why, setWhy] = useState('');
  const [busy, setBusy] = useState(false);
  const [tried, setTried] = useState(false);
  const [untold, setUntold] = useState('');
  const tables = plan?.plan?.tables ?? [];
  const targets = [...new Set(tables.map((x) => x.to.split('.')[0]))].join(', ');
  const which = table || t.allTables(tables.length);
  const guarded = !rehearse && Object.entries(plan?.plan?.stores ?? {}).some(([name, s]) => s.protected && targets.includes(name));
  const submit = () => {
    setTried(true);
    if (!plan?.fingerprint || (now && !why.trim())) return;
    setBusy(true);
    body<{ id: string }>(api.POST('/api/v1/runs', { body: {
      fingerprint: plan.fingerprint, rehearse, table: table || undefined, jobs: jobs ? Number(jobs) : undefined, retry: rehearse || !retry ? undefined : Number(retry),
      now: now ? { category, text: why.trim() } : undefined,
    } as never })).then(async ({ id }) => {
      await known(id);
      toast(rehearse ? t.rehearsalToast : t.startedToast);
      void client.invalidateQueries({ queryKey: ['runs'] });
      void client.invalidateQueries({ queryKey: ['run', id] });
      void navigate({ to: '/runs/$run', params: { run: id } } as never);
      onStarted?.();
    }, (error: unknown) => {
      setBusy(false);
      // Customers are to be told first: what stands in the way is said here, where it can be answered.
      if (error instanceof ProblemError && error.problem.code === 'notice_not_published') setUntold(error.problem.title);
      else toastProblem(error);
    });
  };
  if (plan && !plan.fingerprint) {
    return <Dialog title={rehearse ? t.dialogRehearse : t.dialogLoad} onClose={onClose} foot={<ButtonLink kind="primary" to="/plan/text">{t.openPlan}</ButtonLink>}><p>{t.planBroken}</p></Dialog>;
  }
  return (
    <Dialog title={rehearse ? t.dialogRehearse : t.dialogLoad} onClose={onClose} onSubmit={submit}
      foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={busy || !plan}>{rehearse ? t.startRehearse : t.startLoad}</Button></>}>
      <p>{rehearse ? t.rehearseSays(which) : t.loadSays(which, targets)}</p>
      {guarded && <p className="note warn-note">{t.needsApproval}</p>}
      <Choice label={t.oneTable} value={table} onChange={(e) => setTable(e.target.value)} options={[{ value: '', label: t.everyTable }, ...tables.map((x) => ({ value: x.to, label: `${x.from} → ${x.to}` }))]} />
      <Field label={t.jobs} hint={t.jobsHint} inputMode="numeric" value={jobs} onChange={(e) => setJobs(e.target.value.replace(/\D/g, '').slice(0, 2))} />
      {!rehearse && <Field label={t.retry} hint={t.retryHint} inputMode="numeric" value={retry} onChange={(e) => setRetry(clamp(e.target.value))} />}
      {untold && <p className="note warn-note" role="alert">{sentence(untold)} <ButtonLink to="/notices">{t.openNotices}</ButtonLink></p>}
      {!rehearse && (untold || plan?.plan?.window) && (
        <>
          <Check label={untold ? t.untoldAnyway : t.outsideWindow} checked={now} onChange={(e) => setNow(e.target.checked)} />
          {now ? (
            <>
              <Choice label={t.category} value={category} onChange={(e) => setCategory(e.target.value)} options={['urgent', 'incident', 'agreed', 'test'].map((v) => ({ value: v, label: v }))} />
              <Area label={c.reasonText} hint={c.reasonTextHint} wrong={tried && !why.trim() ? c.reasonNeeded : null} value={why} onChange={(e) => setWhy(e.target.value)} />
            </>
          ) : <p className="small muted">{untold ? t.untoldHint : t.outsideWindowHint}</p>}
        </>
      )}
    </Dialog>
  );
}

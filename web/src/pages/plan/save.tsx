// Saving one edit of the plan. The newest plan is read first, so that an edit of one thing goes through beside somebody
// else's edit of another; where both are of the same thing, a person decides. What was saved can be taken back.
import { useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { ProblemError, raw, type Finding } from '@/api/client';
import { approvalsQuery, planQuery } from '@/api/queries';
import type { Plan, PlanSaved } from '@/api/types';
import { useActorName } from '@/app/people';
import { useIf } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { planEdit as en } from '@/messages/plan-edit.en';
import { Button, ProblemView } from '@/ui';
import { Findings } from './findings';
import type { Step } from './steps';

export type Change = { steps: Step[] } | { text: string };

async function send(change: Change, etag: string): Promise<PlanSaved & { etag: string }> {
  const headers = { 'if-match': etag };
  const answer = await raw('/api/v1/plan', 'steps' in change
    ? { method: 'PATCH', body: JSON.stringify({ steps: change.steps }), headers: { ...headers, 'content-type': 'application/json' } }
    : { method: 'PUT', body: change.text, headers: { ...headers, 'content-type': 'text/plain' } });
  return { ...(await answer.json()) as PlanSaved, etag: answer.headers.get('etag') ?? '' };
}

const meanwhile = (error: unknown) => error instanceof ProblemError && [409, 412, 428].includes(error.problem.status);

function stale(client: QueryClient): void {
  for (const key of ['plan', 'approvals', 'overview']) void client.invalidateQueries({ queryKey: [key] });
  void client.invalidateQueries({ queryKey: ['work', 'windows'] });
}

export interface Saving<T> {
  busy: boolean; error: unknown; findings: Finding[];
  /** What stands there now, where somebody else changed the same thing meanwhile. */
  clash: { now: T } | null;
  save: (over?: boolean) => void;
}

/** Saves what `make` says of the newest plan. `read` gives what is being edited, and `opened` is what it was when the
 *  edit began; nothing is asked where the two are the same. */
export function usePlanSave<T>({ opened, read, make, done }: { opened: T; read: (plan: Plan) => T; make: (plan: Plan, text: string) => Change | null; done: () => void }): Saving<T> {
  const t = useMessages(en);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [findings, setFindings] = useState<Finding[]>([]);
  const [clash, setClash] = useState<{ now: T } | null>(null);

  const attempt = async (over: boolean, again: number): Promise<void> => {
    const { data, etag } = await client.fetchQuery({ ...planQuery, staleTime: 0 });
    if (!data.plan) throw new ProblemError({ title: t.broken, status: 422, code: 'plan_findings', findings: data.findings });
    const now = read(data.plan as Plan);
    if (!over && JSON.stringify(now) !== JSON.stringify(opened)) { setClash({ now }); return; }
    const change = make(data.plan as Plan, data.text);
    if (!change) { done(); return; }
    try {
      const saved = await send(change, etag);
      stale(client);
      const warnings = saved.findings.filter((f) => f.level === 'warning').length;
      toast(warnings ? t.savedWith(warnings) : t.saved, () => {
        send({ text: data.text }, saved.etag).then(() => { stale(client); toast(t.undone); }, (e: unknown) => { if (meanwhile(e)) toast(t.notUndone); else toastProblem(e); });
      });
      done();
    } catch (e) {
      if (meanwhile(e) && again > 0) { await attempt(over, again - 1); return; }
      throw e;
    }
  };
  const save = (over = false) => {
    if (busy) return;
    setBusy(true);
    setError(null);
    setFindings([]);
    setClash(null);
    attempt(over, 2).catch((e: unknown) => {
      if (e instanceof ProblemError && e.problem.findings?.length) setFindings(e.problem.findings);
      else setError(e);
    }).finally(() => setBusy(false));
  };
  return { busy, error, findings, clash, save };
}

/** What stands in the way, and what saving means for approvals. `shown` says a clash in words. */
export function SaveNotes<T>({ of, dirty, shown }: { of: Saving<T>; dirty: boolean; shown: (now: T) => ReactNode }) {
  const t = useMessages(en);
  const name = useActorName();
  const holding = useIf('approvals.read', approvalsQuery).data?.items.filter((a) => !a.voided_at) ?? [];
  return (
    <>
      {of.clash && (
        <div className="problem" role="alert"><p className="title">{t.clash}</p><p>{shown(of.clash.now)}</p>
          <p style={{ marginTop: 8 }}><Button small onClick={() => of.save(true)}>{t.keepMine}</Button></p></div>
      )}
      {of.findings.length > 0 && <div role="alert"><p><b>{t.refused}</b></p><Findings findings={of.findings} /></div>}
      {of.error !== null && <ProblemView error={of.error} />}
      {dirty && holding.length > 0 && <p className="note warn-note">{t.voids(holding.length, [...new Set(holding.map((a) => name(a.by)))].join(', '))}</p>}
    </>
  );
}

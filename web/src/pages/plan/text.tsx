// The plan as text: what a change means is said while it is written, before it is saved.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useBlocker, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useRef, useState } from 'react';
import { raw, ProblemError, type Finding } from '@/api/client';
import { planQuery, planSchemaQuery } from '@/api/queries';
import type { PlanDiff } from '@/api/types';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { plan as en } from '@/messages/plan.en';
import { Badge, Button, Id, Loaded, Skeleton } from '@/ui';
import type { EditorHandle } from './editor';
import { Findings } from './findings';
import { PlanFrame } from './frame';
import type { Schema } from './words';

const Editor = lazy(() => import('./editor').then((m) => ({ default: m.Editor })));

async function put(text: string, etag: string): Promise<void> {
  await raw('/api/v1/plan', { method: 'PUT', body: text, headers: { 'content-type': 'text/plain', 'if-match': etag } });
}

export function PlanTextPage() {
  const query = useQuery(planQuery);
  return <PlanFrame><Loaded query={query} skeleton={<Skeleton height={480} />}>{({ data, etag }) => <Text saved={data.text} etag={etag} given={data.findings} />}</Loaded></PlanFrame>;
}

function Text({ saved, etag, given }: { saved: string; etag: string; given: Finding[] }) {
  const t = useMessages(en);
  const client = useQueryClient();
  const may = useMay();
  const schema = useQuery(planSchemaQuery).data as Schema | undefined;
  const { line } = useSearch({ strict: false }) as { line?: string };
  // What the edit began from: somebody else's save must not slip under it.
  const [base, setBase] = useState({ text: saved, etag });
  const [text, setText] = useState(saved);
  const [diff, setDiff] = useState<PlanDiff | null>(null);
  const [busy, setBusy] = useState(false);
  const editor = useRef<EditorHandle>(null);
  const dirty = text !== base.text;
  const conflict = dirty && etag !== base.etag;
  useEffect(() => {
    // Nothing of ours is at stake: follow what is saved.
    if (!dirty && etag !== base.etag) { setBase({ text: saved, etag }); setText(saved); editor.current?.replace(saved); }
  }, [saved, etag, dirty, base.etag]);
  useEffect(() => {
    if (!dirty) { setDiff(null); return undefined; }
    const wait = new AbortController();
    const timer = setTimeout(() => {
      raw('/api/v1/plan/diff', { method: 'POST', body: text, headers: { 'content-type': 'text/plain' }, signal: wait.signal })
        .then((r) => r.json() as Promise<PlanDiff>).then(setDiff, () => undefined);
    }, 350);
    return () => { clearTimeout(timer); wait.abort(); };
  }, [text, dirty]);
  useBlocker({ shouldBlockFn: () => dirty && !window.confirm(t.leave), enableBeforeUnload: () => dirty });
  const findings = dirty ? (diff?.findings ?? given) : given;
  const save = useCallback((over?: string) => {
    if (busy) return;
    setBusy(true);
    const before = base.text;
    put(text, over ?? base.etag).then(async () => {
      await client.invalidateQueries({ queryKey: ['plan'] });
      const now = client.getQueryData(planQuery.queryKey);
      setBase({ text, etag: now?.etag ?? '' });
      toast(t.saved, () => {
        const latest = client.getQueryData(planQuery.queryKey);
        put(before, latest?.etag ?? '').then(() => { void client.invalidateQueries({ queryKey: ['plan'] }); toast(t.savedUndo); }, toastProblem);
      });
    }).catch((error: unknown) => {
      if (error instanceof ProblemError && error.problem.findings?.length) setDiff((d) => ({ fingerprint: null, changes: d?.changes ?? [], findings: error.problem.findings ?? [] }));
      if (error instanceof ProblemError && error.problem.code === 'plan_changed') void client.invalidateQueries({ queryKey: ['plan'] });
      toastProblem(error);
    }).finally(() => setBusy(false));
  }, [busy, base, text, client, t]);
  const back = () => { setText(base.text); editor.current?.replace(base.text); };
  const goTo = (n: number) => editor.current?.goTo(n);
  const bad = findings.some((f) => f.level === 'error');
  return (
    <div className="editor-cols">
      <div className="stack">
        {conflict && (
          <div className="problem" role="alert"><p className="title">{t.conflict}</p><p>{t.conflictText}</p>
            <p className="row" style={{ marginTop: 8 }}><Button small onClick={() => { setBase({ text: saved, etag }); setText(saved); editor.current?.replace(saved); }}>{t.takeTheirs}</Button><Button small onClick={() => save(etag)}>{t.keepMine}</Button></p></div>
        )}
        <Suspense fallback={<Skeleton height={480} />}>
          <Editor ref={editor} label={t.textTitle} value={base.text} line={line ? Number(line) : undefined} findings={findings} schema={schema} onChange={setText} onSave={save} />
        </Suspense>
        <p className="small muted">{t.textHint}</p>
      </div>
      <aside className="stack" style={{ gap: 20 }}>
        <div className="row wrap">
          <Button kind="primary" disabled={!dirty || busy || bad || conflict || !may('plan.edit')} onClick={() => save()}>{busy ? t.saving : t.saveChanges}</Button>
          <Button disabled={!dirty} onClick={back}>{t.discard}</Button>
          {dirty && <Badge tone="warn">{t.unsaved}</Badge>}
        </div>
        <section aria-labelledby="changes">
          <h2 id="changes">{t.changes}</h2>
          {!dirty ? <p className="muted">{t.noChange}</p> : !diff ? <Skeleton height={40} /> : diff.changes.length === 0 ? <p className="muted">{t.changesNone}</p> : (
            <ul className="changes">{diff.changes.map((x, i) => <li key={i}>{x.change} {x.moves ? <Badge tone="accent">{t.moves}</Badge> : <Badge>{t.plain}</Badge>}</li>)}</ul>
          )}
          {dirty && diff?.fingerprint && <p className="row small" style={{ marginTop: 8 }}><span className="muted">{t.newFingerprint}</span> <Id id={diff.fingerprint} keep={12} /></p>}
        </section>
        <section aria-labelledby="findings">
          <h2 id="findings">{t.findings}</h2>
          {findings.length === 0 ? <p className="muted">{t.findingsNone}</p> : <Findings findings={findings} onLine={goTo} />}
        </section>
      </aside>
    </div>
  );
}

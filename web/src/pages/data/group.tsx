// One group of quarantined rows: look through the gate, then fix, release or discard, each said in numbers.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body, raw } from '@/api/client';
import { planQuery } from '@/api/queries';
import type { Opened, QuarantineGroup, WouldDecide } from '@/api/types';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { data as en } from '@/messages/data.en';
import { Button, Choice, Dialog, Drawer, Field, ProblemView, Skeleton } from '@/ui';
import { OpenedRows, WhyDialog, type Why } from './opened';

type Decision = 'fix' | 'release' | 'discard';

export function GroupDrawer({ group, onClose }: { group: QuarantineGroup; onClose: () => void }) {
  const t = useMessages(en);
  const words = useWords();
  const may = useMay();
  const [asking, setAsking] = useState<Decision | 'why' | null>(null);
  const [why, setWhy] = useState<Why | null>(null);
  const [limit, setLimit] = useState(20);
  const open = useMutation({
    mutationFn: ({ clear, count }: { clear: Why | null; count: number }) => body<Opened>(api.POST('/api/v1/quarantine/{group}/rows', {
      params: { path: { group: group.group } },
      body: { limit: count, offset: 0, clear: Boolean(clear), purpose: clear ? { category: clear.category, text: clear.text } : undefined, task: clear?.task || undefined } as never,
    })),
  });
  const look = (clear: Why | null, count = limit) => { setWhy(clear); setAsking(null); open.mutate({ clear, count }); };
  return (
    <Drawer title={t.group(words.reason(group.reason))} onClose={onClose} wide>
      <dl className="facts">
        <dt>{t.table}</dt><dd>{group.table}</dd>
        {group.column && <><dt>{t.column}</dt><dd className="mono">{group.column}</dd></>}
        {group.pattern && <><dt>{t.pattern}</dt><dd><code className="masked">{group.pattern}</code></dd></>}
        <dt>{t.rows}</dt><dd><b>{num(group.rows)}</b></dd>
      </dl>
      {may('quarantine.decide') && <div className="row wrap">
        <Button kind="primary" icon="pencil" onClick={() => setAsking('fix')}>{t.fix}</Button>
        <Button onClick={() => setAsking('release')}>{t.release}</Button>
        <Button kind="danger" onClick={() => setAsking('discard')}>{t.discard}</Button>
      </div>}
      <section className="section" aria-labelledby="look">
        <header><h3 id="look">{t.look}</h3></header>
        {open.isIdle && <p className="muted" style={{ marginBottom: 8 }}>{t.lookText}</p>}
        <div className="row wrap" style={{ marginBottom: 12 }}>
          {!open.data && <Button icon="table" disabled={open.isPending} onClick={() => look(null)}>{t.lookMasked}</Button>}
          <Button icon="eye" disabled={open.isPending} onClick={() => setAsking('why')}>{t.showClear}</Button>
        </div>
        {open.isPending && <Skeleton height={120} />}
        {open.isError && <ProblemView error={open.error} />}
        {open.data && (
          <>
            <OpenedRows opened={open.data} label={t.look} />
            <p className="row small muted" style={{ marginTop: 8 }}>
              <span>{t.showing(num(open.data.rows.length), num(group.rows))}</span>
              {open.data.rows.length < group.rows && open.data.rows.length >= limit && limit < 500 && <button type="button" className="link" onClick={() => { const count = Math.min(500, limit * 5); setLimit(count); look(why, count); }}>{t.more}</button>}
              <span className="push mono">{t.accessId} {open.data.access.slice(-12)}</span>
            </p>
          </>
        )}
      </section>
      {asking === 'why' && <WhyDialog onClose={() => setAsking(null)} onAsk={(given) => look(given)} />}
      {(asking === 'fix' || asking === 'release' || asking === 'discard') && <DecideDialog group={group} decision={asking} onClose={() => setAsking(null)} onDone={onClose} />}
    </Drawer>
  );
}

function DecideDialog({ group, decision, onClose, onDone }: { group: QuarantineGroup; decision: Decision; onClose: () => void; onDone: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const plan = useQuery(planQuery).data?.data.plan;
  const columns = plan?.tables.find((x) => x.to === group.table)?.columns?.map((x) => x.target) ?? [];
  const [fixes, setFixes] = useState<{ column: string; sql: string }[]>([{ column: group.column && columns.includes(group.column) ? group.column : (columns[0] ?? group.column ?? ''), sql: '' }]);
  const [word, setWord] = useState('');
  const n = num(group.rows);
  const chosen = { group: group.group, decision, fix: decision === 'fix' ? Object.fromEntries(fixes.filter((f) => f.column && f.sql.trim()).map((f) => [f.column, f.sql.trim()])) : {} };
  const preview = useMutation({ mutationFn: async () => (await raw('/api/v1/quarantine/preview', { method: 'POST', body: JSON.stringify(chosen), headers: { 'content-type': 'application/json' } })).json() as Promise<WouldDecide> });
  const decide = useMutation({
    mutationFn: () => body<{ rows: number; left: number }>(api.POST('/api/v1/quarantine/decide', { body: chosen })),
    onSuccess: (done) => { toast(done.left ? t.decided(num(done.rows), num(done.left)) : t.decidedAll(num(done.rows))); void client.invalidateQueries({ queryKey: ['quarantine'] }); void client.invalidateQueries({ queryKey: ['overview'] }); onClose(); onDone(); },
    onError: toastProblem,
  });
  const title = { fix: t.fix, release: t.releaseTitle(n), discard: t.discardTitle(n) }[decision];
  const ready = decision === 'fix' ? fixes.some((f) => f.column && f.sql.trim()) : decision === 'discard' ? word.trim().toLowerCase() === t.discardWord : true;
  const submitWords = { fix: t.fixSubmit(n), release: t.releaseSubmit(n), discard: t.discardSubmit(n) }[decision];
  return (
    <Dialog title={title} onClose={onClose} onSubmit={() => { if (ready && !decide.isPending) decide.mutate(); }}
      foot={<>{decision !== 'discard' && <Button disabled={!ready || preview.isPending} onClick={() => preview.mutate()}>{preview.isPending ? t.previewBusy : t.preview}</Button>}<Button onClick={onClose}>{c.cancel}</Button><Button kind={decision === 'discard' ? 'danger' : 'primary'} solid={decision === 'discard'} type="submit" disabled={!ready || decide.isPending}>{submitWords}</Button></>}>
      {decision === 'fix' && (
        <>
          <p>{t.fixText}</p>
          {fixes.map((f, i) => (
            <div key={i} style={{ display: 'grid', gridTemplateColumns: 'minmax(0,2fr) minmax(0,3fr)', gap: 8 }}>
              {columns.length ? <Choice label={t.fixColumn} value={f.column} onChange={(e) => setFixes(fixes.map((x, j) => (j === i ? { ...x, column: e.target.value } : x)))} options={columns.map((x) => ({ value: x, label: x }))} />
                : <Field label={t.fixColumn} value={f.column} onChange={(e) => setFixes(fixes.map((x, j) => (j === i ? { ...x, column: e.target.value } : x)))} />}
              <Field label={t.fixSql} className="input mono" spellCheck={false} value={f.sql} onChange={(e) => setFixes(fixes.map((x, j) => (j === i ? { ...x, sql: e.target.value } : x)))} />
            </div>
          ))}
          <p><button type="button" className="link small" onClick={() => setFixes([...fixes, { column: columns.find((x) => !fixes.some((f) => f.column === x)) ?? '', sql: '' }])}>{t.fixAdd}</button></p>
        </>
      )}
      {preview.data && <Preview of={preview.data} />}
      {preview.isError && <ProblemView error={preview.error} />}
      {decision === 'release' && <p>{t.releaseText(n, group.table)}</p>}
      {decision === 'discard' && <><p>{t.discardText(n, group.table)}</p><Field label={t.discardType(t.discardWord)} autoComplete="off" value={word} onChange={(e) => setWord(e.target.value)} /></>}
    </Dialog>
  );
}

/** What a decision would come to, before it is made. */
function Preview({ of }: { of: WouldDecide }) {
  const t = useMessages(en);
  const words = useWords();
  const waiting = Object.entries(of.waiting).sort((a, b) => b[1] - a[1]);
  return (
    <div className="note" role="status">
      <p><b>{t.wouldLoad(num(of.released), num(of.rows))}</b></p>
      {waiting.map(([reason, n]) => <p key={reason} className="muted">{t.wouldWait(num(n), words.reason(reason))}</p>)}
      {of.children > 0 && <p className="muted">{t.wouldFree(num(of.children))}</p>}
    </div>
  );
}

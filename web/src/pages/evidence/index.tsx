// Evidence: the report, the signed checkpoint, proofs, and what goes to a security system.
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { raw } from '@/api/client';
import { checkpointQuery, inclusionQuery } from '@/api/queries';
import { reportTime, useReport } from '@/app/results';
import { toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num, when } from '@/i18n/format';
import { evidence as en } from '@/messages/evidence.en';
import { Area, Badge, Button, Copy, Empty, Field, Icon, Id, Link, Loaded, PageHead, ProblemView, Section, SkeletonRows, Stat, Time } from '@/ui';
import { PacksPart } from './packs';
import { TotalsPart } from './totals';

export function EvidencePage() {
  const t = useMessages(en);
  return (
    <div className="page">
      <PageHead title={t.title} sub={t.sub} />
      <ReportPart />
      <TotalsPart />
      <PacksPart />
      <div className="columns two"><CheckpointPart /><StandingPart /></div>
      <div className="columns two"><ProvePart /><ExportPart /></div>
    </div>
  );
}

/** Gives a text to the browser as a file. */
function save(text: string, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function ReportPart() {
  const t = useMessages(en);
  const { query, exists, known } = useReport();
  if (known && !exists) return <Empty title={t.reportEmpty}>{t.reportEmptyText}</Empty>;
  if (query.isPending) return <SkeletonRows rows={3} columns={3} />;
  if (query.isError) return <ProblemView error={query.error} retry={() => void query.refetch()} />;
  const r = query.data;
  if (!r) return null;
  const wrong = r.tables.filter((x) => !x.reconciled).length;
  const started = reportTime(r.run.started_at);
  const verified = reportTime(r.run.verified_at);
  const page = () => void raw('/api/v1/report/page').then((x) => x.text()).then((text) => save(text, 'report.html', 'text/html'), toastProblem);
  return (
    <Section title={t.report} sub={started !== null ? t.reportSay(when(started)) : undefined}>
      <p className="finding" style={{ marginBottom: 12 }}>{t.finding(wrong)}</p>
      <dl className="stats" style={{ marginBottom: 16 }}>
        <Stat label={t.rows}><Link to="/runs/$run" params={{ run: r.run.id }} className="opens">{num(r.tables.reduce((n, x) => n + x.source_rows, 0))}</Link></Stat>
        <Stat label={t.tables}><Link to="/data/reconciliation" className="opens">{num(r.tables.length)}</Link></Stat>
        <Stat label={t.verified}>{verified !== null ? <Time at={verified} /> : <span className="muted">{t.notVerified}</span>}</Stat>
        <Stat label={t.approvals}>{r.approvals.length ? <Link to="/plan/approvals" className="opens">{r.approvals.map((a) => a.by).join(', ')}</Link> : <span className="muted">{t.nobody}</span>}</Stat>
      </dl>
      <div className="row wrap">
        <Button kind="primary" icon="download" onClick={page}>{t.reportOpen}</Button>
        <Button icon="download" onClick={() => save(JSON.stringify(r, null, 2), 'report.json', 'application/json')}>{t.reportJson}</Button>
      </div>
    </Section>
  );
}

function CheckpointPart() {
  const t = useMessages(en);
  const query = useQuery(checkpointQuery);
  const { report } = useReport();
  return (
    <Section title={t.checkpoint}>
      <Loaded query={query}>
        {(c) => (
          <div className="stack">
            <p className="muted">{t.checkpointSay(num(c.size))}</p>
            <dl className="facts">
              <dt>{t.size}</dt><dd><Link to="/guard/log" className="opens">{num(c.size)}</Link></dd>
              <dt>{t.root}</dt><dd><Id id={c.root} keep={20} /></dd>
              {report && <><dt>{t.verifier}</dt><dd><Id id={report.ledger.verifier} keep={28} /></dd></>}
            </dl>
            <div><h3 className="row">{t.note} <Copy text={c.note} label={t.note} /></h3><pre className="block" tabIndex={0}>{c.note}</pre></div>
            <p><Button icon="download" onClick={() => save(c.note, `checkpoint-${c.size}.txt`, 'text/plain')}>{t.keep}</Button></p>
          </div>
        )}
      </Loaded>
    </Section>
  );
}

type Standing = { standing: 'consistent'; proof: { hashes?: string[] } | null } | { standing: 'ahead'; size: number } | { standing: 'forked'; evidence: unknown };

function StandingPart() {
  const t = useMessages(en);
  const [text, setText] = useState('');
  const ask = useMutation({ mutationFn: async () => (await raw('/api/v1/ledger/standing', { method: 'POST', body: text.endsWith('\n') ? text : `${text}\n`, headers: { 'content-type': 'text/plain' } })).json() as Promise<Standing> });
  const kept = num(Number(text.split('\n')[1] ?? 0));
  const said = ask.data;
  return (
    <Section title={t.standing}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); if (text.trim()) ask.mutate(); }}>
        <Area label={t.standingLabel} hint={t.standingText} className="input mono" rows={7} spellCheck={false} value={text} onChange={(e) => { setText(e.target.value); ask.reset(); }} />
        <p><Button type="submit" disabled={!text.trim() || ask.isPending}>{t.standingAsk}</Button></p>
        {ask.isError && <ProblemView error={ask.error} />}
        {said?.standing === 'consistent' && <p className="good" role="status"><Icon name="check" /> <b>{t.standingGood(kept)}</b> {said.proof?.hashes && <span className="muted small">{t.consistencyHashes(said.proof.hashes.length)}</span>}</p>}
        {said?.standing === 'ahead' && <p className="bad" role="status"><Icon name="warn" /> <b>{t.standingAhead(kept, num(said.size))}</b></p>}
        {said?.standing === 'forked' && <div className="stack" role="status"><p className="bad"><Icon name="warn" /> <b>{t.standingForked}</b></p><p><Button icon="download" onClick={() => save(JSON.stringify(said.evidence, null, 2), 'fork.json', 'application/json')}>{t.standingEvidence}</Button></p></div>}
      </form>
    </Section>
  );
}

function ProvePart() {
  const t = useMessages(en);
  const [text, setText] = useState('');
  const [index, setIndex] = useState<number | null>(null);
  const query = useQuery({ ...inclusionQuery(index ?? 0), enabled: index !== null, retry: false });
  return (
    <Section title={t.prove} sub={t.proveText}>
      <form className="log-filter" onSubmit={(e) => { e.preventDefault(); if (text) setIndex(Number(text)); }}>
        <Field label={t.proveLabel} inputMode="numeric" value={text} onChange={(e) => setText(e.target.value.replace(/\D/g, ''))} />
        <Button type="submit" disabled={!text}>{t.proveAsk}</Button>
      </form>
      {index !== null && (
        <Loaded query={query}>
          {(p) => (
            <div className="stack">
              <p className="good"><Icon name="check" /> {t.consistencyHashes(p.hashes.length)} <Badge>{num(p.index)} / {num(p.size)}</Badge></p>
              <pre className="block" tabIndex={0}>{p.hashes.join('\n')}</pre>
              <p className="row wrap"><a className="link" href={`/api/v1/ledger/entries/${p.index}/tlog-proof`} download={`entry-${p.index}.tlog-proof`}>tlog-proof</a><Link to="/guard/log" search={{ entry: String(p.index) } as never} className="link">{num(p.index)}</Link></p>
            </div>
          )}
        </Loaded>
      )}
    </Section>
  );
}

function ExportPart() {
  const t = useMessages(en);
  return (
    <div className="stack" style={{ gap: 28 }}>
      <Section title={t.export}>
        <p className="muted" style={{ marginBottom: 12 }}>{t.exportText}</p>
        <a className="button" href="/api/v1/ledger/export" download="ledger.ocsf.jsonl"><Icon name="download" />{t.exportFile}</a>
      </Section>
      <Section title={t.offline}>
        <p className="muted" style={{ marginBottom: 8 }}>{t.offlineText}</p>
        <pre className="block" tabIndex={0}>dunlin ledger verify --since checkpoint.txt</pre>
      </Section>
    </div>
  );
}


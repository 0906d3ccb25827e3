// What a run came to, in one sentence; below it what went wrong, how to mend it, and a way to do a table again.
import { useState } from 'react';
import type { RunDetail } from '@/api/types';
import { sum, unsound, type TableState } from '@/app/results';
import { sentence } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { runs as en } from '@/messages/runs.en';
import { Button, ButtonLink, Copy, Icon, Link, Time, total } from '@/ui';
import { StartDialog } from './start';

type Verdict = 'good' | 'warn' | 'bad';

/** How a run ended; nothing while it goes on. */
export function Outcome({ run, tables, again }: { run: RunDetail; tables: readonly TableState[]; again: boolean }) {
  const t = useMessages(en);
  const [table, setTable] = useState<string | null>(null);
  const [all, setAll] = useState(false);
  if (run.kind !== 'load' || run.status === 'running' || run.status === 'waiting' || tables.length === 0) return null;
  const o = run.outcome;
  const failed = tables.filter((x) => x.known?.problem);
  const differ = tables.filter((x) => x.reconciled === false);
  const amiss = tables.filter(unsound);
  const lost = o?.left_behind ?? [];
  const waiting = sum(tables).counts.quarantined;
  const n = tables.length;
  const done = run.status === 'done';
  const loaded = tables.filter((x) => !x.known?.problem && x.splits > 0 && x.splitsDone === x.splits).length;
  const verdict: Verdict = failed.length > 0 || differ.length > 0 || amiss.length > 0 || (o?.problem && !done) ? 'bad' : lost.length > 0 || !done ? 'warn' : 'good';
  const words = done
    ? differ.length > 0 ? t.someReconcile(n - differ.length - amiss.length, n) : amiss.length > 0 ? t.totalsDiffer(amiss.length, n) : lost.length > 0 ? t.allButLost(n, lost.length) : t.allReconcile(n)
    : failed.length > 0 ? t.someFailed(loaded, n, failed.map((x) => x.table)) : t.stoppedEarly(loaded, n);
  const elsewhere = lost.filter((l) => !tables.some((x) => x.known?.left_behind.includes(l.what)));
  return (
    <section className="outcome" aria-label={t.outcome}>
      <p className={`finding ${verdict}`}><Icon name={verdict === 'good' ? 'check' : 'warn'} /> {words}</p>
      {done && <p className="muted">{t.readAll(num(tables.reduce((s, x) => s + total(x.counts), 0)))}{waiting > 0 && <> <Link to="/data" className="link">{t.waitIn(num(waiting))}</Link></>}</p>}
      {o?.problem && failed.length === 0 && !done && <Trouble problem={o.problem} help={o.help ?? null} />}
      {(failed.length > 0 || differ.length > 0 || amiss.length > 0 || tables.some((x) => x.known?.left_behind.length)) && (
        <ul className="plain">
          {tables.filter((x) => x.known?.problem || x.reconciled === false || unsound(x) || x.known?.left_behind.length).map((x) => (
            <li key={x.table}>
              <div className="row wrap">
                <Link to="/runs/$run" params={{ run: run.id }} search={{ table: x.table } as never} className="link"><b>{x.table}</b></Link>
                {again && (x.known?.problem || x.reconciled === false) && <Button small icon="play" onClick={() => setTable(x.table)} aria-label={t.againOf(x.table)}>{t.again}</Button>}
                {done && (x.reconciled === false || unsound(x)) && <ButtonLink small icon="check" to="/data/reconciliation">{t.verify}</ButtonLink>}
              </div>
              {x.known?.problem && <Trouble problem={x.known.problem.problem} help={x.known.problem.help} command={x.known.problem.command} />}
              {x.reconciled === false && <p>{t.differsSays}</p>}
              {unsound(x) && <p>{t.unsoundSays}</p>}
              {x.known?.left_behind.length ? <Lost what={x.known.left_behind} /> : null}
            </li>
          ))}
        </ul>
      )}
      {elsewhere.length > 0 && <Lost what={elsewhere.map((l) => `${l.table}: ${l.what}`)} />}
      {lost.length > 0 && <p className="muted">{t.lostHelp}</p>}
      {again && !done && failed.length > 1 && <p><Button icon="play" onClick={() => setAll(true)}>{t.againAll}</Button></p>}
      {(o?.tries?.length ?? 0) > 0 && (
        <details className="small"><summary>{t.tries(o?.tries?.length ?? 0)}</summary>
          <ul className="plain">{o?.tries?.map((x) => <li key={x.at}><Time at={x.at} /> · {sentence(x.problem)} {t.wentOn(span(x.wait_seconds))}</li>)}</ul></details>
      )}
      {(o?.held_back_seconds ?? 0) >= 1 && <p className="small muted">{t.heldBack(span(o?.held_back_seconds ?? 0))}</p>}
      {table && <StartDialog rehearse={false} only={table} onClose={() => setTable(null)} onStarted={() => setTable(null)} />}
      {all && <StartDialog rehearse={false} onClose={() => setAll(false)} onStarted={() => setAll(false)} />}
    </section>
  );
}

/** What is wrong and how to mend it. */
export function Trouble({ problem, help, command }: { problem: string; help: string | null; command?: string }) {
  const t = useMessages(en);
  return (
    <div className="problem">
      <p className="title">{sentence(problem)}</p>
      {help && help.split('\n').map((line) => <p key={line}>{sentence(line)}</p>)}
      {command && <p className="row wrap small"><span className="muted">{t.orShell}</span><code className="code">{command}</code><Copy text={command} label={t.copyCommand} /></p>}
    </div>
  );
}

/** What should have come over with a table and did not. */
export function Lost({ what }: { what: readonly string[] }) {
  const t = useMessages(en);
  return <div className="problem"><p className="title">{t.lost(what.length)}</p><ul className="plain">{what.map((x) => <li key={x} className="mono small">{x}</li>)}</ul></div>;
}

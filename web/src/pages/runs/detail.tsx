// How one table adds up: what waits and why, what was excluded by which rule, the hashes.
import { useNavigate } from '@tanstack/react-router';
import type { ReportTable } from '@/api/types';
import type { TableState } from '@/app/results';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num, span } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { runs as en } from '@/messages/runs.en';
import { Lost, Trouble } from './outcome';
import { DISPOSITIONS, Drawer, EquationBar, Id, Link, Num, Splits, Swatch, total } from '@/ui';

export function TableDetail({ state, report, run }: { state: TableState; report: ReportTable | null; run: string }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const words = useWords();
  const navigate = useNavigate();
  const k = state.known;
  const close = () => void navigate({ to: '/runs/$run', params: { run }, search: {} } as never);
  const reasons = Object.entries(k?.reasons ?? {}).sort((a, b) => b[1] - a[1]);
  return (
    <Drawer title={t.detail(state.table)} onClose={close} wide>
      {k?.problem && <Trouble problem={k.problem.problem} help={k.problem.help} command={k.problem.command} />}
      {k && k.left_behind.length > 0 && <Lost what={k.left_behind} />}
      <EquationBar counts={state.counts} unread={state.unread} />
      <table className="table">
        <caption className="vh">{t.detail(state.table)}</caption>
        <tbody>
          <tr><th scope="row"><b>{t.read}</b></th><td className="num"><b>{num(total(state.counts))}</b></td></tr>
          {DISPOSITIONS.map((d) => <tr key={d}><th scope="row"><Swatch of={d} /> {c[d]}</th><td className="num">{d === 'quarantined' ? <Num n={state.counts[d]} to="/data" search={{ table: state.table }} /> : <Num n={state.counts[d]} />}</td></tr>)}
        </tbody>
      </table>
      {state.strip.length > 1 && <div><h3>{t.splits}</h3><Splits done={state.splitsDone} all={state.splits} now={false} strip={state.strip} label={t.ofSplits(num(state.splitsDone), num(state.splits))} /></div>}
      {reasons.length > 0 && (
        <div><h3>{t.because}</h3><table className="table"><tbody>{reasons.map(([reason, n]) => <tr key={reason}><td>{words.reason(reason)}</td><td className="num">{num(n)}</td></tr>)}</tbody></table></div>
      )}
      {report && report.exclusions.length > 0 && (
        <div><h3>{t.excludedBy}</h3><table className="table"><tbody>{report.exclusions.map((x) => <tr key={x.rule}><td className="code">{x.rule}</td><td className="num">{num(x.rows)}</td></tr>)}</tbody></table></div>
      )}
      {report && report.rules.length > 0 && (
        <div className="table-scroll" tabIndex={0} role="group" aria-label={t.rules}><h3>{t.rules}</h3>
          <table className="table"><thead><tr><th scope="col">{t.rule}</th><th scope="col">{t.check}</th><th scope="col">{t.otherwise}</th><th scope="col" className="num">{t.rows}</th></tr></thead>
            <tbody>{report.rules.map((r) => <tr key={r.name}><td>{r.name}</td><td className="code">{r.check}</td><td>{r.otherwise}</td><td className="num">{num(r.rows)}</td></tr>)}</tbody></table></div>
      )}
      {report && report.dropped.length > 0 && (
        <div><h3>{t.dropped}</h3><dl className="facts">{report.dropped.map((x) => [<dt key={x.column} className="mono">{x.column}</dt>, <dd key={`${x.column}r`}>{x.reason}</dd>])}</dl></div>
      )}
      {k && (
        <dl className="facts">
          {k.preexisting > 0 && <><dt>{t.preexisting}</dt><dd>{num(k.preexisting)}</dd></>}
          <dt>{t.sourceHash}</dt><dd><Id id={k.source_hash} keep={24} /></dd>
          <dt>{t.expectedHash}</dt><dd><Id id={k.expected_hash} keep={24} /></dd>
          <dt>{t.targetHash}</dt><dd>{k.target_hash ? <Id id={k.target_hash} keep={24} /> : <span className="muted">{t.pending}</span>}</dd>
          <dt>{t.seconds}</dt><dd>{span(k.seconds)} · {c.rowsPerSecond(num(k.rows_per_second))}</dd>
        </dl>
      )}
      <p><Link to="/guard/log" search={(k?.entry ? { entry: String(k.entry) } : { table: state.table, kind: 'table_reconciled,verified,split_loaded,split_amended' }) as never} className="link">{t.openLedger}</Link></p>
    </Drawer>
  );
}

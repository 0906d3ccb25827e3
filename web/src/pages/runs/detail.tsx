// How one table adds up: what was excluded by which rule, what waits and why, the hashes.
import { Link, useNavigate } from '@tanstack/react-router';
import type { TableState } from '@/app/results';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { bytes, num, span } from '@/i18n/format';
import { runs as en } from '@/messages/runs.en';
import { runs as es } from '@/messages/runs.es';
import { Drawer, EquationBar, Id, Num } from '@/ui';

export function TableDetail({ state, run }: { state: TableState; run: string }) {
  const t = useMessages({ en, es });
  const words = useWords();
  const navigate = useNavigate();
  const d = state.detail;
  if (!d) return null;
  const close = () => void navigate({ to: '/runs/$run', params: { run }, search: {} } as never);
  return (
    <Drawer title={t.detail(state.table)} onClose={close} wide>
      <EquationBar counts={state.counts} unread={state.unread} />
      {d.quarantine.length > 0 && (
        <div><h3>{t.quarantinedFor}</h3>
          <table className="table"><tbody>{d.quarantine.map((g) => (
            <tr key={g.group}><td>{words.reason(g.reason.replaceAll(' ', '-').replace(/^rule:-/, 'rule:').replace(/^rule:(.*)$/, (_, n: string) => `rule:${n.replaceAll('-', ' ')}`))}<span className="muted">{g.column ? ` · ${g.column}` : ''}</span> {g.pattern && <span className="mono muted">{g.pattern}</span>}</td><td className="num"><Num n={g.rows} to="/data" search={{ group: g.group }} /></td></tr>
          ))}</tbody></table></div>
      )}
      {d.exclusions.length > 0 && (
        <div><h3>{t.excludedBy}</h3><table className="table"><tbody>{d.exclusions.map((x) => <tr key={x.rule}><td className="code">{x.rule}</td><td className="num">{num(x.rows)}</td></tr>)}</tbody></table></div>
      )}
      {d.rules.length > 0 && (
        <div><h3>{t.rules}</h3>
          <table className="table"><thead><tr><th scope="col">{t.rule}</th><th scope="col">{t.check}</th><th scope="col">{t.otherwise}</th><th scope="col" className="num">{t.rows}</th></tr></thead>
            <tbody>{d.rules.map((r) => <tr key={r.name}><td>{r.name}</td><td className="code">{r.check}</td><td>{r.otherwise}</td><td className="num">{num(r.rows)}</td></tr>)}</tbody></table></div>
      )}
      {d.dropped.length > 0 && (
        <div><h3>{t.dropped}</h3><dl className="facts">{d.dropped.map((x) => [<dt key={x.column} className="mono">{x.column}</dt>, <dd key={`${x.column}r`}>{x.reason}</dd>])}</dl></div>
      )}
      <dl className="facts">
        <dt>{t.targetRows}</dt><dd>{num(d.target_rows)}{d.preexisting ? ` (${num(d.preexisting)} ${t.preexisting})` : ''}</dd>
        <dt>{t.sourceHash}</dt><dd><Id id={d.source_hash} keep={24} /></dd>
        <dt>{t.expectedHash}</dt><dd><Id id={d.expected_hash} keep={24} /></dd>
        <dt>{t.targetHash}</dt><dd><Id id={d.target_hash} keep={24} /></dd>
        {d.bytes !== undefined && <><dt>{t.bytes}</dt><dd>{bytes(d.bytes)}</dd></>}
        {d.seconds !== undefined && <><dt>{t.seconds}</dt><dd>{span(d.seconds)}</dd></>}
      </dl>
      <p><Link to="/guard/log" search={{ table: state.table, kind: 'table_reconciled,verified,split_loaded,split_amended' } as never} className="link">{t.openLedger}</Link></p>
    </Drawer>
  );
}

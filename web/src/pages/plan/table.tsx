// One table of the plan: what becomes of each column, and what must hold of each row; both are edited here.
import { lazy, Suspense, useState } from 'react';
import type { PlanRule, PlanTable, SchemaTable } from '@/api/types';
import { useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { pct } from '@/i18n/format';
import { plan as en } from '@/messages/plan.en';
import { planEdit as editEn } from '@/messages/plan-edit.en';
import { Badge, Button, Icon, Section } from '@/ui';
import { Sample } from '@/pages/data/sample';
import { mapping, type Line } from './mapping';

const ColumnDrawer = lazy(() => import('./column').then((m) => ({ default: m.ColumnDrawer })));
const RuleDrawer = lazy(() => import('./rule').then((m) => ({ default: m.RuleDrawer })));

function Made({ line }: { line: Line }) {
  const t = useMessages(en);
  const e = useMessages(editEn);
  switch (line.how) {
    case 'as_is': return <span className="muted">{t.asIs}</span>;
    case 'cleaned': return <>{t.cleaned(e.cleans[line.detail ?? ''] ?? line.detail ?? '')}</>;
    case 'sql': return <code className="code">{line.detail}</code>;
    case 'used': return <span className="muted">{t.usedIn}</span>;
    case 'undecided': return <Badge tone="warn" icon="warn">{t.undecided}</Badge>;
    case 'dropped': return <><Badge icon="minus">{t.dropped}</Badge> <span className="muted">{line.detail}</span></>;
  }
}

export function OneTable({ table, stores }: { table: PlanTable; stores: SchemaTable | undefined }) {
  const t = useMessages(en);
  const may = useMay();
  const source = stores?.source?.columns;
  const e = useMessages(editEn);
  const [looking, setLooking] = useState<'source' | 'target' | null>(null);
  const [editing, setEditing] = useState<{ line: Line | null } | null>(null);
  const [ruling, setRuling] = useState<{ rule: PlanRule | null } | null>(null);
  const edits = may('plan.edit');
  const lines = mapping(table, source);
  return (
    <div className="stack" style={{ gap: 24 }}>
      <section aria-labelledby="both">
        <div className="row wrap"><h2 id="both" style={{ fontSize: 16, lineHeight: '24px' }}>{table.from} <Icon name="arrow" /> {table.to}</h2>
          {may('data.read') && <span className="push row"><Button small icon="table" onClick={() => setLooking('source')}>{t.sampleSource}</Button>{stores?.target && <Button small icon="table" onClick={() => setLooking('target')}>{t.sampleTarget}</Button>}</span>}</div>
        <p className="muted" style={{ marginBottom: 8 }}>
          {table.where ? <>{t.where}: <code className="code">{table.where}</code></> : t.wherePlain}
          {table.key && <> · {t.key} <code className="code">{table.key.join(', ')}</code></>}
          {table.retain && <> · {t.retain} <code className="code">{table.retain}</code></>}
          {table.purpose && <> · {t.purpose} {table.purpose}</>}{table.basis && <> · {t.basis} {table.basis}</>}
        </p>
        {!table.columns?.length && <p className="note">{t.everyColumn}{!source && ` ${t.noSchema}`}</p>}
        {lines.length > 0 && (
          <div className="table-scroll" tabIndex={0} role="group" aria-label={t.tabTables}>
            <table className="table map-table">
              <caption className="vh">{table.from} → {table.to}</caption>
              <thead><tr><th scope="col">{t.sourceColumn}</th><th scope="col"><span className="vh">→</span></th><th scope="col">{t.targetColumn}</th><th scope="col">{t.made}</th><th scope="col">{t.kind}</th><th scope="col">{t.protect}</th></tr></thead>
              <tbody>
                {lines.map((l, i) => (
                  <tr key={`${l.source ?? ''}-${l.target ?? ''}-${i}`} className={l.how === 'undecided' ? 'flag' : undefined}>
                    <td className="nowrap">{l.source ? <><b>{l.source}</b>{l.type && <span className="small muted"> {l.type.toLowerCase()}</span>}</> : <span className="muted">–</span>}</td>
                    <td className="to"><Icon name={l.target ? 'arrow' : 'minus'} /></td>
                    <td className="nowrap">{edits ? <Opener line={l} onOpen={() => setEditing({ line: l })} /> : l.target ? <b>{l.target}</b> : <span className="muted">–</span>}</td>
                    <td><Made line={l} /></td>
                    <td>{l.kind && <Badge title={l.kind}>{e.kinds[l.kind] ?? l.kind}</Badge>}</td>
                    <td>{l.protect && <Badge tone="info" icon="lock" title={l.protect}>{e.protects[l.protect] ?? l.protect}</Badge>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {edits && Boolean(table.columns?.length) && <p className="row wrap" style={{ marginTop: 10 }}><Button small icon="plus" onClick={() => setEditing({ line: null })}>{e.addColumn}</Button><span className="small muted">{e.inHistory}</span></p>}
      </section>
      {looking && <Sample table={table.to} side={looking} onClose={() => setLooking(null)} />}
      <Section title={t.rules} right={edits && <Button small icon="plus" onClick={() => setRuling({ rule: null })}>{e.ruleAdd}</Button>}>
        {!table.rules?.length && <p className="muted">{t.rulesNone}</p>}
        <ul className="changes">{table.rules?.map((r) => <li key={r.name}>{edits ? <button type="button" className="opens" aria-label={e.editRule(r.name)} onClick={() => setRuling({ rule: r })}><b>{r.name}</b></button> : <b>{r.name}</b>}: <code className="code">{r.check}</code> <span className="muted">{t.mustHold} {t.otherwise[r.otherwise] ?? r.otherwise}</span></li>)}</ul>
        {table.duplicates && <p style={{ marginTop: 8 }}><b>{t.duplicates}</b> <span className="muted">{t.duplicatesSay(table.duplicates.match.join('; '), pct(table.duplicates.above, 0), pct(table.duplicates.review, 0))}</span></p>}
        {table.enrich?.map((x) => <p key={x.from} style={{ marginTop: 4 }}><b>{t.enrich}</b> <span className="muted">{t.enrichSay(x.from, x.add.map(([to]) => to).join(', '), x.when)}</span></p>)}
      </Section>
      <Suspense fallback={null}>
        {editing && <ColumnDrawer table={table} line={editing.line} source={source} onClose={() => setEditing(null)} />}
        {ruling && <RuleDrawer table={table} rule={ruling.rule} onClose={() => setRuling(null)} />}
      </Suspense>
    </div>
  );
}

/** Opens a column for editing: its name in the target, or what is to be done where it has none. */
function Opener({ line, onOpen }: { line: Line; onOpen: () => void }) {
  const t = useMessages(editEn);
  const name = line.target ?? line.source ?? '';
  if (line.how === 'undecided') return <Button small aria-label={t.decideColumn(name)} onClick={onOpen}>{t.decide}</Button>;
  return <button type="button" className="opens" aria-label={t.editColumn(name)} onClick={onOpen}>{line.target ? <b>{line.target}</b> : <span className="muted">{t.edit}</span>}</button>;
}

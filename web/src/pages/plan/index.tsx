// The plan's tables, both sides beside each other.
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { dataSchemaQuery, planQuery } from '@/api/queries';
import type { Plan, PlanTable, SchemaTable } from '@/api/types';
import { useMay } from '@/app/session';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { pct } from '@/i18n/format';
import { plan as en } from '@/messages/plan.en';
import { plan as es } from '@/messages/plan.es';
import { Badge, Button, ButtonLink, Empty, Icon, Loaded, Section, Who } from '@/ui';
import { Sample } from '@/pages/data/sample';
import { PlanFrame } from './frame';
import { mapping, type Line } from './mapping';

export function PlanPage() {
  const t = useMessages({ en, es });
  const query = useQuery(planQuery);
  const stores = useQuery(dataSchemaQuery).data?.tables;
  const { table } = useSearch({ strict: false }) as { table?: string };
  return (
    <PlanFrame actions={<ButtonLink to="/plan/text" icon="pencil">{t.edit}</ButtonLink>}>
      <Loaded query={query}>
        {({ data }) => data.plan ? <Whole plan={data.plan as Plan} stores={stores} chosen={table} /> : <Empty title={t.broken} action={<ButtonLink kind="primary" to="/plan/text">{t.openText}</ButtonLink>}>{t.brokenText}</Empty>}
      </Loaded>
    </PlanFrame>
  );
}

function Whole({ plan, stores, chosen }: { plan: Plan; stores: SchemaTable[] | undefined; chosen: string | undefined }) {
  const t = useMessages({ en, es });
  const shown = plan.tables.find((x) => x.to === chosen) ?? plan.tables[0];
  return (
    <>
      <div className="split-view">
        <nav className="side-list" aria-label={t.tables}>
          {plan.tables.map((x) => (
            <Link key={x.to} to="/plan" search={{ table: x.to } as never} aria-current={x === shown ? 'true' : undefined}><span>{x.to}</span><span className="n">{x.columns?.length ?? ''}</span></Link>
          ))}
        </nav>
        {shown && <One key={shown.to} table={shown} stores={stores?.find((x) => x.table === shown.to)} />}
      </div>
      <div className="columns two"><Stores plan={plan} /><Around plan={plan} /></div>
    </>
  );
}

function Made({ line }: { line: Line }) {
  const t = useMessages({ en, es });
  switch (line.how) {
    case 'as_is': return <span className="muted">{t.asIs}</span>;
    case 'cleaned': return <>{t.cleaned(line.detail ?? '')}</>;
    case 'sql': return <code className="code">{line.detail}</code>;
    case 'used': return <span className="muted">{t.usedIn}</span>;
    case 'undecided': return <Badge tone="warn" icon="warn">{t.undecided}</Badge>;
    case 'dropped': return <><Badge icon="minus">{t.dropped}</Badge> <span className="muted">{line.detail}</span></>;
  }
}

function One({ table, stores }: { table: PlanTable; stores: SchemaTable | undefined }) {
  const t = useMessages({ en, es });
  const may = useMay();
  const source = stores?.source?.columns;
  const [looking, setLooking] = useState<'source' | 'target' | null>(null);
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
                    <td className="nowrap">{l.target ? <b>{l.target}</b> : <span className="muted">–</span>}</td>
                    <td><Made line={l} /></td>
                    <td>{l.kind && <Badge>{l.kind}</Badge>}</td>
                    <td>{l.protect && <Badge tone="info" icon="lock">{l.protect}</Badge>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      {looking && <Sample table={table.to} side={looking} onClose={() => setLooking(null)} />}
      <Section title={t.rules}>
        {!table.rules?.length && <p className="muted">{t.rulesNone}</p>}
        <ul className="changes">{table.rules?.map((r) => <li key={r.name}><b>{r.name}</b>: <code className="code">{r.check}</code> <span className="muted">{t.mustHold} {t.otherwise[r.otherwise] ?? r.otherwise}</span></li>)}</ul>
        {table.duplicates && <p style={{ marginTop: 8 }}><b>{t.duplicates}</b> <span className="muted">{t.duplicatesSay(table.duplicates.match.join('; '), pct(table.duplicates.above, 0), pct(table.duplicates.review, 0))}</span></p>}
        {table.enrich?.map((e) => <p key={e.from} style={{ marginTop: 4 }}><b>{t.enrich}</b> <span className="muted">{t.enrichSay(e.from, e.add.map(([to]) => to).join(', '), e.when)}</span></p>)}
      </Section>
    </div>
  );
}

function Stores({ plan }: { plan: Plan }) {
  const t = useMessages({ en, es });
  return (
    <Section title={t.stores}>
      <dl className="facts">
        {Object.entries(plan.stores).map(([name, s]) => [
          <dt key={name}><b>{name}</b></dt>,
          <dd key={`${name}u`}><code className="code">{s.url}</code><br /><span className="small muted">{[s.region && `${t.region} ${s.region}`, s.processor && `${t.processor} ${s.processor}`].filter(Boolean).join(' · ')}</span> {s.protected && <Badge tone="accent" icon="lock">{t.protectedStore}</Badge>}</dd>,
        ])}
      </dl>
    </Section>
  );
}

function Around({ plan }: { plan: Plan }) {
  const t = useMessages({ en, es });
  const words = useWords();
  return (
    <Section title={t.window}>
      <dl className="facts">
        <dt>{t.window}</dt><dd>{plan.window ? t.windowSay(plan.window.days.join(' '), plan.window.from, plan.window.to, plan.window.zone) : t.noWindow}</dd>
        <dt>{t.packs}</dt><dd>{plan.comply?.packs?.join(', ') || t.none}</dd>
        <dt>{t.waivers}</dt><dd>{plan.comply?.waivers?.length ? plan.comply.waivers.map((w) => <p key={w.rule}>{t.waiverSay(w.rule, w.by, w.until)}: <span className="muted">{w.reason}</span></p>) : t.none}</dd>
        <dt>{t.people}</dt><dd className="stack" style={{ gap: 6 }}>{plan.people?.map((p) => <span key={p.email} className="row"><Who name={p.name} organisation={p.organisation} /><span className="muted small push">{words.role(p.role)}</span></span>)}</dd>
      </dl>
    </Section>
  );
}

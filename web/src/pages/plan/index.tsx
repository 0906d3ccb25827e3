// The plan's tables, both sides beside each other.
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { dataSchemaQuery, planQuery } from '@/api/queries';
import type { Plan, SchemaTable } from '@/api/types';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { plan as en } from '@/messages/plan.en';
import { Badge, ButtonLink, Empty, Link, Loaded, Section, Who } from '@/ui';
import { PlanFrame } from './frame';
import { OneTable } from './table';

export function PlanPage() {
  const t = useMessages(en);
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
  const t = useMessages(en);
  const shown = plan.tables.find((x) => x.to === chosen) ?? plan.tables[0];
  return (
    <>
      <div className="split-view">
        <nav className="side-list" aria-label={t.tables}>
          {plan.tables.map((x) => (
            <Link key={x.to} to="/plan" search={{ table: x.to } as never} aria-current={x === shown ? 'true' : undefined}><span>{x.to}</span><span className="n">{x.columns?.length ?? ''}</span></Link>
          ))}
        </nav>
        {shown && <OneTable key={shown.to} table={shown} stores={stores?.find((x) => x.table === shown.to)} />}
      </div>
      <div className="columns two"><Stores plan={plan} /><Around plan={plan} /></div>
    </>
  );
}

function Stores({ plan }: { plan: Plan }) {
  const t = useMessages(en);
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
  const t = useMessages(en);
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

// What amounts come to in the source and in the target, and the rules on all rows of a table together.
import { useState } from 'react';
import { useReport } from '@/app/results';
import type { ControlTotals, Report, SetResult, TotalLine } from '@/api/types';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { totals as en } from '@/messages/totals.en';
import { Badge, Check, Section, Table, type Column } from '@/ui';

interface Line extends TotalLine { table: string }
interface SetLine extends SetResult { table: string }

const agrees = (line: TotalLine) => Number(line.difference) === 0 && line.loaded_rows === line.target_rows && line.unread === 0;

export function TotalsPart() {
  const { report } = useReport();
  if (!report) return null;
  return <><Amounts report={report} /><Sets report={report} /></>;
}

function Amounts({ report }: { report: Report }) {
  const t = useMessages(en);
  const [all, setAll] = useState(false);
  const tables = report.tables.flatMap((x) => (x.totals ? [{ table: x.table, totals: x.totals }] : []));
  if (tables.length === 0) return null;
  const lines: Line[] = tables.flatMap((x) => x.totals.lines.map((line) => ({ ...line, table: x.table })));
  const apart = lines.filter((line) => !agrees(line));
  const unknown = tables.filter((x) => x.totals.unknown);
  const shown = all || apart.length === 0 ? lines : apart;
  return (
    <Section title={t.title} sub={t.sub}>
      <p className="row wrap" style={{ marginBottom: 12 }}>
        {apart.length === 0 && unknown.length === 0
          ? <Badge tone="good" icon="check">{t.agree(num(lines.length))}</Badge>
          : <Badge tone="bad" icon="warn">{t.differ(num(apart.length), num(lines.length))}</Badge>}
        {unknown.map((x) => <Unknown key={x.table} table={x.table} totals={x.totals} />)}
        {apart.length > 0 && <Check label={t.showAll} checked={all} onChange={(e) => setAll(e.target.checked)} />}
      </p>
      <div className="scroll-y" tabIndex={0} role="group" aria-label={t.title} style={{ maxHeight: 420, overflowY: 'auto' }}>
        <Table label={t.title} rows={shown} id={(x) => `${x.table} ${x.column} ${x.month ?? ''}`} flag={(x) => !agrees(x)} columns={columns(t)} />
      </div>
    </Section>
  );
}

function Unknown({ table, totals }: { table: string; totals: ControlTotals }) {
  const t = useMessages(en);
  return <span className="small muted">{t.unknown(table, totals.unknown ?? '')}</span>;
}

function columns(t: typeof en): Column<Line>[] {
  const sum = (value: string, rows: number) => <>{value}<br /><span className="small muted">{t.rows(num(rows), rows)}</span></>;
  return [
    { key: 'amount', head: t.amount, cell: (x) => <><b>{x.column}</b><br /><span className="small muted">{x.table}</span></> },
    { key: 'month', head: t.month, cell: (x) => x.month ?? <span className="muted">{t.noMonth}</span> },
    { key: 'read', head: t.read, num: true, cell: (x) => sum(x.read, x.read_rows) },
    { key: 'loaded', head: t.loaded, num: true, cell: (x) => sum(x.loaded, x.loaded_rows) },
    { key: 'target', head: t.target, num: true, cell: (x) => sum(x.target, x.target_rows) },
    { key: 'difference', head: t.difference, num: true, cell: (x) => x.difference },
    { key: 'proof', head: t.proof, cell: (x) => (agrees(x) ? <Badge tone="good" icon="check">{t.equal}</Badge> : <Badge tone="bad" icon="warn">{t.unequal}</Badge>) },
  ];
}

function Sets({ report }: { report: Report }) {
  const t = useMessages(en);
  const sets: SetLine[] = report.tables.flatMap((x) => (x.sets ?? []).map((set) => ({ ...set, table: x.table })));
  if (sets.length === 0) return null;
  const found = (set: SetLine) => set.is ?? (set.broken === undefined ? '' : t.against(num(set.broken), set.broken));
  return (
    <Section title={t.sets} sub={t.setsSub}>
      <Table
        label={t.sets} rows={sets} id={(x) => `${x.table} ${x.name}`} flag={(x) => !x.holds}
        columns={[
          { key: 'name', head: t.rule, cell: (x) => <><b>{x.name}</b><br /><span className="small muted">{x.table}</span></> },
          { key: 'check', head: t.mustHold, cell: (x) => <code className="code">{x.check}</code> },
          { key: 'found', head: t.found, cell: found },
          { key: 'proof', head: t.proof, cell: (x) => (x.holds ? <Badge tone="good" icon="check">{t.holds}</Badge> : <Badge tone={x.otherwise === 'stop' ? 'bad' : 'warn'} icon="warn">{t.broken}</Badge>) },
        ]}
      />
    </Section>
  );
}

// One column, edited: what becomes of it, how it is made, what it holds, how it is protected.
import { useState } from 'react';
import type { Plan, PlanTable, SchemaColumn } from '@/api/types';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { planEdit as en } from '@/messages/plan-edit.en';
import { Area, Badge, Button, Choice, Drawer, Field, Icon } from '@/ui';
import { mapping, type Line } from './mapping';
import { SaveNotes, usePlanSave } from './save';
import { columnSteps, draftOf, missing, REGIONAL, sayColumn, takesLast, type ColumnDraft, type Fate } from './steps';

const fatesOf = (line: Line | null): Fate[] => (!line ? ['sql'] : line.source ? ['as_is', 'cleaned', 'sql', 'dropped'] : ['sql', 'as_is', 'cleaned', 'gone']);

export function ColumnDrawer({ table, line, source, onClose }: { table: PlanTable; line: Line | null; source: readonly SchemaColumn[] | undefined; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [first] = useState(() => draftOf(line, table));
  const [draft, setDraft] = useState(first);
  const [tried, setTried] = useState(false);
  const put = (part: Partial<ColumnDraft>) => setDraft((d) => ({ ...d, ...part }));
  const names = source?.map((x) => x.name) ?? [...new Set(mapping(table, undefined).flatMap((l) => (l.source ? [l.source] : [])))];
  const dirty = JSON.stringify(draft) !== JSON.stringify(first);
  const last = takesLast(table, line, draft.fate);
  const same = (l: Line) => (line?.target ? l.target === line.target : !l.target && l.source === line?.source);
  const tableOf = (plan: Plan) => plan.tables.find((x) => x.to === table.to);
  // What two people may both have changed: how this column is made, or why it stays behind.
  const read = (plan: Plan) => {
    const now = tableOf(plan);
    return { made: now?.columns?.find((x) => x.target === line?.target) ?? null, drop: now?.drop?.find((d) => d.column === line?.source)?.reason ?? null };
  };
  const [opened] = useState(() => read({ tables: [table] } as unknown as Plan));
  const saving = usePlanSave({
    opened, read, done: onClose,
    make: (plan) => {
      const now = tableOf(plan);
      if (!now) return null;
      const found = line ? (mapping(now, source).find(same) ?? { ...line, target: null, how: 'undecided' as const }) : null;
      return { steps: columnSteps(plan.tables.indexOf(now), now, found, draft, names) };
    },
  });
  const lacks = missing(draft, line, table);
  const wrong = (what: (typeof lacks)[number]) => (tried && lacks.includes(what) ? t.missing[what] : null);
  const submit = () => { setTried(true); if (lacks.length === 0 && !last) saving.save(); };
  const moves = draft.fate === 'as_is' || draft.fate === 'cleaned' || draft.fate === 'sql';
  const seen = source?.find((x) => x.name === line?.source);
  const title = line?.target ?? line?.source ?? t.newColumn;
  return (
    <Drawer title={line ? t.columnTitle(title) : t.newColumn} onClose={onClose}>
      <form className="stack" style={{ gap: 16 }} noValidate onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <p className="muted">
          {table.from} <Icon name="arrow" /> {table.to}
          {line?.source && <> · <b>{line.source}</b>{line.type && ` ${line.type.toLowerCase()}`}{seen?.kind && <> · {t.looksLike} <Badge>{t.kinds[seen.kind] ?? seen.kind}</Badge></>}</>}
          {line?.how === 'used' && <> · {t.isUsed}</>}
        </p>
        {line && (
          <fieldset className="fates">
            <legend className="label">{t.fate}</legend>
            {fatesOf(line).map((f, i) => (
              <label key={f} className="check"><input type="radio" name="fate" value={f} checked={draft.fate === f} data-first={draft.fate === f || (!draft.fate && i === 0) ? true : undefined} onChange={() => put({ fate: f, target: draft.target || line.source || '' })} />
                <span>{t.fates[f]} <span className="muted small">{t.fateHints[f]}</span></span></label>
            ))}
            {wrong('fate') && <p className="wrong">{wrong('fate')}</p>}
          </fieldset>
        )}
        {moves && (
          <>
            <Field label={t.target} className="input mono" spellCheck={false} autoComplete="off" data-first={line ? undefined : true} value={draft.target} wrong={wrong('target') ?? wrong('taken')} onChange={(e) => put({ target: e.target.value })} />
            {draft.fate !== 'sql' && <Choice label={t.from} value={draft.from} wrong={wrong('from')} onChange={(e) => put({ from: e.target.value })} options={[{ value: '', label: t.choose }, ...names.map((x) => ({ value: x, label: x }))]} />}
            {draft.fate === 'sql' && <Area label={t.sql} hint={t.sqlHint} className="input mono" spellCheck={false} rows={4} value={draft.sql} wrong={wrong('sql')} onChange={(e) => put({ sql: e.target.value })} />}
            {draft.fate === 'cleaned' && <Cleaning draft={draft} put={put} />}
            <div className="pair">
              <Choice label={t.kind} hint={t.kindHint} value={draft.kind} onChange={(e) => put({ kind: e.target.value })} options={[{ value: '', label: t.kindUnsaid }, ...Object.entries(t.kinds).map(([value, label]) => ({ value, label }))]} />
              <Choice label={t.protect} hint={draft.protect ? t.protectHints[draft.protect] : undefined} value={draft.protect} onChange={(e) => put({ protect: e.target.value })} options={[{ value: '', label: t.protectNone }, ...Object.entries(t.protects).map(([value, label]) => ({ value, label }))]} />
            </div>
          </>
        )}
        {draft.fate === 'dropped' && <Area label={t.reason} hint={t.reasonHint} value={draft.reason} wrong={wrong('reason')} onChange={(e) => put({ reason: e.target.value })} />}
        {moves && line && !table.columns?.length && <p className="note">{t.namesAll(names.length)}</p>}
        {last && <p className="note warn-note">{t.lastColumn}</p>}
        <SaveNotes of={saving} dirty={dirty} shown={(now) => <>{t.clashNow} <code className="code">{now.drop ? `${t.fates.dropped}: ${now.drop}` : sayColumn(now.made ?? undefined)}</code></>} />
        <div className="row wrap">
          <Button kind="primary" type="submit" disabled={!dirty || saving.busy || last}>{saving.busy ? t.saving : t.save}</Button>
          <Button onClick={onClose}>{c.cancel}</Button>
        </div>
      </form>
    </Drawer>
  );
}

function Cleaning({ draft, put }: { draft: ColumnDraft; put: (part: Partial<ColumnDraft>) => void }) {
  const t = useMessages(en);
  return (
    <>
      <div className="pair">
        <Choice label={t.clean} hint={t.cleanHints[draft.clean]} value={draft.clean} onChange={(e) => put({ clean: e.target.value })} options={Object.entries(t.cleans).map(([value, label]) => ({ value, label }))} />
        {REGIONAL.includes(draft.clean) && <Field label={t.region} hint={t.regionHint} maxLength={2} value={draft.region} onChange={(e) => put({ region: e.target.value })} />}
      </div>
      {draft.clean === 'date' && <Area label={t.formats} hint={t.formatsHint} className="input mono" spellCheck={false} rows={3} value={draft.formats} onChange={(e) => put({ formats: e.target.value })} />}
      {draft.clean === 'sentinel' && <Area label={t.sentinels} hint={t.sentinelsHint} className="input mono" spellCheck={false} rows={3} value={draft.sentinels} onChange={(e) => put({ sentinels: e.target.value })} />}
    </>
  );
}

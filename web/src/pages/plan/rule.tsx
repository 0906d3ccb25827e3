// A rule of a table: added, changed, taken away.
import { useState } from 'react';
import type { Plan, PlanRule, PlanTable } from '@/api/types';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { planEdit as en } from '@/messages/plan-edit.en';
import { Area, Button, Choice, Drawer, Field } from '@/ui';
import { SaveNotes, usePlanSave } from './save';
import { ruleDraft, ruleSteps, ruleValue, type RuleDraft } from './steps';
import { withRule } from './toml';

export function RuleDrawer({ table, rule, onClose }: { table: PlanTable; rule: PlanRule | null; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const [first] = useState(() => ruleDraft(rule));
  const [draft, setDraft] = useState(first);
  const [tried, setTried] = useState(false);
  const [removing, setRemoving] = useState(false);
  const put = (part: Partial<RuleDraft>) => setDraft((d) => ({ ...d, ...part }));
  const place = (plan: Plan) => {
    const at = plan.tables.findIndex((x) => x.to === table.to);
    const rules = plan.tables[at]?.rules ?? [];
    return { at, rules, index: rules.findIndex((x) => x.name === rule?.name) };
  };
  const saving = usePlanSave<PlanRule | null>({
    opened: rule, done: onClose,
    read: (plan) => { const { rules, index } = place(plan); return rule ? (rules[index] ?? null) : null; },
    make: (plan, text) => {
      const { at, rules, index } = place(plan);
      if (at < 0) return null;
      const now = rules[index];
      if (removing) return now ? { steps: [{ op: 'remove', path: ['table', at, 'rule', index] }] } : null;
      if (now) { const steps = ruleSteps(at, index, now, draft); return steps.length ? { steps } : null; }
      const added = withRule(text, at, ruleValue(draft));
      return added === null ? { steps: [{ op: 'set', path: ['table', at, 'rule'], value: [...rules, ruleValue(draft)] }] } : { text: added };
    },
  });
  const taken = draft.name.trim() !== rule?.name && table.rules?.some((r) => r.name === draft.name.trim());
  const columns = table.columns?.map((x) => x.target) ?? [];
  const lacksFix = draft.otherwise === 'fix' && !draft.fix.some((f) => f.column && f.sql.trim());
  const fine = draft.name.trim() && draft.check.trim() && !taken && !lacksFix;
  const dirty = removing || JSON.stringify(draft) !== JSON.stringify(first);
  const submit = () => { setTried(true); if (removing || fine) saving.save(); };
  return (
    <Drawer title={rule ? t.ruleTitle(rule.name) : t.newRule} onClose={onClose}>
      <form className="stack" style={{ gap: 16 }} noValidate onSubmit={(e) => { e.preventDefault(); submit(); }}>
        <p className="muted">{t.ruleText(table.to)}</p>
        <Field label={t.ruleName} hint={t.ruleNameHint} maxLength={200} data-first value={draft.name} disabled={removing} wrong={tried && !draft.name.trim() ? t.ruleNameNeeded : taken ? t.ruleNameTaken : null} onChange={(e) => put({ name: e.target.value })} />
        <Area label={t.check} hint={t.checkHint} className="input mono" spellCheck={false} rows={3} value={draft.check} disabled={removing} wrong={tried && !draft.check.trim() ? t.checkNeeded : null} onChange={(e) => put({ check: e.target.value })} />
        <Choice label={t.otherwise} hint={t.otherwiseHints[draft.otherwise]} value={draft.otherwise} disabled={removing} onChange={(e) => put({ otherwise: e.target.value })} options={Object.entries(t.otherwises).map(([value, label]) => ({ value, label }))} />
        {draft.otherwise === 'fix' && (
          <fieldset className="stack" style={{ gap: 8 }} disabled={removing}>
            <legend className="label">{t.fixes}</legend>
            {draft.fix.map((f, i) => {
              const change = (part: Partial<typeof f>) => put({ fix: draft.fix.map((x, j) => (j === i ? { ...x, ...part } : x)) });
              return (
                <div key={i} className="pair">
                  {columns.length ? <Choice label={t.fixColumn} value={f.column} onChange={(e) => change({ column: e.target.value })} options={[{ value: '', label: t.choose }, ...columns.map((x) => ({ value: x, label: x }))]} />
                    : <Field label={t.fixColumn} value={f.column} onChange={(e) => change({ column: e.target.value })} />}
                  <Field label={t.fixSql} className="input mono" spellCheck={false} value={f.sql} onChange={(e) => change({ sql: e.target.value })} />
                </div>
              );
            })}
            {tried && lacksFix && <p className="wrong">{t.fixNeeded}</p>}
            <p><button type="button" className="link small" onClick={() => put({ fix: [...draft.fix, { column: '', sql: '' }] })}>{t.fixAdd}</button></p>
          </fieldset>
        )}
        {removing && <p className="note warn-note">{t.removeRuleSays}</p>}
        <SaveNotes of={saving} dirty={dirty} shown={(now) => (now ? <>{t.clashNow} <code className="code">{now.check}</code></> : t.ruleGone)} />
        <div className="row wrap">
          <Button kind={removing ? 'danger' : 'primary'} solid={removing} type="submit" disabled={!dirty || saving.busy}>{saving.busy ? t.saving : removing ? t.removeRule : rule ? t.save : t.addRule}</Button>
          <Button onClick={onClose}>{c.cancel}</Button>
          {rule && <span className="push"><Button kind="quiet" onClick={() => setRemoving(!removing)}>{removing ? t.keepRule : t.removeRule}</Button></span>}
        </div>
      </form>
    </Drawer>
  );
}

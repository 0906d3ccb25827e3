// The packs: how each rule of the regulations that the plan names ends, and why. What asks for something comes first.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import { packsQuery, type PackRule, type PackState } from '@/api/queries';
import { useMay } from '@/app/session';
import { toast, toastProblem } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { packs as en } from '@/messages/packs.en';
import { Area, Badge, Button, Dialog, Empty, Field, Link, Loaded, Section, Table } from '@/ui';

const ORDER: readonly PackState[] = ['violated', 'needs_person', 'waived', 'satisfied', 'not_applicable'];
const TONE = { violated: 'bad', needs_person: 'warn', waived: 'warn', satisfied: 'good', not_applicable: undefined } as const;
const ICON = { violated: 'warn', needs_person: 'warn', waived: 'warn', satisfied: 'check', not_applicable: undefined } as const;

type Chosen = PackState | 'open' | 'all';

function within(rule: PackRule, chosen: Chosen): boolean {
  if (chosen === 'all') return true;
  if (chosen === 'open') return rule.state === 'violated' || rule.state === 'needs_person';
  return rule.state === chosen;
}

/** The day where the person is, as the server writes days. */
const localDay = (d: Date): string => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;

export function PacksPart() {
  const t = useMessages(en);
  const query = useQuery(packsQuery);
  return (
    <Section title={t.title} sub={t.sub}>
      <Loaded query={query}>
        {(matrix) => (matrix.packs.length ? <Rules rules={matrix.rules} lists={matrix.lists} /> : <Empty title={t.none}>{t.noneText}</Empty>)}
      </Loaded>
    </Section>
  );
}

function Rules({ rules, lists }: { rules: readonly PackRule[]; lists: readonly { list: string; as_of: string }[] }) {
  const t = useMessages(en);
  const may = useMay();
  const [chosen, setChosen] = useState<Chosen>('open');
  const [waiving, setWaiving] = useState<PackRule | null>(null);
  const [withdrawing, setWithdrawing] = useState<PackRule | null>(null);
  const count = (c: Chosen) => rules.filter((rule) => within(rule, c)).length;
  const shown = ORDER.flatMap((state) => rules.filter((rule) => rule.state === state && within(rule, chosen)));
  const choices: readonly (readonly [Chosen, string])[] = [['open', t.open], ...ORDER.map((state) => [state, t.states[state] ?? state] as const), ['all', t.all]];
  return (
    <div className="stack">
      <div className="row wrap" role="group" aria-label={t.show}>
        {choices.map(([choice, words]) => (
          <Button key={choice} aria-pressed={chosen === choice} kind={chosen === choice ? 'primary' : undefined} onClick={() => setChosen(choice)}>{words} {num(count(choice))}</Button>
        ))}
      </div>
      <Table
        label={t.title}
        rows={shown}
        id={(rule) => rule.rule}
        flag={(rule) => rule.state === 'violated'}
        empty={t.nothing}
        columns={[
          { key: 'rule', head: t.rule, cell: (rule) => <><b>{rule.rule}</b><br /><span className="small">{rule.title}</span></> },
          { key: 'article', head: t.article, cell: (rule) => <span className="small muted">{rule.reference}</span> },
          { key: 'state', head: t.state, cell: (rule) => <Badge tone={TONE[rule.state]} icon={ICON[rule.state]}>{t.states[rule.state]}</Badge> },
          { key: 'why', head: t.why, cell: (rule) => <Why rule={rule} /> },
          { key: 'mend', head: t.mend, cell: (rule) => (
            <div className="small stack">
              {within(rule, 'open') && <span>{rule.help}</span>}
              {within(rule, 'open') && may('plan.waive') && <span><Button onClick={() => setWaiving(rule)} aria-label={t.waiveRule(rule.rule)}>{t.waive}</Button></span>}
              {rule.waiver?.id && may('plan.waive') && <span><Button onClick={() => setWithdrawing(rule)} aria-label={t.withdrawRule(rule.rule)}>{t.withdraw}</Button></span>}
            </div>
          ) },
          { key: 'evidence', head: t.evidence, cell: (rule) => <Evidence rule={rule} /> },
        ]}
      />
      {waiving && <Waive rule={waiving} onClose={() => setWaiving(null)} />}
      {withdrawing && <Withdraw rule={withdrawing} onClose={() => setWithdrawing(null)} />}
      <p className="small muted">{lists.map((list) => t.lists(list.list, list.as_of)).join(' · ')}</p>
    </div>
  );
}

function Why({ rule }: { rule: PackRule }) {
  const t = useMessages(en);
  return (
    <div className="small">
      {rule.why}
      {rule.where.length > 0 && <><br /><code className="code">{rule.where.join(', ')}</code></>}
      {rule.waiver && <><br /><b>{t.waivedBy(rule.waiver.by, rule.waiver.until ?? '')}</b>: {rule.waiver.reason} <span className="muted">{t.without(t.states[rule.waiver.without] ?? '')}{rule.waiver.id ? '' : `; ${t.inPlan}`}</span>{rule.waiver.entry !== undefined && <> <Link to="/guard/log" search={{ entry: String(rule.waiver.entry) } as never} className="link">{t.ledger} {num(rule.waiver.entry)}</Link></>}</>}
    </div>
  );
}

function Evidence({ rule }: { rule: PackRule }) {
  const t = useMessages(en);
  return (
    <div className="small muted">
      {rule.evidence.map((line) => <div key={line}>{line}</div>)}
      {rule.entries.length > 0 && <div>{t.ledger} {rule.entries.map((entry) => <Link key={entry} to="/guard/log" search={{ entry: String(entry) } as never} className="link"> {num(entry)}</Link>)}</div>}
    </div>
  );
}

/** Sets a rule aside: why, and until when. Who answers for it is who is signed in. */
function Waive({ rule, onClose }: { rule: PackRule; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [tried, setTried] = useState(false);
  const give = useMutation({
    mutationFn: () => body(api.POST('/api/v1/waivers', { body: { rule: rule.rule, reason: reason.trim(), until } })),
    onSuccess: () => { onClose(); toast(t.waived(rule.rule)); void client.invalidateQueries({ queryKey: ['packs'] }); },
    onError: toastProblem,
  });
  const today = localDay(new Date());
  const wrongReason = tried && !reason.trim() ? t.reasonNeeded : undefined;
  const wrongEnd = tried && (!until || until < today) ? t.endNeeded : undefined;
  const submit = () => { setTried(true); if (reason.trim() && until >= today) give.mutate(); };
  return (
    <Dialog title={t.waiveRule(rule.rule)} onClose={onClose} onSubmit={submit} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={give.isPending}>{t.waive}</Button></>}>
      <div className="stack">
        <p><b>{rule.title}</b></p>
        <p className="muted">{rule.why}</p>
        <p>{t.waiveSays}</p>
        <Area label={t.reason} rows={3} maxLength={2000} required value={reason} wrong={wrongReason} onChange={(e) => setReason(e.target.value)} />
        <Field label={t.until} type="date" min={today} required value={until} wrong={wrongEnd} onChange={(e) => setUntil(e.target.value)} />
      </div>
    </Dialog>
  );
}

/** Takes a waiver back. */
function Withdraw({ rule, onClose }: { rule: PackRule; onClose: () => void }) {
  const t = useMessages(en);
  const c = useMessages(common);
  const client = useQueryClient();
  const take = useMutation({
    mutationFn: () => body(api.DELETE('/api/v1/waivers/{waiver}', { params: { path: { waiver: rule.waiver?.id ?? '' } } })),
    onSuccess: () => { onClose(); toast(t.withdrawn(rule.rule)); void client.invalidateQueries({ queryKey: ['packs'] }); },
    onError: toastProblem,
  });
  return (
    <Dialog title={t.withdrawRule(rule.rule)} onClose={onClose} onSubmit={() => take.mutate()} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="danger" solid type="submit" disabled={take.isPending}>{t.withdraw}</Button></>}>
      <p>{t.withdrawSays(t.states[rule.waiver?.without ?? 'violated'] ?? '')}</p>
    </Dialog>
  );
}

// The packs: how each rule of the regulations that the plan names ends, and why. What asks for something comes first.
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { packsQuery, type PackRule, type PackState } from '@/api/queries';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { packs as en } from '@/messages/packs.en';
import { Badge, Button, Empty, Link, Loaded, Section, Table } from '@/ui';

const ORDER: readonly PackState[] = ['violated', 'needs_person', 'waived', 'satisfied', 'not_applicable'];
const TONE = { violated: 'bad', needs_person: 'warn', waived: 'warn', satisfied: 'good', not_applicable: undefined } as const;
const ICON = { violated: 'warn', needs_person: 'warn', waived: 'warn', satisfied: 'check', not_applicable: undefined } as const;

type Chosen = PackState | 'open' | 'all';

function within(rule: PackRule, chosen: Chosen): boolean {
  if (chosen === 'all') return true;
  if (chosen === 'open') return rule.state === 'violated' || rule.state === 'needs_person';
  return rule.state === chosen;
}

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
  const [chosen, setChosen] = useState<Chosen>('open');
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
          { key: 'mend', head: t.mend, cell: (rule) => (within(rule, 'open') ? <span className="small">{rule.help}</span> : null) },
          { key: 'evidence', head: t.evidence, cell: (rule) => <Evidence rule={rule} /> },
        ]}
      />
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
      {rule.waiver && <><br />{t.waivedBy(rule.waiver.by, rule.waiver.until ?? '')}: <span className="muted">{rule.waiver.reason}</span></>}
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

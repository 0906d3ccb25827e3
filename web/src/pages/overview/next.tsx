// What only a person can decide, the largest first, with the one action that does it.
import type { ReactNode } from 'react';
import { alertsQuery, quarantineQuery } from '@/api/queries';
import type { Approval, PlanBody } from '@/api/types';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { date, num } from '@/i18n/format';
import { overview as en } from '@/messages/overview.en';
import { ButtonLink, Icon, Link, Section, type IconName } from '@/ui';
import { useIf } from '@/app/session';
import { mineQuery } from './queries';

interface Thing { key: string; icon: IconName; title: ReactNode; sub: ReactNode; action: (first: boolean) => ReactNode }

export function Next({ plan, approvals, anyRun }: { plan: PlanBody | undefined; approvals: Approval[] | undefined; anyRun: boolean }) {
  const t = useMessages(en);
  const words = useWords();
  const quarantine = useIf('quarantine.read', quarantineQuery).data;
  const alerts = useIf('alerts.read', alertsQuery).data;
  const mine = useIf('work.read', mineQuery).data;
  const things: Thing[] = [];
  const guarded = Object.values(plan?.plan?.stores ?? {}).some((s) => s.protected);
  if (guarded && approvals && !approvals.some((a) => a.fingerprint === plan?.fingerprint && !a.voided_at)) {
    things.push({ key: 'approve', icon: 'check', title: <b>{t.approve}</b>, sub: t.approveSub, action: (first) => <ButtonLink small kind={first ? 'primary' : undefined} to="/plan/approvals">{t.openPlan}</ButtonLink> });
  }
  for (const a of (alerts?.items ?? []).filter((x) => x.open).slice(0, 2)) {
    things.push({ key: a.id, icon: 'bell', title: <b>{a.what}</b>, sub: a.todo, action: (first) => <ButtonLink small kind={first ? 'primary' : undefined} to="/alerts/$alert" params={{ alert: a.id }}>{t.alert}</ButtonLink> });
  }
  for (const g of (quarantine?.items ?? []).filter((x) => x.reason !== 'parent-quarantined').slice(0, 3)) {
    things.push({ key: g.group, icon: 'pencil', title: <b>{t.decideRows(num(g.rows), words.reason(g.reason))}</b>, sub: <>{t.decideRowsSub(g.table, g.column ?? '')}{g.pattern && <> · <span className="mono">{g.pattern}</span></>}</>, action: (first) => <ButtonLink small kind={first ? 'primary' : undefined} to="/data" search={{ group: g.group } as never}>{t.decide}</ButtonLink> });
  }
  for (const { task } of (mine?.items ?? []).filter((x) => x.urgency !== 'later').slice(0, 3)) {
    things.push({ key: task.id, icon: 'work', title: <b>{task.title}</b>, sub: [t.yours, task.deadline && `${t.due} ${date(Date.parse(`${task.deadline}T12:00`) * 1000)}`].filter(Boolean).join(' · '), action: (first) => <Link to={`/work?task=${task.id}` as '/'} className={first ? 'button small-size primary' : 'button small-size'}>{t.openTask}</Link> });
  }
  if (!anyRun && plan?.fingerprint) things.push({ key: 'run', icon: 'play', title: <b>{t.startRun}</b>, sub: plan.plan?.name, action: (first) => <ButtonLink small kind={first ? 'primary' : undefined} to="/runs" search={{ start: 'load' } as never}>{t.startRun}</ButtonLink> });
  return (
    <Section title={t.next} sub={t.nextSub(things.length)} right={<Link to="/work" className="link">{t.openTasks}</Link>}>
      {things.length === 0 && <p className="muted">{t.nothingNext}</p>}
      <ul className="next">
        {things.map((x, i) => <li key={x.key}><Icon name={x.icon} /><span>{x.title}</span><span className="do">{x.action(i === 0)}</span><span className="d">{x.sub}</span></li>)}
      </ul>
    </Section>
  );
}

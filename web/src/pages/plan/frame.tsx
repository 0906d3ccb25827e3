// The head and the tabs of the plan's pages.
import type { ReactNode } from 'react';
import { planQuery } from '@/api/queries';
import { useMessages } from '@/i18n';
import { plan as en } from '@/messages/plan.en';
import { Id, PageHead, Tabs } from '@/ui';
import { useIf } from '@/app/session';

export function PlanFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const t = useMessages(en);
  const body = useIf('plan.read', planQuery).data?.data;
  return (
    <div className="page">
      <PageHead title={body?.plan?.name ?? t.title} sub={body?.fingerprint ? <span className="row wrap">{body.plan?.summary} <span className="small row" style={{ gap: 4 }}>{t.fingerprint} <Id id={body.fingerprint} keep={12} /></span></span> : undefined} actions={actions} />
      <Tabs label={t.tabs} tabs={[{ to: '/plan', label: t.tabTables, exact: true }, { to: '/plan/text', label: t.tabText }, { to: '/plan/check', label: t.tabCheck }, { to: '/plan/approvals', label: t.tabApprovals }]} />
      {children}
    </div>
  );
}

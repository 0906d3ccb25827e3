// The head and the tabs of the guard's pages.
import type { ReactNode } from 'react';
import { alertsQuery } from '@/api/queries';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { guard as en } from '@/messages/guard.en';
import { PageHead, Tabs } from '@/ui';
import { useIf, useMay } from '@/app/session';

export function GuardFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const t = useMessages(en);
  const may = useMay();
  const open = useIf('alerts.read', alertsQuery).data?.items.filter((a) => a.open).length;
  return (
    <div className="page">
      <PageHead title={t.title} actions={actions} />
      <Tabs label={t.tabs} tabs={[
        { to: '/guard' as const, label: t.tabPeople, exact: true, needs: 'people.read' }, { to: '/guard/live' as const, label: t.tabLive, needs: 'presence.read' },
        { to: '/guard/alerts' as const, label: t.tabAlerts, count: open ? num(open) : undefined, needs: 'alerts.read' }, { to: '/guard/log' as const, label: t.tabLog, needs: 'ledger.read' },
        { to: '/guard/grants' as const, label: t.tabGrants, needs: 'grants.read' }, { to: '/guard/policies' as const, label: t.tabPolicies, needs: 'policy.read' },
      ].filter((tab) => may(tab.needs))} />
      {children}
    </div>
  );
}

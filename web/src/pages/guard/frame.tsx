// The head and the tabs of the guard's pages.
import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { alertsQuery } from '@/api/queries';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { guard as en } from '@/messages/guard.en';
import { guard as es } from '@/messages/guard.es';
import { PageHead, Tabs } from '@/ui';

export function GuardFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const t = useMessages({ en, es });
  const open = useQuery({ ...alertsQuery, retry: false }).data?.items.filter((a) => a.open).length;
  return (
    <div className="page">
      <PageHead title={t.title} actions={actions} />
      <Tabs label={t.tabs} tabs={[
        { to: '/guard', label: t.tabPeople, exact: true }, { to: '/guard/live', label: t.tabLive }, { to: '/guard/alerts', label: t.tabAlerts, count: open ? num(open) : undefined },
        { to: '/guard/log', label: t.tabLog }, { to: '/guard/grants', label: t.tabGrants }, { to: '/guard/policies', label: t.tabPolicies },
      ]} />
      {children}
    </div>
  );
}

// The head and the tabs of Tell.
import type { ReactNode } from 'react';
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { requests as requestsEn } from '@/messages/requests.en';
import { tell as en } from '@/messages/tell.en';
import { PageHead, Tabs, type Tab } from '@/ui';
import { isOver, requestsQuery } from './requests/api';
import './tell.css';

export function TellFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const t = useMessages(en);
  const r = useMessages(requestsEn);
  const may = useMay();
  const open = useIf('requests.read', requestsQuery).data?.items.filter((one) => !isOver(one)).length;
  const tabs: Tab[] = [{ to: '/notices', label: t.tabNotices, exact: true }, { to: '/notices/schedule', label: t.tabSchedule }];
  if (may('requests.read')) tabs.push({ to: '/notices/requests', label: r.tab, count: open ? num(open) : undefined });
  return (
    <div className="page">
      <PageHead title={t.title} actions={actions} />
      <Tabs label={t.tabs} tabs={tabs} />
      {children}
    </div>
  );
}

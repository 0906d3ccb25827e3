// The head and the tabs of the pages on data.
import type { ReactNode } from 'react';
import { useMessages } from '@/i18n';
import { data as en } from '@/messages/data.en';
import { duplicates as duplicatesEn } from '@/messages/duplicates.en';
import { exporting as exportEn } from '@/messages/export.en';
import { useMay } from '@/app/session';
import { PageHead, Tabs } from '@/ui';

export function DataFrame({ children, actions, sub }: { children: ReactNode; actions?: ReactNode; sub?: ReactNode }) {
  const t = useMessages(en);
  const d = useMessages(duplicatesEn);
  const e = useMessages(exportEn);
  const may = useMay();
  return (
    <div className="page">
      <PageHead title={t.title} sub={sub} actions={actions} />
      <Tabs label={t.tabs} tabs={[{ to: '/data', label: t.tabQuarantine, exact: true }, ...(may('duplicates.read') ? [{ to: '/data/duplicates' as const, label: d.tab }] : []), { to: '/data/reconciliation', label: t.tabReconciliation }, { to: '/data/profile', label: t.tabProfile }, ...(may('data.export') ? [{ to: '/data/export' as const, label: e.tab }] : [])]} />
      {children}
    </div>
  );
}

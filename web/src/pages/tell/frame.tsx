// The head and the tabs of Tell, and the state of a notice as a word with its shape.
import type { ReactNode } from 'react';
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { date, num } from '@/i18n/format';
import { requests as requestsEn } from '@/messages/requests.en';
import { requests as requestsEs } from '@/messages/requests.es';
import { tell as en } from '@/messages/tell.en';
import { tell as es } from '@/messages/tell.es';
import { Badge, PageHead, Tabs, type IconName, type Tab, type Tone } from '@/ui';
import { isOver, requestsQuery } from './requests/api';
import './tell.css';

export function TellFrame({ children, actions }: { children: ReactNode; actions?: ReactNode }) {
  const t = useMessages({ en, es });
  const r = useMessages({ en: requestsEn, es: requestsEs });
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

const LOOKS: Record<string, [Tone | undefined, IconName]> = {
  broken: ['bad', 'warn'], draft: [undefined, 'pencil'], submitted: ['info', 'clock'], published: ['good', 'check'], changed: ['warn', 'pencil'], withdrawn: [undefined, 'close'], taken_back: [undefined, 'undo'],
};

/** Where a notice, or one of its versions, stands. */
export function State({ of }: { of: string }) {
  const t = useMessages({ en, es });
  const [tone, icon] = LOOKS[of] ?? [undefined, 'info'];
  return <Badge tone={tone} icon={icon}>{t.states[of] ?? of}</Badge>;
}

/** A language by its code, with its country where it has one. */
export function useLanguage(): (locale: string | null) => string {
  const t = useMessages({ en, es });
  return (locale) => {
    const [code = '', country] = (locale ?? '').split('-');
    return [t.languagesOf[code] ?? code, country].filter(Boolean).join(' ');
  };
}

/** A day of the plan, YYYY-MM-DD, as people write it. */
export const dayWords = (day: string): string => date(Date.parse(`${day}T12:00`) * 1000);

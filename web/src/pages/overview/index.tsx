// Overview: what share is accounted for, what is next, who is in the data now.
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { PageHead } from '@/ui';

export function OverviewPage() {
  const t = useMessages(common);
  return <div className="page"><PageHead title={t.overview} /></div>;
}

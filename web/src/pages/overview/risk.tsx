// What is at risk: the forecast of the tasks' deadlines, as the server computes it.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { raw } from '@/api/client';
import { useMessages } from '@/i18n';
import { pct } from '@/i18n/format';
import { overview as en } from '@/messages/overview.en';
import { overview as es } from '@/messages/overview.es';
import { Section, SkeletonRows } from '@/ui';

interface Forecast { finish_p50: string | null; finish_p90: string | null; deadlines: { task: string; number?: number; title?: string; deadline: string; risk: number }[] }

export function Risk() {
  const t = useMessages({ en, es });
  const query = useQuery({ queryKey: ['work', 'forecast'], retry: false, staleTime: 60_000, queryFn: async () => (await (await raw('/api/v1/work/forecast')).json()) as Forecast });
  const f = query.data;
  const worst = [...(f?.deadlines ?? [])].sort((a, b) => b.risk - a.risk).slice(0, 6);
  return (
    <Section title={t.risk} sub={f?.finish_p50 && f.finish_p90 ? t.riskSub(f.finish_p50, f.finish_p90) : undefined} right={<Link to={'/work/timeline' as '/'} className="link">{t.timeline}</Link>}>
      {query.isPending && <SkeletonRows rows={3} columns={3} />}
      {query.isError && <p className="muted">{t.riskUnknown}</p>}
      {f && worst.length === 0 && <p className="muted">{t.riskNone}</p>}
      <ul className="risk">
        {worst.map((d) => (
          <li key={d.task}>
            <Link to={`/work?task=${d.task}` as '/'} className="link">{d.title ?? `T-${d.number ?? ''}`}</Link>
            <span className="muted small nowrap">{t.due} {d.deadline}</span>
            <b className={`nowrap ${d.risk >= 0.3 ? 'bad' : d.risk >= 0.1 ? 'warn' : 'muted'}`} style={{ textAlign: 'right' }}>{pct(d.risk, 0)}</b>
          </li>
        ))}
      </ul>
    </Section>
  );
}

// What is at risk: when all will be done, and how likely each deadline is missed, as the server computes it.
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { date, pct } from '@/i18n/format';
import { overview as en } from '@/messages/overview.en';
import { Link, ProblemView, Section, SkeletonRows } from '@/ui';
import { forecastQuery } from './queries';

const ms = (day: string) => Date.parse(`${day}T12:00`);
const day = (text: string) => date(ms(text) * 1000);

export function Risk() {
  const t = useMessages(en);
  const may = useMay();
  const query = useIf('work.read', forecastQuery);
  const f = query.data;
  const worst = [...(f?.deadlines ?? [])].sort((a, b) => b.risk - a.risk || ms(a.deadline) - ms(b.deadline)).slice(0, 5);
  if (!may('work.read')) return null;
  return (
    <Section title={t.risk} sub={f?.finish_p50 && f.finish_p90 ? t.riskSub(day(f.finish_p50), day(f.finish_p90)) : undefined} right={<Link to={'/work/timeline' as '/'} className="link">{t.timeline}</Link>}>
      {query.isPending && <SkeletonRows rows={3} columns={3} />}
      {query.isError && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {f?.finish_p50 && f.finish_p90 && <Axis p50={f.finish_p50} p90={f.finish_p90} deadlines={worst.map((d) => d.deadline)} />}
      {f && worst.length === 0 && <p className="muted">{t.riskNone}</p>}
      <ul className="risk">
        {worst.map((d) => (
          <li key={d.task}>
            <Link to={`/work?task=${d.task}` as '/'} className="link">{d.title}</Link>
            <span className="muted small nowrap">{t.due} {day(d.deadline)}</span>
            <b className={`nowrap ${d.risk >= 0.3 ? 'bad' : d.risk >= 0.1 ? 'warn' : 'muted'}`} title={t.late}>{pct(d.risk, 0)}</b>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** From today to the last date that matters: P50 as a dot, P90 as a tick, deadlines as flags. */
function Axis({ p50, p90, deadlines }: { p50: string; p90: string; deadlines: readonly string[] }) {
  const t = useMessages(en);
  const from = Date.now();
  const to = Math.max(ms(p90), ...deadlines.map(ms), from + 86_400_000);
  const at = (d: string) => `${Math.min(100, Math.max(0, ((ms(d) - from) / (to - from)) * 96 + 1))}%`;
  return (
    <div className="axis" role="img" aria-label={t.axisSays(day(p50), day(p90), deadlines.map(day).join(', '))}>
      <i className="axis-band" style={{ left: at(p50), right: `calc(100% - ${at(p90)})` }} /><i className="axis-p50" style={{ left: at(p50) }} /><i className="axis-p90" style={{ left: at(p90) }} />
      {[...new Set(deadlines)].map((d) => <i key={d} className="axis-flag" style={{ left: at(d) }} />)}
      <span className="small muted axis-now">{t.today}</span><span className="small muted axis-p50-word" style={{ left: at(p50) }}>P50</span><span className="small muted axis-p50-word" style={{ left: at(p90) }}>P90</span>
    </div>
  );
}

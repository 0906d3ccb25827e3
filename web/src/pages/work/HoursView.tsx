// Hours and days: when a move disturbs least, who works on which days, on which days nobody does.
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import { planQuery } from '@/api/queries';
import type { Plan } from '@/api/types';
import { useIf, useMay } from '@/app/session';
import { num, pct } from '@/i18n/format';
import { Badge, Button, ProblemView, Section, SkeletonRows } from '@/ui';
import { work } from './api';
import { BlackoutDays } from './BlackoutDays';
import { HeatMap } from './HeatMap';
import { cells, lengthOf, meanOf, same, type Cell, type WindowHours } from './hours';
import { useHourWords } from './hourwords';
import type { LoadWindows } from './types';
import { WindowDialog } from './WindowDialog';
import { WorkingDaysTable } from './WorkingDays';

export function HoursView(): ReactElement {
  const may = useMay();
  return (
    <div className="work-pad"><div className="hours-page">
      {may('work.read_all') && <Windows />}
      <div className="columns wide hours-two">{may('work.read_all') && <WorkingDaysTable />}<BlackoutDays /></div>
    </div></div>
  );
}

function Windows(): ReactElement {
  const { t, say } = useHourWords();
  const query = useQuery({ queryKey: ['work', 'windows'], queryFn: work.windows });
  const plan = useIf('plan.read', planQuery).data?.data.plan as Plan | null | undefined;
  const may = useMay();
  const [putting, setPutting] = useState<WindowHours | 'own' | null>(null);
  if (query.isError) return <ProblemView error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <SkeletonRows rows={8} columns={6} />;
  const data: LoadWindows = query.data;
  const known = cells(data.load, data.sensitive);
  const window = plan?.window ?? null;
  const first = data.proposals[0] ?? null;
  return (
    <Section title={known && first ? t.bestKnown(say(first)) : t.bestUnknown} sub={t.measured(num(data.hours_known))}>
      <div className="columns wide" style={{ marginTop: 12 }}>
        <div>
          <HeatMap known={known} hoursKnown={data.hours_known} plan={window} best={known ? first : null} />
          <p className="small muted" style={{ marginTop: 8, maxWidth: '80ch' }}>{first && t.zone(first.zone)}. {t.weighted(pct(data.sensitive, 0))} {!known && t.howMeasured}</p>
        </div>
        <section aria-labelledby="proposals">
          <h3 id="proposals">{t.proposals}</h3>
          <ul className="changes">
            {data.proposals.map((one) => (
              <li key={`${one.days.join()}${one.from}`} className="stack" style={{ gap: 4, padding: '10px 0' }}>
                <p><b>{say(one)}</b> <span className="muted small">{t.hours(num(lengthOf(one) / 60))}</span></p>
                <p className="small muted"><Reason proposal={one} known={known} plan={window} sensitive={data.sensitive} /></p>
                {window && same(one, window) ? <p><Badge icon="check">{t.alreadyPlan}</Badge></p> : may('plan.edit') && <p><Button small onClick={() => setPutting(one)}>{t.put}</Button></p>}
              </li>
            ))}
          </ul>
          {may('plan.edit') && <p style={{ marginTop: 10 }}><Button small kind="quiet" icon="clock" onClick={() => setPutting('own')}>{t.own}</Button></p>}
        </section>
      </div>
      {putting && plan && <WindowDialog plan={plan} proposal={putting === 'own' ? null : putting} zone={window?.zone ?? first?.zone ?? 'UTC'} onClose={() => setPutting(null)} />}
    </Section>
  );
}

/** Why a window is proposed: what was measured, or that nothing was. */
function Reason({ proposal, known, plan, sensitive }: { proposal: WindowHours; known: Cell[] | null; plan: WindowHours | null; sensitive: number }) {
  const { t } = useHourWords();
  if (!known) return <>{plan && same(proposal, plan) ? t.becauseOwn : sensitive > 0.3 ? t.becauseWeekend : t.becauseNights}</>;
  const mean = meanOf(known, proposal);
  return <>{t.because(pct(mean.load, 0), pct(mean.weight, 0))}</>;
}

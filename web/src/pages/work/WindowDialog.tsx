// A window put into the plan: what it changes is said before, in days of the end and in approvals that no longer hold.
import { useQuery } from '@tanstack/react-query';
import { useState, type ReactElement } from 'react';
import type { Plan } from '@/api/types';
import { SaveNotes, usePlanSave } from '@/pages/plan/save';
import type { Step } from '@/pages/plan/steps';
import { Button, Check, Dialog, Field } from '@/ui';
import { useMessages } from '@/i18n';
import { common } from '@/messages/catalogue';
import { planEdit as editEn } from '@/messages/plan-edit.en';
import { work } from './api';
import { DAYS, same, written, type WindowHours } from './hours';
import { useHourWords } from './hourwords';

export function WindowDialog({ plan, proposal, zone, onClose }: { plan: Plan; proposal: WindowHours | null; zone: string; onClose: () => void }): ReactElement {
  const { t, days, time, lower, dayName } = useHourWords();
  const c = useMessages(common);
  const e = useMessages(editEn);
  const [chosen, setChosen] = useState<WindowHours>(() => proposal ?? plan.window ?? { days: ['sat', 'sun'], from: '22:00', to: '06:00', zone });
  const [tried, setTried] = useState(false);
  const [opened] = useState(plan.window ?? null);
  const window: WindowHours = written({ days: DAYS.filter((d) => chosen.days.includes(d)), from: chosen.from, to: chosen.to, zone: chosen.zone || zone });
  const saving = usePlanSave({
    opened, read: (now) => now.window ?? null, done: onClose,
    make: (now) => {
      const steps: Step[] = (['days', 'from', 'to', 'zone'] as const).filter((key) => JSON.stringify(now.window && written(now.window)[key]) !== JSON.stringify(window[key])).map((key) => ({ op: 'set', path: ['window', key], value: window[key] }));
      return steps.length ? { steps } : null;
    },
  });
  const fine = window.days.length > 0 && Boolean(window.from && window.to);
  const changes = !opened || !same(window, opened);
  const would = useQuery({ queryKey: ['work', 'what-if', window], queryFn: () => work.whatIf({ window: { days: window.days, from: window.from, to: window.to, zone: window.zone } }), enabled: fine && changes, retry: false });
  return (
    <Dialog title={proposal ? t.putTitle : t.ownTitle} onClose={onClose} onSubmit={() => { setTried(true); if (fine && changes) saving.save(); }}
      foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!changes || saving.busy}>{t.put}</Button></>}>
      {!proposal && (
        <>
          <fieldset><legend className="label">{t.days}</legend><div className="row wrap" style={{ gap: '8px 14px' }}>{DAYS.map((d) => <Check key={d} label={dayName(d, 'short')} aria-label={dayName(d)} checked={chosen.days.includes(d)} onChange={() => setChosen((w) => ({ ...w, days: w.days.includes(d) ? w.days.filter((x) => x !== d) : [...w.days, d] }))} />)}</div>
            {tried && window.days.length === 0 && <p className="wrong">{t.daysNeeded}</p>}</fieldset>
          <div className="pair"><Field label={t.from} type="time" required value={chosen.from} onChange={(x) => setChosen({ ...chosen, from: x.target.value })} /><Field label={t.to} type="time" required value={chosen.to} onChange={(x) => setChosen({ ...chosen, to: x.target.value })} /></div>
        </>
      )}
      {fine && <p>{t.putSays(lower(days(window.days)), time(window), window.zone)}</p>}
      <p className="muted">{opened ? t.putWas(lower(days(opened.days)), time(opened), opened.zone) : t.putWasNone} {opened?.source_load && t.putLoad(opened.source_load)} {t.putRunning}</p>
      {changes && fine && <p role="status">{would.data ? (would.data.days_p50 === null ? t.shiftUnknown : t.shift(would.data.days_p50)) : would.isError ? t.shiftUnknown : t.shiftAsking}</p>}
      <SaveNotes of={saving} dirty={changes} shown={(now) => (now ? t.clash(lower(days(now.days)), time(now)) : t.putWasNone)} />
      {saving.busy && <p className="small muted" role="status">{e.saving}</p>}
    </Dialog>
  );
}

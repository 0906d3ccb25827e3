// What the queue and one request both show: the state as a word with its shape, and the clock, whose lateness is a word
// and a shape before it is a colour.
import { useMessages } from '@/i18n';
import { date } from '@/i18n/format';
import { requests as en } from '@/messages/requests.en';
import { Badge, Icon, Time, type IconName, type Tone } from '@/ui';
import { isOver, type CustomerAsk } from './api';

const LOOKS: Record<string, [Tone | undefined, IconName]> = {
  open: ['info', 'clock'], granted: ['accent', 'check'], acting: ['info', 'play'], done: ['good', 'check'], refused: [undefined, 'close'], withdrawn: [undefined, 'undo'],
};
/** Days before the last one from which a request presses. */
const SOON = 5;

export function AskState({ of }: { of: CustomerAsk }) {
  const t = useMessages(en);
  const [tone, icon] = LOOKS[of.state] ?? [undefined, 'info'];
  return <Badge tone={tone} icon={icon}>{t.states[of.state] ?? of.state}</Badge>;
}

/** The last day on which an answer is in time: the server names the first moment that is too late. */
export const lastDay = (tooLate: number): string => date(tooLate - 1);

/** By when, and how far away that is. */
export function Clock({ of }: { of: CustomerAsk }) {
  const t = useMessages(en);
  if (isOver(of)) return <span className="muted nowrap">{t.answered}{of.ended_at !== null && <> <Time at={of.ended_at} as={date} /></>}</span>;
  if (of.due_at === null || of.days_left === null) return <span className="muted nowrap">{t.noClock}</span>;
  const left = of.days_left;
  const look = left < 0 ? 'bad' : left <= SOON ? 'warn' : undefined;
  return (
    <span className="ask-clock">
      <span className={look}><Icon name={left < 0 ? 'warn' : 'clock'} /> {look ? <b>{left < 0 ? t.overdue(-left) : t.daysLeft(left)}</b> : t.daysLeft(left)}</span>
      <span className="small muted"><Time at={of.due_at - 1} as={date} /></span>
    </span>
  );
}

/** What is asked for, in words. */
export function useKind(): (of: CustomerAsk) => string {
  const t = useMessages(en);
  return (of) => t.kinds[of.kind] ?? of.kind.replaceAll('_', ' ');
}

/** A purpose as the plan names it, without its vocabulary. */
export const purposeWords = (purpose: string): string => purpose.replace(/^dpv:/, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();

// The state of a notice as a word with its shape, its language and its days in words: what other places show of Tell.
import { useMessages } from '@/i18n';
import { date } from '@/i18n/format';
import { tell as en } from '@/messages/tell.en';
import { Badge, type IconName, type Tone } from '@/ui';

const LOOKS: Record<string, [Tone | undefined, IconName]> = {
  broken: ['bad', 'warn'], draft: [undefined, 'pencil'], submitted: ['info', 'clock'], published: ['good', 'check'], changed: ['warn', 'pencil'], withdrawn: [undefined, 'close'], taken_back: [undefined, 'undo'],
};

/** Where a notice, or one of its versions, stands. */
export function State({ of }: { of: string }) {
  const t = useMessages(en);
  const [tone, icon] = LOOKS[of] ?? [undefined, 'info'];
  return <Badge tone={tone} icon={icon}>{t.states[of] ?? of}</Badge>;
}

/** A language by its code, with its country where it has one. */
export function useLanguage(): (locale: string | null) => string {
  const t = useMessages(en);
  return (locale) => {
    const [code = '', country] = (locale ?? '').split('-');
    return [t.languagesOf[code] ?? code, country].filter(Boolean).join(' ');
  };
}

/** A day of the plan, YYYY-MM-DD, as people write it. */
export const dayWords = (day: string): string => date(Date.parse(`${day}T12:00`) * 1000);

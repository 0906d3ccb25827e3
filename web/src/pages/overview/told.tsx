// What customers have been told about the move, and what they have not.
import { useIf, useMay } from '@/app/session';
import { useMessages } from '@/i18n';
import { date } from '@/i18n/format';
import { tell as en } from '@/messages/tell.en';
import { State, dayWords, useLanguage } from '@/pages/tell/state';
import { Link, Loaded, Section } from '@/ui';
import { toldQuery } from './queries';

export function Told() {
  const t = useMessages(en);
  const may = useMay();
  const language = useLanguage();
  const query = useIf('notices.read', toldQuery);
  if (!may('notices.read')) return null;
  return (
    <div className="columns">
      <Section title={t.told} right={<Link to="/notices" className="link">{t.toldAll}</Link>}>
        <Loaded query={query}>
          {({ items }) => items.length === 0 ? <p className="muted">{t.toldNone}</p> : (
            <ul className="told">
              {items.slice(0, 5).map((n) => (
                <li key={n.name}>
                  <Link to="/notices/$name" params={{ name: n.name }} className="link">{n.headline ?? n.name}</Link>
                  <span className="muted small">{language(n.locale)}</span>
                  <span className="push row small muted">{n.shown?.published_at ? date(n.shown.published_at) : n.publish ? t.planned(dayWords(n.publish)) : ''} <State of={n.status} /></span>
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Section>
    </div>
  );
}

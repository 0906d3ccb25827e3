// Who is in the data now; people from outside are marked by shape and words as well as colour.
import { presenceQuery } from '@/api/queries';
import { useMessages } from '@/i18n';
import { overview as en } from '@/messages/overview.en';
import { Link, Loaded, Section } from '@/ui';
import { AccessTable } from '@/pages/guard/access';
import { useIf } from '@/app/session';

export function WhoIsIn() {
  const t = useMessages(en);
  const query = useIf('presence.read', presenceQuery);
  const p = query.data;
  const strangers = p?.outside.filter((o) => !o.own).length ?? 0;
  return (
    <Section title={t.who} sub={p ? t.whoSub(p.accesses.length, p.accesses.filter((a) => a.organisation).length) : undefined} right={<Link to="/guard/live" className="link">{t.watch}</Link>}>
      <Loaded query={query}>
        {(now) => (
          <>
            {now.accesses.length + now.lately.length === 0 ? <p className="muted">{t.whoNone}</p> : <AccessTable accesses={[...now.accesses, ...now.lately]} />}
            <p className="small muted" style={{ marginTop: 8 }}>
              <Link to="/guard/live" className="link">{t.signedIn(new Set(now.sessions.map((s) => s.person)).size)}</Link>
              {strangers > 0 && <> · <Link to="/guard/live" className="link warn"><b>{t.outsideStores(strangers)}</b></Link></>}
            </p>
          </>
        )}
      </Loaded>
    </Section>
  );
}

// The frame: rail, top bar, who is here, the palette and the sheet of shortcuts.
import { Outlet, useRouterState } from '@tanstack/react-router';
import { memo, useCallback, useEffect, useRef, useState } from 'react';
import { alertsQuery, checkpointQuery, planQuery, presenceQuery, quarantineQuery, runsQuery } from '@/api/queries';
import { raw } from '@/api/client';
import { setLang, useLang, useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { Avatar, Bird, Dialog, Icon, Link, MenuList } from '@/ui';
import { Help } from './help';
import { useShortcuts } from './keys';
import { useLiveState } from './live';
import { useInvalidations } from './invalidate';
import { Palette } from './palette';
import { PLACES, type Place } from './places';
import { noticesQuery } from '@/pages/tell/api';
import { isOver, nextStep, requestsQuery } from '@/pages/tell/requests/api';
import { useIf, useMe } from './session';
import { setTheme } from './theme';
import { Toasts, toastProblem } from './toast';
import { useTheme } from './useTheme';

/** How many things wait at a place. A hook of its own each, so that an answer draws one number and not the whole rail. */
const COUNTS: Partial<Record<Place['key'], () => number | undefined>> = {
  data: () => useIf('quarantine.read', quarantineQuery).data?.items.reduce((sum, g) => sum + g.rows, 0),
  runs: () => useIf('run.read', runsQuery).data?.items.filter((r) => r.status === 'running').length,
  guard: () => useIf('alerts.read', alertsQuery).data?.items.filter((a) => a.open).length,
  // What waits for a person here.
  tell: () => {
    const notices = useIf('notices.read', noticesQuery).data;
    const requests = useIf('requests.read', requestsQuery).data;
    return (notices?.items.filter((n) => n.waiting).length ?? 0) + (requests?.items.filter((r) => !isOver(r) && nextStep(r, Date.now() * 1000) !== null).length ?? 0);
  },
};

function Count({ use }: { use: () => number | undefined }) {
  useLang();
  const n = use();
  return n ? <span className="count">{num(n)}</span> : null;
}

function Ledger() {
  const t = useMessages(common);
  const checkpoint = useIf('ledger.prove', checkpointQuery).data;
  return (
    <div className="foot">
      {checkpoint ? <Link to="/evidence">{t.ledgerEntries(num(checkpoint.size))}<br /><span className="good"><Icon name="check" /> {t.allSigned}</span></Link> : <span>{t.ledgerEntries('–')}</span>}
    </div>
  );
}

const Rail = memo(function Rail({ openMore }: { openMore: () => void }) {
  const t = useMessages(common);
  return (
    <nav className="rail" aria-label={t.places}>
      <Link to="/" className="brand"><Bird /> dunlin</Link>
      <div className="links">
        {PLACES.map((p) => {
          const use = COUNTS[p.key];
          return <Link key={p.key} to={p.to} activeOptions={{ exact: p.to === '/', includeSearch: false }} className={[p.tucked && 'tucked', p.key === 'settings' && 'last'].filter(Boolean).join(' ')}>
            <Icon name={p.icon} /><span>{t[p.key]}</span>{use && <Count use={use} />}
          </Link>;
        })}
        <button type="button" className="more" onClick={openMore}><Icon name="more" /><span>{t.more}</span></button>
      </div>
      <Ledger />
    </nav>
  );
});

function Account() {
  const t = useMessages(common);
  const me = useMe();
  const theme = useTheme();
  const language = useLang();
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLButtonElement>(null);
  const close = useCallback((back: boolean) => { setOpen(false); if (back) anchor.current?.focus(); }, []);
  if (!me) return null;
  const signOut = () => { void raw('/api/v1/sign-out', { method: 'POST' }).then(() => location.assign('/sign-in'), toastProblem); };
  return (
    <>
      <button ref={anchor} type="button" className="button quiet" aria-haspopup="menu" aria-expanded={open} aria-label={`${t.account}: ${me.name}`} onClick={() => setOpen((o) => !o)} style={{ padding: 4 }}>
        <Avatar name={me.name} outside={Boolean(me.organisation)} />
      </button>
      {open && <MenuList anchor={anchor.current} label={t.account} close={close} items={[
        { label: t.settings, icon: 'settings', hint: me.role, run: () => { location.assign('/settings'); } },
        '-',
        { label: t.light, checked: theme === 'light', run: () => setTheme('light') },
        { label: t.dark, checked: theme === 'dark', run: () => setTheme('dark') },
        { label: t.asSystem, checked: theme === 'system', run: () => setTheme('system') },
        '-',
        { label: 'English', checked: language === 'en', run: () => { void setLang('en').catch(toastProblem); } },
        { label: 'Español', checked: language === 'es', run: () => { void setLang('es').catch(toastProblem); } },
        '-',
        { label: t.signOut, icon: 'outside', run: signOut },
      ]} />}
    </>
  );
}

function Here() {
  const t = useMessages(common);
  const presence = useIf('presence.read', presenceQuery).data;
  const alerts = useIf('alerts.read', alertsQuery).data;
  const open = alerts?.items.filter((a) => a.open).length ?? 0;
  const seen = new Map((presence?.sessions ?? []).map((s) => [s.person, s]));
  const here = [...seen.values()];
  return (
    <div className="here">
      {here.length > 0 && (
        <Link to="/guard/live" className="row" aria-label={t.hereCount(here.length)}>
          <span className="lead small muted">{t.hereNow}</span>
          <span className="faces">{here.slice(0, 4).map((s) => <Avatar key={s.person} name={s.name} outside={Boolean(s.organisation)} />)}</span>
          {here.length > 4 && <span className="small muted">+{here.length - 4}</span>}
        </Link>
      )}
      {alerts && <Link to="/guard/alerts" className="button quiet" aria-label={t.alertsOpen(open)}><Icon name="bell" />{open > 0 && <span className="small warn"><b>{num(open)}</b></span>}</Link>}
      <Account />
    </div>
  );
}

const Top = memo(function Top({ openPalette }: { openPalette: () => void }) {
  const t = useMessages(common);
  const plan = useIf('plan.read', planQuery).data;
  return (
    <header className="top">
      <Link to="/plan" className="place">{plan?.data.plan?.name ?? 'dunlin'}</Link>
      <button type="button" className="find" onClick={openPalette} aria-label={t.find} aria-keyshortcuts="Control+K"><Icon name="search" /><span>{t.find}</span><span className="kbd">Ctrl K</span></button>
      <Here />
    </header>
  );
});

function Offline() {
  const t = useMessages(common);
  return useLiveState() === 'offline' ? <div className="offline" role="status"><Icon name="warn" />{t.connectionLost}</div> : null;
}

/** The shell around every page. */
export function Shell() {
  const t = useMessages(common);
  const [above, setAbove] = useState<'palette' | 'help' | 'more' | null>(null);
  const openPalette = useCallback(() => setAbove('palette'), []);
  const openHelp = useCallback(() => setAbove('help'), []);
  const openMore = useCallback(() => setAbove('more'), []);
  const close = useCallback(() => setAbove(null), []);
  useShortcuts({ openPalette, openHelp });
  useInvalidations();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  // After going somewhere the focus is at the new page's beginning, as after a full load.
  useEffect(() => {
    close();
    if (first.current) { first.current = false; return; }
    if (!main.current?.contains(document.activeElement)) main.current?.focus({ preventScroll: true });
  }, [path, close]);
  return (
    <div className="app">
      <a className="skip" href="#main" onClick={(e) => { e.preventDefault(); main.current?.focus(); }}>{t.skip}</a>
      <Rail openMore={openMore} />
      <Top openPalette={openPalette} />
      <main id="main" ref={main} tabIndex={-1}>
        <Offline />
        <Outlet />
      </main>
      <Toasts />
      {above === 'palette' && <Palette onClose={close} />}
      {above === 'help' && <Help onClose={close} />}
      {above === 'more' && (
        <Dialog title={t.places} onClose={close}>
          <div className="sheet-more">{PLACES.map((p) => <Link key={p.key} to={p.to} onClick={close}><Icon name={p.icon} />{t[p.key]}</Link>)}</div>
        </Dialog>
      )}
    </div>
  );
}

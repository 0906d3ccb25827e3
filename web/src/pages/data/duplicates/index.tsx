// Duplicates: the pairs that a run left, worked through one after the other with two keys.
import { useInfiniteQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, type RefObject } from 'react';
import { isTyping } from '@/app/keys';
import { useMay } from '@/app/session';
import { toast } from '@/app/toast';
import { useMessages } from '@/i18n';
import { num, pct } from '@/i18n/format';
import { duplicates as en } from '@/messages/duplicates.en';
import { Choice, Empty, Icon, Link, Loaded } from '@/ui';
import { DataFrame } from '../frame';
import { disagreeing, pairsQuery, shownProbability, type Pair, type PairList, type Which } from './api';
import { decide, standing, takenBack, useUnderWay, type Word } from './decisions';
import { PairView } from './pair';
import './duplicates.css';

interface Search { show?: string; pair?: string; table?: string }

export function DuplicatesPage() {
  const t = useMessages(en);
  const search = useSearch({ strict: false }) as Search;
  const show: Which = search.show === 'decided' || search.show === 'sure' ? search.show : 'waits';
  const query = useInfiniteQuery(pairsQuery(show, search.table));
  return (
    <DataFrame>
      <Loaded query={query as unknown as UseQueryResult<PairList>}>
        {(list) => list.run === null || list.run === undefined ? <Empty title={t.noneRun}>{t.noneRunText}</Empty>
          : list.waiting + list.decided + list.sure === 0 ? <Empty title={t.noneFound}>{t.noneFoundText}</Empty>
            : <Lists list={list} show={show} search={search} more={query.hasNextPage ? () => void query.fetchNextPage() : undefined} />}
      </Loaded>
    </DataFrame>
  );
}

function Lists({ list, show, search, more }: { list: PairList; show: Which; search: Search; more?: () => void }) {
  const t = useMessages(en);
  const navigate = useNavigate();
  const underWay = useUnderWay();
  const going = new Set(underWay.map((ask) => ask.pair));
  // What is decided leaves the queue at once; the other lists wait for the server.
  const pairs = show === 'waits' ? list.items.filter((p) => !going.has(p.pair)) : list.items;
  const gone = list.items.length - pairs.length;
  const of = { table: search.table } as Search;
  // The counts are of all tables; of one table only the list that is shown is known.
  const shown = list.total - gone;
  const lists: [Which, string, number][] = [['waits', t.listWaits, list.waiting], ['decided', t.listDecided, list.decided], ['sure', t.listSure, list.sure]];
  const count = num(shown);
  // Where the last pair is decided on from within, the heading is what is left to stand on.
  const refocus = useRef(false);
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => { if (refocus.current && pairs.length === 0) { refocus.current = false; head.current?.focus(); } });
  return (
    <>
      <div className="finding-head">
        <h2 className="finding" ref={head} tabIndex={-1}>{show === 'waits' ? t.waiting(count) : show === 'decided' ? t.decided(count) : t.sure(count)}</h2>
        <span className="muted">{show === 'waits' ? t.waitingSub : show === 'sure' ? t.sureSub : ''}</span>
      </div>
      <div className="row wrap dup-lists">
        <nav className="tabs" aria-label={t.lists}>
          {lists.map(([which, label, n]) => <Link key={which} to="/data/duplicates" search={{ ...of, show: which === 'waits' ? undefined : which } as never} aria-current={which === show ? 'page' : undefined}>{label}{(!search.table || which === show) && <span className="count">{num(which === show ? shown : n)}</span>}</Link>)}
        </nav>
        {underWay.length > 0 && <span className="small muted row" role="status"><span className="pulse" />{t.acting(num(underWay.length))}</span>}
        {list.tables.length > 1 && <span className="push" style={{ minWidth: 180 }}><Choice label={t.table} hideLabel value={search.table ?? ''} onChange={(e) => void navigate({ to: '/data/duplicates', search: { show: search.show, table: e.target.value || undefined } as never })} options={[{ value: '', label: t.allTables }, ...list.tables.map((x) => ({ value: x, label: x }))]} /></span>}
      </div>
      {pairs.length === 0
        ? show === 'waits'
          ? <Empty title={t.noneWaits} action={<>{list.decided + gone > 0 && <Link to="/data/duplicates" search={{ show: 'decided' } as never} className="button">{t.seeDecided}</Link>}{list.sure > 0 && <Link to="/data/duplicates" search={{ show: 'sure' } as never} className="button">{t.seeSure}</Link>}</>}>{t.noneWaitsText}</Empty>
          : <Empty title={t.noneHere} />
        : <Work pairs={pairs} show={show} search={search} tables={list.tables.length} more={more} refocus={refocus} />}
    </>
  );
}

/** The queue beside the pair that is looked at, and the keys. */
function Work({ pairs, show, search, tables, more, refocus }: { pairs: readonly Pair[]; show: Which; search: Search; tables: number; more?: () => void; refocus: RefObject<boolean> }) {
  const t = useMessages(en);
  const may = useMay();
  const navigate = useNavigate();
  const client = useQueryClient();
  // The last decision: of which pair, and how that stood before.
  const last = useRef<{ pair: string; before: string } | null>(null);
  // The pair whose rows are on the page: nobody decides on what they have not seen.
  const seen = useRef<string | null>(null);
  // Where one is: the pair of the address, else the place where the last one was.
  const place = useRef(0);
  const found = pairs.findIndex((p) => p.pair === search.pair);
  const at = found >= 0 ? found : Math.min(place.current, pairs.length - 1);
  place.current = at;
  const pair = pairs[at] as Pair;
  const decides = may('duplicates.decide');
  const go = useCallback((to: number) => {
    const next = pairs[Math.max(0, Math.min(pairs.length - 1, to))];
    if (next) void navigate({ to: '/data/duplicates', search: { ...search, pair: next.pair } as never, replace: true });
  }, [navigate, pairs, search]);
  const back = useCallback((id: string, before: string) => {
    if (last.current?.pair === id) last.current = null;
    decide(client, takenBack(id, before), { nextRun: t.nextRun });
    toast(t.undone);
  }, [client, t]);
  const say = useCallback((decision: Word) => {
    if (!decides) return;
    if (decision !== 'undo' && seen.current !== pair.pair) return;
    // The pair that is gone takes its buttons with it: whoever was among them goes on at the heading.
    if (document.activeElement?.closest('.dup-pair')) {
      if (show === 'waits') refocus.current = true;
      else document.getElementById('pair')?.focus();
    }
    if (decision === 'undo') { back(pair.pair, last.current?.pair === pair.pair ? last.current.before : 'waits'); return; }
    const before = standing(pair.pair, pair.state);
    last.current = { pair: pair.pair, before };
    decide(client, { pair: pair.pair, decision }, { nextRun: t.nextRun });
    toast(decision === 'merge' ? t.mergedNow : t.keptNow, () => back(pair.pair, before));
    const next = pairs[at + 1] ?? pairs[at - 1];
    if (show === 'waits') void navigate({ to: '/data/duplicates', search: { ...search, pair: next?.pair } as never, replace: true });
  }, [at, back, client, decides, navigate, pair, pairs, refocus, search, show, t]);
  useKeys({ say: (word) => { if (offered(pair).includes(word)) say(word); }, go: (by) => go(at + by), undo: () => { if (last.current) back(last.current.pair, last.current.before); } });
  return (
    <div className="dup-view">
      <div className="dup-queue">
        <ul className="side-list" aria-label={t.queue}>
          {pairs.map((p, i) => <li key={p.pair}><Line pair={p} current={i === at} search={search} table={tables > 1} /></li>)}
        </ul>
        {more && <p><button type="button" className="link small" onClick={more}>{t.more}</button></p>}
      </div>
      <PairView key={pair.pair} pair={pair} place={t.of(num(at + 1), num(pairs.length))} offered={decides ? offered(pair) : []} onSay={say} onSeen={(id) => { seen.current = id; }} refocus={refocus} onGo={(by) => go(at + by)} first={at === 0} last={at === pairs.length - 1} />
    </div>
  );
}

/** What can be said of a pair as it stands. */
function offered(pair: Pair): Word[] {
  if (pair.state === 'waits') return ['merge', 'keep'];
  if (pair.state === 'sure') return ['keep'];
  return pair.state === 'merged' ? ['keep', 'undo'] : ['merge', 'undo'];
}

function Line({ pair, current, search, table }: { pair: Pair; current: boolean; search: Search; table: boolean }) {
  const t = useMessages(en);
  const differ = disagreeing(pair);
  const ref = useRef<HTMLAnchorElement>(null);
  // The queue follows, the page does not.
  useEffect(() => {
    const line = ref.current;
    const box = line?.closest<HTMLElement>('.dup-queue');
    if (!current || !line || !box || box.scrollHeight <= box.clientHeight) return;
    const [a, b] = [line.getBoundingClientRect(), box.getBoundingClientRect()];
    if (a.top < b.top) box.scrollTop += a.top - b.top;
    else if (a.bottom > b.bottom) box.scrollTop += a.bottom - b.bottom;
  }, [current]);
  return (
    <Link ref={ref} to="/data/duplicates" search={{ ...search, pair: pair.pair } as never} aria-current={current ? 'true' : undefined} className="dup-line">
      <b className="dup-sure">{pct(shownProbability(pair))}</b>
      <span className="dup-what">
        {table && <span className="small">{pair.table}</span>}
        <span className="small">{pair.state === 'waits' || pair.evidence.length > 0 ? (differ.length > 0 ? <><span aria-hidden="true">≠ </span><span className="vh">{t.disagree} </span>{differ.join(', ')}</> : t.agrees) : t.states[pair.state]}</span>
        {pair.state !== 'waits' && pair.evidence.length > 0 && <span className="small muted">{t.states[pair.state]}</span>}
      </span>
      {pair.rows > 2 && <span className="n" title={t.together(num(pair.rows))}>{num(pair.rows)}</span>}
      {!pair.acted && <span className="n" title={t.notActed}><Icon name="clock" /></span>}
    </Link>
  );
}

/** m merges, k keeps apart, the arrows go through the queue, u takes the last decision back. */
function useKeys(does: { say: (word: Word) => void; go: (by: number) => void; undo: () => void }): void {
  const now = useRef(does);
  useEffect(() => { now.current = does; });
  useEffect(() => {
    let going = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target) || document.querySelector('dialog[open]')) return;
      // The letter after `g` leads to another place.
      if (event.key === 'g') { going = Date.now(); return; }
      if (Date.now() - going < 1500) { going = 0; return; }
      const scrolls = event.target instanceof HTMLElement && event.target.closest('.table-scroll');
      const acts: Record<string, () => void> = {
        m: () => now.current.say('merge'), k: () => now.current.say('keep'), u: () => now.current.undo(),
        ...(scrolls ? {} : { ArrowRight: () => now.current.go(1), ArrowLeft: () => now.current.go(-1) }),
      };
      const act = acts[event.key];
      // A key that is held down goes through the queue; it decides once.
      if (event.repeat && !event.key.startsWith('Arrow')) return;
      if (act) { event.preventDefault(); act(); }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);
}

// One pair: its rows beside each other as the gate shows them, what they would be as one and why, what each column weighs,
// and what a merge would change.
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { useActorName } from '@/app/people';
import { useMay } from '@/app/session';
import type { Actor } from '@/api/types';
import { useMessages } from '@/i18n';
import { dec, num, pct } from '@/i18n/format';
import { duplicates as en } from '@/messages/duplicates.en';
import { Badge, Button, Kbd, ProblemView, Skeleton, SkeletonRows, Time } from '@/ui';
import { WhyDialog, type Why } from '../opened';
import { bitsOf, previewQuery, rowsQuery, shownProbability, type MergedPair, type Pair } from './api';
import type { Word } from './decisions';
import { SideBySide } from './side';

/** Somebody who only goes past does not have rows opened, nor everything worked out. */
const A_LOOK = 200;
const A_STAY = 900;

/** True once a pair has been shown for so long. */
function useStays(ms: number): boolean {
  const [stays, setStays] = useState(false);
  useEffect(() => { const timer = setTimeout(() => setStays(true), ms); return () => clearTimeout(timer); }, [ms]);
  return stays;
}

export function PairView({ pair, place, offered, onSay, onSeen, refocus, onGo, first, last }: { pair: Pair; place: string; offered: readonly Word[]; onSay: (word: Word) => void; onSeen: (pair: string | null) => void; refocus: RefObject<boolean>; onGo: (by: number) => void; first: boolean; last: boolean }) {
  const t = useMessages(en);
  const [why, setWhy] = useState<Why | null>(null);
  const [asking, setAsking] = useState(false);
  const looked = useStays(A_LOOK);
  const rows = useQuery({ ...rowsQuery(pair.pair, why), enabled: looked });
  const preview = useQuery({ ...previewQuery(pair.pair, false), enabled: looked && pair.state !== 'kept' });
  const merged = preview.data?.merged[0];
  const p = shownProbability(pair);
  const shown = Boolean(rows.data) && !rows.isError;
  useEffect(() => { onSeen(shown ? pair.pair : null); });
  const head = useRef<HTMLHeadingElement>(null);
  // Decided on from within the pair before: keyboard and screen reader go on here.
  useEffect(() => { if (refocus.current) { refocus.current = false; head.current?.focus(); } }, [refocus]);
  return (
    <section className="dup-pair" aria-labelledby="pair">
      <header className="row wrap">
        <h3 id="pair" ref={head} tabIndex={-1}>{t.isOne(pct(p))}</h3>
        {pair.rows > 2 && <Badge>{t.together(num(pair.rows))}</Badge>}
        <PairState pair={pair} />
        <span className="push row small muted">
          <Button small iconOnly kind="quiet" icon="left" aria-label={t.previous} disabled={first} onClick={() => onGo(-1)} />
          <span className="nowrap">{place}</span>
          <Button small iconOnly kind="quiet" icon="right" aria-label={t.next} disabled={last} onClick={() => onGo(1)} />
        </span>
      </header>
      <div className="row wrap dup-acts">
        {offered.includes('merge') && <Button kind={pair.state === 'waits' ? 'primary' : undefined} disabled={!shown} onClick={() => onSay('merge')}>{t.merge} <Kbd>m</Kbd></Button>}
        {offered.includes('keep') && <Button disabled={!shown} onClick={() => onSay('keep')}>{t.keep} <Kbd>k</Kbd></Button>}
        {offered.includes('undo') && <Button icon="undo" onClick={() => onSay('undo')}>{t.undo}</Button>}
        {pair.state === 'waits' && <Button kind="quiet" disabled={last} onClick={() => onGo(1)}>{t.skip} <Kbd>→</Kbd></Button>}
        <span className="push">{why
          ? <Button kind="quiet" icon="lock" onClick={() => setWhy(null)}>{t.hide}</Button>
          : <Button kind="quiet" icon="eye" onClick={() => setAsking(true)}>{t.clear}</Button>}</span>
      </div>
      {preview.data?.apart.includes(pair.pair) && <p className="note warn-note">{t.apart}</p>}
      {rows.isError ? <ProblemView error={rows.error} retry={() => void rows.refetch()} />
        : rows.data ? <SideBySide pair={pair} opened={rows.data} merged={merged} working={preview.isFetching && !merged} />
          : <SkeletonRows rows={6} columns={4} />}
      {rows.data && <Below pair={pair} merged={merged} names={rows.data.names} access={rows.data.opened.access} total={rows.data.total} />}
      {preview.isError && !rows.isError && <ProblemView error={preview.error} />}
      <Keys />
      {asking && <WhyDialog onClose={() => setAsking(false)} onAsk={(given) => { setWhy(given); setAsking(false); }} />}
    </section>
  );
}

/** The keys, in a line. */
function Keys() {
  const t = useMessages(en);
  return <p className="small muted dup-keys"><Kbd>m</Kbd> <Kbd>k</Kbd> <Kbd>→</Kbd> <Kbd>←</Kbd> <Kbd>u</Kbd> <span>{t.keysText}</span></p>;
}

function PairState({ pair }: { pair: Pair }) {
  const t = useMessages(en);
  const name = useActorName();
  if (pair.state === 'waits') return pair.acted ? null : <Badge icon="clock">{t.notActed}</Badge>;
  return (
    <>
      <Badge tone={pair.state === 'kept' ? undefined : 'info'} icon={pair.state === 'kept' ? 'close' : 'check'}>{t.states[pair.state]}</Badge>
      {!pair.acted && <Badge icon="clock">{t.notActed}</Badge>}
      {pair.decided_by && <span className="small muted">{t.decidedBy(name(pair.decided_by as unknown as Actor))}{pair.decided_at !== null && pair.decided_at !== undefined && <> · <Time at={pair.decided_at} /></>}</span>}
    </>
  );
}

/** What stands under the rows: why one of them stays, how the evidence adds up, and what would change. */
function Below({ pair, merged, names, access, total }: { pair: Pair; merged: MergedPair | undefined; names: readonly string[]; access: string; total: number }) {
  const t = useMessages(en);
  const { start, columns, all } = bitsOf(pair);
  const stays = merged ? names.indexOf(merged.survivor) : -1;
  const signed = (n: number) => `${n < 0 ? '−' : '+'}${dec(Math.abs(n))}`;
  return (
    <div className="stack dup-below">
      {merged && stays >= 0 && <p>{t.staysBecause(num(stays + 1), `${t.whyRow[merged.why] ?? merged.why}${merged.rule && merged.why === 'rule' ? ` ${t.rule(merged.rule)}` : ''}`)}</p>}
      {pair.evidence.length > 0
        ? <p className="small muted">{t.sum(signed(start), signed(columns), signed(all))} {t.sumHelp}</p>
        : <p className="small muted">{pair.state === 'sure' ? t.sureEvidence : t.noEvidence}</p>}
      {pair.state === 'waits' && <Effects pair={pair} />}
      <p className="row small muted">{names.length < total && <span>{t.firstOf(num(names.length), num(total))}</span>}<span className="push mono">{t.pair} {pair.pair} · {t.access} {access.slice(-12)}</span></p>
    </div>
  );
}

function Effects({ pair }: { pair: Pair }) {
  const t = useMessages(en);
  const may = useMay();
  const stays = useStays(A_STAY);
  const query = useQuery({ ...previewQuery(pair.pair, true), enabled: stays && may('duplicates.decide') });
  if (!may('duplicates.decide') || query.isError) return null;
  const effects = query.data?.effects;
  const tables = Object.entries(effects?.rows ?? {}).sort(([a], [b]) => Number(b === pair.table) - Number(a === pair.table) || a.localeCompare(b));
  return (
    <div className="note" role="status">
      <p><b>{t.effects}</b></p>
      {!effects ? <p className="muted row">{t.effectsBusy} <Skeleton width={80} height={10} /></p>
        : effects.next_run ? <p>{t.nextRun(effects.next_run)}</p>
          : tables.length === 0 ? <p>{t.changesNone}</p>
            : tables.map(([table, n]) => <p key={table}>{table === pair.table ? t.changesOwn(num(n), table) : t.changesOther(num(n), table)}</p>)}
    </div>
  );
}

// One mistake: the shapes of its values, whose it is, a look at rows through the gate, and what is decided on them.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { api, body } from '@/api/client';
import type { Opened } from '@/api/types';
import { useActorName } from '@/app/people';
import { useMay } from '@/app/session';
import { useWords } from '@/app/words';
import { useMessages } from '@/i18n';
import { num } from '@/i18n/format';
import { data as en } from '@/messages/data.en';
import { Button, Check, Drawer, Link, ProblemView, Skeleton } from '@/ui';
import { DecideDialog, type Decision } from './decide';
import { owed, type Mistake } from './mistakes';
import { OpenedRows, WhyDialog, type Why } from './opened';

/** So many shapes are listed before one asks for the others. */
const SHAPES = 8;

export function MistakeDrawer({ mistake, only, onClose }: { mistake: Mistake; only?: string; onClose: () => void }) {
  const t = useMessages(en);
  const words = useWords();
  const may = useMay();
  const name = useActorName();
  const [asking, setAsking] = useState<Decision | 'why' | null>(null);
  const [why, setWhy] = useState<Why | null>(null);
  const [limit, setLimit] = useState(20);
  const [left, setLeft] = useState<ReadonlySet<string>>(() => new Set(only ? mistake.groups.filter((g) => g.group !== only).map((g) => g.group) : []));
  const [all, setAll] = useState(false);
  const chosen = mistake.groups.filter((g) => !left.has(g.group));
  const rows = chosen.reduce((n, g) => n + g.rows, 0);
  const first = chosen[0];
  const open = useMutation({
    mutationFn: ({ clear, count }: { clear: Why | null; count: number }) => body<Opened>(api.POST('/api/v1/quarantine/{group}/rows', {
      params: { path: { group: first?.group ?? '' } },
      body: { limit: count, offset: 0, clear: Boolean(clear), purpose: clear ? { category: clear.category, text: clear.text } : undefined, task: clear?.task || undefined } as never,
    })),
  });
  const look = (clear: Why | null, count = limit) => { setWhy(clear); setAsking(null); open.mutate({ clear, count }); };
  const toggle = (group: string) => { const next = new Set(left); if (!next.delete(group)) next.add(group); setLeft(next); open.reset(); };
  const { owners, by } = owed(mistake.tasks);
  const task = mistake.tasks[0];
  return (
    <Drawer title={t.group(words.reason(mistake.reason))} onClose={onClose} wide>
      <dl className="facts">
        <dt>{t.table}</dt><dd>{mistake.table}</dd>
        {mistake.column && <><dt>{t.column}</dt><dd className="mono">{mistake.column}</dd></>}
        <dt>{t.rows}</dt><dd><b>{num(mistake.rows)}</b></dd>
        <dt>{t.owner}</dt><dd>{owners.length ? owners.map(name).join(', ') : <span className="muted">{t.nobody}</span>}{by && <> · {t.until(by)}</>}{task && may('work.read') && <> · <Link to="/work" search={{ task: task.id } as never}>T-{task.number}</Link></>}</dd>
      </dl>
      {mistake.groups.length > 1 ? (
        <fieldset className="stack shapes" style={{ gap: 4 }}>
          <legend className="label">{t.shapes}</legend>
          {(all ? mistake.groups : mistake.groups.slice(0, SHAPES)).map((g) => <Check key={g.group} checked={!left.has(g.group)} onChange={() => toggle(g.group)} label={<span className="row"><code className="masked">{g.pattern ?? '–'}</code><span className="push muted">{num(g.rows)}</span></span>} />)}
          <p className="row wrap small">
            {!all && mistake.groups.length > SHAPES && <button type="button" className="link" onClick={() => setAll(true)}>{t.allShapes(mistake.groups.length)}</button>}
            {left.size > 0 ? <button type="button" className="link" onClick={() => { setLeft(new Set()); open.reset(); }}>{t.takeAll}</button> : <button type="button" className="link" onClick={() => { setLeft(new Set(mistake.groups.map((g) => g.group))); open.reset(); }}>{t.takeNone}</button>}
            <span className="push muted" role="status">{t.chosen(num(rows), chosen.length)}</span>
          </p>
        </fieldset>
      ) : first?.pattern && <p>{t.pattern}: <code className="masked">{first.pattern}</code></p>}
      {may('quarantine.decide') && <div className="row wrap" style={{ marginTop: 12 }}>
        <Button kind="primary" icon="pencil" disabled={!first} onClick={() => setAsking('fix')}>{t.fix}</Button>
        <Button disabled={!first} onClick={() => setAsking('release')}>{t.release}</Button>
        <Button kind="danger" disabled={!first} onClick={() => setAsking('discard')}>{t.discard}</Button>
      </div>}
      {first && (
        <section className="section" aria-labelledby="look">
          <header><h3 id="look">{t.look}</h3></header>
          {open.isIdle && <p className="muted" style={{ marginBottom: 8 }}>{mistake.groups.length > 1 ? t.lookTextShape(first.pattern ?? '–') : t.lookText}</p>}
          <div className="row wrap" style={{ marginBottom: 12 }}>
            {!open.data && <Button icon="table" disabled={open.isPending} onClick={() => look(null)}>{t.lookMasked}</Button>}
            <Button icon="eye" disabled={open.isPending} onClick={() => setAsking('why')}>{t.showClear}</Button>
          </div>
          {open.isPending && <Skeleton height={120} />}
          {open.isError && <ProblemView error={open.error} />}
          {open.data && (
            <>
              <OpenedRows opened={open.data} label={t.look} />
              <p className="row small muted" style={{ marginTop: 8 }}>
                <span>{t.showing(num(open.data.rows.length), num(first.rows))}</span>
                {open.data.rows.length < first.rows && open.data.rows.length >= limit && limit < 500 && <button type="button" className="link" onClick={() => { const count = Math.min(500, limit * 5); setLimit(count); look(why, count); }}>{t.more}</button>}
                <span className="push mono">{t.accessId} {open.data.access.slice(-12)}</span>
              </p>
            </>
          )}
        </section>
      )}
      {asking === 'why' && <WhyDialog onClose={() => setAsking(null)} onAsk={(given) => look(given)} />}
      {(asking === 'fix' || asking === 'release' || asking === 'discard') && <DecideDialog mistake={mistake} groups={chosen} decision={asking} onClose={() => setAsking(null)} onDone={onClose} />}
    </Drawer>
  );
}

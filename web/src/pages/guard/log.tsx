// The log: entries of the ledger, each with its proof. That somebody looked is entered too, so it asks only on demand.
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api, body, raw } from '@/api/client';
import { inclusionQuery, peopleQuery } from '@/api/queries';
import type { Entries, Entry, Items } from '@/api/types';
import { useActorName } from '@/app/people';
import { toast, toastProblem } from '@/app/toast';
import { useLang, useMessages } from '@/i18n';
import { clockSeconds, num, when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { guard as en } from '@/messages/guard.en';
import { Button, Choice, Copy, Dialog, Drawer, Field, Icon, Loaded, Menu, ProblemView, SkeletonRows, Table, Time, type Column } from '@/ui';
import { GuardFrame } from './frame';
import { detail, KIND_GROUPS, kindWords } from './kinds';
import { useIf } from '@/app/session';

interface Filter { kind?: string; person?: string; actor?: string; table?: string; from?: string; to?: string; code?: string; access?: string; entry?: string }

/** A search as the server keeps it. */
interface Kept { person?: string | null; actor?: string | null; kinds?: string[]; table?: string | null; from?: number | null; to?: number | null; code?: string | null }
const toKept = (f: Filter): Kept => ({ person: f.person, actor: f.actor, kinds: f.kind?.split(',') ?? [], table: f.table, code: f.code, from: f.from ? Number(f.from) : undefined, to: f.to ? Number(f.to) : undefined });
const fromKept = (k: Kept): Filter => ({ person: k.person ?? undefined, actor: k.actor ?? undefined, kind: k.kinds?.length ? k.kinds.join(',') : undefined, table: k.table ?? undefined, code: k.code ?? undefined, from: k.from ? String(k.from) : undefined, to: k.to ? String(k.to) : undefined });

const KEYS = ['kind', 'person', 'actor', 'table', 'from', 'to', 'code'] as const;
const asked = (f: Filter) => new URLSearchParams(KEYS.flatMap((k) => (f[k] ? [[k, f[k] as string]] : [])));

export function LogPage() {
  const t = useMessages(en);
  const c = useMessages(common);
  useLang();
  const navigate = useNavigate();
  const filter = useSearch({ strict: false }) as Filter;
  const name = useActorName();
  const [opened, setOpened] = useState<Entry | null>(null);
  const [saving, setSaving] = useState(false);
  const query = useInfiniteQuery({
    queryKey: ['ledger', filter.kind, filter.person, filter.actor, filter.table, filter.from, filter.to, filter.code, filter.entry],
    staleTime: 60_000,
    initialPageParam: filter.entry ? String(Number(filter.entry) + 1) : '',
    queryFn: async ({ pageParam }) => {
      const words = asked(filter);
      words.set('limit', filter.entry ? '1' : '50');
      if (pageParam) words.set('before', pageParam);
      return (await (await raw(`/api/v1/ledger/entries?${words}`)).json()) as Entries;
    },
    getNextPageParam: (last) => (last.before === null || last.entries.length === 0 || filter.entry ? undefined : String(last.before)),
  });
  const size = query.data?.pages[0]?.size;
  const all = query.data?.pages.flatMap((p) => p.entries) ?? [];
  const entries = filter.access ? all.filter((e) => e.body.access === filter.access) : all;
  const go = (next: Filter) => void navigate({ to: '/guard/log', search: next } as never);
  const columns: Column<Entry>[] = [
    { key: 'index', head: t.index, num: true, width: '72px', cell: (e) => <button type="button" className="opens mono" onClick={() => setOpened(e)}>{num(e.index)}</button> },
    { key: 'at', head: t.at, cell: (e) => <Time at={e.at} as={(us) => `${when(us)}${Date.now() - us / 1000 < 3600_000 ? ` (${clockSeconds(us)})` : ''}`} /> },
    { key: 'actor', head: t.actor, cell: (e) => <span className="nowrap">{name(e.actor)}</span> },
    { key: 'kind', head: t.kind, cell: (e) => <b className="nowrap">{kindWords(e.body.kind)}</b> },
    { key: 'details', head: t.details, cell: (e) => <span className="muted">{detail(e, name)}</span> },
  ];
  return (
    <GuardFrame actions={<><Searches onChoose={go} /><Button onClick={() => setSaving(true)}>{t.save}</Button><Export filter={filter} /></>}>
      <FilterBar key={JSON.stringify(filter)} filter={filter} go={go} />
      <p className="small muted" style={{ marginBottom: 12 }}>{size !== undefined && <>{t.of(num(size))}. </>}{t.logText}</p>
      {query.isPending && <SkeletonRows rows={12} columns={5} />}
      {query.isError && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {query.data && <Table label={t.tabLog} rows={entries} columns={columns} id={(e) => String(e.index)} empty={t.logNone} />}
      {query.hasNextPage && <p style={{ marginTop: 12 }}><Button disabled={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t.older}</Button></p>}
      {opened && <EntryDrawer entry={opened} onClose={() => setOpened(null)} />}
      {saving && <SaveDialog filter={filter} onClose={() => setSaving(false)} words={{ t, c }} />}
    </GuardFrame>
  );
}

const day = (us: string | undefined) => (us ? new Date(Number(us) / 1000).toISOString().slice(0, 10) : '');

function FilterBar({ filter, go }: { filter: Filter; go: (f: Filter) => void }) {
  const t = useMessages(en);
  const people = useIf('people.read', peopleQuery).data?.items ?? [];
  const group = Object.entries(KIND_GROUPS).find(([, kinds]) => kinds.join(',') === filter.kind)?.[0];
  const [draft, setDraft] = useState({ kind: filter.kind ?? '', person: filter.person ?? filter.actor ?? '', table: filter.table ?? '', from: day(filter.from), to: day(filter.to) });
  const set = (key: keyof typeof draft) => (e: { target: { value: string } }) => setDraft({ ...draft, [key]: e.target.value });
  const submit = () => go({
    kind: draft.kind || undefined, person: draft.person || undefined, table: draft.table || undefined,
    from: draft.from ? String(Date.parse(`${draft.from}T00:00`) * 1000) : undefined, to: draft.to ? String((Date.parse(`${draft.to}T00:00`) + 86_400_000) * 1000) : undefined,
  });
  const kinds = [{ value: '', label: t.anyKind }, ...Object.entries(KIND_GROUPS).map(([key, list]) => ({ value: list.join(','), label: t.groups[key] ?? key }))];
  if (filter.kind && !group) kinds.push({ value: filter.kind, label: filter.kind.split(',').map(kindWords).join(', ') });
  return (
    <form className="log-filter" onSubmit={(e) => { e.preventDefault(); submit(); }} role="search">
      <Choice label={t.kind} value={draft.kind} onChange={set('kind')} options={kinds} />
      <Choice label={t.person} value={draft.person} onChange={set('person')} options={[{ value: '', label: '–' }, ...people.map((p) => ({ value: p.id, label: p.name || p.email }))]} />
      <Field label={t.table} value={draft.table} onChange={set('table')} />
      <Field label={t.from} type="date" value={draft.from} onChange={set('from')} />
      <Field label={t.to} type="date" value={draft.to} onChange={set('to')} />
      <Button type="submit" icon="search">{t.search}</Button>
      {Object.values(filter).some(Boolean) && <Button kind="quiet" onClick={() => go({})}>{t.clearFilter}</Button>}
    </form>
  );
}

/** One entry as it stands, and its way to the signed root. */
export function EntryDrawer({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const t = useMessages(en);
  const name = useActorName();
  const proof = useQuery(inclusionQuery(entry.index));
  const whole = JSON.stringify(entry.body, null, 2);
  return (
    <Drawer title={t.entry(num(entry.index))} onClose={onClose} wide>
      <dl className="facts"><dt>{t.kind}</dt><dd><b>{kindWords(entry.body.kind)}</b></dd><dt>{t.actor}</dt><dd>{name(entry.actor)}</dd><dt>{t.at}</dt><dd><Time at={entry.at} /></dd></dl>
      <div><h3 className="row">{t.body} <Copy text={whole} label={t.body} /></h3><pre className="block" tabIndex={0}>{whole}</pre></div>
      <div>
        <h3>{t.proof}</h3>
        <Loaded query={proof}>
          {(p) => (
            <div className="stack">
              <p className="good"><Icon name="check" /> <b>{t.proofTitle(num(p.index))}</b></p>
              <p className="muted">{t.proofText(num(p.hashes.length), num(p.size))}</p>
              <pre className="block" tabIndex={0} aria-label={t.path}>{p.hashes.join('\n')}</pre>
              <p><a className="link" href={`/api/v1/ledger/entries/${p.index}/tlog-proof`} download={`entry-${p.index}.tlog-proof`}><Icon name="download" /> {t.proofFile}</a></p>
            </div>
          )}
        </Loaded>
      </div>
    </Drawer>
  );
}

function Searches({ onChoose }: { onChoose: (f: Filter) => void }) {
  const t = useMessages(en);
  const client = useQueryClient();
  const list = useQuery({ queryKey: ['searches'], retry: false, queryFn: () => body<Items<{ id: string; name: string; filter: Kept }>>(api.GET('/api/v1/ledger/searches')) }).data?.items ?? [];
  if (list.length === 0) return null;
  const drop = (id: string) => void body(api.DELETE('/api/v1/ledger/searches/{search}', { params: { path: { search: id } } })).then(() => { toast(t.deleted); void client.invalidateQueries({ queryKey: ['searches'] }); }, toastProblem);
  return <Menu label={t.searches} items={[...list.map((s) => ({ label: s.name, run: () => onChoose(fromKept(s.filter)) })), '-' as const, ...list.map((s) => ({ label: `× ${s.name}`, danger: true, run: () => drop(s.id) }))]} />;
}

function SaveDialog({ filter, onClose, words: { t, c } }: { filter: Filter; onClose: () => void; words: { t: typeof en; c: typeof common } }) {
  const client = useQueryClient();
  const [called, setCalled] = useState('');
  const save = useMutation({
    mutationFn: () => body(api.POST('/api/v1/ledger/searches', { body: { name: called, filter: toKept(filter) } as never })),
    onSuccess: () => { toast(t.saved); void client.invalidateQueries({ queryKey: ['searches'] }); onClose(); },
    onError: toastProblem,
  });
  return <Dialog title={t.save} onClose={onClose} onSubmit={() => { if (called) save.mutate(); }} foot={<><Button onClick={onClose}>{c.cancel}</Button><Button kind="primary" type="submit" disabled={!called}>{c.save}</Button></>}><Field label={t.saveName} value={called} onChange={(e) => setCalled(e.target.value)} /></Dialog>;
}

function Export({ filter }: { filter: Filter }) {
  const t = useMessages(en);
  return <a className="button" href={`/api/v1/ledger/export?${asked(filter)}`} download="ledger.ocsf.jsonl"><Icon name="download" />{t.export}</a>;
}

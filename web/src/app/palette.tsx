// The palette: every page, person, table, run and action by its name, from the keyboard.
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { planQuery, peopleQuery, runsQuery } from '@/api/queries';
import { lang, setLang, useMessages } from '@/i18n';
import { when } from '@/i18n/format';
import { common } from '@/messages/catalogue';
import { Icon, type IconName } from '@/ui';
import { rank } from './match';
import { PLACES } from './places';
import { toastProblem } from './toast';
import { setTheme } from './theme';
import { useIf } from './session';

interface Entry { id: string; group: string; label: string; hint?: string; icon: IconName; run: () => void }

export function Palette({ onClose }: { onClose: () => void }) {
  const t = useMessages(common);
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useId();
  const people = useIf('people.read', peopleQuery).data;
  const runs = useIf('run.read', runsQuery).data;
  const plan = useIf('plan.read', planQuery).data;

  useEffect(() => {
    const box = dialog.current;
    const before = document.activeElement as HTMLElement | null;
    if (box && !box.open) box.showModal();
    return () => { if (box?.open) box.close(); before?.focus?.(); };
  }, []);

  const entries = useMemo<Entry[]>(() => {
    const go = (to: string) => () => void navigate({ to });
    const all: Entry[] = PLACES.map((p) => ({ id: p.to, group: t.palettePages, label: t[p.key], hint: `g ${p.letter}`, icon: p.icon, run: go(p.to) }));
    all.push(
      { id: 'a1', group: t.paletteActions, label: t.actStartRun, icon: 'play', run: go('/runs?start=load') },
      { id: 'a2', group: t.paletteActions, label: t.actRehearse, icon: 'play', run: go('/runs?start=rehearse') },
      { id: 'a3', group: t.paletteActions, label: t.actCheckPlan, icon: 'check', run: go('/plan/check') },
      { id: 'a4', group: t.paletteActions, label: t.actInvite, icon: 'person', run: go('/guard?invite=true') },
      { id: 'a5', group: t.paletteActions, label: t.actToggleTheme, icon: 'eye', run: () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark') },
      { id: 'a6', group: t.paletteActions, label: t.actLanguage, icon: 'chat', run: () => { void setLang(lang() === 'en' ? 'es' : 'en').catch(toastProblem); } },
    );
    for (const person of people?.items ?? []) all.push({ id: person.id, group: t.palettePeople, label: person.name, hint: person.email, icon: 'person', run: go(`/guard/people/${person.id}`) });
    for (const table of plan?.data.plan?.tables ?? []) all.push({ id: `t-${table.label}`, group: t.paletteTables, label: table.label, hint: table.source, icon: 'table', run: go(`/plan?table=${encodeURIComponent(table.label)}`) });
    for (const run of (runs?.items ?? []).slice(0, 20)) all.push({ id: run.id, group: t.paletteRuns, label: t.runNamed(run.kind === 'load' ? t.kindLoad : run.kind === 'rehearse' ? t.kindRehearse : t.kindOther, when(run.started_at)), hint: run.status, icon: 'runs', run: go(`/runs/${run.id}`) });
    return all;
  }, [people, runs, plan, navigate, t]);

  const shown = useMemo(() => rank(entries, text, (e) => `${e.label} ${e.hint ?? ''}`).slice(0, 40), [entries, text]);
  const choose = (entry: Entry | undefined) => { if (entry) { onClose(); entry.run(); } };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setAt((i) => (shown.length ? (i + (event.key === 'ArrowDown' ? 1 : shown.length - 1)) % shown.length : 0));
    } else if (event.key === 'Enter') { event.preventDefault(); choose(shown[at]); }
  };
  useEffect(() => { document.getElementById(`${list}-${at}`)?.scrollIntoView({ block: 'nearest' }); }, [at, list]);

  let group = '';
  return (
    <dialog ref={dialog} className="palette" aria-label={t.palette} onCancel={(e) => { e.preventDefault(); onClose(); }} onMouseDown={(e) => { if (e.target === dialog.current) onClose(); }}>
      <div>
        <input autoFocus role="combobox" aria-expanded="true" aria-controls={list} aria-activedescendant={shown.length ? `${list}-${at}` : undefined} aria-label={t.palette}
          placeholder={t.palettePlaceholder} value={text} onChange={(e) => { setText(e.target.value); setAt(0); }} onKeyDown={onKey} />
        <div className="list" role="listbox" id={list} aria-label={t.palette}>
          {shown.map((entry, i) => {
            const head = !text && entry.group !== group;
            group = entry.group;
            return (
              <div key={entry.id} role="presentation">
                {head && <div className="group" role="presentation">{entry.group}</div>}
                <div id={`${list}-${i}`} role="option" aria-selected={i === at} onMouseMove={() => setAt(i)} onClick={() => choose(entry)}>
                  <Icon name={entry.icon} /><span>{entry.label}</span>
                  <span className="hint">{text ? entry.group : entry.hint}</span>
                </div>
              </div>
            );
          })}
          {shown.length === 0 && <p className="group" role="status">{t.paletteNone}</p>}
        </div>
        <p className="vh" role="status">{text ? t.results(shown.length) : ''}</p>
      </div>
    </dialog>
  );
}

// The bar over every view: the saved view, what is filtered, grouped, sorted and hidden, and what that leaves.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { toast, toastProblem } from '@/app/toast';
import { Button, Check, Choice, Dialog, Field, Icon, MenuList, type IconName, type MenuItem } from '@/ui';
import { work } from './api';
import { allColumns } from './columns';
import { fieldsOf, type FieldInfo } from './fields';
import { kindOf, NO_FILTER, withoutTest, withTest, type Test } from './filter';
import { Pop } from './Pop';
import { differs, type Settings } from './settings';
import { useStore } from './store';
import { Totals } from './Totals';
import type { Layout, View } from './types';
import { useWords, type Words } from './words';

interface BarProps {
  place: Layout;
  settings: Settings;
  change: (part: Partial<Settings>) => void;
  view: View | null;
  views: View[];
  onView: (view: View | null) => void;
  onKeepView: (id: string | null) => void;
  onFields: () => void;
}

/** A chip that opens a menu or a panel. */
function Chip({ label, sub, icon, on, onClick, expanded, ref }: { label: string; sub?: string; icon?: IconName; on?: boolean; onClick: (anchor: HTMLElement) => void; expanded?: boolean; ref?: React.Ref<HTMLButtonElement> }): ReactElement {
  return (
    <button ref={ref} type="button" className={on ? 'chip on' : 'chip'} aria-haspopup="true" aria-expanded={expanded} onClick={(event) => onClick(event.currentTarget)}>
      {icon && <Icon name={icon} />}<span>{label}</span>{sub && <span className="muted">{sub}</span>}
    </button>
  );
}

export function sayTest(test: Test, fields: FieldInfo[], t: Words): string {
  const field = fields.find((one) => one.id === test.field);
  const name = field?.name ?? test.field;
  const value = (id: string | null) => (id === null ? t.nobody : (field?.options?.find((option) => option.id === id)?.name ?? id));
  if ('is' in test) return t.filterIs(name, test.is.map(value).join(', '));
  if ('has' in test) return t.filterIs(name, test.has.map(value).join(', '));
  if ('before' in test) return t.filterBefore(name, test.before);
  if ('after' in test) return t.filterAfter(name, test.after);
  return t.filterContains(name, test.contains);
}

export function FilterBar(props: BarProps): ReactElement {
  const { settings, change, place } = props;
  const store = useStore();
  const t = useWords();
  const [menu, setMenu] = useState<{ anchor: HTMLElement; name: 'view' | 'group' | 'sort' | 'filter' | 'columns' } | null>(null);
  const [saving, setSaving] = useState(false);
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: ['work', 'views'] });
  const fields = fieldsOf(store, t);
  const columns = allColumns(store, t, settings);
  const close = (back = false) => {
    if (back) menu?.anchor.focus();
    setMenu(null);
  };
  const show = (name: NonNullable<typeof menu>['name']) => (anchor: HTMLElement) => setMenu((now) => (now?.name === name ? null : { anchor, name }));
  const hidden = columns.filter((column) => settings.hidden.includes(column.id)).length;
  const groupable = fields.filter((field) => !['title', 'estimate_hours', 'deadline', 'start'].includes(field.id) && !['text', 'number', 'url'].includes(field.kind) || field.id === 'table' || field.id === 'parent');
  const groupItems: MenuItem[] = [{ label: t.noGroup, checked: settings.group === null, run: () => change({ group: null }) }, ...groupable.map((field) => ({ label: field.name, checked: settings.group === field.id, run: () => change({ group: field.id }) }))];
  const sortable = columns.filter((column) => column.sortable !== false);
  const sorted = settings.sort[0];
  const sortItems: (MenuItem | '-')[] = [
    { label: t.orderOfWork, checked: !sorted, run: () => change({ sort: [] }) },
    '-',
    ...sortable.map((column) => ({ label: column.id === 'number' ? t.field.number : column.title, checked: sorted?.field === column.id, hint: sorted?.field === column.id ? (sorted.down ? '↓' : '↑') : undefined, run: () => change({ sort: [{ field: column.id, down: sorted?.field === column.id ? !sorted.down : false }] }) })),
  ];
  return (
    <div className="work-bar" role="toolbar" aria-label={t.filterBar}>
      <Chip label={props.view?.name ?? t.allTasks} sub={props.view ? t.sharing[props.view.shared] : undefined} onClick={show('view')} expanded={menu?.name === 'view'} />
      {props.view && differs(settings, props.view) && mayChange(props.view, store.me) && <Button small kind="quiet" onClick={() => void saveView(props, place, t).then(again)}>{t.saveChanges}</Button>}
      <span className="sep" />
      <Search value={settings.filter.q} onChange={(q) => change({ filter: { ...settings.filter, q } })} label={t.search} />
      {settings.filter.tests.map((test, index) => (
        <button key={`${test.field}${kindOf(test)}`} type="button" className="chip on" aria-label={t.removeFilter(sayTest(test, fields, t))} onClick={() => change({ filter: withoutTest(settings.filter, index) })}>
          <Icon name="filter" /><span className="clip">{sayTest(test, fields, t)}</span><Icon name="close" />
        </button>
      ))}
      <Chip label={t.filter} icon="plus" onClick={show('filter')} expanded={menu?.name === 'filter'} />
      {place === 'grid' && (
        <>
          <Chip label={settings.group ? t.groupedBy(fields.find((field) => field.id === settings.group)?.name ?? settings.group) : t.group} icon="table" on={settings.group !== null} onClick={show('group')} expanded={menu?.name === 'group'} />
          <Chip label={sorted ? t.sortedBy(columns.find((column) => column.id === sorted.field)?.title ?? sorted.field) : t.orderOfWorkChip} icon="down" on={sorted !== undefined} onClick={show('sort')} expanded={menu?.name === 'sort'} />
          <Chip label={hidden > 0 ? t.hiddenColumns(hidden) : t.columns} icon="data" onClick={show('columns')} expanded={menu?.name === 'columns'} />
        </>
      )}
      {place === 'board' && <Chip label={t.boardBy(fields.find((field) => field.id === settings.boardBy)?.name ?? settings.boardBy)} icon="table" onClick={show('group')} expanded={menu?.name === 'group'} />}
      <Totals filter={settings.filter} />
      {menu?.name === 'group' && <MenuList anchor={menu.anchor} label={t.group} close={close} items={place === 'board' ? groupable.filter((field) => field.kind !== 'checkbox' && !['step', 'table', 'parent'].includes(field.id)).map((field) => ({ label: field.name, checked: settings.boardBy === field.id, run: () => change({ boardBy: field.id }) })) : groupItems} />}
      {menu?.name === 'sort' && <MenuList anchor={menu.anchor} label={t.sort} close={close} items={sortItems} />}
      {menu?.name === 'view' && <MenuList anchor={menu.anchor} label={t.savedViews} close={close} items={viewItems(props, t, store.me, () => setSaving(true), again)} />}
      {menu?.name === 'filter' && <Pop anchor={menu.anchor} label={t.filter} onClose={close}><FilterForm fields={fields} settings={settings} change={change} /></Pop>}
      {menu?.name === 'columns' && (
        <Pop anchor={menu.anchor} label={t.columns} onClose={close} width={260}>
          <div className="panel-list">
            {columns.filter((column) => column.id !== 'title').map((column) => (
              <Check key={column.id} label={column.id === 'number' ? t.field.number : column.title} checked={!settings.hidden.includes(column.id)} onChange={() => change({ hidden: settings.hidden.includes(column.id) ? settings.hidden.filter((id) => id !== column.id) : [...settings.hidden, column.id] })} />
            ))}
          </div>
          <div className="panel-foot"><Button small kind="quiet" icon="plus" onClick={() => { close(); props.onFields(); }}>{t.addField}</Button></div>
        </Pop>
      )}
      {saving && <SaveView place={place} settings={settings} onClose={() => setSaving(false)} onSaved={(view) => props.onKeepView(view.id)} />}
    </div>
  );
}

async function saveView(props: BarProps, place: Layout, t: Words): Promise<void> {
  if (!props.view) return;
  try {
    await work.patchView(props.view.id, { settings: props.settings as unknown as Record<string, unknown>, layout: place });
    toast(t.viewSaved(props.view.name));
  } catch (error) {
    toastProblem(error);
  }
}

/** A locked view is its owner's to change; leads may too, and the server says so where they try. */
const mayChange = (view: View, me: string) => view.shared !== 'locked' || view.owner === me;

function viewItems(props: BarProps, t: Words, me: string, save: () => void, again: () => unknown): (MenuItem | '-')[] {
  const items: (MenuItem | '-')[] = [{ label: t.allTasks, checked: props.view === null, run: () => props.onView(null) }];
  for (const view of props.views) items.push({ label: view.name, hint: t.sharing[view.shared], icon: view.shared === 'locked' ? 'lock' : undefined, checked: props.view?.id === view.id, run: () => props.onView(view) });
  items.push('-', { label: t.saveAsView, icon: 'plus', run: save });
  if (props.view && mayChange(props.view, me)) {
    const view = props.view;
    items.push({ label: t.deleteView(view.name), icon: 'trash', danger: true, run: () => void work.removeView(view.id).then(() => { props.onKeepView(null); return again(); }).catch(toastProblem) });
  }
  return items;
}

/** The search asks the server when typing rests. */
function Search({ value, onChange, label }: { value: string; onChange: (text: string) => void; label: string }): ReactElement {
  const [text, setText] = useState(value);
  const said = useRef(value);
  useEffect(() => {
    if (value !== said.current) {
      said.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === said.current) return undefined;
    const timer = setTimeout(() => {
      said.current = text;
      onChange(text);
    }, 200);
    return () => clearTimeout(timer);
  }, [text, onChange]);
  return (
    <label className="chip search">
      <Icon name="search" />
      <span className="vh">{label}</span>
      <input type="search" value={text} placeholder={label} onChange={(event) => setText(event.target.value)} />
    </label>
  );
}

function FilterForm({ fields, settings, change }: { fields: FieldInfo[]; settings: Settings; change: (part: Partial<Settings>) => void }): ReactElement {
  const t = useWords();
  const [id, setId] = useState('status');
  const field = fields.find((one) => one.id === id) ?? (fields[0] as FieldInfo);
  const set = (test: Test) => change({ filter: withTest(settings.filter, test) });
  const chosen = settings.filter.tests.find((test) => test.field === id && ('is' in test || 'has' in test));
  const values = chosen ? ('is' in chosen ? chosen.is : 'has' in chosen ? chosen.has : []) : [];
  const many = field.kind === 'multi';
  const toggle = (value: string | null) => {
    const next = values.includes(value) ? values.filter((one) => one !== value) : [...values, value];
    set(many ? { field: id, has: next.filter((one) => one !== null) } : { field: id, is: next });
  };
  const textOf = (kind: 'before' | 'after' | 'contains') => {
    const test = settings.filter.tests.find((one) => one.field === id && kindOf(one) === kind);
    return test && kind in test ? String((test as unknown as Record<string, string>)[kind]) : '';
  };
  return (
    <div className="panel-form">
      <Choice label={t.field_} value={id} onChange={(event) => setId(event.target.value)} options={fields.map((one) => ({ value: one.id, label: one.name }))} />
      {field.options && field.options.length > 0 ? (
        <div className="panel-list short" role="group" aria-label={field.name}>
          {field.kind === 'person' && <Check label={t.nobody} checked={values.includes(null)} onChange={() => toggle(null)} />}
          {field.options.map((option) => <Check key={option.id} label={option.name} checked={values.includes(option.id)} onChange={() => toggle(option.id)} />)}
        </div>
      ) : field.kind === 'date' ? (
        <>
          <Field type="date" label={t.before} value={textOf('before')} onChange={(event) => event.target.value && set({ field: id, before: event.target.value })} />
          <Field type="date" label={t.after} value={textOf('after')} onChange={(event) => event.target.value && set({ field: id, after: event.target.value })} />
        </>
      ) : field.kind === 'multi' ? (
        <Field key={id} label={t.hasLabel} defaultValue={values.join(', ')} onChange={(event) => set({ field: id, has: event.target.value.split(',').map((word) => word.trim()).filter(Boolean) })} />
      ) : (
        <Field key={id} label={t.contains} defaultValue={textOf('contains')} onChange={(event) => set({ field: id, contains: event.target.value })} />
      )}
      {settings.filter.tests.length > 0 && <Button small kind="quiet" onClick={() => change({ filter: { ...NO_FILTER, q: settings.filter.q } })}>{t.clearFilters}</Button>}
    </div>
  );
}

function SaveView({ place, settings, onClose, onSaved }: { place: Layout; settings: Settings; onClose: () => void; onSaved: (view: View) => void }): ReactElement {
  const t = useWords();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [shared, setShared] = useState<View['shared']>('personal');
  const [wrong, setWrong] = useState<string | null>(null);
  const save = async () => {
    if (name.trim() === '') {
      setWrong(t.nameNeeded);
      return;
    }
    try {
      const view = await work.createView({ name: name.trim(), layout: place, shared, settings: settings as unknown as Record<string, unknown> });
      await client.invalidateQueries({ queryKey: ['work', 'views'] });
      onSaved(view);
      toast(t.viewSaved(view.name));
      onClose();
    } catch (error) {
      toastProblem(error);
    }
  };
  return (
    <Dialog title={t.saveAsView} onClose={onClose} onSubmit={() => void save()} foot={<><Button onClick={onClose}>{t.cancel}</Button><Button kind="primary" type="submit">{t.save}</Button></>}>
      <Field label={t.name} value={name} wrong={wrong} onChange={(event) => setName(event.target.value)} maxLength={80} />
      <Choice label={t.whoSees} value={shared} onChange={(event) => setShared(event.target.value as View['shared'])} options={(['personal', 'shared', 'locked'] as const).map((value) => ({ value, label: t.sharingLong[value] }))} />
    </Dialog>
  );
}


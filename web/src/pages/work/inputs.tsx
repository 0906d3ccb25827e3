// The inputs of the drawer: they look like what they show, and write when they are left or when Enter is pressed.
import { useEffect, useRef, useState, type ReactElement } from 'react';
import { isDay, readDay, shortDay, today } from '@/grid/dates';
import type { CellValue, Option } from '@/grid/types';
import { readValue } from '@/grid/values';
import { Button, Check } from '@/ui';
import { peopleOptions, type FieldInfo } from './fields';
import { PersonName, useLocale } from './parts';
import { Pop } from './Pop';
import { useStore } from './store';
import { useWords } from './words';

export function TextInput({ value, label, onChange, big }: { value: string; label: string; onChange: (text: string) => void; big?: boolean }): ReactElement {
  const [text, setText] = useState(value);
  const last = useRef(value);
  useEffect(() => {
    if (value !== last.current) {
      last.current = value;
      setText(value);
    }
  }, [value]);
  const done = () => {
    if (text === last.current) return;
    last.current = text;
    onChange(text);
  };
  return <input className={big ? 'bare big' : 'bare'} aria-label={label} value={text} onChange={(event) => setText(event.target.value)} onBlur={done} onKeyDown={(event) => {
    if (event.key === 'Enter') done();
    if (event.key === 'Escape' && text !== last.current) {
      event.preventDefault();
      event.stopPropagation();
      setText(last.current);
    }
  }} />;
}

export function NumberInput({ value, label, onChange }: { value: number | null; label: string; onChange: (value: number | null) => void }): ReactElement {
  const locale = useLocale();
  return <TextInput value={value === null ? '' : new Intl.NumberFormat(locale, { maximumFractionDigits: 6, useGrouping: false }).format(value)} label={label} onChange={(text) => {
    const read = readValue(text, 'number', { locale, today: today(), options: [] });
    if (read.ok) onChange(read.value as number | null);
  }} />;
}

/** A day as people type it, read when it is left. */
export function DayInput({ value, label, onChange }: { value: string | null; label: string; onChange: (day: string | null) => void }): ReactElement {
  const locale = useLocale();
  const t = useWords();
  const now = today();
  const shown = value ? shortDay(value, locale, now) : '';
  const [text, setText] = useState(shown);
  const [wrong, setWrong] = useState(false);
  useEffect(() => {
    setText(shown);
    setWrong(false);
  }, [shown]);
  const done = () => {
    if (text === shown) return;
    if (text.trim() === '') {
      onChange(null);
      return;
    }
    const day = isDay(text.trim()) ? text.trim() : readDay(text, locale, now);
    setWrong(day === null);
    if (day !== null) {
      setText(shortDay(day, locale, now));
      onChange(day);
    }
  };
  return (
    <>
      <input className="bare" aria-label={label} aria-invalid={wrong || undefined} value={text} placeholder={t.noDay} onChange={(event) => setText(event.target.value)} onBlur={done} onKeyDown={(event) => event.key === 'Enter' && done()} />
      {wrong && <span className="small bad" role="alert">{t.grid.notADay}</span>}
    </>
  );
}

export function Pick({ value, label, options, onChange }: { value: string; label: string; options: Option[]; onChange: (value: string) => void }): ReactElement {
  return <select className="bare" aria-label={label} value={value} onChange={(event) => onChange(event.target.value)}>{options.map((option) => <option key={option.id} value={option.id}>{option.name}</option>)}</select>;
}

export function OnePerson({ value, label, onChange }: { value: string | null; label: string; onChange: (person: string | null) => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  const known = peopleOptions(store);
  const options = value && !known.some((one) => one.id === value) ? [...known, { id: value, name: t.somebody }] : known;
  return <Pick value={value ?? ''} label={label} options={[{ id: '', name: t.nobody }, ...options]} onChange={(id) => onChange(id === '' ? null : id)} />;
}

export function ManyPeople({ value, label, onChange }: { value: string[]; label: string; onChange: (people: string[]) => void }): ReactElement {
  const store = useStore();
  const t = useWords();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  return (
    <>
      <button type="button" className="bare faces" aria-label={t.changeOf(label)} aria-expanded={anchor !== null} onClick={(event) => setAnchor(anchor ? null : event.currentTarget)}>
        {value.length === 0 ? <span className="muted">{t.nobody}</span> : value.length === 1 ? <PersonName id={value[0] as string} /> : value.map((id) => <PersonName key={id} id={id} short />)}
      </button>
      {anchor && (
        <Pop anchor={anchor} label={label} onClose={() => setAnchor(null)} width={240}>
          <div className="panel-list short">
            {peopleOptions(store).map((person) => <Check key={person.id} label={person.name} checked={value.includes(person.id)} onChange={() => onChange(value.includes(person.id) ? value.filter((id) => id !== person.id) : [...value, person.id])} />)}
          </div>
          <div className="panel-foot"><Button small onClick={() => setAnchor(null)}>{t.done}</Button></div>
        </Pop>
      )}
    </>
  );
}

/** The input for a custom field's kind. */
export function ValueInput({ field, value, onChange }: { field: FieldInfo; value: CellValue; onChange: (value: CellValue) => void }): ReactElement {
  const t = useWords();
  const locale = useLocale();
  if (field.kind === 'checkbox') return <Check label={<span className="vh">{field.name}</span>} checked={value === true} onChange={(event) => onChange(event.target.checked)} />;
  if (field.kind === 'date') return <DayInput value={value as string | null} label={field.name} onChange={onChange} />;
  if (field.kind === 'number') return <NumberInput value={value as number | null} label={field.name} onChange={onChange} />;
  if (field.kind === 'person') return <OnePerson value={value as string | null} label={field.name} onChange={onChange} />;
  if (field.kind === 'select') return <Pick value={(value as string | null) ?? ''} label={field.name} options={[{ id: '', name: t.none }, ...(field.options ?? [])]} onChange={(id) => onChange(id === '' ? null : id)} />;
  const print = Array.isArray(value) ? value.map((id) => field.options?.find((option) => option.id === id)?.name ?? id).join(', ') : String(value ?? '');
  return <TextInput value={print} label={field.name} onChange={(text) => {
    const read = readValue(text, field.kind, { locale, today: today(), options: field.options ?? [] });
    if (read.ok) onChange(read.value);
  }} />;
}

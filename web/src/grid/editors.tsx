// The editors that open over a cell: a line of text that says how it is read, or a list to choose from.
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { addDays, dayNumber, isDay, readDay, sayDay, weekday } from './dates';
import type { CellValue, Column, Option } from './types';
import { printValue, readValue, type Reading } from './values';
import type { GridWords } from './words';

export type Leave = 'down' | 'up' | 'right' | 'left' | 'stay';

export interface EditorProps {
  column: Column<never>;
  value: CellValue;
  /** What was typed to start the edit, replacing the value; nothing keeps it. */
  typed: string | null;
  reading: Reading;
  words: GridWords;
  label: string;
  above: boolean;
  onDone: (value: CellValue, leave: Leave) => void;
  onCancel: () => void;
}

const leaveOf = (event: KeyboardEvent): Leave => (event.key === 'Tab' ? (event.shiftKey ? 'left' : 'right') : event.shiftKey ? 'up' : 'down');

export function Editor(props: EditorProps): ReactNode {
  const { kind } = props.column;
  if (kind === 'select' || kind === 'person' || kind === 'multi') return <Chooser {...props} />;
  return <Line {...props} />;
}

function workingDays(from: string, to: string): number {
  let count = 0;
  const days = dayNumber(to) - dayNumber(from);
  if (days > 1500) return Math.round((days * 5) / 7);
  for (let step = 1; step <= days; step += 1) if (weekday(addDays(from, step)) < 6) count += 1;
  return count;
}

function DayHint({ day, props }: { day: string; props: EditorProps }): ReactNode {
  const { reading, words } = props;
  const away = dayNumber(day) - dayNumber(reading.today);
  const text = away === 0 ? words.today : away > 0 ? words.inDays(away, workingDays(reading.today, day)) : words.daysAgo(-away);
  return (
    <>
      <b>{sayDay(day, reading.locale, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' })}</b>
      <span className="kbd">Enter</span>
      <span className="small muted">{text}</span>
    </>
  );
}

function Line(props: EditorProps): ReactNode {
  const { column, value, typed, reading, words } = props;
  const first = () => {
    if (typed !== null) return typed;
    if (column.kind === 'date' && typeof value === 'string') return sayDay(value, reading.locale, { day: 'numeric', month: 'short', year: 'numeric' });
    return printValue(value, column.kind, column.options);
  };
  const [text, setText] = useState(first);
  const [wrong, setWrong] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const over = useRef(false);
  useLayoutEffect(() => {
    input.current?.focus({ preventScroll: true });
    if (typed === null) input.current?.select();
  }, [typed]);

  const read = text === first() && typed === null ? ({ ok: true, value } as const) : readValue(text, column.kind, reading);
  const done = (leave: Leave) => {
    if (over.current) return;
    if (!read.ok) {
      setWrong(true);
      return;
    }
    over.current = true;
    props.onDone(read.value, leave);
  };
  const keys = (event: KeyboardEvent<HTMLInputElement>) => {
    event.stopPropagation();
    if (event.key === 'Enter' || event.key === 'Tab') {
      event.preventDefault();
      done(leaveOf(event));
    } else if (event.key === 'Escape') {
      event.preventDefault();
      over.current = true;
      props.onCancel();
    } else if (column.kind === 'date' && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const base = (read.ok && typeof read.value === 'string' ? read.value : null) ?? reading.today;
      setText(addDays(base, event.key === 'ArrowDown' ? 1 : -1));
    }
  };
  const day = column.kind === 'date' ? (isDay(text) ? text : read.ok ? (read.value as string | null) : readDay(text, reading.locale, reading.today)) : null;
  const complaint = !read.ok && (wrong || column.kind === 'date')
    ? column.kind === 'date' ? words.notADay : column.kind === 'number' ? words.notANumber : words.notAnAddress
    : null;
  return (
    <>
      <input
        ref={input}
        className="edit-line"
        aria-label={props.label}
        aria-invalid={complaint !== null || undefined}
        inputMode={column.kind === 'number' ? 'decimal' : column.kind === 'url' ? 'url' : undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setWrong(false);
        }}
        onKeyDown={keys}
        onBlur={() => {
          // Leaving by a click keeps what can be read and drops what cannot.
          if (over.current) return;
          over.current = true;
          if (read.ok) props.onDone(read.value, 'stay');
          else props.onCancel();
        }}
      />
      {(day || complaint) && (
        <div className={props.above ? 'edit-pop above' : 'edit-pop'} role="status">
          <div className={complaint ? 'reading bad' : 'reading'}>{complaint ?? (day && <DayHint day={day} props={props} />)}</div>
        </div>
      )}
    </>
  );
}

const fold = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

function Chooser(props: EditorProps): ReactNode {
  const { column, value, typed, words } = props;
  const many = column.kind === 'multi';
  const [text, setText] = useState(typed ?? '');
  const [chosen, setChosen] = useState<string[]>(Array.isArray(value) ? value : []);
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const over = useRef(false);
  useLayoutEffect(() => input.current?.focus({ preventScroll: true }), []);

  const known = column.options ?? [];
  const free = many && known.length === 0;
  const options = useMemo(() => {
    const all: Option[] = free ? chosen.map((word) => ({ id: word, name: word })) : known;
    const wanted = fold(text.trim());
    const found = all.filter((option) => fold(`${option.name} ${option.hint ?? ''}`).includes(wanted));
    if (free && text.trim() !== '' && !chosen.includes(text.trim())) found.unshift({ id: text.trim(), name: words.newWord(text.trim()) });
    if (!many && !column.needed && wanted === '') found.push({ id: '', name: words.clear });
    return found;
  }, [text, chosen, known, free, many, column.needed, words]);
  useEffect(() => {
    const present = !many && text === '' ? options.findIndex((option) => option.id === value) : 0;
    setAt(Math.max(0, present));
  }, [options, many, text, value]);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [at]);

  const finish = (result: CellValue, leave: Leave) => {
    if (over.current) return;
    over.current = true;
    props.onDone(result, leave);
  };
  const toggle = (id: string) => {
    setChosen((before) => (before.includes(id) ? before.filter((other) => other !== id) : [...before, id]));
    setText('');
  };
  const pick = (option: Option | undefined, leave: Leave) => {
    if (!option) return;
    if (many) toggle(option.id);
    else finish(option.id === '' ? null : option.id, leave);
  };
  const keys = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      setAt((now) => Math.max(0, Math.min(options.length - 1, now + (event.key === 'ArrowDown' ? 1 : -1))));
    } else if (event.key === 'Escape') {
      event.preventDefault();
      over.current = true;
      props.onCancel();
    } else if (event.key === 'Enter' || event.key === 'Tab') {
      event.preventDefault();
      const leave = leaveOf(event);
      if (!many) pick(options[at], leave);
      else if (event.key === 'Enter' && text.trim() !== '') pick(options[at], 'stay');
      else finish(chosen, leave);
    } else if (many && event.key === ' ' && text === '' && options[at]) {
      event.preventDefault();
      toggle(options[at].id);
    }
  };
  const key = `choices-${column.id}`;
  return (
    <>
      <input
        ref={input}
        className="edit-line"
        role="combobox"
        aria-expanded="true"
        aria-controls={key}
        aria-activedescendant={options[at] ? `${key}-${at}` : undefined}
        aria-label={props.label}
        value={text}
        placeholder={printValue(many ? chosen : value, column.kind, known)}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={keys}
        onBlur={() => (many ? finish(chosen, 'stay') : over.current || (over.current = true, props.onCancel()))}
      />
      <div className={props.above ? 'edit-pop above' : 'edit-pop'}>
        <div ref={list} id={key} role="listbox" aria-label={props.label} aria-multiselectable={many || undefined} className="choices">
          {options.map((option, index) => (
            <div
              key={option.id}
              id={`${key}-${index}`}
              role="option"
              aria-selected={index === at}
              className="choice"
              onPointerDown={(event) => {
                event.preventDefault();
                pick(option, 'stay');
              }}
            >
              <span className="tick" aria-hidden="true">{(many ? chosen.includes(option.id) : option.id === value) ? '✓' : ''}</span>
              <span className={option.id === '' ? 'clip muted' : 'clip'}>{option.name}</span>
              {option.hint && <span className="small muted clip">{option.hint}</span>}
            </div>
          ))}
          {options.length === 0 && <p className="none muted">{words.noMatch}</p>}
        </div>
      </div>
    </>
  );
}

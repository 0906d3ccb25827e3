// A cell's value as text and back, by the kind of the column: what copying prints and what pasting reads.
import { isDay, readDay } from './dates';
import type { CellKind, CellValue, Option } from './types';

export interface Reading {
  locale: string;
  today: string;
  options: Option[];
}

export type Read = { ok: true; value: CellValue } | { ok: false };

const fold = (text: string) => text.trim().normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

const nameOf = (id: string, options: Option[]) => options.find((option) => option.id === id)?.name ?? id;

export function printValue(value: CellValue, kind: CellKind, options: Option[] = []): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map((id) => nameOf(id, options)).join(', ');
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (kind === 'select' || kind === 'person') return nameOf(String(value), options);
  return String(value);
}

function readNumber(text: string, locale: string): number | null {
  const parts = new Intl.NumberFormat(locale).formatToParts(1234.5);
  const point = parts.find((part) => part.type === 'decimal')?.value ?? '.';
  let plain = text.replace(/[\s\u00a0\u202f]/g, '').replace(/h$/i, '');
  if (point === ',') plain = plain.includes(',') ? plain.replaceAll('.', '').replace(',', '.') : plain;
  else plain = plain.replaceAll(',', '');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : null;
}

function readOption(text: string, options: Option[]): string | null {
  const wanted = fold(text);
  return (options.find((option) => option.id === text.trim()) ?? options.find((option) => fold(option.name) === wanted))?.id ?? null;
}

const YES = new Set(['true', 'yes', 'si', 'x', '1', '✓', 'checked']);
const NO = new Set(['false', 'no', '0', '', 'unchecked']);

/** Reads what was typed or pasted; an empty text empties the cell. What cannot be read is refused, not bent. */
export function readValue(text: string, kind: CellKind, reading: Reading): Read {
  const typed = text.trim();
  if (kind === 'checkbox') {
    const word = fold(typed);
    return YES.has(word) ? { ok: true, value: true } : NO.has(word) ? { ok: true, value: false } : { ok: false };
  }
  if (typed === '') return { ok: true, value: kind === 'multi' ? [] : null };
  switch (kind) {
    case 'text':
      return { ok: true, value: text };
    case 'url':
      return /^https?:\/\/\S+$/i.test(typed) ? { ok: true, value: typed } : { ok: false };
    case 'number': {
      const value = readNumber(typed, reading.locale);
      return value === null ? { ok: false } : { ok: true, value };
    }
    case 'date': {
      const value = isDay(typed) ? typed : readDay(typed, reading.locale, reading.today);
      return value === null ? { ok: false } : { ok: true, value };
    }
    case 'select':
    case 'person': {
      const value = readOption(typed, reading.options);
      return value === null ? { ok: false } : { ok: true, value };
    }
    case 'multi':
      return readMany(typed, reading.options);
  }
}

/** A list without fixed options (labels) takes any words; one with options only those. */
function readMany(typed: string, options: Option[]): Read {
  const parts = typed.split(/[,;]/).map((part) => part.trim()).filter((part) => part !== '');
  if (options.length === 0) return { ok: true, value: [...new Set(parts)] };
  const ids = parts.map((part) => readOption(part, options));
  return ids.includes(null) ? { ok: false } : { ok: true, value: [...new Set(ids as string[])] };
}

export const sameValue = (a: unknown, b: unknown) => a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

// Message catalogues: one object a page and language. A key that is missing in a language is an error of the compiler.
// English is part of each page's code; another language comes as one file, and only to those who read it.

export type Lang = 'en' | 'es';
export const LANGS: readonly Lang[] = ['en', 'es'];

/** What another language must have to match a catalogue: the same keys, and functions of the same arguments. */
export type Same<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...a: infer A) => string ? (...a: A) => string : Same<T[K]> };

/** The catalogues, by the name under which every language has them. */
export type CatalogueName = 'account' | 'common' | 'data' | 'duplicates' | 'evidence' | 'exporting' | 'guard' | 'hours' | 'overview' | 'packs' | 'plan' | 'planEdit' | 'profile' | 'requests' | 'runs' | 'settings' | 'tell' | 'totals' | 'work';

/** Another language: its catalogues, and what the server refuses, by the code of the problem. */
export interface Language {
  catalogues: Readonly<Record<CatalogueName, object>>;
  problems: Readonly<Record<string, readonly [title: string, help: string]>>;
  /** The built-in policies, by their ids. */
  policies: Readonly<Record<string, string>>;
}

const KEY = 'dunlin.language';
const listeners = new Set<() => void>();
const names = new WeakMap<object, CatalogueName>();
const here = new Map<Lang, Language>();

function initial(): Lang {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'en' || kept === 'es') return kept;
  } catch { /* storage may be closed to us; the browser's language stands */ }
  return typeof navigator !== 'undefined' && navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';
}

let current: Lang = initial();

/** Gives the English messages of a page the name under which other languages have theirs. */
export function catalogue<T extends object>(name: CatalogueName, messages: T): T {
  names.set(messages, name);
  return messages;
}

/** The language now. */
export function lang(): Lang {
  return current;
}

/** Brings a language's messages; English is here already. Rejects where they cannot be fetched. */
export async function loadLanguage(which: Lang): Promise<void> {
  if (which === 'en' || here.has(which)) return;
  here.set(which, (await import('@/messages/spanish')).spanish);
}

/** Changes the language of the whole app, once its messages are here. */
export async function setLang(next: Lang): Promise<void> {
  await loadLanguage(next);
  current = next;
  try { localStorage.setItem(KEY, next); } catch { /* it holds for this visit */ }
  document.documentElement.lang = next;
  for (const tell of listeners) tell();
}

/** Calls back when the language changes; gives what ends that. */
export function onLanguage(tell: () => void): () => void {
  listeners.add(tell);
  return () => { listeners.delete(tell); };
}

/** A page's messages in the language of the reader; given the English ones. */
export function messages<T extends object>(english: T): T {
  const name = names.get(english);
  return ((name && here.get(current)?.catalogues[name]) ?? english) as T;
}

/** A built-in policy in the reader's language; nothing where the server's own words stand. */
export function policyWords(id: string): string | undefined {
  return here.get(current)?.policies[id];
}

/** What a problem is called in the reader's language and how it is mended; nothing where the server's own words stand. */
export function problemWords(code: string): readonly [title: string, help: string] | undefined {
  return here.get(current)?.problems[code];
}

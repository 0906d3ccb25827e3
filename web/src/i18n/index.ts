// Message catalogues: one object a page and language. A key that is missing in a language is an error of the compiler.
import { useSyncExternalStore } from 'react';

export type Lang = 'en' | 'es';
export const LANGS: readonly Lang[] = ['en', 'es'];

/** What another language must have to match a catalogue: the same keys, and functions of the same arguments. */
export type Same<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...a: infer A) => string ? (...a: A) => string : Same<T[K]> };

const KEY = 'dunlin.language';
const listeners = new Set<() => void>();

function initial(): Lang {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'en' || kept === 'es') return kept;
  } catch { /* storage may be closed to us; the browser's language stands */ }
  return typeof navigator !== 'undefined' && navigator.language.toLowerCase().startsWith('es') ? 'es' : 'en';
}

let current: Lang = initial();

/** The language now. */
export function lang(): Lang {
  return current;
}

/** Changes the language of the whole app, at once. */
export function setLang(next: Lang): void {
  current = next;
  try { localStorage.setItem(KEY, next); } catch { /* it holds for this visit */ }
  document.documentElement.lang = next;
  for (const tell of listeners) tell();
}

/** The language, as a hook. */
export function useLang(): Lang {
  return useSyncExternalStore(
    (tell) => { listeners.add(tell); return () => listeners.delete(tell); },
    lang,
  );
}

/** The messages of a page in the language of the reader. */
export function useMessages<T>(catalogues: { en: T; es: Same<T> }): T {
  return catalogues[useLang()] as T;
}

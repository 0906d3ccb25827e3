// The reader's language within React, and all else of `language.ts`.
import { useSyncExternalStore } from 'react';
import { lang, messages, onLanguage, type Lang } from './language';

export * from './language';

/** The language, as a hook. */
export function useLang(): Lang {
  return useSyncExternalStore(onLanguage, lang);
}

/** The messages of a page in the language of the reader. */
export function useMessages<T extends object>(english: T): T {
  useLang();
  return messages(english);
}

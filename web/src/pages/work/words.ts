import { useMessages } from '@/i18n';
import { work as en } from '@/messages/work.en';

export type Words = typeof en;

/** The words of Work in the reader's language. */
export const useWords = (): Words => useMessages(en);

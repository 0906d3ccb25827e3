import { useSyncExternalStore } from 'react';
import { onTheme, theme, type Theme } from './theme';

/** What the reader chose, as a hook. */
export const useTheme = (): Theme => useSyncExternalStore(onTheme, theme);

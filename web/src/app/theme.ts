// Light, dark, or as the system has it.

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'dunlin.theme';
const dark = window.matchMedia('(prefers-color-scheme: dark)');
const tellAll = new Set<() => void>();
let chosen: Theme = read();

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === 'light' || kept === 'dark') return kept;
  } catch { /* as the system has it */ }
  return 'system';
}

/** Puts the theme on the page. Called before the first paint, and whenever it changes. */
export function applyTheme(): void {
  const shown = chosen === 'system' ? (dark.matches ? 'dark' : 'light') : chosen;
  document.documentElement.dataset.theme = shown;
}
dark.addEventListener('change', applyTheme);

export function setTheme(next: Theme): void {
  chosen = next;
  try { localStorage.setItem(KEY, next); } catch { /* it holds for this visit */ }
  applyTheme();
  for (const tell of tellAll) tell();
}

/** What the reader chose. */
export const theme = (): Theme => chosen;

/** Calls back when that changes; gives what ends it. */
export function onTheme(tell: () => void): () => void {
  tellAll.add(tell);
  return () => { tellAll.delete(tell); };
}

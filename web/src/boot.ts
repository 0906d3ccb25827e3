// The first and smallest piece of the app. Theme and language before the first paint; then everything that the page will
// need is asked for side by side: its data here, its code by `app/pieces`. The app itself is read in a few steps, between
// which the browser may answer its reader.
import { askEarly, early, readEarly } from '@/api/early';
import { pieces } from '@/app/pieces';
import { applyTheme } from '@/app/theme';
import { turn } from '@/app/turns';
import { warmUps } from '@/i18n/format';
import { lang, loadLanguage } from '@/i18n/language';
import { firstQuestions } from '@/pages/work/question';
import '@/styles/index.css';

applyTheme();
document.documentElement.lang = lang();

/** Asks for what the first page shows first. What needs a right is asked for only by those who have it. */
async function questions(): Promise<void> {
  const path = location.pathname;
  void askEarly('/api/v1/me');
  const rights = readEarly<{ may: string[] }>('/api/v1/me/rights');
  if (path === '/work' || path === '/work/') for (const one of firstQuestions()) void askEarly(one);
  if (path !== '/' || !(await rights)?.may.includes('run.read')) return;
  const runs = await readEarly<{ items: { id: string }[] }>('/api/v1/runs');
  const newest = runs?.items[0]?.id;
  if (newest) for (const one of ['', '/tables']) void askEarly(`/api/v1/runs/${newest}${one}`);
}

async function app(): Promise<void> {
  const words = loadLanguage(lang()).catch(() => undefined);
  await turn();
  pieces(location.pathname);
  await turn();
  const library = import('react-dom/client');
  for (const warm of warmUps) { await turn(); warm(); }
  await library;
  await turn();
  await import('@/app/router');
  await turn();
  await words;
  (await import('@/main')).start();
}

// What fails here fails again, and is said, where the app asks for it.
early(questions);
void app();

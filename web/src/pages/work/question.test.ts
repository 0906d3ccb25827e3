import { afterEach, expect, it, vi } from 'vitest';
import { askEarly, takeEarly } from '@/api/early';
import { PAGE } from '@/grid/page';
import { work } from './api';
import { firstQuestions, rowsAsked } from './question';
import { keep, SETTINGS } from './settings';

const asked: string[] = [];
const answer = () => new Response(JSON.stringify({ items: [], rows: [], total: 0, groups: null, version: 1 }));
vi.stubGlobal('fetch', async (what: RequestInfo | URL) => { asked.push(what instanceof Request ? what.url : String(what)); return answer(); });

afterEach(() => { localStorage.clear(); asked.length = 0; });

/** What the page of Work asks by itself when it is opened. */
async function opens(settings: typeof SETTINGS): Promise<void> {
  await Promise.all([work.people(), work.fields(), work.views(), work.tasks({ ...rowsAsked(settings), offset: 0, limit: PAGE })]);
}

for (const [name, settings] of [
  ['as nobody arranged it', SETTINGS],
  ['filtered, sorted and grouped', { ...SETTINGS, filter: { q: ' lamp ', tests: [{ field: 'status', is: ['open'] }] }, sort: [{ field: 'deadline', down: true }], group: 'owner' }],
] as const) {
  it(`asks early for just what the page asks, ${name}`, async () => {
    keep({ view: null, settings: settings as typeof SETTINGS });
    await opens(settings as typeof SETTINGS);
    expect(firstQuestions().sort()).toEqual([...asked].sort());
  });
}

it('gives an early answer once, and the page asks no second time for it', async () => {
  for (const one of firstQuestions()) void askEarly(one);
  expect(asked.length).toBe(4);
  await opens(SETTINGS);
  expect(asked.length).toBe(4);
  await work.fields();
  expect(asked.length).toBe(5);
  expect(takeEarly('/api/v1/work/fields')).toBeUndefined();
});

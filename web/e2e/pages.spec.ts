// Every page in light and dark, wide and narrow: nothing that axe finds, nothing on the console, nothing wider than
// the window.
import { expect, left, looks, settled, test } from './support';

const PAGES = ['/', '/work', '/work/hours', '/plan', '/plan/text', '/plan/check', '/plan/approvals', '/data', '/data/duplicates', '/data/reconciliation', '/data/profile', '/data/export', '/runs', '/guard', '/guard/live',
  '/guard/alerts', '/guard/log', '/guard/grants', '/guard/policies', '/notices', '/notices/schedule', 'NOTICE', 'VERSIONS', '/evidence', '/settings', '/settings/server', 'RUN', 'PERSON', 'ALERT', 'GROUP'];

test('every page is accessible in light and dark, wide and narrow', async ({ page, context }) => {
  test.setTimeout(400_000);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const api = context.request;
  const first = async (path: string, key: string) => ((await (await api.get(path)).json()) as { items: Record<string, string>[] }).items[0]?.[key] ?? '';
  const notice = `/notices/${await first('/api/v1/notices', 'name')}`;
  const paths: Record<string, string> = {
    NOTICE: notice, VERSIONS: `${notice}?view=versions`,
    RUN: `/runs/${await first('/api/v1/runs', 'id')}`, PERSON: `/guard/people/${left().people.ben}`, ALERT: `/alerts/${await first('/api/v1/alerts', 'id')}`, GROUP: `/data?group=${await first('/api/v1/quarantine', 'group')}`,
  };
  const wrong: string[] = [];
  for (const name of PAGES) {
    // Every second page is first opened on a phone.
    await page.setViewportSize({ width: PAGES.indexOf(name) % 2 ? 390 : 1440, height: 900 });
    await page.goto(paths[name] ?? name);
    await settled(page);
    // The app itself, and not a page that stands in for it.
    await expect(page.locator('#root nav, nav').first(), name).toBeVisible();
    wrong.push(...await looks(page, name));
  }
  expect(wrong).toEqual([]);
});

test('the app speaks Spanish and keeps it', async ({ page }) => {
  await page.goto('/settings');
  await page.getByLabel('Language').selectOption('es');
  await expect(page.getByRole('heading', { name: 'Ajustes' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('link', { name: 'Cuarentena' }).or(page.getByRole('link', { name: 'Datos' })).first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('es');
});

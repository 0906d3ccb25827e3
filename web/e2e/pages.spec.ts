// Every page in light and dark, wide and narrow: nothing that axe finds, nothing on the console, nothing wider than
// the window.
import { expect, left, settled, test, violations } from './support';

const PAGES = ['/', '/work', '/work/hours', '/plan', '/plan/text', '/plan/check', '/plan/approvals', '/data', '/data/reconciliation', '/data/profile', '/data/export', '/runs', '/guard', '/guard/live',
  '/guard/alerts', '/guard/log', '/guard/grants', '/guard/policies', '/notices', '/notices/schedule', 'NOTICE', 'VERSIONS', '/evidence', '/settings', '/settings/server', 'RUN', 'PERSON', 'ALERT', 'GROUP'];

for (const width of [1440, 390]) {
  test(`every page is accessible in light and dark, ${width} wide`, async ({ page, context }) => {
    test.setTimeout(400_000);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 900 });
    const api = context.request;
    const first = async (path: string, key: string) => ((await (await api.get(path)).json()) as { items: Record<string, string>[] }).items[0]?.[key] ?? '';
    const notice = `/notices/${await first('/api/v1/notices', 'name')}`;
    const paths: Record<string, string> = {
      NOTICE: notice, VERSIONS: `${notice}?view=versions`,
      RUN: `/runs/${await first('/api/v1/runs', 'id')}`, PERSON: `/guard/people/${left().people.ben}`, ALERT: `/alerts/${await first('/api/v1/alerts', 'id')}`, GROUP: `/data?group=${await first('/api/v1/quarantine', 'group')}`,
    };
    const wrong: string[] = [];
    for (const name of PAGES) {
      await page.goto(paths[name] ?? name);
      await settled(page);
      // The app itself, and not a page that stands in for it.
      await expect(page.locator('#root nav, nav').first(), name).toBeVisible();
      for (const line of await violations(page)) wrong.push(`${name} ${line}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) wrong.push(`${name}: ${over} px wider than the window`);
      // Dark differs by nothing but its colours.
      await page.emulateMedia({ colorScheme: 'dark' });
      for (const line of await violations(page, ['color-contrast'])) wrong.push(`${name}, dark ${line}`);
      await page.emulateMedia({ colorScheme: 'light' });
    }
    expect(wrong).toEqual([]);
  });
}

test('the app speaks Spanish and keeps it', async ({ page }) => {
  await page.goto('/settings');
  await page.getByLabel('Language').selectOption('es');
  await expect(page.getByRole('heading', { name: 'Ajustes' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('link', { name: 'Cuarentena' }).or(page.getByRole('link', { name: 'Datos' })).first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('es');
});

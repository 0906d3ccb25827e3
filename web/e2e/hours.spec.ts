// Work: hours in which a move disturbs least, working days, days without work.
import type { BrowserContext } from '@playwright/test';
import { expect, settled, test, violations } from './support';

const planText = async (context: BrowserContext) => ((await (await context.request.get('/api/v1/plan')).json()) as { text: string }).text;

test('what is not measured is said, and a window of one’s own goes into the plan and out of it', async ({ page, context }) => {
  const before = await planText(context);
  await page.goto('/work/hours');
  await settled(page);
  await expect(page.getByRole('heading', { name: 'How busy the source is has not been measured yet' })).toBeVisible();
  await expect(page.getByText('0 of 168 hours of the week are measured')).toBeVisible();
  await page.getByRole('button', { name: 'Another window' }).click();
  const dialog = page.getByRole('dialog', { name: 'A window of your own' });
  for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday']) await dialog.getByRole('checkbox', { name: day }).uncheck();
  await dialog.getByLabel('Opens').fill('22:00');
  await dialog.getByLabel('Closes').fill('06:00');
  await expect(dialog.getByText('Saturday and Sunday, 22:00 to 06:00 the next day')).toBeVisible();
  await expect(dialog.getByText(/would likely end|no forecast yet/)).toBeVisible();
  await dialog.getByRole('button', { name: 'Put into the plan' }).click();
  await expect(dialog).toBeHidden();
  const text = await planText(context);
  expect(text).toMatch(/days = \["sat", "sun"\]\nfrom = "22:00"\nto = "06:00"\nzone = "Europe\/Madrid"/);
  expect(text).toContain('[window]                                 # when data may move');
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('The earlier plan is back')).toBeVisible();
  expect(await planText(context)).toBe(before);
});

test('a measured week is a map, a table, and sentences', async ({ page }) => {
  // No store of the demo tells its load: the answer is one that a server over PostgreSQL gives.
  const load = Array.from({ length: 168 }, (_, hour) => (hour < 120 && hour % 24 >= 8 && hour % 24 < 19 ? 40 : 4 + (hour % 24)));
  const proposals = [{ days: ['sat'], from: '23:00', to: '05:00', zone: 'Europe/Madrid', disruption: 0.2, reason: '' }];
  await page.route('**/api/v1/work/windows', (route) => route.fulfill({ json: { load, hours_known: 168, sensitive: 0.4, proposals } }));
  await page.goto('/work/hours');
  await settled(page);
  await expect(page.getByRole('heading', { name: 'Saturday, 23:00 to 05:00 the next day disturbs least' })).toBeVisible();
  await page.getByRole('button', { name: 'As a table' }).click();
  await expect(page.getByRole('row', { name: /^Mon/ }).first()).toContainText('100');
  expect(await violations(page)).toEqual([]);
});

test('working days and days without work are set and taken back', async ({ page, context }) => {
  await page.goto('/work/hours');
  await settled(page);
  const friday = page.getByRole('checkbox', { name: 'Ben Okoye works on Friday' });
  await expect(friday).toBeChecked();
  await friday.uncheck();
  await expect(page.getByText('The days of Ben Okoye are saved')).toBeVisible();
  const days = (await (await context.request.get('/api/v1/work/working-days')).json()) as { items: { days: string[] }[] };
  expect(days.items.some((d) => d.days.join(' ') === 'mon tue wed thu')).toBe(true);
  // Undone, nothing is said of Ben any more.
  const ofOwn = async () => ((await (await context.request.get('/api/v1/work/working-days')).json()) as { items: unknown[] }).items.length;
  const said = await ofOwn();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(friday).toBeChecked();
  await expect.poll(ofOwn).toBe(said - 1);

  // What is said can be taken back later too.
  await friday.uncheck();
  await expect.poll(ofOwn).toBe(said);
  await page.getByRole('button', { name: /^Take back what is said of Ben Okoye/ }).click();
  await expect(friday).toBeChecked();
  await expect.poll(ofOwn).toBe(said - 1);

  await page.getByLabel('Day', { exact: true }).fill('2027-12-24');
  await page.getByLabel('For').selectOption('Partner Ltd');
  await page.getByLabel('Why').fill('the office is closed');
  await page.getByRole('button', { name: 'Add the day' }).click();
  const line = page.getByRole('listitem').filter({ hasText: 'the office is closed' });
  await expect(line).toContainText('Partner Ltd');
  await line.getByRole('button', { name: /^Remove/ }).click();
  await expect(line).toHaveCount(0);
});

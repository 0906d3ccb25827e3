// Data: what the columns of a table hold, and what is said of the table besides.
import { expect, looks, settled, test } from './support';

test('a profile shows columns, their spread and evidence, and references that lead nowhere', async ({ page }) => {
  await page.goto('/data/profile');
  await settled(page);
  await page.getByLabel('Table', { exact: true }).selectOption('atlas.orders');
  await page.getByRole('button', { name: 'Read it' }).click();
  const columns = page.getByRole('table', { name: 'What the columns hold' });
  await expect(columns.getByRole('row').nth(1)).toBeVisible({ timeout: 30_000 });
  const references = page.getByRole('table', { name: 'References' });
  await expect(references.getByRole('row').filter({ hasText: 'customer_id' })).toContainText('customers');
  await columns.getByRole('button', { name: 'items' }).click();
  const drawer = page.getByRole('dialog', { name: /items/ });
  await expect(drawer.getByRole('img', { name: /^Spread: 1 % / })).toBeVisible();
  await expect(drawer.getByRole('heading', { name: 'Patterns' }).or(drawer.getByText('Shapes')).first()).toBeVisible();
  await page.keyboard.press('Escape');
  expect(await looks(page, 'profile')).toEqual([]);
});

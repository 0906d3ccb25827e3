// The shell from the keyboard alone, and what a number opens.
import { expect, settled, test } from './support';

test('places, palette and help from the keyboard', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
  await page.keyboard.press('g');
  await page.keyboard.press('r');
  await expect(page).toHaveURL(/\/runs$/);
  await expect(page).toHaveTitle(/Runs/);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard shortcuts' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('nadia');
  await expect(page.getByRole('option').first()).toContainText('Nadia Farouk');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/guard\/people\//);
  await expect(page.getByRole('heading', { name: 'Nadia Farouk' })).toBeAttached();
});

test('each number of the equation opens what it is made of', async ({ page }) => {
  await page.goto('/');
  await settled(page);
  await expect(page.getByRole('heading', { name: /Every row is accounted for/ })).toBeVisible();
  await page.locator('.sum').getByRole('link', { name: /quarantined/ }).click();
  await expect(page.getByRole('heading', { name: /rows wait for a person/ })).toBeVisible();
  await page.goBack();
  await page.getByRole('group', { name: 'Table by table' }).getByRole('row', { name: /atlas.people/ }).getByRole('link').first().click();
  await expect(page.getByRole('dialog', { name: /How atlas.people adds up/ })).toBeVisible();
});

test('rows of a group are masked, and the look is in the log with its proof', async ({ page }) => {
  await page.goto('/data');
  await page.getByRole('link', { name: /does not fit its type/ }).first().click();
  await page.getByRole('button', { name: 'Show masked rows' }).click();
  await expect(page.locator('.masked', { hasText: '•••' }).first()).toBeVisible();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.goto('/guard/log?kind=access_opened');
  await page.locator('table button.opens').first().click();
  await expect(page.getByText(/is in the ledger/)).toBeVisible();
});

test('somebody is blocked and let back in, each in one call', async ({ page }) => {
  await page.goto('/guard');
  await page.getByRole('link', { name: /Ben Okoye/ }).click();
  await page.getByRole('button', { name: 'Block' }).click();
  await page.getByRole('button', { name: 'Block' }).last().click();
  await expect(page.getByText('Say why, in a few words.')).toBeVisible();
  await page.getByLabel('In words').fill('a drill');
  await page.getByRole('button', { name: 'Block' }).last().click();
  await expect(page.getByRole('heading', { name: 'Investigation' })).toBeVisible();
  await page.getByRole('button', { name: 'Let back in' }).click();
  await page.getByLabel('In words').fill('the drill is over');
  await page.getByRole('button', { name: 'Let back in' }).last().click();
  await expect(page.getByRole('button', { name: 'Block' })).toBeVisible();
});

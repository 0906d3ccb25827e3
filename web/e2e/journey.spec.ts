// A first-time lead, from a workspace in which nothing has happened to a finished, verified migration with its report,
// by the pages alone.
import { FIRST_VISIT } from './places';
import { expect, left, signUp, test } from './support';

test.use({ baseURL: FIRST_VISIT, storageState: { cookies: [], origins: [] } });

test('from an empty workspace to a verified migration', async ({ page, quiet }) => {
  test.setTimeout(240_000);
  await signUp(page, left().firstVisit.secret);

  // Nothing has moved: the page says what to do next.
  await expect(page.getByRole('heading', { name: 'Nothing has moved yet' })).toBeVisible();
  await page.getByRole('link', { name: 'Open the plan' }).first().click();

  // The plan is edited as text; what the change means is said before it is saved.
  await page.getByRole('link', { name: 'As text', exact: true }).click();
  const editor = page.locator('.editor .cm-content');
  await editor.click();
  await page.keyboard.press('Control+f');
  await page.locator('.editor .cm-search input[name=search]').fill('"%d.%m.%Y"]');
  await page.locator('.editor .cm-search input[name=replace]').fill('"%d.%m.%Y", "%Y.%m.%d"]');
  await page.locator('.editor .cm-search button[name=replaceAll]').click();
  await expect(page.locator('.changes').getByText(/born_on/)).toBeVisible();
  await page.getByRole('button', { name: 'Save the plan' }).click();
  await expect(page.getByText('The plan is saved')).toBeVisible();

  // Held against the stores, then rehearsed.
  await page.getByRole('link', { name: 'Check', exact: true }).click();
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByRole('heading', { name: 'The stores fit the plan' })).toBeVisible({ timeout: 60_000 });
  await page.goto('/runs');
  await page.getByRole('button', { name: 'Rehearse' }).first().click();
  await page.getByRole('button', { name: 'Start the rehearsal' }).click();
  await expect(page.locator('.page-head').getByText('done')).toBeVisible({ timeout: 90_000 });

  // The run itself.
  await page.goto('/runs');
  await page.getByRole('button', { name: 'Start a run' }).click();
  await page.getByRole('button', { name: 'Start the run' }).click();
  // The plan names a notice that must come first, and one person alone publishes none: it moves for a reason that is kept.
  const start = page.getByRole('dialog', { name: 'Start a run' });
  await expect(start.getByRole('alert')).toContainText('must be published');
  expect(quiet.splice(0)).toHaveLength(1);
  await start.getByRole('checkbox', { name: 'Move although customers were not told' }).check();
  await start.getByLabel('In words').fill('a rehearsal of the whole day');
  await start.getByRole('button', { name: 'Start the run' }).click();
  await expect(page.locator('.page-head').getByText('done')).toBeVisible({ timeout: 90_000 });
  await expect(page.getByRole('heading', { name: 'Where the rows ended' })).toBeVisible();

  // What waits for a person: some are discarded, in numbers and with the word.
  await page.goto('/data?table=atlas.accounts');
  await page.getByRole('link', { name: /damaged|too few/ }).first().click();
  await page.getByRole('button', { name: 'Discard' }).click();
  const dialog = page.getByRole('dialog', { name: /^Discard/ });
  await expect(dialog.getByRole('button', { name: /^Discard \d/ })).toBeDisabled();
  await dialog.getByRole('textbox').fill('discard');
  await dialog.getByRole('button', { name: /^Discard \d/ }).click();
  await expect(page.getByText(/rows are decided on/)).toBeVisible();

  // Both sides read again; the evidence.
  await page.goto('/data/reconciliation');
  await page.getByRole('button', { name: 'Verify now' }).click();
  await expect(page.locator('.badge', { hasText: 'Verified' })).toBeVisible({ timeout: 90_000 });
  await expect(page.getByRole('heading', { name: 'Every table reconciles' })).toBeVisible();
  await page.goto('/evidence');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the report' }).click();
  expect((await download).suggestedFilename()).toBe('report.html');
  await page.goto('/');
  await expect(page.getByRole('heading', { name: /Every row is accounted for/ })).toBeVisible();
});

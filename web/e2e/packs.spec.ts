// Evidence: the packs rule by rule, a rule that is set aside and taken back, and what amounts come to.
import type { Page } from '@playwright/test';
import { expect, looks, settled, test } from './support';

/** Opens the page; the first answer of the packs takes its time, for the whole ledger is verified for it. */
async function evidence(page: Page): Promise<void> {
  await page.goto('/evidence');
  await expect(page.getByRole('button', { name: /^Open \d+/ })).toBeVisible({ timeout: 60_000 });
  await settled(page);
}

/** The row of a rule. */
const of = (page: Page, rule: string) => page.getByRole('row').filter({ has: page.locator('b', { hasText: new RegExp(`^${rule}$`) }) });

test('the matrix shows each rule, why it is open and how to mend it', async ({ page }) => {
  await evidence(page);
  const packs = page.getByRole('region', { name: 'The packs, rule by rule' }).or(page.locator('section', { hasText: 'The packs, rule by rule' })).first();
  await expect(packs.getByRole('button', { name: /^Open \d+/ })).toHaveAttribute('aria-pressed', 'true');
  await expect(packs.getByRole('columnheader', { name: 'How to mend it' })).toBeVisible();
  // What is open says how it is mended.
  const open = packs.getByRole('row').nth(1);
  await expect(open.getByText(/Violated|Needs a person/)).toBeVisible();
  await expect(open.getByRole('cell').nth(4)).not.toBeEmpty();
  await packs.getByRole('button', { name: /^All \d+/ }).click();
  await expect(of(page, 'GDPR-28')).toBeVisible();
  // The demo's plan sets some aside: who, why, until when, and that it stands in the plan.
  await packs.getByRole('button', { name: /^Waived \d+/ }).click();
  const waived = of(page, 'GDPR-05d');
  await expect(waived).toContainText('Waived by ana@atlas.example until 2027-06-30');
  await expect(waived).toContainText('agreed with the auditors');
  await expect(waived).toContainText('stands in the plan');
  await expect(waived.getByRole('button', { name: /Take/ })).toHaveCount(0);
});

test('a rule is waived with a reason and an end, stands in the ledger, and is taken back', async ({ page }) => {
  await evidence(page);
  const first = page.getByRole('button', { name: /^Waive GDPR-/ }).first();
  const rule = (await first.getAttribute('aria-label'))?.replace('Waive ', '') ?? '';
  await first.click();
  const dialog = page.getByRole('dialog', { name: `Waive ${rule}` });
  await dialog.getByRole('button', { name: 'Waive', exact: true }).click();
  await expect(dialog.getByText('Say why.')).toBeVisible();
  await expect(dialog.getByText('Name a day that has not passed.')).toBeVisible();
  await dialog.getByLabel(/Why, so that/).fill('the office answers until the end of the year');
  await dialog.getByLabel('The last day it holds').fill('2099-12-31');
  await dialog.getByRole('button', { name: 'Waive', exact: true }).click();
  await expect(dialog).toBeHidden();
  await page.getByRole('button', { name: /^Waived \d+/ }).click();
  const row = of(page, rule);
  await expect(row).toContainText('until 2099-12-31');
  await expect(row).toContainText('the office answers until the end of the year');
  await expect(row.getByRole('link', { name: /^ledger \d+/ })).toBeVisible();
  await row.getByRole('button', { name: `Take the waiver of ${rule} back` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Take back', exact: true }).click();
  await expect(row).toHaveCount(0);
  await page.getByRole('button', { name: /^Open \d+/ }).click();
  await expect(of(page, rule)).toBeVisible();
});

test('the sums of both sides stand beside each other', async ({ page }) => {
  await evidence(page);
  const totals = page.getByRole('table', { name: 'Control totals' });
  await expect(totals.getByRole('row').nth(1)).toContainText('atlas.orders');
  await expect(page.getByText(/^\d+ sums agree, difference 0$/)).toBeVisible();
  expect(await looks(page, 'evidence')).toEqual([]);
});

// The queue of what customers ask for, click by click: what came by letter is entered, who asks is checked, it is taken,
// handed over, put off, and refused. (Granting and carrying out stands in customer.spec.ts, with the customer beside it.)
import type { APIRequestContext, Page } from '@playwright/test';
import { expect, left, settled, test } from './support';

// Each request is another customer's. Those of customer.spec.ts begin at 100.
let last = 600;

interface Asked { request: string; kind: string; state: string; identity: string; owner: string | null; via: string | null; due_at: number | null; extended_at: number | null; reason_category: string | null }
const read = async (api: APIRequestContext, id: string) => (await (await api.get(`/api/v1/requests/${id}`)).json()) as Asked;
const idOf = (page: Page) => new URL(page.url()).pathname.split('/').pop() ?? '';

/** Enters a request by hand, as its page then shows it. */
async function enter(page: Page, kind: string): Promise<string> {
  await page.goto('/notices/requests');
  await settled(page);
  await page.getByRole('button', { name: 'Enter a request' }).click();
  const dialog = page.getByRole('dialog', { name: 'Enter what came by letter or telephone' });
  await dialog.getByLabel('What they ask for').selectOption({ label: kind });
  await dialog.getByLabel('The customer, by').selectOption({ label: 'id' });
  await dialog.getByRole('button', { name: 'Enter', exact: true }).click();
  await expect(dialog.getByText('Say which customer it is.'), 'nobody is asked for').toBeVisible();
  await dialog.getByLabel('Their id').fill(String((last += 1)));
  await dialog.getByRole('button', { name: 'Enter', exact: true }).click();
  // Every store is searched.
  await expect(page.getByRole('heading', { level: 1, name: kind })).toBeVisible({ timeout: 60_000 });
  await settled(page);
  return idOf(page);
}

test('what came by letter is entered, taken, handed over and put off', async ({ page, context }) => {
  test.slow();
  const id = await enter(page, 'Delete their data');
  expect(await read(context.request, id)).toMatchObject({ kind: 'erasure', state: 'open', identity: 'unchecked', via: 'operator' });
  await expect(page.getByText('entered by hand')).toBeVisible();
  await expect(page.getByText('Nobody has checked yet who asks.')).toBeVisible();
  // Somebody else's wish is not granted by mistake.
  await expect(page.getByRole('button', { name: 'Grant' })).toHaveCount(0);
  expect(await page.locator('main').innerText(), 'the customer is not named').not.toMatch(new RegExp(`\\b${last}\\b`));

  const more = page.getByRole('main').getByRole('button', { name: 'More' });
  const owner = page.locator('dl.facts dd').first();
  if ((await owner.textContent()) !== 'Ana Ruiz') {
    await more.click();
    await page.getByRole('menuitem', { name: 'Take it' }).click();
  }
  await expect(owner).toHaveText('Ana Ruiz');

  await more.click();
  await page.getByRole('menuitem', { name: 'Who deals with it' }).click();
  let dialog = page.getByRole('dialog', { name: 'Who deals with it' });
  await dialog.getByLabel('Owner').selectOption(left().people.nadia);
  await dialog.getByRole('button', { name: 'Hand over' }).click();
  await expect(owner).not.toHaveText('Ana Ruiz');
  expect((await read(context.request, id)).owner).toBe(left().people.nadia);

  const due = (await read(context.request, id)).due_at ?? 0;
  expect(due, 'the law gives it a last day').toBeGreaterThan(0);
  await more.click();
  await page.getByRole('menuitem', { name: 'Put off' }).click();
  dialog = page.getByRole('dialog', { name: 'Put the answer off' });
  await dialog.getByRole('button', { name: 'Put off' }).click();
  await expect(dialog.getByText('Say why, in a few words.'), 'not without a reason').toBeVisible();
  await dialog.getByLabel('In words').fill('Old letters have to be searched as well.');
  await dialog.getByRole('button', { name: 'Put off' }).click();
  await expect(dialog).toHaveCount(0);
  const after = await read(context.request, id);
  expect(after.extended_at).not.toBeNull();
  expect(after.due_at ?? 0).toBeGreaterThan(due);
  // The law lets one do it once.
  await expect(page.locator('dl.facts dt').filter({ hasText: 'Put off' })).toBeVisible();
  await more.click();
  await expect(page.getByRole('menuitem', { name: 'Put off' })).toHaveCount(0);
  await page.keyboard.press('Escape');
});

test('who cannot show that they are the customer is refused, and it leaves the queue', async ({ page, context }) => {
  test.slow();
  const id = await enter(page, 'See their data');
  await page.getByRole('button', { name: 'Check who asks' }).click();
  await page.getByRole('dialog', { name: 'Is it the customer?' }).getByRole('button', { name: 'It could not be shown' }).click();
  await expect(page.getByText('Whoever asked could not show that they are the customer.')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Grant' })).toHaveCount(0);

  await page.getByRole('button', { name: 'Refuse' }).click();
  const dialog = page.getByRole('dialog', { name: 'Refuse: See their data' });
  await expect(dialog.getByLabel('Reason'), 'the reason that is plain').toHaveValue('identity_not_shown');
  await dialog.getByRole('button', { name: 'Refuse' }).click();
  await expect(dialog.getByText('Say why, in a few words.')).toBeVisible();
  await dialog.getByLabel('In words').fill('We could not reach you at the address on file.');
  await dialog.getByRole('button', { name: 'Refuse' }).click();
  await expect(page.getByText('Refused: it could not be shown who asks')).toBeVisible();
  await expect(page.getByText('Nothing is to be carried out.')).toBeVisible();
  expect(await read(context.request, id)).toMatchObject({ state: 'refused', reason_category: 'identity_not_shown' });

  await page.getByRole('link', { name: 'All requests' }).click();
  await settled(page);
  const line = page.locator(`a[href="/notices/requests/${id}"]`);
  await expect(line, 'no longer open').toHaveCount(0);
  await page.getByRole('button', { name: /^Answered/ }).click();
  await expect(line).toBeVisible();
});

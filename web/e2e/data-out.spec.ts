// Data: what differs between the sides, and rows taken away as a file under a grant.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { APIRequestContext } from '@playwright/test';
import { expect, left, settled, test } from './support';
import { BASE } from './places';

async function post(api: APIRequestContext, path: string, data: unknown) {
  const { csrf } = (await (await api.get('/api/v1/me')).json()) as { csrf: string };
  return api.post(path, { data, headers: { 'x-csrf-token': csrf } });
}

/** Verifies, and gives the verification once it is over. */
async function verify(api: APIRequestContext) {
  const { id } = (await (await post(api, '/api/v1/verifications', { tables: ['atlas.countries'] })).json()) as { id: string };
  let found = { status: 'running', differing: {} as Record<string, number> };
  await expect.poll(async () => { found = await (await api.get(`/api/v1/verifications/${id}`)).json(); return found.status; }, { timeout: 60_000 }).not.toBe('running');
  return found;
}

test('rows that differ are shown with their keys masked', async ({ page, context }) => {
  // Somebody has changed the target past dunlin: one letter of a row, where the file has it.
  const file = join(left().dir, 'target/atlas.db');
  const before = readFileSync(file);
  const at = before.indexOf('PTpt+351');
  expect(at).toBeGreaterThan(0);
  writeFileSync(file, Buffer.concat([before.subarray(0, at), Buffer.from('PTpx+351'), before.subarray(at + 8)]));
  try {
    expect(Object.values((await verify(context.request)).differing)).toEqual([1]);
    await page.goto('/data/reconciliation');
    await settled(page);
    await page.getByRole('button', { name: '1 in atlas.countries' }).click();
    const drawer = page.getByRole('dialog', { name: 'What differs in atlas.countries' });
    await drawer.getByRole('button', { name: 'Show the rows, masked' }).click();
    await expect(drawer.getByRole('row', { name: /has other values/ })).toBeVisible();
    await expect(drawer.locator('td .masked, td code').first()).toBeVisible();
  } finally {
    writeFileSync(file, before);
    await verify(context.request);
  }
});

test('a file leaves under a grant, and the gate says why without one', async ({ browser, context }) => {
  const ben = left().people.ben;
  const email = 'ben@partner.example';
  const other = await browser.newContext({ storageState: { cookies: [], origins: [] }, extraHTTPHeaders: { origin: BASE } });
  expect((await other.request.post('/api/v1/sign-in', { data: { email, password: left().passwords[email] } })).ok()).toBe(true);
  const page = await other.newPage();
  await page.goto('/data/export');
  await settled(page);
  await expect(page.getByText('You have none, so the gate will say no.')).toBeVisible();
  await page.getByLabel('Table', { exact: true }).selectOption('atlas.orders');
  await page.getByRole('button', { name: 'Take the rows away' }).click();
  await expect(page.getByText('Say why, in a few words.')).toBeVisible();
  await page.getByLabel('In words').fill('the carrier asks for the open orders');
  await page.getByRole('button', { name: 'Take the rows away' }).click();
  await expect(page.getByRole('alert')).toContainText(/grant/);

  const opened = await post(context.request, '/api/v1/grants', { person: ben, task: 'T-7', action: 'export', store: 'atlas', table: 'atlas.orders', purpose_category: 'support', purpose_text: 'open orders for the carrier' });
  expect(opened.ok()).toBe(true);
  await page.reload();
  await settled(page);
  await expect(page.getByLabel('Task', { exact: true })).toHaveValue('T-7');
  await page.getByLabel('In words').fill('the carrier asks for the open orders');
  await page.getByLabel('At most rows').fill('25');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Take the rows away' }).click();
  const saved = await download;
  expect(saved.suggestedFilename()).toBe('atlas.orders.csv');
  const lines = readFileSync(await saved.path(), 'utf8').trim().split('\r\n');
  expect(lines[0]).toContain('order_id');
  expect(lines).toHaveLength(26);
  await expect(page.getByText('atlas.orders.csv is whole: 25 rows')).toBeVisible();
  await other.close();
});

// A customer's way in a real browser: in by the host app's token, and from there what they can do, with and without
// scripts, on small windows; and the same request as the operators see it, down to its end.
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from '@playwright/test';
import { BASE, HOST, HOST_PORT, STATE } from './places';
import { expect, left, settled, test, violations } from './support';

test.use({ storageState: { cookies: [], origins: [] }, locale: 'en-GB' });

/** What a host app's server signs for a customer of its own: good once, for a minute. */
function token(customer: string): string {
  const part = (what: object) => Buffer.from(JSON.stringify(what)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const said = `${part({ alg: 'EdDSA', kid: 'shop' })}.${part({ sub: customer, aud: BASE, iat: now, exp: now + 60, jti: randomUUID() })}`;
  return `${said}.${sign(null, Buffer.from(said), createPrivateKey(left().hostKey)).toString('base64url')}`;
}

// The demo keeps the first ones for itself. Each test takes a customer of its own, so that none meets another's requests.
let last = 100;
/** A customer whose rows were moved, signed in, on their own page. */
async function arrive(browser: Browser, more: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page; customer: string }> {
  const context = await browser.newContext({ baseURL: BASE, storageState: { cookies: [], origins: [] }, locale: 'en-GB', reducedMotion: 'reduce', ...more });
  const page = await context.newPage();
  for (;;) {
    const customer = String((last += 1));
    await page.goto(`/tell/me?token=${token(customer)}`);
    await expect(page.getByRole('heading', { level: 1, name: /^(Your data at|Sus datos en|Ihre Daten bei|Vos données chez) / })).toBeVisible();
    // Some wait in quarantine, some are left behind, and some read another language, whatever the browser asks for.
    if (await page.getByText('Moved on').count()) return { context, page, customer };
    await context.clearCookies();
  }
}
const home = (page: Page) => page.goto('/tell/me');
const tap = (page: Page, name: string, role: 'link' | 'button' = 'link') => page.getByRole(role, { name, exact: true }).first().click();
const wish = (page: Page, kind: string) => page.getByRole('region', { name: 'What you have asked for' }).getByRole('listitem').filter({ hasText: kind });
const over = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** What every customer can do, each two taps from their page. */
async function everything(page: Page): Promise<void> {
  await home(page);
  await tap(page, 'Download my data');
  const [download] = await Promise.all([page.waitForEvent('download'), tap(page, 'Download my data', 'button')]);
  expect(download.suggestedFilename()).toBe('my-data.zip');
  expect(readFileSync(await download.path()).subarray(0, 4).toString('latin1'), 'a zip file').toBe('PK\u0003\u0004');

  await home(page);
  await expect(wish(page, 'See my data')).toContainText('Done');
  await tap(page, 'Change settings');
  await expect(page.locator('input:checked'), 'nothing is ticked beforehand').toHaveCount(0);
  await tap(page, 'Object to how my data is used', 'button');
  await expect(page.getByRole('heading', { level: 1, name: /^Your data at/ })).toBeVisible();
  await expect(wish(page, 'Object to a use')).toHaveCount(1);
  await expect(wish(page, 'Object to a use')).not.toContainText('A person looks at it');

  await tap(page, 'Delete my data');
  await expect(page.getByRole('link', { name: 'Leave everything as it is' })).toBeVisible();
  await tap(page, 'Delete my data', 'button');
  await expect(wish(page, 'Delete my data')).toContainText('We have to answer by');
  await wish(page, 'Delete my data').getByRole('button', { name: 'Take it back' }).click();
  await expect(wish(page, 'Delete my data')).toContainText('Taken back');
  await expect(page.getByText('Moved on').first(), 'nothing was deleted').toBeVisible();
}

test('a customer downloads, changes a setting, and takes a deletion back, each in two taps', async ({ browser }) => {
  const { context, page } = await arrive(browser);
  const elsewhere: string[] = [];
  page.on('request', (request) => { if (new URL(request.url()).origin !== BASE) elsewhere.push(request.url()); });
  await everything(page);
  expect(elsewhere, 'nobody else is asked for anything').toEqual([]);
  expect(page.url(), 'the token does not stay in the address').not.toContain('token');
  await context.close();
});

test('the same without JavaScript', async ({ browser }) => {
  const { context, page } = await arrive(browser, { javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  await everything(page);
  await context.close();
});

test('from the card of the host app it is two taps too', async ({ browser }) => {
  const { context, page, customer } = await arrive(browser);
  await context.clearCookies();
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/favicon.ico' ? 204 : 200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': `default-src 'none'; script-src ${BASE}; connect-src ${BASE}` });
    response.end(request.url === '/favicon.ico' ? undefined : `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A shop</title><script src="${BASE}/tell/card.js" defer></script></head><body><dunlin-notice notice="2026-move" subject="${token(customer)}"></dunlin-notice><main><h1>Lamps</h1></main></body></html>`);
  });
  await new Promise<void>((done) => server.listen(HOST_PORT, 'localhost', done));
  try {
    await page.goto(HOST);
    const card = page.locator('dunlin-notice section');
    await expect(card).toBeVisible();
    const said = (await (await context.request.get(`${BASE}/tell/card.json?notice=2026-move&lang=en`)).json()) as { labels: Record<string, string> };
    await card.getByRole('link', { name: said.labels.download, exact: true }).click();
    const [download] = await Promise.all([page.waitForEvent('download'), tap(page, 'Download my data', 'button')]);
    expect(download.suggestedFilename()).toBe('my-data.zip');
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await context.close();
  }
});

for (const [name, viewport, deviceScaleFactor] of [['wide', { width: 1440, height: 900 }, 1], ['a phone', { width: 390, height: 844 }, 2], ['320 px', { width: 320, height: 568 }, 2], ['400 % zoom', { width: 320, height: 256 }, 4]] as const) {
  test(`axe finds nothing and nothing is cut off: ${name}`, async ({ browser }) => {
    const { context, page } = await arrive(browser, { viewport, deviceScaleFactor });
    const look = async (path: string) => {
      await page.goto(path);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        // Dark differs by nothing but its colours.
        expect(await violations(page, colorScheme === 'dark' ? ['color-contrast'] : undefined), `${path}, ${colorScheme}`).toEqual([]);
      }
      expect(await over(page), `${path} fits`).toBeLessThanOrEqual(0);
      for (const target of await page.locator('main').locator('button, .acts a, a.btn').all()) expect((await target.boundingBox())?.height, `${path}: ${await target.textContent()}`).toBeGreaterThanOrEqual(44);
    };
    // With something asked for, so that its buttons are seen too.
    await page.goto('/tell/me/delete');
    await tap(page, 'Delete my data', 'button');
    for (const path of ['', '/download', '/correct', '/settings', '/delete']) await look(`/tell/me${path}`);
    await context.clearCookies();
    await look('/tell/me');
    await context.close();
  });
}

test('a customer’s cookie opens nothing of the operators’ API', async ({ browser, playwright }) => {
  const { context } = await arrive(browser);
  const own = (await context.cookies()).find((c) => c.path === '/tell');
  expect(own?.httpOnly).toBe(true);
  expect(own?.sameSite).toBe('Lax');
  const operators = (JSON.parse(readFileSync(STATE, 'utf8')) as { cookies: { name: string }[] }).cookies.map((c) => c.name);
  expect(operators.length).toBeGreaterThan(0);
  // As its own, and under the operators' names.
  const cookie = [own?.name ?? '', ...operators].map((name) => `${name}=${own?.value ?? ''}`).join('; ');
  const bare = await playwright.request.newContext({ baseURL: BASE, extraHTTPHeaders: { cookie, origin: BASE } });
  for (const path of ['/api/v1/me', '/api/v1/requests', '/api/v1/people', '/api/v1/runs', '/api/v1/plan']) expect((await bare.get(path)).status(), path).toBe(401);
  expect((await bare.post('/api/v1/requests', { data: { kind: 'erasure', subject: '1' } })).ok()).toBe(false);
  await bare.dispose();
  await context.close();
});

test('an operator finds the request in the queue, decides it and carries it out; the customer has the receipt', async ({ browser }) => {
  test.slow();
  const { context, page: customer, customer: id } = await arrive(browser);
  const operator = await browser.newContext({ baseURL: BASE, storageState: STATE, locale: 'en-GB', timezoneId: 'Europe/Madrid' });
  const page = await operator.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
  await page.goto('/notices/requests');
  await settled(page);
  const rows = page.getByRole('group', { name: 'Requests' }).getByRole('row').filter({ hasText: 'Delete their data' });
  const before = await rows.count();
  await customer.goto('/tell/me/delete');
  await tap(customer, 'Delete my data', 'button');
  await expect(wish(customer, 'Delete my data')).toHaveCount(1);
  // The page that lies open hears of it.
  await expect(rows).toHaveCount(before + 1);
  expect(await violations(page)).toEqual([]);
  const open = (await (await operator.request.get('/api/v1/requests')).json()) as { items: { request: string; kind: string; state: string; via: string | null; received_at: number }[] };
  const mine = open.items.filter((r) => r.kind === 'erasure' && r.via === 'page' && r.state === 'open').sort((a, b) => b.received_at - a.received_at)[0];
  expect(mine).toBeDefined();
  await expect(rows.first()).toContainText(/\d+ days? left/);

  await rows.locator(`a[href="/notices/requests/${mine?.request}"]`).click();
  await settled(page);
  await expect(page.getByRole('heading', { level: 1, name: 'Delete their data' })).toBeVisible();
  await expect(page.getByText('Shown by signing in.')).toBeVisible();
  expect(await page.locator('main').innerText(), 'the customer is not named').not.toContain('@');
  expect(await violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'Grant' }).click();
  let dialog = page.getByRole('dialog', { name: 'Grant: Delete their data' });
  await dialog.getByRole('button', { name: 'Grant' }).click();
  await expect(dialog.getByText('Say why, in a few words.')).toBeVisible();
  await dialog.getByLabel('In words').fill('The customer left and nothing makes us keep it.');
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Grant' }).click();
  await expect(page.getByText('Granted: the law gives them the right')).toBeVisible();

  await page.getByRole('button', { name: 'Carry out' }).click();
  dialog = page.getByRole('dialog', { name: 'Carry out: Delete their data' });
  await dialog.getByRole('button', { name: 'Delete this customer’s data' }).click();
  await expect(dialog.getByText('Type the word delete.')).toBeVisible();
  await dialog.getByLabel('Type the word delete to go on').fill('delete');
  await dialog.getByRole('button', { name: 'Delete this customer’s data' }).click();
  await expect(page.getByRole('heading', { name: 'What was done' })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Receipt' }).click();
  dialog = page.getByRole('dialog', { name: 'Make a receipt' });
  await dialog.getByLabel('The customer’s id').fill(id);
  const [download] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: 'Search and download' }).click()]);
  expect(JSON.parse(readFileSync(await download.path(), 'utf8'))).toMatchObject({ format: 'dunlin-receipt/v1' });

  // Gone from where it was moved to (the demo's plan has no `erase_source`), and the receipt is there for them too.
  await home(customer);
  await expect(wish(customer, 'Delete my data')).toContainText('Done');
  await expect(customer.getByText('Moved on')).toHaveCount(0);
  await expect(customer.getByText('@', { exact: false }), 'no value is shown any more').toHaveCount(0);
  const [theirs] = await Promise.all([customer.waitForEvent('download'), wish(customer, 'Delete my data').getByRole('link', { name: 'Receipt' }).click()]);
  expect(theirs.suggestedFilename()).toBe('receipt.json');
  await page.goto('/notices/requests?show=answered');
  await settled(page);
  await expect(page.locator(`a[href="/notices/requests/${mine?.request}"]`)).toBeVisible();
  expect(complaints, 'the console').toEqual([]);
  await operator.close();
  await context.close();
});

test('an operator hands a copy over by a link, and takes another request back in the customer’s name', async ({ browser }) => {
  test.slow();
  const { context, page: customer, customer: id } = await arrive(browser);
  await context.clearCookies();
  const operator = await browser.newContext({ baseURL: BASE, storageState: STATE, locale: 'en-GB', viewport: { width: 390, height: 844 } });
  const page = await operator.newPage();
  const enter = async (kind: string) => {
    await page.goto('/notices/requests');
    await settled(page);
    await page.getByRole('button', { name: 'Enter a request' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What they ask for').selectOption(kind);
    await dialog.getByLabel('The customer, by').selectOption('subject');
    await dialog.getByLabel('Their id').fill(id);
    await dialog.getByRole('button', { name: 'Enter' }).click();
    await expect(page.getByRole('button', { name: 'Check who asks' })).toBeVisible({ timeout: 30_000 });
  };
  await enter('access');
  await page.getByRole('button', { name: 'Check who asks' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'It is the customer' }).click();
  await page.getByRole('button', { name: 'Grant' }).click();
  await page.getByRole('dialog').getByLabel('In words').fill('They asked at the counter.');
  await page.getByRole('dialog').getByRole('button', { name: 'Grant' }).click();
  await page.getByRole('button', { name: 'Hand over the copy' }).click();
  const dialog = page.getByRole('dialog', { name: 'A link to the customer’s copy' });
  await expect(dialog.getByText('There is no address for letters.')).toBeVisible();
  expect(await violations(page)).toEqual([]);
  await dialog.getByRole('button', { name: 'Show the link' }).click();
  const link = (await dialog.locator('code').innerText()).trim();
  expect(link).toContain('/tell/me/copy/');
  expect(await violations(page)).toEqual([]);
  expect(await over(page)).toBe(0);
  // The customer, on a device of their own, without an account.
  await customer.goto(new URL(link).pathname);
  expect(await violations(customer)).toEqual([]);
  const [download] = await Promise.all([customer.waitForEvent('download'), tap(customer, 'Download my data', 'button')]);
  expect(readFileSync(await download.path()).subarray(0, 4).toString('latin1'), 'a zip file').toBe('PK\u0003\u0004');
  await customer.goto(new URL(link).pathname);
  await expect(customer.getByRole('heading', { name: 'This link does not work any more' })).toBeVisible();
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  // The request is answered.
  await expect(page.getByRole('button', { name: 'Receipt' })).toBeVisible();

  await enter('erasure');
  await page.locator('#main').getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Take back for the customer' }).click();
  const back = page.getByRole('dialog', { name: 'Take back in the customer’s name: Delete their data' });
  await back.getByLabel('In words').fill('They telephoned: not after all.');
  expect(await violations(page)).toEqual([]);
  await back.getByRole('button', { name: 'Take back for the customer' }).click();
  await expect(page.getByText('Taken back in the customer’s name: the customer said so')).toBeVisible();
  await operator.close();
  await context.close();
});

test('the queue in Spanish, on a phone, light and dark', async ({ browser }) => {
  const operator = await browser.newContext({ baseURL: BASE, storageState: STATE, locale: 'es-ES', viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' });
  const page = await operator.newPage();
  for (const path of ['/notices/requests', '/notices/requests?show=answered']) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.goto(path);
      await settled(page);
      await expect(page.getByRole('link', { name: /^Solicitudes/ })).toBeVisible();
      expect(await violations(page), `${path}, ${colorScheme}`).toEqual([]);
      expect(await over(page)).toBe(0);
    }
  }
  await operator.close();
});

// The card on a page of a host app: another origin, whose security policy allows it script-src and connect-src alone.
import { createServer, type Server } from 'node:http';
import { test as plain, type BrowserContext, type Page } from '@playwright/test';
import { BASE, HOST, HOST_PORT } from './places';
import { expect, test, violations } from './support';

const NOTICE = '2026-move';
interface Card { headline: string; points: string[]; version: number; links: Record<string, string>; labels: Record<string, string> }

let server: Server;
/** What the host's pages are made of: with the script, or with the fragment that their server put in. */
const page = (head: string, inside: string) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>A shop</title>${head}</head><body><header><p>A shop</p></header><dunlin-notice notice="${NOTICE}">${inside}</dunlin-notice><main><h1>Lamps</h1><p><a href="/">Home</a></p></main></body></html>`;

plain.beforeAll(async ({ playwright }) => {
  const api = await playwright.request.newContext();
  const fragment = await (await api.get(`${BASE}/tell/card.html?notice=${NOTICE}&lang=en`)).text();
  await api.dispose();
  server = createServer((request, response) => {
    const still = request.url === '/still';
    const policy = `default-src 'none'; script-src ${BASE}; connect-src ${BASE}${still ? `; style-src ${BASE}` : ''}; require-trusted-types-for 'script'`;
    response.writeHead(request.url === '/favicon.ico' ? 204 : 200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
    const script = `<script src="${BASE}/tell/card.js" defer></script>`;
    response.end(request.url === '/favicon.ico' ? undefined : still ? page(`<link rel="stylesheet" href="${BASE}/tell/card.css">${script}`, fragment) : page(script, ''));
  });
  await new Promise<void>((done) => server.listen(HOST_PORT, 'localhost', done));
});
plain.afterAll(() => new Promise<void>((done) => { server.closeAllConnections(); server.close(() => done()); }));

test.use({ storageState: { cookies: [], origins: [] }, locale: 'en-GB' });

const card = (of: Page) => of.locator('dunlin-notice section');
async function said(context: BrowserContext): Promise<Card> {
  return (await (await context.request.get(`${BASE}/tell/card.json?notice=${NOTICE}&lang=en`)).json()) as Card;
}
const over = (of: Page) => of.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test('the card shows once, is remembered, and is opened again', async ({ page: at, context }) => {
  const { headline, points, labels } = await said(context);
  await at.goto(HOST);
  await expect(card(at).getByRole('heading', { name: headline })).toBeVisible();
  expect(points.length).toBeGreaterThan(0);
  for (const point of points) await expect(card(at).getByText(point)).toBeVisible();
  await card(at).getByRole('button', { name: labels.keep, exact: true }).click();
  await expect(card(at)).toBeHidden();
  await expect(at.getByText(labels.kept ?? '')).toBeVisible();
  await at.reload();
  const again = at.getByRole('button', { name: labels.reopen, exact: true });
  await expect(again).toBeVisible();
  await expect(card(at)).toBeHidden();
  await again.click();
  await expect(card(at).getByRole('heading', { name: headline })).toBeFocused();
});

test('every action is one tap away, and leads where it says', async ({ page: at, context }) => {
  const { labels, links } = await said(context);
  await at.goto(HOST);
  for (const name of ['read', 'settings', 'download', 'delete', 'ask']) {
    const link = card(at).getByRole('link', { name: labels[name], exact: true });
    await expect(link, name).toBeVisible();
    expect(await link.getAttribute('href'), name).toBe(new URL(links[name] ?? '', BASE).href);
  }
  await card(at).getByRole('link', { name: labels.read, exact: true }).click();
  await expect(at).toHaveURL(new RegExp(`^${BASE}/tell/${NOTICE}`));
  await expect(at.getByRole('heading', { level: 1 })).toBeVisible();
});

test('from the keyboard alone, and Esc closes it', async ({ page: at, context }) => {
  const { labels } = await said(context);
  await at.goto(HOST);
  await expect(card(at)).toBeVisible();
  await at.keyboard.press('Tab');
  await expect(card(at).getByRole('button', { name: labels.close, exact: true })).toBeFocused();
  await at.keyboard.press('Tab');
  await expect(card(at).getByRole('link', { name: labels.read, exact: true })).toBeFocused();
  await at.keyboard.press('Escape');
  await expect(card(at)).toBeHidden();
  await expect(at.getByRole('button', { name: labels.reopen, exact: true })).toBeFocused();
  await at.keyboard.press('Enter');
  await expect(card(at)).toBeVisible();
});

test('no cookie is set, by nothing that the card loads', async ({ page: at, context }) => {
  const set: string[] = [];
  const from: string[] = [];
  at.on('response', (response) => {
    from.push(new URL(response.url()).origin);
    void response.headersArray().then((all) => { for (const { name, value } of all) if (name.toLowerCase() === 'set-cookie') set.push(`${response.url()} ${value}`); });
  });
  await at.goto(HOST);
  await expect(card(at)).toBeVisible();
  await at.waitForLoadState('networkidle');
  expect(await context.cookies()).toEqual([]);
  expect(set).toEqual([]);
  expect([...new Set(from)].sort(), 'the host and dunlin, nobody else').toEqual([BASE, HOST].sort());
});

for (const [name, width, height] of [['wide', 1440, 900], ['a phone', 390, 844], ['320 px', 320, 568], ['400 % zoom', 320, 256]] as const) {
  test(`axe finds nothing and nothing is cut off: ${name}`, async ({ page: at, context }) => {
    const { headline, labels } = await said(context);
    await at.setViewportSize({ width, height });
    for (const colorScheme of ['light', 'dark'] as const) {
      await at.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await at.goto(HOST);
      await expect(card(at).getByRole('heading', { name: headline })).toBeVisible();
      expect(await violations(at)).toEqual([]);
      expect(await over(at)).toBe(0);
      // Each target can be hit by a thumb, and lies within the window's width.
      for (const target of await card(at).locator('a, button').all()) {
        await target.scrollIntoViewIfNeeded();
        const box = await target.boundingBox();
        expect(box?.height, await target.textContent() ?? '').toBeGreaterThanOrEqual(44);
        expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= width).toBe(true);
      }
    }
    await card(at).getByRole('button', { name: labels.close, exact: true }).click();
    expect(await violations(at)).toEqual([]);
  });
}

test('with a fragment of the server and no JavaScript everything is there', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, storageState: { cookies: [], origins: [] }, viewport: { width: 320, height: 568 } });
  const { headline, points, labels } = await said(context);
  const at = await context.newPage();
  await at.goto(`${HOST}/still`);
  const there = at.locator('dunlin-notice');
  await expect(there.getByRole('heading', { name: headline })).toBeVisible();
  for (const point of points) await expect(there.getByText(point)).toBeVisible();
  for (const name of ['read', 'settings', 'download', 'delete', 'ask']) await expect(there.getByRole('link', { name: labels[name], exact: true })).toBeVisible();
  const box = await there.boundingBox();
  expect((box?.x ?? 0) + (box?.width ?? 999)).toBeLessThanOrEqual(320);
  await context.close();
});

test('where there is a script it takes the place of the fragment', async ({ page: at, context }) => {
  const { headline } = await said(context);
  await at.goto(`${HOST}/still`);
  await expect(card(at).getByRole('heading', { name: headline })).toBeVisible();
  await expect(at.getByRole('heading', { name: headline })).toHaveCount(1);
});

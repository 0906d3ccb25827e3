// Notices: written by one, mended, handed in, published by another; never against the plan. All in a real browser.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from '@playwright/test';
import { BASE, STATE } from './places';
import { expect, left, looks, settled, test } from './support';

const NAME = '2026-move.en.md';
const PASSWORD = 'the curlews come at noon';

/** The API as somebody who is signed in. */
function api(context: BrowserContext) {
  const send = async (method: string, path: string, data?: unknown, headers: Record<string, string> = {}) => {
    const { csrf } = (await (await context.request.get('/api/v1/me')).json()) as { csrf: string };
    return context.request.fetch(path, { method, data, headers: { 'x-csrf-token': csrf, ...headers } });
  };
  const notice = async (name = NAME) => {
    const answer = await context.request.get(`/api/v1/notices/${name}`);
    return { etag: answer.headers().etag ?? '', ...(await answer.json()) as { text: string; status: string; sha256: string; version: number; waiting: { id: string } | null } };
  };
  const save = async (text: string) => {
    const done = await send('PUT', `/api/v1/notices/${NAME}`, text, { 'if-match': (await notice()).etag, 'content-type': 'text/plain' });
    expect(done.status(), await done.text()).toBe(200);
  };
  const takeBack = async () => { const { waiting } = await notice(); if (waiting) await send('POST', `/api/v1/notices/versions/${waiting.id}/take-back`); };
  const plan = async () => { const answer = await context.request.get('/api/v1/plan'); return { etag: answer.headers().etag ?? '', text: ((await answer.json()) as { text: string }).text }; };
  const putPlan = async (text: string) => { const done = await send('PUT', '/api/v1/plan', text, { 'if-match': (await plan()).etag, 'content-type': 'text/plain' }); expect(done.status(), await done.text()).toBe(200); };
  return { send, notice, save, takeBack, plan, putPlan };
}

/** A worker that begins again after a failure invites anew. */
const WREN = `wren-${Date.now()}@atlas.example`;

let owner: BrowserContext;
let writer: BrowserContext;
let approver: BrowserContext;

/** Somebody new, invited by the owner, signed in. */
async function somebody(browser: Browser, email: string, name: string, role: string): Promise<BrowserContext> {
  const made = await api(owner).send('POST', '/api/v1/invitations', { email, name, role });
  expect(made.ok()).toBe(true);
  const { link } = (await made.json()) as { link: string };
  const context = await browser.newContext({ baseURL: BASE, storageState: { cookies: [], origins: [] }, locale: 'en-GB' });
  const page = await context.newPage();
  await page.goto(new URL(link).pathname);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel(/password/i).first().fill(PASSWORD);
  await page.getByRole('button').first().click();
  await page.goto('/notices');
  await settled(page);
  await page.close();
  return context;
}

const start = { notice: '', plan: '' };
test.beforeAll(async ({ browser }) => {
  owner = await browser.newContext({ baseURL: BASE, storageState: STATE });
  writer = await somebody(browser, WREN, 'Wren Palmer', 'writer');
  approver = await somebody(browser, WREN.replace('wren', 'tern'), 'Tern Ibarra', 'approver');
  start.notice = (await api(owner).notice()).text;
  start.plan = (await api(owner).plan()).text;
});
// Every test begins with the notice and the plan of the demo; what was published stays published.
test.beforeEach(async () => {
  if ((await api(owner).plan()).text !== start.plan) await api(owner).putPlan(start.plan);
  await api(owner).takeBack();
  if ((await api(owner).notice()).text !== start.notice) await api(owner).save(start.notice);
});
test.afterAll(async () => {
  if (start.plan && (await api(owner).plan()).text !== start.plan) await api(owner).putPlan(start.plan);
  rmSync(join(left().dir, 'notices', 'autumn.en.md'), { force: true });
  for (const one of [owner, writer, approver]) await one.close();
});

const open = async (context: BrowserContext, path = `/notices/${NAME}`): Promise<Page> => {
  const page = await context.newPage();
  await page.goto(path);
  await settled(page);
  return page;
};
const editor = (page: Page) => page.getByRole('textbox', { name: 'Text of the notice' });

/** Writes at the end of the notice, by the keyboard. */
async function append(page: Page, line: string): Promise<void> {
  await editor(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Enter');
  await page.keyboard.type(line);
}

test('a notice is drafted from the plan, and its questions stand in the way', async () => {
  const page = await open(writer, '/notices');
  await page.getByRole('button', { name: 'New notice' }).click();
  const dialog = page.getByRole('dialog', { name: 'Draft a notice from the plan' });
  await dialog.getByLabel('Name').fill('Not A Name');
  await dialog.getByRole('button', { name: 'Draft', exact: true }).click();
  await expect(dialog.getByText('for example 2026-move')).toBeVisible();
  await dialog.getByLabel('Name').fill('autumn');
  await dialog.getByLabel('The move begins').fill('2026-12-05');
  await dialog.getByRole('button', { name: 'Draft', exact: true }).click();
  await expect(page).toHaveURL(/\/notices\/autumn\.en\.md$/);
  await expect(page.getByText('tell-question-open').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Hand in' })).toBeDisabled();
  await page.getByRole('button', { name: /^Go to line/ }).first().click();
  await expect(editor(page)).toBeFocused();
  // Its readers' view is there all the same.
  await expect(page.frameLocator('iframe').getByRole('heading', { level: 1 })).toBeVisible();
  await page.close();
});

test('a finding is mended, the text handed in, and published by somebody else', async () => {
  await api(owner).save(start.notice.replace(/^version = \d+$/m, `version = ${(await next())}`));
  const page = await open(writer);
  await append(page, 'Nothing else may possibly change.');
  await expect(page.getByText('not saved', { exact: true })).toBeVisible();
  await page.keyboard.press('Control+s');
  await expect(page.getByText('tell-hedge').first()).toBeVisible();
  await expect(page.getByRole('button', { name: 'Hand in' })).toBeDisabled();
  await editor(page).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.press('Shift+Home');
  await page.keyboard.type('Nothing else changes for you.');
  await page.keyboard.press('Control+s');
  await expect(page.getByText('tell-hedge')).toHaveCount(0);
  await expect(page.frameLocator('iframe').getByText('Nothing else changes for you.')).toBeVisible();
  await page.getByRole('button', { name: 'Hand in' }).click();
  await expect(page.getByText(/^Handed in by Wren Palmer/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Read and approve' })).toHaveCount(0);

  const other = await open(approver);
  await other.getByRole('button', { name: 'Read and approve' }).click();
  const dialog = other.getByRole('dialog', { name: /Approve version/ });
  await expect(dialog.locator('ins', { hasText: 'Nothing else changes for you.' })).toBeVisible();
  await expect(dialog.frameLocator('iframe').getByText('Nothing else changes for you.')).toBeVisible();
  await dialog.getByRole('button', { name: 'Approve and publish' }).click();
  await expect(dialog).toBeHidden();
  await expect(other.locator('.page-head').getByText('published', { exact: true })).toBeVisible();
  // The writer's page hears of it by itself.
  await expect(page.locator('.page-head').getByText('published', { exact: true })).toBeVisible();
  expect(await (await other.request.get('/tell/2026-move')).text()).toContain('Nothing else changes for you.');

  // Both versions, side by side.
  await other.getByRole('link', { name: /^Versions/ }).click();
  await expect(other.locator('ins', { hasText: 'Nothing else changes for you.' })).toBeVisible();
  await page.close();
  await other.close();
});

/** The number that a new text needs. */
async function next(): Promise<number> {
  const all = (await (await owner.request.get('/api/v1/notices/versions?notice=2026-move')).json()) as { items: { version: number }[] };
  return Math.max(0, ...all.items.map((v) => v.version)) + 1;
}

test('a finding about style is set aside with a reason, and only with one', async () => {
  const page = await open(writer);
  await append(page, 'You may write to us on any day.');
  await page.keyboard.press('Control+s');
  await page.getByRole('button', { name: 'Set aside tell-hedge' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Set a finding aside' });
  await dialog.getByRole('button', { name: 'Set aside' }).click();
  await expect(dialog.getByText('At least three words.')).toBeVisible();
  await dialog.getByLabel('Why it is right all the same').fill('here it is a permission, not a doubt');
  await dialog.getByRole('button', { name: 'Set aside' }).click();
  await expect(page.getByText(`set aside by ${WREN}`)).toBeVisible();
  expect((await api(owner).notice()).text).toContain(`[[override]]\nrule = "tell-hedge"\nreason = "here it is a permission, not a doubt"\nby = "${WREN}"\n`);
  await page.close();
});

test('a notice against the plan is not published, and both sides are seen', async () => {
  await api(owner).save(start.notice.replace(/^version = \d+$/m, `version = ${(await next())}`));
  const page = await open(writer);
  await page.getByRole('button', { name: 'Hand in' }).click();
  await expect(page.getByText(/^Handed in by Wren Palmer/)).toBeVisible();
  const other = await open(approver);
  await other.getByRole('button', { name: 'Read and approve' }).click();
  // The plan changes while the text is being read.
  await api(owner).putPlan(start.plan.replace('region = "IE"', 'region = "US"'));
  const dialog = other.getByRole('dialog', { name: /Approve version/ });
  await dialog.getByRole('button', { name: 'Approve and publish' }).click();
  const refused = dialog.getByRole('alert');
  await expect(refused.getByText('The notice and the plan contradict each other')).toBeVisible();
  await expect(refused.locator('.sides').filter({ hasText: 'Ireland' }).filter({ hasText: 'United States' }).first()).toBeVisible();
  expect((await api(owner).notice()).waiting).not.toBeNull();
  // The writer sees it too, without asking.
  const sides = page.locator('.against .sides').filter({ hasText: 'The notice saysIreland' }).filter({ hasText: 'The plan saysUnited States' });
  await expect(sides.first()).toBeVisible();
  await page.close();
  await other.close();
});

test('two people at one notice: nothing is lost, and one is asked', async () => {
  const page = await open(writer);
  await append(page, 'From Wren.');
  await api(owner).save(`${start.notice.trimEnd()}\nFrom Ana.\n`);
  const clash = page.getByRole('alert').filter({ hasText: 'Somebody has saved this notice since you began' });
  await expect(clash).toBeVisible();
  await expect(clash.getByLabel('Yours, not saved')).toContainText('From Wren.');
  await expect(clash.getByLabel('Saved by somebody else')).toContainText('From Ana.');
  await clash.getByRole('button', { name: 'Save mine over it' }).click();
  await expect(clash).toBeHidden();
  expect((await api(owner).notice()).text).toContain('From Wren.');
  await page.close();
});

test('what is published is withdrawn with a reason, by who may', async () => {
  const line = 'This sentence is here for a short while.';
  await api(owner).save(`${start.notice.replace(/^version = \d+$/m, `version = ${await next()}`).trimEnd()}\n\n${line}\n`);
  const { sha256 } = await api(writer).notice();
  const handed = (await (await api(writer).send('POST', `/api/v1/notices/${NAME}/submit`, { sha256 })).json()) as { id: string; sha256: string };
  const published = await api(approver).send('POST', `/api/v1/notices/versions/${handed.id}/approve`, { sha256: handed.sha256 });
  expect(published.ok(), await published.text()).toBe(true);
  const reader = await open(writer);
  await reader.getByRole('button', { name: 'More', exact: true }).click();
  await expect(reader.getByRole('menuitem', { name: 'See the public page' })).toBeVisible();
  await expect(reader.getByRole('menuitem', { name: 'Withdraw' })).toHaveCount(0);
  const page = await open(approver);
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Withdraw' }).click();
  const dialog = page.getByRole('dialog', { name: /Withdraw version/ });
  await dialog.getByRole('button', { name: 'Withdraw' }).click();
  await expect(dialog.getByText('Say why, in a few words.')).toBeVisible();
  expect(await (await page.request.get('/tell/2026-move')).text()).toContain(line);
  await dialog.getByLabel('In words').fill('a drill');
  await dialog.getByRole('button', { name: 'Withdraw' }).click();
  await expect(dialog).toHaveCount(0);
  expect(await (await page.request.get('/tell/2026-move')).text()).not.toContain(line);
  await expect(page.locator('.page-head').getByText('withdrawn', { exact: true }).or(page.locator('.page-head').getByText('edited since it was published'))).toBeVisible();
  await page.getByRole('link', { name: /^Versions/ }).click();
  await expect(page.getByRole('row').nth(1)).toContainText('withdrawn');
  await page.close();
  await reader.close();
});

test('from the keyboard alone: to a notice, into its text and out again', async () => {
  const page = await open(writer, '/');
  await page.keyboard.press('g');
  await page.keyboard.press('t');
  await expect(page).toHaveURL(/\/notices$/);
  const link = page.getByRole('link', { name: /2026-move\.en\.md/ });
  await expect(link).toBeVisible();
  for (let i = 0; i < 40 && !(await link.evaluate((el) => el === document.activeElement)); i += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/2026-move\.en\.md$/);
  await expect(editor(page)).toBeVisible();
  const inside = () => editor(page).evaluate((el) => (el.getRootNode() as ShadowRoot).activeElement === el);
  for (let i = 0; i < 40 && !(await inside()); i += 1) await page.keyboard.press('Tab');
  expect(await inside()).toBe(true);
  await page.keyboard.press('Tab');
  expect(await inside(), 'the editor does not keep the Tab key').toBe(false);
  const look = page.getByRole('button', { name: 'Screen reader' });
  for (let i = 0; i < 40 && !(await look.evaluate((el) => el === document.activeElement)); i += 1) await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Preview: Screen reader')).toContainText('Ireland');
  await page.close();
});

test('axe finds nothing on the pages of Tell, wide and narrow', async ({ page }) => {
  test.setTimeout(400_000);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  const wrong: string[] = [];
  await page.goto('/notices');
  wrong.push(...await looks(page, 'list'));
  await page.getByRole('button', { name: 'New notice' }).click();
  wrong.push(...await looks(page, 'draft'));
  await page.goto('/notices/schedule');
  wrong.push(...await looks(page, 'schedule'));
  await api(owner).save(`${start.notice.trimEnd()}\n\nYou may write to us in France on 3 March 2031.\n`);
  await page.goto(`/notices/${NAME}`);
  for (const form of ['Phone', 'E-mail', 'Screen reader']) {
    await page.getByRole('button', { name: form, exact: true }).click();
    wrong.push(...await looks(page, form));
  }
  await page.getByRole('button', { name: /^Set aside tell-/ }).first().click();
  wrong.push(...await looks(page, 'set aside'));
  await page.goto(`/notices/${NAME}?view=versions`);
  wrong.push(...await looks(page, 'versions'));
  await page.getByRole('button', { name: /^See version/ }).first().click();
  wrong.push(...await looks(page, 'a version'));
  expect(wrong).toEqual([]);
});
